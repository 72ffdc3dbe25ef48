//! Webhooks: nobody signs them, so whatever they say is a reason to look and nothing else. Pure.

use std::fmt;

use hmac::digest::CtOutput;
use http::{HeaderMap, HeaderName, HeaderValue};
use paymux_core::{
    Effect, Error, ErrorKind, EventKey, Payment, Result, SecretString, Subject, Trust,
    WebhookDelivery, WebhookEvent,
};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::{
    config::RampConfig,
    map,
    objects::{Notification, NotificationKind},
    read, status,
};

/// Below this a secret can be guessed.
const MIN_SECRET_BYTES: usize = 16;
/// One in use, one being introduced, one not yet forgotten.
const MAX_SECRETS: usize = 3;
/// Longer names are no words of the provider's.
const MAX_NAME: usize = 64;

/// A secret that whoever delivers puts into a header. It shows that the sender knows the merchant,
/// and nothing of what was sent or when, so it does not make a delivery believed.
#[derive(Clone)]
pub(crate) struct SharedSecret {
    header: HeaderName,
    digests: Vec<CtOutput<Sha256>>,
}

/// Neither the secrets nor their digests are shown.
impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSecret")
            .field("header", &self.header)
            .field("secrets", &self.digests.len())
            .finish()
    }
}

impl SharedSecret {
    pub(crate) fn new(header: &str, secrets: &[SecretString]) -> Result<Self> {
        let refuse = |message: &str| Err(Error::configuration("webhook_secret", message));
        let Ok(header) = HeaderName::try_from(header) else {
            return refuse("must stand in a header named by letters, digits and dashes");
        };
        if secrets.is_empty() || secrets.len() > MAX_SECRETS {
            return refuse("must be 1 to 3 secrets");
        }
        for secret in secrets {
            let secret = secret.expose_secret();
            if secret.len() < MIN_SECRET_BYTES || !secret.bytes().all(|b| b.is_ascii_graphic()) {
                return refuse("must be at least 16 visible ASCII characters without spaces");
            }
        }
        let digests = secrets.iter().map(|secret| digest(secret.expose_secret().as_bytes()));
        Ok(Self { header, digests: digests.collect() })
    }

    /// Is it there, once, and one of the secrets? Digests are compared, in constant time, and all of
    /// them, so that the time taken tells nothing.
    fn check(&self, headers: &HeaderMap) -> Result<()> {
        let mut values = headers.get_all(&self.header).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(Error::invalid_signature("the header with the secret is not there once"));
        };
        let given = digest(HeaderValue::as_bytes(value));
        let matched = self.digests.iter().fold(false, |matched, known| matched | (*known == given));
        if matched { Ok(()) } else { Err(Error::invalid_signature("the secret does not match")) }
    }
}

fn digest(bytes: &[u8]) -> CtOutput<Sha256> {
    CtOutput::new(Sha256::digest(bytes))
}

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
        secret.check(delivery.headers)?;
    }
    read::notification(kind, delivery.body, &config.measures).map_err(|unreadable| {
        let message = format!("the delivery cannot be read: {}", unreadable.message);
        let error = Error::new(ErrorKind::InvalidResponse, Effect::None, message);
        match unreadable.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    })
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
    let key = key(&claim, &form, delivery.body);
    let mut event = WebhookEvent::new(key, name, Trust::Unsigned, subject);
    event.occurred_at = claim.payment_date;
    let status = map::claimed_status(&claim.status, &config.words);
    let mut payment = Payment::new(config.id.clone(), claim.payment_id, status, claim.status);
    payment.amounts.requested = claim.amount;
    payment.failure = map::failure(status);
    event.payment = Some(Box::new(payment));
    Ok(vec![event])
}

/// Deliveries have no id. One event is told from others by payment, status and date, and by where it
/// came in, since third parties know that address and must not be able to send an event of the
/// platform's ahead. Without a date, by all that it says.
fn key(claim: &Notification, status: &str, body: &[u8]) -> EventKey {
    let endpoint = claim.kind.as_str();
    let Some(date) = claim.payment_date else {
        return EventKey::digest(&[endpoint.as_bytes(), b"\0", body].concat());
    };
    let date = date.as_millis().to_string();
    EventKey::digest([endpoint, claim.payment_id.as_str(), status, &date].join("\0").as_bytes())
}

fn cut(word: &str) -> String {
    word.chars().filter(|char| !char.is_control()).take(MAX_NAME).collect()
}
