//! What waits to be told to the merchant, and its order.
//!
//! Changes are committed by several nodes at once, so a position that was given when an event is
//! written could become visible after a later one, and a reader would have passed it. Events are
//! written without a position, and get it when they are read, by one reader at a time: it locks
//! the counter, numbers what it sees, and commits. Whoever is next sees all of that, since it
//! looks only once it has the lock.

use deadpool_postgres::ClientWrapper;

use super::{
    PostgresStore,
    fault::{Phase, Stop},
    patience::Patience,
    pipeline::{Begun, Pipeline},
    rows, sql,
};
use crate::store::{Positioned, StoreResult, check_reader};

const DOING: &str = "read the outbox";
/// How many events get their position in one transaction. Those of one payment are numbered in
/// order, so the rest can wait for the next one; where more wait than this, those of the payments
/// that were made first come first.
const BATCH: i64 = 10_000;

impl PostgresStore {
    /// The events after this position.
    pub(super) async fn read_events(&self, after: u64, limit: u32) -> StoreResult<Vec<Positioned>> {
        // Positions end where BIGINT does.
        let from = rows::number(after).unwrap_or(i64::MAX);
        let mut page = self.read_positioned(from, limit).await?;
        let full = u32::try_from(page.len()).is_ok_and(|read| read >= limit);
        if !full && self.place_events().await? {
            page = self.read_positioned(from, limit).await?;
        }
        // Asked for only after the page: what another node numbers meanwhile is none too few.
        if page.is_empty() && after > 0 {
            let tenant = (&*self.tenant).into();
            let counter =
                self.query(DOING, Phase::BeforeCommit, sql::READ_COUNTER, [tenant]).await?;
            let last =
                counter.first().map_or(Ok(0), |row| rows::count(rows::get(row, "value")?))?;
            check_reader(after, last)?;
        }
        Ok(page)
    }

    async fn read_positioned(&self, after: i64, limit: u32) -> StoreResult<Vec<Positioned>> {
        let values = [(&*self.tenant).into(), after.into(), i64::from(limit).into()];
        let rows = self.query(DOING, Phase::BeforeCommit, sql::READ_EVENTS, values).await?;
        rows.iter().map(rows::positioned).collect()
    }

    /// Gives positions to events that have none. Says whether there were any.
    async fn place_events(&self) -> StoreResult<bool> {
        let tenant = (&*self.tenant).into();
        let any = self.query(DOING, Phase::BeforeCommit, sql::ANY_UNPLACED, [tenant]).await?;
        if any.is_empty() {
            return Ok(false);
        }
        let mut again = 0;
        loop {
            let client = self.client(DOING, Phase::Committing).await?;
            match try_place(&client, &self.patience, &self.tenant).await {
                Ok(()) => return Ok(true),
                Err(stop) => client.again(DOING, stop, &mut again)?,
            }
        }
    }
}

async fn try_place(client: &ClientWrapper, patience: &Patience, tenant: &str) -> Result<(), Stop> {
    let before = Stop::before;
    let ensure = patience.prepare(DOING, client, sql::ENSURE_COUNTER).await?;
    let lock = patience.prepare(DOING, client, sql::LOCK_COUNTER).await?;
    let place = patience.prepare(DOING, client, sql::PLACE_EVENTS).await?;
    let advance = patience.prepare(DOING, client, sql::ADVANCE_COUNTER).await?;
    let begun = Begun::on(client);
    let mut pipeline = Pipeline::new(client);
    pipeline.control("BEGIN");
    pipeline.add(&ensure, [tenant.into()]);
    pipeline.add(&lock, [tenant.into()]);
    let mut locked = Vec::new();
    for answer in patience.answer(DOING, pipeline.run()).await? {
        locked = answer.map_err(before)?;
    }
    // The counter was made above, so it is there.
    let last: i64 = locked.first().map_or(Ok(0), |row| row.try_get("value")).map_err(before)?;
    let values: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&tenant, &last, &BATCH];
    let placed = patience.answer(DOING, client.execute(&place, &values)).await?;
    let placed = i64::try_from(placed).unwrap_or(BATCH);
    let mut pipeline = Pipeline::new(client);
    pipeline.add(&advance, [tenant.into(), placed.into()]);
    begun.commit(DOING, patience, pipeline).await.map(drop)
}
