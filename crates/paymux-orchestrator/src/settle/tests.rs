use paymux_core::{
    ConfirmStep, CreateEffect, Money, Reference, RefundStatus, Replay, SeededRandom,
};

use super::*;
use crate::{
    routing::Elsewhere,
    testing::{
        KEY_TTL, accepted, account, at, cancel, capabilities, capture, confirm, context, eur,
        fault, key_replay, object, push, record, refund, seen, tried,
    },
};

mod again;
mod fits;
mod money;
mod waits;

fn charges() -> Capabilities {
    capabilities(CreateEffect::MayCharge, key_replay(), Replay::LookupFirst)
}

fn opens() -> Capabilities {
    capabilities(CreateEffect::OpensOnly, Replay::Harmless, Replay::Never)
}

/// Settles the attempt's last send at the first second.
fn settled(mut record: PaymentRecord, no: u32, outcome: Outcome) -> PaymentRecord {
    settled_at(&mut record, no, outcome, &charges());
    record
}

fn settled_at(record: &mut PaymentRecord, no: u32, outcome: Outcome, account: &Capabilities) {
    let random = SeededRandom::new(1);
    let send = record.attempt(no).unwrap().sends;
    settle(record, no, send, outcome, &context(account, &random, at(1)));
}

fn ok(status: PaymentStatus) -> Outcome {
    Outcome::Payment(Box::new(seen(status)))
}

fn declined(kind: FailureKind) -> Outcome {
    Outcome::Fault(Box::new(Fault::from(&Error::declined(Failure::new(kind)))))
}

fn state(record: &PaymentRecord, no: u32) -> AttemptState {
    record.attempt(no).unwrap().state
}

const KINDS: [ErrorKind; 13] = [
    ErrorKind::InvalidRequest,
    ErrorKind::Configuration,
    ErrorKind::Unsupported,
    ErrorKind::Unauthenticated,
    ErrorKind::PermissionDenied,
    ErrorKind::NotFound,
    ErrorKind::Conflict,
    ErrorKind::RateLimited,
    ErrorKind::Unavailable,
    ErrorKind::Timeout,
    ErrorKind::InvalidResponse,
    ErrorKind::InvalidSignature,
    ErrorKind::Unexpected,
];

/// Whatever the error is called: where something may have been done, it is in doubt.
#[test]
fn a_possible_effect_is_a_doubt_at_every_operation() {
    for kind in KINDS {
        for retryable in [false, true] {
            let lost = || fault(kind, Effect::Possible, retryable);
            let create = settled(tried(AttemptState::Sending), 1, lost());
            assert_eq!(state(&create, 1), AttemptState::Unknown, "{kind:?}");
            assert!(create.attempts[0].doubted);
            assert_eq!(create.attempts[0].next_try_at, Some(at(1)), "looked into at once");
            assert_eq!(create.status, PaymentStatus::Processing);
            let intents = [confirm(ConfirmStep::Commit), capture(), cancel(), refund()];
            for intent in intents {
                let mut record = accepted(PaymentStatus::Authorized);
                push(&mut record, intent, AttemptState::Sending);
                let record = settled(record, 2, lost());
                assert_eq!(state(&record, 2), AttemptState::Unknown, "{kind:?}");
                assert_eq!(record.status, PaymentStatus::Authorized);
            }
        }
    }
}

/// A refusal of a later send says nothing about an earlier one, but where a key ties them together.
#[test]
fn a_doubt_outlives_a_refusal_without_a_key_that_lives() {
    let errors_too = Replay::Key { ttl: KEY_TTL, max_len: 255, replays_errors: true };
    let table = [
        (key_replay(), 1, true),
        (key_replay(), 799, true),
        (key_replay(), 800, false),
        (errors_too, 1, false),
        (Replay::Reference, 1, false),
        (Replay::Harmless, 1, false),
        (Replay::LookupFirst, 1, false),
        (Replay::Never, 1, false),
    ];
    let random = SeededRandom::new(1);
    for (replay, second, speaks) in table {
        let account = capabilities(CreateEffect::MayCharge, replay, replay);
        let context = context(&account, &random, at(second));
        let refusals = KINDS.map(|kind| (fault(kind, Effect::None, false), kind));
        let hard = (declined(FailureKind::DeclinedHard), ErrorKind::Declined);
        for (refusal, kind) in refusals.into_iter().chain([hard]) {
            let mut record = tried(AttemptState::Sending);
            record.attempts[0].doubted = true;
            record.attempts[0].doubtful_send_at = Some(at(0));
            record.attempts[0].sends = 2;
            settle(&mut record, 1, 2, refusal, &context);
            let definite = matches!(kind, ErrorKind::Declined | ErrorKind::InvalidRequest);
            let over = speaks && definite;
            let expected = if over { AttemptState::Rejected } else { AttemptState::Unknown };
            assert_eq!(state(&record, 1), expected, "{kind:?} {replay:?} after {second} s");
            let status = if over { PaymentStatus::Failed } else { PaymentStatus::Processing };
            assert_eq!(record.status, status, "{kind:?} {replay:?} after {second} s");
        }
    }
}

#[test]
fn a_new_doubt_begins_to_count_negatives_anew() {
    let mut record = tried(AttemptState::Sending);
    record.attempts[0].not_found_at = vec![at(0)];
    record.attempts[0].sent_at = Some(at(1));
    let record = settled(record, 1, fault(ErrorKind::Timeout, Effect::Possible, true));
    assert!(record.attempts[0].not_found_at.is_empty());
    assert_eq!(record.attempts[0].doubtful_send_at, Some(at(1)));
}

#[test]
fn a_refused_create_goes_on_or_ends_by_its_reason() {
    let table = [
        (ErrorKind::InvalidRequest, false),
        (ErrorKind::Configuration, true),
        (ErrorKind::Unsupported, true),
        (ErrorKind::PermissionDenied, true),
        (ErrorKind::Unauthenticated, true),
        (ErrorKind::NotFound, true),
        (ErrorKind::Conflict, false),
        (ErrorKind::RateLimited, true),
        (ErrorKind::Unavailable, true),
    ];
    for (kind, goes_on) in table {
        for next in [true, false] {
            let mut record = tried(AttemptState::Sending);
            if !next {
                record.route.truncate(1);
            }
            let record = settled(record, 1, fault(kind, Effect::None, false));
            assert_eq!(state(&record, 1), AttemptState::Rejected, "{kind:?}");
            let open = goes_on && next;
            let expected = if open { PaymentStatus::Processing } else { PaymentStatus::Failed };
            assert_eq!(record.status, expected, "{kind:?}, another account: {next}");
            assert!(record.failure.is_some());
        }
    }
}

#[test]
fn a_decline_goes_elsewhere_only_when_it_is_soft_and_the_routes_say_so() {
    let table = [
        (FailureKind::Declined, true),
        (FailureKind::ProviderFault, true),
        (FailureKind::DeclinedHard, false),
        (FailureKind::InsufficientFunds, false),
        (FailureKind::Fraud, false),
        (FailureKind::Authentication, false),
        (FailureKind::InvalidMethod, false),
        (FailureKind::LimitExceeded, false),
        (FailureKind::MerchantBalance, false),
        (FailureKind::Unknown, false),
    ];
    for (kind, soft) in table {
        for policy in [Elsewhere::SoftDeclines, Elsewhere::Never] {
            let goes_on = soft && policy == Elsewhere::SoftDeclines;
            let expected = if goes_on { PaymentStatus::Processing } else { PaymentStatus::Failed };
            // As an error, and as an object that says so.
            let mut object = seen(PaymentStatus::Failed);
            object.failure = Some(Failure::new(kind));
            for outcome in [declined(kind), Outcome::Payment(Box::new(object))] {
                let mut record = tried(AttemptState::Sending);
                record.after_decline = policy;
                let record = settled(record, 1, outcome);
                assert_eq!(record.status, expected, "{kind:?} {policy:?}");
                assert_eq!(record.failure.as_ref().map(|failure| failure.kind), Some(kind));
                assert_eq!(record.live().is_some(), state(&record, 1).holds_slot());
            }
        }
    }
}

#[test]
fn what_never_left_is_known_as_such() {
    let error = Error::new(ErrorKind::Unavailable, Effect::None, "refused").with_offered(false);
    let outcome = Outcome::Fault(Box::new(Fault::from(&error)));
    assert_eq!(state(&settled(tried(AttemptState::Sending), 1, outcome), 1), AttemptState::NotSent);
}

#[test]
fn a_stale_token_is_tried_again_once() {
    let stale = || fault(ErrorKind::Unauthenticated, Effect::None, true);
    let mut record = settled(tried(AttemptState::Sending), 1, stale());
    assert_eq!(state(&record, 1), AttemptState::Intent);
    mark_sending(&mut record, 1, at(1));
    let record = settled(record, 1, stale());
    assert_eq!(state(&record, 1), AttemptState::Rejected);
}

#[test]
fn a_step_waits_for_its_account_to_be_well_but_not_for_ever() {
    let mut record = accepted(PaymentStatus::Authorized);
    push(&mut record, capture(), AttemptState::Sending);
    for _ in 0..MOST_REPETITIONS - 1 {
        record = settled(record, 2, fault(ErrorKind::Unavailable, Effect::None, true));
        assert_eq!(state(&record, 2), AttemptState::Intent);
        assert!(record.attempts[1].next_try_at > Some(at(1)));
        mark_sending(&mut record, 2, at(1));
    }
    let record = settled(record, 2, fault(ErrorKind::Unavailable, Effect::None, true));
    assert_eq!(state(&record, 2), AttemptState::Rejected);
    assert_eq!(record.status, PaymentStatus::Authorized);
}

#[test]
fn an_error_of_an_older_send_says_nothing() {
    let random = SeededRandom::new(1);
    let charges = charges();
    let context = context(&charges, &random, at(1));
    let mut record = tried(AttemptState::Sending);
    mark_sending(&mut record, 1, at(1));
    settle(&mut record, 1, 1, declined(FailureKind::Declined), &context);
    assert_eq!(state(&record, 1), AttemptState::Sending);
    // An object counts, whichever send it came of.
    settle(&mut record, 1, 1, ok(PaymentStatus::RequiresAction), &context);
    assert_eq!(state(&record, 1), AttemptState::Accepted);
    // And what is closed stays closed.
    settle(&mut record, 1, 2, declined(FailureKind::Declined), &context);
    assert_eq!(state(&record, 1), AttemptState::Accepted);
}

/// A charge that is declined goes elsewhere only where nobody can pay what is left behind.
#[test]
fn a_declined_step_leaves_nothing_behind_that_can_be_paid() {
    let waiting = || {
        let mut record = accepted(PaymentStatus::RequiresConfirmation);
        push(&mut record, confirm(ConfirmStep::Commit), AttemptState::Sending);
        record
    };
    let declined_at = |mut record: PaymentRecord, account: &Capabilities, kind| {
        settled_at(&mut record, 2, declined(kind), account);
        record
    };
    let gone = declined_at(waiting(), &opens(), FailureKind::Declined);
    assert_eq!(state(&gone, 1), AttemptState::Abandoned);
    assert!(gone.provider.is_none() && gone.status == PaymentStatus::Processing);
    assert_eq!((gone.next_look_at, gone.looked_at, gone.looks), (None, None, 0));

    let mut shown = waiting();
    shown.link_shown = true;
    let mut nowhere = waiting();
    nowhere.route.truncate(1);
    let mut on_its_way = waiting();
    on_its_way.provider.as_mut().unwrap().status = PaymentStatus::Processing;
    let stay = [
        declined_at(shown, &opens(), FailureKind::Declined),
        declined_at(nowhere, &opens(), FailureKind::Declined),
        declined_at(on_its_way, &opens(), FailureKind::Declined),
        declined_at(waiting(), &charges(), FailureKind::Declined),
        declined_at(waiting(), &opens(), FailureKind::DeclinedHard),
    ];
    for record in stay {
        assert_eq!(state(&record, 1), AttemptState::Accepted);
        assert_eq!(state(&record, 2), AttemptState::Rejected);
        assert_eq!(record.status, PaymentStatus::RequiresConfirmation);
        assert!(record.failure.is_some());
    }
}

#[test]
fn a_refused_step_is_looked_into_when_the_provider_knows_another_state() {
    for kind in [ErrorKind::Conflict, ErrorKind::NotFound] {
        let mut record = accepted(PaymentStatus::Authorized);
        push(&mut record, capture(), AttemptState::Sending);
        let record = settled(record, 2, fault(kind, Effect::None, false));
        assert_eq!(record.next_look_at, Some(at(1)));
    }
}

#[test]
fn what_was_given_up_and_shows_money_goes_to_a_person() {
    let closed = [
        AttemptState::NotSent,
        AttemptState::Rejected,
        AttemptState::NotCharged,
        AttemptState::Abandoned,
    ];
    let table = [
        (PaymentStatus::Succeeded, true),
        (PaymentStatus::Authorized, true),
        (PaymentStatus::Processing, true),
        (PaymentStatus::PartiallyPaid, true),
        (PaymentStatus::RequiresAction, false),
        (PaymentStatus::RequiresConfirmation, false),
        (PaymentStatus::Cancelled, false),
        (PaymentStatus::Expired, false),
        (PaymentStatus::Failed, false),
        (PaymentStatus::Unknown, false),
    ];
    for before in closed {
        for (status, shows_money) in table {
            let record = settled(tried(before), 1, ok(status));
            assert_eq!(state(&record, 1), before);
            assert_eq!(record.is_under_review(ReviewReason::LateSuccess), shows_money, "{status}");
            assert_eq!(record.status, PaymentStatus::Processing);
        }
    }
    // So does the second object of a repeated call.
    let mut orphan = seen(PaymentStatus::Succeeded);
    orphan.id = object("obj2");
    let twice = accepted(PaymentStatus::RequiresAction);
    let record = settled(twice, 1, Outcome::Payment(Box::new(orphan)));
    assert!(record.is_under_review(ReviewReason::LateSuccess));
    assert_eq!(record.status, PaymentStatus::RequiresAction);
}

#[test]
fn a_doubt_that_clears_up_needs_no_person_any_more() {
    let mut record = tried(AttemptState::Unknown);
    let note = String::new();
    let reason = ReviewReason::StillInDoubt;
    record.add_review(Review { reason, attempt: Some(1), note, since: at(0) });
    let record = settled(record, 1, ok(PaymentStatus::Succeeded));
    assert!(record.reviews.is_empty() && record.is_paid());
}

#[test]
fn a_refund_is_kept_and_the_payment_is_read_again() {
    let mut record = accepted(PaymentStatus::Succeeded);
    push(&mut record, refund(), AttemptState::Sending);
    let row = Refund::new(RefundStatus::Processing, "on its way");
    let record = settled(record, 2, Outcome::Refund(Box::new(row)));
    assert_eq!(state(&record, 2), AttemptState::Accepted);
    assert_eq!(record.next_look_at, Some(at(1)));
}

#[test]
fn an_account_that_is_gone_ends_what_never_left_and_keeps_a_doubt() {
    let error = Error::new(ErrorKind::Configuration, Effect::None, "gone");
    let fault = Fault::from(&error);
    let mut fresh = tried(AttemptState::Intent);
    settle_without_account(&mut fresh, 1, &fault, at(0));
    assert_eq!(state(&fresh, 1), AttemptState::NotSent);
    let mut doubted = tried(AttemptState::Unknown);
    settle_without_account(&mut doubted, 1, &fault, at(0));
    assert_eq!(state(&doubted, 1), AttemptState::Unknown);
    assert_eq!(doubted.attempts[0].next_try_at, Some(at(3_600)));
}

#[test]
fn what_is_final_is_not_made_anything_else() {
    for status in [PaymentStatus::Succeeded, PaymentStatus::Cancelled, PaymentStatus::Expired] {
        let mut record = record();
        record.status = status;
        for next in [PaymentStatus::Processing, PaymentStatus::Failed] {
            record.move_to(next);
            assert_eq!(record.status, status);
        }
        let mut record = tried(AttemptState::Sending);
        record.status = status;
        record.route.truncate(1);
        let record = settled(record, 1, fault(ErrorKind::Unavailable, Effect::None, false));
        assert_eq!(record.status, status);
    }
}

#[test]
fn a_charge_that_failed_for_good_there_may_go_elsewhere() {
    let mut record = accepted(PaymentStatus::RequiresConfirmation);
    push(&mut record, confirm(ConfirmStep::Commit), AttemptState::Sending);
    let mut object = seen(PaymentStatus::Failed);
    object.failure = Some(Failure::new(FailureKind::Declined));
    let record = settled(record, 2, Outcome::Payment(Box::new(object)));
    assert_eq!(state(&record, 1), AttemptState::Rejected);
    assert!(record.live().is_none() && record.provider.is_none());
    assert_eq!(record.status, PaymentStatus::Processing);
}

#[test]
fn a_refused_step_is_shown_to_a_person_and_a_refused_end_can_be_asked_for_again() {
    for intent in [confirm(ConfirmStep::Commit), capture(), cancel()] {
        let mut record = accepted(PaymentStatus::Authorized);
        record.cancel_wanted = matches!(intent, Intent::Cancel(_));
        push(&mut record, intent, AttemptState::Sending);
        let record = settled(record, 2, declined(FailureKind::DeclinedHard));
        assert!(record.is_under_review(ReviewReason::StepRefused));
        assert!(!record.cancel_wanted);
    }
}
