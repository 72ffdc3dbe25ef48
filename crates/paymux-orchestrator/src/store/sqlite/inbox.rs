//! Events of webhooks.

use std::collections::BTreeMap;

use paymux_core::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::{
    commit::wrote,
    rows::{INBOX, inbox},
};
use crate::store::{
    Claim, InboxOutcome, InboxRow, InboxSettlement, MERGES_FOR, PORTION, Received,
    words::{MERGED, outcome_word, trust_word},
};

/// Keeps events. All are judged by what was there before, and only then written: two events of one
/// call are never merged, since one delivery can hold several, and they share its digest.
pub(super) fn receive(
    connection: &Connection,
    tenant: &str,
    events: &[InboxRow],
) -> Result<Vec<Received>> {
    let mut fresh: BTreeMap<_, &str> = BTreeMap::new();
    let mut answers = Vec::with_capacity(events.len());
    for event in events {
        let key = (&event.account, &event.key);
        let before = match fresh.get(&key) {
            Some(digest) => Some((*digest).to_owned()),
            None => digest_of(connection, tenant, event)?,
        };
        answers.push(match before {
            Some(digest) if digest == event.digest => Received::Duplicate,
            Some(_) => Received::Contradiction,
            None => {
                fresh.insert(key, &event.digest);
                if waits(connection, tenant, event)? { Received::Merged } else { Received::New }
            }
        });
    }
    for (event, answer) in events.iter().zip(&answers) {
        match answer {
            Received::New => add(connection, tenant, event, None)?,
            Received::Merged => add(connection, tenant, event, Some(MERGED))?,
            Received::Duplicate | Received::Contradiction => {}
        }
    }
    Ok(answers)
}

/// The digest that this event had before, if it was received before.
fn digest_of(connection: &Connection, tenant: &str, event: &InboxRow) -> Result<Option<String>> {
    let sql = "SELECT digest FROM inbox WHERE tenant_id = ?1 AND account = ?2 AND event_key = ?3";
    let key = (tenant, event.account.as_str(), event.key.as_str());
    connection.prepare_cached(sql)?.query_row(key, |row| row.get(0)).optional()
}

/// Does another event with this content wait, which nobody has looked after yet?
fn waits(connection: &Connection, tenant: &str, event: &InboxRow) -> Result<bool> {
    let sql = "SELECT 1 FROM inbox
               WHERE tenant_id = ?1 AND account = ?2 AND digest = ?3
                 AND outcome IS NULL AND lease_until IS NULL AND received_at > ?4";
    let since = event.received_at.before(MERGES_FOR).as_millis();
    connection.prepare_cached(sql)?.exists((tenant, event.account.as_str(), &event.digest, since))
}

fn add(
    connection: &Connection,
    tenant: &str,
    event: &InboxRow,
    outcome: Option<&str>,
) -> Result<()> {
    let sql = "INSERT INTO inbox
                 (tenant_id, account, event_key, trust, event, digest, received_at, tries, due_at,
                  outcome)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    connection.prepare_cached(sql)?.execute(params![
        tenant,
        event.account.as_str(),
        event.key.as_str(),
        trust_word(event.trust),
        event.event,
        event.digest,
        event.received_at.as_millis(),
        event.tries,
        event.due_at.as_millis(),
        outcome,
    ])?;
    Ok(())
}

/// Ends all leases, as for payments. The tries stay, so that an event whose look may be over takes
/// no other one in.
pub(super) fn free_all(connection: &Connection, tenant: &str) -> Result<()> {
    // A lease that is over frees the event for the next claim, and still says that it was taken.
    let sql = "UPDATE inbox SET lease_owner = NULL, lease_until = 0
               WHERE tenant_id = ?1 AND outcome IS NULL AND lease_until IS NOT NULL";
    connection.execute(sql, [tenant])?;
    Ok(())
}

/// Takes what is due, the longest waiting first. Taking an event counts as a try, so that one
/// that ends the process each time is seen.
pub(super) fn claim(connection: &Connection, tenant: &str, claim: &Claim) -> Result<Vec<InboxRow>> {
    let sql = format!(
        "UPDATE inbox SET lease_owner = ?2, lease_until = ?3, tries = tries + 1
         WHERE (tenant_id, account, event_key) IN (
           SELECT tenant_id, account, event_key FROM inbox
           WHERE tenant_id = ?1 AND outcome IS NULL AND due_at <= ?4
             AND (lease_until IS NULL OR lease_until <= ?4 OR lease_until > ?6)
           ORDER BY due_at, account, event_key LIMIT ?5)
         RETURNING {INBOX}"
    );
    let until = claim.now.after(claim.lease);
    // A lease that has longer to run than two that begin now was made while the clock was wrong.
    let too_long = until.after(claim.lease).as_millis();
    let (until, now) = (until.as_millis(), claim.now.as_millis());
    let params = params![tenant, claim.owner, until, now, claim.limit, too_long];
    let mut rows: Vec<InboxRow> =
        connection.prepare_cached(&sql)?.query_map(params, inbox)?.collect::<Result<_>>()?;
    // What an update returns is in no order.
    rows.sort_by(|a, b| (a.due_at, &a.account, &a.key).cmp(&(b.due_at, &b.account, &b.key)));
    Ok(rows)
}

/// Says what became of an event. One that is settled stays so, and one that was claimed again is
/// left to that claim.
pub(super) fn settle(
    connection: &Connection,
    tenant: &str,
    settlement: &InboxSettlement,
) -> Result<bool> {
    let later = match settlement.outcome {
        InboxOutcome::Later(at) => Some(at.as_millis()),
        InboxOutcome::Applied
        | InboxOutcome::Stale
        | InboxOutcome::Unmatched
        | InboxOutcome::HandedOn => None,
    };
    let (account, key) = (settlement.account.as_str(), settlement.key.as_str());
    let settled = wrote(
        connection,
        "UPDATE inbox SET
           outcome = ?4, due_at = coalesce(?5, due_at), lease_owner = NULL, lease_until = NULL
         WHERE tenant_id = ?1 AND account = ?2 AND event_key = ?3 AND outcome IS NULL
           AND tries = ?6",
        (tenant, account, key, outcome_word(settlement.outcome), later, settlement.tries),
    )?;
    let sql = "SELECT 1 FROM inbox WHERE tenant_id = ?1 AND account = ?2 AND event_key = ?3";
    Ok(settled || connection.prepare_cached(sql)?.exists((tenant, account, key))?)
}

/// Forgets a portion of the settled events that are older than this.
pub(super) fn forget(connection: &Connection, tenant: &str, before: Timestamp) -> Result<u64> {
    let sql = "DELETE FROM inbox WHERE (tenant_id, account, event_key) IN (
                 SELECT tenant_id, account, event_key FROM inbox
                 WHERE tenant_id = ?1 AND received_at < ?2 AND outcome IS NOT NULL
                 ORDER BY received_at LIMIT ?3)";
    let gone = connection.prepare_cached(sql)?.execute((tenant, before.as_millis(), PORTION))?;
    Ok(u64::try_from(gone).unwrap_or(u64::MAX))
}
