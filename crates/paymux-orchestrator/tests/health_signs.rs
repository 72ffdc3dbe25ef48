//! What each kind of error says about an account's health.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io;

use paymux_core::{Effect, Error, ErrorKind, Operation, Url, transport};
use paymux_orchestrator::health::{Sign, counts};
use transport::{HttpClient, HttpRequest, HttpSettings, Purpose};

use Effect::{None as No, Possible};
use ErrorKind as Kind;
use Sign::{Fatal, Healthy, Neutral, Sick};

fn error(kind: ErrorKind, effect: Effect) -> Error {
    Error::new(kind, effect, "what happened")
}

/// Each kind, without and with a possible effect, of an error that says no more.
const KINDS: [(ErrorKind, Sign, Sign); 14] = [
    (Kind::Configuration, Neutral, Sick),
    (Kind::InvalidRequest, Neutral, Sick),
    (Kind::Unsupported, Neutral, Neutral),
    (Kind::Unauthenticated, Fatal, Sick),
    (Kind::PermissionDenied, Neutral, Sick),
    (Kind::NotFound, Healthy, Healthy),
    (Kind::Conflict, Neutral, Neutral),
    (Kind::Declined, Healthy, Healthy),
    (Kind::RateLimited, Neutral, Neutral),
    (Kind::Unavailable, Sick, Sick),
    (Kind::Timeout, Sick, Sick),
    (Kind::InvalidResponse, Sick, Sick),
    (Kind::InvalidSignature, Neutral, Neutral),
    (Kind::Unexpected, Neutral, Neutral),
];

#[test]
fn every_kind_has_a_sign() {
    for (kind, without, with) in KINDS {
        assert_eq!(counts(&error(kind, No)), without, "{kind:?} without effect");
        assert_eq!(counts(&error(kind, Possible)), with, "{kind:?} with a possible effect");
    }
}

#[test]
fn more_than_the_kind() {
    let rows = [
        // A token that ran out is renewed; the next call says more.
        (error(Kind::Unauthenticated, No).with_retryable(true), Sick),
        (error(Kind::Unauthenticated, Possible).with_retryable(true), Sick),
        // An account that may not open payments, and one that may not give money back.
        (error(Kind::PermissionDenied, No).with_operation(Operation::CreatePayment), Sick),
        (error(Kind::PermissionDenied, No).with_operation(Operation::CreateRefund), Neutral),
        // A redirect; the same, recognized as the provider's word.
        (error(Kind::Unexpected, Possible).with_http_status(302), Sick),
        (error(Kind::Unexpected, No).with_http_status(302), Neutral),
        // A firewall's page in place of the provider's refusal, and the refusal.
        (error(Kind::PermissionDenied, Possible).with_http_status(403), Sick),
        (error(Kind::InvalidRequest, No).with_http_status(422), Neutral),
    ];
    for (error, sign) in rows {
        assert_eq!(counts(&error), sign, "{error:?}");
    }
}

#[test]
fn a_broken_handshake_is_found_however_deep() {
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "bad certificate");
    let down = || error(Kind::Unavailable, No);
    assert_eq!(counts(&down().with_source(broken())), Fatal);
    assert_eq!(counts(&down().with_source(io::Error::other(broken()))), Fatal);
    assert_eq!(counts(&down().with_source(io::Error::other(io::Error::other(broken())))), Fatal);
    assert_eq!(counts(&down().with_source(down().with_source(broken()))), Fatal);
    let reset = io::Error::from(io::ErrorKind::ConnectionReset);
    assert_eq!(counts(&down().with_source(io::Error::other(reset))), Sick);
}

/// What a client that means to speak TLS makes of a peer that answers this.
async fn error_of(answer: &'static [u8]) -> Error {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let peer = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 1];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut hello).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.unwrap();
    });
    let url = Url::parse(&format!("https://127.0.0.1:{port}/")).unwrap();
    let client = HttpClient::new(HttpSettings::default()).unwrap();
    let request = HttpRequest::new(Purpose::Read, http::Method::GET, url);
    let error = client.send(request).await.unwrap_err();
    peer.await.unwrap();
    error
}

#[tokio::test]
async fn a_peer_that_speaks_no_tls_is_told_from_one_that_hangs_up() {
    let error = error_of(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert_eq!(counts(&error), Fatal, "{error:?}");
    let error = error_of(b"").await;
    assert_eq!(counts(&error), Sick, "{error:?}");
}
