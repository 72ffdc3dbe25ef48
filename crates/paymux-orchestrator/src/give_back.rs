//! Giving money back that showed late at an account that does not have the payment any more. A
//! person wants it; it is a refund like any other, of the object that was left there.

use paymux_core::{
    Amounts, CreateRefund, Effect, Error, ErrorKind, IdempotencyKey, Money, Operation, Payment,
    PaymentLookup, ProviderPaymentId, Reference, RefundStatus, Result,
};

use crate::{
    drive::add_attempt,
    engine::{Account, Changed, Engine},
    evidence::{Evidence, Said},
    look::climb_unsettled,
    observe,
    record::{Attempt, Intent, PaymentRecord, ReviewReason},
    settle::Context,
    watch,
};

impl Engine {
    /// Writes a refund of a late success down. Its amount is what the account says now, and what
    /// was given back, or may still be, is taken off.
    pub(crate) async fn give_back(
        &self,
        record: &PaymentRecord,
        no: u32,
        object: &ProviderPaymentId,
        evidence: impl Fn(Said) -> Evidence + Send + Sync,
    ) -> Result<Changed> {
        let attempt = late_success(record, no, object)?;
        let account = self.account(&attempt.account)?;
        let capabilities = account.provider.capabilities();
        if !capabilities.has(Operation::CreateRefund) {
            let error = Error::unsupported(Operation::CreateRefund);
            return Err(error.with_provider(account.provider.id()));
        }
        let lookup = PaymentLookup::Payment(watch::handle_of(record, attempt, object));
        let seen = self.ask(account, &lookup).await;
        let seen = seen.map_err(|error| error.with_effect(Effect::None))?;
        if !watch::is_about(attempt, &seen, &lookup, capabilities) {
            let message = format!("{} answers about another payment", account.provider.id());
            return Err(Error::new(ErrorKind::InvalidResponse, Effect::None, message));
        }
        if let Some(id) = self.anothers(record, &seen).await? {
            return Err(conflict(record, &format!("{id} belongs to another payment")));
        }
        let key = self.fresh_key();
        self.decide(record, &evidence(Said::from(&seen)), |record, now| {
            late_success(record, no, object)?;
            if record.open_attempt().is_some() {
                return Err(conflict(record, "something else is under way"));
            }
            observe::late(record, no, seen.clone(), now);
            let (request, gone) = refund_of(record, no, object, &key, account)?;
            let (at, given_back) = (seen.provider.clone(), left_to_give(&seen, gone)?);
            let refund = add_attempt(record, at, Intent::Refund(request), now);
            if let Some(attempt) = record.attempt_mut(refund) {
                attempt.gives_back = Some(no);
                attempt.reserved = Some(given_back);
                attempt.amount_before = Some(gone);
            }
            Ok(())
        })
        .await
    }

    /// Asks for the object that a refund of a late success gives back: its amounts tell what became
    /// of a refund that is in doubt, or that has no id of its own.
    pub(crate) async fn look_up_left(
        &self,
        record: PaymentRecord,
        no: u32,
    ) -> Result<PaymentRecord> {
        let Some(attempt) = record.attempt(no) else { return Ok(record) };
        let (Some(of), Intent::Refund(request)) = (attempt.gives_back, &attempt.intent) else {
            return Ok(record);
        };
        let asked_at = self.now();
        let account = match self.account(&attempt.account) {
            Ok(account) => account,
            Err(error) => return self.look_failed(record, Some(no), &error).await,
        };
        let seen = match self.ask(account, &PaymentLookup::Payment(request.payment.clone())).await {
            Ok(seen) if seen.id == request.payment.id && seen.provider == attempt.account => seen,
            Ok(_) => return self.look_failed(record, Some(no), &about_another()).await,
            Err(error) => return self.look_failed(record, Some(no), &error).await,
        };
        let evidence = Evidence::Lookup {
            account: attempt.account.clone(),
            attempt: Some(no),
            said: Said::from(&seen),
        };
        self.change_known(&record, &evidence, |draft, now| {
            if draft.record.has_acted_since(&record) {
                return Ok(false);
            }
            let context = Context { asked_at, is_due: true, ..self.context(account, now) };
            observe::late(&mut draft.record, of, seen.clone(), now);
            observe::settle_steps(&mut draft.record, Some(of), &seen, &context);
            observe::schedule(&mut draft.record, observe::Observed::Nothing, now);
            climb_unsettled(&mut draft.record, |attempt| attempt.no == no, &context);
            Ok(true)
        })
        .await?
        .into_record()
    }
}

/// The attempt, if it left this object, where money on it waits for a person.
fn late_success<'a>(
    record: &'a PaymentRecord,
    no: u32,
    object: &ProviderPaymentId,
) -> Result<&'a Attempt> {
    let waits = |attempt: &&Attempt| {
        let counts = record
            .provider
            .as_ref()
            .is_some_and(|known| known.provider == attempt.account && known.id == *object);
        record.asks(ReviewReason::LateSuccess, no)
            && !counts
            && attempt.left.iter().any(|left| left.id == *object)
    };
    let found = record.attempt(no).filter(waits);
    found.ok_or_else(|| conflict(record, "no money that showed late waits there for a person"))
}

/// What is asked for, and what was given back of it or may still be.
fn refund_of(
    record: &PaymentRecord,
    no: u32,
    object: &ProviderPaymentId,
    key: &IdempotencyKey,
    account: &Account,
) -> Result<(CreateRefund, Money)> {
    let missing = || conflict(record, "no such object was left there");
    let attempt = record.attempt(no).ok_or_else(missing)?;
    let left = attempt.left.iter().find(|left| left.id == *object).ok_or_else(missing)?;
    let gone = gone(record, no, left).ok_or_else(|| unclear(left))?;
    let amount = left_to_give(left, gone)?;
    let partial = account.provider.capabilities().partial_refund;
    if left.amounts.captured != Some(amount) && !partial {
        let message = "this account gives back all that was taken, or nothing";
        return Err(Error::new(ErrorKind::Unsupported, Effect::None, message)
            .with_provider(account.provider.id())
            .with_operation(Operation::CreateRefund));
    }
    let reference = Reference::new(format!("{}-{}", record.id, record.next_attempt_no()))?;
    let handle = watch::handle_of(record, attempt, object);
    let mut request = CreateRefund::new(key.clone(), reference, handle);
    request.amount = partial.then_some(amount);
    Ok((request, gone))
}

/// What the account says, or we know, and what is on its way.
pub(crate) fn gone(record: &PaymentRecord, no: u32, left: &Payment) -> Option<Money> {
    let nothing = Money::zero(left.amounts.captured?.currency());
    let (mut done, mut on_its_way) = (nothing, nothing);
    let ours = record.attempts.iter().filter(|attempt| {
        attempt.gives_back == Some(no)
            && matches!(&attempt.intent, Intent::Refund(refund) if refund.payment.id == left.id)
    });
    for attempt in ours {
        let Some(amount) = attempt.reserved_refund() else { continue };
        let is_done =
            attempt.refund.as_ref().is_some_and(|refund| refund.status == RefundStatus::Succeeded);
        let sum = if is_done { &mut done } else { &mut on_its_way };
        *sum = sum.checked_add(amount)?;
    }
    let said = left.amounts.refunded.unwrap_or(nothing);
    let done = if said.checked_sub(done).is_some() { said } else { done };
    done.checked_add(on_its_way)
}

/// What can be given back of what was taken, where that is clear.
fn left_to_give(left: &Payment, gone: Money) -> Result<Money> {
    let Amounts { captured, charged_back, given_back_unstated, .. } = &left.amounts;
    let is_disputed = charged_back.is_some_and(|amount| !amount.is_zero());
    let captured = captured.filter(|_| !is_disputed && !given_back_unstated);
    let rest = captured.ok_or_else(|| unclear(left))?.checked_sub(gone);
    rest.filter(|rest| !rest.is_zero()).ok_or_else(|| {
        let message = format!("all of {} was given back already, or is on its way", left.id);
        Error::new(ErrorKind::Conflict, Effect::None, message)
    })
}

fn unclear(left: &Payment) -> Error {
    let message = format!(
        "{} is {} ({}) at {}, and how much can be given back is not clear",
        left.id, left.status, left.provider_status, left.provider
    );
    Error::new(ErrorKind::Conflict, Effect::None, message)
}

fn about_another() -> Error {
    Error::new(ErrorKind::InvalidResponse, Effect::None, "the answer is about another payment")
}

fn conflict(record: &PaymentRecord, message: &str) -> Error {
    let message = format!("{message}; {} is {}", record.id, record.status);
    Error::new(ErrorKind::Conflict, Effect::None, message)
}
