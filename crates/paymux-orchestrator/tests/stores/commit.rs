//! What a change writes.

use paymux_core::{PaymentStatus, ProviderId};
use paymux_orchestrator::store::{
    CallerKeyRow, Change, Committed, InboxOutcome, ObjectKind, ObjectRef, PaymentRow,
};

use super::{
    Given, Promise,
    build::{
        account, at, caller_key, change, creation, event, id, next, object, row, settlement, told,
        version,
    },
    good,
};

pub(crate) fn promises() -> Vec<Promise> {
    vec![
        Promise::new("commit::new_payment_is_kept", new_payment_is_kept),
        Promise::new("commit::every_column_can_change", every_column_can_change),
        Promise::new("commit::every_status_survives", every_status_survives),
        Promise::new("commit::versions_follow_each_other", versions_follow_each_other),
        Promise::new("commit::all_parts_are_written", all_parts_are_written),
        Promise::new("commit::caller_key_is_kept", caller_key_is_kept),
        Promise::new("commit::object_is_found", object_is_found),
        Promise::new("commit::object_named_again_is_no_error", object_named_again_is_no_error),
        Promise::new("commit::objects_differ_by_account_and_kind", objects_differ),
        Promise::new("commit::history_is_kept", history_is_kept),
    ]
}

async fn new_payment_is_kept(given: Given) {
    let payment = PaymentRow {
        in_doubt: true,
        review: true,
        due_at: Some(at(5)),
        updated_at: at(2),
        ..row(1)
    };
    let answer = given.store.commit(change(0, payment.clone())).await;
    assert_eq!(good(answer), Committed::Done);
    assert_eq!(good(given.store.load(&id(1)).await), Some(payment));
    assert_eq!(good(given.store.load(&id(2)).await), None);
}

async fn every_column_can_change(given: Given) {
    let first = PaymentRow { in_doubt: true, due_at: Some(at(5)), ..row(1) };
    good(given.store.commit(change(0, first)).await);
    good(given.store.commit(creation(2)).await);
    let changed = PaymentRow {
        version: 2,
        reference: "another".into(),
        status: PaymentStatus::Succeeded,
        in_doubt: false,
        review: true,
        due_at: None,
        updated_at: at(9),
        document: r#"{"another":true}"#.into(),
        ..row(1)
    };
    assert_eq!(good(given.store.commit(change(1, changed.clone())).await), Committed::Done);
    assert_eq!(good(given.store.load(&id(1)).await), Some(changed));
    assert_eq!(good(given.store.load(&id(2)).await), Some(row(2)));
}

async fn every_status_survives(given: Given) {
    for (n, status) in (1..).zip(PaymentStatus::ALL) {
        let mut change = change(0, PaymentRow { status, ..row(n) });
        change.transition.from = status;
        good(given.store.commit(change).await);
        let kept = good(given.store.load(&id(n)).await).map(|payment| payment.status);
        assert_eq!(kept, Some(status));
        let line = &good(given.store.history(&id(n)).await)[0];
        assert_eq!((line.from, line.to), (status, status));
    }
}

async fn versions_follow_each_other(given: Given) {
    for number in 1..=20 {
        assert_eq!(good(given.store.commit(version(1, number)).await), Committed::Done);
    }
    assert_eq!(good(given.store.load(&id(1)).await), Some(PaymentRow { version: 20, ..row(1) }));
    for from in [0, 5, 19, 21] {
        let mut late = version(1, from + 1);
        late.transition.id = "late".into();
        assert_eq!(good(given.store.commit(late).await), Committed::Lost, "from {from}");
    }
}

async fn all_parts_are_written(given: Given) {
    good(given.store.receive(vec![event("e1"), event("e2")]).await);
    let all = Change {
        caller_key: Some(caller_key("k", 1)),
        objects: vec![object("a"), object("b")],
        events: vec![told("t1", 1, 1), told("t2", 1, 1)],
        inbox: vec![
            settlement("e1", InboxOutcome::Applied),
            settlement("e2", InboxOutcome::Later(at(7))),
            settlement("nothing of this name", InboxOutcome::Stale),
        ],
        ..creation(1)
    };
    assert_eq!(good(given.store.commit(all).await), Committed::Done);
    assert_eq!(good(given.store.load(&id(1)).await), Some(row(1)));
    assert_eq!(good(given.store.find_caller_key("k").await), Some(caller_key("k", 1)));
    for name in ["a", "b"] {
        assert_eq!(good(given.store.find_object(&object(name)).await), Some(id(1)));
    }
    assert_eq!(good(given.store.history(&id(1)).await).len(), 1);
    let events = good(given.store.events(0, 10).await);
    let told_of: Vec<&str> = events.iter().map(|line| line.event.id.as_str()).collect();
    assert_eq!(told_of, ["t1", "t2"]);
    let backlog = good(given.store.backlog(at(0)).await);
    assert_eq!(backlog.inbox, 1, "e1 is settled, e2 waits");
}

async fn caller_key_is_kept(given: Given) {
    let key = CallerKeyRow {
        request_digest: "of the second".into(),
        attempt: Some(4_000_000_000),
        created_at: at(3),
        ..caller_key("k", 1)
    };
    good(given.store.commit(creation(1)).await);
    let second = Change { caller_key: Some(key.clone()), ..next(&row(1)) };
    assert_eq!(good(given.store.commit(second).await), Committed::Done);
    assert_eq!(good(given.store.find_caller_key("k").await), Some(key));
    assert_eq!(good(given.store.find_caller_key("K").await), None);
}

async fn object_is_found(given: Given) {
    let named = Change { objects: vec![object("a")], ..creation(1) };
    good(given.store.commit(named).await);
    good(given.store.commit(Change { objects: vec![object("b")], ..creation(2) }).await);
    assert_eq!(good(given.store.find_object(&object("a")).await), Some(id(1)));
    assert_eq!(good(given.store.find_object(&object("b")).await), Some(id(2)));
    assert_eq!(good(given.store.find_object(&object("c")).await), None);
}

async fn object_named_again_is_no_error(given: Given) {
    let twice = vec![object("a"), object("a")];
    let first = Change { objects: twice, ..creation(1) };
    assert_eq!(good(given.store.commit(first).await), Committed::Done);
    let again = Change { objects: vec![object("a"), object("b")], ..next(&row(1)) };
    assert_eq!(good(given.store.commit(again).await), Committed::Done);
    assert_eq!(good(given.store.find_object(&object("b")).await), Some(id(1)));
}

async fn objects_differ(given: Given) {
    let named = |name: &ProviderId, kind| ObjectRef { account: name.clone(), kind, id: "a".into() };
    let all = [
        named(&account("one"), ObjectKind::Payment),
        named(&account("one"), ObjectKind::Part),
        named(&account("one"), ObjectKind::Refund),
        named(&account("two"), ObjectKind::Payment),
    ];
    for (n, object) in (1..).zip(&all) {
        let change = Change { objects: vec![object.clone()], ..creation(n) };
        assert_eq!(good(given.store.commit(change).await), Committed::Done);
    }
    for (n, object) in (1..).zip(&all) {
        assert_eq!(good(given.store.find_object(object).await), Some(id(n)));
    }
}

async fn history_is_kept(given: Given) {
    good(given.store.commit(creation(2)).await);
    let mut lines = Vec::new();
    for number in 1..=12 {
        let mut change = version(1, number);
        change.transition.node = format!("node-{number}");
        change.transition.cause = format!("cause-{number}");
        lines.push(change.transition.clone());
        good(given.store.commit(change).await);
    }
    assert_eq!(good(given.store.history(&id(1)).await), lines);
    assert!(good(given.store.history(&id(3)).await).is_empty());
}
