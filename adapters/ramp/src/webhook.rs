//! Webhooks: nobody signs them, so whatever they say is a reason to look and nothing else. Pure.

use paymux_core::{
    Error, EventKey, Payment, Result, Subject, Trust, WebhookDelivery, WebhookEvent,
    signature::SharedSecret,
};

use crate::{
    config::RampConfig,
    map,
    objects::{Notification, NotificationKind},
    read, status,
};

/// Longer names are no words of the provider's.
const MAX_NAME: usize = 64;

/// What a delivery claims.
pub(crate) fn notification(
    config: &RampConfig,
    secret: Option<&SharedSecret>,
    delivery: &WebhookDelivery<'_>,
) -> Result<Notification> {
    let kinds = [NotificationKind::Platform, NotificationKind::External];
    let Some(kind) = kinds.into_iter().find(|kind| kind.as_str() == delivery.endpoint) else {
        return Err(Error::configuration("endpoint", "must be platform or external"));
    };
    if let Some(secret) = secret {
        secret.verify(delivery.headers)?;
    }
    read::notification(kind, delivery.body, &config.measures)
        .map_err(|unreadable| unreadable.of_delivery("the delivery cannot be read"))
}

/// The events of a delivery: one, which is a reason to look.
pub(crate) fn verify(
    config: &RampConfig,
    secret: Option<&SharedSecret>,
    delivery: &WebhookDelivery<'_>,
) -> Result<Vec<WebhookEvent>> {
    let claim = notification(config, secret, delivery)?;
    let form = status::normalized(&claim.status);
    let name = format!("{}.{}", claim.kind.as_str(), cut(&form));
    let subject = Subject::Payment(claim.payment_id.clone());
    let key = key(delivery);
    let mut event = WebhookEvent::new(key, name, Trust::Unsigned, subject);
    event.occurred_at = claim.payment_date;
    let status = map::claimed_status(&claim.status, &config.words);
    let mut payment = Payment::new(config.id.clone(), claim.payment_id, status, claim.status);
    payment.amounts.requested = claim.amount;
    event.payment = Some(Box::new(payment));
    Ok(vec![event])
}

/// Deliveries have no id, and anybody can send one. So an event is told from others by all that it
/// says and by the minute it came in: a second look costs nothing, and whoever sends a guessed event
/// ahead of the real one must not suppress it.
fn key(delivery: &WebhookDelivery<'_>) -> EventKey {
    const MINUTE: i64 = 60_000;
    let minute = delivery.received_at.as_millis().div_euclid(MINUTE).to_string();
    EventKey::digest(&[delivery.endpoint.as_bytes(), minute.as_bytes(), delivery.body].join(&b'\0'))
}

fn cut(word: &str) -> String {
    word.chars().filter(|char| !char.is_control()).take(MAX_NAME).collect()
}
