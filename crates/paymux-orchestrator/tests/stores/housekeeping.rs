//! What waits, and what is forgotten.

use paymux_orchestrator::store::{
    Backlog, CallerKeyRow, Change, Committed, InboxOutcome, InboxRow, PaymentRow, Received,
};

use super::{
    Given, Promise,
    build::{at, caller_key, change, claim, creation, event, id, row, settlement},
    good,
};

pub(crate) fn promises() -> Vec<Promise> {
    vec![
        Promise::new("backlog::nothing_waits_at_first", nothing_waits_at_first),
        Promise::new("backlog::counts_payments", counts_payments),
        Promise::new("backlog::counts_events", counts_events),
        Promise::new("flush::leaves_nothing_behind", flush_leaves_nothing_behind),
        Promise::new("forget::old_keys_go", old_keys_go),
        Promise::new("forget::old_settled_events_go", old_settled_events_go),
        Promise::new("forget::a_great_many_go", a_great_many_go),
        Promise::new("forget::waiting_events_stay", waiting_events_stay),
    ]
}

async fn flush_leaves_nothing_behind(given: Given) {
    good(given.store.flush().await);
    good(given.store.commit(creation(1)).await);
    good(given.store.flush().await);
    good(given.store.flush().await);
    assert_eq!(good(given.store.backlog(at(0)).await), Backlog::default());
    assert!(good(given.store.events(0, 10).await).is_empty());
    assert_eq!(good(given.store.load(&id(1)).await), Some(row(1)));
}

async fn nothing_waits_at_first(given: Given) {
    assert_eq!(good(given.store.backlog(at(0)).await), Backlog::default());
    assert_eq!(good(given.store.forget(at(0), at(0)).await), 0);
}

async fn counts_payments(given: Given) {
    let rows = [
        PaymentRow { in_doubt: true, due_at: Some(at(0)), ..row(1) },
        PaymentRow { in_doubt: true, review: true, ..row(2) },
        PaymentRow { due_at: Some(at(1)), ..row(3) },
        PaymentRow { in_doubt: true, due_at: Some(at(-1)), ..row(4) },
        row(5),
    ];
    for payment in rows {
        good(given.store.commit(change(0, payment)).await);
    }
    let expected = Backlog { in_doubt: 3, review: 1, due: 2, ..Backlog::default() };
    assert_eq!(good(given.store.backlog(at(0)).await), expected);
    assert_eq!(good(given.store.backlog(at(1)).await), Backlog { due: 3, ..expected });
}

async fn counts_events(given: Given) {
    let arrived = |key, millis| InboxRow { received_at: at(millis), ..event(key) };
    let events = vec![arrived("a", -30), arrived("b", -20), arrived("c", -10)];
    good(given.store.receive(events).await);
    let waiting = |inbox, oldest: Option<i64>| Backlog {
        inbox,
        oldest_event: oldest.map(at),
        ..Backlog::default()
    };
    assert_eq!(good(given.store.backlog(at(0)).await), waiting(3, Some(-30)));
    good(given.store.settle_inbox(&settlement("a", InboxOutcome::Applied)).await);
    good(given.store.settle_inbox(&settlement("c", InboxOutcome::Later(at(99)))).await);
    assert_eq!(good(given.store.backlog(at(0)).await), waiting(2, Some(-20)));
    good(given.store.settle_inbox(&settlement("b", InboxOutcome::HandedOn)).await);
    assert_eq!(good(given.store.backlog(at(0)).await), waiting(1, Some(-10)));
}

async fn old_keys_go(given: Given) {
    for (n, millis) in [(1, -1), (2, 0), (3, 1)] {
        let key = CallerKeyRow { created_at: at(millis), ..caller_key(&format!("k{n}"), n) };
        good(given.store.commit(Change { caller_key: Some(key), ..creation(n) }).await);
    }
    assert_eq!(good(given.store.forget(at(0), at(100)).await), 1);
    assert_eq!(good(given.store.find_caller_key("k1").await), None);
    for key in ["k2", "k3"] {
        assert!(good(given.store.find_caller_key(key).await).is_some());
    }
    assert_eq!(good(given.store.load(&id(1)).await), Some(row(1)), "the payment stays");
    let again = Change { caller_key: Some(caller_key("k1", 4)), ..creation(4) };
    assert_eq!(good(given.store.commit(again).await), Committed::Done);
}

async fn old_settled_events_go(given: Given) {
    for (key, millis) in [("a", -1), ("b", 0)] {
        let old = InboxRow { received_at: at(millis), ..event(key) };
        good(given.store.receive(vec![old.clone()]).await);
        let merged = InboxRow { key: event(&format!("{key}2")).key, ..old };
        assert_eq!(good(given.store.receive(vec![merged]).await), [Received::Merged]);
        good(given.store.settle_inbox(&settlement(key, InboxOutcome::Applied)).await);
    }
    assert_eq!(good(given.store.forget(at(100), at(0)).await), 2, "a, and what was merged into it");
    assert_eq!(good(given.store.receive(vec![event("a")]).await), [Received::New]);
    assert_eq!(good(given.store.receive(vec![event("b")]).await), [Received::Duplicate]);
}

async fn a_great_many_go(given: Given) {
    good(given.store.receive(vec![event("a")]).await);
    // What is merged is settled.
    let same = |n| InboxRow { digest: event("a").digest, ..event(&format!("like a {n}")) };
    let merged = good(given.store.receive((0..2500).map(same).collect()).await);
    assert!(merged.iter().all(|answer| *answer == Received::Merged));
    let key = Some(CallerKeyRow { created_at: at(-1), ..caller_key("k", 1) });
    good(given.store.commit(Change { caller_key: key, ..creation(1) }).await);
    assert_eq!(good(given.store.forget(at(1), at(1)).await), 2501);
    assert_eq!(good(given.store.forget(at(1), at(1)).await), 0);
    assert_eq!(good(given.store.backlog(at(0)).await).inbox, 1);
}

async fn waiting_events_stay(given: Given) {
    good(given.store.receive(vec![event("a"), event("b"), event("c")]).await);
    good(given.store.settle_inbox(&settlement("b", InboxOutcome::Later(at(0)))).await);
    good(given.store.claim_inbox(&claim("x", -1)).await);
    assert_eq!(good(given.store.forget(at(1000), at(1000)).await), 0);
    let rows = good(given.store.claim_inbox(&claim("x", 0)).await);
    assert_eq!(rows.len(), 3);
}
