//! What has to be done next about a payment. Pure: a function of the record, the account and the
//! time, so that any process can go on where another one stopped.

use std::time::Duration;

use paymux_core::{
    Capabilities, CaptureChoice, CaptureMethod, ConfirmStep, NextAction, Operation, PaymentStatus,
    ProviderId, ProviderPartId, Timestamp,
};

use crate::{
    ConfirmBy,
    ladder::{LOOKS_IN_A_MONTH, PARK_AFTER},
    operate::{is_still_there, is_unseen},
    record::{Attempt, AttemptState, Intent, PaymentRecord, ReviewReason},
    settle::may_abandon,
    watch,
};

mod doubt;

use doubt::out_of_doubt;

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
    /// Ask the account for what an attempt left there that this refund gives back.
    LookUpLeft(u32),
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
    let giving_back = record.attempts.iter().find(|attempt| attempt.is_open_elsewhere());
    let giving_back = giving_back.map_or(Move::Done, |attempt| about_open(record, attempt, view));
    let watched = watch::next(record, view);
    let watched =
        watched.map_or(Move::Done, |(moment, no)| at(Some(moment), view, Move::Watch(no)));
    first(first(about_payment(record, view), giving_back), watched)
}

/// What is to be done about the one comes before what is to be done about the other.
fn first(one: Move, other: Move) -> Move {
    match (one, other) {
        (Move::Wait(one), Move::Wait(other)) => Move::Wait(one.min(other)),
        (Move::Wait(one), Move::Done) => Move::Wait(one),
        (Move::Wait(_) | Move::Done, other) => other,
        (one, _) => one,
    }
}

fn about_payment(record: &PaymentRecord, view: &View<'_>) -> Move {
    if let Some(attempt) = record.open_step() {
        return about_open(record, attempt, view);
    }
    if record.status.is_final() {
        return look_in_turn(record, view).unwrap_or_else(|| after_the_end(record, view));
    }
    // A refund can take days: an end of what is left does not wait for it, nor does anything for
    // what goes back elsewhere.
    let waits =
        record.attempts.iter().any(|it| it.is_refund_under_way() && it.gives_back.is_none());
    let goes_on = record.cancel_wanted || !waits;
    if record.live().is_none() {
        let step = if goes_on { without_account(record, view) } else { Move::Done };
        return first(step, look_in_turn(record, view).unwrap_or(Move::Done));
    }
    let step = step_of_ours(record, view).filter(|_| goes_on);
    step.or_else(|| look_in_turn(record, view)).unwrap_or_else(|| poll(record, view))
}

fn about_open(record: &PaymentRecord, attempt: &Attempt, view: &View<'_>) -> Move {
    match attempt.state {
        AttemptState::Intent if is_unwanted(record, attempt, view) => Move::Withdraw(attempt.no),
        // A step leaves once the person has said what is true.
        AttemptState::Intent if must_not_take(record) && takes_money(attempt) => poll(record, view),
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

/// What takes or holds money does not leave any more once the merchant wants an end. Nor is another
/// account asked once a person has to say first what is true, or nobody waits for it any more.
fn is_unwanted(record: &PaymentRecord, attempt: &Attempt, view: &View<'_>) -> bool {
    if attempt.doubted {
        return false;
    }
    // Nobody gives back what went back already, and nothing else is done to what is over.
    if matches!(attempt.intent, Intent::Refund(_)) {
        return !is_still_there(record, attempt);
    }
    let is_over = record.status.is_final() && !attempt.is_create();
    if is_over || !takes_money(attempt) {
        return is_over;
    }
    let late = too_late(record, attempt.created_at, view);
    record.cancel_wanted
        || match &attempt.intent {
            Intent::Create(_) => must_not_take(record) || late,
            Intent::Confirm(_) => late,
            Intent::Capture(_) | Intent::Cancel(_) | Intent::Refund(_) => false,
        }
}

/// Does nobody wait any more for what was to be done at that time? Nothing is opened or consented
/// to then.
fn too_late(record: &PaymentRecord, since: Timestamp, view: &View<'_>) -> bool {
    has_expired(record, view) || view.now.since(since) >= PARK_AFTER
}

/// Has the moment passed after which the merchant does not want it paid?
fn has_expired(record: &PaymentRecord, view: &View<'_>) -> bool {
    record.request.expires_at.is_some_and(|end| end <= view.now)
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
        && !attempt.in_conflict
        && attempt.rung >= 2
        && record.next_account().is_some()
        && (view.capabilities)(&attempt.account)
            .is_some_and(|capabilities| may_abandon(record, capabilities))
}

/// The refunds that are under way, and what they leave of the payment, each in its turn. `None`
/// where no refund is under way.
fn look_in_turn(record: &PaymentRecord, view: &View<'_>) -> Option<Move> {
    let under_way = || record.attempts.iter().filter(|attempt| attempt.is_refund_under_way());
    let refunds = under_way().count();
    if refunds == 0 {
        return None;
    }
    // One that is over has changed the amounts of what is final otherwise.
    let is_over = |attempt: &Attempt| {
        attempt.refund.as_ref().is_some_and(|refund| refund.status.is_final())
            && attempt.gives_back.is_none()
    };
    let changes = !record.status.is_final() || record.attempts.iter().any(is_over);
    let turns = refunds + usize::from(changes && record.provider.is_some());
    let turn = record.looks.wrapping_add(record.looks_kept_back);
    let turn = usize::try_from(turn).unwrap_or(0).checked_rem(turns)?;
    Some(under_way().nth(turn).map_or_else(
        || poll(record, view),
        |refund| {
            let look = at(record.next_look_at, view, look_at_refund(refund, view));
            without_end(record, refund.no).unwrap_or(look)
        },
    ))
}

/// By its own id where it has one that can be asked for, else by the payment's amounts.
fn look_at_refund(attempt: &Attempt, view: &View<'_>) -> Move {
    let has_id = attempt.refund.as_ref().is_some_and(|refund| refund.id.is_some());
    let can_ask = (view.capabilities)(&attempt.account)
        .is_some_and(|capabilities| capabilities.has(Operation::FetchRefund));
    if has_id && can_ask { Move::LookUpRefund(attempt.no) } else { look_at_payment_of(attempt) }
}

/// The payment shows what became of a step: its own, or what another attempt left.
fn look_at_payment_of(attempt: &Attempt) -> Move {
    if attempt.gives_back.is_some() { Move::LookUpLeft(attempt.no) } else { Move::LookUp }
}

/// No account has it: the next one is asked, or it ends.
fn without_account(record: &PaymentRecord, view: &View<'_>) -> Move {
    if record.cancel_wanted {
        return Move::EndHere;
    }
    if must_not_take(record) {
        return Move::Done;
    }
    if too_late(record, record.created_at, view) {
        return Move::EndHere;
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
            if record.request.confirm == ConfirmBy::Orchestrator
                && !was_asked(record, *step)
                && !has_expired(record, view) =>
        {
            // Nobody looked after it for a day: whoever wanted it may not any more.
            let since = record.consent_wanted_at.unwrap_or(record.updated_at);
            let late = too_late(record, since, view);
            let park = |no| Move::Park(no, ReviewReason::StepRefused);
            let parked = record.live().map(|live| park(live.no)).filter(|_| late);
            Some(parked.unwrap_or(Move::Confirm(*step)))
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

/// Was it taken or refused for the object that counts?
fn was_answered(record: &PaymentRecord, attempt: &Attempt) -> bool {
    record.is_of_what_counts(attempt)
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
    let live = record.live()?.no;
    // An end that cannot be reached is shown to a person, once.
    let reason = ReviewReason::StepRefused;
    let asked = record.is_under_review(reason) || record.let_pass_at(reason, live).is_some();
    let unreachable = || (!asked).then_some(Move::Park(live, reason));
    if !capabilities.has(Operation::CancelPayment) {
        // What nobody can pay ends by being left alone.
        let alone = may_abandon(record, capabilities).then_some(Move::Abandon(live));
        return alone.or_else(unreachable);
    }
    // One that was refused has ended the wish that it was made for.
    let cancels: Vec<&Attempt> = record
        .attempts
        .iter()
        .filter(|attempt| matches!(attempt.intent, Intent::Cancel(_)))
        .filter(|attempt| attempt.state == AttemptState::Accepted)
        .filter(|attempt| record.is_of_what_counts(attempt))
        .collect();
    // The whole was cancelled and is not ended yet: what that led to is seen first.
    let not_seen = cancels.last().is_some_and(|attempt| {
        matches!(&attempt.intent, Intent::Cancel(cancel) if cancel.part.is_none())
            && is_unseen(attempt, record)
    });
    if not_seen {
        return None;
    }
    if cancels.len() >= MAX_CANCELS {
        return unreachable();
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
    // Who was asked for a figure knows that it does not come.
    let asked = record.is_under_review(ReviewReason::NoEnd)
        || (record.status.is_final() && record.is_under_review(ReviewReason::UnreportedAmount));
    let park = Move::Park(no, ReviewReason::NoEnd);
    (for_long && !asked).then_some(park)
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
