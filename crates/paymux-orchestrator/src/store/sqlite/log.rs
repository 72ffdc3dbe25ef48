//! The write-ahead log beside the file, which is not to grow for ever.
//!
//! SQLite brings what is in the log into the file by itself, and lets the log begin anew once nobody
//! reads from it. While readers overlap there is always somebody, and it grows. Beyond a bound the
//! writer waits for a moment in which all that is read is read from the file, and cuts the log off:
//! nothing is written meanwhile, and reads that begin then are in nobody's way.

use std::{path::PathBuf, time::Duration};

use rusqlite::Connection;

/// The log is cut off beyond so many bytes; it gives so much of the disk back by itself.
pub(super) const BOUND: u64 = 64 * 1024 * 1024;

/// How long those are waited for who read from the log. Payments wait as long.
const WAIT: Duration = Duration::from_millis(100);

/// How many commits come after an attempt that failed: somebody who reads for long, such as a
/// backup, holds up none but those attempts.
const APART: u32 = 1_000;

/// The log of one file.
pub(super) struct Log {
    file: Option<PathBuf>,
    bound: u64,
    apart: u32,
    /// So many commits come before the next attempt.
    rests: u32,
}

impl Log {
    pub(super) fn of(connection: &Connection) -> Self {
        Self::bounded(connection, BOUND, APART)
    }

    /// What is in memory has no log, and no name.
    pub(super) fn bounded(connection: &Connection, bound: u64, apart: u32) -> Self {
        let name = connection.path().filter(|name| !name.is_empty());
        let file = name.map(|name| PathBuf::from(format!("{name}-wal")));
        Self { file, bound, apart, rests: 0 }
    }

    /// After each commit: cuts the log off where it is too long.
    pub(super) fn keep_short(&mut self, connection: &Connection) {
        self.rests = self.rests.saturating_sub(1);
        // Its name and no more is looked at: to open it by other means would end SQLite's locks.
        let length = self.file.as_ref().and_then(|file| file.metadata().ok()).map(|it| it.len());
        if self.rests > 0 || length.is_none_or(|length| length <= self.bound) {
            return;
        }
        let cut = cut_off(connection);
        if !matches!(cut, Ok(true)) {
            self.rests = self.apart;
        }
        match cut {
            Ok(true) => {}
            Ok(false) => tracing::debug!("the log is long, and somebody reads from it"),
            Err(error) => tracing::warn!(%error, "the log is long, and cannot be cut off"),
        }
    }
}

/// Could it be?
fn cut_off(connection: &Connection) -> rusqlite::Result<bool> {
    let usual = connection.query_row("PRAGMA busy_timeout", [], |row| row.get::<_, u32>(0))?;
    connection.busy_timeout(WAIT)?;
    let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
    let busy = connection.query_row(sql, [], |row| row.get::<_, bool>(0));
    connection.busy_timeout(Duration::from_millis(usual.into()))?;
    busy.map(|busy| !busy)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        path::{Path, PathBuf},
        sync::{
            Barrier,
            atomic::{AtomicBool, Ordering},
        },
        thread,
        time::Duration,
    };

    use rusqlite::Connection;

    use super::{
        super::{
            connection::{open_reader, open_writer, prepare_file, true_path},
            writer::{Step, Writer},
        },
        Log,
    };

    const SMALL: u64 = 256 * 1024;

    /// A file of the test's own, with a table; gone in the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let name = format!("paymux-{}-{name}.db", std::process::id());
            let path = true_path(&std::env::temp_dir().join(name)).unwrap();
            prepare_file(&path).unwrap();
            Self(path)
        }

        fn writer(&self) -> Connection {
            let connection = open_writer(&self.0, Duration::from_millis(1_234)).unwrap();
            // What reaches the disk when is not tried here.
            let sql = "PRAGMA synchronous = OFF; CREATE TABLE kept (text TEXT)";
            connection.execute_batch(sql).unwrap();
            connection
        }

        fn reader(&self) -> Connection {
            open_reader(&self.0, Duration::from_secs(5)).unwrap()
        }

        fn length(&self) -> u64 {
            let name = format!("{}-wal", self.0.display());
            Path::new(&name).metadata().map_or(0, |log| log.len())
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            for end in ["", "-wal", "-shm"] {
                let _left_behind = std::fs::remove_file(format!("{}{end}", self.0.display()));
            }
        }
    }

    fn write(connection: &Connection) {
        connection.execute("INSERT INTO kept VALUES (?1)", ["x".repeat(3_000)]).unwrap();
    }

    fn begin_to_read(connection: &Connection) {
        connection.execute_batch("BEGIN").unwrap();
        connection.query_row("SELECT count(*) FROM kept", [], |row| row.get::<_, i64>(0)).unwrap();
    }

    fn end(connection: &Connection) {
        connection.execute_batch("ROLLBACK").unwrap();
    }

    /// Two that read by turns, each until the other one has begun, until it is over.
    fn read_by_turns(scratch: &Scratch, is_first: bool, turns: &Turns) {
        let reader = scratch.reader();
        let mut reads = is_first;
        if reads {
            begin_to_read(&reader);
        }
        loop {
            if !reads {
                begin_to_read(&reader);
            }
            if is_first {
                // One says it for both, so that neither waits for one that is gone.
                turns.last.store(turns.over.load(Ordering::SeqCst), Ordering::SeqCst);
            }
            turns.both.wait();
            if reads {
                end(&reader);
            }
            reads = !reads;
            let is_last = turns.last.load(Ordering::SeqCst);
            turns.both.wait();
            if is_last {
                return;
            }
        }
    }

    struct Turns {
        both: Barrier,
        over: AtomicBool,
        last: AtomicBool,
    }

    #[test]
    fn a_log_that_is_always_read_stays_short() {
        for is_kept_short in [false, true] {
            let scratch = Scratch::new(&format!("always-{is_kept_short}"));
            let writer = scratch.writer();
            let bound = if is_kept_short { SMALL } else { u64::MAX };
            let mut log = Log::bounded(&writer, bound, 20);
            let (over, last) = (AtomicBool::new(false), AtomicBool::new(false));
            let turns = Turns { both: Barrier::new(2), over, last };
            let mut longest = 0;
            thread::scope(|scope| {
                for is_first in [true, false] {
                    let (scratch, turns) = (&scratch, &turns);
                    scope.spawn(move || read_by_turns(scratch, is_first, turns));
                }
                for _ in 0..1_200 {
                    write(&writer);
                    log.keep_short(&writer);
                    longest = longest.max(scratch.length());
                }
                turns.over.store(true, Ordering::SeqCst);
            });
            // Left alone it is not looked at before it has 1,000 pages.
            assert_eq!(longest < 12 * SMALL, is_kept_short, "{longest} bytes");
        }
    }

    /// Only one that failed is rested after.
    #[test]
    fn a_log_that_was_cut_off_is_cut_off_again_when_it_is_as_long() {
        let scratch = Scratch::new("again");
        let writer = scratch.writer();
        let mut log = Log::bounded(&writer, SMALL, 100_000);
        for no in 0..400 {
            write(&writer);
            log.keep_short(&writer);
            assert!(scratch.length() <= SMALL, "{} bytes after {no}", scratch.length());
        }
    }

    #[tokio::test]
    async fn a_log_is_cut_off_once_whoever_read_for_long_is_gone() {
        let scratch = Scratch::new("long");
        let (connection, reader) = (scratch.writer(), scratch.reader());
        let log = Log::bounded(&connection, SMALL, 50);
        let lock = File::open(".").unwrap();
        let writer = Writer::start_with(connection, lock, log).unwrap();
        let commit = async |times: u32| {
            for _ in 0..times {
                let one = |connection: &Connection| {
                    write(connection);
                    Ok(Step::Keep(()))
                };
                writer.write(one).await.unwrap();
            }
        };
        begin_to_read(&reader);
        commit(400).await;
        assert!(scratch.length() > 2 * SMALL, "what it may still read is kept");
        end(&reader);
        commit(51).await;
        // Whoever else waits for a lock waits as long as before.
        let wait = |connection: &Connection| {
            let wait = connection.query_row("PRAGMA busy_timeout", [], |row| row.get::<_, i64>(0));
            wait.map(Step::Keep)
        };
        assert_eq!(writer.write(wait).await.unwrap(), 1_234);
        assert!(scratch.length() < 2 * SMALL, "{} bytes", scratch.length());
        writer.close().await;
    }

    #[test]
    fn what_is_in_memory_has_no_log() {
        let connection = Connection::open_in_memory().unwrap();
        assert!(Log::of(&connection).file.is_none());
    }
}
