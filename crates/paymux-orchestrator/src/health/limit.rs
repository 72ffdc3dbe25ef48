//! How many calls an account is sent in a span of time.

use std::{collections::VecDeque, time::Duration};

use paymux_core::Timestamp;

use super::RateLimit;

/// Remembers when the last calls left, as many as may leave in one span.
///
/// The crate `governor` was considered. Its algorithm either spaces calls evenly or lets up to
/// twice the limit through in one span, and providers count calls in a span. This is exact, and
/// costs eight bytes for each call of the limit.
#[derive(Debug)]
pub(super) struct Window {
    limit: Option<RateLimit>,
    left: VecDeque<Timestamp>,
}

/// When the next call may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        Self { limit, left: VecDeque::new() }
    }

    pub(super) fn turn(&self, now: Timestamp) -> Turn {
        let Some(limit) = self.limit else { return Turn::Now };
        if self.left.len() < limit.calls() {
            return Turn::Now;
        }
        match self.left.front() {
            None => Turn::Never,
            Some(first) if first.after(limit.per()) <= now => Turn::Now,
            Some(first) => Turn::At(first.after(limit.per())),
        }
    }

    /// A call leaves; it was its turn.
    pub(super) fn take(&mut self, now: Timestamp) {
        let Some(limit) = self.limit else { return };
        if self.left.len() >= limit.calls() {
            self.left.pop_front();
        }
        self.left.push_back(now);
    }

    /// How many left within the last span.
    pub(super) fn used(&self, now: Timestamp) -> usize {
        let Some(limit) = self.limit else { return 0 };
        self.left.iter().filter(|left| left.after(limit.per()) > now).count()
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
