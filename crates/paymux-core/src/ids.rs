//! Identifiers. Each is a type of its own, so that one cannot be passed for another, and none can
//! be empty or break a header or a log line.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::{Error, Random, Result, error::ends_line};

/// What [`text`] permits in an identifier: no id seen in any contract comes near it.
const MAX_ID_LEN: usize = 1024;
/// The longest idempotency key that every provider takes.
const MAX_KEY_LEN: usize = 255;

fn text(field: &'static str, value: String, max: usize) -> Result<String> {
    if value.is_empty() {
        return Err(Error::invalid_request(field, "must not be empty"));
    }
    if value.len() > max {
        return Err(Error::invalid_request(field, format!("must be at most {max} bytes long")));
    }
    // An id can stand in a path, where a dot alone is no name.
    if value == "." || value == ".." {
        return Err(Error::invalid_request(field, "must not be dots alone"));
    }
    if value.trim() != value || value.contains(ends_line) {
        return Err(Error::invalid_request(
            field,
            "must not begin or end with a space or contain a control character",
        ));
    }
    Ok(value)
}

fn key_text(field: &'static str, value: String) -> Result<String> {
    let value = text(field, value, MAX_KEY_LEN)?;
    if value.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(value)
    } else {
        Err(Error::invalid_request(field, "must be visible ASCII without spaces"))
    }
}

// A macro, since ten identifiers share these thirty lines and a generic `Id<Tag>` would show its
// tag in every signature and message.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $field:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier, if the text can be one.
            ///
            /// # Errors
            /// `InvalidRequest` without effect, naming this identifier, when the text is empty, too
            /// long, padded with spaces or holds a character that an identifier cannot have.
            pub fn new(value: impl Into<String>) -> Result<Self> {
                let check: fn(&'static str, String) -> Result<String> = $check;
                check($field, value.into()).map(Self)
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(value: String) -> Result<Self> {
                Self::new(value)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }
    };
}

identifier! {
    /// One configured account at a provider, named by the merchant: `milkypay-eu`.
    ProviderId, "provider_id", |field, value| text(field, value, MAX_ID_LEN)
}
identifier! {
    /// The merchant's word for a payment, unique per create call; sent where the provider takes one.
    Reference, "reference", |field, value| text(field, value, MAX_KEY_LEN)
}
identifier! {
    /// Names one mutating call over all its repetitions. Made by the caller, never by an adapter:
    /// 1 to 255 visible ASCII characters.
    IdempotencyKey, "key", key_text
}
identifier! {
    /// The provider's id of a payment as a whole: ToffeePay's `sess_…`.
    ProviderPaymentId, "payment id", |field, value| text(field, value, MAX_ID_LEN)
}
identifier! {
    /// The provider's id of an object below a payment: ToffeePay's `pay_…`.
    ProviderPartId, "part id", |field, value| text(field, value, MAX_ID_LEN)
}
identifier! {
    /// The provider's id of a refund.
    ProviderRefundId, "refund id", |field, value| text(field, value, MAX_ID_LEN)
}
identifier! {
    /// The provider's id of a mandate: the wallet's allowance.
    ProviderMandateId, "mandate id", |field, value| text(field, value, MAX_ID_LEN)
}
identifier! {
    /// A way to pay, as `list_payment_methods` named it.
    ProviderMethodId, "method id", |field, value| text(field, value, MAX_ID_LEN)
}
identifier! {
    /// A position in a list, opaque: an offset, or a link of the provider's own.
    Cursor, "cursor", |field, value| text(field, value, 4096)
}
identifier! {
    /// What makes an event unique over its deliveries: the provider's event id, or a digest.
    EventKey, "event key", |field, value| text(field, value, MAX_ID_LEN)
}

impl EventKey {
    /// A key for an event to which the provider gives no id: the SHA-256 of what tells it from
    /// others, usually the whole body.
    #[must_use]
    pub fn digest(of: &[u8]) -> Self {
        Self(format!("sha256:{}", hex::encode(Sha256::digest(of))))
    }
}

impl IdempotencyKey {
    /// A fresh key: 160 random bits as 32 lower-case base-32 characters, which every provider
    /// takes. Store it before it is sent, and send the same one on every repetition.
    #[must_use]
    pub fn generate(random: &dyn Random) -> Self {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let mut bytes = [0_u8; 20];
        random.fill(&mut bytes);
        let mut key = String::with_capacity(32);
        for five in bytes.chunks_exact(5) {
            let group = five.iter().fold(0_u64, |group, byte| group << 8 | u64::from(*byte));
            for shift in (0..8).rev() {
                let index = (group >> (shift * 5)) & 31;
                key.push(char::from(ALPHABET[usize::try_from(index).unwrap_or_default()]));
            }
        }
        Self(key)
    }
}
