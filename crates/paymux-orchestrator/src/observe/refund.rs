//! What a provider's word about a refund changes.

use paymux_core::{Refund, RefundStatus, Timestamp};

use crate::{
    record::{PaymentRecord, Review, ReviewReason},
    settle::refund_mismatch,
};

/// Takes in what the provider says of a refund. What does not fit may be another one: a person has
/// to look.
pub(crate) fn observe_refund(record: &mut PaymentRecord, no: u32, refund: &Refund, now: Timestamp) {
    if let Some(note) = refund_mismatch(record, no, refund) {
        let reason = ReviewReason::Mismatch;
        record.add_review(Review { reason, attempt: Some(no), note, since: now });
        return;
    }
    let Some(attempt) = record.attempt_mut(no) else { return };
    let allowed = attempt.refund.as_ref().is_none_or(|known| {
        known.status.can_become(refund.status) && refund.status != RefundStatus::Unknown
    });
    if allowed {
        let known = attempt.refund.take();
        attempt.refund = Some(keep_id(refund.clone(), known));
    }
}

fn keep_id(mut refund: Refund, known: Option<Refund>) -> Refund {
    if let Some(known) = known {
        refund.id = refund.id.or(known.id);
        refund.amount = refund.amount.or(known.amount);
    }
    refund
}
