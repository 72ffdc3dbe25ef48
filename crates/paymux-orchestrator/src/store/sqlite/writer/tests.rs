use std::fs::File;

use futures_util::future::join_all;
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

/// Writes something, and then panics.
async fn panic_in(writer: &Writer) -> StoreResult<()> {
    let work = |connection: &Connection| -> rusqlite::Result<Step<()>> {
        connection.execute("INSERT INTO kept (text) VALUES ('half')", [])?;
        panic!("on purpose")
    };
    writer.write(work).await
}

#[tokio::test]
async fn work_that_panics_is_taken_back_and_ends_nothing() {
    let writer = writer();
    let error = panic_in(&writer).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("panicked; nothing of it was written"), "{error}");
    assert_eq!(count(&writer).await, 0);
    keep(&writer, 10).await.unwrap();
    // Of those that wait together, the others are written.
    let answers = join_all((0..50_usize).map(|n| {
        let writer = &writer;
        async move { if n % 10 == 5 { panic_in(writer).await } else { keep(writer, n).await } }
    }))
    .await;
    let refused = answers.iter().filter(|answer| answer.is_err()).count();
    assert_eq!(refused, 5);
    assert_eq!(count(&writer).await, 46);
    writer.close().await;
}

/// What is left of it is dropped on the thread that writes.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

/// A panic where nobody's work is done takes no answer with it, and ends nothing.
#[tokio::test]
async fn a_panic_beside_the_work_ends_nothing() {
    let writer = writer();
    let bomb = Bomb;
    let work = move |connection: &Connection| {
        let _carried = &bomb;
        connection.execute("INSERT INTO kept (text) VALUES ('whole')", [])?;
        Ok(Step::Keep(()))
    };
    let answers = tokio::join!(writer.write(work), keep(&writer, 10), keep(&writer, 10));
    assert!(answers.0.is_ok() && answers.1.is_ok() && answers.2.is_ok(), "{answers:?}");
    assert_eq!(count(&writer).await, 3);
    keep(&writer, 10).await.unwrap();
    writer.close().await;
    let error = keep(&writer, 10).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
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
