//! Payments kept in memory: the model that the other stores are measured by, for tests and trials.
//! Nothing survives the process.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use paymux_core::{EventKey, ProviderId, Timestamp};

use super::{
    Backlog, CallerKeyRow, Change, Claim, Committed, InboxRow, InboxSettlement, ObjectRef,
    OutboxRow, PaymentQuery, PaymentRow, Positioned, Received, Slot, Store, StoreResult,
    TransitionRow, check_reader,
};
use crate::ids::PaymentId;

mod commit;
mod inbox;

/// Payments in memory, under one lock: every call is a transaction of its own. The order of all
/// it gives is fixed, so that a run can be repeated to the letter.
#[derive(Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

/// The rows, found by their keys.
#[derive(Default)]
struct Tables {
    payments: BTreeMap<PaymentId, Leased<PaymentRow>>,
    live_slot: BTreeMap<PaymentId, u32>,
    caller_keys: BTreeMap<String, CallerKeyRow>,
    provider_objects: BTreeMap<ObjectRef, PaymentId>,
    transitions: BTreeMap<(PaymentId, u64), TransitionRow>,
    inbox: BTreeMap<(ProviderId, EventKey), inbox::Entry>,
    outbox: BTreeMap<u64, OutboxRow>,
    outbox_ids: BTreeMap<String, u64>,
}

/// A row that can be somebody's for a while.
struct Leased<T> {
    row: T,
    until: Option<Timestamp>,
}

impl<T> Leased<T> {
    fn free(row: T) -> Self {
        Self { row, until: None }
    }

    /// A lease that has longer to run than two that begin now was made while the clock was wrong.
    fn is_free(&self, claim: &Claim) -> bool {
        let too_long = claim.now.after(claim.lease).after(claim.lease);
        self.until.is_none_or(|until| until <= claim.now || until > too_long)
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No call leaves the tables half changed, so a lock that a panic poisoned is still good.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows can hold people: only their number is shown.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("payments", &self.tables().payments.len()).finish()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn commit_shared(&self, change: Arc<Change>) -> StoreResult<Committed> {
        change.check()?;
        let mut tables = self.tables();
        Ok(match tables.refusal(&change) {
            Some(refused) => refused,
            None => {
                tables.write(Arc::unwrap_or_clone(change));
                Committed::Done
            }
        })
    }

    async fn flush(&self) -> StoreResult<()> {
        Ok(())
    }

    async fn load(&self, id: &PaymentId) -> StoreResult<Option<PaymentRow>> {
        Ok(self.tables().payments.get(id).map(|payment| payment.row.clone()))
    }

    async fn list(&self, query: &PaymentQuery) -> StoreResult<Vec<PaymentRow>> {
        let tables = self.tables();
        let rows = tables.payments.values().map(|payment| &payment.row);
        Ok(rows.filter(|row| wanted(query, row)).take(count(query.limit)).cloned().collect())
    }

    async fn find_caller_key(&self, key: &str) -> StoreResult<Option<CallerKeyRow>> {
        Ok(self.tables().caller_keys.get(key).cloned())
    }

    async fn find_object(&self, object: &ObjectRef) -> StoreResult<Option<PaymentId>> {
        Ok(self.tables().provider_objects.get(object).cloned())
    }

    async fn history(&self, id: &PaymentId) -> StoreResult<Vec<TransitionRow>> {
        let all = (id.clone(), 0)..=(id.clone(), u64::MAX);
        Ok(self.tables().transitions.range(all).map(|(_, line)| line.clone()).collect())
    }

    async fn claim_payments(&self, claim: &Claim) -> StoreResult<Vec<PaymentId>> {
        let mut tables = self.tables();
        let mut due: Vec<(Timestamp, PaymentId)> = tables
            .payments
            .values()
            .filter(|payment| payment.is_free(claim))
            .filter_map(|payment| Some((payment.row.due_at?, payment.row.id.clone())))
            .filter(|(due_at, _)| *due_at <= claim.now)
            .collect();
        due.sort();
        due.truncate(count(claim.limit));
        for (_, id) in &due {
            if let Some(payment) = tables.payments.get_mut(id) {
                payment.until = Some(claim.now.after(claim.lease));
            }
        }
        Ok(due.into_iter().map(|(_, id)| id).collect())
    }

    async fn receive(&self, events: Vec<InboxRow>) -> StoreResult<Vec<Received>> {
        Ok(inbox::receive(&mut self.tables().inbox, events))
    }

    async fn claim_inbox(&self, claim: &Claim) -> StoreResult<Vec<InboxRow>> {
        Ok(inbox::claim(&mut self.tables().inbox, claim))
    }

    async fn settle_inbox(&self, settlement: &InboxSettlement) -> StoreResult<bool> {
        Ok(inbox::settle(&mut self.tables().inbox, settlement))
    }

    async fn add_event(&self, event: OutboxRow) -> StoreResult<()> {
        event.check_alone()?;
        self.tables().add_event(event);
        Ok(())
    }

    async fn events(&self, after: u64, limit: u32) -> StoreResult<Vec<Positioned>> {
        let tables = self.tables();
        check_reader(after, tables.outbox.last_key_value().map_or(0, |(last, _)| *last))?;
        let Some(first) = after.checked_add(1) else { return Ok(Vec::new()) };
        let rows = tables.outbox.range(first..).take(count(limit));
        Ok(rows
            .map(|(position, event)| Positioned { position: *position, event: event.clone() })
            .collect())
    }

    async fn backlog(&self, now: Timestamp) -> StoreResult<Backlog> {
        let tables = self.tables();
        let payments = |holds: fn(&PaymentRow, Timestamp) -> bool| {
            number(tables.payments.values().filter(|payment| holds(&payment.row, now)).count())
        };
        let waiting = || tables.inbox.values().filter(|entry| entry.waits());
        Ok(Backlog {
            in_doubt: payments(|row, _| row.in_doubt),
            review: payments(|row, _| row.review),
            due: payments(|row, now| row.due_at.is_some_and(|due_at| due_at <= now)),
            inbox: number(waiting().count()),
            oldest_event: waiting().map(inbox::Entry::received_at).min(),
        })
    }

    async fn forget(&self, keys_before: Timestamp, events_before: Timestamp) -> StoreResult<u64> {
        let mut tables = self.tables();
        let before = tables.caller_keys.len() + tables.inbox.len();
        tables.caller_keys.retain(|_, row| row.created_at >= keys_before);
        tables.inbox.retain(|_, entry| entry.waits() || entry.received_at() >= events_before);
        Ok(number(before - tables.caller_keys.len() - tables.inbox.len()))
    }
}

fn wanted(query: &PaymentQuery, row: &PaymentRow) -> bool {
    query.reference.as_ref().is_none_or(|reference| row.reference == *reference)
        && (query.statuses.is_empty() || query.statuses.contains(&row.status))
        && query.in_doubt.is_none_or(|in_doubt| row.in_doubt == in_doubt)
        && query.review.is_none_or(|review| row.review == review)
        && query.created_from.is_none_or(|from| row.created_at >= from)
        && query.created_to.is_none_or(|to| row.created_at < to)
        && query.after.as_ref().is_none_or(|after| row.id > *after)
}

fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

// A slot is a row here as in the databases, so that the model has the same two guards.
impl Slot {
    /// Who has to hold the right to move money before, and who holds it after.
    fn step(self) -> Option<(Option<u32>, Option<u32>)> {
        match self {
            Self::Keep => None,
            Self::Take(attempt) => Some((None, Some(attempt))),
            Self::Release(attempt) => Some((Some(attempt), None)),
            Self::Move { from, to } => Some((Some(from), Some(to))),
        }
    }
}
