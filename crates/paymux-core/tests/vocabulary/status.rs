//! The status tables, written out.

use std::{collections::BTreeSet, fmt::Display};

use paymux_core::{MandateStatus, PaymentStatus, RefundStatus};
use serde::Serialize;

/// Rows: stored. Columns: evidence, in the order of `PaymentStatus::ALL`: action, confirmation,
/// processing, authorized, partially paid, succeeded, cancelled, expired, failed, unknown.
const PAYMENT: [(PaymentStatus, &str); 10] = [
    (PaymentStatus::RequiresAction, "yyyyyyyyy-"),
    (PaymentStatus::RequiresConfirmation, "yyyyyyyyy-"),
    (PaymentStatus::Processing, "yyyyyyyyy-"),
    (PaymentStatus::Authorized, "y-yyyyyyy-"),
    (PaymentStatus::PartiallyPaid, "----yyyyy-"),
    (PaymentStatus::Succeeded, "-----y----"),
    (PaymentStatus::Cancelled, "------y---"),
    (PaymentStatus::Expired, "-------y--"),
    (PaymentStatus::Failed, "--------y-"),
    (PaymentStatus::Unknown, "yyyyyyyyyy"),
];

const REFUND: [(RefundStatus, &str); 5] = [
    (RefundStatus::Processing, "yyyy-"),
    (RefundStatus::Succeeded, "-y---"),
    (RefundStatus::Failed, "--y--"),
    (RefundStatus::Cancelled, "---y-"),
    (RefundStatus::Unknown, "yyyyy"),
];

/// Compares a table with the function it states.
fn compare<S: Copy + Display>(table: &[(S, &str)], can_become: fn(S, S) -> bool) {
    for (from, row) in table {
        assert_eq!(row.len(), table.len(), "{from}");
        for ((to, _), cell) in table.iter().zip(row.bytes()) {
            assert_eq!(can_become(*from, *to), cell == b'y', "{from} to {to}");
        }
    }
}

#[test]
fn payment_transitions() {
    assert_eq!(PAYMENT.map(|(status, _)| status), PaymentStatus::ALL);
    compare(&PAYMENT, PaymentStatus::can_become);
}

#[test]
fn refund_transitions() {
    compare(&REFUND, RefundStatus::can_become);
}

#[test]
fn a_final_status_has_no_exit_and_every_other_has_one() {
    for from in PaymentStatus::ALL {
        let exits = PaymentStatus::ALL.iter().filter(|to| **to != from && from.can_become(**to));
        assert_eq!(exits.count() == 0, from.is_final(), "{from}");
        if from != PaymentStatus::Unknown {
            assert!(!from.can_become(PaymentStatus::Unknown), "{from}");
        }
    }
    for (from, _) in REFUND {
        let exits = REFUND.iter().filter(|(to, _)| *to != from && from.can_become(*to));
        assert_eq!(exits.count() == 0, from.is_final(), "{from}");
    }
}

/// Whatever the provider says, a payment can still end: each status that is not final can become
/// each that is, but for those that the money already contradicts.
#[test]
fn whatever_is_open_can_end_in_every_way() {
    for from in PaymentStatus::ALL.into_iter().filter(|status| !status.is_final()) {
        for to in PaymentStatus::ALL.into_iter().filter(|status| status.is_final()) {
            assert!(from.can_become(to), "{from} to {to}");
        }
    }
}

fn words<S: Copy + Display + Serialize>(all: &[S], as_str: fn(S) -> &'static str) {
    let mut seen = BTreeSet::new();
    for status in all {
        let word = as_str(*status);
        assert_eq!(status.to_string(), word);
        assert_eq!(serde_json::to_value(status).unwrap(), word);
        assert!(seen.insert(word), "{word} stands for two");
    }
}

#[test]
fn the_stored_word_is_the_shown_one() {
    words(&PaymentStatus::ALL, PaymentStatus::as_str);
    words(&REFUND.map(|(status, _)| status), RefundStatus::as_str);
    let mandates = [
        MandateStatus::RequiresAction,
        MandateStatus::RequiresConfirmation,
        MandateStatus::Active,
        MandateStatus::Ended,
        MandateStatus::Unknown,
    ];
    words(&mandates, MandateStatus::as_str);
    let is_final = mandates.map(MandateStatus::is_final);
    assert_eq!(is_final, [false, false, false, true, false]);
    for status in PaymentStatus::ALL {
        let text = serde_json::to_string(&status).unwrap();
        assert_eq!(serde_json::from_str::<PaymentStatus>(&text).unwrap(), status);
    }
    assert!(serde_json::from_str::<PaymentStatus>("\"paid\"").is_err());
}
