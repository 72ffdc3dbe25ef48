//! What a create call can say to MilkyPay alone.

use paymux_core::ProviderOptions;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

/// Options of a payment at MilkyPay. All may be left out, but the service must be named here or by
/// the request's `method`. Source of every field: the specification, "Via Private API".
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MilkyPayOptions {
    /// The code of the service to pay through: `payment_card_usd_hpp`. The same as the request's
    /// `method`, where both are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What some services need to be told about the payer: `account_number`, say.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub service_fields: Map<String, Value>,
    /// A return address for each end; outranks the request's `return_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_urls: Option<ReturnUrls>,
    /// Changes of the checkout page, as agreed with the provider.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub gateway_options: Map<String, Value>,
    /// Kept with the invoice and given back.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// More about the payer than the request's `customer`, which must be there, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerDetails>,
}

/// Where the payer's browser returns to, by how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReturnUrls {
    /// While the outcome is open. Required by the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<Url>,
    /// After success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<Url>,
    /// After failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail: Option<Url>,
}

/// More about the payer. The country of the address is the request's `customer.country`.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CustomerDetails {
    /// The number that the tax office knows the payer by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub individual_tax_id: Option<String>,
    /// As `1980-01-31`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    /// Kept with the payer.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Region of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// City of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Street of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// The whole address in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_address: Option<String>,
    /// Post code of the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_code: Option<String>,
}

impl ProviderOptions for MilkyPayOptions {
    const KIND: &'static str = crate::KIND;
}

/// Names the service alone: the rest can be about people and their accounts.
impl std::fmt::Debug for MilkyPayOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MilkyPayOptions").field("service", &self.service).finish_non_exhaustive()
    }
}

/// Nothing of a person is shown.
impl std::fmt::Debug for CustomerDetails {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CustomerDetails").finish_non_exhaustive()
    }
}
