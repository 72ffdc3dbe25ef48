//! Attempts that were given up without their provider's word are looked at again, for a week: money
//! may show late, and webhooks get lost.

use paymux_core::{
    Capabilities, Effect, ErrorKind, Operation, Payment, PaymentHandle, PaymentLookup,
    ProviderPaymentId, Result, Timestamp,
};

use crate::{
    engine::{Engine, unavailable},
    evidence::{Evidence, Said},
    ladder, observe,
    plan::View,
    record::{Attempt, Fault, Intent, PaymentRecord},
    store::{ObjectKind, ObjectRef},
};

/// The next attempt that is looked at again, and when, where its account can be asked for it.
pub(crate) fn next(record: &PaymentRecord, view: &View<'_>) -> Option<(Timestamp, u32)> {
    let watched = record.attempts.iter().filter_map(|attempt| {
        let moment = attempt.watch_at?;
        let can_ask =
            (view.capabilities)(&attempt.account).is_none_or(|capabilities| match attempt.object {
                Some(_) => capabilities.has(Operation::FetchPayment),
                None => capabilities.reference_lookup.is_some(),
            });
        can_ask.then_some((moment, attempt.no))
    });
    watched.min()
}

impl Engine {
    /// Asks the account of an attempt that was given up for what became of it.
    pub(crate) async fn watch(&self, record: PaymentRecord, no: u32) -> Result<PaymentRecord> {
        let Some(attempt) = record.attempt(no) else { return Ok(record) };
        let Some(lookup) = lookup(&record, attempt) else { return Ok(record) };
        let seen = match self.account(&attempt.account) {
            Ok(account) => match self.ask(account, &lookup).await {
                Ok(payment) => {
                    let payment = Box::new(payment);
                    let capabilities = account.provider.capabilities();
                    let fits = is_about(attempt, &payment, &lookup, capabilities)
                        && self.is_free(&record, &payment).await?;
                    if fits { Seen::It(payment) } else { Seen::Other(payment) }
                }
                Err(error) if error.kind() == ErrorKind::NotFound => Seen::Nothing,
                Err(error) => Seen::Failed(Box::new(Fault::from(&error))),
            },
            Err(error) => Seen::Failed(Box::new(Fault::from(&error))),
        };
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
            let closed = attempt.settled_at.unwrap_or(attempt.created_at);
            attempt.watch_at = match &seen {
                Seen::It(_) | Seen::Nothing => ladder::next_watch(closed, now),
                Seen::Other(_) | Seen::Failed(_) => ladder::watch_again(closed, now),
            };
            if let Seen::It(payment) = &seen {
                observe::late(&mut draft.record, no, (**payment).clone(), now);
            }
            Ok(true)
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
fn lookup(record: &PaymentRecord, attempt: &Attempt) -> Option<PaymentLookup> {
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
