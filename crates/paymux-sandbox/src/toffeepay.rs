//! ToffeePay: hosted checkout for games. State, API, checkout pages and events.

mod api;
mod checkout;
mod control;
mod errors;
mod events;
mod handle;
mod idempotency;
mod objects;
mod operation;
mod pages;
mod payer;
mod payments;
mod refunds;
mod sessions;
mod settings;
mod state;
mod tax;
mod topups;
mod validate;
mod wire;

#[cfg(test)]
mod state_tests;

use std::sync::{Arc, Mutex};

use axum::Router;
use url::Url;

pub(crate) use control::{ROUTES, routes as control_routes};
pub use handle::ToffeePaySandbox;
pub use objects::GameUser;
pub use payer::{Decline, Method, Payer, RefundOutcome, Step, TopUp};
pub use settings::{Capture, ErrorShape, Game, ToffeePaySettings};

use crate::config::ToffeePayConfig;
use crate::fault::Names;
use crate::webhook::{Schedule, Signer, WebhookScheme, Webhooks};
use crate::{SandboxError, World, below, lock};
use events::Event;
use state::{Moment, State};

/// The provider's name in faults, logs and paths.
const NAME: &str = "toffeepay";

/// What faults can happen to.
pub(crate) const NAMES: Names =
    Names { provider: NAME, operations: &operation::Operation::NAMES, events: &events::NAMES };

/// One ToffeePay account with everything around it.
#[derive(Debug)]
pub(crate) struct ToffeePay {
    world: Arc<World>,
    /// Base URL of the API, without a slash at the end.
    base: Url,
    api_key: String,
    config: ToffeePayConfig,
    pub(crate) webhooks: Arc<Webhooks>,
    scheme: Mutex<WebhookScheme>,
    state: Mutex<State>,
}

impl ToffeePay {
    /// `root` is the sandbox's own URL and ends with a slash.
    pub(crate) fn new(
        world: Arc<World>,
        root: &Url,
        config: ToffeePayConfig,
    ) -> Result<Self, SandboxError> {
        // Both secrets must be usable, since the scheme can be changed later.
        signer(&config, WebhookScheme::Legacy)?;
        signer(&config, WebhookScheme::Standard)?;
        let url = config.webhook_url.clone();
        let webhooks = Webhooks::new(NAME, Schedule::Doubling, Arc::clone(&world.faults), url);
        let state = State::new(below(root, "toffeepay/checkout/")?, config.settings.clone());
        Ok(ToffeePay {
            base: below(root, NAME)?,
            api_key: config.api_key.clone(),
            webhooks: Arc::new(webhooks),
            scheme: Mutex::new(config.webhook_scheme),
            state: Mutex::new(state),
            config,
            world,
        })
    }

    /// Everything below `/toffeepay`.
    pub(crate) fn routes(self: &Arc<Self>) -> Router {
        checkout::routes().merge(api::routes()).with_state(Arc::clone(self))
    }

    /// Works on the state at this moment: first what is due happens, then `act`, then the events
    /// leave in their order.
    fn with_state<T>(&self, act: impl FnOnce(&mut State, Moment<'_>) -> T) -> T {
        let mut state = lock(&self.state);
        let moment = self.world.moment();
        state.settle_due(moment.now);
        let result = act(&mut state, moment);
        for event in std::mem::take(&mut state.events) {
            self.publish(&event);
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
            *state = State::new(state.checkout.clone(), self.config.settings.clone());
        });
        self.set_scheme(self.config.webhook_scheme);
        self.webhooks.reset(self.config.webhook_url.clone());
    }

    pub(crate) fn api_key(&self) -> &str {
        &self.api_key
    }

    fn scheme(&self) -> WebhookScheme {
        *lock(&self.scheme)
    }

    fn set_scheme(&self, scheme: WebhookScheme) {
        *lock(&self.scheme) = scheme;
    }

    fn error_shape(&self) -> ErrorShape {
        lock(&self.state).settings.error_shape
    }

    fn publish(&self, event: &Event) {
        let scheme = self.scheme();
        // The secrets were checked at the start.
        let Ok(signer) = signer(&self.config, scheme) else { return };
        let Some(name) = event.name(scheme) else { return };
        // Only a body that carries the object can show a status.
        let unknown_status = match scheme {
            WebhookScheme::Standard => self.world.faults.unknown_status(NAME, name, event.id()),
            WebhookScheme::Legacy => None,
        };
        let unknown_status = unknown_status.as_deref();
        if let Some(outgoing) = event.write(scheme, signer, &self.world.random, unknown_status) {
            self.webhooks.send(&outgoing);
        }
    }
}

fn signer(config: &ToffeePayConfig, scheme: WebhookScheme) -> Result<Signer, SandboxError> {
    match scheme {
        WebhookScheme::Legacy => Signer::toffeepay(scheme, &config.legacy_secret),
        WebhookScheme::Standard => Signer::toffeepay(scheme, &config.standard_secret),
    }
}
