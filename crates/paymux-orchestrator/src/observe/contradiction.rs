//! A status that the table forbids: older than what is known, or a contradiction.

use paymux_core::{Amounts, Money, Payment, PaymentStatus, Timestamp};

use super::{Observed, schedule};
use crate::record::{PaymentRecord, Review, ReviewReason};

/// The status stays. Where the provider was asked just now, what it says of money that went back
/// counts all the same, and other figures for what was taken go to a person.
pub(super) fn contradicted(
    record: &mut PaymentRecord,
    payment: &Payment,
    (no, is_look): (u32, bool),
    now: Timestamp,
) -> Observed {
    let taken = taken_otherwise(record, &payment.amounts).filter(|_| is_look);
    let before = record.provider.as_ref().map(|known| known.amounts.clone());
    if let Some(known) = record.provider.as_mut().filter(|_| is_look) {
        raise(&mut known.amounts, &payment.amounts);
    }
    let is_new = before != record.provider.as_ref().map(|known| known.amounts.clone());
    schedule(record, Observed::Nothing, now);
    let is_end = payment.status.is_final();
    if !is_end && taken.is_none() {
        return if is_new { Observed::Changed } else { Observed::Nothing };
    }
    let mut note = format!(
        "it was {}, and {} says {} ({})",
        record.status, payment.provider, payment.status, payment.provider_status
    );
    if let Some((held, said)) = taken {
        note = format!("{note}: {held} were taken, or {said}");
    }
    let reason = ReviewReason::Contradiction;
    record.add_review(Review { reason, attempt: Some(no), note, since: now });
    Observed::Changed
}

/// What was taken by our books, and by this word, where that is worse: less of what succeeded, or
/// more of what did not.
fn taken_otherwise(record: &PaymentRecord, amounts: &Amounts) -> Option<(Money, Money)> {
    let said = amounts.captured?;
    let known = record.provider.as_ref().and_then(|known| known.amounts.captured);
    if record.status == PaymentStatus::Succeeded {
        let held = known.unwrap_or(record.accepted_amount.unwrap_or(record.request.amount));
        return (said < held).then_some((held, said));
    }
    let held = known.unwrap_or_else(|| Money::zero(said.currency()));
    (record.status.is_final() && said > held).then_some((held, said))
}

/// Money that went back by the one word or by the other is gone.
pub(super) fn raise(amounts: &mut Amounts, word: &Amounts) {
    for (known, said) in
        [(&mut amounts.refunded, word.refunded), (&mut amounts.charged_back, word.charged_back)]
    {
        let said = said.filter(|said| !said.is_zero());
        if said.is_some_and(|said| known.is_none_or(|known| said > known)) {
            *known = said;
        }
    }
    amounts.given_back_unstated |= word.given_back_unstated;
}
