//! What the outcome of a call means for its payment. Pure: the record is changed in memory, and
//! nothing is decided here that an answer does not prove.

use std::time::Duration;

use paymux_core::{
    Capabilities, ConfirmStep, Effect, Error, ErrorKind, Failure, FailureKind, Payment,
    PaymentStatus, Random, Refund, Replay, Timestamp,
};

use crate::{
    ladder,
    observe::{self, Source},
    record::{Attempt, AttemptState, Fault, Intent, PaymentRecord, Review, ReviewReason, SentAs},
};

mod mismatch;
mod refused;

pub(crate) use mismatch::{another_refund, differences, mismatch, refund_mismatch};
pub(crate) use refused::show_refused_step;
use refused::{after_refused_create, after_refused_step, may_go_elsewhere, settle_refused_steps};

/// How often a step that provably did not arrive is sent again, before it counts as refused.
const MOST_REPETITIONS: u32 = 6;

/// How long an attempt in doubt waits for an account that is no longer configured.
const WITHOUT_ACCOUNT: Duration = Duration::from_secs(3600);

/// How soon an attempt is tried again that our own limits kept back.
const SHORTEST_WAIT: Duration = Duration::from_secs(5);

/// What a call that may move money came back with.
pub(crate) enum Outcome {
    Payment(Box<Payment>),
    Refund(Box<Refund>),
    Fault(Box<Fault>),
}

/// What is known of the account that was called.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) now: Timestamp,
    /// When the provider was asked for what it says: it may have been longer ago.
    pub(crate) asked_at: Timestamp,
    pub(crate) source: Source,
    /// Was it asked for now that the next thing is due about a step in doubt? Only then does it tell
    /// that the step may be taken again: by the time it is due, other looks are old.
    pub(crate) is_due: bool,
    /// For how long a call can be under way, whoever made it.
    pub(crate) call_limit: Duration,
    pub(crate) capabilities: &'a Capabilities,
    /// Success without a figure counts as paid at this account.
    pub(crate) accept_unreported_amount: bool,
    pub(crate) random: &'a dyn Random,
}

/// Notes what an attempt leaves as, if it leaves for the first time.
pub(crate) fn note_sent_as(record: &mut PaymentRecord, no: u32, capabilities: &Capabilities) {
    let Some(attempt) = record.attempt_mut(no).filter(|attempt| attempt.sends == 0) else { return };
    attempt.sent_as = SentAs::of(&attempt.intent, capabilities);
}

/// Notes that an attempt leaves now, for the first time or again.
pub(crate) fn mark_sending(record: &mut PaymentRecord, no: u32, now: Timestamp) {
    let Some(attempt) = record.attempt_mut(no) else { return };
    attempt.state = AttemptState::Sending;
    attempt.sends = attempt.sends.saturating_add(1);
    attempt.first_sent_at = attempt.first_sent_at.or(Some(now));
    attempt.sent_at = Some(now);
    attempt.seen_unchanged = false;
    attempt.wanted_again = false;
    attempt.next_try_at = None;
}

/// Notes the outcome of a send. `send` tells it from others of the same attempt: an error of an
/// older send says nothing about the newer one, while an object counts whichever send it came of.
pub(crate) fn settle(
    record: &mut PaymentRecord,
    no: u32,
    send: u32,
    outcome: Outcome,
    context: &Context<'_>,
) {
    let Some(attempt) = record.attempt(no) else { return };
    let open = attempt.state.is_open();
    match outcome {
        Outcome::Payment(payment) => settle_payment(record, no, *payment, context),
        Outcome::Refund(refund) => settle_refund(record, no, &refund, context),
        Outcome::Fault(fault) if open && attempt.sends == send => {
            settle_fault(record, no, &fault, context);
        }
        Outcome::Fault(_) => {}
    }
}

fn settle_payment(record: &mut PaymentRecord, no: u32, payment: Payment, context: &Context<'_>) {
    let Some(attempt) = record.attempt(no) else { return };
    // A repeated call can leave an orphan beside the object that counts.
    let orphan = record.provider.as_ref().is_some_and(|known| known.id != payment.id);
    if attempt.is_create() && (orphan || !attempt.state.holds_slot()) {
        observe::late(record, no, payment, context.now);
        return;
    }
    if attempt.is_create() && attempt.state == AttemptState::Accepted {
        observe::observe(record, payment, context);
        return;
    }
    // It was settled before: by now the payment may be at another account.
    if !attempt.is_create() && !attempt.state.is_open() {
        let is_same =
            |known: &Payment| known.provider == payment.provider && known.id == payment.id;
        if record.provider.as_ref().is_some_and(is_same) {
            observe::observe(record, payment, context);
        }
        return;
    }
    // What does not fit may be another payment's object: it is not claimed.
    if let Some(mismatch) = mismatch(record, no, &payment, context.capabilities) {
        freeze(record, no, ReviewReason::Mismatch, mismatch, context.now);
        return;
    }
    if let Some(attempt) = record.attempt_mut(no).filter(|attempt| attempt.is_create()) {
        attempt.object = Some(payment.id.clone());
    }
    let Some(attempt) = record.attempt(no) else { return };
    let is_create = attempt.is_create();
    let try_elsewhere = matches!(attempt.intent, Intent::Create(_) | Intent::Confirm(_))
        && payment.status == PaymentStatus::Failed
        && !observe::has_money(&payment)
        // Whoever looked meanwhile knows more of it.
        && !record.status.is_final()
        && !attempt.doubted
        && !record.cancel_wanted
        && may_go_elsewhere(record, payment.failure.as_ref());
    close(record, no, AttemptState::Accepted, context.now);
    if try_elsewhere {
        // It is final there, so that nobody can pay it any more.
        let live = record.live().map_or(no, |live| live.no);
        if !is_create {
            abandon(record, live, context.now);
        }
        close(record, live, AttemptState::Rejected, context.now);
        record.failure = payment.failure;
        return;
    }
    let is_late = observe::is_late(record, context);
    observe::observe(record, payment, context);
    if is_late {
        // Somebody looked while the call was under way: who saw what first is found out by asking.
        record.look_at(context.now);
    }
}

fn settle_refund(record: &mut PaymentRecord, no: u32, refund: &Refund, context: &Context<'_>) {
    if let Some(note) = refund_mismatch(record, no, refund) {
        freeze(record, no, ReviewReason::Mismatch, note, context.now);
        return;
    }
    close(record, no, AttemptState::Accepted, context.now);
    observe::observe_refund(record, no, refund, context.now);
    // The payment's own amounts follow from what the provider says of it next.
    record.look_at(context.now);
}

fn settle_fault(record: &mut PaymentRecord, no: u32, fault: &Fault, context: &Context<'_>) {
    let Some(attempt) = record.attempt_mut(no) else { return };
    // It may have been taken for lost meanwhile; this is the answer to the one time that it left.
    if fault.effect == Effect::None && attempt.sends <= 1 {
        attempt.doubted = false;
        attempt.doubtful_send_at = None;
    }
    let doubt = fault.effect == Effect::Possible
        || (attempt.doubted && !speaks_for_all_sends(attempt, fault, context));
    let error = fault.to_error(&attempt.account, attempt.intent.operation());
    attempt.fault = Some(fault.clone());
    if fault.effect == Effect::Possible {
        attempt.doubtful_send_at = attempt.sent_at;
        attempt.not_found_at.clear();
    }
    if doubt {
        attempt.state = AttemptState::Unknown;
        attempt.doubted = true;
        attempt.in_conflict |= fault.kind == ErrorKind::Conflict && !fault.retryable;
        climb(attempt, &error, context.now, context.random);
        if fault.says_key_used() && stands_for_one(attempt, context) {
            attempt.key_used = true;
            let why = &fault.message;
            let note = format!("its key, or its reference, stands for something else: {why}");
            let reason = ReviewReason::Mismatch;
            record.add_review(Review { reason, attempt: Some(no), note, since: context.now });
        }
        return;
    }
    // A stale token or clock is put right by the refused call itself; the same call then works.
    let worth_repeating = fault.retryable && fault.kind == ErrorKind::Unauthenticated;
    if worth_repeating && attempt.sends < 2 {
        attempt.state = AttemptState::Intent;
        attempt.next_try_at = Some(context.now);
        return;
    }
    // What the merchant or the plan wants done at one account waits for that account to be well.
    if fault.retryable && !attempt.is_create() && attempt.rung < MOST_REPETITIONS {
        attempt.state = AttemptState::Intent;
        attempt.rung = attempt.rung.max(1);
        climb(attempt, &error, context.now, context.random);
        return;
    }
    let never_sent = fault.offered == Some(false);
    let state = if never_sent { AttemptState::NotSent } else { AttemptState::Rejected };
    let intent_is_create = attempt.is_create();
    close(record, no, state, context.now);
    if intent_is_create {
        after_refused_create(record, fault);
    } else {
        after_refused_step(record, no, fault, context);
    }
}

/// Does its provider take what is sent again for the same, by its key or by its reference?
fn stands_for_one(attempt: &Attempt, context: &Context<'_>) -> bool {
    let replay = context.capabilities.replay(attempt.intent.operation());
    matches!(replay, Replay::Key { .. } | Replay::Reference)
}

/// A refusal under a key that the provider remembers is the outcome of all sends with that key.
fn speaks_for_all_sends(attempt: &Attempt, fault: &Fault, context: &Context<'_>) -> bool {
    let definite = matches!(fault.kind, ErrorKind::Declined | ErrorKind::InvalidRequest);
    let Replay::Key { ttl, replays_errors: false, .. } =
        context.capabilities.replay(attempt.intent.operation())
    else {
        return false;
    };
    let sent = attempt.first_sent_at.unwrap_or(attempt.created_at);
    definite && fault.effect == Effect::None && context.now.since(sent) < ladder::relied_on_for(ttl)
}

/// Notes that the account of an attempt is no longer configured. One that is in doubt stays so,
/// and is tried again later: the account may come back.
pub(crate) fn settle_without_account(
    record: &mut PaymentRecord,
    no: u32,
    fault: &Fault,
    now: Timestamp,
) {
    let Some(attempt) = record.attempt_mut(no) else { return };
    attempt.fault = Some(fault.clone());
    let is_create = attempt.is_create();
    // Another node may know the account already; elsewhere only a payment can go, and no step.
    let waits = !is_create && now.since(attempt.created_at) < ladder::PARK_AFTER;
    if attempt.doubted || waits {
        attempt.next_try_at = Some(now.after(WITHOUT_ACCOUNT));
        return;
    }
    close(record, no, AttemptState::NotSent, now);
    if is_create {
        after_refused_create(record, fault);
    } else {
        show_refused_step(record, no, &fault.message, now);
    }
}

/// Our own limits keep it back: it waits for them, and nothing is known of it that was not before. A
/// step in doubt leaves because of what a look said just before, and is looked at anew each time.
pub(crate) fn put_off(attempt: &mut Attempt, error: &Error, now: Timestamp, random: &dyn Random) {
    if attempt.doubted && !attempt.is_create() {
        attempt.rung = attempt.rung.max(1);
        wait(attempt, error, now, random);
        return;
    }
    let wait = error.retry_after().unwrap_or_default().clamp(SHORTEST_WAIT, ladder::DAY);
    attempt.next_try_at = Some(now.after(wait));
}

/// The next rung: when the attempt is thought of again.
pub(crate) fn climb(attempt: &mut Attempt, error: &Error, now: Timestamp, random: &dyn Random) {
    attempt.next_try_at = Some(ladder::next_try(attempt.rung, error, now, random));
    attempt.rung = attempt.rung.saturating_add(1);
    attempt.seen_unchanged = false;
}

/// May the right to move money be given up without the provider's word? Only where creating opens
/// and does not charge, where what it opened waits for us or for a payer, and where the way to pay
/// never left us: then nobody can pay it.
pub(crate) fn may_abandon(record: &PaymentRecord, capabilities: &Capabilities) -> bool {
    use paymux_core::CreateEffect;
    let waits = record.provider.as_ref().is_none_or(|payment| {
        let waits = matches!(
            payment.status,
            PaymentStatus::RequiresConfirmation | PaymentStatus::RequiresAction
        );
        waits && !observe::has_money(payment)
    });
    // A step that may have gone through is more than an open object.
    let step_in_doubt = record.attempts.iter().any(|attempt| {
        !attempt.is_create() && attempt.state.is_open() && attempt.gives_back.is_none()
    });
    // From then on money may move, whatever its status still says.
    let has_consent = record.attempts.iter().any(|attempt| {
        matches!(&attempt.intent, Intent::Confirm(confirm) if confirm.step == ConfirmStep::Commit)
            && attempt.may_have_acted()
            && record.is_of_what_counts(attempt)
    });
    // What an account of another kind does says nothing of what left before it was that.
    let is_the_same = record
        .live()
        .and_then(|attempt| attempt.sent_as.as_ref())
        .is_none_or(|sent| sent.is_at(capabilities));
    let opens_only = is_the_same && capabilities.create == CreateEffect::OpensOnly;
    opens_only && !record.link_shown && waits && !step_in_doubt && !has_consent
}

/// Gives an attempt up, so that the next account may be tried.
pub(crate) fn abandon(record: &mut PaymentRecord, no: u32, now: Timestamp) {
    close(record, no, AttemptState::Abandoned, now);
    if let Some(payment) = record.provider.take()
        && let Some(attempt) = record.attempt_mut(no)
    {
        attempt.leave(payment);
    }
    // What it was asked there does not concern the next account.
    let moot = [ReviewReason::NoEnd, ReviewReason::StepRefused];
    record.reviews.retain(|review| !moot.contains(&review.reason));
    (record.looked_at, record.seen_at) = (None, None);
    record.steps_by_hand = false;
    record.next_look_at = None;
    record.looks = 0;
    record.move_to(PaymentStatus::Processing);
    if record.next_account().is_none() && !record.cancel_wanted {
        record.move_to(PaymentStatus::Failed);
        record.failure.get_or_insert(Failure::new(FailureKind::ProviderFault));
    }
}

pub(crate) fn close(record: &mut PaymentRecord, no: u32, state: AttemptState, now: Timestamp) {
    if let Some(attempt) = record.attempt_mut(no) {
        attempt.state = state;
        attempt.next_try_at = None;
        attempt.settled_at = Some(now);
        // Nobody said that it did nothing: it may yet turn out to have.
        let may_show = matches!(state, AttemptState::Abandoned | AttemptState::NotCharged);
        let is_watched = attempt.is_create() && may_show;
        attempt.watch_at = if is_watched { ladder::next_watch(now, now) } else { None };
    }
    // What a person was asked for has answered itself. Of a payment that was found it is still to be
    // said whether it is the one that was asked for.
    let is_found =
        state == AttemptState::Accepted && record.attempt(no).is_some_and(Attempt::is_create);
    record.reviews.retain(|review| {
        let is_answered = review.reason == ReviewReason::StillInDoubt
            || (review.reason == ReviewReason::Mismatch && !is_found);
        !is_answered || review.attempt != Some(no)
    });
    if state == AttemptState::Accepted {
        settle_refused_steps(record, no);
    }
}

/// Our own limits kept a look back, and nobody was asked: it is made soon, not on the rungs that are
/// hours apart, and rarely enough for a great many to wait behind one account.
pub(crate) fn wait(attempt: &mut Attempt, error: &Error, now: Timestamp, random: &dyn Random) {
    let rung = attempt.rung;
    attempt.rung = rung.min(ladder::RUNG_OF_MINUTES);
    climb(attempt, error, now, random);
    attempt.rung = attempt.rung.max(rung);
}

/// Keeps an attempt, and its payment, as it is until a person has looked.
pub(crate) fn freeze(
    record: &mut PaymentRecord,
    no: u32,
    reason: ReviewReason,
    note: String,
    now: Timestamp,
) {
    if let Some(attempt) = record.attempt_mut(no) {
        if attempt.state.is_open() {
            attempt.state = AttemptState::Unknown;
            attempt.doubted = true;
            attempt.doubtful_send_at = attempt.doubtful_send_at.or(attempt.sent_at);
        }
        attempt.next_try_at = None;
    }
    record.add_review(Review { reason, attempt: Some(no), note, since: now });
}

#[cfg(test)]
mod tests;
