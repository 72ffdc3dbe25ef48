//! Bodies are read strictly: what two parsers could read differently is refused.

use paymux_core::json::{self, JsonFault};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

#[derive(Debug, Deserialize)]
struct Amount {
    amount: Box<RawValue>,
    note: Option<String>,
}

fn fault(body: &[u8]) -> JsonFault {
    json::read::<Value>(body).expect_err(&String::from_utf8_lossy(body))
}

#[test]
fn what_is_well_formed_is_read() {
    let read: Amount =
        json::read(br#"{"amount":4.990,"note":null,"more":[{"a":1},{"a":2}]}"#).unwrap();
    assert_eq!(read.amount.get(), "4.990", "the literal is kept");
    assert_eq!(read.note, None);
    let deep = format!("{}1{}", "[".repeat(32), "]".repeat(32));
    assert!(json::read::<Value>(deep.as_bytes()).is_ok());
    assert!(json::read::<Value>(b" {} \n").is_ok());
    let long = br#"{"amount":123456789012345678901234567890.123456789012345678}"#;
    let read: Amount = json::read(long).unwrap();
    assert_eq!(read.amount.get(), "123456789012345678901234567890.123456789012345678");
}

#[test]
fn a_value_may_borrow_from_the_body() {
    let body = br#"{"session":{"id":"a"}}"#.to_vec();
    let parts: std::collections::BTreeMap<&str, &RawValue> = json::read(&body).unwrap();
    assert_eq!(parts["session"].get(), r#"{"id":"a"}"#);
}

#[test]
fn a_name_that_comes_twice_is_refused_wherever_it_stands() {
    for body in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":{"b":1,"c":2,"b":3}}"#,
        r#"[{"a":1},{"a":1,"a":2}]"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"x":{"y":[[{"z":0,"z":1}]]}}"#,
    ] {
        let said = fault(body.as_bytes()).to_string();
        assert!(said.contains("twice"), "{body}: {said}");
        assert!(json::read::<Option<u8>>(body.as_bytes()).is_err());
    }
    let unknown_to_us = br#"{"amount":1,"canary":1,"canary":2}"#;
    let said = json::read::<Amount>(unknown_to_us).unwrap_err().to_string();
    assert!(said.contains("twice") && !said.contains("canary"), "{said}");
}

#[test]
fn what_is_malformed_is_refused_and_not_quoted() {
    let deep = format!("{}1{}", "[".repeat(33), "]".repeat(33));
    let deeper = "[".repeat(100_000);
    let bodies: [&[u8]; 14] = [
        b"",
        b" ",
        b"canary",
        b"<html>canary</html>",
        b"\xef\xbb\xbf{}",
        b"\"canary\xff\"",
        b"{}{}",
        b"{} canary",
        b"{\"canary\":}",
        b"{\"a\":NaN}",
        b"{'a':1}",
        b"[1,]",
        deep.as_bytes(),
        deeper.as_bytes(),
    ];
    for body in bodies {
        let fault = fault(body);
        let shown = format!("{fault} {fault:?}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[test]
fn the_fault_says_what_was_expected_where() {
    let said = json::read::<Amount>(br#"{"note":"x"}"#).unwrap_err().to_string();
    assert!(said.contains("missing field `amount`"), "{said}");
    let said = json::read::<Amount>(b"{\"amount\":1,\n\"note\":7}").unwrap_err().to_string();
    assert!(said.contains("expected a string") && said.contains("line 2"), "{said}");
    let said = fault(b"\"\xff\"").to_string();
    assert!(said.contains("UTF-8"), "{said}");
}
