//! What the state of a payment tells of the steps that are in doubt.

use paymux_core::{
    ConfirmStep, Money, NextAction, Part, Payment, PaymentStatus, ProviderPartId, Refund,
    RefundStatus, Replay,
};

use super::refund::given_back;
use crate::{
    record::{Attempt, AttemptState, Intent, PaymentRecord, Review, ReviewReason},
    settle::{Context, close},
};

/// Steps in doubt are settled by the state they were meant to lead to: those of the payment, or the
/// refunds of what this attempt left at its account.
pub(crate) fn settle_steps(
    record: &mut PaymentRecord,
    left_by: Option<u32>,
    seen: &Payment,
    context: &Context<'_>,
) {
    let unsure: Vec<u32> = record
        .attempts
        .iter()
        .filter(|attempt| {
            let unknown = attempt.state == AttemptState::Unknown && !attempt.is_create();
            // A refund without an id of its own is told by the payment's amounts.
            let nameless = attempt.refund.as_ref().is_some_and(|refund| refund.id.is_none());
            attempt.gives_back == left_by
                && attempt.is_of(seen)
                && (unknown || (nameless && attempt.is_refund_under_way()))
        })
        .map(|attempt| attempt.no)
        .collect();
    for no in unsure {
        let Some(attempt) = record.attempt_mut(no) else { continue };
        if attempt.sent_at.is_some_and(|sent| context.asked_at < sent) {
            continue;
        }
        let once = context.capabilities.replay(attempt.intent.operation()) == Replay::Never;
        match happened(attempt, seen, once) {
            Happened::Yes => {
                if matches!(attempt.intent, Intent::Refund(_)) {
                    let mut refund = Refund::new(RefundStatus::Succeeded, &*seen.provider_status);
                    refund.amount = attempt.reserved;
                    attempt.refund = Some(refund);
                }
                given_back(record, no);
                close(record, no, AttemptState::Accepted, context.now);
            }
            // The call may still be under way there: only a look that comes after its time shows
            // that nothing was done.
            Happened::NotYet if !context.is_due => {}
            Happened::NotYet => {
                let sent = attempt.doubtful_send_at.or(attempt.sent_at).unwrap_or(context.now);
                attempt.seen_unchanged = context.asked_at >= sent.after(context.call_limit);
            }
            // It is over, and not by this step.
            Happened::No => {
                close(record, no, AttemptState::Rejected, context.now);
                end_refused(record, no, seen, context);
            }
            Happened::CannotTell => {}
        }
    }
}

/// A part was taken before it could be ended: what is left open is not ended by itself, and the end
/// can be asked for again.
fn end_refused(record: &mut PaymentRecord, no: u32, seen: &Payment, context: &Context<'_>) {
    let is_end = record.attempt(no).is_some_and(|it| matches!(it.intent, Intent::Cancel(_)));
    if !is_end || seen.status.is_final() {
        return;
    }
    record.cancel_wanted = false;
    let note = format!("what was to be ended was taken first; it is {}", seen.status);
    let reason = ReviewReason::StepRefused;
    record.add_review(Review { reason, attempt: Some(no), note, since: context.now });
}

enum Happened {
    Yes,
    /// And it cannot any more.
    No,
    NotYet,
    /// Nothing is said of what it would have changed.
    CannotTell,
}

/// Did a step happen, by the state of the payment after it? `once` says that it must never be taken
/// twice.
fn happened(attempt: &Attempt, seen: &Payment, once: bool) -> Happened {
    let before = attempt.amount_before;
    match &attempt.intent {
        Intent::Create(_) => Happened::Yes,
        Intent::Confirm(confirm) => confirmed(confirm.step, seen, once),
        Intent::Capture(capture) => match part(seen, capture.part.as_ref()) {
            Some(part) => captured(part.status, more_taken(None, part.amounts.captured)),
            None if is_left_out(seen, capture.part.as_ref()) => Happened::CannotTell,
            None if seen.status != PaymentStatus::Authorized => {
                captured(seen.status, more_taken(before, seen.amounts.captured))
            }
            // A payment that was taken in part may go on looking held.
            None if (capture.amount.is_some() || before.is_some())
                && seen.amounts.captured.is_none() =>
            {
                Happened::CannotTell
            }
            None => taken_while_held(before, seen.amounts.captured),
        },
        Intent::Cancel(cancel) => match part(seen, cancel.part.as_ref()) {
            Some(part) => ended(part.status),
            None if is_left_out(seen, cancel.part.as_ref()) => Happened::CannotTell,
            None => ended(seen.status),
        },
        Intent::Refund(_) => {
            let target = attempt.reserved.and_then(|amount| {
                before.unwrap_or_else(|| Money::zero(amount.currency())).checked_add(amount)
            });
            // What is missing may be on its way.
            match (seen.amounts.refunded, target) {
                (Some(refunded), Some(target)) if refunded >= target => Happened::Yes,
                _ => Happened::CannotTell,
            }
        }
    }
}

fn confirmed(step: ConfirmStep, seen: &Payment, once: bool) -> Happened {
    match (seen.status, &seen.next_action) {
        (PaymentStatus::RequiresConfirmation, Some(NextAction::Confirm { step: awaited })) => {
            match (step, awaited) {
                (ConfirmStep::Authorize, ConfirmStep::Commit) => Happened::Yes,
                (ConfirmStep::Commit, ConfirmStep::Authorize) => Happened::CannotTell,
                (ConfirmStep::Authorize, ConfirmStep::Authorize)
                | (ConfirmStep::Commit, ConfirmStep::Commit) => Happened::NotYet,
            }
        }
        (PaymentStatus::RequiresConfirmation | PaymentStatus::Unknown, _) => Happened::CannotTell,
        // What waits for our consent may look like that once it was begun.
        (PaymentStatus::Processing, _) if once => Happened::CannotTell,
        (PaymentStatus::Cancelled | PaymentStatus::Expired, _) => Happened::No,
        (
            PaymentStatus::RequiresAction
            | PaymentStatus::Processing
            | PaymentStatus::Authorized
            | PaymentStatus::PartiallyPaid
            | PaymentStatus::Succeeded
            | PaymentStatus::Failed,
            _,
        ) => Happened::Yes,
    }
}

/// By the status after a capture, and whether more is said to be taken than before it.
fn captured(status: PaymentStatus, more: Option<bool>) -> Happened {
    match status {
        // Another part of it was taken before.
        PaymentStatus::PartiallyPaid if more == Some(false) => Happened::CannotTell,
        PaymentStatus::Processing | PaymentStatus::PartiallyPaid => Happened::Yes,
        PaymentStatus::Succeeded if more == Some(false) => Happened::No,
        PaymentStatus::Succeeded => Happened::Yes,
        PaymentStatus::Cancelled | PaymentStatus::Expired | PaymentStatus::Failed => {
            if more == Some(true) { Happened::Yes } else { Happened::No }
        }
        PaymentStatus::Authorized => Happened::NotYet,
        PaymentStatus::RequiresAction
        | PaymentStatus::RequiresConfirmation
        | PaymentStatus::Unknown => Happened::CannotTell,
    }
}

/// By what is said to be taken of what is held all the same. Nobody unsays what was taken.
fn taken_while_held(before: Option<Money>, now: Option<Money>) -> Happened {
    let nothing = |now: Money| before.is_none() && now.is_zero();
    match more_taken(before, now) {
        Some(true) => Happened::Yes,
        _ if now == before || now.is_some_and(nothing) => Happened::NotYet,
        Some(false) | None => Happened::CannotTell,
    }
}

fn more_taken(before: Option<Money>, now: Option<Money>) -> Option<bool> {
    let now = now?;
    Some(now > before.unwrap_or_else(|| Money::zero(now.currency())))
}

fn ended(status: PaymentStatus) -> Happened {
    match status {
        PaymentStatus::Cancelled | PaymentStatus::Expired | PaymentStatus::Failed => Happened::Yes,
        PaymentStatus::Succeeded => Happened::No,
        PaymentStatus::RequiresAction
        | PaymentStatus::RequiresConfirmation
        | PaymentStatus::Processing
        | PaymentStatus::Authorized
        | PaymentStatus::PartiallyPaid
        | PaymentStatus::Unknown => Happened::NotYet,
    }
}

/// Is a part not mentioned, of a payment that is not over?
fn is_left_out(seen: &Payment, id: Option<&ProviderPartId>) -> bool {
    id.is_some() && !seen.status.is_final()
}

fn part<'a>(seen: &'a Payment, id: Option<&ProviderPartId>) -> Option<&'a Part> {
    seen.parts.iter().find(|part| Some(&part.id) == id)
}
