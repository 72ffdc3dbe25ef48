//! Rows to our types and back. A row that cannot be read is reported as corrupt, never skipped.

use paymux_core::{EventKey, PaymentStatus, ProviderId, Timestamp};
use tokio_postgres::{Row, types::FromSql};

use crate::{
    ids::PaymentId,
    store::{
        CallerKeyRow, InboxRow, OutboxRow, PaymentRow, Positioned, StoreError, StoreErrorKind,
        StoreResult, TransitionRow, words,
    },
};

/// Booleans are kept as numbers, as every dialect can.
pub(super) const fn flag(value: bool) -> i64 {
    if value { 1 } else { 0 }
}

/// A count as it is kept.
pub(super) fn number(value: u64) -> StoreResult<i64> {
    i64::try_from(value).map_err(|_| corrupt("a number is too large to be kept"))
}

/// A count as it was kept.
pub(super) fn count(value: i64) -> StoreResult<u64> {
    u64::try_from(value).map_err(|_| corrupt("a count that is kept is negative"))
}

pub(super) fn corrupt(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, message)
}

/// One value of a row, by the name of its column.
pub(super) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> StoreResult<T> {
    row.try_get(column).map_err(|_| corrupt(&format!("column {column} holds no value of its type")))
}

fn time(row: &Row, column: &str) -> StoreResult<Timestamp> {
    get(row, column).map(Timestamp::from_millis)
}

fn small(row: &Row, column: &str) -> StoreResult<u32> {
    u32::try_from(get::<i64>(row, column)?)
        .map_err(|_| corrupt(&format!("column {column} holds a number out of its range")))
}

fn status(row: &Row, column: &str) -> StoreResult<PaymentStatus> {
    words::read_status(get(row, column)?)
        .ok_or_else(|| corrupt(&format!("column {column} holds an unknown status")))
}

pub(super) fn payment_id(row: &Row, column: &str) -> StoreResult<PaymentId> {
    get::<&str>(row, column)?
        .parse()
        .map_err(|_| corrupt(&format!("column {column} holds no payment's id")))
}

pub(super) fn payment(row: &Row) -> StoreResult<PaymentRow> {
    Ok(PaymentRow {
        id: payment_id(row, "payment_id")?,
        version: count(get(row, "version")?)?,
        reference: get(row, "reference")?,
        status: status(row, "status")?,
        in_doubt: get::<i64>(row, "in_doubt")? == 1,
        review: get::<i64>(row, "review")? == 1,
        due_at: get::<Option<i64>>(row, "due_at")?.map(Timestamp::from_millis),
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
        document: get(row, "document")?,
    })
}

pub(super) fn caller_key(row: &Row) -> StoreResult<CallerKeyRow> {
    let attempt = match get::<Option<i64>>(row, "attempt")? {
        Some(_) => Some(small(row, "attempt")?),
        None => None,
    };
    Ok(CallerKeyRow {
        key: get(row, "caller_key")?,
        request_digest: get(row, "request_digest")?,
        payment: payment_id(row, "payment_id")?,
        attempt,
        created_at: time(row, "created_at")?,
    })
}

pub(super) fn transition(row: &Row) -> StoreResult<TransitionRow> {
    Ok(TransitionRow {
        payment: payment_id(row, "payment_id")?,
        version: count(get(row, "version")?)?,
        id: get(row, "transition_id")?,
        at: time(row, "at")?,
        node: get(row, "node")?,
        cause: get(row, "cause")?,
        evidence: get(row, "evidence")?,
        from: status(row, "from_status")?,
        to: status(row, "to_status")?,
        previous_digest: get(row, "previous_digest")?,
        digest: get(row, "digest")?,
    })
}

pub(super) fn inbox(row: &Row) -> StoreResult<InboxRow> {
    let trust = words::read_trust(get(row, "trust")?)
        .ok_or_else(|| corrupt("column trust holds an unknown word"))?;
    Ok(InboxRow {
        account: ProviderId::new(get::<String>(row, "account")?)
            .map_err(|_| corrupt("column account holds no account"))?,
        key: EventKey::new(get::<String>(row, "event_key")?)
            .map_err(|_| corrupt("column event_key holds no key"))?,
        trust,
        event: get(row, "event")?,
        digest: get(row, "digest")?,
        received_at: time(row, "received_at")?,
        tries: small(row, "tries")?,
        due_at: time(row, "due_at")?,
    })
}

pub(super) fn positioned(row: &Row) -> StoreResult<Positioned> {
    let payment = match get::<Option<&str>>(row, "payment_id")? {
        Some(_) => Some(payment_id(row, "payment_id")?),
        None => None,
    };
    Ok(Positioned {
        position: count(get(row, "position")?)?,
        event: OutboxRow {
            id: get(row, "event_id")?,
            payment,
            version: count(get(row, "version")?)?,
            kind: get(row, "kind")?,
            at: time(row, "at")?,
            document: get(row, "document")?,
        },
    })
}
