//! What a merchant does with a payment: consent, take, end, give back.

use paymux_core::{
    CapturePayment, ConfirmPayment, ConfirmStep, CreateRefund, Effect, Error, ErrorKind,
    IdempotencyKey, Money, NextAction, Operation, PaymentStatus, Reference, Result,
};
use serde::Serialize;

use crate::{
    NewCapture, NewRefund, Orchestrator, PaymentId,
    create::reused,
    drive::add_attempt,
    engine::{Changed, Engine, after_writing, unavailable},
    evidence::Evidence,
    plan::must_not_take,
    record::{Attempt, AttemptState, Intent, PaymentRecord},
    request,
    store::CallerKeyRow,
};

mod capture;
mod refund;

pub(crate) use capture::is_unseen;
use capture::{held, is_unseen_capture, is_unseen_consent};
pub(crate) use refund::{gone_for_refunds, is_still_there};
use refund::{left_to_give_back, taken};

impl Orchestrator {
    /// Consents to the step that the payment waits for, where the merchant asked to do that
    /// itself.
    ///
    /// # Errors
    /// `Conflict` when the payment does not wait for this step, when something else is under way,
    /// when it had our consent and was not read since, or when the key was used for something else.
    pub async fn confirm_payment(
        &self,
        key: &IdempotencyKey,
        id: &PaymentId,
        step: ConfirmStep,
    ) -> Result<PaymentRecord> {
        let verb = Verb::new("confirm", key, id, &step)?;
        let (record, _) = self
            .operate(verb, move |record, key| {
                let waits = matches!(
                    record.next_action(),
                    Some(NextAction::Confirm { step: awaited }) if *awaited == step
                );
                if !waits {
                    return Err(conflict(record, "the payment does not wait for this step"));
                }
                if record.attempts.iter().any(|it| is_unseen_consent(it, record, step)) {
                    return Err(conflict(record, "what the last consent led to is not known yet"));
                }
                let payment = handle(record)?;
                Ok(Intent::Confirm(ConfirmPayment { key, payment, step }).into())
            })
            .await?;
        Ok(record)
    }

    /// Takes what is held, or less of it.
    ///
    /// # Errors
    /// `Conflict` when nothing is held or something else is under way, `InvalidRequest` naming the
    /// field, `Unsupported` when the account cannot.
    pub async fn capture_payment(
        &self,
        key: &IdempotencyKey,
        id: &PaymentId,
        capture: NewCapture,
    ) -> Result<PaymentRecord> {
        let verb = Verb::new("capture", key, id, &capture)?;
        let engine = self.0.clone();
        let (record, _) = self
            .operate(verb, move |record, key| {
                if record.status != PaymentStatus::Authorized {
                    return Err(conflict(record, "nothing is held"));
                }
                if record.attempts.iter().any(|attempt| is_unseen_capture(attempt, record)) {
                    return Err(conflict(record, "what the last capture left is not known yet"));
                }
                if let Some(amount) = capture.amount {
                    engine.check_capture(record, amount)?;
                }
                let payment = handle(record)?;
                let part = capture.part.clone();
                let amount = capture.amount;
                Ok(Intent::Capture(CapturePayment { key, payment, part, amount }).into())
            })
            .await?;
        Ok(record)
    }

    /// Ends a payment before money is taken. It is a wish that stays: whatever is under way is
    /// waited for, parts are ended one by one, and it is done when the payment is final. When the
    /// account refuses, the wish is over and a person is asked; it can be asked for again.
    ///
    /// # Errors
    /// `Conflict` when it is final already, `Unsupported` when the account that has it cannot.
    pub async fn cancel_payment(
        &self,
        key: &IdempotencyKey,
        id: &PaymentId,
    ) -> Result<PaymentRecord> {
        let verb = Verb::new("cancel", key, id, &())?;
        let (engine, id) = (self.0.clone(), id.clone());
        let work = Box::pin(async move { Box::pin(engine.cancel_wanted(verb, &id)).await });
        self.0.calls.own(work).await
    }

    /// Gives money back. The amount is reserved before the provider is asked: refunds together
    /// never ask for more than was taken. Returns the payment and the number of the attempt that
    /// is the refund.
    ///
    /// # Errors
    /// `Conflict` when nothing was taken, when something else is under way, or when some went back
    /// already and nobody says how much; `InvalidRequest` naming `amount` when there is not so much
    /// left, refunds and disputes deducted; `Unsupported` when the account cannot.
    pub async fn create_refund(
        &self,
        key: &IdempotencyKey,
        id: &PaymentId,
        refund: NewRefund,
    ) -> Result<(PaymentRecord, u32)> {
        let verb = Verb::new("refund", key, id, &refund)?;
        let engine = self.0.clone();
        self.operate(verb, move |record, key| engine.refund_intent(record, key, &refund)).await
    }

    async fn operate(
        &self,
        verb: Verb,
        intent: impl Fn(&PaymentRecord, IdempotencyKey) -> Result<Wanted> + Send + Sync + 'static,
    ) -> Result<(PaymentRecord, u32)> {
        let engine = self.0.clone();
        let work = Box::pin(async move { engine.operate(&verb, intent).await });
        self.0.calls.own(work).await
    }
}

/// What was asked, under which key.
struct Verb {
    what: &'static str,
    key: String,
    digest: String,
    payment: PaymentId,
}

impl Verb {
    fn new<T: Serialize>(
        what: &'static str,
        key: &IdempotencyKey,
        payment: &PaymentId,
        request: &T,
    ) -> Result<Self> {
        let digest = request::digest(what, &(payment, request))?;
        let key = format!("{what}:{}", key.as_str());
        Ok(Self { what, key, digest, payment: payment.clone() })
    }

    /// A refused step is the merchant's to try again.
    fn takes_money(&self) -> bool {
        matches!(self.what, "confirm" | "capture")
    }

    fn row(&self, attempt: Option<u32>, now: paymux_core::Timestamp) -> CallerKeyRow {
        CallerKeyRow {
            key: self.key.clone(),
            request_digest: self.digest.clone(),
            payment: self.payment.clone(),
            attempt,
            created_at: now,
        }
    }
}

/// What is to be sent, and how much of what was taken it may give back.
struct Wanted {
    intent: Intent,
    reserved: Option<Money>,
}

impl From<Intent> for Wanted {
    fn from(intent: Intent) -> Self {
        Self { intent, reserved: None }
    }
}

impl Engine {
    /// Writes an operation down as an attempt and carries it out.
    async fn operate(
        &self,
        verb: &Verb,
        intent: impl Fn(&PaymentRecord, IdempotencyKey) -> Result<Wanted> + Send + Sync,
    ) -> Result<(PaymentRecord, u32)> {
        if let Some(row) = self.asked_before(verb).await? {
            let record = self.load(&row.payment).await.map_err(after_writing)?;
            let record = Box::pin(self.refresh(record)).await.map_err(after_writing)?;
            return answer(record, row.attempt.unwrap_or_default());
        }
        let (known, looked) = self.look_first(&verb.payment).await.map_err(before_writing)?;
        let known = if looked { self.drive(known).await.map_err(before_writing)? } else { known };
        let key = self.fresh_key();
        let evidence = Evidence::Asked { what: verb.what.to_owned() };
        let changed = self
            .change_known(&known, &evidence, |draft, now| {
                if draft.record.open_step().is_some() {
                    return Err(conflict(&draft.record, "something else is under way"));
                }
                if verb.takes_money() && must_not_take(&draft.record) {
                    return Err(conflict(&draft.record, "a person has to look at it first"));
                }
                let Wanted { intent, reserved } = intent(&draft.record, key.clone())?;
                let account = draft.record.account().cloned();
                let account = account.ok_or_else(|| no_account(&draft.record))?;
                self.check_supported(&account, intent.operation())?;
                let no = add_attempt(&mut draft.record, account, intent, now);
                if let Some(attempt) = draft.record.attempt_mut(no) {
                    attempt.reserved = reserved;
                }
                draft.caller_key = Some(verb.row(Some(no), now));
                Ok(true)
            })
            .await?;
        let record = match changed {
            Changed::KeyTaken(row) => {
                check_same(&row, verb)?;
                let record = self.load(&row.payment).await.map_err(after_writing)?;
                return answer(record, row.attempt.unwrap_or_default());
            }
            Changed::Done(record) | Changed::Shared(record) | Changed::Untouched(record) => *record,
        };
        let no = record.attempts.last().map_or(0, |attempt| attempt.no);
        answer(self.drive(record).await.map_err(after_writing)?, no)
    }

    async fn cancel_wanted(&self, verb: Verb, id: &PaymentId) -> Result<PaymentRecord> {
        if let Some(row) = self.asked_before(&verb).await? {
            let record = self.load(&row.payment).await.map_err(after_writing)?;
            return Box::pin(self.refresh(record)).await.map_err(after_writing);
        }
        // What the look shows can wait for a step of ours, which nobody wants any more.
        let (known, _) = self.look_first(id).await.map_err(before_writing)?;
        let evidence = Evidence::Asked { what: verb.what.to_owned() };
        let changed = self
            .change_known(&known, &evidence, |draft, now| {
                if draft.record.status.is_final() {
                    return Err(conflict(&draft.record, "the payment is final already"));
                }
                if let Some(account) = draft.record.account().cloned() {
                    self.check_supported(&account, Operation::CancelPayment)?;
                }
                draft.record.cancel_wanted = true;
                // Who wanted something tried again before did not know of this.
                for attempt in &mut draft.record.attempts {
                    attempt.wanted_again = false;
                }
                draft.caller_key = Some(verb.row(None, now));
                Ok(true)
            })
            .await?;
        match changed {
            Changed::Done(record) | Changed::Shared(record) | Changed::Untouched(record) => {
                self.drive(*record).await.map_err(after_writing)
            }
            Changed::KeyTaken(row) => {
                check_same(&row, &verb)?;
                self.load(&row.payment).await.map_err(after_writing)
            }
        }
    }

    async fn asked_before(&self, verb: &Verb) -> Result<Option<CallerKeyRow>> {
        let row = self.store.find_caller_key(&verb.key).await;
        let row = row.map_err(|error| unavailable(error, Effect::None))?;
        row.map(|row| check_same(&row, verb).map(|()| row)).transpose()
    }

    fn check_supported(
        &self,
        account: &paymux_core::ProviderId,
        operation: Operation,
    ) -> Result<()> {
        let account = self.account(account)?;
        if account.provider.capabilities().has(operation) {
            return Ok(());
        }
        Err(Error::unsupported(operation).with_provider(account.provider.id()))
    }

    /// Not more than what is held, and less only where the account can.
    fn check_capture(&self, record: &PaymentRecord, amount: Money) -> Result<()> {
        let held = held(record);
        if amount.is_zero() || amount.partial_cmp(&held).is_none_or(std::cmp::Ordering::is_gt) {
            let message = format!("must be more than nothing and at most what is held: {held}");
            return Err(Error::invalid_request("amount", message));
        }
        let account = record.account().ok_or_else(|| no_account(record))?;
        if amount != held && !self.account(account)?.provider.capabilities().partial_capture {
            let message = "this account takes all that is held, or nothing";
            return Err(Error::new(ErrorKind::Unsupported, Effect::None, message)
                .with_field("amount")
                .with_provider(account)
                .with_operation(Operation::CapturePayment));
        }
        Ok(())
    }

    fn refund_intent(
        &self,
        record: &PaymentRecord,
        key: IdempotencyKey,
        refund: &NewRefund,
    ) -> Result<Wanted> {
        // What has no id is told by the payment's amounts, which tell no two apart.
        let is_nameless = |attempt: &&Attempt| {
            attempt.is_refund_under_way()
                && attempt.gives_back.is_none()
                && attempt.refund.as_ref().is_some_and(|refund| refund.id.is_none())
        };
        if record.attempts.iter().any(|attempt| is_nameless(&attempt)) {
            return Err(conflict(record, "another refund is under way"));
        }
        let payment = handle(record)?;
        let left = left_to_give_back(record)?;
        let amount = refund.amount.unwrap_or(left);
        if amount.is_zero() || amount.partial_cmp(&left).is_none_or(std::cmp::Ordering::is_gt) {
            let message = format!("must be more than nothing and at most what is left: {left}");
            return Err(Error::invalid_request("amount", message));
        }
        let account = record.account().ok_or_else(|| no_account(record))?;
        let partial = self.account(account)?.provider.capabilities().partial_refund;
        if !partial && Some(amount) != taken(record) {
            let message = "this account gives back all that was taken, or nothing";
            return Err(Error::new(ErrorKind::Unsupported, Effect::None, message)
                .with_field("amount")
                .with_provider(account)
                .with_operation(Operation::CreateRefund));
        }
        let reference = Reference::new(format!("{}-{}", record.id, record.next_attempt_no()))?;
        let mut request = CreateRefund::new(key, reference, payment);
        request.part.clone_from(&refund.part);
        // An account that knows no figure is asked to give back all.
        request.amount = partial.then_some(amount);
        request.reason.clone_from(&refund.reason);
        Ok(Wanted { intent: Intent::Refund(request), reserved: Some(amount) })
    }
}

/// Nothing of what was asked is written yet.
fn before_writing(error: Error) -> Error {
    error.with_effect(Effect::None)
}

fn handle(record: &PaymentRecord) -> Result<paymux_core::PaymentHandle> {
    record.handle().ok_or_else(|| no_account(record))
}

fn check_same(row: &CallerKeyRow, verb: &Verb) -> Result<()> {
    if row.request_digest == verb.digest { Ok(()) } else { Err(reused(&row.payment)) }
}

/// The answer to what was asked, the same however often it is asked for with one key.
fn answer(record: PaymentRecord, no: u32) -> Result<(PaymentRecord, u32)> {
    match record.attempt(no).and_then(|attempt| refusal(&record, attempt)) {
        Some(error) => Err(error),
        None => Ok((record, no)),
    }
}

/// What the caller is told of what was not done: why it was refused, or else that nothing came of
/// it.
fn refusal(record: &PaymentRecord, attempt: &Attempt) -> Option<Error> {
    match attempt.state {
        AttemptState::Rejected | AttemptState::NotSent => {}
        AttemptState::NotCharged | AttemptState::Abandoned => {
            return Some(undone(record, attempt));
        }
        AttemptState::Intent
        | AttemptState::Sending
        | AttemptState::Unknown
        | AttemptState::Accepted => return None,
    }
    // A call without an answer is no refusal: that nothing was done became known by other means.
    let refused = attempt.fault.as_ref().filter(|fault| fault.effect == Effect::None);
    let error = refused.map(|fault| fault.to_error(&attempt.account, attempt.intent.operation()));
    Some(error.unwrap_or_else(|| undone(record, attempt)))
}

fn undone(record: &PaymentRecord, attempt: &Attempt) -> Error {
    conflict(record, "nothing came of it")
        .with_provider(&attempt.account)
        .with_operation(attempt.intent.operation())
}

fn no_account(record: &PaymentRecord) -> Error {
    conflict(record, "no account has the payment")
}

fn conflict(record: &PaymentRecord, message: &str) -> Error {
    let message = format!("{message}; {} is {}", record.id, record.status);
    Error::new(ErrorKind::Conflict, Effect::None, message)
}

#[cfg(test)]
mod tests;
