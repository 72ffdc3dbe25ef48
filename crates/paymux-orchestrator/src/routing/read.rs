//! From the tree to rules. Everything that is wrong is said; what is wrong is left out and the
//! rest is read on.

use std::collections::{BTreeMap, BTreeSet};

use paymux_core::ProviderId;

use super::{
    document::{Entry, Node, Value},
    fault::Faults,
    fees::Fee,
    rule::{Conditions, Elsewhere, Named, Places, Rule, Selection},
};

mod fees;
mod values;
mod when;

/// Rules as they were read, with what is wrong with them so far.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) rules: Vec<Rule>,
    /// What each account charges, and where that is said.
    pub(super) fees: BTreeMap<ProviderId, (Fee, usize)>,
    pub(super) paused: Vec<Named>,
    pub(super) faults: Faults,
}

/// Reads the whole tree.
pub(super) fn read(root: Option<&Node>, faults: Faults) -> Read {
    let mut reader = Reader { faults, rule: None };
    let (mut rules, mut fees, mut paused) = (Vec::new(), BTreeMap::new(), Vec::new());
    let mut elsewhere = Elsewhere::default();
    if let Some(root) = root {
        for entry in reader.members(root, "the text") {
            match entry.key.as_str() {
                "rule" => rules = reader.rules(&entry.node),
                "fees" => fees = reader.fees(&entry.node),
                "pause" => paused = reader.accounts(&entry.node, "pause"),
                "elsewhere" => elsewhere = reader.elsewhere(&entry.node).unwrap_or_default(),
                _ => reader.unknown(entry, &["rule", "fees", "pause", "elsewhere"]),
            }
        }
        let has_rules = match &root.value {
            Value::Table(entries) => entries.iter().any(|entry| entry.key == "rule"),
            Value::Text(_) | Value::Integer(_) | Value::List(_) | Value::Other(_) => false,
        };
        if !has_rules {
            reader.fault(root.at, "there is no `rule`, so no payment would go anywhere");
        }
    }
    let rules =
        rules.into_iter().map(|(rule, own)| Rule { elsewhere: own.unwrap_or(elsewhere), ..rule });
    Read { rules: rules.collect(), fees, paused, faults: reader.faults }
}

/// Reads values, and collects what is wrong with them.
struct Reader {
    faults: Faults,
    /// The rule that is being read.
    rule: Option<String>,
}

/// The members of a rule, before they are put together.
#[derive(Default)]
struct Parts<'a> {
    when: Option<&'a Node>,
    selections: Vec<&'a Entry>,
    paused: Vec<Named>,
    elsewhere: Option<Elsewhere>,
}

const RULE_KEYS: &[&str] = &["name", "when", "use", "split", "cheapest", "pause", "elsewhere"];

impl Reader {
    /// The rules, each with what it says itself on trying elsewhere.
    fn rules(&mut self, node: &Node) -> Vec<(Rule, Option<Elsewhere>)> {
        let mut names: BTreeMap<String, usize> = BTreeMap::new();
        let mut rules = Vec::new();
        for (index, item) in self.items(node, "rule").iter().enumerate() {
            let name = self.rule_name(item, index);
            self.rule = Some(name.clone());
            if let Some(first) = names.get(&name) {
                let line = self.faults.line(*first);
                self.fault(item.at, format!("the name is taken by the rule in line {line}"));
            }
            names.entry(name.clone()).or_insert(item.at);
            rules.extend(self.rule(item, name));
            self.rule = None;
        }
        rules
    }

    /// The name of a rule, or its place when it has none, which is a fault.
    fn rule_name(&mut self, item: &Node, index: usize) -> String {
        let place = format!("#{}", index + 1);
        let Value::Table(entries) = &item.value else { return place };
        self.rule = Some(place.clone());
        let Some(entry) = entries.iter().find(|entry| entry.key == "name") else {
            self.fault(item.at, "has no `name`, by which plans and faults speak of it");
            return place;
        };
        match self.text(&entry.node, "name") {
            Some(name) if fits_a_line(name) => name.to_owned(),
            Some(_) => {
                self.fault(entry.node.at, "`name` must be a few words in one line");
                place
            }
            None => place,
        }
    }

    fn rule(&mut self, item: &Node, name: String) -> Option<(Rule, Option<Elsewhere>)> {
        let mut parts = Parts::default();
        for entry in self.members(item, "a rule") {
            match entry.key.as_str() {
                "name" => {}
                "when" => parts.when = Some(&entry.node),
                "use" | "split" | "cheapest" => parts.selections.push(entry),
                "pause" => parts.paused = self.accounts(&entry.node, "pause"),
                "elsewhere" => parts.elsewhere = self.elsewhere(&entry.node),
                _ => self.unknown(entry, RULE_KEYS),
            }
        }
        let mut places = Places::default();
        let when = parts
            .when
            .map_or_else(|| Some(Conditions::default()), |node| self.when(node, &mut places));
        let selection = match parts.selections.as_slice() {
            [one] => self.selection(one),
            [] if matches!(item.value, Value::Table(_)) => {
                self.fault(item.at, "says no accounts: give it `use`, `split` or `cheapest`");
                None
            }
            [] => None,
            [_, second, ..] => {
                let message = "only one of `use`, `split` and `cheapest` can order the accounts";
                self.fault(second.at, message);
                None
            }
        }?;
        for paused in &parts.paused {
            if selection.accounts().iter().all(|account| account.id != paused.id) {
                self.fault(paused.at, format!("pauses `{}`, which it does not use", paused.id));
            }
        }
        let Parts { paused, elsewhere, .. } = parts;
        let rule = Rule {
            name,
            at: item.at,
            when: when?,
            places,
            selection,
            paused,
            elsewhere: Elsewhere::default(),
        };
        Some((rule, elsewhere))
    }

    fn selection(&mut self, entry: &Entry) -> Option<Selection> {
        match entry.key.as_str() {
            "split" => self.split(&entry.node),
            key => {
                let accounts = self.accounts(&entry.node, key);
                let selection = if key == "cheapest" {
                    Selection::Cheapest(accounts)
                } else {
                    Selection::Listed(accounts)
                };
                (!selection.accounts().is_empty()).then_some(selection)
            }
        }
    }

    fn split(&mut self, node: &Node) -> Option<Selection> {
        let members = self.members(node, "split");
        let mut accounts = Vec::new();
        for entry in members {
            let weight = match &entry.node.value {
                Value::Integer(figure) => u32::try_from(*figure).ok(),
                Value::Text(_) | Value::List(_) | Value::Table(_) | Value::Other(_) => None,
            };
            if weight.is_none() {
                let message = format!(
                    "the weight of `{}` must be a whole number from 0 to {}",
                    entry.key,
                    u32::MAX
                );
                self.fault(entry.node.at, message);
            }
            if let (Some(account), Some(weight)) = (self.account(&entry.key, entry.at), weight) {
                accounts.push((account, weight));
            }
        }
        let sum: u64 = accounts.iter().map(|(_, weight)| u64::from(*weight)).sum();
        if !members.is_empty() && sum == 0 && accounts.len() == members.len() {
            self.fault(node.at, "the weights in `split` must not all be 0");
            return None;
        }
        (!accounts.is_empty()).then_some(Selection::Shared(accounts))
    }

    fn elsewhere(&mut self, node: &Node) -> Option<Elsewhere> {
        match self.text(node, "elsewhere")? {
            "soft_declines" => Some(Elsewhere::SoftDeclines),
            "never" => Some(Elsewhere::Never),
            _ => {
                self.fault(node.at, "`elsewhere` must be `soft_declines` or `never`");
                None
            }
        }
    }

    /// Names of accounts, each once.
    fn accounts(&mut self, node: &Node, what: &str) -> Vec<Named> {
        let words = self.words(node, what);
        words.into_iter().filter_map(|(word, at)| self.account(&word, at)).collect()
    }

    fn account(&mut self, name: &str, at: usize) -> Option<Named> {
        match ProviderId::new(name) {
            Ok(id) => Some(Named { id, at }),
            Err(error) => {
                self.fault(at, format!("`{name}` names no account: it {}", error.message()));
                None
            }
        }
    }
}

/// Is this text that a line of a log or a table can hold?
fn fits_a_line(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= 100 && !text.contains(char::is_control)
}

/// Words that came, for finding those that come twice.
type Seen = BTreeSet<String>;
