//! Refusals and how they look on the wire.

use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::SandboxError;
use crate::random::Random;
use crate::reply::Reply;

/// Names an answer, as the provider's support asks for.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// One member and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) key: String,
    pub(super) description: String,
}

impl Wrong {
    pub(super) fn new(key: impl Into<String>, description: impl Into<String>) -> Self {
        Wrong { key: key.into(), description: description.into() }
    }
}

/// A call that was refused and changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The body is no JSON object: 400.
    Unreadable,
    /// Members are wrong, at least one: 400.
    Invalid(Vec<Wrong>),
    /// Who calls could not be proved: 401.
    Unauthorized(String),
    /// Known, and not allowed: 403.
    Forbidden,
    /// No such object or path: 404.
    NotFound(&'static str),
    /// The path is for other methods: 405.
    WrongMethod,
    /// The state forbids it: 409.
    Conflict(String),
    /// Only JSON is spoken: 415.
    NotJson,
}

impl Refusal {
    pub(super) fn invalid(key: impl Into<String>, description: impl Into<String>) -> Self {
        Refusal::Invalid(vec![Wrong::new(key, description)])
    }

    pub(super) fn discount() -> Self {
        Refusal::invalid("discountCode", "discount code cannot be applied")
    }

    pub(super) fn already_paid() -> Self {
        Refusal::Conflict("Invoice is already paid".to_owned())
    }

    fn status(&self) -> StatusCode {
        match self {
            Refusal::Unreadable | Refusal::Invalid(_) => StatusCode::BAD_REQUEST,
            Refusal::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Refusal::Forbidden => StatusCode::FORBIDDEN,
            Refusal::NotFound(_) => StatusCode::NOT_FOUND,
            Refusal::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Conflict(_) => StatusCode::CONFLICT,
            Refusal::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    pub(super) fn message(&self) -> &str {
        match self {
            Refusal::Unreadable => "Malformed JSON request",
            Refusal::Invalid(_) => "Validation failed",
            Refusal::Forbidden => "Access denied",
            Refusal::WrongMethod => "Request method is not supported",
            Refusal::NotJson => "Content type is not supported",
            Refusal::NotFound(message) => message,
            Refusal::Unauthorized(message) | Refusal::Conflict(message) => message,
        }
    }

    pub(super) fn reply(&self, legacy: bool, random: &Random) -> Reply {
        let wrong = if let Refusal::Invalid(wrong) = self { wrong.as_slice() } else { &[] };
        error(self.status(), self.message(), wrong, legacy, random)
    }
}

fn error(
    status: StatusCode,
    message: &str,
    wrong: &[Wrong],
    legacy: bool,
    random: &Random,
) -> Reply {
    if legacy {
        let body = json!({"error": "COMMON", "errorId": 0, "message": message, "systemId": "core"});
        return Reply::json(status, &body);
    }
    let word = status.canonical_reason().unwrap_or("ERROR").to_ascii_uppercase();
    // Who is not let in is not traced, as in the one sample there is.
    let trace = match status {
        StatusCode::UNAUTHORIZED => "TraceId unavailable".to_owned(),
        _ => random.uuid().replace('-', "").chars().take(16).collect(),
    };
    let errors: Vec<Value> = wrong
        .iter()
        .map(|wrong| json!({"key": wrong.key, "description": wrong.description}))
        .collect();
    let body = json!({
        "status": word.replace([' ', '-'], "_"),
        "message": message,
        "traceId": trace,
        "errors": errors,
    });
    Reply::json(status, &body)
}

/// The error of a fault: what goes with an HTTP status, a page for what a proxy in front of the
/// provider says.
pub(super) fn failure(status: StatusCode, legacy: bool, random: &Random) -> Reply {
    let message = match status {
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
            let (code, reason) = (status.as_str(), status.canonical_reason().unwrap_or_default());
            let page = format!(
                "<html><head><title>{code} {reason}</title></head><body>{code} {reason}</body></html>"
            );
            return Reply::html(status, page);
        }
        StatusCode::UNAUTHORIZED => "Token is not valid",
        StatusCode::FORBIDDEN => "Access denied",
        StatusCode::NOT_FOUND => "Invoice not found",
        StatusCode::CONFLICT => "Invoice is already paid",
        StatusCode::TOO_MANY_REQUESTS => "Too many requests",
        StatusCode::INTERNAL_SERVER_ERROR if legacy => "Temporary problem",
        _ => "Unexpected error",
    };
    error(status, message, &[], legacy, random)
}

pub(super) fn with_request_id(reply: Reply, random: &Random) -> Reply {
    match HeaderValue::from_str(&random.uuid()) {
        Ok(id) => reply.with_header(REQUEST_ID, id),
        Err(_) => reply,
    }
}

/// The refusal of an action of a person, in words.
impl From<Refusal> for SandboxError {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.message().to_owned();
        match refusal {
            Refusal::NotFound(_) => SandboxError::NotFound(message),
            Refusal::Invalid(wrong) => {
                let list: Vec<String> =
                    wrong.iter().map(|it| format!("{}: {}", it.key, it.description)).collect();
                SandboxError::Refused(list.join(", "))
            }
            Refusal::Unreadable
            | Refusal::Unauthorized(_)
            | Refusal::Forbidden
            | Refusal::WrongMethod
            | Refusal::Conflict(_)
            | Refusal::NotJson => SandboxError::Refused(message),
        }
    }
}
