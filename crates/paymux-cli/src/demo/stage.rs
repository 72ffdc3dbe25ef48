//! What the demo plays on: a sandbox, accounts at the providers, somebody to act as the payers,
//! the orchestrator over all of it, and an endpoint for webhooks.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use paymux::{
    Payment, PaymentProvider, ProviderId,
    orchestrator::{
        AccountPolicy, NewPayment, Orchestrator, routing::Routes, store::sqlite::SqliteStore,
    },
    transport::HttpClient,
};
use paymux_sandbox::{Fault, FaultKind, Sandbox, SandboxConfig};
use tokio::task::JoinHandle;
use url::Url;

use super::{
    clock::ShopClock,
    milkypay,
    order::{Move, Order},
    ramp, toffeepay, wallet,
    webhooks::{Deliveries, Endpoint},
};
use crate::{Stop, accounts, accounts::SandboxAccount};

/// Opens the accounts at one provider, and has its webhooks sent to the endpoint.
pub(super) type Join = for<'a> fn(&'a Sandbox, &'a HttpClient, &'a Endpoint) -> Joined<'a>;

/// The accounts, once the provider has been asked what it needs to be asked.
pub(super) type Joined<'a> = Pin<Box<dyn Future<Output = Result<Vec<Account>, Stop>> + Send + 'a>>;

/// Every provider of the demo joins here, and nowhere else.
pub(super) const CAST: &[Join] = &[toffeepay::join, milkypay::join, wallet::join, ramp::join];

/// The rules that come with the project.
pub(crate) const ROUTES: &str = include_str!("../../../../examples/routes.toml");

/// What was agreed before the shop opened was agreed this much earlier, so that it is not taken for
/// a payment of the day.
const BEFORE_OPENING: Duration = Duration::from_secs(3);

/// Calls that are under way when the shop closes have so long to end.
const CLOSING_TIME: Duration = Duration::from_secs(10);

/// An account of the shop at a provider.
pub(super) struct Account {
    pub(super) provider: Arc<dyn PaymentProvider>,
    pub(super) player: Box<dyn Player>,
    /// How another process opens it; none for an account that lives in this one.
    pub(super) account: Option<SandboxAccount>,
}

/// Knows how one provider is asked and how its payers act.
pub(super) trait Player: Send + Sync {
    /// Completes the request with what this provider needs of the order.
    fn complete(&self, request: NewPayment, order: &Order) -> paymux::Result<NewPayment>;

    /// The payer's move on the provider's page.
    fn play(&self, payment: &Payment, payer: Move) -> Result<(), Stop>;
}

/// What the demo plays with.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) cast: &'a [Join],
    /// Which account takes which order, in TOML.
    pub(super) routes: &'a str,
    /// How long the shop waits for an answer of a provider.
    pub(super) timeout: Duration,
    /// The file that keeps the payments; it must not be there yet.
    pub(super) store: &'a Path,
}

impl<'a> Setting<'a> {
    /// The whole cast and the rules of the project.
    pub(super) fn usual(store: &'a Path) -> Self {
        Self { cast: CAST, routes: ROUTES, timeout: accounts::TIMEOUT, store }
    }
}

pub(super) struct Stage {
    sandbox: Sandbox,
    server: JoinHandle<()>,
    return_url: Url,
    accounts: BTreeMap<ProviderId, Account>,
    clock: Arc<ShopClock>,
    store_file: PathBuf,
    store: Arc<SqliteStore>,
    orchestrator: Orchestrator,
}

impl Stage {
    /// Starts the sandbox and the endpoint, lets the providers join, and opens the orchestrator
    /// over their accounts. Everything that is wrong with the routes is said here.
    pub(super) async fn open(setting: &Setting<'_>) -> Result<(Self, Deliveries), Stop> {
        let sandbox = Sandbox::start(SandboxConfig::default()).await?;
        let http = accounts::http(setting.timeout)?;
        let endpoint = Endpoint::bind().await?;
        let mut accounts = BTreeMap::new();
        for join in setting.cast {
            for account in join(&sandbox, &http, &endpoint).await? {
                accounts.insert(account.provider.id().clone(), account);
            }
        }
        let store = make(setting.store)?;
        let known = accounts.values().filter_map(|account| account.account.clone());
        accounts::write(setting.store, known.collect(), setting.routes)?;
        let clock = Arc::new(ShopClock::default());
        let mut builder = Orchestrator::builder(store.clone())
            .clock(clock.clone())
            .node("demo")
            .routes(Routes::from_toml(setting.routes)?)
            .call_limit(setting.timeout * 2)
            // The shop asks only when it has heard nothing, and wants to know then.
            .stale_after(Duration::ZERO);
        for account in accounts.values() {
            builder = builder.account_with(account.provider.clone(), AccountPolicy::default());
        }
        let orchestrator = builder.build()?;
        let return_url = endpoint.return_url()?;
        let (server, deliveries) = endpoint.serve(orchestrator.clone(), clock.clone());
        let store_file = setting.store.to_owned();
        let stage =
            Self { sandbox, server, return_url, accounts, clock, store_file, store, orchestrator };
        stage.sandbox.advance(BEFORE_OPENING);
        stage.clock.advance(BEFORE_OPENING);
        Ok((stage, deliveries))
    }

    /// Where the providers are played.
    pub(super) fn url(&self) -> &Url {
        self.sandbox.url()
    }

    /// The file that keeps the payments.
    pub(super) fn store_file(&self) -> &Path {
        &self.store_file
    }

    pub(super) fn orchestrator(&self) -> &Orchestrator {
        &self.orchestrator
    }

    /// The time it is for the shop.
    pub(super) fn clock(&self) -> &ShopClock {
        &self.clock
    }

    pub(super) fn account(&self, name: &ProviderId) -> Option<&Account> {
        self.accounts.get(name)
    }

    /// What is asked for an order, with what each account needs that the routes may choose.
    pub(super) fn request_for(&self, order: &Order) -> paymux::Result<NewPayment> {
        let request = order.to_request(&self.return_url)?;
        order.captured().map_err(|error| error.with_field("capture"))?;
        let plan = self.orchestrator.route(&request)?;
        if plan.rule.is_none() {
            let message =
                format!("must be one that a rule of the routes takes, not {}", order.account);
            return Err(paymux::Error::invalid_request("account", message));
        }
        let refused = plan.refused.iter().map(|refused| &refused.account);
        let named = plan.candidates.iter().map(|candidate| &candidate.account).chain(refused);
        let players = named.filter_map(|name| self.account(name));
        players
            .map(|account| &account.player)
            .try_fold(request, |request, player| player.complete(request, order))
    }

    /// The next answer to this call about this payment gets lost, after it was carried out.
    pub(super) fn lose_reply(&self, operation: &str, payment: &Payment) {
        let fault = Fault::new(FaultKind::DropReply).on(operation).id(payment.id.as_str());
        self.sandbox.inject(fault);
    }

    /// Lets so much time pass at the providers that every open offer expires, and no token does.
    pub(super) fn let_offers_expire(&self) {
        self.sandbox.advance(Duration::from_secs(20 * 3600));
    }

    /// For tests that let something go wrong.
    #[cfg(test)]
    pub(super) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Ends the orchestrator and closes its store. The providers are played on.
    pub(super) async fn close_shop(&self) {
        self.orchestrator.shutdown(CLOSING_TIME).await;
        self.store.close().await;
    }

    pub(super) async fn close(self) {
        self.close_shop().await;
        self.server.abort();
        self.sandbox.shutdown().await;
    }
}

/// Makes the store. One that is there may hold somebody's payments, and is left alone.
fn make(file: &Path) -> Result<Arc<SqliteStore>, Stop> {
    let name = file.display();
    if file.exists() {
        return Err(format!(
            "{name} is there already, and the demo begins with no payments. Name another file with \
             --store, or remove this one."
        )
        .into());
    }
    let store = SqliteStore::open(file).map_err(|error| format!("the store {name}: {error}"))?;
    Ok(Arc::new(store))
}
