//! `paymux sandbox`: plays the providers until interrupted, and says how to reach them.

use std::{io::Write, process::ExitCode};

use paymux_sandbox::{Sandbox, SandboxConfig, SandboxError, WebhookScheme};
use url::Url;

use crate::{Stop, interrupt};

#[derive(clap::Args)]
pub(crate) struct SandboxArguments {
    /// The port on loopback; 0 takes any that is free.
    #[arg(long, default_value_t = 4010)]
    port: u16,
    /// Send webhooks here: plain http on this machine.
    #[arg(long, value_name = "URL")]
    webhook_url: Option<Url>,
    /// How ToffeePay signs its webhooks.
    #[arg(long, value_enum, default_value_t = Scheme::Legacy)]
    webhook_scheme: Scheme,
    /// Wrap ToffeePay's answers, as the provider's published SDKs expect them.
    #[arg(long)]
    wrapped: bool,
    /// Make ids repeatable.
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Scheme {
    /// `X-ToffeePay-Signature: t=…,v1=…`
    Legacy,
    /// Standard Webhooks
    Standard,
}

impl SandboxArguments {
    fn config(&self) -> SandboxConfig {
        let scheme = match self.webhook_scheme {
            Scheme::Legacy => WebhookScheme::Legacy,
            Scheme::Standard => WebhookScheme::Standard,
        };
        let config =
            SandboxConfig::default().port(self.port).webhook_scheme(scheme).wrapped(self.wrapped);
        let config = match self.seed {
            Some(seed) => config.seed(seed),
            None => config,
        };
        match &self.webhook_url {
            Some(url) => config.webhook_url(url.clone()),
            None => config,
        }
    }
}

/// Runs the sandbox until Ctrl-C.
pub(crate) async fn run(
    arguments: SandboxArguments,
    out: &mut dyn Write,
) -> Result<ExitCode, Stop> {
    let sandbox = Sandbox::start(arguments.config()).await.map_err(explain)?;
    sandbox.milkypay().set_callback_url(arguments.webhook_url.clone())?;
    sandbox.wallet().set_callback_url(arguments.webhook_url.clone())?;
    sandbox.ramp().set_webhook_url(arguments.webhook_url.clone())?;
    let greet = || write_greeting(&sandbox, arguments.webhook_url.as_ref(), out);
    interrupt::wait_after(greet).await?;
    sandbox.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

/// A port that is taken is the one mistake that everybody makes.
fn explain(error: SandboxError) -> Stop {
    if let SandboxError::Bind { source, .. } = &error {
        return format!("{error}: {source}. Choose another with --port; 0 takes any.").into();
    }
    error.into()
}

fn write_greeting(
    sandbox: &Sandbox,
    webhook_url: Option<&Url>,
    out: &mut dyn Write,
) -> Result<(), Stop> {
    let toffeepay = sandbox.toffeepay();
    let (base, key) = (toffeepay.base_url(), toffeepay.api_key());
    writeln!(out, "ToffeePay")?;
    writeln!(out, "  base URL        {base}")?;
    writeln!(out, "  API key         {key}")?;
    writeln!(out, "  webhook secret  {}", toffeepay.webhook_secret())?;
    write_receiver(webhook_url, out)?;
    writeln!(
        out,
        "  games           space_shooter (takes money at once), space_shooter_manual (holds it first)"
    )?;
    writeln!(out)?;
    writeln!(out, "Open a session, then open its url in a browser:")?;
    writeln!(out)?;
    writeln!(out, "  curl {base}/pay.v1.PaymentService/CreateSession \\")?;
    writeln!(out, "    -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\")?;
    writeln!(
        out,
        "    -d '{{\"game_id\":\"space_shooter\",\"user_id\":\"player_42\",\"item\":{{\"title\":\"50 Gold Coins\",\"price\":499,\"currency\":\"USD\"}},\"return_url\":\"mygame://payment-complete\"}}'"
    )?;
    writeln!(out)?;
    write_milkypay(sandbox, webhook_url, out)?;
    write_wallet(sandbox, webhook_url, out)?;
    write_ramp(sandbox, webhook_url, out)?;
    writeln!(out, "All that acts as the payer, moves time and injects faults is listed by:")?;
    writeln!(out)?;
    writeln!(out, "  curl {}control", sandbox.url())?;
    writeln!(out)?;
    writeln!(out, "Ctrl-C ends it.")?;
    Ok(out.flush()?)
}

fn write_milkypay(
    sandbox: &Sandbox,
    webhook_url: Option<&Url>,
    out: &mut dyn Write,
) -> Result<(), Stop> {
    let milkypay = sandbox.milkypay();
    let (account, key) = (milkypay.account_id(), milkypay.api_key());
    writeln!(out, "MilkyPay")?;
    writeln!(out, "  base URL        {}", milkypay.base_url())?;
    writeln!(out, "  private API     user {account}, password {key}")?;
    writeln!(out, "  public API      {}", milkypay.public_key_test())?;
    writeln!(out, "  callback secret {}", milkypay.secret_test())?;
    write_receiver(webhook_url, out)?;
    writeln!(out)?;
    writeln!(out, "Make an invoice, then open its hpp_url in a browser:")?;
    writeln!(out)?;
    writeln!(out, "  curl -u {account}:{key} {}/payment-invoices \\", milkypay.private_url())?;
    writeln!(out, "    -H 'Content-Type: application/json' \\")?;
    writeln!(
        out,
        "    -d '{{\"data\":{{\"type\":\"payment-invoices\",\"attributes\":{{\"reference_id\":\"order-1\",\"service\":\"payment_card_usd_hpp\",\"currency\":\"USD\",\"amount\":25,\"description\":\"Map Editor\",\"test_mode\":true,\"customer\":{{\"reference_id\":\"player_42\"}}}}}}}}'"
    )?;
    Ok(writeln!(out)?)
}

fn write_wallet(
    sandbox: &Sandbox,
    webhook_url: Option<&Url>,
    out: &mut dyn Write,
) -> Result<(), Stop> {
    let wallet = sandbox.wallet();
    writeln!(out, "Wallet")?;
    writeln!(out, "  base URL        {}", wallet.base_url())?;
    writeln!(out, "  client id       {}", wallet.client_id())?;
    writeln!(out, "  MAC key         {}", wallet.mac_key())?;
    writeln!(out, "  callback key    {}", wallet.public_key_url())?;
    write_receiver(webhook_url, out)?;
    writeln!(out, "  Its requests are signed one by one, so no curl line is shown.")?;
    Ok(writeln!(out)?)
}

fn write_ramp(
    sandbox: &Sandbox,
    webhook_url: Option<&Url>,
    out: &mut dyn Write,
) -> Result<(), Stop> {
    let ramp = sandbox.ramp();
    let (base, token) = (ramp.base_url(), ramp.access_token());
    // Invoices come about elsewhere at this provider; one is there to begin with.
    let invoice = ramp.add_invoice("15", "EUR")?;
    writeln!(out, "Ramp")?;
    writeln!(out, "  base URL        {base}")?;
    writeln!(out, "  access token    {token} (of the usual user, for a day)")?;
    writeln!(out, "  invoice         {invoice}, 15 EUR; more by POST control/ramp/invoices")?;
    write_receiver(webhook_url, out)?;
    writeln!(out)?;
    writeln!(out, "Open a checkout of the invoice:")?;
    writeln!(out)?;
    writeln!(out, "  curl {base}/acquiring/invoice/payment \\")?;
    writeln!(out, "    -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \\")?;
    writeln!(out, "    -d '{{\"invoiceId\":\"{invoice}\",\"type\":\"CHECKOUT\"}}'")?;
    Ok(writeln!(out)?)
}

fn write_receiver(webhook_url: Option<&Url>, out: &mut dyn Write) -> Result<(), Stop> {
    match webhook_url {
        Some(url) => writeln!(out, "  webhooks go to  {url}")?,
        None => writeln!(out, "  webhooks go to  nobody yet; name a receiver with --webhook-url")?,
    }
    Ok(())
}
