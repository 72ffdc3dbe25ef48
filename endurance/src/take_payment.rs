//! The program that the README shows first, as it stands there, for a test to run.

#![expect(clippy::print_stdout, reason = "a program says what it did")]

include!("../../examples/take_payment/main.rs");
