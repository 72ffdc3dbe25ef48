//! JSON as PHP writes it: an empty map is `[]`, a number may be text, a text may be a number. What
//! is read here keeps the literal text of every figure.

use std::fmt;

use paymux_core::{
    Currency, Money, Timestamp,
    json::{self, Unreadable},
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

use crate::{decimal::Decimal, read::Known};

/// The members of an object, in order and not read yet. A list counts as an object whose names are
/// its positions, as in PHP; an empty one is the empty object.
#[derive(Debug, Default)]
pub(crate) struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Reads a body, strictly; it must be an object, since nothing of the provider's is a list at
    /// the top.
    pub(crate) fn of_body(body: &'a [u8]) -> Result<Self, Unreadable> {
        let body: &RawValue = json::read(body).map_err(Unreadable::from)?;
        Self::of_object(body).ok_or_else(|| Unreadable::new("the answer is not a JSON object"))
    }

    /// The members of an object; nothing for any other value.
    pub(crate) fn of_object(value: &'a RawValue) -> Option<Self> {
        value.get().starts_with('{').then(|| Self::of_any(value)).flatten()
    }

    /// The members of an object or of a list.
    pub(crate) fn of_any(value: &'a RawValue) -> Option<Self> {
        serde_json::from_str(value.get()).ok()
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The member as it stands; `null` is as good as missing.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
            .filter(|value| value.get() != "null")
    }

    /// A text, or what a text can be made of: the literal of a number or of a flag.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(text)
    }

    /// A text that says something.
    pub(crate) fn filled(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// A text that must be there and say something.
    pub(crate) fn required(&self, name: &str) -> Result<String, Unreadable> {
        self.filled(name).ok_or_else(|| Unreadable::new(format!("the answer has no {name}")))
    }

    /// A figure. One that cannot be read is never passed over.
    pub(crate) fn decimal(&self, name: &str) -> Result<Option<Decimal>, Unreadable> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let figure = text(value).and_then(|text| Decimal::read(&text));
        figure.map(Some).ok_or_else(|| Unreadable::new(format!("the answer's {name} is no figure")))
    }

    /// A figure that no decision hangs on; left out where it cannot be read.
    pub(crate) fn figure(&self, name: &str) -> Option<Decimal> {
        self.text(name).as_deref().and_then(Decimal::read)
    }

    /// An amount. One that cannot be read is never passed over.
    pub(crate) fn money(
        &self,
        name: &str,
        currency: Currency,
    ) -> Result<Option<Money>, Unreadable> {
        let Some(figure) = self.decimal(name)? else { return Ok(None) };
        figure
            .to_money(currency)
            .map(Some)
            .map_err(|_| Unreadable::new(format!("the answer's {name} is no amount of {currency}")))
    }

    /// A moment in whole seconds since 1970.
    pub(crate) fn moment(&self, name: &str) -> Option<Timestamp> {
        self.text(name).as_deref().and_then(seconds)
    }

    /// A whole number.
    pub(crate) fn count(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// A flag.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.text(name)?.as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }

    /// The members of a member; empty where it is missing or no object.
    pub(crate) fn members(&self, name: &str) -> Members<'a> {
        self.get(name).and_then(Members::of_any).unwrap_or_default()
    }

    /// The rows of a list, also where PHP wrote them with their positions for names.
    pub(crate) fn rows(&self, name: &str) -> Option<Vec<&'a RawValue>> {
        let rows = Members::of_any(self.get(name)?)?;
        Some(rows.iter().map(|(_, row)| row).collect())
    }

    /// A map of anything.
    pub(crate) fn values(&self, name: &str) -> Map<String, Value> {
        let members = self.members(name);
        let values = members.iter().filter_map(|(name, value)| {
            Some((name.to_owned(), serde_json::from_str(value.get()).ok()?))
        });
        values.collect()
    }

    /// The currency that a member names, if we know how it counts.
    pub(crate) fn currency(&self, name: &str, known: &Known) -> Result<Currency, Unreadable> {
        let code = self.required(name)?;
        known.currency(&code).ok_or_else(|| {
            let message = "is none whose decimals are known; the setting `currency` tells them";
            Unreadable::new(format!("the answer's {name} {message}"))
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Members<'de>, A::Error> {
        let mut members: Vec<(String, &'de RawValue)> = Vec::new();
        while let Some(item) = items.next_element()? {
            members.push((members.len().to_string(), item));
        }
        Ok(Members(members))
    }
}

/// The text of a scalar.
pub(crate) fn text(value: &RawValue) -> Option<String> {
    let literal = value.get();
    match literal.as_bytes().first()? {
        b'"' => serde_json::from_str(literal).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(literal.to_owned()),
    }
}

/// A moment, from whole seconds in text.
pub(crate) fn seconds(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_seconds)
}
