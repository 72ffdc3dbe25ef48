//! An object that belongs to another payment: which attempt a person is asked about.

use paymux_core::Payment;

use crate::{
    PaymentId,
    evidence::Evidence,
    record::PaymentRecord,
    store::{ObjectKind, ObjectRef},
};

/// The object that a change was refused for.
pub(crate) struct Taken {
    /// In words.
    pub(super) note: String,
    /// The attempt that left it behind, by the change that was refused.
    pub(super) left_by: Option<u32>,
}

impl Taken {
    pub(super) fn of(refused: &PaymentRecord, object: &ObjectRef, owner: &PaymentId) -> Self {
        let (kind, id, account) = (object.kind.as_str(), &object.id, &object.account);
        let note = format!("{kind} {id} at {account} belongs to {owner}");
        let names = |left: &Payment| match object.kind {
            ObjectKind::Payment => left.id.as_str() == id,
            ObjectKind::Part => left.parts.iter().any(|part| part.id.as_str() == id),
            ObjectKind::Refund => false,
        };
        let mut attempts = refused.attempts.iter();
        let left_by = attempts.find(|it| it.account == *account && it.left.iter().any(names));
        Self { note, left_by: left_by.map(|attempt| attempt.no) }
    }
}

/// The open attempt that the answer is to, if it is to one: what a look or an event names has
/// nothing to do with the step that happens to be open.
pub(super) fn answered(record: &PaymentRecord, evidence: &Evidence) -> Option<u32> {
    let (no, is_look) = match evidence {
        Evidence::Reply { attempt, .. } => (Some(*attempt), false),
        Evidence::Lookup { attempt, .. } => (*attempt, true),
        Evidence::Asked { .. }
        | Evidence::Sent { .. }
        | Evidence::NotSent { .. }
        | Evidence::Webhook { .. }
        | Evidence::Rule { .. }
        | Evidence::Person { .. } => (None, false),
    };
    let attempt = record.attempt(no?).filter(|attempt| attempt.state.is_open());
    // Only a create is looked for by what it may have made.
    attempt.filter(|attempt| attempt.is_create() || !is_look).map(|attempt| attempt.no)
}

/// The attempt that left what was looked at, where that does not count any more.
pub(super) fn left_by(record: &PaymentRecord, evidence: &Evidence) -> Option<u32> {
    let Evidence::Lookup { attempt: Some(no), .. } = evidence else { return None };
    let attempt = record.attempt(*no)?;
    attempt.gives_back.or(attempt.was_given_up().then_some(*no))
}
