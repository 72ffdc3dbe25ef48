//! What an account at ToffeePay needs to be told.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt,
    time::Duration,
};

use paymux_core::{
    Capabilities, CaptureChoice, CaptureMethod, CreateEffect, Currencies, Error, Operation,
    ProviderId, Replay, Result, SecretString, Trust, Variables, check,
    signature::{StandardWebhooks, TimestampedHmac},
};
use url::Url;

use crate::{
    map,
    webhook::{LEGACY_HEADER, WebhookKeys},
};

/// How long the provider remembers an idempotency key. Source: its idempotency page.
const KEY_TTL: Duration = Duration::from_secs(24 * 60 * 60);

/// Which of ToffeePay's two worlds an account lives in. Nothing in a key shows it: the host alone
/// decides, and a key of the other world is refused with 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Environment {
    /// Real money: `https://api.toffeepay.com`.
    Live,
    /// Play money: `https://api.sandbox.toffeepay.com`.
    Sandbox,
}

impl Environment {
    /// The root of the API. Source: the provider's authentication page, 2026.
    #[must_use]
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::Live => "https://api.toffeepay.com",
            Self::Sandbox => "https://api.sandbox.toffeepay.com",
        }
    }
}

/// The settings of one account. `Debug` shows no secret.
///
/// Time limits belong to the [`paymux_core::transport::HttpClient`]; the provider publishes none.
#[derive(Clone)]
#[must_use]
pub struct ToffeePayConfig {
    pub(crate) id: ProviderId,
    pub(crate) api_key: SecretString,
    pub(crate) game_id: String,
    pub(crate) environment: Environment,
    pub(crate) base_url: Option<Url>,
    pub(crate) capture: CaptureMethod,
    pub(crate) webhook_secrets_legacy: Vec<SecretString>,
    pub(crate) webhook_secrets_standard: Vec<SecretString>,
    pub(crate) webhook_tolerance: Duration,
    pub(crate) any_currency: bool,
    pub(crate) connect_protocol_version: bool,
}

/// Of the root only the host is shown: a password in it is refused later than it can be printed.
impl fmt::Debug for ToffeePayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToffeePayConfig")
            .field("id", &self.id)
            .field("game_id", &self.game_id)
            .field("environment", &self.environment)
            .field("base_url", &self.base_url.as_ref().and_then(Url::host_str))
            .field("capture", &self.capture)
            .field("webhook_secrets_legacy", &self.webhook_secrets_legacy.len())
            .field("webhook_secrets_standard", &self.webhook_secrets_standard.len())
            .field("webhook_tolerance", &self.webhook_tolerance)
            .field("any_currency", &self.any_currency)
            .field("connect_protocol_version", &self.connect_protocol_version)
            .finish_non_exhaustive()
    }
}

impl ToffeePayConfig {
    /// An account of the sandbox that captures automatically and verifies no webhooks: name it,
    /// and give the key and the game that the provider issued.
    pub fn new(id: ProviderId, api_key: SecretString, game_id: impl Into<String>) -> Self {
        Self {
            id,
            api_key,
            game_id: game_id.into(),
            environment: Environment::Sandbox,
            base_url: None,
            capture: CaptureMethod::Automatic,
            webhook_secrets_legacy: Vec::new(),
            webhook_secrets_standard: Vec::new(),
            webhook_tolerance: Duration::from_secs(300),
            any_currency: false,
            connect_protocol_version: false,
        }
    }

    /// Sets the environment: real money only when asked for.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Sets another root of the API than the environment's: a sandbox of our own, or a proxy. It
    /// must be `https`, or `http` to this machine, and not the other environment's host.
    pub fn base_url(mut self, base_url: Url) -> Self {
        self.base_url = Some(base_url);
        self
    }

    /// States how the provider set the game up: no request can choose. Requests that ask for the
    /// other way are refused before anything is sent.
    pub fn capture(mut self, capture: CaptureMethod) -> Self {
        self.capture = capture;
        self
    }

    /// Adds a secret for webhooks with `X-ToffeePay-Signature` (the 2025 scheme): any text of at
    /// least 16 bytes, used as it is. Up to three, the newest first.
    pub fn webhook_secret_legacy(mut self, secret: SecretString) -> Self {
        self.webhook_secrets_legacy.push(secret);
        self
    }

    /// Adds a secret for webhooks with `webhook-signature` (Standard Webhooks, the 2026 scheme):
    /// `whsec_` and base64 of at least 24 bytes. Up to three, the newest first.
    pub fn webhook_secret_standard(mut self, secret: SecretString) -> Self {
        self.webhook_secrets_standard.push(secret);
        self
    }

    /// Sets how far the time in a webhook's signature may be from its arrival, both ways. 300 s
    /// unless set; more than zero, at most a day.
    pub fn webhook_tolerance(mut self, tolerance: Duration) -> Self {
        self.webhook_tolerance = tolerance;
        self
    }

    /// Lets every ISO 4217 currency of two decimals pass, and leaves it to the provider to refuse
    /// it. The specification says "USD, EUR, etc."; the provider's own schema knows USD, GBP and
    /// EUR, which is what passes unless this is set. Prices are counted in cents, so currencies
    /// of other exponents never pass.
    pub fn any_currency(mut self, any: bool) -> Self {
        self.any_currency = any;
        self
    }

    /// Sends `Connect-Protocol-Version: 1` with each call. No sample does, so it is off; a server
    /// that insists answers `invalid_argument`.
    pub fn connect_protocol_version(mut self, send: bool) -> Self {
        self.connect_protocol_version = send;
        self
    }

    /// Reads the account from the environment's variables; see [`Self::from_variables`].
    ///
    /// # Errors
    /// As [`Self::from_variables`].
    pub fn from_env() -> Result<Self> {
        Self::from_variables(|name| env::var(name).ok())
    }

    /// Reads the account from variables that `read` knows by name:
    ///
    /// | variable | meaning |
    /// | --- | --- |
    /// | `TOFFEEPAY_API_KEY` | the key; required |
    /// | `TOFFEEPAY_GAME_ID` | the game; required |
    /// | `TOFFEEPAY_ENVIRONMENT` | `live` or `sandbox`; required, since money hangs on it |
    /// | `TOFFEEPAY_ID` | the account's name; `toffeepay` when missing |
    /// | `TOFFEEPAY_BASE_URL` | another root of the API |
    /// | `TOFFEEPAY_CAPTURE` | `automatic` (when missing) or `manual` |
    /// | `TOFFEEPAY_WEBHOOK_SECRETS_LEGACY` | secrets of the 2025 scheme, separated by spaces |
    /// | `TOFFEEPAY_WEBHOOK_SECRETS_STANDARD` | secrets of the 2026 scheme, separated by spaces |
    /// | `TOFFEEPAY_WEBHOOK_TOLERANCE_SECONDS` | 300 when missing |
    /// | `TOFFEEPAY_ANY_CURRENCY` | `true` or `false` (when missing) |
    /// | `TOFFEEPAY_CONNECT_PROTOCOL_VERSION` | `true` or `false` (when missing) |
    ///
    /// An empty variable counts as missing.
    ///
    /// # Errors
    /// `Configuration` without effect, naming the variable, when a required one is missing or one
    /// cannot be read.
    pub fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let set = Variables::new(read);
        let id = set.id("TOFFEEPAY_ID", crate::KIND)?;
        let api_key = SecretString::from(set.required("TOFFEEPAY_API_KEY")?);
        let mut config = Self::new(id, api_key, set.required("TOFFEEPAY_GAME_ID")?);
        let environments = [("live", Environment::Live), ("sandbox", Environment::Sandbox)];
        config.environment = set.required_choice("TOFFEEPAY_ENVIRONMENT", &environments)?;
        config.base_url = set.url("TOFFEEPAY_BASE_URL")?;
        let captures = [("automatic", CaptureMethod::Automatic), ("manual", CaptureMethod::Manual)];
        let capture = set.choice("TOFFEEPAY_CAPTURE", &captures)?;
        config.capture = capture.unwrap_or(CaptureMethod::Automatic);
        config.webhook_secrets_legacy = set.secrets("TOFFEEPAY_WEBHOOK_SECRETS_LEGACY");
        config.webhook_secrets_standard = set.secrets("TOFFEEPAY_WEBHOOK_SECRETS_STANDARD");
        if let Some(tolerance) = set.seconds("TOFFEEPAY_WEBHOOK_TOLERANCE_SECONDS")? {
            config.webhook_tolerance = tolerance;
        }
        config.any_currency = set.flag("TOFFEEPAY_ANY_CURRENCY", false)?;
        config.connect_protocol_version = set.flag("TOFFEEPAY_CONNECT_PROTOCOL_VERSION", false)?;
        Ok(config)
    }

    /// What the account can do; the README has the sources.
    pub(crate) fn capabilities(&self) -> Capabilities {
        // Whether a stored refusal is given again is not published; that it is, is assumed, since
        // then nobody takes it for a new outcome.
        let key = Replay::Key { ttl: KEY_TTL, max_len: 255, replays_errors: true };
        let mut can = Capabilities::new(crate::KIND, self.environment == Environment::Live);
        can.replay = BTreeMap::from([
            (Operation::CreatePayment, key),
            (Operation::CapturePayment, Replay::LookupFirst),
            (Operation::CancelPayment, Replay::LookupFirst),
            (Operation::CreateRefund, key),
        ]);
        can.reads = BTreeSet::from([
            Operation::FetchPayment,
            Operation::ListPayments,
            Operation::FetchRefund,
        ]);
        can.currencies = Currencies::Only(map::currencies(self).into_iter().collect());
        can.create = CreateEffect::OpensOnly;
        can.reports_captured = true;
        can.capture = match self.capture {
            CaptureMethod::Automatic => CaptureChoice::Automatic,
            CaptureMethod::Manual => CaptureChoice::Manual,
        };
        can.parts = true;
        can.list_status = true;
        can.list_customer = true;
        can.webhook_trust = Trust::SignedFresh;
        can
    }

    /// The root of the API, checked.
    pub(crate) fn checked_base_url(&self) -> Result<Url> {
        let url = match &self.base_url {
            Some(url) => url.clone(),
            None => Url::parse(self.environment.base_url())
                .map_err(|source| must_be("base_url", "a URL").with_source(source))?,
        };
        check::base_url("base_url", &url)?;
        // Whether money is real is asked of the environment, by people and by routing.
        let other = match self.environment {
            Environment::Live => Environment::Sandbox,
            Environment::Sandbox => Environment::Live,
        };
        if Url::parse(other.base_url()).is_ok_and(|other| other.host() == url.host()) {
            return Err(must_be(
                "base_url",
                "of the environment that is set, and not of the other",
            ));
        }
        Ok(url)
    }

    /// The game, checked.
    pub(crate) fn check_game_id(&self) -> Result<()> {
        if self.game_id.trim().is_empty() {
            return Err(Error::configuration("game_id", "must not be empty"));
        }
        Ok(())
    }

    /// What proves webhooks authentic, checked.
    pub(crate) fn webhook_keys(&self) -> Result<WebhookKeys> {
        let tolerance = self.webhook_tolerance;
        let legacy = match self.webhook_secrets_legacy.as_slice() {
            [] => None,
            secrets => {
                let header = http::HeaderName::from_static(LEGACY_HEADER);
                let keys = TimestampedHmac::new(header, secrets.to_vec())
                    .and_then(|keys| keys.with_tolerance(tolerance));
                Some(keys.map_err(|error| name_setting(error, "webhook_secret_legacy"))?)
            }
        };
        let standard = match self.webhook_secrets_standard.as_slice() {
            [] => None,
            secrets => {
                let keys = StandardWebhooks::new(secrets.to_vec())
                    .and_then(|keys| keys.with_tolerance(tolerance));
                Some(keys.map_err(|error| name_setting(error, "webhook_secret_standard"))?)
            }
        };
        Ok(WebhookKeys { legacy, standard })
    }
}

fn must_be(setting: &str, what: &str) -> Error {
    Error::configuration(setting, format!("must be {what}"))
}

/// Core knows one `webhook_secret`; this account has two settings of that kind.
fn name_setting(error: Error, setting: &str) -> Error {
    if error.field() == Some("webhook_secret") { error.with_field(setting) } else { error }
}
