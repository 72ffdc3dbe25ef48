//! The ladder out of doubt: what is done about an attempt of which nobody knows whether it acted.

use std::time::Duration;

use paymux_core::{Capabilities, CaptureMethod, CreateEffect, Replay, Timestamp};

use super::{Move, View, has_expired, look_at_payment_of, must_not_take, takes_money};
use crate::{
    ladder::{ASKED_AGAIN_AFTER, NEGATIVES_NEEDED, PARK_AFTER, relied_on_for},
    operate::is_still_there,
    record::{Attempt, Intent, PaymentRecord, ReviewReason},
    settle::may_abandon,
};

/// The ladder: the same call again where that is protected, else a look. A person is asked when it
/// has taken too long, and it goes on all the same.
pub(super) fn out_of_doubt(record: &PaymentRecord, attempt: &Attempt, view: &View<'_>) -> Move {
    let step = match (view.capabilities)(&attempt.account) {
        None => Move::Climb(attempt.no),
        Some(capabilities) if attempt.key_used => looked_for(attempt, capabilities),
        Some(capabilities) if attempt.is_create() => {
            out_of_doubt_create(record, attempt, capabilities, view)
        }
        Some(capabilities) => out_of_doubt_step(attempt, capabilities, view),
    };
    let since = attempt.first_sent_at.unwrap_or(attempt.created_at);
    let is_over = matches!(step, Move::NotCharged(_) | Move::Abandon(_));
    let overdue = view.now.since(since) >= asked_after(attempt, view);
    let reason = ReviewReason::StillInDoubt;
    let let_be = record.let_pass_at(reason, attempt.no);
    let let_be = let_be.is_some_and(|moment| view.now.since(moment) < ASKED_AGAIN_AFTER);
    if overdue && !is_over && !let_be && !record.is_under_review(reason) {
        return Move::Park(attempt.no, reason);
    }
    if step != Move::Send(attempt.no) {
        return step;
    }
    if !is_still_there(record, attempt) {
        return only_looked_for(attempt).unwrap_or(Move::Climb(attempt.no));
    }
    if !takes_money(attempt) {
        return step;
    }
    // What came to be a question after they wanted it has to be answered first.
    let must_not = must_not_take(record);
    if attempt.wanted_again && !must_not {
        return step;
    }
    // Nobody waits for it any more: what might take money now is only looked for, until a person
    // wants it tried again.
    if overdue || has_expired(record, view) {
        return only_looked_for(attempt).unwrap_or(Move::Climb(attempt.no));
    }
    let forbidden = must_not || (record.cancel_wanted && takes_for_good(attempt, view));
    if forbidden { ended_or_looked_for(attempt, view) } else { step }
}

/// When a person is asked: once its key is too old to rely on, and after a day at the latest.
fn asked_after(attempt: &Attempt, view: &View<'_>) -> Duration {
    let replay = (view.capabilities)(&attempt.account).map(|it| replay(attempt, it));
    match replay {
        Some(Replay::Key { ttl, .. }) => relied_on_for(ttl).min(PARK_AFTER),
        Some(Replay::Reference | Replay::Harmless | Replay::LookupFirst | Replay::Never) | None => {
            PARK_AFTER
        }
    }
}

/// Is more taken by it than an end of the payment gives back?
fn takes_for_good(attempt: &Attempt, view: &View<'_>) -> bool {
    let Intent::Create(create) = &attempt.intent else { return true };
    let charges = (view.capabilities)(&attempt.account)
        .is_none_or(|capabilities| capabilities.create == CreateEffect::MayCharge);
    charges && create.capture == CaptureMethod::Automatic
}

/// Never sent again, and never given up for another account: only what is found counts.
fn looked_for(attempt: &Attempt, capabilities: &Capabilities) -> Move {
    let by_reference =
        attempt.is_create() && capabilities.reference_lookup.is_some() && !attempt.seen_unchanged;
    let look = by_reference.then_some(Move::LookUpReference(attempt.no));
    look.or_else(|| only_looked_for(attempt)).unwrap_or(Move::Climb(attempt.no))
}

/// It is not sent again. Creates were looked for before, where that can be done.
fn only_looked_for(attempt: &Attempt) -> Option<Move> {
    (!attempt.is_create() && !attempt.seen_unchanged).then(|| look_at_payment_of(attempt))
}

/// The same, and where a look is proof that a step was not taken, that ends it.
fn ended_or_looked_for(attempt: &Attempt, view: &View<'_>) -> Move {
    let proves = !attempt.is_create()
        && (view.capabilities)(&attempt.account)
            .is_some_and(|capabilities| replay(attempt, capabilities) == Replay::LookupFirst);
    let over = if proves { Move::NotCharged(attempt.no) } else { Move::Climb(attempt.no) };
    only_looked_for(attempt).unwrap_or(over)
}

fn out_of_doubt_step(attempt: &Attempt, capabilities: &Capabilities, view: &View<'_>) -> Move {
    let no = attempt.no;
    let protected = is_protected(attempt, capabilities, view.now);
    let only_once = matches!(replay(attempt, capabilities), Replay::LookupFirst);
    if protected || (only_once && attempt.seen_unchanged) {
        return Move::Send(no);
    }
    // A look that was made since the last send, and showed nothing, has been made on this rung.
    if attempt.seen_unchanged { Move::Climb(no) } else { look_at_payment_of(attempt) }
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
    let nobody_can_pay = may_abandon(record, capabilities)
        && !attempt.in_conflict
        && record.next_account().is_some();
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
            attempt.first_sent_at.is_none_or(|sent| now.since(sent) < relied_on_for(ttl))
        }
        Replay::Reference | Replay::Harmless => true,
        Replay::LookupFirst | Replay::Never => false,
    }
}
