//! What SQLite's errors mean to whoever called the store.

use rusqlite::ErrorCode;

use crate::store::{StoreError, StoreErrorKind};

/// The codes that a person can do something about.
const KNOWN: &[(ErrorCode, StoreErrorKind, &str)] = &[
    (ErrorCode::DiskFull, StoreErrorKind::Unavailable, "the disk is full"),
    (ErrorCode::DatabaseBusy, StoreErrorKind::Unavailable, LOCKED),
    (ErrorCode::DatabaseLocked, StoreErrorKind::Unavailable, LOCKED),
    (ErrorCode::SystemIoFailure, StoreErrorKind::Unavailable, "the disk failed"),
    (ErrorCode::CannotOpen, StoreErrorKind::Configuration, "the database file cannot be opened"),
    (ErrorCode::PermissionDenied, StoreErrorKind::Configuration, NOT_OURS),
    (ErrorCode::ReadOnly, StoreErrorKind::Configuration, NOT_OURS),
    (ErrorCode::NotADatabase, StoreErrorKind::Configuration, "the file is no SQLite database"),
    (ErrorCode::DatabaseCorrupt, StoreErrorKind::Corrupt, "the database file is damaged"),
    (ErrorCode::ConstraintViolation, StoreErrorKind::Corrupt, "a row contradicts what is stored"),
    (ErrorCode::TooBig, StoreErrorKind::Corrupt, "a text is longer than SQLite can keep"),
];

const LOCKED: &str = "another program holds the database file locked";
const NOT_OURS: &str = "the database file may not be written to";

/// The error for the caller, with SQLite's as its source. Nothing was written.
pub(super) fn explain(error: rusqlite::Error) -> StoreError {
    let (kind, message) = meaning(&error);
    StoreError::new(kind, message).with_source(error)
}

/// What the error means, and in which words.
pub(super) fn meaning(error: &rusqlite::Error) -> (StoreErrorKind, &'static str) {
    let Some(code) = error.sqlite_error_code() else {
        // Not SQLite's: a value did not fit the column or the type it was read into.
        return (StoreErrorKind::Corrupt, "a row cannot be understood");
    };
    KNOWN
        .iter()
        .find(|(known, ..)| *known == code)
        .map_or((StoreErrorKind::Unavailable, "SQLite failed"), |(_, kind, message)| {
            (*kind, message)
        })
}
