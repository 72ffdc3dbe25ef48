//! Sets of amounts and of words, of which all but a few can be members.

use std::collections::{BTreeMap, BTreeSet};

use super::{Currency, Money};
use crate::routing::rule::Range;

/// Words that a payment may say, or leave unsaid.
#[derive(Clone, Debug)]
pub(super) enum TextSet {
    /// One of these.
    In(BTreeSet<String>),
    /// Anything else, or nothing.
    NotIn(BTreeSet<String>),
}

impl TextSet {
    pub(super) fn all() -> Self {
        Self::NotIn(BTreeSet::new())
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::In(words) => words.is_empty(),
            Self::NotIn(_) => false,
        }
    }

    pub(super) fn meets(&self, words: &BTreeSet<String>) -> bool {
        match self {
            Self::In(ours) => !ours.is_disjoint(words),
            Self::NotIn(not_ours) => !words.is_subset(not_ours),
        }
    }

    pub(super) fn without(&self, words: &BTreeSet<String>) -> Self {
        match self {
            Self::In(ours) => Self::In(ours.difference(words).cloned().collect()),
            Self::NotIn(not_ours) => Self::NotIn(not_ours.union(words).cloned().collect()),
        }
    }

    /// A word of the set; none where it may be left unsaid.
    pub(super) fn example(&self) -> Option<String> {
        match self {
            Self::In(words) => words.first().cloned(),
            Self::NotIn(_) => None,
        }
    }
}

/// Amounts of money.
#[derive(Clone, Debug)]
pub(super) struct MoneySet {
    /// The amounts of these currencies, in ranges that do not overlap.
    listed: BTreeMap<Currency, Vec<Range>>,
    /// Are all amounts of every other currency in the set, too?
    others: bool,
}

impl MoneySet {
    pub(super) fn of(ranges: Option<&BTreeMap<Currency, Vec<Range>>>) -> Self {
        match ranges {
            None => Self { listed: BTreeMap::new(), others: true },
            Some(ranges) => Self { listed: ranges.clone(), others: false },
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.others && self.listed.values().all(Vec::is_empty)
    }

    fn amounts(&self, currency: &Currency) -> &[Range] {
        const ALL: &[Range] = &[Range::ALL];
        let unlisted = if self.others { ALL } else { &[] };
        self.listed.get(currency).map_or(unlisted, Vec::as_slice)
    }

    pub(super) fn meets(&self, other: &BTreeMap<Currency, Vec<Range>>) -> bool {
        other.iter().any(|(currency, theirs)| {
            let overlap = |ours: &Range| {
                theirs.iter().any(|range| ours.min <= range.max && range.min <= ours.max)
            };
            self.amounts(currency).iter().any(overlap)
        })
    }

    pub(super) fn without(&self, other: &BTreeMap<Currency, Vec<Range>>) -> Self {
        let mut listed = self.listed.clone();
        for (currency, taken) in other {
            let mut ours = self.amounts(currency).to_vec();
            for range in taken {
                ours = ours.into_iter().flat_map(|own| cut(own, *range)).flatten().collect();
            }
            listed.insert(*currency, ours);
        }
        Self { listed, others: self.others }
    }

    /// An amount of the set: of a currency that is listed, or else of one that is not.
    pub(super) fn example(&self) -> Option<Money> {
        let listed = self.listed.iter().find_map(|(currency, ranges)| {
            let range = ranges.first()?;
            Money::new(range.min, *currency).ok()
        });
        listed.or_else(|| {
            // Registered codes are without end, so there is one that no rule names.
            let numbered = |number| Currency::registered(&format!("X{number}"), 2).ok();
            let mut other = Currency::all_iso().chain((0..100_000).filter_map(numbered));
            let unlisted = other.find(|currency| !self.listed.contains_key(currency));
            unlisted.filter(|_| self.others).map(Money::zero)
        })
    }
}

/// What is left of a range below and above another.
fn cut(own: Range, taken: Range) -> [Option<Range>; 2] {
    let below = taken.min.checked_sub(1).map(|max| Range { min: own.min, max: max.min(own.max) });
    let above = taken.max.checked_add(1).map(|min| Range { min: min.max(own.min), max: own.max });
    [below, above].map(|part| part.filter(|range| range.min <= range.max))
}
