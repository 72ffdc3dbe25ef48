//! What the demo plays on: a sandbox, an account at each provider, somebody to act as the payers,
//! and an endpoint for webhooks.

use std::{collections::BTreeMap, sync::Arc};

use paymux::{
    CreatePayment, Payment, PaymentProvider,
    transport::{HttpClient, HttpSettings},
};
use paymux_sandbox::{Sandbox, SandboxConfig};
use url::Url;

use super::{
    order::{Move, Order},
    toffeepay,
    webhooks::{Deliveries, Endpoint},
};
use crate::Stop;

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
    endpoint: Endpoint,
    accounts: BTreeMap<String, Account>,
}

impl Stage {
    /// Starts the sandbox and the endpoint, and opens the accounts.
    pub(super) async fn open() -> Result<(Self, Deliveries), Stop> {
        let sandbox = Sandbox::start(SandboxConfig::default()).await?;
        let http = HttpClient::new(HttpSettings::default())?;
        // Every provider of the demo joins here, and nowhere else.
        let accounts: BTreeMap<String, Account> = toffeepay::accounts(&sandbox, &http)?
            .into_iter()
            .map(|account| (account.provider.id().to_string(), account))
            .collect();
        let providers = accounts.values().map(|account| account.provider.clone()).collect();
        let (endpoint, deliveries) = Endpoint::open(providers).await?;
        toffeepay::subscribe(&sandbox, &endpoint)?;
        Ok((Self { sandbox, endpoint, accounts }, deliveries))
    }

    /// Where the providers are played.
    pub(super) fn url(&self) -> &Url {
        self.sandbox.url()
    }

    /// Where payers return to.
    pub(super) fn return_url(&self) -> &Url {
        self.endpoint.return_url()
    }

    pub(super) fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.get(name)
    }

    /// Lets so much time pass at the providers that every open offer expires.
    pub(super) fn let_offers_expire(&self) {
        self.sandbox.advance(std::time::Duration::from_secs(30 * 24 * 3600));
    }

    pub(super) async fn close(self) {
        self.endpoint.close();
        self.sandbox.shutdown().await;
    }
}
