use paymux_core::ConfirmStep;

use super::*;
use crate::testing::{accepted, account, at, confirm, object, push, refund};

/// What the merchant ends, and what a person has to look at, is not shown to a payer as payable.
#[test]
fn a_way_to_pay_is_shown_only_while_more_money_may_come() {
    let all = [
        (ReviewReason::Mismatch, false),
        (ReviewReason::Contradiction, false),
        (ReviewReason::LateSuccess, false),
        (ReviewReason::SharedObject, false),
        (ReviewReason::StepRefused, true),
        (ReviewReason::StillInDoubt, true),
        (ReviewReason::UnreportedAmount, true),
        (ReviewReason::ShortAmount, true),
        (ReviewReason::NoEnd, true),
    ];
    for status in [PaymentStatus::RequiresAction, PaymentStatus::RequiresConfirmation] {
        let open = accepted(status);
        assert!(open.next_action().is_some());
        let ending = PaymentRecord { cancel_wanted: true, ..open.clone() };
        assert!(ending.next_action().is_none(), "{status}");
        for (reason, shown) in all {
            let mut record = open.clone();
            let note = String::new();
            record.add_review(Review { reason, attempt: Some(1), note, since: at(0) });
            assert_eq!(record.next_action().is_some(), shown, "{status}, {reason}");
        }
    }
}

/// A provider that cannot tell what waits for our consent would take it as given.
#[test]
fn what_was_confirmed_at_one_account_is_not_confirmed_at_the_next() {
    let mut record = accepted(PaymentStatus::RequiresConfirmation);
    push(&mut record, confirm(ConfirmStep::Authorize), AttemptState::Accepted);
    let confirmed = |record: &PaymentRecord| record.handle().unwrap().confirmed;
    assert_eq!(confirmed(&record), Some(vec![ConfirmStep::Authorize]));
    crate::settle::abandon(&mut record, 1, at(1));
    let second = crate::testing::create(&record, 3);
    let no = push(&mut record, second, AttemptState::Accepted);
    record.attempt_mut(no).unwrap().account = account("b");
    let mut payment = crate::testing::seen(PaymentStatus::RequiresConfirmation);
    payment.provider = account("b");
    record.provider = Some(payment);
    assert_eq!(confirmed(&record), Some(vec![]));
}

/// The same account can have two objects of one payment.
#[test]
fn what_was_confirmed_of_one_object_is_not_confirmed_of_another() {
    let mut record = accepted(PaymentStatus::RequiresConfirmation);
    push(&mut record, confirm(ConfirmStep::Authorize), AttemptState::Accepted);
    record.provider.as_mut().unwrap().id = object("obj2");
    assert_eq!(record.handle().unwrap().confirmed, Some(vec![]));
}

/// Its provider knows a refund by what it gives back, whatever counts by now.
#[test]
fn a_refund_is_asked_for_by_the_object_that_it_gives_back() {
    let mut record = accepted(PaymentStatus::Succeeded);
    let no = push(&mut record, refund(), AttemptState::Accepted);
    let asked = |record: &PaymentRecord| {
        record.handle_of_refund(record.attempt(no).unwrap()).map(|handle| handle.id)
    };
    assert_eq!(asked(&record), Some(object("obj1")));
    record.provider.as_mut().unwrap().id = object("obj2");
    assert_eq!(asked(&record), Some(object("obj1")));
    record.provider = None;
    assert_eq!(asked(&record), Some(object("obj1")));
}

/// What is empty, nothing or not so was written out once; such documents are read, and are written
/// shorter from then on.
#[test]
fn a_document_that_says_everything_is_read() {
    let text = include_str!("long.json");
    let record: PaymentRecord = serde_json::from_str(text).unwrap();
    assert!(record.is_paid());
    let attempt = record.attempt(1).unwrap();
    assert_eq!((attempt.state, attempt.sends, attempt.doubted), (AttemptState::Accepted, 1, false));
    let short = serde_json::to_string(&record).unwrap();
    assert!(short.len() * 4 < text.len() * 3, "{short}");
    let again: PaymentRecord = serde_json::from_str(&short).unwrap();
    assert_eq!(format!("{again:?}"), format!("{record:?}"));
}

/// Nothing that is so is left out.
#[test]
fn what_is_so_is_written() {
    let mut value: serde_json::Value = serde_json::from_str(include_str!("long.json")).unwrap();
    let fault = serde_json::json!({
        "kind": "timeout", "effect": "possible", "retryable": true, "message": "m", "field": "f",
        "code": "c", "request_id": "r", "http_status": 504, "retry_after_ms": 7, "offered": false,
        "failure": {"kind": "declined", "code": "c", "message": "m"},
    });
    let refund = serde_json::json!({
        "id": "i", "reference": "r", "payment": "p", "part": "q", "status": "succeeded",
        "provider_status": "s", "amount": {"minor": "1", "currency": "USD"}, "failure": null,
    });
    let provider = value["provider"].clone();
    for (place, said) in [
        ("/failure", serde_json::json!({"kind": "declined", "code": null, "message": null})),
        (
            "/reviews",
            serde_json::json!([{"reason": "no_end", "attempt": 1, "note": "n", "since": 1}]),
        ),
        (
            "/let_pass",
            serde_json::json!([{"reason": "no_end", "attempt": 1, "note": "n", "since": 1}]),
        ),
        ("/cancel_wanted", true.into()),
        ("/link_shown", true.into()),
        ("/unreported_amount_accepted", true.into()),
        ("/accepted_amount", serde_json::json!({"minor": "1", "currency": "USD"})),
        ("/steps_by_hand", true.into()),
        ("/figure_looked_for", true.into()),
        ("/consent_wanted_at", 7.into()),
        ("/seen_at", 7.into()),
        ("/next_look_at", 7.into()),
        ("/looks", 7.into()),
        ("/looks_kept_back", 7.into()),
        ("/undocumented_status", "odd".into()),
        ("/attempts/0/doubted", true.into()),
        ("/attempts/0/doubtful_send_at", 7.into()),
        ("/attempts/0/rung", 7.into()),
        ("/attempts/0/next_try_at", 7.into()),
        ("/attempts/0/wanted_again", true.into()),
        ("/attempts/0/sent_as", serde_json::json!({"request": "r", "kind": "k", "live": true})),
        ("/attempts/0/key_used", true.into()),
        ("/attempts/0/in_conflict", true.into()),
        ("/attempts/0/seen_unchanged", true.into()),
        ("/attempts/0/not_found_at", serde_json::json!([7])),
        ("/attempts/0/reserved", serde_json::json!({"minor": "1", "currency": "USD"})),
        ("/attempts/0/amount_before", serde_json::json!({"minor": "1", "currency": "USD"})),
        ("/attempts/0/watch_at", 7.into()),
        ("/attempts/0/gives_back", 7.into()),
        ("/provider", provider.clone()),
        ("/looked_at", 7.into()),
        ("/attempts/0/object", "o".into()),
        ("/attempts/0/first_sent_at", 7.into()),
        ("/attempts/0/sent_at", 7.into()),
        ("/attempts/0/settled_at", 7.into()),
        ("/attempts/0/fault", fault),
        ("/attempts/0/refund", refund.clone()),
        ("/attempts/0/refund_contradicted", refund),
        ("/attempts/0/left", serde_json::json!([provider])),
    ] {
        *value.pointer_mut(place).unwrap() = said.clone();
        let record: PaymentRecord = serde_json::from_value(value.clone()).unwrap();
        let kept = serde_json::to_value(&record).unwrap();
        assert_eq!(kept.pointer(place), Some(&said), "{place}");
    }
}
