//! What waits, for how long, and what of it is settled when the answer is there.

use paymux_core::Operation;

use super::*;
use crate::health::{Refusal, RefusedFor, kept_back};

#[test]
fn nothing_is_tried_sooner_than_its_provider_asks() {
    let wait = Duration::from_secs(30);
    let busy = |effect, offered| {
        let error = Error::new(ErrorKind::Conflict, effect, "this key is in use")
            .with_retryable(true)
            .with_offered(offered)
            .with_retry_after(Some(wait));
        Outcome::Fault(Box::new(Fault::from(&error)))
    };
    let create = settled(tried(AttemptState::Sending), 1, busy(Effect::Possible, true));
    assert_eq!(create.attempts[0].next_try_at, Some(at(31)));
    let mut record = accepted(PaymentStatus::Authorized);
    push(&mut record, capture(), AttemptState::Sending);
    let step = settled(record, 2, busy(Effect::None, true));
    assert!(step.attempts[1].next_try_at >= Some(at(31)), "{:?}", step.attempts[1]);
    // The caller reads of it, too.
    let fault = create.attempts[0].fault.as_ref().unwrap();
    let error = fault.to_error(&account("a"), Operation::CreatePayment);
    assert_eq!((error.retry_after(), error.offered()), (Some(wait), Some(true)));
}

/// A node that does not know the account yet may have taken it up: others do.
#[test]
fn a_step_waits_a_day_for_an_account_that_is_gone() {
    let error = Error::new(ErrorKind::Configuration, Effect::None, "gone");
    let fault = Fault::from(&error);
    for intent in [confirm(ConfirmStep::Commit), capture(), cancel(), refund()] {
        let mut record = accepted(PaymentStatus::Authorized);
        record.cancel_wanted = matches!(intent, Intent::Cancel(_));
        let is_refund = matches!(intent, Intent::Refund(_));
        push(&mut record, intent, AttemptState::Intent);
        settle_without_account(&mut record, 2, &fault, at(0));
        assert_eq!(state(&record, 2), AttemptState::Intent);
        assert_eq!(record.attempts[1].next_try_at, Some(at(3_600)));
        settle_without_account(&mut record, 2, &fault, at(24 * 3_600));
        assert_eq!(state(&record, 2), AttemptState::NotSent);
        assert_eq!(record.is_under_review(ReviewReason::StepRefused), !is_refund);
        assert!(!record.cancel_wanted);
    }
}

/// Our own limits say nothing about the attempt.
#[test]
fn what_is_kept_back_here_waits_and_is_as_it_was() {
    let random = SeededRandom::new(1);
    for (wait, expected) in [(None, 6), (Some(2), 6), (Some(30), 31), (Some(1_000_000), 86_401)] {
        let error = Error::new(ErrorKind::RateLimited, Effect::None, "not sent")
            .with_retry_after(wait.map(Duration::from_secs));
        let mut record = tried(AttemptState::Unknown);
        record.attempts[0].seen_unchanged = true;
        let mut expected_attempt = record.attempts[0].clone();
        expected_attempt.next_try_at = Some(at(expected));
        put_off(&mut record.attempts[0], &error, at(1), &random);
        let (put_off, expected) = (&record.attempts[0], &expected_attempt);
        assert_eq!(format!("{put_off:?}"), format!("{expected:?}"), "{wait:?}");
    }
    // What a look said of a step is of before: it is not taken by that when it leaves.
    let error = Error::new(ErrorKind::RateLimited, Effect::None, "not sent");
    let mut record = accepted(PaymentStatus::Authorized);
    push(&mut record, capture(), AttemptState::Unknown);
    record.attempts[1].seen_unchanged = true;
    put_off(&mut record.attempts[1], &error, at(1), &random);
    assert!(!record.attempts[1].seen_unchanged);
    // And each time that it is kept back costs a look: it waits longer and longer, for minutes.
    record.attempts[1].rung = 0;
    let mut waited = Vec::new();
    for _ in 0..8 {
        put_off(&mut record.attempts[1], &error, at(1), &random);
        waited.push(record.attempts[1].next_try_at.unwrap().since(at(1)).as_secs());
    }
    assert!(waited[0] >= 4 && waited[3] >= 480 && waited[7] <= 720, "{waited:?}");
}

/// It was taken for lost while it was under way; what its own answer says is the proof.
#[test]
fn the_answer_to_the_only_send_settles_it_however_late_it_comes() {
    let never = capabilities(CreateEffect::MayCharge, Replay::Never, Replay::Never);
    let mut create = tried(AttemptState::Unknown);
    settled_at(&mut create, 1, declined(FailureKind::DeclinedHard), &never);
    assert_eq!((state(&create, 1), create.status), (AttemptState::Rejected, PaymentStatus::Failed));
    let mut record = accepted(PaymentStatus::Authorized);
    push(&mut record, capture(), AttemptState::Unknown);
    settled_at(&mut record, 2, fault(ErrorKind::Unavailable, Effect::None, true), &never);
    let attempt = &record.attempts[1];
    assert_eq!((attempt.state, attempt.doubted), (AttemptState::Intent, false));
    // What may have been done is in doubt as ever.
    let mut lost = tried(AttemptState::Unknown);
    settled_at(&mut lost, 1, fault(ErrorKind::Timeout, Effect::Possible, true), &never);
    assert_eq!(state(&lost, 1), AttemptState::Unknown);
}

#[test]
fn what_was_refused_is_no_question_once_it_was_taken_or_given_up() {
    let asked = |intent| {
        let mut record = accepted(PaymentStatus::RequiresConfirmation);
        push(&mut record, intent, AttemptState::Sending);
        let record = settled(record, 2, declined(FailureKind::DeclinedHard));
        assert!(record.is_under_review(ReviewReason::StepRefused));
        record
    };
    let first = || confirm(ConfirmStep::Authorize);
    let table = [
        (first(), confirm(ConfirmStep::Authorize), true),
        (first(), confirm(ConfirmStep::Commit), true),
        (capture(), confirm(ConfirmStep::Commit), false),
        (cancel(), capture(), false),
    ];
    for (refused, taken, answered) in table {
        let mut record = asked(refused);
        push(&mut record, taken, AttemptState::Sending);
        close(&mut record, 3, AttemptState::Accepted, at(2));
        assert_eq!(record.is_under_review(ReviewReason::StepRefused), !answered);
    }
    // What is shown by the attempt that opened it is answered by a step, and by no refund.
    for (taken, answered) in [(confirm(ConfirmStep::Commit), true), (refund(), false)] {
        let mut record = accepted(PaymentStatus::RequiresConfirmation);
        let (reason, note) = (ReviewReason::StepRefused, String::new());
        record.add_review(Review { reason, attempt: Some(1), note, since: at(0) });
        push(&mut record, taken, AttemptState::Sending);
        close(&mut record, 2, AttemptState::Accepted, at(2));
        assert_eq!(record.is_under_review(ReviewReason::StepRefused), !answered);
    }
    let mut given_up = asked(first());
    abandon(&mut given_up, 1, at(2));
    assert!(given_up.reviews.is_empty(), "the next account does not wait for an answer");
}

#[test]
fn negatives_count_from_the_send_of_what_is_frozen() {
    let mut record = tried(AttemptState::Sending);
    record.attempts[0].sent_at = Some(at(50));
    freeze(&mut record, 1, ReviewReason::Mismatch, String::new(), at(60));
    assert_eq!(record.attempts[0].doubtful_send_at, Some(at(50)));
}

/// A great many wait behind an account that is not well, and one at a time is asked: whoever was
/// not is looked for within minutes of its turn, and not after hours.
#[test]
fn a_look_that_is_kept_back_here_waits_for_minutes_at_most() {
    let random = SeededRandom::new(1);
    let refusal = Refusal { why: RefusedFor::BreakerOpen, until: None };
    let error = refusal.to_error(&account("a"), at(0));
    assert!(kept_back(&error));
    assert!(!kept_back(&Error::new(ErrorKind::Unavailable, Effect::None, "no connection")));
    let mut record = tried(AttemptState::Unknown);
    let attempt = &mut record.attempts[0];
    for _ in 0..20 {
        wait(attempt, &error, at(0), &random);
    }
    assert!(attempt.next_try_at > Some(at(450)) && attempt.next_try_at < Some(at(750)));
    // Those that were asked in vain go on, and are not called back.
    for _ in 0..3 {
        climb(attempt, &error, at(0), &random);
    }
    let rung = attempt.rung;
    wait(attempt, &error, at(0), &random);
    assert_eq!(attempt.rung, rung);
    assert!(attempt.next_try_at < Some(at(750)));
}

/// What goes on by itself while a person is asked has answered itself once it is over. A payment that
/// was found is not: whether it is the one that was asked for is still to be said.
#[test]
fn what_did_not_fit_is_no_question_once_it_is_over() {
    let over = [
        AttemptState::NotSent,
        AttemptState::Rejected,
        AttemptState::NotCharged,
        AttemptState::Abandoned,
        AttemptState::Accepted,
    ];
    for state in over {
        for intent in [None, Some(capture()), Some(refund())] {
            let is_create = intent.is_none();
            let mut record = tried(AttemptState::Unknown);
            if let Some(intent) = intent {
                record = accepted(PaymentStatus::Authorized);
                push(&mut record, intent, AttemptState::Unknown);
            }
            let no = record.attempts.last().unwrap().no;
            for attempt in [Some(no), Some(7), None] {
                let (reason, note) = (ReviewReason::Mismatch, String::new());
                record.reviews.push(Review { reason, attempt, note, since: at(0) });
            }
            close(&mut record, no, state, at(1));
            let stays = is_create && state == AttemptState::Accepted;
            let left: Vec<_> = record.reviews.iter().map(|review| review.attempt).collect();
            let others = [Some(7), None];
            assert_eq!(left.contains(&Some(no)), stays, "{state:?}, attempt {no}");
            assert!(left.ends_with(&others), "{state:?}: {left:?}");
        }
    }
}

/// Only where its key, or its reference, stands for one thing at its provider can it stand for
/// another, and only the provider's own word about the one or the other says that it does.
#[test]
fn a_conflict_is_about_a_key_only_where_there_is_one() {
    let used = |field: &str| {
        let error = Error::new(ErrorKind::Conflict, Effect::Possible, "used").with_code("CONFLICT");
        let error = if field.is_empty() { error } else { error.with_field(field) };
        Outcome::Fault(Box::new(Fault::from(&error)))
    };
    let all =
        [key_replay(), Replay::Reference, Replay::Harmless, Replay::LookupFirst, Replay::Never];
    for replay in all {
        for field in ["key", "reference", ""] {
            let account = capabilities(CreateEffect::MayCharge, replay, replay);
            let mut create = tried(AttemptState::Sending);
            settled_at(&mut create, 1, used(field), &account);
            let mut step = accepted(PaymentStatus::Succeeded);
            push(&mut step, refund(), AttemptState::Sending);
            settled_at(&mut step, 2, used(field), &account);
            let remembers = matches!(replay, Replay::Key { .. } | Replay::Reference);
            let expected = remembers && !field.is_empty();
            for record in [create, step] {
                let attempt = record.attempts.last().unwrap();
                assert_eq!(attempt.state, AttemptState::Unknown);
                assert_eq!(attempt.key_used, expected, "{replay:?} {field}");
                assert_eq!(record.is_under_review(ReviewReason::Mismatch), expected);
            }
        }
    }
}
