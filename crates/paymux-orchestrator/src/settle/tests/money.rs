//! A status says that it is over, and the figures say that money is there.

use super::*;

/// Failed for a soft reason, and so much was taken and went back.
fn failed(captured: Option<i128>, refunded: Option<i128>) -> Payment {
    let mut payment = seen(PaymentStatus::Failed);
    payment.failure = Some(Failure::new(FailureKind::Declined));
    payment.amounts.captured = captured.map(eur);
    payment.amounts.refunded = refunded.map(eur);
    payment
}

const TABLE: [(Option<i128>, Option<i128>, bool); 5] = [
    (None, None, false),
    (Some(0), None, false),
    (Some(1_000), None, true),
    (Some(1_000), Some(400), true),
    (Some(1_000), Some(1_000), false),
];

/// The next account would take it a second time.
#[test]
fn what_failed_with_money_taken_goes_to_a_person_and_not_elsewhere() {
    for (captured, refunded, is_there) in TABLE {
        let step = || {
            let mut record = accepted(PaymentStatus::RequiresConfirmation);
            push(&mut record, confirm(ConfirmStep::Commit), AttemptState::Sending);
            (record, 2)
        };
        for (record, no) in [(tried(AttemptState::Sending), 1), step()] {
            let payment = failed(captured, refunded);
            let record = settled(record, no, Outcome::Payment(Box::new(payment)));
            let what = format!("attempt {no}, {captured:?} taken, {refunded:?} went back");
            let stays = record.live().is_some() && record.status == PaymentStatus::Failed;
            assert_eq!(stays, is_there, "{what}");
            assert_eq!(record.is_under_review(ReviewReason::EndedWithMoney), is_there, "{what}");
        }
    }
}

/// Where money is, nothing is given up.
#[test]
fn what_waits_for_a_payer_is_not_left_with_money_in_it() {
    for (captured, refunded, is_there) in TABLE {
        let mut record = accepted(PaymentStatus::RequiresAction);
        let amounts = &mut record.provider.as_mut().unwrap().amounts;
        (amounts.captured, amounts.refunded) = (captured.map(eur), refunded.map(eur));
        assert_eq!(may_abandon(&record, &opens()), !is_there, "{captured:?} {refunded:?}");
    }
}

/// It was given up, and is over there by its status alone.
#[test]
fn money_that_shows_late_is_told_by_the_figures_too() {
    for status in [PaymentStatus::Failed, PaymentStatus::Cancelled, PaymentStatus::Expired] {
        for (captured, refunded, is_there) in TABLE {
            let mut payment = failed(captured, refunded);
            payment.status = status;
            let gone = tried(AttemptState::Abandoned);
            let record = settled(gone, 1, Outcome::Payment(Box::new(payment)));
            let waits = record.is_under_review(ReviewReason::LateSuccess);
            assert_eq!(waits, is_there, "{status}, {captured:?} taken, {refunded:?} went back");
        }
    }
}

/// A look or an event said how it ended while the call was under way: what counts there is not taken
/// off by the answer.
#[test]
fn what_ended_while_a_step_was_under_way_goes_nowhere_else() {
    for ended in [PaymentStatus::Succeeded, PaymentStatus::Cancelled, PaymentStatus::Failed] {
        let mut record = accepted(ended);
        push(&mut record, confirm(ConfirmStep::Commit), AttemptState::Sending);
        let record = settled(record, 2, Outcome::Payment(Box::new(failed(None, None))));
        assert!(record.live().is_some() && record.provider.is_some(), "{ended}");
        assert_eq!(record.status, ended);
        let is_asked = record.is_under_review(ReviewReason::Contradiction);
        assert_eq!(is_asked, ended != PaymentStatus::Failed, "{ended}");
    }
}

/// It had ended there, and a later look shows that money moves all the same.
#[test]
fn money_that_shows_after_the_end_is_shown_to_a_person() {
    for ended in [PaymentStatus::Failed, PaymentStatus::Cancelled, PaymentStatus::Expired] {
        for status in
            [PaymentStatus::Processing, PaymentStatus::Authorized, PaymentStatus::PartiallyPaid]
        {
            let record = settled(tried(AttemptState::Abandoned), 1, ok(ended));
            assert!(record.reviews.is_empty(), "{ended}");
            let record = settled(record, 1, ok(status));
            assert!(record.is_under_review(ReviewReason::LateSuccess), "{ended}, then {status}");
        }
    }
}

/// What has our consent can be charged at any time, whatever its status still says.
#[test]
fn what_we_consented_to_is_not_given_up() {
    let table = [
        (ConfirmStep::Commit, AttemptState::Accepted, "obj1", false),
        (ConfirmStep::Commit, AttemptState::Rejected, "obj1", true),
        (ConfirmStep::Commit, AttemptState::NotSent, "obj1", true),
        (ConfirmStep::Commit, AttemptState::Accepted, "obj2", true),
        (ConfirmStep::Authorize, AttemptState::Accepted, "obj1", true),
    ];
    for (step, state, id, may) in table {
        let mut record = accepted(PaymentStatus::RequiresConfirmation);
        let Intent::Confirm(mut request) = confirm(step) else { panic!("a consent") };
        request.payment.id = object(id);
        push(&mut record, Intent::Confirm(request), state);
        assert_eq!(may_abandon(&record, &opens()), may, "{step:?} {state:?} of {id}");
    }
}

/// That steps are the merchant's is so of the account at which a person said so.
#[test]
fn the_next_account_takes_steps_as_ever() {
    let mut record = accepted(PaymentStatus::RequiresConfirmation);
    record.steps_by_hand = true;
    push(&mut record, confirm(ConfirmStep::Commit), AttemptState::Sending);
    let mut record = settled(record, 2, Outcome::Payment(Box::new(failed(None, None))));
    assert!(record.live().is_none() && !record.steps_by_hand, "{record:#?}");
    record.steps_by_hand = true;
    abandon(&mut record, 1, at(2));
    assert!(!record.steps_by_hand);
}
