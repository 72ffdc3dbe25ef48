//! Refusals and how they look on the wire.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::SandboxError;
use crate::reply::Reply;

/// A call that was refused and changed nothing.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// The body could not be read: 400.
    BadRequest,
    /// Keys are wrong or missing: 401.
    Unauthorized,
    /// The account may not do this: 403.
    Forbidden,
    /// There is no such path or object: 404.
    NotFound,
    /// The path has other methods: 405.
    MethodNotAllowed,
    /// The reference was used before; the invoice that has it: 409.
    Duplicate(String),
    /// Fields with their messages: 422.
    Invalid(Map<String, Value>),
}

impl Refusal {
    /// One field with a message.
    pub(super) fn invalid(field: &str, message: impl Into<Value>) -> Self {
        Refusal::Invalid(Map::from_iter([(field.to_owned(), message.into())]))
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Refusal::BadRequest => StatusCode::BAD_REQUEST,
            Refusal::Unauthorized => StatusCode::UNAUTHORIZED,
            Refusal::Forbidden => StatusCode::FORBIDDEN,
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Duplicate(_) => StatusCode::CONFLICT,
            Refusal::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// The body. A duplicate's invoice is added by the caller, who knows in which shape.
    pub(super) fn body(&self) -> Value {
        match self {
            Refusal::Invalid(errors) => json!({"errors": errors}),
            Refusal::Duplicate(_) => json!({"errors": [{
                "status": "Conflict",
                "code": "409",
                "title": "conflict",
                "detail": "Duplicate reference_id",
            }]}),
            Refusal::BadRequest
            | Refusal::Unauthorized
            | Refusal::Forbidden
            | Refusal::NotFound
            | Refusal::MethodNotAllowed => bare(self.status()),
        }
    }

    pub(super) fn reply(&self) -> Reply {
        Reply::json(self.status(), &self.body())
    }
}

/// Errors by field as lines of text.
pub(super) fn words(errors: &Value) -> Vec<String> {
    match errors {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(field, error)| {
                words(error).into_iter().map(move |word| format!("{field}: {word}"))
            })
            .collect(),
        Value::Array(errors) => errors.iter().flat_map(words).collect(),
        Value::String(word) => vec![word.clone()],
        Value::Null | Value::Bool(_) | Value::Number(_) => vec![errors.to_string()],
    }
}

/// The refusal of an action of a person, in words.
impl From<Refusal> for SandboxError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => SandboxError::NotFound("invoice not found".to_owned()),
            Refusal::Invalid(errors) => {
                SandboxError::Refused(words(&Value::Object(errors)).join(" "))
            }
            other @ (Refusal::BadRequest
            | Refusal::Unauthorized
            | Refusal::Forbidden
            | Refusal::MethodNotAllowed
            | Refusal::Duplicate(_)) => SandboxError::Refused(other.status().to_string()),
        }
    }
}

/// `{"errors":[{"status","code"}]}` with the words of the HTTP status.
pub(super) fn bare(status: StatusCode) -> Value {
    let reason = status.canonical_reason().unwrap_or("Error");
    json!({"errors": [{"status": reason, "code": status.as_str()}]})
}

/// The error of a fault: the specification's own body for 500, a page for what a proxy in front
/// of the platform says, and fields for 422.
pub(super) fn failure(status: StatusCode) -> Reply {
    match status {
        StatusCode::INTERNAL_SERVER_ERROR => Reply::json(
            status,
            &json!({"errors": [{
                "status": "internal_error",
                "code": "500",
                "title": "internal_error",
                "detail": "Internal server error.",
            }]}),
        ),
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
            let reason = status.canonical_reason().unwrap_or_default();
            Reply::html(status, format!("<html><title>{reason}</title><h1>{reason}</h1></html>"))
        }
        StatusCode::UNPROCESSABLE_ENTITY => {
            Reply::json(status, &json!({"errors": {"fault": "This failure was injected."}}))
        }
        other => Reply::json(other, &bare(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_bodies_are_those_of_the_contract() {
        let cases = [
            (Refusal::BadRequest, include_str!("../../tests/fixtures/milkypay/error.400.json")),
            (Refusal::Unauthorized, include_str!("../../tests/fixtures/milkypay/error.401.json")),
            (Refusal::Forbidden, include_str!("../../tests/fixtures/milkypay/error.403.json")),
            (Refusal::NotFound, include_str!("../../tests/fixtures/milkypay/error.404.json")),
            (
                Refusal::MethodNotAllowed,
                include_str!("../../tests/fixtures/milkypay/error.405.json"),
            ),
            (
                Refusal::invalid("amount", "This value should be greater than 0."),
                include_str!("../../tests/fixtures/milkypay/error.422.field.json"),
            ),
        ];
        for (refusal, expected) in cases {
            assert_eq!(refusal.body(), fixture(expected));
        }
        let conflict = include_str!("../../tests/fixtures/milkypay/error.409.errors_and_data.json");
        let made = Refusal::Duplicate("cpi_1".to_owned()).body();
        assert_eq!(made["errors"], fixture(conflict)["errors"]);
    }

    #[test]
    fn injected_failures_have_their_status_and_its_body() {
        for (status, expected) in [
            (429, include_str!("../../tests/fixtures/milkypay/error.429.json")),
            (500, include_str!("../../tests/fixtures/milkypay/error.500.json")),
            (503, include_str!("../../tests/fixtures/milkypay/error.503.json")),
        ] {
            let reply = failure(StatusCode::from_u16(status).unwrap());
            assert_eq!(reply.status.as_u16(), status);
            let made: Value = serde_json::from_slice(&reply.body).unwrap();
            assert_eq!(made, fixture(expected));
        }
        let gateway = failure(StatusCode::BAD_GATEWAY);
        assert!(serde_json::from_slice::<Value>(&gateway.body).is_err());
    }
}
