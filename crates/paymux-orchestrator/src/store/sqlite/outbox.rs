//! What the merchant is told. One thread writes, so a position that is given with the row is in
//! the order of the commits, and no reader can see one appear below another.

use rusqlite::{Connection, Result, params};

use super::rows::{OUTBOX, outbox, signed, unsigned};
use crate::store::{OutboxRow, Positioned};

/// Writes something that means nothing: a row is made and goes again, since SQLite does not write
/// what was there before.
pub(super) fn flush(connection: &Connection, tenant: &str) -> Result<()> {
    let add = "INSERT INTO counters (tenant_id, name, value) VALUES (?1, 'flush', 0)";
    connection.prepare_cached(add)?.execute([tenant])?;
    let remove = "DELETE FROM counters WHERE tenant_id = ?1 AND name = 'flush'";
    connection.prepare_cached(remove)?.execute([tenant])?;
    Ok(())
}

/// The last position that was given. Where somebody deleted events, it is no less than it was when the
/// file was opened, and no less than the last that is left.
const LAST: &str = "max(
    (SELECT coalesce(max(position), 0) FROM outbox WHERE tenant_id = ?1),
    coalesce((SELECT value FROM counters WHERE tenant_id = ?1 AND name = 'outbox'), 0))";

/// Notes which position was the last, when the file is opened.
pub(super) fn note_last(connection: &Connection, tenant: &str) -> Result<()> {
    let note = "INSERT INTO counters (tenant_id, name, value)
        SELECT tenant_id, 'outbox', max(position) FROM outbox WHERE tenant_id = ?1 GROUP BY tenant_id
        ON CONFLICT DO UPDATE SET value = excluded.value WHERE value < excluded.value";
    connection.execute(note, [tenant]).map(|_| ())
}

/// Adds an event at the next position. One of a payment is written with a version of it, and so
/// once; one that is about none is not added again.
pub(super) fn add(connection: &Connection, tenant: &str, event: &OutboxRow) -> Result<()> {
    let sql = format!(
        "INSERT INTO outbox
           (tenant_id, event_id, payment_id, version, kind, at, document, position)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, {LAST} + 1)
         ON CONFLICT (tenant_id, event_id) WHERE payment_id IS NULL DO NOTHING"
    );
    connection.prepare_cached(&sql)?.execute(params![
        tenant,
        event.id,
        event.payment.as_ref().map(crate::ids::PaymentId::as_str),
        signed(event.version)?,
        event.kind,
        event.at.as_millis(),
        event.document,
    ])?;
    Ok(())
}

/// The events after this position.
pub(super) fn read(
    connection: &Connection,
    tenant: &str,
    after: u64,
    limit: u32,
) -> Result<Vec<Positioned>> {
    // No position is beyond what SQLite counts to.
    let Ok(after) = i64::try_from(after) else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT {OUTBOX} FROM outbox WHERE tenant_id = ?1 AND position > ?2
         ORDER BY position LIMIT ?3"
    );
    connection.prepare_cached(&sql)?.query_map((tenant, after, limit), outbox)?.collect()
}

/// The last position that was given.
pub(super) fn last(connection: &Connection, tenant: &str) -> Result<u64> {
    let sql = format!("SELECT {LAST}");
    connection.prepare_cached(&sql)?.query_row([tenant], |row| unsigned(row, 0))
}
