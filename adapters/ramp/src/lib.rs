#![doc = include_str!("../README.md")]

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use paymux_core::{
    CancelMandate, CancelPayment, Capabilities, CapturePayment, ConfirmMandate, ConfirmPayment,
    ConfirmStep, CreateMandate, CreatePayment, CreateRefund, Effect, Error, ErrorKind,
    ListPaymentMethods, ListPayments, Mandate, MandateHandle, Operation, Page, Payment,
    PaymentHandle, PaymentLookup, PaymentMethod, PaymentProvider, PaymentStatus, ProviderId,
    Refund, RefundLookup, Result, WebhookDelivery, WebhookEvent,
    signature::SharedSecret,
    transport::{HttpClient, Purpose},
};

mod auth;
mod checkout;
mod config;
mod decimal;
mod failure;
mod inherent;
mod map;
mod objects;
mod options;
mod read;
mod status;
mod tokens;
mod webhook;
mod wire;

pub use auth::Endpoint;
pub use checkout::{CheckoutReturn, ReturnMode, checkout_session_id};
pub use config::{Environment, RampConfig};
pub use decimal::{AmountUnit, DateUnit};
pub use objects::{CheckoutSession, Invoice, InvoicePayment, Notification, NotificationKind};
pub use options::{PaymentType, RampOptions, UpdatePayment};
pub use status::StatusMeaning;
pub use tokens::{Grant, GrantKeeper, OneToken, RefreshingTokens, TokenMap, TokenSource};

use auth::Signer;
use inherent::{is_of_another_type, same};
use map::{Before, Stage};
use read::Rows;

/// The kind of provider, in [`Capabilities::kind`] and as the key of [`RampOptions`].
pub const KIND: &str = "ramp";

/// One account at the ramp.
pub struct Ramp {
    config: RampConfig,
    http: HttpClient,
    signer: Signer,
    tokens: Arc<dyn TokenSource>,
    webhook_secret: Option<SharedSecret>,
    capabilities: Capabilities,
}

/// Tokens and secrets are not shown.
impl fmt::Debug for Ramp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ramp").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Ramp {
    /// A client of the account, with a shared HTTP client.
    ///
    /// # Errors
    /// `Configuration` without effect, naming the setting: `base_url`, `tokens`, `path_prefix`,
    /// `path.…`, `method`, `header`, `status_word`, `return_field`, `currency` or `webhook_secret`.
    pub fn new(config: RampConfig, http: HttpClient) -> Result<Self> {
        let id = config.id.clone();
        let build = || {
            let config = config.checked()?;
            let signer = Signer::new(&config.addresses)?;
            let tokens = config.checked_tokens()?;
            let webhook_secret = config.checked_secret()?;
            let capabilities = config.capabilities();
            Ok(Self { config, http, signer, tokens, webhook_secret, capabilities })
        };
        build().map_err(|error: Error| error.with_provider(&id))
    }

    fn named(&self, error: Error, operation: Operation) -> Error {
        error.with_provider(&self.config.id).with_operation(operation)
    }

    fn unsupported<T>(&self, operation: Operation) -> Result<T> {
        Err(Error::unsupported(operation).with_provider(&self.config.id))
    }

    /// Creates a payment, or gets the one that is there. Where invoices are read, it is seen first
    /// that this one is to be paid and costs what is expected, so that no other payment is even made.
    async fn create(&self, request: &CreatePayment) -> Result<Payment> {
        let options = RampOptions::of(&request.options)?;
        let body = map::new_payment(&self.config, request, &options)?;
        let mut price = None;
        let mut known = Vec::new();
        if self.config.invoice_read {
            let invoice = self.invoice_before(&options).await?;
            let before = Before::Creating(&options.payment_type);
            if let Err(conflict) = map::check_payable(&invoice, before, &self.config.words) {
                // What was there before anything left is somebody else's, and pays for nothing here.
                if !request.in_doubt {
                    return Err(conflict);
                }
                return self.there_already(request, &options, &invoice, conflict).await;
            }
            price = map::expected_price(&invoice, request.amount, options.discount_code.is_some())?;
            known = invoice.payments;
        }
        let response = self.call(Purpose::Mutate, Endpoint::Payment, &options, Some(&body)).await?;
        let answer = self.any_answer(&response, &options)?;
        if is_of_another_type(&answer, &options) {
            let message = "must be that of the payment which the invoice has";
            let error = Error::new(ErrorKind::Conflict, Effect::Possible, message);
            let error = error.with_field("options.ramp.payment_type");
            return Err(failure::with_ids(error, &response, None));
        }
        let found = known.iter().any(|row| row.id == answer.id);
        let stage = Stage::Created { sent: request.return_url.as_ref(), found };
        let mut payment = map::payment(&self.config, &answer, &options.payment_type, stage);
        payment.amounts.requested = price;
        Ok(payment)
    }

    /// The invoice, read before money moves.
    async fn invoice_before(&self, options: &RampOptions) -> Result<Invoice> {
        self.get_invoice(options, Rows::All).await.map_err(failure::of_invoice)
    }

    /// The payment that pays the invoice already, if creating can have made it: after a lost answer
    /// nothing else tells its id, and before one it is not ours. It is read and not created, so that
    /// nothing is begun a second time.
    /// Whether it is ours, the caller's books know. Anything less than the payment itself leaves the
    /// conflict as it is: the invoice is paid, or is about to be.
    async fn there_already(
        &self,
        request: &CreatePayment,
        options: &RampOptions,
        invoice: &Invoice,
        conflict: Error,
    ) -> Result<Payment> {
        let words = &self.config.words;
        let Some(id) = map::there_already(invoice, &options.payment_type, words) else {
            return Err(conflict);
        };
        let discounted = options.discount_code.is_some();
        let price = map::expected_price(invoice, request.amount, discounted)?;
        let answer = match self.look_up(&PaymentHandle::new(id.clone()), options).await {
            Ok((_, answer)) => answer,
            Err(error) => return Err(conflict.with_source(error)),
        };
        let stage = Stage::Created { sent: request.return_url.as_ref(), found: true };
        let mut payment = map::payment(&self.config, &answer, &options.payment_type, stage);
        map::add_invoice(&mut payment, invoice, words);
        payment.amounts.requested = price;
        match payment.status {
            PaymentStatus::Failed | PaymentStatus::Cancelled | PaymentStatus::Expired => {
                Err(conflict)
            }
            PaymentStatus::RequiresAction
            | PaymentStatus::RequiresConfirmation
            | PaymentStatus::Processing
            | PaymentStatus::Authorized
            | PaymentStatus::PartiallyPaid
            | PaymentStatus::Succeeded
            | PaymentStatus::Unknown => Ok(payment),
        }
    }

    async fn fetch(&self, handle: &PaymentHandle) -> Result<Payment> {
        let options = RampOptions::of(&handle.options)?;
        let (_, answer) = self.look_up(handle, &options).await?;
        let stage = later(handle.confirmed.as_deref());
        let mut payment = map::payment(&self.config, &answer, &options.payment_type, stage);
        // An invoice that cannot be read does not hide how the payment stands.
        if self.config.invoice_read
            && let Ok(invoice) = self.get_invoice(&options, Rows::Readable).await
        {
            map::add_invoice(&mut payment, &invoice, &self.config.words);
        }
        Ok(payment)
    }

    /// Moves the money. What comes of it only the payment's own word says; an answer that holds no
    /// payment has to be looked up. Where invoices are read, this one must still be payable, and be
    /// about the price of the options, without which no platform payment comes as far as this.
    async fn commit(&self, handle: &PaymentHandle) -> Result<Payment> {
        let options = RampOptions::of(&handle.options)?;
        let body = map::confirmation(&self.config, &handle.id, &options)?;
        if self.config.invoice_read {
            let invoice = self.invoice_before(&options).await?;
            let before = Before::Confirming(&options.payment_type, &handle.id);
            map::check_payable(&invoice, before, &self.config.words)?;
            if let Some(price) = options.price {
                map::expected_price(&invoice, price, false)?;
            }
        }
        let response = self.call(Purpose::Mutate, Endpoint::Confirm, &options, Some(&body)).await?;
        let answer = self.answer(&response, &options)?;
        same(&response, "payment", handle.id.as_str(), answer.id.as_str())?;
        Ok(map::payment(&self.config, &answer, &options.payment_type, Stage::Confirmed))
    }
}

/// What a payment that is read or changed is taken for: by the caller's record of the steps it
/// began, if it has one.
fn later(begun: Option<&[ConfirmStep]>) -> Stage<'static> {
    Stage::Later { unconfirmed: begun.is_some_and(|steps| !steps.contains(&ConfirmStep::Commit)) }
}

fn lacking(field: &str, message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, Effect::None, message).with_field(field)
}

#[async_trait]
impl PaymentProvider for Ramp {
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
            PaymentLookup::Part { .. } => {
                Err(lacking("part", "cannot be looked up: a payment has no parts"))
            }
            PaymentLookup::Reference { .. } => {
                Err(lacking("reference", "cannot be looked up: the provider is told none"))
            }
        };
        fetched.map_err(|error| self.named(error, Operation::FetchPayment))
    }

    async fn list_payments(&self, _: &ListPayments) -> Result<Page<Payment>> {
        self.unsupported(Operation::ListPayments)
    }

    async fn confirm_payment(&self, request: &ConfirmPayment) -> Result<Payment> {
        let confirmed = match request.step {
            ConfirmStep::Commit => self.commit(&request.payment).await,
            ConfirmStep::Authorize => {
                Err(lacking("step", "cannot be taken: the provider has no reservations"))
            }
        };
        confirmed.map_err(|error| self.named(error, Operation::ConfirmPayment))
    }

    async fn capture_payment(&self, _: &CapturePayment) -> Result<Payment> {
        self.unsupported(Operation::CapturePayment)
    }

    async fn cancel_payment(&self, _: &CancelPayment) -> Result<Payment> {
        self.unsupported(Operation::CancelPayment)
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
        webhook::verify(&self.config, self.webhook_secret.as_ref(), delivery)
            .map_err(|error| error.with_provider(&self.config.id))
    }
}
