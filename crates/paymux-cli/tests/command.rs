//! The command as a user runs it.
#![expect(clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::{
    fs,
    process::{Command, Output},
};

use serde_json::Value;

fn paymux(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_paymux")).args(arguments).output().expect("the command runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the command writes text")
}

/// Runs the demo over these orders and gives its exit code and its report.
fn demo(name: &str, orders: &str) -> (Option<i32>, Value) {
    let file = format!("{}/{name}.json", env!("CARGO_TARGET_TMPDIR"));
    fs::write(&file, orders).expect("the orders can be written");
    let output = paymux(&["--json", "--orders", &file]);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("no report: {error}: {}", text(&output.stderr));
    });
    (output.status.code(), report)
}

#[test]
fn the_demo_settles_every_order_as_scripted() {
    let output = paymux(&["--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    let orders = report["orders"].as_array().expect("the report lists orders");
    assert_eq!(orders.len(), 20);
    for order in orders {
        let succeeded = order["status"] == "succeeded";
        assert_eq!(order["captured"].is_string(), succeeded, "{order:#}");
        assert!(!order["how"].as_str().unwrap_or_default().is_empty(), "{order:#}");
    }
    let refused: Vec<_> = orders.iter().filter_map(|one| one["refused_field"].as_str()).collect();
    assert_eq!(refused, ["currency", "amount"]);
    assert_eq!(report["webhooks"]["refused"], 0);
}

#[test]
fn piped_it_prints_lines_and_a_table() {
    let output = paymux(&[]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}");
    assert!(out.contains("A-1001 succeeded: webhook session.paid, then read"), "{out}");
    assert!(out.contains("│ A-1004 ┆ toffeepay"), "{out}");
    assert!(out.contains("A-1009 was refused: toffeepay: create_payment: `currency` must be"));
    assert!(out.ends_with("20 of 20 orders ended as scripted.\n"), "{out}");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn an_order_that_ends_otherwise_fails_the_demo() {
    let (code, report) = demo(
        "otherwise",
        r#"[{"id": "X-1", "account": "toffeepay", "player": "p", "title": "t", "amount": "1.00",
            "currency": "USD", "script": "pay", "expect": "failed"}]"#,
    );
    assert_eq!(code, Some(1));
    assert_eq!(report["orders"][0]["status"], "succeeded");
    assert_eq!(report["orders"][0]["as_scripted"], false);
}

#[test]
fn bad_orders_are_refused_by_the_field() {
    let rows = [
        ("amount", r#""account": "toffeepay", "amount": "1.005", "currency": "USD""#),
        ("amount", r#""account": "toffeepay", "amount": "-1", "currency": "USD""#),
        ("amount", r#""account": "toffeepay", "amount": "21474836.48", "currency": "USD""#),
        ("currency", r#""account": "toffeepay", "amount": "1.00", "currency": "usd""#),
        ("account", r#""account": "nobody", "amount": "1.00", "currency": "USD""#),
        (
            "options.toffeepay.item_image",
            r#""account": "toffeepay", "amount": "1.00", "currency": "USD", "image": "ftp://x/y""#,
        ),
    ];
    for (field, order) in rows {
        let orders = format!(
            r#"[{{"id": "X-1", "player": "p", "title": "t", {order},
                "script": "refused", "expect": {{"refused": "{field}"}}}}]"#
        );
        let (code, report) = demo("bad", &orders);
        assert_eq!(code, Some(0), "{report:#}");
        assert_eq!(report["orders"][0]["refused_field"], *field);
        let sentence = report["orders"][0]["error"].as_str().unwrap_or_default();
        assert!(sentence.contains(&format!("`{field}` ")), "{sentence}");
    }
}

#[test]
fn orders_that_cannot_be_read_are_named() {
    let missing = paymux(&["--orders", "no-such-file.json"]);
    assert_eq!(missing.status.code(), Some(1));
    let said = text(&missing.stderr);
    assert!(said.starts_with("paymux: the orders no-such-file.json cannot be read"), "{said}");
}

#[test]
fn the_capability_table_is_printed() {
    let output = paymux(&["capabilities"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).starts_with("|  | ToffeePay |\n"), "{}", text(&output.stdout));
}
