//! The review queue: what no rule may decide, and what a person decides about it.

use paymux_core::{
    Effect, Error, ErrorKind, PaymentHandle, PaymentLookup, PaymentStatus, ProviderPaymentId,
    Refund, RefundStatus, Result, Timestamp,
};

use crate::{
    Orchestrator, PaymentId,
    engine::{Changed, Engine},
    evidence::Evidence,
    observe,
    record::{Attempt, AttemptState, Intent, PaymentRecord, ReviewReason},
    settle,
    store::PaymentQuery,
};

/// What a person decides about a payment that waits for one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolution {
    /// The provider was asked by other means: the attempt in doubt did nothing and never will.
    /// Another account may then be tried.
    DidNothing,
    /// The provider was asked by other means: the step in doubt (a confirmation, a capture, a
    /// cancellation, a refund) was done.
    WasDone,
    /// The provider was asked by other means: it has the payment that was being created, under
    /// this id. It is read from there, and what it says counts.
    ItIs(ProviderPaymentId),
    /// The payment's own final status was contradicted, and the provider is right: it is read
    /// again, and what it says counts.
    ProviderIsRight,
    /// The amount that was taken, or the success without one, counts as paid in full.
    AcceptAmount,
    /// Money showed late on this object of an attempt that does not count any more: give it back
    /// there, all of it. The review is settled once its provider has done so.
    GiveBack(ProviderPaymentId),
    /// What was seen for this reason is right as it is, or was put right by other means.
    Dismiss(ReviewReason),
    /// Try again now.
    TryAgain,
}

impl Orchestrator {
    /// The payments that wait for a person, oldest first.
    ///
    /// # Errors
    /// `Unavailable` when the store is.
    pub async fn review_queue(&self, limit: u32) -> Result<Vec<PaymentRecord>> {
        let query = PaymentQuery { review: Some(true), limit, ..PaymentQuery::default() };
        self.list_payments(&query).await
    }

    /// Settles what waits for a person. Who decided, and why, is kept in the history.
    ///
    /// # Errors
    /// `Conflict` when the payment does not wait for this decision, `NotFound` when there is no
    /// such payment; whatever the provider says when it is asked for [`Resolution::ItIs`].
    pub async fn resolve_review(
        &self,
        id: &PaymentId,
        resolution: Resolution,
        who: &str,
        why: &str,
    ) -> Result<PaymentRecord> {
        for (field, text) in [("who", who), ("why", why)] {
            if text.trim().is_empty() {
                return Err(Error::invalid_request(field, "must be said"));
            }
        }
        let (engine, id) = (self.0.clone(), id.clone());
        let (who, why) = (who.to_owned(), why.to_owned());
        self.0.calls.own(async move { engine.resolve(&id, resolution, who, &why).await }).await
    }
}

impl Engine {
    async fn resolve(
        &self,
        id: &PaymentId,
        resolution: Resolution,
        who: String,
        why: &str,
    ) -> Result<PaymentRecord> {
        let evidence =
            |what: &str| Evidence::Person { who: who.clone(), decision: format!("{what}: {why}") };
        let changed = match resolution {
            Resolution::DidNothing => {
                let evidence = evidence("the attempt did nothing");
                self.change(id, &evidence, |draft, now| did_nothing(&mut draft.record, now)).await?
            }
            Resolution::WasDone => {
                let evidence = evidence("the step was done");
                self.change(id, &evidence, |draft, now| was_done(&mut draft.record, now)).await?
            }
            Resolution::GiveBack(object) => {
                self.give_back(id, &object, &evidence("what showed late is given back")).await?
            }
            Resolution::ItIs(object) => self.adopt(id, object, &evidence("it is there")).await?,
            Resolution::ProviderIsRight => {
                self.believe(id, &evidence("the provider is right")).await?
            }
            Resolution::AcceptAmount => {
                let evidence = evidence("the amount counts");
                self.change(id, &evidence, |draft, _| accept_amount(&mut draft.record)).await?
            }
            Resolution::Dismiss(reason) => {
                let evidence = evidence(&format!("\"{reason}\" is right as it is"));
                self.change(id, &evidence, |draft, _| dismiss(&mut draft.record, reason)).await?
            }
            Resolution::TryAgain => {
                let evidence = evidence("try again");
                self.change(id, &evidence, |draft, now| {
                    try_again(&mut draft.record, now);
                    Ok(true)
                })
                .await?
            }
        };
        self.drive(changed.into_record()?).await
    }

    /// Reads the payment, and takes the provider's word over ours.
    async fn believe(&self, id: &PaymentId, evidence: &Evidence) -> Result<Changed> {
        let record = self.load(id).await?;
        if !record.is_under_review(ReviewReason::Contradiction) {
            return Err(nothing_waits(&record));
        }
        let payment = self.read_again(&record).await?;
        let account = self.account(&payment.provider)?;
        self.change(id, evidence, |draft, now| {
            let record = &mut draft.record;
            if record.provider.as_ref().is_none_or(|known| known.id != payment.id) {
                return Err(nothing_waits(record));
            }
            // Ours is forgotten, so that the table forbids nothing.
            record.provider = None;
            record.status = PaymentStatus::Processing;
            record.settle_review(ReviewReason::Contradiction);
            observe::believe_refunds(record);
            let context = self.context(account, now);
            observe::observe(record, payment.clone(), &context);
            Ok(true)
        })
        .await
    }

    /// A person knows under which id the provider has the payment.
    async fn adopt(
        &self,
        id: &PaymentId,
        object: ProviderPaymentId,
        evidence: &Evidence,
    ) -> Result<Changed> {
        let record = self.load(id).await?;
        let attempt = in_doubt(&record)?;
        if !attempt.is_create() {
            return Err(nothing_waits(&record));
        }
        let account = self.account(&attempt.account)?;
        let mut handle = PaymentHandle::new(object);
        handle.options = record.request.options.clone();
        handle.mandate.clone_from(&record.request.mandate);
        let payment = self.ask(account, &PaymentLookup::Payment(handle)).await?;
        let no = attempt.no;
        self.change(id, evidence, |draft, now| {
            let attempt = in_doubt(&draft.record)?;
            if attempt.no != no {
                return Err(nothing_waits(&draft.record));
            }
            let context = self.context(account, now);
            let mismatch = settle::mismatch(&draft.record, no, &payment, context.capabilities);
            if let Some(mismatch) = mismatch {
                return Err(Error::invalid_request("object", mismatch));
            }
            if let Some(attempt) = draft.record.attempt_mut(no) {
                attempt.object = Some(payment.id.clone());
            }
            settle::close(&mut draft.record, no, AttemptState::Accepted, now);
            draft.record.settle_reviews_of(no);
            observe::observe(&mut draft.record, payment.clone(), &context);
            Ok(true)
        })
        .await
    }
}

fn did_nothing(record: &mut PaymentRecord, now: Timestamp) -> Result<bool> {
    let attempt = in_doubt(record)?;
    let (no, is_create) = (attempt.no, attempt.is_create());
    if is_create {
        settle::abandon(record, no, now);
    }
    settle::close(record, no, AttemptState::NotCharged, now);
    record.settle_reviews_of(no);
    Ok(true)
}

fn was_done(record: &mut PaymentRecord, now: Timestamp) -> Result<bool> {
    let attempt = in_doubt(record)?;
    if attempt.is_create() {
        let message = "a payment that was being created has an id at its provider: say which";
        return Err(Error::invalid_request("resolution", message));
    }
    let no = attempt.no;
    if let Some(attempt) = record.attempt_mut(no)
        && matches!(attempt.intent, Intent::Refund(_))
    {
        let mut refund = Refund::new(RefundStatus::Succeeded, "by a person's word");
        refund.amount = attempt.reserved;
        attempt.refund = Some(refund);
    }
    settle::close(record, no, AttemptState::Accepted, now);
    record.settle_reviews_of(no);
    record.look_at(now);
    Ok(true)
}

fn accept_amount(record: &mut PaymentRecord) -> Result<bool> {
    let unreported = record.is_under_review(ReviewReason::UnreportedAmount);
    let short = record.is_under_review(ReviewReason::ShortAmount);
    if !unreported && !short {
        return Err(nothing_waits(record));
    }
    record.unreported_amount_accepted |= unreported;
    let captured = record.provider.as_ref().and_then(|payment| payment.amounts.captured);
    if short {
        record.accepted_amount = captured;
    }
    record.settle_review(ReviewReason::UnreportedAmount);
    record.settle_review(ReviewReason::ShortAmount);
    Ok(true)
}

fn dismiss(record: &mut PaymentRecord, reason: ReviewReason) -> Result<bool> {
    if !record.is_under_review(reason) {
        return Err(nothing_waits(record));
    }
    let frozen = record.open_attempt().is_some_and(|attempt| attempt.next_try_at.is_none());
    if frozen {
        let message = "an attempt is in doubt because of it: say what became of it";
        return Err(Error::invalid_request("resolution", message));
    }
    record.settle_review(reason);
    Ok(true)
}

fn try_again(record: &mut PaymentRecord, now: Timestamp) {
    match in_doubt(record).map(|attempt| attempt.no) {
        Ok(no) => wake(record, no, now),
        Err(_) => record.look_at(now),
    }
}

fn wake(record: &mut PaymentRecord, no: u32, now: Timestamp) {
    if let Some(attempt) = record.attempt_mut(no) {
        attempt.next_try_at = Some(now);
        attempt.rung = 0;
        attempt.wanted_again = true;
        attempt.seen_unchanged = false;
    }
}

fn in_doubt(record: &PaymentRecord) -> Result<&Attempt> {
    let attempt = record.open_attempt().filter(|attempt| attempt.state == AttemptState::Unknown);
    attempt.ok_or_else(|| nothing_waits(record))
}

fn nothing_waits(record: &PaymentRecord) -> Error {
    let message = format!("{} does not wait for this decision", record.id);
    Error::new(ErrorKind::Conflict, Effect::None, message)
}
