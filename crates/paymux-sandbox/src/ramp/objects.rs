//! What the provider keeps.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::settings::SessionForm;
use super::status::Status;
use crate::amount::Amount;

/// How a payment is settled: the parameter `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Kind {
    /// From an account inside the provider.
    Platform,
    /// On a gateway's checkout.
    Checkout,
    /// In a system outside.
    External,
}

impl Kind {
    pub(super) const ALL: [(Kind, &'static str); 3] =
        [(Kind::Platform, "PLATFORM"), (Kind::Checkout, "CHECKOUT"), (Kind::External, "EXTERNAL")];

    pub(super) fn word(self) -> &'static str {
        let known = Kind::ALL.into_iter().find(|(kind, _)| *kind == self);
        known.map_or("", |(_, word)| word)
    }
}

/// What is to be paid. Made by other flows of the provider, never through this API.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Invoice {
    pub(super) id: String,
    /// Whose token may touch it.
    pub(super) user: String,
    pub(super) client_id: String,
    pub(super) description: String,
    pub(super) currency: String,
    /// What is to be paid, after the discount.
    pub(super) amount: Amount,
    pub(super) before_discount: Amount,
    pub(super) discount: Option<String>,
    /// Pending, expired, or what became of the payment that paid it.
    pub(super) status: Status,
    pub(super) paid_by: Option<String>,
    pub(super) paid_at: Option<Timestamp>,
    pub(super) refunded: Amount,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
    /// Oldest first.
    pub(super) payments: Vec<String>,
}

/// One attempt to pay an invoice.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Payment {
    pub(super) id: String,
    pub(super) invoice_id: String,
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) status: Status,
    /// The account of a platform payment.
    pub(super) account: Option<String>,
    /// What was taken from it.
    pub(super) debited: Option<Amount>,
    pub(super) some_data: Option<String>,
    /// What the outside system said.
    pub(super) external_data: Option<String>,
    pub(super) session: Option<Session>,
    /// Where the checkout leads to instead of the configured URLs.
    pub(super) redirect_url: Option<String>,
    pub(super) created_at: Timestamp,
    /// When it became final.
    pub(super) ended_at: Option<Timestamp>,
}

/// A session at the gateway.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) form: SessionForm,
    pub(super) token: String,
    pub(super) secret: String,
    /// The gateway's own ids of the payer's last attempt: `sid_…` and `pay_…`.
    pub(super) attempt: Option<(String, String)>,
}

/// Money of one user inside the provider.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) user: String,
    pub(super) currency: String,
    pub(super) balance: Amount,
}

/// What a discount code takes off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum RampDiscount {
    /// A percentage of the amount, such as `"10"` or `"12.5"`, rounded to the currency.
    Percent(String),
    /// A fixed amount of one currency.
    Fixed {
        /// In major units, such as `"5.00"`.
        amount: String,
        /// Which invoices it is for.
        currency: String,
    },
}

/// An invoice to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RampInvoice {
    /// In major units, such as `"10.50"` or `"0.015678"`.
    pub amount: String,
    /// A code of a currency that is known, such as `USD` or `USDT`.
    pub currency: String,
    /// Whose it is: a user's id; the usual user's if empty.
    pub user: String,
    /// `externalClientId` of answers.
    pub client_id: String,
    /// What the checkout page calls it.
    pub description: String,
}
