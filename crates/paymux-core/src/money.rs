//! Money in whole minor units of a currency whose exponent is known. No floats, no rounding, no
//! operators that could overflow in silence.

use std::{cmp::Ordering, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};

use crate::{Error, Result};

mod currency;
mod iso4217;

pub use currency::Currency;

/// The most digits an `i128` can need; longer text is refused before it is read.
const MAX_DIGITS: usize = 40;

/// An amount of money: never negative, exact, with its currency.
///
/// Minor units are `i128`, since a token of 18 decimals does not fit 64 bits. Serialized as
/// `{"minor":"499","currency":"USD"}`, with the figure as text: JSON numbers of other languages
/// are floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i128,
    currency: Currency,
}

impl Money {
    /// So many minor units: `499` of USD is 4.99 dollars.
    ///
    /// # Errors
    /// `InvalidRequest` without effect when the figure is negative.
    pub fn new(minor: i128, currency: Currency) -> Result<Self> {
        if minor < 0 {
            return Err(Error::invalid_request("amount", "must not be negative"));
        }
        Ok(Self { minor, currency })
    }

    /// Nothing, in this currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// From decimal text in major units, as a person or a JSON number writes it: `4.99`, `0.1`,
    /// `1e3`. Digits beyond the currency's exponent must be zeros: nothing is ever rounded. Text of
    /// more than 80 characters is not read at all.
    ///
    /// # Errors
    /// `InvalidRequest` without effect when the text is not a decimal number, is negative, has
    /// digits the currency does not, or is too large.
    pub fn parse(text: &str, currency: Currency) -> Result<Self> {
        let minor = parse_minor(text, currency)?;
        Self::new(minor, currency)
    }

    /// The figure in minor units.
    #[must_use]
    pub const fn minor(self) -> i128 {
        self.minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Is it nothing?
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// The figure in major units, with exactly as many decimals as the currency has: `4.99`, `10`
    /// for a currency without minor unit. [`Money::parse`] reads it back.
    #[must_use]
    pub fn to_decimal(self) -> String {
        let exponent = usize::from(self.currency.exponent());
        if exponent == 0 {
            return self.minor.to_string();
        }
        let digits = format!("{:0>width$}", self.minor, width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        format!("{whole}.{fraction}")
    }

    /// The sum, if both are of one currency and it can be held.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        let minor = self.minor.checked_add(other.minor)?;
        Some(Self { minor, ..self })
    }

    /// The difference, if both are of one currency and it is not negative.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        if self.currency != other.currency {
            return None;
        }
        let minor = self.minor.checked_sub(other.minor).filter(|minor| *minor >= 0)?;
        Some(Self { minor, ..self })
    }

    /// So many times the amount, if it can be held.
    #[must_use]
    pub fn checked_mul(self, times: u32) -> Option<Self> {
        let minor = self.minor.checked_mul(i128::from(times))?;
        Some(Self { minor, ..self })
    }
}

/// Amounts of one currency have an order; amounts of two have none.
impl PartialOrd for Money {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self.currency == other.currency).then(|| self.minor.cmp(&other.minor))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.to_decimal(), self.currency))
    }
}

#[derive(Deserialize)]
struct Stored {
    minor: String,
    currency: Currency,
}

/// A number that is written as text.
struct Digits(i128);

impl Serialize for Digits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut stored = serializer.serialize_struct("Stored", 2)?;
        stored.serialize_field("minor", &Digits(self.minor))?;
        stored.serialize_field("currency", &self.currency)?;
        stored.end()
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        let minor: i128 = stored.minor.parse().map_err(de::Error::custom)?;
        // One figure has one text, so that equal amounts are equal in a store, too.
        if minor.to_string() != stored.minor {
            return Err(de::Error::custom("must be digits alone, without leading zeros"));
        }
        Self::new(minor, stored.currency).map_err(|error| de::Error::custom(error.message()))
    }
}

/// A decimal number taken apart: its digits without the point, how many stand behind the point,
/// and the power of ten it is multiplied by.
struct Decimal<'a> {
    whole: &'a str,
    fraction: &'a str,
    power: i32,
}

fn parse_minor(text: &str, currency: Currency) -> Result<i128> {
    let decimal = split_decimal(text).ok_or_else(|| {
        Error::invalid_request("amount", "must be a decimal number such as 12.34, not negative")
    })?;
    let digits = [decimal.whole, decimal.fraction].concat();
    let digits = digits.trim_start_matches('0');
    let fraction_digits = i32::try_from(decimal.fraction.len()).unwrap_or(i32::MAX);
    // How many zeros to append (or, when negative, to take away) to arrive at minor units.
    let shift = i32::from(currency.exponent()) + decimal.power - fraction_digits;
    if digits.is_empty() {
        return Ok(0);
    }
    let too_large = || Error::invalid_request("amount", "is larger than can be held");
    let minor = if shift < 0 {
        let cut = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX);
        let kept = digits.len().saturating_sub(cut);
        // The first digit is no zero, so cutting them all is refused, too.
        if digits[kept..].bytes().any(|digit| digit != b'0') {
            return Err(Error::invalid_request(
                "amount",
                format!("must have at most {} decimals in {currency}", currency.exponent()),
            ));
        }
        digits[..kept].to_owned()
    } else {
        let zeros = usize::try_from(shift).unwrap_or(usize::MAX);
        if digits.len().saturating_add(zeros) > MAX_DIGITS {
            return Err(too_large());
        }
        format!("{digits}{}", "0".repeat(zeros))
    };
    minor.parse().map_err(|_| too_large())
}

/// Takes JSON's number grammar apart, without its minus sign.
fn split_decimal(text: &str) -> Option<Decimal<'_>> {
    if text.len() > 2 * MAX_DIGITS {
        return None;
    }
    let (mantissa, power) = match text.split_once(['e', 'E']) {
        Some((mantissa, power)) => (mantissa, read_power(power)?),
        None => (text, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (mantissa, ""),
    };
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let well_formed = !whole.is_empty()
        && is_digits(whole)
        && is_digits(fraction)
        && (whole == "0" || !whole.starts_with('0'));
    well_formed.then_some(Decimal { whole, fraction, power })
}

fn read_power(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let power: i32 = digits.parse().ok()?;
    Some(if text.starts_with('-') { -power } else { power })
}
