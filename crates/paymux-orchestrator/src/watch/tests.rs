use std::time::Duration;

use paymux_core::{Capabilities, CreateEffect, PaymentStatus, ProviderId, Replay};

use super::*;
use crate::{
    plan::{Move, next_move},
    record::AttemptState,
    settle,
    testing::{
        accepted, account, at, cancel, capabilities, confirm, create, key_replay, object, push,
        tried,
    },
};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn reads() -> Capabilities {
    let mut account = capabilities(CreateEffect::OpensOnly, key_replay(), Replay::Never);
    account.reads.insert(Operation::FetchPayment);
    account
}

fn plan(record: &PaymentRecord, capabilities: &Capabilities, second: i64) -> Move {
    let all = |_: &ProviderId| Some(capabilities);
    let call_limit = Duration::from_secs(70);
    next_move(record, &View { now: at(second), capabilities: &all, call_limit })
}

/// Given up at `a` at the start, where its object is known.
fn given_up() -> PaymentRecord {
    let mut record = accepted(PaymentStatus::RequiresConfirmation);
    settle::abandon(&mut record, 1, at(0));
    record
}

#[test]
fn what_nobody_answered_for_is_watched_and_nothing_else() {
    let table = [
        (AttemptState::Abandoned, true),
        (AttemptState::NotCharged, true),
        (AttemptState::Rejected, false),
        (AttemptState::NotSent, false),
        (AttemptState::Accepted, false),
    ];
    for (state, watched) in table {
        let mut record = tried(AttemptState::Unknown);
        settle::close(&mut record, 1, state, at(5));
        let expected = watched.then(|| at(HOUR + 5));
        assert_eq!(record.attempts[0].watch_at, expected, "{state:?}");
        // A step shows in its payment.
        let mut record = accepted(PaymentStatus::Authorized);
        push(&mut record, cancel(), AttemptState::Unknown);
        settle::close(&mut record, 2, state, at(5));
        assert_eq!(record.attempts[1].watch_at, None, "{state:?}");
    }
    // The provider's word that it failed there comes after it was given up.
    let mut refused = given_up();
    settle::close(&mut refused, 1, AttemptState::Rejected, at(0));
    assert_eq!(refused.attempts[0].watch_at, None);
}

#[test]
fn it_is_looked_at_after_an_hour_a_day_and_a_week_and_then_no_more() {
    let table = [
        (0, Some(HOUR)),
        (HOUR - 1, Some(HOUR)),
        (HOUR, Some(DAY)),
        (DAY - 1, Some(DAY)),
        (DAY, Some(7 * DAY)),
        (5 * DAY, Some(7 * DAY)),
        (7 * DAY, None),
        (30 * DAY, None),
    ];
    for (now, expected) in table {
        let next = ladder::next_watch(at(0), at(now));
        assert_eq!(next, expected.map(at), "looked at after {now} s");
    }
}

#[test]
fn a_look_that_failed_is_made_again_for_two_weeks() {
    let table = [
        (HOUR, Some(2 * HOUR)),
        (2 * HOUR, Some(3 * HOUR)),
        (DAY - 60, Some(DAY)),
        (DAY, Some(2 * DAY)),
        (7 * DAY - 60, Some(7 * DAY)),
        (7 * DAY, Some(8 * DAY)),
        (13 * DAY, Some(14 * DAY)),
        (13 * DAY + 1, None),
        (30 * DAY, None),
    ];
    for (now, expected) in table {
        let next = ladder::watch_again(at(0), at(now));
        assert_eq!(next, expected.map(at), "failed after {now} s");
    }
}

#[test]
fn it_is_due_beside_whatever_else_the_payment_waits_for() {
    let account_of = reads();
    // What there is to do comes first.
    let mut record = given_up();
    assert_eq!(plan(&record, &account_of, 2 * HOUR), Move::Create(account("b")));
    let second = create(&record, 2);
    let no = push(&mut record, second, AttemptState::Accepted);
    record.attempt_mut(no).unwrap().account = account("b");
    let mut payment = crate::testing::seen(PaymentStatus::RequiresAction);
    payment.provider = account("b");
    record.provider = Some(payment);
    record.status = PaymentStatus::RequiresAction;
    // The earlier of the two.
    for (look, expected) in [(60, 60), (HOUR - 1, HOUR - 1), (HOUR + 1, HOUR), (DAY, HOUR)] {
        record.next_look_at = Some(at(look));
        assert_eq!(plan(&record, &account_of, 0), Move::Wait(at(expected)));
    }
    assert_eq!(plan(&record, &account_of, HOUR), Move::Watch(1));
    record.next_look_at = Some(at(HOUR));
    assert_eq!(plan(&record, &account_of, HOUR), Move::LookUp);
    // What is final, and what a person has to look at, is watched all the same.
    record.next_look_at = None;
    for status in [PaymentStatus::Succeeded, PaymentStatus::Failed] {
        record.status = status;
        assert_eq!(plan(&record, &account_of, 0), Move::Wait(at(HOUR)));
        assert_eq!(plan(&record, &account_of, HOUR), Move::Watch(1));
        let mut over = record.clone();
        over.attempts[0].watch_at = None;
        assert_eq!(plan(&over, &account_of, HOUR), Move::Done);
    }
    record.attempts[1].state = AttemptState::Unknown;
    record.attempts[1].next_try_at = None;
    assert_eq!(plan(&record, &account_of, HOUR), Move::Watch(1));
}

#[test]
fn only_what_its_account_can_be_asked_for_is_watched() {
    let by_id = given_up();
    let mut nameless = tried(AttemptState::Unknown);
    settle::close(&mut nameless, 1, AttemptState::NotCharged, at(0));
    for record in [&by_id, &nameless] {
        let mut record = record.clone();
        record.status = PaymentStatus::Failed;
        let known = record.attempts[0].object.is_some();
        let by_reference = {
            let mut account = reads();
            account.reference_lookup = Some(Duration::from_secs(60));
            account
        };
        let mut mute = reads();
        mute.reads.clear();
        let expected = |asked: bool| if asked { Move::Watch(1) } else { Move::Done };
        assert_eq!(plan(&record, &reads(), HOUR), expected(known));
        assert_eq!(plan(&record, &by_reference, HOUR), Move::Watch(1));
        assert_eq!(plan(&record, &mute, HOUR), Move::Done);
        // An account that is not configured any more may come back: the look fails, and comes again.
        let nobody = |_: &ProviderId| None;
        let call_limit = Duration::from_secs(70);
        let view = View { now: at(HOUR), capabilities: &nobody, call_limit };
        assert_eq!(next_move(&record, &view), Move::Watch(1));
    }
}

#[test]
fn it_is_asked_for_by_its_id_with_all_that_was_known_of_it() {
    let mut record = accepted(PaymentStatus::RequiresConfirmation);
    push(&mut record, confirm(paymux_core::ConfirmStep::Authorize), AttemptState::Accepted);
    let part = paymux_core::ProviderPartId::new("p1").unwrap();
    let held = paymux_core::Part::new(part.clone(), PaymentStatus::Authorized, "held");
    record.provider.as_mut().unwrap().parts.push(held);
    settle::abandon(&mut record, 1, at(0));
    let Some(PaymentLookup::Payment(handle)) = lookup(&record, &record.attempts[0]) else {
        panic!("by its id");
    };
    assert_eq!((handle.id, handle.parts), (object("obj1"), vec![part]));
    assert_eq!(handle.confirmed, Some(vec![paymux_core::ConfirmStep::Authorize]));
    let nameless = tried(AttemptState::Abandoned);
    let by_reference = lookup(&nameless, &nameless.attempts[0]);
    assert!(matches!(by_reference, Some(PaymentLookup::Reference { .. })), "{by_reference:?}");
}

#[test]
fn an_answer_about_something_else_says_nothing() {
    let record = given_up();
    let attempt = &record.attempts[0];
    let lookup = lookup(&record, attempt).unwrap();
    let account_of = reads();
    let fits = |bend: fn(&mut Payment)| {
        let mut payment = crate::testing::seen(PaymentStatus::Succeeded);
        bend(&mut payment);
        is_about(attempt, &payment, &lookup, &account_of)
    };
    assert!(fits(|_| {}));
    assert!(!fits(|payment| payment.id = object("obj2")));
    assert!(!fits(|payment| payment.provider = account("b")));
    assert!(!fits(|payment| payment.live = Some(true)));
    assert!(!fits(|payment| {
        payment.reference = Some(paymux_core::Reference::new("another").unwrap());
    }));
}
