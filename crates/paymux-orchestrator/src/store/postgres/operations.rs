//! The operations of a store, most of them one statement.

use std::sync::Arc;

use async_trait::async_trait;
use paymux_core::Timestamp;
use tokio_postgres::Row;

use super::{
    PostgresStore,
    fault::Phase,
    pipeline::Value,
    rows, sql,
    values::{event_values, millis, settlement_values},
};
use crate::{
    ids::PaymentId,
    store::{
        Backlog, CallerKeyRow, Change, Claim, Committed, InboxRow, InboxSettlement, ObjectRef,
        OutboxRow, PORTION, PaymentQuery, PaymentRow, Positioned, Received, Store, StoreResult,
        TransitionRow,
    },
};

#[async_trait]
impl Store for PostgresStore {
    async fn commit_shared(&self, change: Arc<Change>) -> StoreResult<Committed> {
        change.check()?;
        self.writers.commit(change).await
    }

    async fn flush(&self) -> StoreResult<()> {
        self.write_nothing().await
    }

    async fn load(&self, id: &PaymentId) -> StoreResult<Option<PaymentRow>> {
        let values = [self.tenant(), id.as_str().into()];
        let found =
            self.query("read a payment", Phase::BeforeCommit, sql::LOAD_PAYMENT, values).await?;
        found.first().map(rows::payment).transpose()
    }

    async fn list(&self, query: &PaymentQuery) -> StoreResult<Vec<PaymentRow>> {
        self.list_payments(query).await
    }

    async fn find_caller_key(&self, key: &str) -> StoreResult<Option<CallerKeyRow>> {
        let values = [self.tenant(), key.into()];
        let found = self.query("read a key", Phase::BeforeCommit, sql::FIND_KEY, values).await?;
        found.first().map(rows::caller_key).transpose()
    }

    async fn find_object(&self, object: &ObjectRef) -> StoreResult<Option<PaymentId>> {
        let ObjectRef { account, kind, id } = object;
        let values = [self.tenant(), account.as_str().into(), kind.as_str().into(), id.into()];
        let doing = "find a provider's object";
        let found = self.query(doing, Phase::BeforeCommit, sql::FIND_OBJECT, values).await?;
        found.first().map(|row| rows::payment_id(row, "payment_id")).transpose()
    }

    async fn history(&self, id: &PaymentId) -> StoreResult<Vec<TransitionRow>> {
        let values = [self.tenant(), id.as_str().into()];
        let found = self.query("read a history", Phase::BeforeCommit, sql::HISTORY, values).await?;
        found.iter().map(rows::transition).collect()
    }

    async fn claim_payments(&self, claim: &Claim) -> StoreResult<Vec<PaymentId>> {
        let doing = "claim payments";
        let taken =
            self.query(doing, Phase::Committing, sql::CLAIM_PAYMENTS, self.claim(claim)).await?;
        let one = |row: &Row| {
            Ok((rows::get::<i64>(row, "due_at")?, rows::payment_id(row, "payment_id")?))
        };
        // What an update returns has no order.
        let mut due = taken.iter().map(one).collect::<StoreResult<Vec<_>>>()?;
        due.sort();
        Ok(due.into_iter().map(|(_, id)| id).collect())
    }

    async fn receive(&self, events: Vec<InboxRow>) -> StoreResult<Vec<Received>> {
        self.keep_events(&events).await
    }

    async fn claim_inbox(&self, claim: &Claim) -> StoreResult<Vec<InboxRow>> {
        let doing = "claim events of the inbox";
        let taken =
            self.query(doing, Phase::Committing, sql::CLAIM_INBOX, self.claim(claim)).await?;
        let mut due = taken.iter().map(rows::inbox).collect::<StoreResult<Vec<_>>>()?;
        due.sort_by(|a, b| (a.due_at, &a.account, &a.key).cmp(&(b.due_at, &b.account, &b.key)));
        Ok(due)
    }

    async fn settle_inbox(&self, settlement: &InboxSettlement) -> StoreResult<bool> {
        let values = settlement_values(&self.tenant, settlement);
        let doing = "settle an event of the inbox";
        let settled = self.query(doing, Phase::Committing, sql::SETTLE_INBOX, values).await?;
        if !settled.is_empty() {
            return Ok(true);
        }
        let InboxSettlement { account, key, .. } = settlement;
        let values = [self.tenant(), account.as_str().into(), key.as_str().into()];
        let found = self.query(doing, Phase::BeforeCommit, sql::FIND_INBOX, values).await?;
        Ok(!found.is_empty())
    }

    async fn add_event(&self, event: OutboxRow) -> StoreResult<()> {
        event.check_alone()?;
        let values = event_values(&self.tenant, &event, 0)?;
        let doing = "add an event to the outbox";
        self.query(doing, Phase::Committing, sql::INSERT_EVENT, values).await?;
        Ok(())
    }

    async fn events(&self, after: u64, limit: u32) -> StoreResult<Vec<Positioned>> {
        self.read_events(after, limit).await
    }

    async fn backlog(&self, now: Timestamp) -> StoreResult<Backlog> {
        let values = [self.tenant(), millis(now)];
        let doing = "count what waits";
        let found = self.query(doing, Phase::BeforeCommit, sql::BACKLOG, values).await?;
        let Some(row) = found.first() else { return Err(rows::corrupt("a count has no answer")) };
        let count = |column: &str| rows::count(rows::get(row, column)?);
        Ok(Backlog {
            in_doubt: count("in_doubt")?,
            review: count("review")?,
            due: count("due")?,
            inbox: count("inbox")?,
            oldest_event: rows::get::<Option<i64>>(row, "oldest_event")?
                .map(Timestamp::from_millis),
        })
    }

    async fn forget(&self, keys_before: Timestamp, events_before: Timestamp) -> StoreResult<u64> {
        let mut all = 0_u64;
        for (sql, before) in [(sql::FORGET_KEYS, keys_before), (sql::FORGET_EVENTS, events_before)]
        {
            loop {
                let values = [self.tenant(), millis(before), i64::from(PORTION).into()];
                let doing = "forget what is old";
                let gone = self.query(doing, Phase::Committing, sql, values).await?.len();
                let gone = u64::try_from(gone).unwrap_or(u64::MAX);
                all = all.saturating_add(gone);
                if gone < u64::from(PORTION) {
                    break;
                }
            }
        }
        Ok(all)
    }
}

impl PostgresStore {
    fn tenant(&self) -> Value<'_> {
        (&*self.tenant).into()
    }

    /// What both claims are told: by when, how many, for whom, and for how long.
    fn claim<'a>(&'a self, claim: &'a Claim) -> [Value<'a>; 5] {
        let lease = i64::try_from(claim.lease.as_millis()).unwrap_or(i64::MAX);
        [
            self.tenant(),
            millis(claim.now),
            i64::from(claim.limit).into(),
            (&claim.owner).into(),
            // A lease without end, twice, would not fit behind the present.
            lease.min(i64::MAX / 4).into(),
        ]
    }
}
