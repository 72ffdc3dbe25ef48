//! The orchestrator: how it is built, and what it is.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use paymux_core::{
    Clock, Effect, Error, ErrorKind, OsRandom, PaymentProvider, ProviderId, Random, Result,
    SystemClock,
};

use crate::{
    calls::Calls,
    engine::{Account, Engine, Settings},
    health::{Health, HealthSettings, HealthSnapshot},
    hints::Hints,
    house::Housekeeping,
    returns::ReturnHosts,
    routing::{self, Routes},
    store::Store,
    telemetry::Shown,
};

/// Many providers, one payment, never charged twice.
///
/// Cheap to clone: all clones are one. Everything that matters is in the store, so that several
/// processes can work on one PostgreSQL, and a process that ends leaves nothing undone that
/// another one, or the same one later, does not finish: see [`Orchestrator::step`].
#[derive(Clone)]
pub struct Orchestrator(pub(crate) Arc<Engine>);

impl fmt::Debug for Orchestrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Orchestrator")
            .field("accounts", &self.0.accounts.keys())
            .field("store", &self.0.store)
            .finish_non_exhaustive()
    }
}

impl Orchestrator {
    /// Begins to build one over a store.
    #[must_use]
    pub fn builder(store: Arc<dyn Store>) -> Builder {
        Builder {
            store,
            accounts: BTreeMap::new(),
            twice: None,
            routes: None,
            return_hosts: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
            settings: Settings {
                node: String::new(),
                call_limit: Duration::from_secs(60),
                clock_skew: Duration::from_secs(30),
                stale_after: Duration::from_secs(5),
                unmatched_for: Duration::from_secs(24 * 3600),
                keys_kept_for: Duration::from_secs(30 * 24 * 3600),
                events_kept_for: Duration::from_secs(30 * 24 * 3600),
                housekeeping: Housekeeping::default(),
                return_hosts: ReturnHosts::default(),
            },
        }
    }

    /// Takes no more work, and waits for the calls that are under way, up to `limit`. What is
    /// still under way then is left to [`Orchestrator::step`], here or elsewhere: it is written
    /// down. Returns how much that is.
    pub async fn shutdown(&self, limit: Duration) -> usize {
        self.0.calls.close(limit).await
    }

    /// How an account stands: whether its breaker is open, and since when.
    #[must_use]
    pub fn health(&self, account: &ProviderId) -> Option<HealthSnapshot> {
        self.0.accounts.get(account).map(|account| account.health.snapshot())
    }

    /// The accounts, by name.
    pub fn accounts(&self) -> impl Iterator<Item = &Arc<dyn PaymentProvider>> {
        self.0.accounts.values().map(|account| &account.provider)
    }
}

/// Builds an [`Orchestrator`].
#[derive(Debug)]
pub struct Builder {
    store: Arc<dyn Store>,
    accounts: BTreeMap<ProviderId, (Arc<dyn PaymentProvider>, AccountPolicy)>,
    twice: Option<ProviderId>,
    routes: Option<Routes>,
    return_hosts: Option<Vec<String>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    settings: Settings,
}

/// How one account is used.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct AccountPolicy {
    /// Does success without a figure count as paid? For providers that never name one: without
    /// it, a person has to look at each such payment.
    pub accept_unreported_amount: bool,
    /// When the account counts as unwell, and how much it is asked.
    pub health: HealthSettings,
}

impl Builder {
    /// Adds an account.
    #[must_use]
    pub fn account(self, provider: impl PaymentProvider) -> Self {
        self.account_with(Arc::new(provider), AccountPolicy::default())
    }

    /// Adds an account that is used in this way.
    #[must_use]
    pub fn account_with(
        mut self,
        provider: Arc<dyn PaymentProvider>,
        policy: AccountPolicy,
    ) -> Self {
        let id = provider.id().clone();
        if self.accounts.insert(id.clone(), (provider, policy)).is_some() {
            self.twice = Some(id);
        }
        self
    }

    /// Sets the rules by which accounts are chosen. Without rules, every account is tried in the
    /// order of the names.
    #[must_use]
    pub fn routes(mut self, routes: Routes) -> Self {
        self.routes = Some(routes);
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the source of keys and ids.
    #[must_use]
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// Names this process in histories and leases. A random name when not set.
    #[must_use]
    pub fn node(mut self, node: impl Into<String>) -> Self {
        self.settings.node = node.into();
        self
    }

    /// Sets the longest that one call to a provider may take: 60 s when not set. It has to be
    /// longer than the HTTP client's own limit, which knows more about what happened.
    #[must_use]
    pub fn call_limit(mut self, limit: Duration) -> Self {
        self.settings.call_limit = limit;
        self
    }

    /// Sets how far the clocks of processes on one store may be apart: 30 s when not set. So much
    /// later a call is taken for lost whose process is gone. Nothing is right where they are
    /// further apart than this.
    #[must_use]
    pub fn clock_skew(mut self, span: Duration) -> Self {
        self.settings.clock_skew = span;
        self
    }

    /// Sets after how long an open payment is read from its provider again when the merchant asks
    /// for it: 5 s when not set.
    #[must_use]
    pub fn stale_after(mut self, span: Duration) -> Self {
        self.settings.stale_after = span;
        self
    }

    /// Sets what [`Orchestrator::run`] does beside what is due.
    #[must_use]
    pub fn housekeeping(mut self, housekeeping: Housekeeping) -> Self {
        self.settings.housekeeping = housekeeping;
        self
    }

    /// Sets the hosts that payers may be sent back to, such as `shop.example`, or
    /// `shop.example:8443` where the port is not that of https. A payment with another `return_url`,
    /// one without https or one with a fragment is refused, unless its key has made it already. Any
    /// URL is taken when not set, apps' own schemes as well: set it where others than the merchant's
    /// own program can have a payment asked for. No return URL is ever fetched.
    #[must_use]
    pub fn return_hosts(mut self, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.return_hosts = Some(hosts.into_iter().map(Into::into).collect());
        self
    }

    /// Builds it.
    ///
    /// # Errors
    /// `Configuration` without effect when there is no account, one is named twice, a host for
    /// returns is none, or the rules do not fit the accounts. Everything that is wrong with the rules is in the message.
    pub fn build(mut self) -> Result<Orchestrator> {
        if let Some(id) = self.twice {
            return Err(Error::configuration("accounts", format!("{id} is there twice")));
        }
        if self.accounts.is_empty() {
            return Err(Error::configuration("accounts", "there must be one at least"));
        }
        if let Some(hosts) = self.return_hosts.take() {
            self.settings.return_hosts = ReturnHosts::only(&hosts)?;
        }
        let known: Vec<routing::Account<'_>> = self
            .accounts
            .iter()
            .map(|(id, (provider, _))| routing::Account {
                id,
                capabilities: provider.capabilities(),
            })
            .collect();
        let routes = match self.routes.take() {
            Some(routes) => routes,
            None => every_account(self.accounts.keys())?,
        };
        let router = routes.check(&known).map_err(|faults| {
            Error::new(ErrorKind::Configuration, Effect::None, faults.to_string())
                .with_field("routes")
        })?;
        if self.settings.node.is_empty() {
            self.settings.node = random_name(&*self.random);
        }
        let clock = &self.clock;
        let accounts = self.accounts.into_iter().map(|(id, (provider, policy))| {
            let health = Health::new(policy.health, clock.clone());
            let accept_unreported_amount = policy.accept_unreported_amount;
            (id, Account { provider, health, accept_unreported_amount })
        });
        Ok(Orchestrator(Arc::new(Engine {
            store: self.store,
            accounts: accounts.collect(),
            router,
            clock: self.clock,
            random: self.random,
            settings: self.settings,
            calls: Calls::default(),
            hints: Hints::default(),
            shown: Shown::default(),
        })))
    }
}

fn random_name(random: &dyn Random) -> String {
    let mut bytes = [0_u8; 6];
    random.fill(&mut bytes);
    format!("node-{}", hex::encode(bytes))
}

/// The rule that stands in when there are none: all accounts, in the order of their names.
fn every_account<'a>(accounts: impl Iterator<Item = &'a ProviderId>) -> Result<Routes> {
    let names: Vec<&str> = accounts.map(ProviderId::as_str).collect();
    let document = serde_json::json!({ "rule": [{ "name": "every account", "use": names }] });
    Routes::from_json(&document.to_string()).map_err(|faults| {
        Error::new(ErrorKind::Configuration, Effect::None, faults.to_string()).with_field("routes")
    })
}
