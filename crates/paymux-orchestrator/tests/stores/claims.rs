//! What is due, and whose it is for a while.

use std::{collections::BTreeSet, time::Duration};

use paymux_orchestrator::{
    PaymentId,
    store::{Claim, Committed, PaymentRow},
};

use super::{
    Given, LeaseClock, Promise,
    build::{HOUR, at, change, claim, event, id, next, row},
    good,
};

pub(crate) fn promises() -> Vec<Promise> {
    vec![
        Promise::new("claim::longest_waiting_first", longest_waiting_first),
        Promise::new("claim::nothing_before_its_time", nothing_before_its_time),
        Promise::new("claim::keeps_to_its_limit", keeps_to_its_limit),
        Promise::new("claim::lease_holds", lease_holds),
        Promise::new("claim::lease_ends_by_time", lease_ends_by_time),
        Promise::new("claim::lease_ends_by_a_commit", lease_ends_by_a_commit),
        Promise::new("claim::lease_of_a_wrong_clock_ends", lease_of_a_wrong_clock_ends),
        Promise::new("claim::leaves_the_payment", leaves_the_payment),
        Promise::new("claim::two_never_share", two_never_share),
    ]
}

fn due(n: u64, millis: i64) -> PaymentRow {
    PaymentRow { due_at: Some(at(millis)), ..row(n) }
}

async fn write(given: &Given, rows: &[PaymentRow]) {
    for row in rows {
        good(given.store.commit(change(0, row.clone())).await);
    }
}

async fn claimed(given: &Given, claim: &Claim) -> Vec<PaymentId> {
    good(given.store.claim_payments(claim).await)
}

async fn longest_waiting_first(given: Given) {
    let rows = [due(1, -10), due(2, -30), due(3, 0), due(4, -20), row(5)];
    write(&given, &rows).await;
    assert_eq!(claimed(&given, &claim("a", 0)).await, [id(2), id(4), id(1), id(3)]);
}

async fn nothing_before_its_time(given: Given) {
    write(&given, &[due(1, 0), due(2, 1), row(3)]).await;
    assert!(claimed(&given, &claim("a", -1)).await.is_empty());
    assert_eq!(claimed(&given, &claim("a", 0)).await, [id(1)]);
    assert_eq!(claimed(&given, &claim("a", 1)).await, [id(2)]);
}

async fn keeps_to_its_limit(given: Given) {
    write(&given, &[due(1, -1), due(2, -2), due(3, -3)]).await;
    let limited = |limit| Claim { limit, ..claim("a", 0) };
    assert!(claimed(&given, &limited(0)).await.is_empty());
    assert_eq!(claimed(&given, &limited(2)).await, [id(3), id(2)]);
    assert_eq!(claimed(&given, &limited(2)).await, [id(1)]);
}

async fn lease_holds(given: Given) {
    write(&given, &[due(1, 0)]).await;
    assert_eq!(claimed(&given, &claim("a", 0)).await, [id(1)]);
    let last = i64::try_from(HOUR.as_millis()).unwrap() - 1;
    for millis in [0, 1, last] {
        assert!(claimed(&given, &claim("b", millis)).await.is_empty());
        assert!(claimed(&given, &claim("a", millis)).await.is_empty(), "not even the owner");
    }
}

async fn lease_ends_by_time(given: Given) {
    write(&given, &[due(1, 0)]).await;
    match given.leases {
        LeaseClock::Callers => {
            assert_eq!(claimed(&given, &claim("a", 0)).await, [id(1)]);
            let end = i64::try_from(HOUR.as_millis()).unwrap();
            assert_eq!(claimed(&given, &claim("b", end)).await, [id(1)]);
            assert!(claimed(&given, &claim("c", end)).await.is_empty());
        }
        LeaseClock::Own => {
            let short = Claim { lease: Duration::from_millis(1), ..claim("a", 0) };
            assert_eq!(claimed(&given, &short).await, [id(1)]);
            while claimed(&given, &claim("b", 0)).await != [id(1)] {}
            assert!(claimed(&given, &claim("c", 0)).await.is_empty());
        }
    }
}

async fn lease_ends_by_a_commit(given: Given) {
    write(&given, &[due(1, 0), due(2, 0)]).await;
    assert_eq!(claimed(&given, &claim("a", 0)).await, [id(1), id(2)]);
    let answer = given.store.commit(next(&due(1, 0))).await;
    assert_eq!(good(answer), Committed::Done);
    assert_eq!(claimed(&given, &claim("b", 0)).await, [id(1)]);
}

/// A claim was made while the clock was a day ahead. How a store that has a clock of its own gets
/// over that is tried behind its back.
async fn lease_of_a_wrong_clock_ends(given: Given) {
    if given.leases == LeaseClock::Own {
        return;
    }
    write(&given, &[due(1, 0)]).await;
    good(given.store.receive(vec![event("one")]).await);
    let day = 24 * i64::try_from(HOUR.as_millis()).unwrap();
    assert_eq!(claimed(&given, &claim("fast", day)).await, [id(1)]);
    assert_eq!(good(given.store.claim_inbox(&claim("fast", day)).await).len(), 1);
    for expected in [1, 0] {
        assert_eq!(claimed(&given, &claim("right", 0)).await.len(), expected);
        assert_eq!(good(given.store.claim_inbox(&claim("right", 0)).await).len(), expected);
    }
}

async fn leaves_the_payment(given: Given) {
    write(&given, &[due(1, 0)]).await;
    claimed(&given, &claim("a", 0)).await;
    assert_eq!(good(given.store.load(&id(1)).await), Some(due(1, 0)));
    let done = change(1, PaymentRow { version: 2, ..row(1) });
    assert_eq!(good(given.store.commit(done).await), Committed::Done);
    assert!(claimed(&given, &claim("b", 0)).await.is_empty(), "it is not due any more");
}

async fn two_never_share(given: Given) {
    let rows: Vec<PaymentRow> = (1..=120).map(|n| due(n, -1)).collect();
    write(&given, &rows).await;
    let claimers: Vec<_> = (0..12)
        .map(|number| {
            let given = given.clone();
            tokio::spawn(async move {
                let some = Claim { limit: 7, ..claim(&format!("node-{number}"), 0) };
                let mut mine = Vec::new();
                loop {
                    let more = claimed(&given, &some).await;
                    if more.is_empty() {
                        return mine;
                    }
                    assert!(more.len() <= 7);
                    mine.extend(more);
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for claimer in claimers {
        all.extend(claimer.await.unwrap());
    }
    // A claimer can leave early while another one's claim is under way; what is left is free.
    all.extend(claimed(&given, &claim("last", 0)).await);
    assert_eq!(all.len(), 120);
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>(), (1..=120).map(id).collect());
}
