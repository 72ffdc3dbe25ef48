//! What a call can say to the wallet alone.

use std::{collections::BTreeMap, fmt};

use paymux_core::{Money, ProviderOptions, ProviderPartId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// Options of a payment at the wallet. All may be left out.
///
/// They say what was asked for where an answer leaves it out, so keep them in the handle, and send
/// `WalletOptions::default()` where there is nothing to say: without any, nobody knows whether a
/// payment is held, and one that is `confirmed` is Processing until it is `done`.
///
/// `beneficiary`, `items`, `commission`, `payment_type` and `parameters` describe the one payment
/// of a transaction; with `split` each payment has its own, and they stay empty here.
///
/// `create_mandate` takes `language`, `reserve_until` and `mandate_limits`, and refuses the others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WalletOptions {
    /// Several payments in one transaction: they are accepted and confirmed together. Their sum
    /// must be the amount of the request. Empty: one payment of that amount.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub split: Vec<Split>,
    /// Who gets the money; the account itself when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beneficiary: Option<Beneficiary>,
    /// What is bought. The provider computes the price from them, so their total must be the
    /// amount of the request, and no price is sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
    /// Fees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commission: Option<Commission>,
    /// What kind of payment; left to the provider when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_type: Option<PaymentType>,
    /// The merchant's own values; they come back in answers and callbacks.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    /// Until when the money is held once it is confirmed, in whole seconds. Needed with
    /// [`CaptureMethod::Manual`](paymux_core::CaptureMethod), and refused without. After
    /// [`Wallet::change_freeze`](crate::Wallet::change_freeze) the stored handle's has to be moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze_until: Option<Timestamp>,
    /// For how long an accepted transaction waits for our confirmation; 30 days when not said.
    /// Known from the provider's reference pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserve_until: Option<Timestamp>,
    /// The language of the confirmation page, as `en` or `lt`; the account's when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Asks, with this payment, for an allowance to charge under later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowance: Option<AllowanceTerms>,
    /// Limits by time of a mandate that `create_mandate` asks for, besides its limit over all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mandate_limits: Vec<PeriodLimit>,
    /// How much the mandate that is charged under permits, where the merchant keeps it: an amount
    /// that is larger, with the payer's fee, is refused before anything is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowance_limit: Option<Money>,
    /// Lower prices to confirm with, by the payments' ids: the rest is let go. They are added to
    /// the options of the handle of `confirm_payment`, and are without the payer's fee, as all amounts are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub confirm_prices: BTreeMap<ProviderPartId, Money>,
}

impl ProviderOptions for WalletOptions {
    const KIND: &'static str = crate::KIND;
}

/// One of several payments of a transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Split {
    /// What the payer reads.
    pub description: String,
    /// How much; not with `items`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// What is bought; not with `price`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
    /// Who gets the money; the account itself when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beneficiary: Option<Beneficiary>,
    /// Fees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commission: Option<Commission>,
    /// What kind of payment; left to the provider when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_type: Option<PaymentType>,
    /// The merchant's own values.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
}

impl Split {
    /// A payment of this price.
    #[must_use]
    pub fn new(description: impl Into<String>, price: Money) -> Self {
        Self { price: Some(price), ..Self::of_items(description, Vec::new()) }
    }

    /// A payment of these items.
    #[must_use]
    pub fn of_items(description: impl Into<String>, items: Vec<Item>) -> Self {
        Self {
            description: description.into(),
            price: None,
            items,
            beneficiary: None,
            commission: None,
            payment_type: None,
            parameters: Map::new(),
        }
    }

    /// Sets who gets the money.
    #[must_use]
    pub fn beneficiary(mut self, beneficiary: Beneficiary) -> Self {
        self.beneficiary = Some(beneficiary);
        self
    }
}

/// Who gets the money: named in exactly one way. Somebody who is not registered is invited, and
/// the payment waits. Source: the specification, Payment with Beneficiary.
///
/// `Debug` shows a wallet's number alone: logs are read by more people than may know the person.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Beneficiary {
    /// By the number of a wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wallet: Option<i64>,
    /// By e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// By phone number: digits alone, the country's code first. The form is from an older page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl Beneficiary {
    /// The owner of this wallet.
    #[must_use]
    pub fn wallet(number: i64) -> Self {
        Self { wallet: Some(number), ..Self::default() }
    }

    /// The person with this e-mail address.
    #[must_use]
    pub fn email(address: impl Into<String>) -> Self {
        Self { email: Some(address.into()), ..Self::default() }
    }

    /// The person with this phone number.
    #[must_use]
    pub fn phone(number: impl Into<String>) -> Self {
        Self { phone: Some(number.into()), ..Self::default() }
    }
}

impl fmt::Debug for Beneficiary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beneficiary").field("wallet", &self.wallet).finish_non_exhaustive()
    }
}

/// Something bought. Source: the specification, Item Fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Item {
    /// What the payer reads.
    pub title: String,
    /// The price of one.
    pub price: Money,
    /// How many.
    pub quantity: u32,
    /// More to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_uri: Option<Url>,
    /// The merchant's own values.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
}

impl Item {
    /// So many of something at this price each.
    #[must_use]
    pub fn new(title: impl Into<String>, price: Money, quantity: u32) -> Self {
        Self {
            title: title.into(),
            price,
            quantity,
            description: None,
            image_uri: None,
            parameters: Map::new(),
        }
    }
}

/// Fees of a payment. Source: the specification, Commission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Commission {
    /// Taken from what the beneficiary gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_commission: Option<Money>,
    /// Paid by the payer, on top of the price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_commission: Option<Money>,
}

/// What kind of payment. Source: the specification, Payment Types, which says "etc.".
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum PaymentType {
    /// For goods or services.
    Page,
    /// From wallet to wallet.
    Transfer,
    /// For a good cause.
    Donation,
    /// Another word.
    Other(String),
}

impl PaymentType {
    /// The provider's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Page => "page",
            Self::Transfer => "transfer",
            Self::Donation => "donation",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for PaymentType {
    fn from(word: String) -> Self {
        match word.as_str() {
            "page" => Self::Page,
            "transfer" => Self::Transfer,
            "donation" => Self::Donation,
            _ => Self::Other(word),
        }
    }
}

impl From<PaymentType> for String {
    fn from(kind: PaymentType) -> Self {
        kind.as_str().to_owned()
    }
}

/// What a payer is asked to allow. Known from the provider's other pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AllowanceTerms {
    /// What the payer reads.
    pub description: String,
    /// How much may be charged over all; counted by the provider.
    pub limit: Money,
    /// Until when; 30 days from confirming when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// How much may be charged in a span of time, besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<PeriodLimit>,
}

impl AllowanceTerms {
    /// So much over all, for the provider's 30 days.
    #[must_use]
    pub fn new(description: impl Into<String>, limit: Money) -> Self {
        Self { description: description.into(), limit, valid_until: None, limits: Vec::new() }
    }
}

/// How much may be charged in any span of so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodLimit {
    /// How much.
    pub limit: Money,
    /// In how many seconds.
    pub seconds: u32,
}
