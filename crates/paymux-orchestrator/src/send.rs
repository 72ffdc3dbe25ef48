//! The call that may move money: written down before it leaves, and what came of it after.

use std::time::Duration;

use paymux_core::{
    CreatePayment, Effect, Error, ErrorKind, Payment, PaymentProvider, ProviderId, Refund, Result,
};
use tracing::Instrument;

use crate::{
    engine::{Account, Changed, Engine, after_writing},
    evidence::{Evidence, Said},
    health::{Permit, Purpose},
    plan::Move,
    record::{Attempt, Fault, Intent, PaymentRecord, Review, ReviewReason, SentAs},
    settle::{self, Context, Outcome},
    telemetry,
};

/// When the answer to a call is written again that could not be written. After the first five
/// others may think that the call was lost; what the provider said of it counts all the same, and
/// another server of the store needs that long to take over.
const WRITE_AGAIN: [Duration; 12] = [
    Duration::from_millis(100),
    Duration::from_millis(400),
    Duration::from_millis(1_500),
    Duration::from_secs(3),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(10),
    Duration::from_secs(10),
    Duration::from_secs(10),
    Duration::from_secs(10),
    Duration::from_secs(10),
    Duration::from_secs(10),
];

impl Engine {
    /// Sends an attempt, for the first time or again.
    pub(crate) async fn send(&self, record: PaymentRecord, no: u32) -> Result<PaymentRecord> {
        let Some(attempt) = record.attempt(no) else { return Ok(record) };
        let account = match self.account(&attempt.account) {
            Ok(account) => account,
            Err(error) => return self.unsent(record, no, &error).await,
        };
        if attempt.is_create() && attempt.sends == 0 && self.is_paused(&record, &attempt.account) {
            return self.unsent(record.clone(), no, &paused(&attempt.account)).await;
        }
        if let Some(what) = differs_from_sent(attempt, account) {
            return self.not_the_same(record, no, &what).await;
        }
        let purpose = if attempt.sends == 0 { Purpose::First } else { Purpose::Repeat };
        let permit = match account.health.admit(purpose) {
            Ok(permit) => permit,
            Err(refusal) => {
                let error = refusal.to_error(account.provider.id(), self.now());
                return self.unsent(record, no, &error).await;
            }
        };
        let (state, sends) = (attempt.state, attempt.sends);
        let evidence = Evidence::Sent { attempt: no, send: sends + 1 };
        let changed = self
            .change_known(&record, &evidence, |draft, now| {
                let ours = draft
                    .record
                    .attempt(no)
                    .is_some_and(|attempt| attempt.state == state && attempt.sends == sends);
                // What was right when it was planned may not be now: a key gets too old to rely on.
                let still = self.next_move(&draft.record, now) == Move::Send(no);
                if ours && still {
                    settle::note_sent_as(&mut draft.record, no, account.provider.capabilities());
                    settle::mark_sending(&mut draft.record, no, now);
                }
                Ok(ours && still)
            })
            .await?;
        match changed {
            Changed::Done(record) => self.call(*record, no, account, permit).await,
            other @ (Changed::Shared(_) | Changed::Untouched(_) | Changed::KeyTaken(_)) => {
                other.into_record()
            }
        }
    }

    pub(crate) fn is_paused(&self, record: &PaymentRecord, account: &ProviderId) -> bool {
        let step = record.route.iter().find(|step| step.account == *account);
        step.is_some_and(|step| self.router.is_paused(account, &step.rule))
    }

    /// Makes the one call, and writes down what came of it.
    pub(crate) async fn call(
        &self,
        record: PaymentRecord,
        no: u32,
        account: &Account,
        permit: Permit<'_>,
    ) -> Result<PaymentRecord> {
        let Some(attempt) = record.attempt(no) else { return Ok(record) };
        let limit = self.settings.call_limit;
        let slept = self.now().since(attempt.sent_at.unwrap_or(attempt.created_at));
        // Whoever slept since it was written down does not send: by now another process may have
        // taken over.
        let result = if slept > limit {
            Err(slept_too_long(account.provider.id(), attempt))
        } else {
            let span = telemetry::call_span(account.provider.id(), &record.id, attempt);
            let call = make_call(&*account.provider, attempt).instrument(span);
            // It ends before somebody else may think it lost.
            tokio::time::timeout(limit.saturating_sub(slept), call)
                .await
                .unwrap_or_else(|_| Err(over_time(account.provider.id(), attempt)))
        };
        // That we slept says nothing about the account.
        if slept <= limit {
            permit.record(result.as_ref().map(|_| ()));
        }
        telemetry::attempt(account.provider.id(), attempt, result.as_ref().map(|_| ()));
        let evidence = match &result {
            Err(error) if slept > limit => not_sent(no, error),
            _ => Evidence::Reply { attempt: no, said: said(result.as_ref()) },
        };
        let outcome = || match &result {
            Ok(Answer::Payment(payment)) => Outcome::Payment(payment.clone()),
            Ok(Answer::Refund(refund)) => Outcome::Refund(refund.clone()),
            Err(error) => Outcome::Fault(Box::new(Fault::from(error))),
        };
        let mut waits = WRITE_AGAIN.into_iter();
        loop {
            let written = self
                .change_known(&record, &evidence, |draft, now| {
                    let asked_at = attempt.sent_at.unwrap_or(now);
                    let context = Context { asked_at, ..self.context(account, now) };
                    settle::settle(&mut draft.record, no, attempt.sends, outcome(), &context);
                    Ok(true)
                })
                .await;
            match (written, waits.next()) {
                (Ok(changed), _) => return changed.into_record(),
                // Nowhere else is what the provider said, its id above all: neither a store that is
                // gone nor others who are faster may lose it.
                (Err(error), Some(wait))
                    if matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Conflict) =>
                {
                    tokio::time::sleep(wait).await;
                }
                (Err(error), _) => return Err(after_writing(error)),
            }
        }
    }

    /// What would leave is not what left with this key before: a person has to put that right.
    async fn not_the_same(
        &self,
        record: PaymentRecord,
        no: u32,
        what: &str,
    ) -> Result<PaymentRecord> {
        let note = format!("it is not sent again, since it is not what was sent: {what}");
        let error = Error::new(ErrorKind::Configuration, Effect::None, note.clone());
        self.change_known(&record, &not_sent(no, &error), |draft, now| {
            let still = self.next_move(&draft.record, now) == Move::Send(no);
            let Some(attempt) = draft.record.attempt_mut(no).filter(|_| still) else {
                return Ok(false);
            };
            settle::climb(attempt, &error, now, &*self.random);
            let (reason, note) = (ReviewReason::Mismatch, note.clone());
            draft.record.add_review(Review { reason, attempt: Some(no), note, since: now });
            Ok(true)
        })
        .await?
        .into_record()
    }

    /// Notes that an attempt was not sent now. One that is in doubt stays so.
    async fn unsent(&self, record: PaymentRecord, no: u32, error: &Error) -> Result<PaymentRecord> {
        let fault = Fault::from(error);
        let evidence = not_sent(no, error);
        if let Some(attempt) = record.attempt(no) {
            telemetry::kept_back(&attempt.account, attempt);
        }
        let id = record.id.clone();
        let Some(known) = record.attempt(no) else { return Ok(record) };
        let configured = self.accounts.get(&known.account);
        let changed = self
            .change(&id, &evidence, |draft, now| {
                // Somebody else may have been faster.
                let still = self.next_move(&draft.record, now) == Move::Send(no);
                let Some(attempt) = draft.record.attempt_mut(no) else { return Ok(false) };
                let send = attempt.sends;
                if !still || send != known.sends {
                    return Ok(false);
                }
                let outcome = Outcome::Fault(Box::new(fault.clone()));
                match configured {
                    // Only a payment can go elsewhere, and only before it was sent.
                    Some(_) if attempt.doubted || !attempt.is_create() => {
                        settle::put_off(attempt, error, now, &*self.random);
                    }
                    Some(account) => {
                        let context = self.context(account, now);
                        settle::settle(&mut draft.record, no, send, outcome, &context);
                    }
                    None => settle::settle_without_account(&mut draft.record, no, &fault, now),
                }
                Ok(true)
            })
            .await?;
        changed.into_record()
    }
}

/// In what that which would leave differs from what left with its key.
fn differs_from_sent(attempt: &Attempt, account: &Account) -> Option<String> {
    let sent = attempt.sent_as.as_ref().filter(|_| attempt.sends > 0)?;
    match SentAs::of(&attempt.intent, account.provider.capabilities()) {
        Some(now) => sent.differs(&now),
        None => Some("the request cannot be written down".to_owned()),
    }
}

enum Answer {
    Payment(Box<Payment>),
    Refund(Box<Refund>),
}

async fn make_call(provider: &dyn PaymentProvider, attempt: &Attempt) -> Result<Answer> {
    let payment = match &attempt.intent {
        // Not part of what is kept: the record says it.
        Intent::Create(request) if attempt.doubted => {
            provider.create_payment(&CreatePayment::clone(request).in_doubt()).await
        }
        Intent::Create(request) => provider.create_payment(request).await,
        Intent::Confirm(request) => provider.confirm_payment(request).await,
        Intent::Capture(request) => provider.capture_payment(request).await,
        Intent::Cancel(request) => provider.cancel_payment(request).await,
        Intent::Refund(request) => {
            let refund = provider.create_refund(request).await?;
            return Ok(Answer::Refund(Box::new(refund)));
        }
    };
    payment.map(|payment| Answer::Payment(Box::new(payment)))
}

fn not_sent(no: u32, error: &Error) -> Evidence {
    Evidence::NotSent { attempt: no, why: Box::new(Fault::from(error)) }
}

fn said(result: Result<&Answer, &Error>) -> Said {
    match result {
        Ok(Answer::Payment(payment)) => Said::from(&**payment),
        Ok(Answer::Refund(refund)) => Said::from(&**refund),
        Err(error) => Said::from(&Fault::from(error)),
    }
}

fn over_time(id: &ProviderId, attempt: &Attempt) -> Error {
    Error::new(ErrorKind::Timeout, Effect::Possible, "the call took longer than it may")
        .with_provider(id)
        .with_operation(attempt.intent.operation())
        .with_retryable(true)
}

fn slept_too_long(id: &ProviderId, attempt: &Attempt) -> Error {
    let message = "this process slept for longer than a call may take, and sent nothing";
    Error::new(ErrorKind::Unavailable, Effect::None, message)
        .with_provider(id)
        .with_operation(attempt.intent.operation())
        .with_offered(false)
        .with_retryable(true)
}

fn paused(id: &ProviderId) -> Error {
    Error::new(ErrorKind::Unavailable, Effect::None, "the account is paused by the routes")
        .with_provider(id)
        .with_offered(false)
}
