//! How many payments a second PostgreSQL keeps, each of two durable commits: the bare driver, which
//! writes one row and then changes it, beside the store, which also guards and audits them.
//!
//! `cargo bench -p paymux-orchestrator --features postgres --bench store_postgres`. It starts a
//! server of its own and takes under a minute; the modes take turns, and medians are printed.
//! Nothing is asserted: the figures are the machine's.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and stops where it cannot measure"
)]

use std::{
    env, fs,
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use paymux_orchestrator::store::{Committed, Slot, Store, postgres::PostgresStore};
use tokio::task::JoinSet;

#[path = "store/bare.rs"]
mod bare;
#[path = "../tests/stores/build.rs"]
#[expect(dead_code, reason = "the suite of all stores needs more rows than this")]
mod build;
#[path = "../tests/postgres/server.rs"]
mod server;

use bare::{Raw, Sql};
use build::{caller_key, change, row, told};
use server::Server;

/// More connections bought nothing on two cores.
const CONNECTIONS: usize = 16;
const IN_FLIGHT: [usize; 3] = [1, 16, 64];
const BLOCK: Duration = Duration::from_millis(1000);
const ROUNDS: usize = 5;

/// By hand, a payment is one row.
const BY_HAND: Sql = Sql {
    table: "CREATE TABLE raw_payments (
              payment_id TEXT PRIMARY KEY, status TEXT NOT NULL,
              request TEXT NOT NULL, reply TEXT)",
    insert: "INSERT INTO raw_payments (payment_id, status, request) VALUES ($1, 'sent', $2)",
    update: "UPDATE raw_payments SET status = 'paid', reply = $2
             WHERE payment_id = $1 AND status = 'sent'",
};

/// Numbers payments over all modes.
static NEXT: AtomicU64 = AtomicU64::new(1);

fn next() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now() -> Instant {
    Instant::now()
}

/// What is measured.
#[derive(Clone, Copy)]
enum Mode {
    /// The driver alone: an insert, then an update with a condition.
    Raw,
    /// The store: the payment and its audit.
    Lean,
    /// The store: also the caller's key, the slot taken and released, and an event.
    Full,
}

#[derive(Clone)]
struct Bench {
    raw: Arc<Vec<Raw>>,
    store: Arc<PostgresStore>,
}

fn main() {
    if let Some(why) = server::missing() {
        println!("nothing measured: {why}");
        return;
    }
    println!("fdatasync: {} us (median of 200)", fdatasync().as_micros());
    let server = Server::shared();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(server));
}

async fn measure(server: &Server) {
    let bench = Bench::start(server).await;
    let modes = [(Mode::Raw, "raw"), (Mode::Lean, "store, lean"), (Mode::Full, "store, full")];
    let mut rates = vec![Vec::new(); modes.len() * IN_FLIGHT.len()];
    // The first round warms up.
    for round in 0..=ROUNDS {
        for (place, (mode, flight)) in
            modes.iter().flat_map(|(mode, _)| IN_FLIGHT.map(|flight| (*mode, flight))).enumerate()
        {
            let rate = bench.block(mode, flight).await;
            if round > 0 {
                rates[place].push(rate);
            }
        }
        print!(".");
        io::stdout().flush().unwrap();
    }
    println!("\npayments a second, median of {ROUNDS} blocks of {} ms", BLOCK.as_millis());
    println!("{:<14}{:>10}{:>10}{:>10}", "in flight", IN_FLIGHT[0], IN_FLIGHT[1], IN_FLIGHT[2]);
    let medians: Vec<u64> = rates.iter_mut().map(|rates| median(rates)).collect();
    for (line, (_, name)) in medians.chunks(IN_FLIGHT.len()).zip(modes) {
        println!("{name:<14}{:>10}{:>10}{:>10}", line[0], line[1], line[2]);
    }
    for (line, (_, name)) in medians.chunks(IN_FLIGHT.len()).zip(modes).skip(1) {
        let of_raw = |place: usize| format!("{} %", line[place] * 100 / medians[place].max(1));
        println!(
            "{:<14}{:>10}{:>10}{:>10}",
            format!("{name} / raw"),
            of_raw(0),
            of_raw(1),
            of_raw(2)
        );
    }
    bench.store.close().await;
}

fn median(rates: &mut [u64]) -> u64 {
    rates.sort_unstable();
    rates[rates.len() / 2]
}

impl Bench {
    async fn start(server: &Server) -> Self {
        let store = PostgresStore::connect(server.fresh()).await.unwrap();
        let raw = bare::connect(server, CONNECTIONS, &BY_HAND).await;
        Self { raw: Arc::new(raw), store: Arc::new(store) }
    }

    /// Payments a second with so many callers at once.
    async fn block(&self, mode: Mode, in_flight: usize) -> u64 {
        let start = now();
        let mut callers = JoinSet::new();
        for caller in 0..in_flight {
            let bench = self.clone();
            callers.spawn(async move {
                let mut payments = 0_u64;
                while start.elapsed() < BLOCK {
                    match mode {
                        Mode::Raw => bench.raw_pair(caller).await,
                        Mode::Lean => bench.lean_pair().await,
                        Mode::Full => bench.full_pair().await,
                    }
                    payments += 1;
                }
                payments
            });
        }
        let payments: u64 = callers.join_all().await.into_iter().sum();
        let micros = u64::try_from(start.elapsed().as_micros()).unwrap();
        payments * 1_000_000 / micros
    }

    async fn raw_pair(&self, caller: usize) {
        let (client, insert, update) = &self.raw[caller % CONNECTIONS];
        let id = row(next()).id.to_string();
        client.execute(insert, &[&id, &text(300)]).await.unwrap();
        assert_eq!(client.execute(update, &[&id, &text(1000)]).await.unwrap(), 1);
    }

    async fn lean_pair(&self) {
        let mut payment = row(next());
        payment.document = text(300);
        let first = change(0, payment.clone());
        assert_eq!(self.store.commit(first).await.unwrap(), Committed::Done);
        payment.document = text(1000);
        payment.version = 2;
        assert_eq!(self.store.commit(change(1, payment)).await.unwrap(), Committed::Done);
    }

    async fn full_pair(&self) {
        let n = next();
        let mut payment = row(n);
        payment.document = text(300);
        let mut first = change(0, payment.clone());
        first.caller_key = Some(caller_key(&format!("key-{n}"), n));
        first.slot = Slot::Take(1);
        assert_eq!(self.store.commit(first).await.unwrap(), Committed::Done);
        payment.document = text(1000);
        payment.version = 2;
        let mut second = change(1, payment);
        second.slot = Slot::Release(1);
        second.events = vec![told(&format!("paid-{n}"), n, 2)];
        assert_eq!(self.store.commit(second).await.unwrap(), Committed::Done);
    }
}

fn text(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// How long the disk takes, without which the figures of two machines cannot be compared.
fn fdatasync() -> Duration {
    let path = env::temp_dir().join(format!("paymux-fdatasync-{}", std::process::id()));
    let mut file = fs::File::create(&path).unwrap();
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            file.write_all(&[0; 8192]).unwrap();
            let start = now();
            file.sync_data().unwrap();
            start.elapsed()
        })
        .collect();
    fs::remove_file(path).unwrap();
    times.sort_unstable();
    times[times.len() / 2]
}
