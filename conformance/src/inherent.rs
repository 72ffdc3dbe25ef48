//! What an adapter's inherent methods are reached by from cases: their input read, their output
//! written.

use std::pin::Pin;

use paymux_core::{Effect, Error, ErrorKind, Result};
use serde::Serialize;
use serde_json::Value;

/// What an inherent method of an adapter gives when a case calls it.
pub type CallFuture<'a> = Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>>;

/// The call, as [`Suite::call`](crate::Suite::call) takes it.
pub fn answer<'a>(call: impl Future<Output = Result<Value>> + Send + 'a) -> CallFuture<'a> {
    Box::pin(call)
}

/// What the method gave, as a case compares it.
///
/// # Errors
/// `Unexpected` with a possible effect, when it is no JSON.
pub fn json(object: impl Serialize) -> Result<Value> {
    serde_json::to_value(object).map_err(|source| {
        Error::new(ErrorKind::Unexpected, Effect::Possible, "is no JSON").with_source(source)
    })
}

/// A text of the input; empty where there is none.
#[must_use]
pub fn text(input: &Value, key: &str) -> String {
    optional(input, key).unwrap_or_default()
}

/// A text of the input, if there is one.
#[must_use]
pub fn optional(input: &Value, key: &str) -> Option<String> {
    input.get(key).and_then(Value::as_str).map(str::to_owned)
}

/// A number of the input; zero where there is none.
///
/// # Errors
/// `InvalidRequest` without effect, naming `key`, when it is larger than any limit or offset.
pub fn number(input: &Value, key: &str) -> Result<u32> {
    let number = input.get(key).and_then(Value::as_u64).unwrap_or_default();
    u32::try_from(number).map_err(|_| Error::invalid_request(key, "must be a small number"))
}
