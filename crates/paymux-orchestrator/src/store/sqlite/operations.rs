//! The promises of a store, each handed to the writer or to a reader.

use std::sync::Arc;

use async_trait::async_trait;
use paymux_core::Timestamp;

use super::{SqliteStore, commit, inbox, outbox, payments, writer::Step};
use crate::{
    ids::PaymentId,
    store::{
        Backlog, CallerKeyRow, Change, Claim, Committed, InboxRow, InboxSettlement, ObjectRef,
        OutboxRow, PORTION, PaymentQuery, PaymentRow, Positioned, Received, Store, StoreResult,
        TransitionRow, check_reader,
    },
};

#[async_trait]
impl Store for SqliteStore {
    async fn commit_shared(&self, change: Arc<Change>) -> StoreResult<Committed> {
        change.check()?;
        let handed = Arc::clone(&change);
        self.write(move |connection, tenant| commit::apply(connection, tenant, &handed)).await
    }

    async fn flush(&self) -> StoreResult<()> {
        self.write(|connection, tenant| outbox::flush(connection, tenant).map(Step::Keep)).await
    }

    async fn load(&self, id: &PaymentId) -> StoreResult<Option<PaymentRow>> {
        let id = id.clone();
        self.read(move |connection, tenant| payments::load(connection, tenant, &id)).await
    }

    async fn list(&self, query: &PaymentQuery) -> StoreResult<Vec<PaymentRow>> {
        let query = query.clone();
        self.read(move |connection, tenant| payments::list(connection, tenant, &query)).await
    }

    async fn find_caller_key(&self, key: &str) -> StoreResult<Option<CallerKeyRow>> {
        let key = key.to_owned();
        self.read(move |connection, tenant| payments::find_key(connection, tenant, &key)).await
    }

    async fn find_object(&self, object: &ObjectRef) -> StoreResult<Option<PaymentId>> {
        let object = object.clone();
        self.read(move |connection, tenant| payments::find_object(connection, tenant, &object))
            .await
    }

    async fn history(&self, id: &PaymentId) -> StoreResult<Vec<TransitionRow>> {
        let id = id.clone();
        self.read(move |connection, tenant| payments::history(connection, tenant, &id)).await
    }

    async fn claim_payments(&self, claim: &Claim) -> StoreResult<Vec<PaymentId>> {
        let claim = claim.clone();
        self.write(move |connection, tenant| {
            payments::claim(connection, tenant, &claim).map(Step::Keep)
        })
        .await
    }

    async fn receive(&self, events: Vec<InboxRow>) -> StoreResult<Vec<Received>> {
        self.write(move |connection, tenant| {
            inbox::receive(connection, tenant, &events).map(Step::Keep)
        })
        .await
    }

    async fn claim_inbox(&self, claim: &Claim) -> StoreResult<Vec<InboxRow>> {
        let claim = claim.clone();
        self.write(move |connection, tenant| {
            inbox::claim(connection, tenant, &claim).map(Step::Keep)
        })
        .await
    }

    async fn settle_inbox(&self, settlement: &InboxSettlement) -> StoreResult<bool> {
        let settlement = settlement.clone();
        self.write(move |connection, tenant| {
            inbox::settle(connection, tenant, &settlement).map(Step::Keep)
        })
        .await
    }

    async fn add_event(&self, event: OutboxRow) -> StoreResult<()> {
        event.check_alone()?;
        self.write(move |connection, tenant| {
            outbox::add(connection, tenant, &event).map(Step::Keep)
        })
        .await
    }

    async fn events(&self, after: u64, limit: u32) -> StoreResult<Vec<Positioned>> {
        let (page, last) = self
            .read(move |connection, tenant| {
                let page = outbox::read(connection, tenant, after, limit)?;
                let last =
                    if page.is_empty() { Some(outbox::last(connection, tenant)?) } else { None };
                Ok((page, last))
            })
            .await?;
        if let Some(last) = last {
            check_reader(after, last)?;
        }
        Ok(page)
    }

    async fn backlog(&self, now: Timestamp) -> StoreResult<Backlog> {
        self.read(move |connection, tenant| payments::backlog(connection, tenant, now)).await
    }

    async fn forget(&self, keys_before: Timestamp, events_before: Timestamp) -> StoreResult<u64> {
        let mut all = 0_u64;
        // Changes that wait meanwhile are written between two portions.
        loop {
            let gone = self.write(move |connection, tenant| {
                let keys = commit::forget_keys(connection, tenant, keys_before)?;
                let events = inbox::forget(connection, tenant, events_before)?;
                Ok(Step::Keep(keys.saturating_add(events)))
            });
            let gone = gone.await?;
            all = all.saturating_add(gone);
            // Less than one portion of both: of neither is there more.
            if gone < u64::from(PORTION) {
                return Ok(all);
            }
        }
    }
}
