//! ToffeePay from Rust: what tests and the demo do instead of clicking.

use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;

use super::ToffeePay;
use super::errors::Refusal;
use super::payer::{Decline, Payer, RefundOutcome, Step, TopUp};
use super::settings::{Game, ToffeePaySettings};
use super::state::{Moment, State};
use crate::SandboxError;
use crate::webhook::WebhookScheme;

/// A handle to the ToffeePay account of a running sandbox; clones share it.
///
/// Actions fail with [`SandboxError::NotFound`] for an unknown id and [`SandboxError::Refused`]
/// where the object's status forbids them; neither changes anything.
#[derive(Clone, Debug)]
pub struct ToffeePaySandbox {
    pub(crate) inner: Arc<ToffeePay>,
}

impl ToffeePaySandbox {
    /// The base URL an adapter is configured with, such as `http://127.0.0.1:41234/toffeepay`.
    #[must_use]
    pub fn base_url(&self) -> Url {
        self.inner.base.clone()
    }

    /// The key that `Authorization: Bearer` must carry.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.inner.api_key
    }

    /// The secret of the scheme in use.
    #[must_use]
    pub fn webhook_secret(&self) -> String {
        match self.inner.scheme() {
            WebhookScheme::Legacy => self.legacy_secret().to_owned(),
            WebhookScheme::Standard => self.standard_secret().to_owned(),
        }
    }

    /// The secret of [`WebhookScheme::Legacy`], used as it is.
    #[must_use]
    pub fn legacy_secret(&self) -> &str {
        &self.inner.config.legacy_secret
    }

    /// The secret of [`WebhookScheme::Standard`], `whsec_` and base64.
    #[must_use]
    pub fn standard_secret(&self) -> &str {
        &self.inner.config.standard_secret
    }

    /// Where webhooks go from now on, deliveries under way included.
    ///
    /// # Errors
    /// [`SandboxError::Configuration`] unless the URL is plain http on loopback.
    pub fn set_webhook_url(&self, url: Option<Url>) -> Result<(), SandboxError> {
        self.inner.webhooks.set_given_url(url)
    }

    /// How events are written and signed from now on.
    pub fn set_webhook_scheme(&self, scheme: WebhookScheme) {
        self.inner.set_scheme(scheme);
    }

    /// The settings as they are.
    #[must_use]
    pub fn settings(&self) -> ToffeePaySettings {
        self.inner.with_state(|state, _| state.settings.clone())
    }

    /// Replaces the settings. Open sessions and refunds keep the times they were made with.
    pub fn set_settings(&self, settings: ToffeePaySettings) {
        self.inner.with_state(|state, _| state.settings = settings);
    }

    /// Registers a game, or changes it.
    pub fn set_game(&self, game_id: impl Into<String>, game: Game) {
        self.inner.with_state(|state, _| state.games.insert(game_id.into(), game));
    }

    /// The payer goes all the way: the payment succeeds, is held where the game captures
    /// manually, or fails if the payer is to be declined. Continues an attempt that was started.
    /// Returns the payment's id.
    ///
    /// # Errors
    /// The session is not pending, or holds money already.
    pub fn pay(&self, session_id: &str, payer: Payer) -> Result<String, SandboxError> {
        self.act(|state, moment| state.pay(session_id, payer, moment))
    }

    /// An attempt with a card that is declined. Returns the payment's id.
    ///
    /// # Errors
    /// As [`ToffeePaySandbox::pay`].
    pub fn decline(&self, session_id: &str, reason: Decline) -> Result<String, SandboxError> {
        self.pay(session_id, Payer::default().declined(reason))
    }

    /// The payer presses Cancel on the checkout page: the session is cancelled. (A payer who
    /// only walks away does nothing: advance the time.)
    ///
    /// # Errors
    /// The session is not pending.
    pub fn abandon(&self, session_id: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.cancel_session(session_id, moment.now))
    }

    /// The payer starts to pay and the payment stays in `processing`. Returns its id.
    ///
    /// # Errors
    /// The session is not pending, or has an attempt under way.
    pub fn start_payment(&self, session_id: &str, payer: Payer) -> Result<String, SandboxError> {
        self.act(|state, moment| state.start_payment(session_id, payer, moment))
    }

    /// The payer pays and the money is held, whatever the game's capture. Returns the payment's
    /// id.
    ///
    /// # Errors
    /// As [`ToffeePaySandbox::pay`].
    pub fn authorize(&self, session_id: &str, payer: Payer) -> Result<String, SandboxError> {
        self.act(|state, moment| {
            let id = state.continue_payment(session_id, payer, moment)?;
            state.step_payment(&id, Step::Authorize, moment.now)?;
            Ok(id)
        })
    }

    /// The attempt under way, or a new one, is cancelled. Returns the payment's id.
    ///
    /// # Errors
    /// The session is not pending.
    pub fn cancel_attempt(&self, session_id: &str) -> Result<String, SandboxError> {
        self.act(|state, moment| {
            let id = match state.live_payment(session_id) {
                Some(payment) => payment.id.clone(),
                None => state.start_payment(session_id, Payer::default(), moment)?,
            };
            state.step_payment(&id, Step::Cancel, moment.now)?;
            Ok(id)
        })
    }

    /// The session's time is over now.
    ///
    /// # Errors
    /// The session is not pending, or has an attempt under way.
    pub fn expire(&self, session_id: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.expire_session(session_id, moment.now))
    }

    /// Moves a payment one step, as the provider would.
    ///
    /// # Errors
    /// The payment's status does not allow the step.
    pub fn step_payment(&self, payment_id: &str, step: Step) -> Result<(), SandboxError> {
        self.act(|state, moment| state.step_payment(payment_id, step, moment.now))
    }

    /// A wallet user starts a top-up. Returns its id.
    ///
    /// # Errors
    /// The amount is not positive.
    pub fn top_up(&self, top_up: TopUp) -> Result<String, SandboxError> {
        self.act(|state, moment| state.create_topup(top_up, moment))
    }

    /// Moves a top-up one step.
    ///
    /// # Errors
    /// The top-up's status does not allow the step.
    pub fn step_topup(&self, topup_id: &str, step: Step) -> Result<(), SandboxError> {
        self.act(|state, moment| state.step_topup(topup_id, step, moment.now))
    }

    /// Ends a pending refund.
    ///
    /// # Errors
    /// The refund is not pending.
    pub fn settle_refund(
        &self,
        refund_id: &str,
        outcome: RefundOutcome,
    ) -> Result<(), SandboxError> {
        self.act(|state, moment| state.settle_refund(refund_id, outcome, moment.now))
    }

    /// Every object, the settings and the games, for assertions. Lists are oldest first and the
    /// objects show more than the API does.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        self.inner.with_state(|state, moment| {
            json!({
                "time": moment.now,
                "sessions": state.sessions,
                "payments": state.payments,
                "topups": state.topups,
                "refunds": state.refunds,
                "games": state.games,
                "settings": state.settings,
            })
        })
    }

    /// The log of webhook deliveries, oldest first.
    #[must_use]
    pub fn webhooks(&self) -> Value {
        json!(self.inner.webhooks.log())
    }

    /// Sends the webhooks that faults hold back; returns how many.
    #[must_use = "the number tells whether anything was held"]
    pub fn release_webhooks(&self) -> usize {
        self.inner.webhooks.release()
    }

    /// Returns when every webhook is delivered or given up; those held by faults do not count.
    pub async fn webhooks_settled(&self) {
        self.inner.webhooks.settled().await;
    }

    fn act<T>(
        &self,
        act: impl FnOnce(&mut State, Moment<'_>) -> Result<T, Refusal>,
    ) -> Result<T, SandboxError> {
        Ok(self.inner.with_state(act)?)
    }
}
