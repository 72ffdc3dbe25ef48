//! `paymux route --dry-run`: which account a payment would go to.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    path::PathBuf,
    process::ExitCode,
};

use paymux::{
    CaptureMethod, Clock, Money, OsRandom, SystemClock,
    orchestrator::{
        PaymentId,
        routing::{Account, RouteFacts, Router, Routes},
    },
};

use crate::{
    Stop,
    accounts::{self, TIMEOUT},
    books::StoreArguments,
    demo::{order, stage::ROUTES},
};

#[derive(clap::Args)]
pub(crate) struct RouteArguments {
    /// Only say it; there is nothing else that this command does.
    #[arg(long, required = true)]
    dry_run: bool,
    /// How much, with its currency, such as "10.00 EUR".
    #[arg(long, value_parser = read_amount)]
    amount: Money,
    /// A fact of the merchant's own that rules can ask for; can be given again for more.
    #[arg(long, value_name = "NAME=VALUE", value_parser = read_fact)]
    metadata: Vec<(String, String)>,
    /// The payer's country, as two capital letters of ISO 3166.
    #[arg(long)]
    country: Option<String>,
    /// The way to pay, where the merchant chose one.
    #[arg(long)]
    method: Option<String>,
    /// The payment has options for this kind of provider, such as `ramp`; can be given again.
    #[arg(long)]
    kind: Vec<String>,
    /// The money is held first and taken later.
    #[arg(long)]
    hold: bool,
    /// Rules in TOML instead of the demo's, examples/routes.toml.
    #[arg(long, value_name = "FILE")]
    routes: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArguments,
}

fn read_amount(text: &str) -> Result<Money, String> {
    let (amount, code) = text.rsplit_once(' ').ok_or("must be a figure, a space and a currency")?;
    let parsed = order::currency(code).and_then(|currency| Money::parse(amount, currency));
    parsed.map_err(|error| error.message().to_owned())
}

fn read_fact(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be a name, = and a value")?;
    Ok((name.to_owned(), value.to_owned()))
}

impl RouteArguments {
    fn facts(&self) -> RouteFacts {
        let mut facts = RouteFacts::new(self.amount);
        if self.hold {
            facts.capture = CaptureMethod::Manual;
        }
        facts.country.clone_from(&self.country);
        facts.method.clone_from(&self.method);
        facts.kinds = self.kind.iter().cloned().collect::<BTreeSet<_>>();
        facts.metadata = self.metadata.iter().cloned().collect::<BTreeMap<_, _>>();
        // As for every payment that is asked of the orchestrator.
        facts.accepts_provider_amount = true;
        facts
    }

    /// The rules, checked against the accounts of the store.
    fn router(&self) -> Result<Router, Stop> {
        let (name, text) = match &self.routes {
            None => ("examples/routes.toml".to_owned(), ROUTES.to_owned()),
            Some(file) => {
                let name = file.display().to_string();
                let text = fs::read_to_string(file)
                    .map_err(|error| format!("the routes {name} cannot be read: {error}"))?;
                (name, text)
            }
        };
        let http = accounts::http(TIMEOUT)?;
        let accounts = self.store.accounts()?;
        let accounts = accounts.iter().map(|account| account.open(&http));
        let accounts = accounts.collect::<paymux::Result<Vec<_>>>()?;
        let known: Vec<Account<'_>> = accounts
            .iter()
            .map(|account| Account { id: account.id(), capabilities: account.capabilities() })
            .collect();
        let checked = Routes::from_toml(&text).and_then(|routes| routes.check(&known));
        checked.map_err(|faults| format!("the routes {name} are not right: {faults}").into())
    }
}

/// Prints the way of such a payment; succeeds if there is one. Asks nobody.
pub(crate) fn run(arguments: &RouteArguments, out: &mut dyn Write) -> Result<ExitCode, Stop> {
    let payment = PaymentId::generate(SystemClock.now(), &OsRandom);
    let plan = arguments.router()?.plan(&arguments.facts(), &payment);
    writeln!(out, "{plan}")?;
    Ok(if plan.candidates.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
