//! What the merchant is told: every settled change is an event, with what led to it.

use paymux_core::{PaymentStatus, Result, Timestamp};
use serde::Serialize;

use crate::{
    PaymentId,
    draft::to_json,
    evidence::Evidence,
    record::{AttemptState, Intent, PaymentRecord, Review},
    store::OutboxRow,
};

/// An event as the merchant reads it.
#[derive(Clone, Debug, Serialize)]
struct Document<'a> {
    reference: &'a str,
    status: PaymentStatus,
    paid: bool,
    account: Option<&'a str>,
    provider_payment: Option<&'a str>,
    provider_status: Option<&'a str>,
    captured: Option<String>,
    refunded: Option<String>,
    charged_back: Option<String>,
    attempt: Option<u32>,
    review: Option<String>,
    /// What was seen or done that led to it.
    evidence: &'a Evidence,
}

/// The events between two states of a payment, in the order they should be read.
pub(crate) fn between(
    before: Option<&PaymentRecord>,
    after: &PaymentRecord,
    evidence: &Evidence,
    now: Timestamp,
) -> Result<Vec<OutboxRow>> {
    let mut events = Events { after, evidence, now, rows: Vec::new() };
    if before.is_none_or(|before| before.status != after.status) {
        events.push(&format!("payment.{}", after.status), None, None)?;
    }
    if before.is_some_and(PaymentRecord::in_doubt) != after.in_doubt() {
        let word = if after.in_doubt() { "payment.in_doubt" } else { "payment.doubt_resolved" };
        events.push(word, None, None)?;
    }
    attempts(before, after, &mut events)?;
    if let Some(before) = before {
        let moved = |record: &PaymentRecord| {
            let amounts = record.provider.as_ref().map(|payment| &payment.amounts);
            amounts
                .map(|amounts| (amounts.captured, amounts.refunded, amounts.charged_back))
                .unwrap_or_default()
        };
        let only_amounts = before.status == after.status;
        if only_amounts && moved(before) != moved(after) {
            events.push("payment.amounts_changed", None, None)?;
        }
    }
    let known = |review: &Review| {
        let same =
            |other: &Review| (other.reason, other.attempt) == (review.reason, review.attempt);
        before.is_some_and(|before| before.reviews.iter().any(same))
    };
    for review in after.reviews.iter().filter(|review| !known(review)) {
        events.push("payment.review", None, Some(format!("{}: {}", review.reason, review.note)))?;
    }
    if before.is_some_and(|before| !before.reviews.is_empty()) && after.reviews.is_empty() {
        events.push("payment.review_resolved", None, None)?;
    }
    Ok(events.rows)
}

/// What became of refunds and steps.
fn attempts(
    before: Option<&PaymentRecord>,
    after: &PaymentRecord,
    events: &mut Events<'_>,
) -> Result<()> {
    for attempt in &after.attempts {
        let then = before.and_then(|before| before.attempt(attempt.no));
        let status = attempt.refund.as_ref().map(|refund| refund.status);
        let status_then = then.and_then(|then| then.refund.as_ref()).map(|refund| refund.status);
        if let Some(status) = status
            && status_then != Some(status)
        {
            let what = if attempt.gives_back.is_some() { "late_refund" } else { "refund" };
            events.push(&format!("{what}.{status}"), Some(attempt.no), None)?;
        }
        let refused = matches!(attempt.state, AttemptState::Rejected | AttemptState::NotSent);
        let was_open = then.is_none_or(|then| then.state.is_open());
        let kind = match &attempt.intent {
            Intent::Refund(_) if attempt.gives_back.is_some() => "late_refund.failed",
            Intent::Refund(_) => "refund.failed",
            Intent::Confirm(_) | Intent::Capture(_) | Intent::Cancel(_) => "payment.step_refused",
            // Another account is tried, or the payment's own status says it.
            Intent::Create(_) => continue,
        };
        if refused && was_open {
            events.push(kind, Some(attempt.no), None)?;
        }
    }
    Ok(())
}

struct Events<'a> {
    after: &'a PaymentRecord,
    evidence: &'a Evidence,
    now: Timestamp,
    rows: Vec<OutboxRow>,
}

impl Events<'_> {
    fn push(&mut self, kind: &str, attempt: Option<u32>, review: Option<String>) -> Result<()> {
        let payment = self.after.provider.as_ref();
        let amounts = payment.map(|payment| payment.amounts.clone()).unwrap_or_default();
        let words = |amount: Option<paymux_core::Money>| amount.map(|amount| amount.to_string());
        let document = to_json(&Document {
            reference: self.after.request.reference.as_str(),
            status: self.after.status,
            paid: self.after.is_paid(),
            account: payment.map(|payment| payment.provider.as_str()),
            provider_payment: payment.map(|payment| payment.id.as_str()),
            provider_status: payment.map(|payment| payment.provider_status.as_str()),
            captured: words(amounts.captured),
            refunded: words(amounts.refunded),
            charged_back: words(amounts.charged_back),
            attempt,
            review,
            evidence: self.evidence,
        })?;
        let id: &PaymentId = &self.after.id;
        self.rows.push(OutboxRow {
            id: format!("{id}:{}:{}", self.after.version, self.rows.len()),
            payment: Some(id.clone()),
            version: self.after.version,
            kind: kind.to_owned(),
            at: self.now,
            document,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
