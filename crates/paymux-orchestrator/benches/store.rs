//! How many payments a second the SQLite store writes, beside what the disk and SQLite allow.
//!
//! `cargo bench -p paymux-orchestrator --bench store`
//!
//! A payment is two durable steps, as the engine makes them: the intent before the provider is
//! called, the outcome after. Four ways are run in turns, in blocks, so that a change of the
//! machine's mood meets them all, and medians are shown:
//!
//! - `single`: two statements by hand, each a commit: the bare least of what a payment needs.
//! - `group`: the same two statements, by hand, several to a commit.
//! - `same rows`: what the store writes, by hand, several to a commit.
//! - `paymux`: the store, with its guards, audit and outbox.
//!
//! All flush to the disk the same way. The time of one flush is shown first: it explains the rest.
#![expect(clippy::unwrap_used, reason = "a bench stops where it cannot measure")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

#[path = "store/by_hand.rs"]
mod by_hand;
#[path = "store/paymux.rs"]
mod paymux;
#[path = "store/report.rs"]
mod report;

use by_hand::Rows;
use report::{Block, Report, processor};

/// How long one way runs before it is the next one's turn.
const BLOCK: Duration = Duration::from_millis(400);
const ROUNDS: usize = 7;
const IN_FLIGHT: [usize; 4] = [1, 16, 64, 256];

fn main() -> ExitCode {
    // `cargo test --all-targets` runs this too, without the word.
    if !std::env::args().any(|word| word == "--bench") {
        return ExitCode::SUCCESS;
    }
    let scratch = Scratch::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let mut report = Report::new(flush(&scratch));
    let mut note = |name, tasks, run: &dyn Fn() -> Block| {
        let before = processor();
        let block = run();
        report.add(name, tasks, &block, processor() - before);
    };
    for _ in 0..ROUNDS {
        note("single", 1, &|| by_hand::single(&scratch.file()));
        for tasks in IN_FLIGHT {
            for (name, rows) in [("group", Rows::Bare), ("same rows", Rows::Same)] {
                note(name, tasks, &|| {
                    runtime.block_on(by_hand::group(&scratch.file(), rows, tasks))
                });
            }
            note("paymux", tasks, &|| runtime.block_on(paymux::run(&scratch.file(), tasks)));
        }
    }
    report.print();
    ExitCode::SUCCESS
}

/// How long the disk takes for one flush: the median of many appends of a page.
fn flush(scratch: &Scratch) -> Duration {
    use std::io::Write;
    let mut file = fs::File::create(scratch.file()).unwrap();
    let mut all: Vec<Duration> = (0..300)
        .map(|_| {
            let start = now();
            file.write_all(&[7; 4096]).unwrap();
            file.sync_data().unwrap();
            now() - start
        })
        .collect();
    all.sort();
    all[all.len() / 2]
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn now() -> Instant {
    Instant::now()
}

/// A directory on the disk that is measured, gone in the end.
struct Scratch {
    directory: PathBuf,
    next: std::cell::Cell<u32>,
}

impl Scratch {
    fn new() -> Self {
        let name = format!("bench-store-{}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&directory).unwrap();
        Self { directory, next: std::cell::Cell::new(0) }
    }

    /// A name that was not used yet: every block begins with an empty file.
    fn file(&self) -> PathBuf {
        self.next.set(self.next.get() + 1);
        self.directory.join(format!("{}.db", self.next.get()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _left_behind = fs::remove_dir_all(&self.directory);
    }
}
