//! What is said of refunds.

use paymux_core::{Currency, Money, Reference};

use super::*;
use crate::{
    settle::{Outcome, settle},
    testing::object,
};

/// A refund of 4.00 that is on its way at the provider.
fn under_way() -> PaymentRecord {
    let mut record = accepted(PaymentStatus::Succeeded);
    push(&mut record, refund(), AttemptState::Accepted);
    record.attempts[1].reserved = Some(eur(400));
    record.attempts[1].refund = Some(named(RefundStatus::Processing));
    record
}

fn named(status: RefundStatus) -> Refund {
    let mut refund = Refund::new(status, "a word");
    refund.id = Some(ProviderRefundId::new("ref1").unwrap());
    refund
}

/// Whoever says it: the answer to the call, or a look.
#[test]
fn what_does_not_fit_is_not_taken_for_our_refund() {
    type Bend = fn(&mut Refund);
    let table: [(Bend, bool); 9] = [
        (|_| {}, true),
        (|refund| refund.amount = Some(eur(400)), true),
        (|refund| refund.payment = Some(object("obj1")), true),
        (|refund| refund.reference = Some(Reference::new("refund-1").unwrap()), true),
        (|refund| refund.amount = Some(eur(399)), false),
        (
            |refund| {
                let usd = Currency::iso("USD").unwrap();
                refund.amount = Some(Money::new(400, usd).unwrap());
            },
            false,
        ),
        (|refund| refund.payment = Some(object("obj2")), false),
        (|refund| refund.reference = Some(Reference::new("refund-2").unwrap()), false),
        (|refund| refund.part = Some(ProviderPartId::new("p2").unwrap()), false),
    ];
    let (random, account) = (SeededRandom::new(1), charges());
    for (place, (bend, fits)) in table.into_iter().enumerate() {
        let mut row = named(RefundStatus::Succeeded);
        bend(&mut row);
        let of_part = |record: &mut PaymentRecord| {
            if let Intent::Refund(request) = &mut record.attempts[1].intent {
                request.part = Some(ProviderPartId::new("p1").unwrap());
            }
        };
        let mut seen = under_way();
        of_part(&mut seen);
        observe_refund(&mut seen, 2, &row, at(100));
        let status = seen.attempts[1].refund.as_ref().map(|refund| refund.status);
        assert_eq!(status == Some(RefundStatus::Succeeded), fits, "number {place}");
        assert_eq!(seen.is_under_review(ReviewReason::Mismatch), !fits, "number {place}");

        let mut answered = under_way();
        of_part(&mut answered);
        answered.attempts[1].state = AttemptState::Sending;
        answered.attempts[1].refund = None;
        let context = context(&account, &random, at(100));
        settle(&mut answered, 2, 1, Outcome::Refund(Box::new(row)), &context);
        let accepted = answered.attempts[1].state == AttemptState::Accepted;
        assert_eq!(accepted, fits, "number {place}");
        assert_eq!(answered.attempts[1].refund.is_some(), fits, "its id is not claimed");
        assert_eq!(answered.is_under_review(ReviewReason::Mismatch), !fits, "number {place}");
    }
}

#[test]
fn a_look_at_another_refund_says_nothing_of_ours() {
    let mut record = under_way();
    let mut other = named(RefundStatus::Succeeded);
    other.id = Some(ProviderRefundId::new("ref2").unwrap());
    observe_refund(&mut record, 2, &other, at(100));
    assert!(record.is_under_review(ReviewReason::Mismatch));
    let known = record.attempts[1].refund.as_ref().unwrap();
    assert_eq!(known.status, RefundStatus::Processing);
}

/// A bank sends money back days later, or what had failed arrives all the same.
#[test]
fn a_refund_that_turns_round_goes_to_a_person_and_stays_reserved() {
    let ends = [RefundStatus::Succeeded, RefundStatus::Failed, RefundStatus::Cancelled];
    for before in ends {
        for word in ends {
            let turns = |record: &mut PaymentRecord| {
                record.attempts[1].refund = Some(named(before));
                observe_refund(record, 2, &named(word), at(100));
            };
            let mut record = under_way();
            turns(&mut record);
            let both = format!("{before}, then {word}");
            let waits = record.is_under_review(ReviewReason::Contradiction);
            assert_eq!(waits, before != word, "{both}");
            assert!(!waits || record.reviews[0].attempt == Some(2));
            let status = |record: &PaymentRecord| {
                record.attempts[1].refund.as_ref().map(|refund| refund.status)
            };
            assert_eq!(status(&record), Some(before), "{both}");
            // It may be gone by the one word or by the other.
            let reserved = before == RefundStatus::Succeeded || word == RefundStatus::Succeeded;
            assert_eq!(record.attempts[1].reserved_refund().is_some(), reserved, "{both}");
            // A person who finds the provider right has its last word count.
            let mut known = record.clone();
            believe_refund(&mut known, 2, &named(word), at(300));
            assert_eq!(status(&known), Some(word), "{both}");
            assert!(known.attempts[1].refund.as_ref().unwrap().id.is_some());
            let gone = word == RefundStatus::Succeeded;
            assert_eq!(known.attempts[1].reserved_refund().is_some(), gone, "{both}");
            // What was first is said again: that is for the person, too.
            observe_refund(&mut record, 2, &named(before), at(200));
            assert_eq!(record.attempts[1].reserved_refund().is_some(), reserved, "{both}");
            assert_eq!(record.is_under_review(ReviewReason::Contradiction), waits, "{both}");
            // By the provider's figures it is counted once.
            record.provider.as_mut().unwrap().amounts.refunded = Some(eur(400));
            assert_eq!(crate::operate::gone_for_refunds(&record), Some(eur(400)), "{both}");
        }
    }
}

/// Attempt 1 left these at its account, each with money, and a person is asked about them.
fn left(objects: &[&str]) -> PaymentRecord {
    let mut record = accepted(PaymentStatus::Succeeded);
    record.attempts[0].state = AttemptState::Abandoned;
    record.provider = None;
    for id in objects {
        let mut payment = seen(PaymentStatus::Succeeded);
        payment.id = object(id);
        record.attempts[0].left.push(payment);
    }
    let (reason, note) = (ReviewReason::LateSuccess, String::new());
    record.add_review(Review { reason, attempt: Some(1), note, since: at(0) });
    record
}

/// A refund of all of that object, with this end.
fn give_back(record: &mut PaymentRecord, id: &str, end: RefundStatus) -> u32 {
    let Intent::Refund(mut request) = refund() else { panic!("a refund") };
    request.payment.id = object(id);
    let no = push(record, Intent::Refund(request), AttemptState::Accepted);
    let attempt = record.attempt_mut(no).unwrap();
    (attempt.gives_back, attempt.reserved) = (Some(1), Some(eur(1_000)));
    attempt.refund = Some(Refund::new(RefundStatus::Processing, "a word"));
    observe_refund(record, no, &Refund::new(end, "a word"), at(100));
    no
}

#[test]
fn what_goes_back_of_one_object_is_no_answer_about_another() {
    let mut record = left(&["obj1", "obj2"]);
    give_back(&mut record, "obj1", RefundStatus::Succeeded);
    assert!(record.is_under_review(ReviewReason::LateSuccess), "the other one holds money yet");
    give_back(&mut record, "obj2", RefundStatus::Failed);
    assert!(record.is_under_review(ReviewReason::LateSuccess));
    give_back(&mut record, "obj2", RefundStatus::Succeeded);
    assert!(!record.is_under_review(ReviewReason::LateSuccess));
}

/// The bank sent it back: the money is where it must not be, as before.
#[test]
fn what_did_not_go_back_after_all_is_shown_to_a_person_again() {
    for end in [RefundStatus::Failed, RefundStatus::Cancelled] {
        let mut record = left(&["obj1"]);
        let no = give_back(&mut record, "obj1", RefundStatus::Succeeded);
        assert!(!record.is_under_review(ReviewReason::LateSuccess));
        let bounced = Refund::new(end, "a word");
        observe_refund(&mut record, no, &bounced, at(200));
        assert!(record.is_under_review(ReviewReason::Contradiction), "{end}");
        believe_refund(&mut record, no, &bounced, at(300));
        assert!(record.asks(ReviewReason::LateSuccess, 1), "{end}");
        believe_refund(&mut record, no, &Refund::new(RefundStatus::Succeeded, "a word"), at(400));
        assert!(!record.is_under_review(ReviewReason::LateSuccess), "{end}");
    }
}

/// The payment's amounts settled it before its own answer came: by that id its events are ours.
#[test]
fn the_id_of_a_refund_is_kept_whatever_else_its_answer_says() {
    let known = [RefundStatus::Succeeded, RefundStatus::Failed];
    for (known, word) in known.into_iter().flat_map(|known| {
        [RefundStatus::Processing, RefundStatus::Unknown, known].map(|word| (known, word))
    }) {
        let mut record = under_way();
        record.attempts[1].refund = Some(Refund::new(known, "by its amounts"));
        observe_refund(&mut record, 2, &named(word), at(100));
        let refund = record.attempts[1].refund.clone().unwrap();
        assert_eq!(refund.status, known, "{word} is no end");
        assert_eq!(refund.id, named(word).id, "{known}, then {word}");
        assert!(record.reviews.is_empty(), "{known}, then {word}");
    }
}

/// Two objects of one payment, and a refund of the one without an id: what went back of the other
/// says nothing of it.
#[test]
fn what_went_back_of_another_object_is_no_proof_of_a_refund() {
    for (id, expected) in [("obj1", RefundStatus::Succeeded), ("obj2", RefundStatus::Processing)] {
        let mut record = under_way();
        record.attempts[1].refund = Some(Refund::new(RefundStatus::Processing, "a word"));
        let mut payment = seen(PaymentStatus::Succeeded);
        payment.id = object(id);
        payment.amounts.refunded = Some(eur(400));
        record.provider.as_mut().unwrap().id = object(id);
        observed(&mut record, payment, Source::Asked);
        assert_eq!(record.attempts[1].refund.as_ref().unwrap().status, expected, "{id}");
    }
}
