//! Bringing the schema up to date, by one node at a time.
//!
//! Whoever holds the lock row migrates. The statements run on a second connection, each as its own
//! transaction, since not every database in reach takes several of them in one; all can be run
//! again, so that a node that dies on the way leaves nothing that the next one cannot finish.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::{Error, error::SqlState, types::ToSql};

use super::{
    connect::Pools,
    fault::{Fault, Phase, is_lost_race},
    held::Held,
    patience::Patience,
    rows,
};
use crate::store::{
    StoreError, StoreResult,
    migration::{Applied, Migration, pending},
};

/// Every step, in order. One that has run anywhere is never edited.
pub(super) const MIGRATIONS: [Migration; 3] = [
    Migration {
        version: 1,
        name: "start",
        sql: include_str!("../../../migrations/postgres/0001_start.sql"),
    },
    Migration {
        version: 2,
        name: "ages",
        sql: include_str!("../../../migrations/postgres/0002_ages.sql"),
    },
    Migration {
        version: 3,
        name: "lean",
        sql: include_str!("../../../migrations/postgres/0003_lean.sql"),
    },
];

const DOING: &str = "bring the schema up to date";
/// How often the ground is laid again after another node was faster.
const RACES: u32 = 10;
const FIND_SCHEMA: &str = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1";
const GROUND: &str = "
    CREATE TABLE IF NOT EXISTS schema_migrations (
      version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL,
      applied_at BIGINT NOT NULL)";
/// The line that is locked has a version below every migration's.
const ENSURE_LOCK: &str = "
    INSERT INTO schema_migrations (version, name, checksum, applied_at)
    VALUES (0, 'lock', '', 0) ON CONFLICT DO NOTHING";
const FIND_LOCK: &str = "SELECT 1 FROM \"$schema\".schema_migrations WHERE version = 0";
const LOCK: &str = "SELECT 1 FROM schema_migrations WHERE version = 0 FOR UPDATE";
/// Another node may be at it. The lock is held for as long as this one is.
const PATIENCE: &str = "
    SET LOCAL lock_timeout = '5min'; SET LOCAL statement_timeout = '5min';
    SET LOCAL idle_in_transaction_session_timeout = 0";
/// An index over a great many rows takes its time, and one that is broken off is never made.
const UNHURRIED: &str = "SET lock_timeout = '5min'; SET statement_timeout = 0";
const APPLIED: &str =
    "SELECT version, name, checksum FROM schema_migrations WHERE version > 0 ORDER BY version";
const RECORD: &str = "
    INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3,
      CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT))";

/// Makes the schema when it is missing, and runs what it still needs.
pub(super) async fn run(pools: &Pools, patience: &Patience, schema: &str) -> StoreResult<()> {
    let mut holder = patience.connection(DOING, &pools.others).await?;
    // Looked for first, since a user who may not make a schema may well use one.
    let there = holder.query_opt(&FIND_LOCK.replace("$schema", schema), &[]).await;
    if !matches!(there, Ok(Some(_))) {
        lay_ground(&holder, schema).await?;
    }
    let lock = holder.transaction().await.map_err(|error| fault(&error))?;
    lock.batch_execute(PATIENCE).await.map_err(|error| fault(&error))?;
    lock.query(LOCK, &[]).await.map_err(|error| fault(&error))?;
    // Read behind the lock: what the node before us did is there.
    let mut applied = Vec::new();
    for line in &lock.query(APPLIED, &[]).await.map_err(|error| fault(&error))? {
        applied.push(Applied {
            version: rows::get(line, "version")?,
            name: rows::get(line, "name")?,
            checksum: rows::get(line, "checksum")?,
        });
    }
    for migration in pending(&MIGRATIONS, &applied)? {
        let worker = Held::new(patience.connection(DOING, &pools.writers).await?);
        worker.batch_execute(UNHURRIED).await.map_err(|error| fault(&error))?;
        for statement in statements(migration.sql) {
            if let Err(error) = worker.batch_execute(statement).await {
                worker.close();
                return Err(fault(&error));
            }
        }
        let line: [&(dyn ToSql + Sync); 3] =
            [&migration.version, &migration.name, &migration.checksum()];
        lock.execute(RECORD, &line).await.map_err(|error| fault(&error))?;
        // With its limits, it is good for nothing else.
        worker.close();
    }
    lock.commit().await.map_err(|error| fault(&error))
}

/// Makes the schema and the table that the lock is in, however many nodes do so at once.
async fn lay_ground(client: &ClientWrapper, schema: &str) -> StoreResult<()> {
    let mut races = 0;
    loop {
        match try_lay_ground(client, schema).await {
            Err(error) if races < RACES && is_made_by_another(&error) => races += 1,
            result => return result.map_err(|error| fault(&error)),
        }
    }
}

async fn try_lay_ground(client: &ClientWrapper, schema: &str) -> Result<(), Error> {
    if client.query_opt(FIND_SCHEMA, &[&schema]).await?.is_none() {
        client.batch_execute(&format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\"")).await?;
    }
    client.batch_execute(GROUND).await?;
    client.batch_execute(ENSURE_LOCK).await
}

/// Two nodes that make the same thing at once can both find it missing; one of them then fails on
/// the catalog, and finds it there the next time.
fn is_made_by_another(error: &Error) -> bool {
    is_lost_race(error)
        || error.code().is_some_and(|code| {
            // A table brings a type of its name, which can be the first thing that is found twice.
            let made = [
                &SqlState::DUPLICATE_SCHEMA,
                &SqlState::DUPLICATE_TABLE,
                &SqlState::DUPLICATE_OBJECT,
            ];
            made.contains(&code)
        })
}

/// The statements of a migration: each ends a line with its semicolon. A step may have none, and
/// say why.
fn statements(sql: &str) -> impl Iterator<Item = &str> {
    let is_said = |line: &str| !line.is_empty() && !line.starts_with("--");
    sql.split(";\n").filter(move |statement| statement.lines().any(|line| is_said(line.trim())))
}

fn fault(error: &Error) -> StoreError {
    Fault::of(DOING, Phase::BeforeCommit, error).into()
}

#[cfg(test)]
mod tests {
    use super::{MIGRATIONS, statements};

    #[test]
    fn each_statement_makes_one_thing_and_can_be_run_again() {
        for migration in &MIGRATIONS {
            for statement in statements(migration.sql) {
                let words: Vec<&str> =
                    statement.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
                let words = words.join("\n");
                assert_eq!(words.matches("IF NOT EXISTS").count(), 1, "{words}");
                assert!(!words.contains(';'), "{words}");
            }
        }
    }

    #[test]
    fn migrations_count_from_one_without_gaps() {
        for (place, migration) in (1_i64..).zip(&MIGRATIONS) {
            assert_eq!(migration.version, place);
        }
    }
}
