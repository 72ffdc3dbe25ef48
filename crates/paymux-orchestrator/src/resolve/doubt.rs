//! What is in doubt: whether a call did something.

use paymux_core::{
    Error, ErrorKind, Money, PaymentLookup, Refund, RefundStatus, Result, Timestamp,
};

use super::{Asked, Person, before_writing, named, waits_not};
use crate::{
    engine::{Changed, Engine},
    evidence::Said,
    ladder::PARK_AFTER,
    observe,
    plan::must_not_take,
    record::{Attempt, AttemptState, Intent, PaymentRecord, ReviewReason},
    settle::{self, Context},
};

/// What the account of an attempt says of it, as far as it can be asked.
pub(super) enum Word {
    Seen(Box<Asked>),
    NotFound,
    /// It cannot be asked: a person's word is all there is.
    None,
}

impl Word {
    pub(super) fn said(&self) -> Option<Said> {
        match self {
            Self::Seen(asked) => Some(Said::from(&asked.payment)),
            Self::NotFound => Some(Said::NotFound),
            Self::None => None,
        }
    }
}

impl Engine {
    pub(super) async fn did_nothing(
        &self,
        record: PaymentRecord,
        no: u32,
        person: &Person,
    ) -> Result<Changed> {
        if named(&record, no)?.is_refund_under_way() {
            return self.end_refund(record, no, RefundStatus::Failed, person).await;
        }
        let attempt = in_doubt_for_long(&record, no, self.now())?;
        let is_create = attempt.is_create();
        let takes_money = matches!(attempt.intent, Intent::Confirm(_) | Intent::Capture(_));
        let word = self.ask_about(&record, attempt).await?;
        if let (true, Word::Seen(asked)) = (is_create, &word) {
            let (id, status) = (&asked.payment.id, asked.payment.status);
            let why = format!("its provider has it, {id}, which is {status}");
            return Err(waits_not(&record, &why));
        }
        let what = format!("attempt {no} did nothing");
        self.decide(&record, &person.decides(&what, word.said()), |record, now| {
            self.take_word_in(record, no, &word, now)?;
            if record.attempt(no).is_some_and(|attempt| attempt.state == AttemptState::Accepted) {
                return Err(waits_not(record, "its provider shows that it was done"));
            }
            if is_create {
                settle::abandon(record, no, now);
            }
            settle::close(record, no, AttemptState::NotCharged, now);
            record.settle_reviews_of(no);
            // Whoever waited for the step may not want it any more.
            record.steps_by_hand |= takes_money;
            Ok(())
        })
        .await
    }

    pub(super) async fn was_done(
        &self,
        record: PaymentRecord,
        no: u32,
        person: &Person,
    ) -> Result<Changed> {
        if named(&record, no)?.is_refund_under_way() {
            return self.end_refund(record, no, RefundStatus::Succeeded, person).await;
        }
        let attempt = in_doubt_for_long(&record, no, self.now())?;
        if attempt.is_create() {
            let message = "a payment that was being created has an id at its provider: say which";
            return Err(Error::invalid_request("resolution", message));
        }
        let word = self.ask_about(&record, attempt).await?;
        let what = format!("attempt {no} was done");
        self.decide(&record, &person.decides(&what, word.said()), |record, now| {
            self.take_word_in(record, no, &word, now)?;
            let Some(attempt) = record.attempt(no) else { return Ok(()) };
            if attempt.seen_unchanged || attempt.state == AttemptState::Rejected {
                return Err(waits_not(record, "its provider shows that it was not done"));
            }
            if attempt.state.is_open() {
                if matches!(attempt.intent, Intent::Refund(_)) {
                    observe::believe_refund(
                        record,
                        no,
                        &ended_as(RefundStatus::Succeeded, attempt.reserved),
                        now,
                    );
                }
                settle::close(record, no, AttemptState::Accepted, now);
            }
            record.settle_reviews_of(no);
            record.look_at(now);
            Ok(())
        })
        .await
    }

    /// Has what is in doubt tried again by its own rules, and what is not looked at.
    pub(super) async fn try_again(
        &self,
        record: PaymentRecord,
        no: u32,
        person: &Person,
    ) -> Result<Changed> {
        let attempt = named(&record, no)?;
        let is_in_doubt = attempt.state == AttemptState::Unknown;
        let has_it = record.live().is_some_and(|live| live.no == no) && record.provider.is_some();
        // What was given up is looked at again where that is the question.
        let was_left = attempt.was_given_up() && record.asks(ReviewReason::SharedObject, no);
        if !is_in_doubt && !has_it && !was_left && !attempt.is_refund_under_way() {
            let why = format!("attempt {no} is {}", attempt.state.in_words());
            return Err(waits_not(&record, &why));
        }
        let evidence = person.decides(&format!("attempt {no} is tried again"), None);
        self.decide(&record, &evidence, |record, now| {
            if is_in_doubt {
                wake(record, no, now);
            } else if was_left && let Some(attempt) = record.attempt_mut(no) {
                attempt.watch_at = Some(now);
            } else {
                record.look_at(now);
            }
            Ok(())
        })
        .await
    }

    /// What the account of an attempt in doubt says of it. One that does not answer is no reason
    /// to believe a person; one that is not configured any more, or that cannot be asked, is.
    pub(super) async fn ask_about(
        &self,
        record: &PaymentRecord,
        attempt: &Attempt,
    ) -> Result<Word> {
        let Ok(account) = self.account(&attempt.account) else { return Ok(Word::None) };
        let lookup = match &attempt.intent {
            Intent::Create(_) if account.provider.capabilities().reference_lookup.is_none() => {
                return Ok(Word::None);
            }
            Intent::Create(create) => {
                let (reference, options) = (create.reference.clone(), create.options.clone());
                PaymentLookup::Reference { reference, options }
            }
            Intent::Confirm(_) | Intent::Capture(_) | Intent::Cancel(_) | Intent::Refund(_) => {
                match record.handle_of_refund(attempt) {
                    Some(handle) => PaymentLookup::Payment(handle),
                    None => return Ok(Word::None),
                }
            }
        };
        let at = self.now();
        match self.ask(account, &lookup).await {
            Ok(payment) => Ok(Word::Seen(Box::new(Asked { payment, at }))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Word::NotFound),
            Err(error) => Err(before_writing(error)),
        }
    }

    /// Takes in what was said of a step: it may settle it.
    pub(super) fn take_word_in(
        &self,
        record: &mut PaymentRecord,
        no: u32,
        word: &Word,
        now: Timestamp,
    ) -> Result<()> {
        if let Some(attempt) = record.attempt_mut(no) {
            attempt.seen_unchanged = false;
        }
        let Word::Seen(asked) = word else { return Ok(()) };
        let account = self.account(&asked.payment.provider)?;
        // What it shows undone counts for this decision alone.
        let context = self.context(account, now);
        let context = Context { asked_at: asked.at, is_due: true, ..context };
        if let Some((attempt, of)) =
            record.attempt(no).and_then(|attempt| Some((attempt, attempt.gives_back?)))
        {
            if !attempt.is_refund_of(&asked.payment) {
                let why = format!("its provider speaks of {}", asked.payment.id);
                return Err(waits_not(record, &why));
            }
            observe::late(record, of, asked.payment.clone(), now);
            observe::settle_steps(record, Some(of), &asked.payment, &context);
            return Ok(());
        }
        let live = record.live().map(|live| live.no);
        let note = live
            .and_then(|live| settle::mismatch(record, live, &asked.payment, context.capabilities));
        if let Some(note) = note {
            return Err(waits_not(record, &format!("what its provider says: {note}")));
        }
        observe::observe(record, asked.payment.clone(), &context);
        Ok(())
    }
}

/// How a refund ended, where nobody but a person says so.
pub(super) fn ended_as(end: RefundStatus, amount: Option<Money>) -> Refund {
    let mut refund = Refund::new(end, "by a person's word");
    refund.amount = amount;
    refund
}

/// The attempt in doubt, if it is this one.
pub(super) fn in_doubt(record: &PaymentRecord, no: u32) -> Result<&Attempt> {
    let attempt = named(record, no)?;
    if attempt.state != AttemptState::Unknown {
        let why = format!("attempt {no} is {}", attempt.state.in_words());
        return Err(waits_not(record, &why));
    }
    Ok(attempt)
}

/// The same, where a person was asked about it: before that the rules may still find out.
fn in_doubt_for_long(record: &PaymentRecord, no: u32, now: Timestamp) -> Result<&Attempt> {
    let attempt = in_doubt(record, no)?;
    if !is_for_a_person(record, attempt, now) {
        return Err(waits_not(record, &format!("attempt {no} is still being looked for")));
    }
    Ok(attempt)
}

/// Does an attempt wait for a person, or has it once?
pub(super) fn is_for_a_person(record: &PaymentRecord, attempt: &Attempt, now: Timestamp) -> bool {
    let asked = record.reviews.iter().any(|review| review.attempt == Some(attempt.no))
        || record.let_pass_at(ReviewReason::StillInDoubt, attempt.no).is_some();
    let since = attempt.first_sent_at.unwrap_or(attempt.created_at);
    asked || now.since(since) >= PARK_AFTER
}

/// Thaws an attempt. What did not fit is forgotten: if it still does not, it is seen again. Where
/// something else forbids that more money is taken, it is only looked for all the same.
pub(super) fn wake(record: &mut PaymentRecord, no: u32, now: Timestamp) {
    // What its key stands for is not told by looking again.
    if !record.attempt(no).is_some_and(|attempt| attempt.key_used) {
        record.settle_one(ReviewReason::Mismatch, no);
    }
    record.settle_one(ReviewReason::SharedObject, no);
    let wanted_again = !must_not_take(record);
    if let Some(attempt) = record.attempt_mut(no) {
        attempt.next_try_at = Some(now);
        attempt.rung = 0;
        attempt.wanted_again = wanted_again;
        attempt.seen_unchanged = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::Review,
        testing::{at, tried},
    };

    /// A person is asked sooner where the key is kept for a short time only.
    #[test]
    fn who_was_asked_once_may_say_what_became_of_it() {
        let mut record = tried(AttemptState::Unknown);
        let is_asked =
            |record: &PaymentRecord| is_for_a_person(record, &record.attempts[0], at(60));
        assert!(!is_asked(&record), "the rules may still find out");
        let (reason, note) = (ReviewReason::StillInDoubt, String::new());
        let review = Review { reason, attempt: Some(1), note, since: at(30) };
        record.reviews.push(review.clone());
        assert!(is_asked(&record));
        record.reviews.clear();
        record.let_pass.push(review);
        assert!(is_asked(&record), "it was let be");
    }
}
