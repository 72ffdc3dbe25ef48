//! What goes over the wire in a call that is answered, and what a caller who leaves leaves behind.

use std::{future::Future, pin::pin, task::Poll};

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use paymux_core::{
    Effect, ErrorKind,
    transport::{HttpClient, HttpRequest, HttpSettings, Purpose},
};

use crate::server::{Act, BODY, End, Server, answer, impatient, patient, request, take_apart};

#[tokio::test]
async fn exactly_the_given_bytes_arrive_once_with_their_length() {
    let server = Server::start(Act::AnswerAll(answer("201 Created", r#"{"id":"sess_1"}"#)));
    let text = "{\"title\":\"Schwert \u{2694}\",\"price\":4.990}";
    let mut sent = request(Purpose::Mutate, server.url("http"), text)
        .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(HeaderName::from_static("idempotency-key"), HeaderValue::from_static("k1"));
    sent.method = Method::PUT;
    let response = patient().send(sent).await.unwrap();
    assert_eq!(response.status, StatusCode::CREATED);
    assert!(response.is_success());
    assert_eq!(response.purpose, Purpose::Mutate);
    assert_eq!(&response.body[..], br#"{"id":"sess_1"}"#);

    let requests = server.settled();
    assert_eq!(requests.len(), 1);
    let (head, body) = take_apart(&requests[0]);
    assert_eq!(body, text.as_bytes());
    let head = head.to_lowercase();
    assert!(head.starts_with("put /v1/pay?x=1 http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", text.len())), "{head}");
    assert!(head.contains("\r\nidempotency-key: k1\r\n"), "{head}");
    assert!(head.contains("\r\nuser-agent: paymux/"), "{head}");
    for unwanted in ["transfer-encoding", "referer", "accept-encoding", "expect", "cookie"] {
        assert!(!head.contains(&format!("\r\n{unwanted}:")), "{unwanted}: {head}");
    }
}

#[tokio::test]
async fn a_large_body_arrives_whole() {
    let server = Server::start(Act::AnswerAll(answer("200 OK", "{}")));
    let large: &'static str = Box::leak("x".repeat(3_000_000).into_boxed_str());
    patient().send(request(Purpose::Mutate, server.url("http"), large)).await.unwrap();
    let requests = server.settled();
    assert_eq!(take_apart(&requests[0]).1.len(), large.len());
}

#[tokio::test]
async fn a_json_request_says_so() {
    let server = Server::start(Act::AnswerAll(answer("200 OK", "{}")));
    let sent = HttpRequest::new(Purpose::Mutate, Method::POST, server.url("http"));
    patient().send(sent.json(&serde_json::json!({"price": 499})).unwrap()).await.unwrap();
    let requests = server.settled();
    let (head, body) = take_apart(&requests[0]);
    assert!(head.to_lowercase().contains("\r\ncontent-type: application/json\r\n"), "{head}");
    assert_eq!(body, br#"{"price":499}"#);

    let unwritable = std::collections::BTreeMap::from([((1, 2), 3)]);
    let sent = HttpRequest::new(Purpose::Mutate, Method::POST, server.url("http"));
    let error = sent.json(&unwritable).unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::InvalidRequest, Effect::None));
}

/// 307 and 308 ask for the same POST elsewhere: a second charge, or a secret at another host.
#[tokio::test]
async fn a_redirect_is_an_answer_and_nothing_is_sent_again() {
    let elsewhere = Server::start(Act::AnswerAll(answer("200 OK", "{}")));
    for status in [301, 302, 303, 307, 308] {
        for location in ["/v1/other".to_owned(), elsewhere.url("http").to_string()] {
            let reply = format!(
                "HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
            );
            let server = Server::start(Act::AnswerAll(reply.into_bytes()));
            let sent = request(Purpose::Mutate, server.url("http"), BODY);
            let response = patient().send(sent).await.unwrap();
            assert_eq!(response.status.as_u16(), status);
            assert_eq!(server.settled().len(), 1, "{status} {location}");
            for recognized in [false, true] {
                let error = response.refusal(recognized);
                assert_eq!(error.effect(), Effect::Possible, "{status}");
                assert!(!error.is_retryable(), "{status}");
            }
        }
    }
    assert_eq!(elsewhere.accepted(), 0, "nobody went there");
}

/// The end of the connection is the end of such a body: what is missing is seen by its reader.
#[tokio::test]
async fn a_body_that_ends_with_the_connection_is_read_and_may_be_unreadable() {
    for (body, whole) in [(r#"{"id":1}"#, true), (r#"{"id":"#, false), ("", false)] {
        let reply = format!("HTTP/1.1 200 OK\r\n\r\n{body}").into_bytes();
        let server = Server::start(Act::Answer(reply, End::Close));
        let sent = request(Purpose::Mutate, server.url("http"), BODY);
        let response = patient().send(sent).await.unwrap();
        let read = response.read_json::<serde_json::Value>();
        assert_eq!(read.is_ok(), whole, "{body}");
        if let Err(error) = read {
            assert_eq!(error.kind(), ErrorKind::InvalidResponse);
            assert_eq!(error.effect(), Effect::Possible);
            assert!(!error.is_retryable());
        }
    }
}

#[tokio::test]
async fn a_body_up_to_the_limit_is_read() {
    let mut settings = HttpSettings::default();
    settings.max_response_bytes = 1_000;
    let client = HttpClient::new(settings).unwrap();
    for (length, fits) in [(0, true), (999, true), (1_000, true), (1_001, false)] {
        let server = Server::start(Act::AnswerAll(answer("200 OK", &"x".repeat(length))));
        let result = client.send(request(Purpose::Mutate, server.url("http"), BODY)).await;
        assert_eq!(result.is_ok(), fits, "{length}");
    }
    // A length that lies, and an answer without end, are cut off all the same.
    for head in ["Content-Length: 18446744073709551615", "Transfer-Encoding: chunked"] {
        let chunk = format!("{:x}\r\n{}\r\n", 2_000, "x".repeat(2_000));
        let reply = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{chunk}").into_bytes();
        let server = Server::start(Act::Answer(reply, End::Silence));
        let sent = request(Purpose::Mutate, server.url("http"), BODY);
        let error = client.send(sent).await.unwrap_err();
        assert_eq!(error.effect(), Effect::Possible, "{head}");
        assert_eq!(error.offered(), Some(true), "{head}");
    }
}

#[tokio::test]
async fn an_interim_answer_is_not_the_answer() {
    let mut reply = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n".to_vec();
    reply.extend(answer("200 OK", "{}"));
    let server = Server::start(Act::AnswerAll(reply));
    let sent = request(Purpose::Mutate, server.url("http"), BODY);
    assert_eq!(patient().send(sent).await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_call() {
    let server = Server::start(Act::AnswerAll(answer("200 OK", "{}")));
    let client = patient();
    for _ in 0..3 {
        client.send(request(Purpose::Mutate, server.url("http"), BODY)).await.unwrap();
    }
    assert_eq!(server.settled().len(), 3);
    assert!(server.accepted() < 3, "a connection was used again");
}

/// Polls once: the call is under way, and no further.
async fn begin(call: impl Future) {
    let mut call = pin!(call);
    std::future::poll_fn(|context| {
        assert!(call.as_mut().poll(context).is_pending(), "nothing is answered that soon");
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn a_caller_who_leaves_while_connecting_sent_nothing() {
    let server = Server::start(Act::AnswerAll(answer("200 OK", "{}")));
    let client = patient();
    for _ in 0..50 {
        begin(client.send(request(Purpose::Mutate, server.url("http"), BODY))).await;
    }
    // What comes behind them on the same client arrives, and alone.
    client.send(request(Purpose::Read, server.url("http"), "")).await.unwrap();
    let requests = server.settled();
    assert_eq!(requests.len(), 1, "only the last call was sent");
    assert!(take_apart(&requests[0]).1.is_empty());
}

/// Why a call that moves money has to run in a task of its own.
#[tokio::test]
async fn a_caller_who_leaves_after_sending_has_sent() {
    let server = std::sync::Arc::new(Server::start(Act::Answer(Vec::new(), End::Silence)));
    let client = patient();
    let watched = std::sync::Arc::clone(&server);
    let arrived = tokio::task::spawn_blocking(move || watched.settled_with(1).len());
    tokio::select! {
        result = client.send(request(Purpose::Mutate, server.url("http"), BODY)) => {
            panic!("nothing answers: {result:?}");
        }
        arrived = arrived => assert_eq!(arrived.unwrap(), 1),
    }
    assert_eq!(server.requests().len(), 1, "the server has it, and nobody was told");
}

#[tokio::test]
async fn a_slow_answer_runs_into_the_limit_even_if_bytes_keep_coming() {
    let dribble = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{".to_vec();
    let server = Server::start(Act::Answer(dribble, End::Silence));
    let sent = request(Purpose::Mutate, server.url("http"), BODY);
    let error = impatient().send(sent).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Timeout, Effect::Possible));
}
