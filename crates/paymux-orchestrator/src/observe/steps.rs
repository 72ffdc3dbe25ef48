//! What the state of a payment tells of the steps that are in doubt.

use paymux_core::{
    Money, NextAction, Part, Payment, PaymentStatus, ProviderPartId, Refund, RefundStatus,
};

use crate::{
    record::{Attempt, AttemptState, Intent, PaymentRecord},
    settle::{Context, close},
};

/// Steps in doubt are settled by the state they were meant to lead to.
pub(super) fn settle_steps(record: &mut PaymentRecord, seen: &Payment, context: &Context<'_>) {
    let unsure: Vec<u32> = record
        .attempts
        .iter()
        .filter(|attempt| {
            let unknown = attempt.state == AttemptState::Unknown && !attempt.is_create();
            // A refund without an id of its own is told by the payment's amounts.
            let nameless = attempt.refund.as_ref().is_some_and(|refund| refund.id.is_none());
            unknown || (nameless && attempt.is_refund_under_way())
        })
        .map(|attempt| attempt.no)
        .collect();
    for no in unsure {
        let Some(attempt) = record.attempt_mut(no) else { continue };
        if attempt.sent_at.is_some_and(|sent| context.asked_at < sent) {
            continue;
        }
        match happened(attempt, seen) {
            Happened::Yes => {
                if matches!(attempt.intent, Intent::Refund(_)) {
                    let mut refund = Refund::new(RefundStatus::Succeeded, &*seen.provider_status);
                    refund.amount = attempt.reserved;
                    attempt.refund = Some(refund);
                }
                close(record, no, AttemptState::Accepted, context.now);
            }
            // The call may still be under way there: only a look that comes after its time shows
            // that nothing was done.
            Happened::NotYet => {
                let sent = attempt.doubtful_send_at.or(attempt.sent_at).unwrap_or(context.now);
                attempt.seen_unchanged = context.asked_at >= sent.after(context.call_limit);
            }
            Happened::CannotTell => {}
        }
    }
}

enum Happened {
    Yes,
    NotYet,
    /// Nothing is said of what it would have changed.
    CannotTell,
}

/// Did a step happen, by the state of the payment after it?
fn happened(attempt: &Attempt, seen: &Payment) -> Happened {
    let before = attempt.amount_before;
    let unchanged = match &attempt.intent {
        Intent::Create(_) => false,
        Intent::Confirm(confirm) => {
            seen.status == PaymentStatus::RequiresConfirmation
                && matches!(
                    seen.next_action,
                    Some(NextAction::Confirm { step }) if step == confirm.step
                )
        }
        Intent::Capture(capture) => match part(seen, capture.part.as_ref()) {
            Some(part) => part.status == PaymentStatus::Authorized,
            None if seen.status != PaymentStatus::Authorized => false,
            // A payment that was taken in part may go on looking held.
            None if capture.amount.is_some() && seen.amounts.captured.is_none() => {
                return Happened::CannotTell;
            }
            None => seen.amounts.captured == before,
        },
        Intent::Cancel(cancel) => match part(seen, cancel.part.as_ref()) {
            Some(part) => !part.status.is_final(),
            None => !seen.status.is_final(),
        },
        Intent::Refund(_) => {
            let target = attempt.reserved.and_then(|amount| {
                before.unwrap_or_else(|| Money::zero(amount.currency())).checked_add(amount)
            });
            match (seen.amounts.refunded, target) {
                (Some(refunded), Some(target)) => refunded < target,
                _ => return Happened::CannotTell,
            }
        }
    };
    if unchanged { Happened::NotYet } else { Happened::Yes }
}

fn part<'a>(seen: &'a Payment, id: Option<&ProviderPartId>) -> Option<&'a Part> {
    seen.parts.iter().find(|part| Some(&part.id) == id)
}
