//! MilkyPay from Rust: what tests and the demo do instead of clicking.

use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;

use super::MilkyPay;
use super::errors::Refusal;
use super::operator::StatusChange;
use super::services::Service;
use super::settings::MilkyPaySettings;
use super::state::{Moment, State};
use crate::SandboxError;
use crate::amount::Amount;

/// A handle to the MilkyPay account of a running sandbox; clones share it.
///
/// Amounts are decimal text in the invoice's currency, such as `"60.50"`. Actions fail with
/// [`SandboxError::NotFound`] for an unknown id and [`SandboxError::Refused`] where the invoice's
/// status forbids them or an amount is not one; neither changes anything.
#[derive(Clone, Debug)]
pub struct MilkyPaySandbox {
    pub(crate) inner: Arc<MilkyPay>,
}

impl MilkyPaySandbox {
    /// The platform's URL that an adapter is configured with, such as
    /// `http://127.0.0.1:41234/milkypay`. The two APIs are below it.
    #[must_use]
    pub fn base_url(&self) -> Url {
        self.inner.base.clone()
    }

    /// The root of the public API.
    #[must_use]
    pub fn public_url(&self) -> String {
        format!("{}/public-api", self.inner.base)
    }

    /// The root of the private API.
    #[must_use]
    pub fn private_url(&self) -> String {
        format!("{}/api", self.inner.base)
    }

    /// The user of the private API.
    #[must_use]
    pub fn account_id(&self) -> &str {
        &self.inner.config.account_id
    }

    /// The password of the private API.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.inner.config.api_key
    }

    /// The public key for tests.
    #[must_use]
    pub fn public_key_test(&self) -> &str {
        &self.inner.config.public_key_test
    }

    /// The public key for live payments, which move no money here either.
    #[must_use]
    pub fn public_key_live(&self) -> &str {
        &self.inner.config.public_key_live
    }

    /// Signs the callbacks of invoices in test mode.
    #[must_use]
    pub fn secret_test(&self) -> &str {
        &self.inner.config.secret_test
    }

    /// Signs the callbacks of live invoices.
    #[must_use]
    pub fn secret_live(&self) -> &str {
        &self.inner.config.secret_live
    }

    /// Where callbacks go from now on, those under way included, unless an invoice names its own
    /// URL.
    ///
    /// # Errors
    /// [`SandboxError::Configuration`] unless the URL is plain http on loopback.
    pub fn set_callback_url(&self, url: Option<Url>) -> Result<(), SandboxError> {
        self.inner.webhooks.set_given_url(url)
    }

    /// The settings as they are.
    #[must_use]
    pub fn settings(&self) -> MilkyPaySettings {
        self.inner.with_state(|state, _| state.settings.clone())
    }

    /// Replaces the settings. Invoices keep the times they were made with.
    pub fn set_settings(&self, settings: MilkyPaySettings) {
        self.inner.with_state(|state, _| state.settings = settings);
    }

    /// Registers a service, or changes it.
    ///
    /// # Errors
    /// [`SandboxError::Configuration`] for amounts or expressions that cannot be read.
    pub fn set_service(
        &self,
        code: impl Into<String>,
        service: Service,
    ) -> Result<(), SandboxError> {
        service.check()?;
        self.inner.with_state(|state, _| state.services.insert(code.into(), service));
        Ok(())
    }

    /// The payer pays what is open; a verification is passed.
    ///
    /// # Errors
    /// The invoice is over, or waits for a moderator.
    pub fn pay(&self, invoice_id: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.pay(invoice_id, None, moment.now))
    }

    /// The payer pays this much: a part, all, or too much. After a part, the rest may follow.
    ///
    /// # Errors
    /// As [`MilkyPaySandbox::pay`], for a verification, and for an amount that is not positive.
    pub fn pay_amount(&self, invoice_id: &str, amount: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| {
            let amount = state.amount_for(invoice_id, amount)?;
            state.pay(invoice_id, Some(amount), moment.now)
        })
    }

    /// An attempt of the payer is declined with this code, such as `insufficient_funds`. The
    /// invoice fails with the last attempt that the settings allow.
    ///
    /// # Errors
    /// As [`MilkyPaySandbox::pay`].
    pub fn decline(&self, invoice_id: &str, resolution: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.decline(invoice_id, resolution, moment.now))
    }

    /// The invoice fails for good with this code.
    ///
    /// # Errors
    /// As [`MilkyPaySandbox::pay`].
    pub fn fail(&self, invoice_id: &str, resolution: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.fail(invoice_id, resolution, moment.now))
    }

    /// The payer has entered everything and the outcome is open.
    ///
    /// # Errors
    /// As [`MilkyPaySandbox::pay`].
    pub fn start_payment(&self, invoice_id: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.start_payment(invoice_id, moment.now))
    }

    /// The invoice's time is over now.
    ///
    /// # Errors
    /// The invoice does not wait for a payer.
    pub fn expire(&self, invoice_id: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.expire(invoice_id, moment.now))
    }

    /// A person at the platform, or the payer, stops the invoice.
    ///
    /// # Errors
    /// Something was paid, or the invoice is over.
    pub fn terminate(&self, invoice_id: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.terminate(invoice_id, moment.now))
    }

    /// The payer has paid and a moderator has to agree.
    ///
    /// # Errors
    /// As [`MilkyPaySandbox::pay`].
    pub fn moderate(&self, invoice_id: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.moderate(invoice_id, moment.now))
    }

    /// The moderator agrees and the invoice is paid.
    ///
    /// # Errors
    /// The invoice waits for no moderator.
    pub fn approve(&self, invoice_id: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.approve(invoice_id, moment.now))
    }

    /// Puts an invoice into any status by hand, with amounts that fit it.
    ///
    /// # Errors
    /// The change's amount is not one.
    pub fn set_status(&self, invoice_id: &str, change: &StatusChange) -> Result<(), SandboxError> {
        self.act(|state, moment| state.set_status(invoice_id, change, moment.now))
    }

    /// The payer's bank takes this much back, or all.
    ///
    /// # Errors
    /// Nothing, or less, was paid.
    pub fn charge_back(&self, invoice_id: &str, amount: Option<&str>) -> Result<(), SandboxError> {
        self.act(|state, moment| {
            let amount = optional(state, invoice_id, amount)?;
            state.charge_back(invoice_id, amount, moment.now)
        })
    }

    /// The platform withholds a part of the proceeds for some minutes.
    ///
    /// # Errors
    /// The amount is not one.
    pub fn reserve(
        &self,
        invoice_id: &str,
        amount: &str,
        minutes: u32,
    ) -> Result<(), SandboxError> {
        self.act(|state, moment| {
            let amount = state.amount_for(invoice_id, amount)?;
            state.reserve(invoice_id, amount, minutes, moment.now)
        })
    }

    /// Ends the refund that is open: the payer has the money, or the refund failed.
    ///
    /// # Errors
    /// No refund of the invoice is open.
    pub fn settle_refund(&self, invoice_id: &str, succeeds: bool) -> Result<(), SandboxError> {
        self.act(|state, moment| state.settle_refund(invoice_id, succeeds, moment.now))
    }

    /// Every invoice, the settings and the services, for assertions. Invoices are oldest first,
    /// show more than the APIs do, and have their amounts as text.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        self.inner.with_state(|state, moment| {
            json!({
                "time": moment.now,
                "invoices": state.invoices,
                "services": state.services,
                "settings": state.settings,
            })
        })
    }

    /// The log of callbacks, oldest first.
    #[must_use]
    pub fn callbacks(&self) -> Value {
        json!(self.inner.webhooks.log())
    }

    /// Sends the callbacks that faults hold back; returns how many.
    #[must_use = "the number tells whether anything was held"]
    pub fn release_callbacks(&self) -> usize {
        self.inner.webhooks.release()
    }

    /// Returns when every callback is delivered or given up; those held by faults do not count.
    pub async fn callbacks_settled(&self) {
        self.inner.webhooks.settled().await;
    }

    fn act<T>(
        &self,
        act: impl FnOnce(&mut State, Moment<'_>) -> Result<T, Refusal>,
    ) -> Result<T, SandboxError> {
        Ok(self.inner.with_state(act)?)
    }
}

fn optional(state: &State, id: &str, amount: Option<&str>) -> Result<Option<Amount>, Refusal> {
    amount.map(|text| state.amount_for(id, text)).transpose()
}
