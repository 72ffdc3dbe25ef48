//! What holds for any rules and any payment.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "routing/accounts.rs"]
mod accounts;

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use paymux_core::{Currency, Money};
use paymux_orchestrator::routing::{Capability, RouteFacts, Router, Routes};
use proptest::{prelude::*, sample::subsequence, test_runner::RngSeed};

use accounts::{Accounts, payment};

/// The same cases on every run, and no file of failures beside the source.
fn repeatable(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(6),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

const COUNTRIES: [&str; 2] = ["AT", "DE"];
const METHODS: [&str; 2] = ["card", "transfer"];
const VALUES: [&str; 2] = ["gold", "silver"];
const KINDS: [&str; 2] = ["ramp", "wallet"];
const NEEDS: [Capability; 2] = [Capability::Refund, Capability::Cancel];
/// Rules draw the ends of their ranges from these minor units; payments have one more.
const MOST: i128 = 2;

/// A rule's conditions, as the tests understand them.
#[derive(Clone, Debug, Default)]
struct When {
    /// A range for each currency; both ends included.
    money: Option<BTreeMap<&'static str, (i128, i128)>>,
    country: Option<Vec<&'static str>>,
    method: Option<Vec<&'static str>>,
    tier: Option<Vec<&'static str>>,
    kind: Option<Vec<&'static str>>,
    capability: Option<Vec<Capability>>,
}

impl When {
    fn takes(&self, facts: &RouteFacts) -> bool {
        let said = |words: &Option<Vec<&'static str>>, fact: Option<&String>| match (words, fact) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(words), Some(fact)) => words.contains(&fact.as_str()),
        };
        let in_range = |money: &BTreeMap<&'static str, (i128, i128)>| {
            let range = money.get(facts.amount.currency().code());
            range.is_some_and(|(min, max)| (*min..=*max).contains(&facts.amount.minor()))
        };
        self.money.as_ref().is_none_or(in_range)
            && said(&self.country, facts.country.as_ref())
            && said(&self.method, facts.method.as_ref())
            && said(&self.tier, facts.metadata.get("tier"))
            && self
                .kind
                .as_ref()
                .is_none_or(|kinds| kinds.iter().any(|kind| facts.kinds.contains(*kind)))
            && self
                .capability
                .as_ref()
                .is_none_or(|needs| needs.iter().all(|need| facts.needs.contains(need)))
    }

    /// As a rule says it; nothing when it says nothing.
    fn toml(&self) -> String {
        let mut members = Vec::new();
        if let Some(money) = &self.money {
            let range = |(code, (min, max)): (&&str, &(i128, i128))| {
                format!("{{ min = \"0.0{min} {code}\", max = \"0.0{max} {code}\" }}")
            };
            let ranges: Vec<String> = money.iter().map(range).collect();
            members.push(format!("amount = [{}]", ranges.join(", ")));
        }
        let lists = [("country", &self.country), ("method", &self.method), ("kind", &self.kind)];
        for (name, words) in lists {
            members.extend(words.as_ref().map(|words| format!("{name} = {words:?}")));
        }
        members.extend(self.tier.as_ref().map(|tier| format!("metadata = {{ tier = {tier:?} }}")));
        if let Some(needs) = &self.capability {
            let words: Vec<&str> = needs.iter().map(|need| need.as_str()).collect();
            members.push(format!("capability = {words:?}"));
        }
        if members.is_empty() {
            String::new()
        } else {
            format!("when = {{ {} }}\n", members.join(", "))
        }
    }
}

fn some_of<T: Clone + std::fmt::Debug + 'static>(
    all: &'static [T],
) -> impl Strategy<Value = Option<Vec<T>>> {
    // Most rules say little, or none would ever cover another.
    prop_oneof![4 => Just(None), 1 => subsequence(all, 1..=all.len()).prop_map(Some)]
}

fn some_money() -> impl Strategy<Value = Option<BTreeMap<&'static str, (i128, i128)>>> {
    let range = || (0..=MOST, 0..=MOST).prop_map(|(one, other)| (one.min(other), one.max(other)));
    let ranges = (range(), range(), 0..3_u8).prop_map(|(euros, dollars, which)| {
        let mut money = BTreeMap::from([("EUR", euros), ("USD", dollars)]);
        match which {
            0 => drop(money.remove("EUR")),
            1 => drop(money.remove("USD")),
            _ => {}
        }
        money
    });
    prop_oneof![2 => Just(None), 3 => ranges.prop_map(Some)]
}

fn any_when() -> impl Strategy<Value = When> {
    let words = (some_of(&COUNTRIES), some_of(&METHODS), some_of(&VALUES), some_of(&KINDS));
    (some_money(), words, some_of(&NEEDS)).prop_map(
        |(money, (country, method, tier, kind), capability)| When {
            money,
            country,
            method,
            tier,
            kind,
            capability,
        },
    )
}

/// Rules named by their places, all with an account that has every need.
fn toml_of(rules: &[(usize, When)]) -> String {
    let mut text = String::new();
    for (place, when) in rules {
        let when = when.toml();
        writeln!(text, "[[rule]]\nname = \"{place}\"\n{when}use = \"toffee-eu\"").unwrap();
    }
    text
}

fn router(text: &str) -> Router {
    let accounts = Accounts::read();
    let routes = Routes::from_toml(text).unwrap_or_else(|faults| panic!("{faults}\n{text}"));
    routes.check(&accounts.list()).unwrap_or_else(|faults| panic!("{faults}\n{text}"))
}

/// Each word, and none.
fn or_none(words: &[&str]) -> Vec<Option<String>> {
    let said = words.iter().chain(&["other"]).map(|word| Some((*word).to_owned()));
    said.chain([None]).collect()
}

fn subsets<T: Ord + Clone>(all: &[T; 2]) -> [BTreeSet<T>; 4] {
    let [one, two] = all.clone();
    [
        BTreeSet::new(),
        BTreeSet::from([one.clone()]),
        BTreeSet::from([two.clone()]),
        BTreeSet::from([one, two]),
    ]
}

/// Payments that differ in everything that these rules can tell apart. Any other payment is, to
/// them, like one of these.
fn all_payments() -> Vec<RouteFacts> {
    let mut all = Vec::new();
    let usd = || (0..=MOST + 1).map(|minor| (minor, Currency::USD));
    let amounts = (0..=MOST + 1).map(|minor| (minor, Currency::EUR)).chain(usd());
    for (minor, currency) in amounts.chain([(1, Currency::GBP)]) {
        for country in or_none(&COUNTRIES) {
            for method in or_none(&METHODS) {
                for tier in or_none(&VALUES) {
                    for kinds in subsets(&KINDS.map(str::to_owned)) {
                        for needs in subsets(&NEEDS) {
                            let mut facts = RouteFacts::new(Money::new(minor, currency).unwrap());
                            facts.country = country.clone();
                            facts.method = method.clone();
                            facts.metadata.extend(tier.clone().map(|t| ("tier".to_owned(), t)));
                            facts.kinds = kinds.clone();
                            facts.needs = needs;
                            all.push(facts);
                        }
                    }
                }
            }
        }
    }
    all
}

/// The rules that take at least one payment before all others, by trying every payment.
fn reached(rules: &[(usize, When)], payments: &[RouteFacts]) -> BTreeSet<usize> {
    let first = |facts: &RouteFacts| rules.iter().find(|(_, when)| when.takes(facts));
    payments.iter().filter_map(first).map(|(place, _)| *place).collect()
}

/// The rules that are said to be never reached.
fn said_unreached(text: &str) -> BTreeSet<usize> {
    let accounts = Accounts::read();
    match Routes::from_toml(text).unwrap().check(&accounts.list()) {
        Ok(_) => BTreeSet::new(),
        Err(faults) => faults
            .iter()
            .map(|fault| {
                assert!(fault.message.starts_with("is never reached"), "{fault}\n{text}");
                fault.rule.as_ref().unwrap().parse().unwrap()
            })
            .collect(),
    }
}

#[test]
fn a_rule_is_called_unreachable_exactly_when_no_payment_reaches_it() {
    let payments = all_payments();
    let rules = prop::collection::vec(any_when(), 1..7);
    // How many rules were of either sort: without both, nothing would be proved.
    let (covered, open) = (Cell::new(0), Cell::new(0));
    let mut runner = proptest::test_runner::TestRunner::new(repeatable(80));
    let test = runner.run(&rules.no_shrink(), |rules| {
        let rules: Vec<(usize, When)> = rules.into_iter().enumerate().collect();
        let reached = reached(&rules, &payments);
        let unreached = said_unreached(&toml_of(&rules));
        let all: BTreeSet<usize> = (0..rules.len()).collect();
        covered.set(covered.get() + unreached.len());
        open.set(open.get() + reached.len());
        prop_assert_eq!(&all - &reached, unreached, "{}", toml_of(&rules));

        // What is left routes every payment as the tests understand the rules, and each rule
        // shows a payment of its own.
        let kept: Vec<(usize, When)> =
            rules.into_iter().filter(|(place, _)| reached.contains(place)).collect();
        let router = router(&toml_of(&kept));
        for facts in payments.iter().step_by(7) {
            let first = kept.iter().find(|(_, when)| when.takes(facts));
            let rule = router.plan(facts, &payment(1)).rule;
            prop_assert_eq!(rule, first.map(|(place, _)| place.to_string()));
        }
        for (place, _) in &kept {
            let name = place.to_string();
            let example = router.example(&name).unwrap();
            prop_assert_eq!(router.plan(&example, &payment(1)).rule, Some(name));
        }
        Ok(())
    });
    test.unwrap();
    assert!(covered.get() > 50 && open.get() > 150, "{} and {}", covered.get(), open.get());
}

/// The first account of each of so many payments.
fn first_accounts(router: &Router, payments: u64) -> Vec<String> {
    let facts = RouteFacts::new(Money::new(100, Currency::EUR).unwrap());
    let first = |number| router.plan(&facts, &payment(number)).candidates[0].account.to_string();
    (0..payments).map(first).collect()
}

/// Is this many of so many within six standard deviations of its share? In whole numbers: the
/// variance of the count is `n · w/W · (W - w)/W`.
fn near(count: usize, of: usize, weight: u32, total: u32) -> bool {
    let [count, of] = [count, of].map(|figure| i128::try_from(figure).unwrap());
    let (weight, total) = (i128::from(weight), i128::from(total));
    let off = count * total - of * weight;
    off * off <= 36 * of * weight * (total - weight)
}

fn split_of(weights: &[(&str, u32)], more: &str) -> Router {
    let members: Vec<String> =
        weights.iter().map(|(account, weight)| format!("{account} = {weight}")).collect();
    let text = format!("{more}\n[[rule]]\nname = \"s\"\nsplit = {{ {} }}\n", members.join(", "));
    router(&text)
}

proptest! {
    #![proptest_config(repeatable(12))]

    #[test]
    fn each_account_gets_its_share(weights in prop::array::uniform3(1_u32..1_000)) {
        let [milky, wallet, toffee] = weights;
        let named = [("milky", milky), ("wallet", wallet), ("toffee-eu", toffee)];
        let total = weights.iter().sum();
        let firsts = first_accounts(&split_of(&named, ""), 2_000);
        for (account, weight) in named {
            let count = firsts.iter().filter(|first| *first == account).count();
            prop_assert!(near(count, firsts.len(), weight, total), "{account}: {count}");
        }
    }

    #[test]
    fn a_pause_moves_the_payments_of_that_account_only_and_by_weight(
        weights in prop::array::uniform3(1_u32..1_000),
    ) {
        let [milky, wallet, toffee] = weights;
        let named = [("milky", milky), ("wallet", wallet), ("toffee-eu", toffee)];
        let before = first_accounts(&split_of(&named, ""), 2_000);
        let after = first_accounts(&split_of(&named, "pause = \"toffee-eu\""), 2_000);
        let (mut moved, mut to_milky) = (0, 0);
        for (before, after) in before.iter().zip(&after) {
            if before == "toffee-eu" {
                moved += 1;
                to_milky += usize::from(after == "milky");
                prop_assert_ne!(after, "toffee-eu");
            } else {
                prop_assert_eq!(before, after);
            }
        }
        prop_assert!(near(to_milky, moved, milky, milky + wallet), "{to_milky} of {moved}");
    }

    #[test]
    fn the_same_payment_always_goes_the_same_way(
        number: u32,
        weights in prop::array::uniform3(0_u32..9),
    ) {
        prop_assume!(weights.iter().sum::<u32>() > 0);
        let [milky, wallet, toffee] = weights;
        let mut named = [("milky", milky), ("wallet", wallet), ("toffee-eu", toffee)];
        let facts = RouteFacts::new(Money::new(100, Currency::EUR).unwrap());
        let id = payment(number.into());
        let one = split_of(&named, "").plan(&facts, &id);
        // Another process, and a file in another order.
        named.reverse();
        let other = split_of(&named, "").plan(&facts, &id);
        prop_assert_eq!(one, other);
    }
}

/// The rules that the documentation shows. Most of what a rule can say is said there.
const EXAMPLE: &str = include_str!("../src/routing/example.toml");

proptest! {
    #![proptest_config(repeatable(1_000))]

    /// Whatever is typed, reading it ends with rules or with faults that point into the text.
    #[test]
    fn a_slip_of_the_hand_is_found_or_harmless(
        at in 0..EXAMPLE.len(),
        length in 0_usize..6,
        typed in "[a-z0-9\\[\\]{}=\",.\n ö-]{0,4}",
    ) {
        prop_assume!(EXAMPLE.is_char_boundary(at));
        let end = (at + length).min(EXAMPLE.len());
        prop_assume!(EXAMPLE.is_char_boundary(end));
        let text = [&EXAMPLE[..at], &typed, &EXAMPLE[end..]].concat();
        let accounts = Accounts::read();
        for routes in [Routes::from_toml(&text), Routes::from_json(&text)] {
            let faults = match routes.and_then(|routes| routes.check(&accounts.list())) {
                Ok(_) => continue,
                Err(faults) => faults,
            };
            prop_assert!(faults.iter().next().is_some());
            for fault in faults.iter() {
                let line = text.split('\n').nth(fault.line - 1);
                let columns = line.map(|line| line.chars().count());
                let points_there = |all| (1..=all + 1).contains(&fault.column);
                prop_assert!(columns.is_some_and(points_there), "{fault}\n{text}");
            }
        }
    }
}
