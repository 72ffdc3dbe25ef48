//! The text of rules as a tree whose every value knows where it stands. TOML and JSON become the
//! same tree, so that there is one reader, and one way to say where a fault is.
//!
//! Serde would stop at the first value that does not fit; whoever corrects rules wants to hear of
//! all of them at once.

use toml::{Spanned, de::DeValue};

use super::fault::Faults;

mod json;

pub(super) use json::from_json;

/// Deeper than any rule nests. What lies below is not looked at, and fits nowhere.
const MAX_DEPTH: u8 = 8;

/// A value, and the byte of the text it begins at.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: usize,
    pub(super) value: Value,
}

/// What a value is, as far as rules can hold it.
#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// Anything that no rule holds, in words.
    Other(&'static str),
}

/// A member of a table, in the order of the text.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: usize,
    pub(super) node: Node,
}

impl Value {
    /// What it is, for a sentence.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a number",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(noun) => noun,
        }
    }
}

/// Reads TOML. Whatever is no TOML is added to the faults, all of it, and gives no tree.
pub(super) fn from_toml(text: &str, faults: &mut Faults) -> Option<Node> {
    let (table, errors) = toml::de::DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        faults.add(at, None, format!("no TOML: {}", error.message()));
    }
    let at = table.span().start;
    errors.is_empty().then(|| node(at, DeValue::Table(table.into_inner()), 0))
}

fn node(at: usize, value: DeValue<'_>, depth: u8) -> Node {
    let below = |item: Spanned<DeValue<'_>>| node(item.span().start, item.into_inner(), depth + 1);
    let value = match value {
        DeValue::Array(_) | DeValue::Table(_) if depth >= MAX_DEPTH => {
            Value::Other("nested too deep")
        }
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(figure) => {
            i64::from_str_radix(&figure.as_str().replace('_', ""), figure.radix())
                .map_or(Value::Other("too large a number"), Value::Integer)
        }
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Boolean(_) => Value::Other("a yes or no"),
        DeValue::Datetime(_) => Value::Other("a time"),
        DeValue::Array(items) => Value::List(items.into_iter().map(below).collect()),
        DeValue::Table(members) => {
            let entry =
                |(key, item): (Spanned<std::borrow::Cow<'_, str>>, Spanned<DeValue<'_>>)| {
                    let at = key.span().start;
                    Entry { key: key.into_inner().into_owned(), at, node: below(item) }
                };
            let mut entries: Vec<Entry> = members.into_iter().map(entry).collect();
            // The parser sorts by name; a person means the order of the text.
            entries.sort_by_key(|entry| entry.at);
            Value::Table(entries)
        }
    };
    Node { at, value }
}
