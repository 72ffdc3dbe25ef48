//! Medians, and what they are beside each other.

use std::{collections::BTreeMap, time::Duration};

/// What every block came to.
pub(crate) struct Report {
    flush: Duration,
    /// Payments a second of each block, by the way and how many were in flight.
    rates: BTreeMap<(&'static str, usize), Vec<u64>>,
}

/// What one block came to.
pub(crate) struct Block {
    /// Payments that were written.
    pub(crate) payments: u64,
    /// In this time.
    pub(crate) elapsed: Duration,
}

impl Report {
    /// An empty one.
    pub(crate) fn new(flush: Duration) -> Self {
        Self { flush, rates: BTreeMap::new() }
    }

    /// Notes a block.
    pub(crate) fn add(&mut self, name: &'static str, tasks: usize, block: Block) {
        let micros = u64::try_from(block.elapsed.as_micros()).unwrap();
        let rate = block.payments * 1_000_000 / micros;
        self.rates.entry((name, tasks)).or_default().push(rate);
    }

    fn median(&self, name: &'static str, tasks: usize) -> u64 {
        let mut all = self.rates[&(name, tasks)].clone();
        all.sort_unstable();
        all[all.len() / 2]
    }

    /// Shows them.
    #[expect(clippy::print_stdout, reason = "it is asked for to be read")]
    pub(crate) fn print(&self) {
        println!("one flush: {} us", self.flush.as_micros());
        println!();
        println!(
            "{:<10} {:>9} {:>11} {:>19} {:>9} {:>9} {:>9}",
            "way", "in flight", "payments/s", "min..max", "x single", "% group", "% rows"
        );
        let single = self.median("single", 1);
        for (&(name, tasks), rates) in &self.rates {
            let median = self.median(name, tasks);
            let beside = |other| {
                let other = if name == "single" { single } else { self.median(other, tasks) };
                median * 100 / other
            };
            let (min, max) = (rates.iter().min().unwrap(), rates.iter().max().unwrap());
            println!(
                "{name:<10} {tasks:>9} {median:>11} {:>19} {:>9} {:>9} {:>9}",
                format!("{min}..{max}"),
                format!("{}.{:02}", median / single, median * 100 / single % 100),
                beside("group"),
                beside("same rows"),
            );
        }
    }
}
