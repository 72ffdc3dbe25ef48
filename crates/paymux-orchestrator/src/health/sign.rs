//! What an error says about the health of the account that gave it.

use std::{error::Error as StdError, io};

use paymux_core::{Effect, Error, ErrorKind, Operation};

/// What the outcome of a call says about the account's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The provider is well: it answered in its own words, be it with a refusal.
    Healthy,
    /// It is not: no answer, or none that can be read.
    Sick,
    /// Every call will fail until a person has corrected something.
    Fatal,
    /// Nothing: it is about the request, or about us.
    Neutral,
}

/// What a failed call says about the account's health.
///
/// A refusal with a possible effect is one that is not in the provider's own words: something else
/// answered, and nobody knows what happened to the request. That is how the front of a provider
/// looks when what is behind it is down, so it counts as an answer that cannot be read.
#[must_use]
pub fn counts(error: &Error) -> Sign {
    let ours_unless_unreadable = match error.effect() {
        Effect::None => Sign::Neutral,
        Effect::Possible => Sign::Sick,
    };
    match error.kind() {
        ErrorKind::Unavailable | ErrorKind::Timeout if is_broken_tls(error) => Sign::Fatal,
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::InvalidResponse => Sign::Sick,
        ErrorKind::Unauthenticated => match error.effect() {
            // A token that ran out is renewed before the next call; only if that does not help
            // does it say more.
            Effect::None if error.is_retryable() => Sign::Sick,
            Effect::None => Sign::Fatal,
            Effect::Possible => Sign::Sick,
        },
        // An account that may not open payments is of no use; what else it may not do is no
        // reason to stop sending it payments.
        ErrorKind::PermissionDenied if error.operation() == Some(Operation::CreatePayment) => {
            Sign::Sick
        }
        ErrorKind::Configuration | ErrorKind::InvalidRequest | ErrorKind::PermissionDenied => {
            ours_unless_unreadable
        }
        // Said only where the provider itself said so.
        ErrorKind::NotFound | ErrorKind::Declined => Sign::Healthy,
        // An answer outside what HTTP clients know, such as a redirect; without a status it was
        // never an answer.
        ErrorKind::Unexpected if error.http_status().is_some() => ours_unless_unreadable,
        // Too many requests is a matter of pace: see `Health`.
        ErrorKind::RateLimited
        | ErrorKind::Conflict
        | ErrorKind::Unsupported
        | ErrorKind::InvalidSignature
        | ErrorKind::Unexpected
        // A kind that core learns later says nothing until it is put in its row.
        | _ => Sign::Neutral,
    }
}

/// Did the connection fail because the other side is not who it must be, or speaks no TLS? The
/// library reports that as data that is not valid, which nothing else on the way to an answer is:
/// bodies are neither decompressed nor decoded there.
fn is_broken_tls(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(found) = cause {
        if found.downcast_ref::<io::Error>().is_some_and(says_invalid_data) {
            return true;
        }
        cause = found.source();
    }
    false
}

/// An I/O error can hold another one, which is not its source.
fn says_invalid_data(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>());
    error.kind() == io::ErrorKind::InvalidData || inner.is_some_and(says_invalid_data)
}
