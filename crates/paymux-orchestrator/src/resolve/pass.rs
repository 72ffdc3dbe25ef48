//! What a person lets pass.

use paymux_core::{ErrorKind, Money, PaymentStatus, Result};

use super::{Person, named, object::took_over, waits_not};
use crate::{
    engine::{Changed, Engine},
    evidence::Said,
    observe,
    record::{AttemptState, Intent, PaymentRecord, Review, ReviewReason},
    settle::{self, Context},
};

impl Engine {
    pub(super) async fn accept_amount(
        &self,
        record: PaymentRecord,
        no: u32,
        amount: Option<Money>,
        person: &Person,
    ) -> Result<Changed> {
        named(&record, no)?;
        let asks = |review: &Review| review.reason.is_about_amounts() && review.attempt == Some(no);
        if !record.reviews.iter().any(asks) && !took_less_itself(&record, no) {
            return Err(waits_not(&record, "no amount is in question"));
        }
        let asked = self.ask_again(&record).await?;
        let account = self.account(&asked.payment.provider)?;
        let what = match amount {
            Some(amount) => format!("{amount} counts"),
            None => "what nobody says counts".to_owned(),
        };
        let evidence = person.decides(&what, Some(Said::from(&asked.payment)));
        self.decide(&record, &evidence, |record, now| {
            let context = Context { asked_at: asked.at, ..self.context(account, now) };
            let live = record.live().map(|live| live.no);
            if let Some(note) = live
                .and_then(|no| settle::mismatch(record, no, &asked.payment, context.capabilities))
            {
                return Err(waits_not(record, &note));
            }
            observe::observe(record, asked.payment.clone(), &context);
            took_over(record, &asked.payment)?;
            let captured = record.provider.as_ref().and_then(|known| known.amounts.captured);
            if captured != amount {
                let why = match captured {
                    Some(captured) => format!("{captured} was taken"),
                    None => "nobody says how much was taken".to_owned(),
                };
                return Err(waits_not(record, &why));
            }
            match amount {
                Some(_) => record.accepted_amount = amount,
                None => record.unreported_amount_accepted = true,
            }
            record.reviews.retain(|review| !review.reason.is_about_amounts());
            Ok(())
        })
        .await
    }

    pub(super) async fn dismiss(
        &self,
        record: PaymentRecord,
        no: u32,
        reason: ReviewReason,
        person: &Person,
    ) -> Result<Changed> {
        let attempt = named(&record, no)?;
        if !record.asks(reason, no) {
            return Err(waits_not(&record, &format!("attempt {no} has no such review")));
        }
        let is_frozen = attempt.state == AttemptState::Unknown
            && (attempt.next_try_at.is_none() || reason == ReviewReason::Mismatch);
        if is_frozen {
            let why = format!("attempt {no} is in doubt because of it: say what became of it");
            return Err(waits_not(&record, &why));
        }
        match reason {
            ReviewReason::UnreportedAmount
            | ReviewReason::ShortAmount
            | ReviewReason::EndedWithMoney => {
                let why = "say that the amount counts, or give it back";
                Err(waits_not(&record, why))
            }
            ReviewReason::StillInDoubt | ReviewReason::NoEnd | ReviewReason::StepRefused => {
                self.let_be(record, no, reason, person).await
            }
            ReviewReason::LateSuccess => self.nothing_is_left(record, no, person).await,
            ReviewReason::Mismatch | ReviewReason::Contradiction | ReviewReason::SharedObject => {
                self.says_it_no_more(record, no, reason, person).await
            }
        }
    }

    /// Nothing follows from it but looks, and it is shown again when it is still so for long.
    async fn let_be(
        &self,
        record: PaymentRecord,
        no: u32,
        reason: ReviewReason,
        person: &Person,
    ) -> Result<Changed> {
        let evidence = person.decides(&format!("\"{reason}\" needs nothing now"), None);
        self.decide(&record, &evidence, |record, now| {
            record.settle_one(reason, no);
            let note = String::new();
            record.let_pass.retain(|review| !review.is(reason, no));
            record.let_pass.push(Review { reason, attempt: Some(no), note, since: now });
            if reason == ReviewReason::NoEnd {
                record.looks = 0;
            }
            // A step that was refused, or put off, is the merchant's to ask for.
            record.steps_by_hand |= reason == ReviewReason::StepRefused;
            if record.provider.is_some() && !record.status.is_final() {
                record.look_at(now);
            }
            Ok(())
        })
        .await
    }

    /// The provider is asked: what it still says is no less so for a person's word.
    async fn says_it_no_more(
        &self,
        record: PaymentRecord,
        no: u32,
        reason: ReviewReason,
        person: &Person,
    ) -> Result<Changed> {
        let attempt = named(&record, no)?;
        if matches!(attempt.intent, Intent::Refund(_)) {
            return self.refund_says_it_no_more(record, no, reason, person).await;
        }
        if attempt.was_given_up() && reason == ReviewReason::SharedObject {
            return self.left_is_shared_no_more(record, no, person).await;
        }
        let asked = match self.ask_again(&record).await {
            // Nobody but a person can know what was there once.
            Err(error)
                if error.kind() == ErrorKind::NotFound && reason == ReviewReason::Contradiction =>
            {
                let what = "ours is right, though its provider does not know it any more";
                let evidence = person.decides(what, Some(Said::NotFound));
                let settle = |record: &mut PaymentRecord, _| {
                    record.settle_one(reason, no);
                    Ok(())
                };
                return self.decide(&record, &evidence, settle).await;
            }
            asked => asked?,
        };
        let account = self.account(&asked.payment.provider)?;
        if let Some(object) = self.anothers(&record, &asked.payment).await? {
            let why = format!("{object} still belongs to another payment");
            return Err(waits_not(&record, &why));
        }
        let what = format!("\"{reason}\" is no more so");
        let evidence = person.decides(&what, Some(Said::from(&asked.payment)));
        self.decide(&record, &evidence, |record, now| {
            let context = Context { asked_at: asked.at, ..self.context(account, now) };
            record.settle_one(reason, no);
            observe::observe(record, asked.payment.clone(), &context);
            match record.reviews.iter().find(|review| review.reason == reason) {
                Some(review) => Err(waits_not(record, &format!("still so: {}", review.note))),
                None if record.status != asked.payment.status => {
                    let why = format!("its provider says {}", asked.payment.status);
                    Err(waits_not(record, &why))
                }
                None => Ok(()),
            }
        })
        .await
    }

    /// Whatever an attempt left behind has to be nobody else's.
    async fn left_is_shared_no_more(
        &self,
        record: PaymentRecord,
        no: u32,
        person: &Person,
    ) -> Result<Changed> {
        let attempt = named(&record, no)?;
        let mut seen = Vec::new();
        let left = attempt.left.iter().map(|left| &left.id);
        let own = attempt.object.iter().filter(|id| attempt.left.iter().all(|it| it.id != **id));
        for id in left.chain(own) {
            seen.push(self.ask_for_object(&record, attempt, id).await?.payment);
        }
        // What is another's is not kept: it may be there all the same.
        if seen.is_empty() {
            seen.extend(self.ask_for_left(&record, attempt).await?);
        }
        let said = seen.last().map(Said::from);
        let what = format!("\"{}\" is no more so", ReviewReason::SharedObject);
        self.decide(&record, &person.decides(&what, said), |record, now| {
            record.settle_one(ReviewReason::SharedObject, no);
            for payment in &seen {
                observe::late(record, no, payment.clone(), now);
            }
            Ok(())
        })
        .await
    }

    /// Whatever an attempt left behind has to show no money any more.
    async fn nothing_is_left(
        &self,
        record: PaymentRecord,
        no: u32,
        person: &Person,
    ) -> Result<Changed> {
        let attempt = named(&record, no)?;
        let mut seen = Vec::new();
        for left in attempt.left.iter().filter(|left| observe::has_money(left)) {
            let asked = self.ask_for_object(&record, attempt, &left.id).await?;
            if observe::has_money(&asked.payment) {
                let (id, status) = (&left.id, asked.payment.status);
                let why = format!("{id} is {status}: give it back, or let it count");
                return Err(waits_not(&record, &why));
            }
            seen.push(asked.payment);
        }
        let said = seen.last().map(Said::from);
        let what = "what it left behind shows no money any more";
        self.decide(&record, &person.decides(what, said), |record, _| {
            if let Some(attempt) = record.attempt_mut(no) {
                for payment in &seen {
                    attempt.leave(payment.clone());
                }
            }
            record.settle_one(ReviewReason::LateSuccess, no);
            Ok(())
        })
        .await
    }
}

/// The merchant captured less than was asked for: whether that is all of it is its own to say.
fn took_less_itself(record: &PaymentRecord, no: u32) -> bool {
    let captures = record.attempts.iter().filter(|it| it.state == AttemptState::Accepted);
    let in_part = captures
        .into_iter()
        .any(|it| matches!(&it.intent, Intent::Capture(capture) if capture.amount.is_some()));
    let has_it = record.live().is_some_and(|live| live.no == no);
    in_part && has_it && record.status == PaymentStatus::Succeeded
}
