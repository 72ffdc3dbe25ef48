//! What can go wrong when the sandbox is started or driven.

use std::io;

/// Why the sandbox could not start or did not do what it was asked.
///
/// None of these leaves anything half done: a refused action changed nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The loopback port could not be bound, mostly because it is taken.
    #[error("the sandbox cannot listen on 127.0.0.1:{port}")]
    Bind {
        /// The port that was asked for; 0 is any.
        port: u16,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system gave no randomness for a seed.
    #[error("the operating system gave no randomness: {0}")]
    Random(String),
    /// A configured value cannot be used.
    #[error("the configuration is invalid: {0}")]
    Configuration(String),
    /// No object has this id.
    #[error("{0}")]
    NotFound(String),
    /// The object's state, or the provider's rules, forbid the action.
    #[error("{0}")]
    Refused(String),
}
