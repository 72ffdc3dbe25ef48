//! What an account at MilkyPay needs to be told.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use http::HeaderName;
use paymux_core::{
    Capabilities, CaptureChoice, Clock, CreateEffect, Currency, Error, Operation, ProviderId,
    Replay, Result, SecretString, SystemClock, Trust, check, signature::Sha1Sandwich,
    transport::is_private,
};
use secrecy::ExposeSecret;
use serde::Serialize;
use url::Url;

use crate::{read::Known, webhook::CallbackKeys};

mod variables;

/// Real money or test. Both share one host and one private account; the public keys differ, and
/// the private API is told with every invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Real money.
    Live,
    /// Play money.
    Test,
}

impl Mode {
    pub(crate) const fn of_test_mode(test_mode: bool) -> Self {
        if test_mode { Self::Test } else { Self::Live }
    }

    pub(crate) const fn is_test(self) -> bool {
        matches!(self, Self::Test)
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

/// Which of MilkyPay's two APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// Below `/api`, with the account's id and key.
    Private,
    /// Below `/public-api`, with a key that anybody may know.
    Public,
}

/// The settings of one account. `Debug` shows no secret.
#[derive(Clone)]
#[must_use]
pub struct MilkyPayConfig {
    pub(crate) id: ProviderId,
    pub(crate) base_url: Url,
    pub(crate) mode: Mode,
    pub(crate) private: Option<(String, SecretString)>,
    pub(crate) public_key: Option<String>,
    pub(crate) create_by: Option<Api>,
    pub(crate) callback_url: Option<Url>,
    pub(crate) webhook_secrets_live: Vec<SecretString>,
    pub(crate) webhook_secrets_test: Vec<SecretString>,
    pub(crate) currencies: Known,
    pub(crate) refunds: bool,
    pub(crate) page_size: bool,
    pub(crate) public_key_in_query: bool,
    pub(crate) reference_window: Duration,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Of the root only the host is shown: a password in it is refused later than it can be printed.
impl fmt::Debug for MilkyPayConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MilkyPayConfig")
            .field("id", &self.id)
            .field("base_url", &self.base_url.host_str())
            .field("mode", &self.mode)
            .field("create_by", &self.create_api())
            .field("webhook_secrets_live", &self.webhook_secrets_live.len())
            .field("webhook_secrets_test", &self.webhook_secrets_test.len())
            .field("refunds", &self.refunds)
            .finish_non_exhaustive()
    }
}

impl MilkyPayConfig {
    /// An account without credentials yet: name it, and say where its host is and which money it
    /// is about. The provider publishes no host, so there is no default; `base_url` is what its
    /// documentation calls `{BASE COM API URL}`, without `/api` or `/public-api`.
    pub fn new(id: ProviderId, base_url: Url, mode: Mode) -> Self {
        Self {
            id,
            base_url,
            mode,
            private: None,
            public_key: None,
            create_by: None,
            callback_url: None,
            webhook_secrets_live: Vec::new(),
            webhook_secrets_test: Vec::new(),
            currencies: Known::default(),
            refunds: false,
            page_size: true,
            public_key_in_query: true,
            reference_window: Duration::from_secs(60),
            clock: Arc::new(SystemClock),
        }
    }

    /// Sets what the private API asks for: the id of the commerce account (`coma_…`) and its API
    /// key. This API can do everything, and is used where both could be.
    pub fn private_api(mut self, account_id: impl Into<String>, api_key: SecretString) -> Self {
        self.private = Some((account_id.into(), api_key));
        self
    }

    /// Sets the public key (`pk_live_…`, `pk_test_…`), for pre-requests, the checkout form and the
    /// public API. It must be of the account's mode.
    pub fn public_api(mut self, public_key: impl Into<String>) -> Self {
        self.public_key = Some(public_key.into());
        self
    }

    /// Sets the API that invoices are made by; the private one unless set, where it can be used.
    pub fn create_by(mut self, api: Api) -> Self {
        self.create_by = Some(api);
        self
    }

    /// Sets where callbacks of new invoices go to; the account's own address unless set. Private
    /// API alone.
    pub fn callback_url(mut self, url: Url) -> Self {
        self.callback_url = Some(url);
        self
    }

    /// Adds a secret that callbacks of this mode are signed with (`sk_live_…`, `sk_test_…`; not
    /// the API key): at least 16 bytes. Up to three a mode, the newest first, and none of both.
    pub fn webhook_secret(mut self, mode: Mode, secret: SecretString) -> Self {
        match mode {
            Mode::Live => self.webhook_secrets_live.push(secret),
            Mode::Test => self.webhook_secrets_test.push(secret),
        }
        self
    }

    /// Adds a currency outside ISO 4217 that the account deals in, with its decimals: without them
    /// no amount of it can be counted.
    pub fn currency(mut self, currency: Currency) -> Self {
        self.currencies.0.push(currency);
        self
    }

    /// Switches refunds on. They are not in the provider's specification, only in documents of the
    /// platform behind it, and nothing protects them against being sent twice.
    pub fn refunds(mut self, on: bool) -> Self {
        self.refunds = on;
        self
    }

    /// Sends the page size that a list asks for, as `page[size]`; on unless set. The name is known
    /// from the list of services and assumed for the list of invoices.
    pub fn page_size(mut self, send: bool) -> Self {
        self.page_size = send;
        self
    }

    /// Sends the public key, as `public_key`, when an invoice is read through the public API; on
    /// unless set. The specification says that the key is needed and not where it goes; the
    /// platform's own client sends none.
    pub fn public_key_in_query(mut self, send: bool) -> Self {
        self.public_key_in_query = send;
        self
    }

    /// Sets after how long a reference that is not found counts as not there. 60 s unless set,
    /// which is assumed.
    pub fn reference_window(mut self, window: Duration) -> Self {
        self.reference_window = window;
        self
    }

    /// Sets the clock that the expiry of a new invoice is measured by; the machine's unless set.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The API that invoices are made by.
    pub(crate) fn create_api(&self) -> Api {
        let by_credentials = if self.private.is_some() { Api::Private } else { Api::Public };
        self.create_by.unwrap_or(by_credentials)
    }

    /// What the account can do; the README has the sources.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let mut can = Capabilities::new(crate::KIND, !self.mode.is_test());
        can.replay = BTreeMap::from([(Operation::CreatePayment, Replay::Reference)]);
        if self.refunds {
            can.replay.insert(Operation::CreateRefund, Replay::Never);
            can.partial_refund = true;
        }
        can.reads = BTreeSet::from([Operation::FetchPayment, Operation::ListPaymentMethods]);
        if self.private.is_some() {
            can.reads.insert(Operation::ListPayments);
            can.reference_lookup = Some(self.reference_window);
        }
        // Some services reach for the payer's money without a page in between.
        can.create = CreateEffect::MayCharge;
        can.reports_captured = true;
        can.capture = CaptureChoice::Automatic;
        can.webhook_trust = Trust::Signed;
        can
    }

    /// Checks what can be checked before any call.
    pub(crate) fn check(&self) -> Result<()> {
        check_base_url(&self.base_url)?;
        match self.create_api() {
            Api::Private if self.private.is_none() => {
                return Err(Error::configuration("private_api", "must be set to create by it"));
            }
            Api::Public if self.public_key.is_none() => {
                let message = "must be set, or private_api: no API can be used without";
                return Err(Error::configuration("public_api", message));
            }
            Api::Private | Api::Public => {}
        }
        if self.refunds && self.private.is_none() {
            return Err(Error::configuration("refunds", "need private_api"));
        }
        if let Some(key) = &self.public_key {
            check_public_key(key, self.mode)?;
        }
        if let Some(url) = &self.callback_url
            && !is_private(url)
        {
            return Err(must_be("callback_url", "https, or http to this machine"));
        }
        Ok(())
    }

    /// What proves callbacks authentic, checked.
    pub(crate) fn callback_keys(&self) -> Result<CallbackKeys> {
        let (live, test) = (&self.webhook_secrets_live, &self.webhook_secrets_test);
        let shared = live
            .iter()
            .any(|secret| test.iter().any(|other| other.expose_secret() == secret.expose_secret()));
        if shared {
            let message = "must not be of both modes: a test callback could pass for a live one";
            return Err(Error::configuration("webhook_secret", message));
        }
        let keys = |secrets: &[SecretString]| match secrets {
            [] => Ok(None),
            secrets => {
                let header = HeaderName::from_static(crate::webhook::SIGNATURE_HEADER);
                Sha1Sandwich::new(header, secrets.to_vec()).map(Some)
            }
        };
        Ok(CallbackKeys { live: keys(live)?, test: keys(test)? })
    }
}

fn check_base_url(url: &Url) -> Result<()> {
    check::base_url("base_url", url)?;
    let path = url.path().trim_end_matches('/');
    if path.ends_with("/api") || path.ends_with("/public-api") {
        return Err(must_be("base_url", "the host, without /api or /public-api"));
    }
    Ok(())
}

/// The prefix of a key tells its mode. One with another prefix passes: it is not documented that
/// there are none.
fn check_public_key(key: &str, mode: Mode) -> Result<()> {
    const FIELD: &str = "public_api";
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(must_be(FIELD, "a key of visible ASCII without spaces"));
    }
    if key.starts_with("sk_") {
        return Err(must_be(FIELD, "a public key: this one is secret"));
    }
    match mode {
        Mode::Live if key.starts_with("pk_test_") => Err(must_be(FIELD, "a live key")),
        Mode::Test if key.starts_with("pk_live_") => Err(must_be(FIELD, "a test key")),
        Mode::Live | Mode::Test => Ok(()),
    }
}

fn must_be(setting: &str, what: &str) -> Error {
    Error::configuration(setting, format!("must be {what}"))
}
