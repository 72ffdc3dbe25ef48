//! One process: a store, an orchestrator, an endpoint, a shop; until it is told to end, or killed.

use std::{io::Write, sync::Arc, time::Duration};

use paymux::Clock;
use paymux_orchestrator::{
    Orchestrator,
    store::{
        Store,
        postgres::{PostgresSettings, PostgresStore},
        sqlite::SqliteStore,
    },
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines, Stdin},
    sync::watch,
};

use crate::{FastClock, Place, Setup, Shop, Stop, Told, Word, door, orchestrator, orders};

/// How long a process rests when nothing was due: about a second by the fast clock.
const REST: Duration = Duration::from_millis(50);
/// What the user and the database of the test's own server are called.
const DATABASE: &str = "paymux";

/// Runs a process, by what its input says.
///
/// # Errors
/// When it cannot be set up so. While it runs, nothing ends it but its input.
pub async fn run() -> Result<(), Stop> {
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    let line = input.next_line().await?.ok_or("there is no setup")?;
    let setup: Setup = serde_json::from_str(&line)?;
    let clock: Arc<dyn Clock> = Arc::new(FastClock::new(setup.pace));
    let store = setup.place.open().await?;
    let orchestrator = orchestrator(&setup.access, store, clock.clone(), &setup.node)?;
    let (port, _serving) = door::open(orchestrator.clone(), clock).await?;
    tell(&Told::Ready(port));
    let (come, coming) = watch::channel(0);
    tokio::spawn(step_on(orchestrator.clone()));
    let all = orders(setup.seed, setup.orders);
    let mine = all.into_iter().filter(|order| setup.takes(order.number)).collect();
    tokio::spawn(work_on(Shop::new(orchestrator, mine, &setup.bills), coming));
    listen(input, come).await
}

impl Place {
    /// Opens the store there.
    ///
    /// # Errors
    /// As the store's own.
    pub async fn open(&self) -> Result<Arc<dyn Store>, Stop> {
        Ok(match self {
            Self::Sqlite(file) => Arc::new(SqliteStore::open(file)?),
            Self::Postgres { socket, port, tenant } => {
                let settings = PostgresSettings::new(&**socket, DATABASE, DATABASE);
                let settings = settings.port(*port).tenant(&**tenant).connections(8);
                Arc::new(PostgresStore::connect(settings).await?)
            }
        })
    }
}

impl Setup {
    /// Every order has a process that works on it, and every seventh a second one: a merchant's
    /// call that is repeated can arrive anywhere.
    fn takes(&self, order: u32) -> bool {
        let home = order % self.of;
        home == self.index || (order.is_multiple_of(7) && (home + 1) % self.of == self.index)
    }
}

async fn step_on(orchestrator: Orchestrator) {
    loop {
        // What failed comes again, so a rest is all that there is to do about it.
        let idle = orchestrator.step().await.map_or(true, |stepped| stepped.is_idle());
        if idle {
            tokio::time::sleep(REST).await;
        }
    }
}

async fn work_on(shop: Shop, coming: watch::Receiver<u32>) {
    loop {
        let come = *coming.borrow();
        shop.work(come, &tell).await;
        tokio::time::sleep(REST).await;
    }
}

async fn listen(mut input: Lines<BufReader<Stdin>>, come: watch::Sender<u32>) -> Result<(), Stop> {
    while let Some(line) = input.next_line().await? {
        let Word::Come(count) = serde_json::from_str(&line)?;
        come.send_replace(count);
    }
    // Whoever started it is gone. Nothing is tidied up: that is what the others are for.
    std::process::exit(0)
}

fn tell(told: &Told) {
    let Ok(mut line) = serde_json::to_string(told) else { return };
    line.push('\n');
    let mut output = std::io::stdout().lock();
    // Nobody may be listening any more; the end of the input says so, too.
    let _ = output.write_all(line.as_bytes()).and_then(|()| output.flush());
}
