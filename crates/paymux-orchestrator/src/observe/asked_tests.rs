//! What a person is asked, and no more asked, because of a word about a payment.

use paymux_core::{CreateEffect, Refund, RefundStatus, Replay, SeededRandom};

use super::*;
use crate::record::AttemptState;
use crate::testing::{accepted, at, capabilities, context, eur, key_replay, push, refund, seen};

fn observed(record: &mut PaymentRecord, payment: Payment) -> Vec<ReviewReason> {
    let account = capabilities(CreateEffect::MayCharge, key_replay(), Replay::LookupFirst);
    observe(record, payment, &context(&account, &SeededRandom::new(1), at(100)));
    record.reviews.iter().map(|review| review.reason).collect()
}

fn taken(status: PaymentStatus, captured: i128) -> Payment {
    let mut payment = seen(status);
    payment.amounts.captured = Some(eur(captured));
    payment
}

fn given_back(mut payment: Payment, refunded: i128) -> Payment {
    payment.amounts.refunded = Some(eur(refunded));
    payment
}

/// What a person let count is not asked about again because something was given back.
#[test]
fn an_accepted_amount_is_what_is_expected() {
    let mut record = accepted(PaymentStatus::Processing);
    let short = taken(PaymentStatus::Succeeded, 600);
    assert_eq!(observed(&mut record, short.clone()), [ReviewReason::ShortAmount]);
    record.accepted_amount = Some(eur(600));
    record.reviews.clear();
    assert!(record.is_paid());
    assert_eq!(observed(&mut record, given_back(short, 100)), []);
    // Less than what was let count is another matter.
    assert_eq!(
        observed(&mut record, taken(PaymentStatus::Succeeded, 500)),
        [ReviewReason::ShortAmount]
    );
}

#[test]
fn what_went_back_whole_is_nobodys_question() {
    let mut record = accepted(PaymentStatus::Processing);
    let short = taken(PaymentStatus::Succeeded, 600);
    assert_eq!(observed(&mut record, short.clone()), [ReviewReason::ShortAmount]);
    assert_eq!(observed(&mut record, given_back(short.clone(), 500)), [ReviewReason::ShortAmount]);
    assert_eq!(observed(&mut record, given_back(short, 600)), []);
    assert!(!record.is_paid());
}

#[test]
fn an_end_with_money_goes_to_a_person_until_it_went_back() {
    use PaymentStatus::{Cancelled, Expired, Failed};
    for status in [Cancelled, Expired, Failed] {
        let mut record = accepted(PaymentStatus::PartiallyPaid);
        let some = taken(status, 400);
        assert_eq!(observed(&mut record, some.clone()), [ReviewReason::EndedWithMoney]);
        let note = &record.reviews[0].note;
        assert!(note.contains("4.00 EUR"), "{note}");
        assert_eq!(observed(&mut record, some.clone()), [ReviewReason::EndedWithMoney]);
        assert_eq!(observed(&mut record, given_back(some.clone(), 400)), [], "{status}");
        // A person let it be.
        let mut record = accepted(PaymentStatus::PartiallyPaid);
        record.accepted_amount = Some(eur(400));
        assert_eq!(observed(&mut record, some), [], "{status}");
        let mut record = accepted(PaymentStatus::Processing);
        assert_eq!(observed(&mut record, taken(status, 0)), [], "{status}");
    }
}

/// Each look at the payment says that it is final; of its refund it says nothing.
#[test]
fn a_refund_without_end_stays_with_a_person() {
    let mut record = accepted(PaymentStatus::Succeeded);
    let no = push(&mut record, refund(), AttemptState::Accepted);
    record.attempts[1].refund = Some(Refund::new(RefundStatus::Processing, "processing"));
    let note = String::new();
    let reason = ReviewReason::NoEnd;
    record.add_review(Review { reason, attempt: Some(no), note, since: at(0) });
    assert_eq!(observed(&mut record, seen(PaymentStatus::Succeeded)), [reason]);
    record.attempts[1].refund = Some(Refund::new(RefundStatus::Succeeded, "done"));
    assert_eq!(observed(&mut record, seen(PaymentStatus::Succeeded)), []);
}
