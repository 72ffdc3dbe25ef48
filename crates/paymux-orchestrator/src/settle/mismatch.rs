//! Does an answer fit what was asked?

use paymux_core::{
    AmountSource, Capabilities, Money, Payment, ProviderPartId, ProviderPaymentId,
    ProviderRefundId, Reference, Refund,
};

use crate::record::{Attempt, Intent, PaymentRecord, ReviewReason};

/// One thing in which an answer differs from what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Which, in words.
    pub(crate) note: String,
    /// It may be another payment, or none with real money: nobody may let that pass.
    pub(crate) is_another: bool,
}

/// How an answer differs from what was asked, in words, but for what a person let pass.
pub(crate) fn mismatch(
    record: &PaymentRecord,
    no: u32,
    payment: &Payment,
    capabilities: &Capabilities,
) -> Option<String> {
    let passed = |difference: &Difference| {
        let mismatches = record.let_pass.iter().filter(|it| it.reason == ReviewReason::Mismatch);
        !difference.is_another && mismatches.into_iter().any(|it| it.note == difference.note)
    };
    let mut found = differences(record, no, payment, capabilities);
    found.retain(|difference| !passed(difference));
    let notes: Vec<String> = found.into_iter().map(|difference| difference.note).collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

/// Everything in which an answer differs from what was asked.
pub(crate) fn differences(
    record: &PaymentRecord,
    no: u32,
    payment: &Payment,
    capabilities: &Capabilities,
) -> Vec<Difference> {
    let Some(attempt) = record.attempt(no) else { return Vec::new() };
    let asked = record.request.amount;
    let mut found = Vec::new();
    let mut differs = |is_another, note| found.push(Difference { note, is_another });
    if payment.provider != attempt.account {
        differs(true, format!("the answer names the account {}", payment.provider));
    }
    if payment.live.is_some_and(|live| live != capabilities.live) {
        let word = if capabilities.live { "a test payment" } else { "a payment with real money" };
        differs(true, format!("the answer shows {word}"));
    }
    if let Some(known) = record.provider.as_ref().filter(|known| known.id != payment.id) {
        differs(true, format!("it is {} there, and the answer is about {}", known.id, payment.id));
    }
    let amounts = &payment.amounts;
    let all = [amounts.requested, amounts.payable, amounts.authorized, amounts.captured];
    if let Some(other) = all.iter().flatten().find(|one| one.currency() != asked.currency())
        && capabilities.amount == AmountSource::Request
    {
        differs(true, format!("asked for {asked}, the answer is in {}", other.currency()));
    }
    // Some providers lower what was asked for to what was taken of it.
    let taken_less = |requested: &Money| {
        let may_have_left = |attempt: &&Attempt| attempt.sends > 0;
        record.attempts.iter().filter(may_have_left).any(|attempt| {
            matches!(&attempt.intent, Intent::Capture(capture) if capture.amount == Some(*requested))
        })
    };
    let other = |requested: &Money| *requested != asked && !taken_less(requested);
    if let Some(requested) = amounts.requested.filter(other) {
        differs(false, format!("asked for {asked}, the answer says {requested}"));
    }
    if let Intent::Create(create) = &record.live().unwrap_or(attempt).intent
        && let Some(reference) = &payment.reference
        && *reference != create.reference
    {
        let note = format!("the answer is about {reference}, not {}", create.reference);
        differs(true, note);
    }
    found
}

/// How an answer about a refund differs from what was asked, in words.
pub(crate) fn refund_mismatch(record: &PaymentRecord, no: u32, refund: &Refund) -> Option<String> {
    let other = |(asked, said): &(Money, Money)| asked != said;
    let amounts = record.attempt(no)?.reserved.zip(refund.amount).filter(other);
    let note = |(asked, said)| format!("{asked} was to be given back, the answer says {said}");
    amounts.map(note).or_else(|| another_refund(record, no, refund))
}

/// What of such an answer is about another refund: nobody may let that pass.
pub(crate) fn another_refund(record: &PaymentRecord, no: u32, refund: &Refund) -> Option<String> {
    let attempt = record.attempt(no)?;
    let Intent::Refund(asked) = &attempt.intent else { return None };
    if let (Some(asked), Some(said)) = (attempt.reserved, refund.amount)
        && asked.currency() != said.currency()
    {
        return Some(format!("{asked} was to be given back, the answer is in {}", said.currency()));
    }
    let known = attempt.refund.as_ref().and_then(|known| known.id.as_ref());
    let (payment, reference) = (asked.payment.id.as_str(), asked.reference.as_str());
    let pairs = [
        (known.map(ProviderRefundId::as_str), refund.id.as_ref().map(ProviderRefundId::as_str)),
        (Some(payment), refund.payment.as_ref().map(ProviderPaymentId::as_str)),
        (
            asked.part.as_ref().map(ProviderPartId::as_str),
            refund.part.as_ref().map(ProviderPartId::as_str),
        ),
        (Some(reference), refund.reference.as_ref().map(Reference::as_str)),
    ];
    pairs.into_iter().find_map(|(asked, said)| {
        let (asked, said) = (asked?, said?);
        (asked != said).then(|| format!("the refund is of {asked}, the answer is about {said}"))
    })
}
