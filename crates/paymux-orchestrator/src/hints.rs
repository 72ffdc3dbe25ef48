//! How much is heeded of what anybody could have sent, and how often somebody who reads makes us
//! ask. Kept in memory, by each process for itself, as limits and breakers are.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use paymux_core::{ProviderId, Timestamp};

use crate::PaymentId;

/// What anybody could have sent makes us look at one payment at most this often.
const LOOKS_APART: Duration = Duration::from_secs(30);
/// So many unsigned events about nothing of ours are kept of one account in a span of time.
const STRANGERS: u32 = 600;
const STRANGERS_PER: Duration = Duration::from_secs(600);
/// How many payments are remembered before those are forgotten that do not matter any more.
const MANY: usize = 1_000;

#[derive(Debug, Default)]
pub(crate) struct Hints(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    strangers: BTreeMap<ProviderId, (Timestamp, u32)>,
    looks: BTreeMap<PaymentId, Look>,
    reads: BTreeMap<PaymentId, Timestamp>,
}

/// The last look at a payment that a hint led to.
#[derive(Debug)]
struct Look {
    at: Timestamp,
    about: String,
    was_answered: bool,
}

/// What a hint leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heed {
    /// A look, now.
    Look,
    /// Nothing: a look that came after it saw what it is about.
    Seen,
    /// A look at this moment.
    Later(Timestamp),
}

impl State {
    /// Since when they are counted, and how many were kept since.
    fn strangers(&mut self, account: &ProviderId, now: Timestamp) -> &mut (Timestamp, u32) {
        let counted = self.strangers.entry(account.clone()).or_insert((now, 0));
        if counted.0 > now || now.since(counted.0) >= STRANGERS_PER {
            *counted = (now, 0);
        }
        counted
    }
}

impl Hints {
    fn state(&self) -> MutexGuard<'_, State> {
        // What is kept is whole after every line, so a panic elsewhere did not break it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// May one more unsigned event about nothing of ours be kept?
    pub(crate) fn keeps_strangers(&self, account: &ProviderId, now: Timestamp) -> bool {
        self.state().strangers(account, now).1 < STRANGERS
    }

    /// One was kept that was not known before.
    pub(crate) fn kept_stranger(&self, account: &ProviderId, now: Timestamp) {
        let mut state = self.state();
        let (_, kept) = state.strangers(account, now);
        *kept = kept.saturating_add(1);
    }

    /// May a hint about something of this payment, received at that time, make us look now?
    pub(crate) fn heed(
        &self,
        payment: &PaymentId,
        about: &str,
        received_at: Timestamp,
        now: Timestamp,
    ) -> Heed {
        let mut state = self.state();
        if let Some(last) = state.looks.get(payment).filter(|last| last.at <= now) {
            if last.was_answered && last.about == about && last.at > received_at {
                return Heed::Seen;
            }
            let soon = last.at.after(LOOKS_APART);
            if soon > now {
                return Heed::Later(soon);
            }
        }
        if state.looks.len() >= MANY {
            state.looks.retain(|_, look| look.at <= now && look.at.after(LOOKS_APART) > now);
        }
        let look = Look { at: now, about: about.to_owned(), was_answered: false };
        state.looks.insert(payment.clone(), look);
        Heed::Look
    }

    /// The look that a hint led to was answered.
    pub(crate) fn was_answered(&self, payment: &PaymentId, about: &str) {
        if let Some(look) = self.state().looks.get_mut(payment).filter(|look| look.about == about) {
            look.was_answered = true;
        }
    }

    /// May somebody who reads a payment in doubt make us ask for it now?
    pub(crate) fn may_ask(&self, payment: &PaymentId, apart: Duration, now: Timestamp) -> bool {
        let mut state = self.state();
        let too_soon = |last: &Timestamp| *last <= now && now.since(*last) < apart;
        if state.reads.get(payment).is_some_and(too_soon) {
            return false;
        }
        if state.reads.len() >= MANY {
            state.reads.retain(|_, last| too_soon(last));
        }
        state.reads.insert(payment.clone(), now);
        true
    }
}
