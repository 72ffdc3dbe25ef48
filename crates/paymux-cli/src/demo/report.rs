//! How it ended: a table for people, JSON for machines.

use std::{collections::BTreeMap, io::Write};

use comfy_table::{ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use serde::Serialize;

use super::{
    order::Expectation,
    row::{Row, State},
};
use crate::Stop;

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

    pub(super) fn write_table(&self, out: &mut dyn Write) -> Result<(), Stop> {
        let mut table = Table::new();
        table
            .load_style(UTF8_FULL_CONDENSED)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(["order", "account", "amount", "status", "provider's word", "known by"]);
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
        writeln!(out, "{table}")?;
        for line in &self.orders {
            if let Some(error) = &line.error {
                writeln!(out, "{} was refused: {error}", line.order)?;
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
            State::Refused { field, sentence } => {
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
