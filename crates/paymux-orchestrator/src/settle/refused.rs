//! What a refusal leads to: another account, an end, or a person.

use paymux_core::{ErrorKind, Failure, FailureKind, Operation, PaymentStatus, Timestamp};

use super::{Context, abandon, may_abandon};
use crate::{
    record::{Fault, Intent, PaymentRecord, Review, ReviewReason},
    routing::Elsewhere,
};

/// The next account takes over by itself, in the plan; here it is only said whether one may.
pub(super) fn after_refused_create(record: &mut PaymentRecord, fault: &Fault) {
    record.failure = Some(fault.failure.clone().unwrap_or_else(|| failure_of(fault)));
    let elsewhere = match fault.kind {
        ErrorKind::Declined => may_go_elsewhere(record, fault.failure.as_ref()),
        // The same input would be refused again; and what is to be paid for, or a key of ours, is in
        // a state that is no other account's to change: a bill that is paid already, for one, would
        // be paid twice.
        ErrorKind::InvalidRequest | ErrorKind::Conflict => false,
        ErrorKind::Configuration
        | ErrorKind::Unsupported
        | ErrorKind::Unauthenticated
        | ErrorKind::PermissionDenied
        | ErrorKind::NotFound
        | ErrorKind::RateLimited
        | ErrorKind::Unavailable
        | ErrorKind::Timeout
        | ErrorKind::InvalidResponse
        | ErrorKind::InvalidSignature
        | ErrorKind::Unexpected
        | _ => record.next_account().is_some(),
    };
    if !elsewhere {
        record.move_to(PaymentStatus::Failed);
    }
}

/// A step that was refused leaves the payment as it was, open.
pub(super) fn after_refused_step(
    record: &mut PaymentRecord,
    no: u32,
    fault: &Fault,
    context: &Context<'_>,
) {
    let Some(intent) = record.attempt(no).map(|attempt| attempt.intent.clone()) else { return };
    if let Intent::Confirm(_) = intent {
        record.failure = Some(fault.failure.clone().unwrap_or_else(|| failure_of(fault)));
        abandon_after_decline(record, fault, context);
    }
    show_refused_step(record, no, &fault.message, context.now);
    // "Not in this state": the provider knows a state that we do not.
    if matches!(fault.kind, ErrorKind::Conflict | ErrorKind::NotFound) {
        record.look_at(context.now);
    }
}

/// What is left open after a step was refused can still be paid, and is not taken further by itself.
pub(crate) fn show_refused_step(record: &mut PaymentRecord, no: u32, why: &str, now: Timestamp) {
    let Some(intent) = record.attempt(no).map(|attempt| &attempt.intent) else { return };
    let is_end = matches!(intent, Intent::Cancel(_));
    let matters = is_end || matches!(intent, Intent::Confirm(_) | Intent::Capture(_));
    if matters && record.live().is_some() && !record.status.is_final() {
        let note = format!("{} was refused: {why}", intent.in_words());
        let reason = ReviewReason::StepRefused;
        record.add_review(Review { reason, attempt: Some(no), note, since: now });
    }
    if is_end {
        // It can be asked for again.
        record.cancel_wanted = false;
    }
}

/// A charge that was declined before anybody outside could pay it may go to the next account, if
/// what is left behind cannot charge by itself.
fn abandon_after_decline(record: &mut PaymentRecord, fault: &Fault, context: &Context<'_>) {
    let declined = fault.kind == ErrorKind::Declined;
    if !declined || !may_go_elsewhere(record, fault.failure.as_ref()) {
        return;
    }
    if !may_abandon(record, context.capabilities) {
        return;
    }
    if let Some(no) = record.live().map(|attempt| attempt.no) {
        abandon(record, no, context.now);
    }
}

/// A step that was taken answers for those of its kind that were refused before.
pub(super) fn settle_refused_steps(record: &mut PaymentRecord, taken: u32) {
    let operation = |no: u32| record.attempt(no).map(|attempt| attempt.intent.operation());
    // What goes back answers for no step of the payment.
    let is_step = |operation: &Operation| {
        !matches!(operation, Operation::CreatePayment | Operation::CreateRefund)
    };
    let taken = operation(taken).filter(is_step);
    let answered: Vec<u32> = record
        .reviews
        .iter()
        .filter(|review| review.reason == ReviewReason::StepRefused)
        .filter_map(|review| review.attempt)
        .filter(|no| {
            // What was parked as a whole is shown by the attempt that opened it.
            taken.is_some() && [taken, Some(Operation::CreatePayment)].contains(&operation(*no))
        })
        .collect();
    record.reviews.retain(|review| {
        review.reason != ReviewReason::StepRefused
            || !review.attempt.is_some_and(|no| answered.contains(&no))
    });
}

pub(super) fn may_go_elsewhere(record: &PaymentRecord, failure: Option<&Failure>) -> bool {
    record.after_decline == Elsewhere::SoftDeclines
        && record.next_account().is_some()
        && failure.is_some_and(|failure| is_soft(failure.kind))
}

/// Refused by the provider or without a lasting reason. What an issuer refuses for good, and what
/// the payer did, is not tried elsewhere.
const fn is_soft(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::ProviderFault | FailureKind::Declined)
}

fn failure_of(fault: &Fault) -> Failure {
    let mut failure = Failure::new(FailureKind::ProviderFault);
    failure.code.clone_from(&fault.code);
    failure.message = Some(fault.message.clone());
    failure
}
