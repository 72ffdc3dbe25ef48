//! Cents, and the decimal text beside them. The provider counts every currency in hundredths.

use serde::Serialize;

/// What a wallet holds in one currency, in cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Balance {
    pub(super) at_disposal: i64,
    pub(super) reserved: i64,
}

/// `29.99` for 2999 cents.
pub(super) fn decimal(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// Reads decimal text with at most two decimals; nothing for a sign or anything else.
pub(super) fn cents(text: &str) -> Option<i64> {
    scaled(text, 2)
}

/// Reads decimal text as a number of this many decimals.
fn scaled(text: &str, decimals: usize) -> Option<i64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(rest) || rest.len() > decimals {
        return None;
    }
    format!("{whole}{rest:0<decimals$}").parse().ok()
}

/// A percentage with at most four decimals of an amount, half a cent rounded up.
pub(super) fn percent(of: i64, text: &str) -> Option<i64> {
    let share = i128::from(scaled(text, 4)?);
    let cents = (i128::from(of) * share + 500_000) / 1_000_000;
    i64::try_from(cents).ok()
}

/// Three capital letters.
pub(super) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_and_text_agree() {
        for (text, value) in [("29.99", 2999), ("0.05", 5), ("977.94", 97_794), ("100.00", 10_000)]
        {
            assert_eq!(cents(text), Some(value));
            assert_eq!(decimal(value), text);
        }
        assert_eq!((cents("7"), cents("7.5"), decimal(-1)), (Some(700), Some(750), "-0.01".into()));
        for wrong in ["", ".5", "5.", "1.234", "-1", "1e2", "1,5", " 1", "99999999999999999999"] {
            assert_eq!(cents(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_percentage_rounds_half_up() {
        assert_eq!(percent(10_000, "3"), Some(300));
        assert_eq!(percent(2999, "1.5"), Some(45));
        assert_eq!(percent(50, "1"), Some(1));
        assert_eq!(percent(49, "1"), Some(0));
        assert_eq!(percent(49, "1.00001"), None);
    }

    #[test]
    fn a_currency_has_three_capitals() {
        assert!(is_currency("EUR"));
        for wrong in ["eur", "EURO", "EU", "", "E1R", "€"] {
            assert!(!is_currency(wrong), "{wrong}");
        }
    }
}
