//! Several nodes on one database.

use std::{collections::BTreeMap, collections::BTreeSet, sync::Arc, time::Duration};

use libtest_mimic::Trial;
use paymux_core::EventKey;
use paymux_orchestrator::store::{
    Change, Claim, Committed, InboxRow, OutboxRow, PaymentRow, Received, Slot, Store,
    postgres::PostgresStore,
};

use crate::{
    build::{HOUR, at, caller_key, change, claim, creation, event, id, object, row, told, version},
    server::Server,
    trial::{behind, node, trial},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("nodes::never_share_a_claim", never_share_a_claim),
        trial("nodes::leases_end_by_the_databases_clock", leases_end_by_the_databases_clock),
        trial("nodes::leases_of_a_wrong_clock_end", leases_of_a_wrong_clock_end),
        trial("nodes::one_version_wins", one_version_wins),
        trial("nodes::one_takes_the_slot", one_takes_the_slot),
        trial("nodes::outbox_is_in_order", outbox_is_in_order),
        trial(
            "nodes::outbox_is_in_order_when_a_clock_was_not",
            outbox_is_in_order_when_a_clock_was_not,
        ),
        trial("nodes::outbox_gets_over_a_backlog", outbox_gets_over_a_backlog),
        trial("nodes::backlog_holds_up_no_other_event", backlog_holds_up_no_other_event),
        trial("nodes::tenants_are_apart", tenants_are_apart),
        trial("nodes::closed_takes_nothing", closed_takes_nothing),
    ]
}

async fn two() -> [Arc<PostgresStore>; 2] {
    let settings = Server::shared().fresh();
    [node(settings.clone()).await, node(settings).await]
}

async fn never_share_a_claim() {
    let nodes = two().await;
    let events: Vec<InboxRow> = (0..200).map(|number| event(&format!("event-{number}"))).collect();
    nodes[0].receive(events).await.unwrap();
    for n in 1..=200 {
        let due = PaymentRow { due_at: Some(at(0)), ..row(n) };
        assert_eq!(nodes[0].commit(change(0, due)).await.unwrap(), Committed::Done);
    }
    let claimers: Vec<_> = (0..8)
        .map(|number| {
            let store = Arc::clone(&nodes[number % 2]);
            tokio::spawn(async move {
                let some = Claim { limit: 7, ..claim(&format!("node-{number}"), 0) };
                let (mut payments, mut events) = (Vec::new(), Vec::new());
                loop {
                    let more = store.claim_payments(&some).await.unwrap();
                    let told = store.claim_inbox(&some).await.unwrap();
                    assert!(more.len() <= 7 && told.len() <= 7);
                    if more.is_empty() && told.is_empty() {
                        return (payments, events);
                    }
                    payments.extend(more);
                    events.extend(told.into_iter().map(|event| event.key));
                }
            })
        })
        .collect();
    let (mut payments, mut events) = (Vec::new(), Vec::new());
    for claimer in claimers {
        let (mine, heard) = claimer.await.unwrap();
        payments.extend(mine);
        events.extend(heard);
    }
    assert_eq!((payments.len(), events.len()), (200, 200));
    assert_eq!(payments.iter().collect::<BTreeSet<_>>().len(), 200);
    assert_eq!(events.iter().map(EventKey::as_str).collect::<BTreeSet<_>>().len(), 200);
}

/// A node whose clock is wrong takes nothing away from another, and holds nothing for longer.
async fn leases_end_by_the_databases_clock() {
    let [one, other] = two().await;
    let due = PaymentRow { due_at: Some(at(0)), ..row(1) };
    one.commit(change(0, due)).await.unwrap();
    one.receive(vec![event("one")]).await.unwrap();
    let century = i64::try_from(HOUR.as_millis()).unwrap() * 24 * 36_500;
    assert_eq!(one.claim_payments(&claim("slow", 0)).await.unwrap(), [id(1)]);
    assert_eq!(one.claim_inbox(&claim("slow", 0)).await.unwrap().len(), 1);
    assert!(other.claim_payments(&claim("fast", century)).await.unwrap().is_empty());
    assert!(other.claim_inbox(&claim("fast", century)).await.unwrap().is_empty());

    assert_eq!(one.commit(version(1, 2)).await.unwrap(), Committed::Done);
    let due = PaymentRow { due_at: Some(at(0)), version: 3, ..row(1) };
    assert_eq!(one.commit(change(2, due)).await.unwrap(), Committed::Done);
    let short = Claim { lease: Duration::from_millis(1), ..claim("fast", century) };
    assert_eq!(one.claim_payments(&short).await.unwrap(), [id(1)]);
    while other.claim_payments(&claim("slow", 0)).await.unwrap() != [id(1)] {}
}

/// The database's clock was a day ahead for a moment.
async fn leases_of_a_wrong_clock_end() {
    let server = Server::shared();
    let name = server.name();
    let store = node(server.settings().tenant(&*name)).await;
    store.commit(change(0, PaymentRow { due_at: Some(at(0)), ..row(1) })).await.unwrap();
    store.receive(vec![event("one")]).await.unwrap();
    assert_eq!(store.claim_payments(&claim("fast", 0)).await.unwrap(), [id(1)]);
    assert_eq!(store.claim_inbox(&claim("fast", 0)).await.unwrap().len(), 1);
    for table in ["payments", "inbox"] {
        let sql =
            format!("UPDATE {table} SET lease_until = lease_until + 86400000 WHERE tenant_id = $1");
        assert_eq!(behind(server).await.execute(&sql, &[&name]).await.unwrap(), 1);
    }
    for expected in [1, 0] {
        let payments = store.claim_payments(&claim("right", 0)).await.unwrap();
        let events = store.claim_inbox(&claim("right", 0)).await.unwrap();
        assert_eq!((payments.len(), events.len()), (expected, expected));
    }
}

/// Each of two nodes raises the same payments: every version is made once.
async fn one_version_wins() {
    let nodes = two().await;
    for n in 1..=5 {
        nodes[0].commit(creation(n)).await.unwrap();
    }
    let tasks: Vec<_> = (0..16)
        .map(|number| {
            let store = Arc::clone(&nodes[number % 2]);
            tokio::spawn(async move {
                let n = u64::try_from(number % 5).unwrap() + 1;
                for _ in 0..10 {
                    loop {
                        let here = store.load(&id(n)).await.unwrap().unwrap().version;
                        let mut next = version(n, here + 1);
                        next.transition.id = format!("{number}/{here}");
                        let answer = store.commit(next).await.unwrap();
                        if answer == Committed::Done {
                            break;
                        }
                        assert_eq!(answer, Committed::Lost);
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let mut sum = 0;
    for n in 1..=5 {
        let lines = nodes[1].history(&id(n)).await.unwrap();
        let versions: Vec<u64> = lines.iter().map(|line| line.version).collect();
        let last = nodes[1].load(&id(n)).await.unwrap().unwrap().version;
        assert_eq!(versions, (1..=last).collect::<Vec<_>>());
        sum += last - 1;
    }
    assert_eq!(sum, 160);
}

/// The slot guards on its own: whoever reads the latest version still cannot take it twice.
async fn one_takes_the_slot() {
    let nodes = two().await;
    nodes[0].commit(creation(1)).await.unwrap();
    let tasks: Vec<_> = (0..16_u32)
        .map(|attempt| {
            let store = Arc::clone(&nodes[usize::try_from(attempt % 2).unwrap()]);
            tokio::spawn(async move {
                loop {
                    let here = store.load(&id(1)).await.unwrap().unwrap().version;
                    let mut take = version(1, here + 1);
                    take.slot = Slot::Take(attempt);
                    let answer = store.commit(take).await.unwrap();
                    if answer != Committed::Lost {
                        return answer == Committed::Done;
                    }
                }
            })
        })
        .collect();
    let mut taken = 0;
    for task in tasks {
        taken += u32::from(task.await.unwrap());
    }
    assert_eq!(taken, 1);
}

/// Two nodes write and a third reads along: it misses nothing, and sees each payment in order.
async fn outbox_is_in_order() {
    let settings = Server::shared().fresh();
    let writers: Vec<_> = (0..2_u64)
        .map(|number| {
            let settings = settings.clone();
            tokio::spawn(async move {
                let store = node(settings).await;
                let tasks: Vec<_> = (0..8)
                    .map(|task| {
                        let store = Arc::clone(&store);
                        tokio::spawn(async move {
                            let n = number * 8 + task + 1;
                            for step in 1..=10 {
                                let mut change = version(n, step);
                                change.events = vec![
                                    told(&format!("{n}/{step}/a"), n, step),
                                    told(&format!("{n}/{step}/b"), n, step),
                                ];
                                assert_eq!(store.commit(change).await.unwrap(), Committed::Done);
                            }
                        })
                    })
                    .collect();
                for task in tasks {
                    task.await.unwrap();
                }
            })
        })
        .collect();
    let reader = node(settings).await;
    let mut seen: BTreeMap<u64, OutboxRow> = BTreeMap::new();
    while seen.len() < 2 * 8 * 10 * 2 {
        let after = seen.keys().next_back().copied().unwrap_or(0);
        for positioned in reader.events(after, 13).await.unwrap() {
            assert!(positioned.position > after);
            assert!(seen.insert(positioned.position, positioned.event).is_none());
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let again = reader.events(0, 1000).await.unwrap();
    assert_eq!(again.len(), seen.len(), "nothing appeared below what was read");
    let positions: Vec<u64> = again.iter().map(|positioned| positioned.position).collect();
    assert_eq!(positions, (1..=320).collect::<Vec<_>>());
    for n in 1..=16 {
        let of = |event: &&OutboxRow| event.payment == Some(id(n));
        let told: Vec<&str> = seen.values().filter(of).map(|event| event.id.as_str()).collect();
        let wanted: Vec<String> =
            (1..=10).flat_map(|step| ["a", "b"].map(|part| format!("{n}/{step}/{part}"))).collect();
        assert_eq!(told, wanted);
    }
}

/// The database's clock was set back between two changes of one payment.
async fn outbox_is_in_order_when_a_clock_was_not() {
    let server = Server::shared();
    let name = server.name();
    let store = node(server.settings().tenant(&*name)).await;
    for step in 1..=3 {
        let events = vec![told(&format!("{}", 9 - step), 1, step)];
        let change = Change { events, ..version(1, step) };
        assert_eq!(store.commit(change).await.unwrap(), Committed::Done);
    }
    let sql = "UPDATE outbox SET written_at = written_at - 3600000000
               WHERE tenant_id = $1 AND version = 2";
    assert_eq!(behind(server).await.execute(sql, &[&name]).await.unwrap(), 1);
    let events = store.events(0, 10).await.unwrap();
    let versions: Vec<u64> = events.iter().map(|line| line.event.version).collect();
    assert_eq!(versions, [1, 2, 3]);
}

/// More waits than is numbered at once, the later versions first by their clock.
async fn outbox_gets_over_a_backlog() {
    let server = Server::shared();
    let name = server.name();
    let store = node(server.settings().tenant(&*name)).await;
    let sql = "INSERT INTO outbox (tenant_id, event_id, payment_id, version, place, kind, at,
                 document, written_at)
               SELECT $1, payment || '/' || version, 'pay_' || lpad(payment::text, 26, '0'),
                 version, 0, 'kind', 0, '{}', 1000000 - payment * 3 - version
               FROM generate_series(1, 7000) payment, generate_series(1, 3) version";
    assert_eq!(behind(server).await.execute(sql, &[&name]).await.unwrap(), 21_000);
    let (mut after, mut last, mut seen) = (0, BTreeMap::new(), 0);
    while seen < 21_000 {
        let page = store.events(after, 4000).await.unwrap();
        assert!(!page.is_empty(), "{seen} of all");
        for line in page {
            assert_eq!(line.position, after + 1);
            after = line.position;
            seen += 1;
            let before = last.insert(line.event.payment, line.event.version).unwrap_or(0);
            assert_eq!(line.event.version, before + 1);
        }
    }
    assert!(store.events(after, 10).await.unwrap().is_empty());
}

/// An event of no payment has its place by when it was written, too.
async fn backlog_holds_up_no_other_event() {
    let server = Server::shared();
    let name = server.name();
    let store = node(server.settings().tenant(&*name)).await;
    let sql = "INSERT INTO outbox (tenant_id, event_id, payment_id, version, place, kind, at,
                 document, written_at)
               SELECT $1, payment::text, 'pay_' || lpad(payment::text, 26, '0'), 1, 0, 'kind', 0, '{}',
                 payment
               FROM generate_series(1, 10100) payment
               UNION ALL SELECT $1, 'alone', NULL, 0, 0, 'kind', 0, '{}', 50";
    assert_eq!(behind(server).await.execute(sql, &[&name]).await.unwrap(), 10_101);
    let page = store.events(0, 100).await.unwrap();
    let place = page.iter().position(|line| line.event.id == "alone");
    assert!(matches!(place, Some(49 | 50)), "{place:?}");
    let mut all = store.events(0, 20_000).await.unwrap().len();
    while all < 10_101 {
        all = store.events(0, 20_000).await.unwrap().len();
    }
    assert_eq!(all, 10_101);
}

async fn tenants_are_apart() {
    let one = node(Server::shared().fresh()).await;
    let other = node(Server::shared().fresh()).await;
    let mut first = creation(1);
    first.caller_key = Some(caller_key("key", 1));
    first.objects = vec![object("object")];
    first.slot = Slot::Take(1);
    first.events = vec![told("event", 1, 1)];
    first.payment.due_at = Some(at(0));
    for store in [&one, &other] {
        assert_eq!(store.commit(first.clone()).await.unwrap(), Committed::Done);
        assert_eq!(store.receive(vec![event("event")]).await.unwrap(), [Received::New]);
        assert_eq!(store.events(0, 10).await.unwrap().len(), 1);
    }
    assert_eq!(one.claim_payments(&claim("one", 0)).await.unwrap(), [id(1)]);
    assert_eq!(one.claim_inbox(&claim("one", 0)).await.unwrap().len(), 1);
    assert_eq!(one.forget(at(1), at(1)).await.unwrap(), 1);
    let far = Claim { limit: 1000, ..claim("other", 0) };
    assert_eq!(other.claim_payments(&far).await.unwrap(), [id(1)]);
    assert_eq!(other.claim_inbox(&far).await.unwrap().len(), 1);
    assert!(other.find_caller_key("key").await.unwrap().is_some());
}

async fn closed_takes_nothing() {
    let settings = Server::shared().fresh();
    let store = node(settings.clone()).await;
    let commits: Vec<_> = (1..=50)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.commit(creation(n)).await })
        })
        .collect();
    store.close().await;
    let mut done = 0;
    for commit in commits {
        match commit.await.unwrap() {
            Ok(answer) => {
                assert_eq!(answer, Committed::Done);
                done += 1;
            }
            Err(error) => {
                let kind = paymux_orchestrator::store::StoreErrorKind::Unavailable;
                assert_eq!(error.kind(), kind, "{error}");
            }
        }
    }
    assert!(store.load(&id(1)).await.is_err());
    let query = paymux_orchestrator::store::PaymentQuery { limit: 100, ..Default::default() };
    assert_eq!(node(settings).await.list(&query).await.unwrap().len(), done);
}
