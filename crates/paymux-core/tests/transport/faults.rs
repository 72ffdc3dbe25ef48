//! One row for each way to fail: what it is called, what it proves, whether it can be repeated.

use paymux_core::{
    Effect, Error, ErrorKind,
    transport::{HttpClient, Purpose},
};
use tokio::net::TcpSocket;
use url::Url;

use crate::server::{Act, BODY, End, Server, answer, impatient, patient, request, unconnected};

/// What is known of a request's body when the call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offered {
    /// No connection was made: nothing can have been sent, with or without a body.
    NoConnection,
    /// The body was offered.
    Yes,
    /// The connection ended so early that it may or may not have been.
    Either,
}

#[derive(Debug)]
struct Fault {
    name: &'static str,
    act: Act,
    kind: ErrorKind,
    retryable: bool,
    offered: Offered,
    /// The status that the error names; `Err` where the head may be lost with the reset.
    status: Result<Option<u16>, ()>,
}

impl Fault {
    /// A connection that breaks after the whole request arrived.
    fn broken(name: &'static str, answer: &[u8], end: End) -> Self {
        Self {
            name,
            act: Act::Answer(answer.to_vec(), end),
            kind: if end == End::Silence { ErrorKind::Timeout } else { ErrorKind::Unavailable },
            retryable: true,
            offered: Offered::Yes,
            status: Ok(None),
        }
    }

    fn status(mut self, status: u16) -> Self {
        self.status = Ok(Some(status));
        self
    }

    fn unread(name: &'static str, end: End) -> Self {
        let act = Act::Ignore(end);
        Self { act, offered: Offered::Either, ..Self::broken(name, b"", end) }
    }
}

fn faults() -> Vec<Fault> {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":";
    let cut_chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n";
    let huge_header = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(2_000_000));
    // Said to be the last answer of its connection, which is then not kept.
    let too_large = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1048577\r\n\r\n{}",
        "x".repeat(1_048_577)
    );
    let many_headers = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(1_000));
    vec![
        Fault::unread("closed before reading", End::Close),
        Fault::unread("reset before reading", End::Reset),
        Fault::broken("read whole, then closed", b"", End::Close),
        Fault::broken("read whole, then reset", b"", End::Reset),
        Fault::broken("read whole, then silence", b"", End::Silence),
        Fault::broken("head cut", b"HTTP/1.1 200 OK\r\nContent-Le", End::Close),
        Fault::broken("head cut, then silence", b"HTTP/1.1 200 OK\r\nConte", End::Silence),
        Fault::broken("head is no HTTP", b"\x00\x01 not http at all\r\n\r\n", End::Close),
        Fault::broken("head of another protocol", b"SSH-2.0-OpenSSH_9.2\r\n", End::Close),
        Fault::broken("a header too large", huge_header.as_bytes(), End::Close),
        Fault::broken("too many headers", many_headers.as_bytes(), End::Close),
        Fault::broken("only an interim answer", b"HTTP/1.1 100 Continue\r\n\r\n", End::Close),
        Fault::broken("body cut", cut, End::Close).status(200),
        Fault::broken("body in chunks cut", cut_chunks, End::Close).status(200),
        Fault::broken("body stalls", cut, End::Silence).status(200),
        Fault { status: Err(()), ..Fault::broken("body reset", cut, End::Reset) },
        Fault {
            kind: ErrorKind::InvalidResponse,
            retryable: false,
            ..Fault::broken("body too large", too_large.as_bytes(), End::Close)
        }
        .status(200),
    ]
}

/// Purpose, body, and the effect that the fault then proves.
fn variants(offered: Offered, told: Option<bool>) -> [(Purpose, &'static str, Effect); 4] {
    let with_body = if told == Some(false) { Effect::None } else { Effect::Possible };
    // Without a body to tell by, only a failed connection is proof.
    let without_body = match offered {
        Offered::NoConnection => Effect::None,
        Offered::Yes | Offered::Either => Effect::Possible,
    };
    [
        (Purpose::Mutate, BODY, with_body),
        (Purpose::Mutate, "", without_body),
        (Purpose::Read, BODY, Effect::None),
        (Purpose::Read, "", Effect::None),
    ]
}

/// Makes the call in each variant and compares. `received` gives the number of whole requests
/// that have arrived, and waits until there are as many as it is given.
async fn check(fault: &Fault, client: &HttpClient, url: &Url, received: impl Fn(usize) -> usize) {
    let each = usize::from(fault.offered == Offered::Yes);
    for number in 0..4 {
        let name = fault.name;
        let before = each * number;
        let (purpose, body, _) = variants(fault.offered, None)[number];
        let error = client.send(request(purpose, url.clone(), body)).await.expect_err(name);
        // A reset can come so early that there never was a connection.
        let unmade = error.message().starts_with("no connection");
        let offered = if unmade { Offered::NoConnection } else { fault.offered };
        let (_, _, effect) = variants(offered, error.offered())[number];
        let shown = format!("{name}, {purpose:?}, body {body:?}: {error:?}");
        assert_eq!(error.effect(), effect, "{shown}");
        assert_eq!(error.kind(), fault.kind, "{shown}");
        assert_eq!(error.is_retryable(), fault.retryable, "{shown}");
        match (offered, body.is_empty()) {
            (_, true) => assert_eq!(error.offered(), None, "{shown}"),
            (Offered::NoConnection, false) => assert_eq!(error.offered(), Some(false), "{shown}"),
            (Offered::Yes, false) => assert_eq!(error.offered(), Some(true), "{shown}"),
            (Offered::Either, false) => assert!(error.offered().is_some(), "{shown}"),
        }
        match fault.status {
            Ok(status) => assert_eq!(error.http_status(), status, "{shown}"),
            Err(()) => assert!(matches!(error.http_status(), None | Some(200)), "{shown}"),
        }
        if fault.offered != Offered::Either {
            assert_eq!(offered, fault.offered, "{shown}");
        }
        let arrived = received(before + each) - before;
        assert_eq!(arrived, each, "{shown}");
        never_proved_wrongly(&error, purpose, arrived, &shown);
        hides_the_url(&error, &shown);
    }
}

/// The one thing that must never happen.
fn never_proved_wrongly(error: &Error, purpose: Purpose, arrived: usize, shown: &str) {
    let proved = purpose == Purpose::Mutate && error.effect() == Effect::None;
    assert!(!(proved && arrived > 0), "the server had the request: {shown}");
}

fn hides_the_url(error: &Error, shown: &str) {
    let text = format!("{error} {error:?}");
    assert!(!text.contains("v1/pay"), "{shown}");
    assert!(std::error::Error::source(error).is_some() || error.http_status().is_some(), "{shown}");
}

#[tokio::test]
async fn each_fault_proves_what_it_proves() {
    let (patient, impatient) = (patient(), impatient());
    for fault in faults() {
        let server = Server::start(fault.act.clone());
        let waits = fault.kind == ErrorKind::Timeout;
        let client = if waits { &impatient } else { &patient };
        let received = |least| server.settled_with(least).len();
        check(&fault, client, &server.url("http"), received).await;
        assert_eq!(server.accepted(), 4, "{}: one connection each, nothing twice", fault.name);
    }
}

fn no_connection(name: &'static str, kind: ErrorKind) -> Fault {
    let fault = Fault::unread(name, End::Close);
    Fault { kind, offered: Offered::NoConnection, ..fault }
}

#[tokio::test]
async fn a_refused_connection_proves_that_nothing_was_sent() {
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let fault = no_connection("refused", ErrorKind::Unavailable);
    for scheme in ["http", "https"] {
        let url = Url::parse(&format!("{scheme}://{address}/v1/pay")).unwrap();
        check(&fault, &patient(), &url, |_| 0).await;
    }
}

/// A listener whose queue is full: the connection is neither made nor refused.
#[tokio::test]
async fn a_connection_that_hangs_proves_that_nothing_was_sent() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let span = std::time::Duration::from_millis(100);
    let connect = |_| std::net::TcpStream::connect_timeout(&address, span);
    let waiting: Vec<_> = (0..64).map(connect).take_while(Result::is_ok).collect();
    assert!(waiting.len() < 64, "the queue is never full here");
    let fault = no_connection("hangs", ErrorKind::Timeout);
    let url = Url::parse(&format!("http://{address}/v1/pay")).unwrap();
    check(&fault, &unconnected(), &url, |_| 0).await;
}

#[tokio::test]
async fn tls_to_a_plain_port_proves_that_nothing_was_sent() {
    let plain = answer("400 Bad Request", "");
    // What the server takes for a request is the greeting of TLS, which never ends as one does.
    for act in [Act::Ignore(End::Close), Act::Ignore(End::Reset), Act::Peek(End::Close)] {
        let server = Server::start(act);
        let fault = no_connection("plain text on a TLS port", ErrorKind::Unavailable);
        check(&fault, &patient(), &server.url("https"), |_| server.settled().len()).await;
    }
    let server = PlainSpeaker::start(plain).await;
    let fault = no_connection("plain text on a TLS port", ErrorKind::Unavailable);
    check(&fault, &patient(), &server.url, |_| 0).await;
}

#[tokio::test]
async fn tls_that_is_never_answered_proves_that_nothing_was_sent() {
    let server = Server::start(Act::Ignore(End::Silence));
    let fault = no_connection("TLS never answered", ErrorKind::Timeout);
    check(&fault, &unconnected(), &server.url("https"), |_| server.settled().len()).await;
}

/// Answers the first bytes that come, whatever they are.
struct PlainSpeaker {
    url: Url,
}

impl PlainSpeaker {
    async fn start(answer: Vec<u8>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/v1/pay", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.readable().await.unwrap();
                drop(stream.try_write(&answer));
            }
        });
        Self { url: Url::parse(&url).unwrap() }
    }
}
