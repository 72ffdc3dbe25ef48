//! The wallet: transactions of payments, allowances, users with balances. State, API, page and
//! callbacks.

mod access;
mod allowances;
mod api;
mod checkout;
mod consent;
mod control;
mod creation;
mod errors;
mod events;
mod handle;
mod lists;
mod mac;
mod money;
mod objects;
mod operation;
mod pages;
mod payments;
mod read;
mod reservation;
mod run;
mod settings;
mod state;
mod status;
mod transactions;
mod users;
mod validate;
mod validate_payment;
mod wire;

#[cfg(test)]
mod state_tests;
#[cfg(test)]
mod wire_tests;

use std::sync::{Arc, Mutex};

use axum::Router;
use url::Url;

pub(crate) use control::{ROUTES, routes as control_routes};
pub use errors::Denial;
pub use handle::WalletSandbox;
pub use settings::{CallbackForm, Lapse, RateLimit, WalletSettings, Words};
pub use users::WalletUser;

use crate::config::WalletConfig;
use crate::fault::Names;
use crate::webhook::{Outgoing, Schedule, Signer, Webhooks};
use crate::{SandboxError, World, below, lock};
use events::Event;
use state::{Moment, State};

/// The provider's name in faults, logs and paths.
const NAME: &str = "wallet";

/// What faults can happen to.
pub(crate) const NAMES: Names =
    Names { provider: NAME, operations: &operation::Operation::NAMES, events: &events::NAMES };

/// A key made for this file and published with it. It protects nothing.
pub(crate) const SANDBOX_CALLBACK_KEY: &str = include_str!("wallet/sandbox_only_callback_key.pem");

/// The wallet provider with one client of it.
#[derive(Debug)]
pub(crate) struct Wallet {
    world: Arc<World>,
    /// URL of the provider, without a slash at the end.
    base: Url,
    config: WalletConfig,
    signer: Signer,
    public_key: String,
    pub(crate) webhooks: Arc<Webhooks>,
    state: Mutex<State>,
}

impl Wallet {
    /// `root` is the sandbox's own URL and ends with a slash.
    pub(crate) fn new(
        world: Arc<World>,
        root: &Url,
        config: WalletConfig,
    ) -> Result<Self, SandboxError> {
        let url = config.callback_url.clone();
        let webhooks = Webhooks::new(NAME, Schedule::Doubling, Arc::clone(&world.faults), url);
        let state = State::new(below(root, "wallet/")?, config.settings.clone());
        let signer = Signer::wallet(&config.callback_key)?;
        Ok(Wallet {
            base: below(root, NAME)?,
            public_key: signer.public_key_pem()?,
            signer,
            webhooks: Arc::new(webhooks),
            state: Mutex::new(state),
            config,
            world,
        })
    }

    /// Everything below `/wallet`.
    pub(crate) fn routes(self: &Arc<Self>) -> Router {
        checkout::routes()
            .merge(consent::routes())
            .merge(api::routes())
            .with_state(Arc::clone(self))
    }

    /// Works on the state at this moment: first what is due happens, then `act`, then the
    /// callbacks leave in their order.
    fn with_state<T>(&self, act: impl FnOnce(&mut State, Moment<'_>) -> T) -> T {
        let mut state = lock(&self.state);
        let moment = self.world.moment();
        state.settle_due(moment.now);
        let result = act(&mut state, moment);
        for event in std::mem::take(&mut state.events) {
            self.publish(event);
        }
        result
    }

    /// Lets happen what time brings about.
    pub(crate) fn tick(&self) {
        self.with_state(|_, _| ());
    }

    /// Back to the state after the start. Virtual time stays where it is.
    pub(crate) fn reset(&self) {
        self.with_state(|state, _| {
            *state = State::new(state.base.clone(), self.config.settings.clone());
        });
        self.webhooks.reset(self.config.callback_url.clone());
    }

    pub(crate) fn config(&self) -> &WalletConfig {
        &self.config
    }

    fn publish(&self, event: Event) {
        let faults = &self.world.faults;
        let unknown_status = faults.unknown_status(NAME, &event.name, &event.transaction_key);
        let signer = match event.form {
            CallbackForm::Signed => self.signer.clone(),
            CallbackForm::Plain => Signer::wallet_plain(),
        };
        self.webhooks.send(&Outgoing {
            id: self.world.random.uuid(),
            event: event.name.clone(),
            entity_id: event.transaction_key.clone(),
            at: event.at,
            signer,
            own_url: event.url.clone(),
            body: event.text(unknown_status.as_deref()).into(),
        });
    }
}
