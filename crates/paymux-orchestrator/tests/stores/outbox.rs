//! What the merchant is told, in an order that a reader can rely on.

use std::collections::BTreeMap;

use paymux_orchestrator::store::{Change, OutboxRow, Positioned, StoreErrorKind};

use super::{
    Given, Promise,
    build::{at, change, creation, id, next, row, told, version},
    good,
};

pub(crate) fn promises() -> Vec<Promise> {
    vec![
        Promise::new("outbox::events_are_kept_whole", events_are_kept_whole),
        Promise::new("outbox::in_order_of_versions", in_order_of_versions),
        Promise::new("outbox::positions_grow", positions_grow),
        Promise::new("outbox::what_was_forgotten_is_seen", what_was_forgotten_is_seen),
        Promise::new("outbox::reading_changes_nothing", reading_changes_nothing),
        Promise::new("outbox::pages_without_gaps", pages_without_gaps),
        Promise::new("outbox::keeps_to_its_limit", keeps_to_its_limit),
        Promise::new("outbox::adding_twice_is_no_error", adding_twice_is_no_error),
        Promise::new("outbox::none_of_a_payment_alone", none_of_a_payment_alone),
        Promise::new("outbox::same_event_is_told_once", same_event_is_told_once),
        Promise::new("outbox::nothing_appears_below", nothing_appears_below),
    ]
}

async fn all(given: &Given) -> Vec<Positioned> {
    good(given.store.events(0, 10_000).await)
}

fn names(events: &[Positioned]) -> Vec<&str> {
    events.iter().map(|line| line.event.id.as_str()).collect()
}

/// An event that is about no payment.
fn alone(name: &str) -> OutboxRow {
    OutboxRow { payment: None, version: 0, ..told(name, 1, 1) }
}

async fn events_are_kept_whole(given: Given) {
    assert!(all(&given).await.is_empty());
    let one = OutboxRow { kind: "refunded".into(), at: at(4), ..told("one", 1, 1) };
    good(given.store.commit(Change { events: vec![one.clone()], ..creation(1) }).await);
    good(given.store.add_event(alone("two")).await);
    let events: Vec<OutboxRow> = all(&given).await.into_iter().map(|line| line.event).collect();
    assert_eq!(events, [one, alone("two")]);
}

async fn in_order_of_versions(given: Given) {
    for number in 1..=4 {
        for n in [2, 1] {
            // Names against the order, so that sorting by name is seen.
            let events = (0..3).map(|part| {
                let name = format!("{}-{}-{n}", 9 - number, 9 - part);
                told(&name, n, number)
            });
            let change = Change { events: events.collect(), ..version(n, number) };
            good(given.store.commit(change).await);
        }
    }
    let events = all(&given).await;
    assert_eq!(events.len(), 24);
    for n in [1, 2] {
        let of: Vec<&str> = events
            .iter()
            .filter(|line| line.event.payment == Some(id(n)))
            .map(|line| line.event.id.as_str())
            .collect();
        assert!(of.is_sorted_by(|a, b| a > b), "{of:?}");
    }
}

async fn positions_grow(given: Given) {
    let mut last = 0;
    for n in 1..=5 {
        let events = vec![told(&format!("{n}"), n, 1), told(&format!("{n}b"), n, 1)];
        good(given.store.commit(Change { events, ..creation(n) }).await);
        let news = good(given.store.events(last, 10).await);
        assert_eq!(news.len(), 2);
        for line in news {
            assert!(line.position > last);
            last = line.position;
        }
    }
    assert!(good(given.store.events(last, 10).await).is_empty());
}

/// Who has read further than there is anything has read another store than this one, or this one
/// before it was restored: what comes next would not be told.
async fn what_was_forgotten_is_seen(given: Given) {
    for kept in 0..=2_u64 {
        for after in [kept + 1, kept + 50, u64::MAX] {
            let error = given.store.events(after, 10).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Configuration, "{error}");
        }
        good(given.store.events(kept, 10).await);
        let events = vec![told(&format!("{kept}"), kept + 1, 1)];
        good(given.store.commit(Change { events, ..creation(kept + 1) }).await);
        assert_eq!(good(given.store.events(kept, 10).await).len(), 1);
    }
}

async fn reading_changes_nothing(given: Given) {
    let events = vec![told("a", 1, 1), told("b", 1, 1)];
    good(given.store.commit(Change { events, ..creation(1) }).await);
    let before = all(&given).await;
    assert_eq!(all(&given).await, before);
    good(given.store.add_event(alone("c")).await);
    assert_eq!(all(&given).await[..2], before);
}

async fn pages_without_gaps(given: Given) {
    for n in 1..=23 {
        good(given.store.add_event(alone(&format!("{n}"))).await);
    }
    let mut pages = Vec::new();
    let mut last = 0;
    loop {
        let page = good(given.store.events(last, 5).await);
        let Some(line) = page.last() else { break };
        last = line.position;
        pages.extend(page);
    }
    assert_eq!(pages, all(&given).await);
    assert_eq!(pages.len(), 23);
}

async fn keeps_to_its_limit(given: Given) {
    for name in ["a", "b", "c"] {
        good(given.store.add_event(alone(name)).await);
    }
    assert_eq!(names(&good(given.store.events(0, 2).await)), ["a", "b"]);
    assert!(good(given.store.events(0, 0).await).is_empty());
    assert_eq!(good(given.store.events(0, u32::MAX).await).len(), 3);
}

async fn adding_twice_is_no_error(given: Given) {
    good(given.store.add_event(alone("a")).await);
    good(given.store.add_event(alone("b")).await);
    good(given.store.add_event(alone("a")).await);
    assert_eq!(names(&all(&given).await), ["a", "b"]);
}

async fn none_of_a_payment_alone(given: Given) {
    let error = given.store.add_event(told("a", 1, 1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(all(&given).await.is_empty());
}

async fn same_event_is_told_once(given: Given) {
    let events = vec![alone("a")];
    good(given.store.commit(Change { events: events.clone(), ..creation(1) }).await);
    good(given.store.commit(Change { events, ..next(&row(1)) }).await);
    assert_eq!(names(&all(&given).await), ["a"]);
    assert_eq!(good(given.store.load(&id(1)).await).map(|row| row.version), Some(2));
}

/// Many write while one reads on: what the reader saw is all there is, in the order it saw it.
async fn nothing_appears_below(given: Given) {
    const WRITERS: u64 = 24;
    const VERSIONS: u64 = 8;
    let writers: Vec<_> = (1..=WRITERS)
        .map(|n| {
            let given = given.clone();
            tokio::spawn(async move {
                for number in 1..=VERSIONS {
                    let named = |part| told(&format!("{n}/{number}/{part}"), n, number);
                    let change = Change {
                        events: vec![named("a"), named("b")],
                        ..change(number - 1, version(n, number).payment)
                    };
                    good(given.store.commit(change).await);
                    if number % 4 == 0 {
                        good(given.store.add_event(alone(&format!("{n}/{number}/c"))).await);
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let total = usize::try_from(WRITERS * (VERSIONS * 2 + VERSIONS / 4)).unwrap();
    let mut read: Vec<Positioned> = Vec::new();
    while read.len() < total {
        let last = read.last().map_or(0, |line| line.position);
        read.extend(good(given.store.events(last, 7).await));
        if writers.iter().all(tokio::task::JoinHandle::is_finished) {
            let rest =
                good(given.store.events(read.last().map_or(0, |line| line.position), 7).await);
            assert!(!rest.is_empty() || read.len() == total, "{} of {total}", read.len());
            read.extend(rest);
        }
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(read, all(&given).await, "something appeared below what was read");
    assert!(read.is_sorted_by(|a, b| a.position < b.position));
    let mut order: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in read.iter().filter(|line| line.event.payment.is_some()) {
        let (n, rest) = line.event.id.split_once('/').unwrap();
        order.entry(n.into()).or_default().push(rest.into());
    }
    let expected: Vec<String> = (1..=VERSIONS)
        .flat_map(|number| ["a", "b"].map(|part| format!("{number}/{part}")))
        .collect();
    assert!(order.values().all(|names| *names == expected));
}
