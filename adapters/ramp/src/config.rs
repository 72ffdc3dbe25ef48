//! What an account at the ramp needs to be told.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use http::{HeaderName, Method};
use paymux_core::{
    AmountSource, Capabilities, CaptureChoice, CreateEffect, Currency, Error, Operation,
    ProviderId, Replay, Result, SecretString, Trust, signature::SharedSecret,
};
use url::Url;

use crate::{
    auth::{Addresses, Endpoint},
    decimal::{AmountUnit, DateUnit},
    read::Measures,
    status::{self, StatusMeaning, Words},
    tokens::TokenSource,
    wire,
};

mod variables;

/// Real money or play money. The provider's hosts differ, and its answers do not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Environment {
    /// Real money.
    Live,
    /// Play money.
    Sandbox,
}

/// The settings of one account. `Debug` shows no secret.
///
/// Time limits belong to the [`paymux_core::transport::HttpClient`]; the provider publishes none.
#[derive(Clone)]
#[must_use]
pub struct RampConfig {
    pub(crate) id: ProviderId,
    pub(crate) environment: Environment,
    pub(crate) addresses: Addresses,
    pub(crate) tokens: Option<Arc<dyn TokenSource>>,
    pub(crate) words: Words,
    own_words: Vec<(String, StatusMeaning)>,
    pub(crate) return_field: String,
    pub(crate) measures: Measures,
    pub(crate) invoice_read: bool,
    pub(crate) require_some_data: bool,
    webhook_headers: Vec<String>,
    webhook_secrets: Vec<SecretString>,
}

/// Of the root only the host is shown: a password in it is refused later than it can be printed.
impl fmt::Debug for RampConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RampConfig")
            .field("id", &self.id)
            .field("environment", &self.environment)
            .field("base_url", &self.addresses.base_url.host_str())
            .field("tokens", &self.tokens)
            .field("headers", &self.addresses.headers.len())
            .field("invoice_read", &self.invoice_read)
            .field("require_some_data", &self.require_some_data)
            .field("webhook_secrets", &self.webhook_secrets.len())
            .finish_non_exhaustive()
    }
}

impl RampConfig {
    /// An account without a source of tokens yet: name it, and say where its host is and which money
    /// it is about. No host of the current edition is published for real money, so there is no
    /// default.
    pub fn new(id: ProviderId, base_url: Url, environment: Environment) -> Self {
        Self {
            id,
            environment,
            addresses: Addresses::new(base_url),
            tokens: None,
            words: Words::new(),
            own_words: Vec::new(),
            return_field: "redirectUrl".to_owned(),
            measures: Measures::default(),
            invoice_read: false,
            require_some_data: false,
            webhook_headers: Vec::new(),
            webhook_secrets: Vec::new(),
        }
    }

    /// Sets where end users' tokens come from; required.
    pub fn tokens(mut self, tokens: Arc<dyn TokenSource>) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Sets what stands before every path, `/acquiring` unless set (seen in clients); may be empty.
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.addresses.prefix = prefix.into();
        self
    }

    /// Sets the path of one call, below the prefix. That of an invoice holds `{invoiceId}`.
    pub fn path(mut self, endpoint: Endpoint, path: impl Into<String>) -> Self {
        self.addresses.paths.insert(endpoint, path.into());
        self
    }

    /// Sets the method of one call: `POST`, `PUT` or `PATCH`. Updating and discounting are `PUT`
    /// unless set, as seen in a client.
    pub fn method(mut self, endpoint: Endpoint, method: Method) -> Self {
        self.addresses.methods.insert(endpoint, method);
        self
    }

    /// Adds a header to every call, such as `partnerId`, which some clients send. Its value counts
    /// as a secret. Refused when the account is built: a name or a value that cannot be one, one
    /// that is named twice, and those that the calls set themselves.
    pub fn header(mut self, name: impl Into<String>, value: SecretString) -> Self {
        self.addresses.headers.push((name.into(), value));
        self
    }

    /// Says what a word of the provider's means, for a word that is in no table or that turned out
    /// to mean something else. It is compared whole and without regard to case. What is in no table
    /// stays unknown: there is no default to be set.
    pub fn status_word(mut self, word: impl Into<String>, meaning: StatusMeaning) -> Self {
        self.own_words.push((word.into(), meaning));
        self
    }

    /// Sets the member by which the payer's return address is sent with a checkout, `redirectUrl`
    /// unless set: that there is one is documented, its name is not (assumed).
    pub fn return_field(mut self, name: impl Into<String>) -> Self {
        self.return_field = name.into();
        self
    }

    /// Sets what amounts count; whole units unless set (assumed).
    pub fn amount_unit(mut self, unit: AmountUnit) -> Self {
        self.measures.amount_unit = unit;
        self
    }

    /// Sets what dates count; by their size unless set (assumed).
    pub fn payment_date(mut self, unit: DateUnit) -> Self {
        self.measures.date_unit = unit;
        self
    }

    /// Makes one more currency known, with its decimals: the provider also counts in tokens.
    pub fn currency(mut self, currency: Currency) -> Self {
        self.measures.currencies.push(currency);
        self
    }

    /// Reads the invoice, too: before a payment is created or confirmed, and after one is read. Only
    /// invoices tell amounts. The call is known from clients alone, so it is off unless set;
    /// recommended in a first live test.
    pub fn invoice_read(mut self, on: bool) -> Self {
        self.invoice_read = on;
        self
    }

    /// Refuses external payments without `some_data` before they are sent. The specification says
    /// that it may be required, so it is left to the provider unless set.
    pub fn require_some_data(mut self, on: bool) -> Self {
        self.require_some_data = on;
        self
    }

    /// Adds a secret that deliveries must bring in this header. Up to three, all in one header, so
    /// that it can be replaced. The provider documents none (assumed); it can be put there by a
    /// proxy, or be agreed upon. Deliveries are believed no more with it.
    pub fn webhook_secret(mut self, header: impl Into<String>, secret: SecretString) -> Self {
        self.webhook_headers.push(header.into());
        self.webhook_secrets.push(secret);
        self
    }

    /// What the account can do; the README has the sources.
    pub(crate) fn capabilities(&self) -> Capabilities {
        let mut can = Capabilities::new(crate::KIND, self.environment == Environment::Live);
        can.replay = BTreeMap::from([
            // The payment that is there comes back, or is looked up where the invoice shows it.
            (Operation::CreatePayment, Replay::Harmless),
            (Operation::ConfirmPayment, Replay::Never),
        ]);
        can.reads = BTreeSet::from([Operation::FetchPayment]);
        // A third party may begin to collect an external payment at once, and that creating debits
        // no account is nobody's word.
        can.create = CreateEffect::MayCharge;
        can.amount = AmountSource::ProviderObject;
        can.reports_captured = self.invoice_read;
        can.capture = CaptureChoice::Automatic;
        can.webhook_trust = Trust::Unsigned;
        can
    }

    /// The same settings with the account's own words taken in, checked.
    pub(crate) fn checked(mut self) -> Result<Self> {
        let refuse = |setting: &str, message: &str| Err(Error::configuration(setting, message));
        for (word, meaning) in &self.own_words {
            let form = status::normalized(word);
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if form.is_empty() || !form.bytes().all(is_word) {
                return refuse("status_word", "must be a word of letters, digits and gaps");
            }
            if self.words.insert(form, *meaning).is_some_and(|before| before != *meaning) {
                return refuse("status_word", "must not mean two things");
            }
        }
        let field = &self.return_field;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if field.is_empty() || !field.bytes().all(is_name) {
            return refuse("return_field", "must be a name of letters, digits and `_`");
        }
        if wire::MEMBERS.iter().any(|taken| taken.eq_ignore_ascii_case(field)) {
            return refuse("return_field", "must not be a member that the specification has");
        }
        let currencies = &self.measures.currencies;
        let is_twice = |(at, one): (usize, &Currency)| {
            currencies.iter().skip(at + 1).any(|other| other.code() == one.code())
        };
        if currencies.iter().enumerate().any(is_twice) {
            return refuse("currency", "must not be named twice");
        }
        Ok(self)
    }

    /// Where tokens come from, checked.
    pub(crate) fn checked_tokens(&self) -> Result<Arc<dyn TokenSource>> {
        let tokens = self.tokens.clone();
        tokens.ok_or_else(|| Error::configuration("tokens", "must be set: every call needs one"))
    }

    /// What deliveries must bring, checked.
    pub(crate) fn checked_secret(&self) -> Result<Option<SharedSecret>> {
        let Some((first, others)) = self.webhook_headers.split_first() else { return Ok(None) };
        let header = |name: &String| {
            HeaderName::try_from(name).map_err(|_| {
                must_be("webhook_secret", "in a header named by letters, digits and dashes")
            })
        };
        let first = header(first)?;
        for other in others {
            if header(other)? != first {
                return Err(must_be("webhook_secret", "in the same header as the others"));
            }
        }
        SharedSecret::new(first, self.webhook_secrets.iter().cloned()).map(Some)
    }
}

fn must_be(setting: &str, what: &str) -> Error {
    Error::configuration(setting, format!("must be {what}"))
}
