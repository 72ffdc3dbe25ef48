//! Which object at a provider counts for a payment.

use paymux_core::{
    Effect, Money, Payment, PaymentLookup, PaymentStatus, ProviderPaymentId, Result, Timestamp,
};

use super::{
    Asked, Person, before_writing,
    doubt::{Word, in_doubt, wake},
    named, waits_not,
};
use crate::{
    engine::{Changed, Engine, unavailable},
    evidence::Said,
    observe,
    record::{Attempt, AttemptState, Intent, PaymentRecord, Review, ReviewReason},
    settle::{self, Context},
    store::{ObjectKind, ObjectRef},
    watch,
};

impl Engine {
    pub(super) async fn it_is(
        &self,
        record: PaymentRecord,
        no: u32,
        object: ProviderPaymentId,
        person: &Person,
    ) -> Result<Changed> {
        let attempt = in_doubt(&record, no)?;
        if !attempt.is_create() {
            return Err(waits_not(&record, &format!("attempt {no} creates nothing")));
        }
        let asked = self.ask_for_object(&record, attempt, &object).await?;
        let account = self.account(&attempt.account)?;
        let evidence = person.decides(&format!("{object} is it"), Some(Said::from(&asked.payment)));
        self.decide(&record, &evidence, |record, now| {
            let context = Context { asked_at: asked.at, ..self.context(account, now) };
            if let Some(note) = settle::mismatch(record, no, &asked.payment, context.capabilities) {
                return Err(waits_not(record, &note));
            }
            claim(record, no, &asked.payment, &context);
            record.settle_reviews_of(no);
            took_over(record, &asked.payment)
        })
        .await
    }

    pub(super) async fn it_counts(
        &self,
        record: PaymentRecord,
        no: u32,
        object: ProviderPaymentId,
        person: &Person,
    ) -> Result<Changed> {
        let attempt = named(&record, no)?;
        let counts = record.provider.as_ref().is_some_and(|known| known.id == object);
        let is_left = attempt.left.iter().any(|left| left.id == object);
        if record.asks(ReviewReason::LateSuccess, no) && is_left && !counts {
            return self.late_counts(record, no, object, person).await;
        }
        let is_refund = matches!(attempt.intent, Intent::Refund(_));
        if !record.asks(ReviewReason::Mismatch, no) || is_refund {
            return Err(waits_not(&record, &format!("{object} of attempt {no} is not in doubt")));
        }
        let create = if attempt.is_create() { Some(attempt) } else { record.live() };
        let create = create.filter(|create| create.state.holds_slot());
        let Some(create) = create.filter(|_| counts || record.provider.is_none()) else {
            return Err(waits_not(&record, &format!("{object} is not what it is about")));
        };
        let asked = self.ask_for_object(&record, create, &object).await?;
        let account = self.account(&create.account)?;
        let evidence =
            person.decides(&format!("{object} counts"), Some(Said::from(&asked.payment)));
        let create = create.no;
        self.decide(&record, &evidence, |record, now| {
            let context = Context { asked_at: asked.at, ..self.context(account, now) };
            let_pass(record, create, &asked.payment, &context)?;
            record.settle_one(ReviewReason::Mismatch, no);
            record.settle_one(ReviewReason::Mismatch, create);
            // A step that was frozen because of it is looked after again.
            if no != create && record.open_attempt().is_some_and(|open| open.no == no) {
                wake(record, no, now);
            }
            if counts {
                observe::observe(record, asked.payment.clone(), &context);
            } else {
                claim(record, create, &asked.payment, &context);
            }
            took_over(record, &asked.payment)
        })
        .await
    }

    /// What had been given up, or was left behind, shows money and is to count.
    async fn late_counts(
        &self,
        record: PaymentRecord,
        no: u32,
        object: ProviderPaymentId,
        person: &Person,
    ) -> Result<Changed> {
        if let Some(open) = record.open_attempt() {
            let why = format!("attempt {} is {}", open.no, open.state.in_words());
            return Err(waits_not(&record, &why));
        }
        let goes_back = |it: &Attempt| {
            let of_it = matches!(&it.intent, Intent::Refund(refund) if refund.payment.id == object);
            it.gives_back == Some(no) && of_it && it.reserved_refund().is_some()
        };
        if record.attempts.iter().any(goes_back) {
            return Err(waits_not(&record, &format!("{object} is being given back, or was")));
        }
        self.check_nothing_else_takes(&record).await?;
        let attempt = named(&record, no)?;
        let asked = self.ask_for_object(&record, attempt, &object).await?;
        if !observe::shows_money(asked.payment.status) {
            let why = format!("{object} is {}, and shows no money", asked.payment.status);
            return Err(waits_not(&record, &why));
        }
        let account = self.account(&attempt.account)?;
        let evidence =
            person.decides(&format!("{object} counts"), Some(Said::from(&asked.payment)));
        self.decide(&record, &evidence, |record, now| {
            let context = Context { asked_at: asked.at, ..self.context(account, now) };
            step_aside(record, no, now);
            let_pass(record, no, &asked.payment, &context)?;
            if let Some(attempt) = record.attempt_mut(no) {
                attempt.left.retain(|left| left.id != object);
            }
            let others = named(record, no)?.left.iter().any(observe::has_money);
            if !others {
                record.settle_one(ReviewReason::LateSuccess, no);
            }
            reopen(record);
            // The end that was wanted was that of the other one.
            record.cancel_wanted = false;
            record.steps_by_hand = true;
            claim(record, no, &asked.payment, &context);
            took_over(record, &asked.payment)
        })
        .await
    }

    pub(super) async fn provider_is_right(
        &self,
        record: PaymentRecord,
        no: u32,
        person: &Person,
    ) -> Result<Changed> {
        let attempt = named(&record, no)?;
        if !record.asks(ReviewReason::Contradiction, no) {
            return Err(waits_not(&record, &format!("nothing contradicts attempt {no}")));
        }
        if matches!(attempt.intent, Intent::Refund(_)) {
            return self.refund_is_right(record, no, person).await;
        }
        let asked = self.ask_again(&record).await?;
        check_documented(&record, &asked.payment)?;
        let account = self.account(&asked.payment.provider)?;
        let said = Said::from(&asked.payment);
        let evidence = person.decides("its provider is right", Some(said));
        self.decide(&record, &evidence, |record, now| {
            let context = Context { asked_at: asked.at, ..self.context(account, now) };
            let Some(live) = record.live().map(|live| live.no) else {
                return Err(waits_not(record, "no account has it any more"));
            };
            if let Some(note) = settle::mismatch(record, live, &asked.payment, context.capabilities)
            {
                return Err(waits_not(record, &note));
            }
            // What was known beside status and amounts stays known: parts, mandate, reference.
            let mut payment = observe::merge(record.provider.take(), asked.payment.clone());
            payment.amounts = asked.payment.amounts.clone();
            reopen(record);
            record.settle_one(ReviewReason::Contradiction, no);
            observe::observe(record, payment, &context);
            record.steps_by_hand |= !record.status.is_final();
            took_over(record, &asked.payment)
        })
        .await
    }

    /// Asks for one object of an attempt. It has to be that one, in a state that is documented,
    /// and nobody else's.
    pub(super) async fn ask_for_object(
        &self,
        record: &PaymentRecord,
        attempt: &Attempt,
        object: &ProviderPaymentId,
    ) -> Result<Asked> {
        if !attempt.is_create() {
            return Err(waits_not(record, &format!("attempt {} creates nothing", attempt.no)));
        }
        let account = self.account(&attempt.account)?;
        let handle = watch::handle_of(record, attempt, object);
        let at = self.now();
        let payment = self.ask(account, &PaymentLookup::Payment(handle)).await;
        let payment = payment.map_err(before_writing)?;
        check_documented(record, &payment)?;
        if payment.id != *object {
            let why = format!("asked for {object}, its provider speaks of {}", payment.id);
            return Err(waits_not(record, &why));
        }
        if let Some(id) = self.anothers(record, &payment).await? {
            return Err(waits_not(record, &format!("{id} belongs to another payment")));
        }
        Ok(Asked { payment, at })
    }

    /// Asks by our reference for what an attempt left of which nothing is known. `None` where it is
    /// not found, or cannot be asked for like that.
    pub(super) async fn ask_for_left(
        &self,
        record: &PaymentRecord,
        attempt: &Attempt,
    ) -> Result<Option<Payment>> {
        let Word::Seen(asked) = self.ask_about(record, attempt).await? else { return Ok(None) };
        let payment = asked.payment;
        check_documented(record, &payment)?;
        let capabilities = self.account(&attempt.account)?.provider.capabilities();
        let lookup = watch::lookup(record, attempt);
        if !lookup.is_some_and(|lookup| watch::is_about(attempt, &payment, &lookup, capabilities)) {
            let why = format!("its provider speaks of {}, which is not about it", payment.id);
            return Err(waits_not(record, &why));
        }
        if let Some(id) = self.anothers(record, &payment).await? {
            return Err(waits_not(record, &format!("{id} belongs to another payment")));
        }
        Ok(Some(payment))
    }

    /// What an answer names that belongs to another payment.
    pub(crate) async fn anothers(
        &self,
        record: &PaymentRecord,
        payment: &Payment,
    ) -> Result<Option<String>> {
        let of = |kind, id: &str| ObjectRef {
            account: payment.provider.clone(),
            kind,
            id: id.to_owned(),
        };
        let parts = payment.parts.iter().map(|part| of(ObjectKind::Part, part.id.as_str()));
        let named = std::iter::once(of(ObjectKind::Payment, payment.id.as_str())).chain(parts);
        for object in named {
            let owner = self.store.find_object(&object).await;
            let owner = owner.map_err(|error| unavailable(error, Effect::None))?;
            if owner.is_some_and(|owner| owner != record.id) {
                return Ok(Some(object.id));
            }
        }
        Ok(None)
    }

    /// What has the payment now has to be over, without money, by its provider's word of now.
    async fn check_nothing_else_takes(&self, record: &PaymentRecord) -> Result<()> {
        let Some(live) = record.live() else { return Ok(()) };
        let is_over = |payment: &Payment| {
            payment.status.is_final()
                && payment.status != PaymentStatus::Succeeded
                && payment.amounts.captured.is_none_or(Money::is_zero)
        };
        let in_the_way = |status: PaymentStatus| {
            let why = format!("attempt {} has it, and is {status}: end that first", live.no);
            Err(waits_not(record, &why))
        };
        if !record.provider.as_ref().is_some_and(is_over) {
            return in_the_way(record.status);
        }
        let now = self.ask_again(record).await?.payment;
        if is_over(&now) { Ok(()) } else { in_the_way(now.status) }
    }
}

fn check_documented(record: &PaymentRecord, payment: &Payment) -> Result<()> {
    if payment.status == PaymentStatus::Unknown {
        let why = format!("\"{}\" of its provider is not documented", payment.provider_status);
        return Err(waits_not(record, &why));
    }
    Ok(())
}

/// Whatever held the right to move money gives it up for this attempt.
fn step_aside(record: &mut PaymentRecord, no: u32, now: Timestamp) {
    let live = record.live().map(|live| live.no);
    if let Some(live) = live.filter(|live| *live != no) {
        settle::abandon(record, live, now);
    } else if let Some(known) = record.provider.take()
        && let Some(attempt) = record.attempt_mut(no)
    {
        attempt.left.retain(|left| left.id != known.id);
        attempt.left.push(known);
    }
}

/// Ours is forgotten, so that the table forbids nothing of what comes.
fn reopen(record: &mut PaymentRecord) {
    record.provider = None;
    record.status = PaymentStatus::Processing;
    record.failure = None;
    record.accepted_amount = None;
    record.unreported_amount_accepted = false;
    record.figure_looked_for = false;
}

/// A person lets pass that the object says another amount; that it is another payment, nobody may.
fn let_pass(
    record: &mut PaymentRecord,
    no: u32,
    payment: &Payment,
    context: &Context<'_>,
) -> Result<()> {
    let found = settle::differences(record, no, payment, context.capabilities);
    if let Some(other) = found.iter().find(|difference| difference.is_another) {
        return Err(waits_not(record, &other.note));
    }
    let reason = ReviewReason::Mismatch;
    let passed = found.into_iter().map(|difference| Review {
        reason,
        attempt: Some(no),
        note: difference.note,
        since: context.now,
    });
    record.let_pass.extend(passed);
    Ok(())
}

/// The object is that of this attempt, and what it says is taken in.
fn claim(record: &mut PaymentRecord, no: u32, payment: &Payment, context: &Context<'_>) {
    if let Some(attempt) = record.attempt_mut(no) {
        attempt.object = Some(payment.id.clone());
    }
    settle::close(record, no, AttemptState::Accepted, context.now);
    observe::observe(record, payment.clone(), context);
}

/// Nothing is written of a decision that did not lead to what it said.
pub(super) fn took_over(record: &PaymentRecord, payment: &Payment) -> Result<()> {
    let known = record.provider.as_ref();
    let is_it = known.is_some_and(|known| known.id == payment.id)
        && record.status == payment.status
        && !record.is_under_review(ReviewReason::Mismatch);
    let why = "what its provider says of it cannot be taken over";
    if is_it { Ok(()) } else { Err(waits_not(record, why)) }
}
