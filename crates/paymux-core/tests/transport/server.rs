//! A server that speaks bytes, in a thread of its own, and remembers what it received.

use std::{
    net::{SocketAddr, TcpStream as BlockingStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use paymux_core::transport::{HttpClient, HttpRequest, HttpSettings, Purpose};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use url::Url;

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// In order: FIN.
    Close,
    /// At once: RST.
    Reset,
    /// Never, as far as the client can tell.
    Silence,
}

/// What the server does with each connection.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Reads nothing.
    Ignore(End),
    /// Reads what has arrived after some turns, more at each connection, and does not wait.
    Peek(End),
    /// Reads a whole request, then writes these bytes.
    Answer(Vec<u8>, End),
    /// Reads a whole request, answers it, then treats what follows as [`Act::Peek`].
    AnswerThenPeek(Vec<u8>, End),
    /// Answers every request of a connection.
    AnswerAll(Vec<u8>),
}

#[derive(Debug, Default)]
struct Seen {
    /// Whole requests, in order of arrival.
    requests: Vec<Vec<u8>>,
    accepted: usize,
    /// Connections that the server is at work on: neither ended nor waiting for a first byte.
    busy: usize,
}

#[derive(Debug, Default)]
struct Record {
    seen: Mutex<Seen>,
    changed: Condvar,
}

impl Record {
    fn note(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap());
        self.changed.notify_all();
    }
}

#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    record: Arc<Record>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(act: Act) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let record = Arc::new(Record::default());
        let stopped = Arc::new(AtomicBool::new(false));
        let (theirs, stop) = (Arc::clone(&record), Arc::clone(&stopped));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(accept(listener, act, theirs, stop));
        });
        Self { address, record, stopped, thread: Some(thread) }
    }

    /// `http`, unless another scheme is wanted.
    pub(crate) fn url(&self, scheme: &str) -> Url {
        Url::parse(&format!("{scheme}://{}/v1/pay?x=1", self.address)).unwrap()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the server is at work on no connection, and gives the whole requests received.
    pub(crate) fn settled(&self) -> Vec<Vec<u8>> {
        self.await_until(|seen| seen.busy == 0);
        self.requests()
    }

    /// The same, and waits for at least so many: a client that gave up does not wait for us.
    pub(crate) fn settled_with(&self, least: usize) -> Vec<Vec<u8>> {
        self.await_until(|seen| seen.busy == 0 && seen.requests.len() >= least);
        self.requests()
    }

    pub(crate) fn requests(&self) -> Vec<Vec<u8>> {
        self.record.seen.lock().unwrap().requests.clone()
    }

    pub(crate) fn accepted(&self) -> usize {
        self.record.seen.lock().unwrap().accepted
    }

    /// The limit is there for a defect only, which then fails a test in place of hanging it.
    fn await_until(&self, ready: impl Fn(&Seen) -> bool) {
        let limit = Duration::from_secs(30);
        let seen = self.record.seen.lock().unwrap();
        drop(self.record.changed.wait_timeout_while(seen, limit, |seen| !ready(seen)).unwrap());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the accept loop; if that fails, the loop is gone already.
        drop(BlockingStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

async fn accept(
    listener: std::net::TcpListener,
    act: Act,
    record: Arc<Record>,
    stop: Arc<AtomicBool>,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let mut number = 0;
        record.note(|seen| {
            number = seen.accepted;
            seen.accepted += 1;
            seen.busy += 1;
        });
        tokio::spawn(serve(stream, number, act.clone(), Arc::clone(&record)));
    }
}

async fn serve(mut stream: TcpStream, number: usize, act: Act, record: Arc<Record>) {
    let arrived = |request| record.note(|seen| seen.requests.push(request));
    let end = match act {
        Act::Ignore(end) => end,
        Act::Peek(end) => {
            peek(&stream, number).await.map(arrived);
            end
        }
        Act::Answer(answer, end) => {
            read_whole(&mut stream, &record).await.map(arrived);
            write(&mut stream, &answer).await;
            end
        }
        Act::AnswerThenPeek(answer, end) => {
            read_whole(&mut stream, &record).await.map(arrived);
            write(&mut stream, &answer).await;
            peek(&stream, number).await.map(arrived);
            end
        }
        Act::AnswerAll(answer) => {
            while let Some(request) = read_whole(&mut stream, &record).await {
                arrived(request);
                write(&mut stream, &answer).await;
            }
            End::Close
        }
    };
    if end == End::Silence {
        record.note(|seen| seen.busy -= 1);
        std::future::pending::<()>().await;
    }
    if end == End::Reset {
        stream.set_zero_linger().unwrap();
    }
    drop(stream);
    record.note(|seen| seen.busy -= 1);
}

/// The client may be gone before the whole answer is written.
async fn write(stream: &mut TcpStream, answer: &[u8]) {
    if stream.write_all(answer).await.is_ok() {
        drop(stream.flush().await);
    }
}

/// What has arrived after some turns of the scheduler, if it is a whole request.
async fn peek(stream: &TcpStream, number: usize) -> Option<Vec<u8>> {
    for _ in 0..number % 12 {
        tokio::task::yield_now().await;
    }
    let mut bytes = vec![0; 64 * 1024];
    let length = stream.try_read(&mut bytes).ok()?;
    bytes.truncate(length);
    is_whole(&bytes).then_some(bytes)
}

/// A whole request; `None` when the client went away before.
async fn read_whole(stream: &mut TcpStream, record: &Record) -> Option<Vec<u8>> {
    record.note(|seen| seen.busy -= 1);
    let ready = stream.readable().await;
    record.note(|seen| seen.busy += 1);
    ready.ok()?;
    let mut bytes = Vec::new();
    while !is_whole(&bytes) {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(bytes)
}

fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = head_end(bytes) else { return false };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    bytes.len() >= end + length.map_or(0, |length| length.parse::<usize>().unwrap())
}

/// Where the body begins.
fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// A request's head as text and its body.
pub(crate) fn take_apart(request: &[u8]) -> (String, &[u8]) {
    let end = head_end(request).unwrap();
    (String::from_utf8(request[..end].to_vec()).unwrap(), &request[end..])
}

/// An answer with these bytes as its body.
pub(crate) fn answer(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Patient, so that only a server that never answers can run into a limit.
pub(crate) fn patient() -> HttpClient {
    HttpClient::new(HttpSettings::default()).unwrap()
}

/// For servers that never answer. With [`unconnected`] the only waiting in these tests.
pub(crate) fn impatient() -> HttpClient {
    waiting(Duration::from_millis(250), Duration::from_millis(300))
}

/// For servers that never let a connection come about: only that limit can be run into.
pub(crate) fn unconnected() -> HttpClient {
    waiting(Duration::from_millis(150), Duration::from_secs(60))
}

fn waiting(connect: Duration, total: Duration) -> HttpClient {
    let mut settings = HttpSettings::default();
    settings.connect_timeout = connect;
    settings.timeout = total;
    HttpClient::new(settings).unwrap()
}

pub(crate) const BODY: &str = r#"{"amount":499}"#;

/// A request with or without a body.
pub(crate) fn request(purpose: Purpose, url: Url, body: &'static str) -> HttpRequest {
    let mut request = HttpRequest::new(purpose, http::Method::POST, url);
    request.body = body.into();
    request
}
