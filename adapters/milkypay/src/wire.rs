//! MilkyPay's own words, as they are sent. Nothing is decided here; what it answers is read by
//! name in [`crate::read`], since any map may come as a list and any number as text.
//!
//! Amounts are literals: what is left out is never sent as `null` or as an empty map, which PHP
//! would write as a list.

use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

/// The request of a pre-request.
#[derive(Serialize)]
pub(crate) struct Prerequest<'a> {
    pub(crate) public_key: &'a str,
    pub(crate) currency: &'a str,
}

/// A new invoice through the public API: flat, and the key says which mode it is of.
#[derive(Serialize)]
pub(crate) struct PublicInvoice<'a> {
    pub(crate) public_key: &'a str,
    pub(crate) reference_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) description: &'a str,
    pub(crate) service: &'a str,
    pub(crate) currency: String,
    pub(crate) amount: Box<RawValue>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) service_fields: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) metadata: &'a Map<String, Value>,
}

/// What the private API wraps a request in.
#[derive(Serialize)]
pub(crate) struct Envelope<T> {
    pub(crate) data: Resource<T>,
}

/// A resource of the private API.
#[derive(Serialize)]
pub(crate) struct Resource<T> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    pub(crate) attributes: T,
}

impl<T> Envelope<T> {
    pub(crate) const fn new(kind: &'static str, attributes: T) -> Self {
        Self { data: Resource { kind, id: None, attributes } }
    }
}

/// A new invoice through the private API.
#[derive(Serialize)]
pub(crate) struct PrivateInvoice<'a> {
    pub(crate) reference_id: &'a str,
    pub(crate) amount: Box<RawValue>,
    pub(crate) currency: String,
    pub(crate) service: &'a str,
    pub(crate) flow: &'static str,
    /// Always sent: left out, it would mean real money.
    pub(crate) test_mode: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) description: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) service_fields: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) gateway_options: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) customer: Option<Customer<'a>>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(crate) metadata: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) return_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) return_urls: Option<ReturnUrls<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) callback_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<String>,
}

/// The payer.
#[derive(Clone, Serialize)]
pub(crate) struct Customer<'a> {
    pub(crate) reference_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) individual_tax_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) date_of_birth: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<Address<'a>>,
}

/// The payer's address.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Address<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) street: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) full_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) post_code: Option<&'a str>,
}

/// Return addresses by how it ended.
#[derive(Serialize)]
pub(crate) struct ReturnUrls<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) success: Option<&'a str>,
    pub(crate) pending: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fail: Option<&'a str>,
}

/// A refund, with the invoice named in both places that two editions of the documentation know.
#[derive(Serialize)]
pub(crate) struct Refund<'a> {
    #[serde(rename = "invoiceId")]
    pub(crate) invoice_id: &'a str,
    pub(crate) amount: Box<RawValue>,
    pub(crate) reference_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<&'a str>,
}
