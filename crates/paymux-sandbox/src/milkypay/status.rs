//! The statuses of an invoice.

use serde::{Deserialize, Serialize};

/// Status of an invoice: MilkyPay's own list and what other texts of the platform add.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Status {
    /// It exists and nothing has begun.
    Created,
    /// It waits for the payer, or for an outcome.
    ProcessPending,
    /// The platform works on it.
    Processing,
    /// A technical error; the platform tries again.
    ProcessError,
    /// It is paid.
    Processed,
    /// Less than asked was paid.
    PartiallyProcessed,
    /// The payment failed, or the time ran out (resolution `expired`).
    ProcessFailed,
    /// The time ran out.
    Expired,
    /// It was stopped by a person.
    Terminated,
    /// A card was checked and nothing taken.
    Verified,
    /// A card was checked and found wanting.
    VerifyFailed,
    /// A refund is being made.
    Refunding,
    /// A refund's outcome is open.
    RefundPending,
    /// A refund met a technical error; the platform tries again.
    RefundError,
    /// A part was returned.
    PartiallyRefunded,
    /// All was returned.
    Refunded,
    /// A refund did not happen; the merchant still has the money.
    RefundFailed,
    /// The payer's bank took all of it back.
    ChargedBack,
    /// The payer's bank took a part back.
    PartiallyChargedBack,
}

impl Status {
    /// Every status with the word on the wire.
    pub(super) const ALL: [(Status, &'static str); 19] = [
        (Status::Created, "created"),
        (Status::ProcessPending, "process_pending"),
        (Status::Processing, "processing"),
        (Status::ProcessError, "process_error"),
        (Status::Processed, "processed"),
        (Status::PartiallyProcessed, "partially_processed"),
        (Status::ProcessFailed, "process_failed"),
        (Status::Expired, "expired"),
        (Status::Terminated, "terminated"),
        (Status::Verified, "verified"),
        (Status::VerifyFailed, "verify_failed"),
        (Status::Refunding, "refunding"),
        (Status::RefundPending, "refund_pending"),
        (Status::RefundError, "refund_error"),
        (Status::PartiallyRefunded, "partially_refunded"),
        (Status::Refunded, "refunded"),
        (Status::RefundFailed, "refund_failed"),
        (Status::ChargedBack, "charged_back"),
        (Status::PartiallyChargedBack, "partially_charged_back"),
    ];

    pub(super) fn word(self) -> &'static str {
        let known = Status::ALL.into_iter().find(|(status, _)| *status == self);
        known.map_or("", |(_, word)| word)
    }

    pub(super) fn of_word(word: &str) -> Option<Self> {
        let known = Status::ALL.into_iter().find(|(_, known)| *known == word);
        known.map(|(status, _)| status)
    }

    /// A payer can still pay, or pay the rest.
    pub(super) fn is_payable(self) -> bool {
        matches!(
            self,
            Status::Created
                | Status::ProcessPending
                | Status::Processing
                | Status::ProcessError
                | Status::PartiallyProcessed
        )
    }

    /// The merchant has the money, or most of it.
    pub(super) fn is_refundable(self) -> bool {
        matches!(
            self,
            Status::Processed
                | Status::PartiallyProcessed
                | Status::PartiallyRefunded
                | Status::RefundFailed
        )
    }

    /// Some money was taken at some time.
    pub(super) fn has_taken(self) -> bool {
        matches!(
            self,
            Status::Processed
                | Status::PartiallyProcessed
                | Status::Refunding
                | Status::RefundPending
                | Status::RefundError
                | Status::PartiallyRefunded
                | Status::Refunded
                | Status::RefundFailed
                | Status::ChargedBack
                | Status::PartiallyChargedBack
        )
    }

    /// It ended without money.
    pub(super) fn is_failed(self) -> bool {
        matches!(
            self,
            Status::ProcessFailed | Status::VerifyFailed | Status::Expired | Status::Terminated
        )
    }

    /// Nothing more is expected, although operators and disputes may still change it.
    pub(super) fn is_final(self) -> bool {
        !matches!(
            self,
            Status::Created
                | Status::ProcessPending
                | Status::Processing
                | Status::ProcessError
                | Status::Refunding
                | Status::RefundPending
                | Status::RefundError
        )
    }

    /// What goes with a status when nobody says: `ok`, except for failures.
    pub(super) fn usual_resolution(self) -> &'static str {
        match self {
            Status::ProcessFailed | Status::VerifyFailed | Status::RefundFailed => "declined",
            Status::ProcessError | Status::RefundError => "error",
            Status::Expired => "expired",
            Status::Created
            | Status::ProcessPending
            | Status::Processing
            | Status::Processed
            | Status::PartiallyProcessed
            | Status::Terminated
            | Status::Verified
            | Status::Refunding
            | Status::RefundPending
            | Status::PartiallyRefunded
            | Status::Refunded
            | Status::ChargedBack
            | Status::PartiallyChargedBack => "ok",
        }
    }

    /// The status of the payment below the invoice, which the public API also shows. It is a
    /// machine of its own, with fewer words.
    pub(super) fn of_payment(self) -> &'static str {
        match self {
            Status::Created => "created",
            Status::ProcessPending => "invoked",
            Status::Processing => "process_pending",
            Status::ProcessError => "process_error",
            Status::Processed | Status::PartiallyProcessed | Status::Verified => "processed",
            Status::ProcessFailed | Status::VerifyFailed => "process_failed",
            Status::Expired => "expired",
            Status::Terminated => "terminated",
            Status::Refunding | Status::RefundPending => "refund_pending",
            Status::RefundError => "refund_error",
            Status::PartiallyRefunded | Status::Refunded => "refunded",
            Status::RefundFailed => "refund_failed",
            Status::ChargedBack | Status::PartiallyChargedBack => "charged_back",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_wire() {
        for (status, word) in Status::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), word);
            assert_eq!((status.word(), Status::of_word(word)), (word, Some(status)));
        }
        assert_eq!(Status::of_word("some_future_status"), None);
    }
}
