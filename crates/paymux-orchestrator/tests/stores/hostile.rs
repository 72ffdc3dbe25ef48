//! Text that has broken stores before: kept to the byte, or refused whole.

use std::slice::from_ref;

use paymux_orchestrator::store::{
    CallerKeyRow, Change, Committed, InboxRow, OutboxRow, PaymentQuery, PaymentRow, Received,
};

use super::{
    Given, Promise,
    build::{caller_key, change, claim, creation, event, id, object, row, told},
    good,
};

pub(crate) fn promises() -> Vec<Promise> {
    vec![
        Promise::new("text::kept_to_the_byte", kept_to_the_byte),
        Promise::new("text::keys_are_told_apart", keys_are_told_apart),
        Promise::new("text::megabytes_are_kept", megabytes_are_kept),
        Promise::new("text::nul_is_kept_or_refused_whole", nul_is_kept_or_refused_whole),
        Promise::new("text::one_bad_event_refuses_the_batch", one_bad_event_refuses_the_batch),
    ]
}

const TEXTS: &[&str] = &[
    "",
    " ",
    "'",
    "\"; DROP TABLE payments; --",
    "'); DELETE FROM payments; --",
    "%_\\'\\\\",
    "$1 ?1 :id @id #{id} {0} %s",
    "\\x00 \\u0000 &#0; \\N NULL",
    "\t\r\n\u{b}\u{7f}\u{1b}[0m",
    "\u{feff}e\u{301} \u{202e}abc \u{200d}\u{2028}",
    "💸👩‍👩‍👧‍👦 ﷽ 漢字 \u{10ffff}",
    "1e999",
    "-0",
];

/// A change of payment `n` with this text wherever text can be.
fn full_of(text: &str, n: u64) -> Change {
    let payment = PaymentRow { reference: text.into(), document: text.into(), ..row(n) };
    let key = CallerKeyRow { request_digest: text.into(), ..caller_key(&format!("{n}{text}"), n) };
    let name = format!("{n}{text}");
    let told = OutboxRow { kind: text.into(), document: text.into(), ..told(&name, n, 1) };
    let mut change = change(0, payment);
    change.caller_key = Some(key);
    change.objects = vec![object(&name)];
    change.events = vec![told];
    let line = &mut change.transition;
    for column in [&mut line.id, &mut line.node, &mut line.cause, &mut line.evidence] {
        *column = text.into();
    }
    line.previous_digest = text.into();
    line.digest = text.into();
    change
}

/// Everything of the change is there, and is found by its text.
async fn is_there(given: &Given, change: &Change) {
    let payment = &change.payment;
    assert_eq!(good(given.store.load(&payment.id).await).as_ref(), Some(payment));
    let reference = Some(payment.reference.clone());
    let query = PaymentQuery { reference, limit: 100, ..PaymentQuery::default() };
    assert!(good(given.store.list(&query).await).contains(payment));
    assert_eq!(good(given.store.history(&payment.id).await), from_ref(&change.transition));
    let key = change.caller_key.as_ref().unwrap();
    assert_eq!(good(given.store.find_caller_key(&key.key).await).as_ref(), Some(key));
    let owner = good(given.store.find_object(&change.objects[0]).await);
    assert_eq!(owner.as_ref(), Some(&payment.id));
    let events = good(given.store.events(0, 100).await);
    assert!(events.iter().any(|line| line.event == change.events[0]));
}

async fn kept_to_the_byte(given: Given) {
    for (n, text) in (1..).zip(TEXTS) {
        let change = full_of(text, n);
        assert_eq!(good(given.store.commit(change.clone()).await), Committed::Done, "{text:?}");
        is_there(&given, &change).await;
        let arrived = InboxRow {
            event: (*text).into(),
            digest: format!("{n}{text}"),
            ..event(&format!("e{n}"))
        };
        assert_eq!(good(given.store.receive(vec![arrived.clone()]).await), [Received::New]);
        let kept = good(given.store.claim_inbox(&claim("'; --", 0)).await);
        assert_eq!(kept, [InboxRow { tries: 1, ..arrived }]);
    }
}

async fn keys_are_told_apart(given: Given) {
    // Alike to a careless comparison: by case, by width, by composition, by trailing space.
    let alike = ["a", "A", "a ", "á", "a\u{301}", "ａ"];
    for (n, text) in (1..).zip(alike) {
        let change = Change {
            caller_key: Some(caller_key(text, n)),
            objects: vec![object(text)],
            events: vec![told(text, n, 1)],
            ..creation(n)
        };
        assert_eq!(good(given.store.commit(change).await), Committed::Done, "{text:?}");
    }
    assert_eq!(good(given.store.events(0, 100).await).len(), alike.len());
}

async fn megabytes_are_kept(given: Given) {
    let text = "💸'\\".repeat(180_000);
    assert!(text.len() > 1_000_000);
    let payment = PaymentRow { document: text.clone(), ..row(1) };
    let mut big = change(0, payment);
    big.transition.evidence.clone_from(&text);
    big.events = vec![OutboxRow { document: text.clone(), ..told("t", 1, 1) }];
    assert_eq!(good(given.store.commit(big.clone()).await), Committed::Done);
    assert_eq!(good(given.store.load(&id(1)).await), Some(big.payment));
    assert_eq!(good(given.store.history(&id(1)).await), [big.transition]);
    assert_eq!(good(given.store.events(0, 1).await)[0].event, big.events[0]);
    let arrived = InboxRow { event: text, ..event("e") };
    good(given.store.receive(vec![arrived.clone()]).await);
    let kept = good(given.store.claim_inbox(&claim("a", 0)).await);
    assert_eq!(kept, [InboxRow { tries: 1, ..arrived }]);
}

async fn nul_is_kept_or_refused_whole(given: Given) {
    let change = full_of("before\0after", 1);
    match given.store.commit(change.clone()).await {
        Ok(answer) => {
            assert_eq!(answer, Committed::Done);
            is_there(&given, &change).await;
        }
        Err(_) => {
            assert_eq!(good(given.store.load(&id(1)).await), None);
            assert!(good(given.store.history(&id(1)).await).is_empty());
            assert!(good(given.store.events(0, 10).await).is_empty());
        }
    }
    assert_eq!(good(given.store.commit(creation(2)).await), Committed::Done, "it still works");
}

async fn one_bad_event_refuses_the_batch(given: Given) {
    let bad = InboxRow { event: "before\0after".into(), ..event("bad") };
    let batch = vec![event("first"), bad.clone(), event("last")];
    match given.store.receive(batch).await {
        Ok(answers) => {
            assert_eq!(answers, [Received::New; 3]);
            let kept = good(given.store.claim_inbox(&claim("a", 0)).await);
            assert!(kept.contains(&InboxRow { tries: 1, ..bad }));
        }
        Err(_) => {
            let both = vec![event("first"), event("last")];
            assert_eq!(good(given.store.receive(both).await), [Received::New; 2]);
        }
    }
}
