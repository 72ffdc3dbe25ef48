//! Figures and dates, from the literal text of a JSON number, never through a float.

use paymux_core::{Currency, Error, Money, Result, Timestamp};
use serde_json::value::RawValue;

/// Longer text is no figure of any provider.
const MAX_TEXT: usize = 80;
/// Below it a date counts seconds: 1e11 seconds are the year 5138, 1e11 milliseconds are 1973.
const FIRST_MILLIS: i64 = 100_000_000_000;
/// From here on it is no date.
const END_OF_TIME: i64 = 100_000_000_000_000;

/// What the provider's amounts count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AmountUnit {
    /// Whole units, with decimals: `10.5` is ten and a half dollars.
    #[default]
    Major,
    /// The smallest units, without decimals: `1050`.
    Minor,
}

/// What the provider's dates count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DateUnit {
    /// Seconds or milliseconds, whichever the size of the number shows.
    #[default]
    ByMagnitude,
    /// Seconds, with decimals perhaps.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

/// The text of a number, or of a text that holds one. `None` for null; `Err` for anything else.
pub(crate) fn text(value: &RawValue) -> Result<Option<String>, ()> {
    let raw = value.get();
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw).map(Some).map_err(|_| ()),
        Some(b'-' | b'0'..=b'9') => Ok(Some(raw.to_owned())),
        _ if raw == "null" => Ok(None),
        _ => Err(()),
    }
}

/// An amount. Nothing is rounded.
pub(crate) fn money(text: &str, unit: AmountUnit, currency: Currency) -> Result<Money> {
    match unit {
        AmountUnit::Major => Money::parse(text, currency),
        AmountUnit::Minor => {
            let is_whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let minor = text.parse().ok().filter(|_| is_whole).ok_or_else(|| {
                Error::invalid_request("amount", "must be a whole number of the smallest units")
            })?;
            Money::new(minor, currency)
        }
    }
}

/// A moment, to the millisecond; what is below is cut. Zero means that there is none yet, and what
/// cannot be a date is none.
pub(crate) fn moment(text: &str, unit: DateUnit) -> Option<Timestamp> {
    let whole = shifted(text, 0)?;
    let in_seconds = match unit {
        DateUnit::ByMagnitude => whole < FIRST_MILLIS,
        DateUnit::Seconds => true,
        DateUnit::Milliseconds => false,
    };
    let millis = if in_seconds { shifted(text, 3)? } else { whole };
    (millis > 0 && millis < END_OF_TIME).then_some(Timestamp::from_millis(millis))
}

/// The number times ten to the power of `shift`, cut to a whole one, if it is not negative.
fn shifted(text: &str, shift: i64) -> Option<i64> {
    let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() > MAX_TEXT || whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let power: i64 = power.parse().ok().filter(|power: &i64| power.abs() < 1000)?;
    let digits = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).ok()?.checked_add(power)?.checked_add(shift)?;
    let Ok(point) = usize::try_from(point) else { return Some(0) };
    let mut kept: String = digits.chars().take(point).collect();
    kept.push_str(&"0".repeat(point.saturating_sub(digits.len())));
    let kept = kept.trim_start_matches('0');
    if kept.is_empty() { Some(0) } else { kept.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_by_their_size() {
        let rows = [
            ("1717430400000", Some(1_717_430_400_000)),
            ("1717430400", Some(1_717_430_400_000)),
            ("1717430400.25", Some(1_717_430_400_250)),
            ("1717430400.123456789", Some(1_717_430_400_123)),
            ("1.7174304E9", Some(1_717_430_400_000)),
            ("1.7174304e+12", Some(1_717_430_400_000)),
            ("99999999999", Some(99_999_999_999_000)),
            ("100000000000", Some(100_000_000_000)),
            ("99999999999999", Some(99_999_999_999_999)),
            ("100000000000000", None),
            ("1e999", None),
            ("1e-999", None),
            ("0", None),
            ("0.0", None),
            ("-1717430400", None),
            ("", None),
            ("1717430400 ", None),
            ("2024-06-03", None),
        ];
        for (text, wanted) in rows {
            let moment = moment(text, DateUnit::ByMagnitude);
            assert_eq!(moment.map(Timestamp::as_millis), wanted, "{text}");
        }
        let millis = |text, unit| moment(text, unit).map(Timestamp::as_millis);
        assert_eq!(millis("86400000", DateUnit::Milliseconds), Some(86_400_000));
        assert_eq!(millis("100000000000", DateUnit::Seconds), None);
        assert_eq!(millis("86400", DateUnit::Seconds), Some(86_400_000));
    }

    #[test]
    fn amounts_are_exact() {
        let eth = Currency::registered("ETH", 18).unwrap();
        let amount = money("1.234567890123456789", AmountUnit::Major, eth).unwrap();
        assert_eq!(amount.minor(), 1_234_567_890_123_456_789);
        assert_eq!(money("1050", AmountUnit::Minor, Currency::USD).unwrap().to_decimal(), "10.50");
        for (text, unit) in [
            ("10.505", AmountUnit::Major),
            ("-1", AmountUnit::Major),
            ("NaN", AmountUnit::Major),
            ("1e99999", AmountUnit::Major),
            ("10.5", AmountUnit::Minor),
            ("1e2", AmountUnit::Minor),
            ("-1", AmountUnit::Minor),
            ("", AmountUnit::Minor),
        ] {
            assert!(money(text, unit, Currency::USD).is_err(), "{text} {unit:?}");
        }
    }
}
