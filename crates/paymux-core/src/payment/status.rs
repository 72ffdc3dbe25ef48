use std::fmt;

use serde::{Deserialize, Serialize};

/// What a payment's state means for the merchant. Closed on purpose: a new one must not compile
/// past the places where money is decided.
///
/// "Partially refunded" and the like are read from [`super::Amounts`], not enumerated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The payer's move.
    RequiresAction,
    /// Our move: `confirm_payment` with the step that `next_action` names.
    RequiresConfirmation,
    /// The provider's move.
    Processing,
    /// Money is held: `capture_payment` takes it, `cancel_payment` lets it go.
    Authorized,
    /// Money came, and not enough. Not final, and never paid.
    PartiallyPaid,
    /// Money was taken. Ask [`super::Payment::is_paid`] how much.
    Succeeded,
    /// Ended on purpose before money was taken.
    Cancelled,
    /// Ended by time before money was taken.
    Expired,
    /// Ended by refusal or fault.
    Failed,
    /// The provider said a word that nobody documented. Never final, never success or failure;
    /// it does not move a stored payment and is reported.
    Unknown,
}

impl PaymentStatus {
    /// Every status, in the order of the life of a payment.
    pub const ALL: [Self; 10] = [
        Self::RequiresAction,
        Self::RequiresConfirmation,
        Self::Processing,
        Self::Authorized,
        Self::PartiallyPaid,
        Self::Succeeded,
        Self::Cancelled,
        Self::Expired,
        Self::Failed,
        Self::Unknown,
    ];

    /// Does a payment stay in this status for good?
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Succeeded | Self::Cancelled | Self::Expired | Self::Failed => true,
            Self::RequiresAction
            | Self::RequiresConfirmation
            | Self::Processing
            | Self::Authorized
            | Self::PartiallyPaid
            | Self::Unknown => false,
        }
    }

    /// May evidence of `next` move a payment stored in this status? Staying is always possible.
    ///
    /// A final status has no exit: evidence that says otherwise is an incident for a person, not a
    /// transition. A try that failed, or a hold that was let go, hands the move back to the payer,
    /// so `Processing` and `Authorized` can become `RequiresAction`. What the provider was working
    /// on can come to wait for us, and what was held can be on its way. Nothing can become
    /// `Unknown`.
    #[must_use]
    pub const fn can_become(self, next: Self) -> bool {
        use PaymentStatus::{
            Authorized, Cancelled, Expired, Failed, PartiallyPaid, Processing, RequiresAction,
            RequiresConfirmation, Succeeded, Unknown,
        };
        match self {
            RequiresAction => !matches!(next, Unknown),
            RequiresConfirmation => !matches!(next, Unknown),
            Processing => !matches!(next, Unknown),
            Authorized => !matches!(next, Unknown | RequiresConfirmation),
            PartiallyPaid => {
                matches!(next, PartiallyPaid | Succeeded | Cancelled | Expired | Failed)
            }
            Succeeded => matches!(next, Succeeded),
            Cancelled => matches!(next, Cancelled),
            Expired => matches!(next, Expired),
            Failed => matches!(next, Failed),
            Unknown => true,
        }
    }

    /// The word as it is stored: `requires_action`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequiresAction => "requires_action",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::Processing => "processing",
            Self::Authorized => "authorized",
            Self::PartiallyPaid => "partially_paid",
            Self::Succeeded => "succeeded",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for PaymentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
