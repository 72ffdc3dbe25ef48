//! Does what the plan says, move by move, until there is nothing to do before some moment. Any
//! process can go on where another one stopped: everything that matters is in the record.

use std::pin::Pin;

use paymux_core::{
    CancelPayment, CaptureChoice, CaptureMethod, CapturePayment, ConfirmPayment, ConfirmStep,
    CreatePayment, IdempotencyKey, PaymentHandle, PaymentStatus, ProviderId, ProviderPartId,
    Reference, Result, Timestamp,
};

use crate::{
    engine::{Account, Engine},
    evidence::Evidence,
    observe, operate,
    plan::Move,
    record::{Attempt, AttemptState, Intent, PaymentRecord, Review, ReviewReason},
    returns, settle,
};

/// More moves than any payment needs at once; a bound against a loop.
const MOST_MOVES: u32 = 64;

impl Engine {
    /// Does what is due about a payment.
    pub(crate) async fn drive(&self, mut record: PaymentRecord) -> Result<PaymentRecord> {
        for _ in 0..MOST_MOVES {
            let step = self.next_move(&record, self.now());
            // What is not on its way at shutdown is left to whoever comes next.
            let leaves = matches!(step, Move::Send(_)) && self.calls.is_closed();
            if leaves || matches!(step, Move::Wait(_) | Move::Done) {
                break;
            }
            record = self.take(record, step).await?;
        }
        Ok(record)
    }

    async fn take(&self, record: PaymentRecord, step: Move) -> Result<PaymentRecord> {
        // Each on the heap: together they would make every future as large as the largest.
        let work: Pin<Box<dyn Future<Output = Result<PaymentRecord>> + Send + '_>> = match step {
            Move::Send(no) => Box::pin(self.send(record, no)),
            Move::LookUp => Box::pin(self.look_up(record)),
            Move::LookUpReference(no) => Box::pin(self.look_up_reference(record, no)),
            Move::LookUpLeft(no) => Box::pin(self.look_up_left(record, no)),
            Move::LookUpRefund(no) => Box::pin(self.look_up_refund(record, no)),
            Move::Watch(no) => Box::pin(self.watch(record, no)),
            Move::Create(account) => Box::pin(self.open(record, account)),
            Move::Confirm(step) => Box::pin(self.confirm(record, step)),
            Move::Capture(part) => Box::pin(self.capture(record, part)),
            Move::Cancel(part) => Box::pin(self.cancel(record, part)),
            Move::Doubt(no) => Box::pin(self.doubt(record, no)),
            Move::NotCharged(no) | Move::Abandon(no) | Move::Withdraw(no) => {
                Box::pin(self.give_up(record, no, step))
            }
            Move::Park(no, reason) => Box::pin(self.park(record, no, reason)),
            Move::Climb(no) => Box::pin(self.climb(record, no, None)),
            Move::EndHere => Box::pin(self.end_here(record)),
            Move::Wait(_) | Move::Done => return Ok(record),
        };
        work.await
    }

    /// Opens the payment at an account.
    async fn open(&self, record: PaymentRecord, id: ProviderId) -> Result<PaymentRecord> {
        let key = self.fresh_key();
        let evidence = decision(format!("{id} is tried"), None);
        let account = self.account(&id).ok();
        let step = Move::Create(id.clone());
        self.begin(record, &evidence, step, |record| {
            Some((id.clone(), Intent::Create(Box::new(create_request(record, account, &key)))))
        })
        .await
    }

    async fn confirm(&self, record: PaymentRecord, step: ConfirmStep) -> Result<PaymentRecord> {
        let key = self.fresh_key();
        let evidence = decision("the provider waits for our consent".to_owned(), None);
        self.begin(record, &evidence, Move::Confirm(step), |record| {
            let payment = free_handle(record)?;
            let intent = Intent::Confirm(ConfirmPayment { key: key.clone(), payment, step });
            Some((record.account()?.clone(), intent))
        })
        .await
    }

    async fn capture(
        &self,
        record: PaymentRecord,
        part: Option<ProviderPartId>,
    ) -> Result<PaymentRecord> {
        let key = self.fresh_key();
        let evidence = decision("the account only holds, and all is to be taken".to_owned(), None);
        self.begin(record, &evidence, Move::Capture(part.clone()), |record| {
            let payment = free_handle(record)?;
            let (key, part) = (key.clone(), part.clone());
            let intent = Intent::Capture(CapturePayment { key, payment, part, amount: None });
            Some((record.account()?.clone(), intent))
        })
        .await
    }

    async fn cancel(
        &self,
        record: PaymentRecord,
        part: Option<ProviderPartId>,
    ) -> Result<PaymentRecord> {
        let key = self.fresh_key();
        let evidence = decision("the merchant wants it ended".to_owned(), None);
        self.begin(record, &evidence, Move::Cancel(part.clone()), |record| {
            let payment = free_handle(record)?;
            let (key, part) = (key.clone(), part.clone());
            let intent = Intent::Cancel(CancelPayment { key, payment, part });
            Some((record.account()?.clone(), intent))
        })
        .await
    }

    /// Writes an attempt down, if it is still what has to be done. That it is sent is a change of
    /// its own, so that an attempt that never left is known as one.
    async fn begin(
        &self,
        record: PaymentRecord,
        evidence: &Evidence,
        step: Move,
        intent: impl Fn(&PaymentRecord) -> Option<(ProviderId, Intent)> + Send + Sync,
    ) -> Result<PaymentRecord> {
        let changed = self
            .change_known(&record, evidence, |draft, now| {
                if self.next_move(&draft.record, now) != step {
                    return Ok(false);
                }
                let Some((account, intent)) = intent(&draft.record) else { return Ok(false) };
                add_attempt(&mut draft.record, account, intent, now);
                Ok(true)
            })
            .await?;
        changed.into_record()
    }

    async fn doubt(&self, record: PaymentRecord, no: u32) -> Result<PaymentRecord> {
        let evidence = decision("no answer was written down in time".to_owned(), Some(no));
        self.change_known(&record, &evidence, |draft, now| {
            if self.next_move(&draft.record, now) != Move::Doubt(no) {
                return Ok(false);
            }
            let Some(attempt) = draft.record.attempt_mut(no) else { return Ok(false) };
            attempt.state = AttemptState::Unknown;
            attempt.doubted = true;
            attempt.doubtful_send_at = attempt.sent_at;
            attempt.not_found_at.clear();
            attempt.next_try_at = Some(now);
            attempt.rung = attempt.rung.max(1);
            Ok(true)
        })
        .await?
        .into_record()
    }

    /// Closes an attempt without a provider's word, if that is still what has to be done.
    async fn give_up(&self, record: PaymentRecord, no: u32, step: Move) -> Result<PaymentRecord> {
        let (words, state) = if step == Move::NotCharged(no) {
            ("looked for until it was proved not to exist", AttemptState::NotCharged)
        } else if step == Move::Withdraw(no) {
            ("not sent, since it is not wanted any more", AttemptState::NotSent)
        } else {
            ("given up: nobody can pay what it may have opened", AttemptState::Abandoned)
        };
        let evidence = decision(words.to_owned(), Some(no));
        self.change_known(&record, &evidence, |draft, now| {
            if self.next_move(&draft.record, now) != step {
                return Ok(false);
            }
            let is_create = draft.record.attempt(no).is_some_and(Attempt::is_create);
            if is_create && state != AttemptState::NotSent {
                settle::abandon(&mut draft.record, no, now);
            }
            settle::close(&mut draft.record, no, state, now);
            if state == AttemptState::NotSent && !is_create && !draft.record.cancel_wanted {
                let why = "nobody waited for it any more, and it was not sent";
                settle::show_refused_step(&mut draft.record, no, why, now);
            }
            Ok(true)
        })
        .await?
        .into_record()
    }

    async fn park(
        &self,
        record: PaymentRecord,
        no: u32,
        reason: ReviewReason,
    ) -> Result<PaymentRecord> {
        let evidence = decision("a person has to look at it".to_owned(), Some(no));
        self.change_known(&record, &evidence, |draft, now| {
            if self.next_move(&draft.record, now) != Move::Park(no, reason) {
                return Ok(false);
            }
            let note = why_parked(&draft.record, no, reason);
            draft.record.add_review(Review { reason, attempt: Some(no), note, since: now });
            // What no account has is not looked at as a whole.
            let record = &mut draft.record;
            let is_looked_at = record.provider.is_some()
                || record.attempts.iter().any(Attempt::is_refund_under_way);
            if is_looked_at {
                observe::look_again(record, now);
            }
            Ok(true)
        })
        .await?
        .into_record()
    }

    async fn end_here(&self, record: PaymentRecord) -> Result<PaymentRecord> {
        let evidence = decision("no account has it".to_owned(), None);
        self.change_known(&record, &evidence, |draft, now| {
            if self.next_move(&draft.record, now) != Move::EndHere {
                return Ok(false);
            }
            let wanted = draft.record.cancel_wanted;
            let expired = draft.record.request.expires_at.is_some_and(|end| end <= now);
            let end = match (wanted, expired) {
                (true, _) => PaymentStatus::Cancelled,
                (false, true) => PaymentStatus::Expired,
                (false, false) => PaymentStatus::Failed,
            };
            draft.record.move_to(end);
            Ok(true)
        })
        .await?
        .into_record()
    }

    pub(crate) fn fresh_key(&self) -> IdempotencyKey {
        IdempotencyKey::generate(&*self.random)
    }
}

/// Adds an attempt to a record; the plan sends it.
pub(crate) fn add_attempt(
    record: &mut PaymentRecord,
    account: ProviderId,
    intent: Intent,
    now: Timestamp,
) -> u32 {
    let no = record.next_attempt_no();
    let mut attempt = Attempt::new(no, account, intent, now);
    let amounts = record.provider.as_ref().map(|payment| payment.amounts.clone());
    attempt.amount_before = match &attempt.intent {
        // Those that are on their way will have been given back before this one.
        Intent::Refund(_) => operate::gone_for_refunds(record),
        Intent::Capture(_) => amounts.and_then(|amounts| amounts.captured),
        Intent::Create(_) | Intent::Confirm(_) | Intent::Cancel(_) => None,
    };
    record.attempts.push(attempt);
    no
}

/// What an account is asked for.
pub(crate) fn create_request(
    record: &PaymentRecord,
    account: Option<&Account>,
    key: &IdempotencyKey,
) -> CreatePayment {
    let asked = &record.request;
    let no = record.next_attempt_no();
    let reference = Reference::new(format!("{}-{no}", record.id));
    let mut create = CreatePayment::new(
        key.clone(),
        reference.unwrap_or_else(|_| asked.reference.clone()),
        asked.amount,
        asked.description.clone(),
    );
    create.capture = match account.map(|account| account.provider.capabilities().capture) {
        Some(CaptureChoice::Manual) => CaptureMethod::Manual,
        Some(CaptureChoice::Automatic | CaptureChoice::PerRequest) | None => asked.capture,
    };
    create.customer.clone_from(&asked.customer);
    create.method.clone_from(&asked.method);
    create.mandate.clone_from(&asked.mandate);
    create.return_url = asked
        .return_url
        .as_ref()
        .map(|url| returns::add_token(url, &record.id, &record.return_token));
    create.expires_at = asked.expires_at;
    create.options.clone_from(&asked.options);
    create
}

/// The handle of a payment at which nothing is under way.
fn free_handle(record: &PaymentRecord) -> Option<PaymentHandle> {
    if record.open_step().is_some() { None } else { record.handle() }
}

/// What a person is told of what goes no further by itself.
fn why_parked(record: &PaymentRecord, no: u32, reason: ReviewReason) -> String {
    let Some(attempt) = record.attempt(no) else { return String::new() };
    let account = &attempt.account;
    if reason == ReviewReason::StepRefused && record.cancel_wanted {
        return format!("its end is wanted, and cannot be reached at {account}");
    }
    if reason == ReviewReason::StepRefused {
        let since = record.consent_wanted_at.unwrap_or(record.updated_at);
        return format!("our consent was wanted on {since} at {account}, and is too late by now");
    }
    let (what, state) = (attempt.intent.in_words(), attempt.state.in_words());
    let since = attempt.first_sent_at.unwrap_or(attempt.created_at);
    format!("{what} at {account} is {state} since {since}")
}

fn decision(words: String, attempt: Option<u32>) -> Evidence {
    Evidence::Rule { decision: words, attempt }
}
