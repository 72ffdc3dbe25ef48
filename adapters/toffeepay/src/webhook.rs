//! Webhooks: proved first, read then. Pure.
//!
//! Two generations of envelope and two schemes of signature are about. Which scheme counts is a
//! matter of configuration; which envelope arrived shows in it.

use http::HeaderMap;
use paymux_core::{
    Error, EventKey, ProviderId, ProviderPartId, ProviderPaymentId, ProviderRefundId, Result,
    Subject, Timestamp, Trust, WebhookDelivery, WebhookEvent,
    json::Unreadable,
    signature::{StandardWebhooks, TimestampedHmac},
};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    map,
    read::{self, Family},
    wire,
};

/// The header of the 2025 scheme.
pub(crate) const LEGACY_HEADER: &str = "x-toffeepay-signature";
const STANDARD_HEADER: &str = "webhook-signature";

/// What proves webhooks of one account authentic.
#[derive(Debug)]
pub(crate) struct WebhookKeys {
    /// `X-ToffeePay-Signature: t=…,v1=…`
    pub(crate) legacy: Option<TimestampedHmac>,
    /// Standard Webhooks.
    pub(crate) standard: Option<StandardWebhooks>,
}

impl WebhookKeys {
    /// Proves the delivery authentic and fresh; gives its id where the scheme signs one. Where
    /// both schemes are configured, a delivery that claims the newer one is held to it.
    fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        received_at: Timestamp,
    ) -> Result<Option<String>> {
        match (&self.standard, &self.legacy) {
            (Some(keys), None) => Ok(Some(keys.verify(headers, body, received_at)?.id)),
            (Some(keys), Some(_)) if headers.contains_key(STANDARD_HEADER) => {
                Ok(Some(keys.verify(headers, body, received_at)?.id))
            }
            (_, Some(keys)) => keys.verify(headers, body, received_at).map(|_| None),
            (None, None) => {
                let field = "webhook_secret_standard";
                Err(Error::configuration(field, "or webhook_secret_legacy must be set first"))
            }
        }
    }
}

/// The events of a delivery: one.
pub(crate) fn verify(
    keys: &WebhookKeys,
    provider: &ProviderId,
    delivery: &WebhookDelivery<'_>,
) -> Result<Vec<WebhookEvent>> {
    let id = keys.verify(delivery.headers, delivery.body, delivery.received_at)?;
    let event = event(provider, id, delivery.body)
        .map_err(|unreadable| unreadable.of_delivery("the delivery is authentic and unreadable"))?;
    Ok(vec![event])
}

fn event(
    provider: &ProviderId,
    signed_id: Option<String>,
    body: &[u8],
) -> Result<WebhookEvent, Unreadable> {
    let envelope: wire::Delivery<'_> = read::json_object(body)?;
    let named = |name: Option<String>| name.filter(|name| !name.is_empty());
    let Some(name) = named(envelope.event).or_else(|| named(envelope.event_type)) else {
        return bare_session(provider, signed_id, body);
    };
    let family = name.split_once('.').map_or(name.as_str(), |(family, _)| family);
    let data = envelope.data.map(RawValue::get);
    // Data that is no object has no id; whether it needs one depends on the event.
    let fields: Map<String, Value> =
        data.and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default();
    let id = entity_id(&fields, family);
    let subject = subject(&name, family, id.as_deref(), &fields)?;
    let key = match signed_id.or_else(|| envelope.id.filter(|id| !id.is_empty())) {
        Some(id) => event_key(id)?,
        // Without an id of its own, an event is told by all it says, its time among it. Without
        // that, too, a second failed try would be taken for the first one, sent again.
        None if envelope.timestamp.is_some() => EventKey::digest(body),
        None => return Err(Unreadable::new("nothing in it tells it from other deliveries")),
    };
    let mut event = WebhookEvent::new(key, &name, Trust::SignedFresh, subject);
    event.occurred_at = read::moment(envelope.timestamp)?;
    if let (Subject::Payment(subject), Some(data)) = (&event.subject, data)
        && is_whole_session(&fields)
    {
        let session = read::session(read::object(data.as_bytes(), Family::Session)?)?;
        if session.id != *subject {
            return Err(Unreadable::new("it names two sessions"));
        }
        event.payment = Some(Box::new(map::payment(provider, &session, &[])));
    }
    Ok(event)
}

/// The first edition, of May 2025, sent the session and nothing around it, with its id under
/// `session_id`. A body that names anything else by `id` is some other object, not a session.
fn bare_session(
    provider: &ProviderId,
    signed_id: Option<String>,
    body: &[u8],
) -> Result<WebhookEvent, Unreadable> {
    let no_event = |_| Unreadable::new("it names no event");
    let session: wire::Session = read::json_object(body).map_err(no_event)?;
    if session.id.is_some() || session.session_id.is_none() {
        return Err(Unreadable::new("it names no event"));
    }
    let session = read::session(session).map_err(no_event)?;
    let key = signed_id.map_or_else(|| Ok(EventKey::digest(body)), event_key)?;
    let subject = Subject::Payment(session.id.clone());
    let mut event = WebhookEvent::new(key, "session", Trust::SignedFresh, subject);
    event.payment = Some(Box::new(map::payment(provider, &session, &[])));
    Ok(event)
}

fn event_key(key: String) -> Result<EventKey, Unreadable> {
    EventKey::new(key).map_err(|_| Unreadable::new("its id cannot be one"))
}

/// The id of the thing an event of this family is about. Whole objects name other things too (a
/// payment its session, a session its payment), so only three places count.
fn entity_id(fields: &Map<String, Value>, family: &str) -> Option<String> {
    let text = |value: Option<&Value>| {
        value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    text(fields.get(&format!("{family}_id")))
        .or_else(|| text(fields.get(&format!("{family}Id"))))
        .or_else(|| text(fields.get("id")))
        .or_else(|| text(fields.get(family)?.get("id")))
}

/// What the event is about. A name that is not documented is never an error; a documented one
/// that does not say about what it is cannot be read.
fn subject(
    name: &str,
    family: &str,
    id: Option<&str>,
    fields: &Map<String, Value>,
) -> Result<Subject, Unreadable> {
    let unfit = |_| Unreadable::new("its id cannot be one");
    let subject = match (family, id) {
        ("session", Some(id)) => Subject::Payment(ProviderPaymentId::new(id).map_err(unfit)?),
        ("payment", Some(id)) => Subject::Part {
            id: ProviderPartId::new(id).map_err(unfit)?,
            payment: session_of(fields).map(ProviderPaymentId::new).transpose().map_err(unfit)?,
        },
        ("refund", Some(id)) => Subject::Refund { id: ProviderRefundId::new(id).map_err(unfit)? },
        (_, None) if is_documented(name) => {
            return Err(Unreadable::new(format!("{name} without {family}_id")));
        }
        (_, id) => Subject::Other { kind: family.to_owned(), id: id.map(str::to_owned) },
    };
    Ok(subject)
}

/// The session that a whole payment belongs to.
fn session_of(fields: &Map<String, Value>) -> Option<&str> {
    let fields = fields.get("payment").and_then(Value::as_object).unwrap_or(fields);
    let id = fields.get("session_id").or_else(|| fields.get("sessionId"))?;
    id.as_str().filter(|id| !id.is_empty())
}

/// The first generation sends an id alone, the second the whole object.
fn is_whole_session(fields: &Map<String, Value>) -> bool {
    let fields = fields.get("session").and_then(Value::as_object).unwrap_or(fields);
    fields.contains_key("status")
}

/// Events of the specification, of its wallet part, of the refunds page of 2025 and of the
/// webhooks pages; `payment.processing` was the name of `payment.created` for a day.
fn is_documented(name: &str) -> bool {
    matches!(
        name,
        "session.created"
            | "session.paid"
            | "session.failed"
            | "session.expired"
            | "session.cancelled"
            | "payment.created"
            | "payment.processing"
            | "payment.authorized"
            | "payment.succeeded"
            | "payment.cancelled"
            | "payment.failed"
            | "topup.succeeded"
            | "topup.failed"
            | "deposit.succeeded"
            | "deposit.failed"
            | "refund.created"
            | "refund.succeeded"
            | "refund.failed"
            | "refund.cancelled"
    )
}
