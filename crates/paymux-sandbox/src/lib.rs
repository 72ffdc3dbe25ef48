#![doc = include_str!("../README.md")]

mod amount;
mod clock;
mod config;
mod control;
mod error;
mod fault;
mod html;
pub mod milkypay;
mod page;
pub mod ramp;
mod random;
mod reply;
mod server;
mod table;
pub mod toffeepay;
pub mod wallet;
mod webhook;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

pub use clock::StartTime;
pub use config::SandboxConfig;
pub use error::SandboxError;
pub use fault::{Fault, FaultKind};
pub use milkypay::MilkyPaySandbox;
pub use ramp::RampSandbox;
pub use toffeepay::ToffeePaySandbox;
pub use wallet::WalletSandbox;
pub use webhook::WebhookScheme;

use clock::Clock;
use fault::Faults;
use milkypay::MilkyPay;
use ramp::Ramp;
use random::Random;
use table::Moment;
use toffeepay::ToffeePay;
use wallet::Wallet;

/// How often time is looked at when nobody asks, so that sessions expire by themselves.
const TICK: Duration = Duration::from_millis(500);

/// What all providers share.
#[derive(Debug)]
pub(crate) struct World {
    clock: Arc<Clock>,
    random: Random,
    faults: Arc<Faults>,
}

impl World {
    /// Now, and where ids come from.
    pub(crate) fn moment(&self) -> Moment<'_> {
        Moment { now: self.clock.now(), random: &self.random }
    }
}

/// The providers of one sandbox.
#[derive(Debug)]
pub(crate) struct Providers {
    world: Arc<World>,
    root: Url,
    toffeepay: Arc<ToffeePay>,
    milkypay: Arc<MilkyPay>,
    wallet: Arc<Wallet>,
    ramp: Arc<Ramp>,
}

impl Providers {
    fn advance(&self, by: Duration) {
        self.world.clock.advance(by);
        self.tick();
        self.toffeepay.webhooks.hurry();
        self.milkypay.webhooks.hurry();
        self.wallet.webhooks.hurry();
        self.ramp.webhooks.hurry();
    }

    fn tick(&self) {
        self.toffeepay.tick();
        self.milkypay.tick();
        self.wallet.tick();
        self.ramp.tick();
    }

    fn reset(&self) {
        self.world.faults.clear();
        self.toffeepay.reset();
        self.milkypay.reset();
        self.wallet.reset();
        self.ramp.reset();
    }
}

/// A running sandbox. Dropping it stops it; [`Sandbox::shutdown`] also waits for the end.
#[derive(Debug)]
pub struct Sandbox {
    providers: Arc<Providers>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a sandbox on loopback, inside the Tokio runtime of the caller.
    ///
    /// # Errors
    /// [`SandboxError::Bind`] when the port is taken, [`SandboxError::Configuration`] for a value
    /// that cannot be used, [`SandboxError::Random`] without a source of randomness.
    pub async fn start(config: SandboxConfig) -> Result<Sandbox, SandboxError> {
        config.check()?;
        let world = Arc::new(World {
            clock: Arc::new(Clock::new(config.time, config.sign_in_virtual_time)),
            random: Random::new(config.seed)?,
            faults: Arc::new(Faults::new(config.seed.unwrap_or_default())),
        });
        let port = config.port;
        let (listener, address) =
            server::bind(port).await.map_err(|source| SandboxError::Bind { port, source })?;
        let root = Url::parse(&format!("http://{address}/"))
            .map_err(|error| SandboxError::Configuration(error.to_string()))?;
        let toffeepay = ToffeePay::new(Arc::clone(&world), &root, config.toffeepay)?;
        let toffeepay = Arc::new(toffeepay);
        let milkypay = MilkyPay::new(Arc::clone(&world), &root, config.milkypay)?;
        let milkypay = Arc::new(milkypay);
        let wallet = Arc::new(Wallet::new(Arc::clone(&world), &root, config.wallet)?);
        let ramp = Arc::new(Ramp::new(Arc::clone(&world), &root, config.ramp)?);
        let providers = Arc::new(Providers { world, root, toffeepay, milkypay, wallet, ramp });
        let router = Router::new()
            .nest("/toffeepay", providers.toffeepay.routes())
            .nest("/milkypay", providers.milkypay.routes())
            .nest("/wallet", providers.wallet.routes())
            .nest("/ramp", providers.ramp.routes())
            .nest("/control", control::routes(&providers))
            .merge(html::routes());
        let (stop, stop_seen) = watch::channel(false);
        let mut tasks = vec![tokio::spawn(server::serve(listener, router, stop_seen.clone()))];
        let queues = [
            &providers.toffeepay.webhooks,
            &providers.milkypay.webhooks,
            &providers.wallet.webhooks,
            &providers.ramp.webhooks,
        ];
        for webhooks in queues {
            let (webhooks, clock) = (Arc::clone(webhooks), Arc::clone(&providers.world.clock));
            let delivering = webhook::run(webhooks, clock, config.webhook_retry, stop_seen.clone());
            tasks.push(tokio::spawn(delivering));
        }
        tasks.push(tokio::spawn(tick(Arc::clone(&providers), stop_seen)));
        Ok(Sandbox { providers, stop, tasks })
    }

    /// The root, such as `http://127.0.0.1:41234/`.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.providers.root
    }

    /// Virtual time.
    #[must_use]
    pub fn now(&self) -> jiff::Timestamp {
        self.providers.world.clock.now()
    }

    /// The ToffeePay account.
    #[must_use]
    pub fn toffeepay(&self) -> ToffeePaySandbox {
        ToffeePaySandbox { inner: Arc::clone(&self.providers.toffeepay) }
    }

    /// The MilkyPay account.
    #[must_use]
    pub fn milkypay(&self) -> MilkyPaySandbox {
        MilkyPaySandbox { inner: Arc::clone(&self.providers.milkypay) }
    }

    /// The wallet provider.
    #[must_use]
    pub fn wallet(&self) -> WalletSandbox {
        WalletSandbox { inner: Arc::clone(&self.providers.wallet) }
    }

    /// The ramp.
    #[must_use]
    pub fn ramp(&self) -> RampSandbox {
        RampSandbox { inner: Arc::clone(&self.providers.ramp) }
    }

    /// Moves virtual time forward. What falls due happens at once, each at its own time, and
    /// webhooks waiting for their next attempt are sent.
    pub fn advance(&self, by: Duration) {
        self.providers.advance(by);
    }

    /// Forgets all objects, faults and webhooks, and goes back to the settings of the start.
    /// Virtual time stays where it is.
    pub fn reset(&self) {
        self.providers.reset();
    }

    /// Lets something go wrong.
    pub fn inject(&self, fault: Fault) {
        self.providers.world.faults.inject(fault);
    }

    /// The faults that have not happened yet.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.providers.world.faults.list()
    }

    /// Takes back the faults that have not happened yet.
    pub fn clear_faults(&self) {
        self.providers.world.faults.clear();
    }

    /// How often each kind of fault has happened since the start, by [`FaultKind::word`].
    #[must_use]
    pub fn faults_happened(&self) -> BTreeMap<&'static str, u64> {
        self.providers.world.faults.happened()
    }

    /// Stops and waits: requests under way have a second to finish.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            // A task that failed has ended as well.
            let _ended = task.await;
        }
    }
}

async fn tick(providers: Arc<Providers>, mut stop: watch::Receiver<bool>) {
    let mut interval = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            _ = interval.tick() => providers.tick(),
            () = stopped(&mut stop) => return,
        }
    }
}

/// The URL of a path below the sandbox's own URL.
pub(crate) fn below(root: &Url, path: &str) -> Result<Url, SandboxError> {
    root.join(path).map_err(|error| SandboxError::Configuration(error.to_string()))
}

/// Returns when the sandbox stops or is dropped.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop as well.
    let _gone = stop.wait_for(|stop| *stop).await;
}

/// Locks even after a panic elsewhere: the state is changed whole or not at all.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
