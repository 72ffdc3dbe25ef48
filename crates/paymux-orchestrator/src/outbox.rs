//! What the merchant is told: every settled change is an event, with what led to it.

use paymux_core::{Amounts, Money, PaymentStatus, Result, Timestamp};
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
    /// Some went back, and nobody says how much.
    given_back_unstated: bool,
    attempt: Option<u32>,
    review: Option<String>,
    /// What was seen or done that led to it.
    evidence: &'a Evidence,
}

/// What was taken of a payment and what went back: a merchant hears of each change of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    captured: Option<Money>,
    refunded: Option<Money>,
    charged_back: Option<Money>,
    given_back_unstated: bool,
}

impl Moved {
    pub(crate) fn of(amounts: &Amounts) -> Self {
        Self {
            captured: amounts.captured,
            refunded: amounts.refunded,
            charged_back: amounts.charged_back,
            given_back_unstated: amounts.given_back_unstated,
        }
    }
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
            record.provider.as_ref().map(|payment| Moved::of(&payment.amounts))
        };
        let only_amounts = before.status == after.status;
        if only_amounts && moved(before).unwrap_or_default() != moved(after).unwrap_or_default() {
            events.push("payment.amounts_changed", None, None)?;
        }
    }
    let known = |review: &Review| {
        let same = |other: &Review| {
            (other.reason, other.attempt, &other.note)
                == (review.reason, review.attempt, &review.note)
        };
        before.is_some_and(|before| before.reviews.iter().any(same))
    };
    for review in after.reviews.iter().filter(|review| !known(review)) {
        events.push("payment.review", None, Some(format!("{}: {}", review.reason, review.note)))?;
    }
    if before.is_some_and(|before| !before.reviews.is_empty()) && after.reviews.is_empty() {
        events.push("payment.review_resolved", None, None)?;
    }
    // Every event says whether it is paid: no change of that is without one.
    let turned = before.is_some_and(|before| before.is_paid() != after.is_paid());
    if turned && events.rows.is_empty() {
        events.push("payment.amounts_changed", None, None)?;
    }
    Ok(events.rows)
}

/// What became of refunds and steps.
fn attempts(
    before: Option<&PaymentRecord>,
    after: &PaymentRecord,
    events: &mut Events<'_>,
) -> Result<()> {
    let kept_back = matches!(events.evidence, Evidence::NotSent { .. });
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
        // Nobody refused what was not wanted any more before it left, or what did nothing.
        let withdrawn = then.is_some_and(|then| {
            !kept_back
                && then.state == AttemptState::Intent
                && attempt.state == AttemptState::NotSent
                && then.fault == attempt.fault
        });
        let did_nothing = attempt.state == AttemptState::NotCharged;
        let kind = match &attempt.intent {
            Intent::Refund(_) if attempt.gives_back.is_some() => "late_refund.failed",
            Intent::Refund(_) => "refund.failed",
            Intent::Confirm(_) | Intent::Capture(_) | Intent::Cancel(_) if withdrawn => {
                "payment.step_withdrawn"
            }
            Intent::Confirm(_) | Intent::Capture(_) | Intent::Cancel(_) if did_nothing => {
                "payment.step_not_done"
            }
            Intent::Confirm(_) | Intent::Capture(_) | Intent::Cancel(_) => "payment.step_refused",
            // Another account is tried, or the payment's own status says it.
            Intent::Create(_) => continue,
        };
        if (refused || did_nothing) && was_open {
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
        let words = |amount: Option<Money>| amount.map(|amount| amount.to_string());
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
            given_back_unstated: amounts.given_back_unstated,
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
