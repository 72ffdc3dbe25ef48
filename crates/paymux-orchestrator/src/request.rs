//! What a merchant asks the orchestrator for.

use std::collections::{BTreeMap, BTreeSet};

use paymux_core::{
    CaptureMethod, Customer, Money, Options, ProviderMandateId, ProviderMethodId, ProviderOptions,
    ProviderPartId, Reference, Result, Timestamp, Url,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::routing::Capability;

/// Who takes the steps by which a payment is confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmBy {
    /// The orchestrator, as soon as the provider waits for it.
    #[default]
    Orchestrator,
    /// The merchant, with `confirm_payment`.
    Merchant,
}

/// A payment that a merchant asks for. No provider is named: the routes choose.
///
/// What is not said is not written either, so that a field that is added later leaves the digests
/// of older requests as they were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NewPayment {
    /// The merchant's word for it, usually the order's number.
    pub reference: Reference,
    /// How much.
    pub amount: Money,
    /// What the payer reads.
    pub description: String,
    /// When the money is taken.
    pub capture: CaptureMethod,
    /// Who takes the steps by which it is confirmed.
    #[serde(default)]
    pub confirm: ConfirmBy,
    /// The payer. The country, where it is said, is a fact that routes can ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// How to pay, where the merchant chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<ProviderMethodId>,
    /// The mandate to charge under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandate: Option<ProviderMandateId>,
    /// Where the payer's browser returns to. A token is added to its query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<Url>,
    /// After which it can no longer be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What each kind of provider that may be chosen needs beyond that.
    #[serde(default)]
    pub options: Options,
    /// What it will need of its account beyond being paid, such as giving back less than all of it:
    /// accounts that cannot are not chosen. Routes can ask for it, too.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub needs: BTreeSet<Capability>,
    /// The merchant's own facts: for routes and for reading later. Sent to nobody.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

impl NewPayment {
    /// A payment of so much, captured automatically and confirmed by the orchestrator.
    #[must_use]
    pub fn new(reference: Reference, amount: Money, description: impl Into<String>) -> Self {
        Self {
            reference,
            amount,
            description: description.into(),
            capture: CaptureMethod::Automatic,
            confirm: ConfirmBy::Orchestrator,
            customer: None,
            method: None,
            mandate: None,
            return_url: None,
            expires_at: None,
            options: Options::default(),
            needs: BTreeSet::new(),
            metadata: BTreeMap::new(),
        }
    }

    /// Sets when the money is taken.
    #[must_use]
    pub fn capture(mut self, capture: CaptureMethod) -> Self {
        self.capture = capture;
        self
    }

    /// Sets who takes the steps by which it is confirmed.
    #[must_use]
    pub fn confirm(mut self, confirm: ConfirmBy) -> Self {
        self.confirm = confirm;
        self
    }

    /// Sets the payer.
    #[must_use]
    pub fn customer(mut self, customer: Customer) -> Self {
        self.customer = Some(customer);
        self
    }

    /// Sets how to pay.
    #[must_use]
    pub fn method(mut self, method: ProviderMethodId) -> Self {
        self.method = Some(method);
        self
    }

    /// Sets the mandate to charge under.
    #[must_use]
    pub fn mandate(mut self, mandate: ProviderMandateId) -> Self {
        self.mandate = Some(mandate);
        self
    }

    /// Sets where the payer returns to.
    #[must_use]
    pub fn return_url(mut self, url: Url) -> Self {
        self.return_url = Some(url);
        self
    }

    /// Sets after which moment it can no longer be paid.
    #[must_use]
    pub fn expires_at(mut self, moment: Timestamp) -> Self {
        self.expires_at = Some(moment);
        self
    }

    /// Adds something that it will need of its account.
    #[must_use]
    pub fn needs(mut self, capability: Capability) -> Self {
        self.needs.insert(capability);
        self
    }

    /// Adds a fact of the merchant's own.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// Adds the options of one kind of provider.
    ///
    /// # Errors
    /// As [`Options::set`].
    pub fn with<T: ProviderOptions>(mut self, options: &T) -> Result<Self> {
        self.options.set(options)?;
        Ok(self)
    }
}

/// Takes what is held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewCapture {
    /// Which part of the payment; needed where several are held.
    #[serde(default)]
    pub part: Option<ProviderPartId>,
    /// How much; all of it when not said.
    #[serde(default)]
    pub amount: Option<Money>,
}

/// Gives money back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NewRefund {
    /// Which part of the payment; needed where several were taken.
    #[serde(default)]
    pub part: Option<ProviderPartId>,
    /// How much; all that is left when not said.
    #[serde(default)]
    pub amount: Option<Money>,
    /// Why, in the merchant's words.
    #[serde(default)]
    pub reason: Option<String>,
}

/// The digest of a request, by which one that is repeated under a key is told from another.
/// Everything that is asked has one text: maps are ordered, money is text.
pub(crate) fn digest<T: Serialize>(subject: &str, request: &T) -> Result<String> {
    let text = serde_json::to_vec(request).map_err(|source| {
        paymux_core::Error::invalid_request("request", "cannot be written as JSON")
            .with_source(source)
    })?;
    let mut hasher = Sha256::new();
    hasher.update(subject.as_bytes());
    hasher.update([0]);
    hasher.update(text);
    Ok(hex::encode(hasher.finalize()))
}
