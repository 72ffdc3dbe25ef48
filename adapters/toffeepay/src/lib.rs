#![doc = include_str!("../README.md")]

use std::fmt;

use async_trait::async_trait;
use paymux_core::{
    CancelMandate, CancelPayment, Capabilities, CapturePayment, ConfirmMandate, ConfirmPayment,
    CreateMandate, CreatePayment, CreateRefund, Cursor, Effect, Error, ErrorKind, IdempotencyKey,
    ListPaymentMethods, ListPayments, Mandate, MandateHandle, Operation, Page, Payment,
    PaymentHandle, PaymentLookup, PaymentMethod, PaymentProvider, ProviderId, ProviderPartId,
    Refund, RefundLookup, Result, WebhookDelivery, WebhookEvent,
    transport::{HttpClient, HttpResponse},
};
use serde::Serialize;

mod auth;
mod config;
mod failure;
mod inherent;
mod lookup;
mod map;
mod objects;
mod options;
mod read;
mod status;
mod webhook;
mod wire;

pub use config::{Environment, ToffeePayConfig};
pub use objects::{
    GameUser, Item, ListProviderPayments, ListRefunds, ListSessions, ListTopups, ProviderPage,
    ProviderPayment, ProviderRefund, Reason, Session, Topup, WalletSplit,
};
pub use options::ToffeePayOptions;
pub use status::{ProviderPaymentStatus, ProviderRefundStatus, SessionStatus};

use auth::{Rpc, Signer};
use lookup::instead_of_not_found;
use webhook::WebhookKeys;

/// The kind of provider, in [`Capabilities::kind`] and as the key of [`ToffeePayOptions`].
pub const KIND: &str = "toffeepay";

/// One account at ToffeePay.
pub struct ToffeePay {
    config: ToffeePayConfig,
    http: HttpClient,
    signer: Signer,
    webhook_keys: WebhookKeys,
    capabilities: Capabilities,
}

/// The key and the secrets are not shown.
impl fmt::Debug for ToffeePay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToffeePay")
            .field("id", &self.config.id)
            .field("environment", &self.config.environment)
            .field("base_url", &self.config.base_url.as_ref().map(url::Url::as_str))
            .finish_non_exhaustive()
    }
}

impl ToffeePay {
    /// A client of the account, with a shared HTTP client.
    ///
    /// # Errors
    /// `Configuration` without effect, naming the setting: `api_key`, `game_id`, `base_url`,
    /// `webhook_secret_legacy`, `webhook_secret_standard` or `webhook_tolerance`.
    pub fn new(config: ToffeePayConfig, http: HttpClient) -> Result<Self> {
        let checked = || {
            config.check_game_id()?;
            let base_url = config.checked_base_url()?;
            let signer = Signer::new(base_url, &config.api_key, config.connect_protocol_version)?;
            Ok((signer, config.webhook_keys()?))
        };
        let (signer, webhook_keys) =
            checked().map_err(|error: Error| error.with_provider(&config.id))?;
        let capabilities = config.capabilities();
        Ok(Self { config, http, signer, webhook_keys, capabilities })
    }

    /// One attempt; an answer that is no success is an error.
    async fn call<T: Serialize + Sync>(
        &self,
        rpc: Rpc,
        body: &T,
        key: Option<&IdempotencyKey>,
    ) -> Result<HttpResponse> {
        let response = self.http.send(self.signer.request(rpc, body, key)?).await?;
        if response.is_success() {
            return Ok(response);
        }
        Err(failure::refusal(rpc, &response, &self.config.api_key))
    }

    /// The three calls that answer `{}` and say nothing by it.
    async fn call_for_nothing(&self, rpc: Rpc, id: &str, key: &IdempotencyKey) -> Result<()> {
        let response = self.call(rpc, &wire::ById::new(id), Some(key)).await?;
        read::json_object::<serde::de::IgnoredAny>(&response.body)
            .map(|_| ())
            .map_err(|unreadable| unreadable.of(&response))
    }

    fn named(&self, error: Error, operation: Operation) -> Error {
        error.with_provider(&self.config.id).with_operation(operation)
    }

    fn unsupported<T>(&self, operation: Operation) -> Result<T> {
        Err(Error::unsupported(operation).with_provider(&self.config.id))
    }

    async fn create(&self, request: &CreatePayment) -> Result<Payment> {
        let options = request.options.get::<ToffeePayOptions>()?.unwrap_or_default();
        let body = map::new_session(&self.config, request, &options)?;
        let response = self.call(Rpc::CreateSession, &body, Some(&request.key)).await?;
        let session =
            read::created_session(&response.body).map_err(|unreadable| unreadable.of(&response))?;
        let mut payment = map::payment(&self.config.id, &session, &[]);
        // An answer of id and page alone is about what was asked for.
        payment.amounts.requested = payment.amounts.requested.or(Some(request.amount));
        Ok(payment)
    }

    async fn list(&self, query: &ListPayments) -> Result<Page<Payment>> {
        let options = query.options.get::<ToffeePayOptions>()?.unwrap_or_default();
        let request = map::session_list(&self.config, query, &options)?;
        let page = self.session_page(&request).await?;
        let received = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
        let next = match request.offset.checked_add(received) {
            Some(offset) if page.has_more && received > 0 => Some(Cursor::new(offset.to_string())?),
            Some(_) | None => None,
        };
        let items = page.items.iter().map(|session| map::payment(&self.config.id, session, &[]));
        Ok(Page { items: items.collect(), next })
    }

    async fn capture(&self, request: &CapturePayment) -> Result<Payment> {
        if request.amount.is_some() {
            return Err(lacking("amount", "cannot be sent: all that is held is taken"));
        }
        if let Some(part) = &request.part {
            self.check_own(&request.payment, part).await?;
        }
        let Some(part) = request.part.as_ref().or(request.payment.parts.last()) else {
            let message = "is not known yet; a webhook names it";
            let error = Error::new(ErrorKind::Conflict, Effect::None, message);
            return Err(error.with_field("part"));
        };
        self.call_for_nothing(Rpc::CompletePayment, part.as_str(), &request.key).await?;
        self.read_back(&request.payment, Some(part)).await
    }

    async fn cancel(&self, request: &CancelPayment) -> Result<Payment> {
        let (rpc, id) = match &request.part {
            Some(part) => {
                self.check_own(&request.payment, part).await?;
                (Rpc::CancelPayment, part.as_str())
            }
            None => (Rpc::CancelSession, request.payment.id.as_str()),
        };
        self.call_for_nothing(rpc, id, &request.key).await?;
        self.read_back(&request.payment, request.part.as_ref()).await
    }

    /// Is the part that was named one of this payment? One that the handle does not know is read
    /// first: an id that is out of date would take, drop or give back another order's money. That it
    /// is not found says nothing of the payment.
    async fn check_own(&self, handle: &PaymentHandle, part: &ProviderPartId) -> Result<()> {
        if handle.parts.contains(part) {
            return Ok(());
        }
        let read = self.get_payment(part, false).await.map_err(|error| {
            if error.kind() != ErrorKind::NotFound {
                return error;
            }
            let message = "is not known to the provider";
            instead_of_not_found(error, ErrorKind::Conflict, message).with_field("part")
        });
        if read?.session_id == handle.id {
            return Ok(());
        }
        Err(Error::invalid_request("part", "belongs to another payment"))
    }

    /// What became of it: the answer before says nothing, so until this is read the provider may
    /// have acted.
    async fn read_back(
        &self,
        handle: &PaymentHandle,
        part: Option<&ProviderPartId>,
    ) -> Result<Payment> {
        let read = async {
            let payment = match part {
                Some(part) => self.fetch_by_part(part, &handle.parts).await?,
                None => self.fetch(handle).await?,
            };
            if payment.id != handle.id {
                let message = "the part belongs to another payment than the one named with it";
                return Err(Error::new(ErrorKind::InvalidResponse, Effect::Possible, message));
            }
            Ok(payment)
        };
        read.await.map_err(|error| error.with_effect(Effect::Possible))
    }

    async fn refund(&self, request: &CreateRefund) -> Result<Refund> {
        if request.amount.is_some() {
            return Err(lacking("amount", "cannot be sent: a refund is of the whole payment"));
        }
        let part = match (&request.part, request.payment.parts.last()) {
            (Some(part), _) => {
                self.check_own(&request.payment, part).await?;
                part.clone()
            }
            (None, Some(newest)) => newest.clone(),
            (None, None) => self.find_part(&request.payment).await?,
        };
        let reason = request.reason.as_deref();
        let body = wire::CreateRefund { payment_id: part.as_str(), reason };
        let response = self.call(Rpc::CreateRefund, &body, Some(&request.key)).await?;
        let created = read::created_refund(&response.body, &part)
            .map_err(|unreadable| unreadable.of(&response))?;
        if let Some(answered) = &created.payment_id {
            response.check_same("payment", part.as_str(), answered.as_str())?;
        }
        Ok(map::refund(created))
    }

    /// The part to give back, when nobody knows one: reads may go before the one call that
    /// mutates. Whether it can be given back, the provider knows.
    async fn find_part(&self, handle: &PaymentHandle) -> Result<ProviderPartId> {
        let session = self.get_session(&handle.id).await?;
        if let Some(part) = session.payment_id {
            return Ok(part);
        }
        match session.status {
            SessionStatus::Paid => match self.search_payment(&session).await? {
                Some(payment) => Ok(payment.id),
                None => Err(lost_part("it is paid, and none is among the player's payments")),
            },
            SessionStatus::Unknown(_) => Err(lost_part("its status is not documented")),
            SessionStatus::Pending
            | SessionStatus::Failed
            | SessionStatus::Cancelled
            | SessionStatus::Expired => {
                let message = "is not known, and the provider names none";
                Err(Error::new(ErrorKind::Conflict, Effect::None, message).with_field("part"))
            }
        }
    }
}

fn lost_part(why: &str) -> Error {
    let message = format!("is not known, and the session does not help: {why}");
    Error::new(ErrorKind::InvalidResponse, Effect::None, message).with_field("part")
}

fn lacking(field: &str, message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, Effect::None, message).with_field(field)
}

#[async_trait]
impl PaymentProvider for ToffeePay {
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
            PaymentLookup::Part { id, .. } => self.fetch_by_part(id, &[]).await,
            PaymentLookup::Reference { .. } => {
                Err(lacking("reference", "cannot be looked up: the provider takes none"))
            }
        };
        fetched.map_err(|error| self.named(error, Operation::FetchPayment))
    }

    async fn list_payments(&self, query: &ListPayments) -> Result<Page<Payment>> {
        let listed = self.list(query).await;
        listed.map_err(|error| self.named(error, Operation::ListPayments))
    }

    async fn confirm_payment(&self, _: &ConfirmPayment) -> Result<Payment> {
        self.unsupported(Operation::ConfirmPayment)
    }

    async fn capture_payment(&self, request: &CapturePayment) -> Result<Payment> {
        let captured = self.capture(request).await;
        captured.map_err(|error| self.named(error, Operation::CapturePayment))
    }

    async fn cancel_payment(&self, request: &CancelPayment) -> Result<Payment> {
        let cancelled = self.cancel(request).await;
        cancelled.map_err(|error| self.named(error, Operation::CancelPayment))
    }

    async fn create_refund(&self, request: &CreateRefund) -> Result<Refund> {
        let created = self.refund(request).await;
        created.map_err(|error| self.named(error, Operation::CreateRefund))
    }

    async fn fetch_refund(&self, lookup: &RefundLookup) -> Result<Refund> {
        let fetched = self.get_refund(&lookup.id).await.map(map::refund);
        fetched.map_err(|error| self.named(error, Operation::FetchRefund))
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
        webhook::verify(&self.webhook_keys, &self.config.id, delivery)
            .map_err(|error| error.with_provider(&self.config.id))
    }
}
