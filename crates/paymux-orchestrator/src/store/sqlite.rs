//! Payments kept in a SQLite file by one process.
//!
//! One thread writes, and writes what is waiting in one transaction: at many payments in flight,
//! one flush to the disk carries them all. Nobody hears `Done` before that flush. Other threads
//! read, each on its own connection; none of it runs on the async runtime.
//!
//! The file must be on a disk of this machine: file locks do not hold over a network. A lock file
//! beside it, `<file>.lock`, keeps a second process out; `-wal` and `-shm` belong to the file, and
//! a copy of it without them can lack the latest payments. `-wal` is cut off after the commit that
//! makes it longer than 64 MiB. While somebody reads for long, such as a backup, it grows, and is
//! tried again every 1,000 commits, and never while nothing is written. Never open the file by hand
//! in the process that keeps payments in it, not even to copy it: closing it ends the locks that
//! SQLite holds on it for that process.
//!
//! Take a backup with SQLite's own `VACUUM INTO` or backup API. Where one takes the file's place,
//! what was done since is not known: reconcile before anything is sent, and have the readers of
//! events begin at an earlier position, as they are told.
//!
//! Whoever opens the file finds everything free that an earlier process had claimed: the lock
//! proves that it is gone. Within one process a lease ends by the clock of the claims.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::Connection;

use super::{StoreError, StoreErrorKind, StoreResult};

mod commit;
mod connection;
mod fault;
mod inbox;
mod lock;
mod log;
mod operations;
mod outbox;
mod payments;
mod readers;
mod rows;
mod schema;
mod threads;
mod writer;

use readers::Readers;
use writer::{Step, Writer};

/// How a SQLite file is used.
#[derive(Clone, Debug)]
pub struct SqliteSettings {
    /// Whose payments: one handle sees one tenant's.
    pub tenant: String,
    /// How long to wait for another program that holds the file, such as a backup.
    pub busy_timeout: Duration,
    /// How many reads can run at once.
    pub readers: usize,
}

impl Default for SqliteSettings {
    fn default() -> Self {
        Self { tenant: "main".to_owned(), busy_timeout: Duration::from_secs(5), readers: 4 }
    }
}

/// Payments in a SQLite file. Dropping it writes what was handed over and closes the file.
pub struct SqliteStore {
    path: PathBuf,
    tenant: Arc<str>,
    // Before the writer, so that the writer's connection is the last and tidies the file.
    readers: Readers,
    writer: Writer,
}

impl SqliteStore {
    /// Opens the file, or makes it, with the usual settings.
    ///
    /// # Errors
    /// As [`SqliteStore::open_with`].
    pub fn open(path: impl AsRef<Path>) -> StoreResult<Self> {
        Self::open_with(path, SqliteSettings::default())
    }

    /// Opens the file, or makes it. Its schema is brought up to date.
    ///
    /// # Errors
    /// `Configuration` when another process has the file open, the file is no database or another
    /// program's, a newer or changed version of paymux made it, SQLite is older than 3.51.3 (which
    /// could corrupt it), a setting that keeps payments safe did not hold, or the settings cannot
    /// be meant. `Unavailable` when the disk fails.
    pub fn open_with(path: impl AsRef<Path>, settings: SqliteSettings) -> StoreResult<Self> {
        if settings.readers == 0 {
            return Err(refused("there must be at least one reader"));
        }
        if settings.tenant.is_empty() {
            return Err(refused("the tenant must have a name"));
        }
        connection::check_library(rusqlite::version_number())?;
        let path = connection::true_path(path.as_ref())?;
        let lock = lock::take(&path)?;
        connection::prepare_file(&path)?;
        let mut writing = connection::open_writer(&path, settings.busy_timeout)?;
        schema::bring_up_to_date(&mut writing)?;
        let tenant: Arc<str> = settings.tenant.into();
        payments::free_all(&writing, &tenant).map_err(fault::explain)?;
        inbox::free_all(&writing, &tenant).map_err(fault::explain)?;
        outbox::note_last(&writing, &tenant).map_err(fault::explain)?;
        let reading = (0..settings.readers)
            .map(|_| connection::open_reader(&path, settings.busy_timeout))
            .collect::<StoreResult<Vec<_>>>()?;
        let writer = Writer::start(writing, lock)?;
        Ok(Self { path, tenant, readers: Readers::start(reading)?, writer })
    }

    /// Takes no more calls, writes what was handed over, and closes the file. Calls that come
    /// later fail with `Unavailable`. Dropping the store does the same, and blocks meanwhile.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// How many transactions were committed since the file was opened: fewer than there were
    /// changes, when several came at once.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }

    async fn write<T, F>(&self, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: Fn(&Connection, &str) -> rusqlite::Result<Step<T>> + Send + 'static,
    {
        let tenant = Arc::clone(&self.tenant);
        self.writer.write(move |connection| work(connection, &tenant)).await
    }

    async fn read<T, F>(&self, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &str) -> rusqlite::Result<T> + Send + 'static,
    {
        let tenant = Arc::clone(&self.tenant);
        self.readers.read(move |connection| work(connection, &tenant)).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.path)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

fn refused(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Configuration, message)
}
