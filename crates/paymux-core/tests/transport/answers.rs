//! What an answer proves by its status, how long it asks to wait, and how its body is read.

use std::{error::Error as _, ops::RangeInclusive, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use paymux_core::{
    Effect, ErrorKind,
    json::{self, Unreadable},
    transport::{HttpResponse, Purpose},
};
use serde::Deserialize;

fn response(purpose: Purpose, status: u16, body: &[u8]) -> HttpResponse {
    HttpResponse {
        purpose,
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(body),
    }
}

/// Statuses, kind, whether a recognized body makes it proof, and whether it can be repeated.
type Row = (RangeInclusive<u16>, ErrorKind, bool, bool);
const REFUSALS: &[Row] = &[
    (300..=399, ErrorKind::Unexpected, false, false),
    (400..=400, ErrorKind::InvalidRequest, true, false),
    (401..=401, ErrorKind::Unauthenticated, true, false),
    (402..=402, ErrorKind::Declined, true, false),
    (403..=403, ErrorKind::PermissionDenied, true, false),
    (404..=404, ErrorKind::NotFound, true, false),
    (405..=405, ErrorKind::Configuration, true, false),
    (406..=407, ErrorKind::Unexpected, false, false),
    (408..=408, ErrorKind::Timeout, false, true),
    (409..=409, ErrorKind::Conflict, false, false),
    (410..=410, ErrorKind::NotFound, true, false),
    (411..=414, ErrorKind::Unexpected, false, false),
    (415..=415, ErrorKind::Configuration, true, false),
    (416..=421, ErrorKind::Unexpected, false, false),
    (422..=422, ErrorKind::InvalidRequest, true, false),
    (423..=428, ErrorKind::Unexpected, false, false),
    (429..=429, ErrorKind::RateLimited, false, true),
    (430..=499, ErrorKind::Unexpected, false, false),
    (500..=500, ErrorKind::Unavailable, false, true),
    (501..=501, ErrorKind::Configuration, true, false),
    (502..=504, ErrorKind::Unavailable, false, true),
    (505..=505, ErrorKind::Configuration, true, false),
    (506..=599, ErrorKind::Unavailable, false, true),
];

/// Only the provider can say that a payment is not there, or was declined: whoever believes it of a
/// proxy has the payment made elsewhere.
fn kind_of(kind: ErrorKind, recognized: bool) -> ErrorKind {
    if recognized {
        kind
    } else if kind == ErrorKind::NotFound {
        ErrorKind::Configuration
    } else if kind == ErrorKind::Declined {
        ErrorKind::Unexpected
    } else {
        kind
    }
}

#[test]
fn every_refusal() {
    let mut next = 300;
    for (statuses, kind, definite, retryable) in REFUSALS {
        assert_eq!(*statuses.start(), next, "the table has no gap");
        next = statuses.end() + 1;
        for status in statuses.clone() {
            for purpose in [Purpose::Read, Purpose::Mutate] {
                for recognized in [false, true] {
                    let error = response(purpose, status, b"canary").refusal(recognized);
                    let proof = purpose == Purpose::Read || (*definite && recognized);
                    let effect = if proof { Effect::None } else { Effect::Possible };
                    let shown = format!("{status} {purpose:?} {recognized}: {error:?}");
                    assert_eq!(error.effect(), effect, "{shown}");
                    assert_eq!(error.kind(), kind_of(*kind, recognized), "{shown}");
                    assert_eq!(error.is_retryable(), *retryable, "{shown}");
                    assert_eq!(error.http_status(), Some(status), "{shown}");
                    assert!(!shown.contains("canary") && !error.to_string().contains("canary"));
                }
            }
        }
    }
    assert_eq!(next, 600);
}

/// Whoever calls it a refusal did not recognize the body of a success.
#[test]
fn a_success_taken_for_a_refusal_proves_nothing() {
    for status in [200, 201, 202, 204, 206, 299] {
        for recognized in [false, true] {
            let error = response(Purpose::Mutate, status, b"").refusal(recognized);
            assert_eq!(error.effect(), Effect::Possible, "{status}");
            assert!(!error.is_retryable(), "{status}");
        }
        assert!(response(Purpose::Mutate, status, b"").is_success(), "{status}");
    }
    for status in [101, 199, 300, 400, 500] {
        assert!(!response(Purpose::Mutate, status, b"").is_success(), "{status}");
    }
}

#[test]
fn how_long_to_wait() {
    const DATE: &str = "Wed, 21 Oct 2026 07:28:00 GMT";
    let table: &[(&str, Option<&str>, Option<u64>)] = &[
        ("0", None, Some(0)),
        ("120", None, Some(120)),
        ("18446744073709551615", None, Some(u64::MAX)),
        ("18446744073709551616", None, None),
        ("-1", None, None),
        ("+1", None, None),
        ("1.5", None, None),
        ("1e3", None, None),
        ("soon", None, None),
        ("", None, None),
        ("5, 10", None, None),
        ("Wed, 21 Oct 2026 07:28:30 GMT", Some(DATE), Some(30)),
        ("Wed, 21 Oct 2026 08:28:00 +0100", Some(DATE), Some(0)),
        ("Wed, 21 Oct 2026 07:27:00 GMT", Some(DATE), Some(0)),
        ("Wed, 21 Oct 2026 07:28:30 GMT", None, None),
        ("Wed, 21 Oct 2026 07:28:30 GMT", Some("lately"), None),
        ("Mon, 21 Oct 2026 07:28:30 GMT", Some(DATE), None),
        ("Wed, 32 Oct 2026 07:28:30 GMT", Some(DATE), None),
        ("Thu, 01 Jan 2099 00:00:00 GMT", Some(DATE), Some(2_278_341_120)),
    ];
    for (wait, date, seconds) in table {
        let mut response = response(Purpose::Mutate, 429, b"");
        response.headers.insert(header::RETRY_AFTER, HeaderValue::from_static(wait));
        if let Some(date) = date {
            response.headers.insert(header::DATE, HeaderValue::from_static(date));
        }
        let expected = seconds.map(Duration::from_secs);
        assert_eq!(response.retry_after(), expected, "{wait} at {date:?}");
        assert_eq!(response.refusal(true).retry_after(), expected, "{wait} at {date:?}");
    }
    let mut strange = response(Purpose::Mutate, 503, b"");
    assert_eq!(strange.retry_after(), None);
    strange.headers.insert(header::RETRY_AFTER, HeaderValue::from_bytes(b"\xff5").unwrap());
    assert_eq!(strange.retry_after(), None);
}

#[derive(Debug, Deserialize)]
struct Session {
    id: String,
    price: Option<u32>,
}

#[test]
fn a_success_that_cannot_be_read_may_have_acted() {
    let unreadable: [&[u8]; 15] = [
        b"",
        b" ",
        b"null",
        b"[]",
        b"{}",
        br#""canary""#,
        br#"{"id":"canary""#,
        br#"{"id":"canary"} {"id":"canary"}"#,
        br#"{"id":"canary","id":"canary"}"#,
        br#"{"id":"a","other":{"x":1,"x":2}}"#,
        br#"{"id":"a","price":"canary"}"#,
        br#"{"id":"a","price":-1}"#,
        b"{\"id\":\"canary\xff\"}",
        b"\xef\xbb\xbf{\"id\":\"a\"}",
        b"<html><body>canary</body></html>",
    ];
    for body in unreadable {
        for (purpose, effect) in
            [(Purpose::Mutate, Effect::Possible), (Purpose::Read, Effect::None)]
        {
            let error = response(purpose, 200, body).read_json::<Session>().unwrap_err();
            let shown = format!("{error} {error:?}");
            assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{shown}");
            assert_eq!(error.effect(), effect, "{shown}");
            assert!(!error.is_retryable(), "{shown}");
            assert_eq!(error.http_status(), Some(200), "{shown}");
            assert!(std::error::Error::source(&error).is_some(), "{shown}");
            assert!(!shown.contains("canary"), "{shown}");
        }
    }
}

#[test]
fn a_success_is_read() {
    let body = br#" {"id":"sess_1","unknown":[1,{"a":null}],"price":499} "#;
    let session: Session = response(Purpose::Mutate, 200, body).read_json().unwrap();
    assert_eq!((session.id.as_str(), session.price), ("sess_1", Some(499)));
}

#[test]
fn an_answer_about_another_object_is_no_answer() {
    for (purpose, effect) in [(Purpose::Read, Effect::None), (Purpose::Mutate, Effect::Possible)] {
        let response = response(purpose, 200, b"{}");
        response.check_same("payment", "canary_1", "canary_1").unwrap();
        for answered in ["canary_2", "canary_", "Canary_1", ""] {
            let error = response.check_same("payment", "canary_1", answered).unwrap_err();
            assert_eq!((error.kind(), error.effect()), (ErrorKind::InvalidResponse, effect));
            assert_eq!(error.message(), "the answer is about another payment");
            assert_eq!(error.http_status(), Some(200));
            assert!(!format!("{error} {error:?}").contains("canary"), "{answered}");
        }
    }
}

#[test]
fn what_cannot_be_read_means_something_else_after_a_change_and_in_a_delivery() {
    let fault = json::read::<u8>(b"[canary").unwrap_err();
    let own = Unreadable::new("`id` is missing");
    assert_eq!(own.to_string(), "`id` is missing");
    for (purpose, effect) in [(Purpose::Read, Effect::None), (Purpose::Mutate, Effect::Possible)] {
        let response = response(purpose, 201, b"[canary");
        let error = own.clone().of(&response);
        assert_eq!((error.kind(), error.effect()), (ErrorKind::InvalidResponse, effect));
        assert_eq!((error.message(), error.http_status()), ("`id` is missing", Some(201)));
        assert!(error.source().is_none());
        let error = Unreadable::from(fault.clone()).of(&response);
        assert_eq!((error.kind(), error.effect()), (ErrorKind::InvalidResponse, effect));
        assert_eq!(error.message(), "the answer is not what the provider documents");
        assert_eq!(error.source().map(ToString::to_string), Some(fault.to_string()));
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    let error = own.with_source(fault).of_delivery("the delivery is authentic and unreadable");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::InvalidResponse, Effect::None));
    assert_eq!(error.message(), "the delivery is authentic and unreadable: `id` is missing");
    assert!(error.source().is_some() && error.http_status().is_none());
}
