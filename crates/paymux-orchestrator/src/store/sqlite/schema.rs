//! Bringing a file's schema up to date.

use rusqlite::{Connection, TransactionBehavior};

use super::{fault::explain, refused};
use crate::store::{
    StoreResult,
    migration::{Applied, Migration, pending},
};

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "payments",
        sql: include_str!("../../../migrations/sqlite/0001_payments.sql"),
    },
    Migration {
        version: 2,
        name: "ages",
        sql: include_str!("../../../migrations/sqlite/0002_ages.sql"),
    },
    Migration {
        version: 3,
        name: "lean",
        sql: include_str!("../../../migrations/sqlite/0003_lean.sql"),
    },
];

/// Runs what is missing: all of it or nothing.
pub(super) fn bring_up_to_date(connection: &mut Connection) -> StoreResult<()> {
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(explain)?;
    if is_anothers(&transaction).map_err(explain)? {
        return Err(refused("the database file holds the tables of another program"));
    }
    let applied = applied(&transaction).map_err(explain)?;
    for step in pending(MIGRATIONS, &applied)? {
        run(&transaction, step).map_err(explain)?;
    }
    transaction.commit().map_err(explain)
}

fn is_anothers(connection: &Connection) -> rusqlite::Result<bool> {
    let tables = "SELECT count(*), count(*) FILTER (WHERE name = 'schema_migrations') \
                  FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let (all, ours): (i64, i64) =
        connection.query_row(tables, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(all > 0 && ours == 0)
}

fn applied(connection: &Connection) -> rusqlite::Result<Vec<Applied>> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_migrations (
           version INTEGER PRIMARY KEY,
           name TEXT NOT NULL,
           checksum TEXT NOT NULL,
           applied_at INTEGER NOT NULL
         ) STRICT",
    )?;
    let mut lines = connection
        .prepare("SELECT version, name, checksum FROM schema_migrations ORDER BY version")?;
    lines
        .query_map([], |row| {
            Ok(Applied { version: row.get(0)?, name: row.get(1)?, checksum: row.get(2)? })
        })?
        .collect()
}

fn run(connection: &Connection, step: &Migration) -> rusqlite::Result<()> {
    connection.execute_batch(step.sql)?;
    connection.execute(
        "INSERT INTO schema_migrations (version, name, checksum, applied_at)
         VALUES (?1, ?2, ?3, CAST(unixepoch('subsec') * 1000 AS INTEGER))",
        (step.version, step.name, step.checksum()),
    )?;
    Ok(())
}
