//! Asking a provider what it knows. A look never moves money, and one that fails says nothing.

use paymux_core::{
    Effect, Error, ErrorKind, Operation, Payment, PaymentLookup, ProviderId, Random, Refund,
    RefundLookup, Result, Timestamp,
};
use tracing::Instrument;

use crate::{
    engine::{Account, Engine, unexpected},
    evidence::{Evidence, Said},
    health::{self, Purpose},
    ladder,
    observe::{self, Observed},
    record::{Attempt, AttemptState, Fault, Intent, PaymentRecord},
    settle::{self, Context, Outcome},
    telemetry,
};

impl Engine {
    /// Asks the account for the payment.
    pub(crate) async fn look_up(&self, record: PaymentRecord) -> Result<PaymentRecord> {
        if record.provider.is_none() {
            return Ok(record);
        }
        let asked_at = self.now();
        match self.read_again(&record).await {
            Ok(payment) => self.take_in_read(record, payment, asked_at).await,
            Err(error) => {
                let no = record.open_step().map(|attempt| attempt.no);
                self.look_failed(record, no, &error).await
            }
        }
    }

    /// Reads a payment from the account that has it.
    pub(crate) async fn read_again(&self, record: &PaymentRecord) -> Result<Payment> {
        let (Some(handle), Some(id)) = (record.handle(), record.account()) else {
            return Err(unexpected("no account has the payment"));
        };
        self.ask(self.account(id)?, &PaymentLookup::Payment(handle)).await
    }

    /// Takes in what the account that has a payment said when it was asked at that time. Where
    /// something was done since, what it said may be of before: it is asked again.
    pub(crate) async fn take_in_read(
        &self,
        record: PaymentRecord,
        payment: Payment,
        asked_at: Timestamp,
    ) -> Result<PaymentRecord> {
        let account = self.account(&payment.provider)?;
        let attempt = record.open_step().map(|attempt| attempt.no);
        let asked = payment.provider.clone();
        let evidence = Evidence::Lookup { account: asked, attempt, said: Said::from(&payment) };
        self.change_known(&record, &evidence, |draft, now| {
            if draft.record.account() != record.account() || draft.record.has_acted_since(&record) {
                return Ok(false);
            }
            let context = Context { asked_at, is_due: true, ..self.context(account, now) };
            observe::observe(&mut draft.record, payment.clone(), &context);
            climb_unsettled(&mut draft.record, |it| it.gives_back.is_none(), &context);
            Ok(true)
        })
        .await?
        .into_record()
    }

    /// A look that failed says nothing; it is made again. `about` is the attempt that it was to tell
    /// of, if it was to tell of one.
    pub(crate) async fn look_failed(
        &self,
        record: PaymentRecord,
        about: Option<u32>,
        error: &Error,
    ) -> Result<PaymentRecord> {
        let in_doubt = |attempt: &&Attempt| {
            attempt.state == AttemptState::Unknown && attempt.next_try_at.is_some()
        };
        let about = about.and_then(|no| record.attempt(no)).filter(in_doubt);
        if let Some(no) = about.map(|attempt| attempt.no) {
            return self.climb(record, no, Some(error)).await;
        }
        let fault = Fault::from(error);
        // Where no account has the payment, a refund of what was left at one is looked at.
        let under_way = record.attempts.iter().find(|attempt| attempt.is_refund_under_way());
        let account = record.account().or(under_way.map(|attempt| &attempt.account)).cloned();
        let Some(account) = account else { return Ok(record) };
        let evidence = Evidence::Lookup { account, attempt: None, said: Said::from(&fault) };
        self.change_known(&record, &evidence, |draft, now| {
            if health::kept_back(error) {
                observe::look_kept_back(&mut draft.record, now);
            } else {
                observe::look_again(&mut draft.record, now);
            }
            Ok(true)
        })
        .await?
        .into_record()
    }

    /// Asks the account for the payment of an attempt by our reference.
    pub(crate) async fn look_up_reference(
        &self,
        record: PaymentRecord,
        no: u32,
    ) -> Result<PaymentRecord> {
        let Some(attempt) = record.attempt(no) else { return Ok(record) };
        let Intent::Create(create) = &attempt.intent else { return Ok(record) };
        let account = match self.account(&attempt.account) {
            Ok(account) => account,
            Err(error) => return self.climb(record, no, Some(&error)).await,
        };
        let lookup = PaymentLookup::Reference {
            reference: create.reference.clone(),
            options: create.options.clone(),
        };
        let id = attempt.account.clone();
        let (asked_at, sends) = (self.now(), attempt.sends);
        let result = self.ask(account, &lookup).await;
        let said = match &result {
            Ok(payment) => Said::from(payment),
            Err(error) if error.kind() == ErrorKind::NotFound => Said::NotFound,
            Err(error) => return self.climb(record, no, Some(error)).await,
        };
        let found = result.ok();
        let evidence = Evidence::Lookup { account: id, attempt: Some(no), said };
        self.change_known(&record, &evidence, |draft, now| {
            let Some(attempt) = draft.record.attempt_mut(no) else { return Ok(false) };
            if attempt.state != AttemptState::Unknown {
                return Ok(false);
            }
            let send = attempt.sends;
            if found.is_none() && send != sends {
                // It was not found before it was sent again: that says nothing.
                return Ok(false);
            }
            match &found {
                Some(payment) => {
                    let outcome = Outcome::Payment(Box::new(payment.clone()));
                    let context = Context { asked_at, ..self.context(account, now) };
                    settle::settle(&mut draft.record, no, send, outcome, &context);
                }
                None => {
                    // An account with other settings does not know what it had before.
                    let capabilities = account.provider.capabilities();
                    if attempt.sent_as.as_ref().is_none_or(|sent| sent.is_at(capabilities)) {
                        attempt.not_found_at.push(asked_at);
                    }
                    attempt.seen_unchanged = true;
                }
            }
            Ok(true)
        })
        .await?
        .into_record()
    }

    /// Asks the account for a refund.
    pub(crate) async fn look_up_refund(
        &self,
        record: PaymentRecord,
        no: u32,
    ) -> Result<PaymentRecord> {
        let Some(attempt) = record.attempt(no) else { return Ok(record) };
        let Some(id) = attempt.refund.as_ref().and_then(|refund| refund.id.clone()) else {
            return Ok(record);
        };
        let account = match self.account(&attempt.account) {
            Ok(account) => account,
            Err(error) => return self.look_failed(record, Some(no), &error).await,
        };
        let lookup = RefundLookup { id, payment: record.handle_of_refund(attempt) };
        let refund = match self.ask_for_refund(account, &lookup).await {
            Ok(refund) => refund,
            Err(error) => return self.look_failed(record, Some(no), &error).await,
        };
        self.take_in_refund(record, no, &refund).await
    }

    /// Takes in what an account said of a refund when it was asked.
    pub(crate) async fn take_in_refund(
        &self,
        record: PaymentRecord,
        no: u32,
        refund: &Refund,
    ) -> Result<PaymentRecord> {
        let Some(attempt) = record.attempt(no) else { return Ok(record) };
        let evidence = Evidence::Lookup {
            account: attempt.account.clone(),
            attempt: Some(no),
            said: Said::from(refund),
        };
        self.take_in_refund_because(record, no, refund, &evidence).await
    }

    /// The same, whatever made us ask.
    pub(crate) async fn take_in_refund_because(
        &self,
        record: PaymentRecord,
        no: u32,
        refund: &Refund,
        evidence: &Evidence,
    ) -> Result<PaymentRecord> {
        self.change_known(&record, evidence, |draft, now| {
            observe::observe_refund(&mut draft.record, no, refund, now);
            observe::schedule(&mut draft.record, Observed::Nothing, now);
            // What does not fit ended nothing: it is asked for by its own times.
            let attempt = draft.record.attempt(no);
            let ended = attempt.is_some_and(|attempt| !attempt.is_refund_under_way());
            if ended && refund.status.is_final() {
                // What it did to the payment's amounts is read once more.
                draft.record.look_at(now);
            }
            Ok(true)
        })
        .await?
        .into_record()
    }

    /// One read of a refund, within its time.
    pub(crate) async fn ask_for_refund(
        &self,
        account: &Account,
        lookup: &RefundLookup,
    ) -> Result<Refund> {
        let id = account.provider.id();
        let permit = account
            .health
            .admit(Purpose::Look)
            .map_err(|refusal| refusal.to_error(id, self.now()))?;
        let span = telemetry::look_span(id, Operation::FetchRefund);
        let call = account.provider.fetch_refund(lookup).instrument(span);
        let result = tokio::time::timeout(self.settings.call_limit, call)
            .await
            .unwrap_or_else(|_| Err(read_over_time(id)));
        permit.record(result.as_ref().map(|_| ()));
        result
    }

    /// One read of a payment, within its time.
    pub(crate) async fn ask(&self, account: &Account, lookup: &PaymentLookup) -> Result<Payment> {
        let id = account.provider.id();
        let permit = account
            .health
            .admit(Purpose::Look)
            .map_err(|refusal| refusal.to_error(id, self.now()))?;
        let span = telemetry::look_span(id, Operation::FetchPayment);
        let call = account.provider.fetch_payment(lookup).instrument(span);
        let result = tokio::time::timeout(self.settings.call_limit, call)
            .await
            .unwrap_or_else(|_| Err(read_over_time(id)));
        permit.record(result.as_ref().map(|_| ()));
        result
    }

    /// Nothing new about an attempt in doubt: the next rung.
    pub(crate) async fn climb(
        &self,
        record: PaymentRecord,
        no: u32,
        error: Option<&Error>,
    ) -> Result<PaymentRecord> {
        let account = record.attempt(no).map(|attempt| attempt.account.clone());
        let Some(account) = account else { return Ok(record) };
        let nothing_new = Error::new(ErrorKind::Unexpected, Effect::Possible, "nothing new");
        let reason = error.unwrap_or(&nothing_new);
        let evidence = match error.map(Fault::from) {
            Some(fault) => {
                Evidence::Lookup { account, attempt: Some(no), said: Said::from(&fault) }
            }
            // Nobody was asked.
            None => {
                let decision = "nothing that may be tried says more now".to_owned();
                Evidence::Rule { decision, attempt: Some(no) }
            }
        };
        self.change_known(&record, &evidence, |draft, now| {
            let Some(attempt) = draft.record.attempt_mut(no) else { return Ok(false) };
            // What is frozen waits for a person, and what is on its way for its answer.
            if attempt.state != AttemptState::Unknown || attempt.next_try_at.is_none() {
                return Ok(false);
            }
            let climb = if health::kept_back(reason) { settle::wait } else { settle::climb };
            climb(attempt, reason, now, &*self.random);
            Ok(true)
        })
        .await?
        .into_record()
    }
}

/// A look that settles nothing about a step in doubt that it was to tell of, and does not show it
/// undone either, is no reason to look again at once.
pub(crate) fn climb_unsettled(
    record: &mut PaymentRecord,
    about: impl Fn(&Attempt) -> bool,
    context: &Context<'_>,
) {
    let nothing_new = Error::new(ErrorKind::Unexpected, Effect::Possible, "nothing new");
    for attempt in &mut record.attempts {
        let unsettled = attempt.state == AttemptState::Unknown
            && about(attempt)
            && !attempt.seen_unchanged
            && attempt.next_try_at.is_some();
        if unsettled {
            settle::climb(attempt, &nothing_new, context.now, context.random);
        }
    }
}

/// The answer to a look cannot be taken over: what it was to tell of is looked for again later.
pub(crate) fn put_off(record: &mut PaymentRecord, no: u32, now: Timestamp, random: &dyn Random) {
    let Some(attempt) = record.attempt_mut(no) else { return };
    if attempt.state == AttemptState::Unknown && attempt.next_try_at.is_some() {
        let error = Error::new(ErrorKind::Unexpected, Effect::Possible, "nothing new");
        settle::climb(attempt, &error, now, random);
    }
    if attempt.watch_at.is_some_and(|moment| moment <= now) {
        let closed = attempt.settled_at.unwrap_or(attempt.created_at);
        attempt.watch_at = ladder::watch_again(closed, now);
    }
}

pub(crate) fn read_over_time(id: &ProviderId) -> Error {
    Error::new(ErrorKind::Timeout, Effect::None, "the look-up took longer than it may")
        .with_provider(id)
        .with_retryable(true)
}
