//! When a call may be repeated, and after how long. Pure: whoever drives payments does the
//! waiting; an adapter never repeats anything.

use std::time::Duration;

use crate::{Effect, Error, Random, Replay};

/// May the identical request, with the same key, be sent again without risk of acting twice?
///
/// `key_age` is how long ago the key was first sent; a key is relied on for four fifths of the
/// time the provider remembers it. That counts after [`Effect::None`], too: it is said of the last
/// send alone, and an earlier one with the same key may have acted. For the classes without a key
/// the caller has to keep this in mind: once a send ended with [`Effect::Possible`], a later
/// [`Effect::None`] does not undo it.
///
/// `false` after [`Effect::Possible`] does not mean that it failed: look the payment up.
#[must_use]
pub fn may_repeat(error: &Error, replay: Replay, key_age: Duration) -> bool {
    if !error.is_retryable() {
        return false;
    }
    match (error.effect(), replay) {
        (_, Replay::Key { ttl, .. }) => key_age < ttl / 5 * 4,
        (_, Replay::Reference | Replay::Harmless) => true,
        (effect, Replay::LookupFirst | Replay::Never) => effect == Effect::None,
    }
}

/// How long to wait between repetitions: a ladder of delays, each varied at random so that many
/// clients do not return at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The wait before each repetition; there are no more repetitions than waits.
    pub delays: Vec<Duration>,
    /// By how much a wait may be longer or shorter, in percent, up to 100.
    pub jitter_percent: u8,
}

impl RetryPolicy {
    /// Three repetitions within some ten seconds: for a caller who is waiting.
    #[must_use]
    pub fn short() -> Self {
        let delays = [500, 2_000, 8_000].map(Duration::from_millis).to_vec();
        Self { delays, jitter_percent: 20 }
    }

    /// From seconds to days: for an outcome that must become known.
    #[must_use]
    pub fn patient() -> Self {
        let delays = [5, 30, 120, 600, 3_600, 21_600, 86_400].map(Duration::from_secs).to_vec();
        Self { delays, jitter_percent: 20 }
    }

    /// The wait before repetition number `repetition`, counted from 0; `None` when there have
    /// been enough. A wait that the provider asked for is kept to when it is longer.
    #[must_use]
    pub fn delay(&self, repetition: usize, error: &Error, random: &dyn Random) -> Option<Duration> {
        let delay = *self.delays.get(repetition)?;
        let mut byte = [0; 4];
        random.fill(&mut byte);
        // From minus to plus `jitter_percent`, in steps of a thousandth of a percent.
        let span = u64::from(self.jitter_percent.min(100)) * 1_000;
        let roll = u64::from(u32::from_le_bytes(byte)) % (2 * span + 1);
        let varied = delay.as_micros() * u128::from(100_000 - span + roll) / 100_000;
        let varied = Duration::from_micros(u64::try_from(varied).unwrap_or(u64::MAX));
        Some(varied.max(error.retry_after().unwrap_or_default()))
    }
}
