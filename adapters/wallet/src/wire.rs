//! The wallet's own words, as they travel. Nothing is decided here.
//!
//! Every field of an answer may be missing or `null`, and unknown fields are ignored. What must be
//! there is for [`crate::read`] to say.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

// Requests.

#[derive(Serialize)]
pub(crate) struct NewTransaction<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) payments: Vec<NewPayment<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redirect_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allowance_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allowance: Option<AllowanceInside<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) callback_uri: Option<CallbackUri<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reserve: Option<Until>,
}

/// An address, or `false` for none.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum CallbackUri<'a> {
    To(&'a str),
    Off(bool),
}

#[derive(Serialize)]
pub(crate) struct Until {
    pub(crate) until: i64,
}

#[derive(Serialize)]
pub(crate) struct NewPayment<'a> {
    pub(crate) description: &'a str,
    #[serde(flatten)]
    pub(crate) price: Price,
    pub(crate) currency: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) items: Vec<NewItem<'a>>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) kind: Option<&'a str>,
    #[serde(flatten)]
    pub(crate) beneficiary: BeneficiaryFields<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commission: Option<NewCommission>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) parameters: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) freeze_until: Option<i64>,
}

/// A price in one of its two forms, or in none, where items make it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Price {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) price: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) price_decimal: Option<String>,
}

/// Flat, as the specification writes it, or nested, as the reference pages do.
#[derive(Default, Serialize)]
pub(crate) struct BeneficiaryFields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) beneficiary_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) beneficiary: Option<BeneficiaryObject<'a>>,
}

#[derive(Serialize)]
pub(crate) struct BeneficiaryObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<&'a str>,
}

#[derive(Serialize)]
pub(crate) struct NewItem<'a> {
    pub(crate) title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<&'a str>,
    #[serde(flatten)]
    pub(crate) price: Price,
    pub(crate) quantity: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) parameters: Map<String, Value>,
}

#[derive(Serialize)]
pub(crate) struct NewCommission {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) in_commission: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) out_commission: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) in_commission_decimal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) out_commission_decimal: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct NewAllowance<'a> {
    pub(crate) description: &'a str,
    pub(crate) currency: String,
    pub(crate) max_price: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) valid: Option<Until>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) limits: Vec<NewLimit>,
}

#[derive(Serialize)]
pub(crate) struct NewLimit {
    pub(crate) max_price: i64,
    pub(crate) time: u32,
}

/// An allowance within a transaction: its fields at once, or below `data`.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum AllowanceInside<'a> {
    Inline(NewAllowance<'a>),
    Wrapped { data: NewAllowance<'a>, optional: bool },
}

/// The body of `finalize` and, by payment id, of `confirm`.
#[derive(Serialize)]
pub(crate) struct NewPrice {
    #[serde(flatten)]
    pub(crate) price: Price,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) currency: Option<String>,
}

/// Lower prices by payment id; an empty list where nothing changes, as the official client sends.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum ConfirmBody<'a> {
    AsItIs([(); 0]),
    Prices(BTreeMap<&'a str, NewPrice>),
}

#[derive(Serialize)]
pub(crate) struct NewFreeze {
    pub(crate) freeze: Until,
}

#[derive(Serialize)]
pub(crate) struct Password<'a> {
    pub(crate) password: &'a str,
}

// Answers.

#[derive(Deserialize)]
pub(crate) struct Transaction {
    pub(crate) transaction_key: Option<String>,
    pub(crate) status: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) wallet: Option<i64>,
    pub(crate) project_id: Option<i64>,
    pub(crate) created_at: Option<i64>,
    pub(crate) confirmed_at: Option<i64>,
    pub(crate) payments: Option<Vec<Payment>>,
    pub(crate) allowance: Option<Value>,
    pub(crate) redirect_uri: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Payment {
    pub(crate) id: Option<i64>,
    pub(crate) transaction_key: Option<String>,
    pub(crate) status: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) price: Option<i64>,
    pub(crate) price_decimal: Option<String>,
    pub(crate) currency: Option<String>,
    pub(crate) wallet: Option<i64>,
    pub(crate) payer: Option<i64>,
    pub(crate) beneficiary: Option<Value>,
    pub(crate) commission: Option<Commission>,
    pub(crate) parameters: Option<Value>,
    pub(crate) created_at: Option<i64>,
    pub(crate) confirmed_at: Option<i64>,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) freeze_until: Option<i64>,
    pub(crate) freeze: Option<Freeze>,
    /// Hours.
    pub(crate) freeze_for: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct Commission {
    pub(crate) in_commission: Option<i64>,
    pub(crate) in_commission_decimal: Option<String>,
    pub(crate) out_commission: Option<i64>,
    pub(crate) out_commission_decimal: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Freeze {
    pub(crate) until: Option<i64>,
    /// Seconds.
    #[serde(rename = "for")]
    pub(crate) seconds: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct Beneficiary {
    pub(crate) id: Option<i64>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Allowance {
    pub(crate) id: Option<i64>,
    pub(crate) transaction_key: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) currency: Option<String>,
    pub(crate) max_price: Option<i64>,
    pub(crate) max_price_decimal: Option<String>,
    pub(crate) wallet: Option<i64>,
    pub(crate) created_at: Option<i64>,
    pub(crate) confirmed_at: Option<i64>,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) valid: Option<Valid>,
    pub(crate) valid_until: Option<i64>,
    pub(crate) limits: Option<Vec<Limit>>,
}

#[derive(Deserialize)]
pub(crate) struct Valid {
    pub(crate) until: Option<i64>,
    #[serde(rename = "for")]
    pub(crate) seconds: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct Limit {
    pub(crate) max_price: Option<i64>,
    pub(crate) max_price_decimal: Option<String>,
    /// Seconds.
    pub(crate) time: Option<i64>,
    /// Of a unit that the documents disagree on.
    pub(crate) period: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct TransactionPage {
    pub(crate) transactions: Option<Vec<Transaction>>,
    #[serde(rename = "_metadata")]
    pub(crate) metadata: Option<Metadata>,
}

#[derive(Deserialize)]
pub(crate) struct PaymentPage {
    pub(crate) payments: Option<Vec<Payment>>,
    #[serde(rename = "_metadata")]
    pub(crate) metadata: Option<Metadata>,
}

#[derive(Deserialize)]
pub(crate) struct StatementPage {
    pub(crate) statements: Option<Vec<Map<String, Value>>>,
    #[serde(rename = "_metadata")]
    pub(crate) metadata: Option<Metadata>,
}

#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) total: Option<u64>,
    pub(crate) offset: Option<u64>,
}

#[derive(Deserialize)]
pub(crate) struct ServerTime {
    pub(crate) time: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct Limits {
    pub(crate) amount: Option<i64>,
    pub(crate) amount_decimal: Option<String>,
    pub(crate) currency: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Sufficient {
    pub(crate) is_sufficient: Option<bool>,
}

#[derive(Deserialize)]
pub(crate) struct Balance {
    pub(crate) at_disposal: Option<i64>,
    pub(crate) at_disposal_decimal: Option<String>,
    pub(crate) reserved: Option<i64>,
    pub(crate) reserved_decimal: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct AvailableTypes {
    pub(crate) types: Option<Vec<String>>,
}

/// A callback without signature; the rest of it is not to be believed.
#[derive(Deserialize)]
pub(crate) struct PlainCallback {
    pub(crate) transaction_key: Option<String>,
}

/// What a callback's `event` holds.
#[derive(Deserialize)]
pub(crate) struct Event {
    #[serde(rename = "type")]
    pub(crate) name: Option<String>,
    pub(crate) object: Option<String>,
    pub(crate) data: Option<Value>,
}
