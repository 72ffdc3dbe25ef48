//! JSON, read strictly: a body that two parsers could read differently is refused, and what is
//! wrong with a body is said without quoting it.

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::error::Category;

use crate::{Effect, Error, ErrorKind, Result, transport::HttpResponse};

/// Deeper than any provider nests, and far from what a stack cannot hold.
const MAX_DEPTH: u8 = 32;
const TWICE: &str = "a name comes twice in one object";
const TOO_DEEP: &str = "nested more than 32 deep";

/// Reads a body, which the value may borrow from.
///
/// Serde takes a list for a struct, field by position: whoever expects an object of a provider
/// has to see to it that it is one.
///
/// # Errors
/// When it is not UTF-8 or not JSON, names a field of any object twice, nests more than 32 deep,
/// or does not fit `T`. Whoever asked says what that means: only they know if something may have
/// happened.
pub fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, JsonFault> {
    let text = std::str::from_utf8(body).map_err(|_| JsonFault("not UTF-8".to_owned()))?;
    let mut strict = serde_json::Deserializer::from_str(text);
    Strict { depth: 0 }.deserialize(&mut strict)?;
    Ok(serde_json::from_str(text)?)
}

/// What is wrong with a body: what was expected and where, never what was found. The text of
/// [`serde_json::Error`] quotes the value, which can be a secret or a person's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault(String);

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for JsonFault {}

impl From<serde_json::Error> for JsonFault {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        // The position stands last, if there is one.
        let (what, position) = match text.rsplit_once(" at line ") {
            Some((what, _)) if error.line() > 0 => {
                (what, format!(" at line {} column {}", error.line(), error.column()))
            }
            _ => (text.as_str(), String::new()),
        };
        let expected = what.rsplit_once(", expected ").map(|(_, expected)| expected);
        let named_by_us = ["missing field `", "duplicate field `", TWICE, TOO_DEEP];
        let what = match (error.classify(), expected) {
            // These are fixed texts.
            (Category::Io | Category::Syntax | Category::Eof, _) => what.to_owned(),
            (Category::Data, _) if named_by_us.iter().any(|ours| what.starts_with(ours)) => {
                what.to_owned()
            }
            (Category::Data, Some(expected)) => {
                format!("a value does not fit: expected {expected}")
            }
            (Category::Data, None) => "a value does not fit".to_owned(),
        };
        Self(what + &position)
    }
}

/// Why an answer, or a delivery, is not what its provider documents. What that means for money is
/// said where it is turned into an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    message: String,
    source: Option<JsonFault>,
}

impl Unreadable {
    /// For this reason: a whole clause that quotes nothing of the body.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// The same, because of this fault.
    #[must_use]
    pub fn with_source(self, source: JsonFault) -> Self {
        Self { source: Some(source), ..self }
    }

    /// As the error of a call, see [`HttpResponse::unreadable`]: after a mutating one the provider
    /// may have acted.
    #[must_use]
    pub fn of(self, response: &HttpResponse) -> Error {
        let error = response.unreadable(self.message);
        match self.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }

    /// As the error of a delivery, without effect: nothing was asked for. `what` begins the
    /// sentence and says how far the delivery was believed.
    #[must_use]
    pub fn of_delivery(self, what: &str) -> Error {
        let message = format!("{what}: {}", self.message);
        let error = Error::new(ErrorKind::InvalidResponse, Effect::None, message);
        match self.source {
            Some(source) => error.with_source(source),
            None => error,
        }
    }
}

/// The reason alone.
impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A body that is no JSON, or does not fit.
impl From<JsonFault> for Unreadable {
    fn from(source: JsonFault) -> Self {
        Self::new("the answer is not what the provider documents").with_source(source)
    }
}

/// Walks a value without keeping it.
#[derive(Clone, Copy)]
struct Strict {
    depth: u8,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom(TOO_DEEP));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name) {
                return Err(A::Error::custom(TWICE));
            }
            map.next_value_seed(inner)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = self.deeper()?;
        while items.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}
