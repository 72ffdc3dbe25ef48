//! How much of a payment can be given back.

use paymux_core::{Money, Result};

use super::conflict;
use crate::record::PaymentRecord;

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

/// What was given back or may still be: what the provider says, or we know, and what is on its way.
pub(crate) fn gone_for_refunds(record: &PaymentRecord) -> Option<Money> {
    let mut done = Money::zero(record.request.amount.currency());
    let mut on_its_way = done;
    for attempt in record.attempts.iter().filter(|attempt| attempt.gives_back.is_none()) {
        let Some(amount) = attempt.reserved_refund() else { continue };
        let sum = if attempt.is_refund_done() { &mut done } else { &mut on_its_way };
        *sum = sum.checked_add(amount)?;
    }
    let given_back = record.provider.as_ref().and_then(|payment| payment.amounts.refunded);
    let done = given_back.filter(|given_back| *given_back > done).unwrap_or(done);
    done.checked_add(on_its_way)
}
