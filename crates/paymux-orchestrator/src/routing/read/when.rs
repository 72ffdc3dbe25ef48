//! The conditions of a rule.

use std::collections::{BTreeMap, BTreeSet};

use paymux_core::{Currency, Error, Money};

use super::{Node, Places, Reader};
use crate::routing::{
    facts::Capability,
    rule::{Conditions, Range},
};

const KEYS: &[&str] =
    &["currency", "amount", "country", "method", "metadata", "kind", "capability"];

/// Ranges of amounts of one currency, and where the first stands.
type Amounts = BTreeMap<Currency, (usize, Vec<Range>)>;

impl Reader {
    /// The conditions; `None` when they cannot all be read, since a rule with fewer conditions
    /// would be another rule.
    pub(super) fn when(&mut self, node: &Node, places: &mut Places) -> Option<Conditions> {
        let mut when = Conditions::default();
        let mut currencies: Option<Vec<(Currency, usize)>> = None;
        let mut amounts: Option<Amounts> = None;
        let before = self.faults.count();
        for entry in self.members(node, "when") {
            match entry.key.as_str() {
                "currency" => currencies = Some(self.currencies(&entry.node)),
                "amount" => amounts = Some(self.amounts(&entry.node)),
                "country" => when.country = Some(self.countries(&entry.node)),
                "method" => when.method = Some(set(self.words(&entry.node, "method"))),
                "metadata" => when.metadata = self.metadata(&entry.node),
                "kind" => {
                    places.kinds = self.words(&entry.node, "kind");
                    when.kind = Some(set(places.kinds.clone()));
                }
                "capability" => when.capability = self.capabilities(&entry.node),
                _ => self.unknown(entry, KEYS),
            }
        }
        when.money = self.combine(currencies, amounts, places);
        (self.faults.count() == before).then_some(when)
    }

    fn currencies(&mut self, node: &Node) -> Vec<(Currency, usize)> {
        let mut currencies = Vec::new();
        for (word, at) in self.words(node, "currency") {
            match word.parse() {
                Ok(currency) => currencies.push((currency, at)),
                Err(error) => {
                    let error: Error = error;
                    self.fault(at, format!("the currency `{word}` {}", error.message()));
                }
            }
        }
        currencies
    }

    fn amounts(&mut self, node: &Node) -> Amounts {
        let mut amounts = Amounts::new();
        for item in self.one_or_more(node, "amount") {
            if let Some((currency, range)) = self.range(item) {
                amounts.entry(currency).or_insert((item.at, Vec::new())).1.push(range);
            }
        }
        amounts
    }

    /// From `min` to `max`, both included; one of them can be left out.
    fn range(&mut self, node: &Node) -> Option<(Currency, Range)> {
        let (mut min, mut max) = (None, None);
        let before = self.faults.count();
        for entry in self.members(node, "amount") {
            match entry.key.as_str() {
                "min" => min = self.money(&entry.node, "min"),
                "max" => max = self.money(&entry.node, "max"),
                _ => self.unknown(entry, &["min", "max"]),
            }
        }
        if self.faults.count() != before {
            return None;
        }
        let currency = min.or(max)?.currency();
        if [min, max].into_iter().flatten().any(|bound| bound.currency() != currency) {
            self.fault(node.at, "`min` and `max` must be of one currency");
            return None;
        }
        let range = Range {
            min: min.map_or(Range::ALL.min, Money::minor),
            max: max.map_or(Range::ALL.max, Money::minor),
        };
        if range.min > range.max {
            self.fault(node.at, "`min` must not be above `max`");
            return None;
        }
        Some((currency, range))
    }

    fn countries(&mut self, node: &Node) -> BTreeSet<String> {
        let words = self.words(node, "country");
        for (word, at) in &words {
            if word.len() != 2 || !word.bytes().all(|byte| byte.is_ascii_uppercase()) {
                let message = format!("the country `{word}` must be two capital letters: `DE`");
                self.fault(*at, message);
            }
        }
        set(words)
    }

    fn metadata(&mut self, node: &Node) -> BTreeMap<String, BTreeSet<String>> {
        let mut metadata = BTreeMap::new();
        for entry in self.members(node, "metadata") {
            let words = self.words(&entry.node, &format!("metadata.{}", entry.key));
            metadata.insert(entry.key.clone(), set(words));
        }
        metadata
    }

    fn capabilities(&mut self, node: &Node) -> BTreeSet<Capability> {
        let mut capabilities = BTreeSet::new();
        for (word, at) in self.words(node, "capability") {
            match Capability::ALL.into_iter().find(|known| known.as_str() == word) {
                Some(capability) => {
                    capabilities.insert(capability);
                }
                None => {
                    let known = Capability::ALL.map(Capability::as_str).join("`, `");
                    self.fault(at, format!("`{word}` is no capability; these are: `{known}`"));
                }
            }
        }
        capabilities
    }

    /// What `currency` and `amount` say together. An amount is of a currency, so where both are
    /// said, each currency needs its amounts: whether one without should match always or never
    /// cannot be guessed.
    fn combine(
        &mut self,
        currencies: Option<Vec<(Currency, usize)>>,
        amounts: Option<Amounts>,
        places: &mut Places,
    ) -> Option<BTreeMap<Currency, Vec<Range>>> {
        let Some(amounts) = amounts else {
            places.currencies = currencies?;
            let listed = places.currencies.iter();
            return Some(listed.map(|(currency, _)| (*currency, vec![Range::ALL])).collect());
        };
        if let Some(currencies) = &currencies {
            for (currency, at) in currencies {
                if !amounts.contains_key(currency) {
                    let message = format!(
                        "`amount` says nothing on {currency}: list a range for it, as in \
                         `amount = [{{ min = \"10.00 EUR\" }}, {{ min = \"10.00 USD\" }}]`"
                    );
                    self.fault(*at, message);
                }
            }
            for (currency, (at, _)) in &amounts {
                if currencies.iter().all(|(listed, _)| listed != currency) {
                    let message = format!("`amount` is in {currency}, which `currency` leaves out");
                    self.fault(*at, message);
                }
            }
        }
        let implied = amounts.iter().map(|(currency, (at, _))| (*currency, *at)).collect();
        places.currencies = currencies.unwrap_or(implied);
        Some(amounts.into_iter().map(|(currency, (_, ranges))| (currency, ranges)).collect())
    }
}

fn set(words: Vec<(String, usize)>) -> BTreeSet<String> {
    words.into_iter().map(|(word, _)| word).collect()
}
