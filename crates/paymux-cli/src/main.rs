//! The `paymux` command. Alone it runs the demo.

use std::{io, process::ExitCode};

use clap::{Parser, Subcommand};

mod accounts;
mod books;
mod capabilities;
mod demo;
mod explain;
mod interrupt;
mod payments;
mod reconcile;
mod review;
mod route;
mod sandbox;
mod table;

/// Whatever stops a command; its text is for the person at the terminal.
type Stop = Box<dyn std::error::Error + Send + Sync>;

/// One client for many payment providers.
///
/// Without a command: runs the demo, which takes the payments of a small game shop through the
/// orchestrator and every provider, played by a sandbox on this machine.
#[derive(Parser)]
#[command(name = "paymux", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    demo: demo::DemoArguments,
}

#[derive(Subcommand)]
enum Command {
    /// Take the payments of a small game shop through every provider (the default).
    Demo(demo::DemoArguments),
    /// Play the providers on this machine until interrupted.
    Sandbox(sandbox::SandboxArguments),
    /// Print what each provider can do, as Markdown.
    Capabilities,
    /// List the payments of a store.
    Payments(payments::PaymentsArguments),
    /// Say why a payment is in its state, with times and evidence, and what happens next.
    Explain(explain::ExplainArguments),
    /// See what waits for a person, and decide about it.
    Review(review::ReviewArguments),
    /// Compare the payments of a store with what their providers say.
    Reconcile(reconcile::ReconcileArguments),
    /// Say which account a payment would go to, and why. Nothing is sent.
    Route(route::RouteArguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    match Box::pin(run(Arguments::parse(), &mut io::stdout())).await {
        Ok(code) => code,
        Err(stop) => {
            // Nothing is left to do if even standard error is closed.
            let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("paymux: {stop}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments, out: &mut dyn io::Write) -> Result<ExitCode, Stop> {
    match arguments.command.unwrap_or(Command::Demo(arguments.demo)) {
        Command::Demo(arguments) => Box::pin(demo::run(arguments, out)).await,
        Command::Sandbox(arguments) => sandbox::run(arguments, out).await,
        Command::Capabilities => capabilities::print(out),
        Command::Payments(arguments) => Box::pin(payments::run(arguments, out)).await,
        Command::Explain(arguments) => Box::pin(explain::run(arguments, out)).await,
        Command::Review(arguments) => Box::pin(review::run(arguments, out)).await,
        Command::Reconcile(arguments) => Box::pin(reconcile::run(arguments, out)).await,
        Command::Route(arguments) => route::run(&arguments, out),
    }
}
