//! The one HTTP client, and what each way for a call to fail proves.
//!
//! A call is one attempt: no redirect is followed, nothing is sent twice, and the answer is read
//! whole, up to a limit. The request body reports whether any byte of it was offered to the
//! socket: if not, and only then, a failed mutating call is proved to have had no effect.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use url::{Host, Url};

use crate::{
    Effect, Error, ErrorKind, Result,
    json::{self, Unreadable},
};

mod classify;
mod debug;
mod witness;
mod words;

use classify::Broken;
use witness::Witness;
pub use words::fit_words;

/// How the client behaves. The defaults suit calls that move money.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpSettings {
    /// The longest wait for a connection, the TLS handshake included. Must be below `timeout`.
    pub connect_timeout: Duration,
    /// The longest wait for the whole call.
    pub timeout: Duration,
    /// The largest answer that is read, in bytes.
    pub max_response_bytes: usize,
    /// How long an unused connection is kept; keep it below what the providers do.
    pub pool_idle_timeout: Duration,
    /// The proxy to go through, except to this machine; none is taken from the environment.
    pub proxy: Option<Url>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(30),
            max_response_bytes: 1024 * 1024,
            pool_idle_timeout: Duration::from_secs(30),
            proxy: None,
        }
    }
}

/// Clear text is permitted to this machine, so it must not be handed to a proxy on another.
const THIS_MACHINE: &str = "localhost,127.0.0.0/8,::1";

/// The HTTP client. Cheap to clone; build one per process and share it among all adapters.
#[derive(Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    settings: HttpSettings,
}

/// Can the request change something at the provider?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// No: however it fails, it had no effect.
    Read,
    /// Yes: unless the contrary is proved, it may have had an effect.
    Mutate,
}

/// A request, complete. `Debug` shows neither the body nor what headers hold.
#[derive(Clone)]
pub struct HttpRequest {
    /// Can it change something?
    pub purpose: Purpose,
    /// The method.
    pub method: Method,
    /// Where to: `https`, or `http` to this machine.
    pub url: Url,
    /// The headers; secret values are marked sensitive, see [`secret_header`].
    pub headers: HeaderMap,
    /// The body, exactly as it will be sent.
    pub body: Bytes,
}

impl HttpRequest {
    /// A request without body.
    #[must_use]
    pub fn new(purpose: Purpose, method: Method, url: Url) -> Self {
        Self { purpose, method, url, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// The same request with a JSON body.
    ///
    /// # Errors
    /// `InvalidRequest` without effect when the value cannot be written as JSON.
    pub fn json<T: Serialize>(mut self, body: &T) -> Result<Self> {
        let body = serde_json::to_vec(body).map_err(|source| {
            Error::new(ErrorKind::InvalidRequest, Effect::None, "the request is no JSON")
                .with_source(source)
        })?;
        self.body = body.into();
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(self)
    }

    /// The same request with one more header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// An answer, read whole. `Debug` shows neither the body nor what headers hold.
#[derive(Clone)]
pub struct HttpResponse {
    /// What the request was for; decides what a refusal proves.
    pub purpose: Purpose,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl HttpClient {
    /// A client with these settings.
    ///
    /// # Errors
    /// `Configuration` without effect when the settings contradict each other or the system's
    /// TLS roots cannot be read.
    pub fn new(settings: HttpSettings) -> Result<Self> {
        if settings.connect_timeout >= settings.timeout {
            return Err(Error::configuration("connect_timeout", "must be below timeout"));
        }
        // What another crate of the program can switch on for everybody, by a feature of reqwest, is
        // switched off by name: HTTP/2, where one connection carries many calls and resends are
        // part of the protocol; bodies that grow when they are unpacked; another TLS.
        let builder = reqwest::Client::builder()
            .http1_only()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .tls_backend_rustls()
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .user_agent(concat!("paymux/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .pool_idle_timeout(settings.pool_idle_timeout);
        let builder = match &settings.proxy {
            None => builder.no_proxy(),
            Some(proxy) => {
                let all = reqwest::Proxy::all(proxy.clone()).map_err(|source| {
                    Error::configuration("proxy", "cannot be used")
                        .with_source(source.without_url())
                })?;
                builder.proxy(all.no_proxy(reqwest::NoProxy::from_string(THIS_MACHINE)))
            }
        };
        let client = builder.build().map_err(|source| {
            Error::configuration("http", "the HTTP client cannot be built").with_source(source)
        })?;
        Ok(Self { client, settings })
    }

    /// Makes one attempt and reads the answer whole. Any status is an answer; see
    /// [`HttpResponse::refusal`].
    ///
    /// # Errors
    /// - `Configuration` without effect when the URL is neither `https` nor of this machine, or
    ///   holds a password.
    /// - `Timeout` or `Unavailable` when no whole answer came; without effect when the request
    ///   only reads or when no byte of its body was offered to the socket. It names the HTTP
    ///   status when the answer had begun.
    /// - `InvalidResponse` when the answer is larger than permitted; the effect is possible when
    ///   the request mutates.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse> {
        check_url(&request.url)?;
        let HttpRequest { purpose, method, url, headers, body } = request;
        let witness = Witness::new(&body);
        let mut outgoing = reqwest::Request::new(method, url);
        *outgoing.headers_mut() = headers;
        if !body.is_empty() {
            *outgoing.body_mut() = Some(reqwest::Body::wrap(witness.body(body)));
        }
        let lost = |error| classify::no_answer(broken(error), purpose, &witness);
        let mut answer = self.client.execute(outgoing).await.map_err(lost)?;
        let status = answer.status();
        let cut = |error| lost(error).with_http_status(status.as_u16());
        let headers = std::mem::take(answer.headers_mut());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(cut)? {
            if body.len() + chunk.len() > self.settings.max_response_bytes {
                return Err(classify::too_large(purpose, status, &witness));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse { purpose, status, headers, body: body.into() })
    }
}

/// What the HTTP implementation tells of a failure; the URL is left out, since it can hold ids.
fn broken(error: reqwest::Error) -> Broken {
    Broken {
        timed_out: error.is_timeout(),
        connecting: error.is_connect(),
        source: error.without_url().into(),
    }
}

/// Nothing is sent in clear text, except to this machine: sandboxes and tests.
fn check_url(url: &Url) -> Result<()> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::configuration("base_url", "must not hold a user or a password"));
    }
    if !is_private(url) {
        return Err(Error::configuration("base_url", "must be https, or http to this machine"));
    }
    Ok(())
}

/// Can nobody between read along? True of `https`, and of `http` to this machine. For addresses
/// that a call, or a payer, is sent to.
#[must_use]
pub fn is_private(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && loopback)
}

/// Does it lead to a page or an app? True of any scheme but those that run code, or read files,
/// in the browser that an address is opened in. For addresses that a payer returns to.
#[must_use]
pub fn leads_to_a_page(url: &Url) -> bool {
    !matches!(url.scheme(), "javascript" | "data" | "vbscript" | "blob" | "file")
}

impl HttpResponse {
    /// Did the provider accept the request?
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// Reads the body of a success, strictly: see [`json::read`].
    ///
    /// # Errors
    /// As [`HttpResponse::unreadable`].
    pub fn read_json<T: DeserializeOwned>(&self) -> Result<T> {
        json::read(&self.body).map_err(|fault| Unreadable::from(fault).of(self))
    }

    /// The error for a success that does not say what it must: the provider has acted, and we do
    /// not know how. Not to be repeated.
    #[must_use]
    pub fn unreadable(&self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::InvalidResponse, classify::worst(self.purpose), message)
            .with_http_status(self.status.as_u16())
    }

    /// Is the answer about the object that was asked for? One about another is no answer. `what`
    /// names the kind of object; neither id is quoted.
    ///
    /// # Errors
    /// As [`HttpResponse::unreadable`].
    pub fn check_same(&self, what: &str, asked: &str, answered: &str) -> Result<()> {
        if asked == answered {
            return Ok(());
        }
        Err(self.unreadable(format!("the answer is about another {what}")))
    }

    /// The error for an answer that is no success, by its HTTP status alone. `recognized` says
    /// that the body is in the provider's own error format: only then does a 4xx prove that the
    /// provider itself refused, and did nothing; and only then is anything said to be not found or
    /// declined. An adapter refines this by the provider's codes.
    #[must_use]
    pub fn refusal(&self, recognized: bool) -> Error {
        classify::refusal(self, recognized)
    }

    /// How long the provider asks to wait, in seconds or until a date.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        classify::retry_after(&self.headers)
    }
}

/// A header value that holds a secret, behind a prefix such as `Bearer `. It is marked sensitive,
/// so that it is not printed.
///
/// # Errors
/// `Configuration` without effect, naming `field`, when the secret is empty or cannot stand in a
/// header.
pub fn secret_header(
    field: &'static str,
    prefix: &str,
    secret: &SecretString,
) -> Result<HeaderValue> {
    let secret = secret.expose_secret();
    if secret.trim().is_empty() {
        return Err(Error::configuration(field, "must not be empty"));
    }
    if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::configuration(field, "must be visible ASCII without spaces"));
    }
    let mut value = HeaderValue::try_from(format!("{prefix}{secret}"))
        .map_err(|_| Error::configuration(field, "cannot stand in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}
