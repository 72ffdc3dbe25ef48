//! Virtual time: the machine's time plus an offset that only grows.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

use crate::lock;

/// Where virtual time begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartTime {
    /// Virtual time is the machine's time until it is advanced.
    #[default]
    Now,
    /// Virtual time begins here and then runs with the machine's clock.
    At(Timestamp),
    /// Virtual time stands here and moves only when it is advanced: for tests that compare
    /// timestamps.
    Frozen(Timestamp),
}

#[derive(Debug)]
enum Base {
    Running { shift: SignedDuration },
    Frozen(Timestamp),
}

/// The one place that reads the machine's clock.
#[derive(Debug)]
pub(crate) struct Clock {
    base: Base,
    advanced: Mutex<Duration>,
    sign_in_virtual_time: bool,
}

impl Clock {
    pub(crate) fn new(start: StartTime, sign_in_virtual_time: bool) -> Self {
        let base = match start {
            StartTime::Now => Base::Running { shift: SignedDuration::ZERO },
            StartTime::At(at) => Base::Running { shift: at.duration_since(real_now()) },
            StartTime::Frozen(at) => Base::Frozen(at),
        };
        Clock { base, advanced: Mutex::new(Duration::ZERO), sign_in_virtual_time }
    }

    /// Virtual time, in whole seconds: the providers' samples show no fractions.
    pub(crate) fn now(&self) -> Timestamp {
        let base = match self.base {
            Base::Running { shift } => add(real_now(), shift),
            Base::Frozen(at) => at,
        };
        let advanced = SignedDuration::try_from(*lock(&self.advanced));
        let now = add(base, advanced.unwrap_or(SignedDuration::MAX));
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }

    /// The time a signature carries: the machine's, because receivers compare it with their
    /// own, unless configured otherwise.
    pub(crate) fn signing_time(&self) -> Timestamp {
        if self.sign_in_virtual_time { self.now() } else { real_now() }
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut advanced = lock(&self.advanced);
        *advanced = advanced.saturating_add(by);
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door through which time comes in")]
fn real_now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Adds and stays at the end of time rather than failing.
pub(crate) fn add(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frozen_time_moves_only_when_advanced() {
        let start: Timestamp = "2023-06-01T12:00:00Z".parse().unwrap();
        let clock = Clock::new(StartTime::Frozen(start), true);
        assert_eq!(clock.now(), start);
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now().to_string(), "2023-06-01T12:01:30Z");
        clock.advance(Duration::MAX);
        assert_eq!(clock.signing_time(), clock.now());
        assert!(clock.now() >= "9999-01-01T00:00:00Z".parse().unwrap());
    }

    #[test]
    fn running_time_begins_where_it_is_told_and_has_whole_seconds() {
        let clock = Clock::new(StartTime::At("2023-06-01T12:00:00Z".parse().unwrap()), false);
        clock.advance(Duration::from_secs(3600));
        assert!(clock.now().to_string().starts_with("2023-06-01T1"));
        assert_eq!(clock.now().subsec_nanosecond(), 0);
        // Signatures stay in the machine's time.
        assert!(clock.signing_time() > clock.now());
    }
}
