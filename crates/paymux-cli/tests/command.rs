//! The command as a user runs it.
#![expect(clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
};

use serde_json::Value;

mod support;

use support::{fresh_store, paymux, text};

/// Runs the demo over these orders and gives its exit code and its report.
fn demo(name: &str, orders: &str) -> (Option<i32>, Value) {
    let file = format!("{}/{name}.json", env!("CARGO_TARGET_TMPDIR"));
    fs::write(&file, orders).expect("the orders can be written");
    let output = paymux(&["--json", "--orders", &file, "--store", &fresh_store(name)]);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("no report: {error}: {}", text(&output.stderr));
    });
    (output.status.code(), report)
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[test]
fn the_demo_settles_every_order_as_scripted() {
    let store = fresh_store("all");
    let output = paymux(&["--json", "--store", &store]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!(report["store"], *store);
    let orders = report["orders"].as_array().expect("the report lists orders");
    assert_eq!(orders.len(), 47);
    for order in orders {
        let took_money = ["succeeded", "partially_paid"].contains(&text_of(&order["status"]));
        assert_eq!(order["captured"].is_string(), took_money, "{order:#}");
        assert!(!order["how"].as_str().unwrap_or_default().is_empty(), "{order:#}");
    }
    let refused: Vec<_> = orders.iter().filter_map(|one| one["refused_field"].as_str()).collect();
    assert_eq!(refused, ["currency", "amount", "currency", "amount", "amount"]);
    let short = orders.iter().find(|one| one["status"] == "partially_paid");
    assert_eq!(short.map(|one| text_of(&one["captured"])), Some("1.00 USD"), "of 40.00 USD");
    assert_eq!(report["webhooks"]["refused"], 0);
    assert_eq!(report["books"]["agree"], true);
    // Routes choose: the next account when one is down, and the one that costs least.
    let taken = |id: &str| {
        let order = orders.iter().find(|one| one["order"] == *id).expect("the order is there");
        text_of(&order["account"])
    };
    let accounts = ["E-5001", "E-5002", "E-5003", "E-5004"].map(taken);
    assert_eq!(accounts, ["wallet", "milkypay", "toffeepay", "milkypay"]);
}

/// Two things go wrong on the way: an answer is lost after the charge, and an account is down.
#[test]
fn the_demo_tells_what_went_wrong_and_that_it_came_right() {
    let output = paymux(&["--json", "--store", &fresh_store("troubles")]);
    let report: Value = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    let troubles = report["troubles"].as_array().expect("the report lists troubles");
    let told = troubles.iter().map(|one| (text_of(&one["order"]), one.to_string()));
    let words = [
        ("E-5001", ["no answer to confirm_payment came from wallet", "it was sent once", "20.00"]),
        ("E-5002", ["toffeepay-down could not be reached", "milkypay is tried", "nothing was"]),
    ];
    for ((order, told), (expected, words)) in told.zip(words) {
        assert_eq!(order, expected);
        assert!(words.iter().all(|words| told.contains(words)), "{told}");
    }
    assert_eq!(troubles.len(), 2, "{troubles:#?}");
}

#[test]
fn piped_it_prints_lines_and_a_table() {
    let store = fresh_store("piped");
    let output = paymux(&["--store", &store]);
    let out = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{out}");
    assert!(out.contains("A-1001 succeeded: read after "), "{out}");
    assert!(out.contains("A-1004  toffeepay"), "{out}");
    assert!(out.contains("B-2006  milkypay"), "{out}");
    assert!(out.contains("C-3003  wallet"), "{out}");
    assert!(out.contains("D-4001  ramp"), "{out}");
    assert!(out.contains("E-5002  milkypay"), "{out}");
    assert!(out.contains("A-1009 refused: `currency` must be one that toffeepay takes, not CHF"));
    assert!(out.contains("in their lists: no difference.\n"), "{out}");
    assert!(out.contains("47 of 47 orders ended as scripted.\n"), "{out}");
    assert!(out.contains(&format!("payments kept in {store}\n")), "{out}");
    assert!(out.contains(&format!("explain E-5001 --store {store}\n")), "{out}");
    assert_eq!(text(&output.stderr), "");
}

/// The payments of somebody else are not mixed with those of a run, and never removed.
#[test]
fn a_store_that_is_there_is_left_alone() {
    let store = fresh_store("there");
    fs::write(&store, "somebody's").expect("the file can be written");
    let output = paymux(&["--store", &store]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains(&store) && said.contains("is there already"), "{said}");
    assert_eq!(fs::read_to_string(&store).expect("it is there"), "somebody's");
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
fn orders_that_cannot_be_told_apart_and_no_orders_are_refused() {
    let one = r#"{"id": "X-1", "account": "toffeepay", "player": "p", "title": "t",
        "amount": "1.00", "currency": "USD", "script": "pay", "expect": "succeeded"}"#;
    for (name, orders, sentence) in [
        ("twice", format!("[{one}, {one}]"), "have the id \"X-1\" twice"),
        ("none", "[]".to_owned(), "are none"),
        ("odd", r#"[{"id": 1}]"#.to_owned(), "are not as they should be: invalid type"),
    ] {
        let file = format!("{}/{name}.json", env!("CARGO_TARGET_TMPDIR"));
        fs::write(&file, orders).expect("the orders can be written");
        let output = paymux(&["--orders", &file, "--store", &fresh_store(name)]);
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        assert!(said.contains(&file) && said.contains(sentence), "{said}");
        assert_eq!(text(&output.stdout), "");
    }
}

/// Such an option would otherwise be read and not followed.
#[test]
fn an_option_of_the_demo_before_another_command_is_refused() {
    for arguments in [["--json", "demo"], ["--json", "sandbox"], ["--json", "capabilities"]] {
        assert_eq!(paymux(&arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = taken.local_addr().expect("it has an address").port().to_string();
    let output = paymux(&["sandbox", "--port", &port]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains(&format!("127.0.0.1:{port}: ")) && said.contains("--port"), "{said}");
}

#[test]
fn a_webhook_url_beyond_this_machine_is_refused() {
    let output = paymux(&["sandbox", "--port", "0", "--webhook-url", "https://shop.example/hook"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("must be http on loopback, not https://shop.example/hook"), "{said}");
}

/// The session that the printed line opens is there, and Ctrl-C ends the sandbox well.
#[cfg(unix)]
#[test]
fn the_sandbox_prints_a_line_that_works_and_ends_on_an_interrupt() {
    let mut sandbox = Command::new(env!("CARGO_BIN_EXE_paymux"))
        .args(["sandbox", "--port", "0"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let out = BufReader::new(sandbox.stdout.take().expect("it has an output"));
    let mut said = Vec::new();
    for line in out.lines() {
        let line = line.expect("it writes text");
        let is_last = line.starts_with("Ctrl-C");
        said.push(line);
        if is_last {
            break;
        }
    }
    let word = |start: &str, end: &str| {
        let found = said.iter().find_map(|line| line.split_once(start));
        let (_, rest) = found.unwrap_or_else(|| panic!("no {start} in {said:#?}"));
        rest.split_once(end).map_or(rest, |(word, _)| word).to_owned()
    };
    let address = word("curl http://", "/toffeepay/");
    let path = word(&format!("curl http://{address}"), " ");
    let (authorization, body) = (word("-H '", "'"), word("-d '", "'"));
    let length = body.len();
    let mut stream = TcpStream::connect(&address).expect("it listens");
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         {authorization}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(&format!("http://{address}/toffeepay/checkout/sess_")), "{answer}");
    let interrupt = Command::new("kill").args(["-INT", &sandbox.id().to_string()]).status();
    assert!(interrupt.is_ok_and(|done| done.success()));
    let ended = sandbox.wait().expect("it ends");
    assert_eq!(ended.code(), Some(0));
}

#[test]
fn the_capability_table_is_printed() {
    let output = paymux(&["capabilities"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text(&output.stdout).starts_with("|  | ToffeePay | MilkyPay | Wallet | Ramp |\n"),
        "{}",
        text(&output.stdout)
    );
}
