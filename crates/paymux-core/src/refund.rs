//! Refunds: money given back after it was taken.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Failure, IdempotencyKey, Money, PaymentHandle, ProviderPartId, ProviderPaymentId,
    ProviderRefundId, Reference,
};

/// What a refund's state means. Closed on purpose, as [`crate::PaymentStatus`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// Under way.
    Processing,
    /// The money was given back.
    Succeeded,
    /// It was not.
    Failed,
    /// Taken back before it was carried out.
    Cancelled,
    /// A word that nobody documented; never final.
    Unknown,
}

impl RefundStatus {
    /// Does a refund stay in this status for good?
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Cancelled => true,
            Self::Processing | Self::Unknown => false,
        }
    }

    /// May evidence of `next` move a refund stored in this status?
    #[must_use]
    pub const fn can_become(self, next: Self) -> bool {
        match self {
            Self::Processing => !matches!(next, Self::Unknown),
            Self::Succeeded => matches!(next, Self::Succeeded),
            Self::Failed => matches!(next, Self::Failed),
            Self::Cancelled => matches!(next, Self::Cancelled),
            Self::Unknown => true,
        }
    }

    /// The word as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for RefundStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Asks to give money back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreateRefund {
    /// One per call, the same over its repetitions.
    pub key: IdempotencyKey,
    /// Ours, unique per refund.
    pub reference: Reference,
    /// Which payment.
    pub payment: PaymentHandle,
    /// Which part of it; needed where several were taken.
    #[serde(default)]
    pub part: Option<ProviderPartId>,
    /// How much; all of it when not said.
    #[serde(default)]
    pub amount: Option<Money>,
    /// Why, in the merchant's words.
    #[serde(default)]
    pub reason: Option<String>,
}

impl CreateRefund {
    /// Asks to give all of a payment back.
    #[must_use]
    pub fn new(key: IdempotencyKey, reference: Reference, payment: PaymentHandle) -> Self {
        Self { key, reference, payment, part: None, amount: None, reason: None }
    }
}

/// A refund as its provider stated it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Refund {
    /// The provider's id, where it gives one.
    pub id: Option<ProviderRefundId>,
    /// Ours, where the provider echoes it.
    pub reference: Option<Reference>,
    /// The payment, where the provider names it.
    pub payment: Option<ProviderPaymentId>,
    /// The part, where the provider names it.
    pub part: Option<ProviderPartId>,
    /// Its status in our words.
    pub status: RefundStatus,
    /// Its status in the provider's word.
    pub provider_status: String,
    /// How much, where the provider says.
    pub amount: Option<Money>,
    /// Why it failed.
    pub failure: Option<Failure>,
}

impl Refund {
    /// A refund of which no more is known than its status.
    #[must_use]
    pub fn new(status: RefundStatus, provider_status: impl Into<String>) -> Self {
        Self {
            id: None,
            reference: None,
            payment: None,
            part: None,
            status,
            provider_status: provider_status.into(),
            amount: None,
            failure: None,
        }
    }
}

/// By what a refund is looked up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefundLookup {
    /// The provider's id.
    pub id: ProviderRefundId,
    /// The payment, where the look-up needs it.
    #[serde(default)]
    pub payment: Option<PaymentHandle>,
}
