//! What a refusal of the provider proves.
//!
//! Three shapes of body are read: a list of errors, errors by field (nested, perhaps), and either
//! below `error`. The HTTP status alone says what happened, by the specification's table; the body
//! says whether it was the provider that answered, which field was wrong, and adds its words.

use paymux_core::{
    Effect, Error, ErrorKind, SecretString, json,
    transport::{HttpResponse, Purpose, fit_words},
};
use serde_json::Value;

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Changes nothing.
    Read,
    /// Makes an invoice.
    Create,
    /// Gives money back.
    Refund,
}

impl Act {
    pub(crate) const fn purpose(self) -> Purpose {
        match self {
            Self::Read => Purpose::Read,
            Self::Create | Self::Refund => Purpose::Mutate,
        }
    }
}

/// A refusal, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Is it certain to be the provider's? Others answer with `error`, too.
    pub(crate) recognized: bool,
    pub(crate) code: Option<String>,
    /// The input that was wrong, in the provider's name for it: `customer.reference_id`.
    pub(crate) field: Option<String>,
    pub(crate) message: Option<String>,
}

/// Reads a refusal's body. `None` when it is not in any shape of the provider's.
pub(crate) fn read(body: &[u8]) -> Option<Refused> {
    let Ok(Value::Object(body)) = json::read(body) else { return None };
    let (recognized, errors) = match (body.get("errors"), body.get("error")) {
        (Some(errors), _) => (true, errors),
        (None, Some(error)) => (false, error),
        (None, None) => return None,
    };
    let mut refused = match errors {
        Value::Array(list) => listed(list),
        Value::Object(error) if error.contains_key("code") => listed(std::slice::from_ref(errors)),
        Value::Object(_) => by_field(errors),
        Value::String(message) => Refused { message: Some(message.clone()), ..Refused::default() },
        Value::Null | Value::Bool(_) | Value::Number(_) => return None,
    };
    refused.recognized = recognized;
    Some(refused)
}

/// `{status, code, title, detail}`: of several the first, and of its words the most telling.
fn listed(errors: &[Value]) -> Refused {
    let Some(error) = errors.first() else { return Refused::default() };
    let text = |name: &str| match error.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    Refused {
        code: text("code"),
        message: text("detail").or_else(|| text("title")).or_else(|| text("status")),
        ..Refused::default()
    }
}

/// Messages by field: of several, the first field and all messages.
fn by_field(errors: &Value) -> Refused {
    let mut messages = Vec::new();
    collect("", errors, &mut messages);
    let words = messages.iter().map(|(field, message)| format!("{field}: {message}"));
    Refused {
        message: Some(words.collect::<Vec<_>>().join("; ")),
        field: messages.into_iter().next().map(|(field, _)| field),
        ..Refused::default()
    }
}

fn collect(path: &str, value: &Value, messages: &mut Vec<(String, String)>) {
    match value {
        Value::String(message) => messages.push((path.to_owned(), message.clone())),
        Value::Array(several) => several.iter().for_each(|one| collect(path, one, messages)),
        Value::Object(fields) => {
            for (name, inner) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(&path, inner, messages);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The error for a refusal. `secrets` are what must not come into a log, nor a part of it, when a
/// server quotes our request back: they are taken out before anything is cut.
pub(crate) fn refusal(act: Act, response: &HttpResponse, secrets: &[SecretString]) -> Error {
    let Some(refused) = read(&response.body) else {
        return response.unrecognized(secrets);
    };
    let fit = |words: String| fit_words(&words, secrets);
    let general = response.refusal(refused.recognized);
    let kind = kind(act, &refused, &general);
    let effect = effect(act, refused.recognized, response.status.as_u16());
    let field = refused.field.map(|path| fit(field(&path).to_owned()));
    // `Display` sets the field before the message, so the two must make one sentence.
    // Why a payer was declined is between the payer and the bank, so it is not shown.
    let shown = refused.message.map(fit).filter(|_| kind != ErrorKind::Declined);
    let message = match (shown.filter(|words| !words.is_empty()), &field) {
        (Some(words), Some(_)) => format!("was refused by the provider: {words}"),
        (Some(words), None) => format!("the provider refused: {words}"),
        (None, _) => general.message().to_owned(),
    };
    let mut error = Error::new(kind, effect, message)
        .with_http_status(response.status.as_u16())
        .with_retryable(general.is_retryable())
        .with_retry_after(general.retry_after());
    if let Some(field) = field {
        error = error.with_field(field);
    }
    match refused.code {
        Some(code) => error.with_code(fit(code)),
        None => error,
    }
}

/// On creating, "not found" is about the address: nothing that could be missing was named.
fn kind(act: Act, refused: &Refused, general: &Error) -> ErrorKind {
    match (act, general.kind()) {
        (Act::Create, ErrorKind::NotFound) if refused.recognized => ErrorKind::Configuration,
        (_, kind) => kind,
    }
}

/// What is proved. The specification promises for these codes that nothing was made, and for
/// creating alone; for a 400 it asks to look first. Everything else may have had an effect.
fn effect(act: Act, recognized: bool, status: u16) -> Effect {
    match act {
        Act::Read => Effect::None,
        Act::Create if recognized && matches!(status, 401 | 403 | 404 | 405 | 422) => Effect::None,
        Act::Create | Act::Refund => Effect::Possible,
    }
}

/// The input to correct, as the caller knows it.
fn field(path: &str) -> &str {
    match path {
        "reference_id" => "reference",
        "service" => "method",
        "expires" => "expires_at",
        "customer.reference_id" => "customer.id",
        "customer.address.country" => "customer.country",
        "return_urls" => "options.milkypay.return_urls",
        "return_urls.pending" => "options.milkypay.return_urls.pending",
        "service_fields" => "options.milkypay.service_fields",
        "gateway_options" => "options.milkypay.gateway_options",
        path => path,
    }
}
