//! A rule, as it was read.

use std::collections::{BTreeMap, BTreeSet};

use paymux_core::{Currency, ProviderId};
use serde::{Deserialize, Serialize};

use super::facts::{Capability, RouteFacts};

/// What a rule says on trying a payment that was declined at the next account. It speaks of
/// declines alone: a payment that was never sent is always tried at the next account, one in doubt
/// never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Elsewhere {
    /// After a refusal that was not said for good and is not the payer's to mend.
    #[default]
    SoftDeclines,
    /// Never: the first decline ends the payment.
    Never,
}

/// An account as a rule names it, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) id: ProviderId,
    pub(super) at: usize,
}

/// How a rule orders its accounts.
#[derive(Clone, Debug)]
pub(super) enum Selection {
    /// As written.
    Listed(Vec<Named>),
    /// By weight: each payment draws its order.
    Shared(Vec<(Named, u32)>),
    /// By what each charges, the least first.
    Cheapest(Vec<Named>),
}

impl Selection {
    pub(super) fn accounts(&self) -> Vec<&Named> {
        match self {
            Self::Listed(accounts) | Self::Cheapest(accounts) => accounts.iter().collect(),
            Self::Shared(accounts) => accounts.iter().map(|(account, _)| account).collect(),
        }
    }
}

/// Amounts in minor units, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    pub(super) min: i128,
    pub(super) max: i128,
}

impl Range {
    /// Every amount there is.
    pub(super) const ALL: Self = Self { min: 0, max: i128::MAX };

    pub(super) fn contains(self, minor: i128) -> bool {
        self.min <= minor && minor <= self.max
    }
}

/// What a rule asks of a payment. What is not said matches everything; what is said must all hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {
    /// The amounts of each currency; no other currency matches.
    pub(super) money: Option<BTreeMap<Currency, Vec<Range>>>,
    pub(super) country: Option<BTreeSet<String>>,
    pub(super) method: Option<BTreeSet<String>>,
    /// One of the values, for each key.
    pub(super) metadata: BTreeMap<String, BTreeSet<String>>,
    /// Options for at least one of these kinds are there.
    pub(super) kind: Option<BTreeSet<String>>,
    /// All of these are needed.
    pub(super) capability: BTreeSet<Capability>,
}

impl Conditions {
    pub(super) fn match_facts(&self, facts: &RouteFacts) -> bool {
        let one_of = |set: &Option<BTreeSet<String>>, fact: &Option<String>| {
            set.as_ref().is_none_or(|set| fact.as_ref().is_some_and(|fact| set.contains(fact)))
        };
        let money = self.money.as_ref().is_none_or(|money| {
            let ranges = money.get(&facts.amount.currency());
            ranges.is_some_and(|all| all.iter().any(|range| range.contains(facts.amount.minor())))
        });
        let metadata = self.metadata.iter().all(|(key, values)| {
            facts.metadata.get(key).is_some_and(|value| values.contains(value))
        });
        money
            && one_of(&self.country, &facts.country)
            && one_of(&self.method, &facts.method)
            && metadata
            && self.kind.as_ref().is_none_or(|kinds| !kinds.is_disjoint(&facts.kinds))
            && self.capability.iter().all(|capability| facts.needs(*capability))
    }
}

/// A rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// Its name, or its place where it has none.
    pub(super) name: String,
    pub(super) at: usize,
    pub(super) when: Conditions,
    /// Where its conditions stand, for faults: the rule itself when it has none.
    pub(super) places: Places,
    pub(super) selection: Selection,
    pub(super) paused: Vec<Named>,
    pub(super) elsewhere: Elsewhere,
}

/// Where the conditions of a rule stand that are checked against accounts.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// Each currency that is named, by `currency` or else by `amount`.
    pub(super) currencies: Vec<(Currency, usize)>,
    pub(super) kinds: Vec<(String, usize)>,
}
