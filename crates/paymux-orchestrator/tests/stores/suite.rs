//! The trials: every promise on every store, every planted bug against the promise it breaks.

use std::{
    any::Any,
    cell::Cell,
    fmt::Debug,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    process::ExitCode,
    sync::Arc,
};

use libtest_mimic::{Arguments, Trial};
use paymux_orchestrator::store::{Store, StoreError};

mod build;
mod claims;
mod commit;
mod entries;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a planted bug shows in one place; the rest is sound"
)]
mod flawed;
mod hostile;
mod housekeeping;
mod inbox;
mod kills;
mod outbox;
mod reading;
mod refusals;
mod settling;
mod slot;
mod storms;

#[cfg(feature = "sqlite")]
mod sqlite;

/// What a trial does, in the runtime it is given.
type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// By whose clock a store ends leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseClock {
    /// By `Claim::now`.
    Callers,
    /// By its own, whatever the caller says.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only nodes share a clock"))]
    Own,
}

/// A store that the suite runs on.
pub(crate) struct Entry {
    /// Begins the names of its trials.
    pub name: &'static str,
    /// By whose clock it ends leases.
    pub leases: LeaseClock,
    /// Why its trials cannot run here, if they cannot.
    pub ignored: Option<String>,
    /// Makes one that is fresh and empty.
    pub make: fn() -> Work<Fresh>,
}

/// A fresh, empty store, and what has to be kept until the trial is over.
pub(crate) struct Fresh {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Dropped after the store.
    pub keep: Box<dyn Any + Send>,
}

/// What a promise is tried on.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// The store.
    pub store: Arc<dyn Store>,
    /// By whose clock it ends leases.
    pub leases: LeaseClock,
}

/// Something that every store promises.
pub(crate) struct Promise {
    name: &'static str,
    check: Box<dyn Fn(Given) -> Work<()> + Send>,
}

impl Promise {
    /// The promise of this name; the check panics when it does not hold.
    pub(crate) fn new<F>(name: &'static str, check: fn(Given) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self { name, check: Box::new(move |given| Box::pin(check(given))) }
    }
}

/// Everything a store promises.
fn promises() -> Vec<Promise> {
    let mut all = commit::promises();
    all.extend(refusals::promises());
    all.extend(slot::promises());
    all.extend(reading::promises());
    all.extend(claims::promises());
    all.extend(inbox::promises());
    all.extend(settling::promises());
    all.extend(outbox::promises());
    all.extend(housekeeping::promises());
    all.extend(hostile::promises());
    all.extend(storms::promises());
    all
}

/// Runs all that the command line asks for.
pub(crate) fn run() -> ExitCode {
    #[cfg(feature = "sqlite")]
    if let Some(code) = sqlite::play_the_other_process() {
        return code;
    }
    silence_planted_bugs();
    let mut trials = Vec::new();
    for entry in entries::all() {
        for promise in promises() {
            let name = match &entry.ignored {
                None => format!("{}::{}", entry.name, promise.name),
                Some(why) => format!("{}::{} ({why})", entry.name, promise.name),
            };
            let (make, leases) = (entry.make, entry.leases);
            let trial = Trial::test(name, move || {
                runtime().block_on(async {
                    let Fresh { store, keep } = make().await;
                    (promise.check)(Given { store, leases }).await;
                    drop(keep);
                });
                Ok(())
            });
            trials.push(trial.with_ignored_flag(entry.ignored.is_some()));
        }
    }
    trials.extend(kills::trials());
    #[cfg(feature = "sqlite")]
    trials.extend(sqlite::trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Threads, since two of a store's callers are rarely on one.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

thread_local! {
    static PLANTED: Cell<bool> = const { Cell::new(false) };
}

/// A planted bug is meant to fail its trial: what that says helps nobody.
fn silence_planted_bugs() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !PLANTED.get() {
            loud(panic);
        }
    }));
}

/// Does this promise hold for a store with a planted bug? On one thread, so that every run is the
/// same.
fn holds(name: &str, store: Arc<dyn Store>) -> bool {
    let promise = promises().into_iter().find(|promise| promise.name == name);
    let promise = promise.unwrap_or_else(|| panic!("there is no promise {name}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    PLANTED.set(true);
    let given = Given { store, leases: LeaseClock::Callers };
    let held = catch_unwind(AssertUnwindSafe(|| runtime.block_on((promise.check)(given)))).is_ok();
    PLANTED.set(false);
    held
}

/// What a store answered, which must not have been an error.
#[track_caller]
pub(crate) fn good<T: Debug>(answer: Result<T, StoreError>) -> T {
    match answer {
        Ok(value) => value,
        Err(error) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            panic!("the store failed: {error} ({:?}, {source:?})", error.kind())
        }
    }
}
