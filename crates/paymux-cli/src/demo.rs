//! The demo: a shop's orders, taken through the orchestrator over every provider, with two things
//! going wrong on the way.
//!
//! Nothing here names a provider except [`stage`], which lists them; what plays each one stands in
//! a file of its own.

use std::{
    env,
    io::Write,
    path::{Path, PathBuf},
    process::{self, ExitCode},
};

use crate::{Stop, interrupt};

mod clock;
mod milkypay;
pub(crate) mod order;
mod progress;
mod ramp;
mod report;
mod row;
mod shop;
pub(crate) mod stage;
mod story;
#[cfg(test)]
mod tests;
mod toffeepay;
mod wallet;
mod webhooks;

use progress::Progress;
use report::Report;
use shop::{Patience, Shop};
use stage::{Setting, Stage};

#[derive(clap::Args)]
pub(crate) struct DemoArguments {
    /// Print the outcome as JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Take the orders from this file instead of the built-in examples/orders.json.
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,
    /// Keep the payments in this file, which must not be there yet, instead of a new one among the
    /// temporary files.
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Play the providers on after the report, until Ctrl-C, so that the commands that ask them
    /// work on the store.
    #[arg(long)]
    keep: bool,
}

/// Runs the demo; succeeds only if every order ended as its script says, and the books of the
/// providers say the same as ours.
pub(crate) async fn run(arguments: DemoArguments, out: &mut dyn Write) -> Result<ExitCode, Stop> {
    let orders = order::load(arguments.orders.as_deref())?;
    let progress = Progress::new(orders.len(), arguments.json);
    let store = arguments.store.unwrap_or_else(free_file);
    let (stage, deliveries) = Box::pin(Stage::open(&Setting::usual(&store))).await?;
    progress.say(&format!("{} orders, providers played at {}", orders.len(), stage.url()));
    progress.say(&format!("payments kept in {}", store.display()));
    let mut shop = Shop::open(&stage, deliveries, &progress, Patience::default(), orders);
    Box::pin(shop.serve()).await?;
    let report = Box::pin(shop.report()).await?;
    progress.finish();
    stage.close_shop().await;
    let mut say = || {
        if arguments.json {
            report.write_json(out)?;
        } else {
            report.write_table(out)?;
            write_commands(&store, &report, arguments.keep, out)?;
        }
        Ok(out.flush()?)
    };
    if arguments.keep {
        interrupt::wait_after(say).await?;
    } else {
        say()?;
    }
    stage.close().await;
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A file among the temporary ones that is not there yet. The name holds this process's number, so
/// that two runs at one time never meet.
fn free_file() -> PathBuf {
    let folder = env::temp_dir();
    let named = |round: u32| folder.join(format!("paymux-demo-{}-{round}.sqlite", process::id()));
    (1..).map(named).find(|file| !file.exists()).unwrap_or_default()
}

/// How the payments can be looked at afterwards, to be copied.
fn write_commands(
    store: &Path,
    report: &Report,
    keep: bool,
    out: &mut dyn Write,
) -> Result<(), Stop> {
    // Run by cargo, the command has no name of its own.
    let program = if env::var_os("CARGO").is_some() { "cargo run --" } else { "paymux" };
    let store = quoted(&store.display().to_string());
    writeln!(out, "\nThe payments are kept in {store}. Look at them with:\n")?;
    writeln!(out, "  {program} payments --store {store}")?;
    if let Some(order) = report.example() {
        writeln!(out, "  {program} explain {} --store {store}", quoted(order))?;
    }
    writeln!(out, "  {program} review --store {store}")?;
    let facts = "--amount \"60.00 USD\" --metadata lane=cheapest";
    writeln!(out, "  {program} route --dry-run {facts} --store {store}")?;
    if keep {
        writeln!(out, "  {program} reconcile --store {store}\n")?;
        writeln!(out, "The providers are played on. Ctrl-C ends it.")?;
    } else {
        writeln!(out, "\nTo ask the providers again as well, let the demo play them on:\n")?;
        writeln!(out, "  {program} demo --keep")?;
    }
    Ok(())
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "/._-+:=,@%".contains(sign);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
