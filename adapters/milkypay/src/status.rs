//! The provider's words for the state of an invoice. A word that nobody documented is kept as it
//! came.

use serde::Serialize;

/// The state of an invoice. Sources: the specification (`process_pending`, `processed`,
/// `process_failed`), the provider's own page of statuses, and the pages of the platform behind
/// it, which knows some more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub enum InvoiceStatus {
    /// It exists, and nothing has begun.
    Created,
    /// Waiting for the payer, or for an outcome that can take long.
    ProcessPending,
    /// The platform is working on it.
    Processing,
    /// A technical error, after which the platform tries again.
    ProcessError,
    /// Paid.
    Processed,
    /// The payer paid less than asked.
    PartiallyProcessed,
    /// It failed, or ran out of time: the resolution says which.
    ProcessFailed,
    /// Its time ran out.
    Expired,
    /// A person stopped it.
    Terminated,
    /// A card was checked and nothing was charged.
    Verified,
    /// A card was checked and found wanting.
    VerifyFailed,
    /// A refund is under way.
    Refunding,
    /// A refund is under way, and its outcome is not known yet.
    RefundPending,
    /// A technical error of a refund, after which the platform tries again.
    RefundError,
    /// Part of the money was given back.
    PartiallyRefunded,
    /// All of the money was given back.
    Refunded,
    /// A refund did not happen: the money is still the merchant's.
    RefundFailed,
    /// A dispute took all of the money back.
    ChargedBack,
    /// A dispute took part of the money back.
    PartiallyChargedBack,
    /// Another word.
    Unknown(String),
}

impl InvoiceStatus {
    /// The provider's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Created => "created",
            Self::ProcessPending => "process_pending",
            Self::Processing => "processing",
            Self::ProcessError => "process_error",
            Self::Processed => "processed",
            Self::PartiallyProcessed => "partially_processed",
            Self::ProcessFailed => "process_failed",
            Self::Expired => "expired",
            Self::Terminated => "terminated",
            Self::Verified => "verified",
            Self::VerifyFailed => "verify_failed",
            Self::Refunding => "refunding",
            Self::RefundPending => "refund_pending",
            Self::RefundError => "refund_error",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::RefundFailed => "refund_failed",
            Self::ChargedBack => "charged_back",
            Self::PartiallyChargedBack => "partially_charged_back",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for InvoiceStatus {
    fn from(word: String) -> Self {
        // The platform writes some words in capitals, so case is taken to mean nothing (assumed).
        match word.to_ascii_lowercase().as_str() {
            "created" => Self::Created,
            "process_pending" => Self::ProcessPending,
            "processing" => Self::Processing,
            "process_error" => Self::ProcessError,
            "processed" => Self::Processed,
            "partially_processed" => Self::PartiallyProcessed,
            "process_failed" => Self::ProcessFailed,
            "expired" => Self::Expired,
            "terminated" => Self::Terminated,
            "verified" => Self::Verified,
            "verify_failed" => Self::VerifyFailed,
            "refunding" => Self::Refunding,
            "refund_pending" => Self::RefundPending,
            "refund_error" => Self::RefundError,
            "partially_refunded" => Self::PartiallyRefunded,
            "refunded" => Self::Refunded,
            "refund_failed" => Self::RefundFailed,
            "charged_back" => Self::ChargedBack,
            "partially_charged_back" => Self::PartiallyChargedBack,
            _ => Self::Unknown(word),
        }
    }
}

impl From<InvoiceStatus> for String {
    fn from(status: InvoiceStatus) -> Self {
        status.as_str().to_owned()
    }
}
