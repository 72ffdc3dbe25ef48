//! The demo: a shop's orders, taken through every provider and settled by reading them back.
//!
//! Nothing here names a provider except [`stage`], which lists them; what plays each one stands in
//! a file of its own.

use std::{io::Write, path::PathBuf, process::ExitCode};

use crate::Stop;

mod milkypay;
mod order;
mod progress;
mod ramp;
mod report;
mod row;
mod shop;
mod stage;
#[cfg(test)]
mod tests;
mod toffeepay;
mod wallet;
mod webhooks;

use progress::Progress;
use shop::{Patience, Shop};
use stage::{CAST, Stage, TIMEOUT};

#[derive(clap::Args)]
pub(crate) struct DemoArguments {
    /// Print the outcome as JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Take the orders from this file instead of the built-in examples/orders.json.
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,
}

/// Runs the demo; succeeds only if every order ended as its script says.
pub(crate) async fn run(arguments: DemoArguments, out: &mut dyn Write) -> Result<ExitCode, Stop> {
    let orders = order::load(arguments.orders.as_deref())?;
    let progress = Progress::new(orders.len(), arguments.json);
    let (stage, deliveries) = Stage::open(CAST, TIMEOUT).await?;
    progress.say(&format!("{} orders, providers played at {}", orders.len(), stage.url()));
    let mut shop = Shop::open(&stage, deliveries, &progress, Patience::default(), orders);
    shop.serve().await?;
    progress.finish();
    let report = shop.report();
    if arguments.json {
        report.write_json(out)?;
    } else {
        report.write_table(out)?;
    }
    stage.close().await;
    Ok(if report.is_as_scripted() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
