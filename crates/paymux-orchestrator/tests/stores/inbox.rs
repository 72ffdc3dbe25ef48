//! Events of webhooks as they arrive.

use std::slice::from_ref;

use paymux_core::Trust;
use paymux_orchestrator::store::{InboxOutcome, InboxRow, Received};

use super::{
    Given, Promise,
    build::{HOUR, account, at, claim, event, settlement, tried},
    good,
};

pub(crate) fn promises() -> Vec<Promise> {
    vec![
        Promise::new("inbox::new_is_kept_whole", new_is_kept_whole),
        Promise::new("inbox::again_is_a_duplicate", again_is_a_duplicate),
        Promise::new("inbox::other_content_is_a_contradiction", other_content),
        Promise::new("inbox::same_content_is_merged", same_content_is_merged),
        Promise::new("inbox::merged_is_remembered", merged_is_remembered),
        Promise::new("inbox::settled_takes_no_more", settled_takes_no_more),
        Promise::new("inbox::claimed_takes_no_more", claimed_takes_no_more),
        Promise::new("inbox::postponed_takes_more", postponed_takes_more),
        Promise::new("inbox::old_takes_no_more", old_takes_no_more),
        Promise::new("inbox::accounts_are_apart", accounts_are_apart),
        Promise::new("inbox::one_call_is_not_merged", one_call_is_not_merged),
        Promise::new("inbox::answers_are_in_order", answers_are_in_order),
        Promise::new("inbox::nothing_at_all", nothing_at_all),
    ]
}

async fn received(given: &Given, events: &[InboxRow]) -> Vec<Received> {
    good(given.store.receive(events.to_vec()).await)
}

async fn one(given: &Given, event: &InboxRow) -> Received {
    let answers = received(given, from_ref(event)).await;
    assert_eq!(answers.len(), 1);
    answers[0]
}

async fn waiting(given: &Given) -> u64 {
    good(given.store.backlog(at(0)).await).inbox
}

fn like(key: &str, content: &str) -> InboxRow {
    InboxRow { digest: event(content).digest, ..event(key) }
}

async fn new_is_kept_whole(given: Given) {
    let trusts = [Trust::Unsigned, Trust::Signed, Trust::SignedFresh];
    let rows: Vec<InboxRow> = (0_i64..)
        .zip(trusts)
        .map(|(n, trust)| InboxRow {
            trust,
            received_at: at(-n),
            due_at: at(n),
            tries: 5,
            ..event(&format!("e{n}"))
        })
        .collect();
    assert_eq!(received(&given, &rows).await, [Received::New; 3]);
    let kept = good(given.store.claim_inbox(&claim("a", 10)).await);
    let tried: Vec<InboxRow> =
        rows.into_iter().map(|row| InboxRow { tries: row.tries + 1, ..row }).collect();
    assert_eq!(kept, tried);
}

async fn again_is_a_duplicate(given: Given) {
    assert_eq!(one(&given, &event("e")).await, Received::New);
    let later = InboxRow { received_at: at(9), due_at: at(9), ..event("e") };
    assert_eq!(one(&given, &later).await, Received::Duplicate);
    assert_eq!(waiting(&given).await, 1);
    good(given.store.settle_inbox(&settlement("e", InboxOutcome::Applied)).await);
    assert_eq!(one(&given, &later).await, Received::Duplicate);
    assert_eq!(waiting(&given).await, 0);
}

async fn other_content(given: Given) {
    assert_eq!(one(&given, &event("e")).await, Received::New);
    assert_eq!(one(&given, &like("e", "another")).await, Received::Contradiction);
    assert_eq!(waiting(&given).await, 1);
    let kept = good(given.store.claim_inbox(&claim("a", 0)).await);
    assert_eq!(kept[0].digest, event("e").digest, "the first one stays");
    good(given.store.settle_inbox(&tried(1, "e", InboxOutcome::Applied)).await);
    assert_eq!(one(&given, &like("e", "another")).await, Received::Contradiction);
    assert_eq!(waiting(&given).await, 0);
}

async fn same_content_is_merged(given: Given) {
    assert_eq!(one(&given, &event("e")).await, Received::New);
    assert_eq!(one(&given, &like("f", "e")).await, Received::Merged);
    assert_eq!(one(&given, &like("g", "e")).await, Received::Merged);
    assert_eq!(waiting(&given).await, 1);
    let kept = good(given.store.claim_inbox(&claim("a", 0)).await);
    assert_eq!(kept.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["e"]);
}

async fn merged_is_remembered(given: Given) {
    one(&given, &event("e")).await;
    assert_eq!(one(&given, &like("f", "e")).await, Received::Merged);
    assert_eq!(one(&given, &like("f", "e")).await, Received::Duplicate);
    assert_eq!(one(&given, &like("f", "another")).await, Received::Contradiction);
    good(given.store.settle_inbox(&settlement("e", InboxOutcome::Applied)).await);
    assert_eq!(one(&given, &like("f", "e")).await, Received::Duplicate);
    assert_eq!(one(&given, &like("g", "e")).await, Received::New, "f does not wait either");
}

async fn settled_takes_no_more(given: Given) {
    one(&given, &event("e")).await;
    good(given.store.settle_inbox(&settlement("e", InboxOutcome::Stale)).await);
    assert_eq!(one(&given, &like("f", "e")).await, Received::New);
    assert_eq!(waiting(&given).await, 1);
}

async fn claimed_takes_no_more(given: Given) {
    one(&given, &event("e")).await;
    good(given.store.claim_inbox(&claim("a", 0)).await);
    assert_eq!(one(&given, &like("f", "e")).await, Received::New, "its look may be over");
}

async fn postponed_takes_more(given: Given) {
    one(&given, &event("e")).await;
    good(given.store.claim_inbox(&claim("a", 0)).await);
    good(given.store.settle_inbox(&tried(1, "e", InboxOutcome::Later(at(9)))).await);
    assert_eq!(one(&given, &like("f", "e")).await, Received::Merged);
}

/// One that has waited long is given up before one that comes now should be.
async fn old_takes_no_more(given: Given) {
    let hour = i64::try_from(HOUR.as_millis()).unwrap();
    let arrived =
        |key, millis| InboxRow { received_at: at(millis), digest: "content".into(), ..event(key) };
    assert_eq!(one(&given, &arrived("old", 0)).await, Received::New);
    assert_eq!(one(&given, &arrived("soon", hour - 1)).await, Received::Merged);
    assert_eq!(one(&given, &arrived("late", hour)).await, Received::New);
    assert_eq!(one(&given, &arrived("later", hour + 1)).await, Received::Merged);
}

async fn accounts_are_apart(given: Given) {
    one(&given, &event("e")).await;
    let other = InboxRow { account: account("two"), ..like("e", "another") };
    assert_eq!(one(&given, &other).await, Received::New);
    let other = InboxRow { account: account("two"), ..like("f", "e") };
    assert_eq!(one(&given, &other).await, Received::New);
    assert_eq!(waiting(&given).await, 3);
    good(given.store.settle_inbox(&settlement("e", InboxOutcome::Applied)).await);
    assert_eq!(waiting(&given).await, 2);
}

async fn one_call_is_not_merged(given: Given) {
    let both = [event("e"), like("f", "e")];
    assert_eq!(received(&given, &both).await, [Received::New; 2]);
    assert_eq!(waiting(&given).await, 2);
}

async fn answers_are_in_order(given: Given) {
    received(&given, &[event("a"), event("b")]).await;
    let batch = [
        event("c"),
        like("a", "another"),
        event("b"),
        like("d", "b"),
        event("c"),
        like("c", "another"),
        event("C"),
    ];
    let expected = [
        Received::New,
        Received::Contradiction,
        Received::Duplicate,
        Received::Merged,
        Received::Duplicate,
        Received::Contradiction,
        Received::New,
    ];
    assert_eq!(received(&given, &batch).await, expected);
    assert_eq!(waiting(&given).await, 4);
}

async fn nothing_at_all(given: Given) {
    assert!(received(&given, &[]).await.is_empty());
}
