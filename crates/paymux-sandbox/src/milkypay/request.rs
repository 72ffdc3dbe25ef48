//! Requests as they come in: JSON of either API, or a form.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::errors::Refusal;

/// The members of a request, with the amount as it was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Members {
    pub(super) members: Map<String, Value>,
    /// The literal text of a number, or of a number in a text; nothing for anything else.
    pub(super) amount: Option<String>,
}

fn has_type(headers: &HeaderMap, wanted: &[&str]) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    wanted.iter().any(|wanted| kind.eq_ignore_ascii_case(wanted))
}

fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if !has_type(headers, &["application/json", "application/vnd.api+json"]) {
        return Err(Refusal::BadRequest);
    }
    serde_json::from_slice(body).map_err(|_| Refusal::BadRequest)
}

/// A flat request of the public API.
pub(super) fn flat(headers: &HeaderMap, body: &[u8]) -> Result<Members, Refusal> {
    #[derive(Deserialize)]
    struct Amount<'a> {
        #[serde(borrow)]
        amount: Option<&'a RawValue>,
    }
    let members = parse(headers, body)?;
    let amount: Amount<'_> = serde_json::from_slice(body).map_err(|_| Refusal::BadRequest)?;
    Ok(Members { members, amount: amount.amount.and_then(literal) })
}

/// An enveloped request of the private API; with its attributes the id of `data`, if it has one.
pub(super) fn enveloped(
    headers: &HeaderMap,
    body: &[u8],
    kind: &str,
) -> Result<(Members, Option<String>), Refusal> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        data: Data<'a>,
    }
    #[derive(Deserialize)]
    struct Data<'a> {
        #[serde(borrow)]
        attributes: Attributes<'a>,
    }
    #[derive(Deserialize)]
    struct Attributes<'a> {
        #[serde(borrow)]
        amount: Option<&'a RawValue>,
    }
    let mut whole = parse(headers, body)?;
    let Some(Value::Object(mut data)) = whole.remove("data") else {
        return Err(Refusal::invalid("data", "This value should not be blank."));
    };
    if data.get("type").and_then(Value::as_str) != Some(kind) {
        return Err(Refusal::invalid("type", format!("This value should be {kind}.")));
    }
    let Some(Value::Object(members)) = data.remove("attributes") else {
        return Err(Refusal::invalid("attributes", "This value should not be blank."));
    };
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|_| Refusal::BadRequest)?;
    let amount = envelope.data.attributes.amount.and_then(literal);
    let id = data.get("id").and_then(Value::as_str).map(str::to_owned);
    Ok((Members { members, amount }, id))
}

/// A number's own text; a text's content, since the platform takes both.
fn literal(raw: &RawValue) -> Option<String> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).ok(),
        Some(b'-' | b'0'..=b'9') => Some(text.to_owned()),
        _ => None,
    }
}

/// An HTML form: `customer[address][city]` names a member of a member.
pub(super) fn form(headers: &HeaderMap, body: &[u8]) -> Result<Members, Refusal> {
    if !has_type(headers, &["application/x-www-form-urlencoded"]) {
        return Err(Refusal::BadRequest);
    }
    let mut members = Map::new();
    for (name, value) in form_urlencoded::parse(body) {
        let (first, rest) = name.split_once('[').unwrap_or((&name, ""));
        let mut path = vec![first];
        path.extend(rest.split('[').map(|part| part.trim_end_matches(']')));
        path.retain(|part| !part.is_empty());
        insert(&mut members, &path, &value);
    }
    let amount = members.get("amount").and_then(Value::as_str).map(str::to_owned);
    Ok(Members { members, amount })
}

fn insert(members: &mut Map<String, Value>, path: &[&str], value: &str) {
    match path {
        [] => {}
        [last] => {
            members.insert((*last).to_owned(), value.into());
        }
        [first, rest @ ..] => {
            let inner = members.entry(*first).or_insert_with(|| Map::new().into());
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use serde_json::json;

    fn headers(kind: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))])
    }

    #[test]
    fn an_amount_keeps_its_text() {
        let json = headers("application/json; charset=utf-8");
        for (body, expected) in [
            (r#"{"amount":100.10}"#, Some("100.10")),
            (r#"{"amount":"100.10"}"#, Some("100.10")),
            (r#"{"amount":1.0e-8}"#, Some("1.0e-8")),
            (r#"{"amount":true}"#, None),
            (r#"{"amount":null}"#, None),
            ("{}", None),
        ] {
            let read = flat(&json, body.as_bytes()).unwrap();
            assert_eq!(read.amount.as_deref(), expected, "{body}");
        }
        for (body, headers) in
            [("{", &json), ("[]", &json), (r#"{"amount":1}"#, &headers("text/plain"))]
        {
            assert_eq!(flat(headers, body.as_bytes()), Err(Refusal::BadRequest), "{body}");
        }
    }

    #[test]
    fn an_envelope_is_opened() {
        let json = headers("application/vnd.api+json");
        let body = br#"{"data":{"type":"refund","id":"cpi_1","attributes":{"amount":1.50}}}"#;
        let (read, id) = enveloped(&json, body, "refund").unwrap();
        assert_eq!((read.amount.as_deref(), id.as_deref()), (Some("1.50"), Some("cpi_1")));
        for (body, field) in [
            ("{}", "data"),
            (r#"{"data":{}}"#, "type"),
            (r#"{"data":{"type":"payment-invoices","attributes":{}}}"#, "type"),
            (r#"{"data":{"type":"refund"}}"#, "attributes"),
        ] {
            let refusal = enveloped(&json, body.as_bytes(), "refund").unwrap_err();
            assert!(refusal.body()["errors"].get(field).is_some(), "{body}: {refusal:?}");
        }
    }

    #[test]
    fn a_form_nests_by_its_brackets() {
        let body = "amount=100&customer%5Breference_id%5D=7&customer[address][city]=A%26B&x[]=1";
        let read = form(&headers("application/x-www-form-urlencoded"), body.as_bytes()).unwrap();
        assert_eq!(read.amount.as_deref(), Some("100"));
        let expected = json!({"reference_id": "7", "address": {"city": "A&B"}});
        assert_eq!(read.members["customer"], expected);
        assert_eq!(read.members["x"], "1");
    }
}
