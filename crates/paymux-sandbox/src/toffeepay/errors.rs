//! Refusals and how they look on the wire.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};

use super::settings::ErrorShape;
use crate::SandboxError;
use crate::reply::Reply;

/// The Connect codes this provider uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    Unimplemented,
    Internal,
    Unavailable,
    Unauthenticated,
}

impl Code {
    /// Name, HTTP status and google.rpc number.
    fn facts(self) -> (&'static str, StatusCode, u8) {
        match self {
            Code::Unknown => ("unknown", StatusCode::INTERNAL_SERVER_ERROR, 2),
            Code::InvalidArgument => ("invalid_argument", StatusCode::BAD_REQUEST, 3),
            Code::DeadlineExceeded => ("deadline_exceeded", StatusCode::GATEWAY_TIMEOUT, 4),
            Code::NotFound => ("not_found", StatusCode::NOT_FOUND, 5),
            Code::AlreadyExists => ("already_exists", StatusCode::CONFLICT, 6),
            Code::PermissionDenied => ("permission_denied", StatusCode::FORBIDDEN, 7),
            Code::ResourceExhausted => ("resource_exhausted", StatusCode::TOO_MANY_REQUESTS, 8),
            Code::FailedPrecondition => ("failed_precondition", StatusCode::BAD_REQUEST, 9),
            Code::Aborted => ("aborted", StatusCode::CONFLICT, 10),
            Code::Unimplemented => ("unimplemented", StatusCode::NOT_IMPLEMENTED, 12),
            Code::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, 13),
            Code::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE, 14),
            Code::Unauthenticated => ("unauthenticated", StatusCode::UNAUTHORIZED, 16),
        }
    }

    /// The code that goes with an HTTP status injected by a fault.
    fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            400 => Code::InvalidArgument,
            401 => Code::Unauthenticated,
            403 => Code::PermissionDenied,
            404 => Code::NotFound,
            409 => Code::Aborted,
            429 => Code::ResourceExhausted,
            500 => Code::Internal,
            501 => Code::Unimplemented,
            502 | 503 => Code::Unavailable,
            504 => Code::DeadlineExceeded,
            _ => Code::Unknown,
        }
    }
}

/// A call that was refused and changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Code,
    /// The provider's own word for it, where one is published.
    pub(super) domain: Option<&'static str>,
    pub(super) message: Cow<'static, str>,
}

impl Refusal {
    pub(super) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Refusal { code, domain: None, message: message.into() }
    }

    pub(super) fn domain(
        code: Code,
        domain: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Refusal { code, domain: Some(domain), message: message.into() }
    }

    pub(super) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Refusal::new(Code::InvalidArgument, message)
    }

    pub(super) fn wrong_state(message: impl Into<Cow<'static, str>>) -> Self {
        Refusal::new(Code::FailedPrecondition, message)
    }

    pub(super) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Refusal::new(Code::NotFound, message)
    }

    pub(super) fn idempotency_conflict() -> Self {
        let message = "Idempotency key already used with different parameters";
        Refusal::domain(Code::Aborted, "idempotency_conflict", message)
    }

    pub(super) fn unauthorized() -> Self {
        Refusal::domain(Code::Unauthenticated, "unauthorized", "API key is wrong or expired")
    }

    pub(super) fn reply(&self, shape: ErrorShape) -> Reply {
        let (name, status, number) = self.code.facts();
        let word = self.domain.unwrap_or(name);
        // This one error is printed in the documentation, and there it is enveloped.
        let printed = self.domain == Some("idempotency_conflict");
        let body = match shape {
            ErrorShape::Connect if !printed => self.connect_body(name),
            ErrorShape::Connect | ErrorShape::Enveloped => {
                json!({"error": {"code": word, "message": self.message}})
            }
            ErrorShape::Flat => json!({"code": word, "message": self.message}),
            ErrorShape::Numeric => {
                json!({"code": number, "message": self.message, "details": []})
            }
        };
        Reply::json(status, &body)
    }

    fn connect_body(&self, name: &str) -> Value {
        let mut body = json!({"code": name, "message": self.message});
        if let Some(domain) = self.domain {
            body["details"] = json!([{
                "type": "pay.v1.Error",
                "value": STANDARD_NO_PAD.encode(encode_detail(domain, &self.message)),
                "debug": {"code": domain, "message": self.message},
            }]);
        }
        body
    }
}

impl From<Refusal> for SandboxError {
    fn from(refusal: Refusal) -> Self {
        match refusal.code {
            Code::NotFound => SandboxError::NotFound(refusal.message.into_owned()),
            Code::Unknown
            | Code::InvalidArgument
            | Code::DeadlineExceeded
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::ResourceExhausted
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::Unauthenticated => SandboxError::Refused(refusal.message.into_owned()),
        }
    }
}

/// The error of a fault: this HTTP status, whatever the code's own would be.
pub(super) fn failure(status: StatusCode, shape: ErrorShape) -> Reply {
    let refusal = Refusal::new(Code::of_status(status), "this failure was injected");
    Reply { status, ..refusal.reply(shape) }
}

/// `pay.v1.Error {1: string code, 2: string message}` in protobuf.
fn encode_detail(code: &str, message: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (tag, text) in [(0x0a, code), (0x12, message)] {
        bytes.push(tag);
        let mut length = text.len();
        while length >= 0x80 {
            bytes.push(u8::try_from(length & 0x7f).unwrap_or(0) | 0x80);
            length >>= 7;
        }
        bytes.push(u8::try_from(length).unwrap_or(0));
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price() -> Refusal {
        let message = "Price must be a positive integer number of cents";
        Refusal::domain(Code::InvalidArgument, "invalid_price", message)
    }

    fn compare(refusal: &Refusal, shape: ErrorShape, status: u16, expected: &str) {
        let reply = refusal.reply(shape);
        let made: Value = serde_json::from_slice(&reply.body).unwrap();
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(made, expected);
        assert_eq!(reply.status.as_u16(), status);
    }

    #[test]
    fn the_shapes_are_those_of_the_contract() {
        let flat = include_str!("../../tests/fixtures/error.invalid_price.flat.json");
        let enveloped = include_str!("../../tests/fixtures/error.invalid_price.enveloped.json");
        let connect = include_str!("../../tests/fixtures/error.invalid_price.json");
        let numeric = include_str!("../../tests/fixtures/error.rest.status.json");
        compare(&price(), ErrorShape::Connect, 400, connect);
        compare(&price(), ErrorShape::Enveloped, 400, enveloped);
        compare(&price(), ErrorShape::Flat, 400, flat);
        let missing = Refusal::not_found("session not found");
        compare(&missing, ErrorShape::Numeric, 404, numeric);
        let conflict = include_str!("../../tests/fixtures/error.idempotency_conflict.json");
        compare(&Refusal::idempotency_conflict(), ErrorShape::Connect, 409, conflict);
        let unauthorized = include_str!("../../tests/fixtures/error.unauthorized.json");
        compare(&Refusal::unauthorized(), ErrorShape::Connect, 401, unauthorized);
    }

    #[test]
    fn a_long_message_has_a_length_of_two_bytes() {
        let bytes = encode_detail("c", &"m".repeat(300));
        assert_eq!(&bytes[..6], &[0x0a, 1, b'c', 0x12, 0xac, 0x02]);
        assert_eq!(bytes.len(), 306);
    }

    #[test]
    fn an_injected_failure_has_the_status_asked_for() {
        for status in [400, 429, 500, 502, 503, 504, 599] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(failure(status, ErrorShape::Connect).status, status);
        }
    }
}
