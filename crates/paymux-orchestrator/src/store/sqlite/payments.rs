//! Reading payments and what is found by them, and taking what is due.

use paymux_core::{PaymentStatus, Timestamp};
use rusqlite::{Connection, OptionalExtension, Result, params, params_from_iter, types::Value};

use super::rows::{
    CALLER_KEY, PAYMENT, TRANSITION, caller_key, parsed, payment, transition, unsigned,
};
use crate::{
    ids::PaymentId,
    store::{Backlog, CallerKeyRow, Claim, ObjectRef, PaymentQuery, PaymentRow, TransitionRow},
};

/// One payment.
pub(super) fn load(
    connection: &Connection,
    tenant: &str,
    id: &PaymentId,
) -> Result<Option<PaymentRow>> {
    let sql = format!("SELECT {PAYMENT} FROM payments WHERE tenant_id = ?1 AND payment_id = ?2");
    connection.prepare_cached(&sql)?.query_row((tenant, id.as_str()), payment).optional()
}

/// Payments, oldest first. The text holds the conditions that are asked for, and no value but
/// whether a person looks for them: few are, and an index holds those alone.
pub(super) fn list(
    connection: &Connection,
    tenant: &str,
    query: &PaymentQuery,
) -> Result<Vec<PaymentRow>> {
    let watched = query.in_doubt == Some(true) || query.review == Some(true);
    let index = if watched { " INDEXED BY payments_watched" } else { "" };
    let mut sql = format!("SELECT {PAYMENT} FROM payments{index} WHERE tenant_id = ?");
    if let Some(in_doubt) = query.in_doubt {
        sql.push_str(if in_doubt { " AND in_doubt = 1" } else { " AND in_doubt = 0" });
    }
    if let Some(review) = query.review {
        sql.push_str(if review { " AND review = 1" } else { " AND review = 0" });
    }
    let mut values = vec![Value::Text(tenant.to_owned())];
    if !query.statuses.is_empty() {
        // Each at most once, so that the texts are few and stay prepared.
        let wanted = PaymentStatus::ALL.iter().filter(|status| query.statuses.contains(status));
        let before = values.len();
        values.extend(wanted.map(|status| Value::Text(status.as_str().to_owned())));
        let places = vec!["?"; values.len() - before].join(", ");
        sql.push_str(&format!(" AND status IN ({places})"));
    }
    let mut add = |condition: &str, value: Value| {
        sql.push_str(condition);
        values.push(value);
    };
    if let Some(reference) = &query.reference {
        add(" AND reference = ?", Value::Text(reference.clone()));
    }
    if let Some(from) = query.created_from {
        add(" AND created_at >= ?", Value::Integer(from.as_millis()));
    }
    if let Some(to) = query.created_to {
        add(" AND created_at < ?", Value::Integer(to.as_millis()));
    }
    if let Some(after) = &query.after {
        add(" AND payment_id > ?", Value::Text(after.as_str().to_owned()));
    }
    add(" ORDER BY payment_id LIMIT ?", Value::Integer(i64::from(query.limit)));
    connection.prepare_cached(&sql)?.query_map(params_from_iter(values), payment)?.collect()
}

/// What was asked under this key.
pub(super) fn find_key(
    connection: &Connection,
    tenant: &str,
    key: &str,
) -> Result<Option<CallerKeyRow>> {
    let sql =
        format!("SELECT {CALLER_KEY} FROM caller_keys WHERE tenant_id = ?1 AND caller_key = ?2");
    connection.prepare_cached(&sql)?.query_row((tenant, key), caller_key).optional()
}

/// Whose an object is.
pub(super) fn find_object(
    connection: &Connection,
    tenant: &str,
    object: &ObjectRef,
) -> Result<Option<PaymentId>> {
    let sql = "SELECT payment_id FROM provider_objects
               WHERE tenant_id = ?1 AND account = ?2 AND kind = ?3 AND object_id = ?4";
    let key = (tenant, object.account.as_str(), object.kind.as_str(), &object.id);
    connection.prepare_cached(sql)?.query_row(key, |row| parsed(row, 0)).optional()
}

/// The transitions of a payment, in order.
pub(super) fn history(
    connection: &Connection,
    tenant: &str,
    id: &PaymentId,
) -> Result<Vec<TransitionRow>> {
    let sql = format!(
        "SELECT {TRANSITION} FROM transitions WHERE tenant_id = ?1 AND payment_id = ?2
         ORDER BY version"
    );
    connection.prepare_cached(&sql)?.query_map((tenant, id.as_str()), transition)?.collect()
}

/// Ends all leases: whoever opens the file does it alone, so their owners are gone.
pub(super) fn free_all(connection: &Connection, tenant: &str) -> Result<()> {
    let sql = "UPDATE payments SET lease_owner = NULL, lease_until = NULL
               WHERE tenant_id = ?1 AND due_at IS NOT NULL AND lease_until IS NOT NULL";
    connection.execute(sql, [tenant])?;
    Ok(())
}

/// Takes what is due, the longest waiting first.
pub(super) fn claim(
    connection: &Connection,
    tenant: &str,
    claim: &Claim,
) -> Result<Vec<PaymentId>> {
    let sql = "UPDATE payments SET lease_owner = ?2, lease_until = ?3
               WHERE (tenant_id, payment_id) IN (
                 SELECT tenant_id, payment_id FROM payments
                 WHERE tenant_id = ?1 AND due_at <= ?4
                   AND (lease_until IS NULL OR lease_until <= ?4 OR lease_until > ?6)
                 ORDER BY due_at, payment_id LIMIT ?5)
               RETURNING due_at, payment_id";
    let until = claim.now.after(claim.lease);
    // A lease that has longer to run than two that begin now was made while the clock was wrong.
    let too_long = until.after(claim.lease).as_millis();
    let (until, now) = (until.as_millis(), claim.now.as_millis());
    let params = params![tenant, claim.owner, until, now, claim.limit, too_long];
    let mut rows: Vec<(i64, PaymentId)> = connection
        .prepare_cached(sql)?
        .query_map(params, |row| Ok((row.get(0)?, parsed(row, 1)?)))?
        .collect::<Result<_>>()?;
    // What an update returns is in no order.
    rows.sort();
    Ok(rows.into_iter().map(|(_, id)| id).collect())
}

/// How much waits, all of one moment. The sign keeps SQLite from walking all events by their age
/// until one waits.
pub(super) fn backlog(connection: &Connection, tenant: &str, now: Timestamp) -> Result<Backlog> {
    let sql = "SELECT
        (SELECT count(*) FROM payments INDEXED BY payments_watched
          WHERE tenant_id = ?1 AND in_doubt = 1),
        (SELECT count(*) FROM payments INDEXED BY payments_watched
          WHERE tenant_id = ?1 AND review = 1),
        (SELECT count(*) FROM payments WHERE tenant_id = ?1 AND due_at <= ?2),
        (SELECT count(*) FROM inbox WHERE tenant_id = ?1 AND outcome IS NULL),
        (SELECT min(+received_at) FROM inbox WHERE tenant_id = ?1 AND outcome IS NULL)";
    connection.prepare_cached(sql)?.query_row((tenant, now.as_millis()), |row| {
        Ok(Backlog {
            in_doubt: unsigned(row, 0)?,
            review: unsigned(row, 1)?,
            due: unsigned(row, 2)?,
            inbox: unsigned(row, 3)?,
            oldest_event: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis),
        })
    })
}
