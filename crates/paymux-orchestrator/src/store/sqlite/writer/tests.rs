use std::fs::File;

use rusqlite::Connection;

use super::{Step, Writer};
use crate::store::{StoreError, StoreErrorKind, StoreResult};

/// A writer on a table of its own in memory; its lock is on nothing.
fn writer() -> Writer {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE kept (id INTEGER PRIMARY KEY, text TEXT)").unwrap();
    Writer::start(connection, File::open(".").unwrap()).unwrap()
}

async fn keep(writer: &Writer, bytes: usize) -> StoreResult<()> {
    let work = move |connection: &Connection| {
        let text = "x".repeat(bytes);
        connection.execute("INSERT INTO kept (text) VALUES (?1)", [text])?;
        Ok(Step::Keep(()))
    };
    writer.write(work).await
}

async fn batch(writer: &Writer, sql: &'static str) -> StoreResult<()> {
    writer.write(move |connection| connection.execute_batch(sql).map(Step::Keep)).await
}

async fn count(writer: &Writer) -> i64 {
    let sql = "SELECT count(*) FROM kept";
    let work =
        |connection: &Connection| connection.query_row(sql, [], |row| row.get(0)).map(Step::Keep);
    writer.write(work).await.unwrap()
}

fn source(error: &StoreError) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

#[tokio::test]
async fn a_full_disk_is_said_so_and_is_survived() {
    let writer = writer();
    keep(&writer, 10).await.unwrap();
    batch(&writer, "PRAGMA max_page_count = 8").await.unwrap();
    let error = keep(&writer, 1_000_000).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("the disk is full"), "{error}: {}", source(&error));
    batch(&writer, "PRAGMA max_page_count = 10000").await.unwrap();
    assert_eq!(count(&writer).await, 1);
    keep(&writer, 1_000_000).await.unwrap();
    assert_eq!(count(&writer).await, 2);
}

#[tokio::test]
async fn a_commit_that_fails_is_not_known() {
    let writer = writer();
    let orphan = "PRAGMA defer_foreign_keys = ON;
                  CREATE TABLE parent (id INTEGER PRIMARY KEY);
                  CREATE TABLE child (of INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
                  INSERT INTO child VALUES (7)";
    writer
        .write(|connection| {
            connection.pragma_query_value(None, "foreign_keys", |row| {
                assert!(row.get::<_, bool>(0).unwrap(), "the bundled SQLite checks them");
                Ok(Step::Keep(()))
            })
        })
        .await
        .unwrap();
    let error = batch(&writer, orphan).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::CommitUnknown, "{}", source(&error));
    keep(&writer, 10).await.unwrap();
    assert_eq!(count(&writer).await, 1);
}

#[tokio::test]
async fn a_thread_that_ended_is_an_error_and_no_panic() {
    let writer = writer();
    let error = writer.write::<(), _>(|_| panic!("on purpose")).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::CommitUnknown);
    // Whoever comes before the queue is torn down is not answered either.
    loop {
        let error = keep(&writer, 10).await.unwrap_err();
        if error.kind() == StoreErrorKind::Unavailable {
            break;
        }
        assert_eq!(error.kind(), StoreErrorKind::CommitUnknown);
    }
    writer.close().await;
}

#[tokio::test]
async fn only_writes_that_stay_are_kept() {
    let writer = writer();
    let work = |connection: &Connection| {
        connection.execute("INSERT INTO kept (text) VALUES ('undone')", [])?;
        Ok(Step::Undo(3))
    };
    assert_eq!(writer.write(work).await.unwrap(), 3);
    assert_eq!(count(&writer).await, 0);
}
