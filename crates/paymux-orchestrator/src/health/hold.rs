//! How long a provider asks to be left alone.
//!
//! `Retry-After` can come with any refusal. Most mean the one request: another with its key is
//! under way, its object is not ready yet. Those delay that attempt, which is the ladder's. Only
//! what is said of all requests holds the account.

use std::time::Duration;

use paymux_core::{Error, ErrorKind, Timestamp};

use super::Pass;

/// How long to wait when a provider says that it is asked too much, and not for how long.
const UNSAID_WAIT: Duration = Duration::from_secs(1);

/// Until when nothing is sent.
#[derive(Debug, Default)]
pub(super) struct Hold {
    /// Calls that may move money: never shorter than looks.
    charges: Option<Timestamp>,
    looks: Option<Timestamp>,
}

impl Hold {
    /// A call failed. Whoever asks to wait is waited for, whatever else is wrong, but not for
    /// longer than `at_most`. A shorter wish that comes later does not undo a longer one.
    pub(super) fn heed(&mut self, error: &Error, pass: Pass, now: Timestamp, at_most: Duration) {
        let until = |wait: Duration| Some(now.after(wait.min(at_most)));
        if error.kind() == ErrorKind::RateLimited {
            // Asked too much, by looks too: more of either would make it worse.
            let until = until(error.retry_after().unwrap_or(UNSAID_WAIT));
            self.charges = self.charges.max(until);
            self.looks = self.looks.max(until);
        } else if is_down(error) && pass == Pass::Charge {
            // Doubts can be cleared up as soon as reading goes; and as everywhere, that reading
            // does not go says nothing about charges.
            self.charges = self.charges.max(error.retry_after().and_then(until));
        }
    }

    /// Until when calls that may move money are held, if they are.
    pub(super) fn charges(&self, now: Timestamp) -> Option<Timestamp> {
        self.charges.filter(|until| now < *until)
    }

    /// Until when looks are held, if they are.
    pub(super) fn looks(&self, now: Timestamp) -> Option<Timestamp> {
        self.looks.filter(|until| now < *until)
    }
}

/// Does the provider say that all of it is down, as far as HTTP has a word for that?
fn is_down(error: &Error) -> bool {
    error.kind() == ErrorKind::Unavailable && error.http_status() == Some(503)
}
