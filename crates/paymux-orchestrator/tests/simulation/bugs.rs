//! Bugs that are planted around the engine, to see that the simulation would catch them in it: each
//! has the orchestrator behave, towards providers and its store, as if it had been written wrong.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use paymux_core::{
    CancelMandate, CancelPayment, Capabilities, CapturePayment, ConfirmMandate, ConfirmPayment,
    CreateMandate, CreatePayment, CreateRefund, Effect, Error, ErrorKind, EventKey, Failure,
    FailureKind, ListPaymentMethods, ListPayments, Mandate, MandateHandle, Page, Payment,
    PaymentLookup, PaymentMethod, PaymentProvider, PaymentStatus, ProviderId, ProviderPaymentId,
    Refund, RefundLookup, Replay, Result, Trust, WebhookDelivery, WebhookEvent,
};

use super::provider::{Model, key};

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Sends again with a new key.
    NewKeys,
    /// Takes a lost answer for a request that never left: fails over.
    LostIsUnsent,
    /// Takes a lost answer for a refusal.
    LostIsDeclined,
    /// Relies on a key for ever.
    KeysForEver,
    /// Sends again what must be sent once.
    SendsOnceTwice,
    /// Believes whoever tells.
    BelievesAnybody,
    /// Tells events apart by their arrival.
    KeysByArrival,
    /// Takes one "not found" for proof that nothing was done.
    OneNegative,
    /// Writes whatever version there is, and asks for no slot.
    HasNoFence,
    /// Calls, and writes down afterwards that it did.
    SendsUnwritten,
    /// Takes a lost commit for a done one.
    CallsLostDone,
    /// Does not tell the merchant.
    DropsEvents,
    /// Acknowledges deliveries that it did not keep.
    AcknowledgesUnkept,
    /// Does not bind payments to callers' keys.
    ForgetsCallersKeys,
}

impl Bug {
    pub(crate) const ALL: [Self; 14] = [
        Self::NewKeys,
        Self::LostIsUnsent,
        Self::LostIsDeclined,
        Self::KeysForEver,
        Self::SendsOnceTwice,
        Self::BelievesAnybody,
        Self::KeysByArrival,
        Self::OneNegative,
        Self::HasNoFence,
        Self::SendsUnwritten,
        Self::CallsLostDone,
        Self::DropsEvents,
        Self::AcknowledgesUnkept,
        Self::ForgetsCallersKeys,
    ];
}

/// A provider as an orchestrator with a bug uses it.
#[derive(Debug)]
pub(crate) struct Misused {
    model: Model,
    bug: Option<Bug>,
    capabilities: Capabilities,
    arrivals: Arc<AtomicU32>,
}

impl Misused {
    pub(crate) fn new(model: Model, bug: Option<Bug>) -> Self {
        let mut capabilities = model.capabilities().clone();
        for replay in capabilities.replay.values_mut() {
            match (bug, &replay) {
                (Some(Bug::KeysForEver), Replay::Key { .. }) => {
                    let ttl = std::time::Duration::from_secs(1_000_000_000);
                    *replay = Replay::Key { ttl, max_len: 255, replays_errors: false };
                }
                (Some(Bug::SendsOnceTwice), Replay::Never | Replay::LookupFirst) => {
                    *replay = Replay::Harmless;
                }
                _ => {}
            }
        }
        Self { model, bug, capabilities, arrivals: Arc::default() }
    }

    fn count(&self) -> u32 {
        self.arrivals.fetch_add(1, Ordering::SeqCst)
    }

    /// An answer as the bug reads it.
    fn read<T>(&self, answer: Result<T>) -> Result<T> {
        let error = match answer {
            Err(error) if error.effect() == Effect::Possible => error,
            other => return other,
        };
        Err(match self.bug {
            Some(Bug::LostIsUnsent) => error.with_effect(Effect::None).with_offered(false),
            Some(Bug::LostIsDeclined) => {
                Error::declined(Failure::new(FailureKind::Declined)).with_provider(self.model.id())
            }
            _ => error,
        })
    }
}

#[async_trait]
impl PaymentProvider for Misused {
    fn id(&self) -> &ProviderId {
        self.model.id()
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn create_payment(&self, request: &CreatePayment) -> Result<Payment> {
        let mut request = request.clone();
        if self.bug == Some(Bug::NewKeys) {
            request.key = key(&format!("{}{}", request.key.as_str(), self.count()));
        }
        self.read(self.model.create_payment(&request).await)
    }

    async fn fetch_payment(&self, lookup: &PaymentLookup) -> Result<Payment> {
        let found = self.model.fetch_payment(lookup).await;
        match (lookup, found) {
            (PaymentLookup::Reference { reference, .. }, Err(error))
                if self.bug == Some(Bug::OneNegative) && error.kind() == ErrorKind::NotFound =>
            {
                let id = ProviderPaymentId::new(format!("none-{reference}"))?;
                let status = PaymentStatus::Failed;
                Ok(Payment::new(self.model.id().clone(), id, status, "not found"))
            }
            (_, found) => found,
        }
    }

    async fn list_payments(&self, list: &ListPayments) -> Result<Page<Payment>> {
        self.model.list_payments(list).await
    }

    async fn confirm_payment(&self, request: &ConfirmPayment) -> Result<Payment> {
        self.read(self.model.confirm_payment(request).await)
    }

    async fn capture_payment(&self, request: &CapturePayment) -> Result<Payment> {
        self.read(self.model.capture_payment(request).await)
    }

    async fn cancel_payment(&self, request: &CancelPayment) -> Result<Payment> {
        self.read(self.model.cancel_payment(request).await)
    }

    async fn create_refund(&self, request: &CreateRefund) -> Result<Refund> {
        self.read(self.model.create_refund(request).await)
    }

    async fn fetch_refund(&self, lookup: &RefundLookup) -> Result<Refund> {
        self.model.fetch_refund(lookup).await
    }

    async fn list_payment_methods(&self, list: &ListPaymentMethods) -> Result<Vec<PaymentMethod>> {
        self.model.list_payment_methods(list).await
    }

    async fn create_mandate(&self, request: &CreateMandate) -> Result<Mandate> {
        self.model.create_mandate(request).await
    }

    async fn fetch_mandate(&self, handle: &MandateHandle) -> Result<Mandate> {
        self.model.fetch_mandate(handle).await
    }

    async fn confirm_mandate(&self, request: &ConfirmMandate) -> Result<Mandate> {
        self.model.confirm_mandate(request).await
    }

    async fn cancel_mandate(&self, request: &CancelMandate) -> Result<Mandate> {
        self.model.cancel_mandate(request).await
    }

    fn verify_webhook(&self, delivery: &WebhookDelivery<'_>) -> Result<Vec<WebhookEvent>> {
        let mut events = self.model.verify_webhook(delivery)?;
        for event in &mut events {
            match self.bug {
                Some(Bug::BelievesAnybody) => event.trust = Trust::SignedFresh,
                Some(Bug::KeysByArrival) => {
                    event.key = EventKey::new(format!("{}-{}", event.key, self.count()))?;
                }
                _ => {}
            }
        }
        Ok(events)
    }
}
