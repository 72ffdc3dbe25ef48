//! The sandbox over HTTP, as a merchant's backend and a payer see it.

mod api;
mod checkout;
mod control;
mod faults;
mod support;
mod webhooks;
