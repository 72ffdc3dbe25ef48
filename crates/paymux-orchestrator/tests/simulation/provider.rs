//! A provider that is a model: it keeps the truth, and errs on demand.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use paymux_core::{
    AmountSource, CancelMandate, CancelPayment, Capabilities, CaptureChoice, CaptureMethod,
    CapturePayment, ConfirmMandate, ConfirmPayment, ConfirmStep, CreateEffect, CreateMandate,
    CreatePayment, CreateRefund, Currencies, Effect, Error, ErrorKind, EventKey, Failure,
    FailureKind, IdempotencyKey, ListPaymentMethods, ListPayments, Mandate, MandateHandle, Money,
    NextAction, Operation, Page, Payment, PaymentHandle, PaymentLookup, PaymentMethod,
    PaymentProvider, PaymentStatus, ProviderId, ProviderPaymentId, ProviderRefundId, Reference,
    Refund, RefundLookup, RefundStatus, Replay, Result, Subject, Trust, Url, WebhookDelivery,
    WebhookEvent,
};

/// How a provider behaves, and what it declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Opens a page; remembers keys. Like ToffeePay.
    Page,
    /// May charge at once; refuses a reference it knows. Like MilkyPay.
    Invoice,
    /// Opens, then waits for two steps of ours that each happen only once. Like the wallet.
    Steps,
    /// Opens, then charges by a step that must never be sent twice. Like the ramp.
    Careless,
    /// Charges at once and remembers keys.
    Card,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Page, Self::Invoice, Self::Steps, Self::Careless, Self::Card];
}

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Nothing,
    /// Refused connection: proof that nothing was sent.
    NotSent,
    /// The request is lost on its way, without proof.
    LostBefore,
    /// It acts, and the answer is lost.
    LostAfter,
    /// It acts later than anybody waits for it.
    ActsLater,
    /// A refusal in the provider's own words.
    Declined,
    /// A refusal for good.
    DeclinedHard,
    /// The answer never comes: the call runs into its limit, having acted.
    HangsAfter,
}

/// An object at the provider: the truth.
#[derive(Clone, Debug)]
pub struct Object {
    pub id: ProviderPaymentId,
    pub reference: Reference,
    pub amount: Money,
    pub status: PaymentStatus,
    pub captured: i128,
    pub refunded: i128,
    /// How often money was taken.
    pub charges: u32,
    pub manual: bool,
    pub step: Option<ConfirmStep>,
}

#[derive(Debug, Default)]
pub struct Truth {
    pub objects: BTreeMap<String, Object>,
    keys: BTreeMap<String, String>,
    refunds: BTreeMap<String, (String, i128)>,
    refund_keys: BTreeMap<String, String>,
    /// Creates that act when the provider is called next.
    late: Vec<CreatePayment>,
    /// What webhooks have to tell, by object.
    pub news: BTreeSet<String>,
    /// Faults of the next calls, the first first.
    pub faults: Vec<Fault>,
    pub down: bool,
    /// References that look-ups do not see yet.
    unseen: BTreeSet<String>,
    next: u32,
    pub calls: u32,
}

#[derive(Clone, Debug)]
pub struct Model {
    id: ProviderId,
    pub kind: Kind,
    capabilities: Capabilities,
    truth: Arc<Mutex<Truth>>,
}

impl Model {
    pub fn new(name: &str, kind: Kind) -> Self {
        Self {
            id: ProviderId::new(name).unwrap(),
            kind,
            capabilities: capabilities(kind),
            truth: Arc::default(),
        }
    }

    pub fn truth(&self) -> MutexGuard<'_, Truth> {
        self.truth.lock().unwrap()
    }

    /// The payer pays what a link of this object leads to.
    pub fn pay(&self, object: &str) {
        let mut truth = self.truth();
        let news = object.to_owned();
        let Some(object) = truth.objects.get_mut(object) else { return };
        if object.status == PaymentStatus::RequiresAction {
            take(object);
            truth.news.insert(news);
        }
    }

    fn next_fault(&self) -> Fault {
        let mut truth = self.truth();
        truth.calls += 1;
        let now = truth.faults.first() == Some(&Fault::ActsLater) && !truth.down;
        let this_one = usize::from(now);
        let settled = truth.late.len().saturating_sub(this_one);
        let late: Vec<_> = truth.late.drain(..settled).collect();
        for request in late {
            create(&mut truth, self.kind, &request);
        }
        if truth.down {
            return Fault::NotSent;
        }
        if truth.faults.is_empty() { Fault::Nothing } else { truth.faults.remove(0) }
    }

    /// A create that is lost on its way and acts all the same, when the provider is called next.
    /// One that is down never gets to act.
    fn keep_for_later(&self, request: &CreatePayment) {
        let mut truth = self.truth();
        if truth.faults.first() == Some(&Fault::ActsLater) && !truth.down {
            truth.late.push(request.clone());
        }
    }

    /// Does `act` happen, and what is heard of it?
    async fn mutate<T>(
        &self,
        operation: Operation,
        act: impl FnOnce(&mut Truth) -> Result<T>,
    ) -> Result<T> {
        let error = |kind, effect, words: &str| {
            Error::new(kind, effect, words).with_provider(&self.id).with_operation(operation)
        };
        let lost =
            || error(ErrorKind::Unavailable, Effect::Possible, "no answer").with_retryable(true);
        match self.next_fault() {
            Fault::Nothing => act(&mut self.truth()),
            Fault::NotSent => {
                Err(error(ErrorKind::Unavailable, Effect::None, "connection refused")
                    .with_retryable(true)
                    .with_offered(false))
            }
            Fault::LostBefore | Fault::ActsLater => Err(lost()),
            Fault::LostAfter => {
                // What came of it is lost with the answer.
                let _ = act(&mut self.truth());
                Err(lost())
            }
            Fault::HangsAfter => {
                let _ = act(&mut self.truth());
                std::future::pending().await
            }
            Fault::Declined => {
                Err(Error::declined(Failure::new(FailureKind::Declined)).with_provider(&self.id))
            }
            Fault::DeclinedHard => {
                Err(Error::declined(Failure::new(FailureKind::DeclinedHard))
                    .with_provider(&self.id))
            }
        }
    }

    fn show(&self, object: &Object) -> Payment {
        let status = object.status;
        let mut payment = Payment::new(self.id.clone(), object.id.clone(), status, status.as_str());
        let money = |minor| Money::new(minor, object.amount.currency()).unwrap();
        if self.kind != Kind::Page {
            payment.reference = Some(object.reference.clone());
        }
        payment.amounts.requested = Some(object.amount);
        payment.amounts.captured = (object.captured > 0).then(|| money(object.captured));
        payment.amounts.refunded = (object.refunded > 0).then(|| money(object.refunded));
        payment.amounts.authorized = (status == PaymentStatus::Authorized).then_some(object.amount);
        payment.next_action = match (status, object.step) {
            (PaymentStatus::RequiresConfirmation, Some(step)) => Some(NextAction::Confirm { step }),
            (PaymentStatus::RequiresAction, _) => Some(NextAction::Redirect {
                url: Url::parse(&format!("https://pay.example/{}", object.id)).unwrap(),
            }),
            _ => None,
        };
        payment
    }

    fn find(&self, truth: &Truth, handle: &PaymentHandle) -> Result<Object> {
        truth.objects.get(handle.id.as_str()).cloned().ok_or_else(|| self.not_found())
    }

    fn not_found(&self) -> Error {
        Error::new(ErrorKind::NotFound, Effect::None, "there is no such payment")
            .with_provider(&self.id)
    }

    fn conflict(&self) -> Error {
        Error::new(ErrorKind::Conflict, Effect::None, "not in this state").with_provider(&self.id)
    }
}

fn take(object: &mut Object) {
    if object.manual {
        object.status = PaymentStatus::Authorized;
    } else {
        object.status = PaymentStatus::Succeeded;
        object.captured += object.amount.minor();
        object.charges += 1;
    }
}

fn create(truth: &mut Truth, kind: Kind, request: &CreatePayment) -> Object {
    let key = request.key.as_str().to_owned();
    let by_key = matches!(kind, Kind::Page | Kind::Card);
    let known = if by_key {
        truth.keys.get(&key).cloned()
    } else if kind == Kind::Invoice {
        let same = |object: &&Object| object.reference == request.reference;
        truth.objects.values().find(same).map(|object| object.id.as_str().to_owned())
    } else {
        None
    };
    if let Some(known) = known.and_then(|id| truth.objects.get(&id)) {
        return known.clone();
    }
    truth.next += 1;
    let id = format!("obj{}", truth.next);
    let (status, step) = match kind {
        Kind::Page | Kind::Invoice => (PaymentStatus::RequiresAction, None),
        Kind::Steps => (PaymentStatus::RequiresConfirmation, Some(ConfirmStep::Authorize)),
        Kind::Careless => (PaymentStatus::RequiresConfirmation, Some(ConfirmStep::Commit)),
        Kind::Card => (PaymentStatus::Processing, None),
    };
    let mut object = Object {
        id: ProviderPaymentId::new(id.clone()).unwrap(),
        reference: request.reference.clone(),
        amount: request.amount,
        status,
        captured: 0,
        refunded: 0,
        charges: 0,
        manual: request.capture == CaptureMethod::Manual,
        step,
    };
    if kind == Kind::Card {
        take(&mut object);
    }
    truth.keys.insert(key, id.clone());
    truth.unseen.insert(request.reference.as_str().to_owned());
    truth.objects.insert(id.clone(), object.clone());
    truth.news.insert(id);
    object
}

fn capabilities(kind: Kind) -> Capabilities {
    let key =
        Replay::Key { ttl: Duration::from_secs(24 * 3600), max_len: 255, replays_errors: false };
    let mut capabilities = Capabilities::new("model", false);
    capabilities.currencies = Currencies::Any;
    capabilities.amount = AmountSource::Request;
    capabilities.reports_captured = true;
    capabilities.capture = CaptureChoice::PerRequest;
    capabilities.partial_capture = true;
    capabilities.partial_refund = true;
    capabilities.webhook_trust = Trust::SignedFresh;
    capabilities.create = match kind {
        Kind::Invoice | Kind::Card => CreateEffect::MayCharge,
        Kind::Page | Kind::Steps | Kind::Careless => CreateEffect::OpensOnly,
    };
    let (create, later, refund) = match kind {
        Kind::Page | Kind::Card => (key, Replay::LookupFirst, key),
        Kind::Invoice => (Replay::Reference, Replay::LookupFirst, Replay::Never),
        Kind::Steps => (Replay::Harmless, Replay::LookupFirst, Replay::LookupFirst),
        Kind::Careless => (Replay::Harmless, Replay::Never, Replay::Never),
    };
    capabilities.replay = BTreeMap::from([
        (Operation::CreatePayment, create),
        (Operation::CapturePayment, later),
        (Operation::CancelPayment, later),
        (Operation::CreateRefund, refund),
    ]);
    if matches!(kind, Kind::Steps | Kind::Careless) {
        capabilities.replay.insert(Operation::ConfirmPayment, later);
    }
    capabilities.reads = BTreeSet::from([Operation::FetchPayment, Operation::FetchRefund]);
    if kind == Kind::Invoice {
        capabilities.reference_lookup = Some(Duration::from_secs(60));
    }
    capabilities
}

#[async_trait]
impl PaymentProvider for Model {
    fn id(&self) -> &ProviderId {
        &self.id
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn create_payment(&self, request: &CreatePayment) -> Result<Payment> {
        self.keep_for_later(request);
        self.mutate(Operation::CreatePayment, |truth| {
            Ok(self.show(&create(truth, self.kind, request)))
        })
        .await
    }

    async fn fetch_payment(&self, lookup: &PaymentLookup) -> Result<Payment> {
        if self.next_fault() != Fault::Nothing {
            return Err(Error::new(ErrorKind::Unavailable, Effect::None, "no answer")
                .with_provider(&self.id)
                .with_retryable(true));
        }
        let mut truth = self.truth();
        match lookup {
            PaymentLookup::Payment(handle) => {
                self.find(&truth, handle).map(|found| self.show(&found))
            }
            PaymentLookup::Reference { reference, .. } => {
                // The first look comes too early.
                if truth.unseen.remove(reference.as_str()) {
                    return Err(self.not_found());
                }
                let found = truth.objects.values().find(|object| object.reference == *reference);
                found.map(|found| self.show(found)).ok_or_else(|| self.not_found())
            }
            PaymentLookup::Part { .. } => Err(Error::unsupported(Operation::FetchPayment)),
        }
    }

    async fn list_payments(&self, _: &ListPayments) -> Result<Page<Payment>> {
        Err(Error::unsupported(Operation::ListPayments))
    }

    async fn confirm_payment(&self, request: &ConfirmPayment) -> Result<Payment> {
        let careless = self.kind == Kind::Careless;
        self.mutate(Operation::ConfirmPayment, |truth| {
            let id = request.payment.id.as_str();
            let mut object = self.find(truth, &request.payment)?;
            if object.step != Some(request.step) && !careless {
                return Err(self.conflict());
            }
            match request.step {
                ConfirmStep::Authorize => object.step = Some(ConfirmStep::Commit),
                ConfirmStep::Commit => {
                    object.step = None;
                    take(&mut object);
                }
            }
            truth.news.insert(id.to_owned());
            truth.objects.insert(id.to_owned(), object.clone());
            Ok(self.show(&object))
        })
        .await
    }

    async fn capture_payment(&self, request: &CapturePayment) -> Result<Payment> {
        self.mutate(Operation::CapturePayment, |truth| {
            let mut object = self.find(truth, &request.payment)?;
            if object.status != PaymentStatus::Authorized {
                return Err(self.conflict());
            }
            object.status = PaymentStatus::Succeeded;
            object.captured = request.amount.unwrap_or(object.amount).minor();
            object.charges += 1;
            truth.news.insert(object.id.as_str().to_owned());
            truth.objects.insert(object.id.as_str().to_owned(), object.clone());
            Ok(self.show(&object))
        })
        .await
    }

    async fn cancel_payment(&self, request: &CancelPayment) -> Result<Payment> {
        self.mutate(Operation::CancelPayment, |truth| {
            let mut object = self.find(truth, &request.payment)?;
            if object.status.is_final() {
                return Err(self.conflict());
            }
            object.status = PaymentStatus::Cancelled;
            truth.news.insert(object.id.as_str().to_owned());
            truth.objects.insert(object.id.as_str().to_owned(), object.clone());
            Ok(self.show(&object))
        })
        .await
    }

    async fn create_refund(&self, request: &CreateRefund) -> Result<Refund> {
        let by_key = matches!(self.kind, Kind::Page | Kind::Card);
        self.mutate(Operation::CreateRefund, |truth| {
            let key = request.key.as_str().to_owned();
            let known = truth.refund_keys.get(&key).filter(|_| by_key).cloned();
            let id = known.unwrap_or_else(|| format!("ref{}", truth.refunds.len() + 1));
            if !truth.refunds.contains_key(&id) {
                let mut object = self.find(truth, &request.payment)?;
                let amount = request.amount.map_or(object.captured, Money::minor);
                if amount > object.captured - object.refunded {
                    return Err(self.conflict());
                }
                object.refunded += amount;
                truth.refunds.insert(id.clone(), (object.id.as_str().to_owned(), amount));
                truth.refund_keys.insert(key, id.clone());
                truth.objects.insert(object.id.as_str().to_owned(), object);
            }
            let mut refund = Refund::new(RefundStatus::Succeeded, "succeeded");
            refund.id = Some(ProviderRefundId::new(id).unwrap());
            Ok(refund)
        })
        .await
    }

    async fn fetch_refund(&self, lookup: &RefundLookup) -> Result<Refund> {
        let truth = self.truth();
        if !truth.refunds.contains_key(lookup.id.as_str()) {
            return Err(self.not_found());
        }
        let mut refund = Refund::new(RefundStatus::Succeeded, "succeeded");
        refund.id = Some(lookup.id.clone());
        Ok(refund)
    }

    async fn list_payment_methods(&self, _: &ListPaymentMethods) -> Result<Vec<PaymentMethod>> {
        Err(Error::unsupported(Operation::ListPaymentMethods))
    }

    async fn create_mandate(&self, _: &CreateMandate) -> Result<Mandate> {
        Err(Error::unsupported(Operation::CreateMandate))
    }

    async fn fetch_mandate(&self, _: &MandateHandle) -> Result<Mandate> {
        Err(Error::unsupported(Operation::FetchMandate))
    }

    async fn confirm_mandate(&self, _: &ConfirmMandate) -> Result<Mandate> {
        Err(Error::unsupported(Operation::ConfirmMandate))
    }

    async fn cancel_mandate(&self, _: &CancelMandate) -> Result<Mandate> {
        Err(Error::unsupported(Operation::CancelMandate))
    }

    /// The body is the object's id; `t=N` in the endpoint tells one telling from another.
    fn verify_webhook(&self, delivery: &WebhookDelivery<'_>) -> Result<Vec<WebhookEvent>> {
        let id =
            std::str::from_utf8(delivery.body).map_err(|_| Error::invalid_signature("bytes"))?;
        let truth = self.truth();
        let object = truth.objects.get(id).ok_or_else(|| Error::invalid_signature("unknown"))?;
        let key = EventKey::new(format!("{id}:{}", delivery.endpoint))?;
        let subject = Subject::Payment(object.id.clone());
        let mut event = WebhookEvent::new(key, "payment.changed", Trust::SignedFresh, subject);
        event.payment = Some(Box::new(self.show(object)));
        Ok(vec![event])
    }
}

/// A key, for callers that need one.
pub fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).unwrap()
}
