//! What is in doubt while something forbids that money is taken.

use paymux_core::{Effect, Error, ErrorKind};

use super::*;
use crate::{record::Fault, settle::Outcome};

const FORBIDDING: [ReviewReason; 4] = [
    ReviewReason::Mismatch,
    ReviewReason::Contradiction,
    ReviewReason::LateSuccess,
    ReviewReason::SharedObject,
];

/// In doubt, and forbidden by each thing that forbids it: the merchant's wish for an end, and
/// whatever a person has to say first.
fn forbidden(record: &PaymentRecord) -> Vec<PaymentRecord> {
    let mut unwanted = record.clone();
    unwanted.cancel_wanted = true;
    let reviewed = FORBIDDING.map(|reason| {
        let mut record = record.clone();
        parked(&mut record, reason);
        record
    });
    std::iter::once(unwanted).chain(reviewed).collect()
}

/// A step that was seen not to have happened is over where a look proves that; else it is only
/// looked for.
#[test]
fn a_step_in_doubt_takes_no_money_that_is_not_to_be_taken() {
    let table = [
        (Replay::LookupFirst, false, Move::LookUp),
        (Replay::LookupFirst, true, Move::NotCharged(2)),
        (key_replay(), false, Move::LookUp),
        (key_replay(), true, Move::Climb(2)),
        (Replay::Harmless, true, Move::Climb(2)),
        (Replay::Never, true, Move::Climb(2)),
    ];
    for (replay, seen_unchanged, expected) in table {
        let account = opens(Replay::Harmless, replay);
        for intent in [confirm(ConfirmStep::Commit), capture(), cancel(), refund()] {
            let mut record = accepted(PaymentStatus::Authorized);
            push(&mut record, intent, AttemptState::Unknown);
            record.attempts[1].seen_unchanged = seen_unchanged;
            let usual = next(&record, &account, 0);
            let takes = takes_money(&record.attempts[1]);
            for mut record in forbidden(&record) {
                let expected = if takes { &expected } else { &usual };
                let what = format!("{replay:?}, seen: {seen_unchanged}, {:?}", record.reviews);
                assert_eq!(next(&record, &account, 0), *expected, "{what}");
                // A person may want it tried all the same, where nobody has to say first what is
                // true.
                let expected = if record.cancel_wanted { &usual } else { expected };
                record.attempts[1].wanted_again = true;
                assert_eq!(next(&record, &account, 0), *expected, "{what}");
            }
        }
    }
}

/// A create that may charge is not made again; one that only holds or opens can be ended once it is
/// known.
#[test]
fn a_create_in_doubt_takes_no_money_that_is_not_to_be_taken() {
    let may = CreateEffect::MayCharge;
    let table = [
        (may, CaptureMethod::Automatic, Move::Climb(1)),
        (may, CaptureMethod::Manual, Move::Send(1)),
        (CreateEffect::OpensOnly, CaptureMethod::Automatic, Move::Send(1)),
    ];
    for (effect, method, once_unwanted) in table {
        let account = capabilities(effect, key_replay(), Replay::Never);
        let mut record = tried(AttemptState::Unknown);
        if let Intent::Create(create) = &mut record.attempts[0].intent {
            create.capture = method;
        }
        assert_eq!(next(&record, &account, 0), Move::Send(1));
        for mut record in forbidden(&record) {
            let expected = if record.cancel_wanted { &once_unwanted } else { &Move::Climb(1) };
            let what = format!("{effect:?} {method:?} {:?}", record.reviews);
            assert_eq!(next(&record, &account, 0), *expected, "{what}");
            let expected = if record.cancel_wanted { &Move::Send(1) } else { expected };
            record.attempts[0].wanted_again = true;
            assert_eq!(next(&record, &account, 0), *expected, "{what}");
        }
    }
}

/// The look that a person wanted first may fail: what they wanted is still wanted then.
#[test]
fn what_a_person_wants_again_is_wanted_until_it_is_sent() {
    let random = SeededRandom::new(1);
    let account = capabilities(CreateEffect::MayCharge, Replay::Reference, Replay::Never);
    let mut record = tried(AttemptState::Unknown);
    parked(&mut record, ReviewReason::StillInDoubt);
    record.attempts[0].wanted_again = true;
    let error = Error::new(ErrorKind::Unavailable, Effect::None, "not now");
    settle::climb(&mut record.attempts[0], &error, at(DAY), &random);
    assert_eq!(next(&record, &account, 2 * DAY), Move::Send(1));
    settle::mark_sending(&mut record, 1, at(2 * DAY));
    assert!(!record.attempts[0].wanted_again);
}

/// What an account does by now is nothing to what left before it was of another kind, or for other
/// money: that may have charged.
#[test]
fn what_left_to_an_account_of_another_kind_is_not_given_up() {
    let account = opens(Replay::Never, Replay::Never);
    let table = [
        ("test", false, Move::Abandon(1)),
        ("other", false, Move::Climb(1)),
        ("test", true, Move::Climb(1)),
    ];
    for (kind, live, expected) in table {
        let mut then = account.clone();
        (then.kind, then.live) = (kind, live);
        for rung in [0, 2] {
            let mut record = tried(AttemptState::Unknown);
            let attempt = &mut record.attempts[0];
            attempt.sent_as = SentAs::of(&attempt.intent, &then);
            attempt.rung = rung;
            assert_eq!(next(&record, &account, 0), expected, "{kind} {live} on rung {rung}");
        }
    }
}

/// What cannot be done because of the state of what is paid for is not asked of anybody else.
#[test]
fn nobody_else_is_asked_after_a_conflict() {
    let table = [
        (ErrorKind::Conflict, false, false),
        (ErrorKind::Conflict, true, true),
        (ErrorKind::Unavailable, true, true),
    ];
    for (kind, retryable, goes) in table {
        let error = Error::new(kind, Effect::Possible, "no").with_retryable(retryable);
        for (replay, rung) in [(Replay::Harmless, 2), (Replay::Never, 0)] {
            let account = opens(replay, Replay::Never);
            let (mut record, random) = (tried(AttemptState::Sending), SeededRandom::new(1));
            let outcome = Outcome::Fault(Box::new(Fault::from(&error)));
            settle::settle(&mut record, 1, 1, outcome, &context(&account, &random, at(0)));
            assert_eq!(record.attempts[0].state, AttemptState::Unknown);
            record.attempts[0].rung = rung;
            record.attempts[0].next_try_at = Some(at(0));
            let step = next(&record, &account, 0);
            assert_eq!(step == Move::Abandon(1), goes, "{kind:?} {retryable} {replay:?}");
        }
    }
}
