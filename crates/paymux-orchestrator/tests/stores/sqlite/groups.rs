//! One thread writes, and writes what waits in one transaction.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Waker},
    time::Duration,
};

use libtest_mimic::Trial;
use paymux_orchestrator::store::{
    Change, Committed, Store, StoreError, StoreErrorKind, StoreResult,
    sqlite::{SqliteSettings, SqliteStore},
};

use super::{
    super::{
        build::{caller_key, creation, id, row, version},
        good,
    },
    Directory, trial,
};

/// The trials of the writer.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("what_waits_is_one_commit", what_waits_is_one_commit),
        trial("refusal_leaves_its_neighbors", refusal_leaves_its_neighbors),
        trial("failure_leaves_its_neighbors", failure_leaves_its_neighbors),
        trial("end_of_a_transaction_is_told_to_all", end_of_a_transaction_is_told_to_all),
        trial("locked_file_is_said_so", locked_file_is_said_so),
        trial("dropped_call_is_written", dropped_call_is_written),
    ]
}

/// Calls that were handed to the writer, which cannot begin: another hand holds the file.
async fn together<'a>(
    directory: &Directory,
    store: &'a SqliteStore,
    changes: Vec<Change>,
) -> Vec<StoreResult<Committed>> {
    let other = directory.other_hand();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut calls: Vec<Pin<Box<dyn Future<Output = _> + Send + 'a>>> =
        changes.into_iter().map(|change| store.commit(change)).collect();
    let mut context = Context::from_waker(Waker::noop());
    for call in &mut calls {
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    other.execute_batch("ROLLBACK").unwrap();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await);
    }
    answers
}

async fn what_waits_is_one_commit(directory: Directory) {
    let store = good(directory.open());
    let before = store.commits();
    let changes = (1..=100).map(creation).collect();
    let answers = together(&directory, &store, changes).await;
    assert!(answers.into_iter().all(|answer| good(answer) == Committed::Done));
    assert_eq!(store.commits() - before, 1);
    for n in 1..=100 {
        assert_eq!(good(store.load(&id(n)).await), Some(row(n)));
    }
}

/// One is refused before it wrote anything, one after it wrote its caller's key.
async fn refusal_leaves_its_neighbors(directory: Directory) {
    let store = good(directory.open());
    let first = Change { caller_key: Some(caller_key("first", 1)), ..creation(1) };
    assert_eq!(good(store.commit(first).await), Committed::Done);
    let again = Change { caller_key: Some(caller_key("first", 2)), ..creation(2) };
    let late = Change { caller_key: Some(caller_key("late", 1)), ..version(1, 3) };
    let before = store.commits();
    let changes = vec![creation(3), again, creation(4), late, creation(5), version(3, 2)];
    let answers = together(&directory, &store, changes).await;
    let taken = || Committed::KeyTaken(caller_key("first", 1));
    let done = || Committed::Done;
    let expected = [done(), taken(), done(), Committed::Lost, done(), done()];
    assert_eq!(answers.into_iter().map(good).collect::<Vec<_>>(), expected);
    assert_eq!(store.commits() - before, 1);
    let version = async |n| good(store.load(&id(n)).await).map(|row| row.version);
    let kept = [version(1).await, version(2).await, version(3).await, version(5).await];
    assert_eq!(kept, [Some(1), None, Some(2), Some(1)]);
    assert_eq!(good(store.find_caller_key("late").await), None, "it can be used again");
}

/// Ten new payments, of which the database refuses the fifth in this way.
async fn with_a_bad_one(
    directory: &Directory,
    store: &SqliteStore,
    way: &str,
) -> Vec<StoreResult<Committed>> {
    let trigger = format!(
        "CREATE TRIGGER bad AFTER INSERT ON transitions WHEN NEW.payment_id = '{}'
         BEGIN SELECT RAISE({way}, 'on purpose'); END",
        id(5)
    );
    directory.other_hand().execute_batch(&trigger).unwrap();
    together(directory, store, (1..=10).map(creation).collect()).await
}

async fn failure_leaves_its_neighbors(directory: Directory) {
    let store = good(directory.open());
    let before = store.commits();
    let answers = with_a_bad_one(&directory, &store, "ABORT").await;
    assert_eq!(store.commits() - before, 1);
    for (n, answer) in (1..).zip(answers) {
        let kept = good(store.load(&id(n)).await);
        if n == 5 {
            assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Corrupt);
            assert_eq!(kept, None, "what it wrote before it failed is gone");
        } else {
            assert_eq!(good(answer), Committed::Done);
            assert_eq!(kept, Some(row(n)));
        }
    }
}

/// Some failures end the whole transaction. Nobody of the group may then believe to be written.
async fn end_of_a_transaction_is_told_to_all(directory: Directory) {
    let store = good(directory.open());
    let before = store.commits();
    let answers = with_a_bad_one(&directory, &store, "ROLLBACK").await;
    let mut done = 0;
    for (n, answer) in (1..).zip(answers) {
        let kept = good(store.load(&id(n)).await);
        match answer {
            Ok(answer) => {
                assert_eq!((answer, kept), (Committed::Done, Some(row(n))));
                assert!(n > 5, "it was in the transaction that ended");
                done += 1;
            }
            Err(error) => {
                assert!(error.to_string().contains("nothing was written"), "{error}");
                assert_eq!(kept, None);
            }
        }
    }
    assert_eq!(done, 5, "those behind it have a transaction of their own");
    assert_eq!(store.commits() - before, 1);
}

async fn locked_file_is_said_so(directory: Directory) {
    let brief = SqliteSettings { busy_timeout: Duration::ZERO, ..SqliteSettings::default() };
    let store = good(SqliteStore::open_with(directory.database(), brief));
    let other = directory.other_hand();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error: StoreError = store.commit(creation(1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let message = error.to_string();
    assert!(message.contains("locked; nothing was written"), "{message}");
    assert_eq!(good(store.load(&id(1)).await), None, "reading goes on");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(good(store.commit(creation(1)).await), Committed::Done);
}

/// A caller that went away does not take its change along.
async fn dropped_call_is_written(directory: Directory) {
    let store = good(directory.open());
    let other = directory.other_hand();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut call = store.commit(creation(1));
    assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(call);
    other.execute_batch("ROLLBACK").unwrap();
    drop(store);
    let store = good(directory.open());
    assert_eq!(good(store.load(&id(1)).await), Some(row(1)));
}
