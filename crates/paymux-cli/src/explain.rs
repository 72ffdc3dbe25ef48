//! `paymux explain`: why a payment is in its state.

use std::{io::Write, process::ExitCode};

use crate::{
    Stop,
    books::{Books, StoreArguments},
};

#[derive(clap::Args)]
pub(crate) struct ExplainArguments {
    /// The payment, by its id or by the order it is for.
    #[arg(value_name = "PAYMENT OR ORDER")]
    payment: String,
    #[command(flatten)]
    store: StoreArguments,
}

/// Prints what was asked, done and seen, in order, and what happens next. Asks nobody.
pub(crate) async fn run(
    arguments: ExplainArguments,
    out: &mut dyn Write,
) -> Result<ExitCode, Stop> {
    let books = Books::open(&arguments.store)?;
    let id = books.find(&arguments.payment).await?;
    let explanation = books.orchestrator().explain(&id).await?;
    books.close().await;
    writeln!(out, "{explanation}")?;
    Ok(ExitCode::SUCCESS)
}
