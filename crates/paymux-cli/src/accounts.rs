//! The demo's accounts as data: enough to open them again in another process, as long as somebody
//! plays their providers.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use paymux::{
    CaptureMethod, Currency, PaymentMethod, PaymentProvider, ProviderId, SecretString,
    milkypay::{MilkyPay, MilkyPayConfig, Mode},
    ramp::{self, OneToken, Ramp, RampConfig},
    toffeepay::{ToffeePay, ToffeePayConfig},
    transport::{HttpClient, HttpSettings},
    wallet::{Wallet, WalletConfig},
};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::Stop;

/// The providers are on this machine: an answer that is not there by then will not come.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

const NOTE: &str = "Accounts of paymux's sandbox: these keys open nothing else, and nothing at all \
                    once that sandbox has ended.";

/// An account at a provider that the sandbox plays.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(crate) enum SandboxAccount {
    Toffeepay {
        name: ProviderId,
        base_url: Url,
        api_key: String,
        game: String,
        capture: CaptureMethod,
        webhook_secret: String,
    },
    Milkypay {
        name: ProviderId,
        base_url: Url,
        account_id: String,
        api_key: String,
        webhook_secret: String,
        /// What it was found to take: anything else is refused before it is sent.
        methods: Vec<PaymentMethod>,
    },
    Wallet {
        name: ProviderId,
        base_url: Url,
        page_url: Url,
        client_id: String,
        mac_key: String,
        callback_key: String,
    },
    Ramp {
        name: ProviderId,
        base_url: Url,
        access_token: String,
    },
}

impl SandboxAccount {
    /// Opens the account. Nobody is asked anything.
    pub(crate) fn open(&self, http: &HttpClient) -> paymux::Result<Arc<dyn PaymentProvider>> {
        let http = http.clone();
        match self {
            Self::Toffeepay { name, base_url, api_key, game, capture, webhook_secret } => {
                let key = SecretString::from(api_key.clone());
                let config = ToffeePayConfig::new(name.clone(), key, game)
                    .base_url(base_url.clone())
                    .capture(*capture)
                    .webhook_secret_legacy(SecretString::from(webhook_secret.clone()));
                Ok(Arc::new(ToffeePay::new(config, http)?))
            }
            Self::Milkypay { name, base_url, account_id, api_key, webhook_secret, methods } => {
                let secret = SecretString::from(webhook_secret.clone());
                let config = MilkyPayConfig::new(name.clone(), base_url.clone(), Mode::Test)
                    .private_api(account_id, SecretString::from(api_key.clone()))
                    .webhook_secret(Mode::Test, secret);
                let account = MilkyPay::new(config, http)?;
                Ok(Arc::new(account.with_known_methods(methods.clone())))
            }
            Self::Wallet { name, base_url, page_url, client_id, mac_key, callback_key } => {
                let key = SecretString::from(mac_key.clone());
                let config = WalletConfig::new(name.clone(), client_id, key)
                    .base_url(base_url.clone())
                    .page_url(page_url.clone())
                    .callback_key(callback_key);
                Ok(Arc::new(Wallet::new(config, http)?))
            }
            Self::Ramp { name, base_url, access_token } => {
                let token = OneToken::new(SecretString::from(access_token.clone()));
                let sandbox = ramp::Environment::Sandbox;
                let config = RampConfig::new(name.clone(), base_url.clone(), sandbox)
                    .tokens(Arc::new(token))
                    .currency(Currency::registered("USDT", 6)?)
                    // Only invoices tell how much was paid, and the shop ships for nothing less.
                    .invoice_read(true);
                Ok(Arc::new(Ramp::new(config, http)?))
            }
        }
    }
}

/// What is written beside a store.
#[derive(Deserialize, Serialize)]
struct Document {
    note: String,
    accounts: Vec<SandboxAccount>,
    /// The rules that say which account takes what, in TOML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    routes: Option<String>,
}

/// The accounts of a store, and the rules of the shop that it belongs to.
pub(crate) struct Known {
    pub(crate) accounts: Vec<SandboxAccount>,
    pub(crate) routes: Option<String>,
}

/// Where the accounts of this store are kept.
fn file_of(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".accounts.json");
    PathBuf::from(name)
}

/// Keeps the accounts and the rules beside the store.
pub(crate) fn write(store: &Path, accounts: Vec<SandboxAccount>, routes: &str) -> Result<(), Stop> {
    let file = file_of(store);
    let (note, routes) = (NOTE.to_owned(), Some(routes.to_owned()));
    let text = serde_json::to_string_pretty(&Document { note, accounts, routes })?;
    fs::write(&file, text)
        .map_err(|error| format!("the accounts {} cannot be written: {error}", file.display()))?;
    Ok(())
}

/// Reads the accounts and rules that are kept beside the store.
pub(crate) fn read(store: &Path) -> Result<Known, Stop> {
    let file = file_of(store);
    let name = file.display();
    let text = fs::read_to_string(&file).map_err(|error| {
        format!(
            "the accounts of this store, {name}, cannot be read: {error}. The demo writes them."
        )
    })?;
    let document: Document = serde_json::from_str(&text)
        .map_err(|error| format!("the accounts {name} are not as they should be: {error}"))?;
    Ok(Known { accounts: document.accounts, routes: document.routes })
}

/// The client for providers on this machine.
pub(crate) fn http(timeout: Duration) -> Result<HttpClient, Stop> {
    let mut settings = HttpSettings::default();
    settings.timeout = timeout;
    settings.connect_timeout = timeout / 2;
    Ok(HttpClient::new(settings)?)
}
