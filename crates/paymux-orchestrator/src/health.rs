//! How well an account is, and how much it is asked: a breaker, a limit on the pace, and a budget
//! for repetitions. One [`Health`] for each account and process.
//!
//! What is refused here was not sent. What is new goes to the next account, and fails where there
//! is none; anything else waits. Nothing here sleeps or runs by itself; time comes in through the
//! clock.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use paymux_core::{Clock, Effect, Error, ErrorKind, ProviderId, Timestamp};

mod breaker;
mod budget;
mod hold;
mod limit;
mod sign;
mod steady;

pub use breaker::BreakerState;
pub use sign::{Sign, counts};

use breaker::{Breaker, Gate};
use budget::Budget;
use hold::Hold;
use limit::{Turn, Window};
use steady::Steady;

/// When an account counts as unwell, and how much it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthSettings {
    /// When nothing is sent for a while.
    pub breaker: BreakerSettings,
    /// How many calls are sent in a span of time; without one, as many as there are.
    pub rate: Option<RateLimit>,
    /// How many repetitions are sent.
    pub retries: RetryBudget,
}

/// When nothing is sent to an account for a while.
///
/// The breaker opens when, of the outcomes within `window`, at least `failures` were bad and these
/// are at least half. Looks are not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// So many bad outcomes open it: 5 when not set. 0 counts as 1.
    pub failures: u32,
    /// Older outcomes do not count: 30 s when not set.
    pub window: Duration,
    /// For how long it opens: 10 s when not set. Twice as long whenever the call that is let
    /// through afterwards fails.
    pub open_for: Duration,
    /// For how long it opens at most: 5 min when not set. Also the longest wait that a provider
    /// may ask of all calls; what it asks of one delays that one alone.
    pub open_at_most: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            failures: 5,
            window: Duration::from_secs(30),
            open_for: Duration::from_secs(10),
            open_at_most: Duration::from_secs(300),
        }
    }
}

/// How many calls are sent in a span of time: never more in any span of this length. It is kept by
/// each process for itself, so several share what the provider permits.
///
/// A tenth of the calls, and at least one, is kept for looks and repetitions: what is new never
/// gets it, so that charges do not keep us from finding out what became of them. As much is kept
/// for what is new, so that a great many open payments do not keep us from charging. A limit of one
/// call has nothing to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// So many calls, whatever they are for. With 0 none is ever sent.
    pub calls: u32,
    /// In any span of this length.
    pub per: Duration,
}

/// How many repetitions are sent: some by the time that passes, some by the calls that are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryBudget {
    /// So many at once, after a quiet time: 10 when not set.
    pub at_once: u32,
    /// One more whenever so much time has passed: 10 s when not set.
    pub one_every: Duration,
    /// And so many for a hundred calls: 20 when not set.
    pub percent_of_calls: u32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { at_once: 10, one_every: Duration::from_secs(10), percent_of_calls: 20 }
    }
}

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Something new.
    First,
    /// The same again. Spends the budget for repetitions.
    Repeat,
    /// Only to see. While the breaker is open, looks still pass, one at a time: they move no money
    /// and clear up doubts, and a doubt must not wait for the next payment. However they end, they
    /// leave the breaker as it is, since a provider can read well and charge badly.
    Look,
}

/// Why a call may not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusedFor {
    /// The account is not well.
    BreakerOpen,
    /// Its limit is reached, or its provider asked to wait.
    RateLimited,
    /// There were too many repetitions.
    Budget,
}

/// A call was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// Why.
    pub why: RefusedFor,
    /// When it may be, as far as that is known.
    pub until: Option<Timestamp>,
}

impl Refusal {
    /// The refusal as an error of this account, without effect: nothing was sent by this call.
    #[must_use]
    pub fn to_error(self, account: &ProviderId, now: Timestamp) -> Error {
        let kind = match self.why {
            RefusedFor::BreakerOpen => ErrorKind::Unavailable,
            RefusedFor::RateLimited | RefusedFor::Budget => ErrorKind::RateLimited,
        };
        Error::new(kind, Effect::None, self.sentence())
            .with_retryable(true)
            .with_retry_after(self.until.map(|until| until.since(now)))
            .with_offered(false)
            .with_provider(account)
            .with_source(self)
    }

    fn sentence(self) -> &'static str {
        match self.why {
            RefusedFor::BreakerOpen => "not sent, since the account is not well",
            RefusedFor::RateLimited => "not sent, since the account is asked enough already",
            RefusedFor::Budget => "not sent again, since too much was repeated lately",
        }
    }
}

impl std::error::Error for Refusal {}

/// Was it we who kept a call back? Then nobody was asked, and nothing is known that was not before.
pub(crate) fn kept_back(error: &Error) -> bool {
    matches!(std::error::Error::source(error), Some(source) if source.is::<Refusal>())
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())?;
        self.until.map_or(Ok(()), |until| write!(f, " (until {until})"))
    }
}

/// How an account stands, for metrics and for a person on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthSnapshot {
    /// The breaker.
    pub breaker: BreakerState,
    /// Since when it stands so.
    pub since: Timestamp,
    /// How often it has opened.
    pub opened: u64,
    /// Bad outcomes that count at this moment, while it is closed.
    pub failures: u32,
    /// Calls within the last span of the rate limit.
    pub calls: usize,
    /// Until when the provider asked to wait with calls that may move money: it is asked too much,
    /// or down.
    pub held_until: Option<Timestamp>,
    /// Until when it asked to wait with looks too: it is asked too much.
    pub looks_held_until: Option<Timestamp>,
    /// Repetitions that could be sent at this moment.
    pub repetitions: u64,
}

/// How well one account is, and how much it is asked.
#[derive(Debug)]
pub struct Health {
    clock: Arc<dyn Clock>,
    longest_hold: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    steady: Steady,
    breaker: Breaker,
    window: Window,
    budget: Budget,
    /// A look passes a breaker that is not closed.
    looking: bool,
    hold: Hold,
}

impl Health {
    /// Of an account of which nothing is known yet: well.
    #[must_use]
    pub fn new(settings: HealthSettings, clock: Arc<dyn Clock>) -> Self {
        let mut steady = Steady::new(clock.now());
        let now = steady.at(clock.now());
        let state = State {
            steady,
            breaker: Breaker::new(settings.breaker, now),
            window: Window::new(settings.rate),
            budget: Budget::new(settings.retries, now),
            looking: false,
            hold: Hold::default(),
        };
        let longest_hold = settings.breaker.open_at_most;
        Self { clock, longest_hold, state: Mutex::new(state) }
    }

    /// May a call leave for the account? What is refused spends nothing. A permit that is dropped
    /// without an outcome leaves the breaker as it was.
    ///
    /// # Errors
    /// The reason why not, and until when. The call must not be sent then.
    pub fn admit(&self, purpose: Purpose) -> Result<Permit<'_>, Refusal> {
        let (mut state, now) = self.at_present();
        let pass = state.gate(purpose, now)?;
        state.pace(purpose, now)?;
        match purpose {
            Purpose::First => state.budget.earn(),
            Purpose::Repeat => state.spend(now)?,
            Purpose::Look => {}
        }
        state.window.take(purpose, now);
        match pass {
            Pass::Charge => state.breaker.leave(),
            Pass::Look => {}
            Pass::Peek => state.looking = true,
        }
        let era = state.breaker.era();
        Ok(Permit { health: self, pass, era, ended: false })
    }

    /// How the account stands.
    #[must_use]
    pub fn snapshot(&self) -> HealthSnapshot {
        let (state, now) = self.at_present();
        let (breaker, since) = state.breaker.state(now);
        HealthSnapshot {
            breaker,
            since: state.steady.on_the_clock(since),
            opened: state.breaker.opened(),
            failures: state.breaker.failures(now),
            calls: state.window.used(now),
            held_until: state.hold.charges(now).map(|until| state.steady.on_the_clock(until)),
            looks_held_until: state.hold.looks(now).map(|until| state.steady.on_the_clock(until)),
            repetitions: state.budget.repetitions(),
        }
    }

    /// The state, brought to the present moment.
    fn at_present(&self) -> (MutexGuard<'_, State>, Timestamp) {
        // What is kept is whole after every line, so a panic elsewhere did not break it.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = state.steady.at(self.clock.now());
        state.budget.refill(now);
        (state, now)
    }

    /// A call ended, or nobody knows how it did.
    fn end(&self, pass: Pass, era: u64, outcome: Option<Result<(), &Error>>) {
        let (mut state, now) = self.at_present();
        let sign = match outcome {
            Some(Ok(())) => Sign::Healthy,
            Some(Err(error)) => counts(error),
            None => Sign::Neutral,
        };
        match pass {
            Pass::Charge => state.breaker.record(sign, era, now),
            Pass::Look => {}
            Pass::Peek => state.looking = false,
        }
        if let Some(Err(error)) = outcome {
            state.hold.heed(error, pass, now, self.longest_hold);
        }
    }
}

impl State {
    fn refusal(&self, why: RefusedFor, until: Option<Timestamp>) -> Refusal {
        Refusal { why, until: until.map(|until| self.steady.on_the_clock(until)) }
    }

    fn gate(&self, purpose: Purpose, now: Timestamp) -> Result<Pass, Refusal> {
        match (self.breaker.gate(now), purpose) {
            (Gate::Open, Purpose::Look) => Ok(Pass::Look),
            (Gate::Open | Gate::Probe, Purpose::First | Purpose::Repeat) => Ok(Pass::Charge),
            (Gate::Shut(until), Purpose::First | Purpose::Repeat) => {
                Err(self.refusal(RefusedFor::BreakerOpen, until))
            }
            (Gate::Probe | Gate::Shut(_), Purpose::Look) if self.looking => {
                Err(self.refusal(RefusedFor::BreakerOpen, None))
            }
            (Gate::Probe | Gate::Shut(_), Purpose::Look) => Ok(Pass::Peek),
        }
    }

    fn pace(&self, purpose: Purpose, now: Timestamp) -> Result<(), Refusal> {
        let held = match purpose {
            Purpose::First | Purpose::Repeat => self.hold.charges(now),
            Purpose::Look => self.hold.looks(now),
        };
        if let Some(until) = held {
            return Err(self.refusal(RefusedFor::RateLimited, Some(until)));
        }
        match self.window.turn(purpose, now) {
            Turn::Now => Ok(()),
            Turn::At(until) => Err(self.refusal(RefusedFor::RateLimited, Some(until))),
            Turn::Never => Err(self.refusal(RefusedFor::RateLimited, None)),
        }
    }

    fn spend(&mut self, now: Timestamp) -> Result<(), Refusal> {
        match self.budget.wait() {
            Some(Duration::ZERO) => {
                self.budget.spend();
                Ok(())
            }
            wait => Err(self.refusal(RefusedFor::Budget, wait.map(|wait| now.after(wait)))),
        }
    }
}

/// How a call passed the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// As a call that may move money. Its outcome is the breaker's.
    Charge,
    /// As a look while it was closed.
    Look,
    /// As the one look while it was not.
    Peek,
}

/// The right to send one call.
#[derive(Debug)]
#[must_use = "a permit that is dropped says nothing about the account"]
pub struct Permit<'a> {
    health: &'a Health,
    pass: Pass,
    era: u64,
    ended: bool,
}

impl Permit<'_> {
    /// Says how the call ended.
    pub fn record(mut self, outcome: Result<(), &Error>) {
        self.ended = true;
        self.health.end(self.pass, self.era, Some(outcome));
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.health.end(self.pass, self.era, None);
        }
    }
}
