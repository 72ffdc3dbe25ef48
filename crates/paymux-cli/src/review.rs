//! `paymux review`: what waits for a person, and what a person decides about it.

use std::{io::Write, process::ExitCode};

use paymux::{
    ProviderPaymentId,
    orchestrator::{Resolution, ReviewReason, store::PaymentQuery},
};
use serde_json::Value;

use crate::{
    Stop,
    books::{Books, StoreArguments},
};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct ReviewArguments {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: Option<StoreArguments>,
}

#[derive(clap::Subcommand)]
enum What {
    /// Print what waits for a person, oldest first (the default).
    List(StoreArguments),
    /// Decide about a payment that waits, and keep who decided it and why in its history.
    Resolve(ResolveArguments),
}

#[derive(clap::Args)]
struct ResolveArguments {
    /// The payment, by its id or by the order it is for.
    #[arg(value_name = "PAYMENT OR ORDER")]
    payment: String,
    #[command(flatten)]
    decision: Decision,
    /// Who decides, for the history.
    #[arg(long)]
    who: String,
    /// Why, for the history.
    #[arg(long)]
    why: String,
    #[command(flatten)]
    store: StoreArguments,
}

/// Exactly one of these.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Decision {
    /// The provider was asked by other means: the attempt in doubt did nothing and never will, so
    /// that another account may be tried.
    #[arg(long)]
    did_nothing: bool,
    /// The provider was asked by other means: the step in doubt was done.
    #[arg(long)]
    was_done: bool,
    /// The provider was asked by other means: it has the payment, under this id of its own.
    #[arg(long, value_name = "ID")]
    it_is: Option<String>,
    /// A final status was contradicted, and the provider is right.
    #[arg(long)]
    provider_is_right: bool,
    /// The amount that was taken, or the success without one, counts as paid in full.
    #[arg(long)]
    accept_amount: bool,
    /// Money showed late on this object of an attempt that does not count any more: give it back.
    #[arg(long, value_name = "ID")]
    give_back: Option<String>,
    /// What was seen for this reason, such as `still_in_doubt`, is right as it is.
    #[arg(long, value_name = "REASON", value_parser = read_reason)]
    dismiss: Option<ReviewReason>,
    /// Try again now.
    #[arg(long)]
    try_again: bool,
}

fn read_reason(word: &str) -> Result<ReviewReason, String> {
    serde_json::from_value(Value::from(word)).map_err(|error| error.to_string())
}

impl Decision {
    fn resolution(self) -> paymux::Result<Resolution> {
        if let Some(id) = self.it_is {
            return Ok(Resolution::ItIs(ProviderPaymentId::new(id)?));
        }
        if let Some(id) = self.give_back {
            return Ok(Resolution::GiveBack(ProviderPaymentId::new(id)?));
        }
        if let Some(reason) = self.dismiss {
            return Ok(Resolution::Dismiss(reason));
        }
        let said = [
            (self.did_nothing, Resolution::DidNothing),
            (self.was_done, Resolution::WasDone),
            (self.provider_is_right, Resolution::ProviderIsRight),
            (self.accept_amount, Resolution::AcceptAmount),
        ];
        let said = said.into_iter().find(|(said, _)| *said);
        // One was said: the only one left.
        Ok(said.map_or(Resolution::TryAgain, |(_, resolution)| resolution))
    }
}

/// Prints what waits for a person, or settles one.
pub(crate) async fn run(arguments: ReviewArguments, out: &mut dyn Write) -> Result<ExitCode, Stop> {
    match (arguments.what, arguments.list) {
        (Some(What::Resolve(arguments)), _) => resolve(arguments, out).await,
        (Some(What::List(store)), _) | (None, Some(store)) => list(&store, out).await,
        (None, None) => Err("name the store with --store FILE".into()),
    }
}

async fn list(store: &StoreArguments, out: &mut dyn Write) -> Result<ExitCode, Stop> {
    let books = Books::open(store)?;
    let query = PaymentQuery { review: Some(true), ..PaymentQuery::default() };
    let waiting = books.list(query).await?;
    books.close().await;
    for record in &waiting {
        let asked = &record.request;
        let (order, amount) = (&asked.reference, asked.amount);
        writeln!(out, "{} · order {order} · {amount} · {}", record.id, record.status)?;
        for review in &record.reviews {
            let word = serde_json::to_value(review.reason)?;
            let word = word.as_str().unwrap_or_default();
            writeln!(out, "  {word}, since {}: {}", review.since, review.reason)?;
            writeln!(out, "    {}", review.note)?;
        }
    }
    match waiting.len() {
        0 => writeln!(out, "Nothing waits for a person.")?,
        1 => writeln!(out, "1 payment waits for a person.")?,
        many => writeln!(out, "{many} payments wait for a person.")?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn resolve(arguments: ResolveArguments, out: &mut dyn Write) -> Result<ExitCode, Stop> {
    let resolution = arguments.decision.resolution()?;
    let books = Books::open(&arguments.store)?;
    let id = books.find(&arguments.payment).await?;
    let orchestrator = books.orchestrator();
    orchestrator.resolve_review(&id, resolution, &arguments.who, &arguments.why).await?;
    let explanation = orchestrator.explain(&id).await?;
    books.close().await;
    let record = &explanation.record;
    let waits = if record.reviews.is_empty() { "" } else { ", and still waits for a person" };
    writeln!(out, "{id} is {}{waits}. Next: {}.", record.status, explanation.next)?;
    Ok(ExitCode::SUCCESS)
}
