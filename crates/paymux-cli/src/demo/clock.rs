//! The shop's clock: the machine's, moved ahead where the demo lets time pass.

use std::time::Duration;

use paymux::{Clock, ManualClock, SystemClock, Timestamp};

/// Runs with the machine's clock, and ahead of it by what was let pass.
#[derive(Debug)]
pub(super) struct ShopClock(ManualClock);

impl Default for ShopClock {
    fn default() -> Self {
        Self(ManualClock::new(Timestamp::default()))
    }
}

impl ShopClock {
    pub(super) fn advance(&self, span: Duration) {
        self.0.advance(span);
    }
}

impl Clock for ShopClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().after(self.0.now().since(Timestamp::default()))
    }
}
