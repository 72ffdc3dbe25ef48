//! The ramp's objects, in exact types.

use std::fmt;

use paymux_core::{Currency, Money, ProviderPaymentId, Sensitive, Timestamp};
use serde::Serialize;
use serde_json::Value;
use url::Url;

/// A payment as an answer states it. Only its id can be relied on.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) id: ProviderPaymentId,
    pub(crate) invoice_id: Option<String>,
    /// The word as it came; empty where there is none.
    pub(crate) word: String,
    pub(crate) kind: Option<String>,
    pub(crate) session: Option<Session>,
    pub(crate) link: Link,
    /// A link under the name by which we send the payer's return address: it may be an echo.
    pub(crate) maybe_echo: Link,
    /// The same in the session.
    pub(crate) maybe_echo_in_session: Link,
}

/// Where the payer is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// The answer names no page.
    Missing,
    /// It names an address that nobody should be sent to.
    Unfit,
    /// There.
    Fit(Url),
}

/// The gateway's session, to be handed on as it is. Nothing but its id may be kept.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) id: Option<String>,
    pub(crate) value: Value,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The session of a checkout, as [`Ramp::fetch_checkout_session`](crate::Ramp::fetch_checkout_session)
/// reads it. The id may be stored, and ties a browser that returns to its payment; the rest is for
/// the payer's browser alone and is neither printed nor stored.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CheckoutSession {
    /// The session's id, `ps_…`.
    pub id: Option<String>,
    /// The session as it came, for the gateway's own code.
    pub session: Sensitive<Value>,
}

/// An invoice, by the one call that tells amounts. Its shape is known from a client alone.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Invoice {
    /// Its id.
    pub id: String,
    /// The provider's word for its state. It says nothing of any one payment: another may have paid.
    pub status: Option<String>,
    /// The provider's word for its type.
    pub kind: Option<String>,
    /// What is to be paid, discounts deducted.
    pub amount: Option<Money>,
    /// What it was before the discount.
    pub amount_before_discount: Option<Money>,
    /// In what it is paid.
    pub currency: Option<Currency>,
    /// When it was paid.
    pub payment_date: Option<Timestamp>,
    /// The discount that is applied.
    pub discount_code: Option<String>,
    /// The merchant's client, by the provider's name for it.
    pub external_client_id: Option<String>,
    /// Its payments.
    pub payments: Vec<InvoicePayment>,
}

/// A payment of an invoice, in the invoice's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InvoicePayment {
    /// Its id.
    pub id: ProviderPaymentId,
    /// The provider's word for its state.
    pub status: Option<String>,
    /// The provider's word for its type.
    pub kind: Option<String>,
}

/// Where a notification came in. The two differ by nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// Of payments inside the provider; the label `platform`.
    Platform,
    /// Of payments by third parties; the label `external`.
    External,
}

impl NotificationKind {
    /// The label of the endpoint: `platform` or `external`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::External => "external",
        }
    }
}

/// What a webhook claims. Nobody signs it, so all of it is hearsay.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Notification {
    /// Where it came in.
    pub kind: NotificationKind,
    /// The payment.
    pub payment_id: ProviderPaymentId,
    /// The invoice: compare it with the one the payment was created for.
    pub invoice_id: String,
    /// The provider's word.
    pub status: String,
    /// The amount, where it can be read in a currency that is known.
    pub amount: Option<Money>,
    /// The currency's code as it came.
    pub currency: Option<String>,
    /// When it was paid.
    pub payment_date: Option<Timestamp>,
    /// What the third party adds; neither printed nor stored.
    pub external_data: Option<Sensitive<String>>,
}
