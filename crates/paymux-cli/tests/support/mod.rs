//! What the tests of the command share.

use std::{
    fs,
    process::{Command, Output},
};

/// Runs the command to its end.
pub(crate) fn paymux(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_paymux")).args(arguments).output().expect("the command runs")
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the command writes text")
}

/// A file for a store that is not there yet.
pub(crate) fn fresh_store(name: &str) -> String {
    let store = format!("{}/{name}.sqlite", env!("CARGO_TARGET_TMPDIR"));
    for end in ["", "-wal", "-shm", ".lock", ".accounts.json"] {
        // Most of them are not there.
        drop(fs::remove_file(format!("{store}{end}")));
    }
    store
}
