//! How MilkyPay writes JSON: like PHP.

use std::io;

use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::settings::{MilkyPaySettings, NumberStyle};
use crate::amount::Amount;
use crate::reply::Reply;

/// The literal text of a number.
pub(super) type Number = Box<RawValue>;

/// The account's habits of writing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    numbers: NumberStyle,
    lists: bool,
    escapes: bool,
}

impl Style {
    pub(super) fn of(settings: &MilkyPaySettings) -> Self {
        Style {
            numbers: settings.number_style,
            lists: settings.empty_maps_as_lists,
            escapes: settings.php_escapes,
        }
    }

    pub(super) fn amount(self, amount: Amount) -> Number {
        let text = match self.numbers {
            NumberStyle::Plain => amount.to_string(),
            NumberStyle::FloatTail => with_float_tail(amount),
            NumberStyle::Text => format!("\"{amount}\""),
        };
        number(text)
    }

    /// Unix seconds, as all times in answers.
    pub(super) fn time(self, at: Timestamp) -> Number {
        let seconds = at.as_second();
        number(match self.numbers {
            NumberStyle::Plain | NumberStyle::FloatTail => seconds.to_string(),
            NumberStyle::Text => format!("\"{seconds}\""),
        })
    }

    pub(super) fn optional_time(self, at: Option<Timestamp>) -> Option<Number> {
        at.map(|at| self.time(at))
    }

    pub(super) fn optional(self, amount: Option<Amount>) -> Option<Number> {
        amount.map(|amount| self.amount(amount))
    }

    /// A map, which PHP writes as a list when it is empty.
    pub(super) fn map(self, map: &Map<String, Value>) -> Value {
        if map.is_empty() && self.lists {
            return Value::Array(Vec::new());
        }
        Value::Object(map.clone())
    }

    /// The same for a map of anything.
    pub(super) fn entries<V: Serialize>(self, entries: Vec<(&str, V)>) -> Entries<'_, V> {
        Entries { entries, lists: self.lists }
    }

    pub(super) fn write(self, value: &impl Serialize) -> Vec<u8> {
        let mut text = Vec::new();
        let written = if self.escapes {
            value.serialize(&mut Serializer::with_formatter(&mut text, PhpFormatter))
        } else {
            value.serialize(&mut Serializer::with_formatter(&mut text, CompactFormatter))
        };
        // Objects of this crate always serialize; an empty text would be seen at once.
        if written.is_err() {
            text.clear();
        }
        text
    }

    pub(super) fn reply(self, status: StatusCode, value: &impl Serialize) -> Reply {
        Reply { content_type: "application/json", ..Reply::text(status, self.write(value)) }
    }
}

/// A map in its own order.
#[derive(Debug)]
pub(super) struct Entries<'a, V> {
    entries: Vec<(&'a str, V)>,
    lists: bool,
}

impl<V: Serialize> Serialize for Entries<'_, V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.entries.is_empty() && self.lists {
            return serializer.collect_seq(std::iter::empty::<()>());
        }
        serializer.collect_map(self.entries.iter().map(|(name, value)| (name, value)))
    }
}

/// The one member of most answers.
#[derive(Debug, Serialize)]
pub(super) struct Enveloped<D> {
    pub(super) data: D,
}

/// `json_encode` without flags: slashes and everything beyond ASCII are escaped.
#[derive(Clone, Copy, Debug)]
struct PhpFormatter;

impl Formatter for PhpFormatter {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut units = [0_u16; 2];
        for letter in fragment.chars() {
            match letter {
                '/' => writer.write_all(br"\/")?,
                letter if letter.is_ascii() => write!(writer, "{letter}")?,
                letter => {
                    for unit in letter.encode_utf16(&mut units) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The number as PHP prints it with `serialize_precision = 17`: `0.1` shows its binary tail,
/// small numbers an exponent. This is the one place where an amount becomes a float, since the
/// float is what is to be shown.
fn with_float_tail(amount: Amount) -> String {
    let text = amount.to_string();
    let Ok(float) = text.parse::<f64>() else { return text };
    let scientific = format!("{float:.16e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return text };
    let digits = mantissa.replace(['.', '-'], "");
    let digits = digits.trim_end_matches('0');
    let sign = if mantissa.starts_with('-') { "-" } else { "" };
    match exponent.parse::<i32>() {
        Ok(0..17) if text.bytes().all(|byte| byte != b'.') => text,
        Ok(exponent @ 0..17) => {
            let point = usize::try_from(exponent).unwrap_or_default() + 1;
            let padded = format!("{digits:0<point$}");
            let (whole, fraction) = padded.split_at(point);
            if fraction.is_empty() { text } else { format!("{sign}{whole}.{fraction}") }
        }
        Ok(exponent @ -4..0) => {
            let zeros = usize::try_from(exponent.unsigned_abs()).unwrap_or(1) - 1;
            format!("{sign}0.{}{digits}", "0".repeat(zeros))
        }
        Ok(exponent) if !digits.is_empty() => {
            let (first, rest) = digits.split_at(1);
            let rest = if rest.is_empty() { "0" } else { rest };
            format!("{sign}{first}.{rest}e{exponent:+}")
        }
        Ok(_) | Err(_) => text,
    }
}

/// Every style is JSON; a null would be seen at once.
fn number(text: String) -> Number {
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_is_escaped_as_php_does() {
        let settings = MilkyPaySettings::default();
        let value = json!({"a": "https://x/ü №7 😀 \"q\"\n"});
        let escaped = Style::of(&settings).write(&value);
        let expected = r#"{"a":"https:\/\/x\/\u00fc \u21167 \ud83d\ude00 \"q\"\n"}"#;
        assert_eq!(String::from_utf8(escaped.clone()).unwrap(), expected);
        assert_eq!(serde_json::from_slice::<Value>(&escaped).unwrap(), value);
        let plain = Style::of(&MilkyPaySettings { php_escapes: false, ..settings }).write(&value);
        assert!(String::from_utf8(plain).unwrap().contains("https://x/ü №7 😀"));
    }

    #[test]
    fn amounts_are_written_in_three_ways() {
        let amount = Amount::parse("0.1", 2).unwrap();
        for (number_style, expected) in [
            (NumberStyle::Plain, "0.1"),
            (NumberStyle::FloatTail, "0.10000000000000001"),
            (NumberStyle::Text, "\"0.1\""),
        ] {
            let settings = MilkyPaySettings { number_style, ..MilkyPaySettings::default() };
            let style = Style::of(&settings);
            assert_eq!(style.write(&style.amount(amount)), expected.as_bytes());
        }
    }

    #[test]
    fn float_tails_are_those_of_php() {
        for (text, decimals, expected) in [
            ("0.1", 2, "0.10000000000000001"),
            ("123.45", 2, "123.45"),
            ("60.5", 2, "60.5"),
            ("100", 2, "100"),
            ("0", 2, "0"),
            ("0.00000001", 8, "1.0e-8"),
            ("0.01", 2, "0.01"),
            ("1.1", 2, "1.1000000000000001"),
            ("9.95", 2, "9.9499999999999993"),
        ] {
            let amount = Amount::parse(text, decimals).unwrap();
            assert_eq!(with_float_tail(amount), expected, "{text}");
        }
    }
}
