//! Doing what is due: in a loop, from a timer, or by any engine that runs things again.

use std::{sync::Arc, time::Duration};

use futures_util::future::join;
use paymux_core::{Effect, Result};
use tokio::task::JoinSet;

use crate::{
    Orchestrator, PaymentId,
    engine::{Engine, unavailable},
    house::House,
    store::{Backlog, Claim, InboxRow},
    telemetry,
};

/// How much one step takes on.
const AT_ONCE: u32 = 64;

/// How long [`Orchestrator::run`] rests when there is nothing to do.
const BETWEEN_STEPS: Duration = Duration::from_secs(1);

/// What one step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stepped {
    /// Events of webhooks that were looked after.
    pub events: usize,
    /// Payments that were looked after.
    pub payments: usize,
    /// Of both, those that could not be: they are tried again.
    pub failed: usize,
}

impl Stepped {
    /// Was there nothing to do?
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.events == 0 && self.payments == 0
    }
}

impl Orchestrator {
    /// Does what is due: applies webhooks, clears doubts up, sends again what may be sent again,
    /// looks at open payments, takes the next step of a payment. Call it again at once while there
    /// was something to do, and every second or so otherwise. Any number of processes may.
    ///
    /// What it takes on it owns: dropping the future that this returns does not stop it.
    ///
    /// # Errors
    /// `Unavailable` when the store is. That one payment cannot be looked after is no error.
    pub async fn step(&self) -> Result<Stepped> {
        let engine = self.0.clone();
        self.0.calls.own(async move { step(&engine).await }).await
    }

    /// Steps until `stop` is ready: again at once while there is something to do, and after a
    /// second otherwise. Beside that it keeps house: it compares the books with the providers' and
    /// forgets what is old, as [`crate::Builder::housekeeping`] says. What is under way then is finished or left to another process by
    /// [`Orchestrator::shutdown`].
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut house = House::new(self.0.settings.housekeeping, self.0.now());
        loop {
            house.keep(self);
            let rest = match self.step().await {
                Ok(stepped) if !stepped.is_idle() => Duration::ZERO,
                Ok(_) => BETWEEN_STEPS,
                Err(error) => {
                    telemetry::not_done("a step", &error);
                    BETWEEN_STEPS
                }
            };
            if tokio::time::timeout(rest, &mut stop).await.is_ok() {
                return;
            }
        }
    }

    /// How much waits.
    ///
    /// # Errors
    /// `Unavailable` when the store is.
    pub async fn backlog(&self) -> Result<Backlog> {
        let backlog = self.0.store.backlog(self.0.now()).await;
        backlog.map_err(|error| unavailable(error, Effect::None))
    }

    /// Forgets callers' keys and settled events after 30 days. Call it once a day, unless
    /// [`Orchestrator::run`] does. Returns how much was forgotten.
    ///
    /// # Errors
    /// `Unavailable` when the store is.
    pub async fn forget(&self) -> Result<u64> {
        let settings = &self.0.settings;
        let now = self.0.now();
        let keys = now.before(settings.keys_kept_for);
        let events = now.before(settings.events_kept_for);
        let gone = self.0.store.forget(keys, events).await;
        gone.map_err(|error| unavailable(error, Effect::None))
    }
}

async fn step(engine: &Arc<Engine>) -> Result<Stepped> {
    let mut stepped = Stepped::default();
    let claim = Claim {
        owner: engine.settings.node.clone(),
        now: engine.now(),
        lease: engine.settings.lost_after(),
        limit: AT_ONCE,
    };
    let events = engine.store.claim_inbox(&claim).await;
    let events = events.map_err(|error| unavailable(error, Effect::None))?;
    let payments = engine.store.claim_payments(&claim).await;
    let payments = payments.map_err(|error| unavailable(error, Effect::None))?;
    (stepped.events, stepped.payments) = (events.len(), payments.len());
    // Side by side: neither waits for a provider that is slow to answer the other.
    let (events, payments) =
        join(all(engine, events, apply), all(engine, payments, look_after)).await;
    stepped.failed = events + payments;
    for (id, account) in &engine.accounts {
        telemetry::health(id, &account.health.snapshot());
    }
    // By time, and not in a quiet moment: there is none when it matters.
    if engine.shown.is_due(engine.now())
        && let Ok(backlog) = engine.store.backlog(engine.now()).await
    {
        telemetry::backlog(&backlog, engine.now());
    }
    Ok(stepped)
}

/// Does one thing with each, side by side, and says how often that failed.
async fn all<T, F>(engine: &Arc<Engine>, items: Vec<T>, work: fn(Arc<Engine>, T) -> F) -> usize
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for item in items {
        tasks.spawn(work(engine.clone(), item));
    }
    let mut failed = 0;
    while let Some(done) = tasks.join_next().await {
        match done {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                telemetry::not_done("something that was due", &error);
                failed += 1;
            }
            Err(error) => {
                tracing::error!(%error, "looking after something that was due panicked");
                failed += 1;
            }
        }
    }
    failed
}

async fn apply(engine: Arc<Engine>, row: InboxRow) -> Result<()> {
    engine.apply(row).await
}

async fn look_after(engine: Arc<Engine>, id: PaymentId) -> Result<()> {
    let record = engine.load(&id).await?;
    let version = record.version;
    let record = engine.drive(record).await?;
    if record.version == version {
        engine.keep_waiting(&id).await?;
    }
    Ok(())
}
