//! A client that sees bytes, a receiver of webhooks, and a running sandbox.

use std::sync::Mutex;

use paymux_sandbox::{Sandbox, SandboxConfig, StartTime};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use url::Url;

/// Frozen at the time of the specification's samples, with ids from a seed.
pub(crate) fn config() -> SandboxConfig {
    let start = "2023-06-01T12:00:00Z".parse().unwrap();
    SandboxConfig::default().seed(42).time(StartTime::Frozen(start))
}

pub(crate) async fn start() -> Sandbox {
    Sandbox::start(config()).await.unwrap()
}

/// An HTTP message, whichever way it went.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    /// The request or status line.
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Message {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let line = lines.next()?.to_owned();
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Some(Message { line, headers: lines.filter_map(header).collect(), body: body.to_owned() })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn status(&self) -> u16 {
        self.line.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// True when the whole announced body has arrived.
    fn is_complete(&self) -> bool {
        let announced = self.header("content-length").and_then(|length| length.parse().ok());
        announced.is_none_or(|length: usize| self.body.len() >= length)
    }
}

/// Sends one request; nothing when the connection closed without an answer.
pub(crate) async fn send(
    url: &str,
    method: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Message> {
    let url = Url::parse(url).unwrap();
    let address = (url.host_str().unwrap(), url.port().unwrap());
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut path = url.path().to_owned();
    if let Some(query) = url.query() {
        path = format!("{path}?{query}");
    }
    let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        text.push_str("Host: sandbox\r\n");
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A connection cut on purpose may end in a reset; what arrived before still counts.
    while let Ok(count) = stream.read_buf(&mut answer).await
        && count > 0
    {}
    Message::parse(&answer)
}

pub(crate) async fn get(url: &str) -> Message {
    send(url, "GET", &[], "").await.unwrap()
}

/// Posts a form as a browser does.
pub(crate) async fn post_form(url: &str, body: &str) -> Message {
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    send(url, "POST", &headers, body).await.unwrap()
}

/// Calls the control API.
pub(crate) async fn control(sandbox: &Sandbox, method: &str, path: &str, body: Value) -> Message {
    let url = format!("{}control{path}", sandbox.url());
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(&url, method, &[], &body).await.unwrap()
}

fn rpc_url(sandbox: &Sandbox, method: &str) -> String {
    let service = if method.contains("Refund") { "RefundService" } else { "PaymentService" };
    format!("{}/pay.v1.{service}/{method}", sandbox.toffeepay().base_url())
}

/// Calls a method of the API with these headers only, apart from those every request has.
pub(crate) async fn raw_call(
    sandbox: &Sandbox,
    method: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Message> {
    send(&rpc_url(sandbox, method), "POST", headers, body).await
}

/// Calls a method with the right key and, if given, an `Idempotency-Key`.
pub(crate) async fn try_call(
    sandbox: &Sandbox,
    method: &str,
    key: Option<&str>,
    body: &Value,
) -> Option<Message> {
    let toffeepay = sandbox.toffeepay();
    let bearer = format!("Bearer {}", toffeepay.api_key());
    let mut headers =
        vec![("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    if let Some(key) = key {
        headers.push(("Idempotency-Key", key));
    }
    raw_call(sandbox, method, &headers, &body.to_string()).await
}

pub(crate) async fn call(sandbox: &Sandbox, method: &str, body: Value) -> Message {
    try_call(sandbox, method, None, &body).await.unwrap()
}

/// The JSON of a call that must succeed.
pub(crate) async fn ok(sandbox: &Sandbox, method: &str, body: Value) -> Value {
    let answer = call(sandbox, method, body).await;
    assert_eq!(answer.status(), 200, "{method}: {}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

/// The sample request of the specification, for a game.
pub(crate) fn session_request(game_id: &str) -> Value {
    json!({
        "game_id": game_id,
        "user_id": "player_42",
        "item": {"title": "50 Gold Coins", "price": 499, "currency": "USD"},
        "return_url": "mygame://payment-complete",
    })
}

/// A new session; returns its id.
pub(crate) async fn session(sandbox: &Sandbox) -> String {
    session_of(sandbox, "space_shooter").await
}

pub(crate) async fn session_of(sandbox: &Sandbox, game_id: &str) -> String {
    let answer = ok(sandbox, "CreateSession", session_request(game_id)).await;
    answer["id"].as_str().unwrap().to_owned()
}

/// Asserts an error by its status and its domain code, or the Connect code where it has none.
#[track_caller]
pub(crate) fn assert_error(answer: &Message, status: u16, code: &str) {
    let body = answer.json();
    let found = body["details"][0]["debug"]["code"].as_str().or_else(|| body["code"].as_str());
    assert_eq!((answer.status(), found), (status, Some(code)), "{}", answer.body);
}

/// A merchant's webhook endpoint on a free port.
pub(crate) struct Receiver {
    pub(crate) url: Url,
    requests: mpsc::UnboundedReceiver<Message>,
}

impl Receiver {
    /// Answers with these statuses in turn, then with 200.
    pub(crate) async fn start(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = Url::parse(&format!("http://{address}/webhooks?account=1")).unwrap();
        let (sender, requests) = mpsc::unbounded_channel();
        let statuses = Mutex::new(statuses.iter().rev().copied().collect::<Vec<_>>());

        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let request = answer_one(stream, &statuses).await;
                if sender.send(request).is_err() {
                    return;
                }
            }
        });
        Receiver { url, requests }
    }

    pub(crate) async fn next(&mut self) -> Message {
        self.requests.recv().await.unwrap()
    }

    /// What has arrived and was not taken yet.
    pub(crate) fn arrived(&mut self) -> Vec<Message> {
        std::iter::from_fn(|| self.requests.try_recv().ok()).collect()
    }
}

async fn answer_one(mut stream: TcpStream, statuses: &Mutex<Vec<u16>>) -> Message {
    let mut bytes = Vec::new();
    let message = loop {
        match Message::parse(&bytes) {
            Some(message) if message.is_complete() => break message,
            _ => assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "half a request"),
        }
    };
    let status = statuses.lock().unwrap().pop().unwrap_or(200);
    let answer =
        format!("HTTP/1.1 {status} Whatever\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
    message
}
