//! How it ended: a table for people, JSON for machines.

use std::{collections::BTreeMap, io::Write};

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};
use serde::Serialize;

use super::{
    order::Expectation,
    row::{Row, State},
};
use crate::Stop;

/// One line below the header: every column of a terminal counts.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// What came in at the webhook endpoint.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Traffic {
    pub(super) proved: usize,
    pub(super) refused: usize,
}

#[derive(Serialize)]
pub(super) struct Report {
    orders: Vec<Line>,
    webhooks: Traffic,
    as_scripted: usize,
}

#[derive(Serialize)]
struct Line {
    order: String,
    account: String,
    amount: String,
    currency: String,
    status: String,
    provider_status: Option<String>,
    payment: Option<String>,
    captured: Option<String>,
    how: String,
    refused_field: Option<String>,
    error: Option<String>,
    expected: Expectation,
    as_scripted: bool,
}

impl Report {
    pub(super) fn new(rows: Vec<Row>, webhooks: Traffic) -> Self {
        let orders: Vec<Line> = rows.into_iter().map(Line::new).collect();
        let as_scripted = orders.iter().filter(|line| line.as_scripted).count();
        Self { orders, webhooks, as_scripted }
    }

    pub(super) fn is_as_scripted(&self) -> bool {
        self.as_scripted == self.orders.len()
    }

    pub(super) fn write_json(&self, out: &mut dyn Write) -> Result<(), Stop> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        Ok(writeln!(out)?)
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic).set_header([
            "order",
            "account",
            "amount",
            "status",
            "provider's word",
            "known by",
        ]);
        for line in &self.orders {
            let status = if line.as_scripted {
                line.status.clone()
            } else {
                format!("{}, not as scripted", line.status)
            };
            table.add_row([
                line.order.clone(),
                line.account.clone(),
                format!("{} {}", line.amount, line.currency),
                status,
                line.provider_status.clone().unwrap_or_default(),
                line.how.clone(),
            ]);
        }
        // Ids and amounts are not broken into lines; the rest gives way on a narrow terminal.
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 1));
            if index < 3 {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        table
    }

    pub(super) fn write_table(&self, out: &mut dyn Write) -> Result<(), Stop> {
        writeln!(out, "{}", self.table())?;
        for line in &self.orders {
            if let Some(error) = &line.error {
                writeln!(out, "{} {}: {error}", line.order, line.status)?;
            }
        }
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
        let (done, all) = (self.as_scripted, self.orders.len());
        Ok(writeln!(out, "{done} of {all} orders ended as scripted.")?)
    }
}

impl Line {
    fn new(row: Row) -> Self {
        let as_scripted = row.is_as_scripted();
        let (mut refused_field, mut error, mut known) = (None, None, None);
        let status = match row.state {
            State::New => "not asked".to_owned(),
            State::InDoubt { sentence } => {
                error = Some(sentence);
                "in doubt".to_owned()
            }
            State::Refused { field, sentence, .. } => {
                (refused_field, error) = (field, Some(sentence));
                "refused".to_owned()
            }
            State::Known { payment, .. } => {
                let status = payment.status.to_string();
                known = Some(payment);
                status
            }
        };
        let captured = known.as_ref().and_then(|payment| payment.amounts.captured);
        Self {
            order: row.order.id,
            account: row.order.account,
            amount: row.order.amount,
            currency: row.order.currency,
            status,
            provider_status: known.as_ref().map(|payment| payment.provider_status.clone()),
            payment: known.as_ref().map(|payment| payment.id.to_string()),
            captured: captured.map(|money| money.to_string()),
            how: row.how,
            refused_field,
            error,
            expected: row.order.expect,
            as_scripted,
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
        let report = Report { orders, webhooks: Traffic::default(), as_scripted: 2 };
        let mut table = report.table();
        table.set_width(80);
        let shown = table.to_string();
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
        for word in ["A-1001", "toffeepay-manual", "49.00 USD", "succeeded", "session.expired"] {
            assert!(shown.contains(word), "{word} is cut:\n{shown}");
        }
    }
}
