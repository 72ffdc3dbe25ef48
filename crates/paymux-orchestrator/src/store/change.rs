//! What every store checks of a change before it looks at a row.

use super::{Change, OutboxRow, Slot, StoreError, StoreErrorKind, StoreResult};

impl Change {
    /// Refuses a change whose parts do not speak of the same step of the same payment: written, it
    /// would break the fence or the audit.
    pub(crate) fn check(&self) -> StoreResult<()> {
        let id = &self.payment.id;
        let next = self.from_version.checked_add(1);
        let own_key = self.caller_key.as_ref().is_none_or(|key| key.payment == *id);
        let own_events =
            self.events.iter().all(|event| event.payment.as_ref().is_none_or(|of| of == id));
        let own_versions = self
            .events
            .iter()
            .all(|event| event.payment.is_none() || event.version == self.payment.version);
        let clause = if next != Some(self.payment.version) {
            "its version is not the next one"
        } else if self.transition.payment != *id || self.transition.version != self.payment.version
        {
            "its transition is another one's"
        } else if !own_key {
            "its caller's key is for another payment"
        } else if !own_events {
            "an event is about another payment"
        } else if !own_versions {
            "an event is of another version"
        } else if matches!(self.slot, Slot::Move { from, to } if from == to) {
            "the right to move money goes to the attempt that has it"
        } else {
            return Ok(());
        };
        let message = format!("the change contradicts itself: {clause}; nothing was written");
        Err(StoreError::new(StoreErrorKind::Corrupt, message))
    }
}

impl OutboxRow {
    /// Refuses an event of a payment that comes without a change: nothing would say what its
    /// place among those of the payment is.
    pub(crate) fn check_alone(&self) -> StoreResult<()> {
        if self.payment.is_none() {
            return Ok(());
        }
        let message = "an event of a payment is written with a change of it; nothing was written";
        Err(StoreError::new(StoreErrorKind::Corrupt, message))
    }
}

#[cfg(test)]
mod tests {
    use paymux_core::{PaymentStatus, Timestamp};

    use crate::{
        PaymentId,
        store::{CallerKeyRow, Change, OutboxRow, PaymentRow, Slot, StoreErrorKind, TransitionRow},
    };

    fn id(n: u64) -> PaymentId {
        format!("pay_{n:026}").parse().unwrap()
    }

    fn sound() -> Change {
        let now = Timestamp::from_millis(0);
        let status = PaymentStatus::Processing;
        let text = String::new;
        Change {
            payment: PaymentRow {
                id: id(1),
                version: 3,
                reference: text(),
                status,
                in_doubt: false,
                review: false,
                due_at: None,
                created_at: now,
                updated_at: now,
                document: text(),
            },
            from_version: 2,
            caller_key: Some(CallerKeyRow {
                key: text(),
                request_digest: text(),
                payment: id(1),
                attempt: None,
                created_at: now,
            }),
            slot: Slot::Keep,
            objects: Vec::new(),
            transition: TransitionRow {
                payment: id(1),
                version: 3,
                id: text(),
                at: now,
                node: text(),
                cause: text(),
                evidence: text(),
                from: status,
                to: status,
                previous_digest: text(),
                digest: text(),
            },
            events: vec![OutboxRow {
                id: text(),
                payment: None,
                version: 0,
                kind: text(),
                at: now,
                document: text(),
            }],
            inbox: Vec::new(),
        }
    }

    #[test]
    fn parts_that_belong_together_pass() {
        assert!(sound().check().is_ok());
    }

    #[test]
    fn parts_of_other_steps_are_refused() {
        let breaks: [fn(&mut Change); 9] = [
            |change| change.payment.version = 2,
            |change| change.payment.version = 4,
            |change| change.from_version = u64::MAX,
            |change| change.transition.version = 2,
            |change| change.transition.payment = id(2),
            |change| change.caller_key.as_mut().unwrap().payment = id(2),
            |change| change.events[0].payment = Some(id(2)),
            |change| change.events[0].payment = Some(id(1)),
            |change| change.slot = Slot::Move { from: 1, to: 1 },
        ];
        for (number, bend) in breaks.iter().enumerate() {
            let mut change = sound();
            bend(&mut change);
            let error = change.check().unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "number {number}");
        }
    }
}
