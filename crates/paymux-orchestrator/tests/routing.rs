//! Rules and the ways that payments go by them, as data: `routing/plans` has rules that are right
//! with payments and their plans, `routing/faults` rules that are wrong with everything that is
//! said of them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "routing/accounts.rs"]
mod accounts;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use libtest_mimic::{Arguments, Failed, Trial};
use paymux_core::{CaptureMethod, Money};
use paymux_orchestrator::routing::{Capability, RouteFacts, RouteFaults, Router, Routes};
use serde::Deserialize;

use accounts::{Accounts, payment};

/// Rules, and what becomes of payments by them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plans {
    routes: String,
    case: Vec<PlanCase>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanCase {
    name: String,
    payment: String,
    #[serde(default)]
    id: u64,
    country: Option<String>,
    method: Option<String>,
    capture: Option<CaptureMethod>,
    #[serde(default)]
    mandate: bool,
    #[serde(default)]
    kinds: BTreeSet<String>,
    #[serde(default)]
    needs: BTreeSet<Capability>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    accepts_provider_amount: bool,
    /// The plan, printed.
    plan: String,
}

/// Rules that are wrong, and what is said of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Faulty {
    case: Vec<FaultCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultCase {
    name: String,
    toml: Option<String>,
    json: Option<String>,
    /// One line for each; none when the rules are right.
    faults: Vec<String>,
}

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for (file, text) in files("plans") {
        let plans: Plans = toml::from_str(&text).unwrap_or_else(|fault| panic!("{file}: {fault}"));
        for case in plans.case {
            let routes = plans.routes.clone();
            let name = format!("{file}::{}", case.name);
            trials.push(Trial::test(name, move || plan(&routes, case)));
        }
    }
    for (file, text) in files("faults") {
        let faulty: Faulty =
            toml::from_str(&text).unwrap_or_else(|fault| panic!("{file}: {fault}"));
        for case in faulty.case {
            let name = format!("{file}::{}", case.name);
            trials.push(Trial::test(name, move || faults(&case)));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The files of a folder, by name, with their text.
fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/routing").join(folder);
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    paths.into_iter().map(read).collect()
}

fn money(text: &str) -> Money {
    let (figure, currency) = text.split_once(' ').unwrap();
    Money::parse(figure, currency.parse().unwrap()).unwrap()
}

fn same(found: &str, expected: &str) -> Result<(), Failed> {
    if found.trim() == expected.trim() {
        Ok(())
    } else {
        Err(format!("found:\n{found}\nexpected:\n{expected}").into())
    }
}

fn plan(routes: &str, case: PlanCase) -> Result<(), Failed> {
    let accounts = Accounts::read();
    let router = Routes::from_toml(routes)?.check(&accounts.list())?;
    let mut facts = RouteFacts::new(money(&case.payment));
    facts.country = case.country;
    facts.method = case.method;
    facts.capture = case.capture.unwrap_or(facts.capture);
    facts.has_mandate = case.mandate;
    facts.kinds = case.kinds;
    facts.needs = case.needs;
    facts.metadata = case.metadata;
    facts.accepts_provider_amount = case.accepts_provider_amount;
    same(&router.plan(&facts, &payment(case.id)).to_string(), &case.plan)
}

fn check(case: &FaultCase) -> Result<Router, RouteFaults> {
    let accounts = Accounts::read();
    let routes = match (&case.toml, &case.json) {
        (Some(text), None) => Routes::from_toml(text)?,
        (None, Some(text)) => Routes::from_json(text)?,
        (Some(_), Some(_)) | (None, None) => panic!("a case is either TOML or JSON"),
    };
    routes.check(&accounts.list())
}

fn faults(case: &FaultCase) -> Result<(), Failed> {
    let found = match check(case) {
        Ok(_) => String::new(),
        Err(faults) => faults.to_string(),
    };
    same(&found, &case.faults.join("\n"))
}
