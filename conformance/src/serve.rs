//! Plays the provider: the n-th request is answered by the n-th step.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::HeaderMap;
use serde_json::Value;
use url::Url;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use crate::{case::Reply, data::Problem, wire::WireServer};

/// An answer, complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What happens to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is answered.
    Answer(Answer),
    /// No connection is accepted, from here on.
    Refuse,
    /// It is read whole, then the connection is reset.
    Reset,
    /// It is read whole and never answered.
    Silence,
    /// It is answered, and the connection ends in the middle of the body.
    Truncate(Answer),
}

impl Step {
    /// Does it need a server that misbehaves on the wire?
    pub(crate) fn is_wire(&self) -> bool {
        !matches!(self, Self::Answer(_))
    }
}

/// What stands in every body that is not the provider's. It can be about anybody, so an adapter
/// keeps none of it.
pub(crate) const STRANGER: &str = "this is not the provider";

impl Answer {
    /// The reply of a case.
    pub(crate) fn of(reply: &Reply) -> Self {
        let (body, content_type) = match (&reply.body, &reply.text) {
            (Some(body), _) => (body.to_string().into_bytes(), Some("application/json")),
            (None, Some(text)) => (text.clone().into_bytes(), Some("text/plain")),
            (None, None) => (Vec::new(), None),
        };
        let mut answer = Self { status: reply.status, headers: Vec::new(), body };
        answer.headers.extend(reply.headers.iter().map(|(k, v)| (k.clone(), v.clone())));
        match content_type {
            Some(content_type) => answer.with_default_type(content_type),
            None => answer,
        }
    }

    /// A JSON answer.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string().into_bytes() }
            .with_default_type("application/json")
    }

    /// A page, as a gateway answers in the provider's place.
    pub(crate) fn html(status: u16) -> Self {
        let body = format!("<!doctype html><html><body><h1>{STRANGER}</h1></body></html>");
        Self { status, headers: Vec::new(), body: body.into() }.with_default_type("text/html")
    }

    /// The same with one more header.
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn with_default_type(self, content_type: &str) -> Self {
        if self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            return self;
        }
        self.header("content-type", content_type)
    }
}

/// A request as it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// Every value of a header.
    pub(crate) fn header_values(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?")).collect()
    }

    /// Method, path, query and body, for a person.
    pub(crate) fn describe(&self) -> String {
        let query = if self.query.is_empty() { "" } else { "?" };
        let body = String::from_utf8_lossy(&self.body);
        format!("{} {}{query}{} {body}", self.method, self.path, self.query)
    }
}

/// A server for one trial.
pub(crate) struct Server {
    pub(crate) url: Url,
    host: Host,
}

enum Host {
    /// Answers every request whole.
    Mock(Mocked),
    /// Misbehaves on the wire.
    Wire(WireServer),
}

/// A mock server and what it answers.
pub(crate) struct Mocked {
    server: MockServer,
    script: Script,
}

/// Mock servers that are not in use. Each runs a thread of its own, so starting one a trial, or
/// many, would take longer than the trial.
#[derive(Default)]
pub(crate) struct Idle(Mutex<Vec<Mocked>>);

impl Idle {
    fn take(&self) -> Option<Mocked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Gives a server back. One whose trial panicked never comes back, and ends.
    pub(crate) fn give_back(&self, server: Server) {
        if let Host::Mock(mocked) = server.host {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(mocked);
        }
    }
}

/// The steps left, shared with the responder.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<VecDeque<Answer>>>);

impl Script {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Respond for Script {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let Some(answer) = self.lock().pop_front() else {
            // Explains itself to whoever looks at what the adapter received.
            let text = format!("no request was expected here: {} {}", request.method, request.url);
            return ResponseTemplate::new(500).set_body_string(text);
        };
        let mut template = ResponseTemplate::new(answer.status).set_body_bytes(answer.body);
        for (name, value) in answer.headers {
            template = template.append_header(name, value);
        }
        template
    }
}

impl Server {
    /// A server on loopback, without steps yet. `wire` says that it has to misbehave.
    pub(crate) async fn start(wire: bool, idle: &Idle) -> Result<Self, Problem> {
        if wire {
            let server = WireServer::bind().map_err(|error| format!("no port: {error}"))?;
            return Ok(Self { url: server.url()?, host: Host::Wire(server) });
        }
        let mocked = match idle.take() {
            Some(mocked) => mocked,
            None => {
                Mocked { server: MockServer::builder().start().await, script: Script::default() }
            }
        };
        // Forgets the requests of the trial before, and the answers.
        mocked.server.reset().await;
        Mock::given(any()).respond_with(mocked.script.clone()).mount(&mocked.server).await;
        let url = Url::parse(&mocked.server.uri()).map_err(|error| error.to_string())?;
        Ok(Self { url, host: Host::Mock(mocked) })
    }

    /// Sets the steps of the next requests, in place of any left.
    pub(crate) fn load(&mut self, steps: Vec<Step>) -> Result<(), Problem> {
        match &mut self.host {
            Host::Wire(server) => server.play(steps).map_err(|error| format!("no server: {error}")),
            Host::Mock(mocked) => {
                let answers: Option<VecDeque<Answer>> = steps
                    .into_iter()
                    .map(|step| match step {
                        Step::Answer(answer) => Some(answer),
                        Step::Refuse | Step::Reset | Step::Silence | Step::Truncate(_) => None,
                    })
                    .collect();
                *mocked.script.lock() =
                    answers.ok_or("this server cannot misbehave on the wire")?;
                Ok(())
            }
        }
    }

    /// The requests so far, in order.
    pub(crate) async fn received(&self) -> Vec<Received> {
        match &self.host {
            Host::Wire(server) => server.received(),
            Host::Mock(mocked) => {
                let requests = mocked.server.received_requests().await.unwrap_or_default();
                requests.into_iter().map(Received::from).collect()
            }
        }
    }
}

impl From<Request> for Received {
    fn from(request: Request) -> Self {
        Self {
            method: request.method.to_string(),
            path: request.url.path().to_owned(),
            query: request.url.query().unwrap_or_default().to_owned(),
            headers: request.headers,
            body: request.body,
        }
    }
}
