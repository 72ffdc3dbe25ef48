//! A file that an earlier version made.

use paymux_orchestrator::store::{OutboxRow, PaymentQuery, Store, sqlite::SqliteStore};
use sha2::{Digest, Sha256};

use super::{
    super::build::{claim, id, told},
    Directory, good,
};

const FIRST: &str = include_str!("../../../migrations/sqlite/0001_payments.sql");

/// Two tenants with payments that are over, in doubt, watched and due, and with events.
const FILLED: &str = "
    CREATE TEMP TABLE tenants (tenant);
    INSERT INTO tenants VALUES ('main'), ('another');
    CREATE TEMP TABLE numbers (n);
    INSERT INTO numbers VALUES (1), (2), (3), (4), (5), (6);
    INSERT INTO payments
      SELECT tenant, 'pay_' || substr('00000000000000000000000000' || n, -26), 1, 'order-' || n,
        CASE n WHEN 1 THEN 'succeeded' ELSE 'processing' END, n = 2, n = 3,
        CASE n WHEN 1 THEN NULL ELSE 5 END, 'gone', 9, 0, 0, '{}'
      FROM tenants, numbers WHERE n <= 3;
    INSERT INTO outbox
      SELECT tenant, 'e' || n, 7 - n, NULL, 0, 'kind', 0, '{}' FROM tenants, numbers;
    UPDATE outbox SET payment_id = 'pay_00000000000000000000000001', version = 1
      WHERE event_id IN ('e2', 'e3');
    INSERT INTO counters SELECT tenant, 'outbox', 6 FROM tenants;";

/// Such a file, with something done to it since.
fn made_by_the_first_version(directory: &Directory, since: &str) {
    let other = directory.other_hand();
    let ledger = "
        CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL,
          checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT";
    other.execute_batch(&[FIRST, ledger, ";", FILLED, since].concat()).unwrap();
    let checksum: String = Sha256::digest(FIRST).iter().map(|byte| format!("{byte:02x}")).collect();
    let line = "INSERT INTO schema_migrations VALUES (1, 'payments', ?1, 0)";
    other.execute(line, [checksum]).unwrap();
}

/// An event that is about no payment.
fn alone(name: &str) -> OutboxRow {
    OutboxRow { payment: None, version: 0, ..told(name, 1, 1) }
}

/// Somebody deleted what was read: positions that began anew would be below what the reader asks
/// for, and never told.
pub(super) async fn positions_go_on_where_all_was_deleted(directory: Directory) {
    let delete = "DELETE FROM outbox WHERE tenant_id = 'main';";
    made_by_the_first_version(&directory, delete);
    for (last, name) in [(6, "a"), (7, "b"), (8, "c")] {
        let store: SqliteStore = good(directory.open());
        assert_eq!(good(store.events(last, 10).await), []);
        assert!(store.events(last + 1, 10).await.is_err(), "there is none beyond {last}");
        good(store.add_event(alone(name)).await);
        let news = good(store.events(last, 10).await);
        let news: Vec<_> = news.iter().map(|it| (it.position, it.event.id.as_str())).collect();
        assert_eq!(news, [(last + 1, name)]);
        // Opened once more, it is known how far it went.
        store.close().await;
        good(directory.open()).close().await;
        directory.other_hand().execute_batch(delete).unwrap();
    }
}

/// Nothing is lost or told again, and positions go on where they were.
pub(super) async fn grows_from_the_first_version(directory: Directory) {
    made_by_the_first_version(&directory, "");
    let store: SqliteStore = good(directory.open());
    let events = good(store.events(0, 10).await);
    let told_before: Vec<(u64, &str)> =
        events.iter().map(|line| (line.position, line.event.id.as_str())).collect();
    assert_eq!(told_before, [(1, "e6"), (2, "e5"), (3, "e4"), (4, "e3"), (5, "e2"), (6, "e1")]);
    assert_eq!(events[3].event.payment, Some(id(1)));
    good(store.add_event(alone("e1")).await);
    good(store.add_event(alone("new")).await);
    let news = good(store.events(6, 10).await);
    assert_eq!(news.len(), 1);
    assert_eq!((news[0].position, news[0].event.id.as_str()), (7, "new"));

    let found = async |query| -> Vec<_> {
        good(store.list(&query).await).into_iter().map(|row| row.id).collect()
    };
    let all = PaymentQuery::default;
    assert_eq!(found(all()).await, [id(1), id(2), id(3)]);
    assert_eq!(found(PaymentQuery { in_doubt: Some(true), ..all() }).await, [id(2)]);
    assert_eq!(found(PaymentQuery { review: Some(true), ..all() }).await, [id(3)]);
    let backlog = good(store.backlog(paymux_core::Timestamp::from_millis(5)).await);
    assert_eq!((backlog.in_doubt, backlog.review, backlog.due), (1, 1, 2));
    assert_eq!(good(store.claim_payments(&claim("me", 5)).await), [id(2), id(3)]);
}
