//! Events in the two generations of the webhook body.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::objects::{Payment, Refund, Session, Topup};
use super::wire;
use crate::random::Random;
use crate::webhook::{Outgoing, Signer, WebhookScheme};

/// The events of both generations.
pub(super) const NAMES: [&str; 18] = [
    "session.created",
    "session.paid",
    "session.failed",
    "session.expired",
    "session.cancelled",
    "payment.created",
    "payment.authorized",
    "payment.succeeded",
    "payment.cancelled",
    "payment.failed",
    "topup.succeeded",
    "topup.failed",
    "deposit.succeeded",
    "deposit.failed",
    "refund.created",
    "refund.succeeded",
    "refund.failed",
    "refund.cancelled",
];

/// Something happened that ToffeePay tells of.
#[derive(Debug)]
pub(super) struct Event {
    /// First-generation name.
    name: &'static str,
    /// Second-generation name; some events have none.
    standard_name: Option<&'static str>,
    /// The key of the id in a first-generation body.
    key: &'static str,
    id: String,
    at: Timestamp,
    /// The object as it is now, for the second generation.
    entity: String,
}

impl Event {
    pub(super) fn session(name: &'static str, session: &Session, at: Timestamp) -> Self {
        let entity = text(&wire::session(session, true));
        Event {
            name,
            standard_name: Some(name),
            key: "session_id",
            id: session.id.clone(),
            at,
            entity,
        }
    }

    pub(super) fn payment(name: &'static str, payment: &Payment, at: Timestamp) -> Self {
        let entity = text(&wire::payment(payment, false));
        Event {
            name,
            standard_name: Some(name),
            key: "payment_id",
            id: payment.id.clone(),
            at,
            entity,
        }
    }

    /// The second generation calls a top-up a deposit.
    pub(super) fn topup(
        name: &'static str,
        standard_name: &'static str,
        topup: &Topup,
        at: Timestamp,
    ) -> Self {
        Event {
            name,
            standard_name: Some(standard_name),
            key: "topup_id",
            id: topup.id.clone(),
            at,
            entity: text(&wire::deposit(topup)),
        }
    }

    /// The second generation no longer lists `refund.cancelled`.
    pub(super) fn refund(name: &'static str, refund: &Refund, at: Timestamp) -> Self {
        let standard_name = (name != "refund.cancelled").then_some(name);
        let entity = text(&wire::refund(refund));
        Event { name, standard_name, key: "refund_id", id: refund.id.clone(), at, entity }
    }

    /// The name under a scheme, or none when that generation has no such event.
    pub(super) fn name(&self, scheme: WebhookScheme) -> Option<&'static str> {
        match scheme {
            WebhookScheme::Legacy => Some(self.name),
            WebhookScheme::Standard => self.standard_name,
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Writes the body. `entity` lets a fault change the object shown.
    pub(super) fn write(
        &self,
        scheme: WebhookScheme,
        signer: Signer,
        random: &Random,
        unknown_status: Option<&str>,
    ) -> Option<Outgoing> {
        let event = self.name(scheme)?;
        let (id, body) = match scheme {
            WebhookScheme::Legacy => {
                let id = random.uuid();
                let data = Map::from_iter([(self.key.to_owned(), Value::from(self.id.as_str()))]);
                let body = text(&First { id: &id, event, timestamp: self.at, data });
                (id, body)
            }
            WebhookScheme::Standard => {
                let data = RawValue::from_string(self.entity_with(unknown_status)).ok()?;
                (random.id("msg_"), text(&Second { r#type: event, timestamp: self.at, data }))
            }
        };
        Some(Outgoing {
            id,
            event: event.to_owned(),
            entity_id: self.id.clone(),
            at: self.at,
            body: body.into(),
            signer,
            own_url: None,
        })
    }

    fn entity_with(&self, unknown_status: Option<&str>) -> String {
        match (unknown_status, serde_json::from_str::<Value>(&self.entity)) {
            (Some(word), Ok(mut entity)) => {
                entity["status"] = json!(word);
                entity.to_string()
            }
            _ => self.entity.clone(),
        }
    }
}

#[derive(Serialize)]
struct First<'a> {
    id: &'a str,
    event: &'a str,
    timestamp: Timestamp,
    data: Map<String, Value>,
}

#[derive(Serialize)]
struct Second<'a> {
    r#type: &'a str,
    timestamp: Timestamp,
    data: Box<RawValue>,
}

/// Objects of this crate always serialize; an empty text would be seen at once.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
