//! The provider's words for states. A word that nobody documented is kept as it came.

use serde::Serialize;

/// The state of a session. Source: the specification, Payment Statuses.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub enum SessionStatus {
    /// Made and not paid: also while a payment of it is under way, held or has failed.
    Pending,
    /// Paid.
    Paid,
    /// Failed for good, after three failed payments.
    Failed,
    /// Cancelled by a call, or after three cancelled payments.
    Cancelled,
    /// Its time ran out.
    Expired,
    /// Another word.
    Unknown(String),
}

impl SessionStatus {
    /// The provider's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for SessionStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "pending" => Self::Pending,
            "paid" => Self::Paid,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            "expired" => Self::Expired,
            _ => Self::Unknown(word),
        }
    }
}

impl From<SessionStatus> for String {
    fn from(status: SessionStatus) -> Self {
        status.as_str().to_owned()
    }
}

/// The state of a payment below a session, or of a top-up. Source: the specification, Payment
/// Statuses and Topup Statuses; `refunded` only in the provider's schema of 2026.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub enum ProviderPaymentStatus {
    /// The provider is working on it.
    Processing,
    /// The money is held.
    Authorized,
    /// The money was taken.
    Succeeded,
    /// The hold was released before the money was taken.
    Cancelled,
    /// Refused, or broken.
    Failed,
    /// The money was taken and given back.
    Refunded,
    /// Another word.
    Unknown(String),
}

impl ProviderPaymentStatus {
    /// The provider's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Processing => "processing",
            Self::Authorized => "authorized",
            Self::Succeeded => "succeeded",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Refunded => "refunded",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for ProviderPaymentStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "processing" => Self::Processing,
            "authorized" => Self::Authorized,
            "succeeded" => Self::Succeeded,
            "cancelled" => Self::Cancelled,
            "failed" => Self::Failed,
            "refunded" => Self::Refunded,
            _ => Self::Unknown(word),
        }
    }
}

impl From<ProviderPaymentStatus> for String {
    fn from(status: ProviderPaymentStatus) -> Self {
        status.as_str().to_owned()
    }
}

/// The state of a refund. Source: the provider's refunds page, 2025.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub enum ProviderRefundStatus {
    /// Under way; it may take several business days.
    Pending,
    /// The money was given back.
    Succeeded,
    /// It was not.
    Failed,
    /// Taken back before it was carried out.
    Cancelled,
    /// Another word.
    Unknown(String),
}

impl ProviderRefundStatus {
    /// The provider's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for ProviderRefundStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "pending" => Self::Pending,
            "succeeded" => Self::Succeeded,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            _ => Self::Unknown(word),
        }
    }
}

impl From<ProviderRefundStatus> for String {
    fn from(status: ProviderRefundStatus) -> Self {
        status.as_str().to_owned()
    }
}
