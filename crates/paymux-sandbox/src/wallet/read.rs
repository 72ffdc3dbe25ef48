//! Reads the members of a request and collects what is wrong with them.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::errors::{Refusal, Wrong};
use super::money;

/// Reads a JSON object. No body, and an empty list as PHP writes an empty map, count as `{}`.
pub(super) fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let kind = headers.get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap_or_default());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("application/json")) {
        return Err(Refusal::NotAcceptable);
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(Value::Array(elements)) if elements.is_empty() => Ok(Map::new()),
        Ok(_) | Err(_) => Err(Refusal::InvalidRequest),
    }
}

/// The members of one object; `null` counts as absent.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    members: &'a Map<String, Value>,
    /// Where the object stands, such as `payments[0]`; empty at the top.
    path: String,
    pub(super) wrong: Vec<Wrong>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(members: &'a Map<String, Value>, path: impl Into<String>) -> Self {
        Reader { members, path: path.into(), wrong: Vec::new() }
    }

    /// What was read, unless something was wrong.
    pub(super) fn finish<T>(self, read: Option<T>) -> Result<T, Refusal> {
        match read {
            Some(read) if self.wrong.is_empty() => Ok(read),
            Some(_) | None => Err(Refusal::Invalid(self.wrong)),
        }
    }

    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn refuse(&mut self, name: &str, message: impl Into<String>) {
        self.wrong.push(Wrong { field: self.path_of(name), message: message.into() });
    }

    /// Takes over what another reading found, or what is wrong with it.
    pub(super) fn take<T>(&mut self, read: Result<T, Refusal>) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(Refusal::Invalid(wrong)) => {
                self.wrong.extend(wrong);
                None
            }
            Err(_) => None,
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, name: &str) -> Option<&'a str> {
        match self.value(name)? {
            Value::String(text) => Some(text),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => {
                self.refuse(name, format!("{name} must be a string"));
                None
            }
        }
    }

    /// Text that must not be blank when it is given.
    pub(super) fn filled(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        if text.trim().is_empty() {
            self.refuse(name, format!("{name} must not be empty"));
            return None;
        }
        Some(text.to_owned())
    }

    pub(super) fn integer(&mut self, name: &str) -> Option<i64> {
        let number = self.value(name)?.as_i64();
        if number.is_none() {
            self.refuse(name, format!("{name} must be an integer"));
        }
        number
    }

    /// An integer that is at least this.
    pub(super) fn at_least(&mut self, name: &str, least: i64) -> Option<i64> {
        let number = self.integer(name)?;
        if number < least {
            self.refuse(name, format!("{name} must be at least {least}"));
            return None;
        }
        Some(number)
    }

    pub(super) fn boolean(&mut self, name: &str) -> Option<bool> {
        let yes = self.value(name)?.as_bool();
        if yes.is_none() {
            self.refuse(name, format!("{name} must be a boolean"));
        }
        yes
    }

    pub(super) fn object(&mut self, name: &str) -> Option<&'a Map<String, Value>> {
        match self.value(name)? {
            Value::Object(members) => Some(members),
            // An empty map as PHP writes it.
            Value::Array(elements) if elements.is_empty() => None,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => {
                self.refuse(name, format!("{name} must be an object"));
                None
            }
        }
    }

    pub(super) fn array(&mut self, name: &str) -> Option<&'a [Value]> {
        match self.value(name)? {
            Value::Array(elements) => Some(elements),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => {
                self.refuse(name, format!("{name} must be an array"));
                None
            }
        }
    }

    /// UNIX seconds that lie ahead.
    pub(super) fn future(&mut self, name: &str, now: Timestamp) -> Option<Timestamp> {
        let seconds = self.integer(name)?;
        match Timestamp::from_second(seconds) {
            Ok(at) if at > now => Some(at),
            Ok(_) | Err(_) => {
                self.refuse(name, format!("{name} must be a timestamp in the future"));
                None
            }
        }
    }

    /// Cents from `name` or from `name_decimal`, never both.
    pub(super) fn cents(&mut self, name: &str, least: i64) -> Option<i64> {
        let decimal = format!("{name}_decimal");
        if self.has(name) && self.has(&decimal) {
            self.refuse(name, format!("Give {name} or {decimal}, not both"));
            return None;
        }
        if !self.has(&decimal) {
            return self.at_least(name, least);
        }
        match money::cents(self.text(&decimal)?) {
            Some(cents) if cents >= least => Some(cents),
            Some(_) | None => {
                self.refuse(&decimal, format!("{decimal} must be an amount with two decimals"));
                None
            }
        }
    }

    pub(super) fn currency(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        if !money::is_currency(text) {
            self.refuse(name, "Currency must be 3-letter code (e.g., EUR)");
            return None;
        }
        Some(text.to_owned())
    }

    /// Copies members that are only kept and shown.
    pub(super) fn keep(&self, names: &[&str]) -> Map<String, Value> {
        let kept = names
            .iter()
            .filter_map(|name| self.value(name).map(|value| ((*name).to_owned(), value.clone())));
        kept.collect()
    }
}
