//! The table of fees.

use std::collections::BTreeMap;

use paymux_core::{Currency, Money, ProviderId};

use super::{Node, Reader};
use crate::routing::fees::{Fee, PERCENT_DECIMALS, Prices};

const KEYS: &[&str] = &["percent", "fixed", "min", "max"];

impl Reader {
    pub(super) fn fees(&mut self, node: &Node) -> BTreeMap<ProviderId, (Fee, usize)> {
        let mut fees = BTreeMap::new();
        for entry in self.members(node, "fees") {
            let fee = self.fee(&entry.node, &entry.key);
            if let Some(account) = self.account(&entry.key, entry.at) {
                fees.insert(account.id, (fee, entry.at));
            }
        }
        fees
    }

    fn fee(&mut self, node: &Node, account: &str) -> Fee {
        let mut fee = Fee::default();
        for entry in self.members(node, &format!("fees.{account}")) {
            match entry.key.as_str() {
                "percent" => fee.percent = self.percent(&entry.node).unwrap_or_default(),
                "fixed" => fee.fixed = self.prices(&entry.node, "fixed"),
                "min" => fee.min = self.prices(&entry.node, "min"),
                "max" => fee.max = self.prices(&entry.node, "max"),
                _ => self.unknown(entry, KEYS),
            }
        }
        for (currency, max) in &fee.max {
            if fee.min.get(currency).is_some_and(|min| min.minor() > max.minor()) {
                let message = format!("the fee's `min` must not be above its `max` in {currency}");
                self.fault(node.at, message);
            }
        }
        fee
    }

    /// A percentage as decimal text, exact: `1.4`.
    fn percent(&mut self, node: &Node) -> Option<i128> {
        let text = self.text(node, "percent")?;
        // Reading an exact decimal is what money does; a percentage is counted like a token of as
        // many decimals.
        let unit = Currency::registered("PERCENT", PERCENT_DECIMALS);
        let read = unit.and_then(|unit| Money::parse(text, unit)).map(Money::minor);
        let most = 100 * 10_i128.pow(u32::from(PERCENT_DECIMALS));
        match read {
            Ok(percent) if percent <= most => Some(percent),
            Ok(_) | Err(_) => {
                let message = format!(
                    "`percent` must be a decimal number from 0 to 100 with at most \
                     {PERCENT_DECIMALS} decimals, such as `1.4`"
                );
                self.fault(node.at, message);
                None
            }
        }
    }

    /// One price in each currency.
    fn prices(&mut self, node: &Node, what: &str) -> Prices {
        let mut prices = Prices::new();
        for item in self.one_or_more(node, what) {
            let Some(price) = self.money(item, what) else { continue };
            if prices.insert(price.currency(), price).is_some() {
                let message = format!("`{what}` says {} twice", price.currency());
                self.fault(item.at, message);
            }
        }
        prices
    }
}
