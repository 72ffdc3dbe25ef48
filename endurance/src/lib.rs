//! One process of a merchant, as the tests of this crate start it, kill it and start it again: an
//! orchestrator over a store, an endpoint for webhooks, and a shop that works on a list of orders.
//!
//! The list is made from a seed, so that every process has the same one; each order has fixed keys
//! for what the shop asks for. The other side, the providers and their payers, is played by the
//! test.

mod accounts;
mod clock;
mod door;
mod orders;
mod shop;
mod words;
mod worker;

pub use accounts::{Access, CALL_LIMIT, TIMEOUT, orchestrator};
pub use clock::{FastClock, Pace};
pub use door::open as open_door;
pub use orders::{BILLS, Bill, GAMES, HELD_GAMES, INVOICES, Order, Script, WALLET, orders};
pub use shop::Shop;
pub use words::{Place, Setup, Told, Word};
pub use worker::run;

/// Anything that ends a process of this crate.
pub type Stop = Box<dyn std::error::Error + Send + Sync>;
