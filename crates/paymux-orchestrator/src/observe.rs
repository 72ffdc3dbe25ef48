//! What a provider's word about a payment changes. Evidence moves a payment forward only along the
//! core's table; what the table forbids is kept and, where money could be concerned, shown to a
//! person.

use paymux_core::{Amounts, ConfirmStep, NextAction, Part, Payment, PaymentStatus, Timestamp};

use crate::{
    ladder,
    record::{Attempt, Intent, PaymentRecord, Review, ReviewReason, lacks_a_part},
    settle::{Context, mismatch},
};

mod contradiction;
mod ended;
mod refund;
mod steps;

pub(crate) use ended::went_back;
pub(crate) use refund::{believe_refund, observe_refund};

use contradiction::{contradicted, raise};
pub(crate) use steps::settle_steps;

/// Where a word about a payment comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// We asked: the answer to a call, or a look-up.
    Asked,
    /// A signed and fresh event told us, and it may not end anything.
    Event,
}

/// What a word about a payment did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Observed {
    /// The record says something new.
    Changed,
    /// It said nothing new, or something older than what is known.
    Nothing,
}

/// Takes in what the provider that has the payment says of it.
pub(crate) fn observe(
    record: &mut PaymentRecord,
    payment: Payment,
    context: &Context<'_>,
) -> Observed {
    let now = context.now;
    let is_late = is_late(record, context);
    let asked_at = Some(context.asked_at).filter(|_| context.source == Source::Asked);
    record.looked_at = record.looked_at.max(asked_at);
    let Some(no) = record.live().map(|attempt| attempt.no) else { return Observed::Nothing };
    if let Some(note) = mismatch(record, no, &payment, context.capabilities) {
        let review = Review { reason: ReviewReason::Mismatch, attempt: Some(no), note, since: now };
        record.add_review(review);
        look_again(record, now);
        return Observed::Changed;
    }
    let status = payment.status;
    record.link_shown |= is_way_to_pay(payment.next_action.as_ref());
    if status == PaymentStatus::Unknown {
        // A word that nobody documented moves nothing; the look comes again.
        record.note_word(&payment);
        keep_parts(record, payment);
        look_again(record, now);
        return Observed::Nothing;
    }
    record.seen_at = record.seen_at.max(asked_at);
    // Events come late and again: one can move a payment on, and never back.
    let is_event = context.source == Source::Event;
    if is_event && is_old_news(record, &payment) {
        return Observed::Nothing;
    }
    if record.provider.is_some() && !record.status.can_become(status) {
        let is_look = context.source == Source::Asked && !is_late;
        return contradicted(record, &payment, (no, is_look), now);
    }
    let before = (record.status, record.provider.clone().map(|payment| payment.amounts));
    // Asked for before what is known, and followed by it: it completes that and replaces nothing.
    let is_passed = is_late && status.can_become(record.status);
    // By what this answer says alone: what older ones said may be of before the step.
    if context.source == Source::Asked && !is_passed {
        settle_steps(record, None, &payment, context);
    }
    let awaited = record.provider.as_ref().and_then(awaited_step);
    let known = record.provider.take();
    let merged = match known {
        Some(known) if is_event && known.status == status => told_again(known, payment),
        known => completed(known, payment, (is_late, is_passed)),
    };
    let status = merged.status;
    let awaits = awaited_step(&merged);
    if awaits != awaited {
        record.consent_wanted_at = awaits.map(|_| now);
    }
    record.link_shown |= is_way_to_pay(merged.next_action.as_ref());
    record.status = status;
    if status.is_final() {
        ended::settle_moot(record);
    }
    if status.is_final() && status != PaymentStatus::Succeeded {
        record.failure = merged.failure.clone().or_else(|| record.failure.take());
    }
    let after = (record.status, Some(merged.amounts.clone()));
    record.provider = Some(merged);
    let observed = if before == after { Observed::Nothing } else { Observed::Changed };
    if is_passed {
        look_again(record, now);
    } else {
        schedule(record, observed, now);
    }
    // What a person let pass is not shown again, unless there is something new about it.
    let is_asked_for = record.is_under_review(ReviewReason::UnreportedAmount);
    let for_figure = (record.figure_looked_for || is_asked_for) && !is_passed;
    if status == PaymentStatus::Succeeded && (observed == Observed::Changed || for_figure) {
        check_figure(record, no, context);
    }
    if status.is_final() && observed == Observed::Changed {
        ended::check_end(record, no, now);
    }
    observed
}

/// Does an event say less than what is known, or something from before that?
fn is_old_news(record: &PaymentRecord, event: &Payment) -> bool {
    let Some(known) = &record.provider else { return false };
    let known_at = known.updated_at;
    let is_passed_by = known_at.is_some_and(|known| event.updated_at.is_some_and(|at| at < known));
    rank(event.status) < rank(record.status) || is_passed_by
}

/// Was this word asked for before what is known of the payment? Several processes ask, and an answer
/// can be slow.
pub(crate) fn is_late(record: &PaymentRecord, context: &Context<'_>) -> bool {
    context.source == Source::Asked
        && record.provider.is_some()
        && Some(context.asked_at) < record.looked_at
}

/// Says when to look next: an open payment, or one whose refund is under way, is looked at until
/// it is settled.
pub(crate) fn schedule(record: &mut PaymentRecord, observed: Observed, now: Timestamp) {
    if observed == Observed::Changed {
        record.looks = 0;
    }
    let open =
        !record.status.is_final() || record.attempts.iter().any(Attempt::is_refund_under_way);
    if !open {
        record.next_look_at = None;
        return;
    }
    // A look that somebody wanted before it was due does not put off the one that is.
    let comes = record.next_look_at.is_some_and(|moment| moment > now);
    if observed == Observed::Changed || !comes {
        record.next_look_at = Some(ladder::next_look(record.looks, now));
        record.looks = record.looks.saturating_add(1);
    }
}

/// A look that brought nothing is made again, even where the payment is final: something about it
/// needed that look.
pub(crate) fn look_again(record: &mut PaymentRecord, now: Timestamp) {
    schedule(record, Observed::Nothing, now);
    if record.next_look_at.is_none() {
        record.next_look_at = Some(ladder::next_look(record.looks, now));
        record.looks = record.looks.saturating_add(1);
    }
}

/// A look that our own limits kept back asked nobody: it waits for minutes, and what else is to be
/// looked at has its turn meanwhile.
pub(crate) fn look_kept_back(record: &mut PaymentRecord, now: Timestamp) {
    record.next_look_at = Some(ladder::next_look(record.looks.saturating_sub(1).min(1), now));
    record.looks_kept_back = record.looks_kept_back.wrapping_add(1);
}

/// How far a payment has come in a status.
const fn rank(status: PaymentStatus) -> u8 {
    match status {
        PaymentStatus::Unknown => 0,
        PaymentStatus::RequiresConfirmation | PaymentStatus::RequiresAction => 1,
        PaymentStatus::Processing => 2,
        PaymentStatus::Authorized => 3,
        PaymentStatus::PartiallyPaid => 4,
        PaymentStatus::Succeeded
        | PaymentStatus::Cancelled
        | PaymentStatus::Expired
        | PaymentStatus::Failed => 5,
    }
}

/// Is money there, by what was seen last, or may it be, that has not gone back? A payment can be
/// over by its status and hold what was taken before.
pub(crate) fn has_money(payment: &Payment) -> bool {
    let is_taken = payment.amounts.captured.is_some_and(|captured| !captured.is_zero());
    (shows_money(payment.status) || is_taken) && !went_back(payment)
}

/// Could money have moved, or be moving, in this status?
pub(crate) const fn shows_money(status: PaymentStatus) -> bool {
    match status {
        PaymentStatus::Processing
        | PaymentStatus::Authorized
        | PaymentStatus::PartiallyPaid
        | PaymentStatus::Succeeded => true,
        PaymentStatus::RequiresAction
        | PaymentStatus::RequiresConfirmation
        | PaymentStatus::Cancelled
        | PaymentStatus::Expired
        | PaymentStatus::Failed
        | PaymentStatus::Unknown => false,
    }
}

/// An attempt that was given up, refused or proved not to exist is heard of again, or an object
/// that a repeated call left behind. Nothing is moved by it; where it shows money, a person
/// decides.
pub(crate) fn late(
    record: &mut PaymentRecord,
    no: u32,
    payment: Payment,
    now: Timestamp,
) -> Observed {
    let Some(attempt) = record.attempt_mut(no) else { return Observed::Nothing };
    let known = attempt.left.iter().find(|known| known.id == payment.id).cloned();
    // Unless it shows money that was not there.
    let is_old = |known: &Payment| {
        rank(payment.status) < rank(known.status) && (has_money(known) || !has_money(&payment))
    };
    if known.as_ref().is_some_and(is_old) {
        return Observed::Nothing;
    }
    let takes = |payment: &Payment| {
        (payment.status, payment.amounts.captured.or(payment.amounts.authorized))
    };
    let before = known.as_ref().map(takes);
    let payment = merge(known, payment);
    attempt.leave(payment.clone());
    // What a person let pass is not shown again, unless there is something new about it.
    let is_shown = shows_money(payment.status) || has_money(&payment);
    if !is_shown || before == Some(takes(&payment)) {
        return Observed::Nothing;
    }
    let note = format!(
        "{} says that {} of attempt {no} is {} ({}), and that is not the object that counts",
        payment.provider, payment.id, payment.status, payment.provider_status
    );
    let reason = ReviewReason::LateSuccess;
    record.add_review(Review { reason, attempt: Some(no), note, since: now });
    Observed::Changed
}

/// Success is shown to a person when nobody says how much it was, or when it was too little
/// without the merchant having wanted less.
fn check_figure(record: &mut PaymentRecord, no: u32, context: &Context<'_>) {
    let Some(payment) = &record.provider else { return };
    // The answer to a step can lack the figure that a look gives.
    let figure_comes = payment.amounts.captured.is_none() && context.capabilities.reports_captured;
    let is_asked_for = record.is_under_review(ReviewReason::UnreportedAmount);
    if figure_comes && !record.figure_looked_for && !is_asked_for {
        record.figure_looked_for = true;
        record.look_at(context.now);
        return;
    }
    record.figure_looked_for = false;
    // The account's policy stands for a figure that does not come.
    record.unreported_amount_accepted |= context.accept_unreported_amount;
    let wanted_less = record.attempts.iter().any(
        |attempt| matches!(&attempt.intent, Intent::Capture(capture) if capture.amount.is_some()),
    ) || record.cancel_wanted;
    let asked = record.accepted_amount.unwrap_or(record.request.amount);
    // What a person was to find out has been said meanwhile.
    let answered: &[ReviewReason] = match payment.amounts.captured {
        None => &[],
        Some(captured) if captured < asked => &[ReviewReason::UnreportedAmount],
        Some(_) => &[ReviewReason::UnreportedAmount, ReviewReason::ShortAmount],
    };
    record.reviews.retain(|review| !answered.contains(&review.reason));
    let (reason, note) = match payment.amounts.captured {
        None if record.unreported_amount_accepted => return,
        None => (
            ReviewReason::UnreportedAmount,
            format!("{} was asked for, and {} names no figure", asked, payment.provider),
        ),
        Some(captured) if captured >= asked || wanted_less => return,
        Some(captured) => {
            (ReviewReason::ShortAmount, format!("{asked} was asked for, {captured} was taken"))
        }
    };
    record.add_review(Review { reason, attempt: Some(no), note, since: context.now });
    // It may have been the reading of the figure that failed: it may still answer the question.
    if figure_comes {
        look_again(record, context.now);
    }
}

/// Whatever a word means, the parts that came with it are there, and the next look has to know of
/// them: some providers name them once.
fn keep_parts(record: &mut PaymentRecord, payment: Payment) {
    let known = record.provider.get_or_insert_with(|| payment.clone());
    let new =
        payment.parts.into_iter().filter(|part| known.parts.iter().all(|it| it.id != part.id));
    let new: Vec<Part> = new.collect();
    known.parts.extend(new);
}

/// What is known with this word in it. One that was asked for before and followed since completes
/// what is known, and replaces nothing.
fn completed(
    known: Option<Payment>,
    payment: Payment,
    (is_late, is_passed): (bool, bool),
) -> Payment {
    match known {
        Some(mut known) if is_passed => {
            let lacking = known.next_action.take_if(|action| lacks_a_part(action));
            let mut merged = merge(Some(payment), known);
            merged.next_action = merged.next_action.or(lacking);
            merged
        }
        Some(known) if is_late => {
            let later = known.amounts.clone();
            let mut merged = merge(Some(known), payment);
            raise(&mut merged.amounts, &later);
            merged
        }
        known => merge(known, payment),
    }
}

/// An event of the same status: its figures count where they say more, since nobody takes back what
/// was taken or went back.
fn told_again(known: Payment, event: Payment) -> Payment {
    let (before, said) = (known.amounts.clone(), event.amounts.clone());
    let is_more =
        said.captured.is_some_and(|said| before.captured.is_none_or(|known| said > known));
    let mut merged = merge(Some(known), event);
    if !is_more {
        merged.amounts = before.clone().or(&said);
    }
    for (amount, known) in [
        (&mut merged.amounts.refunded, before.refunded),
        (&mut merged.amounts.charged_back, before.charged_back),
    ] {
        *amount = known;
    }
    raise(&mut merged.amounts, &said);
    merged
}

/// The newer answer, completed by what older ones said.
pub(crate) fn merge(older: Option<Payment>, newer: Payment) -> Payment {
    let Some(older) = older else { return newer };
    let mut merged = newer;
    merged.amounts = merged.amounts.or(&older.amounts);
    // Some answers hold no more than a status: the way to pay is still the one that was said.
    if merged.status == older.status {
        merged.next_action = merged.next_action.or(older.next_action);
    }
    merged.reference = merged.reference.or(older.reference);
    merged.mandate = merged.mandate.or(older.mandate);
    merged.live = merged.live.or(older.live);
    merged.updated_at = merged.updated_at.or(older.updated_at);
    merged.parts = merge_parts(older.parts, merged.parts);
    merged
}

fn merge_parts(older: Vec<Part>, newer: Vec<Part>) -> Vec<Part> {
    let mut parts = older;
    for part in newer {
        match parts.iter_mut().find(|known| known.id == part.id) {
            Some(known) => {
                let amounts: Amounts = part.amounts.clone().or(&known.amounts);
                *known = part;
                known.amounts = amounts;
            }
            None => parts.push(part),
        }
    }
    parts
}

/// The step of ours that it waits for.
fn awaited_step(payment: &Payment) -> Option<ConfirmStep> {
    match (payment.status, &payment.next_action) {
        (PaymentStatus::RequiresConfirmation, Some(NextAction::Confirm { step })) => Some(*step),
        _ => None,
    }
}

/// Can a payer act on it once it has left us?
pub(crate) fn is_way_to_pay(action: Option<&NextAction>) -> bool {
    action.is_some_and(|action| !matches!(action, NextAction::Confirm { .. }))
}

#[cfg(test)]
mod asked_tests;
#[cfg(test)]
mod tests;
