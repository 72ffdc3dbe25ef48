//! What is written, as the parameters of its statement.

use paymux_core::Timestamp;

use super::{pipeline::Value, rows};
use crate::{
    ids::PaymentId,
    store::{
        CallerKeyRow, Change, InboxOutcome, InboxRow, InboxSettlement, OutboxRow, StoreResult,
        TransitionRow, words,
    },
};

/// The moment as it is kept.
pub(super) fn millis(at: Timestamp) -> Value<'static> {
    at.as_millis().into()
}

pub(super) fn payment_values<'a>(
    tenant: &'a str,
    change: &'a Change,
) -> StoreResult<[Value<'a>; 11]> {
    let row = &change.payment;
    Ok([
        tenant.into(),
        row.id.as_str().into(),
        rows::number(row.version)?.into(),
        (&row.reference).into(),
        row.status.as_str().into(),
        rows::flag(row.in_doubt).into(),
        rows::flag(row.review).into(),
        row.due_at.map(Timestamp::as_millis).into(),
        millis(row.created_at),
        millis(row.updated_at),
        (&row.document).into(),
    ])
}

pub(super) fn update_values<'a>(
    tenant: &'a str,
    change: &'a Change,
) -> StoreResult<[Value<'a>; 12]> {
    let [t, id, version, reference, status, in_doubt, review, due, created, updated, document] =
        payment_values(tenant, change)?;
    let from = rows::number(change.from_version)?.into();
    Ok([t, id, version, reference, status, in_doubt, review, due, created, updated, document, from])
}

pub(super) fn key_values<'a>(tenant: &'a str, key: &'a CallerKeyRow) -> [Value<'a>; 6] {
    [
        tenant.into(),
        (&key.key).into(),
        (&key.request_digest).into(),
        key.payment.as_str().into(),
        key.attempt.map(i64::from).into(),
        millis(key.created_at),
    ]
}

pub(super) fn event_values<'a>(
    tenant: &'a str,
    event: &'a OutboxRow,
    place: i64,
) -> StoreResult<[Value<'a>; 8]> {
    Ok([
        tenant.into(),
        (&event.id).into(),
        event.payment.as_ref().map(PaymentId::as_str).into(),
        rows::number(event.version)?.into(),
        place.into(),
        (&event.kind).into(),
        millis(event.at),
        (&event.document).into(),
    ])
}

pub(super) fn settlement_values<'a>(
    tenant: &'a str,
    settlement: &'a InboxSettlement,
) -> [Value<'a>; 6] {
    let later = match settlement.outcome {
        InboxOutcome::Later(at) => Some(at.as_millis()),
        InboxOutcome::Applied
        | InboxOutcome::Stale
        | InboxOutcome::Unmatched
        | InboxOutcome::HandedOn => None,
    };
    [
        tenant.into(),
        settlement.account.as_str().into(),
        settlement.key.as_str().into(),
        words::outcome_word(settlement.outcome).into(),
        later.into(),
        i64::from(settlement.tries).into(),
    ]
}

pub(super) fn transition_values<'a>(
    tenant: &'a str,
    line: &'a TransitionRow,
) -> StoreResult<[Value<'a>; 12]> {
    Ok([
        tenant.into(),
        line.payment.as_str().into(),
        rows::number(line.version)?.into(),
        (&line.id).into(),
        millis(line.at),
        (&line.node).into(),
        (&line.cause).into(),
        (&line.evidence).into(),
        line.from.as_str().into(),
        line.to.as_str().into(),
        (&line.previous_digest).into(),
        (&line.digest).into(),
    ])
}

/// The outcome is there from the start where the event was merged into another.
pub(super) fn inbox_values<'a>(
    tenant: &'a str,
    event: &'a InboxRow,
    outcome: Option<&'a str>,
) -> [Value<'a>; 10] {
    [
        tenant.into(),
        event.account.as_str().into(),
        event.key.as_str().into(),
        words::trust_word(event.trust).into(),
        (&event.event).into(),
        (&event.digest).into(),
        millis(event.received_at),
        i64::from(event.tries).into(),
        millis(event.due_at),
        outcome.into(),
    ]
}
