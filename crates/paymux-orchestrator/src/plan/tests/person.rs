//! What is shown to a person, and what happens meanwhile and afterwards.

use super::*;

/// Money showed where it must not: nothing is added to it before a person has looked.
#[test]
fn a_persons_question_stops_our_own_steps() {
    use ReviewReason as Reason;
    let mut account = opens(Replay::Harmless, Replay::Never);
    account.capture = CaptureChoice::Manual;
    let table = [
        (Reason::Mismatch, true),
        (Reason::Contradiction, true),
        (Reason::LateSuccess, true),
        (Reason::SharedObject, true),
        (Reason::StillInDoubt, false),
        (Reason::UnreportedAmount, false),
        (Reason::ShortAmount, false),
        (Reason::NoEnd, false),
    ];
    for (reason, stops) in table {
        let under_review = |mut record: PaymentRecord| {
            parked(&mut record, reason);
            next(&record, &account, 0)
        };
        let failed_over = under_review(tried(AttemptState::Abandoned));
        let expected = if stops { Move::Done } else { Move::Create(crate::testing::account("b")) };
        assert_eq!(failed_over, expected, "{reason}");
        for status in [PaymentStatus::RequiresConfirmation, PaymentStatus::Authorized] {
            let waits = under_review(accepted(status)) == Move::Wait(at(60));
            assert_eq!(waits, stops, "{reason} {status}");
        }
        let written = under_review(tried(AttemptState::Intent));
        let expected = if stops { Move::Withdraw(1) } else { Move::Send(1) };
        assert_eq!(written, expected, "{reason}");
        let mut unwanted = accepted(PaymentStatus::Authorized);
        unwanted.cancel_wanted = true;
        assert_eq!(under_review(unwanted), Move::Cancel(None), "{reason}");
    }
    let mut refused = accepted(PaymentStatus::RequiresConfirmation);
    parked(&mut refused, Reason::StepRefused);
    assert_eq!(next(&refused, &account, 0), Move::Wait(at(60)));
}

/// A person knows of an end that cannot be reached: it is not shown again at once.
#[test]
fn an_end_that_was_let_be_is_not_shown_again() {
    let mut account = charges();
    account.replay.remove(&Operation::CancelPayment);
    let mut record = accepted(PaymentStatus::RequiresAction);
    (record.cancel_wanted, record.link_shown) = (true, true);
    let reason = ReviewReason::StepRefused;
    assert_eq!(next(&record, &account, 0), Move::Park(1, reason));
    record.let_pass.push(Review { reason, attempt: Some(1), note: String::new(), since: at(0) });
    assert_eq!(next(&record, &account, 0), Move::Wait(at(60)));
}

/// What a person saw and let be is not shown to them the next day again.
#[test]
fn a_doubt_that_was_let_be_is_shown_again_after_a_week() {
    let mut record = tried(AttemptState::Unknown);
    record.attempts[0].rung = 9;
    let park = Move::Park(1, ReviewReason::StillInDoubt);
    assert_eq!(next(&record, &charges(), 2 * DAY), park);
    let (reason, note) = (ReviewReason::StillInDoubt, String::new());
    record.let_pass.push(Review { reason, attempt: Some(1), note, since: at(2 * DAY) });
    assert_eq!(next(&record, &charges(), 9 * DAY - 1), Move::Climb(1));
    assert_eq!(next(&record, &charges(), 9 * DAY), park);
}

/// A person opened it again: what takes money is asked for by the merchant.
#[test]
fn what_a_person_opened_again_takes_nothing_by_itself() {
    let mut account = charges();
    account.capture = CaptureChoice::Manual;
    for status in [PaymentStatus::RequiresConfirmation, PaymentStatus::Authorized] {
        let mut record = accepted(status);
        assert!(!matches!(next(&record, &account, 0), Move::Wait(_)), "{status}");
        record.steps_by_hand = true;
        assert_eq!(next(&record, &account, 0), Move::Wait(at(60)), "{status}");
        record.cancel_wanted = true;
        assert_eq!(next(&record, &account, 0), Move::Cancel(None), "{status}");
    }
}

/// A final payment that cannot be read any more is no secret of ours.
#[test]
fn a_final_payment_whose_looks_fail_for_a_month_is_shown_to_a_person() {
    let mut record = accepted(PaymentStatus::Succeeded);
    assert_eq!(next(&record, &charges(), 60), Move::LookUp);
    record.looks = LOOKS_IN_A_MONTH + 1;
    assert_eq!(next(&record, &charges(), 60), Move::Park(1, ReviewReason::NoEnd));
    parked(&mut record, ReviewReason::NoEnd);
    assert_eq!(next(&record, &charges(), 60), Move::LookUp);
    // It ended; that its figure does not come is another question, which was asked.
    record.reviews.clear();
    parked(&mut record, ReviewReason::UnreportedAmount);
    assert_eq!(next(&record, &charges(), 60), Move::LookUp);
}

#[test]
fn what_is_frozen_waits_for_a_person() {
    let mut record = tried(AttemptState::Unknown);
    record.attempts[0].next_try_at = None;
    assert_eq!(next(&record, &charges(), 40 * DAY), Move::Done);
}

#[test]
fn what_has_no_end_for_a_month_is_shown_to_a_person_once() {
    let account = charges();
    let park = Move::Park(1, ReviewReason::NoEnd);
    let mut record = accepted(PaymentStatus::RequiresAction);
    record.looks = LOOKS_IN_A_MONTH;
    assert_eq!(next(&record, &account, 60), Move::LookUp);
    record.looks += 1;
    assert_eq!(next(&record, &account, 60), park);
    parked(&mut record, ReviewReason::NoEnd);
    assert_eq!(next(&record, &account, 60), Move::LookUp);
}
