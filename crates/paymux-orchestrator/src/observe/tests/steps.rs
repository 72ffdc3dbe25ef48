//! What a state proves about a step in doubt, for it and against it.

use paymux_core::PaymentStatus as Status;

use super::*;

const UNKNOWN: AttemptState = AttemptState::Unknown;
const DONE: AttemptState = AttemptState::Accepted;
const NOT_DONE: AttemptState = AttemptState::Rejected;

fn state_after(mut record: PaymentRecord, intent: Intent, payment: Payment) -> AttemptState {
    push(&mut record, intent, UNKNOWN);
    record.attempts[1].amount_before =
        record.provider.as_ref().and_then(|payment| payment.amounts.captured);
    observed(&mut record, payment, Source::Asked);
    record.attempts[1].state
}

#[test]
fn a_state_that_a_step_does_not_lead_to_is_no_proof_of_it() {
    let commit = || confirm(ConfirmStep::Commit);
    let table = [
        (commit(), Status::RequiresAction, DONE),
        (commit(), Status::Authorized, DONE),
        (commit(), Status::Failed, DONE),
        (commit(), Status::Cancelled, NOT_DONE),
        (commit(), Status::Expired, NOT_DONE),
        (capture(), Status::Processing, DONE),
        (capture(), Status::PartiallyPaid, DONE),
        (capture(), Status::RequiresAction, UNKNOWN),
        (capture(), Status::Cancelled, NOT_DONE),
        (capture(), Status::Expired, NOT_DONE),
        (capture(), Status::Failed, NOT_DONE),
        (cancel(), Status::Expired, DONE),
        (cancel(), Status::Failed, DONE),
        (cancel(), Status::Succeeded, NOT_DONE),
    ];
    for (intent, word, expected) in table {
        let before = match &intent {
            Intent::Confirm(_) => Status::RequiresConfirmation,
            Intent::Create(_) | Intent::Capture(_) | Intent::Cancel(_) | Intent::Refund(_) => {
                Status::Authorized
            }
        };
        let words = intent.in_words();
        let state = state_after(accepted(before), intent, seen(word));
        assert_eq!(state, expected, "{words}, then {word}");
    }
}

/// Where the figures say it, they count: a part was taken before, and now the rest, or none of it.
#[test]
fn what_was_taken_tells_of_a_capture() {
    let table = [
        (None, Status::Succeeded, Some(1_000), DONE),
        (None, Status::Succeeded, None, DONE),
        (Some(400), Status::Succeeded, Some(1_000), DONE),
        (Some(400), Status::Succeeded, Some(400), NOT_DONE),
        (Some(400), Status::Cancelled, Some(400), NOT_DONE),
        (Some(400), Status::Expired, Some(900), DONE),
        (None, Status::Cancelled, Some(600), DONE),
        (Some(400), Status::PartiallyPaid, Some(700), DONE),
        (Some(400), Status::PartiallyPaid, Some(400), UNKNOWN),
        (Some(400), Status::Processing, Some(400), DONE),
    ];
    for (before, word, now, expected) in table {
        let mut record = accepted(Status::Authorized);
        record.provider.as_mut().unwrap().amounts.captured = before.map(eur);
        let mut payment = seen(word);
        payment.amounts.captured = now.map(eur);
        let state = state_after(record, capture(), payment);
        assert_eq!(state, expected, "{before:?}, then {now:?} and {word}");
    }
}

#[test]
fn a_part_tells_of_its_steps_only_what_its_state_proves() {
    let id = ProviderPartId::new("p1").unwrap();
    let table = [
        (Status::Succeeded, DONE, NOT_DONE),
        (Status::Processing, DONE, UNKNOWN),
        (Status::Cancelled, NOT_DONE, DONE),
        (Status::Expired, NOT_DONE, DONE),
        (Status::Unknown, UNKNOWN, UNKNOWN),
    ];
    for (status, captured, cancelled) in table {
        for (mut intent, expected) in [(capture(), captured), (cancel(), cancelled)] {
            match &mut intent {
                Intent::Cancel(request) => request.part = Some(id.clone()),
                Intent::Capture(request) => request.part = Some(id.clone()),
                Intent::Create(_) | Intent::Confirm(_) | Intent::Refund(_) => {}
            }
            let words = intent.in_words();
            let mut payment = seen(Status::Authorized);
            payment.parts.push(Part::new(id.clone(), status, "a word"));
            let state = state_after(accepted(Status::Authorized), intent, payment);
            assert_eq!(state, expected, "{words} of a part that is {status}");
        }
    }
}

/// That it waits for another consent, or does not say for which, is none of this one.
#[test]
fn a_consent_is_told_by_the_step_that_comes_after_it() {
    use ConfirmStep::{Authorize, Commit};
    let table = [
        (Authorize, Some(Commit), DONE),
        (Authorize, Some(Authorize), UNKNOWN),
        (Commit, Some(Commit), UNKNOWN),
        (Commit, Some(Authorize), UNKNOWN),
        (Commit, None, UNKNOWN),
    ];
    for (consent, waits, expected) in table {
        let mut record = accepted(Status::RequiresConfirmation);
        record.provider.as_mut().unwrap().next_action = None;
        let mut payment = seen(Status::RequiresConfirmation);
        payment.next_action = waits.map(|step| NextAction::Confirm { step });
        let state = state_after(record, confirm(consent), payment);
        assert_eq!(state, expected, "{consent:?}, then {waits:?}");
    }
}

/// One part was taken before it could be ended, and the rest is still open.
#[test]
fn an_end_that_came_too_late_for_a_part_goes_to_a_person() {
    let id = ProviderPartId::new("p1").unwrap();
    for (whole, waits) in [(Status::PartiallyPaid, true), (Status::Succeeded, false)] {
        let mut record = accepted(Status::Authorized);
        record.cancel_wanted = true;
        let Intent::Cancel(mut end) = cancel() else { panic!("a cancellation") };
        end.part = Some(id.clone());
        push(&mut record, Intent::Cancel(end), UNKNOWN);
        let mut payment = seen(whole);
        payment.parts.push(Part::new(id.clone(), Status::Succeeded, "a word"));
        observed(&mut record, payment, Source::Asked);
        assert_eq!(record.attempts[1].state, NOT_DONE);
        assert_eq!(record.is_under_review(ReviewReason::StepRefused), waits, "{whole}");
        assert_eq!(record.cancel_wanted, !waits, "{whole}: it can be asked for again");
    }
}

/// That nothing was taken is no sign that something was.
#[test]
fn a_figure_of_nothing_is_no_capture() {
    let table = [
        (None, Some(0), UNKNOWN, true),
        (Some(0), Some(0), UNKNOWN, true),
        (None, Some(400), DONE, false),
        (Some(400), Some(400), UNKNOWN, true),
        (Some(400), Some(300), UNKNOWN, false),
        (Some(400), Some(700), DONE, false),
    ];
    for (before, now, expected, is_undone) in table {
        for amount in [None, Some(eur(400))] {
            let mut record = accepted(Status::Authorized);
            record.provider.as_mut().unwrap().amounts.captured = before.map(eur);
            let Intent::Capture(mut request) = capture() else { panic!("a capture") };
            request.amount = amount;
            let mut payment = seen(Status::Authorized);
            payment.amounts.captured = now.map(eur);
            push(&mut record, Intent::Capture(request), UNKNOWN);
            record.attempts[1].amount_before = before.map(eur);
            observed(&mut record, payment, Source::Asked);
            let Attempt { state, seen_unchanged, .. } = &record.attempts[1];
            let found = (*state, *seen_unchanged);
            assert_eq!(found, (expected, is_undone), "{before:?}, then {now:?}");
        }
    }
}

/// Each step that is waited for has its own beginning, and looks that show it again are none.
#[test]
fn since_when_our_consent_is_wanted_is_known() {
    let waits = |step| {
        let mut payment = seen(Status::RequiresConfirmation);
        payment.next_action = Some(NextAction::Confirm { step });
        payment
    };
    let mut record = accepted(Status::Processing);
    let (random, account) = (SeededRandom::new(1), charges());
    let mut since = |payment: Payment, second| {
        observe(&mut record, payment, &context(&account, &random, at(second)));
        record.consent_wanted_at
    };
    assert_eq!(since(waits(ConfirmStep::Authorize), 100), Some(at(100)));
    assert_eq!(since(waits(ConfirmStep::Authorize), 200), Some(at(100)));
    assert_eq!(since(waits(ConfirmStep::Commit), 300), Some(at(300)));
    assert_eq!(since(seen(Status::Authorized), 400), None);
}
