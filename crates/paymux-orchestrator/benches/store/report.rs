//! Medians, and what they are beside each other.

use std::{collections::BTreeMap, path::Path, time::Duration};

use crate::block::Block;

/// What every block came to.
pub(crate) struct Report {
    flush: Duration,
    /// What the blocks came to, by the way and how many payments were in flight.
    ways: BTreeMap<(&'static str, usize), Way>,
}

/// What the blocks of one way came to.
#[derive(Default)]
struct Way {
    /// Payments a second of each block.
    rates: Vec<u64>,
    /// All payments.
    payments: u64,
    /// The processor's time for them.
    processor: Duration,
}

/// The processor's time that this process took so far, in steps of 10 ms; nothing where that
/// cannot be read. It tells more than the clock where others use the machine, too.
pub(crate) fn processor() -> Duration {
    processor_of(Path::new("/proc/self/stat"))
}

/// The same of what this file of the system is about: a process or a thread.
pub(crate) fn processor_of(stat: &Path) -> Duration {
    let line = std::fs::read_to_string(stat).unwrap_or_default();
    let after_name = line.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    Duration::from_millis(ticks.filter_map(|text| text.parse::<u64>().ok()).sum::<u64>() * 10)
}

impl Report {
    /// An empty one.
    pub(crate) fn new(flush: Duration) -> Self {
        Self { flush, ways: BTreeMap::new() }
    }

    /// Notes a block, and the processor's time since the one before.
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        tasks: usize,
        block: &Block,
        processor: Duration,
    ) {
        let micros = u64::try_from(block.elapsed.as_micros()).unwrap();
        let way = self.ways.entry((name, tasks)).or_default();
        way.rates.push(block.payments * 1_000_000 / micros);
        way.payments += block.payments;
        way.processor += processor;
    }

    /// `None` for a way that was not measured.
    fn median(&self, name: &'static str, tasks: usize) -> Option<u64> {
        let mut all = self.ways.get(&(name, tasks))?.rates.clone();
        all.sort_unstable();
        all.get(all.len() / 2).copied()
    }

    /// Shows them.
    #[expect(clippy::print_stdout, reason = "it is asked for to be read")]
    pub(crate) fn print(&self) {
        println!("one flush: {} us", self.flush.as_micros());
        println!();
        println!(
            "{:<10} {:>9} {:>11} {:>19} {:>9} {:>9} {:>9} {:>9}",
            "way", "in flight", "payments/s", "min..max", "x single", "% group", "% rows", "CPU us"
        );
        let percent = |of: u64, other: Option<u64>| match other {
            Some(other) => (of * 100 / other).to_string(),
            None => "-".to_owned(),
        };
        for (&(name, tasks), way) in &self.ways {
            let rates = &way.rates;
            let median = self.median(name, tasks).unwrap();
            let single = self.median("single", 1);
            let beside = |other| {
                percent(median, if name == "single" { single } else { self.median(other, tasks) })
            };
            let times = single.map_or("-".to_owned(), |single| {
                format!("{}.{:02}", median / single, median * 100 / single % 100)
            });
            let (min, max) = (rates.iter().min().unwrap(), rates.iter().max().unwrap());
            println!(
                "{name:<10} {tasks:>9} {median:>11} {:>19} {:>9} {:>9} {:>9} {:>9}",
                format!("{min}..{max}"),
                times,
                beside("group"),
                beside("same rows"),
                way.processor.as_micros() / u128::from(way.payments.max(1)),
            );
        }
    }
}
