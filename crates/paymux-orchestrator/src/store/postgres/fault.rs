//! What an error of PostgreSQL proves. No row and no secret gets into a message: of what the
//! server says only the words are kept that it says before it has looked at a row.

use std::{error::Error as StdError, io};

use deadpool_postgres::{HookError, PoolError};
use tokio_postgres::{
    Error,
    error::{DbError, Severity, SqlState},
    types::WrongType,
};

use crate::store::{StoreError, StoreErrorKind};

/// What was going on when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing can have been written for good.
    BeforeCommit,
    /// The server was told to commit and its answer is missing, or does not say what it did.
    Committing,
}

/// Why something failed; made into an error for each caller that waits for it.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) kind: StoreErrorKind,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What this error proves about work in this phase.
    pub(super) fn of(doing: &str, phase: Phase, error: &Error) -> Self {
        let (kind, why) = match error.as_db_error() {
            Some(refusal) => (kind_of(refusal), describe(refusal)),
            None => (kind_without_answer(error), describe_local(error)),
        };
        let kind = match phase {
            Phase::BeforeCommit => kind,
            Phase::Committing if is_rolled_back(error) => kind,
            Phase::Committing => StoreErrorKind::CommitUnknown,
        };
        Self::new(kind, format!("could not {doing}: {why}"))
    }

    /// What it proves that the pool gave no connection: nothing was sent.
    pub(super) fn of_pool(doing: &str, error: &PoolError) -> Self {
        let unavailable =
            |why: &str| Self::new(StoreErrorKind::Unavailable, format!("could not {doing}: {why}"));
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                Self::of(doing, Phase::BeforeCommit, error)
            }
            PoolError::PostCreateHook(HookError::Message(why)) => {
                Self::new(StoreErrorKind::Configuration, why.to_string())
            }
            PoolError::Timeout(_) => unavailable("all connections are busy"),
            PoolError::Closed => unavailable("the store was closed"),
            PoolError::NoRuntimeSpecified => unavailable("there is no runtime to wait on"),
        }
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        Self::new(fault.kind, fault.message)
    }
}

/// Why a transaction was not committed.
#[derive(Debug)]
pub(super) enum Stop {
    /// An error of the driver's or the server's in this phase.
    Met(Phase, Error),
    /// What is known already, and ends the use of the connection.
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Stop {
    /// Stopped where nothing can have been committed.
    pub(super) fn before(error: Error) -> Self {
        Self::Met(Phase::BeforeCommit, error)
    }

    /// Is it worth another run?
    pub(super) fn is_lost_race(&self) -> bool {
        matches!(self, Self::Met(_, error) if is_lost_race(error))
    }

    /// Is it worth another run on another connection?
    pub(super) fn is_stale(&self) -> bool {
        matches!(self, Self::Met(_, error) if is_stale(error))
    }
}

/// Is the same transaction worth another run? A key that was there after all (23505) means that
/// somebody else was faster: the next run reads what they wrote.
pub(super) fn is_lost_race(error: &Error) -> bool {
    error.code().is_some_and(|code| {
        [
            &SqlState::T_R_SERIALIZATION_FAILURE,
            &SqlState::T_R_DEADLOCK_DETECTED,
            &SqlState::UNIQUE_VIOLATION,
        ]
        .contains(&code)
    })
}

/// Is the connection of no more use?
pub(super) fn is_gone(error: &Error) -> bool {
    let severity = error.as_db_error().and_then(DbError::parsed_severity);
    error.is_closed() || matches!(severity, Some(Severity::Fatal | Severity::Panic))
}

/// Does this connection have a statement ready that its server does not know, or knows otherwise,
/// or does it lead to a server that takes no writes any more? Nothing was done, and another
/// connection has it right, or finds out where the primary is now.
pub(super) fn is_stale(error: &Error) -> bool {
    error.code().is_some_and(|code| {
        [
            &SqlState::FEATURE_NOT_SUPPORTED,
            &SqlState::INVALID_SQL_STATEMENT_NAME,
            &SqlState::READ_ONLY_SQL_TRANSACTION,
        ]
        .contains(&code)
    })
}

/// Is it certain that nothing was committed? An ordinary error of the server's says so: past the
/// point of no return there is none. What ends the connection, such as being shut down while it
/// waits for a standby, can follow a commit that is on disk.
fn is_rolled_back(error: &Error) -> bool {
    error.as_db_error().is_some_and(|refusal| {
        refusal.parsed_severity() == Some(Severity::Error)
            && *refusal.code() != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN
    })
}

fn class(code: &SqlState) -> &str {
    code.code().get(..2).unwrap_or_default()
}

/// The classes are those of appendix A of PostgreSQL's manual.
fn kind_of(refusal: &DbError) -> StoreErrorKind {
    let code = refusal.code();
    if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        // It became a standby: another server is the primary now, or will be.
        return StoreErrorKind::Unavailable;
    }
    match class(code) {
        // Credentials, privileges, a database, schema or table that is not there, a setting.
        "28" | "3D" | "3F" | "42" | "F0" | "0A" => StoreErrorKind::Configuration,
        // What was handed in cannot be kept as it is, or what is kept is damaged.
        "22" | "23" | "54" | "XX" => StoreErrorKind::Corrupt,
        // Connections, resources, locks, conflicts, shutting down, and what nobody thought of.
        _ => StoreErrorKind::Unavailable,
    }
}

fn kind_without_answer(error: &Error) -> StoreErrorKind {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<rustls::Error>() || inner.is::<WrongType>() {
            return StoreErrorKind::Configuration;
        }
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            // What an `io::Error` wraps is not in its chain of sources.
            if io.kind() == io::ErrorKind::InvalidInput {
                // The driver cannot send it: a text that is too long.
                return StoreErrorKind::Corrupt;
            }
            return match io.get_ref() {
                Some(wrapped) if wrapped.is::<rustls::Error>() => StoreErrorKind::Configuration,
                _ => StoreErrorKind::Unavailable,
            };
        }
        cause = inner.source();
    }
    StoreErrorKind::Unavailable
}

/// The code, and the server's words only where they cannot hold what was in a row.
fn describe(refusal: &DbError) -> String {
    let code = refusal.code().code();
    match class(refusal.code()) {
        "08" | "25" | "28" | "3D" | "3F" | "40" | "42" | "53" | "55" | "57" | "F0" => {
            format!("PostgreSQL says {} ({code})", refusal.message())
        }
        _ if *refusal.code() == SqlState::CHARACTER_NOT_IN_REPERTOIRE => {
            format!("a text holds a character that PostgreSQL does not keep, such as NUL ({code})")
        }
        _ => format!("PostgreSQL refused it with {code}"),
    }
}

fn describe_local(error: &Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push_str(": ");
        words.push_str(&inner.to_string());
        cause = inner.source();
    }
    words
}
