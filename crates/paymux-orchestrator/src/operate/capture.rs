//! How much of a payment can be taken, and what is not known yet of what was.

use paymux_core::{ConfirmStep, Money};

use crate::record::{Attempt, AttemptState, Intent, PaymentRecord};

/// What is held, by the provider's word, or else what was asked for and not taken yet.
pub(super) fn held(record: &PaymentRecord) -> Money {
    let said = record.provider.as_ref().and_then(|payment| payment.amounts.authorized);
    said.unwrap_or_else(|| {
        let asked = record.request.amount;
        // Less than nothing would be nothing, too.
        let left = taken(record).filter(|taken| *taken <= asked);
        let left = left.and_then(|taken| asked.checked_sub(taken));
        left.unwrap_or_else(|| Money::zero(asked.currency()))
    })
}

/// What was taken so far: by the provider's word, or by what it accepted, whichever is more.
fn taken(record: &PaymentRecord) -> Option<Money> {
    let asked = record.request.amount;
    let said = record.provider.as_ref().and_then(|payment| payment.amounts.captured);
    let captures = record
        .attempts
        .iter()
        .filter(|attempt| attempt.may_have_acted() && record.is_of_what_counts(attempt));
    let ours = captures.filter_map(|attempt| match &attempt.intent {
        Intent::Capture(capture) => Some(capture.amount.unwrap_or(asked)),
        Intent::Create(_) | Intent::Confirm(_) | Intent::Cancel(_) | Intent::Refund(_) => None,
    });
    let ours = ours.into_iter().try_fold(Money::zero(asked.currency()), Money::checked_add)?;
    Some(said.filter(|said| *said > ours).unwrap_or(ours))
}

/// Was it taken without what is left having been read since?
pub(super) fn is_unseen_capture(attempt: &Attempt, record: &PaymentRecord) -> bool {
    matches!(attempt.intent, Intent::Capture(_)) && is_unseen(attempt, record)
}

/// Was our consent to this step given, without what came of it having been read since?
pub(super) fn is_unseen_consent(
    attempt: &Attempt,
    record: &PaymentRecord,
    step: ConfirmStep,
) -> bool {
    matches!(&attempt.intent, Intent::Confirm(confirm) if confirm.step == step)
        && is_unseen(attempt, record)
}

/// Was a step of the object that counts taken, without what came of it having been read since?
pub(crate) fn is_unseen(attempt: &Attempt, record: &PaymentRecord) -> bool {
    attempt.state == AttemptState::Accepted
        && record.is_of_what_counts(attempt)
        && attempt.settled_at >= record.seen_at
}
