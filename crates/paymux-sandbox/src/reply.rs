//! An HTTP answer as data, so that faults can still change, cut or withhold it.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use http_body::{Frame, SizeHint};
use serde::Serialize;
use serde_json::Value;

/// One answer, complete in memory.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Reply {
                status,
                content_type: "application/json",
                headers: Vec::new(),
                body: body.into(),
            },
            Err(error) => Reply::text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }

    pub(crate) fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Reply {
            status,
            content_type: "text/plain; charset=utf-8",
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub(crate) fn html(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Reply { content_type: "text/html; charset=utf-8", ..Reply::text(status, body) }
    }

    /// Sends the browser elsewhere; nothing for a location that no header can carry.
    pub(crate) fn redirect(status: StatusCode, location: &str) -> Option<Self> {
        let location = HeaderValue::from_str(location).ok()?;
        Some(Reply::text(status, "").with_header(LOCATION, location))
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same answer with a changed JSON body; an answer that is not JSON stays as it is.
    pub(crate) fn map_json(mut self, change: impl FnOnce(&mut Value)) -> Self {
        if let Ok(mut value) = serde_json::from_slice::<Value>(&self.body) {
            change(&mut value);
            self.body = value.to_string().into();
        }
        self
    }

    /// The same answer with a changed text.
    pub(crate) fn map_text(mut self, change: impl FnOnce(&str) -> String) -> Self {
        self.body = change(&String::from_utf8_lossy(&self.body)).into();
        self
    }

    pub(crate) fn into_response(self) -> Response {
        self.build(Body::from)
    }

    /// Announces the whole body, sends the first half, then cuts the connection.
    pub(crate) fn into_truncated_response(self) -> Response {
        self.build(|body| {
            Body::new(TruncatedBody { length: body.len(), half: Some(body), flushed: false })
        })
    }

    fn build(self, body: impl FnOnce(Bytes) -> Body) -> Response {
        let mut response = Response::new(body(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        for (name, value) in self.headers {
            headers.insert(name, value);
        }
        response
    }
}

/// Marks a response that must never be sent: the server closes the connection instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CutConnection;

impl CutConnection {
    pub(crate) fn response() -> Response {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(CutConnection);
        response
    }
}

/// A body that breaks off in the middle.
struct TruncatedBody {
    length: usize,
    half: Option<Bytes>,
    flushed: bool,
}

impl http_body::Body for TruncatedBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if let Some(body) = self.half.take() {
            return Poll::Ready(Some(Ok(Frame::data(body.slice(..body.len() / 2)))));
        }
        if !self.flushed {
            // One turn of doing nothing lets the server flush what it has before the error.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(std::io::Error::other("the reply was truncated on request"))))
    }

    fn size_hint(&self) -> SizeHint {
        let sent = if self.half.is_some() { 0 } else { self.length / 2 };
        SizeHint::with_exact(u64::try_from(self.length - sent).unwrap_or(u64::MAX))
    }
}
