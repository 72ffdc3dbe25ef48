//! Events of webhooks as they are applied.

use std::{collections::BTreeSet, time::Duration};

use paymux_orchestrator::store::{Change, Claim, Committed, InboxOutcome, InboxRow, Received};

use super::{
    Given, LeaseClock, Promise,
    build::{HOUR, at, claim, creation, event, settlement, tried, version},
    good,
};

pub(crate) fn promises() -> Vec<Promise> {
    vec![
        Promise::new("settle::longest_waiting_first", longest_waiting_first),
        Promise::new("settle::keeps_to_its_limit", keeps_to_its_limit),
        Promise::new("settle::lease_holds", lease_holds),
        Promise::new("settle::lease_ends_by_time", lease_ends_by_time),
        Promise::new("settle::settled_is_over", settled_is_over),
        Promise::new("settle::settled_stays_so", settled_stays_so),
        Promise::new("settle::later_comes_again", later_comes_again),
        Promise::new("settle::no_such_event", no_such_event),
        Promise::new("settle::with_a_change", with_a_change),
        Promise::new("settle::late_word_is_not_heard", late_word_is_not_heard),
        Promise::new("settle::late_change_settles_nothing", late_change_settles_nothing),
        Promise::new("settle::tries_are_counted", tries_are_counted),
        Promise::new("settle::two_never_share", two_never_share),
    ]
}

const SETTLED: [InboxOutcome; 4] =
    [InboxOutcome::Applied, InboxOutcome::Stale, InboxOutcome::Unmatched, InboxOutcome::HandedOn];

fn due(key: &str, millis: i64) -> InboxRow {
    InboxRow { due_at: at(millis), ..event(key) }
}

async fn receive(given: &Given, events: Vec<InboxRow>) {
    good(given.store.receive(events).await);
}

async fn claimed(given: &Given, claim: &Claim) -> Vec<String> {
    let rows = good(given.store.claim_inbox(claim).await);
    rows.into_iter().map(|row| row.key.as_str().to_owned()).collect()
}

async fn longest_waiting_first(given: Given) {
    receive(&given, vec![due("a", 0), due("b", -20), due("c", 1), due("d", -10)]).await;
    assert_eq!(claimed(&given, &claim("x", 0)).await, ["b", "d", "a"]);
    assert_eq!(claimed(&given, &claim("x", 1)).await, ["c"]);
}

async fn keeps_to_its_limit(given: Given) {
    receive(&given, vec![due("a", -1), due("b", -2), due("c", -3)]).await;
    let limited = |limit| Claim { limit, ..claim("x", 0) };
    assert!(claimed(&given, &limited(0)).await.is_empty());
    assert_eq!(claimed(&given, &limited(2)).await, ["c", "b"]);
    assert_eq!(claimed(&given, &limited(2)).await, ["a"]);
}

async fn lease_holds(given: Given) {
    receive(&given, vec![event("a")]).await;
    assert_eq!(claimed(&given, &claim("x", 0)).await, ["a"]);
    let last = i64::try_from(HOUR.as_millis()).unwrap() - 1;
    assert!(claimed(&given, &claim("y", last)).await.is_empty());
}

async fn lease_ends_by_time(given: Given) {
    receive(&given, vec![event("a")]).await;
    match given.leases {
        LeaseClock::Callers => {
            assert_eq!(claimed(&given, &claim("x", 0)).await, ["a"]);
            let end = i64::try_from(HOUR.as_millis()).unwrap();
            assert_eq!(claimed(&given, &claim("y", end)).await, ["a"]);
        }
        LeaseClock::Own => {
            let short = Claim { lease: Duration::from_millis(1), ..claim("x", 0) };
            assert_eq!(claimed(&given, &short).await, ["a"]);
            while claimed(&given, &claim("y", 0)).await != ["a"] {}
        }
    }
    assert!(claimed(&given, &claim("z", 0)).await.is_empty());
}

async fn settled_is_over(given: Given) {
    for outcome in SETTLED {
        let key = format!("{outcome:?}");
        receive(&given, vec![event(&key)]).await;
        assert!(good(given.store.settle_inbox(&settlement(&key, outcome)).await));
        let backlog = good(given.store.backlog(at(0)).await);
        assert_eq!((backlog.inbox, backlog.oldest_event), (0, None));
        let years = Claim { now: at(1_000_000_000_000), ..claim("x", 0) };
        assert!(claimed(&given, &years).await.is_empty());
    }
}

async fn settled_stays_so(given: Given) {
    receive(&given, vec![event("a")]).await;
    assert!(good(given.store.settle_inbox(&settlement("a", InboxOutcome::Applied)).await));
    let later = settlement("a", InboxOutcome::Later(at(0)));
    assert!(good(given.store.settle_inbox(&later).await), "there is such an event");
    assert!(claimed(&given, &claim("x", 0)).await.is_empty());
}

async fn later_comes_again(given: Given) {
    receive(&given, vec![event("a")]).await;
    assert_eq!(claimed(&given, &claim("x", 0)).await, ["a"]);
    assert!(good(given.store.settle_inbox(&tried(1, "a", InboxOutcome::Later(at(9)))).await));
    assert!(claimed(&given, &claim("x", 8)).await.is_empty());
    let rows = good(given.store.claim_inbox(&claim("x", 9)).await);
    assert_eq!(rows, [InboxRow { due_at: at(9), tries: 2, ..event("a") }]);
}

async fn no_such_event(given: Given) {
    receive(&given, vec![event("a")]).await;
    for outcome in [InboxOutcome::Applied, InboxOutcome::Later(at(0))] {
        assert!(!good(given.store.settle_inbox(&settlement("b", outcome)).await));
    }
    assert_eq!(good(given.store.backlog(at(0)).await).inbox, 1);
}

async fn with_a_change(given: Given) {
    receive(&given, vec![event("a"), event("b"), event("c")]).await;
    assert_eq!(claimed(&given, &claim("x", 0)).await, ["a", "b", "c"]);
    let inbox =
        vec![tried(1, "a", InboxOutcome::Applied), tried(1, "b", InboxOutcome::Later(at(5)))];
    let answer = given.store.commit(Change { inbox, ..creation(1) }).await;
    assert_eq!(good(answer), Committed::Done);
    assert_eq!(good(given.store.backlog(at(0)).await).inbox, 2);
    assert_eq!(claimed(&given, &claim("y", 5)).await, ["b"]);
}

/// Has the event `a` claimed by one whose lease ends, and then by another for an hour.
async fn claimed_twice(given: &Given) {
    receive(given, vec![event("a")]).await;
    let short = Claim { lease: Duration::from_millis(1), ..claim("x", 0) };
    assert_eq!(claimed(given, &short).await, ["a"]);
    while claimed(given, &claim("y", 1)).await != ["a"] {}
}

/// Whoever slept through its lease says nothing about the look that another one is taking: the
/// same content that arrives meanwhile is new, since that look may be over.
async fn late_word_is_not_heard(given: Given) {
    claimed_twice(&given).await;
    let late = tried(1, "a", InboxOutcome::Later(at(1)));
    assert!(good(given.store.settle_inbox(&late).await), "there is such an event");
    assert!(claimed(&given, &claim("z", 1)).await.is_empty(), "the lease holds");
    let same = InboxRow { digest: event("a").digest, ..event("b") };
    assert_eq!(good(given.store.receive(vec![same]).await), [Received::New]);
    assert!(good(given.store.settle_inbox(&tried(2, "a", InboxOutcome::Applied)).await));
    assert_eq!(claimed(&given, &claim("z", 1)).await, ["b"]);
}

async fn late_change_settles_nothing(given: Given) {
    claimed_twice(&given).await;
    let inbox = vec![tried(1, "a", InboxOutcome::Applied)];
    assert_eq!(good(given.store.commit(Change { inbox, ..creation(1) }).await), Committed::Done);
    assert_eq!(good(given.store.backlog(at(0)).await).inbox, 1);
    let inbox = vec![tried(2, "a", InboxOutcome::Applied)];
    assert_eq!(good(given.store.commit(Change { inbox, ..version(1, 2) }).await), Committed::Done);
    assert_eq!(good(given.store.backlog(at(0)).await).inbox, 0);
}

async fn tries_are_counted(given: Given) {
    receive(&given, vec![event("a")]).await;
    for tries in 1..=3 {
        let rows = good(given.store.claim_inbox(&claim("x", 0)).await);
        assert_eq!(rows.iter().map(|row| row.tries).collect::<Vec<_>>(), [tries]);
        good(given.store.settle_inbox(&tried(tries, "a", InboxOutcome::Later(at(0)))).await);
    }
}

async fn two_never_share(given: Given) {
    let keys: Vec<String> = (0..90).map(|n| format!("e{n}")).collect();
    receive(&given, keys.iter().map(|key| event(key)).collect()).await;
    let claimers: Vec<_> = (0..9)
        .map(|number| {
            let given = given.clone();
            tokio::spawn(async move {
                let some = Claim { limit: 4, ..claim(&format!("node-{number}"), 0) };
                let mut mine = Vec::new();
                loop {
                    let more = claimed(&given, &some).await;
                    if more.is_empty() {
                        return mine;
                    }
                    mine.extend(more);
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for claimer in claimers {
        all.extend(claimer.await.unwrap());
    }
    all.extend(claimed(&given, &claim("last", 0)).await);
    assert_eq!(all.len(), 90);
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), keys.into_iter().collect());
}
