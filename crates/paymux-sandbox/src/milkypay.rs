//! MilkyPay: invoices with a hosted page. State, both APIs, pages and callbacks.

mod api;
mod checkout;
mod control;
mod errors;
mod events;
mod handle;
mod invoices;
mod lists;
mod objects;
mod operation;
mod operator;
mod pages;
mod private;
mod public;
mod refunds;
mod request;
mod services;
mod settings;
mod state;
mod status;
mod validate;
mod wire;

#[cfg(test)]
mod state_tests;

use std::sync::{Arc, Mutex};

use axum::Router;
use serde_json::{Map, Value, json};
use url::Url;

pub(crate) use control::{ROUTES, routes as control_routes};
pub use handle::MilkyPaySandbox;
pub use operator::StatusChange;
pub use services::{Form, Service, ServiceField};
pub use settings::{Account, ConflictBody, Expiry, MilkyPaySettings, NumberStyle, ReferenceLookup};
pub use status::Status;

use crate::config::MilkyPayConfig;
use crate::fault::Names;
use crate::webhook::{DeliveryState, Outgoing, Schedule, Signer, Webhooks};
use crate::{SandboxError, World, below, lock};
use events::Event;
use state::{Moment, State};

/// The provider's name in faults, logs and paths.
const NAME: &str = "milkypay";

/// What faults can happen to.
pub(crate) const NAMES: Names =
    Names { provider: NAME, operations: &operation::Operation::NAMES, events: &events::NAMES };

/// One MilkyPay account with everything around it.
#[derive(Debug)]
pub(crate) struct MilkyPay {
    world: Arc<World>,
    /// URL of the platform, without a slash at the end.
    base: Url,
    config: MilkyPayConfig,
    test_signer: Signer,
    live_signer: Signer,
    pub(crate) webhooks: Arc<Webhooks>,
    state: Mutex<State>,
}

impl MilkyPay {
    /// `root` is the sandbox's own URL and ends with a slash.
    pub(crate) fn new(
        world: Arc<World>,
        root: &Url,
        config: MilkyPayConfig,
    ) -> Result<Self, SandboxError> {
        let url = config.callback_url.clone();
        let webhooks = Webhooks::new(NAME, Schedule::Linear, Arc::clone(&world.faults), url);
        let state = State::new(below(root, "milkypay/")?, config.settings.clone());
        Ok(MilkyPay {
            base: below(root, NAME)?,
            test_signer: Signer::milkypay(&config.secret_test)?,
            live_signer: Signer::milkypay(&config.secret_live)?,
            webhooks: Arc::new(webhooks),
            state: Mutex::new(state),
            config,
            world,
        })
    }

    /// Everything below `/milkypay`.
    pub(crate) fn routes(self: &Arc<Self>) -> Router {
        checkout::routes().merge(api::routes()).with_state(Arc::clone(self))
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

    pub(crate) fn config(&self) -> &MilkyPayConfig {
        &self.config
    }

    fn publish(&self, event: Event) {
        let faults = &self.world.faults;
        let unknown_status = faults.unknown_status(NAME, &event.name, &event.invoice_id);
        let signer = if event.test_mode { &self.test_signer } else { &self.live_signer };
        self.webhooks.send(&Outgoing {
            id: self.world.random.uuid(),
            event: event.name.clone(),
            entity_id: event.invoice_id.clone(),
            at: event.at,
            signer: signer.clone(),
            own_url: event.url.clone(),
            body: event.body(unknown_status.as_deref()).into(),
        });
    }

    /// The log of an invoice's callbacks by the second each was queued in; of several in one
    /// second the last is kept.
    fn callback_logs(&self, invoice_id: &str) -> Map<String, Value> {
        let logs = self.webhooks.about(invoice_id, |delivery| {
            let last = delivery.attempts.last();
            let status = match delivery.state {
                DeliveryState::Delivered => "done",
                DeliveryState::GaveUp => "failed",
                DeliveryState::Pending | DeliveryState::Held => "queued",
                // Never sent, and so never logged there.
                DeliveryState::Dropped | DeliveryState::NoUrl | DeliveryState::NotLocal => {
                    return None;
                }
            };
            let entry = json!({
                "status": status,
                "processed": last.map(|attempt| attempt.at.as_second()),
                "response_code": last.and_then(|attempt| attempt.status),
                "transaction_status": delivery.event.strip_prefix("callback."),
            });
            Some((delivery.at.as_second().to_string(), entry))
        });
        logs.into_iter().flatten().collect()
    }
}
