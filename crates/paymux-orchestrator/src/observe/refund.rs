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
    let known = attempt.refund.as_ref().map(|known| known.status);
    let allowed = known.is_none_or(|known| {
        known.can_become(refund.status) && refund.status != RefundStatus::Unknown
    });
    if allowed {
        let known = attempt.refund.take();
        attempt.refund = Some(keep_id(refund.clone(), known));
        given_back(record, no);
    } else if let Some(known) = known.filter(|_| refund.status.is_final()) {
        let (now_said, word) = (refund.status, &refund.provider_status);
        let note = format!("refund {no} was {known}, and now it is {now_said} ({word})");
        attempt.refund_contradicted = Some(refund.clone());
        let reason = ReviewReason::Contradiction;
        record.add_review(Review { reason, attempt: Some(no), note, since: now });
    }
}

/// What showed late is given back: no person has to look at it any more.
pub(super) fn given_back(record: &mut PaymentRecord, no: u32) {
    let attempt = record.attempt(no).filter(|attempt| {
        attempt.refund.as_ref().is_some_and(|refund| refund.status == RefundStatus::Succeeded)
    });
    let Some(of) = attempt.and_then(|attempt| attempt.gives_back) else { return };
    let is_late = |review: &Review| review.reason == ReviewReason::LateSuccess;
    record.reviews.retain(|review| !is_late(review) || review.attempt != Some(of));
}

/// A person found the provider right: its later word on a refund counts.
pub(crate) fn believe_refunds(record: &mut PaymentRecord) {
    for attempt in &mut record.attempts {
        if let Some(word) = attempt.refund_contradicted.take() {
            let known = attempt.refund.take();
            attempt.refund = Some(keep_id(word, known));
        }
    }
}

fn keep_id(mut refund: Refund, known: Option<Refund>) -> Refund {
    if let Some(known) = known {
        refund.id = refund.id.or(known.id);
        refund.amount = refund.amount.or(known.amount);
    }
    refund
}
