//! Our own ids.

use std::{fmt, str::FromStr};

use paymux_core::{Error, Random, Reference, Result, Timestamp};
use serde::{Deserialize, Serialize, Serializer};

/// Crockford's base 32: no letters that look alike, and the order of the text is that of the
/// number.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const PREFIX: &str = "pay_";
const LEN: usize = 26;

/// Our id of a payment: `pay_` and 26 characters, 48 bits of time and 80 random ones, so that ids
/// sort by creation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct PaymentId(String);

impl PaymentId {
    /// A fresh id.
    #[must_use]
    pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
        let mut entropy = [0_u8; 10];
        random.fill(&mut entropy);
        Self::of(now, entropy)
    }

    /// Below every id of this moment and later ones, above every earlier one.
    pub(crate) fn lowest(at: Timestamp) -> Self {
        Self::of(at, [0; 10])
    }

    fn of(at: Timestamp, entropy: [u8; 10]) -> Self {
        let millis = u64::try_from(at.as_millis()).unwrap_or(0).min((1 << 48) - 1);
        let mut bytes = [0_u8; 16];
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&entropy);
        let number = u128::from_be_bytes(bytes);
        let mut text = String::with_capacity(PREFIX.len() + LEN);
        text.push_str(PREFIX);
        for place in (0..LEN).rev() {
            let digit = usize::try_from((number >> (place * 5)) & 31).unwrap_or(0);
            text.push(char::from(ALPHABET[digit]));
        }
        Self(text)
    }

    /// The payment that a reference of ours, of one of its attempts, names.
    pub(crate) fn of_reference(reference: &Reference) -> Option<Self> {
        let (id, _) = reference.as_str().rsplit_once('-')?;
        id.parse().ok()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PaymentId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text.strip_prefix(PREFIX).unwrap_or_default();
        let known = |byte: u8| ALPHABET.contains(&byte);
        if digits.len() == LEN && digits.bytes().all(known) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::invalid_request("payment_id", "must be pay_ and 26 letters and digits"))
        }
    }
}

impl TryFrom<String> for PaymentId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl Serialize for PaymentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl From<PaymentId> for String {
    fn from(id: PaymentId) -> Self {
        id.0
    }
}

impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
