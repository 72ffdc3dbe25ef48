//! The thread that writes: what waits is written in one transaction, and nobody is answered before
//! that transaction is on disk.
//!
//! A piece of work seldom has to take back what it wrote, while being able to, by a savepoint,
//! costs as much as writing it. So a group is written without savepoints. Once a piece of work has
//! to take something back, the whole transaction goes, and the group is written anew, each piece of
//! work under a savepoint of its own. Work that panics is taken back like any other.

use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::{
    fault::{explain, meaning},
    log::Log,
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
        let log = Log::of(&connection);
        Self::start_with(connection, lock, log)
    }

    pub(super) fn start_with(connection: Connection, lock: File, log: Log) -> StoreResult<Self> {
        let commits = Arc::new(AtomicU64::new(0));
        let desk = Desk { connection, _lock: lock, commits: Arc::clone(&commits), log };
        let run = |mut desk: Desk, queue: &Queue<Box<dyn Job>>| {
            while let Some(first) = queue.next() {
                // Whoever was in it is told that it is unknown; the thread is there for the next.
                if catch_unwind(AssertUnwindSafe(|| desk.group(first, queue))).is_err() {
                    tracing::error!("a group of changes ended in a panic");
                    desk.roll_back();
                }
                desk.log.keep_short(&desk.connection);
            }
        };
        Ok(Self { threads: Threads::start("paymux-sqlite-write", vec![desk], run)?, commits })
    }

    /// Has work written, with whatever else waits, and answers when it is on disk. It can be done
    /// more than once, and what it did the last time counts.
    pub(super) async fn write<T, F>(&self, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> rusqlite::Result<Step<T>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let task = Task { work, outcome: None, answer };
        self.threads.hand_over(Box::new(task)).await?;
        answered.await.unwrap_or_else(|_| {
            let message = "the thread that writes ended, or panicked, in the middle of its work";
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

    fn panicked() -> Self {
        let (kind, message) = (StoreErrorKind::Unavailable, "work beside it panicked");
        Self::Undone(kind, message, Arc::new(rusqlite::Error::UnwindingPanic))
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
    /// Does it. What it wrote may have to be taken back. An error is the fate of the whole
    /// transaction, which has to go.
    fn run(&mut self, connection: &Connection) -> Result<Ran, Fate>;

    /// Tells the caller, when the fate of the group is known.
    fn tell(self: Box<Self>, fate: &Fate);
}

/// How a piece of work left the database.
enum Ran {
    /// As it should be.
    Well,
    /// It wrote something that has to be taken back.
    TakeBack,
}

/// A piece of work, and who waits for it.
struct Task<T, F> {
    work: F,
    outcome: Option<StoreResult<T>>,
    answer: oneshot::Sender<StoreResult<T>>,
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: Fn(&Connection) -> rusqlite::Result<Step<T>> + Send,
{
    fn run(&mut self, connection: &Connection) -> Result<Ran, Fate> {
        let before = connection.total_changes();
        let Ok(done) = catch_unwind(AssertUnwindSafe(|| (self.work)(connection))) else {
            tracing::error!("a piece of work panicked");
            self.outcome = Some(Err(StoreError::new(
                StoreErrorKind::Unavailable,
                "the work panicked; nothing of it was written",
            )));
            return if connection.is_autocommit() {
                Err(Fate::panicked())
            } else {
                Ok(Ran::TakeBack)
            };
        };
        match done {
            Ok(Step::Keep(answer)) => {
                self.outcome = Some(Ok(answer));
                Ok(Ran::Well)
            }
            Ok(Step::Undo(answer)) => {
                self.outcome = Some(Ok(answer));
                // Most refusals come before anything was written.
                let wrote = connection.total_changes() != before;
                Ok(if wrote { Ran::TakeBack } else { Ran::Well })
            }
            // Some failures, a full disk among them, end the transaction themselves.
            Err(error) if connection.is_autocommit() => Err(Fate::undone(error)),
            Err(error) => {
                self.outcome = Some(Err(explain(error)));
                Ok(Ran::TakeBack)
            }
        }
    }

    fn tell(self: Box<Self>, fate: &Fate) {
        let Self { work, outcome, answer: waits } = *self;
        let answer = match (fate.error(), outcome) {
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
        // What the work holds is its caller's to free: this thread is the one that others wait for.
        // Should its end panic, the caller is told all the same.
        if catch_unwind(AssertUnwindSafe(|| drop(work))).is_err() {
            tracing::error!("a piece of work ended in a panic");
        }
        // Nobody waits any more when the caller was dropped; what is written stays.
        let _unheard = waits.send(answer);
    }
}

/// What the thread works with.
struct Desk {
    connection: Connection,
    // After the connection, so that it is given up last.
    _lock: File,
    commits: Arc<AtomicU64>,
    log: Log,
}

impl Desk {
    /// Writes the first piece of work and all that waits behind it.
    fn group(&self, first: Box<dyn Job>, queue: &Queue<Box<dyn Job>>) {
        let mut jobs = Vec::new();
        let fate = match self.write(first, queue, &mut jobs) {
            Ok(()) => self.commit(),
            Err(fate) => {
                self.roll_back();
                fate
            }
        };
        for job in jobs {
            // What is dropped with one is nothing that the others are to miss their answer for.
            if catch_unwind(AssertUnwindSafe(|| job.tell(&fate))).is_err() {
                tracing::error!("an answer ended in a panic");
            }
        }
    }

    /// All but the commit. Whose fate it is are the jobs.
    fn write(
        &self,
        first: Box<dyn Job>,
        queue: &Queue<Box<dyn Job>>,
        jobs: &mut Vec<Box<dyn Job>>,
    ) -> Result<(), Fate> {
        if let Err(error) = execute(&self.connection, "BEGIN IMMEDIATE") {
            // Whoever waits behind it has waited as long already.
            jobs.push(first);
            jobs.extend(std::iter::from_fn(|| queue.next_waiting()));
            return Err(Fate::undone(error));
        }
        match self.together(first, queue, jobs)? {
            Ran::Well => Ok(()),
            Ran::TakeBack => {
                execute(&self.connection, "ROLLBACK").map_err(Fate::undone)?;
                execute(&self.connection, "BEGIN IMMEDIATE").map_err(Fate::undone)?;
                self.apart(queue, jobs)
            }
        }
    }

    /// Does the first piece of work and what waits, until one has to be taken back.
    fn together(
        &self,
        first: Box<dyn Job>,
        queue: &Queue<Box<dyn Job>>,
        jobs: &mut Vec<Box<dyn Job>>,
    ) -> Result<Ran, Fate> {
        let mut next = Some(first);
        while let Some(mut job) = next {
            let ran = job.run(&self.connection);
            jobs.push(job);
            if let Ran::TakeBack = ran? {
                return Ok(Ran::TakeBack);
            }
            next = if jobs.len() < GROUP { queue.next_waiting() } else { None };
        }
        Ok(Ran::Well)
    }

    /// Does these anew, and what waits behind them, so that each can be taken back by itself.
    fn apart(&self, queue: &Queue<Box<dyn Job>>, jobs: &mut Vec<Box<dyn Job>>) -> Result<(), Fate> {
        for job in jobs.iter_mut() {
            self.run_apart(&mut **job)?;
        }
        while jobs.len() < GROUP
            && let Some(mut job) = queue.next_waiting()
        {
            let ran = self.run_apart(&mut *job);
            jobs.push(job);
            ran?;
        }
        Ok(())
    }

    fn run_apart(&self, job: &mut dyn Job) -> Result<(), Fate> {
        execute(&self.connection, "SAVEPOINT work").map_err(Fate::undone)?;
        if let Ran::TakeBack = job.run(&self.connection)? {
            execute(&self.connection, "ROLLBACK TO work").map_err(Fate::undone)?;
        }
        execute(&self.connection, "RELEASE work").map_err(Fate::undone)
    }

    fn commit(&self) -> Fate {
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
mod tests;
