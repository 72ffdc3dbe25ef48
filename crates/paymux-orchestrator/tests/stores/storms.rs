//! Many at once: what must come out is known to the last unit.

use std::future::Future;

use paymux_orchestrator::store::{Change, Committed, PaymentRow, Received, Slot};

use super::{
    Given, Promise,
    build::{account, caller_key, change, creation, event, id, next, object, row},
    good,
};

pub(crate) fn promises() -> Vec<Promise> {
    vec![
        Promise::new("storm::no_change_is_lost", no_change_is_lost),
        Promise::new("storm::one_takes_the_slot", one_takes_the_slot),
        Promise::new("storm::one_takes_the_key", one_takes_the_key),
        Promise::new("storm::one_takes_the_object", one_takes_the_object),
        Promise::new("storm::one_event_is_new", one_event_is_new),
    ]
}

const TASKS: u64 = 64;

/// What each of the tasks came to, all of them started at once.
async fn storm<F, T>(given: &Given, task: fn(Given, u64) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let running: Vec<_> =
        (0..TASKS).map(|number| tokio::spawn(task(given.clone(), number))).collect();
    let mut all = Vec::new();
    for task in running {
        all.push(task.await.unwrap());
    }
    all
}

const PAYMENTS: u64 = 20;

/// Each task adds one to each payment, by the version alone.
async fn no_change_is_lost(given: Given) {
    for n in 1..=PAYMENTS {
        good(given.store.commit(change(0, PaymentRow { document: "0".into(), ..row(n) })).await);
    }
    storm(&given, add_one_to_each).await;
    for n in 1..=PAYMENTS {
        let payment = good(given.store.load(&id(n)).await).unwrap();
        assert_eq!(payment.document, TASKS.to_string());
        assert_eq!(payment.version, TASKS + 1);
        let history = good(given.store.history(&id(n)).await);
        assert!(history.iter().map(|line| line.version).eq(1..=TASKS + 1));
    }
}

async fn add_one_to_each(given: Given, number: u64) {
    for step in 0..PAYMENTS {
        // Each begins elsewhere, so that they meet in changing company.
        let n = (number + step) % PAYMENTS + 1;
        loop {
            let payment = good(given.store.load(&id(n)).await).unwrap();
            tokio::task::yield_now().await;
            let count: u64 = payment.document.parse().unwrap();
            let mut change = next(&payment);
            change.payment.document = (count + 1).to_string();
            change.transition.id = format!("{n}/{number}");
            let answer = good(given.store.commit(change).await);
            if answer == Committed::Done {
                break;
            }
            assert_eq!(answer, Committed::Lost);
        }
    }
}

async fn one_takes_the_slot(given: Given) {
    good(given.store.commit(creation(1)).await);
    let answers = storm(&given, take_the_slot).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Committed::Done).count(), 1);
    assert_eq!(good(given.store.load(&id(1)).await).unwrap().version, 2);
}

async fn take_the_slot(given: Given, number: u64) -> Committed {
    loop {
        let payment = good(given.store.load(&id(1)).await).unwrap();
        let slot = Slot::Take(u32::try_from(number).unwrap());
        let answer = good(given.store.commit(Change { slot, ..next(&payment) }).await);
        if answer != Committed::Lost {
            return answer;
        }
    }
}

async fn one_takes_the_key(given: Given) {
    let answers = storm(&given, take_the_key).await;
    let winner = answers.iter().position(|answer| *answer == Committed::Done).unwrap();
    let kept = caller_key("the key", u64::try_from(winner).unwrap() + 1);
    for (n, answer) in (1..).zip(&answers) {
        if n == u64::try_from(winner).unwrap() + 1 {
            assert!(good(given.store.load(&id(n)).await).is_some());
        } else {
            assert_eq!(*answer, Committed::KeyTaken(kept.clone()));
            assert_eq!(good(given.store.load(&id(n)).await), None);
        }
    }
}

async fn take_the_key(given: Given, number: u64) -> Committed {
    let key = caller_key("the key", number + 1);
    let change = Change { caller_key: Some(key), ..creation(number + 1) };
    good(given.store.commit(change).await)
}

async fn one_takes_the_object(given: Given) {
    let answers = storm(&given, take_the_object).await;
    let owner = good(given.store.find_object(&object("it")).await).unwrap();
    let taken = Committed::ObjectTaken { object: object("it"), owner: owner.clone() };
    for (n, answer) in (1..).zip(answers) {
        let expected = if id(n) == owner { Committed::Done } else { taken.clone() };
        assert_eq!(answer, expected);
    }
}

async fn take_the_object(given: Given, number: u64) -> Committed {
    let change = Change { objects: vec![object("it")], ..creation(number + 1) };
    good(given.store.commit(change).await)
}

async fn one_event_is_new(given: Given) {
    let answers = storm(&given, receive_the_event).await;
    let count =
        |wanted: Received| answers.iter().flatten().filter(|answer| **answer == wanted).count();
    assert_eq!((count(Received::New), count(Received::Duplicate)), (2, 126));
}

async fn receive_the_event(given: Given, number: u64) -> Vec<Received> {
    let mut other = event("it");
    other.account = account("two");
    // Against each other, so that a store that locks rows in the order of the call meets itself.
    let mut both = vec![event("it"), other];
    if number % 2 == 1 {
        both.reverse();
    }
    good(given.store.receive(both).await)
}
