//! The right to move money is a row: at most one attempt has it.

use paymux_orchestrator::store::{Change, Committed, Slot};

use super::{
    Given, Promise,
    build::{creation, id, version},
    good,
};

pub(crate) fn promises() -> Vec<Promise> {
    vec![
        Promise::new("slot::second_is_refused", second_is_refused),
        Promise::new("slot::holder_cannot_take_it_twice", holder_cannot_take_it_twice),
        Promise::new("slot::released_can_be_taken", released_can_be_taken),
        Promise::new("slot::only_the_holder_releases", only_the_holder_releases),
        Promise::new("slot::only_the_holder_moves", only_the_holder_moves),
        Promise::new("slot::moved_is_held_by_the_next", moved_is_held_by_the_next),
        Promise::new("slot::keep_changes_nothing", keep_changes_nothing),
        Promise::new("slot::each_payment_has_one", each_payment_has_one),
    ]
}

/// Makes these changes of payment 1, one after the other, and compares the answers. A refused one
/// does not count as a version.
async fn story(given: &Given, steps: &[(Slot, Committed)]) {
    let mut number = 1;
    for (slot, expected) in steps {
        let change = Change { slot: *slot, ..version(1, number) };
        let answer = good(given.store.commit(change).await);
        assert_eq!(answer, *expected, "{slot:?} at version {number}");
        if answer == Committed::Done {
            number += 1;
        }
    }
    let kept = good(given.store.load(&id(1)).await).map_or(0, |payment| payment.version);
    assert_eq!(kept, number - 1);
}

const DONE: Committed = Committed::Done;
const REFUSED: Committed = Committed::SlotRefused;

async fn second_is_refused(given: Given) {
    story(&given, &[(Slot::Take(1), DONE), (Slot::Take(2), REFUSED)]).await;
}

async fn holder_cannot_take_it_twice(given: Given) {
    story(&given, &[(Slot::Take(1), DONE), (Slot::Take(1), REFUSED)]).await;
}

async fn released_can_be_taken(given: Given) {
    let steps = [
        (Slot::Take(1), DONE),
        (Slot::Release(1), DONE),
        (Slot::Take(2), DONE),
        (Slot::Release(2), DONE),
        (Slot::Release(2), REFUSED),
    ];
    story(&given, &steps).await;
}

async fn only_the_holder_releases(given: Given) {
    let steps = [
        (Slot::Release(1), REFUSED),
        (Slot::Take(1), DONE),
        (Slot::Release(2), REFUSED),
        (Slot::Take(3), REFUSED),
        (Slot::Release(1), DONE),
    ];
    story(&given, &steps).await;
}

async fn only_the_holder_moves(given: Given) {
    let steps = [
        (Slot::Move { from: 1, to: 2 }, REFUSED),
        (Slot::Take(1), DONE),
        (Slot::Move { from: 2, to: 3 }, REFUSED),
        (Slot::Move { from: 1, to: 2 }, DONE),
    ];
    story(&given, &steps).await;
}

async fn moved_is_held_by_the_next(given: Given) {
    let steps = [
        (Slot::Take(1), DONE),
        (Slot::Move { from: 1, to: 2 }, DONE),
        (Slot::Release(1), REFUSED),
        (Slot::Move { from: 1, to: 3 }, REFUSED),
        (Slot::Take(3), REFUSED),
        (Slot::Move { from: 2, to: u32::MAX }, DONE),
        (Slot::Release(u32::MAX), DONE),
    ];
    story(&given, &steps).await;
}

async fn keep_changes_nothing(given: Given) {
    let steps = [
        (Slot::Keep, DONE),
        (Slot::Take(1), DONE),
        (Slot::Keep, DONE),
        (Slot::Take(2), REFUSED),
        (Slot::Release(1), DONE),
        (Slot::Keep, DONE),
        (Slot::Release(1), REFUSED),
    ];
    story(&given, &steps).await;
}

async fn each_payment_has_one(given: Given) {
    for n in [1, 2] {
        let take = Change { slot: Slot::Take(1), ..creation(n) };
        assert_eq!(good(given.store.commit(take).await), DONE);
    }
    let release = Change { slot: Slot::Release(1), ..version(1, 2) };
    assert_eq!(good(given.store.commit(release).await), DONE);
    let take = Change { slot: Slot::Take(2), ..version(2, 2) };
    assert_eq!(good(given.store.commit(take).await), REFUSED);
}
