//! Transactions that the server gives up so that others can go on: they are run again, and what they
//! write is there once.
//!
//! Deadlocks are real here. Ours are READ COMMITTED, where the server itself never says that a
//! transaction cannot be serialized: triggers say so for whatever else may.

use std::{fs, path::Path, sync::Arc};

use libtest_mimic::Trial;
use paymux_orchestrator::store::{
    Change, Committed, InboxOutcome, Received, Slot, Store, StoreErrorKind, postgres::PostgresStore,
};
use tokio_postgres::Client;

use crate::{
    build::{at, caller_key, claim, creation, event, id, object, row, told, tried, version},
    server::Server,
    trial::{behind, known_as, node, trial, waiting},
};

/// The server's words for it: a serialization failure, and a deadlock.
const CODES: [&str; 2] = ["40001", "40P01"];
/// A run is made again so often, and not more often.
const RUNS: i64 = 9;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("retries::deadlock_that_is_ended_by_us", deadlock_that_is_ended_by_us),
        trial("retries::deadlock_after_which_all_is_other", deadlock_after_which_all_is_other),
        trial("retries::changes_that_are_refused_once", changes_that_are_refused_once),
        trial("retries::groups_that_are_refused_once", groups_that_are_refused_once),
        trial("retries::deliveries_that_are_refused_once", deliveries_that_are_refused_once),
        trial(
            "retries::claims_and_events_that_are_refused_once",
            claims_and_events_that_are_refused_once,
        ),
        trial("retries::what_is_refused_each_time", what_is_refused_each_time),
    ]
}

/// A change to everything that can be changed at once.
fn all_at_once(mut change: Change) -> Change {
    let (n, version) = (1, change.payment.version);
    change.caller_key = Some(caller_key("key", n));
    change.objects = vec![object("object")];
    change.slot = Slot::Take(1);
    change.events = vec![told("told", n, version)];
    change
}

/// What that change writes is there, once.
async fn is_there_once(store: &PostgresStore, version: u64) {
    assert_eq!(store.load(&id(1)).await.unwrap().map(|row| row.version), Some(version));
    let history = store.history(&id(1)).await.unwrap();
    let lines: Vec<u64> = history.iter().map(|line| line.version).collect();
    assert_eq!(lines, (1..=version).collect::<Vec<_>>());
    let told: Vec<String> =
        store.events(0, 10).await.unwrap().into_iter().map(|one| one.event.id).collect();
    assert_eq!(told, ["told"]);
    assert_eq!(store.find_object(&object("object")).await.unwrap(), Some(id(1)));
    assert!(store.find_caller_key("key").await.unwrap().is_some());
}

/// Nothing of it is there.
async fn is_not_there(store: &PostgresStore, version: u64) {
    assert_eq!(store.load(&id(1)).await.unwrap().map_or(0, |row| row.version), version);
    let history = store.history(&id(1)).await.unwrap();
    assert_eq!(u64::try_from(history.len()).unwrap(), version);
    assert!(store.events(0, 10).await.unwrap().is_empty());
    assert!(store.find_caller_key("key").await.unwrap().is_none());
}

/// How many deadlocks the server has ended.
fn deadlocks(server: &Server) -> usize {
    let log = fs::read_to_string(Path::new(&server.socket).join("log")).unwrap();
    log.matches("ERROR:  deadlock detected").count()
}

/// We hold the payment and wait for an object that they hold; they wait for the payment. They are
/// the last to be asked to end it.
async fn deadlock(commits: bool) -> (Arc<PostgresStore>, Committed) {
    let server = Server::shared();
    let name = server.name();
    let store = known_as(server, &name).await;
    assert_eq!(store.commit(creation(1)).await.unwrap(), Committed::Done);
    let before = deadlocks(server);
    let mut other = behind(server).await;
    other.batch_execute("SET deadlock_timeout = '50s'").await.unwrap();
    let theirs = other.transaction().await.unwrap();
    let sql = "INSERT INTO provider_objects VALUES ($1, 'one', 'payment', 'object', $2)";
    theirs.execute(sql, &[&name, &id(2).as_str()]).await.unwrap();
    let commit = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.commit(all_at_once(version(1, 2))).await }
    });
    waiting(&behind(server).await, &name, "Lock").await;
    let sql = "SELECT 1 FROM payments WHERE tenant_id = $1 AND payment_id = $2 FOR UPDATE";
    theirs.execute(sql, &[&name, &id(1).as_str()]).await.unwrap();
    assert!(deadlocks(server) > before, "they have what we held: ours was ended");
    if commits {
        theirs.commit().await.unwrap();
    } else {
        theirs.rollback().await.unwrap();
    }
    (store, commit.await.unwrap().unwrap())
}

async fn deadlock_that_is_ended_by_us() {
    let (store, answer) = deadlock(false).await;
    assert_eq!(answer, Committed::Done);
    is_there_once(&store, 2).await;
}

/// What they wrote is there by the next run.
async fn deadlock_after_which_all_is_other() {
    let (store, answer) = deadlock(true).await;
    assert_eq!(answer, Committed::ObjectTaken { object: object("object"), owner: id(2) });
    is_not_there(&store, 1).await;
}

/// A node in a schema of its own, and a way past it.
async fn apart() -> (String, Arc<PostgresStore>, Client) {
    let server = Server::shared();
    let schema = server.name();
    let store = node(server.settings().schema(&*schema)).await;
    let other = behind(server).await;
    other.batch_execute(&format!("SET search_path = {schema}")).await.unwrap();
    (schema, store, other)
}

/// When a table refuses what is written to it.
#[derive(Clone, Copy, Debug)]
enum When {
    Inserted,
    Updated,
    /// When it is committed, and not before.
    Committed,
}

/// Has a table refuse so many rows with this code. Each run is counted, whatever becomes of it.
async fn refuse(other: &Client, table: &str, when: When, code: &str, times: i64) {
    let trigger = match when {
        When::Inserted => format!("TRIGGER refuse BEFORE INSERT ON {table}"),
        When::Updated => format!("TRIGGER refuse BEFORE UPDATE ON {table}"),
        When::Committed => {
            format!(
                "CONSTRAINT TRIGGER refuse AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED"
            )
        }
    };
    let sql = format!(
        "CREATE SEQUENCE runs;
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN
           IF nextval('runs') <= {times} THEN
             RAISE EXCEPTION 'not now' USING ERRCODE = '{code}';
           END IF;
           RETURN NEW;
         END $$;
         CREATE {trigger} FOR EACH ROW EXECUTE FUNCTION refuse()"
    );
    other.batch_execute(&sql).await.unwrap();
}

/// How often that table was written to. It refuses nothing any more.
async fn runs(other: &Client) -> i64 {
    let runs = other.query_one("SELECT last_value FROM runs", &[]).await.unwrap().get(0);
    other.batch_execute("DROP FUNCTION refuse CASCADE; DROP SEQUENCE runs").await.unwrap();
    runs
}

async fn changes_that_are_refused_once() {
    for code in CODES {
        for when in [When::Inserted, When::Committed] {
            let (_, store, other) = apart().await;
            refuse(&other, "transitions", when, code, 1).await;
            let answer = store.commit(all_at_once(creation(1))).await;
            assert_eq!(answer.unwrap(), Committed::Done, "{code} {when:?}");
            assert_eq!(runs(&other).await, 2, "{code} {when:?}");
            is_there_once(&store, 1).await;
        }
    }
}

/// The others of its group are not written twice, either.
async fn groups_that_are_refused_once() {
    for when in [When::Inserted, When::Committed] {
        let (_, store, other) = apart().await;
        refuse(&other, "transitions", when, "40001", 5).await;
        let commits: Vec<_> = (1..=100)
            .map(|n| {
                let store = Arc::clone(&store);
                let mut change = creation(n);
                change.events = vec![told(&format!("told {n}"), n, 1)];
                tokio::spawn(async move { store.commit(change).await })
            })
            .collect();
        for commit in commits {
            assert_eq!(commit.await.unwrap().unwrap(), Committed::Done, "{when:?}");
        }
        assert!(runs(&other).await >= 105, "{when:?}");
        for n in 1..=100 {
            assert_eq!(store.history(&id(n)).await.unwrap().len(), 1, "{when:?} {n}");
        }
        assert_eq!(store.events(0, 1_000).await.unwrap().len(), 100, "{when:?}");
    }
}

/// A delivery, its claim, and what becomes of it.
async fn deliveries_that_are_refused_once() {
    for code in CODES {
        let (_, store, other) = apart().await;
        refuse(&other, "inbox", When::Inserted, code, 1).await;
        assert_eq!(store.receive(vec![event("one")]).await.unwrap(), [Received::New]);
        assert_eq!(runs(&other).await, 2, "{code}");

        refuse(&other, "inbox", When::Updated, code, 1).await;
        let taken = store.claim_inbox(&claim("node", 1)).await.unwrap();
        assert_eq!(taken.iter().map(|row| row.tries).collect::<Vec<_>>(), [1], "{code}: one try");
        assert_eq!(runs(&other).await, 2, "{code}");

        refuse(&other, "inbox", When::Updated, code, 1).await;
        let settled = store.settle_inbox(&tried(1, "one", InboxOutcome::Applied)).await;
        assert!(settled.unwrap(), "{code}");
        assert_eq!(runs(&other).await, 2, "{code}");
    }
}

/// A claim of a payment, and what the merchant is told.
async fn claims_and_events_that_are_refused_once() {
    for code in CODES {
        let (_, store, other) = apart().await;
        let mut due = creation(1);
        due.payment.due_at = Some(at(0));
        assert_eq!(store.commit(due).await.unwrap(), Committed::Done);
        refuse(&other, "payments", When::Updated, code, 1).await;
        assert_eq!(store.claim_payments(&claim("node", 1)).await.unwrap(), [id(1)]);
        assert_eq!(runs(&other).await, 2, "{code}");

        refuse(&other, "outbox", When::Inserted, code, 1).await;
        let mut alone = told("alone", 1, 1);
        (alone.payment, alone.version) = (None, 0);
        store.add_event(alone).await.unwrap();
        assert_eq!(runs(&other).await, 2, "{code}");

        // Their positions are given when they are read.
        refuse(&other, "outbox", When::Updated, code, 1).await;
        let read = store.events(0, 10).await.unwrap();
        assert_eq!(read.iter().map(|one| one.position).collect::<Vec<_>>(), [1], "{code}");
        assert_eq!(runs(&other).await, 2, "{code}");
    }
}

/// It ends, nothing is written, and the next change finds a writer.
async fn what_is_refused_each_time() {
    for when in [When::Inserted, When::Committed] {
        let (_, store, other) = apart().await;
        refuse(&other, "transitions", when, "40001", 1_000).await;
        let error = store.commit(all_at_once(creation(1))).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{when:?}: {error}");
        assert_eq!(runs(&other).await, RUNS, "{when:?}");
        is_not_there(&store, 0).await;
        assert_eq!(store.commit(all_at_once(creation(1))).await.unwrap(), Committed::Done);
        is_there_once(&store, 1).await;
        assert_eq!(store.load(&id(1)).await.unwrap(), Some(row(1)));
    }
}
