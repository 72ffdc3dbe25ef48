//! Services and pre-requests.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::{config::Mode, decimal::Decimal};

/// A service that the account can be paid through. Source: the specification,
/// `/payment-services`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PaymentService {
    /// `comcps_…`: the id of this row, not what a payment names.
    pub id: String,
    /// Its code, which a payment names.
    pub service: String,
    /// The code of the method.
    pub service_method: Option<String>,
    /// What it takes.
    pub service_currency: Option<String>,
    /// Can it be used, by the platform?
    pub available: Option<bool>,
    /// `false` in every sample, also of services that take payments: no reason to avoid one.
    pub active: Option<bool>,
    /// Can it be used, by the account?
    pub enabled: Option<bool>,
    /// The least it takes, in its currency.
    pub amount_min: Option<Decimal>,
    /// The most it takes, in its currency.
    pub amount_max: Option<Decimal>,
    /// The least fee.
    pub fee_min: Option<Decimal>,
    /// The greatest fee.
    pub fee_max: Option<Decimal>,
    /// The fee as a rate.
    pub fee_rate: Option<Decimal>,
    /// The fixed fee.
    pub fee_fix: Option<Decimal>,
    /// For how many minutes the reserve is kept (docs).
    pub reserve_lifetime: Option<Decimal>,
    /// How many per cent are kept (docs).
    pub reserve_rate: Option<Decimal>,
    /// The currency of the account.
    pub currency: Option<String>,
    /// Real money or test.
    pub mode: Option<Mode>,
    /// The method's id, by the row's relations.
    pub method_id: Option<String>,
    /// The service's code, by the row's relations.
    pub service_id: Option<String>,
    /// Its address below the private API.
    pub link: Option<String>,
}

/// A page of services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PaymentServicePage {
    /// What is on it.
    pub items: Vec<PaymentService>,
    /// How many there are over all pages.
    pub total: Option<u64>,
    /// How many pages there are.
    pub pages: Option<u64>,
    /// Which one this is, from 1.
    pub page: Option<u64>,
    /// Is there a page after this?
    pub has_more: bool,
}

/// What can be paid with in a currency. Source: the specification, `/payment-prerequest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Prerequest {
    /// The currency that was asked about.
    pub currency: String,
    /// Real money or test, as the key says.
    pub mode: Option<Mode>,
    /// The services, by code.
    pub services: BTreeMap<String, PrerequestService>,
    /// The methods, by code.
    pub methods: BTreeMap<String, PrerequestMethod>,
    /// The merchant as the payer sees it.
    pub account: Option<MerchantCard>,
}

/// A service in a pre-request's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PrerequestService {
    /// Its code, which a payment names.
    pub code: String,
    /// The code of its method.
    pub method: Option<String>,
    /// How it works: `hpp`, `test`.
    pub flow: Option<String>,
    /// What it takes.
    pub currency: String,
    /// What it wants to be told, as `service_fields`.
    pub fields: Vec<ServiceField>,
    /// The least it takes.
    pub amount_min: Option<Decimal>,
    /// The most it takes.
    pub amount_max: Option<Decimal>,
}

/// Something a service wants to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServiceField {
    /// Its name in `service_fields`.
    pub key: String,
    /// `string` and others.
    pub kind: Option<String>,
    /// What the payer reads, by locale.
    pub label: BTreeMap<String, String>,
    /// An example.
    pub example: Option<String>,
    /// How to fill it in, by locale.
    pub hint: BTreeMap<String, String>,
    /// What it should look like. A hint: some installations escape it twice.
    pub regexp: Option<String>,
    /// Must it be filled in?
    pub required: bool,
    /// Its place among the fields.
    pub position: Option<u64>,
}

/// A method in a pre-request's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PrerequestMethod {
    /// Its code.
    pub code: String,
    /// `payment_card`, `alternative` and others.
    pub category: Option<String>,
    /// About it.
    pub description: Option<String>,
    /// What the payer reads, by locale; older editions have one text, under the empty locale.
    pub name: BTreeMap<String, String>,
    /// A picture.
    pub logo: Option<String>,
    /// A small picture.
    pub icon: Option<String>,
    /// Anything.
    pub metadata: Option<Value>,
    /// Its place among the methods.
    pub position: Option<u64>,
    /// Should it not be shown?
    pub hide: Option<bool>,
}

/// The merchant as the payer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MerchantCard {
    /// The name.
    pub name: Option<String>,
    /// About it.
    pub description: Option<String>,
    /// A small picture.
    pub icon: Option<String>,
    /// The site.
    pub website: Option<String>,
}
