//! Decimal figures: read from the literal text and written as one, never through a float.

use std::fmt;

use paymux_core::{Currency, Effect, Error, ErrorKind, Money, Result};
use serde::Serialize;
use serde_json::value::RawValue;

/// Longer text is no figure of any provider.
const MAX_TEXT: usize = 80;
/// A float that was printed with all its digits is off by less than this many decimals.
const FLOAT_DECIMALS: usize = 9;

/// An amount or a rate in major units, exactly as the provider wrote it: `100`, `0.01`,
/// `0.10000000000000001`, `1.0e-8`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Decimal(String);

impl Decimal {
    /// The figure, if the text is a decimal number as JSON writes it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        parts(text.strip_prefix('-').unwrap_or(text))?;
        Some(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The figure as money.
    ///
    /// The provider prints floats, so a figure within a billionth of one that the currency has
    /// (`0.10000000000000001`) is taken for that one. Nothing else is rounded.
    ///
    /// # Errors
    /// `InvalidRequest` without effect when it is negative, too large, or has more decimals than
    /// the currency.
    pub fn to_money(&self, currency: Currency) -> Result<Money> {
        Money::parse(&self.0, currency)
            .or_else(|error| printed_float(&self.0, currency).ok_or(error))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whole digits, digits behind the point, and the power of ten, of a figure that is not negative.
fn parts(text: &str) -> Option<(&str, &str, i16)> {
    let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let fits = text.len() <= MAX_TEXT
        && is_digits(whole)
        && is_digits(fraction)
        && (whole == "0" || !whole.starts_with('0'));
    let power = power.strip_prefix('+').unwrap_or(power);
    let magnitude = power.strip_prefix('-').unwrap_or(power);
    if !fits || !is_digits(magnitude) || magnitude.len() > 3 {
        return None;
    }
    Some((whole, fraction, power.parse().ok()?))
}

/// The amount that a float stands for which was printed with more digits than it is exact to.
fn printed_float(text: &str, currency: Currency) -> Option<Money> {
    let decimals = usize::from(currency.exponent());
    let (whole, fraction) = without_power(text)?;
    let kept = fraction.get(..decimals)?;
    let near = fraction.get(decimals..FLOAT_DECIMALS)?;
    let rest = fraction.get(FLOAT_DECIMALS..)?;
    let point = if kept.is_empty() { "" } else { "." };
    let below = Money::parse(&format!("{whole}{point}{kept}"), currency).ok()?;
    if near.is_empty() {
        return None;
    }
    if near.bytes().all(|digit| digit == b'0') {
        return Some(below);
    }
    if near.bytes().all(|digit| digit == b'9') && rest.bytes().any(|digit| digit != b'0') {
        return below.checked_add(Money::new(1, currency).ok()?);
    }
    None
}

/// The same figure with its point where it belongs: digits before and behind it.
fn without_power(text: &str) -> Option<(String, String)> {
    let (whole, fraction, power) = parts(text)?;
    let digits = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).ok()? + i64::from(power);
    let (whole, fraction) = match usize::try_from(point) {
        Ok(point) if point >= digits.len() => {
            (format!("{digits}{}", "0".repeat(point - digits.len())), String::new())
        }
        Ok(point) => {
            let (whole, fraction) = digits.split_at(point);
            (whole.to_owned(), fraction.to_owned())
        }
        Err(_) => {
            let zeros = usize::try_from(point.unsigned_abs()).ok()?;
            (String::new(), format!("{}{digits}", "0".repeat(zeros)))
        }
    };
    let whole = match whole.trim_start_matches('0') {
        "" => "0".to_owned(),
        whole => whole.to_owned(),
    };
    Some((whole, fraction))
}

/// The amount as the provider's samples write it: `100`, `123.45`, `0.1`.
pub(crate) fn short(amount: Money) -> String {
    let text = amount.to_decimal();
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// The amount as a JSON number of exactly these digits.
pub(crate) fn literal(amount: Money) -> Result<Box<RawValue>> {
    RawValue::from_string(short(amount)).map_err(|source| {
        Error::new(ErrorKind::Unexpected, Effect::None, "the amount is no JSON number")
            .with_source(source)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str, currency: &str) -> Option<String> {
        let currency = match currency {
            "BTC" => Currency::registered("BTC", 8).unwrap(),
            code => Currency::iso(code).unwrap(),
        };
        let decimal = Decimal::read(text)?;
        decimal.to_money(currency).ok().map(Money::to_decimal)
    }

    #[test]
    fn figures_are_read_exactly() {
        let rows = [
            ("123.45", "USD", "123.45"),
            ("0.1", "USD", "0.10"),
            ("9999999", "USD", "9999999.00"),
            ("0", "USD", "0.00"),
            ("1.0e2", "USD", "100.00"),
            ("1.0e-8", "BTC", "0.00000001"),
            ("0.10000000000000001", "USD", "0.10"),
            ("0.29999999999999999", "USD", "0.30"),
            ("0.99999999999999999", "USD", "1.00"),
            ("99.99999999999999", "USD", "100.00"),
            ("1.2340000000000001", "KWD", "1.234"),
            ("5.0000000000000001", "JPY", "5"),
            ("4.9999999999999999", "JPY", "5"),
            ("1.0000000000000001e1", "USD", "10.00"),
            ("1e-17", "USD", "0.00"),
            ("90071992547409931.25", "USD", "90071992547409931.25"),
        ];
        for (text, currency, wanted) in rows {
            assert_eq!(money(text, currency).as_deref(), Some(wanted), "{text} {currency}");
        }
    }

    #[test]
    fn what_is_no_amount_is_not_rounded() {
        let rows = [
            ("0.105", "USD"),
            ("0.1000001", "USD"),
            ("0.100000001", "USD"),
            ("0.099999999", "USD"),
            ("0.999999999", "USD"),
            ("0.5", "JPY"),
            ("0.123456789", "BTC"),
            ("-1", "USD"),
            ("-0.10000000000000001", "USD"),
            ("", "USD"),
            ("01", "USD"),
            ("1.", "USD"),
            (".5", "USD"),
            ("1e", "USD"),
            ("1e9999", "USD"),
            ("1e400", "USD"),
            ("+1", "USD"),
            ("1,5", "USD"),
            ("0x10", "USD"),
            ("NaN", "USD"),
            ("1 ", "USD"),
        ];
        for (text, currency) in rows {
            assert_eq!(money(text, currency), None, "{text} {currency}");
        }
    }

    #[test]
    fn figures_are_written_short_and_exact() {
        let rows = [
            (12_345, "USD", "123.45"),
            (10, "USD", "0.1"),
            (10_000, "USD", "100"),
            (999_999_900, "USD", "9999999"),
            (1, "USD", "0.01"),
            (100, "JPY", "100"),
            (1_230, "KWD", "1.23"),
            (1, "KWD", "0.001"),
            (12_345, "CLF", "1.2345"),
        ];
        for (minor, code, wanted) in rows {
            let amount = Money::new(minor, Currency::iso(code).unwrap()).unwrap();
            assert_eq!(literal(amount).unwrap().get(), wanted);
        }
    }
}
