//! Codes and exponents, and the table against an independent one.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use paymux_core::{Currency, ErrorKind};

/// Codes that the independent table has and ours does not, each with the reason.
const LEFT_OUT: &[(&str, &str)] = &[
    ("BGN", "Bulgaria took the euro in 2026"),
    ("CUC", "Cuba withdrew it in 2021; CUP stays"),
    ("HRK", "Croatia took the euro in 2023"),
    ("SLL", "redenominated: SLE"),
    ("XAG", "silver: no minor unit"),
    ("XAU", "gold: no minor unit"),
    ("XBA", "a bond unit: no minor unit"),
    ("XBB", "a bond unit: no minor unit"),
    ("XBC", "a bond unit: no minor unit"),
    ("XBD", "a bond unit: no minor unit"),
    ("XDR", "special drawing rights: no minor unit"),
    ("XPD", "palladium: no minor unit"),
    ("XPT", "platinum: no minor unit"),
    ("XSU", "a unit of account: no minor unit"),
    ("XTS", "reserved for tests: no minor unit"),
    ("XUA", "a unit of account: no minor unit"),
    ("XXX", "no currency"),
    ("ZWL", "replaced: ZWG"),
];

/// Every code of three capitals that the independent table knows, and its exponent there.
fn independent() -> BTreeMap<String, Option<u16>> {
    let letters = || 'A'..='Z';
    letters()
        .flat_map(|a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))))
        .filter_map(|code| {
            let known = iso_currency::Currency::from_code(&code)?;
            Some((code, known.exponent()))
        })
        .collect()
}

#[test]
fn the_table_agrees_with_an_independent_one() {
    let theirs = independent();
    let left_out: BTreeMap<&str, &str> = LEFT_OUT.iter().copied().collect();
    let ours: BTreeSet<String> =
        Currency::all_iso().map(|currency| currency.code().to_owned()).collect();
    for currency in Currency::all_iso() {
        let exponent = theirs.get(currency.code()).copied().flatten();
        assert_eq!(exponent, Some(u16::from(currency.exponent())), "{currency}");
    }
    for code in theirs.keys() {
        let explained = left_out.contains_key(code.as_str());
        assert!(ours.contains(code) != explained, "{code} is missing without a reason");
    }
    for (code, reason) in LEFT_OUT {
        assert!(theirs.contains_key(*code), "{code} ({reason}) needs no reason any more");
        assert!(Currency::iso(code).is_err(), "{code} ({reason})");
    }
}

/// The look-up is a binary search: it needs the order, and every code must be found.
#[test]
fn every_code_is_found() {
    let codes: Vec<String> = Currency::all_iso().map(|known| known.code().to_owned()).collect();
    assert!(codes.is_sorted());
    assert_eq!(codes.iter().collect::<HashSet<_>>().len(), codes.len());
    for currency in Currency::all_iso() {
        assert_eq!(Currency::iso(currency.code()).unwrap(), currency);
        assert!(currency.is_iso());
        assert!(currency.exponent() <= 4, "{currency}");
    }
    let named = [Currency::EUR, Currency::GBP, Currency::USD];
    assert_eq!(named, ["EUR", "GBP", "USD"].map(|code| Currency::iso(code).unwrap()));
}

#[test]
fn text_is_read_back() {
    let registered = (0..=18).map(|exponent| Currency::registered("USDT", exponent).unwrap());
    for currency in Currency::all_iso().chain(registered) {
        let text = serde_json::to_string(&currency).unwrap();
        assert_eq!(serde_json::from_str::<Currency>(&text).unwrap(), currency, "{text}");
        assert_eq!(text.trim_matches('"').parse::<Currency>().unwrap(), currency);
    }
    let usdt = Currency::registered("USDT", 6).unwrap();
    assert_eq!(serde_json::to_string(&usdt).unwrap(), "\"USDT/6\"");
    assert_eq!((usdt.to_string(), format!("{usdt:?}")), ("USDT".to_owned(), "USDT/6".to_owned()));
    assert!(!usdt.is_iso());
}

#[test]
fn other_text_is_refused() {
    for text in [
        "",
        " ",
        "usd",
        "Usd",
        "US",
        "USDD",
        "USD ",
        " USD",
        "XXX",
        "XAU",
        "ZZZ",
        "USD/2",
        "EUR/3",
        "USDT",
        "USDT/",
        "USDT/19",
        "USDT/256",
        "USDT/-1",
        "USDT/+6",
        "USDT/06",
        "USDT/6/6",
        "/6",
        "usdt/6",
        "T/6",
        "TOOLONGCODE/6",
        "US T/6",
        "ÉUR",
        "ÉU/2",
        "USDT/６",
    ] {
        let error = text.parse::<Currency>().expect_err(text);
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{text}");
        assert_eq!(error.field(), Some("currency"), "{text}");
    }
}

#[test]
fn a_registered_code_cannot_stand_for_another() {
    for (code, exponent) in [
        ("EUR", 2),
        ("EUR", 6),
        ("", 2),
        ("A", 2),
        ("NINECHARS", 2),
        ("usdt", 6),
        ("US-T", 6),
        ("USDT", 19),
        ("\0\0", 1),
    ] {
        let error = Currency::registered(code, exponent).expect_err(code);
        assert_eq!(error.field(), Some("currency"), "{code}");
    }
    let longest = Currency::registered("EIGHTCHR", 18).unwrap();
    assert_eq!((longest.code(), longest.exponent()), ("EIGHTCHR", 18));
    let six = Currency::registered("USDT", 6).unwrap();
    assert_ne!(six, Currency::registered("USDT", 18).unwrap(), "another exponent, another money");
}
