//! What accounts charge, compared exactly.
//!
//! Costs are never rounded to minor units. A provider does round its fee, and not every one the
//! same way; a cost of half a minor unit is compared as half a minor unit, so of two accounts the
//! one whose rate is lower always comes first, and only costs that are exactly equal leave the
//! order to the rule.

use std::{collections::BTreeMap, fmt};

use paymux_core::{Currency, Money};

/// Decimals that a percentage may have.
pub(super) const PERCENT_DECIMALS: u8 = 8;
/// Parts of a minor unit in which costs are counted: a hundredth, for the percent sign, of the
/// smallest percentage.
const PARTS: i128 = 10_i128.pow(10);
const PART_DIGITS: usize = 10;

/// A price in each currency it is stated in.
pub(super) type Prices = BTreeMap<Currency, Money>;

/// What an account charges for a payment: a percentage and a fixed part, within bounds.
#[derive(Clone, Debug, Default)]
pub(super) struct Fee {
    /// In units of 10^-8 percent.
    pub(super) percent: i128,
    pub(super) fixed: Prices,
    pub(super) min: Prices,
    pub(super) max: Prices,
}

impl Fee {
    /// Does the fee say what a payment in this currency costs? Whatever is stated in some
    /// currencies has to be stated in this one.
    pub(super) fn states(&self, currency: Currency) -> bool {
        self.silent_on(currency).is_none()
    }

    /// The first member that says nothing on this currency.
    pub(super) fn silent_on(&self, currency: Currency) -> Option<&'static str> {
        let members = [("fixed", &self.fixed), ("min", &self.min), ("max", &self.max)];
        let silent =
            |(_, prices): &(&str, &Prices)| !prices.is_empty() && !prices.contains_key(&currency);
        members.into_iter().find(silent).map(|(name, _)| name)
    }

    /// What a payment of this amount costs; `None` when the fee does not say, or when the figure
    /// is beyond what can be held.
    pub(super) fn cost(&self, amount: Money) -> Option<Cost> {
        let currency = amount.currency();
        if !self.states(currency) {
            return None;
        }
        let parts = |prices: &Prices, unstated: i128| match prices.get(&currency) {
            Some(price) => price.minor().checked_mul(PARTS),
            None => Some(unstated),
        };
        let share = amount.minor().checked_mul(self.percent)?;
        let whole = share.checked_add(parts(&self.fixed, 0)?)?;
        let bounded = whole.max(parts(&self.min, 0)?).min(parts(&self.max, i128::MAX)?);
        Some(Cost { parts: bounded, currency })
    }
}

/// What a payment costs at an account: exact, to ten digits below the minor unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    parts: i128,
    currency: Currency,
}

impl Cost {
    /// For ordering costs of one currency.
    pub(super) fn parts(self) -> i128 {
        self.parts
    }
}

/// The exact figure: `0.425 EUR`, with at least the decimals that the currency has.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let least = usize::from(self.currency.exponent());
        let most = least + PART_DIGITS;
        let digits = format!("{:0>width$}", self.parts, width = most + 1);
        let (whole, fraction) = digits.split_at(digits.len() - most);
        let kept = fraction.trim_end_matches('0').len().max(least);
        let point = if kept == 0 { "" } else { "." };
        write!(f, "{whole}{point}{} {}", &fraction[..kept], self.currency)
    }
}
