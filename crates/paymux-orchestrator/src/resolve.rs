//! The review queue: what no rule may decide, and what a person decides about it.
//!
//! A decision names the attempt that it is about, so that it cannot hit another one that came to
//! be in doubt meanwhile. Where the provider can be asked it is asked first; what it says is kept
//! with the decision, and a decision that it disproves is refused.

use std::pin::Pin;

use paymux_core::{Effect, Error, ErrorKind, Money, Payment, ProviderPaymentId, Result, Timestamp};

use crate::{
    Orchestrator, PaymentId,
    draft::Draft,
    engine::{Changed, Engine, after_writing},
    evidence::{Evidence, Said},
    record::{Attempt, PaymentRecord, ReviewReason},
    store::PaymentQuery,
};

mod doubt;
mod object;
mod pass;
mod refund;

/// What a person decides about a payment that waits for one. Which is possible for which reason,
/// and what follows, is a table in the crate's documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resolution {
    /// The provider was asked by other means: this attempt, which is in doubt, did nothing and
    /// never will. Another account may then be tried. For a refund that its provider has: it came
    /// to nothing.
    DidNothing {
        /// Which.
        attempt: u32,
    },
    /// The provider was asked by other means: this step, which is in doubt (a confirmation, a
    /// capture, a cancellation, a refund), was done.
    WasDone {
        /// Which.
        attempt: u32,
    },
    /// The provider was asked by other means: it has the payment that this attempt was to create,
    /// under this id. It is read from there, and what it says counts.
    ItIs {
        /// Which.
        attempt: u32,
        /// The provider's id.
        object: ProviderPaymentId,
    },
    /// This object counts, although it says another amount than was asked for, or although it had
    /// been given up. It is read, and what it says counts. Nothing else of the payment may be able
    /// to take money: what is, is to be ended first.
    ItCounts {
        /// The attempt that the review is about.
        attempt: u32,
        /// The provider's id.
        object: ProviderPaymentId,
    },
    /// The payment's own final status, or a refund's, was contradicted, and the provider is right:
    /// it is read again, and what it says counts.
    ProviderIsRight {
        /// The attempt that the review is about.
        attempt: u32,
    },
    /// This amount, or the success without one, is right: where it succeeded it counts as paid in
    /// full.
    AcceptAmount {
        /// The attempt that the review is about.
        attempt: u32,
        /// What was taken; `None` where nobody says.
        amount: Option<Money>,
    },
    /// Money showed late on this object of an attempt that does not count any more: give it back
    /// there, all of it. The review is settled once its provider has done so.
    GiveBack {
        /// The attempt that the review is about.
        attempt: u32,
        /// The provider's id.
        object: ProviderPaymentId,
    },
    /// What was seen for this reason is no more so, or needs nothing.
    Dismiss {
        /// The attempt that the review is about.
        attempt: u32,
        /// Why it waited.
        reason: ReviewReason,
    },
    /// Try again now: what is in doubt by its own rules, and else look again.
    TryAgain {
        /// The attempt in doubt, or the one that has the payment, or a refund under way, or one that
        /// was given up and left what another payment has.
        attempt: u32,
    },
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

    /// Settles what waits for a person. Who decided, why, and what the provider said when it was
    /// asked about it is kept in the history.
    ///
    /// # Errors
    /// `Conflict` when this attempt does not wait for this decision, or no more, or when the
    /// provider says otherwise; `InvalidRequest` naming the field; `NotFound` when there is no such
    /// payment; whatever the provider says when it cannot be asked. Effect `None`: nothing was
    /// written. Effect `Possible`: the decision is written down, or may be; read the payment before
    /// deciding again.
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
        let person = Person { who: who.to_owned(), why: why.to_owned() };
        let work =
            Box::pin(async move { Box::pin(engine.resolve(&id, resolution, &person)).await });
        self.0.calls.own(work).await
    }
}

/// Who decides, and why.
struct Person {
    who: String,
    why: String,
}

impl Person {
    fn decides(&self, what: &str, said: Option<Said>) -> Evidence {
        let decision = format!("{what}: {}", self.why);
        Evidence::Person { who: self.who.clone(), decision, said }
    }
}

/// What an account said of a payment when it was asked at that time.
struct Asked {
    payment: Payment,
    at: Timestamp,
}

impl Engine {
    async fn resolve(
        &self,
        id: &PaymentId,
        resolution: Resolution,
        person: &Person,
    ) -> Result<PaymentRecord> {
        let record = self.load(id).await?;
        // Each on the heap: together they would make every future as large as the largest.
        let work: Pin<Box<dyn Future<Output = Result<Changed>> + Send + '_>> = match resolution {
            Resolution::DidNothing { attempt } => {
                Box::pin(self.did_nothing(record, attempt, person))
            }
            Resolution::WasDone { attempt } => Box::pin(self.was_done(record, attempt, person)),
            Resolution::ItIs { attempt, object } => {
                Box::pin(self.it_is(record, attempt, object, person))
            }
            Resolution::ItCounts { attempt, object } => {
                Box::pin(self.it_counts(record, attempt, object, person))
            }
            Resolution::ProviderIsRight { attempt } => {
                Box::pin(self.provider_is_right(record, attempt, person))
            }
            Resolution::AcceptAmount { attempt, amount } => {
                Box::pin(self.accept_amount(record, attempt, amount, person))
            }
            Resolution::GiveBack { attempt, object } => Box::pin(async move {
                named(&record, attempt)?;
                let what = "what showed late is given back";
                let evidence = |said| person.decides(what, Some(said));
                self.give_back(&record, attempt, &object, evidence).await
            }),
            Resolution::Dismiss { attempt, reason } => {
                Box::pin(self.dismiss(record, attempt, reason, person))
            }
            Resolution::TryAgain { attempt } => Box::pin(self.try_again(record, attempt, person)),
        };
        let changed = work.await?;
        if let Changed::Shared(record) = &changed {
            let why = "what its provider names belongs to another payment, which is written down";
            return Err(after_writing(waits_not(record, why)));
        }
        // The decision is written: whoever reads an error must not take it for not made.
        self.drive(changed.into_record()?).await.map_err(after_writing)
    }

    /// Writes a decision about what was seen. It is refused when anything was done since.
    pub(crate) async fn decide(
        &self,
        seen: &PaymentRecord,
        evidence: &Evidence,
        work: impl Fn(&mut PaymentRecord, Timestamp) -> Result<()> + Send + Sync,
    ) -> Result<Changed> {
        self.change(&seen.id, evidence, |draft: &mut Draft<'_>, now| {
            let record = &mut draft.record;
            if record.has_acted_since(seen) || record.account() != seen.account() {
                return Err(waits_not(record, "something was done meanwhile: look again"));
            }
            work(record, now)?;
            Ok(true)
        })
        .await
    }

    /// What the account that has the payment says now.
    async fn ask_again(&self, record: &PaymentRecord) -> Result<Asked> {
        let at = self.now();
        let payment = self.read_again(record).await.map_err(before_writing)?;
        Ok(Asked { payment, at })
    }
}

/// The attempt that a decision names.
fn named(record: &PaymentRecord, no: u32) -> Result<&Attempt> {
    record.attempt(no).ok_or_else(|| waits_not(record, &format!("it has no attempt {no}")))
}

fn waits_not(record: &PaymentRecord, why: &str) -> Error {
    let message = format!("{} does not wait for this decision: {why}", record.id);
    Error::new(ErrorKind::Conflict, Effect::None, message)
}

/// Reading moves nothing, and nothing was written before it.
fn before_writing(error: Error) -> Error {
    error.with_effect(Effect::None)
}
