//! Input that only one kind of provider understands, typed at both ends and storable between.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::Value;

use crate::{Effect, Error, ErrorKind, Result};

/// The options of one kind of provider: a plain struct of the adapter's.
pub trait ProviderOptions: Serialize + DeserializeOwned {
    /// The kind, as in [`crate::Capabilities::kind`]: `toffeepay`.
    const KIND: &'static str;
}

/// Typed options, at most one set a kind. Kept as JSON, so that one request can be stored and can
/// carry what each of several candidate providers needs.
///
/// `Debug` shows the kinds only: options can name accounts and people.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Options(BTreeMap<String, Value>);

impl Options {
    /// Sets the options of one kind, in place of any set before.
    ///
    /// # Errors
    /// `InvalidRequest` without effect when they cannot be written as JSON.
    pub fn set<T: ProviderOptions>(&mut self, options: &T) -> Result<()> {
        let value = serde_json::to_value(options).map_err(|source| unreadable::<T>(source))?;
        self.0.insert(T::KIND.to_owned(), value);
        Ok(())
    }

    /// The options of one kind, if there are any.
    ///
    /// # Errors
    /// `InvalidRequest` without effect when what is stored is not of the kind's shape.
    pub fn get<T: ProviderOptions>(&self) -> Result<Option<T>> {
        let value = self.0.get(T::KIND);
        value.map(T::deserialize).transpose().map_err(|source| unreadable::<T>(source))
    }

    /// Are there options of this kind?
    #[must_use]
    pub fn has(&self, kind: &str) -> bool {
        self.0.contains_key(kind)
    }
}

fn unreadable<T: ProviderOptions>(source: serde_json::Error) -> Error {
    Error::new(ErrorKind::InvalidRequest, Effect::None, "cannot be read or written as JSON")
        .with_field(format!("options.{}", T::KIND))
        .with_source(source)
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A value that is never printed and never stored: after a reload it is gone, and
/// `fetch_payment` gets it again.
#[derive(Clone)]
pub struct Sensitive<T>(Option<T>);

impl<T> Sensitive<T> {
    /// Wraps the value.
    pub const fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// The value, unless this was reloaded from a store.
    pub const fn expose(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T> Serialize for Sensitive<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de, T> Deserialize<'de> for Sensitive<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer)?;
        Ok(Self(None))
    }
}
