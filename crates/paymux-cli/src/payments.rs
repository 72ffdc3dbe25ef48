//! `paymux payments`: what a store holds.

use std::{io::Write, process::ExitCode};

use paymux::{
    PaymentStatus, Timestamp,
    orchestrator::{PaymentRecord, Review, store::PaymentQuery},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Stop,
    books::{Books, StoreArguments},
    table,
};

#[derive(clap::Args)]
pub(crate) struct PaymentsArguments {
    /// Only payments in this status, such as `requires_action`; can be given again for more.
    #[arg(long, value_name = "STATUS", value_parser = read_status)]
    status: Vec<PaymentStatus>,
    /// Only payments that wait for a person.
    #[arg(long)]
    review: bool,
    /// Print them as JSON instead of a table.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArguments,
}

fn read_status(word: &str) -> Result<PaymentStatus, String> {
    serde_json::from_value(Value::from(word)).map_err(|error| error.to_string())
}

/// A payment as it is shown: nothing in it is secret.
#[derive(Serialize)]
struct Shown {
    payment: String,
    order: String,
    /// The account that has it.
    account: Option<String>,
    amount: String,
    captured: Option<String>,
    status: PaymentStatus,
    paid: bool,
    in_doubt: bool,
    /// What a person has to look at.
    reviews: Vec<Review>,
    /// The provider's id.
    provider_payment: Option<String>,
    provider_status: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<&PaymentRecord> for Shown {
    fn from(record: &PaymentRecord) -> Self {
        let known = record.provider.as_ref();
        let captured = known.and_then(|payment| payment.amounts.captured);
        Self {
            payment: record.id.to_string(),
            order: record.request.reference.to_string(),
            account: record.account().map(ToString::to_string),
            amount: record.request.amount.to_string(),
            captured: captured.map(|amount| amount.to_string()),
            status: record.status,
            paid: record.is_paid(),
            in_doubt: record.in_doubt(),
            reviews: record.reviews.clone(),
            provider_payment: known.map(|payment| payment.id.to_string()),
            provider_status: known.map(|payment| payment.provider_status.clone()),
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }
}

impl Shown {
    fn row(self) -> [String; 6] {
        let mut status = self.status.to_string();
        if self.in_doubt {
            status.push_str(", in doubt");
        }
        if !self.reviews.is_empty() {
            status.push_str(", a person has to look");
        }
        let updated_at = self.updated_at.to_string();
        let account = self.account.unwrap_or_else(|| "none".to_owned());
        [self.payment, self.order, account, self.amount, status, updated_at]
    }
}

/// Prints the payments of a store.
pub(crate) async fn run(
    arguments: PaymentsArguments,
    out: &mut dyn Write,
) -> Result<ExitCode, Stop> {
    let query = PaymentQuery {
        statuses: arguments.status,
        review: arguments.review.then_some(true),
        ..PaymentQuery::default()
    };
    let books = Books::open(&arguments.store)?;
    let records = books.list(query).await?;
    books.close().await;
    let shown = records.iter().map(Shown::from);
    if arguments.json {
        serde_json::to_writer_pretty(&mut *out, &shown.collect::<Vec<_>>())?;
        writeln!(out)?;
    } else {
        let header = ["payment", "order", "account", "amount", "status", "changed"];
        writeln!(out, "{}", table::of(header, shown.map(Shown::row), 4))?;
        writeln!(out, "{} payments.", records.len())?;
    }
    Ok(ExitCode::SUCCESS)
}
