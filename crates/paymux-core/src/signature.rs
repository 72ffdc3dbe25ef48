//! Webhook signatures: schemes that several providers share, as plain types an adapter picks from.
//!
//! | type | signed text | signature |
//! | --- | --- | --- |
//! | [`StandardWebhooks`] | `id.seconds.body` | `v1,` and base64, in a header of its own |
//! | [`TimestampedHmac`] | `seconds.body` | `t=seconds,v1=hex`, both in one header |
//! | [`Sha1Sandwich`] | `secret`, `body`, `secret`, hashed without HMAC | base64, in one header |
//! | [`RsaSha256`] | whatever the provider signs | base64, wherever the provider puts it |
//! | [`SharedSecret`] | nothing | none: the secret itself, in one header |
//!
//! The scheme is chosen where the account is configured, never by what arrives. The rules that
//! all share, as far as they have a header and a secret:
//!
//! - The body is taken byte by byte, before anybody reads it as JSON.
//! - A header that occurs twice is refused, since two readers could take two different ones.
//! - Every secret is tried on every signature, in constant time, and one match suffices: that is
//!   how a secret is replaced without losing a delivery.
//! - A signature in an unknown version is passed over; it never counts as one.
//! - Where a time is signed, the age is checked after the signature, so "too old" is only ever said of a delivery that the
//!   provider did sign: a reason to look at our clock or for a replay, not for a forger.
//!
//! That a delivery is new is not decided here: within the tolerance, or for ever where the scheme
//! signs no time, the same one verifies as often as it arrives. The caller keeps the ids it has
//! seen, and limits the size of a body.

mod rsa_sha256;
mod sha1_sandwich;
mod shared;
mod shared_secret;
mod standard_webhooks;
mod timestamped_hmac;

pub use rsa_sha256::RsaSha256;
pub use sha1_sandwich::Sha1Sandwich;
pub use shared_secret::SharedSecret;
pub use standard_webhooks::{SignedMessage, StandardWebhooks};
pub use timestamped_hmac::TimestampedHmac;
