//! The words that closed lists are stored as, and the way back. A word that is not on the list is
//! no value: the caller reports the row as corrupt.

use paymux_core::{PaymentStatus, Trust};

use super::InboxOutcome;

/// What is stored as the outcome of an event that was merged into another.
pub(crate) const MERGED: &str = "merged";

/// The status of this word.
pub(crate) fn read_status(word: &str) -> Option<PaymentStatus> {
    PaymentStatus::ALL.into_iter().find(|status| status.as_str() == word)
}

/// The word for a trust.
pub(crate) const fn trust_word(trust: Trust) -> &'static str {
    match trust {
        Trust::Unsigned => "unsigned",
        Trust::Signed => "signed",
        Trust::SignedFresh => "signed_fresh",
    }
}

/// The trust of this word.
pub(crate) fn read_trust(word: &str) -> Option<Trust> {
    [Trust::Unsigned, Trust::Signed, Trust::SignedFresh]
        .into_iter()
        .find(|trust| trust_word(*trust) == word)
}

/// The word for what became of an event; nothing while it still waits.
pub(crate) const fn outcome_word(outcome: InboxOutcome) -> Option<&'static str> {
    match outcome {
        InboxOutcome::Applied => Some("applied"),
        InboxOutcome::Stale => Some("stale"),
        InboxOutcome::Unmatched => Some("unmatched"),
        InboxOutcome::HandedOn => Some("handed_on"),
        InboxOutcome::Later(_) => None,
    }
}
