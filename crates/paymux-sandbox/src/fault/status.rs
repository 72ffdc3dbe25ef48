//! Another status in a body that is already written.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// Logs of what was sent earlier, which an unknown status does not rewrite.
const LOGS: [&str; 1] = ["callback_logs"];

/// Puts `word` wherever an object of this JSON shows its status. Everything else keeps its text,
/// numbers to the last digit; what is no JSON stays as it is.
pub(crate) fn replace_status(json: &str, word: &str) -> String {
    match serde_json::from_str::<&RawValue>(json) {
        Ok(value) => replaced(value, word).get().to_owned(),
        Err(_) => json.to_owned(),
    }
}

fn replaced(value: &RawValue, word: &str) -> Box<RawValue> {
    let text = value.get();
    let changed = if text.starts_with('{') {
        serde_json::from_str(text).map(|fields: BTreeMap<String, &RawValue>| {
            let field = |(name, field): (String, &RawValue)| {
                let field = if name == "status" && field.get().starts_with('"') {
                    raw(&word)
                } else if LOGS.contains(&name.as_str()) {
                    Some(field.to_owned())
                } else {
                    Some(replaced(field, word))
                };
                (name, field)
            };
            raw(&fields.into_iter().map(field).collect::<BTreeMap<_, _>>())
        })
    } else if text.starts_with('[') {
        serde_json::from_str(text).map(|elements: Vec<&RawValue>| {
            raw(&elements.into_iter().map(|one| replaced(one, word)).collect::<Vec<_>>())
        })
    } else {
        Ok(None)
    };
    changed.ok().flatten().unwrap_or_else(|| value.to_owned())
}

fn raw(value: &impl Serialize) -> Option<Box<RawValue>> {
    to_raw_value(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_in_a_body_is_replaced() {
        for (body, expected) in [
            (
                r#"{"sessions":[{"status":"paid","x":{"status":1}}]}"#,
                r#"{"sessions":[{"status":"odd","x":{"status":1}}]}"#,
            ),
            (r#"{"callback_logs":{"status":"sent"}}"#, r#"{"callback_logs":{"status":"sent"}}"#),
            ("no JSON", "no JSON"),
        ] {
            assert_eq!(replace_status(body, "odd"), expected);
        }
    }

    #[test]
    fn numbers_keep_every_digit() {
        let body = r#"{"amount":0.123456789012345678,"list":[1.50,10e2],"status":"paid"}"#;
        let expected = r#"{"amount":0.123456789012345678,"list":[1.50,10e2],"status":"\"odd\""}"#;
        assert_eq!(replace_status(body, "\"odd\""), expected);
    }
}
