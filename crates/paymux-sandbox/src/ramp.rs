//! The ramp: invoice payments from accounts, on a gateway's checkout, and in systems outside.
//! State, API, checkout page and webhooks.

mod access;
mod accounts;
mod api;
mod checkout;
mod confirm;
mod control;
mod errors;
mod events;
mod gateway;
mod handle;
mod invoices;
mod objects;
mod operation;
mod pages;
mod payments;
mod run;
mod settings;
mod state;
mod status;
mod validate;
mod wire;

#[cfg(test)]
mod state_tests;

use std::sync::{Arc, Mutex};

use axum::Router;
use url::Url;

pub(crate) use control::{ROUTES, routes as control_routes};
pub use handle::RampSandbox;
pub use objects::{RampDiscount, RampInvoice};
pub use settings::{
    AmountStyle, Approval, CheckoutWebhooks, ConfirmAgain, ConfirmUnpaid, DateStyle, RampPaths,
    RampSettings, Reuse, SessionForm, StatusWords, UnknownPayment,
};

use crate::config::RampConfig;
use crate::fault::Names;
use crate::webhook::{Outgoing, Schedule, Signer, Webhooks};
use crate::{SandboxError, World, below, lock};
use events::Event;
use state::{Moment, State};

/// The provider's name in faults, logs and paths.
const NAME: &str = "ramp";

/// What faults can happen to.
pub(crate) const NAMES: Names =
    Names { provider: NAME, operations: &operation::Operation::NAMES, events: &events::NAMES };

/// The provider with its end users.
#[derive(Debug)]
pub(crate) struct Ramp {
    world: Arc<World>,
    /// Base URL of the API, without a slash at the end.
    base: Url,
    config: RampConfig,
    pub(crate) webhooks: Arc<Webhooks>,
    state: Mutex<State>,
}

impl Ramp {
    /// `root` is the sandbox's own URL and ends with a slash.
    pub(crate) fn new(
        world: Arc<World>,
        root: &Url,
        config: RampConfig,
    ) -> Result<Self, SandboxError> {
        let url = config.webhook_url.clone();
        let webhooks = Webhooks::new(NAME, Schedule::Doubling, Arc::clone(&world.faults), url);
        let state = fresh(below(root, "ramp/")?, &config, world.clock.now());
        Ok(Ramp {
            base: below(root, NAME)?,
            webhooks: Arc::new(webhooks),
            state: Mutex::new(state),
            config,
            world,
        })
    }

    /// Everything below `/ramp`.
    pub(crate) fn routes(self: &Arc<Self>) -> Router {
        checkout::routes().merge(api::routes()).with_state(Arc::clone(self))
    }

    /// Works on the state at this moment: first what is due happens, then `act`, then the
    /// webhooks leave in their order.
    fn with_state<T>(&self, act: impl FnOnce(&mut State, Moment<'_>) -> T) -> T {
        let mut state = lock(&self.state);
        let moment = self.world.moment();
        state.settle_due(moment.now);
        let result = act(&mut state, moment);
        for event in std::mem::take(&mut state.events) {
            self.publish(&state, &event);
        }
        result
    }

    /// Lets happen what time brings about.
    pub(crate) fn tick(&self) {
        self.with_state(|_, _| ());
    }

    /// Back to the state after the start. Virtual time stays where it is.
    pub(crate) fn reset(&self) {
        self.with_state(|state, moment| {
            *state = fresh(state.base.clone(), &self.config, moment.now);
        });
        self.webhooks.reset(self.config.webhook_url.clone());
    }

    pub(crate) fn config(&self) -> &RampConfig {
        &self.config
    }

    fn publish(&self, state: &State, event: &Event) {
        let faults = &self.world.faults;
        let unknown_status = faults.unknown_status(NAME, &event.name, &event.payment_id);
        let settings = &state.settings;
        let secret = settings.webhook_secret.as_deref();
        // The settings were checked when they were made.
        let Ok(signer) = Signer::ramp(&settings.webhook_secret_header, secret) else { return };
        self.webhooks.send(&Outgoing {
            id: self.world.random.uuid(),
            event: event.name.clone(),
            entity_id: event.payment_id.clone(),
            at: event.at,
            body: event.body(unknown_status.as_deref()).into(),
            signer,
            own_url: event.url.clone(),
        });
    }
}

fn fresh(base: Url, config: &RampConfig, now: jiff::Timestamp) -> State {
    let mut state = State::new(base, config.settings.clone());
    state.log_in_usual(&config.access_token, &config.refresh_token, now);
    state
}
