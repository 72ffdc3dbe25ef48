//! Mandates: a payer's standing consent to later payments. The wallet calls it an allowance.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    IdempotencyKey, Money, NextAction, Options, ProviderMandateId, ProviderPaymentId, Reference,
    Timestamp,
};

/// What a mandate's state means. Closed on purpose, as [`crate::PaymentStatus`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MandateStatus {
    /// The payer has to consent.
    RequiresAction,
    /// We have to: `confirm_mandate`.
    RequiresConfirmation,
    /// Payments can be charged under it.
    Active,
    /// No longer.
    Ended,
    /// A word that nobody documented; never final.
    Unknown,
}

impl MandateStatus {
    /// Does a mandate stay in this status for good?
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Ended => true,
            Self::RequiresAction | Self::RequiresConfirmation | Self::Active | Self::Unknown => {
                false
            }
        }
    }

    /// The word as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequiresAction => "requires_action",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::Active => "active",
            Self::Ended => "ended",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for MandateStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Asks a payer for standing consent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreateMandate {
    /// One per call, the same over its repetitions.
    pub key: IdempotencyKey,
    /// Ours, unique per mandate.
    pub reference: Reference,
    /// What the payer reads.
    pub description: String,
    /// The most that may be charged under it.
    pub limit: Money,
    /// After which it ends by itself.
    #[serde(default)]
    pub valid_until: Option<Timestamp>,
    /// Where the payer's browser returns to.
    #[serde(default)]
    pub return_url: Option<Url>,
    /// What one kind of provider needs beyond that.
    #[serde(default)]
    pub options: Options,
}

impl CreateMandate {
    /// A request with what every mandate needs.
    #[must_use]
    pub fn new(
        key: IdempotencyKey,
        reference: Reference,
        description: impl Into<String>,
        limit: Money,
    ) -> Self {
        Self {
            key,
            reference,
            description: description.into(),
            limit,
            valid_until: None,
            return_url: None,
            options: Options::default(),
        }
    }
}

/// All that an adapter needs to find a mandate again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MandateHandle {
    /// The provider's id.
    pub id: ProviderMandateId,
    /// The payment that carries it, where there is one.
    #[serde(default)]
    pub payment: Option<ProviderPaymentId>,
    /// The options of the create call.
    #[serde(default)]
    pub options: Options,
}

impl MandateHandle {
    /// A handle that holds the id alone.
    #[must_use]
    pub fn new(id: ProviderMandateId) -> Self {
        Self { id, payment: None, options: Options::default() }
    }
}

/// The merchant's consent to a mandate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfirmMandate {
    /// One per call, the same over its repetitions.
    pub key: IdempotencyKey,
    /// Which mandate.
    pub mandate: MandateHandle,
}

/// Ends a mandate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CancelMandate {
    /// One per call, the same over its repetitions.
    pub key: IdempotencyKey,
    /// Which mandate.
    pub mandate: MandateHandle,
}

/// A mandate as its provider stated it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Mandate {
    /// The provider's id.
    pub id: ProviderMandateId,
    /// The payment that carries it; webhooks may name only that.
    pub payment: Option<ProviderPaymentId>,
    /// Its status in our words.
    pub status: MandateStatus,
    /// Its status in the provider's word.
    pub provider_status: String,
    /// The most that may be charged under it.
    pub limit: Option<Money>,
    /// After which it ends by itself.
    pub valid_until: Option<Timestamp>,
    /// What has to happen next.
    pub next_action: Option<NextAction>,
}

impl Mandate {
    /// A mandate of which no more is known than this.
    #[must_use]
    pub fn new(
        id: ProviderMandateId,
        status: MandateStatus,
        provider_status: impl Into<String>,
    ) -> Self {
        Self {
            id,
            payment: None,
            status,
            provider_status: provider_status.into(),
            limit: None,
            valid_until: None,
            next_action: None,
        }
    }
}
