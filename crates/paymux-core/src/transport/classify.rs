//! What a failure proves. The rows are those of any careful client; a provider that proves more,
//! or less, says so in its own `map.rs`.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};

use super::{HttpResponse, Purpose, witness::Witness};
use crate::{Effect, Error, ErrorKind};

/// The effect when nothing is proved.
pub(super) fn worst(purpose: Purpose) -> Effect {
    match purpose {
        Purpose::Read => Effect::None,
        Purpose::Mutate => Effect::Possible,
    }
}

/// How a call broke off, as far as the HTTP implementation tells.
pub(super) struct Broken {
    pub(super) timed_out: bool,
    pub(super) connecting: bool,
    pub(super) source: Box<dyn std::error::Error + Send + Sync>,
}

/// No whole answer came.
pub(super) fn no_answer(broken: Broken, purpose: Purpose, witness: &Witness) -> Error {
    let not_sent = match witness.offered() {
        Some(offered) => !offered,
        // Without a body only a failure to connect is proof.
        None => broken.connecting,
    };
    let effect = if not_sent { Effect::None } else { worst(purpose) };
    let (kind, message) = match (broken.timed_out, broken.connecting) {
        (true, true) => (ErrorKind::Timeout, "no connection could be made in time"),
        (true, false) => (ErrorKind::Timeout, "no whole answer came in time"),
        (false, true) => (ErrorKind::Unavailable, "no connection could be made"),
        (false, false) => {
            (ErrorKind::Unavailable, "the connection ended before a whole answer could be read")
        }
    };
    let error = Error::new(kind, effect, message).with_retryable(true).with_source(broken.source);
    witnessed(error, witness)
}

fn witnessed(error: Error, witness: &Witness) -> Error {
    match witness.offered() {
        Some(offered) => error.with_offered(offered),
        None => error,
    }
}

/// The answer is larger than we read.
pub(super) fn too_large(purpose: Purpose, status: StatusCode, witness: &Witness) -> Error {
    let message = "the answer is larger than permitted";
    let error = Error::new(ErrorKind::InvalidResponse, worst(purpose), message)
        .with_http_status(status.as_u16());
    witnessed(error, witness)
}

/// What the status of a refusal proves.
pub(super) fn refusal(response: &HttpResponse, recognized: bool) -> Error {
    let status = response.status;
    // Whether the refusal is definite, if it really is the provider's.
    let (kind, definite, retryable) = match status.as_u16() {
        400 | 422 => (ErrorKind::InvalidRequest, true, false),
        401 => (ErrorKind::Unauthenticated, true, false),
        402 if recognized => (ErrorKind::Declined, true, false),
        403 => (ErrorKind::PermissionDenied, true, false),
        404 | 410 if recognized => (ErrorKind::NotFound, true, false),
        // An address that something on the way does not know is no word about any payment.
        404 | 410 => (ErrorKind::Configuration, true, false),
        405 | 415 | 501 | 505 => (ErrorKind::Configuration, true, false),
        408 => (ErrorKind::Timeout, false, true),
        409 => (ErrorKind::Conflict, false, false),
        429 => (ErrorKind::RateLimited, false, true),
        500..=599 => (ErrorKind::Unavailable, false, true),
        _ => (ErrorKind::Unexpected, false, false),
    };
    let effect = if definite && recognized { Effect::None } else { worst(response.purpose) };
    let reason = status.canonical_reason().unwrap_or("an unusual status");
    Error::new(kind, effect, format!("the provider answered {reason}"))
        .with_http_status(status.as_u16())
        .with_retryable(retryable)
        .with_retry_after(response.retry_after())
}

/// `Retry-After` in seconds, or as a date measured against the answer's own `Date`.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    let moment = |text: &str| {
        let zoned = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
        Some(zoned.timestamp().as_second())
    };
    let until = moment(text)?;
    let from = moment(headers.get(header::DATE)?.to_str().ok()?)?;
    Some(Duration::from_secs(u64::try_from(until - from).unwrap_or(0)))
}
