//! Orders, as the shop has them on file.

use std::{collections::BTreeSet, fs, path::Path};

use paymux::{
    Currency, Customer, Error, IdempotencyKey, Money, PaymentStatus, Reference,
    orchestrator::{ConfirmBy, NewPayment},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::Stop;

/// The orders that come with the project.
const EXAMPLE: &str = include_str!("../../../../examples/orders.json");

/// What the shop takes beside money of ISO 4217, with the decimals.
const TOKENS: [(&str, u8); 1] = [("USDT", 6)];

/// The merchant's fact that the routes ask for.
const LANE: &str = "lane";

/// An order of the shop, and how its story is to go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    pub(super) id: String,
    /// Which account takes it, or which lane: a word that the routes ask for.
    pub(super) account: String,
    pub(super) player: String,
    pub(super) title: String,
    /// In major units, as the shop's price list has it.
    pub(super) amount: String,
    pub(super) currency: String,
    #[serde(default)]
    pub(super) image: Option<String>,
    /// How to pay, where the shop chooses.
    #[serde(default)]
    pub(super) service: Option<String>,
    /// How much of what is held is taken, in major units; all of it when not said.
    #[serde(default)]
    pub(super) capture: Option<String>,
    /// The call whose answer is lost on its way, after the provider has carried it out.
    #[serde(default)]
    pub(super) lost_reply: Option<String>,
    /// What the account's kind of provider needs to know beyond that.
    #[serde(default)]
    pub(super) options: Map<String, Value>,
    pub(super) script: Script,
    pub(super) expect: Expectation,
}

/// What the payer and the shop do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Script {
    /// The payer pays.
    Pay,
    /// The payer is declined once, and pays.
    DeclineThenPay,
    /// The payer is declined, and that is that.
    Decline,
    /// The payer is declined until the provider has enough.
    DeclineThreeTimes,
    /// The payer pays too little, and then the rest.
    PayInTwoParts,
    /// The payer pays too little, and leaves it at that.
    PayTooLittle,
    /// The shop charges under the consent that the payer gave before.
    ChargeUnderMandate,
    /// The payer does nothing, and the shop cancels.
    Cancel,
    /// The payer does nothing until the offer expires.
    LetExpire,
    /// The payer's money is held, and the shop takes it.
    AuthorizeAndCapture,
    /// The payer's money is held, and the shop lets it go.
    AuthorizeAndRelease,
    /// The order must not get as far as the provider.
    Refused,
}

/// What the payer does on the provider's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Pay,
    PayTooLittle,
    BeDeclined,
}

impl Script {
    pub(super) fn moves(self) -> &'static [Move] {
        match self {
            Self::Pay | Self::AuthorizeAndCapture | Self::AuthorizeAndRelease => &[Move::Pay],
            Self::DeclineThenPay => &[Move::BeDeclined, Move::Pay],
            Self::Decline => &[Move::BeDeclined],
            Self::DeclineThreeTimes => &[Move::BeDeclined; 3],
            Self::PayInTwoParts => &[Move::PayTooLittle, Move::Pay],
            Self::PayTooLittle => &[Move::PayTooLittle],
            Self::ChargeUnderMandate | Self::Cancel | Self::LetExpire | Self::Refused => &[],
        }
    }
}

/// How an order has to end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Expectation {
    Succeeded,
    /// Money came, and not enough: nothing is shipped.
    PartiallyPaid,
    Failed,
    Cancelled,
    Expired,
    /// Refused before anything was sent, naming this field.
    Refused(String),
}

impl Expectation {
    pub(super) fn status(&self) -> Option<PaymentStatus> {
        match self {
            Self::Succeeded => Some(PaymentStatus::Succeeded),
            Self::PartiallyPaid => Some(PaymentStatus::PartiallyPaid),
            Self::Failed => Some(PaymentStatus::Failed),
            Self::Cancelled => Some(PaymentStatus::Cancelled),
            Self::Expired => Some(PaymentStatus::Expired),
            Self::Refused(_) => None,
        }
    }
}

impl Order {
    /// The amount with its currency.
    pub(super) fn price(&self) -> Result<Money, Error> {
        Money::parse(&self.amount, self.currency()?)
    }

    fn currency(&self) -> Result<Currency, Error> {
        currency(&self.currency)
    }

    /// How much of what is held is to be taken, when it is not all.
    pub(super) fn captured(&self) -> Result<Option<Money>, Error> {
        let currency = self.currency()?;
        self.capture.as_deref().map(|amount| Money::parse(amount, currency)).transpose()
    }

    /// What is asked of the orchestrator; each account that may take it adds its own options.
    pub(super) fn to_request(&self, return_url: &Url) -> Result<NewPayment, Error> {
        let reference = Reference::new(self.id.clone())?;
        // What is to come to nothing waits for a consent that the shop never gives.
        let comes_to_nothing = matches!(self.script, Script::Cancel | Script::LetExpire);
        let confirm = if comes_to_nothing { ConfirmBy::Merchant } else { ConfirmBy::Orchestrator };
        Ok(NewPayment::new(reference, self.price()?, self.title.clone())
            .customer(Customer::new(self.player.clone()))
            .return_url(return_url.clone())
            .confirm(confirm)
            .metadata(LANE, self.account.clone()))
    }

    /// The key under which something is asked for about this order: the same whenever it is asked
    /// for again.
    pub(super) fn key(&self, what: &str) -> Result<IdempotencyKey, Error> {
        IdempotencyKey::new(format!("{what}-{}", self.id))
    }
}

/// A currency by ISO 4217 or among the tokens that the shop takes.
pub(crate) fn currency(code: &str) -> Result<Currency, Error> {
    let token = TOKENS.iter().find(|(token, _)| *token == code);
    token.map_or_else(
        || Currency::iso(code),
        |(code, decimals)| Currency::registered(code, *decimals),
    )
}

/// Reads the orders, from a file or those that come with the project.
pub(super) fn load(file: Option<&Path>) -> Result<Vec<Order>, Stop> {
    let (name, text) = match file {
        None => ("examples/orders.json".to_owned(), EXAMPLE.to_owned()),
        Some(path) => {
            let name = path.display().to_string();
            let text = fs::read_to_string(path)
                .map_err(|error| format!("the orders {name} cannot be read: {error}"))?;
            (name, text)
        }
    };
    let orders: Vec<Order> = serde_json::from_str(&text)
        .map_err(|error| format!("the orders {name} are not as they should be: {error}"))?;
    let mut ids = BTreeSet::new();
    // The id is the reference: two orders of one reference could not be told apart.
    if let Some(twice) = orders.iter().find(|order| !ids.insert(&order.id)) {
        return Err(format!("the orders {name} have the id {:?} twice", twice.id).into());
    }
    if orders.is_empty() {
        return Err(format!("the orders {name} are none").into());
    }
    Ok(orders)
}
