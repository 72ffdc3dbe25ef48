//! What [`Orchestrator::run`] does beside what is due: it compares the books with the providers',
//! and forgets what is old.

use std::time::Duration;

use paymux_core::Timestamp;
use tokio::task::JoinHandle;

use crate::{Orchestrator, telemetry};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What is newer is under way, and differs for a moment.
const TOO_NEW: Duration = Duration::from_secs(5 * MINUTE);

/// What [`Orchestrator::run`] does beside what is due. Where several processes run on one store,
/// one of them is enough: each keeps time for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Housekeeping {
    /// Compares the newest payments with their providers: those of the last 2 h, every 15 min,
    /// when not set.
    pub compare: Option<Comparison>,
    /// Compares the payments of a longer time: those of the last 2 days, daily, when not set.
    pub compare_longer: Option<Comparison>,
    /// How often callers' keys and settled events are forgotten that are old enough: daily when
    /// not set.
    pub forget_every: Option<Duration>,
}

/// A comparison that is made again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// How often.
    pub every: Duration,
    /// The payments of how long a time. The last 5 min are always left out.
    pub span: Duration,
}

impl Default for Housekeeping {
    fn default() -> Self {
        let comparison = |every, span| {
            let (every, span) = (Duration::from_secs(every), Duration::from_secs(span));
            Some(Comparison { every, span })
        };
        Self {
            compare: comparison(15 * MINUTE, 2 * HOUR),
            compare_longer: comparison(DAY, 2 * DAY),
            forget_every: Some(Duration::from_secs(DAY)),
        }
    }
}

impl Housekeeping {
    /// None of it: somebody else calls [`Orchestrator::reconcile`] and [`Orchestrator::forget`].
    #[must_use]
    pub const fn none() -> Self {
        Self { compare: None, compare_longer: None, forget_every: None }
    }
}

/// One piece of the housekeeping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chore {
    Compare(Duration),
    Forget,
}

/// When a piece of the housekeeping is due.
struct Due {
    chore: Chore,
    every: Duration,
    /// Processes start anew more often than they run for a day: what is rare goes by the calendar.
    by_calendar: bool,
    next: Timestamp,
}

impl Due {
    fn new(chore: Chore, every: Duration, by_calendar: bool, now: Timestamp) -> Self {
        let mut due = Self { chore, every, by_calendar, next: now };
        due.move_on(now);
        due
    }

    fn move_on(&mut self, now: Timestamp) {
        self.next =
            if self.by_calendar { boundary(now, self.every) } else { now.after(self.every) };
    }
}

/// Keeps time for the housekeeping of one run.
pub(crate) struct House {
    all: Vec<Due>,
    /// What is being done. It goes on beside the steps, one piece at a time.
    busy: Option<JoinHandle<()>>,
}

impl House {
    pub(crate) fn new(settings: Housekeeping, now: Timestamp) -> Self {
        let compare = |one: Comparison, by_calendar| {
            Due::new(Chore::Compare(one.span), one.every, by_calendar, now)
        };
        let newest = settings.compare.map(|one| compare(one, false));
        let longer = settings.compare_longer.map(|one| compare(one, true));
        let forget = settings.forget_every.map(|every| Due::new(Chore::Forget, every, true, now));
        Self { all: [newest, longer, forget].into_iter().flatten().collect(), busy: None }
    }

    /// Begins what is due, unless something is still being done.
    pub(crate) fn keep(&mut self, orchestrator: &Orchestrator) {
        if self.busy.as_ref().is_some_and(|busy| !busy.is_finished()) {
            return;
        }
        let now = orchestrator.0.now();
        let Some(chore) = self.begin(now) else { return };
        let orchestrator = orchestrator.clone();
        self.busy = Some(tokio::spawn(async move { orchestrator.do_chore(chore, now).await }));
    }

    /// What has been due for longest, which begins now: one that takes longer than it rests is due
    /// whenever it ends, and leaves the others their turn all the same.
    fn begin(&mut self, now: Timestamp) -> Option<Chore> {
        let due = self.all.iter_mut().filter(|due| due.next <= now).min_by_key(|due| due.next)?;
        due.move_on(now);
        Some(due.chore)
    }
}

/// The next moment that is a whole number of these spans.
fn boundary(now: Timestamp, every: Duration) -> Timestamp {
    let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX).max(1);
    let past = now.as_millis().rem_euclid(every);
    let left = u64::try_from(every.saturating_sub(past)).unwrap_or(0);
    now.after(Duration::from_millis(left))
}

impl Orchestrator {
    async fn do_chore(&self, chore: Chore, now: Timestamp) {
        let failed = match chore {
            Chore::Compare(span) => {
                let found = self.reconcile(now.before(span), now.before(TOO_NEW)).await;
                found.map(|found| telemetry::compared(&found)).err()
            }
            Chore::Forget => self.forget().await.err(),
        };
        if let Some(error) = failed {
            telemetry::not_done("the housekeeping", &error);
        }
    }
}

#[cfg(test)]
mod tests;
