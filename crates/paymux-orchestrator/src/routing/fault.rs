//! What is wrong with rules, and where.

use std::fmt;

/// One thing that is wrong with the rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct RouteFault {
    /// The line it is in, from 1.
    pub line: usize,
    /// The column it begins at, in characters, from 1.
    pub column: usize,
    /// The rule it is about, by its name, or by its place where it has none: `#2`.
    pub rule: Option<String>,
    /// What is wrong, and what to do about it, as a clause.
    pub message: String,
}

impl fmt::Display for RouteFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: ", self.line, self.column)?;
        if let Some(rule) = &self.rule {
            write!(f, "rule `{rule}`: ")?;
        }
        f.write_str(&self.message)
    }
}

/// All that is wrong with the rules, in the order of their text. Never empty.
///
/// `Display` writes one line for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteFaults(Vec<RouteFault>);

impl RouteFaults {
    /// The faults, if there are any.
    pub(super) fn of(mut faults: Vec<RouteFault>) -> Result<(), Self> {
        faults.sort();
        faults.dedup();
        if faults.is_empty() { Ok(()) } else { Err(Self(faults)) }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &RouteFault> {
        self.0.iter()
    }
}

impl fmt::Display for RouteFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let between = if index == 0 { "" } else { "\n" };
            write!(f, "{between}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for RouteFaults {}

/// Collects faults while rules are read and checked.
#[derive(Clone, Debug)]
pub(super) struct Faults {
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
    text: String,
    found: Vec<RouteFault>,
}

impl Faults {
    pub(super) fn new(text: &str) -> Self {
        let after = text.match_indices('\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(after).collect();
        Self { lines, text: text.to_owned(), found: Vec::new() }
    }

    /// Adds one that begins at this byte of the text.
    pub(super) fn add(&mut self, at: usize, rule: Option<&str>, message: impl Into<String>) {
        let line = self.line(at);
        let begin = self.lines.get(line - 1).copied().unwrap_or(0);
        let column = self.text.get(begin..at).map_or(1, |before| before.chars().count() + 1);
        let rule = rule.map(str::to_owned);
        self.found.push(RouteFault { line, column, rule, message: message.into() });
    }

    /// The line that this byte is in, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|begin| *begin <= at).max(1)
    }

    /// How many there are so far.
    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    pub(super) fn into_result(self) -> Result<(), RouteFaults> {
        RouteFaults::of(self.found)
    }
}
