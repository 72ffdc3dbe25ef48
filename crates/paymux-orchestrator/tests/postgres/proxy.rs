//! A way to the server that can fail in the middle of a conversation: it reads what the driver
//! says, and falls silent or hangs up before or after the words that a trial names.

use std::{
    collections::HashMap,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use paymux_orchestrator::store::postgres::PostgresSettings;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    task::{JoinHandle, JoinSet},
};

use crate::server::Server;

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Takes all that is sent, and says nothing any more.
    Silence,
    /// Closes both sides.
    HangUp,
    /// The server refuses this statement, and goes on.
    Refusal,
}

/// When it fails: once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    /// Instead of passing on a statement with these words.
    Before(&'static str),
    /// Once a statement with these words was passed on.
    After(&'static str),
    /// Instead of passing on that one is to be prepared.
    Preparing(&'static str),
}

#[derive(Default)]
struct Plan {
    trap: Mutex<Option<(When, Way)>>,
    deaf: AtomicBool,
    /// How many conversations are held in silence.
    open: Mutex<JoinSet<()>>,
}

/// Stands between a store and a server.
pub(crate) struct Proxy {
    port: u16,
    plan: Arc<Plan>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn before(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let plan = Arc::new(Plan::default());
        let path = format!("{}/.s.PGSQL.{}", server.socket, server.port);
        let task = tokio::spawn({
            let plan = Arc::clone(&plan);
            async move {
                loop {
                    let (client, _) = listener.accept().await.unwrap();
                    let talk = Talk {
                        client,
                        server: UnixStream::connect(&path).await.unwrap(),
                        plan: Arc::clone(&plan),
                        sent: Vec::new(),
                        begun: false,
                        prepared: HashMap::new(),
                    };
                    plan.open.lock().unwrap().spawn(talk.pass_on());
                }
            }
        });
        Self { port, plan, task }
    }

    /// How a store gets to the server through it.
    pub(crate) fn settings(&self) -> PostgresSettings {
        PostgresSettings::new("127.0.0.1", "paymux", "paymux").port(self.port)
    }

    /// The next time that this is said, it fails.
    pub(crate) fn fail(&self, when: When, way: Way) {
        *self.plan.trap.lock().unwrap() = Some((when, way));
    }

    /// Did it fail as it was told to?
    pub(crate) fn has_failed(&self) -> bool {
        self.plan.trap.lock().unwrap().is_none()
    }

    /// From now on, or no longer, nothing is passed on from connections that are new.
    pub(crate) fn deafen(&self, deaf: bool) {
        self.plan.deaf.store(deaf, Ordering::SeqCst);
    }

    /// Hangs up on everybody.
    pub(crate) fn hang_up(&self) {
        self.plan.open.lock().unwrap().abort_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection.
struct Talk {
    client: TcpStream,
    server: UnixStream,
    plan: Arc<Plan>,
    /// What the client sent and is not passed on yet.
    sent: Vec<u8>,
    /// Was the first message passed on, which has no kind?
    begun: bool,
    /// Statements, by the names that they were prepared under.
    prepared: HashMap<String, String>,
}

impl Talk {
    async fn pass_on(mut self) {
        if self.plan.deaf.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
        let mut answer = vec![0; 16_384];
        loop {
            let read = tokio::select! {
                read = self.client.read_buf(&mut self.sent) => read,
                read = self.server.read(&mut answer) => {
                    let Ok(read @ 1..) = read else { return };
                    if self.client.write_all(&answer[..read]).await.is_err() {
                        return;
                    }
                    continue;
                }
            };
            if !matches!(read, Ok(1..)) {
                return;
            }
            while let Some(message) = self.message() {
                if !self.pass(message).await {
                    return;
                }
            }
        }
    }

    /// The next message, once it is whole.
    fn message(&mut self) -> Option<Vec<u8>> {
        let kind = usize::from(self.begun);
        let length: [u8; 4] = self.sent.get(kind..kind + 4)?.try_into().unwrap();
        let end = kind + usize::try_from(u32::from_be_bytes(length)).unwrap();
        if self.sent.len() < end {
            return None;
        }
        self.begun = true;
        let rest = self.sent.split_off(end);
        Some(std::mem::replace(&mut self.sent, rest))
    }

    /// Passes a message on, unless it is the one to fail at. Says whether to go on.
    async fn pass(&mut self, message: Vec<u8>) -> bool {
        let (text, preparing) = self.text_of(&message);
        let is_it = |words: &str| text.contains(words);
        let trap = *self.plan.trap.lock().unwrap();
        let met = trap.is_some_and(|(when, _)| match when {
            When::Before(words) | When::After(words) => !preparing && is_it(words),
            When::Preparing(words) => preparing && is_it(words),
        });
        let Some((when, way)) = trap.filter(|_| met) else {
            return self.server.write_all(&message).await.is_ok();
        };
        *self.plan.trap.lock().unwrap() = None;
        if way == Way::Refusal {
            return self.server.write_all(b"Q\0\0\0\x0cREFUSED\0").await.is_ok();
        }
        if matches!(when, When::After(_)) {
            self.server.write_all(&message).await.unwrap();
        }
        if way == Way::Silence {
            pending::<()>().await;
        }
        // The server is let finish: it gives up early where nobody takes its answers.
        let _ = self.client.shutdown().await;
        let _ = self.server.shutdown().await;
        let mut rest = Vec::new();
        let _ = self.server.read_to_end(&mut rest).await;
        false
    }

    /// The words of the statement that a message is about, and whether it only prepares it.
    fn text_of(&mut self, message: &[u8]) -> (String, bool) {
        let texts = || {
            let body = message.get(5..).unwrap_or_default();
            body.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned())
        };
        match message.first() {
            Some(b'Q') => (texts().next().unwrap_or_default(), false),
            Some(b'P') => {
                let mut texts = texts();
                let (name, sql) = (texts.next().unwrap(), texts.next().unwrap());
                self.prepared.insert(name, sql.clone());
                (sql, true)
            }
            Some(b'B') => {
                let name = texts().nth(1).unwrap_or_default();
                (self.prepared.get(&name).cloned().unwrap_or_default(), false)
            }
            _ => (String::new(), false),
        }
    }
}
