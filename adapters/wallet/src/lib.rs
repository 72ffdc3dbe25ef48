#![doc = include_str!("../README.md")]

use std::fmt;

use async_trait::async_trait;
use paymux_core::{
    CancelMandate, CancelPayment, Capabilities, CapturePayment, ConfirmMandate, ConfirmPayment,
    ConfirmStep, CreateMandate, CreatePayment, CreateRefund, Effect, Error, ErrorKind,
    ListPaymentMethods, ListPayments, Mandate, MandateHandle, Operation, Page, Payment,
    PaymentLookup, PaymentMethod, PaymentProvider, ProviderId, Refund, RefundLookup, Result,
    WebhookDelivery, WebhookEvent, signature::RsaSha256, transport::HttpClient,
};

mod auth;
mod call;
mod config;
mod failure;
mod inherent;
mod mandate;
mod map;
mod objects;
mod options;
mod payment;
mod read;
mod send;
mod status;
mod webhook;
mod wire;

pub use config::{AllowanceForm, Callbacks, Environment, WalletConfig};
pub use objects::{
    Allowance, AllowanceLimit, Balance, Balances, Freeze, ListProviderPayments, ListStatements,
    ProviderPage, ProviderPayment, Transaction, WalletNumber,
};
pub use options::{
    AllowanceTerms, Beneficiary, Commission, Item, PaymentType, PeriodLimit, Split, WalletOptions,
};
pub use status::{AllowanceStatus, ProviderPaymentStatus, TransactionStatus};

use auth::Signer;
use map::Pages;

/// The kind of provider, in [`Capabilities::kind`] and as the key of [`WalletOptions`].
pub const KIND: &str = "wallet";

/// One account at the wallet.
pub struct Wallet {
    config: WalletConfig,
    http: HttpClient,
    signer: Signer,
    pages: Pages,
    callback_keys: Option<RsaSha256>,
    capabilities: Capabilities,
}

/// The key is not shown.
impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wallet")
            .field("id", &self.config.id)
            .field("environment", &self.config.environment)
            .field("signer", &self.signer)
            .finish_non_exhaustive()
    }
}

impl Wallet {
    /// A client of the account, with a shared HTTP client.
    ///
    /// # Errors
    /// `Configuration` without effect, naming the setting: `mac_id`, `mac_key`, `base_url`,
    /// `page_url`, `language`, `reference_parameter`, `callbacks` or `callback_key`.
    pub fn new(config: WalletConfig, http: HttpClient) -> Result<Self> {
        let checked = || {
            let signer = Signer::new(
                config.checked_base_url()?,
                &config.mac_id,
                &config.mac_key,
                config.signed_extra(),
                config.max_clock_offset,
                config.clock.clone(),
                config.random.clone(),
            )?;
            config.check_words()?;
            let pages =
                Pages { root: config.checked_page_url()?, language: config.language.clone() };
            Ok((signer, pages, config.checked_callback_keys()?))
        };
        let (signer, pages, callback_keys) =
            checked().map_err(|error: Error| error.with_provider(&config.id))?;
        let capabilities = config.capabilities();
        Ok(Self { config, http, signer, pages, callback_keys, capabilities })
    }

    fn named(&self, error: Error, operation: Operation) -> Error {
        error.with_provider(&self.config.id).with_operation(operation)
    }

    fn unsupported<T>(&self, operation: Operation) -> Result<T> {
        Err(Error::unsupported(operation).with_provider(&self.config.id))
    }
}

fn lacking(field: &str, message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, Effect::None, message).with_field(field)
}

#[async_trait]
impl PaymentProvider for Wallet {
    fn id(&self) -> &ProviderId {
        &self.config.id
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn create_payment(&self, request: &CreatePayment) -> Result<Payment> {
        let created = self.create(request).await;
        created.map_err(|error| self.named(error, Operation::CreatePayment))
    }

    async fn fetch_payment(&self, lookup: &PaymentLookup) -> Result<Payment> {
        let fetched = match lookup {
            PaymentLookup::Payment(handle) => self.fetch(handle).await,
            PaymentLookup::Part { id, options } => self.fetch_by_part(id, options).await,
            PaymentLookup::Reference { .. } => {
                Err(lacking("reference", "cannot be looked up: the provider searches by none"))
            }
        };
        fetched.map_err(|error| self.named(error, Operation::FetchPayment))
    }

    async fn list_payments(&self, query: &ListPayments) -> Result<Page<Payment>> {
        let listed = self.list(query).await;
        listed.map_err(|error| self.named(error, Operation::ListPayments))
    }

    async fn confirm_payment(&self, request: &ConfirmPayment) -> Result<Payment> {
        let confirmed = match request.step {
            ConfirmStep::Authorize => self.reserve(&request.payment).await,
            ConfirmStep::Commit => self.commit(&request.payment).await,
        };
        confirmed.map_err(|error| self.named(error, Operation::ConfirmPayment))
    }

    async fn capture_payment(&self, request: &CapturePayment) -> Result<Payment> {
        let captured = self.capture(request).await;
        captured.map_err(|error| self.named(error, Operation::CapturePayment))
    }

    async fn cancel_payment(&self, request: &CancelPayment) -> Result<Payment> {
        let cancelled = self.cancel(request).await;
        cancelled.map_err(|error| self.named(error, Operation::CancelPayment))
    }

    async fn create_refund(&self, _: &CreateRefund) -> Result<Refund> {
        self.unsupported(Operation::CreateRefund)
    }

    async fn fetch_refund(&self, _: &RefundLookup) -> Result<Refund> {
        self.unsupported(Operation::FetchRefund)
    }

    async fn list_payment_methods(&self, _: &ListPaymentMethods) -> Result<Vec<PaymentMethod>> {
        self.unsupported(Operation::ListPaymentMethods)
    }

    async fn create_mandate(&self, request: &CreateMandate) -> Result<Mandate> {
        let created = self.ask_allowance(request).await;
        created.map_err(|error| self.named(error, Operation::CreateMandate))
    }

    async fn fetch_mandate(&self, mandate: &MandateHandle) -> Result<Mandate> {
        let fetched = self.read_mandate(mandate).await;
        fetched.map_err(|error| self.named(error, Operation::FetchMandate))
    }

    async fn confirm_mandate(&self, request: &ConfirmMandate) -> Result<Mandate> {
        let confirmed = self.confirm_allowance(&request.mandate).await;
        confirmed.map_err(|error| self.named(error, Operation::ConfirmMandate))
    }

    async fn cancel_mandate(&self, request: &CancelMandate) -> Result<Mandate> {
        let cancelled = self.cancel_allowance(&request.mandate).await;
        cancelled.map_err(|error| self.named(error, Operation::CancelMandate))
    }

    fn verify_webhook(&self, delivery: &WebhookDelivery<'_>) -> Result<Vec<WebhookEvent>> {
        webhook::verify(self, delivery).map_err(|error| error.with_provider(&self.config.id))
    }
}
