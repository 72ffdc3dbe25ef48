//! Payments kept in PostgreSQL, by any number of nodes.
//!
//! What it needs: PostgreSQL 14 or newer with `fsync`, `full_page_writes` and
//! `synchronous_commit` on, a UTF-8 database, and a user who may make a schema there, or one who
//! owns the schema that is named in the settings. Each of these is checked when a connection is
//! opened, and a server that could lose payments is refused with the reason. A pooler in between
//! must pool sessions, not transactions.
//!
//! How the connection is protected is said in [`PostgresTls`]; without a word it is TLS with the
//! certificate checked, and plain only to this machine.
//!
//! With a standby that takes over, set `synchronous_standby_names`: a standby that lags forgets
//! what was sent. Where that cannot be, reconcile before anything is sent after a failover. While
//! that standby is gone, changes end as `CommitUnknown` after
//! [`PostgresSettings::commit_timeout`], and no more of them are begun than there are connections:
//! the others are `Unavailable`, and what is kept can be read. A change that an operator stops
//! waiting ends as `CommitUnknown`, too. Do not empty `synchronous_standby_names` while changes
//! wait, but for good: they are then told done like any other, whether the standby had them or not,
//! and nothing here can tell.
//!
//! A server that does not answer is given up after [`PostgresSettings::answer_timeout`].
//!
//! `synchronous_commit` is held for each connection as it was found; `fsync` and
//! `full_page_writes` are asked again before each change and each delivery that is kept.
//!
//! Leases end by the database's clock; nothing else here asks a clock. What is due is told by the
//! moment that the caller hands in.

use std::{fmt, future::Future, sync::Arc};

use deadpool_postgres::ClientWrapper;
use tokio_postgres::{Error, Row};

use super::StoreResult;

mod check;
mod connect;
mod fault;
mod flush;
mod group;
mod held;
mod inbox;
mod list;
mod migrate;
mod operations;
mod outbox;
mod patience;
mod pipeline;
mod prepared;
mod rows;
mod settings;
mod sql;
mod values;
mod writer;

use connect::Pools;
use fault::{Phase, Stop};
use held::Held;
use patience::Patience;
use pipeline::{Value, run};
pub use settings::{PostgresSettings, PostgresTls};

/// Payments in PostgreSQL. Cheap to share behind an `Arc`; made on the runtime it is to run on.
pub struct PostgresStore {
    pools: Pools,
    patience: Patience,
    tenant: Arc<str>,
    writers: writer::Writers,
}

impl PostgresStore {
    /// Connects, checks the server, and brings the schema up to date; nodes that start at once do
    /// so one after the other. A step of the schema that makes an index takes as long as the table
    /// is large, and nothing is written to that table meanwhile, by nodes of the version before
    /// either: their changes are `Unavailable`, and are made again.
    ///
    /// # Errors
    /// `Configuration` when the settings cannot be meant, the server could lose payments or is too
    /// old, credentials are refused, or the schema was made by a newer or changed version;
    /// `Unavailable` when the server cannot be reached.
    pub async fn connect(settings: PostgresSettings) -> StoreResult<Self> {
        let (pools, patience) = connect::open(&settings)?;
        migrate::run(&pools, &patience, &settings.schema).await?;
        let tenant: Arc<str> = settings.tenant.into();
        let writers = writer::Writers::start(&pools.writers, &patience, &tenant);
        Ok(Self { pools, patience, tenant, writers })
    }

    /// Takes no more changes, waits until those that were handed over are answered, and closes the
    /// connections. Dropping the store does the same without waiting.
    pub async fn close(&self) {
        self.writers.close().await;
        self.pools.close();
    }

    /// A connection for work in this phase at most. Some are never used to commit: what can be
    /// read is read while no commit is answered.
    async fn client(&self, doing: &str, phase: Phase) -> StoreResult<Held> {
        let (patience, pools) = (&self.patience, &self.pools);
        match phase {
            Phase::BeforeCommit => Ok(Held::new(patience.connection(doing, &pools.others).await?)),
            Phase::Committing => {
                let place = patience.place(doing, &pools.committing).await?;
                let client = patience.connection(doing, &pools.others).await?;
                Ok(Held::committing(client, place))
            }
        }
    }

    /// Runs one statement, which is a transaction of its own, again where that helps. `phase`
    /// says what it means when no answer comes: for one that writes, it may have been committed.
    async fn query<const N: usize>(
        &self,
        doing: &str,
        phase: Phase,
        sql: &str,
        values: [Value<'_>; N],
    ) -> StoreResult<Vec<Row>> {
        let mut again = 0;
        loop {
            let client = self.client(doing, phase).await?;
            let result = match self.patience.prepare(doing, &client, sql).await {
                Err(stop) => Err(stop),
                Ok(statement) => {
                    let running = run(&client, &statement, values);
                    self.wait(doing, phase, &client, running).await
                }
            };
            match result {
                Ok(rows) => return Ok(rows),
                Err(stop) => client.again(doing, stop, &mut again)?,
            }
        }
    }

    async fn wait<T: Send>(
        &self,
        doing: &str,
        phase: Phase,
        client: &ClientWrapper,
        running: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Stop> {
        match phase {
            Phase::BeforeCommit => self.patience.answer(doing, running).await,
            Phase::Committing => {
                let answer = self.patience.commit(doing, client, running).await?;
                answer.map_err(|error| Stop::Met(phase, error))
            }
        }
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("tenant", &self.tenant)
            .field("writers", &self.pools.writers.status().max_size)
            .field("others", &self.pools.others.status().max_size)
            .finish_non_exhaustive()
    }
}
