//! Decimal text in and out, exactly, and nothing else accepted.

use paymux_core::{Currency, Effect, ErrorKind, Money};
use proptest::{prelude::*, test_runner::RngSeed};

/// A currency for every exponent in use: 0 to 18.
fn of_exponent(exponent: u8) -> Currency {
    Currency::registered("TOKEN", exponent).unwrap()
}

fn any_currency() -> impl Strategy<Value = Currency> {
    let iso: Vec<Currency> = Currency::all_iso().collect();
    prop_oneof![prop::sample::select(iso), (0_u8..=18).prop_map(of_exponent)]
}

/// Small figures as often as the largest.
fn any_minor() -> impl Strategy<Value = i128> {
    (0_u32..127, 0_i128..=i128::MAX).prop_map(|(shift, minor)| minor >> shift)
}

/// The same cases on every run, and no file of failures beside the source.
fn repeatable() -> ProptestConfig {
    ProptestConfig {
        cases: 2_000,
        rng_seed: RngSeed::Fixed(4217),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(repeatable())]

    #[test]
    fn what_is_printed_is_read_back(minor in any_minor(), currency in any_currency()) {
        let money = Money::new(minor, currency).unwrap();
        let text = money.to_decimal();
        prop_assert_eq!(Money::parse(&text, currency).unwrap(), money);
        let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        prop_assert_eq!(decimals, usize::from(currency.exponent()));
    }

    #[test]
    fn zeros_beyond_the_exponent_change_nothing(
        minor in 0..=i128::from(u64::MAX),
        currency in any_currency(),
        zeros in 1_usize..20,
    ) {
        let money = Money::new(minor, currency).unwrap();
        let point = if currency.exponent() == 0 { "." } else { "" };
        let text = format!("{}{point}{}", money.to_decimal(), "0".repeat(zeros));
        prop_assert_eq!(Money::parse(&text, currency).unwrap(), money);
    }

    #[test]
    fn a_digit_beyond_the_exponent_is_refused(
        minor in 0..=i128::from(u64::MAX),
        currency in any_currency(),
        zeros in 0_usize..15,
        digit in 1_u8..=9,
    ) {
        let money = Money::new(minor, currency).unwrap();
        let point = if currency.exponent() == 0 { "." } else { "" };
        let text = format!("{}{point}{}{digit}", money.to_decimal(), "0".repeat(zeros));
        let error = Money::parse(&text, currency).unwrap_err();
        prop_assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        prop_assert_eq!(error.field(), Some("amount"));
        prop_assert!(error.message().contains("decimals"), "{}", error);
    }

    #[test]
    fn an_exponent_of_ten_moves_the_point(
        digits in 1_i128..=100,
        power in -18_i32..=18,
    ) {
        let currency = of_exponent(18);
        let money = Money::parse(&format!("{digits}e{power}"), currency).unwrap();
        let factor = 10_i128.pow(u32::try_from(18 + power).unwrap());
        prop_assert_eq!(money.minor(), digits * factor);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*", currency in any_currency()) {
        if let Ok(money) = Money::parse(&text, currency) {
            prop_assert!(money.minor() >= 0);
        }
    }

    #[test]
    fn no_number_makes_it_panic(text in "[0-9.eE+-]{0,90}", currency in any_currency()) {
        if let Ok(money) = Money::parse(&text, currency) {
            prop_assert_eq!(Money::parse(&money.to_decimal(), currency).unwrap(), money);
        }
    }

    #[test]
    fn what_is_stored_is_read_back(minor in any_minor(), currency in any_currency()) {
        let money = Money::new(minor, currency).unwrap();
        let text = serde_json::to_string(&money).unwrap();
        let minor = format!("\"minor\":\"{minor}\"");
        prop_assert!(text.contains(&minor), "the figure is text: {}", text);
        prop_assert_eq!(serde_json::from_str::<Money>(&text).unwrap(), money);
    }
}

const NUMBER: &str = "decimal number";

/// Text, currency, and the minor units it is.
const ACCEPTED: &[(&str, &str, i128)] = &[
    ("0", "USD", 0),
    ("0.00", "USD", 0),
    ("0e5", "USD", 0),
    ("0.000", "JPY", 0),
    ("4.99", "USD", 499),
    ("4.9", "USD", 490),
    ("4", "USD", 400),
    ("4.990", "USD", 499),
    ("10", "JPY", 10),
    ("10.00", "JPY", 10),
    ("1.234", "KWD", 1234),
    ("1.2345", "CLF", 12345),
    ("1e3", "USD", 100_000),
    ("1E3", "JPY", 1000),
    ("1e+3", "JPY", 1000),
    ("1.5e1", "JPY", 15),
    ("499e-2", "USD", 499),
    ("4990e-3", "USD", 499),
    ("0.0499e2", "USD", 499),
    ("1000000000000000000", "TOKEN/18", 10_i128.pow(36)),
];

/// Text, currency, and the word of the refusal.
const REFUSED: &[(&str, &str, &str)] = &[
    ("", "USD", NUMBER),
    (" ", "USD", NUMBER),
    (" 1", "USD", NUMBER),
    ("1 ", "USD", NUMBER),
    ("1 000", "USD", NUMBER),
    ("1,00", "USD", NUMBER),
    ("1_000", "USD", NUMBER),
    ("-1", "USD", NUMBER),
    ("-0", "USD", NUMBER),
    ("+1", "USD", NUMBER),
    (".5", "USD", NUMBER),
    ("1.", "USD", NUMBER),
    ("1.2.3", "USD", NUMBER),
    ("00.1", "USD", NUMBER),
    ("01", "USD", NUMBER),
    ("NaN", "USD", NUMBER),
    ("Infinity", "USD", NUMBER),
    ("0x10", "USD", NUMBER),
    ("1e", "USD", NUMBER),
    ("e1", "USD", NUMBER),
    ("1e1.5", "USD", NUMBER),
    ("1e--1", "USD", NUMBER),
    ("1e9999", "USD", NUMBER),
    ("null", "USD", NUMBER),
    ("\"1\"", "USD", NUMBER),
    ("١٢", "USD", NUMBER),
    ("1２", "USD", NUMBER),
    ("1\u{a0}", "USD", NUMBER),
    ("1\n", "USD", NUMBER),
    ("4.991", "USD", "at most 2 decimals in USD"),
    ("0.001", "USD", "at most 2 decimals in USD"),
    ("1e-3", "USD", "at most 2 decimals in USD"),
    ("1e-999", "USD", "at most 2 decimals in USD"),
    ("0.5", "JPY", "at most 0 decimals in JPY"),
    ("1.2345", "KWD", "at most 3 decimals in KWD"),
    ("1e999", "USD", "larger"),
    ("170141183460469231731687303715884105728", "JPY", "larger"),
    ("9999999999999999999999999999999999999999999", "JPY", "larger"),
];

#[test]
fn decimal_text() {
    for (text, currency, minor) in ACCEPTED {
        let money = Money::parse(text, currency.parse().unwrap());
        let money = money.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(money.minor(), *minor, "{text} {currency}");
    }
    for (text, currency, word) in REFUSED {
        let error = Money::parse(text, currency.parse().unwrap()).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{text}");
        assert_eq!(error.effect(), Effect::None, "{text}");
        assert_eq!(error.field(), Some("amount"), "{text}");
        assert!(error.message().contains(word), "{text}: {error}");
    }
}

fn iso(code: &str) -> Currency {
    Currency::iso(code).unwrap()
}

#[test]
fn endless_text_is_not_read() {
    let zeros = |count| format!("1.{}", "0".repeat(count));
    assert_eq!(Money::parse(&zeros(78), Currency::USD).unwrap().minor(), 100);
    let error = Money::parse(&zeros(79), Currency::USD).unwrap_err();
    assert!(error.message().contains(NUMBER), "{error}");
}

#[test]
fn the_largest_figure_is_held_and_the_next_is_refused() {
    let jpy = iso("JPY");
    let largest = Money::new(i128::MAX, jpy).unwrap();
    assert_eq!(Money::parse(&i128::MAX.to_string(), jpy).unwrap(), largest);
    assert_eq!(Money::parse(&largest.to_decimal(), jpy).unwrap(), largest);
    assert!(Money::parse("170141183460469231731687303715884105728", jpy).is_err());
}

#[test]
fn a_negative_figure_is_refused() {
    for minor in [-1, i128::MIN] {
        let error = Money::new(minor, Currency::USD).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("amount")));
    }
}

#[test]
fn only_what_is_written_is_read_from_a_store() {
    let stored = r#"{"minor":"499","currency":"USD"}"#;
    let money: Money = serde_json::from_str(stored).unwrap();
    assert_eq!(serde_json::to_string(&money).unwrap(), stored);
    for other in [
        r#"{"minor":499,"currency":"USD"}"#,
        r#"{"minor":"-1","currency":"USD"}"#,
        r#"{"minor":"+1","currency":"USD"}"#,
        r#"{"minor":"-0","currency":"USD"}"#,
        r#"{"minor":"007","currency":"USD"}"#,
        r#"{"minor":"4.99","currency":"USD"}"#,
        r#"{"minor":"","currency":"USD"}"#,
        r#"{"minor":"170141183460469231731687303715884105728","currency":"USD"}"#,
        r#"{"minor":"499","currency":"usd"}"#,
        r#"{"minor":"499"}"#,
        r#"{"currency":"USD"}"#,
        r#"{"minor":"499","minor":"1","currency":"USD"}"#,
    ] {
        assert!(serde_json::from_str::<Money>(other).is_err(), "{other}");
    }
}

/// Internally tagged enums buffer their content; `i128` would not survive that, text does.
#[test]
fn it_survives_a_tagged_enum() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    #[serde(tag = "type")]
    enum Tagged {
        Paid { amount: Money },
    }
    let amount = Money::new(i128::MAX, of_exponent(18)).unwrap();
    let text = serde_json::to_string(&Tagged::Paid { amount }).unwrap();
    assert_eq!(serde_json::from_str::<Tagged>(&text).unwrap(), Tagged::Paid { amount });
}

#[test]
fn arithmetic_reports_what_cannot_be() {
    let usd = |minor| Money::new(minor, Currency::USD).unwrap();
    let eur = Money::new(1, Currency::EUR).unwrap();
    assert_eq!(usd(1).checked_add(usd(2)), Some(usd(3)));
    assert_eq!(usd(1).checked_add(eur), None);
    assert_eq!(usd(i128::MAX).checked_add(usd(1)), None);
    assert_eq!(usd(3).checked_sub(usd(3)), Some(usd(0)));
    assert_eq!(usd(3).checked_sub(usd(4)), None);
    assert_eq!(usd(3).checked_sub(eur), None);
    assert_eq!(usd(3).checked_mul(4), Some(usd(12)));
    assert_eq!(usd(3).checked_mul(0), Some(usd(0)));
    assert_eq!(usd(i128::MAX).checked_mul(2), None);
    assert!(Money::zero(Currency::USD).is_zero() && !usd(1).is_zero());
}

#[test]
fn amounts_of_two_currencies_have_no_order() {
    let money = |code, minor| Money::new(minor, iso(code)).unwrap();
    assert!(money("USD", 1) < money("USD", 2));
    assert!(money("USD", 2) >= money("USD", 2));
    assert_eq!(money("USD", 1).partial_cmp(&money("EUR", 1)), None);
    assert_eq!(money("USD", 1).partial_cmp(&money("EUR", 9)), None);
    let (six, eighteen) = (of_exponent(6), of_exponent(18));
    let one = |currency| Money::new(1, currency).unwrap();
    assert_eq!(one(six).partial_cmp(&one(eighteen)), None, "one code, counted two ways");
}

#[test]
fn people_read_it_with_its_currency() {
    let shown = |text, currency| Money::parse(text, currency).unwrap().to_string();
    assert_eq!(shown("4.9", Currency::USD), "4.90 USD");
    assert_eq!(shown("10", iso("JPY")), "10 JPY");
    assert_eq!(shown("0.5", of_exponent(18)), "0.500000000000000000 TOKEN");
    let padded = format!("{:>10}", Money::parse("1", Currency::EUR).unwrap());
    assert_eq!(padded, "  1.00 EUR");
}
