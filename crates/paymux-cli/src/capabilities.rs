//! The capability table: what each provider can do, as its adapter states it.

use std::{io::Write, process::ExitCode, sync::Arc};

use paymux::{
    Capabilities, CaptureChoice, CaptureMethod, Currencies, Operation, PaymentProvider, ProviderId,
    Replay, SecretString, Url,
    milkypay::{MilkyPay, MilkyPayConfig, Mode},
    ramp::{Environment, OneToken, Ramp, RampConfig},
    toffeepay::{ToffeePay, ToffeePayConfig},
    transport::{HttpClient, HttpSettings},
    wallet::{Wallet, WalletConfig},
};

use crate::Stop;

/// Prints the table.
pub(crate) fn print(out: &mut dyn Write) -> Result<ExitCode, Stop> {
    out.write_all(table(&providers()?).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// More currencies than this are counted, not named.
const MOST_NAMED: usize = 10;

/// A column of the table.
struct Provider {
    name: &'static str,
    /// Of an account as configured by default.
    one: Capabilities,
    /// When money can be taken, over all the ways to configure an account.
    captures: Vec<CaptureChoice>,
}

/// Capabilities need no connection.
fn providers() -> paymux::Result<Vec<Provider>> {
    let http = HttpClient::new(HttpSettings::default())?;
    Ok(vec![toffeepay(&http)?, milkypay(&http)?, wallet(&http)?, ramp(&http)?])
}

fn toffeepay(http: &HttpClient) -> paymux::Result<Provider> {
    let open = |capture| {
        let key = SecretString::from("not-a-key");
        let config = ToffeePayConfig::new(ProviderId::new("toffeepay")?, key, "any");
        ToffeePay::new(config.capture(capture), http.clone())
    };
    let (automatic, manual) = (open(CaptureMethod::Automatic)?, open(CaptureMethod::Manual)?);
    Ok(Provider {
        name: "ToffeePay",
        one: automatic.capabilities().clone(),
        captures: [&automatic, &manual].map(|account| account.capabilities().capture).to_vec(),
    })
}

/// With the private API, which can do everything, and refunds as they are by default.
fn milkypay(http: &HttpClient) -> paymux::Result<Provider> {
    let host = host("https://milkypay.invalid/")?;
    let key = SecretString::from("not-a-key");
    let config = MilkyPayConfig::new(ProviderId::new("milkypay")?, host, Mode::Live)
        .private_api("coma_any", key)
        .public_api("pk_live_any");
    let one = MilkyPay::new(config, http.clone())?.capabilities().clone();
    Ok(Provider { name: "MilkyPay", captures: vec![one.capture], one })
}

/// With a key for its callbacks: without one they are a hint and no more.
fn wallet(http: &HttpClient) -> paymux::Result<Provider> {
    let key = SecretString::from("not-a-key");
    let config = WalletConfig::new(ProviderId::new("wallet")?, "any", key)
        .callback_key(include_str!("example_callback_key.pem"));
    let one = Wallet::new(config, http.clone())?.capabilities().clone();
    Ok(Provider { name: "Wallet", captures: vec![one.capture], one })
}

/// As it comes: the read of invoices, which tells amounts, is off.
fn ramp(http: &HttpClient) -> paymux::Result<Provider> {
    let token = OneToken::new(SecretString::from("not-a-token"));
    let host = host("https://ramp.invalid/")?;
    let config =
        RampConfig::new(ProviderId::new("ramp")?, host, Environment::Live).tokens(Arc::new(token));
    let one = Ramp::new(config, http.clone())?.capabilities().clone();
    Ok(Provider { name: "Ramp", captures: vec![one.capture], one })
}

fn host(text: &str) -> paymux::Result<Url> {
    Url::parse(text).map_err(|_| paymux::Error::configuration("base_url", "must be a URL"))
}

fn table(providers: &[Provider]) -> String {
    let mut lines = vec![cells("", providers, |provider| provider.name.to_owned())];
    lines.push(cells("---", providers, |_| "---".to_owned()));
    for operation in Operation::ALL {
        let label = format!("`{operation}`");
        lines.push(cells(&label, providers, |provider| has(&provider.one, operation)));
    }
    lines.push(cells("when money is taken", providers, |provider| captures(&provider.captures)));
    type Describe = fn(&Capabilities) -> String;
    let rows: [(&str, Describe); 9] = [
        ("currencies", |one| currencies(&one.currencies)),
        ("take less than is held", |one| yes(one.partial_capture)),
        ("give less back than was taken", |one| yes(one.partial_refund)),
        ("tries or splits below a payment", |one| yes(one.parts)),
        ("charge under a mandate", |one| yes(one.mandates)),
        ("find by our reference", |one| yes(one.reference_lookup.is_some())),
        ("success comes with a figure", |one| yes(one.reports_captured)),
        ("lists by", list_filters),
        ("webhooks", |one| one.webhook_trust.to_string()),
    ];
    for (label, describe) in rows {
        lines.push(cells(label, providers, |provider| describe(&provider.one)));
    }
    lines.join("\n") + "\n"
}

fn cells(label: &str, providers: &[Provider], cell: impl Fn(&Provider) -> String) -> String {
    let row: Vec<String> = providers.iter().map(cell).collect();
    format!("| {label} | {} |", row.join(" | "))
}

fn has(one: &Capabilities, operation: Operation) -> String {
    match one.replay.get(&operation) {
        Some(replay) => replay_words(*replay),
        None => yes(one.reads.contains(&operation)),
    }
}

/// What a repeated, identical call does.
fn replay_words(replay: Replay) -> String {
    match replay {
        Replay::Key { ttl, .. } => format!("yes; key kept {} h", ttl.as_secs() / 3600),
        Replay::Reference => "yes; reference unique".to_owned(),
        Replay::Harmless => "yes; repeat harmless".to_owned(),
        Replay::LookupFirst => "yes; look up before a repeat".to_owned(),
        Replay::Never => "yes; never repeat".to_owned(),
    }
}

fn currencies(currencies: &Currencies) -> String {
    match currencies {
        Currencies::Any => "the provider decides".to_owned(),
        Currencies::Only(set) if set.len() <= MOST_NAMED => {
            set.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        Currencies::Only(set) => format!("{} of ISO 4217", set.len()),
    }
}

/// What one account can do, or what the setting of each account decides.
fn captures(choices: &[CaptureChoice]) -> String {
    let words = choices.iter().map(|choice| match choice {
        CaptureChoice::Automatic => "at once",
        CaptureChoice::Manual => "held first",
        CaptureChoice::PerRequest => "each request says",
    });
    let words: Vec<&str> = words.collect();
    let setting = if words.len() > 1 { ": a setting of the account" } else { "" };
    format!("{}{setting}", words.join(" or "))
}

fn list_filters(one: &Capabilities) -> String {
    let filters =
        [(one.list_created, "time"), (one.list_status, "status"), (one.list_customer, "payer")];
    let filters: Vec<&str> =
        filters.into_iter().filter_map(|(has, word)| has.then_some(word)).collect();
    if filters.is_empty() { yes(false) } else { filters.join(", ") }
}

fn yes(has: bool) -> String {
    if has { "yes" } else { "–" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The README shows the table between two markers; it must be the one the code gives.
    #[test]
    fn the_readme_shows_the_table_of_the_code() {
        let readme = include_str!("../../../README.md");
        let shown = readme
            .split_once("<!-- capabilities -->\n")
            .and_then(|(_, rest)| rest.split_once("<!-- /capabilities -->"))
            .map(|(table, _)| table)
            .expect("the README has both markers");
        let table = table(&providers().expect("the providers can be configured"));
        assert_eq!(shown, table, "update it with `cargo run -- capabilities`");
    }
}
