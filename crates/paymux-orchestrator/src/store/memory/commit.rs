//! One change: refused whole, or written whole.

use super::{Leased, Tables, inbox};
use crate::store::{Change, Committed, OutboxRow};

impl Tables {
    /// The first check that fails, in the order that [`crate::store::Store::commit`] promises.
    pub(super) fn refusal(&self, change: &Change) -> Option<Committed> {
        let id = &change.payment.id;
        if let Some(key) = &change.caller_key
            && let Some(taken) = self.caller_keys.get(&key.key)
        {
            return Some(Committed::KeyTaken(taken.clone()));
        }
        if self.payments.get(id).map_or(0, |kept| kept.row.version) != change.from_version {
            return Some(Committed::Lost);
        }
        if let Some((holder, _)) = change.slot.step()
            && self.live_slot.get(id).copied() != holder
        {
            return Some(Committed::SlotRefused);
        }
        change.objects.iter().find_map(|object| {
            let owner = self.provider_objects.get(object).filter(|owner| *owner != id)?;
            Some(Committed::ObjectTaken { object: object.clone(), owner: owner.clone() })
        })
    }

    /// Writes a change that no check refused. The commit ends the payment's lease.
    pub(super) fn write(&mut self, change: Change) {
        let id = change.payment.id.clone();
        if let Some(key) = change.caller_key {
            self.caller_keys.insert(key.key.clone(), key);
        }
        if let Some((_, holder)) = change.slot.step() {
            match holder {
                Some(attempt) => self.live_slot.insert(id.clone(), attempt),
                None => self.live_slot.remove(&id),
            };
        }
        for object in change.objects {
            self.provider_objects.insert(object, id.clone());
        }
        let transition = change.transition;
        self.transitions.insert((id.clone(), transition.version), transition);
        for event in change.events {
            self.add_event(event);
        }
        for settlement in &change.inbox {
            inbox::settle(&mut self.inbox, settlement);
        }
        self.payments.insert(id, Leased::free(change.payment));
    }

    /// Gives an event the next position, unless it has one.
    pub(super) fn add_event(&mut self, event: OutboxRow) {
        let next = self.outbox.last_key_value().map_or(1, |(last, _)| last.saturating_add(1));
        if !self.outbox_ids.contains_key(&event.id) {
            self.outbox_ids.insert(event.id.clone(), next);
            self.outbox.insert(next, event);
        }
    }
}
