//! What the state of every provider is made of.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde::Serialize;

use crate::random::Random;

/// When something happens and where its ids come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    pub(crate) now: Timestamp,
    pub(crate) random: &'a Random,
}

/// Takes the first thing that was due until now, with its own time.
pub(crate) fn next_due<D: Ord>(
    due: &mut BTreeSet<(Timestamp, D)>,
    now: Timestamp,
) -> Option<(Timestamp, D)> {
    let (at, _) = due.first()?;
    if *at <= now { due.pop_first() } else { None }
}

/// Objects in the order they were made, found by id.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Table<T> {
    rows: Vec<T>,
    #[serde(skip)]
    index: HashMap<String, usize>,
}

impl<T> Table<T> {
    pub(crate) fn new() -> Self {
        Table { rows: Vec::new(), index: HashMap::new() }
    }

    pub(crate) fn insert(&mut self, id: &str, row: T) {
        self.index.insert(id.to_owned(), self.rows.len());
        self.rows.push(row);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(*self.index.get(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.rows.get_mut(*self.index.get(id)?)
    }

    /// Where a row stands, counted from the oldest.
    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// Oldest first.
    pub(crate) fn rows(&self) -> &[T] {
        &self.rows
    }

    /// Newest first, as lists show them.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &T> {
        self.rows.iter().rev()
    }
}
