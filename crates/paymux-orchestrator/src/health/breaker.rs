//! Stops sending to an account that is not well, and finds out when it is again.
//!
//! Closed, it counts. When enough of the last outcomes were bad, it opens: nothing is sent. After
//! a while it is half open: one call is let through, and its outcome closes the breaker or opens
//! it again, for twice as long each time.
//!
//! Only calls that may move money count. There are several looks for each charge in doubt, and a
//! provider can read well and charge badly, so looks would speak for the charges.
//!
//! The crate `failsafe` was considered; it reads the machine's clock itself, and decides by the
//! outcome of a closure, where here a call can also end without one.

use std::collections::VecDeque;

use paymux_core::Timestamp;

use super::{BreakerSettings, Sign};

/// More outcomes than this say nothing more, unless more failures are asked for.
const REMEMBERED: usize = 100;

#[derive(Debug)]
pub(super) struct Breaker {
    settings: BreakerSettings,
    state: State,
    since: Timestamp,
    /// Counts the changes of state, so that the outcome of a call that left in another state
    /// changes nothing.
    era: u64,
    /// How often it opened.
    opened: u64,
}

#[derive(Debug)]
enum State {
    Closed {
        /// The last outcomes: when, and if they were bad.
        outcomes: VecDeque<(Timestamp, bool)>,
    },
    Open {
        until: Timestamp,
        /// How often it opened in a row.
        tries: u32,
        /// A call is on its way to find out.
        probing: bool,
    },
}

/// Whether a call may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// It may.
    Open,
    /// It may, as the one that finds out.
    Probe,
    /// It may not before this; without a time, not before another call has ended.
    Shut(Option<Timestamp>),
}

/// How the breaker stands, as others are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Everything is sent.
    Closed,
    /// Nothing is sent, but looks one at a time.
    Open,
    /// One call is sent to find out.
    HalfOpen,
}

impl BreakerState {
    /// The word in metrics: `half_open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

impl Breaker {
    pub(super) fn new(settings: BreakerSettings, now: Timestamp) -> Self {
        let state = State::Closed { outcomes: VecDeque::new() };
        Self { settings, state, since: now, era: 0, opened: 0 }
    }

    pub(super) fn era(&self) -> u64 {
        self.era
    }

    pub(super) fn opened(&self) -> u64 {
        self.opened
    }

    /// Whether a call that may move money may leave.
    pub(super) fn gate(&self, now: Timestamp) -> Gate {
        match self.state {
            State::Closed { .. } => Gate::Open,
            State::Open { until, .. } if now < until => Gate::Shut(Some(until)),
            State::Open { probing: true, .. } => Gate::Shut(None),
            State::Open { probing: false, .. } => Gate::Probe,
        }
    }

    /// A call that may move money leaves; unless it is closed, as the one that finds out.
    pub(super) fn leave(&mut self) {
        if let State::Open { probing, .. } = &mut self.state {
            *probing = true;
        }
    }

    /// A call that may move money ended. `era` says when it left.
    pub(super) fn record(&mut self, sign: Sign, era: u64, now: Timestamp) {
        if era != self.era {
            return;
        }
        match (&mut self.state, sign) {
            (State::Closed { .. }, Sign::Fatal) => self.open(0, now),
            (State::Closed { .. }, Sign::Neutral) => {}
            (State::Closed { outcomes }, Sign::Healthy | Sign::Sick) => {
                let failures = usize::try_from(self.settings.failures).unwrap_or(usize::MAX);
                let most = REMEMBERED.max(failures.saturating_mul(2));
                let is_old = |(at, _): &(Timestamp, bool)| at.after(self.settings.window) <= now;
                while outcomes.len() >= most || outcomes.front().is_some_and(is_old) {
                    outcomes.pop_front();
                }
                outcomes.push_back((now, sign == Sign::Sick));
                let (sick, all) = recent(outcomes, self.settings, now);
                if sick >= self.settings.failures.max(1) && sick.saturating_mul(2) >= all {
                    self.open(0, now);
                }
            }
            // What left in this state was the one that finds out.
            (State::Open { .. }, Sign::Healthy) => {
                self.become_(State::Closed { outcomes: VecDeque::new() }, now);
            }
            (State::Open { probing, .. }, Sign::Neutral) => *probing = false,
            (State::Open { tries, .. }, Sign::Sick | Sign::Fatal) => {
                let tries = tries.saturating_add(1);
                self.open(tries, now);
            }
        }
    }

    fn open(&mut self, tries: u32, now: Timestamp) {
        let BreakerSettings { open_for, open_at_most, .. } = self.settings;
        let span = open_for.saturating_mul(2_u32.saturating_pow(tries)).min(open_at_most);
        self.opened += 1;
        self.become_(State::Open { until: now.after(span), tries, probing: false }, now);
    }

    fn become_(&mut self, state: State, now: Timestamp) {
        self.state = state;
        self.since = now;
        self.era += 1;
    }

    /// How it stands, and since when.
    pub(super) fn state(&self, now: Timestamp) -> (BreakerState, Timestamp) {
        match self.state {
            State::Closed { .. } => (BreakerState::Closed, self.since),
            State::Open { until, .. } if now < until => (BreakerState::Open, self.since),
            State::Open { until, .. } => (BreakerState::HalfOpen, until),
        }
    }

    /// How many of the last outcomes were bad; none while it is not closed.
    pub(super) fn failures(&self, now: Timestamp) -> u32 {
        match &self.state {
            State::Closed { outcomes } => recent(outcomes, self.settings, now).0,
            State::Open { .. } => 0,
        }
    }
}

/// How many of the outcomes that are not too old were bad, and how many there are.
fn recent(
    outcomes: &VecDeque<(Timestamp, bool)>,
    settings: BreakerSettings,
    now: Timestamp,
) -> (u32, u32) {
    let young = outcomes.iter().filter(|(at, _)| at.after(settings.window) > now);
    young.fold((0, 0), |(sick, all), (_, bad)| (sick + u32::from(*bad), all + 1))
}
