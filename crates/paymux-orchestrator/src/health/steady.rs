//! Time that never goes back. A machine's clock can be set back by minutes; what is counted over
//! spans of time would stand still until it has caught up.
//!
//! A clock that leaps forward is followed: nothing tells such a leap from a machine that slept. What
//! is counted over a span then ends at once, so that up to twice a limit can leave, and a breaker
//! tries a call early.

use std::time::Duration;

use paymux_core::Timestamp;

/// Follows a clock, and stands still for the moment in which that is set back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Steady {
    last: Timestamp,
    /// By how much this is ahead of the clock.
    lead: Duration,
}

impl Steady {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { last: now, lead: Duration::ZERO }
    }

    /// The steady time at this moment of the clock.
    pub(super) fn at(&mut self, now: Timestamp) -> Timestamp {
        self.lead = self.lead.saturating_add(self.last.since(now));
        self.last = now;
        now.after(self.lead)
    }

    /// What the clock will show at a steady time.
    pub(super) fn on_the_clock(&self, steady: Timestamp) -> Timestamp {
        let lead = i64::try_from(self.lead.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(steady.as_millis().saturating_sub(lead))
    }
}
