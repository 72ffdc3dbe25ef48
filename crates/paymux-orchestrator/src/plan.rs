//! What has to be done next about a payment. Pure: a function of the record, the account and the
//! time, so that any process can go on where another one stopped.

use std::time::Duration;

use paymux_core::{
    Capabilities, CaptureChoice, CaptureMethod, ConfirmStep, NextAction, Operation, PaymentStatus,
    ProviderId, ProviderPartId, Replay, Timestamp,
};

use crate::{
    ConfirmBy,
    ladder::{ASKED_AGAIN_AFTER, LOOKS_IN_A_MONTH, NEGATIVES_NEEDED, PARK_AFTER},
    record::{Attempt, AttemptState, Intent, PaymentRecord, ReviewReason},
    settle::may_abandon,
    watch,
};

/// The most cancel calls that are made for one payment: each ends one thing that was open.
const MAX_CANCELS: usize = 6;

/// What has to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// Send this attempt, for the first time or again.
    Send(u32),
    /// It has been on its way for longer than a call can take: it is in doubt.
    Doubt(u32),
    /// Ask the account for the payment.
    LookUp,
    /// Ask the account for the payment of this attempt by our reference.
    LookUpReference(u32),
    /// Ask the account for the refund of this attempt.
    LookUpRefund(u32),
    /// It was looked for often enough: the provider does not have it.
    NotCharged(u32),
    /// Give this attempt up, since nobody can pay what it may have opened.
    Abandon(u32),
    /// Nothing that may be tried says more: show it to a person, and go on looking.
    Park(u32, ReviewReason),
    /// It is not wanted any more, and has not left.
    Withdraw(u32),
    /// Nothing changed; climb the next rung.
    Climb(u32),
    /// Look again at this attempt, which was given up: money may show late.
    Watch(u32),
    /// Open it at the next account.
    Create(ProviderId),
    /// Consent to this step.
    Confirm(ConfirmStep),
    /// Take what is held.
    Capture(Option<ProviderPartId>),
    /// End what is open.
    Cancel(Option<ProviderPartId>),
    /// It ended before any provider had it.
    EndHere,
    /// Nothing before this moment.
    Wait(Timestamp),
    /// Nothing any more.
    Done,
}

/// What the plan needs to know beyond the record.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) now: Timestamp,
    /// What an account can do; `None` for one that is no longer configured.
    pub(crate) capabilities: &'a dyn Fn(&ProviderId) -> Option<&'a Capabilities>,
    /// The longest that a call can be under way.
    pub(crate) call_limit: Duration,
}

/// What has to be done next about this payment.
pub(crate) fn next_move(record: &PaymentRecord, view: &View<'_>) -> Move {
    let step = about_payment(record, view);
    let Some((moment, no)) = watch::next(record, view) else { return step };
    // Whatever else there is to do comes first.
    if !matches!(step, Move::Wait(_) | Move::Done) {
        return step;
    }
    if moment <= view.now {
        return Move::Watch(no);
    }
    if let Move::Wait(other) = step { Move::Wait(other.min(moment)) } else { Move::Wait(moment) }
}

fn about_payment(record: &PaymentRecord, view: &View<'_>) -> Move {
    if let Some(attempt) = record.open_attempt() {
        return about_open(record, attempt, view);
    }
    if let Some(refund) = record.attempts.iter().find(|attempt| attempt.is_refund_under_way()) {
        let look = at(record.next_look_at, view, look_at_refund(refund, view));
        return without_end(record, refund.no).unwrap_or(look);
    }
    if record.status.is_final() {
        return after_the_end(record, view);
    }
    if record.live().is_none() {
        return without_account(record);
    }
    step_of_ours(record, view).unwrap_or_else(|| poll(record, view))
}

fn about_open(record: &PaymentRecord, attempt: &Attempt, view: &View<'_>) -> Move {
    match attempt.state {
        AttemptState::Intent if is_unwanted(record, attempt) => Move::Withdraw(attempt.no),
        AttemptState::Intent => at(attempt.next_try_at, view, Move::Send(attempt.no)),
        AttemptState::Sending => {
            let given_up = attempt.sent_at.unwrap_or(attempt.created_at).after(view.call_limit);
            at(Some(given_up), view, Move::Doubt(attempt.no))
        }
        AttemptState::Unknown => match attempt.next_try_at {
            // Frozen until a person has looked.
            None => Move::Done,
            Some(_) if goes_elsewhere_now(record, attempt, view) => Move::Abandon(attempt.no),
            Some(moment) if moment > view.now => Move::Wait(moment),
            Some(_) => out_of_doubt(record, attempt, view),
        },
        AttemptState::NotSent
        | AttemptState::Rejected
        | AttemptState::Accepted
        | AttemptState::NotCharged
        | AttemptState::Abandoned => Move::Done,
    }
}

/// What takes or holds money does not leave any more once the merchant wants an end, or once a
/// person has to say first what is true.
fn is_unwanted(record: &PaymentRecord, attempt: &Attempt) -> bool {
    (record.cancel_wanted || must_not_take(record)) && takes_money(attempt) && !attempt.doubted
}

fn takes_money(attempt: &Attempt) -> bool {
    matches!(attempt.intent, Intent::Create(_) | Intent::Confirm(_) | Intent::Capture(_))
}

/// Does something wait for a person that more money must not be added to? Looking and ending go on.
pub(crate) fn must_not_take(record: &PaymentRecord) -> bool {
    record.reviews.iter().any(|review| match review.reason {
        ReviewReason::Mismatch
        | ReviewReason::Contradiction
        | ReviewReason::LateSuccess
        | ReviewReason::SharedObject => true,
        ReviewReason::StepRefused
        | ReviewReason::StillInDoubt
        | ReviewReason::UnreportedAmount
        | ReviewReason::ShortAmount
        | ReviewReason::NoEnd
        | ReviewReason::EndedWithMoney => false,
    })
}

/// After one repetition the payer does not wait for a provider that is not well, where nobody can
/// pay what it may have opened.
fn goes_elsewhere_now(record: &PaymentRecord, attempt: &Attempt, view: &View<'_>) -> bool {
    attempt.is_create()
        && attempt.rung >= 2
        && record.next_account().is_some()
        && (view.capabilities)(&attempt.account)
            .is_some_and(|capabilities| may_abandon(record, capabilities))
}

/// The ladder: the same call again where that is protected, else a look. A person is asked when it
/// has taken too long, and it goes on all the same.
fn out_of_doubt(record: &PaymentRecord, attempt: &Attempt, view: &View<'_>) -> Move {
    let step = match (view.capabilities)(&attempt.account) {
        None => Move::Climb(attempt.no),
        Some(capabilities) if attempt.is_create() => {
            out_of_doubt_create(record, attempt, capabilities, view)
        }
        Some(capabilities) => out_of_doubt_step(attempt, capabilities, view),
    };
    let since = attempt.first_sent_at.unwrap_or(attempt.created_at);
    let is_over = matches!(step, Move::NotCharged(_) | Move::Abandon(_));
    let overdue = view.now.since(since) >= PARK_AFTER;
    let reason = ReviewReason::StillInDoubt;
    let let_be = record.let_pass_at(reason, attempt.no);
    let let_be = let_be.is_some_and(|moment| view.now.since(moment) < ASKED_AGAIN_AFTER);
    if overdue && !is_over && !let_be && !record.is_under_review(reason) {
        return Move::Park(attempt.no, ReviewReason::StillInDoubt);
    }
    // Nobody waits for it any more: what might take money now is only looked for, until a person
    // wants it tried again.
    let too_late = overdue && attempt.rung > 0 && takes_money(attempt);
    if too_late && step == Move::Send(attempt.no) { Move::Climb(attempt.no) } else { step }
}

fn out_of_doubt_step(attempt: &Attempt, capabilities: &Capabilities, view: &View<'_>) -> Move {
    let no = attempt.no;
    let protected = is_protected(attempt, capabilities, view.now);
    let only_once = matches!(replay(attempt, capabilities), Replay::LookupFirst);
    if protected || (only_once && attempt.seen_unchanged) {
        return Move::Send(no);
    }
    // A look that was made since the last send, and showed nothing, has been made on this rung.
    if attempt.seen_unchanged { Move::Climb(no) } else { Move::LookUp }
}

fn out_of_doubt_create(
    record: &PaymentRecord,
    attempt: &Attempt,
    capabilities: &Capabilities,
    view: &View<'_>,
) -> Move {
    let no = attempt.no;
    let can_look = capabilities.reference_lookup.is_some();
    if can_look
        && attempt.not_found_at.len() >= NEGATIVES_NEEDED
        && negatives_count(attempt, capabilities, view)
    {
        return Move::NotCharged(no);
    }
    let nobody_can_pay = may_abandon(record, capabilities) && record.next_account().is_some();
    let protected = is_protected(attempt, capabilities, view.now);
    if can_look && !attempt.seen_unchanged {
        return Move::LookUpReference(no);
    }
    if protected {
        return Move::Send(no);
    }
    if nobody_can_pay {
        return Move::Abandon(no);
    }
    Move::Climb(no)
}

/// "Not found" counts when it was said again and again until after the time in which it may be
/// wrong.
fn negatives_count(attempt: &Attempt, capabilities: &Capabilities, view: &View<'_>) -> bool {
    let Some(window) = capabilities.reference_lookup else { return false };
    let sent = attempt.doubtful_send_at.unwrap_or(attempt.created_at);
    // The call may have been under way for as long as calls may be.
    let window = window + view.call_limit;
    let after_window =
        attempt.not_found_at.iter().filter(|moment| moment.since(sent) > window).count();
    after_window >= NEGATIVES_NEEDED
}

fn replay(attempt: &Attempt, capabilities: &Capabilities) -> Replay {
    capabilities.replay(attempt.intent.operation())
}

/// Can the same call be sent again whatever the first one did?
fn is_protected(attempt: &Attempt, capabilities: &Capabilities, now: Timestamp) -> bool {
    match replay(attempt, capabilities) {
        Replay::Key { ttl, .. } => {
            // A key is relied on for four fifths of the time the provider keeps it.
            attempt.first_sent_at.is_none_or(|sent| now.since(sent) < ttl / 5 * 4)
        }
        Replay::Reference | Replay::Harmless => true,
        Replay::LookupFirst | Replay::Never => false,
    }
}

/// By its own id where it has one that can be asked for, else by the payment's amounts.
fn look_at_refund(attempt: &Attempt, view: &View<'_>) -> Move {
    let has_id = attempt.refund.as_ref().is_some_and(|refund| refund.id.is_some());
    let can_ask = (view.capabilities)(&attempt.account)
        .is_some_and(|capabilities| capabilities.has(Operation::FetchRefund));
    if has_id && can_ask { Move::LookUpRefund(attempt.no) } else { Move::LookUp }
}

/// No account has it: the next one is asked, or it ends.
fn without_account(record: &PaymentRecord) -> Move {
    if record.cancel_wanted {
        return Move::EndHere;
    }
    if must_not_take(record) {
        return Move::Done;
    }
    record.next_account().map_or(Move::EndHere, |step| Move::Create(step.account.clone()))
}

/// A step that is the merchant's, and that we take for the merchant.
fn step_of_ours(record: &PaymentRecord, view: &View<'_>) -> Option<Move> {
    let payment = record.provider.as_ref()?;
    let capabilities = (view.capabilities)(&payment.provider)?;
    if record.cancel_wanted {
        return cancel(record, capabilities);
    }
    // After a refusal, and where a person opened it again, it is the merchant who goes on.
    let by_hand = record.steps_by_hand || record.is_under_review(ReviewReason::StepRefused);
    if must_not_take(record) || by_hand {
        return None;
    }
    match (record.status, &payment.next_action) {
        (PaymentStatus::RequiresConfirmation, Some(NextAction::Confirm { step }))
            if record.request.confirm == ConfirmBy::Orchestrator && !was_asked(record, *step) =>
        {
            Some(Move::Confirm(*step))
        }
        (PaymentStatus::Authorized, _)
            if record.request.capture == CaptureMethod::Automatic
                && capabilities.capture == CaptureChoice::Manual
                && capabilities.has(Operation::CapturePayment) =>
        {
            let part = held_part(record);
            (!capture_was_asked(record, part.as_ref())).then_some(Move::Capture(part))
        }
        _ => None,
    }
}

/// A step that was taken or refused once is not taken again by itself, under a new key: an answer
/// that still shows it open may be older than the step.
fn was_asked(record: &PaymentRecord, step: ConfirmStep) -> bool {
    record.attempts.iter().any(|attempt| {
        was_answered(record, attempt)
            && matches!(&attempt.intent, Intent::Confirm(confirm) if confirm.step == step)
    })
}

fn capture_was_asked(record: &PaymentRecord, part: Option<&ProviderPartId>) -> bool {
    record.attempts.iter().any(|attempt| {
        was_answered(record, attempt)
            && matches!(&attempt.intent, Intent::Capture(capture) if capture.part.as_ref() == part)
    })
}

/// Was it taken or refused by the account that has the payment now?
fn was_answered(record: &PaymentRecord, attempt: &Attempt) -> bool {
    Some(&attempt.account) == record.account()
        && matches!(
            attempt.state,
            AttemptState::Accepted | AttemptState::Rejected | AttemptState::NotSent
        )
}

/// The part that is held, where it is one.
pub(crate) fn held_part(record: &PaymentRecord) -> Option<ProviderPartId> {
    let parts = &record.provider.as_ref()?.parts;
    let mut held = parts.iter().filter(|part| part.status == PaymentStatus::Authorized);
    match (held.next(), held.next()) {
        (Some(part), None) => Some(part.id.clone()),
        _ => None,
    }
}

/// Ending a payment is a goal, not a call: the part that is held first, then the whole, until its
/// status is final.
fn cancel(record: &PaymentRecord, capabilities: &Capabilities) -> Option<Move> {
    if !capabilities.has(Operation::CancelPayment) {
        // What nobody can pay ends by being left alone.
        let live = record.live().filter(|_| may_abandon(record, capabilities));
        return live.map(|attempt| Move::Abandon(attempt.no));
    }
    let cancels: Vec<&Attempt> = record
        .attempts
        .iter()
        .filter(|attempt| matches!(attempt.intent, Intent::Cancel(_)))
        .collect();
    let refused = cancels.last().is_some_and(|attempt| {
        matches!(attempt.state, AttemptState::Rejected | AttemptState::NotSent)
    });
    // The whole was cancelled and is not ended yet: what that led to is seen first.
    let not_seen = cancels.last().is_some_and(|attempt| {
        matches!(&attempt.intent, Intent::Cancel(cancel) if cancel.part.is_none())
            && attempt.settled_at >= record.looked_at
    });
    if cancels.len() >= MAX_CANCELS || refused || not_seen {
        return None;
    }
    let part = held_part(record).filter(|part| {
        !cancels.iter().any(|attempt| {
            matches!(&attempt.intent, Intent::Cancel(cancel) if cancel.part.as_ref() == Some(part))
        })
    });
    Some(Move::Cancel(part))
}

fn poll(record: &PaymentRecord, view: &View<'_>) -> Move {
    let live = record.live().map(|attempt| attempt.no);
    live.and_then(|no| without_end(record, no))
        .unwrap_or_else(|| at(record.next_look_at, view, Move::LookUp))
}

/// What was looked at for so long without a change is shown to a person.
fn without_end(record: &PaymentRecord, no: u32) -> Option<Move> {
    let for_long = record.looks > LOOKS_IN_A_MONTH;
    let park = Move::Park(no, ReviewReason::NoEnd);
    (for_long && !record.is_under_review(ReviewReason::NoEnd)).then_some(park)
}

/// A final payment is looked at only when something about it is to be settled.
fn after_the_end(record: &PaymentRecord, view: &View<'_>) -> Move {
    if record.next_look_at.is_none() || record.provider.is_none() {
        return Move::Done;
    }
    poll(record, view)
}

fn at(moment: Option<Timestamp>, view: &View<'_>, then: Move) -> Move {
    match moment {
        Some(moment) if moment > view.now => Move::Wait(moment),
        _ => then,
    }
}

#[cfg(test)]
mod tests;
