//! The sandbox over HTTP, as a merchant's backend and a payer see it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod api;
mod checkout;
mod control;
mod faults;
mod milkypay;
mod ramp;
mod rules;
mod support;
mod wallet;
mod webhooks;
