//! The review queue: what no rule may decide, and what a person decides about it.

use paymux_core::{Error, ProviderPaymentId, Result};

use crate::{
    Orchestrator, PaymentId,
    engine::Engine,
    evidence::Evidence,
    observe,
    record::{Attempt, AttemptState, PaymentRecord, ReviewReason},
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
    /// The provider was asked by other means: it has the payment, under this id. It is read from
    /// there, and what it says counts.
    ItIs(ProviderPaymentId),
    /// What was seen is right as it is.
    Dismiss,
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
                self.change(id, &evidence, |draft, now| {
                    let no = in_doubt(&draft.record)?.no;
                    let is_create = in_doubt(&draft.record)?.is_create();
                    if is_create {
                        settle::abandon(&mut draft.record, no, now);
                    }
                    settle::close(&mut draft.record, no, AttemptState::NotCharged, now);
                    draft.record.settle_reviews(Some(no));
                    Ok(true)
                })
                .await?
            }
            Resolution::ItIs(object) => self.adopt(id, object, &evidence("it is there")).await?,
            Resolution::Dismiss => {
                let evidence = evidence("it is right as it is");
                self.change(id, &evidence, |draft, now| {
                    if draft.record.reviews.is_empty() {
                        return Err(nothing_waits(&draft.record));
                    }
                    let reported = draft.record.is_under_review(ReviewReason::UnreportedAmount);
                    draft.record.unreported_amount_accepted |= reported;
                    let frozen = in_doubt(&draft.record).map(|attempt| attempt.no);
                    if let Ok(no) = frozen {
                        wake(&mut draft.record, no, now);
                    }
                    draft.record.settle_reviews(None);
                    Ok(true)
                })
                .await?
            }
            Resolution::TryAgain => {
                let evidence = evidence("try again");
                self.change(id, &evidence, |draft, now| {
                    let frozen = in_doubt(&draft.record).map(|attempt| attempt.no);
                    match frozen {
                        Ok(no) => wake(&mut draft.record, no, now),
                        Err(_) => draft.record.look_at(now),
                    }
                    Ok(true)
                })
                .await?
            }
        };
        self.drive(changed.into_record()?).await
    }

    /// A person knows under which id the provider has the payment.
    async fn adopt(
        &self,
        id: &PaymentId,
        object: ProviderPaymentId,
        evidence: &Evidence,
    ) -> Result<crate::engine::Changed> {
        let record = self.load(id).await?;
        let attempt = in_doubt(&record)?;
        let account = self.account(&attempt.account)?;
        let mut handle = paymux_core::PaymentHandle::new(object);
        handle.options = record.request.options.clone();
        handle.mandate.clone_from(&record.request.mandate);
        let payment = self.ask(account, &paymux_core::PaymentLookup::Payment(handle)).await?;
        let no = attempt.no;
        self.change(id, evidence, |draft, now| {
            let attempt = in_doubt(&draft.record)?;
            if attempt.no != no {
                return Err(nothing_waits(&draft.record));
            }
            let context = self.context(account, now);
            if let Some(attempt) = draft.record.attempt_mut(no) {
                attempt.object = Some(payment.id.clone());
            }
            settle::close(&mut draft.record, no, AttemptState::Accepted, now);
            draft.record.settle_reviews(Some(no));
            observe::observe(&mut draft.record, payment.clone(), &context);
            Ok(true)
        })
        .await
    }
}

fn wake(record: &mut PaymentRecord, no: u32, now: paymux_core::Timestamp) {
    if let Some(attempt) = record.attempt_mut(no) {
        attempt.next_try_at = Some(now);
        attempt.seen_unchanged = false;
    }
}

fn in_doubt(record: &PaymentRecord) -> Result<&Attempt> {
    let attempt = record.open_attempt().filter(|attempt| attempt.state == AttemptState::Unknown);
    attempt.ok_or_else(|| nothing_waits(record))
}

fn nothing_waits(record: &PaymentRecord) -> Error {
    use paymux_core::{Effect, ErrorKind};
    let message = format!("{} does not wait for this decision", record.id);
    Error::new(ErrorKind::Conflict, Effect::None, message)
}
