//! Connections that fall silent or break at a certain word, as a frozen server or a proxy does it:
//! nobody waits for ever, and what the error says is what is there.

use std::time::Duration;

use libtest_mimic::Trial;
use paymux_orchestrator::store::{
    Committed, PaymentQuery, Received, Store, StoreError, StoreErrorKind, StoreResult,
    postgres::PostgresStore,
};

use crate::{
    build::{caller_key, claim, creation, event, id, version},
    proxy::{Proxy, Way, When},
    server::Server,
    trial::{node, refusal, trial},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("silent::while_a_change_is_made", while_a_change_is_made),
        trial("silent::while_events_are_kept", while_events_are_kept),
        trial("silent::while_it_is_read", while_it_is_read),
        trial("silent::where_no_transaction_begins", where_no_transaction_begins),
        trial("silent::while_it_is_connected", while_it_is_connected),
    ]
}

const SHORT: Duration = Duration::from_secs(1);
const UNAVAILABLE: StoreErrorKind = StoreErrorKind::Unavailable;
const UNKNOWN: StoreErrorKind = StoreErrorKind::CommitUnknown;

async fn beyond(proxy: &Proxy) -> std::sync::Arc<PostgresStore> {
    let settings = proxy.settings().tenant(Server::shared().name());
    node(settings.answer_timeout(SHORT).commit_timeout(SHORT)).await
}

/// Who hangs up may be noticed before the commit is sent; then it is known that nothing is there.
fn is_cut(kind: StoreErrorKind, there: bool, error: &StoreError, cut: (When, Way)) {
    let noticed = cut.1 == Way::HangUp && !there && error.kind() == UNAVAILABLE;
    is(if noticed { UNAVAILABLE } else { kind }, error, cut);
}

fn is(kind: StoreErrorKind, error: &StoreError, when: impl std::fmt::Debug) {
    assert_eq!(error.kind(), kind, "{when:?}: {error}");
}

/// Where a change can be cut off, what its caller is told, and whether it is there.
async fn while_a_change_is_made() {
    let table = [
        (When::Preparing("INSERT INTO transitions"), UNAVAILABLE, false),
        (When::Before("BEGIN"), UNAVAILABLE, false),
        (When::Before("UPDATE payments"), UNAVAILABLE, false),
        (When::Before("INSERT INTO transitions"), UNKNOWN, false),
        (When::Before("COMMIT"), UNKNOWN, false),
        (When::After("COMMIT"), UNKNOWN, true),
    ];
    for way in [Way::Silence, Way::HangUp] {
        for (when, kind, there) in table {
            let proxy = Proxy::before(Server::shared()).await;
            let store = beyond(&proxy).await;
            proxy.fail(When::Before("nothing"), way);
            let first = creation(1);
            if !matches!(when, When::Preparing(_)) {
                assert_eq!(store.commit(first).await.unwrap(), Committed::Done);
            }
            let next = if matches!(when, When::Preparing(_)) { 1 } else { 2 };
            proxy.fail(when, way);
            let error = store.commit(version(1, next)).await.unwrap_err();
            assert!(proxy.has_failed(), "{when:?}");
            is_cut(kind, there, &error, (when, way));
            let kept = if there { next } else { next - 1 };
            // What was on its way arrives, and nothing else does.
            while store.load(&id(1)).await.unwrap().map_or(0, |row| row.version) != kept {}
            // What the server still holds for the lost connection ends with that.
            proxy.hang_up();
            loop {
                match store.commit(version(1, kept + 1)).await {
                    Ok(answer) => break assert_eq!(answer, Committed::Done),
                    Err(error) => is(UNAVAILABLE, &error, (when, way)),
                }
            }
            let lines = store.history(&id(1)).await.unwrap().len();
            assert_eq!(u64::try_from(lines).unwrap(), kept + 1);
        }
    }
}

async fn while_events_are_kept() {
    let table = [
        (When::Preparing("INSERT INTO inbox"), UNAVAILABLE, false),
        (When::Before("BEGIN"), UNAVAILABLE, false),
        (When::Before("INSERT INTO inbox"), UNKNOWN, false),
        (When::Before("COMMIT"), UNKNOWN, false),
        (When::After("COMMIT"), UNKNOWN, true),
    ];
    for way in [Way::Silence, Way::HangUp] {
        for (when, kind, there) in table {
            let proxy = Proxy::before(Server::shared()).await;
            let store = beyond(&proxy).await;
            proxy.fail(when, way);
            let error = store.receive(vec![event("one")]).await.unwrap_err();
            assert!(proxy.has_failed(), "{when:?}");
            is_cut(kind, there, &error, (when, way));
            if there {
                while store.backlog(crate::build::at(0)).await.unwrap().inbox != 1 {}
            }
            proxy.hang_up();
            let again = loop {
                match store.receive(vec![event("one")]).await {
                    Ok(answers) => break answers,
                    Err(error) => is(UNAVAILABLE, &error, (when, way)),
                }
            };
            let wanted = if there { Received::Duplicate } else { Received::New };
            assert_eq!(again, [wanted], "{when:?}");
        }
    }
}

/// Each of the store's other calls, none of them for ever.
async fn while_it_is_read() {
    let proxy = Proxy::before(Server::shared()).await;
    let store = beyond(&proxy).await;
    assert_eq!(store.commit(creation(1)).await.unwrap(), Committed::Done);
    let nothing = |error: StoreResult<()>, kind, when| is(kind, &error.unwrap_err(), when);
    for when in [When::Preparing("FROM payments"), When::Before("FROM payments")] {
        proxy.fail(when, Way::Silence);
        nothing(store.load(&id(1)).await.map(drop), UNAVAILABLE, "load");
        proxy.fail(when, Way::Silence);
        let some = PaymentQuery { limit: 1, ..PaymentQuery::default() };
        nothing(store.list(&some).await.map(drop), UNAVAILABLE, "list");
    }
    proxy.fail(When::Before("LIMIT $3 FOR UPDATE"), Way::Silence);
    nothing(store.claim_payments(&claim("a", 0)).await.map(drop), UNKNOWN, "claim");
    proxy.fail(When::Before("FROM outbox"), Way::Silence);
    nothing(store.events(0, 1).await.map(drop), UNAVAILABLE, "events");
    assert!(store.load(&id(1)).await.unwrap().is_some());
}

/// What is sent behind a beginning that the server refuses, it would keep statement by statement.
async fn where_no_transaction_begins() {
    let proxy = Proxy::before(Server::shared()).await;
    let store = beyond(&proxy).await;
    assert_eq!(store.commit(creation(1)).await.unwrap(), Committed::Done);
    let mut second = creation(2);
    second.caller_key = Some(caller_key("key", 2));
    for change in [second.clone(), version(1, 2)] {
        proxy.fail(When::Before("BEGIN"), Way::Refusal);
        store.commit(change).await.unwrap_err();
        assert!(proxy.has_failed());
    }
    assert!(store.find_caller_key("key").await.unwrap().is_none());
    assert!(store.load(&id(2)).await.unwrap().is_none());
    assert_eq!(store.load(&id(1)).await.unwrap().unwrap().version, 1);
    for change in [second, version(1, 2)] {
        assert_eq!(store.commit(change).await.unwrap(), Committed::Done);
    }
}

async fn while_it_is_connected() {
    let proxy = Proxy::before(Server::shared()).await;
    proxy.deafen(true);
    let settings = proxy.settings().answer_timeout(SHORT);
    is(UNAVAILABLE, &refusal(settings.clone()).await, "deaf");
    proxy.deafen(false);
    proxy.fail(When::Before("SET SESSION"), Way::Silence);
    is(UNAVAILABLE, &refusal(settings.clone()).await, "silent");
    node(settings).await;
}
