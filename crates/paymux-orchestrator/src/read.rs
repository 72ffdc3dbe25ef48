//! Reading payments.

use paymux_core::{Effect, Error, ErrorKind, PaymentLookup, Result, Timestamp, Url};

use crate::{
    Orchestrator, PaymentId,
    engine::{Engine, read_document, unavailable},
    evidence::{Evidence, Said},
    observe,
    record::{AttemptState, Intent, PaymentRecord},
    returns,
    settle::{self, Context, Outcome},
    store::{PaymentQuery, TransitionRow},
};

impl Orchestrator {
    /// Reads a payment. One that is open is read from its provider again when what is known is
    /// some seconds old, and one in doubt is looked for, where its provider can be asked by our
    /// reference; when the provider cannot be asked, what is known is the answer.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Unavailable` when the store is.
    pub async fn fetch_payment(&self, id: &PaymentId) -> Result<PaymentRecord> {
        let (engine, id) = (self.0.clone(), id.clone());
        self.0
            .calls
            .own(async move {
                let record = engine.load(&id).await?;
                Box::pin(engine.refresh(record)).await
            })
            .await
    }

    /// Reads a payment as it is known, and asks nobody.
    ///
    /// # Errors
    /// As [`Orchestrator::fetch_payment`].
    pub async fn stored_payment(&self, id: &PaymentId) -> Result<PaymentRecord> {
        self.0.load(id).await
    }

    /// Reads payments as they are known, oldest first.
    ///
    /// # Errors
    /// `Unavailable` when the store is.
    pub async fn list_payments(&self, query: &PaymentQuery) -> Result<Vec<PaymentRecord>> {
        let rows = self.0.store.list(query).await;
        let rows = rows.map_err(|error| unavailable(error, Effect::None))?;
        rows.iter().map(|row| read_document(&row.document)).collect()
    }

    /// Everything that ever moved a payment, oldest first.
    ///
    /// # Errors
    /// `Unavailable` when the store is.
    pub async fn history(&self, id: &PaymentId) -> Result<Vec<TransitionRow>> {
        let history = self.0.store.history(id).await;
        history.map_err(|error| unavailable(error, Effect::None))
    }

    /// The payment that a payer came back from, by the URL it came back to. A return proves
    /// nothing: the payment is read from its provider, and its status is what counts.
    ///
    /// # Errors
    /// `InvalidRequest` naming `return_url` when the URL holds no token, or a wrong one.
    pub async fn read_return(&self, url: &Url) -> Result<PaymentRecord> {
        let (id, secret) = returns::read_token(url)?;
        let wrong = || Error::invalid_request("return_url", "holds no token of a payment of ours");
        let record = match self.0.load(&id).await {
            Ok(record) => record,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(wrong()),
            Err(error) => return Err(error),
        };
        if !record.return_token.is(&secret) {
            return Err(wrong());
        }
        let engine = self.0.clone();
        self.0.calls.own(Box::pin(async move { Box::pin(engine.refresh(record)).await })).await
    }
}

impl Engine {
    /// A payment as it is stored, before something is done with it: what is in doubt about it is
    /// looked for first, and nothing follows from that yet. Says whether it was looked for.
    pub(crate) async fn look_first(&self, id: &PaymentId) -> Result<(PaymentRecord, bool)> {
        let record = self.load(id).await?;
        match self.asks_in_doubt(&record) {
            None => Ok((record, false)),
            Some(no) => Ok((Box::pin(self.look_in_doubt(record, no)).await?, true)),
        }
    }

    /// Reads an open payment from its provider when what is known is old.
    pub(crate) async fn refresh(&self, record: PaymentRecord) -> Result<PaymentRecord> {
        if let Some(no) = self.asks_in_doubt(&record) {
            let record = Box::pin(self.look_in_doubt(record, no)).await?;
            return Box::pin(self.drive(record)).await;
        }
        let fresh = |looked_at: Timestamp| self.now().since(looked_at) < self.settings.stale_after;
        // What a payer needs may not have been written down: then only a look has it.
        let is_whole = !record.lacks_way_to_pay();
        let looked_lately = record.looked_at.is_some_and(fresh) && is_whole;
        let waits_for_us = record.open_step().is_some();
        if record.status.is_final() || record.provider.is_none() || looked_lately || waits_for_us {
            return Box::pin(self.drive(record)).await;
        }
        let record = Box::pin(self.look_up(record)).await?;
        Box::pin(self.drive(record)).await
    }
    /// The attempt in doubt that a reader makes us ask for: now and then, since the ladder's next
    /// rung can be hours away.
    fn asks_in_doubt(&self, record: &PaymentRecord) -> Option<u32> {
        let now = self.now();
        let apart = self.settings.stale_after;
        // What is frozen waits for a person.
        let attempt = record.attempts.iter().find(|attempt| {
            attempt.state == AttemptState::Unknown && attempt.next_try_at.is_some()
        })?;
        let is_fresh = attempt.sent_at.is_some_and(|sent| now.since(sent) < apart);
        (!is_fresh && self.hints.may_ask(&record.id, apart, now)).then_some(attempt.no)
    }

    /// Asks what became of an attempt in doubt. What is found counts, as on the ladder. What is not
    /// found proves nothing: the ladder has its own times for that, and nothing is sent because of
    /// such a look, which can be old by then.
    async fn look_in_doubt(&self, record: PaymentRecord, no: u32) -> Result<PaymentRecord> {
        let Some(attempt) = record.attempt(no) else { return Ok(record) };
        let Ok(account) = self.account(&attempt.account) else { return Ok(record) };
        let by_reference = account.provider.capabilities().reference_lookup.is_some();
        let gives_back = attempt.gives_back;
        let lookup = match (&attempt.intent, record.handle_of_refund(attempt)) {
            (Intent::Create(create), _) if by_reference => {
                let (reference, options) = (create.reference.clone(), create.options.clone());
                PaymentLookup::Reference { reference, options }
            }
            (Intent::Create(_), _) | (_, None) => return Ok(record),
            (_, Some(handle)) => PaymentLookup::Payment(handle),
        };
        let asked_at = self.now();
        let Ok(payment) = self.ask(account, &lookup).await else { return Ok(record) };
        if gives_back.is_some() && !attempt.is_refund_of(&payment) {
            return Ok(record);
        }
        let (is_create, sends) = (attempt.is_create(), attempt.sends);
        let said = Said::from(&payment);
        let evidence =
            Evidence::Lookup { account: attempt.account.clone(), attempt: Some(no), said };
        let changed = self.change_known(&record, &evidence, |draft, now| {
            if draft.record.has_acted_since(&record) {
                return Ok(false);
            }
            let context = Context { asked_at, ..self.context(account, now) };
            if is_create {
                let outcome = Outcome::Payment(Box::new(payment.clone()));
                settle::settle(&mut draft.record, no, sends, outcome, &context);
                return Ok(true);
            }
            if let Some(of) = gives_back {
                observe::late(&mut draft.record, of, payment.clone(), now);
                observe::settle_steps(&mut draft.record, Some(of), &payment, &context);
            } else {
                observe::observe(&mut draft.record, payment.clone(), &context);
            }
            Ok(true)
        });
        changed.await?.into_record()
    }
}
