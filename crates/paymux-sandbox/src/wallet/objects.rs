//! Transactions, their payments, and allowances.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use super::settings::WalletSettings;
use super::status::{AllowanceStatus, Status};
use crate::clock;

/// A time as the provider takes it: a moment, or so long from an event that is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Span {
    /// Seconds.
    For(i64),
    Until(Timestamp),
}

impl Span {
    pub(super) fn end(self, from: Timestamp) -> Timestamp {
        match self {
            Span::For(seconds) => clock::add(from, SignedDuration::from_secs(seconds)),
            Span::Until(at) => at,
        }
    }
}

/// Where a transaction's callbacks go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Callback {
    /// To the project's URL.
    #[default]
    Project,
    /// Nowhere: `callback_uri` was `false`.
    Off,
    To(String),
}

/// What a transaction was made with.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TransactionTerms {
    pub(super) redirect_uri: Option<String>,
    pub(super) callback: Callback,
    pub(super) auto_confirm: bool,
    pub(super) use_allowance: bool,
    pub(super) suggest_allowance: bool,
    /// How long accepted money waits for the client.
    pub(super) reserve: Span,
    /// The allowance to charge: `allowance_id`.
    pub(super) charge: Option<i64>,
    /// Whether the payer may decline the new allowance and still pay.
    pub(super) allowance_optional: bool,
    pub(super) project_id: i64,
    pub(super) location_id: Option<i64>,
    /// Members that are kept and shown: `user`, `restrictions`, `inquiries`.
    pub(super) extras: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Transaction {
    pub(super) key: String,
    pub(super) created_at: Timestamp,
    pub(super) status: Status,
    /// The way of acceptance: `page`, `automatic`, `pin`, `flash`, `reservation_code`.
    pub(super) kind: &'static str,
    /// The payer's wallet, once there is one.
    pub(super) wallet: Option<i64>,
    /// The payer's money is reserved.
    pub(super) held: bool,
    pub(super) accepted_at: Option<Timestamp>,
    pub(super) confirmed_at: Option<Timestamp>,
    pub(super) payments: Vec<i64>,
    /// The allowance that the payer approves with it.
    pub(super) allowance: Option<i64>,
    /// The allowance under which it was reserved.
    pub(super) charged: Option<i64>,
    /// The code of a flash SMS, once one was sent.
    pub(super) sms_code: Option<String>,
    pub(super) terms: TransactionTerms,
}

/// Who gets a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Beneficiary {
    Id(i64),
    Email(String),
    Phone(String),
}

/// Fees in cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Commission {
    pub(super) in_commission: i64,
    pub(super) out_commission: i64,
}

impl Commission {
    /// Whether something is left of a price for its beneficiary, or at least nothing is missing.
    pub(super) fn fits(self, price: i64, settings: &WalletSettings) -> bool {
        let out = if settings.out_commission_included { self.out_commission } else { 0 };
        self.in_commission.saturating_add(out) <= price
    }
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Item {
    pub(super) title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    pub(super) price: i64,
    pub(super) quantity: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<Map<String, Value>>,
}

/// What a payment waits for after it was accepted. Only the payer knows it, and passes it on.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Password {
    /// The provider makes it up instead of the client.
    pub(super) generated: bool,
    /// Empty until the payment is made when the provider makes it up.
    pub(super) value: String,
}

/// What a payment was made with. Price and freeze may change later.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PaymentTerms {
    /// `page`, `transfer`, `donation` or another.
    pub(super) kind: String,
    pub(super) description: Option<String>,
    /// Cents.
    pub(super) price: i64,
    pub(super) currency: String,
    pub(super) items: Vec<Item>,
    pub(super) beneficiary: Beneficiary,
    pub(super) commission: Option<Commission>,
    pub(super) parameters: Option<Map<String, Value>>,
    pub(super) freeze: Option<Span>,
    /// Somebody must give it before the payment can be confirmed.
    pub(super) password: Option<Password>,
    /// Members that are kept and shown: `price_rules`, `cashback`, `purpose`, `funds_source`.
    pub(super) extras: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Payment {
    pub(super) id: i64,
    pub(super) transaction: String,
    pub(super) created_at: Timestamp,
    pub(super) status: Status,
    pub(super) payer: Option<i64>,
    pub(super) confirmed_at: Option<Timestamp>,
    pub(super) password_given: bool,
    pub(super) passwords_sent: u32,
    pub(super) terms: PaymentTerms,
}

impl Payment {
    fn commission(&self) -> Commission {
        self.terms.commission.unwrap_or_default()
    }

    /// What leaves the payer's wallet.
    pub(super) fn payer_amount(&self, settings: &WalletSettings) -> i64 {
        let on_top =
            if settings.out_commission_included { 0 } else { self.commission().out_commission };
        self.terms.price.saturating_add(on_top)
    }

    /// What arrives in the beneficiary's wallet.
    pub(super) fn beneficiary_amount(&self, settings: &WalletSettings) -> i64 {
        self.payer_amount(settings).saturating_sub(self.fees())
    }

    pub(super) fn fees(&self) -> i64 {
        let Commission { in_commission, out_commission } = self.commission();
        in_commission.saturating_add(out_commission)
    }

    /// When the freeze ends, once that is known.
    pub(super) fn frozen_until(&self) -> Option<Timestamp> {
        match self.terms.freeze? {
            Span::Until(at) => Some(at),
            span @ Span::For(_) => self.confirmed_at.map(|at| span.end(at)),
        }
    }

    pub(super) fn is_frozen(&self, now: Timestamp) -> bool {
        self.frozen_until().is_some_and(|until| until > now)
    }

    pub(super) fn needs_password(&self) -> bool {
        self.terms.password.is_some() && !self.password_given
    }

    pub(super) fn needs_registration(&self) -> bool {
        !matches!(self.terms.beneficiary, Beneficiary::Id(_))
    }
}

/// At most so much within a time that slides along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Limit {
    /// Cents.
    pub(super) max_price: i64,
    /// Seconds.
    pub(super) time: i64,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct AllowanceTerms {
    pub(super) description: Option<String>,
    pub(super) currency: String,
    /// Over all charges, in cents.
    pub(super) max_price: Option<i64>,
    pub(super) limits: Vec<Limit>,
    /// Counted from confirming.
    pub(super) valid: Span,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Allowance {
    pub(super) id: i64,
    pub(super) transaction: String,
    pub(super) created_at: Timestamp,
    pub(super) status: AllowanceStatus,
    pub(super) wallet: Option<i64>,
    pub(super) confirmed_at: Option<Timestamp>,
    pub(super) canceled_at: Option<Timestamp>,
    pub(super) terms: AllowanceTerms,
}

impl Allowance {
    pub(super) fn valid_until(&self) -> Option<Timestamp> {
        match self.terms.valid {
            Span::Until(at) => Some(at),
            span @ Span::For(_) => self.confirmed_at.map(|at| span.end(at)),
        }
    }
}

/// One line of a wallet's statement.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Statement {
    pub(super) id: i64,
    pub(super) wallet: i64,
    /// Cents, always positive.
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) incoming: bool,
    pub(super) at: Timestamp,
    pub(super) details: String,
    pub(super) payment: Option<i64>,
    pub(super) other: Option<i64>,
}
