//! What a store promises, on every store: each sentence of the documentation of
//! `paymux_orchestrator::store` is a trial, named `<store>::<part>::<promise>`.
//!
//! The suite itself is judged by what it kills: stores with a bug planted on purpose must each
//! fail the trial that is there for it. A store is added in `stores/entries.rs`.

use std::process::ExitCode;

#[cfg(test)]
#[cfg(feature = "postgres")]
#[path = "postgres/server.rs"]
mod server;
#[cfg(test)]
#[path = "stores/suite.rs"]
mod suite;

fn main() -> ExitCode {
    suite::run()
}
