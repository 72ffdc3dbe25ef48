//! What an account at the wallet needs to be told.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use paymux_core::{
    Capabilities, CaptureChoice, Clock, CreateEffect, Currencies, Currency, Error, Operation,
    OsRandom, ProviderId, Random, Replay, Result, SecretString, SystemClock, Trust, check,
    signature::RsaSha256, transport::is_private,
};
use url::Url;

use crate::map;

mod variables;

/// Which of the wallet's two worlds an account lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Environment {
    /// Real money: `https://wallet.paysera.com`.
    Live,
    /// `https://wallet-sandbox.paysera.com`, known from the official client alone. The provider's
    /// guide says that there is no sandbox, and to test with small amounts.
    Sandbox,
}

impl Environment {
    /// The root of the API, above `/rest/v1`.
    #[must_use]
    pub const fn base_url(self) -> &'static str {
        match self {
            Self::Live => "https://wallet.paysera.com",
            Self::Sandbox => "https://wallet-sandbox.paysera.com",
        }
    }

    /// The root of the pages that payers see, above `/<language>/wallet/confirm/<key>`.
    #[must_use]
    pub const fn page_url(self) -> &'static str {
        match self {
            Self::Live => "https://www.paysera.com/frontend",
            Self::Sandbox => "https://sandbox.paysera.com/frontend",
        }
    }
}

/// Where the provider sends callbacks about a transaction. `Debug` shows no more of an address than
/// its origin: the rest can be a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Callbacks {
    /// Where the project's settings say.
    #[default]
    Project,
    /// To this address: `https`, or `http` to this machine.
    To(Url),
    /// Nowhere: everything has to be asked for.
    Off,
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project => f.write_str("Project"),
            Self::To(url) => f.debug_tuple("To").field(&origin(url)).finish(),
            Self::Off => f.write_str("Off"),
        }
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// How an allowance is asked for. The provider's pages show three ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum AllowanceForm {
    /// Inside a transaction, its fields at once: the newer guide.
    #[default]
    Inline,
    /// Inside a transaction, below `data`: the official client.
    Wrapped,
    /// By a call of its own, which makes the transaction, too: the reference pages. It takes no
    /// return URL.
    Separate,
}

/// The settings of one account. `Debug` shows no credentials.
///
/// Time limits belong to the [`paymux_core::transport::HttpClient`]; the provider publishes none.
#[derive(Clone)]
#[must_use]
pub struct WalletConfig {
    pub(crate) id: ProviderId,
    pub(crate) mac_id: String,
    pub(crate) mac_key: SecretString,
    pub(crate) environment: Environment,
    pub(crate) base_url: Option<Url>,
    pub(crate) page_url: Option<Url>,
    pub(crate) language: String,
    pub(crate) callbacks: Callbacks,
    pub(crate) callback_keys: Vec<String>,
    pub(crate) reference_parameter: Option<String>,
    pub(crate) commission_in_price: bool,
    pub(crate) nested_beneficiary: bool,
    pub(crate) whole_currencies: bool,
    pub(crate) allowance_form: AllowanceForm,
    pub(crate) project_id: Option<i64>,
    pub(crate) location_id: Option<i64>,
    pub(crate) max_clock_offset: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

impl WalletConfig {
    /// An account of the sandbox that verifies no callbacks: name it, and give the credentials
    /// that the provider issued, a client's or an access token's.
    pub fn new(id: ProviderId, mac_id: impl Into<String>, mac_key: SecretString) -> Self {
        Self {
            id,
            mac_id: mac_id.into(),
            mac_key,
            environment: Environment::Sandbox,
            base_url: None,
            page_url: None,
            language: "en".to_owned(),
            callbacks: Callbacks::Project,
            callback_keys: Vec::new(),
            reference_parameter: Some("reference".to_owned()),
            commission_in_price: false,
            nested_beneficiary: false,
            whole_currencies: false,
            allowance_form: AllowanceForm::Inline,
            project_id: None,
            location_id: None,
            max_clock_offset: Duration::from_secs(24 * 3600),
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
        }
    }

    /// Sets the environment: real money only when asked for.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Sets another root of the API than the environment's: a sandbox of our own, or a proxy. It
    /// must be `https`, or `http` to this machine. `/rest/v1` is added.
    pub fn base_url(mut self, base_url: Url) -> Self {
        self.base_url = Some(base_url);
        self
    }

    /// Sets another root of the payer's pages than the environment's, up to and with `/frontend`.
    pub fn page_url(mut self, page_url: Url) -> Self {
        self.page_url = Some(page_url);
        self
    }

    /// Sets the language of the payer's pages, `en` unless set: two letters. An empty text leaves
    /// it out of the address, which then shows the provider's own choice (assumed).
    pub fn language(mut self, language: impl Into<String>) -> Self {
        self.language = language.into();
        self
    }

    /// Sets where callbacks go; unless set, where the project's settings at the provider say.
    pub fn callbacks(mut self, callbacks: Callbacks) -> Self {
        self.callbacks = callbacks;
        self
    }

    /// Adds a public key that signs callbacks, one PEM block. Up to three, so that the provider
    /// can change it. [`Wallet::fetch_callback_key`](crate::Wallet::fetch_callback_key) shows the
    /// present one to whoever keeps the settings.
    pub fn callback_key(mut self, pem: impl Into<String>) -> Self {
        self.callback_keys.push(pem.into());
        self
    }

    /// Sets under which of a payment's parameters our reference travels, `reference` unless set;
    /// `None` sends none. The provider echoes parameters and cannot search by them.
    pub fn reference_parameter(mut self, name: Option<String>) -> Self {
        self.reference_parameter = name;
        self
    }

    /// Says that a price holds the `out_commission`, as the older pages have it. The specification
    /// adds it on top, which is what happens unless this is set. A wrong choice shifts the fee:
    /// compare the first live charge.
    pub fn commission_in_price(mut self, included: bool) -> Self {
        self.commission_in_price = included;
        self
    }

    /// Sends beneficiaries as `beneficiary: {…}`, as the reference pages show, not flat as the
    /// specification does.
    pub fn nested_beneficiary(mut self, nested: bool) -> Self {
        self.nested_beneficiary = nested;
        self
    }

    /// Lets currencies without a minor unit pass, as decimal prices: the provider counts hundredths
    /// in every currency, and nobody says how it takes these. Those of three decimals never pass.
    pub fn whole_currencies(mut self, whole: bool) -> Self {
        self.whole_currencies = whole;
        self
    }

    /// Sets how allowances are asked for.
    pub fn allowance_form(mut self, form: AllowanceForm) -> Self {
        self.allowance_form = form;
        self
    }

    /// Acts for this one of several projects; it is signed with every request.
    pub fn project_id(mut self, project: i64) -> Self {
        self.project_id = Some(project);
        self
    }

    /// Acts for this one of several locations; it is signed with every request.
    pub fn location_id(mut self, location: i64) -> Self {
        self.location_id = Some(location);
        self
    }

    /// Sets how far the provider's clock may be from ours to be signed by, 24 hours unless set; one
    /// that is farther is not believed. Nothing but signatures follows the provider's clock.
    pub fn max_clock_offset(mut self, offset: Duration) -> Self {
        self.max_clock_offset = offset;
        self
    }

    /// Sets the clock that requests are stamped by; the machine's unless set.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the source of nonces; the operating system's unless set.
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// What the account can do; the README has the sources.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let mut can = Capabilities::new(crate::KIND, self.environment == Environment::Live);
        can.replay = BTreeMap::from([
            // Nobody can pay, and nobody confirms, a transaction whose key was lost. Should the
            // provider reserve a charge by itself, money is held until that is over, and none is
            // taken: the README says how to let go of it.
            (Operation::CreatePayment, Replay::Harmless),
            (Operation::ConfirmPayment, Replay::LookupFirst),
            (Operation::CapturePayment, Replay::LookupFirst),
            (Operation::CancelPayment, Replay::LookupFirst),
            (Operation::CreateMandate, Replay::Harmless),
            (Operation::ConfirmMandate, Replay::LookupFirst),
            (Operation::CancelMandate, Replay::LookupFirst),
        ]);
        can.reads = BTreeSet::from([
            Operation::FetchPayment,
            Operation::ListPayments,
            Operation::FetchMandate,
        ]);
        can.currencies = Currencies::Only(self.currencies());
        can.create = CreateEffect::OpensOnly;
        can.reports_captured = true;
        can.capture = CaptureChoice::PerRequest;
        can.partial_capture = true;
        can.parts = true;
        can.mandates = true;
        can.list_created = true;
        can.list_status = true;
        can.webhook_trust =
            if self.callback_keys.is_empty() { Trust::Unsigned } else { Trust::Signed };
        // What the provider's other callbacks want; of these nobody says (assumed).
        can.webhook_ack = "OK";
        can
    }

    /// The currencies that pass: see [`Self::whole_currencies`].
    pub(crate) fn currencies(&self) -> BTreeSet<Currency> {
        let passes = |currency: &Currency| match currency.exponent() {
            2 => true,
            0 => self.whole_currencies,
            _ => false,
        };
        Currency::all_iso().filter(passes).collect()
    }

    /// The root of the API, checked.
    pub(crate) fn checked_base_url(&self) -> Result<Url> {
        checked_url("base_url", self.base_url.as_ref(), self.environment.base_url())
    }

    /// The root of the payer's pages, checked.
    pub(crate) fn checked_page_url(&self) -> Result<Url> {
        checked_url("page_url", self.page_url.as_ref(), self.environment.page_url())
    }

    /// The words that stand in addresses and bodies, checked.
    pub(crate) fn check_words(&self) -> Result<()> {
        if !self.language.is_empty() && !map::is_language(&self.language) {
            return Err(must_be("language", "two small letters, as en, or empty"));
        }
        if self.reference_parameter.as_deref().is_some_and(|name| name.trim().is_empty()) {
            return Err(must_be("reference_parameter", "a name, or none"));
        }
        match &self.callbacks {
            Callbacks::To(url) if !is_private(url) => {
                Err(must_be("callbacks", "https, or http to this machine"))
            }
            Callbacks::Project | Callbacks::To(_) | Callbacks::Off => Ok(()),
        }
    }

    /// What is signed beside each request.
    pub(crate) fn signed_extra(&self) -> Vec<(&'static str, String)> {
        let pairs = [("project_id", self.project_id), ("location_id", self.location_id)];
        pairs.into_iter().filter_map(|(name, value)| Some((name, value?.to_string()))).collect()
    }

    /// What proves callbacks authentic, checked.
    pub(crate) fn checked_callback_keys(&self) -> Result<Option<RsaSha256>> {
        if self.callback_keys.is_empty() {
            return Ok(None);
        }
        // Core knows no setting of this name.
        RsaSha256::new(self.callback_keys.iter().map(String::as_str))
            .map(Some)
            .map_err(|error| error.with_field("callback_key"))
    }
}

/// Neither half of the credentials is shown.
impl fmt::Debug for WalletConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WalletConfig")
            .field("id", &self.id)
            .field("environment", &self.environment)
            .field("base_url", &self.base_url.as_ref().map(origin))
            .field("page_url", &self.page_url.as_ref().map(origin))
            .field("language", &self.language)
            .field("callbacks", &self.callbacks)
            .field("callback_keys", &self.callback_keys.len())
            .field("reference_parameter", &self.reference_parameter)
            .field("commission_in_price", &self.commission_in_price)
            .field("nested_beneficiary", &self.nested_beneficiary)
            .field("whole_currencies", &self.whole_currencies)
            .field("allowance_form", &self.allowance_form)
            .field("project_id", &self.project_id)
            .field("location_id", &self.location_id)
            .field("max_clock_offset", &self.max_clock_offset)
            .finish_non_exhaustive()
    }
}

fn must_be(setting: &str, what: &str) -> Error {
    Error::configuration(setting, format!("must be {what}"))
}

fn checked_url(setting: &str, own: Option<&Url>, default: &str) -> Result<Url> {
    let url = match own {
        Some(url) => url.clone(),
        None => {
            Url::parse(default).map_err(|source| must_be(setting, "a URL").with_source(source))?
        }
    };
    check::base_url(setting, &url)?;
    Ok(url)
}
