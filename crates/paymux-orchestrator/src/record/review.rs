//! What a person has to look at.

use std::fmt;

use paymux_core::Timestamp;
use serde::{Deserialize, Serialize};

/// Something about a payment that no rule may decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// What it is.
    pub reason: ReviewReason,
    /// The attempt it is about, if it is about one.
    pub attempt: Option<u32>,
    /// What was seen, in words.
    pub note: String,
    /// Since when it waits.
    pub since: Timestamp,
}

impl Review {
    /// Is it for this reason, and about this attempt or about none?
    pub(crate) fn is(&self, reason: ReviewReason, attempt: u32) -> bool {
        self.reason == reason && self.attempt.is_none_or(|no| no == attempt)
    }
}

/// Why a person has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReviewReason {
    /// Nothing that may be tried any more says whether the provider acted.
    StillInDoubt,
    /// An answer does not fit what was asked: amount, currency, reference, or test for real.
    Mismatch,
    /// A final status was contradicted.
    Contradiction,
    /// An attempt that was given up or proved not to exist, or an object that a repeated call left
    /// behind, shows money after all.
    LateSuccess,
    /// It succeeded, and the provider does not say how much was taken.
    UnreportedAmount,
    /// It succeeded with less than was asked.
    ShortAmount,
    /// The object that the provider named belongs to another payment.
    SharedObject,
    /// It has been open for too long.
    NoEnd,
    /// A step that it needs, or its end, was refused.
    StepRefused,
    /// It failed, expired or was cancelled, and money was taken that has not gone back.
    EndedWithMoney,
}

impl ReviewReason {
    /// Is it about how much was taken?
    pub(crate) const fn is_about_amounts(self) -> bool {
        matches!(self, Self::UnreportedAmount | Self::ShortAmount | Self::EndedWithMoney)
    }
}

impl fmt::Display for ReviewReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::StillInDoubt => "still in doubt",
            Self::Mismatch => "the answer does not fit the request",
            Self::Contradiction => "a final status was contradicted",
            Self::LateSuccess => "money moved where it must not",
            Self::UnreportedAmount => "succeeded, and nobody says with how much",
            Self::ShortAmount => "succeeded with less than was asked",
            Self::SharedObject => "the provider's object belongs to another payment",
            Self::NoEnd => "open for too long",
            Self::StepRefused => "a step was refused",
            Self::EndedWithMoney => "it ended, and money was taken",
        })
    }
}
