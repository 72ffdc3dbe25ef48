//! One client for many payment providers: the words of [`paymux_core`] and, a feature each, the
//! adapters and the orchestrator over them.

pub use paymux_core::*;

#[cfg(feature = "milkypay")]
pub use paymux_milkypay as milkypay;
#[cfg(feature = "orchestrator")]
pub use paymux_orchestrator as orchestrator;
#[cfg(feature = "ramp")]
pub use paymux_ramp as ramp;
#[cfg(feature = "toffeepay")]
pub use paymux_toffeepay as toffeepay;
#[cfg(feature = "wallet")]
pub use paymux_wallet as wallet;

/// Compiles the code of the README.
#[cfg(all(
    doctest,
    feature = "milkypay",
    feature = "ramp",
    feature = "sqlite",
    feature = "toffeepay",
    feature = "wallet"
))]
#[doc = include_str!("../../../README.md")]
struct Readme;
