//! The commands that look at a store after the demo.
#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::LazyLock,
};

use paymux::orchestrator::store::sqlite::SqliteStore;
use serde_json::Value;

mod support;

use support::{fresh_store, paymux, text};

/// A store as the demo leaves it, its providers gone.
static AFTER_THE_DEMO: LazyLock<String> = LazyLock::new(|| {
    let store = fresh_store("after");
    let output = paymux(&["--json", "--store", &store]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    store
});

/// A copy of such a store: one process at a time has one open.
fn copy(name: &str) -> String {
    let (from, to) = (&*AFTER_THE_DEMO, fresh_store(name));
    assert!(!Path::new(&format!("{from}-wal")).exists(), "the store was not closed");
    for end in ["", ".accounts.json"] {
        fs::copy(format!("{from}{end}"), format!("{to}{end}")).expect("it can be copied");
    }
    to
}

/// Runs a command that has to end like this, and gives what it printed.
fn run(code: i32, arguments: &[&str]) -> String {
    let output = paymux(arguments);
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{error}");
    if code == 2 || out.is_empty() { error.to_owned() } else { out.to_owned() }
}

fn json(arguments: &[&str]) -> Vec<Value> {
    serde_json::from_str(&run(0, arguments)).expect("it is JSON")
}

#[test]
fn payments_are_listed_whole_and_by_status() {
    let store = copy("payments");
    let all = json(&["payments", "--json", "--store", &store]);
    // Three of the 47 orders were refused by an account, and are kept; two were asked of none.
    assert_eq!(all.len(), 45);
    let ids: Vec<_> = all.iter().map(|one| one["payment"].as_str()).collect();
    assert!(ids.is_sorted(), "oldest first");
    for one in &all {
        let captured = one["captured"].is_string() && one["status"] != "partially_paid";
        assert_eq!(one["status"] == "succeeded", captured, "{one:#}");
        assert!(one.get("return_token").is_none() && one.get("document").is_none());
    }
    let cancelled = ["--status", "cancelled", "--status", "partially_paid", "--store", &store];
    let some = json(&[["payments", "--json"].as_slice(), &cancelled].concat());
    assert_eq!(some.len(), 5);
    let table = run(0, &[["payments"].as_slice(), &cancelled].concat());
    let short = table.lines().find(|line| line.contains("  B-2006  ")).expect("it is listed");
    assert!(short.contains("  milkypay  ") && short.contains("  partially_paid  "), "{table}");
    assert!(table.ends_with("5 payments.\n"), "{table}");
    let none = run(0, &["payments", "--review", "--store", &store]);
    assert!(none.ends_with("0 payments.\n"), "{none}");
    let said = run(2, &["payments", "--status", "paid", "--store", &store]);
    assert!(said.contains("unknown variant `paid`, expected one of `requires_action`"), "{said}");
}

#[test]
fn a_payment_is_explained_by_its_order_and_by_its_id() {
    let store = copy("explain");
    let told = run(0, &["explain", "E-5001", "--store", &store]);
    for words in [
        " · E-5001 · 20.00 EUR\nsucceeded, paid, since 2",
        "wallet by rule \"euros of wallets\": number 1 of the list\n",
        "  2. confirm (commit) at wallet: accepted; last trouble: the connection ended",
        "it may have been done all the same\n",
        "wallet was asked: ",
        "\nNext: nothing: it is settled\n",
    ] {
        assert!(told.contains(words), "no {words:?} in {told}");
    }
    let (id, _) = told.split_once(' ').expect("it begins with the id");
    assert_eq!(run(0, &["explain", id, "--store", &store]), told);
    let other = "pay_00000000000000000000000000";
    for (word, sentence) in [
        ("X-1", "paymux: there is no payment of an order X-1 in this store\n".to_owned()),
        (other, format!("paymux: there is no payment {other} in this store\n")),
    ] {
        assert_eq!(run(1, &["explain", word, "--store", &store]), sentence);
    }
}

#[test]
fn nothing_waits_for_a_person_after_the_demo() {
    let store = copy("review");
    for list in [["review"].as_slice(), &["review", "list"]] {
        let said = run(0, &[list, &["--store", &store]].concat());
        assert_eq!(said, "Nothing waits for a person.\n");
    }
    let decide = ["review", "resolve", "E-5001", "--store", &store];
    let who = ["--who", "ann", "--why", "to see"];
    for missing in [[decide.as_slice(), &who], [decide.as_slice(), &["--did-nothing"]]] {
        let said = run(2, &missing.concat());
        assert!(said.contains("required arguments were not provided"), "{said}");
    }
    let two = [decide.as_slice(), &who, &["--did-nothing", "--try-again"]].concat();
    assert!(run(2, &two).contains("cannot be used with"));
    let said = run(1, &[decide.as_slice(), &who, &["--did-nothing"]].concat());
    assert!(said.contains("does not wait for this decision"), "{said}");
    let said = run(1, &[decide.as_slice(), &who, &["--give-back", "obj-1"]].concat());
    assert!(said.contains("no money that showed late waits there for a person"), "{said}");
    let odd = [decide.as_slice(), &who, &["--dismiss", "boredom"]].concat();
    assert!(run(2, &odd).contains("unknown variant `boredom`"));
}

/// Without the providers nothing is compared and nothing is changed.
#[test]
fn providers_that_are_gone_could_not_be_asked() {
    let store = copy("gone");
    let list = ["payments", "--json", "--store", &store];
    let before = json(&list);
    let said = run(1, &["reconcile", "--store", &store]);
    assert!(said.starts_with("0 payments read again from their providers, 0 found"), "{said}");
    for account in ["milkypay", "ramp", "toffeepay", "toffeepay-manual", "wallet"] {
        assert!(said.contains(&format!("\n  {account} could not be asked for ")), "{said}");
    }
    assert_eq!(json(&list), before);
    let none = run(2, &["reconcile", "--since", "yesterday", "--store", &store]);
    assert!(none.contains("must be an RFC 3339 time"), "{none}");
}

#[test]
fn a_dry_run_says_which_way_and_why() {
    let store = copy("route");
    let route = |code, facts: &[&str]| {
        run(code, &[["route", "--dry-run", "--store", &store].as_slice(), facts].concat())
    };
    let cheap = ["--metadata", "lane=cheapest", "--amount"];
    let small = route(0, &[cheap.as_slice(), &["2.00 USD"]].concat());
    assert!(small.contains("goes to toffeepay\n  1. toffeepay: costs 0.10 USD\n"), "{small}");
    let large = route(0, &[cheap.as_slice(), &["60.00 USD"]].concat());
    assert!(large.contains("goes to milkypay\n  1. milkypay: costs 1.14 USD\n"), "{large}");
    let held = ["--metadata", "lane=milkypay", "--hold", "--amount", "1.00 EUR"];
    assert!(route(1, &held).contains("not milkypay: cannot hold money first"));
    let gold = ["--metadata", "lane=ramp", "--amount", "10.5 USDT"];
    assert!(route(1, &gold).contains("the payment has no ramp options"));
    let gold = [gold.as_slice(), &["--kind", "ramp"]].concat();
    assert!(route(0, &gold).contains("goes to ramp"));
    assert_eq!(
        route(1, &["--amount", "1.00 EUR", "--country", "AT", "--method", "card"]),
        "no rule takes this payment, so it goes nowhere\n"
    );
    for amount in ["10.00", "10.001 EUR", "10.00 Euro"] {
        assert!(route(2, &["--amount", amount]).contains("invalid value"), "{amount}");
    }
    assert!(route(2, &["--amount", "1.00 EUR", "--metadata", "lane"]).contains("must be a name"));
    let said = run(2, &["route", "--amount", "1.00 EUR", "--store", &store]);
    assert!(said.contains("--dry-run"), "{said}");
}

#[test]
fn routes_of_a_file_are_checked_against_the_accounts_of_the_store() {
    let store = copy("routes");
    let file = format!("{}/routes.toml", env!("CARGO_TARGET_TMPDIR"));
    let route = |code, text: &str| {
        fs::write(&file, text).expect("the routes can be written");
        let amount = ["--amount", "1.00 EUR", "--country", "AT"];
        let files = ["--routes", &file, "--store", &store];
        run(code, &[["route", "--dry-run"].as_slice(), &amount, &files].concat())
    };
    let austria = "[[rule]]\nname = \"Austria\"\nwhen = { country = \"AT\" }\nuse = \"wallet\"\n";
    assert!(route(0, austria).starts_with("rule `Austria`: goes to wallet\n"));
    let said = route(1, "[[rule]]\nname = \"all\"\nuse = \"walet\"\n");
    assert!(said.starts_with(&format!("paymux: the routes {file} are not right: ")), "{said}");
    assert!(said.contains("line 3") && said.contains("there is no account `walet`"), "{said}");
}

/// A command that only looks must not leave an empty store behind for the next one to find.
#[test]
fn a_store_that_is_not_there_is_not_made() {
    let store = fresh_store("missing");
    for command in [
        ["payments"].as_slice(),
        &["explain", "E-5001"],
        &["review"],
        &["reconcile"],
        &["route", "--dry-run", "--amount", "1.00 EUR"],
    ] {
        let said = run(1, &[command, &["--store", &store]].concat());
        assert_eq!(said, format!("paymux: there is no store {store}\n"));
    }
    assert!(!Path::new(&store).exists());
}

#[test]
fn a_store_without_its_accounts_and_one_in_use_are_named() {
    let store = copy("use");
    let in_use = SqliteStore::open(&store).expect("it opens");
    let said = run(1, &["payments", "--store", &store]);
    assert!(said.starts_with(&format!("paymux: the store {store} cannot be opened: ")), "{said}");
    assert!(said.contains("another process"), "{said}");
    drop(in_use);
    fs::remove_file(format!("{store}.accounts.json")).expect("it was there");
    let said = run(1, &["payments", "--store", &store]);
    assert!(said.contains(&format!("{store}.accounts.json, cannot be read")), "{said}");
}

/// What the demo prints with `--keep` works while it plays the providers on.
#[cfg(unix)]
#[test]
fn the_books_agree_while_the_demo_plays_the_providers_on() {
    let store = fresh_store("keep");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_paymux"))
        .args(["demo", "--keep", "--store", &store])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let out = BufReader::new(demo.stdout.take().expect("it has an output"));
    let lines = out.lines().map(|line| line.expect("it writes text"));
    let said: Vec<String> = lines.take_while(|line| !line.contains("Ctrl-C")).collect();
    let command = format!("reconcile --store {store}");
    assert!(said.iter().any(|line| line.ends_with(&command)), "{said:#?}");
    let agreed = run(0, &["reconcile", "--store", &store]);
    assert!(agreed.ends_with("found in their lists: no difference.\n"), "{agreed}");
    assert!(agreed.starts_with("42 payments read again"), "{agreed}");
    let since = ["reconcile", "--since", "2100-01-01T00:00:00Z", "--store", &store];
    assert!(run(0, &since).starts_with("0 payments read again"));
    let interrupt = Command::new("kill").args(["-INT", &demo.id().to_string()]).status();
    assert!(interrupt.is_ok_and(|done| done.success()));
    assert_eq!(demo.wait().expect("it ends").code(), Some(0));
}
