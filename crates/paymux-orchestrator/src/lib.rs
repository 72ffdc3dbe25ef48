//! Many providers, one payment, never charged twice.
mod ids;
pub mod routing;
pub mod store;

pub use ids::PaymentId;
