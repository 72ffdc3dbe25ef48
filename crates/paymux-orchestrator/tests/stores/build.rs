//! Rows to write. Numbers stand for payments, so that a trial reads like a story.

use std::time::Duration;

use paymux_core::{EventKey, PaymentStatus, ProviderId, Timestamp, Trust};
use paymux_orchestrator::{
    PaymentId,
    store::{
        CallerKeyRow, Change, Claim, InboxOutcome, InboxRow, InboxSettlement, ObjectKind,
        ObjectRef, OutboxRow, PaymentRow, Slot, TransitionRow,
    },
};

/// An hour: a lease that no trial outlives.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// The present of every trial, and so many milliseconds later.
pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

/// The id of payment `n`; ids are in the order of numbers.
pub(crate) fn id(n: u64) -> PaymentId {
    format!("pay_{n:026}").parse().unwrap()
}

/// Payment `n` as it is at first.
pub(crate) fn row(n: u64) -> PaymentRow {
    PaymentRow {
        id: id(n),
        version: 1,
        reference: format!("order-{n}"),
        status: PaymentStatus::Processing,
        in_doubt: false,
        review: false,
        due_at: None,
        created_at: at(0),
        updated_at: at(0),
        document: format!(r#"{{"payment":{n}}}"#),
    }
}

/// The change that leads from this version of a payment to `payment`.
pub(crate) fn change(from_version: u64, payment: PaymentRow) -> Change {
    Change {
        from_version,
        caller_key: None,
        slot: Slot::Keep,
        objects: Vec::new(),
        transition: transition(&payment),
        events: Vec::new(),
        inbox: Vec::new(),
        payment,
    }
}

/// The change that makes payment `n`.
pub(crate) fn creation(n: u64) -> Change {
    change(0, row(n))
}

/// The change that follows on this row and changes nothing but the version.
pub(crate) fn next(row: &PaymentRow) -> Change {
    change(row.version, PaymentRow { version: row.version + 1, ..row.clone() })
}

/// The change to this version of payment `n`, which else is as at first.
pub(crate) fn version(n: u64, version: u64) -> Change {
    change(version - 1, PaymentRow { version, ..row(n) })
}

fn transition(payment: &PaymentRow) -> TransitionRow {
    let PaymentRow { id, version, .. } = payment;
    TransitionRow {
        payment: id.clone(),
        version: *version,
        id: format!("{id}/{version}"),
        at: at(i64::try_from(*version).unwrap()),
        node: "node-1".into(),
        cause: "reply".into(),
        evidence: r#"{"http":200}"#.into(),
        from: PaymentStatus::RequiresAction,
        to: payment.status,
        previous_digest: format!("digest of {}", version - 1),
        digest: format!("digest of {version}"),
    }
}

/// The key `key` of the caller's, bound to payment `n`.
pub(crate) fn caller_key(key: &str, n: u64) -> CallerKeyRow {
    CallerKeyRow {
        key: key.into(),
        request_digest: format!("digest of {key}"),
        payment: id(n),
        attempt: None,
        created_at: at(0),
    }
}

/// A payment at the account `one`.
pub(crate) fn object(name: &str) -> ObjectRef {
    ObjectRef { account: account("one"), kind: ObjectKind::Payment, id: name.into() }
}

/// An account.
pub(crate) fn account(name: &str) -> ProviderId {
    ProviderId::new(name).unwrap()
}

/// An event of the outbox about this version of payment `n`.
pub(crate) fn told(name: &str, n: u64, version: u64) -> OutboxRow {
    OutboxRow {
        id: name.into(),
        payment: Some(id(n)),
        version,
        kind: "payment_changed".into(),
        at: at(0),
        document: format!(r#"{{"name":"{name}"}}"#),
    }
}

/// An event of a webhook for the account `one`, due at once. Its content is its key's.
pub(crate) fn event(key: &str) -> InboxRow {
    InboxRow {
        account: account("one"),
        key: EventKey::new(key).unwrap(),
        trust: Trust::Signed,
        event: format!(r#"{{"key":"{key}"}}"#),
        digest: format!("digest of {key}"),
        received_at: at(0),
        tries: 0,
        due_at: at(0),
    }
}

/// What becomes of the event `key` of the account `one`, which nobody claimed.
pub(crate) fn settlement(key: &str, outcome: InboxOutcome) -> InboxSettlement {
    tried(0, key, outcome)
}

/// What becomes of the event `key` of the account `one` after it was claimed so many times.
pub(crate) fn tried(tries: u32, key: &str, outcome: InboxOutcome) -> InboxSettlement {
    InboxSettlement { account: account("one"), key: EventKey::new(key).unwrap(), tries, outcome }
}

/// Takes everything that is due so many milliseconds from now, for an hour.
pub(crate) fn claim(owner: &str, millis: i64) -> Claim {
    Claim { owner: owner.into(), now: at(millis), lease: HOUR, limit: 1000 }
}
