//! What a refusal of the provider proves.
//!
//! With a 4xx, the code in the body decides what happened, and not which 4xx it came with: those are
//! assumed. With any other status, and with those that say "later" (408, 425 and 429), the status
//! decides. What is proved, both decide together.

use std::slice;

use http::StatusCode;
use paymux_core::{
    Effect, Error, ErrorKind, Failure, FailureKind, SecretString,
    transport::{HttpResponse, fit_words},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{call::Call, read};

mod field;

/// The provider's id of a request, for its support.
const CORRELATION_ID: &str = "paysera-correlation-id";

/// A refusal, read.
#[derive(Debug, Default, Deserialize)]
struct Refused {
    #[serde(rename = "error")]
    code: Option<String>,
    #[serde(rename = "error_description")]
    message: Option<String>,
    /// Messages by the path of the input they are about.
    #[serde(rename = "error_properties")]
    properties: Option<Value>,
    /// The same as words.
    #[serde(skip)]
    details: Option<String>,
}

/// The error for a refusal.
pub(crate) fn refusal(call: &Call<'_>, response: &HttpResponse, mac_key: &SecretString) -> Error {
    let secrets = slice::from_ref(mac_key);
    let error = match read_refusal(response, secrets) {
        Some((code, _)) if is_of_any_host(&code, response.status) => {
            response.unrecognized(secrets).with_code(code)
        }
        Some((code, refused)) => recognized(call, response, &code, &refused),
        None => response.unrecognized(secrets),
    };
    let id = response.headers.get(CORRELATION_ID).and_then(|value| value.to_str().ok());
    match id.map(|id| fit_words(id, secrets)).filter(|id| !id.is_empty()) {
        Some(id) => error.with_request_id(id),
        None => error,
    }
}

/// Did our clock cause it? Source: the official mobile clients, which look at the words, too.
pub(crate) fn is_clock(error: &Error) -> bool {
    error.code() == Some(INVALID_TIMESTAMP)
}

const INVALID_TIMESTAMP: &str = "invalid_timestamp";

/// The refusal of a clock that is too far from ours to be followed: the next call would be refused
/// alike, until somebody sets one of them, or the bound.
pub(crate) fn clock_out_of_bounds(refusal: Error) -> Error {
    let message = "the provider's clock is farther from ours than max_clock_offset permits";
    let mut error = Error::new(refusal.kind(), refusal.effect(), message).with_retryable(false);
    if let Some(code) = refusal.code() {
        error = error.with_code(code);
    }
    if let Some(status) = refusal.http_status() {
        error = error.with_http_status(status);
    }
    if let Some(id) = refusal.request_id() {
        error = error.with_request_id(id);
    }
    error.with_source(refusal)
}

/// The code and the words, fit for a log line.
fn read_refusal(response: &HttpResponse, secrets: &[SecretString]) -> Option<(String, Refused)> {
    let mut refused: Refused = read::object(&response.body).ok()?;
    let fit = |words: String| fit_words(&words, secrets);
    let mut code = refused.code.take().map(fit).filter(|code| !code.is_empty())?;
    refused.message = refused.message.map(fit).filter(|message| !message.is_empty());
    let of_the_clock = |message: &str| {
        message.contains("Timestamp is in future")
            || message.contains("Timestamp lifetime exceeded")
    };
    let details = refused.properties.as_ref().and_then(Value::as_object).map(details);
    refused.details = details.map(fit).filter(|details| !details.is_empty());
    // Elsewhere the words can be about another time than a signature's.
    let of_the_signature = code == "unauthorized" || response.status == StatusCode::UNAUTHORIZED;
    if of_the_signature && refused.message.as_deref().is_some_and(of_the_clock) {
        INVALID_TIMESTAMP.clone_into(&mut code);
    }
    Some((code, refused))
}

fn recognized(call: &Call<'_>, response: &HttpResponse, code: &str, refused: &Refused) -> Error {
    let general = response.refusal(true);
    let known = meaning(code);
    let (kind, failure) = what_happened(call, response, code, &general);
    let passes =
        matches!(kind, ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::Timeout);
    let retryable = passes || is_of_the_clock(code, kind);
    let blamed = refused.properties.as_ref().and_then(|properties| field::blamed(call, properties));
    // What the server quotes of a request with a secret must not get into a log.
    let nothing = Refused::default();
    let told = if call.carries_secret() { &nothing } else { refused };
    let mut message = words(told, failure, blamed.as_deref());
    if is_nothing_to_reserve(call, response, code) {
        let missing = "the transaction, or an active allowance of the wallet, is not there";
        message = format!("{missing}: {message}");
    }
    let mut error = Error::new(kind, effect(known.is_some(), kind, response), message)
        .with_http_status(response.status.as_u16())
        .with_retryable(retryable)
        .with_retry_after(general.retry_after())
        .with_code(code);
    if let Some(field) = blamed {
        error = error.with_field(field);
    }
    match failure {
        Some(kind) => error.with_failure(Failure {
            kind,
            code: Some(code.to_owned()),
            message: told.message.clone(),
        }),
        None => error,
    }
}

/// What the code means where it stands: a decline is a definite refusal to move money, so neither
/// a server's fault nor the answer to a call that asks for none can be one.
fn what_happened(
    call: &Call<'_>,
    response: &HttpResponse,
    code: &str,
    general: &Error,
) -> (ErrorKind, Option<FailureKind>) {
    let is_definite = is_definite(response.status);
    if is_nothing_to_reserve(call, response, code) {
        return (ErrorKind::Conflict, None);
    }
    let (kind, failure) = match meaning(code) {
        Some(_) if !is_definite => (general.kind(), None),
        Some(meaning) => meaning,
        // A reservation is refused for reasons of the payer's, documented or not; the phrases of any
        // host do not come as far as this.
        None if call.is_reservation() && general.kind() == ErrorKind::InvalidRequest => {
            (ErrorKind::Declined, Some(FailureKind::Unknown))
        }
        // Of a code that nobody documented it is not believed elsewhere that a payment is not found,
        // or declined.
        None => (response.refusal(false).kind(), None),
    };
    if kind != ErrorKind::Declined || call.asks_for_money() {
        return (kind, failure);
    }
    let of_rights = matches!(code, "no_rights" | "client_restricted" | "client_not_verified");
    if of_rights || response.status == StatusCode::FORBIDDEN {
        return (ErrorKind::PermissionDenied, None);
    }
    (ErrorKind::InvalidRequest, None)
}

/// Is the code no more than the status in words? Many hosts answer in this shape, those on the way to
/// the provider among them, so it is nobody's word about the payment, and proves nothing. The
/// provider's own codes are documented.
fn is_of_any_host(code: &str, status: StatusCode) -> bool {
    let phrase = |words: &str| words.to_ascii_lowercase().replace([' ', '-', '_'], "");
    let of_status = match status {
        // By its newer name, too.
        StatusCode::UNPROCESSABLE_ENTITY => ["Unprocessable Entity", "Unprocessable Content"],
        _ => [status.canonical_reason().unwrap_or_default(); 2],
    };
    meaning(code).is_none() && of_status.iter().any(|words| phrase(words) == phrase(code))
}

/// Does a status leave no doubt that the provider refused? Those that say "later" do.
fn is_definite(status: StatusCode) -> bool {
    status.is_client_error() && !matches!(status.as_u16(), 408 | 425 | 429)
}

/// The transaction or the active allowance is missing, and nobody says which. "Not found" would be
/// read as if nobody knew the payment.
fn is_nothing_to_reserve(call: &Call<'_>, response: &HttpResponse, code: &str) -> bool {
    let is_missing = response.status == StatusCode::NOT_FOUND || code == "not_found";
    call.is_reservation() && is_missing && is_definite(response.status)
}

fn is_of_the_clock(code: &str, kind: ErrorKind) -> bool {
    code == INVALID_TIMESTAMP && kind == ErrorKind::Unauthenticated
}

/// What a documented code means. Source: the specification (`insufficient_funds`,
/// `invalid_parameters`) and the provider's other pages. The set is open.
fn meaning(code: &str) -> Option<(ErrorKind, Option<FailureKind>)> {
    let declined = |kind| (ErrorKind::Declined, Some(kind));
    Some(match code {
        "insufficient_funds" | "not_enough_funds" => declined(FailureKind::InsufficientFunds),
        "limits_exceeded" | "restriction_limits_exceeded" => declined(FailureKind::LimitExceeded),
        "client_not_verified" => declined(FailureKind::Authentication),
        "payment_to_same_account" => declined(FailureKind::InvalidMethod),
        "no_rights" | "restriction_violation" => declined(FailureKind::Declined),
        "beneficiary_account_inactive" | "payer_account_inactive" | "client_restricted" => {
            declined(FailureKind::DeclinedHard)
        }
        "invalid_parameters" | "invalid_request" => (ErrorKind::InvalidRequest, None),
        "unauthorized" | "invalid_grant" | INVALID_TIMESTAMP => (ErrorKind::Unauthenticated, None),
        "forbidden" => (ErrorKind::PermissionDenied, None),
        "not_found" => (ErrorKind::NotFound, None),
        "not_acceptable" => (ErrorKind::Configuration, None),
        "invalid_state" => (ErrorKind::Conflict, None),
        "rate_limit_exceeded" => (ErrorKind::RateLimited, None),
        "internal_server_error" => (ErrorKind::Unavailable, None),
        _ => return None,
    })
}

/// What is proved. A documented refusal with a 4xx proves that this call did nothing, also where
/// the status alone would not (409, 406); except for the two that do not say when they were found
/// out, and for the statuses that say "later". For all else, core's reading of the status stands.
fn effect(documented: bool, kind: ErrorKind, response: &HttpResponse) -> Effect {
    let definite = !matches!(kind, ErrorKind::RateLimited | ErrorKind::Unavailable);
    if documented && definite && is_definite(response.status) {
        return Effect::None;
    }
    response.refusal(!documented).effect()
}

/// Why a payer was declined is between the payer and the provider: the message names the kind
/// alone, and the words are kept with the failure.
fn words(refused: &Refused, failure: Option<FailureKind>, field: Option<&str>) -> String {
    if let Some(kind) = failure {
        return kind.to_string();
    }
    let said: Vec<&str> =
        [refused.message.as_deref(), refused.details.as_deref()].into_iter().flatten().collect();
    // `Display` sets the field before the message, so the two must make one sentence.
    match (field, said.join(": ")) {
        (Some(_), said) if said.is_empty() => "was refused by the provider".to_owned(),
        (Some(_), said) => format!("was refused by the provider: {said}"),
        (None, said) if said.is_empty() => "the provider refused".to_owned(),
        (None, said) => format!("the provider refused: {said}"),
    }
}

/// `path: message, message; path: message`; a message may stand alone or in a list.
fn details(properties: &Map<String, Value>) -> String {
    let one = |(path, messages): (&String, &Value)| {
        let messages = match messages {
            Value::String(message) => message.clone(),
            Value::Array(list) => {
                list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
        };
        format!("{path}: {messages}")
    };
    properties.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_lists_or_texts() {
        let properties = serde_json::json!({ "a": ["b", "c"], "d": "e" });
        let refused = Refused {
            message: Some("Validation failed".to_owned()),
            details: properties.as_object().map(details),
            ..Refused::default()
        };
        let said = "the provider refused: Validation failed: a: b, c; d: e";
        assert_eq!(words(&refused, None, None), said);
        let declined = words(&refused, Some(FailureKind::InsufficientFunds), None);
        assert_eq!(declined, "insufficient funds");
    }
}
