//! `paymux review`: what waits for a person, and what a person decides about it.

use std::{io::Write, process::ExitCode};

use paymux::{
    Currency, Money, ProviderPaymentId,
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
    /// The attempt that it is about, as `review` names it.
    #[arg(long, value_name = "NUMBER")]
    attempt: u32,
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
    /// that another account may be tried. A refund that is under way came to nothing.
    #[arg(long)]
    did_nothing: bool,
    /// The provider was asked by other means: the step in doubt, or the refund, was done.
    #[arg(long)]
    was_done: bool,
    /// The provider was asked by other means: it has the payment, under this id of its own.
    #[arg(long, value_name = "ID")]
    it_is: Option<String>,
    /// This object counts, although it says another amount or had been given up.
    #[arg(long, value_name = "ID")]
    it_counts: Option<String>,
    /// A final status was contradicted, and the provider is right.
    #[arg(long)]
    provider_is_right: bool,
    /// What was taken, such as `4.99`, is right and counts as all of it; `unstated` where nobody
    /// says how much it was.
    #[arg(long, value_name = "AMOUNT")]
    accept_amount: Option<String>,
    /// Money showed late on this object of an attempt that does not count any more: give it back.
    #[arg(long, value_name = "ID")]
    give_back: Option<String>,
    /// What was seen for this reason, such as `still_in_doubt`, is no more so or needs nothing.
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
    fn resolution(self, attempt: u32, currency: Currency) -> paymux::Result<Resolution> {
        if let Some(id) = self.it_is {
            return Ok(Resolution::ItIs { attempt, object: ProviderPaymentId::new(id)? });
        }
        if let Some(id) = self.it_counts {
            return Ok(Resolution::ItCounts { attempt, object: ProviderPaymentId::new(id)? });
        }
        if let Some(id) = self.give_back {
            return Ok(Resolution::GiveBack { attempt, object: ProviderPaymentId::new(id)? });
        }
        if let Some(reason) = self.dismiss {
            return Ok(Resolution::Dismiss { attempt, reason });
        }
        if let Some(amount) = self.accept_amount {
            let is_stated = amount != "unstated";
            let amount = is_stated.then(|| Money::parse(&amount, currency)).transpose()?;
            return Ok(Resolution::AcceptAmount { attempt, amount });
        }
        let said = [
            (self.did_nothing, Resolution::DidNothing { attempt }),
            (self.was_done, Resolution::WasDone { attempt }),
            (self.provider_is_right, Resolution::ProviderIsRight { attempt }),
        ];
        let said = said.into_iter().find(|(said, _)| *said);
        // One was said: the only one left.
        Ok(said.map_or(Resolution::TryAgain { attempt }, |(_, resolution)| resolution))
    }
}

/// What may be decided, whatever its provider says when it is asked; some of it is refused then.
fn ways_out(reason: ReviewReason) -> &'static str {
    match reason {
        ReviewReason::StillInDoubt => {
            "--did-nothing, --was-done, --it-is ID, --dismiss still_in_doubt, --try-again"
        }
        ReviewReason::Mismatch => {
            "--did-nothing, --was-done, --it-is ID, --it-counts ID, --dismiss mismatch, --try-again"
        }
        ReviewReason::Contradiction => {
            "--provider-is-right, --dismiss contradiction, --try-again (not of a refund)"
        }
        ReviewReason::LateSuccess => "--give-back ID, --it-counts ID, --dismiss late_success",
        ReviewReason::UnreportedAmount => "--accept-amount unstated, --try-again",
        ReviewReason::ShortAmount | ReviewReason::EndedWithMoney => {
            "--accept-amount AMOUNT, --try-again, or a refund"
        }
        ReviewReason::SharedObject => {
            "--did-nothing, --it-is ID, --dismiss shared_object, --try-again"
        }
        ReviewReason::NoEnd => "--did-nothing, --was-done, --dismiss no_end, --try-again",
        ReviewReason::StepRefused => "--dismiss step_refused",
        _ => "--try-again",
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
            match review.attempt {
                Some(no) => writeln!(out, "    attempt {no}: {}", review.note)?,
                None => writeln!(out, "    {}", review.note)?,
            }
            writeln!(out, "    decide: {}", ways_out(review.reason))?;
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
    let books = Books::open(&arguments.store)?;
    let id = books.find(&arguments.payment).await?;
    let orchestrator = books.orchestrator();
    let currency = orchestrator.stored_payment(&id).await?.request.amount.currency();
    let resolution = arguments.decision.resolution(arguments.attempt, currency)?;
    orchestrator.resolve_review(&id, resolution, &arguments.who, &arguments.why).await?;
    let explanation = orchestrator.explain(&id).await?;
    books.close().await;
    let record = &explanation.record;
    let waits = if record.reviews.is_empty() { "" } else { ", and still waits for a person" };
    writeln!(out, "{id} is {}{waits}. Next: {}.", record.status, explanation.next)?;
    Ok(ExitCode::SUCCESS)
}
