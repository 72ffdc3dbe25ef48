//! The ladder out of doubt, and how often an open payment is looked at.

use std::time::Duration;

use paymux_core::{Error, Random, Timestamp, retry::RetryPolicy};

/// After this long in doubt a person is asked, or once its key is too old. Looking goes on.
pub(crate) const PARK_AFTER: Duration = Duration::from_secs(24 * 3600);
/// A person who was asked about a doubt and let it be is asked again after this long.
pub(crate) const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);
/// A look-up that says "not found" counts only when it was said this often.
pub(crate) const NEGATIVES_NEEDED: usize = 3;
/// A payment that was looked at this often without a change, which takes a month, is shown to a
/// person.
pub(crate) const LOOKS_IN_A_MONTH: u32 = 34;

/// When an attempt that was given up or proved not to exist is looked at again, after that.
const WATCHES: [Duration; 3] = [HOUR, DAY, Duration::from_secs(7 * 24 * 3600)];
/// For how long such a look is made again when it fails.
const WATCHED_AT_MOST: Duration = Duration::from_secs(14 * 24 * 3600);

const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// When to try again about an attempt in doubt: at once, then after 5 s, 30 s, 2 min, 10 min, 1 h,
/// 6 h and daily, each varied by a fifth, and never sooner than the provider asks.
pub(crate) fn next_try(rung: u32, error: &Error, now: Timestamp, random: &dyn Random) -> Timestamp {
    let wait = match rung.checked_sub(1) {
        None => error.retry_after().unwrap_or_default(),
        Some(step) => RetryPolicy::patient()
            .delay(usize::try_from(step).unwrap_or(usize::MAX), error, random)
            .unwrap_or(DAY),
    };
    // A provider that asks for years is asked again tomorrow.
    now.after(wait.min(DAY))
}

/// A key is relied on for four fifths of the time the provider keeps it.
pub(crate) fn relied_on_for(ttl: Duration) -> Duration {
    ttl / 5 * 4
}

/// When to look at an open payment again, by how often it was looked at since it changed: webhooks
/// get lost. After 1 min, 10 min, 1 h, 6 h and daily.
pub(crate) fn next_look(looks: u32, now: Timestamp) -> Timestamp {
    const MINUTES: [u64; 4] = [1, 10, 60, 360];
    let step = usize::try_from(looks).unwrap_or(usize::MAX);
    now.after(MINUTES.get(step).map_or(DAY, |minutes| Duration::from_secs(minutes * 60)))
}

/// When to look next at an attempt that was closed without its provider's word, if it is not over.
pub(crate) fn next_watch(closed: Timestamp, now: Timestamp) -> Option<Timestamp> {
    WATCHES.into_iter().map(|wait| closed.after(wait)).find(|moment| *moment > now)
}

/// The same where the look failed: after an hour, after the first day daily.
pub(crate) fn watch_again(closed: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let wait = if now.since(closed) < DAY { HOUR } else { DAY };
    let again = now.after(wait);
    let next = next_watch(closed, now).map_or(again, |next| next.min(again));
    (next <= closed.after(WATCHED_AT_MOST)).then_some(next)
}
