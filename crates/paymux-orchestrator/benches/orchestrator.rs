//! How many payments a second the orchestrator makes on SQLite, beside what the same calls and
//! commits allow by hand.
//!
//! `cargo bench -p paymux-orchestrator --bench orchestrator`
//!
//! Every payment is one call over HTTP to a provider on loopback, in a thread of this process, that
//! takes the money at once. Five ways are run in turns, in blocks, so that a change of the
//! machine's mood meets them all, and medians are shown:
//!
//! - `http only`: the call, and nothing written down. No way to sell anything.
//! - `single`: an insert, the call, an update, each a commit: the bare least, by hand.
//! - `group`: the same, by hand, the statements of several payments to a commit.
//! - `same rows`: the call between two steps that write what the store writes, by hand, several to
//!   a commit, with no guard around them.
//! - `paymux`: `Orchestrator::create_payment`.
//!
//! All flush to the disk the same way. The time of one flush is shown first: it explains the rest.
//! The processor's time is that of a payment without the provider's thread.
//!
//! `-- paymux 64` measures that way alone, with so many in flight: for a profile.
#![expect(clippy::unwrap_used, reason = "a bench stops where it cannot measure")]

use std::{process::ExitCode, sync::Arc};

use paymux_orchestrator::store::sqlite::SqliteStore;

#[path = "orchestrator/account.rs"]
mod account;
#[path = "orchestrator/bank.rs"]
mod bank;
#[path = "store/block.rs"]
mod block;
#[path = "store/by_hand.rs"]
mod by_hand;
#[path = "orchestrator/paymux.rs"]
mod paymux;
#[path = "store/report.rs"]
mod report;
#[path = "store/scratch.rs"]
mod scratch;

use account::Account;
use bank::Bank;
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
    let bank = Bank::open();
    let account = Account::new(bank.url.clone());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let call = {
        let account = account.clone();
        move |n| {
            let account = account.clone();
            async move { account.pay(n).await }
        }
    };
    let mut report = Report::new(scratch.flush());
    let only: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let mut note = |name: &'static str, tasks: usize, run: &dyn Fn() -> Block| {
        if !only.is_empty() && only != [name, &tasks.to_string()] {
            return;
        }
        let before = processor() - bank.processor();
        let block = run();
        report.add(name, tasks, &block, processor() - bank.processor() - before);
    };
    for _ in 0..ROUNDS {
        note("single", 1, &|| runtime.block_on(by_hand::single(&scratch.file(), &call)));
        for tasks in IN_FLIGHT {
            note("http only", tasks, &|| runtime.block_on(http_only(&account, tasks)));
            for (name, rows) in [("group", Rows::Bare), ("same rows", Rows::Same)] {
                note(name, tasks, &|| {
                    runtime.block_on(by_hand::group(&scratch.file(), rows, tasks, call.clone()))
                });
            }
            note("paymux", tasks, &|| {
                // Made anew for each block: the file is closed with it.
                let store = Arc::new(SqliteStore::open(scratch.file()).unwrap());
                runtime.block_on(paymux::on(store, account.clone(), tasks))
            });
        }
    }
    report.print();
    ExitCode::SUCCESS
}

/// The calls alone.
async fn http_only(account: &Account, tasks: usize) -> Block {
    let account = account.clone();
    let pay = move |n| {
        let account = account.clone();
        async move { drop(account.pay(n).await) }
    };
    block::run(tasks, pay).await
}
