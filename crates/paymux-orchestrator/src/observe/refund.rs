//! What a provider's word about a refund changes.

use paymux_core::{Payment, Refund, RefundStatus, Timestamp};

use super::has_money;
use crate::{
    record::{Intent, PaymentRecord, Review, ReviewReason},
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
        // What comes after its end is looked for anew.
        record.looks = if refund.status.is_final() { 0 } else { record.looks };
        given_back(record, no);
        return;
    }
    // By its id its events are ours, whatever else the word says.
    if let Some(kept) = &mut attempt.refund {
        kept.id = kept.id.take().or_else(|| refund.id.clone());
    }
    if let Some(known) = known.filter(|_| refund.status.is_final()) {
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
    if holds_money_yet(record, of) {
        return;
    }
    let is_late = |review: &Review| review.reason == ReviewReason::LateSuccess;
    record.reviews.retain(|review| !is_late(review) || review.attempt != Some(of));
}

/// Is there money on anything that this attempt left, and none of it was given back?
fn holds_money_yet(record: &PaymentRecord, of: u32) -> bool {
    let went_back = |left: &Payment| {
        record.attempts.iter().any(|attempt| {
            let is_done = attempt
                .refund
                .as_ref()
                .is_some_and(|refund| refund.status == RefundStatus::Succeeded);
            let of_it = matches!(&attempt.intent, Intent::Refund(it) if it.payment.id == left.id);
            attempt.gives_back == Some(of) && is_done && of_it
        })
    };
    let left = record.attempt(of).map(|attempt| &attempt.left);
    left.is_some_and(|left| left.iter().any(|left| has_money(left) && !went_back(left)))
}

/// A person found the provider right: its later word on a refund counts, whatever was known.
pub(crate) fn believe_refund(record: &mut PaymentRecord, no: u32, word: &Refund, now: Timestamp) {
    let Some(attempt) = record.attempt_mut(no) else { return };
    let known = attempt.refund.take();
    attempt.refund = Some(keep_id(word.clone(), known));
    attempt.refund_contradicted = None;
    let gives_back = attempt.gives_back;
    record.looks = 0;
    given_back(record, no);
    let came_to_nothing = matches!(word.status, RefundStatus::Failed | RefundStatus::Cancelled);
    if let Some(of) = gives_back.filter(|_| came_to_nothing) {
        let note = format!("refund {no} is {}: what showed late is still there", word.status);
        let reason = ReviewReason::LateSuccess;
        record.add_review(Review { reason, attempt: Some(of), note, since: now });
    }
}

fn keep_id(mut refund: Refund, known: Option<Refund>) -> Refund {
    if let Some(known) = known {
        refund.id = refund.id.or(known.id);
        refund.amount = refund.amount.or(known.amount);
    }
    refund
}
