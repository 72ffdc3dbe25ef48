//! Nodes under more load than they can carry, or held up: who can go on does.

use std::{sync::Arc, time::Duration};

use libtest_mimic::Trial;
use paymux_orchestrator::store::{Committed, Store};

use crate::{
    build::{creation, event, id, version},
    lost::{lose_standby, reload},
    server::Server,
    trial::{behind, is_of_a_lost_connection, named, node, trial, waiting},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("busy::changes_do_not_wait_for_others", changes_do_not_wait_for_others),
        trial("busy::a_locked_payment_holds_up_no_other", a_locked_payment_holds_up_no_other),
        trial("busy::a_server_that_waits_is_not_flooded", a_server_that_waits_is_not_flooded),
    ]
}

/// A server does not notice that nobody waits for a commit any more: each one that was given up
/// stays a connection of the server's, as long as its standby is gone.
async fn a_server_that_waits_is_not_flooded() {
    let server = Server::start(&[]);
    let name = server.name();
    let short = Duration::from_millis(200);
    let settings = named(&server, &name).connections(6);
    let store = node(settings.commit_timeout(short).answer_timeout(short)).await;
    assert_eq!(store.commit(creation(1)).await.unwrap(), Committed::Done);
    let other = behind(&server).await;
    lose_standby(&server).await;
    for round in 1..=8 {
        let all = (1..=9).map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let change = store.commit(creation(round * 10 + n)).await.map(drop);
                let events = store.receive(vec![event(&format!("{n}/{round}"))]).await.map(drop);
                (change, events)
            })
        });
        for one in all.collect::<Vec<_>>() {
            let (change, events) = one.await.unwrap();
            for answer in [change, events] {
                let error = answer.unwrap_err();
                assert!(is_of_a_lost_connection(error.kind()), "{error}");
            }
        }
        assert!(store.load(&id(1)).await.unwrap().is_some());
    }
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
    let open: i64 = other.query_one(sql, &[&name]).await.unwrap().get(0);
    assert!(open <= 6, "{open} connections");
    other.batch_execute("ALTER SYSTEM RESET ALL").await.unwrap();
    reload(&server, "synchronous_standby_names", "").await;
    loop {
        let here = store.load(&id(1)).await.unwrap().unwrap().version;
        match store.commit(version(1, here + 1)).await {
            Ok(Committed::Done) => break,
            Ok(answer) => assert_eq!(answer, Committed::Lost),
            Err(error) => assert!(is_of_a_lost_connection(error.kind()), "{error}"),
        }
    }
}

/// Very many deliveries wait for a lock, on every connection that is not a writer's.
async fn changes_do_not_wait_for_others() {
    let server = Server::shared();
    let name = server.name();
    let store = node(named(server, &name).connections(8)).await;
    let mut holder = behind(server).await;
    let lock = holder.transaction().await.unwrap();
    let sql = "INSERT INTO inbox (tenant_id, account, event_key, trust, event, digest, received_at,
                 tries, due_at) VALUES ($1, 'one', 'e', 'signed', '{}', 'another', 0, 0, 0)";
    lock.execute(sql, &[&name]).await.unwrap();
    let floods: Vec<_> = (0..16)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.receive(vec![event("e")]).await })
        })
        .collect();
    let sql = "SELECT count(*) FROM pg_stat_activity
               WHERE application_name = $1 AND wait_event_type = 'Lock'";
    let other = behind(server).await;
    while other.query_one(sql, &[&name]).await.unwrap().get::<_, i64>(0) < 2 {}
    for n in 1..=4 {
        let commit = tokio::time::timeout(Duration::from_secs(5), store.commit(creation(n))).await;
        assert_eq!(commit.expect("a writer is free").unwrap(), Committed::Done);
    }
    lock.rollback().await.unwrap();
    for flood in floods {
        flood.await.unwrap().unwrap();
    }
}

/// Changes that wait together, two of them for rows that somebody else holds.
async fn a_locked_payment_holds_up_no_other() {
    let server = Server::shared();
    let name = server.name();
    let store = node(named(server, &name).connections(2)).await;
    for n in 1..=20 {
        assert_eq!(store.commit(creation(n)).await.unwrap(), Committed::Done);
    }
    let commit = |n| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.commit(version(n, 2)).await })
    };
    let sql = "SELECT 1 FROM payments WHERE tenant_id = $1 AND payment_id = $2 FOR UPDATE";
    let (mut first, mut second) = (behind(server).await, behind(server).await);
    let [first, second] = [first.transaction().await.unwrap(), second.transaction().await.unwrap()];
    first.execute(sql, &[&name, &id(1).as_str()]).await.unwrap();
    second.execute(sql, &[&name, &id(2).as_str()]).await.unwrap();
    second.execute(sql, &[&name, &id(3).as_str()]).await.unwrap();
    // The only writer waits for the first, and the others for the writer.
    let one = commit(1);
    waiting(&behind(server).await, &name, "Lock").await;
    let held = [commit(2), commit(3)];
    let free: Vec<_> = (4..=20).map(commit).collect();
    first.rollback().await.unwrap();
    assert_eq!(one.await.unwrap().unwrap(), Committed::Done);
    for commit in free {
        let answer = tokio::time::timeout(Duration::from_secs(6), commit).await;
        assert_eq!(answer.expect("nobody holds it").unwrap().unwrap(), Committed::Done);
    }
    second.rollback().await.unwrap();
    for commit in held {
        assert_eq!(commit.await.unwrap().unwrap(), Committed::Done);
    }
}
