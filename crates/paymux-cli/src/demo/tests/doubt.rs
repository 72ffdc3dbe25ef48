//! Payments in doubt, and what a person decides about them.

use std::time::Duration;

use clap::Parser;
use paymux_sandbox::{Fault, FaultKind};

use super::{OwnStore, Setting, Stage, orders};
use crate::{
    Arguments,
    books::{Books, StoreArguments},
    demo::stage::ROUTES,
};

/// What the command prints, or the sentence it stops with.
async fn paymux(words: &[&str], store: &OwnStore) -> Result<String, String> {
    let store = store.path().display().to_string();
    let words = ["paymux"].iter().chain(words).copied().chain(["--store", &store]);
    let arguments = Arguments::try_parse_from(words).expect("the words are a command");
    let mut out = Vec::new();
    let done = Box::pin(crate::run(arguments, &mut out)).await;
    done.map_err(|stop| stop.to_string())?;
    Ok(String::from_utf8(out).expect("it writes text"))
}

fn resolve<'a>(payment: &'a str, decision: &[&'a str]) -> Vec<&'a str> {
    let begin = ["review", "resolve", payment, "--attempt", "1", "--who", "ann"];
    let why = ["--why", "the provider said so"];
    begin.iter().chain(&why).chain(decision).copied().collect()
}

/// A stage whose shop is closed, with these orders in doubt for a day: every answer was lost.
async fn in_doubt(store: &OwnStore, ids: &[&str]) -> Stage {
    let setting = Setting::usual(store.path());
    let (stage, _deliveries) = Box::pin(Stage::open(&setting)).await.expect("the stage opens");
    let lost = Fault::new(FaultKind::DropReply).on("CreateSession").times(1_000);
    stage.sandbox().inject(lost);
    let orchestrator = stage.orchestrator();
    for order in orders().iter().filter(|order| ids.contains(&order.id.as_str())) {
        let (key, request) = (order.key("create"), stage.request_for(order));
        let (key, request) = (key.expect("a key"), request.expect("a request"));
        let record = orchestrator.create_payment(&key, &request).await.expect("it is kept");
        assert!(record.in_doubt());
    }
    stage.clock().advance(Duration::from_secs(25 * 3600));
    while !orchestrator.step().await.expect("the store").is_idle() {}
    stage.sandbox().clear_faults();
    stage.close_shop().await;
    stage
}

#[tokio::test]
async fn a_person_says_that_an_attempt_did_nothing() {
    let store = OwnStore::new();
    let stage = Box::pin(in_doubt(&store, &["A-1001"])).await;
    for list in [["review"].as_slice(), &["review", "list"]] {
        let waiting = paymux(list, &store).await.expect("the list");
        assert!(waiting.contains("order A-1001 · 4.99 USD · processing\n"), "{waiting}");
        assert!(waiting.contains("  still_in_doubt, since "), "{waiting}");
        assert!(waiting.contains("    attempt 1: create at toffeepay is in doubt"), "{waiting}");
        assert!(waiting.contains("    decide: --did-nothing, "), "{waiting}");
        assert!(waiting.ends_with("1 payment waits for a person.\n"), "{waiting}");
    }
    let listed = paymux(&["payments", "--review"], &store).await.expect("the table");
    assert!(listed.contains("processing, in doubt, a person has to look"), "{listed}");

    let words = resolve("A-1001", &["--did-nothing"]);
    let done = paymux(&words, &store).await.expect("it is resolved");
    assert!(done.ends_with(" is failed. Next: nothing: it is settled.\n"), "{done}");
    let why = paymux(&["explain", "A-1001"], &store).await.expect("the explanation");
    assert!(why.contains("ann decided: ") && why.contains("the provider said so"), "{why}");
    let waiting = paymux(&["review"], &store).await.expect("the list");
    assert_eq!(waiting, "Nothing waits for a person.\n");
    let twice = paymux(&words, &store).await.expect_err("it was resolved");
    assert!(twice.contains("does not wait for this decision"), "{twice}");
    stage.close().await;
}

#[tokio::test]
async fn a_person_says_under_which_id_the_provider_has_it() {
    let store = OwnStore::new();
    let stage = Box::pin(in_doubt(&store, &["A-1001"])).await;
    let state = stage.sandbox().toffeepay().snapshot();
    let session = state["sessions"][0]["id"].as_str().expect("it was opened").to_owned();
    let words = resolve("A-1001", &["--it-is", &session]);
    let done = paymux(&words, &store).await.expect("it is resolved");
    assert!(done.contains(" is requires_action. Next: "), "{done}");
    let why = paymux(&["explain", "A-1001"], &store).await.expect("the explanation");
    assert!(why.contains(&format!("at toffeepay it is {session}")), "{why}");
    stage.close().await;
}

#[tokio::test]
async fn a_person_lets_pass_what_was_seen_and_nothing_else() {
    let store = OwnStore::new();
    let stage = Box::pin(in_doubt(&store, &["A-1001"])).await;
    let words = resolve("A-1001", &["--dismiss", "mismatch"]);
    let other = paymux(&words, &store).await.expect_err("nothing of that was seen");
    assert!(other.contains("does not wait for this decision"), "{other}");
    let words = resolve("A-1001", &["--accept-amount", "4.99"]);
    let none = paymux(&words, &store).await.expect_err("no amount was taken");
    assert!(none.contains("no amount is in question"), "{none}");
    let words = [&resolve("A-1001", &["--try-again"])[..5], &["--who", "ann"]].concat();
    let words = [&words[..], &["--why", "another one", "--did-nothing"]].concat();
    let words: Vec<&str> = words.into_iter().map(|it| if it == "1" { "2" } else { it }).collect();
    let other = paymux(&words, &store).await.expect_err("there is no second attempt");
    assert!(other.contains("it has no attempt 2"), "{other}");
    let words = resolve("A-1001", &["--dismiss", "still_in_doubt"]);
    let done = paymux(&words, &store).await.expect("it is dismissed");
    assert!(done.contains(" is processing. Next: attempt 1 is looked after again"), "{done}");
    let waiting = paymux(&["review"], &store).await.expect("the list");
    assert_eq!(waiting, "Nothing waits for a person.\n");
    stage.close().await;
}

/// The same call with the same key finds what the lost ones opened.
#[tokio::test]
async fn a_person_has_it_tried_again() {
    let store = OwnStore::new();
    let stage = Box::pin(in_doubt(&store, &["A-1001"])).await;
    let done = paymux(&resolve("A-1001", &["--try-again"]), &store).await.expect("it is tried");
    assert!(done.contains(" is requires_action. Next: "), "{done}");
    let state = stage.sandbox().toffeepay().snapshot();
    assert_eq!(state["sessions"].as_array().map(Vec::len), Some(1), "{state:#}");
    stage.close().await;
}

#[derive(clap::Parser)]
struct Only {
    #[command(flatten)]
    store: StoreArguments,
}

/// What a decision leads to goes by the shop's rules: an account that they pause is left out.
#[tokio::test]
async fn a_decision_follows_the_rules_of_the_shop() {
    for pause in ["", "pause = [\"toffeepay\"]\n"] {
        let store = OwnStore::new();
        let routes = format!("{pause}{ROUTES}");
        let setting = Setting { routes: &routes, ..Setting::usual(store.path()) };
        let (stage, _deliveries) = Box::pin(Stage::open(&setting)).await.expect("the stage opens");
        let orders = orders();
        let order = orders.iter().find(|order| order.id == "A-1001").expect("it is there");
        let request = stage.request_for(order).expect("a request");
        let here = stage.orchestrator().route(&request).expect("a plan").to_string();
        stage.close_shop().await;
        let path = store.path().display().to_string();
        let only = Only::try_parse_from(["only", "--store", &path]).expect("a store");
        let books = Books::open(&only.store).expect("the books open");
        let there = books.orchestrator().route(&request).expect("a plan").to_string();
        let same = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(same(&there), same(&here));
        books.close().await;
        stage.close().await;
    }
}
