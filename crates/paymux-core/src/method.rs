//! Payment methods: the ways to pay that an account offers.

use serde::{Deserialize, Serialize};

use crate::{Currency, Money, Options, ProviderMethodId};

/// Asks which ways to pay there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListPaymentMethods {
    /// In this currency.
    pub currency: Currency,
    /// What one kind of provider needs beyond that.
    #[serde(default)]
    pub options: Options,
}

impl ListPaymentMethods {
    /// Asks for the ways to pay in this currency.
    #[must_use]
    pub fn new(currency: Currency) -> Self {
        Self { currency, options: Options::default() }
    }
}

/// A way to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PaymentMethod {
    /// The provider's id, for [`crate::CreatePayment::method`].
    pub id: ProviderMethodId,
    /// What the payer reads.
    pub name: String,
    /// The currency it takes.
    pub currency: Currency,
    /// The least it takes.
    pub min: Option<Money>,
    /// The most it takes.
    pub max: Option<Money>,
    /// What the payer has to fill in.
    pub fields: Vec<MethodField>,
}

impl PaymentMethod {
    /// A way to pay without limits and fields.
    #[must_use]
    pub fn new(id: ProviderMethodId, name: impl Into<String>, currency: Currency) -> Self {
        Self { id, name: name.into(), currency, min: None, max: None, fields: Vec::new() }
    }
}

/// Something the payer has to fill in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodField {
    /// The provider's name of it.
    pub key: String,
    /// Must it be filled in?
    pub required: bool,
    /// What the payer reads.
    pub label: Option<String>,
}
