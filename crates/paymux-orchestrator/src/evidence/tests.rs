//! How causes read.

use paymux_core::{Error, ErrorKind};

use super::*;
use crate::testing::{account, eur, seen};

fn fault(kind: ErrorKind, effect: Effect, work: impl Fn(Error) -> Error) -> Fault {
    Fault::from(&work(Error::new(kind, effect, "the call took longer than it may")))
}

fn webhook(trust: Trust, asked: bool) -> Evidence {
    Evidence::Webhook {
        account: account("a"),
        key: EventKey::new("evt").unwrap(),
        name: "paid".to_owned(),
        trust,
        asked,
        said: Said::from(&seen(PaymentStatus::Succeeded)),
    }
}

/// What a hint claimed, and what we read because of it, are two things.
#[test]
fn it_says_whether_somebody_was_asked() {
    let timeout = |work: fn(Error) -> Error| {
        let fault = fault(ErrorKind::Timeout, Effect::Possible, work);
        Evidence::Reply { attempt: 1, said: Said::from(&fault) }
    };
    let refused = |offered| {
        let work = |error: Error| error.with_offered(offered);
        let fault = fault(ErrorKind::Unavailable, Effect::None, work);
        Evidence::Lookup { account: account("a"), attempt: None, said: Said::from(&fault) }
    };
    let kept_back = fault(ErrorKind::Unavailable, Effect::None, |error| error.with_offered(false));
    for (evidence, expected) in [
        (
            timeout(|error| error),
            "no answer to attempt 1: the call took longer than it may; it may have been done all \
             the same",
        ),
        (
            timeout(|error| error.with_http_status(504)),
            "the answer to attempt 1: the call took longer than it may; it may have been done all \
             the same",
        ),
        (
            refused(false),
            "a could not be asked: the call took longer than it may; nothing was done by it",
        ),
        (refused(true), "a was asked: the call took longer than it may; nothing was done by it"),
        (
            Evidence::NotSent { attempt: 2, why: Box::new(kept_back) },
            "attempt 2 did not leave: the call took longer than it may",
        ),
        (
            webhook(Trust::Unsigned, true),
            "a told us \"paid\" (unsigned), and when asked: obj1 is succeeded (\"succeeded\"), \
             10.00 EUR taken",
        ),
        (
            webhook(Trust::SignedFresh, false),
            "a told us \"paid\" (signed, with time): obj1 is succeeded (\"succeeded\"), 10.00 EUR \
             taken",
        ),
    ] {
        assert_eq!(evidence.to_string(), expected);
    }
}

/// Nothing that is so is left out.
#[test]
fn what_was_said_is_written() {
    let mut payment = seen(PaymentStatus::Succeeded);
    payment.amounts.refunded = Some(eur(2));
    payment.amounts.charged_back = Some(eur(3));
    let said = Said::from(&payment);
    let Said::Payment { captured, refunded, charged_back, .. } = &said else { panic!("{said:?}") };
    assert!(captured.is_some() && refunded.is_some() && charged_back.is_some());
    let mut unstated = said.clone();
    let Said::Payment { given_back_unstated, .. } = &mut unstated else { panic!("{said:?}") };
    *given_back_unstated = true;
    for said in [said, unstated] {
        let text = serde_json::to_string(&said).unwrap();
        assert_eq!(serde_json::from_str::<Said>(&text).unwrap(), said, "{text}");
    }
}

/// What an older version wrote can be read.
#[test]
fn an_older_line_is_read() {
    let mut line = serde_json::to_value(webhook(Trust::Signed, true)).unwrap();
    assert!(line.as_object_mut().unwrap().remove("asked").is_some());
    assert!(serde_json::from_value::<Evidence>(line).is_ok());
}
