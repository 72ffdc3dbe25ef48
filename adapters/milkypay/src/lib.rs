#![doc = include_str!("../README.md")]

use std::fmt;

use async_trait::async_trait;
use http::StatusCode;
use paymux_core::{
    CancelMandate, CancelPayment, Capabilities, CapturePayment, ConfirmMandate, ConfirmPayment,
    CreateMandate, CreatePayment, CreateRefund, Effect, Error, ErrorKind, ListPaymentMethods,
    ListPayments, Mandate, MandateHandle, Operation, Page, Payment, PaymentLookup, PaymentMethod,
    PaymentProvider, ProviderId, Refund, RefundLookup, Result, WebhookDelivery, WebhookEvent,
    transport::{HttpClient, HttpResponse},
};

mod auth;
mod config;
mod decimal;
mod failure;
mod form;
mod inherent;
mod map;
mod methods;
mod objects;
mod options;
mod php;
mod read;
mod refund;
mod status;
mod webhook;
mod wire;

pub use config::{Api, MilkyPayConfig, Mode};
pub use decimal::Decimal;
pub use form::CheckoutForm;
pub use objects::{
    ActivePayment, CallbackLog, Invoice, InvoicePage, MerchantCard, OriginalIds, Payload,
    PaymentCard, PaymentForm, PaymentService, PaymentServicePage, Prerequest, PrerequestMethod,
    PrerequestService, ServiceField,
};
pub use options::{CustomerDetails, MilkyPayOptions, ReturnUrls};
pub use status::InvoiceStatus;

use auth::{Endpoint, Signer};
use failure::Act;
use map::{Flow, Link};
use webhook::CallbackKeys;

/// The kind of provider, in [`Capabilities::kind`] and as the key of [`MilkyPayOptions`].
pub const KIND: &str = "milkypay";

/// One account at MilkyPay, in one of its two modes.
pub struct MilkyPay {
    config: MilkyPayConfig,
    http: HttpClient,
    signer: Signer,
    callback_keys: CallbackKeys,
    known_methods: Vec<PaymentMethod>,
    capabilities: Capabilities,
}

/// Keys and secrets are not shown.
impl fmt::Debug for MilkyPay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MilkyPay").field("config", &self.config).finish_non_exhaustive()
    }
}

impl MilkyPay {
    /// A client of the account, with a shared HTTP client.
    ///
    /// # Errors
    /// `Configuration` without effect, naming the setting: `base_url`, `private_api`,
    /// `public_api`, `callback_url`, `refunds` or `webhook_secret`.
    pub fn new(config: MilkyPayConfig, http: HttpClient) -> Result<Self> {
        let checked = || {
            config.check()?;
            Ok((Signer::new(&config)?, config.callback_keys()?))
        };
        let (signer, callback_keys) =
            checked().map_err(|error: Error| error.with_provider(&config.id))?;
        let capabilities = config.capabilities();
        let known_methods = Vec::new();
        Ok(Self { config, http, signer, callback_keys, known_methods, capabilities })
    }

    /// The same client, knowing what these ways to pay take, as
    /// [`list_payment_methods`](PaymentProvider::list_payment_methods) gave them: a payment through
    /// one of them with another currency, or with an amount beyond its limits, is refused before
    /// anything is sent. Services that are not among them are not checked.
    #[must_use]
    pub fn with_known_methods(mut self, methods: Vec<PaymentMethod>) -> Self {
        self.known_methods = methods;
        self
    }

    fn named(&self, error: Error, operation: Operation) -> Error {
        error.with_provider(&self.config.id).with_operation(operation)
    }

    fn unsupported<T>(&self, operation: Operation) -> Result<T> {
        Err(Error::unsupported(operation).with_provider(&self.config.id))
    }

    fn payment(&self, invoice: &Invoice) -> Payment {
        map::payment(&self.config.id, invoice)
    }

    async fn create(&self, request: &CreatePayment) -> Result<Payment> {
        let options = request.options.get::<MilkyPayOptions>()?.unwrap_or_default();
        let api = self.config.create_api();
        let invoice = self.create_invoice(api, request, &options, Flow::Charge).await?;
        Ok(self.payment(&invoice))
    }

    /// Makes an invoice, or gets the one that the same reference made before.
    async fn create_invoice(
        &self,
        api: Api,
        request: &CreatePayment,
        options: &MilkyPayOptions,
        flow: Flow,
    ) -> Result<Invoice> {
        let (act, terms) = (Act::Create, self.terms());
        let call = match api {
            Api::Private => {
                let body = terms.private_invoice(request, options, flow)?;
                self.signer.post(act.purpose(), Endpoint::Invoices, &body)?
            }
            Api::Public => {
                let key = self.signer.public_key()?;
                let body = terms.public_invoice(key, request, options)?;
                self.signer.post(act.purpose(), Endpoint::PublicInvoices, &body)?
            }
        };
        let service = terms.service(request, options)?;
        let response = self.http.send(call).await?;
        if response.status == StatusCode::CONFLICT {
            return self.adopted(&response, request, service, flow);
        }
        let response = self.success(act, response)?;
        let invoice = read::invoice(&response.body, &self.config.currencies)
            .map_err(|unreadable| unreadable.of(&response))?;
        self.check_mode(&response, &invoice)?;
        if flow == Flow::Verify && map::is_for_another(&invoice, flow) {
            return Err(response.unreadable("the answer is about an invoice that takes money"));
        }
        if let Some(reference) = &invoice.reference_id {
            response.check_same("reference", request.reference.as_str(), reference)?;
        }
        if invoice.amount.is_some_and(|amount| amount != request.amount) {
            return Err(response.unreadable("the answer is about another amount"));
        }
        if !map::status(&invoice).is_final() && matches!(map::link(&invoice), Link::Unfit) {
            return Err(response.unreadable("the answer's page is none to send a payer to"));
        }
        Ok(invoice)
    }

    /// The invoice that a repeated reference made the first time. One that was made for something
    /// else is no success: two orders would share one payment.
    fn adopted(
        &self,
        response: &HttpResponse,
        request: &CreatePayment,
        service: &str,
        flow: Flow,
    ) -> Result<Invoice> {
        let Ok(invoice) = read::invoice(&response.body, &self.config.currencies) else {
            return Err(failure::refusal(Act::Create, response, self.signer.secrets()));
        };
        let differs = |by: &str| {
            let message = format!("was used before, for an invoice with another {by}");
            let error = Error::new(ErrorKind::Conflict, Effect::Possible, message);
            Err(error.with_http_status(response.status.as_u16()).with_field("reference"))
        };
        if invoice.reference_id.as_deref() != Some(request.reference.as_str()) {
            return differs("reference");
        }
        if invoice.mode != self.config.mode {
            return differs("mode");
        }
        if invoice.amount != Some(request.amount) {
            return differs("amount");
        }
        if invoice.service.as_deref().is_some_and(|known| known != service) {
            return differs("service");
        }
        if map::is_for_another(&invoice, flow) {
            return differs("flow");
        }
        Ok(invoice)
    }

    /// Play money must not pass for real money, nor the other way about.
    fn check_mode(&self, response: &HttpResponse, invoice: &Invoice) -> Result<()> {
        if invoice.mode == self.config.mode {
            return Ok(());
        }
        Err(response.unreadable("the answer is about an invoice of the other mode, live or test"))
    }

    async fn fetch(&self, lookup: &PaymentLookup) -> Result<Payment> {
        let invoice = match lookup {
            PaymentLookup::Payment(handle) => self.get_invoice(&handle.id).await?,
            PaymentLookup::Reference { reference, .. } => self.find_invoice(reference).await?,
            PaymentLookup::Part { .. } => {
                let message = "cannot be looked up: an invoice has no parts";
                let error = Error::new(ErrorKind::Unsupported, Effect::None, message);
                return Err(error.with_field("part"));
            }
        };
        if invoice.mode != self.config.mode {
            let message = "the invoice is of the other mode, live or test";
            return Err(Error::new(ErrorKind::InvalidResponse, Effect::None, message));
        }
        Ok(self.payment(&invoice))
    }

    /// Rows of the other mode are none of this account's.
    async fn list(&self, query: &ListPayments) -> Result<Page<Payment>> {
        let limit = map::invoice_list(query)?;
        let page = self.invoice_page(limit, query.cursor.as_ref()).await?;
        let ours = page.items.iter().filter(|invoice| invoice.mode == self.config.mode);
        Ok(Page { items: ours.map(|invoice| self.payment(invoice)).collect(), next: page.next })
    }
}

#[async_trait]
impl PaymentProvider for MilkyPay {
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
        let fetched = self.fetch(lookup).await;
        fetched.map_err(|error| self.named(error, Operation::FetchPayment))
    }

    async fn list_payments(&self, query: &ListPayments) -> Result<Page<Payment>> {
        if !self.signer.has_private_api() {
            return self.unsupported(Operation::ListPayments);
        }
        let listed = self.list(query).await;
        listed.map_err(|error| self.named(error, Operation::ListPayments))
    }

    async fn confirm_payment(&self, _: &ConfirmPayment) -> Result<Payment> {
        self.unsupported(Operation::ConfirmPayment)
    }

    async fn capture_payment(&self, _: &CapturePayment) -> Result<Payment> {
        self.unsupported(Operation::CapturePayment)
    }

    async fn cancel_payment(&self, _: &CancelPayment) -> Result<Payment> {
        self.unsupported(Operation::CancelPayment)
    }

    async fn create_refund(&self, request: &CreateRefund) -> Result<Refund> {
        if !self.config.refunds {
            return self.unsupported(Operation::CreateRefund);
        }
        let created = self.refund(request).await;
        created.map_err(|error| self.named(error, Operation::CreateRefund))
    }

    async fn fetch_refund(&self, _: &RefundLookup) -> Result<Refund> {
        self.unsupported(Operation::FetchRefund)
    }

    async fn list_payment_methods(&self, query: &ListPaymentMethods) -> Result<Vec<PaymentMethod>> {
        let listed = self.methods(query).await;
        listed.map_err(|error| self.named(error, Operation::ListPaymentMethods))
    }

    async fn create_mandate(&self, _: &CreateMandate) -> Result<Mandate> {
        self.unsupported(Operation::CreateMandate)
    }

    async fn fetch_mandate(&self, _: &MandateHandle) -> Result<Mandate> {
        self.unsupported(Operation::FetchMandate)
    }

    async fn confirm_mandate(&self, _: &ConfirmMandate) -> Result<Mandate> {
        self.unsupported(Operation::ConfirmMandate)
    }

    async fn cancel_mandate(&self, _: &CancelMandate) -> Result<Mandate> {
        self.unsupported(Operation::CancelMandate)
    }

    fn verify_webhook(&self, delivery: &WebhookDelivery<'_>) -> Result<Vec<WebhookEvent>> {
        let account = webhook::Account {
            provider: &self.config.id,
            mode: self.config.mode,
            known: &self.config.currencies,
        };
        webhook::verify(&self.callback_keys, &account, delivery)
            .map_err(|error| error.with_provider(&self.config.id))
    }
}
