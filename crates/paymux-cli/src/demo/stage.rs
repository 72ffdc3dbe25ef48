//! What the demo plays on: a sandbox, accounts at the providers, somebody to act as the payers,
//! and an endpoint for webhooks.

use std::{collections::BTreeMap, pin::Pin, sync::Arc, time::Duration};

use paymux::{
    CreatePayment, Payment, PaymentProvider,
    transport::{HttpClient, HttpSettings},
};
use paymux_sandbox::{Sandbox, SandboxConfig};
use tokio::task::JoinHandle;
use url::Url;

use super::{
    milkypay,
    order::{Move, Order},
    ramp, toffeepay, wallet,
    webhooks::{Deliveries, Endpoint},
};
use crate::Stop;

/// Opens the accounts at one provider, and has its webhooks sent to the endpoint.
pub(super) type Join = for<'a> fn(&'a Sandbox, &'a HttpClient, &'a Endpoint) -> Joined<'a>;

/// The accounts, once the provider has been asked what it needs to be asked.
pub(super) type Joined<'a> = Pin<Box<dyn Future<Output = Result<Vec<Account>, Stop>> + Send + 'a>>;

/// Every provider of the demo joins here, and nowhere else.
pub(super) const CAST: &[Join] = &[toffeepay::join, milkypay::join, wallet::join, ramp::join];

/// The providers are on this machine: an answer that is not there by then will not come.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);

/// An account of the shop at a provider.
pub(super) struct Account {
    pub(super) provider: Arc<dyn PaymentProvider>,
    pub(super) player: Box<dyn Player>,
}

/// Knows how one provider is asked and how its payers act.
pub(super) trait Player: Send + Sync {
    /// Completes the request with what this provider needs of the order.
    fn complete(&self, request: CreatePayment, order: &Order) -> paymux::Result<CreatePayment>;

    /// The payer's move on the provider's page.
    fn play(&self, payment: &Payment, payer: Move) -> Result<(), Stop>;
}

pub(super) struct Stage {
    sandbox: Sandbox,
    server: JoinHandle<()>,
    return_url: Url,
    accounts: BTreeMap<String, Account>,
}

impl Stage {
    /// Starts the sandbox and the endpoint, and lets the providers join. `timeout` is how long the
    /// shop waits for an answer of theirs.
    pub(super) async fn open(cast: &[Join], timeout: Duration) -> Result<(Self, Deliveries), Stop> {
        let sandbox = Sandbox::start(SandboxConfig::default()).await?;
        let mut settings = HttpSettings::default();
        settings.timeout = timeout;
        settings.connect_timeout = timeout / 2;
        let http = HttpClient::new(settings)?;
        let endpoint = Endpoint::bind().await?;
        let mut accounts = BTreeMap::new();
        for join in cast {
            for account in join(&sandbox, &http, &endpoint).await? {
                accounts.insert(account.provider.id().to_string(), account);
            }
        }
        let providers = accounts.values().map(|account| account.provider.clone()).collect();
        let return_url = endpoint.return_url()?;
        let (server, deliveries) = endpoint.serve(providers);
        Ok((Self { sandbox, server, return_url, accounts }, deliveries))
    }

    /// Where the providers are played.
    pub(super) fn url(&self) -> &Url {
        self.sandbox.url()
    }

    /// Where payers return to.
    pub(super) fn return_url(&self) -> &Url {
        &self.return_url
    }

    pub(super) fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.get(name)
    }

    /// Lets so much time pass at the providers that every open offer expires.
    pub(super) fn let_offers_expire(&self) {
        self.sandbox.advance(Duration::from_secs(30 * 24 * 3600));
    }

    /// For tests that let something go wrong.
    #[cfg(test)]
    pub(super) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    pub(super) async fn close(self) {
        self.server.abort();
        self.sandbox.shutdown().await;
    }
}
