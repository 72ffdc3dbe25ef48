//! The store, as the engine uses it.

use std::{path::Path, sync::Arc};

use paymux_core::{PaymentStatus, ProviderId, Timestamp};
use paymux_orchestrator::{
    PaymentId,
    store::{
        CallerKeyRow, Change, Committed, ObjectKind, ObjectRef, OutboxRow, PaymentRow, Slot, Store,
        TransitionRow, sqlite::SqliteStore,
    },
};

use crate::block::{self, Block};

/// So many payments at a time, until the block is over.
pub(crate) async fn run(file: &Path, tasks: usize) -> Block {
    let store = Arc::new(SqliteStore::open(file).unwrap());
    let pay = move |n| {
        let store = Arc::clone(&store);
        async move {
            for change in [intent(n), outcome(n)] {
                assert_eq!(store.commit(change).await.unwrap(), Committed::Done);
            }
        }
    };
    block::run(tasks, pay).await
}

/// What is written before the provider is called.
fn intent(n: u64) -> Change {
    let payment = payment(n, 1, PaymentStatus::Processing, 300);
    Change {
        from_version: 0,
        caller_key: Some(CallerKeyRow {
            key: format!("create:order-{n}"),
            request_digest: "d".repeat(64),
            payment: payment.id.clone(),
            attempt: None,
            created_at: payment.created_at,
        }),
        slot: Slot::Take(1),
        objects: Vec::new(),
        transition: transition(&payment),
        events: Vec::new(),
        inbox: Vec::new(),
        payment,
    }
}

/// What is written when it has answered.
fn outcome(n: u64) -> Change {
    let payment = payment(n, 2, PaymentStatus::Succeeded, 1000);
    Change {
        from_version: 1,
        caller_key: None,
        slot: Slot::Release(1),
        objects: vec![ObjectRef {
            account: ProviderId::new("one").unwrap(),
            kind: ObjectKind::Payment,
            id: format!("sess_{n}"),
        }],
        transition: transition(&payment),
        events: vec![OutboxRow {
            id: format!("evt_{n}"),
            payment: Some(payment.id.clone()),
            version: 2,
            kind: "payment_changed".to_owned(),
            at: payment.updated_at,
            document: "e".repeat(200),
        }],
        inbox: Vec::new(),
        payment,
    }
}

fn payment(n: u64, version: u64, status: PaymentStatus, bytes: usize) -> PaymentRow {
    let made = Timestamp::from_millis(1_700_000_000_000);
    PaymentRow {
        id: format!("pay_{n:026}").parse::<PaymentId>().unwrap(),
        version,
        reference: format!("order-{n}"),
        status,
        in_doubt: false,
        review: false,
        due_at: (!status.is_final()).then_some(made),
        created_at: made,
        updated_at: made,
        document: "p".repeat(bytes),
    }
}

fn transition(payment: &PaymentRow) -> TransitionRow {
    TransitionRow {
        payment: payment.id.clone(),
        version: payment.version,
        id: format!("{}/{}", payment.id, payment.version),
        at: payment.updated_at,
        node: "node-1".to_owned(),
        cause: "reply".to_owned(),
        evidence: "v".repeat(200),
        from: PaymentStatus::Processing,
        to: payment.status,
        previous_digest: "d".repeat(64),
        digest: "d".repeat(64),
    }
}
