//! Applying what webhooks told: in any order, with the same end.

use std::time::Duration;

use paymux_core::{
    Effect, Error, ErrorKind, Options, Payment, PaymentHandle, PaymentLookup, ProviderId,
    ProviderPaymentId, Result, Subject, Trust, WebhookEvent,
};

use crate::{
    PaymentId,
    engine::{Account, Changed, Engine, unavailable},
    evidence::{Evidence, Said},
    observe::{self, Source},
    record::{AttemptState, PaymentRecord},
    settle::{self, Context, Outcome},
    store::{InboxOutcome, InboxRow, InboxSettlement, ObjectKind},
    telemetry,
};

mod aside;
mod owner;
mod refund;

pub(crate) use owner::{attempt_about, handle_at};

/// How long an event waits that came before what it is about was written down.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(600);

impl Engine {
    /// Applies one event of the inbox. Whatever goes wrong, it is tried again.
    pub(crate) async fn apply(&self, row: InboxRow) -> Result<()> {
        let outcome = match self.try_to_apply(&row).await {
            Ok(Applied::WithAChange) => return Ok(()),
            Ok(Applied::As(outcome)) => outcome,
            Err(error) => self.not_applied(&row, &error).await?,
        };
        telemetry::event_settled(&row.account, outcome, self.now().since(row.received_at));
        let settlement = settlement(&row, outcome);
        let settled = self.store.settle_inbox(&settlement).await;
        settled.map_err(|error| unavailable(error, Effect::None))?;
        Ok(())
    }

    async fn try_to_apply(&self, row: &InboxRow) -> Result<Applied> {
        let event = read_event(row)?;
        let account = self.account(&row.account)?;
        match &event.subject {
            Subject::Payment(id) => self.about_payment(row, &event, account, id).await,
            Subject::Part { payment: Some(id), .. } => {
                self.about_payment(row, &event, account, id).await
            }
            Subject::Part { id, payment: None } => {
                let owner = self.owner(row, ObjectKind::Part, id.as_str()).await?;
                // What anybody could have sent makes us ask only for what is known to be ours.
                if owner.is_none() && row.trust == Trust::Unsigned {
                    return self.unmatched(row, &event).await;
                }
                let (at, owner) = owner.map_or((account, None), |(at, owner)| (at, Some(owner)));
                if let Some(later) = owner.as_ref().and_then(|it| self.heed(row, it, id.as_str())) {
                    return Ok(later);
                }
                // It may be a part of an attempt that was given up: the part says of which.
                let lookup = PaymentLookup::Part { id: id.clone(), options: Options::default() };
                match self.ask(at, &lookup).await {
                    Ok(seen) => {
                        if let Some(owner) = &owner {
                            self.hints.was_answered(owner, id.as_str());
                        }
                        let id = seen.id.clone();
                        self.about_payment_seen(row, &event, at, &id, Some(seen)).await
                    }
                    Err(error) if error.kind() == ErrorKind::NotFound => {
                        self.unmatched(row, &event).await
                    }
                    Err(error) => Err(error),
                }
            }
            Subject::Refund { id } => self.about_refund(row, &event, account, id).await,
            // Mandates, and what is no payment at all: the merchant reads of it.
            Subject::Mandate { .. } | Subject::Other { .. } | _ => {
                self.hand_on(row, &event, "webhook.other").await
            }
        }
    }

    async fn about_payment(
        &self,
        row: &InboxRow,
        event: &WebhookEvent,
        account: &Account,
        id: &ProviderPaymentId,
    ) -> Result<Applied> {
        self.about_payment_seen(row, event, account, id, None).await
    }

    async fn about_payment_seen(
        &self,
        row: &InboxRow,
        event: &WebhookEvent,
        account: &Account,
        id: &ProviderPaymentId,
        seen: Option<Payment>,
    ) -> Result<Applied> {
        let owner = self.owner(row, ObjectKind::Payment, id.as_str()).await?;
        let owner = match owner {
            Some((at, owner)) if *at.provider.id() != row.account => {
                let fits = self.may_be_about(&owner, event.payment.as_deref()).await?;
                fits.then_some((at, owner))
            }
            own => own,
        };
        if let Some((at, owner)) = owner {
            // What was read through one account is not taken for the word of another.
            let seen = seen.filter(|seen| seen.provider == *at.provider.id());
            return self.look_because(row, event, at, &owner, seen).await;
        }
        match self.owner_by_reference(row, event.payment.as_deref()).await? {
            Some(owner) => self.look_because(row, event, account, &owner, seen).await,
            None => self.unmatched(row, event).await,
        }
    }

    /// A payment of ours is told about: it is looked at, or, where the event may be believed that
    /// far, what it says is taken over.
    async fn look_because(
        &self,
        row: &InboxRow,
        event: &WebhookEvent,
        account: &Account,
        owner: &PaymentId,
        seen: Option<Payment>,
    ) -> Result<Applied> {
        let record = self.load(owner).await?;
        if seen.is_none() && was_looked_at_since(row, event, account, &record) {
            return Ok(Applied::As(InboxOutcome::Stale));
        }
        let about = named(event).map_or("", ProviderPaymentId::as_str);
        if seen.is_none()
            && let Some(later) = self.heed(row, owner, about)
        {
            return Ok(later);
        }
        let own = *account.provider.id() == row.account;
        let asked_at = if seen.is_some() { row.received_at } else { self.now() };
        let (payment, source) = match (seen, believed(event).filter(|_| own)) {
            (Some(payment), _) => (payment, Source::Asked),
            (None, Some(payment)) => (payment.clone(), Source::Event),
            (None, None) => {
                let read = self.read_for(event, account, &record).await?;
                self.hints.was_answered(owner, about);
                (read, Source::Asked)
            }
        };
        let payment = with_reference_told(payment, event, &record);
        let evidence = Evidence::Webhook {
            account: account.provider.id().clone(),
            key: row.key.clone(),
            name: event.name.clone(),
            trust: event.trust,
            asked: source == Source::Asked,
            said: Said::from(&payment),
        };
        let changed = self
            .change(owner, &evidence, |draft, now| {
                // What was asked for while something was being done may be of before.
                if source == Source::Asked && draft.record.has_acted_since(&record) {
                    return Ok(false);
                }
                let context = Context { asked_at, source, ..self.context(account, now) };
                if !take_in(&mut draft.record, &payment, &context) {
                    return Ok(false);
                }
                draft.inbox.push(settlement(row, InboxOutcome::Applied));
                Ok(true)
            })
            .await?;
        match changed {
            Changed::Done(record) | Changed::Shared(record) => {
                telemetry::event_settled(
                    &row.account,
                    InboxOutcome::Applied,
                    self.now().since(row.received_at),
                );
                self.go_on(*record).await;
                Ok(Applied::WithAChange)
            }
            // The answer to the call that it is about is on its way, or came meanwhile.
            Changed::Untouched(now) if is_on_its_way(&now) || now.has_acted_since(&record) => {
                Ok(Applied::As(InboxOutcome::Later(self.now().after(wait(row.tries)))))
            }
            Changed::Untouched(_) | Changed::KeyTaken(_) => Ok(Applied::As(InboxOutcome::Stale)),
        }
    }

    /// Does what follows. The event is applied, and what cannot be done now is due all the same.
    async fn go_on(&self, record: PaymentRecord) {
        if let Err(error) = self.drive(record).await {
            telemetry::not_done("what an event led to", &error);
        }
    }

    /// The payment that the event is about, as its provider tells it when asked. An event can be
    /// about an attempt that was given up: then that one is asked for.
    async fn read_for(
        &self,
        event: &WebhookEvent,
        account: &Account,
        record: &PaymentRecord,
    ) -> Result<Payment> {
        let handle = handle_named(event, account.provider.id(), record).ok_or_else(|| {
            let message = "the event names no payment that could be read";
            Error::new(ErrorKind::Unexpected, Effect::None, message)
        })?;
        self.ask(account, &PaymentLookup::Payment(handle)).await
    }
}

fn read_event(row: &InboxRow) -> Result<WebhookEvent> {
    serde_json::from_str(&row.event).map_err(|source| {
        Error::new(ErrorKind::Unexpected, Effect::None, "a stored event cannot be read")
            .with_source(source)
    })
}

enum Applied {
    /// In the same transaction as the change that it led to.
    WithAChange,
    /// It is settled like this.
    As(InboxOutcome),
}

/// The payment that an event names.
fn named(event: &WebhookEvent) -> Option<&ProviderPaymentId> {
    match &event.subject {
        Subject::Payment(id) => Some(id),
        Subject::Part { payment, .. } => payment.as_ref(),
        Subject::Refund { .. } | Subject::Mandate { .. } | Subject::Other { .. } | _ => None,
    }
}

/// A look that was made after the event arrived has seen what it is about.
fn was_looked_at_since(
    row: &InboxRow,
    event: &WebhookEvent,
    account: &Account,
    record: &PaymentRecord,
) -> bool {
    // The look was at the object that counts; one that was given up can be paid all the same.
    let counts = record.account() == Some(account.provider.id())
        && named(event)
            .is_none_or(|id| record.provider.as_ref().is_some_and(|payment| payment.id == *id));
    // A look that did not know of the part need not have seen it.
    let looked_since = record.looked_at.is_some_and(|looked_at| looked_at > row.received_at);
    counts && looked_since && !names_a_new_part(event, record)
}

/// Is the event about a part that nobody has told us of?
fn names_a_new_part(event: &WebhookEvent, record: &PaymentRecord) -> bool {
    let Subject::Part { id, .. } = &event.subject else { return false };
    let known = record.provider.as_ref().map_or(&[][..], |payment| &payment.parts);
    known.iter().all(|part| part.id != *id)
}

/// What the event names, as its provider can be asked for it. A part that it names is read with it:
/// some providers tell of a part in no other way.
fn handle_named(
    event: &WebhookEvent,
    account: &ProviderId,
    record: &PaymentRecord,
) -> Option<PaymentHandle> {
    let named = named(event);
    let known = record.handle().filter(|handle| {
        record.account() == Some(account) && named.is_none_or(|id| *id == handle.id)
    });
    let handle = match (known, named) {
        (Some(handle), _) => handle,
        (None, Some(id)) => {
            let told = event.payment.as_ref().and_then(|payment| payment.reference.as_ref());
            handle_at(record, account, id, told)
        }
        (None, None) => return None,
    };
    if let Subject::Part { id, .. } = &event.subject {
        return Some(handle.with_part(id.clone()));
    }
    Some(handle)
}

/// What an event may say without our asking: nothing that ends a payment, and only when it is
/// signed and fresh.
fn believed(event: &WebhookEvent) -> Option<&Payment> {
    let payment = event.payment.as_deref()?;
    let fresh = event.trust == Trust::SignedFresh;
    (fresh && !payment.status.is_final()).then_some(payment)
}

/// Some providers name our reference in what they tell and not in what they answer. Where nothing
/// else says whose the payment is, the signed word counts.
fn with_reference_told(
    mut payment: Payment,
    event: &WebhookEvent,
    record: &PaymentRecord,
) -> Payment {
    let known = record.provider.as_ref().is_some_and(|known| known.id == payment.id)
        || record.attempts.iter().any(|attempt| attempt.object.as_ref() == Some(&payment.id));
    let told = event.payment.as_deref().filter(|told| {
        event.trust != Trust::Unsigned && told.id == payment.id && told.provider == payment.provider
    });
    if let Some(told) = told.filter(|_| !known && payment.reference.is_none()) {
        payment.reference.clone_from(&told.reference);
    }
    payment
}

/// Takes a word about a payment in, by the attempt that it is about.
pub(crate) fn take_in(
    record: &mut PaymentRecord,
    payment: &Payment,
    context: &Context<'_>,
) -> bool {
    let current = record.provider.as_ref();
    if current.is_some_and(|known| known.provider == payment.provider && known.id == payment.id) {
        observe::observe(record, payment.clone(), context);
        return true;
    }
    let reference = payment.reference.as_ref();
    let about = attempt_about(record, &payment.provider, &payment.id, reference);
    let Some((no, send, state)) = about.map(|attempt| (attempt.no, attempt.sends, attempt.state))
    else {
        return false;
    };
    if state == AttemptState::Sending {
        return false;
    }
    let outcome = Outcome::Payment(Box::new(payment.clone()));
    settle::settle(record, no, send, outcome, context);
    true
}

fn is_on_its_way(record: &PaymentRecord) -> bool {
    record.attempts.iter().any(|attempt| attempt.state == AttemptState::Sending)
}

fn settlement(row: &InboxRow, outcome: InboxOutcome) -> InboxSettlement {
    let (account, key) = (row.account.clone(), row.key.clone());
    InboxSettlement { account, key, tries: row.tries, outcome }
}

/// 2 s, doubled with every try, up to ten minutes.
fn wait(tries: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1 << tries.min(9)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests;
