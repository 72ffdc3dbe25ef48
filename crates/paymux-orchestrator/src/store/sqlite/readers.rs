//! The threads that read.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    fault::explain,
    threads::{Queue, Threads},
};
use crate::store::{StoreError, StoreErrorKind, StoreResult};

/// A read that waits for a thread.
type Read = Box<dyn FnOnce(&Connection) + Send>;

/// Threads that read, each on its own connection.
pub(super) struct Readers {
    threads: Threads<Read>,
}

impl Readers {
    /// A thread for each connection.
    pub(super) fn start(connections: Vec<Connection>) -> StoreResult<Self> {
        let run = |connection: Connection, queue: &Queue<Read>| {
            while let Some(read) = queue.next() {
                if catch_unwind(AssertUnwindSafe(|| read(&connection))).is_err() {
                    tracing::error!("a read panicked");
                }
            }
        };
        Ok(Self { threads: Threads::start("paymux-sqlite-read", connections, run)? })
    }

    /// Reads on one of the threads.
    pub(super) async fn read<T, F>(&self, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let read: Read = Box::new(move |connection| {
            // Nobody waits any more when the caller was dropped.
            let _unheard = answer.send(work(connection).map_err(explain));
        });
        self.threads.hand_over(read).await?;
        answered.await.unwrap_or_else(|_| {
            let message = "the thread that read has ended, or panicked";
            Err(StoreError::new(StoreErrorKind::Unavailable, message))
        })
    }

    /// Waits until every thread has ended.
    pub(super) async fn close(&self) {
        self.threads.close().await;
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::Readers;
    use crate::store::StoreErrorKind;

    #[tokio::test]
    async fn a_read_that_panics_leaves_its_thread_to_the_next() {
        let readers = Readers::start(vec![Connection::open_in_memory().unwrap()]).unwrap();
        let error = readers.read::<(), _>(|_| panic!("on purpose")).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let one = |connection: &Connection| connection.query_row("SELECT 1", [], |row| row.get(0));
        assert_eq!(readers.read::<i64, _>(one).await.unwrap(), 1);
        readers.close().await;
    }
}
