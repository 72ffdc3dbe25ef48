//! What a person on call reads.

use paymux_core::{CaptureMethod, PaymentStatus};

use super::*;
use crate::{
    ConfirmBy,
    record::{AttemptState, Review, ReviewReason},
    testing::{accepted, at, eur, push, refund, tried},
};

const REASONS: [ReviewReason; 9] = [
    ReviewReason::StillInDoubt,
    ReviewReason::Mismatch,
    ReviewReason::Contradiction,
    ReviewReason::LateSuccess,
    ReviewReason::UnreportedAmount,
    ReviewReason::ShortAmount,
    ReviewReason::SharedObject,
    ReviewReason::NoEnd,
    ReviewReason::StepRefused,
];

fn reviewed(mut record: PaymentRecord, reason: ReviewReason) -> PaymentRecord {
    record.reviews.push(Review { reason, attempt: Some(1), note: String::new(), since: at(0) });
    record
}

/// Whoever reads "it is settled" closes the page.
#[test]
fn nothing_is_called_settled_that_waits_for_a_person() {
    for reason in REASONS {
        for record in [accepted(PaymentStatus::Succeeded), tried(AttemptState::Abandoned)] {
            let words = in_words(&Move::Done, &reviewed(record, reason));
            assert_eq!(words, format!("nothing, until a person has looked at it: {reason}"));
        }
        let open = reviewed(accepted(PaymentStatus::RequiresAction), reason);
        let words = in_words(&Move::Wait(at(60)), &open);
        assert!(words.ends_with(&format!("; a person has to look at it: {reason}")), "{words}");
    }
    let done = accepted(PaymentStatus::Succeeded);
    assert_eq!(in_words(&Move::Done, &done), "nothing: it is settled");
}

#[test]
fn it_says_whom_an_open_payment_waits_for() {
    let mut manual = accepted(PaymentStatus::Authorized);
    manual.request.capture = CaptureMethod::Manual;
    let mut confirm = accepted(PaymentStatus::RequiresConfirmation);
    confirm.request.confirm = ConfirmBy::Merchant;
    // What a person opened again, or let pass, is the merchant's to ask for.
    let by_hand = |status| {
        let mut record = accepted(status);
        record.steps_by_hand = true;
        record
    };
    for (record, expected) in [
        (
            by_hand(PaymentStatus::Authorized),
            "; it waits for the merchant to capture it".to_owned(),
        ),
        (
            by_hand(PaymentStatus::RequiresConfirmation),
            "; it waits for the merchant to confirm it".to_owned(),
        ),
        (accepted(PaymentStatus::Authorized), String::new()),
        (accepted(PaymentStatus::RequiresAction), "; it waits for the payer".to_owned()),
        (manual, "; it waits for the merchant to capture it".to_owned()),
        (confirm, "; it waits for the merchant to confirm it".to_owned()),
        (accepted(PaymentStatus::Processing), String::new()),
    ] {
        let expected = format!("it is read from its provider again at {}{expected}", at(60));
        assert_eq!(in_words(&Move::Wait(at(60)), &record), expected);
    }
}

/// A refund of what was left elsewhere is no step of the payment, which waits for its payer as ever.
#[test]
fn it_says_whom_a_payment_waits_for_while_something_goes_back_elsewhere() {
    let mut record = accepted(PaymentStatus::RequiresAction);
    let no = push(&mut record, refund(), AttemptState::Unknown);
    let attempt = record.attempt_mut(no).unwrap();
    (attempt.gives_back, attempt.next_try_at) = (Some(1), Some(at(90)));
    for (second, expected) in [
        (60, format!("it is read from its provider again at {}", at(60))),
        (90, format!("attempt 2, which gives back what was left, is looked after at {}", at(90))),
    ] {
        let words = in_words(&Move::Wait(at(second)), &record);
        assert_eq!(words, format!("{expected}; it waits for the payer"));
    }
}

#[test]
fn it_says_why_what_succeeded_is_not_paid() {
    let with = |work: fn(&mut paymux_core::Amounts)| {
        let mut record = accepted(PaymentStatus::Succeeded);
        work(&mut record.provider.as_mut().unwrap().amounts);
        why_not_paid(&record)
    };
    assert_eq!(with(|_| {}), None);
    let back = Some("4.00 EUR went back".to_owned());
    assert_eq!(with(|amounts| amounts.refunded = Some(eur(400))), back);
    assert_eq!(with(|amounts| amounts.charged_back = Some(eur(400))), back);
    let some = Some("some of it went back, and nobody says how much".to_owned());
    assert_eq!(with(|amounts| amounts.given_back_unstated = true), some);
    let unsaid = Some("nobody says how much was taken".to_owned());
    assert_eq!(with(|amounts| amounts.captured = None), unsaid);
    let short = Some("6.00 EUR was taken, 10.00 EUR was to be".to_owned());
    assert_eq!(with(|amounts| amounts.captured = Some(eur(600))), short);
    let record = reviewed(accepted(PaymentStatus::Succeeded), ReviewReason::Mismatch);
    assert_eq!(why_not_paid(&record).as_deref(), Some("a person has to look at it first"));
}

/// Lines that follow from one another, and the record after the last one.
fn story(lines: u64) -> (Vec<TransitionRow>, PaymentRecord) {
    let mut record = accepted(PaymentStatus::Succeeded);
    let mut history: Vec<TransitionRow> = Vec::new();
    for version in 1..=lines {
        let mut line = TransitionRow {
            payment: record.id.clone(),
            version,
            id: format!("line{version}"),
            at: at(0),
            node: "here".to_owned(),
            cause: "rule".to_owned(),
            evidence: "{}".to_owned(),
            from: PaymentStatus::Processing,
            to: PaymentStatus::Processing,
            previous_digest: history.last().map(|line| line.digest.clone()).unwrap_or_default(),
            digest: String::new(),
        };
        line.digest = digest(&line);
        history.push(line);
    }
    record.version = lines;
    record.last_digest = history.last().unwrap().digest.clone();
    (history, record)
}

#[test]
fn a_history_is_whole_with_all_its_lines_and_no_others() {
    let (history, record) = story(5);
    assert!(is_whole(&history, &record));
    // A change that was written after the record was read.
    let (longer, _) = story(6);
    assert!(is_whole(&longer, &record));
    for cut in 0..5 {
        assert!(!is_whole(&history[..cut], &record), "{cut} lines are left");
    }
    for place in 0..5 {
        let mut missing = history.clone();
        missing.remove(place);
        assert!(!is_whole(&missing, &record), "line {place} is missing");
        let mut changed = history.clone();
        changed[place].evidence = "{\"who\":\"somebody else\"}".to_owned();
        assert!(!is_whole(&changed, &record), "line {place} was changed");
        changed[place].digest = digest(&changed[place]);
        assert!(!is_whole(&changed, &record), "line {place} was changed with its digest");
    }
}

/// Not only an end that is wanted takes back what has not left: it may be too late.
#[test]
fn it_says_that_a_step_that_is_withdrawn_is_not_wanted() {
    let words = in_words(&Move::Withdraw(2), &accepted(PaymentStatus::Authorized));
    assert_eq!(words, "attempt 2 is not sent: it is not wanted any more");
}
