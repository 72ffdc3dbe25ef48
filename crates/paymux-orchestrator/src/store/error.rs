//! What can go wrong in a store.

use std::error::Error as StdError;

/// The result of a store's call.
pub type StoreResult<T> = Result<T, StoreError>;

/// What kind of thing went wrong in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It cannot be reached or is too busy; nothing was written. Try again.
    Unavailable,
    /// The connection was lost while committing: the change is there or it is not.
    CommitUnknown,
    /// What is stored cannot be understood, or contradicts itself.
    Corrupt,
    /// The store is set up in a way that could lose payments, or by a newer or changed version.
    Configuration,
}

/// Why a store could not do what it was asked. `Display` is a sentence and holds no row.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl StoreError {
    /// An error of this kind; the message says what failed, as a clause.
    #[must_use]
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The same error with what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}
