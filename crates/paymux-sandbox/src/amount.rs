//! Amounts as exact decimals: read from the text of a number, never through a float.

use serde::{Serialize, Serializer};

/// More digits than this are no amount of money.
const LONGEST: usize = 40;

/// An amount in one currency, counted in its smallest unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Amount {
    /// First, so that amounts of one currency are compared by it.
    minor: i128,
    decimals: u8,
}

/// A text that is not an amount of the currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAnAmount;

impl Amount {
    pub(crate) fn zero(decimals: u8) -> Self {
        Amount { minor: 0, decimals }
    }

    /// Reads `100`, `100.55` or `1.0e-2`. Digits that the currency does not have are refused
    /// unless they are zero.
    pub(crate) fn parse(text: &str, decimals: u8) -> Result<Self, NotAnAmount> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().map_err(|_| NotAnAmount)?),
            None => (text, 0_i32),
        };
        let (sign, digits) = match mantissa.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, mantissa),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all = format!("{whole}{fraction}");
        if whole.is_empty() || all.len() > LONGEST || !all.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotAnAmount);
        }
        // The number is `all` times ten to the power of `shift` in smallest units.
        let shift = exponent
            .checked_sub(i32::try_from(fraction.len()).map_err(|_| NotAnAmount)?)
            .and_then(|shift| shift.checked_add(i32::from(decimals)))
            .ok_or(NotAnAmount)?;
        let digits = all.trim_start_matches('0');
        let zeros = usize::try_from(shift.unsigned_abs()).map_err(|_| NotAnAmount)?;
        let minor = if digits.is_empty() {
            "0".to_owned()
        } else if shift >= 0 && zeros <= LONGEST {
            format!("{digits}{}", "0".repeat(zeros))
        } else {
            let (kept, dropped) = digits.split_at(digits.len().saturating_sub(zeros));
            if shift > 0 || dropped.len() < zeros || dropped.bytes().any(|digit| digit != b'0') {
                return Err(NotAnAmount);
            }
            format!("0{kept}")
        };
        let minor: i128 = minor.parse().map_err(|_| NotAnAmount)?;
        Ok(Amount { minor: sign * minor, decimals })
    }

    pub(crate) fn is_positive(self) -> bool {
        self.minor > 0
    }

    pub(crate) fn plus(self, other: Amount) -> Self {
        Amount { minor: self.minor.saturating_add(other.minor), ..self }
    }

    pub(crate) fn minus(self, other: Amount) -> Self {
        Amount { minor: self.minor.saturating_sub(other.minor), ..self }
    }

    /// With all digits of the currency, as people read it: `100.00`.
    pub(crate) fn fixed(self) -> String {
        let unit = 10_u128.pow(u32::from(self.decimals));
        let minor = self.minor.unsigned_abs();
        let sign = if self.minor < 0 { "-" } else { "" };
        match usize::from(self.decimals) {
            0 => format!("{sign}{minor}"),
            width => format!("{sign}{}.{:0width$}", minor / unit, minor % unit),
        }
    }

    /// Half of the amount, rounded down.
    pub(crate) fn half(self) -> Self {
        Amount { minor: self.minor / 2, ..self }
    }

    /// A percentage of the amount, half a unit rounded up.
    pub(crate) fn percent(self, rate: Amount) -> Self {
        let whole = 100 * 10_i128.pow(u32::from(rate.decimals));
        let product = self.minor.saturating_mul(rate.minor);
        Amount { minor: product.saturating_add(whole / 2).div_euclid(whole), ..self }
    }
}

/// As short as JSON numbers are written: `100`, `123.45`, `60.5`.
impl std::fmt::Display for Amount {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fixed = self.fixed();
        let short = if self.decimals > 0 {
            fixed.trim_end_matches('0').trim_end_matches('.')
        } else {
            &fixed
        };
        formatter.write_str(short)
    }
}

/// As text: the snapshot keeps every digit.
impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly() {
        for (text, decimals, expected) in [
            ("100", 2, Some("100")),
            ("100.55", 2, Some("100.55")),
            ("100.550", 2, Some("100.55")),
            ("0.1", 2, Some("0.1")),
            ("9999999", 2, Some("9999999")),
            ("1e2", 2, Some("100")),
            ("1.0e-2", 2, Some("0.01")),
            ("1.0e-8", 8, Some("0.00000001")),
            ("12.345", 3, Some("12.345")),
            ("500", 0, Some("500")),
            ("500.0", 0, Some("500")),
            ("-3.5", 2, Some("-3.5")),
            ("0", 2, Some("0")),
            ("0e9", 2, Some("0")),
            ("100.555", 2, None),
            ("500.5", 0, None),
            ("1e-3", 2, None),
            ("1e400", 2, None),
            ("1e-400", 2, None),
            ("", 2, None),
            (".5", 2, None),
            ("1.2.3", 2, None),
            ("abc", 2, None),
            ("1e", 2, None),
            ("9999999999999999999999999999999999999999999", 2, None),
        ] {
            let amount = Amount::parse(text, decimals).ok().map(|amount| amount.to_string());
            assert_eq!(amount.as_deref(), expected, "{text} with {decimals} decimals");
        }
    }

    #[test]
    fn percentages_are_rounded_half_up() {
        let amount = |text| Amount::parse(text, 2).unwrap();
        let rate = Amount::parse("2.5", 6).unwrap();
        assert_eq!(amount("100").percent(rate), amount("2.5"));
        assert_eq!(amount("0.2").percent(rate), amount("0.01"), "0.005 rounds up");
        assert_eq!(amount("0.19").percent(rate), amount("0"));
    }
}
