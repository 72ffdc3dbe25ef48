//! The ramp from Rust: what tests and the demo do instead of clicking.

use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;

use super::Ramp;
use super::accounts::{USUAL_USER, User};
use super::errors::Refusal;
use super::events::WebhookUrls;
use super::gateway::{Act, ReturnUrls};
use super::objects::{RampDiscount, RampInvoice};
use super::settings::RampSettings;
use super::state::{Moment, State};
use super::status::Status;
use crate::SandboxError;
use crate::html::is_safe_link;
use crate::webhook::check_url;

/// A handle to the ramp of a running sandbox; clones share it.
///
/// Amounts are text in major units, such as `"10.50"`, and never floats. Actions fail with
/// [`SandboxError::NotFound`] for an unknown id and [`SandboxError::Refused`] where the status or
/// the provider's rules forbid them; neither changes anything.
#[derive(Clone, Debug)]
pub struct RampSandbox {
    pub(crate) inner: Arc<Ramp>,
}

impl RampSandbox {
    /// The base URL of the API, such as `http://127.0.0.1:41234/ramp`; paths below it begin with
    /// the prefix of the settings.
    #[must_use]
    pub fn base_url(&self) -> Url {
        self.inner.base.clone()
    }

    /// The access token that the usual user has from the start. It lives for a day of virtual
    /// time; [`RampSandbox::sign_in`] gives a fresh one.
    #[must_use]
    pub fn access_token(&self) -> &str {
        &self.inner.config.access_token
    }

    /// The refresh token that the usual user has from the start. It works once.
    #[must_use]
    pub fn refresh_token(&self) -> &str {
        &self.inner.config.refresh_token
    }

    /// The user that everything belongs to unless another is named: `payer@example.com` with the
    /// password `sandbox_ramp_password`.
    #[must_use]
    pub fn usual_user(&self) -> &'static str {
        USUAL_USER
    }

    /// The account of the usual user in a currency; there is money in USD, EUR, USDT and ETH.
    #[must_use]
    pub fn usual_account(&self, currency: &str) -> Option<String> {
        self.inner.with_state(|state, _| {
            let mut accounts = state.accounts.rows().iter();
            let found = accounts.find(|it| it.user == USUAL_USER && it.currency == currency);
            found.map(|account| account.id.clone())
        })
    }

    /// Where the webhooks of both shapes go from now on, those under way included. Nothing in
    /// them tells the shapes apart; see [`RampSandbox::set_webhook_urls`].
    ///
    /// # Errors
    /// [`SandboxError::Configuration`] unless the URL is plain http on loopback.
    pub fn set_webhook_url(&self, url: Option<Url>) -> Result<(), SandboxError> {
        self.inner.webhooks.set_given_url(url)
    }

    /// Where new webhooks of each shape go: about platform payments, and about external ones.
    /// What has no URL of its own goes where both go.
    ///
    /// # Errors
    /// [`SandboxError::Configuration`] unless the URLs are plain http on loopback.
    pub fn set_webhook_urls(
        &self,
        platform: Option<Url>,
        external: Option<Url>,
    ) -> Result<(), SandboxError> {
        platform.iter().chain(&external).try_for_each(check_url)?;
        self.inner.with_state(|state, _| {
            state.webhook_urls = WebhookUrls { platform, external };
        });
        Ok(())
    }

    /// Where checkouts lead to that name no URL of their own: after a payment, and after none.
    ///
    /// # Errors
    /// [`SandboxError::Configuration`] for a URL that would run something in a browser.
    pub fn set_return_urls(
        &self,
        success: Option<Url>,
        failure: Option<Url>,
    ) -> Result<(), SandboxError> {
        for url in success.iter().chain(&failure) {
            if !is_safe_link(url) {
                let message = format!("a page cannot lead to {url}");
                return Err(SandboxError::Configuration(message));
            }
        }
        self.inner.with_state(|state, _| state.return_urls = ReturnUrls { success, failure });
        Ok(())
    }

    /// The settings as they are.
    #[must_use]
    pub fn settings(&self) -> RampSettings {
        self.inner.with_state(|state, _| state.settings.clone())
    }

    /// Replaces the settings. Invoices, payments and tokens keep the times they were made with.
    ///
    /// # Errors
    /// [`SandboxError::Configuration`] for settings that could not be played.
    pub fn set_settings(&self, settings: RampSettings) -> Result<(), SandboxError> {
        settings.check()?;
        self.inner.with_state(|state, _| state.settings = settings);
        Ok(())
    }

    /// Registers an end user, or changes the password of the one with this address; returns the
    /// id.
    ///
    /// # Errors
    /// An empty address or password.
    pub fn add_user(&self, email: &str, password: &str) -> Result<String, SandboxError> {
        let user = User { email: email.to_owned(), password: password.to_owned() };
        self.act(|state, moment| state.add_user(user, moment))
    }

    /// Gives a user a fresh access token, as a log-in would.
    ///
    /// # Errors
    /// An unknown user.
    pub fn sign_in(&self, user: &str) -> Result<String, SandboxError> {
        self.act(|state, moment| Ok(state.issue_token(user, moment)?.access_token))
    }

    /// Ends all access tokens now, as a day would. Refresh tokens stay.
    pub fn expire_tokens(&self) {
        self.inner.with_state(|state, moment| state.expire_tokens(moment.now));
    }

    /// Makes a currency known, with its digits after the point.
    ///
    /// # Errors
    /// The code is empty or known, or there are more than 18 digits.
    pub fn add_currency(&self, code: &str, decimals: u8) -> Result<(), SandboxError> {
        self.act(|state, _| state.add_currency(code, decimals))
    }

    /// Opens an account of a user with this balance; returns its id.
    ///
    /// # Errors
    /// An unknown user or currency, or a balance that is no amount of it.
    pub fn add_account(
        &self,
        user: &str,
        currency: &str,
        balance: &str,
    ) -> Result<String, SandboxError> {
        self.act(|state, moment| state.add_account(user, currency, balance, moment))
    }

    /// Puts money into an account.
    ///
    /// # Errors
    /// An unknown account, or an amount that is not above zero.
    pub fn add_funds(&self, account: &str, amount: &str) -> Result<(), SandboxError> {
        self.act(|state, _| state.add_funds(account, amount))
    }

    /// What is in an account, such as `"9989.5"`.
    #[must_use]
    pub fn balance(&self, account: &str) -> Option<String> {
        self.inner.with_state(|state, _| Some(state.accounts.get(account)?.balance.to_string()))
    }

    /// Makes an invoice of the usual user; returns its id.
    ///
    /// # Errors
    /// An unknown currency, or an amount that is none of it.
    pub fn add_invoice(&self, amount: &str, currency: &str) -> Result<String, SandboxError> {
        let (amount, currency) = (amount.to_owned(), currency.to_owned());
        self.add_invoice_with(RampInvoice { amount, currency, ..RampInvoice::default() })
    }

    /// Makes an invoice; returns its id.
    ///
    /// # Errors
    /// An unknown user or currency, or an amount that is none of it.
    pub fn add_invoice_with(&self, invoice: RampInvoice) -> Result<String, SandboxError> {
        self.act(|state, moment| state.add_invoice(invoice, moment))
    }

    /// Registers a discount code, or changes what it takes off from now on.
    ///
    /// # Errors
    /// A percentage outside of 0 to 100, an unknown currency, or an amount that is none of it.
    pub fn add_discount(&self, code: &str, discount: RampDiscount) -> Result<(), SandboxError> {
        self.act(|state, _| state.add_discount(code, discount))
    }

    /// The page where the payer of a checkout payment approves or declines. A payment session
    /// shows no URL in the API; this one plays the component in the merchant's page.
    #[must_use]
    pub fn checkout_url(&self, payment: &str) -> Option<String> {
        self.inner.with_state(|state, _| {
            let session = state.payments.get(payment)?.session.as_ref()?;
            Some(state.page_url(session))
        })
    }

    /// The payer approves; returns where the browser is sent, if anywhere.
    ///
    /// # Errors
    /// The payment is no open checkout, or its invoice is paid.
    pub fn pay_checkout(&self, payment: &str) -> Result<Option<String>, SandboxError> {
        self.act(|state, moment| state.check_out(payment, Act::Approve, moment))
    }

    /// The payer's bank declines; returns where the browser is sent, if anywhere.
    ///
    /// # Errors
    /// The payment is no open checkout, or its invoice is paid.
    pub fn decline_checkout(&self, payment: &str) -> Result<Option<String>, SandboxError> {
        self.act(|state, moment| state.check_out(payment, Act::Decline, moment))
    }

    /// The payer goes back to the shop with nothing decided; returns where, if anywhere.
    ///
    /// # Errors
    /// The payment is no checkout.
    pub fn leave_checkout(&self, payment: &str) -> Result<Option<String>, SandboxError> {
        self.act(|state, moment| state.check_out(payment, Act::Leave, moment))
    }

    /// The outside system has settled an external payment, and says this about it.
    ///
    /// # Errors
    /// The payment is not external or not open, or its invoice is paid.
    pub fn settle_external(
        &self,
        payment: &str,
        external_data: Option<&str>,
    ) -> Result<(), SandboxError> {
        self.decide_external(payment, Status::Succeeded, external_data)
    }

    /// The outside system has refused an external payment, and says this about it.
    ///
    /// # Errors
    /// The payment is not external or not open.
    pub fn fail_external(
        &self,
        payment: &str,
        external_data: Option<&str>,
    ) -> Result<(), SandboxError> {
        self.decide_external(payment, Status::Failed, external_data)
    }

    /// A payment under way succeeds.
    ///
    /// # Errors
    /// The payment is not under way.
    pub fn settle(&self, payment: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.settle(payment, moment.now))
    }

    /// A payment fails; what was debited for it goes back.
    ///
    /// # Errors
    /// The payment is final.
    pub fn fail(&self, payment: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.change(payment, Status::Failed, moment.now))
    }

    /// A payment is called off; what was debited for it goes back.
    ///
    /// # Errors
    /// The payment is final.
    pub fn cancel(&self, payment: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.change(payment, Status::Canceled, moment.now))
    }

    /// The time of a payment is over now; what was debited for it goes back.
    ///
    /// # Errors
    /// The payment is final.
    pub fn expire(&self, payment: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.change(payment, Status::Expired, moment.now))
    }

    /// The time of an invoice is over now, and with it that of its pending payments.
    ///
    /// # Errors
    /// The invoice is paid, being paid, or expired.
    pub fn expire_invoice(&self, invoice: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.expire_invoice(invoice, moment.now))
    }

    /// Gives this much of a payment back, or what is left of it.
    ///
    /// # Errors
    /// The payment is not paid, or less is left.
    pub fn refund(&self, payment: &str, amount: Option<&str>) -> Result<(), SandboxError> {
        self.act(|state, moment| state.refund(payment, amount, moment.now))
    }

    /// Users, accounts, discounts, invoices, payments and settings, for assertions. They show
    /// more than the API does; statuses are the sandbox's own words, amounts are text.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        self.inner.with_state(|state, moment| {
            json!({
                "time": moment.now,
                "users": state.users,
                "accounts": state.accounts,
                "currencies": state.currencies,
                "discounts": state.discounts,
                "invoices": state.invoices,
                "payments": state.payments,
                "settings": state.settings,
            })
        })
    }

    /// The log of webhooks, oldest first, with their attempts.
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

    fn decide_external(
        &self,
        payment: &str,
        outcome: Status,
        external_data: Option<&str>,
    ) -> Result<(), SandboxError> {
        let data = external_data.map(str::to_owned);
        self.act(|state, moment| state.settle_external(payment, outcome, data, moment.now))
    }

    fn act<T>(
        &self,
        act: impl FnOnce(&mut State, Moment<'_>) -> Result<T, Refusal>,
    ) -> Result<T, SandboxError> {
        Ok(self.inner.with_state(act)?)
    }
}
