//! How it ended: a table for people, JSON for machines.

use std::{collections::BTreeMap, io::Write, path::PathBuf};

use comfy_table::Table;
use paymux::orchestrator::Reconciliation;
use serde::Serialize;

use super::{
    order::Expectation,
    row::{Row, State},
    story::Trouble,
    webhooks::Delivery,
};
use crate::{Stop, reconcile, table};

/// What came in at the webhook endpoint.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Traffic {
    pub(super) proved: usize,
    pub(super) refused: usize,
}

impl Traffic {
    pub(super) fn count(&mut self, delivery: &Delivery) {
        match delivery {
            Delivery::Refused => self.refused += 1,
            Delivery::Kept => self.proved += 1,
        }
    }
}

/// Our books beside the providers'.
#[derive(Serialize)]
pub(super) struct Books {
    agree: bool,
    found: Reconciliation,
}

impl From<Reconciliation> for Books {
    fn from(found: Reconciliation) -> Self {
        Self { agree: found.differences.is_empty(), found }
    }
}

#[derive(Serialize)]
pub(super) struct Report {
    /// The file that keeps the payments.
    store: PathBuf,
    orders: Vec<Line>,
    troubles: Vec<Trouble>,
    webhooks: Traffic,
    books: Books,
    as_scripted: usize,
}

#[derive(Serialize)]
pub(super) struct Line {
    order: String,
    /// The lane that the order came by.
    lane: String,
    /// The account that took it, or the lane where none did.
    account: String,
    amount: String,
    currency: String,
    status: String,
    provider_status: Option<String>,
    /// Ours, by which the commands find it.
    payment: Option<String>,
    captured: Option<String>,
    how: String,
    refused_field: Option<String>,
    error: Option<String>,
    expected: Expectation,
    as_scripted: bool,
}

impl Report {
    pub(super) fn new(
        store: PathBuf,
        orders: Vec<Line>,
        troubles: Vec<Trouble>,
        webhooks: Traffic,
        books: Books,
    ) -> Self {
        let as_scripted = orders.iter().filter(|line| line.as_scripted).count();
        Self { store, orders, troubles, webhooks, books, as_scripted }
    }

    pub(super) fn is_as_scripted(&self) -> bool {
        self.as_scripted == self.orders.len()
    }

    /// Did every order end as scripted, and do the providers' books say the same as ours?
    pub(super) fn is_good(&self) -> bool {
        self.is_as_scripted() && self.books.agree
    }

    pub(super) fn write_json(&self, out: &mut dyn Write) -> Result<(), Stop> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        Ok(writeln!(out)?)
    }

    fn table(&self) -> Table {
        let rows = self.orders.iter().map(|line| {
            let status = if line.as_scripted {
                line.status.clone()
            } else {
                format!("{}, not as scripted", line.status)
            };
            [
                line.order.clone(),
                line.account.clone(),
                format!("{} {}", line.amount, line.currency),
                status,
                line.provider_status.clone().unwrap_or_default(),
                line.how.clone(),
            ]
        });
        let header = ["order", "account", "amount", "status", "provider's word", "known by"];
        table::of(header, rows, 3)
    }

    /// An order that something can be told of: one that had trouble, where one had.
    pub(super) fn example(&self) -> Option<&str> {
        let troubled = self.troubles.first().map(Trouble::order);
        let taken = self.orders.iter().find(|line| line.payment.is_some());
        troubled.or(taken.map(|line| line.order.as_str()))
    }

    pub(super) fn write_table(&self, out: &mut dyn Write) -> Result<(), Stop> {
        writeln!(out, "{}", self.table())?;
        for line in &self.orders {
            if let Some(error) = &line.error {
                writeln!(out, "{} {}: {error}", line.order, line.status)?;
            }
        }
        for trouble in &self.troubles {
            writeln!(out, "\n{}", trouble.to_text())?;
        }
        writeln!(out)?;
        self.write_summary(out)
    }

    fn write_summary(&self, out: &mut dyn Write) -> Result<(), Stop> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for line in &self.orders {
            *counts.entry(&line.status).or_default() += 1;
        }
        let counts: Vec<String> =
            counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
        writeln!(out, "{} orders: {}.", self.orders.len(), counts.join(", "))?;
        let Traffic { proved, refused } = self.webhooks;
        writeln!(out, "{proved} webhooks verified, {refused} refused.")?;
        writeln!(out, "{}", reconcile::in_words(&self.books.found))?;
        let (done, all) = (self.as_scripted, self.orders.len());
        Ok(writeln!(out, "{done} of {all} orders ended as scripted.")?)
    }
}

impl Line {
    pub(super) fn new(row: Row, how: String) -> Self {
        let (as_scripted, status) = (row.is_as_scripted(), row.word().to_owned());
        let error = row.sentence();
        let record = row.record();
        let known = record.and_then(|record| record.provider.as_ref());
        let captured = known.and_then(|payment| payment.amounts.captured);
        let account = record.and_then(|record| record.account()).map(ToString::to_string);
        let refused_field = match &row.state {
            State::Refused { field, .. } => field.clone(),
            State::New | State::Known { .. } => None,
        };
        Self {
            account: account.unwrap_or_else(|| row.order.account.clone()),
            status,
            provider_status: known.map(|payment| payment.provider_status.clone()),
            payment: record.map(|record| record.id.to_string()),
            captured: captured.map(|money| money.to_string()),
            how,
            refused_field,
            error,
            as_scripted,
            order: row.order.id,
            lane: row.order.account,
            amount: row.order.amount,
            currency: row.order.currency,
            expected: row.order.expect,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a terminal of 80 columns no line is longer, and no id, amount or status is cut.
    #[test]
    fn the_table_fits_a_narrow_terminal() {
        let line = |how: &str| Line {
            order: "A-1001".to_owned(),
            lane: "toffeepay-manual".to_owned(),
            account: "toffeepay-manual".to_owned(),
            amount: "49.00".to_owned(),
            currency: "USD".to_owned(),
            status: "succeeded".to_owned(),
            provider_status: Some("cancelled".to_owned()),
            payment: None,
            captured: None,
            how: how.to_owned(),
            refused_field: None,
            error: None,
            expected: Expectation::Succeeded,
            as_scripted: true,
        };
        let orders = vec![line("read after session.expired"), line("captured by the shop")];
        let books = Books::from(Reconciliation::default());
        let report = Report::new(PathBuf::new(), orders, Vec::new(), Traffic::default(), books);
        let mut table = report.table();
        table.set_width(80);
        let shown = table.to_string();
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
        for word in ["A-1001", "toffeepay-manual", "49.00 USD", "succeeded", "session.expired"] {
            assert!(shown.contains(word), "{word} is cut:\n{shown}");
        }
    }
}
