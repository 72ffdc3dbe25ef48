use paymux_core::{
    CreateEffect, Part, ProviderRefundId, Refund, RefundStatus, Replay, SeededRandom,
};

use super::*;
use crate::{
    observe,
    record::{Review, SentAs},
    settle,
    testing::{
        KEY_TTL, accepted, account, at, cancel, capabilities, capture, confirm, context, create,
        eur, key_replay, push, record, refund, seen, tried,
    },
};

mod doubt;
mod ends;
mod person;
mod steps;

const LIMIT: i64 = 70;
const DAY: i64 = 24 * 3600;

/// What is done next at this second, where both accounts can do this.
fn next(record: &PaymentRecord, capabilities: &Capabilities, second: i64) -> Move {
    next_at(record, capabilities, at(second))
}

fn next_at(record: &PaymentRecord, capabilities: &Capabilities, now: Timestamp) -> Move {
    let all = |_: &ProviderId| Some(capabilities);
    let call_limit = Duration::from_secs(LIMIT.unsigned_abs());
    next_move(record, &View { now, capabilities: &all, call_limit })
}

fn charges() -> Capabilities {
    capabilities(CreateEffect::MayCharge, key_replay(), Replay::LookupFirst)
}

fn opens(create: Replay, later: Replay) -> Capabilities {
    capabilities(CreateEffect::OpensOnly, create, later)
}

fn parked(record: &mut PaymentRecord, reason: ReviewReason) {
    let note = String::new();
    record.add_review(Review { reason, attempt: Some(1), note, since: at(0) });
}

#[test]
fn accounts_are_tried_in_order_until_there_is_none() {
    let charges = charges();
    assert_eq!(next(&record(), &charges, 0), Move::Create(account("a")));
    let over = [
        AttemptState::NotSent,
        AttemptState::Rejected,
        AttemptState::NotCharged,
        AttemptState::Abandoned,
    ];
    for state in over {
        let mut record = tried(state);
        assert_eq!(next(&record, &charges, 0), Move::Create(account("b")), "{state:?}");
        let second = create(&record, 2);
        let no = push(&mut record, second, state);
        record.attempt_mut(no).unwrap().account = account("b");
        assert_eq!(next(&record, &charges, 0), Move::EndHere, "{state:?}");
    }
    let mut unwanted = tried(AttemptState::NotSent);
    unwanted.cancel_wanted = true;
    assert_eq!(next(&unwanted, &charges, 0), Move::EndHere);
}

#[test]
fn nobody_else_is_asked_while_an_attempt_is_open_or_accepted() {
    let charges = charges();
    let open = [
        AttemptState::Intent,
        AttemptState::Sending,
        AttemptState::Unknown,
        AttemptState::Accepted,
    ];
    for state in open {
        for second in [0, 100, 10_000, 40 * DAY] {
            let step = next(&tried(state), &charges, second);
            assert!(!matches!(step, Move::Create(_)), "{state:?} {second}: {step:?}");
        }
    }
}

#[test]
fn what_is_written_down_is_sent_when_its_time_has_come() {
    let charges = charges();
    let mut record = tried(AttemptState::Intent);
    assert_eq!(next(&record, &charges, 0), Move::Send(1));
    record.attempts[0].next_try_at = Some(at(5));
    assert_eq!(next(&record, &charges, 4), Move::Wait(at(5)));
    assert_eq!(next(&record, &charges, 5), Move::Send(1));
}

#[test]
fn what_takes_money_does_not_leave_once_an_end_is_wanted() {
    let charges = charges();
    let mut first = tried(AttemptState::Intent);
    first.cancel_wanted = true;
    assert_eq!(next(&first, &charges, 0), Move::Withdraw(1));
    let later = [
        (confirm(ConfirmStep::Commit), Move::Withdraw(2)),
        (capture(), Move::Withdraw(2)),
        (cancel(), Move::Send(2)),
        (refund(), Move::Send(2)),
    ];
    for (intent, expected) in later {
        let mut record = accepted(PaymentStatus::Authorized);
        record.cancel_wanted = true;
        push(&mut record, intent, AttemptState::Intent);
        assert_eq!(next(&record, &charges, 0), expected);
    }
}

#[test]
fn what_is_on_its_way_is_waited_for_and_then_doubted() {
    let sending = tried(AttemptState::Sending);
    assert_eq!(next(&sending, &charges(), LIMIT - 1), Move::Wait(at(LIMIT)));
    assert_eq!(next(&sending, &charges(), LIMIT), Move::Doubt(1));
}

#[test]
fn a_create_in_doubt_goes_by_what_protects_it() {
    let fresh = i64::try_from(KEY_TTL.as_secs()).unwrap() / 5 * 4 - 1;
    let may = CreateEffect::MayCharge;
    let table = [
        (may, key_replay(), 0, Move::Send(1)),
        (may, key_replay(), fresh, Move::Send(1)),
        (may, key_replay(), fresh + 1, Move::Park(1, ReviewReason::StillInDoubt)),
        (may, Replay::Reference, 10_000, Move::Send(1)),
        (may, Replay::Harmless, 10_000, Move::Send(1)),
        (may, Replay::LookupFirst, 0, Move::Climb(1)),
        (may, Replay::Never, 0, Move::Climb(1)),
        (CreateEffect::OpensOnly, Replay::Never, 0, Move::Abandon(1)),
        (CreateEffect::OpensOnly, Replay::LookupFirst, 0, Move::Abandon(1)),
        (CreateEffect::OpensOnly, key_replay(), fresh + 1, Move::Abandon(1)),
        (CreateEffect::OpensOnly, key_replay(), fresh, Move::Send(1)),
    ];
    for (effect, replay, second, expected) in table {
        let account = capabilities(effect, replay, Replay::Never);
        let step = next(&tried(AttemptState::Unknown), &account, second);
        assert_eq!(step, expected, "{effect:?} {replay:?} after {second} s");
    }
}

#[test]
fn only_what_nobody_can_pay_is_given_up() {
    let account = opens(Replay::Never, Replay::Never);
    let unknown = || tried(AttemptState::Unknown);
    assert_eq!(next(&unknown(), &account, 0), Move::Abandon(1));
    let mut shown = unknown();
    shown.link_shown = true;
    let mut nowhere_else = unknown();
    nowhere_else.route.truncate(1);
    let mut wrong_state = unknown();
    wrong_state.provider = Some(seen(PaymentStatus::Processing));
    for record in [shown, nowhere_else, wrong_state] {
        assert_eq!(next(&record, &account, 0), Move::Climb(1));
    }
}

#[test]
fn a_payer_does_not_wait_for_a_second_repetition_where_nobody_can_pay() {
    let account = opens(Replay::Harmless, Replay::Never);
    let mut record = tried(AttemptState::Unknown);
    record.attempts[0].rung = 2;
    record.attempts[0].next_try_at = Some(at(30));
    assert_eq!(next(&record, &account, 0), Move::Abandon(1));
    assert_eq!(next(&record, &charges(), 0), Move::Wait(at(30)));
}

#[test]
fn not_found_is_proof_only_often_enough_and_late_enough() {
    let mut account = charges();
    account.reference_lookup = Some(Duration::from_secs(60));
    let after = |moments: &[i64]| {
        let mut record = tried(AttemptState::Unknown);
        record.attempts[0].not_found_at = moments.iter().map(|second| at(*second)).collect();
        record.attempts[0].seen_unchanged = !moments.is_empty();
        next(&record, &account, 400)
    };
    assert_eq!(after(&[]), Move::LookUpReference(1));
    assert_eq!(after(&[300]), Move::Send(1));
    assert_eq!(after(&[131, 300]), Move::Send(1));
    // The window does not count, nor the time that the call may have been under way.
    assert_eq!(after(&[10, 20, 30]), Move::Send(1));
    assert_eq!(after(&[130, 131, 132]), Move::Send(1));
    assert_eq!(after(&[131, 132, 133]), Move::NotCharged(1));
    assert_eq!(after(&[10, 131, 132, 133]), Move::NotCharged(1));
    // It counts from the last send that may have done something.
    let mut again = tried(AttemptState::Unknown);
    again.attempts[0].not_found_at = [131, 132, 133].map(at).to_vec();
    again.attempts[0].doubtful_send_at = Some(at(10));
    assert_eq!(next(&again, &account, 400), Move::LookUpReference(1));
    // Where nobody can look by reference, there is nothing to count.
    again.attempts[0].doubtful_send_at = Some(at(0));
    assert_eq!(next(&again, &charges(), 400), Move::Send(1));
}

#[test]
fn a_step_in_doubt_goes_by_what_protects_it() {
    let table = [
        (key_replay(), false, Move::Send(2)),
        (Replay::Reference, false, Move::Send(2)),
        (Replay::Harmless, false, Move::Send(2)),
        (Replay::LookupFirst, false, Move::LookUp),
        (Replay::LookupFirst, true, Move::Send(2)),
        (Replay::Never, false, Move::LookUp),
        (Replay::Never, true, Move::Climb(2)),
    ];
    for (replay, seen_unchanged, expected) in table {
        for intent in [confirm(ConfirmStep::Commit), capture(), cancel(), refund()] {
            let mut record = accepted(PaymentStatus::Authorized);
            push(&mut record, intent, AttemptState::Unknown);
            record.attempts[1].seen_unchanged = seen_unchanged;
            let account = opens(Replay::Harmless, replay);
            assert_eq!(next(&record, &account, 0), expected, "{replay:?} {seen_unchanged}");
        }
    }
}

#[test]
fn after_a_day_of_doubt_a_person_is_asked_once_and_it_goes_on() {
    let park = Move::Park(1, ReviewReason::StillInDoubt);
    for replay in [Replay::Reference, Replay::Harmless, Replay::Never] {
        let account = capabilities(CreateEffect::MayCharge, replay, Replay::Never);
        let mut record = tried(AttemptState::Unknown);
        assert_ne!(next(&record, &account, DAY - 1), park, "{replay:?}");
        assert_eq!(next(&record, &account, DAY), park, "{replay:?}");
        parked(&mut record, ReviewReason::StillInDoubt);
        assert_ne!(next(&record, &account, DAY), park, "{replay:?}");
        assert_ne!(next(&record, &account, DAY), Move::Done, "{replay:?}");
    }
    // An account that is not configured any more may come back.
    let nobody = |_: &ProviderId| None;
    let call_limit = Duration::from_secs(70);
    let view = |second| View { now: at(second), capabilities: &nobody, call_limit };
    assert_eq!(next_move(&tried(AttemptState::Unknown), &view(0)), Move::Climb(1));
    assert_eq!(next_move(&tried(AttemptState::Unknown), &view(DAY)), park);
}

/// Nobody waits for it any more: it is only looked for, until a person wants it tried again.
#[test]
fn what_may_take_money_is_not_sent_any_more_after_a_day() {
    let account = capabilities(CreateEffect::MayCharge, Replay::Reference, Replay::Harmless);
    let mut create = tried(AttemptState::Unknown);
    parked(&mut create, ReviewReason::StillInDoubt);
    for (wanted, second, expected) in
        [(false, DAY - 1, Move::Send(1)), (false, DAY, Move::Climb(1)), (true, DAY, Move::Send(1))]
    {
        create.attempts[0].rung = 3;
        create.attempts[0].wanted_again = wanted;
        assert_eq!(next(&create, &account, second), expected, "{wanted} after {second} s");
    }
    for (intent, expected) in [(capture(), Move::LookUp), (cancel(), Move::Send(2))] {
        let mut record = accepted(PaymentStatus::Authorized);
        push(&mut record, intent, AttemptState::Unknown);
        record.attempts[1].rung = 3;
        parked(&mut record, ReviewReason::StillInDoubt);
        assert_eq!(next(&record, &account, DAY), expected);
        record.attempts[1].seen_unchanged = true;
        let seen = if expected == Move::LookUp { Move::Climb(2) } else { expected };
        assert_eq!(next(&record, &account, DAY), seen);
    }
}

#[test]
fn a_refund_under_way_is_asked_for_by_its_id_or_by_the_amounts() {
    let mut account = charges();
    account.reads.insert(Operation::FetchRefund);
    let mut record = accepted(PaymentStatus::Succeeded);
    push(&mut record, refund(), AttemptState::Accepted);
    let mut row = Refund::new(RefundStatus::Processing, "on its way");
    record.attempts[1].refund = Some(row.clone());
    assert_eq!(next(&record, &account, 60), Move::LookUp);
    row.id = Some(ProviderRefundId::new("ref1").unwrap());
    record.attempts[1].refund = Some(row.clone());
    assert_eq!(next(&record, &account, 59), Move::Wait(at(60)));
    assert_eq!(next(&record, &account, 60), Move::LookUpRefund(2));
    account.reads.clear();
    assert_eq!(next(&record, &account, 60), Move::LookUp);
    row.status = RefundStatus::Succeeded;
    record.attempts[1].refund = Some(row);
    record.next_look_at = None;
    assert_eq!(next(&record, &account, 60), Move::Done);
}

#[test]
fn what_is_final_is_looked_at_only_when_something_asks_for_it() {
    let account = charges();
    let mut record = accepted(PaymentStatus::Succeeded);
    assert_eq!(next(&record, &account, 60), Move::LookUp);
    record.next_look_at = None;
    assert_eq!(next(&record, &account, 60), Move::Done);
    for status in [PaymentStatus::Failed, PaymentStatus::Cancelled, PaymentStatus::Expired] {
        let mut record = tried(AttemptState::Rejected);
        record.status = status;
        assert_eq!(next(&record, &account, 60), Move::Done, "{status}");
    }
}

/// At once, then after about 5 s, 30 s, 2 min, 10 min, 1 h, 6 h and daily.
#[test]
fn the_ladder_has_its_rungs() {
    let random = SeededRandom::new(1);
    let account = charges();
    let context = context(&account, &random, at(0));
    let error = paymux_core::Error::new(
        paymux_core::ErrorKind::Unavailable,
        paymux_core::Effect::Possible,
        "lost",
    );
    let mut record = tried(AttemptState::Unknown);
    let attempt = &mut record.attempts[0];
    let waits: [u64; 9] = [0, 5, 30, 120, 600, 3_600, 21_600, 86_400, 86_400];
    for (rung, wait) in waits.into_iter().enumerate() {
        settle::climb(attempt, &error, context.now, context.random);
        let waited = attempt.next_try_at.unwrap().since(at(0)).as_millis();
        let wait = u128::from(wait) * 1_000;
        let range = wait * 8 / 10..=wait * 12 / 10;
        assert!(range.contains(&waited), "rung {rung}: {waited} ms");
    }
}

/// Once its key cannot be relied on any more, nothing but looks is left: a person is asked then, and
/// after a day at the latest.
#[test]
fn a_person_is_asked_once_a_key_is_too_old_to_rely_on() {
    let day = DAY.unsigned_abs();
    let table = [(1_000, 800), (day, day / 5 * 4), (7 * day, day)];
    for (ttl, after) in table {
        let ttl = Duration::from_secs(ttl);
        let key = Replay::Key { ttl, max_len: 255, replays_errors: false };
        let after = i64::try_from(after).unwrap();
        let account = capabilities(CreateEffect::MayCharge, key, key);
        let mut step = accepted(PaymentStatus::Succeeded);
        push(&mut step, refund(), AttemptState::Unknown);
        for (record, no) in [(tried(AttemptState::Unknown), 1), (step, 2)] {
            let park = Move::Park(no, ReviewReason::StillInDoubt);
            assert_ne!(next(&record, &account, after - 1), park, "{ttl:?}, attempt {no}");
            assert_eq!(next(&record, &account, after), park, "{ttl:?}, attempt {no}");
        }
    }
}
