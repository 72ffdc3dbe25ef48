//! Words that arrive in another order than they were asked for.

use paymux_core::{Sensitive, Url};

use super::*;
use crate::settle::{Outcome, settle};

/// Takes a word in that was asked for at this second.
fn asked(record: &mut PaymentRecord, payment: Payment, second: i64) -> Observed {
    let (random, account) = (SeededRandom::new(1), charges());
    let context = Context { asked_at: at(second), ..context(&account, &random, at(100)) };
    observe(record, payment, &context)
}

fn given_back(status: PaymentStatus, minor: i128) -> Payment {
    let mut payment = seen(status);
    payment.amounts.refunded = Some(eur(minor));
    payment
}

/// Whoever is faster: the later question counts.
#[test]
fn the_order_of_arrival_changes_nothing() {
    let words = || ALL.into_iter().filter(|status| *status != PaymentStatus::Unknown);
    for first in words() {
        for second in words() {
            let end = |places: [usize; 2]| {
                let mut record = accepted(PaymentStatus::RequiresAction);
                let told = [(first, 40, 0), (second, 50, 300)];
                for place in places {
                    let (status, moment, back) = told[place];
                    asked(&mut record, given_back(status, back), moment);
                }
                record
            };
            let (ours, other) = (end([0, 1]), end([1, 0]));
            let both = format!("{first}, then {second}");
            assert_eq!(ours.looked_at, other.looked_at, "{both}");
            let reviews = |record: &PaymentRecord| record.reviews.len();
            assert_eq!(reviews(&ours), reviews(&other), "{both}");
            assert_eq!(ours.is_paid(), other.is_paid(), "{both}");
            // Two ends that contradict each other are for a person; which one came first stays.
            if reviews(&ours) > 0 {
                continue;
            }
            assert_eq!(ours.status, other.status, "{both}");
            if first.can_become(second) {
                let amounts = |record: &PaymentRecord| record.provider.clone().unwrap().amounts;
                assert_eq!(amounts(&ours), amounts(&other), "{both}");
                let action = |record: PaymentRecord| record.provider.unwrap().next_action.is_some();
                assert_eq!(action(ours), action(other), "{both}");
            }
        }
    }
}

#[test]
fn what_was_given_back_is_not_forgotten_for_an_answer_that_was_slow() {
    let mut record = accepted(PaymentStatus::Succeeded);
    assert!(record.is_paid());
    asked(&mut record, given_back(PaymentStatus::Succeeded, 1_000), 50);
    assert!(!record.is_paid());
    let what = asked(&mut record, given_back(PaymentStatus::Succeeded, 0), 40);
    assert_eq!(what, Observed::Nothing);
    assert!(!record.is_paid());
    assert!(record.next_look_at > Some(at(100)), "it is asked again, and not in a hurry");
}

/// What the later answer left out is known by the earlier one: the way to pay above all.
#[test]
fn an_answer_that_was_slow_fills_what_is_missing() {
    let mut record = accepted(PaymentStatus::RequiresAction);
    let mut silent = seen(PaymentStatus::RequiresAction);
    silent.next_action = None;
    record.provider = Some(silent.clone());
    asked(&mut record, silent, 50);
    assert!(!record.link_shown);
    asked(&mut record, seen(PaymentStatus::RequiresAction), 40);
    assert!(record.next_action().is_some() && record.link_shown);
}

/// Somebody looked while a call of ours was under way. The call is settled, and what it came to is
/// asked for once more.
#[test]
fn the_answer_to_a_call_may_be_older_than_what_is_known() {
    let (random, account) = (SeededRandom::new(1), charges());
    let mut record = accepted(PaymentStatus::Processing);
    let no = push(&mut record, capture(), AttemptState::Sending);
    asked(&mut record, given_back(PaymentStatus::Succeeded, 1_000), 50);
    let context = Context { asked_at: at(0), ..context(&account, &random, at(100)) };
    let answer = Outcome::Payment(Box::new(given_back(PaymentStatus::Succeeded, 0)));
    settle(&mut record, no, 1, answer, &context);
    assert_eq!(record.attempts[1].state, AttemptState::Accepted);
    assert!(!record.is_paid());
    assert_eq!(record.next_look_at, Some(at(100)));
}

/// The figure is looked for by a look that began after it was missed.
#[test]
fn an_answer_that_was_slow_is_not_the_look_for_the_figure() {
    let mut record = accepted(PaymentStatus::Processing);
    let mut payment = seen(PaymentStatus::Succeeded);
    payment.amounts.captured = None;
    asked(&mut record, payment.clone(), 50);
    asked(&mut record, payment.clone(), 40);
    assert!(record.reviews.is_empty());
    asked(&mut record, payment, 60);
    assert!(record.is_under_review(ReviewReason::UnreportedAmount));
}

/// What a payer needs and nobody writes down is taken from whichever answer has it.
#[test]
fn an_answer_that_was_slow_brings_what_is_not_written_down() {
    let form = |fields: Sensitive<Vec<(String, String)>>| {
        let mut payment = seen(PaymentStatus::RequiresAction);
        let url = Url::parse("https://pay.example/1").unwrap();
        let method = "POST".to_owned();
        payment.next_action = Some(NextAction::SubmitForm { url, method, fields });
        payment
    };
    let whole = || form(Sensitive::new(vec![("token".to_owned(), "secret".to_owned())]));
    let written = serde_json::to_string(&whole()).unwrap();
    let read: Payment = serde_json::from_str(&written).unwrap();
    let mut silent = whole();
    silent.next_action = None;
    for (answer, lacks) in [(whole(), false), (silent, true)] {
        let mut record = accepted(PaymentStatus::RequiresAction);
        asked(&mut record, seen(PaymentStatus::RequiresAction), 50);
        record.provider = Some(read.clone());
        assert!(record.lacks_way_to_pay());
        asked(&mut record, answer, 40);
        assert_eq!(record.lacks_way_to_pay(), lacks);
        assert!(record.next_action().is_some());
    }
}

/// Events come late and again: figures that they name are of then.
#[test]
fn an_event_takes_no_figure_back() {
    let word = |status, captured: Option<i128>, refunded: Option<i128>, moment: Option<i64>| {
        let mut payment = seen(status);
        payment.amounts.captured = captured.map(eur);
        payment.amounts.refunded = refunded.map(eur);
        payment.updated_at = moment.map(at);
        payment
    };
    let known = |status| word(status, Some(400), Some(100), Some(50));
    let table = [
        (Some(0), Some(0), None, (400, 100)),
        (Some(700), Some(200), None, (700, 200)),
        (None, None, None, (400, 100)),
        (Some(700), Some(200), Some(49), (400, 100)),
        (Some(700), Some(200), Some(50), (700, 200)),
    ];
    for status in
        [PaymentStatus::Authorized, PaymentStatus::PartiallyPaid, PaymentStatus::Succeeded]
    {
        for (captured, refunded, moment, expected) in table {
            let mut record = accepted(status);
            record.provider = Some(known(status));
            observed(&mut record, word(status, captured, refunded, moment), Source::Event);
            let amounts = record.provider.unwrap().amounts;
            let found = (amounts.captured.unwrap().minor(), amounts.refunded.unwrap().minor());
            assert_eq!(found, expected, "{status}, {captured:?} {refunded:?} {moment:?}");
        }
    }
}
