//! A small HTTP server that misbehaves as told: it refuses, resets, stays silent, or stops in the
//! middle of an answer. One connection carries one request.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
};
use url::Url;

use crate::{
    data::Problem,
    serve::{Answer, Received, Step},
};

const BACKLOG: u32 = 16;

/// The server. Its port stays its own as long as it lives, also while it refuses.
pub(crate) struct WireServer {
    address: SocketAddr,
    /// Holds the port without listening, so that nobody else gets it while connections are
    /// refused.
    _holder: TcpSocket,
    received: Arc<Mutex<Vec<Received>>>,
    task: Option<JoinHandle<()>>,
}

impl WireServer {
    pub(crate) fn bind() -> io::Result<Self> {
        let holder = socket_at(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = holder.local_addr()?;
        Ok(Self { address, _holder: holder, received: Arc::default(), task: None })
    }

    pub(crate) fn url(&self) -> Result<Url, Problem> {
        Url::parse(&format!("http://{}", self.address)).map_err(|error| error.to_string())
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Starts to play. Nobody listens any more once a step that refuses is reached; else requests
    /// beyond the last step are recorded, too.
    pub(crate) fn play(&mut self, mut steps: Vec<Step>) -> io::Result<()> {
        let refuse_at = steps.iter().position(|step| *step == Step::Refuse);
        steps.truncate(refuse_at.unwrap_or(steps.len()));
        if steps.is_empty() && refuse_at.is_some() {
            return Ok(());
        }
        let listener = socket_at(self.address)?.listen(BACKLOG)?;
        let received = Arc::clone(&self.received);
        self.task =
            Some(tokio::spawn(accept(listener, steps.into(), refuse_at.is_some(), received)));
        Ok(())
    }
}

impl Drop for WireServer {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

fn socket_at(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    #[cfg(unix)]
    socket.set_reuseport(true)?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Answers one connection a step.
async fn accept(
    listener: TcpListener,
    mut steps: VecDeque<Step>,
    then_refuse: bool,
    received: Arc<Mutex<Vec<Received>>>,
) {
    // Connections on which we stay silent must stay open.
    let mut silent = Vec::new();
    let mut listener = Some(listener);
    while let Some(open) = &listener {
        let Ok((mut stream, _)) = open.accept().await else { break };
        let Ok(request) = read_request(&mut stream).await else { continue };
        received.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        let step = steps.pop_front().unwrap_or_else(|| Step::Answer(Answer::html(500)));
        if steps.is_empty() && then_refuse {
            // Closed before the answer goes out, so that the next connection is surely refused.
            listener = None;
        }
        match step {
            // A client that went away is the client's business.
            Step::Answer(answer) => drop(send(&mut stream, &answer, answer.body.len()).await),
            Step::Truncate(answer) => {
                drop(send(&mut stream, &answer, answer.body.len() / 2).await);
            }
            Step::Reset => drop(stream.set_zero_linger()),
            Step::Silence => silent.push(stream),
            Step::Refuse => break,
        }
    }
}

async fn send(stream: &mut TcpStream, answer: &Answer, bytes: usize) -> io::Result<()> {
    let reason = "As told";
    let mut head = format!("HTTP/1.1 {} {reason}\r\nconnection: close\r\n", answer.status);
    head.push_str(&format!("content-length: {}\r\n", answer.body.len()));
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&answer.body[..bytes]).await?;
    stream.shutdown().await
}

/// Reads one request with `content-length`, the only framing our client uses.
async fn read_request(stream: &mut TcpStream) -> io::Result<Received> {
    let malformed = || io::Error::from(io::ErrorKind::InvalidData);
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(malformed());
        }
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let method = first.next().unwrap_or_default().to_owned();
    let target = first.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(malformed)?;
        let name = HeaderName::try_from(name.trim()).map_err(|_| malformed())?;
        let value = HeaderValue::try_from(value.trim()).map_err(|_| malformed())?;
        headers.append(name, value);
    }
    let length = headers.get(http::header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0_usize);
    let mut body = bytes.split_off(head_end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(malformed());
        }
    }
    Ok(Received { method, path: path.to_owned(), query: query.to_owned(), headers, body })
}
