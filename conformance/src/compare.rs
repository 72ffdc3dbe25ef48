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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::read_as;
    use serde_json::json;

    #[test]
    fn absent_keys_are_not_compared_and_null_is() {
        let there = json!({ "a": 1, "b": null, "c": [{ "d": 2, "e": 3 }] });
        assert!(subset(&json!({ "c": [{ "d": 2 }] }), &there).is_empty());
        assert!(subset(&json!({ "b": null }), &there).is_empty());
        assert_eq!(subset(&json!({ "a": null }), &there), ["/a: expected null, got 1"]);
        assert_eq!(subset(&json!({ "f": null }), &there), ["/f is missing, expected null"]);
        assert_eq!(subset(&json!({ "c": [] }), &there).len(), 1);
    }

    #[test]
    fn a_whole_has_no_more_and_no_less() {
        let there = json!({ "a": 499, "b": { "c": 1 } });
        assert!(exact(&there, &there).is_empty());
        assert_eq!(exact(&json!({ "a": 499, "b": {} }), &there), ["/b/c is not expected: 1"]);
        assert_eq!(exact(&json!(499), &json!(499.0)).len(), 1);
        assert_eq!(exact(&json!(499), &json!("499")).len(), 1);
    }

    fn wanted(value: &Value) -> Request {
        read_as(value, "request").unwrap()
    }

    fn sent(body: &str) -> Received {
        let mut received = Received {
            method: "POST".to_owned(),
            path: "/pay".to_owned(),
            query: "a=1&b=x%20y".to_owned(),
            body: body.as_bytes().to_vec(),
            ..Received::default()
        };
        received.headers.append("x-key", http::HeaderValue::from_static("k"));
        received
    }

    #[test]
    fn every_part_of_a_request_is_compared() {
        let right = json!({
            "method": "POST", "path": "/pay", "query": { "a": "1", "b": "x y" },
            "headers": { "X-Key": "k" }, "absent": ["x-debug"],
            "body": { "price": 22.30 }, "contains": ["22.30"],
        });
        assert!(request(&wanted(&right), &sent(r#"{"price":22.30}"#)).is_empty());
        let wrong = [
            ("method", json!("GET")),
            ("path", json!("/pay/")),
            ("query", json!({ "a": "1" })),
            ("headers", json!({ "x-key": "other" })),
            ("headers", json!({ "x-missing": "k" })),
            ("absent", json!(["x-key"])),
            ("body", json!({ "price": 22.30, "more": null })),
            ("body", json!(null)),
            ("contains", json!(["22.300"])),
        ];
        for (key, value) in wrong {
            let mut changed = right.clone();
            changed[key] = value;
            let differences = request(&wanted(&changed), &sent(r#"{"price":22.30}"#));
            assert_eq!(differences.len(), 1, "{changed}: {differences:?}");
        }
    }

    #[test]
    fn a_header_sent_twice_is_a_difference() {
        let mut twice = sent("");
        twice.headers.append("x-key", http::HeaderValue::from_static("k"));
        let base = json!({ "method": "POST", "path": "/pay", "query": { "a": "1", "b": "x y" } });
        assert!(request(&wanted(&base), &twice).is_empty());
        let mut with = base;
        with["headers"] = json!({ "x-key": "k" });
        assert_eq!(request(&wanted(&with), &twice).len(), 1);
    }

    #[test]
    fn forms_are_compared_by_pairs() {
        let form = |value| {
            wanted(&json!({
                "method": "POST", "path": "/pay", "query": { "a": "1", "b": "x y" }, "form": value,
            }))
        };
        assert!(request(&form(json!({ "b": "2 3", "a": "1" })), &sent("a=1&b=2+3")).is_empty());
        assert_eq!(request(&form(json!({ "a": "1" })), &sent("a=1&a=1")).len(), 1);
    }
}
