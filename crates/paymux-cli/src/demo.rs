//! The demo: a shop's orders, taken through the orchestrator over every provider, with two things
//! going wrong on the way.
//!
//! Nothing here names a provider except [`stage`], which lists them; what plays each one stands in
//! a file of its own.

use std::{
    env,
    io::Write,
    path::PathBuf,
    process::{self, ExitCode},
};

use crate::Stop;

mod clock;
mod milkypay;
mod order;
mod progress;
mod ramp;
pub(crate) mod report;
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
    if arguments.json {
        report.write_json(out)?;
    } else {
        report.write_table(out)?;
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
