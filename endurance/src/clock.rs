//! A clock that runs faster than the machine's, so that the waits of the orchestrator fit a test.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use paymux::{Clock, SystemClock, Timestamp};
use serde::{Deserialize, Serialize};

/// From when on time runs how fast: the same in all processes of a run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Pace {
    /// The machine's time at which it began to run so fast.
    pub began: Timestamp,
    /// The time that it showed then.
    pub from: Timestamp,
    /// So many times as fast.
    pub times: u32,
}

impl Pace {
    /// From now on so many times as fast.
    #[must_use]
    pub fn from_now(times: u32) -> Self {
        let now = SystemClock.now();
        Self { began: now, from: now, times }
    }

    /// What it shows now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let passed = SystemClock.now().since(self.began);
        self.from.after(passed.saturating_mul(self.times))
    }
}

/// Shows the time of a pace, and can leap.
#[derive(Debug)]
pub struct FastClock {
    pace: Pace,
    /// In milliseconds.
    leapt: AtomicU64,
}

impl FastClock {
    /// Of this pace.
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self { pace, leapt: AtomicU64::new(0) }
    }

    /// Moves it forward at once.
    pub fn leap(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.leapt.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        self.pace.now().after(Duration::from_millis(self.leapt.load(Ordering::SeqCst)))
    }
}
