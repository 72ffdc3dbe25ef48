//! Ends that are wanted, refused or overdue, and what waits for a person meanwhile.

use super::*;

/// Nothing refused it: it leaves once the person has said what is true.
#[test]
fn a_step_that_has_not_left_waits_for_the_person() {
    let account = charges();
    for intent in [confirm(ConfirmStep::Commit), capture()] {
        let mut record = accepted(PaymentStatus::Authorized);
        push(&mut record, intent, AttemptState::Intent);
        assert_eq!(next(&record, &account, 0), Move::Send(2));
        for reason in [ReviewReason::Mismatch, ReviewReason::SharedObject] {
            let mut record = record.clone();
            parked(&mut record, reason);
            assert_eq!(next(&record, &account, 0), Move::Wait(at(60)));
            assert_eq!(next(&record, &account, 60), Move::LookUp, "looking goes on");
            record.cancel_wanted = true;
            assert_eq!(next(&record, &account, 0), Move::Withdraw(2));
        }
    }
}

#[test]
fn an_end_that_was_refused_can_be_asked_for_again() {
    let account = charges();
    for state in [AttemptState::Rejected, AttemptState::NotSent] {
        let mut record = accepted(PaymentStatus::Authorized);
        for _ in 0..=MAX_CANCELS {
            push(&mut record, cancel(), state);
        }
        assert_eq!(next(&record, &account, 0), Move::Wait(at(60)), "{state:?}");
        record.cancel_wanted = true;
        assert_eq!(next(&record, &account, 0), Move::Cancel(None), "{state:?}");
    }
}

#[test]
fn an_end_that_cannot_be_reached_is_shown_to_a_person_once() {
    let mut account = charges();
    let park = Move::Park(1, ReviewReason::StepRefused);
    let mut often = accepted(PaymentStatus::Authorized);
    often.cancel_wanted = true;
    for _ in 0..MAX_CANCELS {
        push(&mut often, cancel(), AttemptState::Accepted);
    }
    often.seen_at = Some(at(60));
    assert_eq!(next(&often, &account, 60), park);
    parked(&mut often, ReviewReason::StepRefused);
    assert_eq!(next(&often, &account, 60), Move::LookUp);
    account.replay.remove(&Operation::CancelPayment);
    let mut unable = accepted(PaymentStatus::RequiresAction);
    unable.cancel_wanted = true;
    assert_eq!(next(&unable, &account, 0), park);
    parked(&mut unable, ReviewReason::StepRefused);
    assert_eq!(next(&unable, &account, 0), Move::Wait(at(60)));
}

/// One that takes days hides neither the others, nor the payment while it is open, nor the end that
/// is wanted of the rest.
#[test]
fn refunds_under_way_are_looked_at_in_turn_and_after_a_wish_for_an_end() {
    let mut account = charges();
    account.reads.insert(Operation::FetchRefund);
    let mut record = accepted(PaymentStatus::Authorized);
    for id in ["ref1", "ref2"] {
        let no = push(&mut record, refund(), AttemptState::Accepted);
        let mut row = Refund::new(RefundStatus::Processing, "on its way");
        row.id = Some(ProviderRefundId::new(id).unwrap());
        record.attempt_mut(no).unwrap().refund = Some(row);
    }
    let looks = [0, 1, 2, 3].map(|looks| {
        record.looks = looks;
        next(&record, &account, 60)
    });
    let (one, other) = (Move::LookUpRefund(2), Move::LookUpRefund(3));
    assert_eq!(looks, [one.clone(), other.clone(), Move::LookUp, one.clone()]);
    record.cancel_wanted = true;
    assert_eq!(next(&record, &account, 60), Move::Cancel(None));
    record.status = PaymentStatus::Succeeded;
    assert_eq!(next(&record, &account, 60), other);
    // One that is over has changed the amounts of what is final otherwise.
    record.looks = 1;
    record.attempts[1].refund.as_mut().unwrap().status = RefundStatus::Succeeded;
    assert_eq!(next(&record, &account, 60), Move::LookUp);
}

/// A refund whose account is not well keeps nobody from seeing what became of the payment.
#[test]
fn a_look_that_our_limits_keep_back_leaves_its_turn_to_the_others() {
    let mut account = charges();
    account.reads.insert(Operation::FetchRefund);
    for looks in [0, 1, 4, 5, LOOKS_IN_A_MONTH] {
        let mut record = accepted(PaymentStatus::RequiresAction);
        let no = push(&mut record, refund(), AttemptState::Accepted);
        let mut row = Refund::new(RefundStatus::Processing, "on its way");
        row.id = Some(ProviderRefundId::new("ref1").unwrap());
        record.attempt_mut(no).unwrap().refund = Some(row);
        (record.looks, record.next_look_at) = (looks, Some(at(0)));
        let mut moves = Vec::new();
        for _ in 0..4 {
            let now = record.next_look_at.unwrap();
            moves.push(next_at(&record, &account, now));
            observe::look_kept_back(&mut record, now);
            let wait = record.next_look_at.unwrap().since(now);
            assert!(wait <= Duration::from_secs(600), "it waits for minutes: {wait:?}");
        }
        let (refund, payment) = (Move::LookUpRefund(2), Move::LookUp);
        let mut expected = [refund.clone(), payment.clone(), refund, payment];
        expected.rotate_left(usize::try_from(looks % 2).unwrap());
        assert_eq!(moves, expected, "{looks}");
        // Nobody was asked, so that is no sign that nothing changes.
        assert_eq!(record.looks, looks);
    }
}

/// What goes back elsewhere, wherever it stands, is nothing that the payment waits for.
#[test]
fn what_goes_back_elsewhere_stops_neither_the_payment_nor_its_end() {
    let account = charges();
    let elsewhere = |mut record: PaymentRecord, state| {
        let no = push(&mut record, refund(), state);
        let attempt = record.attempt_mut(no).unwrap();
        (attempt.gives_back, attempt.account) = (Some(1), crate::testing::account("a"));
        attempt.next_try_at = state.is_open().then(|| at(600));
        let under_way = Refund::new(RefundStatus::Processing, "on its way");
        attempt.refund = Some(under_way).filter(|_| state == AttemptState::Accepted);
        parked(&mut record, ReviewReason::LateSuccess);
        record
    };
    let states = [
        (AttemptState::Intent, Move::Send(2)),
        (AttemptState::Sending, Move::Doubt(2)),
        (AttemptState::Unknown, Move::LookUpLeft(2)),
        (AttemptState::Accepted, Move::LookUpLeft(2)),
    ];
    for (state, expected) in states {
        let mut open = elsewhere(accepted(PaymentStatus::Authorized), state);
        open.looks = 1;
        assert_eq!(next(&open, &account, 60), Move::LookUp, "{state:?}");
        open.cancel_wanted = true;
        assert_eq!(next(&open, &account, 0), Move::Cancel(None), "{state:?}");
        let mut nowhere = elsewhere(tried(AttemptState::Abandoned), state);
        nowhere.cancel_wanted = true;
        assert_eq!(next(&nowhere, &account, 0), Move::EndHere, "{state:?}");
        // And it is gone on with itself.
        nowhere.status = PaymentStatus::Cancelled;
        let replay = opens(Replay::Harmless, Replay::Never);
        assert_eq!(next(&nowhere, &replay, 600), expected, "{state:?}");
    }
}

/// After a day, or after the moment that the merchant named, nobody waits for it any more.
#[test]
fn nothing_is_opened_or_consented_to_when_nobody_waits_for_it_any_more() {
    let account = opens(Replay::Harmless, Replay::LookupFirst);
    let expired = |mut record: PaymentRecord| {
        record.request.expires_at = Some(at(10));
        record
    };
    let opened = Move::Create(crate::testing::account("a"));
    let elsewhere = Move::Create(crate::testing::account("b"));
    let fresh = record();
    let failed_over = tried(AttemptState::NotCharged);
    let written = tried(AttemptState::Intent);
    let waiting = || accepted(PaymentStatus::RequiresConfirmation);
    let mut step = waiting();
    push(&mut step, confirm(ConfirmStep::Commit), AttemptState::Intent);
    let consent = Move::Confirm(ConfirmStep::Commit);
    let table = [
        (fresh, opened, Move::EndHere, Move::EndHere),
        (failed_over, elsewhere, Move::EndHere, Move::EndHere),
        (written, Move::Send(1), Move::Withdraw(1), Move::Withdraw(1)),
        (step, Move::Send(2), Move::Withdraw(2), Move::Withdraw(2)),
        (waiting(), consent, Move::Park(1, ReviewReason::StepRefused), Move::Wait(at(60))),
    ];
    for (record, in_time, after_a_day, after_its_end) in table {
        let what = format!("{:?}", record.attempts);
        assert_eq!(next(&record, &account, 0), in_time, "{what}");
        assert_eq!(next(&record, &account, DAY - 1), in_time, "{what}");
        assert_eq!(next(&record, &account, DAY), after_a_day, "{what}");
        let record = expired(record);
        assert_eq!(next(&record, &account, 9), in_time, "{what}");
        assert_eq!(next(&record, &account, 10), after_its_end, "{what}");
    }
    // What may charge is not repeated after that moment either.
    let mut doubted = expired(tried(AttemptState::Unknown));
    doubted.route.truncate(1);
    assert_eq!(next(&doubted, &charges(), 9), Move::Send(1));
    assert_eq!(next(&doubted, &charges(), 10), Move::Climb(1));
    // What takes what is held, ends or gives back is wanted however late it is.
    for intent in [capture(), cancel(), refund()] {
        let mut record = expired(accepted(PaymentStatus::Authorized));
        push(&mut record, intent, AttemptState::Intent);
        assert_eq!(next(&record, &account, 2 * DAY), Move::Send(2));
    }
}

/// What has not left to end it, neither: its provider might take that for a refund.
#[test]
fn an_end_that_has_not_left_is_not_sent_to_what_is_over() {
    for status in [PaymentStatus::Succeeded, PaymentStatus::Cancelled, PaymentStatus::Failed] {
        let mut record = accepted(status);
        record.cancel_wanted = true;
        push(&mut record, cancel(), AttemptState::Intent);
        assert_eq!(next(&record, &charges(), 0), Move::Withdraw(2), "{status}");
    }
}
