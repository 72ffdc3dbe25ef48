//! What a refusal of the provider proves.
//!
//! The body says whether it was the provider that answered, the HTTP status what happened. The
//! envelope is known from one page of the provider's (a 401) and from a client; that the other
//! codes mean what they mean everywhere is assumed. The older envelope of the shared gateway is
//! read for its words and proves nothing.

use http::StatusCode;
use paymux_core::{
    Effect, Error, ErrorKind, Failure, FailureKind, SecretString,
    json::Unreadable,
    transport::{HttpResponse, fit_words},
};
use serde_json::{Map, Value};

/// Whose token is meant.
pub(crate) const END_USER: &str = "options.ramp.end_user";

/// The setting that says where tokens come from.
const TOKENS: &str = "tokens";

/// Longer ids are none.
const MAX_ID: usize = 128;

/// A refusal, read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Refused {
    /// Is it certain to be the provider's?
    recognized: bool,
    /// Its word for the HTTP status, or the older envelope's for the fault.
    code: Option<String>,
    message: Option<String>,
    trace: Option<String>,
    errors: Vec<Detail>,
}

/// What is wrong with one member of the request, or one fault by its code.
#[derive(Debug, Default, PartialEq, Eq)]
struct Detail {
    key: Option<String>,
    description: Option<String>,
}

fn text(body: &Map<String, Value>, name: &str) -> Option<String> {
    body.get(name)?.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

/// Reads a refusal's body. `None` when it is in neither envelope.
fn read(body: &[u8]) -> Option<Refused> {
    let Ok(Value::Object(body)) = paymux_core::json::read(body) else { return None };
    if let (Some(status), true) = (text(&body, "status"), body.contains_key("traceId")) {
        let is_word = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        return Some(Refused {
            recognized: status.bytes().all(is_word) && body.get("message").is_some(),
            code: Some(status),
            message: text(&body, "message"),
            trace: text(&body, "traceId"),
            errors: details(body.get("errors")),
        });
    }
    let is_older = body.contains_key("errorId") && body.contains_key("systemId");
    let code = text(&body, "error").filter(|_| is_older)?;
    let message = text(&body, "message").or_else(|| text(&body, "originalMessage"));
    let key = text(&body, "field");
    let errors = key.into_iter().map(|key| Detail { key: Some(key), description: None }).collect();
    Some(Refused { code: Some(code), message, errors, ..Refused::default() })
}

fn details(errors: Option<&Value>) -> Vec<Detail> {
    let errors = errors.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let errors = errors.iter().filter_map(Value::as_object);
    errors
        .map(|error| Detail { key: text(error, "key"), description: text(error, "description") })
        .collect()
}

/// The error for a refusal. `secrets` are what must not come into a log, nor a part of it, when a
/// server quotes our request back.
pub(crate) fn refusal(response: &HttpResponse, secrets: &[SecretString]) -> Error {
    let Some(refused) = read(&response.body) else {
        return with_ids(response.unrecognized(secrets), response, None);
    };
    let proves = proves(&refused, response.status);
    let general = response.refusal(proves);
    let kind = general.kind();
    let fit = |words: &str| fit_words(words, secrets);
    let field = refused.errors.iter().find_map(|detail| field(detail.key.as_deref()?));
    // `Display` sets the field before the message, so the two must make one sentence. Why a payer
    // was declined is not shown.
    let shown = (kind != ErrorKind::Declined).then(|| fit(&words(&refused)));
    let message = match (shown.filter(|words| !words.is_empty()), field) {
        (Some(words), Some(_)) => format!("was refused by the provider: {words}"),
        (Some(words), None) => format!("the provider refused: {words}"),
        (None, _) => general.message().to_owned(),
    };
    let mut error = Error::new(kind, general.effect(), message)
        .with_http_status(response.status.as_u16())
        // A token that ran out: another one may be accepted. The source was told.
        .with_retryable(general.is_retryable() || (proves && kind == ErrorKind::Unauthenticated))
        .with_retry_after(general.retry_after());
    if let Some(field) = field {
        error = error.with_field(field);
    }
    if let Some(code) = &refused.code {
        error = error.with_code(fit(code));
    }
    if kind == ErrorKind::Declined {
        let (kind, message) = (FailureKind::Unknown, Some(fit(&words(&refused))));
        let code = error.code().map(str::to_owned);
        error = error.with_failure(Failure { kind, code, message });
    }
    with_ids(error, response, refused.trace.as_deref())
}

/// Is it certain that the provider refused? A server in trouble proves nothing by saying so well, and
/// a word of another status is of somebody on the way.
fn proves(refused: &Refused, status: StatusCode) -> bool {
    let is_its_word = refused.code.as_deref() == reason(status).as_deref();
    refused.recognized && is_its_word && status.is_client_error()
}

/// Does the answer to a refresh say that the refresh token is good no more? In the provider's own
/// words, or in those of OAuth (RFC 6749, 5.2; assumed): whatever else stands on the way to the host
/// knows nothing of it.
pub(crate) fn refuses_grant(response: &HttpResponse) -> bool {
    match response.status.as_u16() {
        400..=402 | 422 => is_in_envelope(response) || is_invalid_grant(&response.body),
        403 | 404 => is_invalid_grant(&response.body),
        _ => false,
    }
}

/// Does the issuer itself say that it has no such call, or that the merchant may not make it? That is
/// no end user's to mend.
pub(crate) fn refuses_refreshing(response: &HttpResponse) -> bool {
    matches!(response.status.as_u16(), 403 | 404) && is_in_envelope(response)
}

fn is_in_envelope(response: &HttpResponse) -> bool {
    read(&response.body).is_some_and(|read| proves(&read, response.status))
}

fn is_invalid_grant(body: &[u8]) -> bool {
    let Ok(Value::Object(body)) = paymux_core::json::read(body) else { return false };
    text(&body, "error").as_deref() == Some("invalid_grant")
}

/// The word that the envelope has for a status: its reason phrase.
fn reason(status: StatusCode) -> Option<String> {
    Some(status.canonical_reason()?.to_ascii_uppercase().replace([' ', '-'], "_"))
}

/// The same, for a call that is about no payment: no token, or no invoice. What is said of those must
/// not pass for a verdict on the payment, for which nothing was sent.
fn beside_the_payment(error: Error, kind: ErrorKind, message: &str) -> Error {
    let mut beside = Error::new(kind, Effect::None, message)
        .with_retryable(error.is_retryable())
        .with_retry_after(error.retry_after());
    if let Some(status) = error.http_status() {
        beside = beside.with_http_status(status);
    }
    if let Some(code) = error.code() {
        beside = beside.with_code(code);
    }
    if let Some(id) = error.request_id() {
        beside = beside.with_request_id(id);
    }
    beside.with_source(error)
}

/// The end user has no token that is good. It is theirs to mend, so it says nothing about the account:
/// whoever else is logged in can go on paying.
pub(crate) fn logged_out(error: Error) -> Error {
    let message = "must log in: there is no token of theirs, or it is good no more";
    beside_the_payment(error, ErrorKind::InvalidRequest, message)
        .with_field(END_USER)
        .with_retryable(false)
}

/// The way to tokens is not set up as the issuer has it.
pub(crate) fn no_way_to_tokens(error: Error) -> Error {
    let message = "must be mended: the issuer has no such call, or does not permit it";
    beside_the_payment(error, ErrorKind::Configuration, message).with_field(TOKENS)
}

/// Why there is no token. A source that does not know the end user speaks of them alone, and one that
/// is not set up says so; anything else may pass.
pub(crate) fn of_token(error: Error) -> Error {
    match (error.kind(), error.http_status()) {
        (ErrorKind::Unauthenticated, None) => logged_out(error),
        (ErrorKind::InvalidRequest, _) if error.field() == Some(END_USER) => {
            error.with_effect(Effect::None)
        }
        (ErrorKind::Configuration, None) => error.with_effect(Effect::None),
        (ErrorKind::Configuration, _) if error.field() == Some(TOKENS) => {
            error.with_effect(Effect::None)
        }
        _ => beside_the_payment(error, ErrorKind::Unavailable, "no token could be had"),
    }
}

/// Why the invoice could not be read before a payment is created or confirmed.
pub(crate) fn of_invoice(error: Error) -> Error {
    let as_a_verdict = [ErrorKind::NotFound, ErrorKind::Conflict, ErrorKind::Declined];
    if as_a_verdict.contains(&error.kind()) {
        let message = "the provider does not show the invoice";
        return beside_the_payment(error, ErrorKind::InvalidResponse, message);
    }
    error
}

/// The message, and what it says of each member; a member that is no input of ours by its name.
fn words(refused: &Refused) -> String {
    let details = refused.errors.iter().filter_map(|detail| {
        let description = detail.description.as_deref();
        match detail.key.as_deref() {
            Some(key) if field(key).is_none() => {
                Some(description.map_or(key.to_owned(), |text| format!("{key}: {text}")))
            }
            Some(_) | None => description.map(str::to_owned),
        }
    });
    let message = refused.message.clone().into_iter();
    message.chain(details).collect::<Vec<_>>().join("; ")
}

/// The input to correct, as the caller knows it.
fn field(key: &str) -> Option<&'static str> {
    Some(match key {
        "paymentId" => "payment",
        "invoiceId" => "options.ramp.invoice_id",
        "discountCode" => "options.ramp.discount_code",
        "type" => "options.ramp.payment_type",
        "accountId" => "options.ramp.payment_type.account_id",
        "someData" => "options.ramp.payment_type.some_data",
        _ => return None,
    })
}

/// The error for an answer that cannot be read, with the id of its request.
pub(crate) fn unreadable(response: &HttpResponse) -> impl Fn(Unreadable) -> Error + '_ {
    |unreadable| with_ids(unreadable.of(response), response, None)
}

/// The same error with the ids that the provider's support asks for: that of the request, and that
/// of the trace in the body.
pub(crate) fn with_ids(error: Error, response: &HttpResponse, trace: Option<&str>) -> Error {
    let header = response.headers.get("x-request-id").and_then(|id| id.to_str().ok());
    // A sentence in place of an id says that there is none.
    let is_id = |id: &&str| {
        !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match (header.filter(is_id), trace.filter(is_id)) {
        (Some(request), Some(trace)) => error.with_request_id(format!("{request}, trace {trace}")),
        (Some(id), None) | (None, Some(id)) => error.with_request_id(id),
        (None, None) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_envelope_of_today_is_recognized() {
        let recognized = |body: &str| read(body.as_bytes()).map(|refused| refused.recognized);
        let envelope = r#"{"status":"CONFLICT","message":"paid","traceId":"a1","errors":[]}"#;
        assert_eq!(recognized(envelope), Some(true));
        let no_list = r#"{"status":"CONFLICT","message":null,"traceId":"TraceId unavailable"}"#;
        assert_eq!(recognized(no_list), Some(true));
        let older = r#"{"error":"COMMON","errorId":0,"message":"m","systemId":"core"}"#;
        assert_eq!(recognized(older), Some(false));
        let others = [
            "",
            "null",
            "[]",
            "<html>",
            r#"{"status":404,"error":"Not Found","path":"/x"}"#,
            r#"{"status":"CONFLICT","message":"no trace"}"#,
            r#"{"error":"COMMON"}"#,
            r#"{"status":"CONFLICT","status":"X","message":"m","traceId":"a"}"#,
        ];
        for body in others {
            assert_eq!(recognized(body), None, "{body}");
        }
        let page = r#"{"status":"not found here","message":"m","traceId":"a"}"#;
        assert_eq!(recognized(page), Some(false));
    }
}
