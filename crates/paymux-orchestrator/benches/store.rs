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

use std::process::ExitCode;

#[path = "store/block.rs"]
mod block;
#[path = "store/by_hand.rs"]
mod by_hand;
#[path = "store/paymux.rs"]
mod paymux;
#[path = "store/report.rs"]
mod report;
#[path = "store/scratch.rs"]
mod scratch;

use block::{Block, IN_FLIGHT, ROUNDS};
use by_hand::Rows;
use report::{Report, processor};
use scratch::Scratch;

fn main() -> ExitCode {
    // `cargo test --all-targets` runs this too, without the word.
    if !std::env::args().any(|word| word == "--bench") {
        return ExitCode::SUCCESS;
    }
    let scratch = Scratch::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let mut report = Report::new(scratch.flush());
    let mut note = |name, tasks, run: &dyn Fn() -> Block| {
        let before = processor();
        let block = run();
        report.add(name, tasks, &block, processor() - before);
    };
    for _ in 0..ROUNDS {
        note("single", 1, &|| runtime.block_on(by_hand::single(&scratch.file(), no_call)));
        for tasks in IN_FLIGHT {
            for (name, rows) in [("group", Rows::Bare), ("same rows", Rows::Same)] {
                note(name, tasks, &|| {
                    runtime.block_on(by_hand::group(&scratch.file(), rows, tasks, no_call))
                });
            }
            note("paymux", tasks, &|| runtime.block_on(paymux::run(&scratch.file(), tasks)));
        }
    }
    report.print();
    ExitCode::SUCCESS
}

/// Nobody is asked between the two steps; this is what would have been answered.
async fn no_call(_: u64) -> String {
    "p".repeat(1000)
}
