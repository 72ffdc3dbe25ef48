//! The merchant's accounts at the providers that the test plays.

use std::{sync::Arc, time::Duration};

use paymux::{
    CaptureMethod, Clock, ProviderId, SecretString, Url,
    milkypay::{MilkyPay, MilkyPayConfig, Mode},
    ramp::{self, OneToken, Ramp, RampConfig},
    toffeepay::{ToffeePay, ToffeePayConfig},
    transport::{HttpClient, HttpSettings},
    wallet::{Wallet, WalletConfig},
};
use paymux_orchestrator::{Orchestrator, routing::Routes, store::Store};
use serde::{Deserialize, Serialize};

use crate::{BILLS, GAMES, HELD_GAMES, INVOICES, Stop, WALLET};

/// How long a provider has to answer, in real time.
pub const TIMEOUT: Duration = Duration::from_millis(600);
/// The longest that one call may take. A call ends by real time and is given up by others by the
/// clock, half a minute later: with a clock up to six times as fast it has ended by then.
pub const CALL_LIMIT: Duration = Duration::from_secs(2);

/// Whom to ask first, and whom then.
const ROUTES: &str = r#"
[[rule]]
name = "games"
when = { metadata = { first = "toffeepay" } }
use = ["toffeepay", "milkypay", "wallet"]

[[rule]]
name = "games that hold"
when = { metadata = { first = "toffeepay-manual" } }
use = ["toffeepay-manual"]

[[rule]]
name = "invoices"
when = { metadata = { first = "milkypay" } }
use = ["milkypay", "wallet", "toffeepay"]

[[rule]]
name = "wallet"
when = { metadata = { first = "wallet" } }
use = ["wallet", "toffeepay", "milkypay"]

[[rule]]
name = "bills"
when = { metadata = { first = "ramp" } }
use = ["ramp"]
"#;

/// What the sandbox says of itself. Its secrets protect nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Access {
    /// Where the games are sold.
    pub games: Url,
    /// The key there.
    pub games_key: String,
    /// Proves its webhooks.
    pub games_secret: String,
    /// Where invoices are made.
    pub invoices: Url,
    /// The account there.
    pub invoices_account: String,
    /// The key there.
    pub invoices_key: String,
    /// Proves its callbacks.
    pub invoices_secret: String,
    /// Where the wallet is.
    pub wallet: Url,
    /// The client there.
    pub wallet_client: String,
    /// The key there.
    pub wallet_key: String,
    /// Proves its callbacks, as PEM.
    pub wallet_callback_key: String,
    /// Where bills are paid.
    pub bills: Url,
    /// The token of the payer there.
    pub bills_token: String,
}

/// The orchestrator over these accounts and this store.
///
/// # Errors
/// When an account cannot be configured so.
pub fn orchestrator(
    access: &Access,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    node: &str,
) -> Result<Orchestrator, Stop> {
    let mut settings = HttpSettings::default();
    settings.timeout = TIMEOUT;
    settings.connect_timeout = TIMEOUT / 2;
    let http = HttpClient::new(settings)?;
    let invoices =
        MilkyPayConfig::new(ProviderId::new(INVOICES)?, access.invoices.clone(), Mode::Test)
            .private_api(&*access.invoices_account, secret(&access.invoices_key))
            .webhook_secret(Mode::Test, secret(&access.invoices_secret))
            .refunds(true)
            .clock(clock.clone());
    let wallet = WalletConfig::new(
        ProviderId::new(WALLET)?,
        &*access.wallet_client,
        secret(&access.wallet_key),
    )
    .base_url(access.wallet.clone())
    .page_url(format!("{}/frontend", access.wallet).parse()?)
    .callback_key(&*access.wallet_callback_key)
    .clock(clock.clone());
    let sandbox = ramp::Environment::Sandbox;
    let bills = RampConfig::new(ProviderId::new(BILLS)?, access.bills.clone(), sandbox)
        .tokens(Arc::new(OneToken::new(secret(&access.bills_token))))
        // Only they tell how much was paid.
        .invoice_read(true);
    Ok(Orchestrator::builder(store)
        .clock(clock)
        .node(node)
        .call_limit(CALL_LIMIT)
        // All processes have the machine's clock.
        .clock_skew(Duration::ZERO)
        .routes(Routes::from_toml(ROUTES).map_err(|faults| faults.to_string())?)
        .account(games(access, GAMES, "space_shooter", CaptureMethod::Automatic, &http)?)
        .account(games(access, HELD_GAMES, "space_shooter_manual", CaptureMethod::Manual, &http)?)
        .account(MilkyPay::new(invoices, http.clone())?)
        .account(Wallet::new(wallet, http.clone())?)
        .account(Ramp::new(bills, http)?)
        .build()?)
}

fn games(
    access: &Access,
    name: &str,
    game: &str,
    capture: CaptureMethod,
    http: &HttpClient,
) -> Result<ToffeePay, Stop> {
    let config = ToffeePayConfig::new(ProviderId::new(name)?, secret(&access.games_key), game)
        .base_url(access.games.clone())
        .capture(capture)
        .webhook_secret_legacy(secret(&access.games_secret));
    Ok(ToffeePay::new(config, http.clone())?)
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}
