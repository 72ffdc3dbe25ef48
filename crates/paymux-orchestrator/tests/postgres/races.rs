//! Races that are lost in the last moment: the change is made again, and answered as it then is.

use std::sync::Arc;

use libtest_mimic::Trial;
use paymux_core::Timestamp;
use paymux_orchestrator::store::{CallerKeyRow, Committed, Store};

use crate::{
    build::{caller_key, creation, event, id, object, told},
    server::Server,
    trial::{behind, known_as, node, trial, waiting},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("races::object_that_another_names", object_that_another_names),
        trial("races::key_that_another_claims", key_that_another_claims),
        trial("races::statements_that_went_stale", statements_that_went_stale),
        trial("races::group_with_a_refused_change", group_with_a_refused_change),
    ]
}

/// Another node names the object between our look and our write.
async fn object_that_another_names() {
    let server = Server::shared();
    let name = server.name();
    let store = known_as(server, &name).await;
    let mut other = behind(server).await;
    let theirs = other.transaction().await.unwrap();
    let owner = id(2).to_string();
    let sql = "INSERT INTO provider_objects VALUES ($1, 'one', 'payment', 'object', $2)";
    theirs.execute(sql, &[&name, &owner]).await.unwrap();
    let commit = tokio::spawn({
        let store = Arc::clone(&store);
        let mut ours = creation(1);
        ours.objects = vec![object("object")];
        async move { store.commit(ours).await }
    });
    waiting(&behind(server).await, &name, "Lock").await;
    theirs.commit().await.unwrap();
    let taken = Committed::ObjectTaken { object: object("object"), owner: id(2) };
    assert_eq!(commit.await.unwrap().unwrap(), taken);
    assert_eq!(store.load(&id(1)).await.unwrap(), None);
}

async fn key_that_another_claims() {
    let server = Server::shared();
    let name = server.name();
    let store = known_as(server, &name).await;
    let mut other = behind(server).await;
    let theirs = other.transaction().await.unwrap();
    let owner = id(2).to_string();
    let sql = "INSERT INTO caller_keys VALUES ($1, 'key', 'digest of theirs', $2, 3, 4)";
    theirs.execute(sql, &[&name, &owner]).await.unwrap();
    let commit = tokio::spawn({
        let store = Arc::clone(&store);
        let mut ours = creation(1);
        ours.caller_key = Some(caller_key("key", 1));
        async move { store.commit(ours).await }
    });
    waiting(&behind(server).await, &name, "Lock").await;
    theirs.commit().await.unwrap();
    let taken = CallerKeyRow {
        request_digest: "digest of theirs".into(),
        attempt: Some(3),
        created_at: Timestamp::from_millis(4),
        ..caller_key("key", 2)
    };
    assert_eq!(commit.await.unwrap().unwrap(), Committed::KeyTaken(taken));
    assert_eq!(store.load(&id(1)).await.unwrap(), None);
}

/// Changes that wait together are committed together; one that is refused, or cannot be kept,
/// takes none of the others with it.
async fn group_with_a_refused_change() {
    let server = Server::shared();
    let store = known_as(server, &server.name()).await;
    let mut first = creation(1000);
    first.caller_key = Some(caller_key("key", 1000));
    assert_eq!(store.commit(first).await.unwrap(), Committed::Done);
    let commits: Vec<_> = (1..=300)
        .map(|n| {
            let store = Arc::clone(&store);
            let mut change = creation(n);
            match n % 10 {
                1 => change.caller_key = Some(caller_key("key", n)),
                2 => change.payment.document = "\0".into(),
                3 => change.caller_key = Some(caller_key(&format!("key-{n}"), n)),
                _ => {}
            }
            tokio::spawn(async move { (n, store.commit(change).await) })
        })
        .collect();
    for commit in commits {
        let (n, answer) = commit.await.unwrap();
        let kept = store.load(&id(n)).await.unwrap().is_some();
        match n % 10 {
            1 => assert!(matches!(answer, Ok(Committed::KeyTaken(_))) && !kept, "{answer:?}"),
            2 => assert!(answer.is_err() && !kept, "{answer:?}"),
            _ => assert!(matches!(answer, Ok(Committed::Done)) && kept, "{answer:?}"),
        }
        let key = store.find_caller_key(&format!("key-{n}")).await.unwrap();
        assert_eq!(key.is_some(), n % 10 == 3);
    }
}

/// A column became another one under connections that had their statements ready. What the server
/// refuses for that is run again.
async fn statements_that_went_stale() {
    let server = Server::shared();
    let schema = server.name();
    let store = node(server.settings().schema(&*schema)).await;
    for n in 1..=3_u64 {
        let all = (1..=8).map(|part| {
            let store = Arc::clone(&store);
            let mut change = creation(n * 10 + part);
            change.objects = vec![object(&format!("{n}/{part}"))];
            change.events = vec![told(&format!("{n}/{part}"), n * 10 + part, 1)];
            tokio::spawn(async move {
                assert_eq!(store.commit(change).await.unwrap(), Committed::Done);
                store.receive(vec![event("one")]).await.unwrap();
                store.events(0, 10).await.unwrap();
            })
        });
        for one in all.collect::<Vec<_>>() {
            one.await.unwrap();
        }
        let column =
            ["provider_objects ALTER payment_id", "inbox ALTER digest", "outbox ALTER kind"];
        for column in column {
            let length = n * 100;
            let sql = format!("ALTER TABLE {schema}.{column} TYPE VARCHAR({length})");
            behind(server).await.batch_execute(&sql).await.unwrap();
        }
    }
}
