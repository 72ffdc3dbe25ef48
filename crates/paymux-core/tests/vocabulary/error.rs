//! What an error says, and what it never says.

use std::{error::Error as _, fmt, time::Duration};

use paymux_core::{Effect, Error, ErrorKind, Failure, FailureKind, Operation, ProviderId};

const CANARY: &str = "sk_live_canary";

fn account() -> ProviderId {
    ProviderId::new("toffeepay-eu").unwrap()
}

/// Each sentence as the person on call reads it.
#[test]
fn sentences() {
    let new = |kind, effect| Error::new(kind, effect, "something happened");
    let table = [
        (
            Error::invalid_request("amount", "must not be negative"),
            "`amount` must not be negative. This call moved no money. \
             Correct the request and send it anew.",
        ),
        (
            Error::configuration("base_url", "must be https"),
            "`base_url` must be https. This call moved no money. Correct the configuration.",
        ),
        (
            Error::unsupported(Operation::CapturePayment).with_provider(&account()),
            "toffeepay-eu: capture_payment: the provider does not offer this. \
             This call moved no money. See what this account is capable of.",
        ),
        (
            new(ErrorKind::Timeout, Effect::Possible)
                .with_provider(&account())
                .with_operation(Operation::CreatePayment)
                .with_retryable(true),
            "toffeepay-eu: create_payment: something happened. Money may have moved. \
             Look it up, or repeat it with the same key where the provider honors that.",
        ),
        (
            new(ErrorKind::InvalidResponse, Effect::Possible).with_http_status(200),
            "something happened (HTTP 200). Money may have moved. \
             Look it up; do not repeat it.",
        ),
        (
            new(ErrorKind::RateLimited, Effect::None)
                .with_retryable(true)
                .with_http_status(429)
                .with_code("slow_down")
                .with_retry_after(Some(Duration::from_secs(7))),
            "something happened (code slow_down, HTTP 429). This call moved no money. \
             The provider asks to wait 7 s. Wait, then repeat.",
        ),
        (
            Error::declined(Failure::new(FailureKind::InsufficientFunds)).with_code("51"),
            "insufficient funds (code 51). This call moved no money. \
             Another payment method may succeed.",
        ),
        (
            Error::declined(Failure::new(FailureKind::MerchantBalance))
                .with_operation(Operation::CreateRefund),
            "create_refund: the merchant's balance is too low. This call moved no money. \
             Fill the balance at the provider first.",
        ),
        (
            Error::declined(Failure::new(FailureKind::Unknown))
                .with_operation(Operation::CreateRefund),
            "create_refund: refused for a reason the provider did not name. \
             This call moved no money. Look into it before repeating.",
        ),
        (
            Error::invalid_signature("the time is missing"),
            "the time is missing. Do not act on the delivery.",
        ),
    ];
    for (error, sentence) in table {
        assert_eq!(error.to_string(), sentence);
    }
}

/// The advice by kind and effect: with a possible effect it is always to look first.
#[test]
fn advice() {
    let without_effect = [
        (ErrorKind::Configuration, "Correct the configuration."),
        (ErrorKind::InvalidRequest, "Correct the request and send it anew."),
        (ErrorKind::Unsupported, "See what this account is capable of."),
        (
            ErrorKind::Unauthenticated,
            "Check the credentials, and that they belong to this environment.",
        ),
        (ErrorKind::PermissionDenied, "Ask the provider to permit this for the account."),
        (ErrorKind::NotFound, "Check the id, and that it is this account's."),
        (ErrorKind::Conflict, "Read the object and decide anew."),
        (ErrorKind::Declined, "Another payment method may succeed."),
        (ErrorKind::RateLimited, "Wait, then repeat."),
        (ErrorKind::Unavailable, "It may be repeated."),
        (ErrorKind::Timeout, "It may be repeated."),
        (ErrorKind::InvalidResponse, "Look into it before repeating."),
        (ErrorKind::Unexpected, "Look into it before repeating."),
    ];
    for (kind, advice) in without_effect {
        let shown = Error::new(kind, Effect::None, "it failed").to_string();
        assert_eq!(shown, format!("it failed. This call moved no money. {advice}"));
        let shown = Error::new(kind, Effect::Possible, "it failed").to_string();
        let look = "Money may have moved. Look it up; do not repeat it.";
        assert_eq!(shown, format!("it failed. {look}"), "{kind:?}");
        let shown =
            Error::new(kind, Effect::Possible, "it failed").with_retryable(true).to_string();
        assert!(shown.contains("Look it up, or repeat it with the same key"), "{kind:?}: {shown}");
    }
}

#[derive(Debug)]
struct Secretive;

impl fmt::Display for Secretive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CANARY)
    }
}

impl std::error::Error for Secretive {}

#[test]
fn the_sentence_never_holds_the_source() {
    let error = Error::new(ErrorKind::Unavailable, Effect::None, "no connection could be made")
        .with_source(Secretive);
    assert!(!error.to_string().contains(CANARY), "{error}");
    assert_eq!(error.source().unwrap().to_string(), CANARY, "the source is there to be asked");
}

/// The provider's words are free text: they can hold anything, so they are asked for, not shown.
#[test]
fn the_sentence_never_holds_the_providers_words() {
    let mut failure = Failure::new(FailureKind::Declined);
    failure.code = Some("05".to_owned());
    failure.message = Some(format!("key {CANARY} may not pay"));
    let error = Error::declined(failure.clone());
    assert!(!error.to_string().contains(CANARY), "{error}");
    assert!(error.to_string().contains("(code 05)"), "{error}");
    assert_eq!(error.failure(), Some(&failure));
}

/// A code comes from the wire: it must not begin a line of its own in a log.
#[test]
fn the_sentence_is_one_line() {
    let error = Error::new(ErrorKind::Unexpected, Effect::None, "first\r\nsecond.")
        .with_code("a\nb\u{1b}[31m\u{2028}c")
        .with_field("x\ny");
    let shown = error.to_string();
    let breaks = |sign: char| sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}');
    assert!(!shown.contains(breaks), "{shown:?}");
    assert!(shown.contains("second (code") && !shown.contains(".."), "{shown}");
}

/// What serde says of a mismatch quotes the value it found: that is the provider's body.
#[test]
fn neither_form_quotes_a_body() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        Paid,
    }
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Shape {
        number: u8,
        word: Option<Word>,
    }
    let bodies = [
        format!(r#"{{"number":"{CANARY}"}}"#),
        format!(r#"{{"number":"{CANARY}, expected {CANARY}"}}"#),
        format!(r#"{{"number":1,"word":"{CANARY}"}}"#),
        format!(r#"{{"number":1,"{CANARY}"}}"#),
    ];
    for body in bodies {
        let source = serde_json::from_str::<Shape>(&body).unwrap_err();
        let error = Error::new(ErrorKind::InvalidResponse, Effect::Possible, "unreadable")
            .with_source(source);
        let mut shown = format!("{error} {error:?}");
        let mut source = error.source();
        while let Some(next) = source {
            shown = format!("{shown} {next} {next:?}");
            source = next.source();
        }
        assert!(!shown.contains(CANARY), "{body}: {shown}");
        assert!(shown.contains("line 1"), "where it stands is said: {shown}");
    }
    let source = serde_json::from_str::<Shape>("{}").unwrap_err();
    let error = Error::new(ErrorKind::InvalidResponse, Effect::Possible, "x").with_source(source);
    let said = error.source().unwrap().to_string();
    assert!(said.contains("missing field `number`"), "our own names are said: {said}");
}

#[test]
fn everything_that_was_put_in_is_found_again() {
    let failure = Failure::new(FailureKind::Fraud);
    let error = Error::new(ErrorKind::Conflict, Effect::None, "it clashed")
        .with_effect(Effect::Possible)
        .with_retryable(true)
        .with_field("key")
        .with_provider(&account())
        .with_operation(Operation::CancelPayment)
        .with_code("clash")
        .with_request_id("req_1")
        .with_http_status(409)
        .with_retry_after(Some(Duration::from_secs(1)))
        .with_offered(true)
        .with_failure(failure.clone());
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.effect(), Effect::Possible);
    assert!(error.is_retryable());
    assert_eq!(error.message(), "it clashed");
    assert_eq!(error.field(), Some("key"));
    assert_eq!(error.provider(), Some(&account()));
    assert_eq!(error.operation(), Some(Operation::CancelPayment));
    assert_eq!((error.code(), error.request_id()), (Some("clash"), Some("req_1")));
    assert_eq!(error.http_status(), Some(409));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    assert_eq!(error.offered(), Some(true));
    assert_eq!(error.failure(), Some(&failure));
    for word in ["Conflict", "Possible", "clash", "req_1", "409", "toffeepay-eu"] {
        assert!(format!("{error:?}").contains(word), "{word}: {error:?}");
    }
}

#[test]
fn one_word_wide_and_free_to_travel() {
    fn travels<T: Send + Sync + 'static>() {}
    travels::<Error>();
    assert_eq!(size_of::<Error>(), size_of::<usize>());
    assert_eq!(size_of::<paymux_core::Result<()>>(), size_of::<usize>());
}

#[test]
fn operations_are_named_as_their_methods() {
    for operation in Operation::ALL {
        let word = operation.as_str();
        assert_eq!(operation.to_string(), word);
        assert_eq!(serde_json::to_value(operation).unwrap(), word);
        let changes = ["create_", "confirm_", "capture_", "cancel_"];
        let mutating = changes.iter().any(|verb| word.starts_with(verb));
        assert_eq!(operation.is_mutating(), mutating, "{word}");
    }
}

/// A read after a mutating request that could not be sent proves nothing of the one before.
#[test]
fn what_may_have_acted_is_not_proved_unsent() {
    let unsent = || Error::new(ErrorKind::Unavailable, Effect::None, "gone").with_offered(false);
    assert_eq!(unsent().offered(), Some(false));
    assert_eq!(unsent().with_effect(Effect::None).offered(), Some(false));
    assert_eq!(unsent().with_effect(Effect::Possible).offered(), None);
    let sent = Error::new(ErrorKind::Unavailable, Effect::None, "gone").with_offered(true);
    assert_eq!(sent.with_effect(Effect::Possible).offered(), Some(true));
}
