//! What the rest of a program does with rules and plans.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "routing/accounts.rs"]
mod accounts;

use paymux_core::{CaptureMethod, Currency, Money, Options, ProviderOptions};
use paymux_orchestrator::routing::{
    Capability, Chosen, Elsewhere, RouteFacts, RoutePlan, Router, Routes, Unfit,
};
use serde::{Deserialize, Serialize};

use accounts::{Accounts, payment};

#[derive(Serialize, Deserialize)]
struct RampOptions {
    invoice: u64,
}

impl ProviderOptions for RampOptions {
    const KIND: &'static str = "ramp";
}

#[derive(Serialize, Deserialize)]
struct ForeignOptions {}

impl ProviderOptions for ForeignOptions {
    const KIND: &'static str = "nobody";
}

/// The rules that the documentation shows.
fn example() -> Router {
    let text = include_str!("../src/routing/example.toml");
    let accounts = Accounts::read();
    let checked = Routes::from_toml(text).unwrap().check(&accounts.list());
    checked.unwrap_or_else(|faults| panic!("{faults}"))
}

fn facts(minor: i128, currency: Currency) -> RouteFacts {
    RouteFacts::new(Money::new(minor, currency).unwrap())
}

#[test]
fn the_documented_rules_are_right_and_each_is_reached() {
    let router = example();
    let rules: Vec<&str> = router.rules().collect();
    assert_eq!(rules.len(), 5);
    for rule in rules {
        let facts = router.example(rule).unwrap();
        assert_eq!(router.plan(&facts, &payment(1)).rule.as_deref(), Some(rule), "{facts:?}");
    }
    assert_eq!(router.example("no such rule"), None);
}

#[test]
fn an_example_has_and_needs_no_more_than_its_rule_asks_for() {
    let accounts = Accounts::read();
    let text = r#"
        [[rule]]
        name = "held"
        when = { capability = ["manual_capture", "mandate"], currency = "USD", kind = "wallet" }
        use = "wallet"
    "#;
    let router = Routes::from_toml(text).unwrap().check(&accounts.list()).unwrap();
    let example = router.example("held").unwrap();
    let mut expected = facts(0, Currency::USD);
    expected.capture = CaptureMethod::Manual;
    expected.has_mandate = true;
    expected.needs = [Capability::ManualCapture, Capability::Mandate].into();
    expected.kinds = ["wallet".to_owned()].into();
    assert_eq!(example, expected);
    assert_eq!(router.plan(&example, &payment(1)).candidates.len(), 1);
}

#[test]
fn the_kinds_of_options_are_those_that_an_account_is_of() {
    let mut options = Options::default();
    assert!(example().kinds_in(&options).is_empty());
    options.set(&RampOptions { invoice: 1 }).unwrap();
    options.set(&ForeignOptions {}).unwrap();
    assert_eq!(example().kinds_in(&options), ["ramp".to_owned()].into());
}

#[test]
fn a_plan_tells_a_program_what_it_tells_a_person() {
    let mut large = facts(50_000, Currency::EUR);
    large.country = Some("DE".to_owned());
    let plan = example().plan(&large, &payment(1));
    let order: Vec<_> =
        plan.candidates.iter().map(|one| (one.account.as_str(), &one.why)).collect();
    assert_eq!(order, [("milky", &Chosen::Listed(1)), ("toffee-eu", &Chosen::Listed(2))]);
    assert_eq!(plan.elsewhere, Elsewhere::Never);

    let mut gold = facts(100, Currency::USD);
    gold.metadata.insert("tier".to_owned(), "gold".to_owned());
    gold.kinds.insert("ramp".to_owned());
    let plan = example().plan(&gold, &payment(1));
    let refused: Vec<_> = plan.refused.iter().map(|one| (one.account.as_str(), &one.why)).collect();
    assert_eq!(refused, [("ramp", &Unfit::FixesAmount), ("wallet", &Unfit::Paused)]);
    assert!(plan.candidates.is_empty());
    assert_eq!(plan.elsewhere, Elsewhere::SoftDeclines);
}

#[test]
fn plans_and_facts_are_stored_and_read_back() {
    for minor in [100, 1_000_000] {
        for (currency, number) in [(Currency::EUR, 1), (Currency::USD, 2), (Currency::GBP, 3)] {
            let mut asked = facts(minor, currency);
            asked.needs.insert(Capability::Refund);
            let plan = example().plan(&asked, &payment(number));
            let text = serde_json::to_string(&plan).unwrap();
            assert_eq!(serde_json::from_str::<RoutePlan>(&text).unwrap(), plan);
            let text = serde_json::to_string(&asked).unwrap();
            assert_eq!(serde_json::from_str::<RouteFacts>(&text).unwrap(), asked);
        }
    }
}

#[test]
fn accounts_of_one_name_are_refused() {
    let accounts = Accounts::read();
    let mut list = accounts.list();
    list.extend(list.first().copied());
    let text = "[[rule]]\nname = 'all'\nuse = 'milky'";
    let faults = Routes::from_toml(text).unwrap().check(&list).unwrap_err();
    let expected = "line 1, column 1: two of the accounts given are called `holder`";
    assert_eq!(faults.to_string(), expected);
}

#[test]
fn text_that_nests_without_end_is_refused_and_not_followed() {
    let accounts = Accounts::read();
    let deep = |open: &str, close: &str| [open.repeat(50_000), close.repeat(50_000)].concat();
    assert!(Routes::from_json(&deep("[", "")).is_err());
    let text = format!(r#"{{ "rule": {} }}"#, deep("[", "]"));
    let routes = Routes::from_json(&text).unwrap();
    assert!(routes.check(&accounts.list()).is_err());
    let text = format!(r#"{{ "rule": {}1{} }}"#, r#"{"a":"#.repeat(50_000), "}".repeat(50_000));
    assert!(Routes::from_json(&text).unwrap().check(&accounts.list()).is_err());
    let toml = format!("rule = {}", deep("[", "]"));
    assert!(Routes::from_toml(&toml).is_err());
}

/// A hundred rules that overlap in everything take no more than a moment to check.
#[test]
fn many_rules_that_cross_are_checked() {
    let accounts = Accounts::read();
    let rule = |place: usize| {
        let (country, method) = (["DE", "AT", "CH"][place % 3], place / 3);
        format!(
            "[[rule]]\nname = \"{place}\"\nuse = \"milky\"\n\
             when = {{ country = \"{country}\", method = \"m{method}\", \
             amount = {{ max = \"{place}.00 EUR\" }}, metadata = {{ k{place} = \"v\" }} }}\n"
        )
    };
    let text: String = (0..100).map(rule).collect();
    let last = "[[rule]]\nname = 'last'\nuse = 'milky'";
    let router = Routes::from_toml(&(text + last)).unwrap().check(&accounts.list()).unwrap();
    assert!(router.example("last").is_some());
}
