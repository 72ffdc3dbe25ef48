//! Connections that are lost in the middle of work: what the error says is what is there.

use std::{sync::Arc, time::Duration};

use libtest_mimic::Trial;
use paymux_orchestrator::store::{
    Committed, Received, Store, StoreErrorKind, StoreResult, postgres::PostgresStore,
};
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::{
    build::{at, creation, event, id, next, row, version},
    server::Server,
    trial::{behind, cut, cut_off, is_of_a_lost_connection, known_as, named, node, trial, waiting},
};

type Commit = JoinHandle<StoreResult<Committed>>;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("lost::while_it_waits_for_a_lock", while_it_waits_for_a_lock),
        trial("lost::while_it_writes", while_it_writes),
        trial("lost::while_it_commits", while_it_commits),
        trial("lost::standby_is_gone", standby_is_gone),
        trial("lost::standby_is_waited_for_no_more", standby_is_waited_for_no_more),
        trial("lost::standby_and_a_user_who_hears_little", standby_and_a_user_who_hears_little),
        trial("lost::delivery_that_no_standby_has", delivery_that_no_standby_has),
        trial("lost::node_recovers", node_recovers),
        trial("lost::errors_tell_the_truth", errors_tell_the_truth),
        trial("lost::caller_leaves_while_committing", caller_leaves_while_committing),
        trial("lost::caller_leaves_while_receiving", caller_leaves_while_receiving),
    ]
}

async fn versions(store: &PostgresStore, n: u64) -> (u64, usize) {
    let version = store.load(&id(n)).await.unwrap().map_or(0, |row| row.version);
    (version, store.history(&id(n)).await.unwrap().len())
}

async fn while_it_waits_for_a_lock() {
    let server = Server::shared();
    let name = server.name();
    let store = known_as(server, &name).await;
    assert_eq!(store.commit(creation(1)).await.unwrap(), Committed::Done);
    let mut holder = behind(server).await;
    let lock = holder.transaction().await.unwrap();
    let sql = "SELECT 1 FROM payments WHERE tenant_id = $1 FOR UPDATE";
    assert_eq!(lock.execute(sql, &[&name]).await.unwrap(), 1);
    let commit = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.commit(version(1, 2)).await }
    });
    let other = behind(server).await;
    cut(&other, waiting(&other, &name, "Lock").await).await;
    let error = commit.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    drop(lock);
    assert_eq!(versions(&store, 1).await, (1, 1));
    assert_eq!(store.commit(version(1, 2)).await.unwrap(), Committed::Done);
}

/// The commit was sent by then, and the server never came to it.
async fn while_it_writes() {
    let server = Server::shared();
    let name = server.name();
    let store = known_as(server, &name).await;
    assert_eq!(store.commit(creation(1)).await.unwrap(), Committed::Done);
    let mut holder = behind(server).await;
    let lock = holder.transaction().await.unwrap();
    let sql = "INSERT INTO transitions SELECT tenant_id, payment_id, 2, 'another', at, node, cause,
                 evidence, from_status, to_status, previous_digest, digest
               FROM transitions WHERE tenant_id = $1";
    assert_eq!(lock.execute(sql, &[&name]).await.unwrap(), 1);
    let commit = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.commit(version(1, 2)).await }
    });
    let other = behind(server).await;
    cut(&other, waiting(&other, &name, "Lock").await).await;
    let error = commit.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    drop(lock);
    assert_eq!(versions(&store, 1).await, (1, 1));
}

/// A commit that waits for a standby is on this server's disk already.
async fn while_it_commits() {
    let server = Server::start(&[]);
    let name = server.name();
    let (store, other, commit) = changes_without_standby(&server, &name).await;
    cut(&other, waiting(&other, &name, "IPC").await).await;
    let error = commit.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::CommitUnknown, "{error}");
    // Read again, and look for the transition's id.
    let history = store.history(&id(1)).await.unwrap();
    assert_eq!(history.last().unwrap().id, version(1, 2).transition.id);
    assert_eq!(versions(&store, 1).await, (2, 2));
}

/// A server whose standby is not there never answers a commit, and nothing that its configuration
/// says later makes a session wait for less.
async fn standby_is_gone() {
    let server = Server::start(&[]);
    let name = server.name();
    let settings = server.settings().tenant(&*name).commit_timeout(Duration::from_millis(300));
    let store = node(settings).await;
    assert_eq!(store.commit(creation(1)).await.unwrap(), Committed::Done);
    let other = behind(&server).await;
    other.batch_execute("ALTER SYSTEM SET synchronous_commit = off").await.unwrap();
    lose_standby(&server).await;
    let error = store.commit(version(1, 2)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::CommitUnknown, "{error}");
    let error = store.receive(vec![event("e")]).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::CommitUnknown, "{error}");
    other.batch_execute("ALTER SYSTEM RESET synchronous_commit").await.unwrap();
    reload(&server, "synchronous_commit", "on").await;
    let error = store.flush().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::CommitUnknown, "{error}");
    other.batch_execute("ALTER SYSTEM RESET ALL").await.unwrap();
    reload(&server, "synchronous_standby_names", "").await;
    store.flush().await.unwrap();
    while versions(&store, 1).await != (2, 2) {}
    assert_eq!(store.commit(version(1, 3)).await.unwrap(), Committed::Done);
}

/// The server says that the commit is done, and in a notice that the standby may not have it.
async fn standby_is_waited_for_no_more() {
    wait_no_more(Server::start(&[])).await;
}

/// No notice is sent to a user who asks for errors alone, unless the connection asks for more.
async fn standby_and_a_user_who_hears_little() {
    let server = Server::start(&[]);
    let sql = "ALTER ROLE paymux SET client_min_messages = error";
    behind(&server).await.batch_execute(sql).await.unwrap();
    wait_no_more(server).await;
}

async fn wait_no_more(server: Server) {
    let name = server.name();
    let (store, other, commit) = changes_without_standby(&server, &name).await;
    let process = waiting(&other, &name, "IPC").await;
    other.execute("SELECT pg_cancel_backend($1)", &[&process]).await.unwrap();
    let error = commit.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::CommitUnknown, "{error}");
    assert_eq!(versions(&store, 1).await, (2, 2));
}

/// An event that can be read, and may not be on the standby, is not acknowledged for that.
async fn delivery_that_no_standby_has() {
    let server = Server::start(&[]);
    let name = server.name();
    let store = node(named(&server, &name).commit_timeout(Duration::from_secs(2))).await;
    let other = behind(&server).await;
    lose_standby(&server).await;
    let receive = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.receive(vec![event("e")]).await }
    });
    let process = waiting(&other, &name, "IPC").await;
    other.execute("SELECT pg_cancel_backend($1)", &[&process]).await.unwrap();
    receive.await.unwrap().unwrap_err();
    assert_eq!(store.backlog(at(0)).await.unwrap().inbox, 1);
    store.receive(vec![event("e")]).await.unwrap_err();
    other.batch_execute("ALTER SYSTEM RESET ALL").await.unwrap();
    reload(&server, "synchronous_standby_names", "").await;
    loop {
        match store.receive(vec![event("e")]).await {
            Ok(answers) => break assert_eq!(answers, [Received::Duplicate]),
            Err(error) => assert!(is_of_a_lost_connection(error.kind()), "{error}"),
        }
    }
}

/// A change whose commit waits for a standby that is not there; with it the store, and a connection
/// behind its back.
async fn changes_without_standby(
    server: &Server,
    name: &str,
) -> (Arc<PostgresStore>, Client, Commit) {
    let store = known_as(server, name).await;
    assert_eq!(store.commit(creation(1)).await.unwrap(), Committed::Done);
    let other = behind(server).await;
    lose_standby(server).await;
    let commit = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.commit(version(1, 2)).await }
    });
    (store, other, commit)
}

/// Gives the server a standby that is not there, and waits until commits wait for it: which is a
/// moment after new connections know of it.
pub(crate) async fn lose_standby(server: &Server) {
    let other = behind(server).await;
    other.batch_execute("ALTER SYSTEM SET synchronous_standby_names = 'absent'").await.unwrap();
    reload(server, "synchronous_standby_names", "absent").await;
    let sql = "INSERT INTO counters SELECT 'probe', 'probe ' || pg_backend_pid(), 0";
    loop {
        let probe = behind(server).await;
        probe.batch_execute("SET synchronous_commit = on").await.unwrap();
        let commit = probe.execute(sql, &[]);
        if tokio::time::timeout(Duration::from_millis(300), commit).await.is_err() {
            return;
        }
    }
}

/// Makes the server read its configuration, and waits until new connections have it.
pub(crate) async fn reload(server: &Server, setting: &str, value: &str) {
    behind(server).await.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    loop {
        let row = behind(server).await;
        let row = row.query_one("SELECT current_setting($1)", &[&setting]).await.unwrap();
        if row.get::<_, &str>(0) == value {
            return;
        }
    }
}

async fn node_recovers() {
    let server = Server::shared();
    let name = server.name();
    let store = known_as(server, &name).await;
    let other = behind(server).await;
    let mut expected = row(1);
    assert_eq!(store.commit(creation(1)).await.unwrap(), Committed::Done);
    for _ in 0..5 {
        assert!(cut_off(&other, &name).await > 0);
        loop {
            match store.commit(next(&expected)).await {
                Ok(answer) => {
                    assert_eq!(answer, Committed::Done);
                    break;
                }
                // Nothing was under way when the connection went, so nothing can be unknown but
                // what was sent before the end was noticed, and that never arrived.
                Err(error) => assert!(is_of_a_lost_connection(error.kind()), "{error}"),
            }
        }
        expected.version += 1;
        assert_eq!(versions(&store, 1).await.0, expected.version);
    }
}

/// Many changes, and the connections cut again and again: what was answered is what is there.
async fn errors_tell_the_truth() {
    let server = Server::shared();
    let name = server.name();
    let store = known_as(server, &name).await;
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let tasks: Vec<_> = (1..=8)
        .map(|n| {
            let (store, stop) = (Arc::clone(&store), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut errors = 0_u32;
                let mut here = 0;
                while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                    match store.commit(version(n, here + 1)).await {
                        Ok(answer) => {
                            assert_eq!(answer, Committed::Done);
                            here += 1;
                        }
                        Err(error) => {
                            errors += 1;
                            let kind = error.kind();
                            assert!(is_of_a_lost_connection(kind), "{error}");
                            let known = loop {
                                match store.history(&id(n)).await {
                                    Ok(lines) => break u64::try_from(lines.len()).unwrap(),
                                    Err(error) => {
                                        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
                                    }
                                }
                            };
                            if kind == StoreErrorKind::Unavailable {
                                assert_eq!(known, here, "nothing was to be written: {error}");
                            }
                            assert!(known == here || known == here + 1);
                            here = known;
                        }
                    }
                }
                (here, errors)
            })
        })
        .collect();
    let other = behind(server).await;
    let mut cuts = 0;
    while cuts < 40 {
        cuts += cut_off(&other, &name).await;
    }
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let mut errors = 0;
    for (n, task) in (1..).zip(tasks) {
        let (expected, met) = task.await.unwrap();
        errors += met;
        loop {
            match store.load(&id(n)).await {
                Ok(row) => {
                    assert_eq!(row.map_or(0, |row| row.version), expected);
                    break;
                }
                Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable),
            }
        }
    }
    assert!(errors > 0, "the connections were cut {cuts} times and nobody noticed");
}

async fn caller_leaves_while_committing() {
    let server = Server::shared();
    let name = server.name();
    let store = known_as(server, &name).await;
    assert_eq!(store.commit(creation(1)).await.unwrap(), Committed::Done);
    let mut holder = behind(server).await;
    let lock = holder.transaction().await.unwrap();
    let sql = "SELECT 1 FROM payments WHERE tenant_id = $1 FOR UPDATE";
    lock.execute(sql, &[&name]).await.unwrap();
    let commit = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.commit(version(1, 2)).await }
    });
    waiting(&behind(server).await, &name, "Lock").await;
    commit.abort();
    assert!(commit.await.unwrap_err().is_cancelled());
    drop(lock);
    // What was handed over is done, and the next change finds everything free.
    while versions(&store, 1).await != (2, 2) {}
    assert_eq!(store.commit(version(1, 3)).await.unwrap(), Committed::Done);
}

async fn caller_leaves_while_receiving() {
    let server = Server::shared();
    let name = server.name();
    let store = known_as(server, &name).await;
    store.receive(vec![event("one")]).await.unwrap();
    let mut holder = behind(server).await;
    let lock = holder.transaction().await.unwrap();
    let sql = "INSERT INTO inbox SELECT tenant_id, account, 'two', trust, event, digest,
                 received_at, tries, due_at, outcome, lease_owner, lease_until
               FROM inbox WHERE tenant_id = $1";
    assert_eq!(lock.execute(sql, &[&name]).await.unwrap(), 1);
    let receive = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.receive(vec![event("two"), event("three")]).await }
    });
    let other = behind(server).await;
    waiting(&other, &name, "Lock").await;
    receive.abort();
    assert!(receive.await.unwrap_err().is_cancelled());
    lock.rollback().await.unwrap();
    let open = "SELECT count(*) FROM pg_stat_activity
                WHERE application_name = $1 AND state <> 'idle'";
    while other.query_one(open, &[&name]).await.unwrap().get::<_, i64>(0) > 0 {}
    // The commit was under way: both are there, or neither is.
    let answers = store.receive(vec![event("two"), event("three")]).await.unwrap();
    assert_eq!(answers[0], answers[1], "all or none");
}
