//! One change. Each guard is a row that is written under a condition, in the order of the checks;
//! the first that does not take is the answer, and what was written before it is taken back.

use paymux_core::Timestamp;
use rusqlite::{Connection, Result, params};

use super::{inbox, outbox, payments, rows::signed, writer::Step};
use crate::{
    ids::PaymentId,
    store::{CallerKeyRow, Change, Committed, ObjectRef, PORTION, PaymentRow, Slot, TransitionRow},
};

/// Writes the change, or says why not.
pub(super) fn apply(
    connection: &Connection,
    tenant: &str,
    change: &Change,
) -> Result<Step<Committed>> {
    if let Some(refusal) = guard(connection, tenant, change)? {
        return Ok(Step::Undo(refusal));
    }
    add_transition(connection, tenant, &change.transition)?;
    for event in &change.events {
        outbox::add(connection, tenant, event)?;
    }
    for settlement in &change.inbox {
        inbox::settle(connection, tenant, settlement)?;
    }
    Ok(Step::Keep(Committed::Done))
}

fn guard(connection: &Connection, tenant: &str, change: &Change) -> Result<Option<Committed>> {
    let payment = &change.payment;
    if let Some(key) = &change.caller_key
        && !add_key(connection, tenant, key)?
        && let Some(taken) = payments::find_key(connection, tenant, &key.key)?
    {
        return Ok(Some(Committed::KeyTaken(taken)));
    }
    let moved = if change.from_version == 0 {
        add_payment(connection, tenant, payment)?
    } else {
        move_payment(connection, tenant, payment, change.from_version)?
    };
    if !moved {
        return Ok(Some(Committed::Lost));
    }
    if !pass_slot(connection, tenant, &payment.id, change.slot)? {
        return Ok(Some(Committed::SlotRefused));
    }
    for object in &change.objects {
        if !add_object(connection, tenant, &payment.id, object)?
            && let Some(owner) = payments::find_object(connection, tenant, object)?
            && owner != payment.id
        {
            return Ok(Some(Committed::ObjectTaken { object: object.clone(), owner }));
        }
    }
    Ok(None)
}

/// Runs a statement that writes one row or none; did it write?
pub(super) fn wrote(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<bool> {
    Ok(connection.prepare_cached(sql)?.execute(params)? > 0)
}

fn add_key(connection: &Connection, tenant: &str, key: &CallerKeyRow) -> Result<bool> {
    wrote(
        connection,
        "INSERT INTO caller_keys
           (tenant_id, caller_key, request_digest, payment_id, attempt, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        params![
            tenant,
            key.key,
            key.request_digest,
            key.payment.as_str(),
            key.attempt,
            key.created_at.as_millis(),
        ],
    )
}

fn add_payment(connection: &Connection, tenant: &str, payment: &PaymentRow) -> Result<bool> {
    wrote(
        connection,
        "INSERT INTO payments
           (tenant_id, payment_id, version, reference, status, in_doubt, review, due_at,
            created_at, updated_at, document)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
        params![
            tenant,
            payment.id.as_str(),
            signed(payment.version)?,
            payment.reference,
            payment.status.as_str(),
            payment.in_doubt,
            payment.review,
            payment.due_at.map(Timestamp::as_millis),
            payment.created_at.as_millis(),
            payment.updated_at.as_millis(),
            payment.document,
        ],
    )
}

/// Moves a payment on from this version, and ends its lease.
fn move_payment(
    connection: &Connection,
    tenant: &str,
    payment: &PaymentRow,
    from_version: u64,
) -> Result<bool> {
    let values = params![
        tenant,
        payment.id.as_str(),
        signed(from_version)?,
        payment.reference,
        signed(payment.version)?,
        payment.status.as_str(),
        payment.in_doubt,
        payment.review,
        payment.due_at.map(Timestamp::as_millis),
        payment.created_at.as_millis(),
        payment.updated_at.as_millis(),
        payment.document,
    ];
    // An update that names an indexed column writes its index anew even where the value stays, and
    // the reference hardly ever changes.
    Ok(wrote(
        connection,
        "UPDATE payments SET
           version = ?5, status = ?6, in_doubt = ?7, review = ?8, due_at = ?9, created_at = ?10,
           updated_at = ?11, document = ?12, lease_owner = NULL, lease_until = NULL
         WHERE tenant_id = ?1 AND payment_id = ?2 AND version = ?3 AND reference = ?4",
        values,
    )? || wrote(
        connection,
        "UPDATE payments SET
           reference = ?4, version = ?5, status = ?6, in_doubt = ?7, review = ?8, due_at = ?9,
           created_at = ?10, updated_at = ?11, document = ?12, lease_owner = NULL,
           lease_until = NULL
         WHERE tenant_id = ?1 AND payment_id = ?2 AND version = ?3",
        values,
    )?)
}

/// Does what the change wants with the right to move money, if it may.
fn pass_slot(connection: &Connection, tenant: &str, id: &PaymentId, slot: Slot) -> Result<bool> {
    let id = id.as_str();
    match slot {
        Slot::Keep => Ok(true),
        Slot::Take(attempt) => wrote(
            connection,
            "INSERT INTO live_slot (tenant_id, payment_id, attempt)
             VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            (tenant, id, attempt),
        ),
        Slot::Release(attempt) => wrote(
            connection,
            "DELETE FROM live_slot WHERE tenant_id = ?1 AND payment_id = ?2 AND attempt = ?3",
            (tenant, id, attempt),
        ),
        Slot::Move { from, to } => wrote(
            connection,
            "UPDATE live_slot SET attempt = ?4
             WHERE tenant_id = ?1 AND payment_id = ?2 AND attempt = ?3",
            (tenant, id, from, to),
        ),
    }
}

fn add_object(
    connection: &Connection,
    tenant: &str,
    id: &PaymentId,
    object: &ObjectRef,
) -> Result<bool> {
    wrote(
        connection,
        "INSERT INTO provider_objects (tenant_id, account, kind, object_id, payment_id)
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        (tenant, object.account.as_str(), object.kind.as_str(), &object.id, id.as_str()),
    )
}

/// A plain insert: a second line for a version would be a fence that did not hold.
fn add_transition(connection: &Connection, tenant: &str, line: &TransitionRow) -> Result<()> {
    let sql = "INSERT INTO transitions
                 (tenant_id, payment_id, version, transition_id, at, node, cause, evidence,
                  from_status, to_status, previous_digest, digest)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    connection.prepare_cached(sql)?.execute(params![
        tenant,
        line.payment.as_str(),
        signed(line.version)?,
        line.id,
        line.at.as_millis(),
        line.node,
        line.cause,
        line.evidence,
        line.from.as_str(),
        line.to.as_str(),
        line.previous_digest,
        line.digest,
    ])?;
    Ok(())
}

/// Forgets a portion of the callers' keys that are older than this.
pub(super) fn forget_keys(connection: &Connection, tenant: &str, before: Timestamp) -> Result<u64> {
    let sql = "DELETE FROM caller_keys WHERE tenant_id = ?1 AND caller_key IN (
                 SELECT caller_key FROM caller_keys WHERE tenant_id = ?1 AND created_at < ?2
                 ORDER BY created_at LIMIT ?3)";
    let gone = connection.prepare_cached(sql)?.execute((tenant, before.as_millis(), PORTION))?;
    Ok(u64::try_from(gone).unwrap_or(u64::MAX))
}
