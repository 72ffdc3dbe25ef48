//! What a provider's word about a payment changes. Evidence moves a payment forward only along the
//! core's table; what the table forbids is kept and, where money could be concerned, shown to a
//! person.

use paymux_core::{
    Amounts, Money, NextAction, Part, Payment, PaymentStatus, ProviderPartId, Refund, RefundStatus,
    Replay, Timestamp,
};

use crate::{
    ladder,
    record::{Attempt, AttemptState, Intent, PaymentRecord, Review, ReviewReason},
    settle::{Context, close, mismatch},
};

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
    if context.source == Source::Asked {
        record.looked_at = record.looked_at.max(Some(context.asked_at));
    }
    let Some(no) = record.live().map(|attempt| attempt.no) else { return Observed::Nothing };
    if let Some(note) = mismatch(record, no, &payment, context.capabilities) {
        let review = Review { reason: ReviewReason::Mismatch, attempt: Some(no), note, since: now };
        record.add_review(review);
        look_again(record, now);
        return Observed::Changed;
    }
    let status = payment.status;
    if status == PaymentStatus::Unknown {
        // A word that nobody documented moves nothing; the look comes again.
        record.note_word(&payment);
        keep_parts(record, payment);
        look_again(record, now);
        return Observed::Nothing;
    }
    // Events come late and again: one can move a payment on, and never back.
    let is_old = context.source == Source::Event && rank(status) < rank(record.status);
    if record.provider.is_some() && is_old {
        return Observed::Nothing;
    }
    if record.provider.is_some() && !record.status.can_become(status) {
        return contradicted(record, &payment, no, now);
    }
    let before = (record.status, record.provider.clone().map(|payment| payment.amounts));
    // By what this answer says alone: what older ones said may be of before the step.
    if context.source == Source::Asked {
        settle_steps(record, None, &payment, context);
    }
    let merged = merge(record.provider.take(), payment);
    record.link_shown |= is_way_to_pay(merged.next_action.as_ref());
    record.status = status;
    if status.is_final() {
        let moot = [ReviewReason::NoEnd, ReviewReason::StepRefused];
        record.reviews.retain(|review| !moot.contains(&review.reason));
    }
    if status.is_final() && status != PaymentStatus::Succeeded {
        record.failure = merged.failure.clone().or_else(|| record.failure.take());
    }
    let after = (record.status, Some(merged.amounts.clone()));
    record.provider = Some(merged);
    let observed = if before == after { Observed::Nothing } else { Observed::Changed };
    schedule(record, observed, now);
    // What a person let pass is not shown again, unless there is something new about it.
    let first_look = record.figure_looked_for;
    if status == PaymentStatus::Succeeded && (observed == Observed::Changed || first_look) {
        check_figure(record, no, context);
    }
    observed
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

/// A status that the table forbids: older than what is known, or a contradiction.
fn contradicted(
    record: &mut PaymentRecord,
    payment: &Payment,
    no: u32,
    now: Timestamp,
) -> Observed {
    schedule(record, Observed::Nothing, now);
    if !payment.status.is_final() {
        return Observed::Nothing;
    }
    let note = format!(
        "it was {}, and {} says {} ({})",
        record.status, payment.provider, payment.status, payment.provider_status
    );
    let reason = ReviewReason::Contradiction;
    record.add_review(Review { reason, attempt: Some(no), note, since: now });
    Observed::Changed
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
    if known.as_ref().is_some_and(|known| rank(payment.status) < rank(known.status)) {
        return Observed::Nothing;
    }
    let takes = |payment: &Payment| {
        (payment.status, payment.amounts.captured.or(payment.amounts.authorized))
    };
    let before = known.as_ref().map(takes);
    let payment = merge(known, payment);
    attempt.leave(payment.clone());
    // What a person let pass is not shown again, unless there is something new about it.
    if !shows_money(payment.status) || before == Some(takes(&payment)) {
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

/// Takes in what the provider says of a refund.
pub(crate) fn observe_refund(record: &mut PaymentRecord, no: u32, refund: &Refund) {
    let Some(attempt) = record.attempt_mut(no) else { return };
    let allowed = attempt.refund.as_ref().is_none_or(|known| {
        known.status.can_become(refund.status) && refund.status != RefundStatus::Unknown
    });
    if allowed {
        let known = attempt.refund.take();
        attempt.refund = Some(keep_id(refund.clone(), known));
    }
    given_back(record, no);
}

/// What showed late is given back: no person has to look at it any more.
fn given_back(record: &mut PaymentRecord, no: u32) {
    let attempt = record.attempt(no).filter(|attempt| {
        attempt.refund.as_ref().is_some_and(|refund| refund.status == RefundStatus::Succeeded)
    });
    let Some(of) = attempt.and_then(|attempt| attempt.gives_back) else { return };
    let is_late = |review: &Review| review.reason == ReviewReason::LateSuccess;
    record.reviews.retain(|review| !is_late(review) || review.attempt != Some(of));
}

fn keep_id(mut refund: Refund, known: Option<Refund>) -> Refund {
    if let Some(known) = known {
        refund.id = refund.id.or(known.id);
        refund.amount = refund.amount.or(known.amount);
    }
    refund
}

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
                && (left_by.is_none() || gives_back(attempt, seen))
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
            Happened::NotYet => {
                let sent = attempt.doubtful_send_at.or(attempt.sent_at).unwrap_or(context.now);
                attempt.seen_unchanged = context.asked_at >= sent.after(context.call_limit);
            }
            Happened::CannotTell => {}
        }
    }
}

/// Is it a refund of this object?
fn gives_back(attempt: &Attempt, object: &Payment) -> bool {
    matches!(&attempt.intent, Intent::Refund(refund) if refund.payment.id == object.id)
}

enum Happened {
    Yes,
    NotYet,
    /// Nothing is said of what it would have changed.
    CannotTell,
}

/// Did a step happen, by the state of the payment after it? `once` says that it must never be taken
/// twice.
fn happened(attempt: &Attempt, seen: &Payment, once: bool) -> Happened {
    let before = attempt.amount_before;
    let unchanged = match &attempt.intent {
        Intent::Create(_) => false,
        Intent::Confirm(confirm) => match (seen.status, &seen.next_action) {
            (PaymentStatus::RequiresConfirmation, Some(NextAction::Confirm { step })) => {
                *step == confirm.step
            }
            (PaymentStatus::RequiresConfirmation, _) => return Happened::CannotTell,
            // What waits for our consent may look like that once it was begun.
            (PaymentStatus::Processing, _) if once => return Happened::CannotTell,
            _ => false,
        },
        Intent::Capture(capture) => match part(seen, capture.part.as_ref()) {
            Some(part) => part.status == PaymentStatus::Authorized,
            None if is_left_out(seen, capture.part.as_ref()) => return Happened::CannotTell,
            None if seen.status != PaymentStatus::Authorized => false,
            // A payment that was taken in part may go on looking held.
            None if (capture.amount.is_some() || before.is_some())
                && seen.amounts.captured.is_none() =>
            {
                return Happened::CannotTell;
            }
            None => seen.amounts.captured == before,
        },
        Intent::Cancel(cancel) => match part(seen, cancel.part.as_ref()) {
            Some(part) => !part.status.is_final(),
            None if is_left_out(seen, cancel.part.as_ref()) => return Happened::CannotTell,
            None => !seen.status.is_final(),
        },
        Intent::Refund(_) => {
            let target = attempt.reserved.and_then(|amount| {
                before.unwrap_or_else(|| Money::zero(amount.currency())).checked_add(amount)
            });
            // What is missing may be on its way.
            match (seen.amounts.refunded, target) {
                (Some(refunded), Some(target)) if refunded >= target => false,
                _ => return Happened::CannotTell,
            }
        }
    };
    if unchanged { Happened::NotYet } else { Happened::Yes }
}

/// Is a part not mentioned, of a payment that is not over?
fn is_left_out(seen: &Payment, id: Option<&ProviderPartId>) -> bool {
    id.is_some() && !seen.status.is_final()
}

fn part<'a>(seen: &'a Payment, id: Option<&ProviderPartId>) -> Option<&'a Part> {
    seen.parts.iter().find(|part| Some(&part.id) == id)
}

/// Success is shown to a person when nobody says how much it was, or when it was too little
/// without the merchant having wanted less.
fn check_figure(record: &mut PaymentRecord, no: u32, context: &Context<'_>) {
    record.unreported_amount_accepted |= context.accept_unreported_amount;
    let Some(payment) = &record.provider else { return };
    // The answer to a step can lack the figure that a look gives.
    let figure_comes = payment.amounts.captured.is_none() && context.capabilities.reports_captured;
    if figure_comes && !record.figure_looked_for {
        record.figure_looked_for = true;
        record.look_at(context.now);
        return;
    }
    record.figure_looked_for = false;
    let wanted_less = record.attempts.iter().any(
        |attempt| matches!(&attempt.intent, Intent::Capture(capture) if capture.amount.is_some()),
    ) || record.cancel_wanted;
    let asked = record.request.amount;
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

/// The newer answer, completed by what older ones said.
fn merge(older: Option<Payment>, newer: Payment) -> Payment {
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

/// Can a payer act on it once it has left us?
pub(crate) fn is_way_to_pay(action: Option<&NextAction>) -> bool {
    action.is_some_and(|action| !matches!(action, NextAction::Confirm { .. }))
}

#[cfg(test)]
mod tests;
