//! Answers that do not fit what was asked.

use super::*;

/// The wallet lowers the price of what it took in part.
#[test]
fn an_answer_may_ask_for_no_more_than_what_was_taken() {
    let mut record = accepted(PaymentStatus::Authorized);
    let Intent::Capture(mut less) = capture() else { panic!("a capture") };
    less.amount = Some(eur(600));
    push(&mut record, Intent::Capture(less), AttemptState::Sending);
    let mut payment = seen(PaymentStatus::Succeeded);
    payment.amounts.requested = Some(eur(600));
    payment.amounts.captured = Some(eur(600));
    let settled_as =
        |payment: &Payment| settled(record.clone(), 2, Outcome::Payment(Box::new(payment.clone())));
    let taken = settled_as(&payment);
    assert_eq!(state(&taken, 2), AttemptState::Accepted);
    assert_eq!((taken.status, taken.reviews.len()), (PaymentStatus::Succeeded, 0));
    payment.amounts.requested = Some(eur(700));
    assert_eq!(settled_as(&payment).reviews[0].reason, ReviewReason::Mismatch);
}

#[test]
fn an_answer_that_does_not_fit_freezes_and_claims_nothing() {
    type Bend = fn(&mut Payment);
    let table: [(Bend, &str); 7] = [
        (|payment| payment.provider = account("b"), "names the account"),
        (|payment| payment.live = Some(true), "real money"),
        (|payment| payment.amounts.requested = Some(eur(999)), "asked for"),
        (|payment| payment.reference = Some(Reference::new("other").unwrap()), "is about"),
        (
            |payment| {
                let usd = paymux_core::Currency::iso("USD").unwrap();
                payment.amounts.captured = Some(Money::new(1_000, usd).unwrap());
            },
            "answer is in",
        ),
        (|payment| payment.amounts.requested = Some(eur(1_001)), "asked for"),
        (|payment| payment.reference = Some(Reference::new("pay_1-2").unwrap()), "is about"),
    ];
    for (bend, words) in table {
        let mut payment = seen(PaymentStatus::Succeeded);
        bend(&mut payment);
        let record = settled(tried(AttemptState::Sending), 1, Outcome::Payment(Box::new(payment)));
        assert_eq!(state(&record, 1), AttemptState::Unknown, "{words}");
        assert_eq!(record.attempts[0].next_try_at, None, "{words}");
        assert_eq!(record.attempts[0].object, None, "it may be another payment's");
        assert!(record.provider.is_none() && record.status == PaymentStatus::Processing);
        let review = &record.reviews[0];
        assert_eq!(review.reason, ReviewReason::Mismatch);
        assert!(review.note.contains(words), "{}", review.note);
    }
    assert!(settled(tried(AttemptState::Sending), 1, ok(PaymentStatus::Succeeded)).is_paid());
}

#[test]
fn a_refund_of_another_amount_is_not_taken_for_ours() {
    for (said, freezes) in [(None, false), (Some(400), false), (Some(399), true)] {
        let mut record = accepted(PaymentStatus::Succeeded);
        push(&mut record, refund(), AttemptState::Sending);
        record.attempts[1].reserved = Some(eur(400));
        let mut row = Refund::new(RefundStatus::Succeeded, "done");
        row.amount = said.map(eur);
        let record = settled(record, 2, Outcome::Refund(Box::new(row)));
        assert_eq!(record.is_under_review(ReviewReason::Mismatch), freezes, "{said:?}");
        assert_eq!(state(&record, 2) == AttemptState::Unknown, freezes, "{said:?}");
    }
}
