//! Allowances as mandates.

use paymux_core::{ConfirmStep, Mandate, MandateStatus, NextAction, Timestamp};

use super::Known;
use crate::{
    objects::{Allowance, Transaction},
    status::{AllowanceStatus, TransactionStatus},
};

/// What an allowance means by itself. Where it shows no word, its times say it, as in the newer
/// guide's object.
pub(crate) fn status(allowance: &Allowance, now: Timestamp) -> AllowanceStatus {
    let over = allowance.valid_until.is_some_and(|end| end <= now);
    let derived = || match (allowance.canceled_at, allowance.confirmed_at) {
        (Some(_), _) => AllowanceStatus::Inactive,
        (None, Some(_)) => AllowanceStatus::Active,
        (None, None) => AllowanceStatus::New,
    };
    match allowance.status.clone().unwrap_or_else(derived) {
        AllowanceStatus::Active if over => AllowanceStatus::Inactive,
        status @ (AllowanceStatus::New
        | AllowanceStatus::Active
        | AllowanceStatus::Inactive
        | AllowanceStatus::Deleted
        | AllowanceStatus::Unknown(_)) => status,
    }
}

/// A new allowance is as far as the transaction that carries it.
fn new_status(transaction: Option<&Transaction>) -> MandateStatus {
    let Some(transaction) = transaction else { return MandateStatus::RequiresAction };
    match &transaction.status {
        TransactionStatus::Waiting | TransactionStatus::Reserved => {
            MandateStatus::RequiresConfirmation
        }
        TransactionStatus::Rejected
        | TransactionStatus::Revoked
        | TransactionStatus::Failed
        | TransactionStatus::Deleted => MandateStatus::Ended,
        // The two were not read at one moment: the next look tells.
        TransactionStatus::Unknown(_) | TransactionStatus::Confirmed => MandateStatus::Unknown,
        TransactionStatus::New
        | TransactionStatus::WaitingFunds
        | TransactionStatus::WaitingRegistration
        | TransactionStatus::WaitingPassword => MandateStatus::RequiresAction,
    }
}

/// An allowance, with the transaction that carries it as long as that matters.
pub(crate) fn mandate(
    allowance: &Allowance,
    transaction: Option<&Transaction>,
    known: &Known<'_>,
) -> Mandate {
    let of_provider = status(allowance, known.now);
    let status = match &of_provider {
        AllowanceStatus::New => new_status(transaction),
        AllowanceStatus::Active => MandateStatus::Active,
        AllowanceStatus::Inactive | AllowanceStatus::Deleted => MandateStatus::Ended,
        AllowanceStatus::Unknown(_) => MandateStatus::Unknown,
    };
    let word = allowance.status.as_ref().unwrap_or(&of_provider);
    let mut mandate = Mandate::new(allowance.id.clone(), status, word.as_str());
    mandate.payment =
        allowance.transaction.clone().or(transaction.map(|carrier| carrier.key.clone()));
    mandate.limit = allowance.limit;
    mandate.valid_until = allowance.valid_until;
    // With payments beside it, confirming it confirms them: that is for the payment to say.
    let is_alone =
        transaction.is_some_and(|carrier| carrier.lists_payments && carrier.payments.is_empty());
    let still_new = transaction.is_none_or(|carrier| carrier.status == TransactionStatus::New);
    mandate.next_action = match status {
        MandateStatus::RequiresConfirmation if is_alone => {
            Some(NextAction::Confirm { step: ConfirmStep::Commit })
        }
        MandateStatus::RequiresAction if still_new => {
            mandate.payment.as_ref().and_then(|key| known.redirect(key.as_str()))
        }
        MandateStatus::RequiresConfirmation
        | MandateStatus::RequiresAction
        | MandateStatus::Active
        | MandateStatus::Ended
        | MandateStatus::Unknown => None,
    };
    mandate
}
