//! A change is refused whole: which check comes first, and that nothing is written.

use paymux_orchestrator::store::{CallerKeyRow, Change, Committed, InboxOutcome, PaymentRow, Slot};

use super::{
    Given, Promise,
    build::{
        at, caller_key, change, claim, creation, event, id, next, object, row, settlement, told,
    },
    good,
};

pub(crate) fn promises() -> Vec<Promise> {
    vec![
        Promise::new("refusal::new_payment_that_exists_is_lost", existing_is_lost),
        Promise::new("refusal::change_of_no_payment_is_lost", missing_is_lost),
        Promise::new("refusal::key_is_taken", key_is_taken),
        Promise::new("refusal::key_is_taken_on_the_same_payment", key_is_taken_on_the_same),
        Promise::new("refusal::object_is_taken", object_is_taken),
        Promise::new("refusal::key_is_checked_first", key_is_checked_first),
        Promise::new("refusal::version_is_checked_second", version_is_checked_second),
        Promise::new("refusal::slot_is_checked_third", slot_is_checked_third),
        Promise::new("refusal::taken_key_writes_nothing", taken_key_writes_nothing),
        Promise::new("refusal::lost_version_writes_nothing", lost_version_writes_nothing),
        Promise::new("refusal::refused_slot_writes_nothing", refused_slot_writes_nothing),
        Promise::new("refusal::taken_object_writes_nothing", taken_object_writes_nothing),
        Promise::new("refusal::leaves_the_lease", leaves_the_lease),
    ]
}

async fn existing_is_lost(given: Given) {
    good(given.store.commit(creation(1)).await);
    let again = change(0, PaymentRow { document: "{}".into(), ..row(1) });
    assert_eq!(good(given.store.commit(again).await), Committed::Lost);
    assert_eq!(good(given.store.load(&id(1)).await), Some(row(1)));
}

async fn missing_is_lost(given: Given) {
    assert_eq!(good(given.store.commit(next(&row(1))).await), Committed::Lost);
    assert_eq!(good(given.store.load(&id(1)).await), None);
    assert!(good(given.store.history(&id(1)).await).is_empty());
}

async fn key_is_taken(given: Given) {
    let first = CallerKeyRow { attempt: Some(3), ..caller_key("k", 1) };
    let change = Change { caller_key: Some(first.clone()), ..creation(1) };
    good(given.store.commit(change).await);
    let second = Change { caller_key: Some(caller_key("k", 2)), ..creation(2) };
    assert_eq!(good(given.store.commit(second).await), Committed::KeyTaken(first.clone()));
    assert_eq!(good(given.store.find_caller_key("k").await), Some(first));
}

async fn key_is_taken_on_the_same(given: Given) {
    let key = || Some(caller_key("k", 1));
    good(given.store.commit(Change { caller_key: key(), ..creation(1) }).await);
    let again = Change { caller_key: key(), ..next(&row(1)) };
    assert_eq!(good(given.store.commit(again).await), Committed::KeyTaken(caller_key("k", 1)));
    assert_eq!(good(given.store.load(&id(1)).await), Some(row(1)));
}

async fn object_is_taken(given: Given) {
    good(given.store.commit(Change { objects: vec![object("b")], ..creation(1) }).await);
    good(given.store.commit(Change { objects: vec![object("c")], ..creation(2) }).await);
    let three = vec![object("a"), object("c"), object("b")];
    let answer = good(given.store.commit(Change { objects: three, ..creation(3) }).await);
    assert_eq!(answer, Committed::ObjectTaken { object: object("c"), owner: id(2) });
    assert_eq!(good(given.store.find_object(&object("a")).await), None);
    assert_eq!(good(given.store.find_object(&object("c")).await), Some(id(2)));
}

/// A store in which payment 1 is at version 2, attempt 1 holds its slot, and payment 2 has the key
/// `taken` and the object `taken`; the event `e` waits.
async fn prepared(given: &Given) {
    let take = Change { slot: Slot::Take(1), events: vec![told("t", 1, 1)], ..creation(1) };
    good(given.store.commit(take).await);
    let due = PaymentRow { version: 2, due_at: Some(at(0)), ..row(1) };
    good(given.store.commit(change(1, due)).await);
    let owner = Change {
        caller_key: Some(caller_key("taken", 2)),
        objects: vec![object("taken")],
        ..creation(2)
    };
    good(given.store.commit(owner).await);
    good(given.store.receive(vec![event("e")]).await);
}

/// A change of payment 1 that writes everything, and that no check refuses.
fn sound() -> Change {
    let payment = PaymentRow {
        version: 3,
        reference: "changed".into(),
        in_doubt: true,
        review: true,
        ..row(1)
    };
    Change {
        caller_key: Some(caller_key("free", 1)),
        slot: Slot::Move { from: 1, to: 2 },
        objects: vec![object("free")],
        events: vec![told("new-1", 1, 3), told("new-2", 1, 3)],
        inbox: vec![settlement("e", InboxOutcome::Applied)],
        ..change(2, payment)
    }
}

fn with_taken_key(change: Change) -> Change {
    Change { caller_key: Some(caller_key("taken", 1)), ..change }
}

fn with_lost_version(mut change: Change) -> Change {
    change.from_version = 1;
    change.payment.version = 2;
    change.transition.version = 2;
    for event in &mut change.events {
        event.version = 2;
    }
    change
}

fn with_refused_slot(change: Change) -> Change {
    Change { slot: Slot::Take(2), ..change }
}

fn with_taken_object(change: Change) -> Change {
    Change { objects: vec![object("free"), object("taken")], ..change }
}

fn taken_object() -> Committed {
    Committed::ObjectTaken { object: object("taken"), owner: id(2) }
}

async fn key_is_checked_first(given: Given) {
    prepared(&given).await;
    let wrong = with_taken_object(with_refused_slot(with_lost_version(with_taken_key(sound()))));
    let answer = good(given.store.commit(wrong).await);
    assert_eq!(answer, Committed::KeyTaken(caller_key("taken", 2)));
}

async fn version_is_checked_second(given: Given) {
    prepared(&given).await;
    let wrong = with_taken_object(with_refused_slot(with_lost_version(sound())));
    assert_eq!(good(given.store.commit(wrong).await), Committed::Lost);
}

async fn slot_is_checked_third(given: Given) {
    prepared(&given).await;
    let wrong = with_taken_object(with_refused_slot(sound()));
    assert_eq!(good(given.store.commit(wrong).await), Committed::SlotRefused);
    let wrong = with_taken_object(sound());
    assert_eq!(good(given.store.commit(wrong).await), taken_object());
}

/// After a refusal everything reads as before, and the same change without its flaw is done: the
/// key, the slot and the object are still free.
async fn refused_whole(given: Given, wrong: Change, expected: Committed) {
    prepared(&given).await;
    let before = seen(&given).await;
    assert_eq!(good(given.store.commit(wrong).await), expected);
    assert_eq!(seen(&given).await, before);
    assert_eq!(good(given.store.commit(sound()).await), Committed::Done);
    let release = Change { slot: Slot::Release(2), ..next(&sound().payment) };
    assert_eq!(good(given.store.commit(release).await), Committed::Done);
}

async fn taken_key_writes_nothing(given: Given) {
    let taken = Committed::KeyTaken(caller_key("taken", 2));
    refused_whole(given, with_taken_key(sound()), taken).await;
}

async fn lost_version_writes_nothing(given: Given) {
    refused_whole(given, with_lost_version(sound()), Committed::Lost).await;
}

async fn refused_slot_writes_nothing(given: Given) {
    refused_whole(given, with_refused_slot(sound()), Committed::SlotRefused).await;
}

async fn taken_object_writes_nothing(given: Given) {
    refused_whole(given, with_taken_object(sound()), taken_object()).await;
}

/// Everything that can be read of the payments 1 and 2.
async fn seen(given: &Given) -> String {
    let mut all = String::new();
    for n in [1, 2] {
        all += &format!("{:?}\n", good(given.store.load(&id(n)).await));
        all += &format!("{:?}\n", good(given.store.history(&id(n)).await));
    }
    for name in ["free", "taken"] {
        all += &format!("{:?}\n", good(given.store.find_caller_key(name).await));
        all += &format!("{:?}\n", good(given.store.find_object(&object(name)).await));
    }
    all += &format!("{:?}\n", good(given.store.events(0, 100).await));
    all += &format!("{:?}\n", good(given.store.backlog(at(0)).await));
    all
}

async fn leaves_the_lease(given: Given) {
    prepared(&given).await;
    assert_eq!(good(given.store.claim_payments(&claim("a", 0)).await), [id(1)]);
    assert_eq!(good(given.store.commit(with_lost_version(sound())).await), Committed::Lost);
    let refused = with_refused_slot(sound());
    assert_eq!(good(given.store.commit(refused).await), Committed::SlotRefused);
    assert!(good(given.store.claim_payments(&claim("b", 0)).await).is_empty());
}
