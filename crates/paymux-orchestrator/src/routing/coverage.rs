//! Which payments are left for a rule by those before it.
//!
//! A rule's conditions describe a region: amounts of currencies, sets of words, kinds and needs
//! that are there or not. Taking an earlier rule away from a region leaves, for each of its
//! conditions, the part that does not meet it. Whatever part no earlier rule meets is proof that
//! the rule is reached; when no part is left, it never is. Both answers are exact.
//!
//! The parts can multiply, so the search ends after a number of steps that no sensible set of
//! rules comes near. It then says nothing: a rule is only called unreachable with proof.

use std::collections::{BTreeMap, BTreeSet};

use paymux_core::{CaptureMethod, Currency, Money};

use super::{
    facts::{Capability, RouteFacts},
    rule::Conditions,
};

mod sets;

use sets::{MoneySet, TextSet};

/// How many parts are looked at before a search is given up.
const STEPS: u32 = 50_000;

/// What earlier rules leave of a rule.
pub(super) enum Left {
    /// A payment that none of them takes.
    Payment(Box<RouteFacts>),
    /// Nothing.
    Nothing,
    /// The search was given up.
    Unknown,
}

/// Looks for a payment that these conditions take and none of the earlier ones does.
pub(super) fn left(conditions: &Conditions, earlier: &[&Conditions]) -> Left {
    let region = Region::of(conditions);
    if region.is_empty() {
        return Left::Nothing;
    }
    search(&region, earlier, &mut { STEPS })
}

/// Of the earlier rules, by their places, some that cover the conditions and of which none can be
/// left out.
pub(super) fn cover(conditions: &Conditions, earlier: &[&Conditions]) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..earlier.len()).collect();
    // A broad rule usually stands late, so the narrow early ones are left out first.
    for place in 0..earlier.len() {
        let without: Vec<usize> = kept.iter().copied().filter(|other| *other != place).collect();
        let rest: Vec<&Conditions> = without.iter().map(|other| earlier[*other]).collect();
        if matches!(left(conditions, &rest), Left::Nothing) {
            kept = without;
        }
    }
    kept
}

fn search(region: &Region, earlier: &[&Conditions], steps: &mut u32) -> Left {
    *steps = steps.saturating_sub(1);
    if *steps == 0 {
        return Left::Unknown;
    }
    // Rules that do not meet the region do not meet a part of it either.
    let Some(place) = earlier.iter().position(|rule| region.meets(rule)) else {
        return region.example().map_or(Left::Unknown, |facts| Left::Payment(Box::new(facts)));
    };
    for part in region.without(earlier[place]) {
        match search(&part, &earlier[place + 1..], steps) {
            Left::Nothing => {}
            found @ (Left::Payment(_) | Left::Unknown) => return found,
        }
    }
    Left::Nothing
}

/// A set of payments.
#[derive(Clone, Debug)]
struct Region {
    money: MoneySet,
    country: TextSet,
    method: TextSet,
    /// Keys that are not here can have any value, or none.
    metadata: BTreeMap<String, TextSet>,
    /// Options of at least one of these kinds are there.
    kinds: Option<BTreeSet<String>>,
    /// Options of none of these kinds are.
    absent: BTreeSet<String>,
    needs: BTreeSet<Capability>,
    lacks: BTreeSet<Capability>,
}

impl Region {
    fn of(conditions: &Conditions) -> Self {
        let text = |set: &Option<BTreeSet<String>>| {
            set.as_ref().map_or_else(TextSet::all, |set| TextSet::In(set.clone()))
        };
        let metadata = conditions.metadata.iter();
        Self {
            money: MoneySet::of(conditions.money.as_ref()),
            country: text(&conditions.country),
            method: text(&conditions.method),
            metadata: metadata
                .map(|(key, values)| (key.clone(), TextSet::In(values.clone())))
                .collect(),
            kinds: conditions.kind.clone(),
            absent: BTreeSet::new(),
            needs: conditions.capability.clone(),
            lacks: BTreeSet::new(),
        }
    }

    fn is_empty(&self) -> bool {
        self.money.is_empty()
            || self.country.is_empty()
            || self.method.is_empty()
            || self.metadata.values().any(TextSet::is_empty)
            || self.kinds.as_ref().is_some_and(|kinds| kinds.is_subset(&self.absent))
            || !self.needs.is_disjoint(&self.lacks)
    }

    /// Is there a payment in the region that meets the conditions?
    fn meets(&self, conditions: &Conditions) -> bool {
        let text = |ours: &TextSet, theirs: &Option<BTreeSet<String>>| {
            theirs.as_ref().is_none_or(|theirs| ours.meets(theirs))
        };
        let metadata = conditions.metadata.iter().all(|(key, values)| {
            self.metadata.get(key).map_or(!values.is_empty(), |ours| ours.meets(values))
        });
        conditions.money.as_ref().is_none_or(|money| self.money.meets(money))
            && text(&self.country, &conditions.country)
            && text(&self.method, &conditions.method)
            && metadata
            && conditions.kind.as_ref().is_none_or(|kinds| !kinds.is_subset(&self.absent))
            && conditions.capability.is_disjoint(&self.lacks)
    }

    /// The parts of the region that do not meet the conditions, one for each condition.
    fn without(&self, conditions: &Conditions) -> Vec<Self> {
        let mut parts = Vec::new();
        if let Some(money) = &conditions.money {
            parts.push(Self { money: self.money.without(money), ..self.clone() });
        }
        if let Some(countries) = &conditions.country {
            parts.push(Self { country: self.country.without(countries), ..self.clone() });
        }
        if let Some(methods) = &conditions.method {
            parts.push(Self { method: self.method.without(methods), ..self.clone() });
        }
        for (key, values) in &conditions.metadata {
            let mut part = self.clone();
            let ours = part.metadata.entry(key.clone()).or_insert_with(TextSet::all);
            *ours = ours.without(values);
            parts.push(part);
        }
        if let Some(kinds) = &conditions.kind {
            let mut part = self.clone();
            part.absent.extend(kinds.iter().cloned());
            parts.push(part);
        }
        for capability in &conditions.capability {
            let mut part = self.clone();
            part.lacks.insert(*capability);
            parts.push(part);
        }
        parts.retain(|part| !part.is_empty());
        parts
    }

    /// A payment in the region that has and needs no more than it must.
    fn example(&self) -> Option<RouteFacts> {
        let mut facts = RouteFacts::new(self.money.example()?);
        facts.country = self.country.example();
        facts.method = self.method.example();
        let values = self.metadata.iter();
        facts.metadata =
            values.filter_map(|(key, set)| Some((key.clone(), set.example()?))).collect();
        let kinds = self.kinds.iter().flatten();
        facts.kinds = kinds.filter(|kind| !self.absent.contains(*kind)).take(1).cloned().collect();
        facts.has_mandate = self.needs.contains(&Capability::Mandate);
        if self.needs.contains(&Capability::ManualCapture) {
            facts.capture = CaptureMethod::Manual;
        }
        facts.needs = self.needs.clone();
        Some(facts)
    }
}
