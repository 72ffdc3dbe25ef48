//! Compares what was sent and what came out with what a case says, part by part.

use paymux_core::{Error, Operation, ProviderId};
use serde_json::Value;

use crate::{
    case::{ExpectedError, Request},
    serve::Received,
};

/// The differences between the JSON wanted and the JSON there; absent keys are not compared.
pub(crate) fn subset(wanted: &Value, there: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    walk(wanted, there, "", false, &mut differences);
    differences
}

/// The differences between the JSON wanted and the JSON there, in full.
pub(crate) fn exact(wanted: &Value, there: &Value) -> Vec<String> {
    let mut differences = Vec::new();
    walk(wanted, there, "", true, &mut differences);
    differences
}

fn walk(wanted: &Value, there: &Value, at: &str, whole: bool, differences: &mut Vec<String>) {
    match (wanted, there) {
        (Value::Object(wanted), Value::Object(there)) => {
            for (key, wanted) in wanted {
                let at = format!("{at}/{key}");
                match there.get(key) {
                    Some(there) => walk(wanted, there, &at, whole, differences),
                    None => differences.push(format!("{at} is missing, expected {wanted}")),
                }
            }
            if whole {
                let extra = there.iter().filter(|(key, _)| !wanted.contains_key(*key));
                differences.extend(
                    extra.map(|(key, there)| format!("{at}/{key} is not expected: {there}")),
                );
            }
        }
        (Value::Array(wanted), Value::Array(there)) if wanted.len() == there.len() => {
            for (index, (wanted, there)) in wanted.iter().zip(there).enumerate() {
                walk(wanted, there, &format!("{at}/{index}"), whole, differences);
            }
        }
        _ if wanted == there => {}
        _ => {
            let at = if at.is_empty() { "the whole" } else { at };
            differences.push(format!("{at}: expected {wanted}, got {there}"));
        }
    }
}

/// The differences between the request wanted and the one sent.
pub(crate) fn request(wanted: &Request, sent: &Received) -> Vec<String> {
    let mut differences = Vec::new();
    if wanted.method != sent.method {
        differences.push(format!("method: expected {}, sent {}", wanted.method, sent.method));
    }
    if wanted.path != sent.path {
        differences.push(format!("path: expected {}, sent {}", wanted.path, sent.path));
    }
    let query = pairs(&sent.query);
    let wanted_query: Vec<_> =
        wanted.query.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    if query != wanted_query {
        differences.push(format!("query: expected {wanted_query:?}, sent {query:?}"));
    }
    for (name, value) in &wanted.headers {
        let values = sent.header_values(name);
        if values != [value.as_str()] {
            differences.push(format!("header {name}: expected `{value}`, sent {values:?}"));
        }
    }
    for name in &wanted.absent {
        let values = sent.header_values(name);
        if !values.is_empty() {
            differences.push(format!("header {name}: must not be sent, sent {values:?}"));
        }
    }
    differences.extend(body(wanted, sent));
    differences
}

fn body(wanted: &Request, sent: &Received) -> Vec<String> {
    let text = String::from_utf8_lossy(&sent.body);
    let mut differences: Vec<String> = wanted
        .contains
        .iter()
        .filter(|part| !text.contains(part.as_str()))
        .map(|part| format!("body: `{part}` does not stand in it"))
        .collect();
    if let Some(wanted) = &wanted.body {
        match serde_json::from_slice::<Value>(&sent.body) {
            Ok(sent) => {
                let lines = exact(wanted, &sent);
                differences.extend(lines.iter().map(|line| format!("body {line}")));
            }
            Err(error) => differences.push(format!("body: no JSON ({error}): `{text}`")),
        }
    } else if let Some(wanted) = &wanted.form {
        let wanted: Vec<_> =
            wanted.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        let sent = pairs(&text);
        if sent != wanted {
            differences.push(format!("form: expected {wanted:?}, sent {sent:?}"));
        }
    } else {
        let wanted = wanted.text.as_deref().unwrap_or_default();
        if text != wanted {
            differences.push(format!("body: expected `{wanted}`, sent `{text}`"));
        }
    }
    differences
}

/// The decoded pairs of a query or form, in the order of their keys.
fn pairs(text: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = url::form_urlencoded::parse(text.as_bytes())
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    pairs.sort();
    pairs
}

/// The differences between the error wanted and the one there.
pub(crate) fn error(wanted: &ExpectedError, there: &Error) -> Vec<String> {
    let mut differences = Vec::new();
    let mut compare = |what: &str, wanted: Option<String>, there: String| {
        if let Some(wanted) = wanted.filter(|wanted| *wanted != there) {
            differences.push(format!("{what}: expected {wanted}, got {there}"));
        }
    };
    compare("kind", Some(format!("{:?}", wanted.kind)), format!("{:?}", there.kind()));
    compare("effect", Some(format!("{:?}", wanted.effect)), format!("{:?}", there.effect()));
    compare(
        "retryable",
        wanted.retryable.map(|retryable| retryable.to_string()),
        there.is_retryable().to_string(),
    );
    let text = |value: Option<&str>| value.unwrap_or("nothing").to_owned();
    compare("code", wanted.code.clone(), text(there.code()));
    compare("field", wanted.field.clone(), text(there.field()));
    compare("request_id", wanted.request_id.clone(), text(there.request_id()));
    compare("provider", wanted.provider.clone(), text(there.provider().map(ProviderId::as_str)));
    let operation = there.operation().map(Operation::as_str);
    compare("operation", wanted.operation.map(|operation| operation.to_string()), text(operation));
    compare(
        "http_status",
        wanted.http_status.map(|status| status.to_string()),
        there.http_status().map_or_else(|| "nothing".to_owned(), |status| status.to_string()),
    );
    compare(
        "retry_after_s",
        wanted.retry_after_s.map(|wait| wait.to_string()),
        there.retry_after().map_or_else(|| "nothing".to_owned(), |wait| wait.as_secs().to_string()),
    );
    if let Some(part) = &wanted.message_contains
        && !there.message().contains(part.as_str())
    {
        differences.push(format!("message: `{part}` does not stand in `{}`", there.message()));
    }
    if let Some(wanted) = &wanted.failure {
        let failure = serde_json::to_value(there.failure()).unwrap_or_default();
        let lines = subset(wanted, &failure);
        differences.extend(lines.iter().map(|line| format!("failure {line}")));
    }
    differences
}
