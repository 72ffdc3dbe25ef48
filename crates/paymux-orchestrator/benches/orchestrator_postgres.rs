//! How many payments a second the orchestrator makes on PostgreSQL, beside the same calls between
//! two statements of the bare driver, on as many connections.
//!
//! `cargo bench -p paymux-orchestrator --features postgres --bench orchestrator_postgres`. It
//! starts a server of its own. The ways take turns, in blocks, and medians are shown:
//!
//! - `pairs`: an insert and an update, each a commit, and no call: what the driver allows.
//! - `group`: the same with the call between them, by hand; nothing is grouped.
//! - `paymux`: `Orchestrator::create_payment`.
//!
//! The processor's time is that of this process without the provider's thread; the server's is not
//! in it. Nothing is asserted: the figures are the machine's.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench prints, and stops where it cannot measure"
)]

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use paymux_orchestrator::store::postgres::PostgresStore;

#[path = "orchestrator/account.rs"]
mod account;
#[path = "orchestrator/bank.rs"]
mod bank;
#[path = "store/bare.rs"]
mod bare;
#[path = "store/block.rs"]
mod block;
#[path = "orchestrator/paymux.rs"]
mod paymux;
#[path = "store/report.rs"]
mod report;
#[path = "store/scratch.rs"]
mod scratch;
#[path = "../tests/postgres/server.rs"]
mod server;

use account::Account;
use bank::Bank;
use bare::{Raw, Sql};
use block::{Block, IN_FLIGHT, ROUNDS};
use report::{Report, processor};
use scratch::Scratch;
use server::Server;

/// More connections bought nothing on two cores.
const CONNECTIONS: u64 = 16;

/// Numbers payments over all blocks: the tables are the same in all.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// By hand, a payment is one row.
const BY_HAND: Sql = Sql {
    table: "CREATE TABLE raw_payments (
              payment_id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE,
              request TEXT NOT NULL, reply TEXT)",
    insert: "INSERT INTO raw_payments (payment_id, key, request) VALUES ($1, $2, $3)",
    update: "UPDATE raw_payments SET reply = $2 WHERE payment_id = $1 AND reply IS NULL",
};

fn main() -> ExitCode {
    // `cargo test --all-targets` runs this too, without the word.
    if !std::env::args().any(|word| word == "--bench") {
        return ExitCode::SUCCESS;
    }
    if let Some(why) = server::missing() {
        println!("nothing measured: {why}");
        return ExitCode::SUCCESS;
    }
    let server = Server::shared();
    let bank = Bank::open();
    let account = Account::new(bank.url.clone());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let connections = usize::try_from(CONNECTIONS).unwrap();
    let raw: Arc<Vec<Raw>> =
        Arc::new(runtime.block_on(bare::connect(server, connections, &BY_HAND)));
    let settings = server.fresh().connections(connections);
    let store = Arc::new(runtime.block_on(PostgresStore::connect(settings)).unwrap());
    let mut report = Report::new(Scratch::new().flush());
    let mut note = |name, tasks, run: &dyn Fn() -> Block| {
        let before = processor() - bank.processor();
        let block = run();
        report.add(name, tasks, &block, processor() - bank.processor() - before);
    };
    for _ in 0..ROUNDS {
        for tasks in IN_FLIGHT {
            note("pairs", tasks, &|| runtime.block_on(pairs(&raw, None, tasks)));
            note("group", tasks, &|| runtime.block_on(pairs(&raw, Some(&account), tasks)));
            note("paymux", tasks, &|| {
                runtime.block_on(paymux::on(store.clone(), account.clone(), tasks))
            });
        }
    }
    report.print();
    ExitCode::SUCCESS
}

/// A row for each payment, and the call before it is changed, if there is one.
async fn pairs(raw: &Arc<Vec<Raw>>, account: Option<&Account>, tasks: usize) -> Block {
    let (raw, account) = (Arc::clone(raw), account.cloned());
    let pay = move |caller| {
        let (raw, account) = (Arc::clone(&raw), account.clone());
        async move {
            let place = usize::try_from(caller % CONNECTIONS).unwrap();
            let (client, insert, update) = &raw[place];
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let (id, key) = (format!("pay_{n:026}"), format!("key-{n}"));
            client.execute(insert, &[&id, &key, &"p".repeat(300)]).await.unwrap();
            let answer = match account {
                Some(account) => account.pay(n).await,
                None => "p".repeat(1000),
            };
            assert_eq!(client.execute(update, &[&id, &answer]).await.unwrap(), 1);
        }
    };
    block::run(tasks, pay).await
}
