//! The wallet from Rust: what tests and the demo do instead of clicking.

use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;

use super::Wallet;
use super::errors::Refusal;
use super::objects::Beneficiary;
use super::settings::WalletSettings;
use super::state::{Moment, State};
use super::transactions::{Acceptance, By};
use super::users::{User, WalletUser};
use crate::SandboxError;

/// A handle to the wallet provider of a running sandbox; clones share it.
///
/// Amounts are cents. Actions fail with [`SandboxError::NotFound`] for an unknown key or wallet
/// and [`SandboxError::Refused`] where the status or the money forbids them; neither changes
/// anything.
#[derive(Clone, Debug)]
pub struct WalletSandbox {
    pub(crate) inner: Arc<Wallet>,
}

impl WalletSandbox {
    /// The provider's URL, such as `http://127.0.0.1:41234/wallet`.
    #[must_use]
    pub fn base_url(&self) -> Url {
        self.inner.base.clone()
    }

    /// The root of the API, such as `http://127.0.0.1:41234/wallet/rest/v1`.
    #[must_use]
    pub fn rest_url(&self) -> String {
        format!("{}/rest/v1", self.inner.base)
    }

    /// The token endpoint.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}/oauth/v1/token", self.inner.base)
    }

    /// The page where a payer accepts or rejects a transaction.
    #[must_use]
    pub fn confirm_url(&self, transaction_key: &str) -> String {
        self.inner.with_state(|state, _| state.page_url(transaction_key))
    }

    /// The client's id, which signatures name.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.inner.config.client_id
    }

    /// The client's secret, which makes signatures.
    #[must_use]
    pub fn mac_key(&self) -> &str {
        &self.inner.config.mac_key
    }

    /// The key that checks callbacks, as PEM.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.inner.public_key
    }

    /// Where that key is served.
    #[must_use]
    pub fn public_key_url(&self) -> String {
        format!("{}/publickey", self.inner.base)
    }

    /// The wallet of the merchant.
    #[must_use]
    pub fn own_wallet(&self) -> i64 {
        super::users::OWN_WALLET
    }

    /// The wallet of a payer with money in EUR and USD and the PIN 1234.
    #[must_use]
    pub fn usual_payer(&self) -> i64 {
        super::users::USUAL_PAYER
    }

    /// Where callbacks go from now on, those under way included, unless a transaction names its
    /// own URL.
    ///
    /// # Errors
    /// [`SandboxError::Configuration`] unless the URL is plain http on loopback.
    pub fn set_callback_url(&self, url: Option<Url>) -> Result<(), SandboxError> {
        self.inner.webhooks.set_given_url(url)
    }

    /// The settings as they are.
    #[must_use]
    pub fn settings(&self) -> WalletSettings {
        self.inner.with_state(|state, _| state.settings.clone())
    }

    /// Replaces the settings. Transactions keep the times they were made with.
    pub fn set_settings(&self, settings: WalletSettings) {
        self.inner.with_state(|state, _| state.settings = settings);
    }

    /// Registers a user, or replaces the one with this wallet; returns the wallet. Payments that
    /// wait for this e-mail address or phone number go on.
    ///
    /// # Errors
    /// [`SandboxError::Refused`] for a wallet that holds reserved money.
    pub fn set_user(&self, user: WalletUser) -> Result<i64, SandboxError> {
        self.act(|state, moment| {
            let wallet = user.wallet.unwrap_or_else(|| state.next_wallet());
            let busy = |user: &User| user.holds.values().any(|balance| balance.reserved != 0);
            if state.users.get(&wallet).is_some_and(busy) {
                return Err(Refusal::InvalidState);
            }
            state.users.insert(wallet, User::new(user.wallet(wallet)));
            state.register_beneficiaries();
            state.proceed_all(moment.now)?;
            Ok(wallet)
        })
    }

    /// Puts money into a wallet; transactions that wait for it go on.
    ///
    /// # Errors
    /// An unknown wallet, an amount below one cent, or a currency that is none.
    pub fn add_funds(&self, wallet: i64, currency: &str, cents: i64) -> Result<(), SandboxError> {
        self.act(|state, moment| state.add_funds(wallet, currency, cents, moment.now))
    }

    /// What a wallet has at its disposal, and what is reserved, in cents.
    #[must_use]
    pub fn balance(&self, wallet: i64, currency: &str) -> (i64, i64) {
        self.inner.with_state(|state, _| {
            let balance = state.users.get(&wallet).and_then(|user| user.holds.get(currency));
            balance.map_or((0, 0), |balance| (balance.at_disposal, balance.reserved))
        })
    }

    /// The owner of a wallet accepts on the page; money must be there.
    ///
    /// # Errors
    /// The transaction is not new, or the wallet cannot pay it.
    pub fn accept(&self, transaction_key: &str, wallet: i64) -> Result<(), SandboxError> {
        self.act(|state, moment| {
            state.accept(transaction_key, Acceptance::on_page(wallet), moment.now)
        })
    }

    /// The owner of a wallet accepts, and brings the money later.
    ///
    /// # Errors
    /// The transaction is not new, or the wallet is closed or restricted.
    pub fn accept_without_funds(
        &self,
        transaction_key: &str,
        wallet: i64,
    ) -> Result<(), SandboxError> {
        self.act(|state, moment| {
            let acceptance = Acceptance { funds_later: true, ..Acceptance::on_page(wallet) };
            state.accept(transaction_key, acceptance, moment.now)
        })
    }

    /// The payer refuses, before or after accepting.
    ///
    /// # Errors
    /// The transaction is confirmed or over.
    pub fn reject(&self, transaction_key: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.reject(transaction_key, moment.now))
    }

    /// The time for it is over now: what nobody accepted is deleted, what the client did not
    /// confirm is taken back as the settings say.
    ///
    /// # Errors
    /// The transaction is confirmed or over.
    pub fn lapse(&self, transaction_key: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.lapse(transaction_key, moment.now))
    }

    /// It fails for another reason.
    ///
    /// # Errors
    /// The transaction is confirmed or over.
    pub fn fail(&self, transaction_key: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.fail(transaction_key, moment.now))
    }

    /// The beneficiary gives the password that a payment waits for.
    ///
    /// # Errors
    /// The payment waits for none, or the password is wrong.
    pub fn give_password(&self, payment: i64, password: &str) -> Result<(), SandboxError> {
        self.act(|state, moment| state.give_password(payment, password, By::Others, moment.now))
    }

    /// The payer cancels an allowance.
    ///
    /// # Errors
    /// The allowance is not active.
    pub fn cancel_allowance(&self, allowance: i64) -> Result<(), SandboxError> {
        self.act(|state, moment| state.cancel_allowance(allowance, moment.now))
    }

    /// A user lets the client act for them; returns the code for the token endpoint.
    ///
    /// # Errors
    /// An unknown wallet.
    pub fn authorize(
        &self,
        wallet: i64,
        scopes: &[&str],
        redirect_uri: Option<&str>,
    ) -> Result<String, SandboxError> {
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.act(|state, moment| state.authorize(wallet, &scopes, redirect_uri, moment))
    }

    /// Users, transactions, payments, allowances, statements, collected fees and settings, for
    /// assertions. They show more than the API does; statuses are the sandbox's own words.
    #[must_use]
    pub fn snapshot(&self) -> Value {
        self.inner.with_state(|state, moment| {
            json!({
                "time": moment.now,
                "users": state.users,
                "transactions": state.transactions,
                "payments": state.payments,
                "allowances": state.allowances,
                "statements": state.statements,
                "fees": state.fees,
                "settings": state.settings,
            })
        })
    }

    /// The log of callbacks, oldest first; bodies are events without their signature.
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

impl State {
    /// Gives payments to somebody without a wallet to the wallet they have now.
    fn register_beneficiaries(&mut self) {
        let waiting: Vec<(i64, Beneficiary)> = self
            .payments
            .rows()
            .iter()
            .filter(|it| it.needs_registration())
            .map(|it| (it.id, it.terms.beneficiary.clone()))
            .collect();
        for (id, beneficiary) in waiting {
            let wallet = self.find_wallet(&beneficiary);
            if let (Some(wallet), Ok(payment)) = (wallet, self.payment_mut(id)) {
                payment.terms.beneficiary = Beneficiary::Id(wallet);
            }
        }
    }
}
