//! A payment that is over, and the money that was taken for it.

use paymux_core::{Money, Payment, PaymentStatus, Timestamp};

use crate::record::{PaymentRecord, Review, ReviewReason};

/// Money that was taken and went back whole is no question any more; where the payment did not
/// succeed, money that is still there is one.
pub(super) fn check_end(record: &mut PaymentRecord, no: u32, now: Timestamp) {
    let Some(payment) = &record.provider else { return };
    let Some(captured) = payment.amounts.captured.filter(|captured| !captured.is_zero()) else {
        return;
    };
    if went_back(payment) {
        record.reviews.retain(|review| !review.reason.is_about_amounts());
        return;
    }
    let let_be = record.accepted_amount.is_some_and(|amount| amount >= captured);
    if record.status == PaymentStatus::Succeeded || let_be {
        return;
    }
    let note = format!("it is {}, and {captured} was taken", record.status);
    let reason = ReviewReason::EndedWithMoney;
    record.add_review(Review { reason, attempt: Some(no), note, since: now });
}

/// What was asked about a payment while it was open is no question once it is over, unless it is about
/// a refund that is not.
pub(super) fn settle_moot(record: &mut PaymentRecord) {
    let under_way = record.attempts.iter().filter(|attempt| attempt.is_refund_under_way());
    let under_way: Vec<u32> = under_way.map(|attempt| attempt.no).collect();
    let waits = |review: &Review| review.attempt.is_some_and(|no| under_way.contains(&no));
    let is_moot = |review: &Review| {
        let reason = review.reason;
        reason == ReviewReason::StepRefused || (reason == ReviewReason::NoEnd && !waits(review))
    };
    record.reviews.retain(|review| !is_moot(review));
}

/// Did all that was taken go back, by the provider's figures?
pub(crate) fn went_back(payment: &Payment) -> bool {
    let amounts = &payment.amounts;
    let Some(captured) = amounts.captured.filter(|captured| !captured.is_zero()) else {
        return false;
    };
    let gone = [amounts.refunded, amounts.charged_back].into_iter().flatten();
    let gone = gone.into_iter().try_fold(Money::zero(captured.currency()), Money::checked_add);
    gone.is_some_and(|gone| gone >= captured)
}
