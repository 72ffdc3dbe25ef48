use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::iso4217;
use crate::{Error, Result};

/// The longest code: registered tokens have up to eight letters and digits.
const MAX_CODE: usize = 8;
/// No currency or token in use counts finer than this.
const MAX_EXPONENT: u8 = 18;

/// A currency: its code, and how many decimals it has.
///
/// Every active ISO 4217 currency is known by its code alone. Other codes, such as those of
/// tokens, are registered by saying how they count: [`Currency::registered`]. They are written
/// with their exponent (`USDT/6`), so that stored amounts keep their meaning.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency {
    code: [u8; MAX_CODE],
    exponent: u8,
}

impl Currency {
    /// The euro.
    pub const EUR: Self = Self::known("EUR", 2);
    /// The pound sterling.
    pub const GBP: Self = Self::known("GBP", 2);
    /// The dollar of the United States.
    pub const USD: Self = Self::known("USD", 2);

    /// The ISO 4217 currency of this three-letter code, in capitals.
    ///
    /// # Errors
    /// `InvalidRequest` without effect, naming `currency`, when ISO 4217 has no such active
    /// currency with a minor unit.
    pub fn iso(code: &str) -> Result<Self> {
        iso4217::CURRENCIES
            .binary_search_by(|(known, _)| (*known).cmp(code))
            .map(|index| {
                let (code, exponent) = iso4217::CURRENCIES[index];
                Self::known(code, exponent)
            })
            .map_err(|_| {
                Error::invalid_request(
                    "currency",
                    "must be an active ISO 4217 code in capitals, such as EUR",
                )
            })
    }

    /// A code outside ISO 4217, and how many decimals it counts with: `USDT` with 6.
    ///
    /// # Errors
    /// `InvalidRequest` without effect, naming `currency`, when the code is not 2 to 8 capital
    /// letters and digits, is an ISO 4217 code, or counts with more than 18 decimals.
    pub fn registered(code: &str, exponent: u8) -> Result<Self> {
        let refuse = |message: &str| Err(Error::invalid_request("currency", message));
        let well_formed = (2..=MAX_CODE).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if !well_formed {
            return refuse("must be 2 to 8 capital letters and digits");
        }
        if Self::iso(code).is_ok() {
            return refuse("is an ISO 4217 code, whose exponent is not ours to choose");
        }
        if exponent > MAX_EXPONENT {
            return refuse("must count with at most 18 decimals");
        }
        Ok(Self::known(code, exponent))
    }

    /// Every active ISO 4217 currency that has a minor unit or counts in whole units.
    pub fn all_iso() -> impl Iterator<Item = Self> {
        iso4217::CURRENCIES.iter().map(|(code, exponent)| Self::known(code, *exponent))
    }

    const fn known(code: &str, exponent: u8) -> Self {
        let bytes = code.as_bytes();
        let mut padded = [0; MAX_CODE];
        let mut index = 0;
        while index < bytes.len() {
            padded[index] = bytes[index];
            index += 1;
        }
        Self { code: padded, exponent }
    }

    /// The code: `USD`.
    #[must_use]
    pub fn code(&self) -> &str {
        let end = self.code.iter().position(|byte| *byte == 0).unwrap_or(MAX_CODE);
        // Only ASCII is ever stored.
        std::str::from_utf8(&self.code[..end]).unwrap_or_default()
    }

    /// How many decimals it has: 2 for USD, 0 for JPY, 3 for KWD.
    #[must_use]
    pub const fn exponent(&self) -> u8 {
        self.exponent
    }

    /// Is it one of ISO 4217?
    #[must_use]
    pub fn is_iso(&self) -> bool {
        Self::iso(self.code()).is_ok()
    }
}

/// The code alone, as people read it.
impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.code(), self.exponent)
    }
}

/// Reads what [`Serialize`] writes: `USD`, or `USDT/6` for a registered code.
impl FromStr for Currency {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once('/') {
            None => Self::iso(text),
            Some((code, decimals)) => {
                let refuse =
                    || Error::invalid_request("currency", "must name its decimals as in USDT/6");
                let exponent: u8 = decimals.parse().map_err(|_| refuse())?;
                if exponent.to_string() != decimals {
                    return Err(refuse());
                }
                Self::registered(code, exponent)
            }
        }
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_iso() {
            serializer.serialize_str(self.code())
        } else {
            serializer.collect_str(&format_args!("{self:?}"))
        }
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error: Error| de::Error::custom(error.message()))
    }
}
