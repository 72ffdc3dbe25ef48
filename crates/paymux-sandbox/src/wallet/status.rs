//! Where a transaction, a payment and an allowance stand, and the words for it.

use serde::Serialize;

use super::settings::Words;

/// Where a payment or its transaction stands. Until the client confirms, the payments stand where
/// their transaction does; afterwards each goes its own way and the transaction stays confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    New,
    /// Accepted, and the payer's money is still to come.
    WaitingFunds,
    /// Accepted and held, and a beneficiary has no wallet yet.
    WaitingRegistration,
    /// Accepted and held, and somebody must give a password.
    WaitingPassword,
    /// Accepted and held; the client may confirm.
    Accepted,
    /// Confirmed by the client: frozen or about to be transferred.
    Confirmed,
    /// Transferred; of payments only.
    Done,
    /// Released or returned; of payments only.
    Canceled,
    /// Refused by the payer.
    Rejected,
    /// Taken back before it was confirmed.
    Revoked,
    Failed,
    /// Taken back, or forgotten, before anybody accepted.
    Deleted,
}

impl Status {
    /// Accepted by the payer in some way and not confirmed yet.
    pub(super) fn is_open_acceptance(self) -> bool {
        matches!(
            self,
            Status::WaitingFunds
                | Status::WaitingRegistration
                | Status::WaitingPassword
                | Status::Accepted
        )
    }

    pub(super) fn of_transaction(self, words: Words) -> &'static str {
        match (self, words) {
            (Status::Accepted, Words::Guide) => "waiting",
            (Status::Accepted, Words::Specification | Words::Older) => "reserved",
            (Status::Done | Status::Canceled, _) => "confirmed",
            _ => self.common_word(),
        }
    }

    /// `held`: the payer had accepted before the transaction was revoked.
    pub(super) fn of_payment(self, words: Words, held: bool) -> &'static str {
        match (self, words) {
            (Status::Accepted, Words::Specification | Words::Guide) => "waiting",
            (Status::Confirmed, Words::Specification | Words::Guide)
            | (Status::Accepted, Words::Older) => "reserved",
            (Status::Revoked, Words::Specification | Words::Guide) if held => "canceled",
            _ => self.common_word(),
        }
    }

    fn common_word(self) -> &'static str {
        match self {
            Status::New => "new",
            Status::WaitingFunds => "waiting_funds",
            Status::WaitingRegistration => "waiting_registration",
            Status::WaitingPassword => "waiting_password",
            Status::Accepted => "reserved",
            Status::Confirmed => "confirmed",
            Status::Done => "done",
            Status::Canceled => "canceled",
            Status::Rejected => "rejected",
            Status::Revoked => "revoked",
            Status::Failed => "failed",
            Status::Deleted => "deleted",
        }
    }

    /// The type of the callback that tells about it, if one does.
    pub(super) fn callback(self) -> Option<&'static str> {
        match self {
            Status::WaitingFunds
            | Status::WaitingRegistration
            | Status::WaitingPassword
            | Status::Accepted
            | Status::Confirmed
            | Status::Rejected
            | Status::Failed => Some(self.common_word()),
            Status::New | Status::Done | Status::Canceled | Status::Revoked | Status::Deleted => {
                None
            }
        }
    }
}

/// Where an allowance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AllowanceStatus {
    New,
    Active,
    Inactive,
    Deleted,
}
