//! The `paymux` command. Alone it runs the demo.

use std::{io, process::ExitCode};

use clap::{Parser, Subcommand};

mod accounts;
mod capabilities;
mod demo;
mod sandbox;

/// Whatever stops a command; its text is for the person at the terminal.
type Stop = Box<dyn std::error::Error + Send + Sync>;

/// One client for many payment providers.
///
/// Without a command: runs the demo, which takes the payments of a small game shop through every
/// provider, played by a sandbox on this machine.
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
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let command = arguments.command.unwrap_or(Command::Demo(arguments.demo));
    let mut out = io::stdout();
    let done = match command {
        Command::Demo(arguments) => demo::run(arguments, &mut out).await,
        Command::Sandbox(arguments) => sandbox::run(arguments, &mut out).await,
        Command::Capabilities => capabilities::print(&mut out),
    };
    match done {
        Ok(code) => code,
        Err(stop) => {
            // Nothing is left to do if even standard error is closed.
            let _ = io::Write::write_fmt(&mut io::stderr(), format_args!("paymux: {stop}\n"));
            ExitCode::FAILURE
        }
    }
}
