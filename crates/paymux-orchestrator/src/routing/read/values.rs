//! Single values, read strictly.

use paymux_core::{Currency, Money};

use super::{Entry, Node, Reader, Seen, Value};

impl Reader {
    /// Adds a fault of the rule that is being read.
    pub(super) fn fault(&mut self, at: usize, message: impl Into<String>) {
        let rule = self.rule.clone();
        self.faults.add(at, rule.as_deref(), message);
    }

    pub(super) fn unknown(&mut self, entry: &Entry, known: &[&str]) {
        let known = known.join("`, `");
        let message = format!("`{}` means nothing here; what does is `{known}`", entry.key);
        self.fault(entry.at, message);
    }

    fn unfit(&mut self, node: &Node, what: &str, wanted: &str) {
        self.fault(node.at, format!("`{what}` must be {wanted}, and is {}", node.value.noun()));
    }

    /// The members of a table; none when it is something else or empty, which is a fault.
    pub(super) fn members<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Entry] {
        match &node.value {
            Value::Table(entries) => {
                if entries.is_empty() {
                    self.fault(node.at, format!("`{what}` says nothing: fill it or leave it out"));
                }
                entries
            }
            Value::Text(_) | Value::Integer(_) | Value::List(_) | Value::Other(_) => {
                self.unfit(node, what, "a table");
                &[]
            }
        }
    }

    /// The items of a list; none when it is something else or empty, which is a fault.
    pub(super) fn items<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Node] {
        match &node.value {
            Value::List(items) => {
                if items.is_empty() {
                    self.fault(node.at, format!("`{what}` must not be an empty list"));
                }
                items
            }
            Value::Text(_) | Value::Integer(_) | Value::Table(_) | Value::Other(_) => {
                self.unfit(node, what, "a list");
                &[]
            }
        }
    }

    /// A value, or a list of values.
    pub(super) fn one_or_more<'a>(&mut self, node: &'a Node, what: &str) -> &'a [Node] {
        match &node.value {
            Value::List(_) => self.items(node, what),
            Value::Text(_) | Value::Integer(_) | Value::Table(_) | Value::Other(_) => {
                std::slice::from_ref(node)
            }
        }
    }

    pub(super) fn text<'a>(&mut self, node: &'a Node, what: &str) -> Option<&'a str> {
        match &node.value {
            Value::Text(text) => Some(text),
            Value::Integer(_) | Value::List(_) | Value::Table(_) | Value::Other(_) => {
                self.unfit(node, what, "text");
                None
            }
        }
    }

    /// A word or a list of words, none twice.
    pub(super) fn words(&mut self, node: &Node, what: &str) -> Vec<(String, usize)> {
        let mut seen = Seen::new();
        let mut words = Vec::new();
        for item in self.one_or_more(node, what) {
            let Some(word) = self.text(item, what) else { continue };
            if word.is_empty() {
                self.fault(item.at, format!("`{what}` must not hold an empty text"));
            } else if seen.insert(word.to_owned()) {
                words.push((word.to_owned(), item.at));
            } else {
                self.fault(item.at, format!("`{what}` names `{word}` twice"));
            }
        }
        words
    }

    /// An amount such as `10.00 EUR`, in a currency that is written as [`Currency`] reads it.
    pub(super) fn money(&mut self, node: &Node, what: &str) -> Option<Money> {
        let text = self.text(node, what)?;
        let Some((figure, currency)) = text.split_once(' ') else {
            self.fault(node.at, format!("`{what}` must be an amount such as `10.00 EUR`"));
            return None;
        };
        let read = currency.parse::<Currency>().and_then(|known| Money::parse(figure, known));
        match read {
            Ok(money) => Some(money),
            Err(error) => {
                let part = error.field().unwrap_or("amount");
                let message = format!("`{what}`: the {part} in `{text}` {}", error.message());
                self.fault(node.at, message);
                None
            }
        }
    }
}
