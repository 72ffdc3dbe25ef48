//! Attempts that were given up without their provider's word are looked at again, for a week: money
//! may show late, and webhooks get lost.

use paymux_core::{
    Capabilities, Effect, ErrorKind, Operation, Payment, PaymentHandle, PaymentLookup, ProviderId,
    ProviderPaymentId, Result, Timestamp,
};

use crate::{
    draft::to_json,
    engine::{Engine, unavailable},
    evidence::{Evidence, Said},
    ladder, observe,
    plan::View,
    record::{Attempt, AttemptState, Fault, Intent, PaymentRecord},
    store::{ObjectKind, ObjectRef},
};

/// The next attempt that is looked at again, and when.
pub(crate) fn next(record: &PaymentRecord, view: &View<'_>) -> Option<(Timestamp, u32)> {
    let watched = record.attempts.iter().filter_map(|attempt| {
        let can = can_ask(attempt, (view.capabilities)(&attempt.account));
        Some((attempt.watch_at?, attempt.no)).filter(|_| can)
    });
    watched.min()
}

/// Can its account be asked for it? One that is not configured any more may come back.
fn can_ask(attempt: &Attempt, capabilities: Option<&Capabilities>) -> bool {
    capabilities.is_none_or(|capabilities| match attempt.object {
        Some(_) => capabilities.has(Operation::FetchPayment),
        None => capabilities.reference_lookup.is_some(),
    })
}

impl Engine {
    /// Asks the account of an attempt that was given up for what became of it.
    pub(crate) async fn watch(&self, record: PaymentRecord, no: u32) -> Result<PaymentRecord> {
        let seen = self.look_at_left(&record, no).await?;
        self.take_in_left(record, no, seen).await
    }

    /// The same for each attempt of a payment that was given up, however long ago. Returns those
    /// that could not be asked for as well.
    pub(crate) async fn watch_all(
        &self,
        mut record: PaymentRecord,
    ) -> Result<(PaymentRecord, Vec<(ProviderId, Fault)>)> {
        let given_up = record.attempts.iter().filter(|attempt| {
            let state = matches!(attempt.state, AttemptState::Abandoned | AttemptState::NotCharged);
            let account = self.accounts.get(&attempt.account);
            let capabilities = account.map(|account| account.provider.capabilities());
            attempt.is_create() && state && can_ask(attempt, capabilities)
        });
        let given_up: Vec<(u32, ProviderId)> =
            given_up.map(|attempt| (attempt.no, attempt.account.clone())).collect();
        let mut not_asked = Vec::new();
        for (no, account) in given_up {
            let seen = self.look_at_left(&record, no).await?;
            if let Seen::Failed(fault) = &seen {
                not_asked.push((account, (**fault).clone()));
            }
            record = self.take_in_left(record, no, seen).await?;
        }
        Ok((record, not_asked))
    }

    async fn look_at_left(&self, record: &PaymentRecord, no: u32) -> Result<Seen> {
        let attempt = record.attempt(no).and_then(|attempt| {
            let lookup = lookup(record, attempt)?;
            Some((attempt, lookup))
        });
        let Some((attempt, lookup)) = attempt else { return Ok(Seen::Nothing) };
        let account = match self.account(&attempt.account) {
            Ok(account) => account,
            Err(error) => return Ok(Seen::Failed(Box::new(Fault::from(&error)))),
        };
        let payment = match self.ask(account, &lookup).await {
            Ok(payment) => Box::new(payment),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Seen::Nothing),
            Err(error) => return Ok(Seen::Failed(Box::new(Fault::from(&error)))),
        };
        let fits = is_about(attempt, &payment, &lookup, account.provider.capabilities())
            && self.is_free(record, &payment).await?;
        Ok(if fits { Seen::It(payment) } else { Seen::Other(payment) })
    }

    async fn take_in_left(
        &self,
        record: PaymentRecord,
        no: u32,
        seen: Seen,
    ) -> Result<PaymentRecord> {
        let Some(attempt) = record.attempt(no) else { return Ok(record) };
        let said = match &seen {
            Seen::It(payment) | Seen::Other(payment) => Said::from(&**payment),
            Seen::Nothing => Said::NotFound,
            Seen::Failed(fault) => Said::from(&**fault),
        };
        let evidence =
            Evidence::Lookup { account: attempt.account.clone(), attempt: Some(no), said };
        let due = attempt.watch_at;
        self.change_known(&record, &evidence, |draft, now| {
            let Some(attempt) = draft.record.attempt_mut(no) else { return Ok(false) };
            if attempt.watch_at != due {
                return Ok(false);
            }
            // Whoever compares the books looks at other times, too: those leave the watch as it is,
            // and what was seen before is not written down again and again.
            let is_due = due.is_some_and(|due| due <= now);
            let closed = attempt.settled_at.unwrap_or(attempt.created_at);
            if is_due {
                attempt.watch_at = match &seen {
                    Seen::It(_) | Seen::Nothing => ladder::next_watch(closed, now),
                    Seen::Other(_) | Seen::Failed(_) => ladder::watch_again(closed, now),
                };
            }
            let before = (to_json(&attempt.left)?, draft.record.reviews.clone());
            if let Seen::It(payment) = &seen {
                observe::late(&mut draft.record, no, (**payment).clone(), now);
            }
            let left =
                draft.record.attempt(no).map(|attempt| to_json(&attempt.left)).transpose()?;
            let is_new = left != Some(before.0) || draft.record.reviews != before.1;
            Ok(is_due || is_new)
        })
        .await?
        .into_record()
    }

    /// Is it nobody else's object?
    async fn is_free(&self, record: &PaymentRecord, payment: &Payment) -> Result<bool> {
        let object = ObjectRef {
            account: payment.provider.clone(),
            kind: ObjectKind::Payment,
            id: payment.id.as_str().to_owned(),
        };
        let owner = self.store.find_object(&object).await;
        let owner = owner.map_err(|error| unavailable(error, Effect::None))?;
        Ok(owner.is_none_or(|owner| owner == record.id))
    }
}

/// What such a look saw.
enum Seen {
    It(Box<Payment>),
    /// An answer about something else, which says nothing.
    Other(Box<Payment>),
    Nothing,
    Failed(Box<Fault>),
}

/// By the object's id where one is known, else by our reference.
pub(crate) fn lookup(record: &PaymentRecord, attempt: &Attempt) -> Option<PaymentLookup> {
    let Intent::Create(create) = &attempt.intent else { return None };
    let Some(id) = &attempt.object else {
        let (reference, options) = (create.reference.clone(), create.options.clone());
        return Some(PaymentLookup::Reference { reference, options });
    };
    Some(PaymentLookup::Payment(handle_of(record, attempt, id)))
}

/// All that is known of an object of an attempt at its account, whether it counts or not.
pub(crate) fn handle_of(
    record: &PaymentRecord,
    attempt: &Attempt,
    id: &ProviderPaymentId,
) -> PaymentHandle {
    let options = &record.request.options;
    let known = attempt.left.iter().chain(&record.provider);
    let mut known = known.filter(|known| known.provider == attempt.account);
    let known = known.find(|known| known.id == *id).map(|known| known.handle(options));
    let mut handle = known.unwrap_or_else(|| PaymentHandle::new(id.clone()));
    handle.options.clone_from(options);
    handle.mandate = handle.mandate.or_else(|| record.request.mandate.clone());
    if let Intent::Create(create) = &attempt.intent {
        handle.reference.get_or_insert_with(|| create.reference.clone());
    }
    record.with_steps_at(handle, &attempt.account)
}

/// Is the answer about what was asked for?
pub(crate) fn is_about(
    attempt: &Attempt,
    payment: &Payment,
    lookup: &PaymentLookup,
    capabilities: &Capabilities,
) -> bool {
    let Intent::Create(create) = &attempt.intent else { return false };
    let asked = match lookup {
        PaymentLookup::Payment(handle) => handle.id == payment.id,
        PaymentLookup::Reference { .. } | PaymentLookup::Part { .. } => true,
    };
    asked
        && payment.provider == attempt.account
        && payment.live.is_none_or(|live| live == capabilities.live)
        && payment.reference.as_ref().is_none_or(|reference| *reference == create.reference)
}

#[cfg(test)]
mod tests;
