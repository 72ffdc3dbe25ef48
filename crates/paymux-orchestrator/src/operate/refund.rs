//! How much of a payment can be given back.

use paymux_core::{Money, Result};

use super::conflict;
use crate::{
    give_back,
    record::{Attempt, Intent, PaymentRecord},
};

/// What the provider says that it took.
pub(super) fn taken(record: &PaymentRecord) -> Option<Money> {
    record.provider.as_ref().and_then(|payment| payment.amounts.captured)
}

/// What was taken and is still there.
pub(super) fn left_to_give_back(record: &PaymentRecord) -> Result<Money> {
    let Some(taken) = taken(record).filter(|taken| !taken.is_zero()) else {
        return Err(conflict(record, "nothing was taken that could be given back"));
    };
    let amounts = record.provider.as_ref().map(|payment| payment.amounts.clone());
    let amounts = amounts.unwrap_or_default();
    if amounts.given_back_unstated {
        let message = "some of it went back, and nobody says how much: what is left is not known";
        return Err(conflict(record, message));
    }
    // What others gave back, at the provider's own page, counts as much as what we did, and so does
    // what the payer got back by a dispute.
    let back = amounts.charged_back.unwrap_or_else(|| Money::zero(taken.currency()));
    let gone = gone_for_refunds(record).and_then(|gone| gone.checked_add(back));
    let left = gone.and_then(|gone| taken.checked_sub(gone)).filter(|left| !left.is_zero());
    left.ok_or_else(|| conflict(record, "everything was given back already, or is on its way"))
}

/// Is what a refund gives back still there, beside all else that went back or may still go? Whoever
/// asked for it did not know of a dispute since, or of what was given back at the provider's page.
pub(crate) fn is_still_there(record: &PaymentRecord, attempt: &Attempt) -> bool {
    let Intent::Refund(request) = &attempt.intent else { return true };
    let known = match attempt.gives_back {
        None => record.provider.as_ref(),
        Some(of) => {
            let left = record.attempt(of).map(|attempt| &attempt.left);
            left.and_then(|left| left.iter().find(|left| left.id == request.payment.id))
        }
    };
    let Some((known, taken)) = known.and_then(|known| Some((known, known.amounts.captured?)))
    else {
        return true;
    };
    let back = known.amounts.charged_back.unwrap_or_else(|| Money::zero(taken.currency()));
    let gone = match attempt.gives_back {
        None => gone_for_refunds(record),
        Some(of) => give_back::gone(record, of, known),
    };
    let gone = gone.and_then(|gone| gone.checked_add(back));
    !known.amounts.given_back_unstated && gone.is_some_and(|gone| gone <= taken)
}

/// What was given back or may still be: what the provider says, or we know, and what is on its way.
pub(crate) fn gone_for_refunds(record: &PaymentRecord) -> Option<Money> {
    let mut done = Money::zero(record.request.amount.currency());
    let mut on_its_way = done;
    // What had been given up, and given back, can be what counts.
    let ours = |it: &&Attempt| it.gives_back.is_none() || record.is_of_what_counts(it);
    for attempt in record.attempts.iter().filter(ours) {
        let Some(amount) = attempt.reserved_refund() else { continue };
        let sum = if attempt.is_refund_done() { &mut done } else { &mut on_its_way };
        *sum = sum.checked_add(amount)?;
    }
    let given_back = record.provider.as_ref().and_then(|payment| payment.amounts.refunded);
    let done = given_back.filter(|given_back| *given_back > done).unwrap_or(done);
    done.checked_add(on_its_way)
}
