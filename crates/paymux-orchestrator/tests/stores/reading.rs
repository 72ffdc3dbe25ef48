//! Lists of payments.

use paymux_core::PaymentStatus;
use paymux_orchestrator::store::{PaymentQuery, PaymentRow};

use super::{
    Given, Promise,
    build::{at, change, creation, id, next, row},
    good,
};

pub(crate) fn promises() -> Vec<Promise> {
    vec![
        Promise::new("list::oldest_first", oldest_first),
        Promise::new("list::holds_whole_rows", holds_whole_rows),
        Promise::new("list::by_reference", by_reference),
        Promise::new("list::by_status", by_status),
        Promise::new("list::by_doubt", by_doubt),
        Promise::new("list::by_review", by_review),
        Promise::new("list::by_creation", by_creation),
        Promise::new("list::by_all_at_once", by_all_at_once),
        Promise::new("list::pages_without_gaps", pages_without_gaps),
        Promise::new("list::keeps_to_its_limit", keeps_to_its_limit),
        Promise::new("list::finds_the_present", finds_the_present),
    ]
}

fn all() -> PaymentQuery {
    PaymentQuery { limit: 1000, ..PaymentQuery::default() }
}

async fn write(given: &Given, rows: &[PaymentRow]) {
    for row in rows {
        good(given.store.commit(change(0, row.clone())).await);
    }
}

async fn listed(given: &Given, query: PaymentQuery) -> Vec<u64> {
    let rows = good(given.store.list(&query).await);
    let number = |row: &PaymentRow| row.id.as_str().trim_start_matches("pay_").parse().unwrap();
    rows.iter().map(number).collect()
}

async fn oldest_first(given: Given) {
    write(&given, &[row(3), row(10), row(1), row(2)]).await;
    assert_eq!(listed(&given, all()).await, [1, 2, 3, 10]);
}

async fn holds_whole_rows(given: Given) {
    let rows = [PaymentRow { review: true, due_at: Some(at(4)), ..row(1) }, row(2)];
    write(&given, &rows).await;
    assert_eq!(good(given.store.list(&all()).await), rows);
}

async fn by_reference(given: Given) {
    let twice = |n| PaymentRow { reference: "twice".into(), ..row(n) };
    write(&given, &[row(1), twice(2), row(3), twice(4)]).await;
    let query = |text: &str| PaymentQuery { reference: Some(text.into()), ..all() };
    assert_eq!(listed(&given, query("twice")).await, [2, 4]);
    assert_eq!(listed(&given, query("order-3")).await, [3]);
    assert!(listed(&given, query("Twice")).await.is_empty());
    assert!(listed(&given, query("twic%")).await.is_empty());
}

async fn by_status(given: Given) {
    let rows: Vec<PaymentRow> =
        (1..).zip(PaymentStatus::ALL).map(|(n, status)| PaymentRow { status, ..row(n) }).collect();
    write(&given, &rows).await;
    for (n, status) in (1..).zip(PaymentStatus::ALL) {
        let query = PaymentQuery { statuses: vec![status], ..all() };
        assert_eq!(listed(&given, query).await, [n]);
    }
    let statuses = vec![PaymentStatus::Unknown, PaymentStatus::RequiresAction];
    assert_eq!(listed(&given, PaymentQuery { statuses, ..all() }).await, [1, 10]);
}

async fn by_doubt(given: Given) {
    write(&given, &[row(1), PaymentRow { in_doubt: true, ..row(2) }]).await;
    let query = |in_doubt| PaymentQuery { in_doubt: Some(in_doubt), ..all() };
    assert_eq!(listed(&given, query(true)).await, [2]);
    assert_eq!(listed(&given, query(false)).await, [1]);
}

async fn by_review(given: Given) {
    write(&given, &[row(1), PaymentRow { review: true, ..row(2) }]).await;
    let query = |review| PaymentQuery { review: Some(review), ..all() };
    assert_eq!(listed(&given, query(true)).await, [2]);
    assert_eq!(listed(&given, query(false)).await, [1]);
}

async fn by_creation(given: Given) {
    let made = |n, millis| PaymentRow { created_at: at(millis), ..row(n) };
    write(&given, &[made(1, 10), made(2, 20), made(3, 30)]).await;
    let query = |from, to| PaymentQuery { created_from: from, created_to: to, ..all() };
    assert_eq!(listed(&given, query(Some(at(20)), None)).await, [2, 3]);
    assert_eq!(listed(&given, query(None, Some(at(20)))).await, [1]);
    assert_eq!(listed(&given, query(Some(at(10)), Some(at(30)))).await, [1, 2]);
}

async fn by_all_at_once(given: Given) {
    let wanted = |n| PaymentRow {
        reference: "r".into(),
        status: PaymentStatus::Failed,
        in_doubt: true,
        review: true,
        created_at: at(20),
        ..row(n)
    };
    let rows = [
        wanted(1),
        PaymentRow { reference: "s".into(), ..wanted(2) },
        PaymentRow { status: PaymentStatus::Expired, ..wanted(3) },
        PaymentRow { in_doubt: false, ..wanted(4) },
        PaymentRow { review: false, ..wanted(5) },
        PaymentRow { created_at: at(19), ..wanted(6) },
        PaymentRow { created_at: at(21), ..wanted(7) },
        wanted(8),
        wanted(9),
    ];
    write(&given, &rows).await;
    let query = PaymentQuery {
        reference: Some("r".into()),
        statuses: vec![PaymentStatus::Failed, PaymentStatus::Succeeded],
        in_doubt: Some(true),
        review: Some(true),
        created_from: Some(at(20)),
        created_to: Some(at(21)),
        after: None,
        limit: 2,
    };
    assert_eq!(listed(&given, query.clone()).await, [1, 8]);
    assert_eq!(listed(&given, PaymentQuery { after: Some(id(1)), ..query }).await, [8, 9]);
}

async fn pages_without_gaps(given: Given) {
    let rows: Vec<PaymentRow> = (1..=25).map(row).collect();
    write(&given, &rows).await;
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let query = PaymentQuery { after: after.clone(), limit: 4, ..PaymentQuery::default() };
        let page = good(given.store.list(&query).await);
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        assert!(page.len() <= 4);
        pages.extend(page);
    }
    assert_eq!(pages, rows);
}

async fn keeps_to_its_limit(given: Given) {
    write(&given, &[row(1), row(2), row(3)]).await;
    let query = |limit| PaymentQuery { limit, ..PaymentQuery::default() };
    assert_eq!(listed(&given, query(2)).await, [1, 2]);
    assert!(listed(&given, query(0)).await.is_empty());
    assert_eq!(listed(&given, query(u32::MAX)).await, [1, 2, 3]);
}

async fn finds_the_present(given: Given) {
    good(given.store.commit(creation(1)).await);
    let mut moved = next(&row(1));
    moved.payment.status = PaymentStatus::Succeeded;
    moved.payment.reference = "moved".into();
    good(given.store.commit(moved).await);
    let by = |status| PaymentQuery { statuses: vec![status], ..all() };
    assert!(listed(&given, by(PaymentStatus::Processing)).await.is_empty());
    assert_eq!(listed(&given, by(PaymentStatus::Succeeded)).await, [1]);
    let query = PaymentQuery { reference: Some("order-1".into()), ..all() };
    assert!(listed(&given, query).await.is_empty());
}
