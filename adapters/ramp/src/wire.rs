//! The ramp's own words, as they are sent. What it answers is read by name in [`crate::read`],
//! since nobody documents it.

use serde::Serialize;
use serde_json::{Map, Value};

/// The body of creating, reading, updating and confirming a payment. What is left out is never sent
/// as `null` or as an empty text.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Payment<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment_id: Option<&'a str>,
    pub(crate) invoice_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) discount_code: Option<&'a str>,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) some_data: Option<&'a str>,
    /// Members that the specification does not have.
    #[serde(flatten)]
    pub(crate) extra: Map<String, Value>,
}

/// The specification's members, which nothing else may stand in for.
pub(crate) const MEMBERS: [&str; 6] =
    ["paymentId", "invoiceId", "discountCode", "type", "accountId", "someData"];

/// A discount for an invoice.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Discount<'a> {
    pub(crate) invoice_id: &'a str,
    pub(crate) discount_code: &'a str,
}

/// A refresh of an end user's token.
#[derive(Serialize)]
pub(crate) struct Refresh<'a> {
    pub(crate) grant_type: &'static str,
    pub(crate) refresh_token: &'a str,
}
