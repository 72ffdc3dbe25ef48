//! From columns to our types. A value that cannot be one of ours is an error of the row.

use std::{error::Error as StdError, fmt, str::FromStr};

use paymux_core::{EventKey, PaymentStatus, ProviderId, Timestamp};
use rusqlite::{Error, Result, Row, types::Type};

use crate::{
    ids::PaymentId,
    store::{
        CallerKeyRow, InboxRow, OutboxRow, PaymentRow, Positioned, TransitionRow,
        words::{read_status, read_trust},
    },
};

/// The columns that [`payment`] reads, in its order.
pub(super) const PAYMENT: &str = "payment_id, version, reference, status, in_doubt, review, \
                                  due_at, created_at, updated_at, document";

/// A payment.
pub(super) fn payment(row: &Row<'_>) -> Result<PaymentRow> {
    Ok(PaymentRow {
        id: parsed(row, 0)?,
        version: unsigned(row, 1)?,
        reference: row.get(2)?,
        status: status(row, 3)?,
        in_doubt: row.get(4)?,
        review: row.get(5)?,
        due_at: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis),
        created_at: time(row, 7)?,
        updated_at: time(row, 8)?,
        document: row.get(9)?,
    })
}

/// The columns that [`caller_key`] reads, in its order.
pub(super) const CALLER_KEY: &str = "caller_key, request_digest, payment_id, attempt, created_at";

/// A caller's key.
pub(super) fn caller_key(row: &Row<'_>) -> Result<CallerKeyRow> {
    Ok(CallerKeyRow {
        key: row.get(0)?,
        request_digest: row.get(1)?,
        payment: parsed(row, 2)?,
        attempt: row.get(3)?,
        created_at: time(row, 4)?,
    })
}

/// The columns that [`transition`] reads, in its order.
pub(super) const TRANSITION: &str = "payment_id, version, transition_id, at, node, cause, \
                                     evidence, from_status, to_status, previous_digest, digest";

/// A transition.
pub(super) fn transition(row: &Row<'_>) -> Result<TransitionRow> {
    Ok(TransitionRow {
        payment: parsed(row, 0)?,
        version: unsigned(row, 1)?,
        id: row.get(2)?,
        at: time(row, 3)?,
        node: row.get(4)?,
        cause: row.get(5)?,
        evidence: row.get(6)?,
        from: status(row, 7)?,
        to: status(row, 8)?,
        previous_digest: row.get(9)?,
        digest: row.get(10)?,
    })
}

/// The columns that [`inbox`] reads, in its order.
pub(super) const INBOX: &str =
    "account, event_key, trust, event, digest, received_at, tries, due_at";

/// An event of the inbox.
pub(super) fn inbox(row: &Row<'_>) -> Result<InboxRow> {
    let trust: String = row.get(2)?;
    Ok(InboxRow {
        account: made(0, ProviderId::new(row.get::<_, String>(0)?))?,
        key: made(1, EventKey::new(row.get::<_, String>(1)?))?,
        trust: read_trust(&trust).ok_or_else(|| unknown(2))?,
        event: row.get(3)?,
        digest: row.get(4)?,
        received_at: time(row, 5)?,
        tries: row.get(6)?,
        due_at: time(row, 7)?,
    })
}

/// The columns that [`outbox`] reads, in its order.
pub(super) const OUTBOX: &str = "position, event_id, payment_id, version, kind, at, document";

/// An event of the outbox.
pub(super) fn outbox(row: &Row<'_>) -> Result<Positioned> {
    let payment: Option<String> = row.get(2)?;
    Ok(Positioned {
        position: unsigned(row, 0)?,
        event: OutboxRow {
            id: row.get(1)?,
            payment: payment.map(|text| made(2, text.parse::<PaymentId>())).transpose()?,
            version: unsigned(row, 3)?,
            kind: row.get(4)?,
            at: time(row, 5)?,
            document: row.get(6)?,
        },
    })
}

/// A payment's id.
pub(super) fn parsed(row: &Row<'_>, column: usize) -> Result<PaymentId> {
    made(column, PaymentId::from_str(&row.get::<_, String>(column)?))
}

fn status(row: &Row<'_>, column: usize) -> Result<PaymentStatus> {
    let word: String = row.get(column)?;
    read_status(&word).ok_or_else(|| unknown(column))
}

fn time(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    Ok(Timestamp::from_millis(row.get(column)?))
}

/// A number that counts from zero.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| Error::IntegralValueOutOfRange(column, number))
}

/// A number as SQLite keeps it.
pub(super) fn signed(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}

fn made<T>(column: usize, value: paymux_core::Result<T>) -> Result<T> {
    value.map_err(|error| Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

fn unknown(column: usize) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, Box::new(UnknownWord))
}

/// A word that is on none of our lists.
#[derive(Debug)]
struct UnknownWord;

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the word is not one of those that can stand here")
    }
}

impl StdError for UnknownWord {}
