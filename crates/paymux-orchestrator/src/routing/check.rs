//! Rules against the accounts there are, and against each other.

use std::collections::{BTreeMap, BTreeSet};

use paymux_core::{Capabilities, Currencies, Currency, Operation, ProviderId};

use super::{
    Account, RouteFaults, Router,
    coverage::{self, Left},
    fault::Faults,
    fees::Fee,
    read::Read,
    rule::{Conditions, Named, Rule, Selection},
};

/// Checks everything that was read; adds to the faults found while reading.
pub(super) fn check(read: &Read, accounts: &[Account<'_>]) -> Result<Router, RouteFaults> {
    let mut check = Check { read, accounts: BTreeMap::new(), faults: read.faults.clone() };
    for account in accounts {
        if check.accounts.insert(account.id, account.capabilities).is_some() {
            let message = format!("two of the accounts given are called `{}`", account.id);
            check.faults.add(0, None, message);
        }
    }
    for (id, (_, at)) in &read.fees {
        check.known(&Named { id: id.clone(), at: *at }, None);
    }
    for named in &read.paused {
        check.known(named, None);
    }
    for (place, rule) in read.rules.iter().enumerate() {
        check.rule(rule);
        check.reached(place, rule);
    }
    let owned = |(id, capabilities): (&&ProviderId, &&Capabilities)| {
        ((*id).clone(), (*capabilities).clone())
    };
    let accounts = check.accounts.iter().map(owned).collect();
    check.faults.into_result()?;
    let fees = read.fees.iter().map(|(id, (fee, _))| (id.clone(), fee.clone()));
    let paused = read.paused.iter().map(|named| named.id.clone());
    Ok(Router {
        rules: read.rules.clone(),
        accounts,
        fees: fees.collect(),
        paused: paused.collect(),
    })
}

struct Check<'a> {
    read: &'a Read,
    accounts: BTreeMap<&'a ProviderId, &'a Capabilities>,
    faults: Faults,
}

impl<'a> Check<'a> {
    fn known(&mut self, named: &Named, rule: Option<&str>) -> Option<&'a Capabilities> {
        let known = self.accounts.get(&named.id).copied();
        if known.is_none() {
            let there: Vec<&str> = self.accounts.keys().map(|id| id.as_str()).collect();
            let there = there.join("`, `");
            let message = format!("there is no account `{}`; there are `{there}`", named.id);
            self.faults.add(named.at, rule, message);
        }
        known
    }

    fn rule(&mut self, rule: &Rule) {
        let mut known: Vec<(&Named, &Capabilities)> = Vec::new();
        let named = rule.selection.accounts();
        for account in &named {
            if let Some(capabilities) = self.known(account, Some(&rule.name)) {
                self.account(rule, account, capabilities);
                known.push((account, capabilities));
            }
        }
        self.one_world(rule, &known);
        self.kinds(rule);
        // With an account missing, what the others lack together cannot be said.
        if known.len() == named.len() {
            self.currencies(rule, &known);
        }
        if matches!(rule.selection, Selection::Cheapest(_)) {
            for (account, capabilities) in known {
                self.fee(rule, account, capabilities);
            }
        }
    }

    /// What a single account must have to stand in the rule.
    fn account(&mut self, rule: &Rule, account: &Named, capabilities: &Capabilities) {
        let mut fault = |message: String| self.faults.add(account.at, Some(&rule.name), message);
        if !capabilities.has(Operation::CreatePayment) {
            fault(format!("`{}` cannot open payments", account.id));
        }
        for capability in &rule.when.capability {
            if !capability.is_in(capabilities) {
                fault(format!("`{}` lacks `{capability}`, which the rule is for", account.id));
            }
        }
        let currencies = &rule.places.currencies;
        let takes = |currency: &Currency| capabilities.currencies.contains(*currency);
        if !currencies.is_empty() && !currencies.iter().any(|(currency, _)| takes(currency)) {
            let codes: Vec<&str> = currencies.iter().map(|(currency, _)| currency.code()).collect();
            let codes = codes.join(", ");
            fault(format!("`{}` takes no currency of the rule: {codes}", account.id));
        }
    }

    /// Each currency the rule names needs an account that takes it.
    fn currencies(&mut self, rule: &Rule, accounts: &[(&Named, &Capabilities)]) {
        for (currency, at) in &rule.places.currencies {
            if !accounts.iter().any(|(_, account)| account.currencies.contains(*currency)) {
                let message = format!("no account of the rule takes {currency}");
                self.faults.add(*at, Some(&rule.name), message);
            }
        }
    }

    /// Failing over from real money to test money would ship goods for nothing.
    fn one_world(&mut self, rule: &Rule, accounts: &[(&Named, &Capabilities)]) {
        let Some((first, world)) = accounts.first() else { return };
        let other = accounts.iter().find(|(_, account)| account.live != world.live);
        if let Some((other, account)) = other {
            let (real, test) = if account.live { (other, first) } else { (first, other) };
            let message = format!("`{}` moves real money and `{}` does not", real.id, test.id);
            self.faults.add(other.at, Some(&rule.name), message);
        }
    }

    fn kinds(&mut self, rule: &Rule) {
        let there: BTreeSet<&str> = self.accounts.values().map(|account| account.kind).collect();
        for (kind, at) in &rule.places.kinds {
            if !there.contains(kind.as_str()) {
                let there: Vec<&str> = there.iter().copied().collect();
                let there = there.join("`, `");
                let message = format!("no account is of kind `{kind}`; there are `{there}`");
                self.faults.add(*at, Some(&rule.name), message);
            }
        }
    }

    /// An account that is chosen by its cost needs a fee in every currency that it may be asked
    /// to take.
    fn fee(&mut self, rule: &Rule, account: &Named, capabilities: &Capabilities) {
        let id = &account.id;
        let mut fault = |message: String| self.faults.add(account.at, Some(&rule.name), message);
        let Some((fee, _)) = self.read.fees.get(id) else {
            return fault(format!("`{id}` is compared by cost and has no `[fees.{id}]`"));
        };
        let Some(currencies) = asked_of(&rule.when, capabilities) else {
            if let Some(currency) = stated(fee) {
                let message = format!(
                    "the fee of `{id}` is stated in {currency}, and the rule takes every \
                     currency: name those it takes in `when.currency`"
                );
                fault(message);
            }
            return;
        };
        for currency in currencies {
            if let Some(member) = fee.silent_on(currency) {
                let message = format!(
                    "the fee of `{id}` says no `{member}` in {currency}, so its cost cannot be \
                     compared there"
                );
                fault(message);
            }
        }
    }

    /// Is there a payment that no earlier rule takes?
    fn reached(&mut self, place: usize, rule: &Rule) {
        let before = &self.read.rules[..place];
        let earlier: Vec<&Conditions> = before.iter().map(|earlier| &earlier.when).collect();
        if !matches!(coverage::left(&rule.when, &earlier), Left::Nothing) {
            return;
        }
        let covering = coverage::cover(&rule.when, &earlier);
        let name = |place: &usize| {
            let earlier = &before[*place];
            format!("`{}` in line {}", earlier.name, self.faults.line(earlier.at))
        };
        let names: Vec<String> = covering.iter().map(name).collect();
        let message = match names.as_slice() {
            [one] => format!("is never reached: rule {one} takes every payment that it would"),
            many => format!(
                "is never reached: rules {} together take every payment that it would",
                many.join(" and ")
            ),
        };
        self.faults.add(rule.at, Some(&rule.name), message);
    }
}

/// The currencies in which an account may be asked by a rule; `None` for any at all.
fn asked_of(when: &Conditions, account: &Capabilities) -> Option<Vec<Currency>> {
    match (&when.money, &account.currencies) {
        (Some(money), taken) => {
            let currencies = money.keys().copied();
            Some(currencies.filter(|currency| taken.contains(*currency)).collect())
        }
        (None, Currencies::Only(set)) => Some(set.iter().copied().collect()),
        (None, Currencies::Any) => None,
    }
}

/// A currency in which a part of the fee is stated.
fn stated(fee: &Fee) -> Option<Currency> {
    [&fee.fixed, &fee.min, &fee.max].into_iter().find_map(|prices| prices.keys().next()).copied()
}
