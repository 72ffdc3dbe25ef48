//! When a refused webhook is sent again.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};

use crate::clock;

/// ToffeePay publishes no number of attempts; this many outlast a restart of the receiver.
const DOUBLING_ATTEMPTS: usize = 40;
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// MilkyPay's account settings as its documentation shows them: up to 100 attempts, the n-th
/// retry n minutes after the attempt before it.
const LINEAR_ATTEMPTS: usize = 100;
const LINEAR_SECONDS: i64 = 60;

/// How long a provider waits between the attempts of one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// Twice as long each time, in real time; any move of virtual time ends a wait.
    Doubling,
    /// One minute more each time. The minutes are virtual; in real time one of them lasts as
    /// long as the first wait is configured to be.
    Linear,
}

impl Schedule {
    pub(super) fn max_attempts(self) -> usize {
        match self {
            Schedule::Doubling => DOUBLING_ATTEMPTS,
            Schedule::Linear => LINEAR_ATTEMPTS,
        }
    }

    /// The wait after a failed attempt in real time. `first` is the wait after the first one.
    pub(super) fn real_wait(self, attempts_before: usize, first: Duration) -> Duration {
        let attempts_before = u32::try_from(attempts_before).unwrap_or(u32::MAX);
        match self {
            Schedule::Doubling => {
                first.saturating_mul(1 << attempts_before.min(16)).min(first.max(LONGEST_WAIT))
            }
            Schedule::Linear => first.saturating_mul(attempts_before.saturating_add(1)),
        }
    }

    /// The virtual time at which the next attempt is due, given the one that failed at `at`.
    pub(super) fn due(self, attempts_before: usize, at: Timestamp) -> Timestamp {
        match self {
            Schedule::Doubling => at,
            Schedule::Linear => {
                let retry = i64::try_from(attempts_before).unwrap_or(i64::MAX).saturating_add(1);
                clock::add(at, SignedDuration::from_secs(retry.saturating_mul(LINEAR_SECONDS)))
            }
        }
    }

    /// What an attempt tells about the schedule: MilkyPay's sender counts its attempts from 1.
    pub(super) fn headers(
        self,
        attempts_before: usize,
        at: Timestamp,
    ) -> Vec<(HeaderName, HeaderValue)> {
        match self {
            Schedule::Doubling => Vec::new(),
            Schedule::Linear => vec![
                (HeaderName::from_static("retry-count"), HeaderValue::from(attempts_before + 1)),
                (
                    HeaderName::from_static("next-retry"),
                    HeaderValue::from(self.due(attempts_before, at).as_second()),
                ),
                (http::header::USER_AGENT, HeaderValue::from_static("Webhook-Client")),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit() {
        let first = Duration::from_millis(50);
        let wait = |before| Schedule::Doubling.real_wait(before, first);
        assert_eq!(wait(0), Duration::from_millis(50));
        assert_eq!(wait(1), Duration::from_millis(100));
        assert_eq!(wait(5), Duration::from_millis(1600));
        assert_eq!(wait(1_000_000), LONGEST_WAIT);
    }

    #[test]
    fn linear_waits_grow_by_a_minute() {
        let at: Timestamp = "2023-06-01T12:00:00Z".parse().unwrap();
        let due = |before| Schedule::Linear.due(before, at).to_string();
        assert_eq!(due(0), "2023-06-01T12:01:00Z");
        assert_eq!(due(9), "2023-06-01T12:10:00Z");
        let first = Duration::from_millis(50);
        assert_eq!(Schedule::Linear.real_wait(9, first), Duration::from_millis(500));
        // 99 retries after the first attempt take three and a half days.
        let minutes: i64 = (0..99).map(|before| before + 1).sum();
        assert_eq!(minutes / (24 * 60), 3);
    }
}
