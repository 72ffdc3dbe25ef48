//! The faults that have not happened yet, and how often each kind has.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::{Fault, FaultKind, Place};
use crate::lock;

/// The faults waiting to happen, in the order they were injected.
#[derive(Debug)]
pub(crate) struct Faults {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    waiting: Vec<Fault>,
    dice: fastrand::Rng,
    /// How often each kind has happened.
    happened: BTreeMap<&'static str, u64>,
}

impl Faults {
    /// Of a sandbox with this seed: it decides where a fault with a share happens.
    pub(crate) fn new(seed: u64) -> Self {
        let dice = fastrand::Rng::with_seed(seed);
        let state = State { waiting: Vec::new(), dice, happened: BTreeMap::new() };
        Faults { state: Mutex::new(state) }
    }

    pub(crate) fn inject(&self, fault: Fault) {
        if fault.times > 0 {
            lock(&self.state).waiting.push(fault);
        }
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        lock(&self.state).waiting.clone()
    }

    pub(crate) fn clear(&self) {
        lock(&self.state).waiting.clear();
    }

    pub(crate) fn happened(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.state).happened.clone()
    }

    /// Uses up one occurrence of the fault that happens here: of those that apply the first, or the
    /// one that the dice choose where they have shares.
    pub(crate) fn take(&self, place: &Place<'_>) -> Option<FaultKind> {
        let mut state = lock(&self.state);
        let State { waiting, dice, happened } = &mut *state;
        let mut roll = None;
        let mut shares = 0_u32;
        let position = waiting.iter().position(|fault| {
            if !fault.matches(place) {
                return false;
            }
            shares = shares.saturating_add(fault.percent.into());
            // One throw for all of them, and none for what always happens.
            shares >= 100 || *roll.get_or_insert_with(|| dice.u32(0..100)) < shares
        })?;
        let fault = waiting.get_mut(position)?;
        fault.times -= 1;
        let (kind, spent) = (fault.kind.clone(), fault.times == 0);
        if spent {
            waiting.remove(position);
        }
        *happened.entry(kind.word()).or_default() += 1;
        Some(kind)
    }
}

impl Default for Faults {
    fn default() -> Self {
        Faults::new(0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Site;
    use super::*;

    const READ: Place<'_> =
        Place { site: Site::Read, provider: "toffeepay", operation: "GetSession", id: None };

    #[test]
    fn a_fault_happens_as_often_as_told_and_in_order() {
        let faults = Faults::default();
        faults.inject(Fault::new(FaultKind::DropReply).times(2));
        faults.inject(Fault::new(FaultKind::GarbageReply));
        faults.inject(Fault::new(FaultKind::TruncateReply).times(0));
        assert_eq!(faults.take(&READ), Some(FaultKind::DropReply));
        assert_eq!(faults.take(&READ), Some(FaultKind::DropReply));
        assert_eq!(faults.take(&READ), Some(FaultKind::GarbageReply));
        assert_eq!(faults.take(&READ), None);
        let happened = BTreeMap::from([("drop_reply", 2), ("garbage_reply", 1)]);
        assert_eq!(faults.happened(), happened);
    }

    #[test]
    fn shares_add_up_and_are_kept_to() {
        let faults = Faults::new(7);
        for kind in [FaultKind::DropReply, FaultKind::GarbageReply, FaultKind::TruncateReply] {
            faults.inject(Fault::new(kind).percent(5).times(u32::MAX));
        }
        let hit = (0..10_000).filter(|_| faults.take(&READ).is_some()).count();
        assert!((1_350..1_650).contains(&hit), "{hit} of 10,000");
        for (kind, times) in faults.happened() {
            assert!((400..600).contains(&times), "{kind} {times} of 10,000");
        }
    }

    #[test]
    fn what_always_happens_takes_the_rest() {
        let faults = Faults::new(7);
        faults.inject(Fault::new(FaultKind::DropReply).percent(50).times(u32::MAX));
        faults.inject(Fault::new(FaultKind::GarbageReply).times(u32::MAX));
        assert!((0..100).all(|_| faults.take(&READ).is_some()));
        assert_eq!(faults.happened().len(), 2);
    }
}
