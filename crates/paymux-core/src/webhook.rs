//! Webhooks: a delivery as it arrived, which nobody believes, and the events it proved to hold.

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::{
    EventKey, Payment, ProviderMandateId, ProviderPartId, ProviderPaymentId, ProviderRefundId,
    Timestamp,
};

/// How far an event may be believed. A bad signature is an error, not a trust. Closed on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Anybody could have sent it: a reason to look, never a change.
    Unsigned,
    /// The provider sent it, at some time: look before anything final.
    Signed,
    /// The provider sent it, and lately.
    SignedFresh,
}

impl fmt::Display for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unsigned => "unsigned",
            Self::Signed => "signed",
            Self::SignedFresh => "signed, with time",
        })
    }
}

/// A delivery as it arrived, not believed yet. It carries the time it arrived at in place of a
/// clock, so that verifying it is a pure function and can be repeated from an inbox.
#[derive(Clone, Copy)]
pub struct WebhookDelivery<'a> {
    /// The label it was mounted under, for providers whose deliveries differ only by that.
    pub endpoint: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body, byte by byte.
    pub body: &'a [u8],
    /// When it arrived.
    pub received_at: Timestamp,
}

/// Headers can hold secrets and bodies can hold people: neither is shown.
impl fmt::Debug for WebhookDelivery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookDelivery")
            .field("endpoint", &self.endpoint)
            .field("headers", &self.headers.len())
            .field("body_bytes", &self.body.len())
            .field("received_at", &self.received_at)
            .finish()
    }
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Subject {
    /// A payment.
    Payment(ProviderPaymentId),
    /// A part of a payment, which may be all that the delivery names.
    Part {
        /// The part.
        id: ProviderPartId,
        /// The payment, where the delivery names it.
        payment: Option<ProviderPaymentId>,
    },
    /// A refund.
    Refund {
        /// The refund.
        id: ProviderRefundId,
    },
    /// A mandate.
    Mandate {
        /// The mandate.
        id: ProviderMandateId,
    },
    /// Something that is no payment of ours: top-ups, deposits, verifications. Acknowledged,
    /// kept and handed on.
    Other {
        /// The provider's word for the kind of thing.
        kind: String,
        /// Its id.
        id: Option<String>,
    },
}

/// An event that a delivery proved to hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WebhookEvent {
    /// The same for every delivery of this event.
    pub key: EventKey,
    /// The provider's name of it: `payment.succeeded`.
    pub name: String,
    /// How far to believe it.
    pub trust: Trust,
    /// What it is about.
    pub subject: Subject,
    /// What the body says of the payment, when it says it; evidence according to `trust`.
    pub payment: Option<Box<Payment>>,
    /// When it happened, by the provider's word.
    pub occurred_at: Option<Timestamp>,
}

impl WebhookEvent {
    /// An event whose body says nothing more than what it is about.
    #[must_use]
    pub fn new(key: EventKey, name: impl Into<String>, trust: Trust, subject: Subject) -> Self {
        Self { key, name: name.into(), trust, subject, payment: None, occurred_at: None }
    }
}
