//! Does an answer fit what was asked?

use paymux_core::{
    AmountSource, Capabilities, Money, Payment, ProviderPartId, ProviderPaymentId,
    ProviderRefundId, Reference, Refund,
};

use crate::record::{Attempt, Intent, PaymentRecord};

/// How an answer differs from what was asked, in words.
pub(crate) fn mismatch(
    record: &PaymentRecord,
    no: u32,
    payment: &Payment,
    capabilities: &Capabilities,
) -> Option<String> {
    let attempt = record.attempt(no)?;
    let asked = record.request.amount;
    if payment.provider != attempt.account {
        return Some(format!("the answer names the account {}", payment.provider));
    }
    if payment.live.is_some_and(|live| live != capabilities.live) {
        let word = if capabilities.live { "a test payment" } else { "a payment with real money" };
        return Some(format!("the answer shows {word}"));
    }
    if let Some(known) = record.provider.as_ref().filter(|known| known.id != payment.id) {
        return Some(format!("it is {} there, and the answer is about {}", known.id, payment.id));
    }
    let amounts = &payment.amounts;
    let all = [amounts.requested, amounts.payable, amounts.authorized, amounts.captured];
    if let Some(other) = all.iter().flatten().find(|one| one.currency() != asked.currency())
        && capabilities.amount == AmountSource::Request
    {
        return Some(format!("asked for {asked}, the answer is in {}", other.currency()));
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
        return Some(format!("asked for {asked}, the answer says {requested}"));
    }
    let Intent::Create(create) = &record.live().unwrap_or(attempt).intent else { return None };
    payment
        .reference
        .as_ref()
        .filter(|reference| **reference != create.reference)
        .map(|reference| format!("the answer is about {reference}, not {}", create.reference))
}

/// How an answer about a refund differs from what was asked, in words.
pub(crate) fn refund_mismatch(record: &PaymentRecord, no: u32, refund: &Refund) -> Option<String> {
    let attempt = record.attempt(no)?;
    let Intent::Refund(asked) = &attempt.intent else { return None };
    if let (Some(asked), Some(said)) = (attempt.reserved, refund.amount)
        && asked != said
    {
        return Some(format!("{asked} was to be given back, the answer says {said}"));
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
