//! Processes are killed and paused at any time while payments run through unwell providers. In the
//! end nothing was charged twice, nothing is lost, and our books are the providers'.
//!
//! Many also ask for the same at once: that makes it once.
//!
//! The usual trials have a size for every day; those named `at_full_size` are ignored unless asked
//! for with `--ignored`. `PAYMUX_SEED` repeats the orders, the payers and the dice of a run; what
//! the processes were doing when they were killed it cannot repeat.

use std::{process::ExitCode, time::Duration};

use libtest_mimic::Arguments;

#[cfg(test)]
#[path = "kills/chaos.rs"]
mod chaos;
#[cfg(test)]
#[path = "kills/counter.rs"]
mod counter;
#[cfg(test)]
#[path = "kills/line.rs"]
mod line;
#[cfg(test)]
#[path = "kills/process.rs"]
mod process;
#[cfg(test)]
#[path = "kills/run.rs"]
mod run;
#[cfg(test)]
#[path = "../../crates/paymux-orchestrator/tests/postgres/server.rs"]
#[expect(dead_code, reason = "the trials of the store need more than one server and tenant")]
mod server;
#[cfg(test)]
#[path = "kills/settle.rs"]
mod settle;
#[cfg(test)]
#[path = "kills/storm.rs"]
mod storm;
#[cfg(test)]
#[path = "kills/theirs.rs"]
mod theirs;
#[cfg(test)]
#[path = "kills/trials.rs"]
mod trials;
#[cfg(test)]
#[path = "kills/truth.rs"]
mod truth;

use run::Plan;
use trials::{on_postgres, on_sqlite, storm_on_postgres};

/// For three processes on one server, each of which may be killed or paused.
const THREE_NODES: Plan = Plan {
    nodes: 3,
    orders: 120,
    kills: 10,
    pauses: 6,
    naps: 1,
    life: (100, 2_500),
    limit: Duration::from_secs(180),
};
/// For one process on a file.
const ONE_PROCESS: Plan = Plan {
    nodes: 1,
    orders: 60,
    kills: 15,
    pauses: 1,
    naps: 0,
    life: (20, 900),
    limit: Duration::from_secs(120),
};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Two runs at once would take each other's time, and calls have limits in real time.
    arguments.test_threads = Some(1);
    let hour = Duration::from_secs(3600);
    let full = Plan { orders: 2_000, kills: 120, pauses: 60, naps: 9, limit: hour, ..THREE_NODES };
    let trials = vec![
        on_postgres("three_nodes_on_one_postgresql", THREE_NODES, false),
        on_sqlite("one_process_on_sqlite", ONE_PROCESS, false),
        on_postgres("three_nodes_on_one_postgresql_at_full_size", full, true),
        on_sqlite(
            "one_process_on_sqlite_at_full_size",
            Plan { orders: 2_000, kills: 240, pauses: 20, limit: hour, ..ONE_PROCESS },
            true,
        ),
        storm_on_postgres("two_nodes_are_asked_by_many_at_once", 60, false),
        storm_on_postgres("two_nodes_are_asked_by_many_at_once_at_full_size", 2_000, true),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}
