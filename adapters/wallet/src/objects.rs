//! The provider's objects with all their fields that matter, in exact types. The methods of
//! [`crate::Wallet`] that are not of the trait answer with these; the trait's are mapped from them.

use std::{collections::BTreeMap, time::Duration};

use paymux_core::{
    Currency, Money, ProviderMandateId, ProviderPartId, ProviderPaymentId, Timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    options::{Beneficiary, PaymentType},
    status::{AllowanceStatus, ProviderPaymentStatus, TransactionStatus},
};

/// Payments that are accepted and confirmed together: what paymux calls a payment. Source: the
/// specification, Get Payments by Transaction; most fields from the provider's other pages.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Transaction {
    /// The key that stands in paths, too.
    pub key: ProviderPaymentId,
    /// Its state.
    pub status: TransactionStatus,
    /// How it was accepted: `page`, `automatic`, `pin` and others; not the type of a payment.
    pub kind: Option<String>,
    /// The payer's wallet, once somebody accepted.
    pub wallet: Option<i64>,
    /// The project it was made for.
    pub project_id: Option<i64>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// Its payments, as far as the answer shows them.
    pub payments: Vec<ProviderPayment>,
    /// The answer names its payments, even if there are none.
    #[serde(skip)]
    pub(crate) lists_payments: bool,
    /// The allowance that is confirmed with it, if the answer shows one.
    pub allowance: Option<Allowance>,
    /// Where the payer returns to.
    pub redirect_uri: Option<String>,
}

/// A payment of a transaction: what paymux calls a part. Source: the specification, Payment
/// Object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ProviderPayment {
    /// A number, as text.
    pub id: ProviderPartId,
    /// The transaction it belongs to; sparse answers leave it out.
    pub transaction: Option<ProviderPaymentId>,
    /// Its state; the specification's list of a transaction's payments leaves it out.
    pub status: Option<ProviderPaymentStatus>,
    /// What kind of payment.
    pub kind: Option<PaymentType>,
    /// What the payer read.
    pub description: Option<String>,
    /// How much. After a capture of less, the lower price.
    pub price: Option<Money>,
    /// The payer's wallet.
    pub payer: Option<i64>,
    /// Who gets the money.
    pub beneficiary: Option<Beneficiary>,
    /// A fee taken from what the beneficiary gets.
    pub in_commission: Option<Money>,
    /// A fee paid by the payer.
    pub out_commission: Option<Money>,
    /// The merchant's own values.
    pub parameters: Map<String, Value>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was confirmed; stays when it is canceled after that.
    pub confirmed_at: Option<Timestamp>,
    /// When it was canceled. No document shows it on a payment, only on an allowance; it is read
    /// where it is there, since it tells a hold that was let go from money that came back.
    pub canceled_at: Option<Timestamp>,
    /// How long the money is held; `None` where the answer does not say.
    pub freeze: Option<Freeze>,
}

impl ProviderPayment {
    /// Does it leave out how far it is, or how much? Then it has to be asked itself.
    pub(crate) const fn is_sparse(&self) -> bool {
        self.status.is_none() || self.price.is_none()
    }

    /// What the payer pays: the price, and the fee on top of it.
    #[must_use]
    pub fn payable(&self) -> Option<Money> {
        match self.out_commission {
            Some(fee) => self.price?.checked_add(fee),
            None => self.price,
        }
    }

    /// What the beneficiary gets: the price less the fee taken from it.
    #[must_use]
    pub fn payout(&self) -> Option<Money> {
        match self.in_commission {
            Some(fee) => self.price?.checked_sub(fee),
            None => self.price,
        }
    }

    /// Both fees together; nothing where the price is known and no fee is.
    #[must_use]
    pub fn fees(&self) -> Option<Money> {
        let fees = [self.in_commission, self.out_commission];
        let none = Money::zero(self.price?.currency());
        fees.into_iter().flatten().try_fold(none, Money::checked_add)
    }
}

/// How long money is held once it is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Freeze {
    /// Not at all: the answer says so, by zero.
    Off,
    /// Until this moment.
    Until(Timestamp),
    /// For so long after confirming.
    For(Duration),
}

impl Freeze {
    /// Is it still held, if it was confirmed then?
    #[must_use]
    pub fn lasts(self, confirmed_at: Option<Timestamp>, now: Timestamp) -> bool {
        match self {
            Self::Off => false,
            Self::Until(end) => now < end,
            // Without the beginning, the end is not known: what may be held is not called taken.
            Self::For(span) => confirmed_at.is_none_or(|begin| now < begin.after(span)),
        }
    }
}

/// A payer's consent to later charges: what paymux calls a mandate. Source: the provider's other
/// pages; the specification names only its id.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Allowance {
    /// A number, as text.
    pub id: ProviderMandateId,
    /// The transaction it is confirmed by.
    pub transaction: Option<ProviderPaymentId>,
    /// Its state; `None` where the answer shows none, as the newer guide does.
    pub status: Option<AllowanceStatus>,
    /// What the payer read.
    pub description: Option<String>,
    /// How much may be charged over all.
    pub limit: Option<Money>,
    /// How much may be charged in spans of time.
    pub limits: Vec<AllowanceLimit>,
    /// The payer's wallet, once it is confirmed.
    pub wallet: Option<i64>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// When either side canceled it.
    pub canceled_at: Option<Timestamp>,
    /// When it ends by itself, as far as that is known.
    pub valid_until: Option<Timestamp>,
}

/// How much may be charged in a span of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AllowanceLimit {
    /// How much.
    pub limit: Option<Money>,
    /// In how many seconds.
    pub seconds: Option<i64>,
    /// The older figure for the span, hours or seconds: the documents disagree, so it is handed on
    /// as it came.
    pub period: Option<i64>,
}

/// What is in a wallet, in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Balance {
    /// Can be spent; `None` where it is not said, or below zero.
    pub at_disposal: Option<Money>,
    /// Is held; `None` as above.
    pub reserved: Option<Money>,
}

/// What is in a wallet.
pub type Balances = BTreeMap<Currency, Balance>;

/// A page of one of the provider's lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProviderPage<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// How many there are over all pages, where the provider says so.
    pub total: Option<u64>,
    /// Where the next page begins, if there is one.
    pub next: Option<u64>,
}

/// Whose wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalletNumber {
    /// That of the user who gave the access token.
    Me,
    /// The one with this number.
    Number(i64),
}

impl WalletNumber {
    pub(crate) fn text(self) -> String {
        match self {
            Self::Me => "me".to_owned(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// Asks for payments.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListProviderPayments {
    /// In one of these states; in any when empty.
    pub statuses: Vec<ProviderPaymentStatus>,
    /// From this wallet.
    pub wallet: Option<i64>,
    /// At most so many: 1 to 200.
    pub limit: u32,
    /// From here on.
    pub offset: u64,
}

impl ListProviderPayments {
    /// Asks for the first page.
    #[must_use]
    pub const fn new(limit: u32) -> Self {
        Self { statuses: Vec::new(), wallet: None, limit, offset: 0 }
    }
}

/// Asks for what moved in a wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListStatements {
    /// In this currency.
    pub currency: Option<Currency>,
    /// Not before this.
    pub from: Option<Timestamp>,
    /// Not after this.
    pub to: Option<Timestamp>,
    /// At most so many: 1 to 200.
    pub limit: u32,
    /// From here on.
    pub offset: u64,
}

impl ListStatements {
    /// Asks for the first page.
    #[must_use]
    pub const fn new(limit: u32) -> Self {
        Self { currency: None, from: None, to: None, limit, offset: 0 }
    }
}
