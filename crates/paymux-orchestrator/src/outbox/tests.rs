use paymux_core::{Effect, Error, ErrorKind, Refund, RefundStatus};
use serde_json::Value;

use super::*;
use crate::{
    record::{Fault, Review, ReviewReason},
    testing::{accepted, at, cancel, capture, eur, push, record, refund, seen, tried},
};

fn told(before: Option<&PaymentRecord>, after: &PaymentRecord) -> Vec<String> {
    let rows = between(before, after, &cause(), at(0)).unwrap();
    rows.into_iter().map(|row| row.kind).collect()
}

fn cause() -> Evidence {
    Evidence::Rule { decision: "a test".to_owned(), attempt: None }
}

fn after(before: &PaymentRecord, work: impl Fn(&mut PaymentRecord)) -> Vec<String> {
    let mut record = before.clone();
    work(&mut record);
    told(Some(before), &record)
}

fn review(reason: ReviewReason) -> Review {
    Review { reason, attempt: Some(1), note: "a note".to_owned(), since: at(0) }
}

#[test]
fn every_change_that_a_merchant_minds_is_told_in_order() {
    assert_eq!(told(None, &record()), ["payment.processing"]);
    let open = accepted(PaymentStatus::RequiresAction);
    assert!(told(Some(&open), &open).is_empty(), "nothing changed");
    let paid = |record: &mut PaymentRecord| {
        record.status = PaymentStatus::Succeeded;
        record.provider = Some(seen(PaymentStatus::Succeeded));
    };
    assert_eq!(after(&open, paid), ["payment.succeeded"]);
    let doubt = |record: &mut PaymentRecord| record.attempts[0].state = AttemptState::Unknown;
    let sending = tried(AttemptState::Sending);
    assert_eq!(after(&sending, doubt), ["payment.in_doubt"]);
    let resolved = |record: &mut PaymentRecord| {
        record.attempts[0].state = AttemptState::Rejected;
        record.status = PaymentStatus::Failed;
    };
    let unknown = tried(AttemptState::Unknown);
    assert_eq!(after(&unknown, resolved), ["payment.failed", "payment.doubt_resolved"]);
    let asks = |record: &mut PaymentRecord| {
        record.add_review(review(ReviewReason::Mismatch));
        record.add_review(review(ReviewReason::LateSuccess));
    };
    assert_eq!(after(&open, asks), ["payment.review", "payment.review"]);
    let mut under_review = open.clone();
    asks(&mut under_review);
    let one_less = |record: &mut PaymentRecord| drop(record.reviews.pop());
    assert!(after(&under_review, one_less).is_empty());
    let none = |record: &mut PaymentRecord| record.reviews.clear();
    assert_eq!(after(&under_review, none), ["payment.review_resolved"]);
    // One goes and another one comes: the merchant is told of the new one.
    let other = |record: &mut PaymentRecord| {
        record.reviews.clear();
        record.add_review(review(ReviewReason::NoEnd));
    };
    assert_eq!(after(&under_review, other), ["payment.review"]);
}

/// A merchant who is told that a doubt is over may ask the payer again.
#[test]
fn a_doubt_lasts_through_every_repetition_and_is_told_once() {
    use AttemptState::{Accepted, Rejected, Sending, Unknown};
    for end in [Accepted, Rejected] {
        let mut record = tried(Sending);
        let mut kinds = Vec::new();
        for state in [Unknown, Sending, Unknown, Sending, end] {
            let before = record.clone();
            record.attempts[0].state = state;
            record.attempts[0].doubted = true;
            assert_eq!(record.in_doubt(), state.is_open(), "{state:?} of {end:?}");
            kinds.extend(told(Some(&before), &record));
        }
        assert_eq!(kinds, ["payment.in_doubt", "payment.doubt_resolved"]);
    }
}

#[test]
fn amounts_that_move_alone_are_told() {
    let paid = accepted(PaymentStatus::Succeeded);
    type Move = fn(&mut PaymentRecord);
    let moves: [Move; 4] = [
        |record| record.provider.as_mut().unwrap().amounts.captured = Some(eur(1_100)),
        |record| record.provider.as_mut().unwrap().amounts.refunded = Some(eur(1)),
        |record| record.provider.as_mut().unwrap().amounts.charged_back = Some(eur(1)),
        |record| record.provider.as_mut().unwrap().amounts.given_back_unstated = true,
    ];
    for work in moves {
        assert_eq!(after(&paid, work), ["payment.amounts_changed"]);
    }
    // Whatever made it so: who ships by `paid` hears of it, once.
    let mut silent = paid.clone();
    silent.provider.as_mut().unwrap().amounts.captured = None;
    let believed = |record: &mut PaymentRecord| record.unreported_amount_accepted = true;
    assert_eq!(after(&silent, believed), ["payment.amounts_changed"]);
    let shown = |record: &mut PaymentRecord| {
        record.add_review(review(ReviewReason::Contradiction));
    };
    assert_eq!(after(&paid, shown), ["payment.review"]);
}

#[test]
fn what_becomes_of_refunds_and_steps_is_told() {
    let mut asked = accepted(PaymentStatus::Succeeded);
    push(&mut asked, refund(), AttemptState::Sending);
    for status in [RefundStatus::Processing, RefundStatus::Succeeded, RefundStatus::Failed] {
        let answered = |record: &mut PaymentRecord| {
            record.attempts[1].state = AttemptState::Accepted;
            record.attempts[1].refund = Some(Refund::new(status, "a word"));
        };
        assert_eq!(after(&asked, answered), [format!("refund.{status}")]);
    }
    for state in [AttemptState::Rejected, AttemptState::NotSent] {
        let refused = |record: &mut PaymentRecord| record.attempts[1].state = state;
        assert_eq!(after(&asked, refused), ["refund.failed"]);
        let mut step = accepted(PaymentStatus::Authorized);
        push(&mut step, capture(), AttemptState::Sending);
        assert_eq!(after(&step, refused), ["payment.step_refused"]);
    }
}

/// A refund or step that did nothing was not refused either.
#[test]
fn what_did_nothing_is_told() {
    for (intent, kind) in [(refund(), "refund.failed"), (capture(), "payment.step_not_done")] {
        let mut asked = accepted(PaymentStatus::Authorized);
        push(&mut asked, intent, AttemptState::Unknown);
        let nothing = |record: &mut PaymentRecord| {
            record.attempts[1].state = AttemptState::NotCharged;
        };
        assert_eq!(after(&asked, nothing), ["payment.doubt_resolved", kind]);
    }
}

/// What was shown to a person became worse: it is no second question, and told all the same.
#[test]
fn another_note_about_the_same_is_told() {
    let mut asked = accepted(PaymentStatus::Succeeded);
    asked.add_review(review(ReviewReason::LateSuccess));
    let again = |record: &mut PaymentRecord| record.add_review(review(ReviewReason::LateSuccess));
    assert!(after(&asked, again).is_empty());
    let worse = |record: &mut PaymentRecord| {
        let note = "it succeeded".to_owned();
        record.add_review(Review { note, since: at(9), ..review(ReviewReason::LateSuccess) });
        assert_eq!(record.reviews.len(), 1);
        assert_eq!(
            (record.reviews[0].note.as_str(), record.reviews[0].since),
            ("it succeeded", at(0))
        );
    };
    assert_eq!(after(&asked, worse), ["payment.review"]);
}

/// Nobody refused what never left, whether the merchant wanted an end first or it came too late.
#[test]
fn what_is_withdrawn_is_not_told_as_refused() {
    let withdrawn = |record: &mut PaymentRecord| record.attempts[1].state = AttemptState::NotSent;
    let mut step = accepted(PaymentStatus::Authorized);
    push(&mut step, capture(), AttemptState::Intent);
    assert_eq!(after(&step, withdrawn), ["payment.step_withdrawn"]);
    step.cancel_wanted = true;
    assert_eq!(after(&step, withdrawn), ["payment.step_withdrawn"]);
    let mut end = accepted(PaymentStatus::Succeeded);
    push(&mut end, cancel(), AttemptState::Intent);
    assert_eq!(after(&end, withdrawn), ["payment.step_withdrawn"], "what is over needs no end");
    // An account that could not be asked is another matter.
    let error = Error::new(ErrorKind::Unavailable, Effect::None, "paused");
    let unsent = |record: &mut PaymentRecord| {
        withdrawn(record);
        record.attempts[1].fault = Some(Fault::from(&error));
    };
    assert_eq!(after(&step, unsent), ["payment.step_refused"]);
    // What was tried before and waited to be tried again was refused by nobody either.
    unsent(&mut step);
    step.attempts[1].state = AttemptState::Intent;
    assert_eq!(after(&step, withdrawn), ["payment.step_withdrawn"]);
    // But by us, where its account is gone for so long that it is not waited for any more.
    let mut closed = step.clone();
    unsent(&mut closed);
    let why = Evidence::NotSent { attempt: 2, why: Box::new(Fault::from(&error)) };
    let rows = between(Some(&step), &closed, &why, at(0)).unwrap();
    assert_eq!(rows[0].kind, "payment.step_refused");
}

#[test]
fn an_event_says_what_it_is_about_and_has_an_id_of_its_own() {
    let before = tried(AttemptState::Unknown);
    let mut paid = accepted(PaymentStatus::Succeeded);
    paid.version = 7;
    let rows = between(Some(&before), &paid, &cause(), at(3)).unwrap();
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, [format!("{}:7:0", paid.id), format!("{}:7:1", paid.id)]);
    for row in &rows {
        assert_eq!((row.payment.as_ref(), row.version, row.at), (Some(&paid.id), 7, at(3)));
        let document: Value = serde_json::from_str(&row.document).unwrap();
        assert_eq!(document["reference"], "order-1");
        assert_eq!(document["evidence"]["cause"], "rule", "what led to it");
        assert_eq!((&document["status"], &document["paid"]), (&"succeeded".into(), &true.into()));
        assert_eq!(
            (&document["account"], &document["captured"]),
            (&"a".into(), &"10.00 EUR".into())
        );
    }
    // That some went back without a figure is said like the figures.
    let mut returned = paid.clone();
    returned.provider.as_mut().unwrap().amounts.given_back_unstated = true;
    let rows = between(Some(&paid), &returned, &cause(), at(3)).unwrap();
    let document: Value = serde_json::from_str(&rows[0].document).unwrap();
    assert_eq!(document["given_back_unstated"], true);
    assert_eq!(document["paid"], false);
}
