//! A provider that is a model: it keeps the truth, and errs on demand.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use paymux_core::{
    CancelMandate, CancelPayment, Capabilities, CapturePayment, Clock, ConfirmMandate,
    ConfirmPayment, CreateMandate, CreatePayment, CreateRefund, Effect, Error, ErrorKind, Failure,
    FailureKind, IdempotencyKey, ListPaymentMethods, ListPayments, Mandate, MandateHandle,
    ManualClock, Operation, Page, Payment, PaymentHandle, PaymentLookup, PaymentMethod,
    PaymentProvider, PaymentStatus, ProviderId, Refund, RefundLookup, Result, Timestamp,
    WebhookDelivery, WebhookEvent,
};
use paymux_orchestrator::{
    PaymentId,
    store::{Store, memory::MemoryStore},
};

use super::{
    dice::{Broken, Dice},
    gate::Place,
    kinds,
    truth::{Fault, Kind, Object, Truth},
};

mod words;

/// What a provider says of a payer, in its own words.
pub(crate) const WORDS: &str = "Ms Canary has no money";

/// What a model shares with the world around it.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) dice: Dice,
    pub(crate) clock: Arc<ManualClock>,
    /// What is really written down: a call without a written intent is seen here.
    pub(crate) written: Arc<MemoryStore>,
    pub(crate) broken: Broken,
}

#[derive(Clone, Debug)]
pub(crate) struct Model {
    id: ProviderId,
    pub(crate) kind: Kind,
    capabilities: Capabilities,
    truth: Arc<Mutex<Truth>>,
    around: Surroundings,
    /// Where a story may have the answer to a look wait, which is of before then.
    pub(crate) after_looking: Place,
}

impl Model {
    pub(crate) fn new(name: &str, kind: Kind, around: Surroundings) -> Self {
        Self {
            id: ProviderId::new(name).unwrap(),
            kind,
            capabilities: kinds::capabilities(kind),
            truth: Arc::new(Mutex::new(Truth::new(name, kind))),
            around,
            after_looking: Place::default(),
        }
    }

    /// The same account, which cannot do this.
    pub(crate) fn without(mut self, operation: Operation) -> Self {
        self.capabilities.replay.remove(&operation);
        self
    }

    /// The same account, by the same name, with real money now.
    pub(crate) fn with_real_money(mut self) -> Self {
        self.capabilities.live = true;
        self
    }

    pub(crate) fn truth(&self) -> MutexGuard<'_, Truth> {
        self.truth.lock().unwrap()
    }

    fn now(&self) -> Timestamp {
        self.around.clock.now()
    }

    /// The payer pays what a link of this object leads to.
    pub(crate) fn pay(&self, object: &str) {
        let mut truth = self.truth();
        let Some(mut object) = truth.objects.get(object).cloned() else { return };
        if object.status == PaymentStatus::RequiresAction {
            object.take();
            truth.put(object);
        }
    }

    /// What was late acts now, and the next fault is drawn. With a key that a provider remembers,
    /// the outcome stays what it was.
    fn arrive(&self, key: Option<&IdempotencyKey>) -> Fault {
        let now = self.now();
        let mut truth = self.truth();
        for (request, left_at) in std::mem::take(&mut truth.late) {
            // Nothing is under way for longer than that.
            let arrives = now.since(left_at) < Duration::from_secs(3_600);
            if arrives && !truth.is_refused(request.key.as_str(), now) {
                truth.create(&request, now);
            }
        }
        if truth.down {
            return Fault::NotSent;
        }
        let fault = truth.faults.pop_front().unwrap_or(Fault::Nothing);
        let Some(key) = key else { return fault };
        let refuses = matches!(fault, Fault::Declined | Fault::DeclinedHard);
        if truth.is_refused(key.as_str(), now) {
            return Fault::DeclinedHard;
        }
        if refuses && !truth.refuse(key.as_str(), now) { Fault::Nothing } else { fault }
    }

    /// No call without an intent that is on disk, with this key, marked as sent once for each call.
    /// Whether it still is being sent, the late answer to an earlier call may have decided.
    async fn expect_written(&self, reference: &str, key: &IdempotencyKey) {
        let id = reference.rsplit_once('-').and_then(|(id, _)| id.parse::<PaymentId>().ok());
        let row = match id {
            Some(id) => self.around.written.load(&id).await.expect("memory"),
            None => None,
        };
        // Ours are of 32 characters; a planted bug makes them longer.
        let key = key.as_str().get(..32).unwrap_or_default();
        let written = row.map_or(0, |row| sends_of(&row.document, key));
        let calls = {
            let mut truth = self.truth();
            let calls = truth.calls.entry(key.to_owned()).or_default();
            *calls += 1;
            *calls
        };
        if written < calls {
            let what = format!("I6: {} was called for {reference}, unwritten", self.id);
            self.around.broken.note(what);
        }
    }

    /// What becomes of a question: the fault it meets, where it is answered for all that.
    async fn look(&self) -> Result<Fault> {
        self.around.dice.pass(2).await;
        self.truth().looks += 1;
        let fault = self.arrive(None);
        let is_answered =
            matches!(fault, Fault::Nothing | Fault::Slow | Fault::AboutAnother | Fault::Mumbles);
        let unanswered = || {
            Error::new(ErrorKind::Unavailable, Effect::None, WORDS)
                .with_provider(&self.id)
                .with_retryable(true)
        };
        is_answered.then_some(fault).ok_or_else(unanswered)
    }

    /// Does `act` happen, and what is heard of it?
    async fn mutate<T>(
        &self,
        operation: Operation,
        key: &IdempotencyKey,
        late: Option<&CreatePayment>,
        act: impl FnOnce(&mut Truth) -> Result<T> + Send,
        bent: impl Fn(T, Fault) -> T + Send,
    ) -> Result<T> {
        let dice = &self.around.dice;
        dice.pass(2).await;
        let error = |kind, effect, words: &str| {
            Error::new(kind, effect, words).with_provider(&self.id).with_operation(operation)
        };
        let lost =
            || error(ErrorKind::Unavailable, Effect::Possible, "no answer").with_retryable(true);
        let fault = self.arrive(Some(key));
        match fault {
            Fault::Nothing | Fault::Slow | Fault::AboutAnother | Fault::Mumbles => {
                let answer = act(&mut self.truth());
                dice.pass(if fault == Fault::Slow { 60 } else { 3 }).await;
                answer.map(|answer| bent(answer, fault))
            }
            Fault::NotSent => {
                Err(error(ErrorKind::Unavailable, Effect::None, "connection refused")
                    .with_retryable(true)
                    .with_offered(false))
            }
            Fault::LostBefore => Err(lost()),
            Fault::KeyUsed => {
                let words = "this key was used with other parameters";
                Err(error(ErrorKind::Conflict, Effect::Possible, words).with_field("key"))
            }
            Fault::ActsLater => {
                let now = self.now();
                self.truth().late.extend(late.cloned().map(|request| (request, now)));
                Err(lost())
            }
            Fault::LostAfter => {
                // What came of it is lost with the answer.
                let _ = act(&mut self.truth());
                dice.pass(3).await;
                Err(lost())
            }
            Fault::HangsAfter => {
                let _ = act(&mut self.truth());
                std::future::pending().await
            }
            Fault::Declined => {
                let mut failure = Failure::new(FailureKind::Declined);
                failure.message = Some(WORDS.to_owned());
                Err(Error::declined(failure).with_provider(&self.id))
            }
            Fault::DeclinedHard => {
                Err(Error::declined(Failure::new(FailureKind::DeclinedHard))
                    .with_provider(&self.id))
            }
        }
    }
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
        self.expect_written(request.reference.as_str(), &request.key).await;
        let now = self.now();
        let act = |truth: &mut Truth| Ok(self.show(&truth.create(request, now)));
        let late = Some(request);
        self.mutate(Operation::CreatePayment, &request.key, late, act, |p, fault| {
            self.bend(p, fault)
        })
        .await
    }

    async fn fetch_payment(&self, lookup: &PaymentLookup) -> Result<Payment> {
        let fault = self.look().await?;
        let found = match lookup {
            PaymentLookup::Payment(handle) => self
                .truth()
                .objects
                .get(handle.id.as_str())
                .map(|found| self.show_to(found, handle)),
            PaymentLookup::Reference { reference, .. } => {
                let mut truth = self.truth();
                // The first look comes too early.
                let seen = !truth.unseen.remove(reference.as_str());
                let mut all = truth.objects.values().filter(|_| seen);
                all.find(|object| object.reference == *reference).map(|found| self.show(found))
            }
            PaymentLookup::Part { .. } => {
                return Err(Error::unsupported(Operation::FetchPayment));
            }
        };
        self.after_looking.pass().await;
        self.around.dice.pass(if fault == Fault::Slow { 60 } else { 3 }).await;
        found.map(|found| self.bend(found, fault)).ok_or_else(|| self.not_found())
    }

    async fn list_payments(&self, _: &ListPayments) -> Result<Page<Payment>> {
        if !self.capabilities.has(Operation::ListPayments) {
            return Err(Error::unsupported(Operation::ListPayments));
        }
        let objects: Vec<Object> = self.truth().objects.values().cloned().collect();
        let items = objects.iter().map(|object| self.show(object)).collect();
        Ok(Page { items, next: None })
    }

    async fn confirm_payment(&self, request: &ConfirmPayment) -> Result<Payment> {
        self.expect_written(ours(&request.payment), &request.key).await;
        let id = request.payment.id.as_str();
        let act = |truth: &mut Truth| self.shown(truth.confirm(id, request.step));
        self.mutate(Operation::ConfirmPayment, &request.key, None, act, |p, fault| {
            self.bend(p, fault)
        })
        .await
    }

    async fn capture_payment(&self, request: &CapturePayment) -> Result<Payment> {
        self.expect_written(ours(&request.payment), &request.key).await;
        let id = request.payment.id.as_str();
        let act = |truth: &mut Truth| self.shown(truth.capture(id, request.amount));
        self.mutate(Operation::CapturePayment, &request.key, None, act, |p, fault| {
            self.bend(p, fault)
        })
        .await
    }

    async fn cancel_payment(&self, request: &CancelPayment) -> Result<Payment> {
        self.expect_written(ours(&request.payment), &request.key).await;
        let id = request.payment.id.as_str();
        let act = |truth: &mut Truth| self.shown(truth.cancel(id));
        self.mutate(Operation::CancelPayment, &request.key, None, act, |p, fault| {
            self.bend(p, fault)
        })
        .await
    }

    async fn create_refund(&self, request: &CreateRefund) -> Result<Refund> {
        self.expect_written(request.reference.as_str(), &request.key).await;
        let now = self.now();
        let act = |truth: &mut Truth| {
            let refused = || Error::new(ErrorKind::Conflict, Effect::None, "not so much is left");
            let row = truth.refund(request, now);
            row.map(|row| self.show_refund(&row)).ok_or_else(refused)
        };
        self.mutate(Operation::CreateRefund, &request.key, None, act, |refund, _| refund).await
    }

    async fn fetch_refund(&self, lookup: &RefundLookup) -> Result<Refund> {
        let fault = self.look().await?;
        let found = {
            let truth = self.truth();
            let row = truth.refunds.iter().find(|refund| refund.id == lookup.id.as_str());
            row.map(|row| self.show_refund(row))
        };
        self.around.dice.pass(if fault == Fault::Slow { 60 } else { 0 }).await;
        found.ok_or_else(|| self.not_found())
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

    /// The body is the number of a telling, or those of several, or a lie about one: `7`, `7+8`,
    /// `7 authorized`.
    fn verify_webhook(&self, delivery: &WebhookDelivery<'_>) -> Result<Vec<WebhookEvent>> {
        let unreadable = || Error::invalid_signature("no telling");
        let body = std::str::from_utf8(delivery.body).map_err(|_| unreadable())?;
        let (place, lie) = body.split_once(' ').map_or((body, None), |(a, b)| (a, Some(b)));
        let event = |place: &str| {
            let place: usize = place.parse().map_err(|_| unreadable())?;
            match lie {
                Some("authorized") => return self.forged(place, PaymentStatus::Authorized),
                Some(_) => return self.forged(place, PaymentStatus::Succeeded),
                None => {}
            }
            let telling = self.truth().tellings.get(place).cloned().ok_or_else(unreadable)?;
            Ok(vec![self.event(place, &telling)?])
        };
        let events: Result<Vec<_>> = place.split('+').map(event).collect();
        Ok(events?.concat())
    }
}

/// Our reference of a payment, as every later call carries it.
fn ours(handle: &PaymentHandle) -> &str {
    handle.reference.as_ref().map_or("", |reference| reference.as_str())
}

/// A key, for callers that need one.
pub(crate) fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).unwrap()
}

/// How often the attempt with this key is marked as sent.
fn sends_of(document: &str, key: &str) -> u64 {
    let record: serde_json::Value = serde_json::from_str(document).expect("a record");
    let attempts = record["attempts"].as_array().expect("a list").iter();
    let mut with_key = attempts.filter(|attempt| attempt["intent"]["request"]["key"] == key);
    with_key.next().map_or(0, |attempt| attempt["sends"].as_u64().expect("a number"))
}
