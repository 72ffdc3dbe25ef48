use paymux_core::{ErrorKind, PaymentStatus, Refund, RefundStatus};

use super::*;
use crate::testing::{accepted, capture, eur, object, push, refund};

/// Taken, given back, charged back, reserved by a refund on its way, and what is left.
#[test]
fn what_can_be_given_back_is_what_nobody_took_back_yet() {
    let table = [
        (Some(1_000), None, None, None, Some(1_000)),
        (Some(1_000), Some(300), None, None, Some(700)),
        (Some(1_000), None, Some(300), None, Some(700)),
        (Some(1_000), Some(300), Some(300), None, Some(400)),
        (Some(1_000), Some(300), Some(300), Some(400), None),
        (Some(1_000), None, Some(1_000), None, None),
        (Some(1_000), Some(600), Some(600), None, None),
        (Some(0), None, None, None, None),
        (None, None, None, None, None),
    ];
    for (captured, refunded, charged_back, reserved, left) in table {
        let mut record = accepted(PaymentStatus::Succeeded);
        let amounts = &mut record.provider.as_mut().unwrap().amounts;
        amounts.captured = captured.map(eur);
        amounts.refunded = refunded.map(eur);
        amounts.charged_back = charged_back.map(eur);
        if let Some(reserved) = reserved {
            push(&mut record, refund(), AttemptState::Accepted);
            record.attempts[1].reserved = Some(eur(reserved));
            record.attempts[1].refund = Some(Refund::new(RefundStatus::Processing, "a word"));
        }
        let found = left_to_give_back(&record);
        assert_eq!(found.as_ref().ok(), left.map(eur).as_ref(), "{captured:?} {charged_back:?}");
        assert!(found.is_ok() || found.unwrap_err().kind() == ErrorKind::Conflict);
    }
}

/// All that is left is not known to us: the provider's own page is.
#[test]
fn nothing_is_given_back_while_nobody_says_how_much_went_back_already() {
    let mut record = accepted(PaymentStatus::Succeeded);
    record.provider.as_mut().unwrap().amounts.given_back_unstated = true;
    assert_eq!(left_to_give_back(&record).unwrap_err().kind(), ErrorKind::Conflict);
}

/// Held and taken by the provider's word, captures that it accepted, and what can be taken yet.
#[test]
fn what_can_be_taken_is_what_is_held_and_not_taken_yet() {
    type Row = (Option<i128>, Option<i128>, &'static [Option<i128>], i128);
    let table: [Row; 10] = [
        (Some(1_000), None, &[], 1_000),
        (Some(600), Some(400), &[Some(400)], 600),
        (None, None, &[], 1_000),
        (None, Some(400), &[], 600),
        (None, None, &[Some(400)], 600),
        (None, Some(400), &[Some(400)], 600),
        (None, Some(400), &[Some(400), Some(500)], 100),
        (None, Some(1_000), &[], 0),
        (None, Some(1_100), &[], 0),
        (None, None, &[None], 0),
    ];
    for (number, (authorized, captured, captures, left)) in (1..).zip(table) {
        let mut record = accepted(PaymentStatus::Authorized);
        let amounts = &mut record.provider.as_mut().unwrap().amounts;
        amounts.authorized = authorized.map(eur);
        amounts.captured = captured.map(eur);
        for amount in captures {
            let Intent::Capture(mut request) = capture() else { panic!("a capture") };
            request.amount = amount.map(eur);
            push(&mut record, Intent::Capture(request), AttemptState::Accepted);
        }
        // One that was refused took nothing.
        push(&mut record, capture(), AttemptState::Rejected);
        assert_eq!(held(&record), eur(left), "number {number}");
    }
}

/// By the figures of now, with what is on its way: the payment's own, or those of what was left.
#[test]
fn a_refund_is_sent_only_while_what_it_gives_back_is_still_there() {
    let table = [
        (Some(1_000), None, None, true),
        (Some(1_000), Some(600), None, true),
        (Some(1_000), Some(601), None, false),
        (Some(1_000), None, Some(600), true),
        (Some(1_000), None, Some(601), false),
        (Some(1_000), Some(300), Some(301), false),
        (None, None, None, true),
    ];
    for (captured, refunded, charged_back, is_there) in table {
        for is_left in [false, true] {
            let mut record = accepted(PaymentStatus::Succeeded);
            let no = push(&mut record, refund(), AttemptState::Intent);
            record.attempts[1].reserved = Some(eur(400));
            let mut shown = record.provider.take().unwrap();
            shown.amounts.captured = captured.map(eur);
            shown.amounts.refunded = refunded.map(eur);
            shown.amounts.charged_back = charged_back.map(eur);
            if is_left {
                record.attempts[0].left.push(shown);
                record.attempts[1].gives_back = Some(1);
            } else {
                record.provider = Some(shown);
            }
            let attempt = record.attempt(no).unwrap();
            let what = format!("{captured:?} {refunded:?} {charged_back:?}, left: {is_left}");
            assert_eq!(is_still_there(&record, attempt), is_there, "{what}");
        }
    }
}

/// What was taken of another object is not taken of this one.
#[test]
fn what_is_held_is_held_whatever_was_taken_elsewhere() {
    for (id, left) in [("obj1", 600), ("obj2", 1_000)] {
        let mut record = accepted(PaymentStatus::Authorized);
        record.provider.as_mut().unwrap().amounts.authorized = None;
        let Intent::Capture(mut request) = capture() else { panic!("a capture") };
        request.amount = Some(eur(400));
        request.payment.id = object(id);
        push(&mut record, Intent::Capture(request), AttemptState::Accepted);
        assert_eq!(held(&record), eur(left), "{id}");
    }
}

/// What had been given back there goes on counting when it is the object that counts.
#[test]
fn what_went_back_of_the_object_that_counts_now_is_gone() {
    for (id, expected) in [("obj1", 1_000), ("obj2", 0)] {
        let mut record = accepted(PaymentStatus::Succeeded);
        let Intent::Refund(mut request) = refund() else { panic!("a refund") };
        request.payment.id = object(id);
        push(&mut record, Intent::Refund(request), AttemptState::Accepted);
        record.attempts[1].gives_back = Some(1);
        record.attempts[1].reserved = Some(eur(1_000));
        record.attempts[1].refund = Some(Refund::new(RefundStatus::Succeeded, "a word"));
        assert_eq!(gone_for_refunds(&record), Some(eur(expected)), "{id}");
    }
}
