//! Events of webhooks.

use std::collections::BTreeMap;

use paymux_core::{EventKey, ProviderId, Timestamp};

use super::{Leased, count};
use crate::store::{Claim, InboxOutcome, InboxRow, InboxSettlement, MERGES_FOR, Received};

/// The events, by the account they came for and their key.
pub(super) type Inbox = BTreeMap<(ProviderId, EventKey), Entry>;

/// An event and how far it got.
pub(super) struct Entry {
    kept: Leased<InboxRow>,
    waits: bool,
}

impl Entry {
    /// Is it still to be applied?
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// When it arrived.
    pub(super) fn received_at(&self) -> Timestamp {
        self.kept.row.received_at
    }

    /// Will applying it look later than now? Not if somebody took it: that look may be over.
    fn looks_later(&self) -> bool {
        self.waits && self.kept.until.is_none()
    }
}

/// Keeps events. Two of one batch are never merged: one delivery can hold several events, and
/// they share its digest.
pub(super) fn receive(inbox: &mut Inbox, events: Vec<InboxRow>) -> Vec<Received> {
    let mut fresh = Inbox::new();
    let mut answers = Vec::with_capacity(events.len());
    for event in events {
        let key = (event.account.clone(), event.key.clone());
        let answer = match fresh.get(&key).or_else(|| inbox.get(&key)) {
            Some(before) if before.kept.row.digest == event.digest => Received::Duplicate,
            Some(_) => Received::Contradiction,
            None => {
                let merged = inbox.values().any(|other| {
                    let row = &other.kept.row;
                    other.looks_later()
                        && row.account == event.account
                        && row.digest == event.digest
                        && row.received_at > event.received_at.before(MERGES_FOR)
                });
                fresh.insert(key, Entry { kept: Leased::free(event), waits: !merged });
                if merged { Received::Merged } else { Received::New }
            }
        };
        answers.push(answer);
    }
    inbox.append(&mut fresh);
    answers
}

/// Takes what is due, the longest waiting first. Taking an event counts as a try, so that one
/// that ends the process each time is seen.
pub(super) fn claim(inbox: &mut Inbox, claim: &Claim) -> Vec<InboxRow> {
    let mut due: Vec<&mut Entry> = inbox
        .values_mut()
        .filter(|entry| entry.waits && entry.kept.is_free(claim))
        .filter(|entry| entry.kept.row.due_at <= claim.now)
        .collect();
    // The order of keys breaks ties, since the sort is stable.
    due.sort_by_key(|entry| entry.kept.row.due_at);
    due.truncate(count(claim.limit));
    due.into_iter()
        .map(|entry| {
            entry.kept.until = Some(claim.now.after(claim.lease));
            entry.kept.row.tries = entry.kept.row.tries.saturating_add(1);
            entry.kept.row.clone()
        })
        .collect()
}

/// Says what became of an event. One that is settled stays so, and one that was claimed again is
/// left to that claim.
pub(super) fn settle(inbox: &mut Inbox, settlement: &InboxSettlement) -> bool {
    let key = (settlement.account.clone(), settlement.key.clone());
    let Some(entry) = inbox.get_mut(&key) else { return false };
    if entry.waits && entry.kept.row.tries == settlement.tries {
        entry.kept.until = None;
        match settlement.outcome {
            InboxOutcome::Later(at) => entry.kept.row.due_at = at,
            InboxOutcome::Applied
            | InboxOutcome::Stale
            | InboxOutcome::Unmatched
            | InboxOutcome::HandedOn => entry.waits = false,
        }
    }
    true
}
