//! What every store checks of a change before it looks at a row.

use super::{Change, StoreError, StoreErrorKind, StoreResult};

impl Change {
    /// Refuses a change whose parts do not speak of the same step of the same payment: written, it
    /// would break the fence or the audit.
    pub(crate) fn check(&self) -> StoreResult<()> {
        let id = &self.payment.id;
        let next = self.from_version.checked_add(1);
        let own_key = self.caller_key.as_ref().is_none_or(|key| key.payment == *id);
        let own_events =
            self.events.iter().all(|event| event.payment.as_ref().is_none_or(|of| of == id));
        let clause = if next != Some(self.payment.version) {
            "its version is not the next one"
        } else if self.transition.payment != *id || self.transition.version != self.payment.version
        {
            "its transition is another one's"
        } else if !own_key {
            "its caller's key is for another payment"
        } else if !own_events {
            "an event is about another payment"
        } else {
            return Ok(());
        };
        let message = format!("the change contradicts itself: {clause}; nothing was written");
        Err(StoreError::new(StoreErrorKind::Corrupt, message))
    }
}
