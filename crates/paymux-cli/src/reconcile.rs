//! `paymux reconcile`: our books beside the providers'.

use std::{collections::BTreeMap, io::Write, process::ExitCode, time::Duration};

use paymux::{
    Clock, ProviderId, SystemClock, Timestamp,
    orchestrator::{Difference, DifferenceKind, Reconciliation, store::PaymentQuery},
};

use crate::{
    Stop,
    books::{Books, StoreArguments},
};

/// Clocks differ: what was asked for just now may bear a time ahead of ours.
const AHEAD: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub(crate) struct ReconcileArguments {
    /// Compare what was asked for at or after this time, such as 2026-11-21T18:00:00Z; since the
    /// first payment of the store when not said.
    #[arg(long, value_name = "TIME", value_parser = read_time)]
    since: Option<Timestamp>,
    #[command(flatten)]
    store: StoreArguments,
}

fn read_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).map_err(|error| error.message().to_owned())
}

/// Reads every payment from its provider again, and what the providers list. Succeeds only if all
/// could be asked and say what our books say.
pub(crate) async fn run(
    arguments: ReconcileArguments,
    out: &mut dyn Write,
) -> Result<ExitCode, Stop> {
    let books = Books::open(&arguments.store)?;
    let to = SystemClock.now().after(AHEAD);
    let from = match arguments.since {
        Some(since) => since,
        None => {
            let first = PaymentQuery { limit: 1, ..PaymentQuery::default() };
            let first = books.orchestrator().list_payments(&first).await?;
            first.first().map_or(to, |record| record.created_at)
        }
    };
    let found = books.orchestrator().reconcile(from, to).await?;
    books.close().await;
    writeln!(out, "{}", in_words(&found))?;
    let agree = found.differences.is_empty();
    Ok(if agree { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What a comparison found, in a line; a line for each difference; and one for each account that
/// could not be asked.
pub(crate) fn in_words(found: &Reconciliation) -> String {
    let Reconciliation { compared, listed, differences, .. } = found;
    let mut unasked: BTreeMap<&ProviderId, Vec<&Difference>> = BTreeMap::new();
    let mut real = Vec::new();
    for difference in differences {
        if difference.kind == DifferenceKind::NotCompared {
            unasked.entry(&difference.account).or_default().push(difference);
        } else {
            real.push(difference);
        }
    }
    let count = match real.len() {
        0 if *compared == 0 && !unasked.is_empty() => "nothing could be compared".to_owned(),
        0 => "no difference".to_owned(),
        1 => "1 difference".to_owned(),
        many => format!("{many} differences"),
    };
    let mut text = format!(
        "{compared} payments read again from their providers, {listed} found in their lists: {count}."
    );
    for difference in real {
        text.push_str(&format!("\n  {difference}"));
    }
    for (account, unasked) in unasked {
        let many = unasked.iter().filter(|one| one.payment.is_some()).count();
        let first = unasked.first().map_or("", |one| one.theirs.as_str());
        text.push_str(&format!("\n  {account} could not be asked for {many} payments: {first}"));
    }
    text
}
