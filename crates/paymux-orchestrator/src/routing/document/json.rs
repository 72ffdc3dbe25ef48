//! JSON with positions. `serde_json` gives none for values; but a [`RawValue`] is a slice of the
//! very text it was read from, so where it stands is the distance between the two. The same goes
//! for a key that is written without escapes; one that has some is said to stand where its value
//! does.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Entry, MAX_DEPTH, Node, Value};
use crate::routing::fault::Faults;

/// Reads JSON. Whatever is no JSON is added to the faults and gives no tree.
pub(in crate::routing) fn from_json(text: &str, faults: &mut Faults) -> Option<Node> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(raw) => node(raw, text, 0, faults),
        Err(error) => {
            faults.add(offset(text, error.line(), error.column()), None, no_json(&error));
            None
        }
    }
}

fn no_json(error: &serde_json::Error) -> String {
    let words = error.to_string();
    // The position is said in front, as for every fault.
    let words = words.split(" at line ").next().unwrap_or_default();
    format!("no JSON: {words}")
}

/// The byte at which a line and a column, counted in bytes from 1, stand.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let begin: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut at = (begin + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// How far into `text` a slice of it begins.
fn position(slice: &str, text: &str) -> usize {
    slice.as_ptr().addr().saturating_sub(text.as_ptr().addr())
}

fn node(raw: &RawValue, text: &str, depth: u8, faults: &mut Faults) -> Option<Node> {
    let (at, slice) = (position(raw.get(), text), raw.get());
    let read = match slice.as_bytes().first() {
        Some(b'{' | b'[') if depth >= MAX_DEPTH => Ok(Value::Other("nested too deep")),
        Some(b'{') => table(slice, text, depth, faults),
        Some(b'[') => list(slice, text, depth, faults),
        Some(b'"') => serde_json::from_str(slice).map(Value::Text),
        Some(b't' | b'f') => Ok(Value::Other("a yes or no")),
        Some(b'n') => Ok(Value::Other("null")),
        _ if slice.contains(['.', 'e', 'E']) => Ok(Value::Other("a number with a fraction")),
        _ => Ok(slice.parse().map_or(Value::Other("too large a number"), Value::Integer)),
    };
    match read {
        Ok(value) => Some(Node { at, value }),
        Err(error) => {
            faults.add(at, None, no_json(&error));
            None
        }
    }
}

fn list(slice: &str, text: &str, depth: u8, faults: &mut Faults) -> serde_json::Result<Value> {
    let items: Vec<&RawValue> = serde_json::from_str(slice)?;
    let nodes = items.into_iter().filter_map(|raw| node(raw, text, depth + 1, faults));
    Ok(Value::List(nodes.collect()))
}

fn table(slice: &str, text: &str, depth: u8, faults: &mut Faults) -> serde_json::Result<Value> {
    let Members(members) = serde_json::from_str(slice)?;
    let mut entries: Vec<Entry> = Vec::with_capacity(members.len());
    for (key, raw) in members {
        let at = key.slice.map_or_else(
            || position(raw.get(), text),
            // The slice begins behind the quotation mark.
            |slice| position(slice, text).saturating_sub(1),
        );
        if entries.iter().any(|earlier| earlier.key == key.name) {
            faults.add(at, None, format!("no JSON: `{}` comes twice in one object", key.name));
        } else if let Some(node) = node(raw, text, depth + 1, faults) {
            entries.push(Entry { key: key.name, at, node });
        }
    }
    Ok(Value::Table(entries))
}

/// The members of an object, in order, with those that come twice.
struct Members<'a>(Vec<(Key<'a>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// A name, and the slice of the text it stands in, if it is written there as it is.
struct Key<'a> {
    name: String,
    slice: Option<&'a str>,
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, slice: &'de str) -> Result<Self::Value, E> {
        Ok(Key { name: slice.to_owned(), slice: Some(slice) })
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Key { name: name.to_owned(), slice: None })
    }
}
