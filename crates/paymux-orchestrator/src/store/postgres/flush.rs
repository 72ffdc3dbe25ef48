//! Making sure that what can be read here is on the standby, too.
//!
//! A change whose commit waits for a standby is on this server's disk. When somebody ends that wait,
//! or the server is shut down in it, every reader sees the change, and a standby that takes over
//! does not know it. A later commit that the standby has proves that it has all before it, as the
//! log is one.

use deadpool_postgres::ClientWrapper;

use super::{
    PostgresStore,
    fault::{Phase, Stop},
    patience::Patience,
    pipeline::{Begun, Pipeline},
    sql,
};
use crate::store::StoreResult;

const DOING: &str = "wait for what was written before";

impl PostgresStore {
    /// Writes a row and takes it away again, and waits for that as for a change. One that writes
    /// nothing would not wait.
    pub(super) async fn write_nothing(&self) -> StoreResult<()> {
        let mut again = 0;
        loop {
            let client = self.client(DOING, Phase::Committing).await?;
            match try_flush(&client, &self.patience, &self.tenant).await {
                Ok(()) => return Ok(()),
                Err(stop) => client.again(DOING, stop, &mut again)?,
            }
        }
    }
}

async fn try_flush(client: &ClientWrapper, patience: &Patience, tenant: &str) -> Result<(), Stop> {
    let add = patience.prepare(DOING, client, sql::ADD_FLUSH).await?;
    let remove = patience.prepare(DOING, client, sql::REMOVE_FLUSH).await?;
    let begun = Begun::on(client);
    let mut pipeline = Pipeline::new(client);
    pipeline.control("BEGIN");
    pipeline.add(&add, [tenant.into()]);
    pipeline.add(&remove, [tenant.into()]);
    begun.commit(DOING, patience, pipeline).await.map(drop)
}
