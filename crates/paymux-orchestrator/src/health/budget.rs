//! How often an account is sent the same again. Repetitions are for the odd lost answer; when many
//! answers are lost, they would only add to the load that is the reason.

use std::time::Duration;

use paymux_core::Timestamp;

use super::RetryBudget;

/// Kept in milliseconds of [`RetryBudget::one_every`]: so many as that has pay for one repetition.
/// Nothing is rounded away, however often it is asked.
#[derive(Debug)]
pub(super) struct Budget {
    price: u64,
    most: u64,
    /// What the first send of a call adds.
    per_call: u64,
    left: u64,
    counted: Timestamp,
}

impl Budget {
    /// A full budget.
    pub(super) fn new(settings: RetryBudget, now: Timestamp) -> Self {
        let price = u64::try_from(settings.one_every.as_millis()).unwrap_or(u64::MAX).max(1);
        let most = price.saturating_mul(settings.at_once.into());
        let per_call = price.saturating_mul(settings.percent_of_calls.into()) / 100;
        Self { price, most, per_call, left: most, counted: now }
    }

    /// Adds what time has brought.
    pub(super) fn refill(&mut self, now: Timestamp) {
        let passed = u64::try_from(now.since(self.counted).as_millis()).unwrap_or(u64::MAX);
        self.counted = now;
        self.add(passed);
    }

    /// A call was sent for the first time.
    pub(super) fn earn(&mut self) {
        self.add(self.per_call);
    }

    fn add(&mut self, amount: u64) {
        self.left = self.left.saturating_add(amount).min(self.most);
    }

    /// How long until there is enough for a repetition, by time alone; `None` when there never is.
    pub(super) fn wait(&self) -> Option<Duration> {
        let missing = self.price.saturating_sub(self.left);
        (self.most >= self.price).then(|| Duration::from_millis(missing))
    }

    /// Pays for a repetition; there was enough.
    pub(super) fn spend(&mut self) {
        self.left = self.left.saturating_sub(self.price);
    }

    /// How many repetitions are left.
    pub(super) fn repetitions(&self) -> u64 {
        self.left / self.price
    }
}
