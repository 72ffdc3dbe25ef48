//! A refund that its provider has, and of which nothing more is heard.

use paymux_core::{Refund, RefundLookup, RefundStatus, Result};

use super::{
    Person, before_writing,
    doubt::{ended_as, is_for_a_person},
    named, waits_not,
};
use crate::{
    engine::{Changed, Engine},
    evidence::Said,
    observe,
    record::{Intent, PaymentRecord, ReviewReason},
    settle::{another_refund, refund_mismatch},
};

impl Engine {
    /// A person says how a refund ended that is under way. One with an id of its own is asked for
    /// and ends by what its provider says; of one without, the payment's amounts are all there is.
    pub(super) async fn end_refund(
        &self,
        record: PaymentRecord,
        no: u32,
        end: RefundStatus,
        person: &Person,
    ) -> Result<Changed> {
        let attempt = named(&record, no)?;
        if !is_for_a_person(&record, attempt, self.now()) {
            return Err(waits_not(&record, &format!("attempt {no} is under way")));
        }
        let done = end == RefundStatus::Succeeded;
        let what = if done { "was done" } else { "came to nothing" };
        let what = format!("refund {no} {what}");
        if attempt.refund.as_ref().is_some_and(|refund| refund.id.is_some()) {
            let refund = self.ask_refund(&record, no).await?;
            if refund.status != end {
                let why = format!("its provider says that it is {}", refund.status);
                return Err(waits_not(&record, &why));
            }
            let evidence = person.decides(&what, Some(Said::from(&refund)));
            return self
                .decide(&record, &evidence, |record, now| {
                    // Whatever amount it says: what was reserved for it stays so.
                    if let Some(note) = another_refund(record, no, &refund) {
                        return Err(waits_not(record, &note));
                    }
                    observe::believe_refund(record, no, &refund, now);
                    record.settle_reviews_of(no);
                    record.look_at(now);
                    Ok(())
                })
                .await;
        }
        let word = self.ask_about(&record, attempt).await?;
        self.decide(&record, &person.decides(&what, word.said()), |record, now| {
            self.take_word_in(record, no, &word, now)?;
            let Some(attempt) = record.attempt(no) else { return Ok(()) };
            let under_way = attempt.is_refund_under_way();
            let shown = attempt.refund.as_ref().map(|refund| refund.status);
            if !under_way && shown != Some(end) {
                return Err(waits_not(record, "its provider shows that it was done"));
            }
            if done && attempt.seen_unchanged {
                return Err(waits_not(record, "its provider shows that it was not done"));
            }
            if under_way {
                observe::believe_refund(record, no, &ended_as(end, attempt.reserved), now);
            }
            record.settle_reviews_of(no);
            record.look_at(now);
            Ok(())
        })
        .await
    }

    /// A refund's final word was contradicted: what its provider says now counts.
    pub(super) async fn refund_is_right(
        &self,
        record: PaymentRecord,
        no: u32,
        person: &Person,
    ) -> Result<Changed> {
        let refund = self.ask_refund(&record, no).await?;
        if refund.status == RefundStatus::Unknown {
            return Err(waits_not(&record, "what its provider says of it is not documented"));
        }
        // The figures of what it gives back, too, are those of now: by ours the money may still be
        // gone.
        let attempt = named(&record, no)?;
        let payment = match (attempt.gives_back, &attempt.intent) {
            (Some(of), Intent::Refund(request)) => {
                let left = named(&record, of)?;
                self.ask_for_object(&record, left, &request.payment.id).await?.payment
            }
            _ => self.ask_again(&record).await?.payment,
        };
        let of = attempt.gives_back;
        let what = "its provider is right about the refund";
        let evidence = person.decides(what, Some(Said::from(&refund)));
        self.decide(&record, &evidence, |record, now| {
            if let Some(note) = refund_mismatch(record, no, &refund) {
                return Err(waits_not(record, &note));
            }
            observe::believe_refund(record, no, &refund, now);
            record.settle_one(ReviewReason::Contradiction, no);
            let known = match of.and_then(|of| record.attempt_mut(of)) {
                Some(left) => left.left.iter_mut().find(|known| known.id == payment.id),
                None => record.provider.as_mut().filter(|known| known.id == payment.id),
            };
            if let Some(known) = known.filter(|known| known.status == payment.status) {
                known.amounts = payment.amounts.clone();
            }
            record.look_at(now);
            Ok(())
        })
        .await
    }

    /// What was seen of a refund is no more so, by its provider's word of now.
    pub(super) async fn refund_says_it_no_more(
        &self,
        record: PaymentRecord,
        no: u32,
        reason: ReviewReason,
        person: &Person,
    ) -> Result<Changed> {
        let refund = self.ask_refund(&record, no).await?;
        let what = format!("\"{reason}\" is no more so");
        let evidence = person.decides(&what, Some(Said::from(&refund)));
        self.decide(&record, &evidence, |record, now| {
            record.settle_one(reason, no);
            observe::observe_refund(record, no, &refund, now);
            let known = record.attempt(no).and_then(|attempt| attempt.refund.as_ref());
            let agrees = known.is_some_and(|known| known.status == refund.status);
            if !agrees || record.asks(reason, no) {
                let why = format!("its provider says that the refund is {}", refund.status);
                return Err(waits_not(record, &why));
            }
            if let Some(attempt) = record.attempt_mut(no) {
                attempt.refund_contradicted = None;
            }
            Ok(())
        })
        .await
    }

    /// What the account says of a refund that has an id of its own.
    async fn ask_refund(&self, record: &PaymentRecord, no: u32) -> Result<Refund> {
        let attempt = named(record, no)?;
        let id = attempt.refund.as_ref().and_then(|refund| refund.id.clone());
        let id = id.ok_or_else(|| waits_not(record, "the refund has no id to be asked for"))?;
        let lookup = RefundLookup { id, payment: record.handle_of_refund(attempt) };
        let account = self.account(&attempt.account)?;
        self.ask_for_refund(account, &lookup).await.map_err(before_writing)
    }
}
