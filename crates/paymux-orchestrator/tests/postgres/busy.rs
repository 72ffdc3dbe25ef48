//! Nodes under more load than they can carry, or held up: who can go on does.

use std::{sync::Arc, time::Duration};

use libtest_mimic::Trial;
use paymux_orchestrator::store::{Committed, Store};

use crate::{
    build::{creation, event},
    server::Server,
    trial::{behind, named, node, trial},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("busy::changes_do_not_wait_for_others", changes_do_not_wait_for_others)]
}

/// Very many deliveries wait for a lock, on every connection that is not a writer's.
async fn changes_do_not_wait_for_others() {
    let server = Server::shared();
    let name = server.name();
    let store = node(named(server, &name).connections(4)).await;
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
