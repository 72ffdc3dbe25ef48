//! The thread that writes: what waits is written in one transaction, each piece of work under a
//! savepoint of its own, and nobody is answered before that transaction is on disk.

use std::{
    fs::File,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::{
    fault::{explain, meaning},
    threads::{Queue, Threads},
};
use crate::store::{StoreError, StoreErrorKind, StoreResult};

/// The most pieces of work in one transaction: enough that the flush is a small part of it, few
/// enough that the first does not wait long for the last.
const GROUP: usize = 256;

/// What a piece of work came to, and whether what it wrote stays.
pub(super) enum Step<T> {
    /// It stays.
    Keep(T),
    /// It goes, for this answer.
    Undo(T),
}

/// The thread that writes.
pub(super) struct Writer {
    threads: Threads<Box<dyn Job>>,
    commits: Arc<AtomicU64>,
}

impl Writer {
    /// Starts it. The lock is given up after the connection is closed.
    pub(super) fn start(connection: Connection, lock: File) -> StoreResult<Self> {
        let commits = Arc::new(AtomicU64::new(0));
        let desk = Desk { connection, _lock: lock, commits: Arc::clone(&commits) };
        let run = |desk: Desk, queue: &Queue<Box<dyn Job>>| {
            while let Some(first) = queue.next() {
                desk.group(first, queue);
            }
        };
        Ok(Self { threads: Threads::start("paymux-sqlite-write", vec![desk], run)?, commits })
    }

    /// Has work written, with whatever else waits, and answers when it is on disk.
    pub(super) async fn write<T, F>(&self, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<Step<T>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let task = Task { work: Some(work), outcome: None, answer };
        self.threads.hand_over(Box::new(task)).await?;
        answered.await.unwrap_or_else(|_| {
            let message = "the thread that writes ended in the middle of its work";
            Err(StoreError::new(StoreErrorKind::CommitUnknown, message))
        })
    }

    /// How many transactions were committed.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Waits until all is written and the file is closed.
    pub(super) async fn close(&self) {
        self.threads.close().await;
    }
}

/// What became of a group.
enum Fate {
    /// It is on disk.
    Written,
    /// Nothing of it was written.
    Undone(StoreErrorKind, &'static str, Arc<rusqlite::Error>),
    /// The flush failed: it is there or it is not.
    Unknown(Arc<rusqlite::Error>),
}

impl Fate {
    fn undone(error: rusqlite::Error) -> Self {
        let (kind, message) = meaning(&error);
        Self::Undone(kind, message, Arc::new(error))
    }

    fn error(&self) -> Option<StoreError> {
        match self {
            Self::Written => None,
            Self::Undone(kind, message, source) => {
                let message = format!("{message}; nothing was written");
                Some(StoreError::new(*kind, message).with_source(Arc::clone(source)))
            }
            Self::Unknown(source) => {
                let message = "the commit failed; whether it reached the disk is not known";
                let error = StoreError::new(StoreErrorKind::CommitUnknown, message);
                Some(error.with_source(Arc::clone(source)))
            }
        }
    }
}

/// A piece of work whose type is forgotten.
trait Job: Send {
    /// Does it under a savepoint. An error is the fate of the whole transaction, which has to go.
    fn run(&mut self, connection: &Connection) -> Result<(), Fate>;

    /// Tells the caller, when the fate of the group is known.
    fn tell(self: Box<Self>, fate: &Fate);
}

/// A piece of work, and who waits for it.
struct Task<T, F> {
    work: Option<F>,
    outcome: Option<StoreResult<T>>,
    answer: oneshot::Sender<StoreResult<T>>,
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> rusqlite::Result<Step<T>> + Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), Fate> {
        let Some(work) = self.work.take() else { return Ok(()) };
        execute(connection, "SAVEPOINT work").map_err(Fate::undone)?;
        match work(connection) {
            Ok(Step::Keep(answer)) => self.outcome = Some(Ok(answer)),
            Ok(Step::Undo(answer)) => {
                self.outcome = Some(Ok(answer));
                execute(connection, "ROLLBACK TO work").map_err(Fate::undone)?;
            }
            // Some failures, a full disk among them, end the transaction themselves.
            Err(error) if connection.is_autocommit() => return Err(Fate::undone(error)),
            Err(error) => {
                self.outcome = Some(Err(explain(error)));
                execute(connection, "ROLLBACK TO work").map_err(Fate::undone)?;
            }
        }
        execute(connection, "RELEASE work").map_err(Fate::undone)
    }

    fn tell(self: Box<Self>, fate: &Fate) {
        let answer = match (fate.error(), self.outcome) {
            // It wrote nothing, whatever became of the others.
            (_, Some(Err(error))) => Err(error),
            // Not even a refusal is true when what it was judged by was not written.
            (Some(error), _) => Err(error),
            (None, Some(Ok(outcome))) => Ok(outcome),
            (None, None) => {
                let message = "the work was not done; nothing was written";
                Err(StoreError::new(StoreErrorKind::Unavailable, message))
            }
        };
        // Nobody waits any more when the caller was dropped; what is written stays.
        let _unheard = self.answer.send(answer);
    }
}

/// What the thread works with.
struct Desk {
    connection: Connection,
    // After the connection, so that it is given up last.
    _lock: File,
    commits: Arc<AtomicU64>,
}

impl Desk {
    /// Writes the first piece of work and all that waits behind it.
    fn group(&self, first: Box<dyn Job>, queue: &Queue<Box<dyn Job>>) {
        let mut done = Vec::new();
        let fate = match execute(&self.connection, "BEGIN IMMEDIATE") {
            Ok(()) => self.write(first, queue, &mut done),
            Err(error) => {
                // Whoever waits behind it has waited as long already.
                done.push(first);
                done.extend(std::iter::from_fn(|| queue.next_waiting()));
                Fate::undone(error)
            }
        };
        for job in done {
            job.tell(&fate);
        }
    }

    fn write(
        &self,
        first: Box<dyn Job>,
        queue: &Queue<Box<dyn Job>>,
        done: &mut Vec<Box<dyn Job>>,
    ) -> Fate {
        let mut next = Some(first);
        while let Some(mut job) = next {
            let ran = job.run(&self.connection);
            done.push(job);
            if let Err(fate) = ran {
                self.roll_back();
                return fate;
            }
            next = if done.len() < GROUP { queue.next_waiting() } else { None };
        }
        match execute(&self.connection, "COMMIT") {
            Ok(()) => {
                self.commits.fetch_add(1, Ordering::Relaxed);
                Fate::Written
            }
            Err(error) => {
                // A transaction that is still open was not begun to be written. Once the flush has
                // failed, nobody can say what a crash would leave.
                let open = !self.connection.is_autocommit();
                let busy = error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
                self.roll_back();
                if open && busy { Fate::undone(error) } else { Fate::Unknown(Arc::new(error)) }
            }
        }
    }

    /// Ends what is open. Should that fail, the next `BEGIN` fails too and says why.
    fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            let _shown_by_the_next = execute(&self.connection, "ROLLBACK");
        }
    }
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
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
        let work = |connection: &Connection| {
            connection.query_row(sql, [], |row| row.get(0)).map(Step::Keep)
        };
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
}
