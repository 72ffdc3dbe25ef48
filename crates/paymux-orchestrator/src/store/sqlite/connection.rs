//! Opening the file so that no payment can be lost, and making sure that it is so.

use std::{
    fs::File,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, config::DbConfig, types::Value};

use super::{fault::explain, refused};
use crate::store::{StoreError, StoreErrorKind, StoreResult};

/// Older ones can corrupt a database in WAL mode when a checkpoint meets a write: fixed in 3.51.3.
const OLDEST: i32 = 3_051_003;

/// More than there are statements, so that each is prepared once.
const STATEMENTS: usize = 128;

/// What holds on every connection: the pragma, what it is set to, and how that reads back.
const PRAGMAS: &[(&str, &str, &str)] = &[
    // A commit is one append and one flush, and readers do not wait.
    ("journal_mode", "WAL", "wal"),
    // Anything less forgets commits when the power fails; an intent could be forgotten after the
    // provider was called.
    ("synchronous", "FULL", "2"),
    ("foreign_keys", "ON", "1"),
    // The file may come from elsewhere: what it defines gets no rights.
    ("trusted_schema", "OFF", "0"),
    // A fault of the disk is an error of the call, not the end of the process.
    ("mmap_size", "0", "0"),
    // While there is always somebody who reads, the log cannot begin anew, and grows; the writer
    // cuts it off at this length.
    ("journal_size_limit", "67108864", "67108864"),
    // What a savepoint could take back stays in memory; kept in a file, it costs more than the rest.
    ("temp_store", "MEMORY", "2"),
    // Elsewhere these say nothing; on macOS only they reach the disk.
    ("fullfsync", "ON", "1"),
    ("checkpoint_fullfsync", "ON", "1"),
];

/// Refuses an SQLite that is known to corrupt files.
pub(super) fn check_library(version: i32) -> StoreResult<()> {
    if version >= OLDEST {
        return Ok(());
    }
    let (major, minor, patch) = (version / 1_000_000, version / 1000 % 1000, version % 1000);
    Err(refused(format!(
        "SQLite {major}.{minor}.{patch} can corrupt its files; 3.51.3 or newer is needed"
    )))
}

/// The one true path of the file, so that two names of one file meet the same lock. The file
/// itself is not opened: closing it again would end the locks that SQLite holds on it for this
/// process, and another program could take its log away while it is written.
pub(super) fn true_path(path: &Path) -> StoreResult<PathBuf> {
    if path.as_os_str().is_empty() || path == Path::new(":memory:") {
        return Err(refused("a database file must have a name; MemoryStore keeps nothing"));
    }
    match path.canonicalize() {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        found => {
            let found = found.map_err(|error| cannot_open(path, error))?;
            return has_one_name(&found).map(|()| found);
        }
    }
    let Some(name) = path.file_name() else {
        return Err(refused("a database file must have a name"));
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().map_err(|error| cannot_open(path, error))?;
    Ok(folder.join(name))
}

/// Two hard links would be two locks and two logs of one file, which is how to corrupt it.
fn has_one_name(path: &Path) -> StoreResult<()> {
    #[cfg(unix)]
    {
        let file = path.metadata().map_err(|error| cannot_open(path, error))?;
        if file.is_file() && std::os::unix::fs::MetadataExt::nlink(&file) > 1 {
            return Err(refused(format!(
                "{} has more than one name: remove the other hard links",
                path.display()
            )));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Makes the file if it is not there, readable by its owner only. Only whoever holds the lock may
/// do this.
pub(super) fn prepare_file(path: &Path) -> StoreResult<()> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| cannot_open(path, error))?;
    if path.canonicalize().map_err(|error| cannot_open(path, error))? == path {
        return Ok(());
    }
    Err(refused(format!(
        "{} leads to a file that was not there and has another name; open it by that",
        path.display()
    )))
}

fn cannot_open(path: &Path, error: io::Error) -> StoreError {
    refused(format!("the database file {} cannot be opened", path.display())).with_source(error)
}

/// The connection that writes.
pub(super) fn open_writer(path: &Path, busy_timeout: Duration) -> StoreResult<Connection> {
    open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, busy_timeout)
}

/// A connection that can only read.
pub(super) fn open_reader(path: &Path, busy_timeout: Duration) -> StoreResult<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, busy_timeout)?;
    // A file opened for reading alone could not be read after a crash, before WAL is recovered.
    connection.pragma_update(None, "query_only", "ON").map_err(explain)?;
    Ok(connection)
}

/// One thread uses a connection at a time, so that SQLite need not lock it.
fn open(path: &Path, access: OpenFlags, busy_timeout: Duration) -> StoreResult<Connection> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(explain)?;
    connection.busy_timeout(busy_timeout).map_err(explain)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Otherwise SQLite may plan a statement anew for each value that it is run with, which costs
    // several times what running it does.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(explain)?;
    make_safe(&connection)?;
    Ok(connection)
}

/// Sets what must hold, and reads it back: SQLite ignores a pragma that it cannot obey.
fn make_safe(connection: &Connection) -> StoreResult<()> {
    for (pragma, wanted, expected) in PRAGMAS {
        set(connection, pragma, wanted).map_err(explain)?;
        let found = get(connection, pragma).map_err(explain)?;
        // A build that cannot map memory does not know the pragma.
        if found.as_deref().unwrap_or("0") != *expected {
            return Err(StoreError::new(
                StoreErrorKind::Configuration,
                format!("SQLite did not accept {pragma} = {wanted}, so payments could be lost"),
            ));
        }
    }
    Ok(())
}

/// Some pragmas answer with a row and some with none.
fn set(connection: &Connection, pragma: &str, value: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA {pragma} = {value}"), [], |_| Ok(())).optional()?;
    Ok(())
}

/// The value as text.
fn get(connection: &Connection, pragma: &str) -> rusqlite::Result<Option<String>> {
    let read = |row: &rusqlite::Row<'_>| row.get::<_, Value>(0);
    let value = connection.query_row(&format!("PRAGMA {pragma}"), [], read).optional()?;
    Ok(value.and_then(|value| match value {
        Value::Integer(number) => Some(number.to_string()),
        Value::Text(text) => Some(text),
        Value::Null | Value::Real(_) | Value::Blob(_) => None,
    }))
}

#[cfg(test)]
mod tests {
    use std::{path::PathBuf, time::Duration};

    use rusqlite::{Connection, StatementStatus};

    use super::{
        PRAGMAS, check_library, get, make_safe, open_reader, open_writer, prepare_file, true_path,
    };
    use crate::store::StoreErrorKind;

    /// A file of this process's own.
    fn scratch(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("paymux-{}-{name}.db", std::process::id()))
    }

    #[test]
    fn what_keeps_payments_safe_holds_on_every_connection() {
        let path = true_path(&scratch("pragmas")).unwrap();
        prepare_file(&path).unwrap();
        let wait = Duration::from_millis(1234);
        let connections = [open_writer(&path, wait).unwrap(), open_reader(&path, wait).unwrap()];
        for connection in &connections {
            for (pragma, _, expected) in PRAGMAS {
                assert_eq!(get(connection, pragma).unwrap().unwrap(), *expected, "{pragma}");
            }
            assert_eq!(get(connection, "busy_timeout").unwrap().unwrap(), "1234");
        }
        assert!(connections[0].execute_batch("CREATE TABLE a (b)").is_ok());
        assert!(connections[1].execute_batch("CREATE TABLE c (d)").is_err(), "it only reads");
        drop(connections);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_statement_is_planned_once() {
        let path = true_path(&scratch("plans")).unwrap();
        prepare_file(&path).unwrap();
        let connection = open_writer(&path, Duration::ZERO).unwrap();
        connection.execute_batch("CREATE TABLE a (b, c, PRIMARY KEY (b, c))").unwrap();
        let sql = "SELECT max(c) FROM a WHERE b = ?1";
        for b in ["x", "y", "z"] {
            let mut statement = connection.prepare_cached(sql).unwrap();
            let _none: Option<i64> = statement.query_row([b], |row| row.get(0)).unwrap();
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0, "{b}");
        }
        drop(connection);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_pragma_that_did_not_hold_is_refused() {
        // What is in memory has no write-ahead log.
        let error = make_safe(&Connection::open_in_memory().unwrap()).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Configuration);
        assert!(error.to_string().contains("journal_mode"), "{error}");
    }

    #[test]
    fn an_sqlite_that_corrupts_files_is_refused() {
        for version in [3_040_001, 3_051_002] {
            let error = check_library(version).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Configuration);
        }
        assert!(check_library(3_051_002).unwrap_err().to_string().contains("3.51.2"));
        assert!(check_library(3_051_003).is_ok());
        assert!(check_library(rusqlite::version_number()).is_ok());
    }
}
