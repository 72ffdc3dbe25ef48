//! How many calls an account is sent in a span of time.

use std::{collections::VecDeque, time::Duration};

use paymux_core::Timestamp;

use super::{Purpose, RateLimit};

/// What is new, and looks and repetitions, are each kept one in so many calls of the limit.
const ONE_KEPT_IN: usize = 10;

/// Remembers when the last calls left, as many as may leave in one span.
///
/// The crate `governor` was considered. Its algorithm either spaces calls evenly or lets up to
/// twice the limit through in one span, and providers count calls in a span. This is exact, and
/// costs at most 32 bytes for each call of the limit.
#[derive(Debug)]
pub(super) struct Window {
    /// Every call.
    all: Log,
    /// What was new. These may be fewer, so that whenever a charge is in doubt there is a place
    /// left to look it up.
    firsts: Log,
    /// Looks and repetitions. These may be fewer, too, so that many open payments do not keep us
    /// from charging.
    others: Log,
    /// How long a span is; without a limit nothing is counted.
    per: Option<Duration>,
}

/// When the next call may leave. What comes later is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// Now.
    Now,
    /// Not before this.
    At(Timestamp),
    /// Never: nothing is permitted at all.
    Never,
}

impl Window {
    pub(super) fn new(limit: Option<RateLimit>) -> Self {
        let calls = limit.map_or(0, RateLimit::calls);
        let some = || Log::new(calls.saturating_sub(kept(calls)));
        let per = limit.map(RateLimit::per);
        Self { all: Log::new(calls), firsts: some(), others: some(), per }
    }

    pub(super) fn turn(&self, purpose: Purpose, now: Timestamp) -> Turn {
        let Some(per) = self.per else { return Turn::Now };
        let own = match purpose {
            Purpose::First => &self.firsts,
            Purpose::Repeat | Purpose::Look => &self.others,
        };
        self.all.turn(per, now).max(own.turn(per, now))
    }

    /// A call leaves; it was its turn.
    pub(super) fn take(&mut self, purpose: Purpose, now: Timestamp) {
        if self.per.is_none() {
            return;
        }
        self.all.take(now);
        match purpose {
            Purpose::First => self.firsts.take(now),
            Purpose::Repeat | Purpose::Look => self.others.take(now),
        }
    }

    /// How many left within the last span.
    pub(super) fn used(&self, now: Timestamp) -> usize {
        self.per.map_or(0, |per| self.all.used(per, now))
    }
}

/// How many of these calls are kept for what is new, and as many for looks and repetitions. Of one,
/// none: nothing else would ever leave.
fn kept(calls: usize) -> usize {
    (calls / ONE_KEPT_IN).max(1).min(calls.saturating_sub(1))
}

/// When the last of some calls left.
#[derive(Debug)]
struct Log {
    /// So many may leave in one span, and so many are remembered.
    most: usize,
    left: VecDeque<Timestamp>,
}

impl Log {
    fn new(most: usize) -> Self {
        Self { most, left: VecDeque::new() }
    }

    fn turn(&self, per: Duration, now: Timestamp) -> Turn {
        if self.left.len() < self.most {
            return Turn::Now;
        }
        match self.left.front().map(|first| first.after(per)) {
            None => Turn::Never,
            Some(again) if again <= now => Turn::Now,
            Some(again) => Turn::At(again),
        }
    }

    fn take(&mut self, now: Timestamp) {
        if self.left.len() >= self.most {
            self.left.pop_front();
        }
        self.left.push_back(now);
    }

    fn used(&self, per: Duration, now: Timestamp) -> usize {
        self.left.iter().filter(|left| left.after(per) > now).count()
    }
}

impl RateLimit {
    fn calls(self) -> usize {
        usize::try_from(self.calls).unwrap_or(usize::MAX)
    }

    fn per(self) -> Duration {
        self.per.max(Duration::from_millis(1))
    }
}
