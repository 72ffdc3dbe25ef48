//! Whose payment an event is about, and which of its attempts.

use paymux_core::{
    Effect, Payment, PaymentHandle, ProviderId, ProviderPaymentId, Reference, Result, Trust,
};

use crate::{
    PaymentId,
    engine::{Account, Engine, unavailable},
    record::{Attempt, Intent, PaymentRecord},
    store::{InboxRow, ObjectKind, ObjectRef},
    watch,
};

impl Engine {
    /// Whose an object is, and at which account: the one that the event came for, or another of
    /// the same kind. A provider may tell of all of a merchant's accounts at one address.
    pub(crate) async fn owner(
        &self,
        row: &InboxRow,
        kind: ObjectKind,
        id: &str,
    ) -> Result<Option<(&Account, PaymentId)>> {
        let told = self.account(&row.account)?.provider.capabilities();
        let siblings = self.accounts.iter().filter(|(name, account)| {
            let one = account.provider.capabilities();
            **name != row.account && one.kind == told.kind && one.live == told.live
        });
        let own = self.accounts.iter().filter(|(name, _)| **name == row.account);
        for (name, account) in own.chain(siblings) {
            let object = ObjectRef { account: name.clone(), kind, id: id.to_owned() };
            let owner = self.store.find_object(&object).await;
            let owner = owner.map_err(|error| unavailable(error, Effect::None))?;
            if let Some(owner) = owner {
                return Ok(Some((account, owner)));
            }
        }
        Ok(None)
    }

    /// May an event that came for one account be about this payment of another one? The ids of some
    /// providers are unique within an account only; what the event says of its payment tells.
    pub(super) async fn may_be_about(
        &self,
        owner: &PaymentId,
        said: Option<&Payment>,
    ) -> Result<bool> {
        let Some(said) = said else { return Ok(true) };
        let record = self.load(owner).await?;
        let is_ours = |reference: &Reference| {
            record.attempts.iter().any(|attempt| {
                matches!(&attempt.intent, Intent::Create(create) if create.reference == *reference)
            })
        };
        let amount = said.amounts.requested.is_none_or(|amount| amount == record.request.amount);
        Ok(amount && said.reference.as_ref().is_none_or(is_ours))
    }

    /// An event that came before the answer to the call that it is about: our own reference tells
    /// whose it is, where the provider echoes it in an event that is signed.
    pub(super) async fn owner_by_reference(
        &self,
        row: &InboxRow,
        said: Option<&Payment>,
    ) -> Result<Option<PaymentId>> {
        let Some(reference) = said.and_then(|payment| payment.reference.as_ref()) else {
            return Ok(None);
        };
        if row.trust == Trust::Unsigned {
            return Ok(None);
        }
        let Some(id) = PaymentId::of_reference(reference) else { return Ok(None) };
        let stored = self.store.load(&id).await;
        let stored = stored.map_err(|error| unavailable(error, Effect::None))?;
        Ok(stored.map(|row| row.id))
    }
}

/// The attempt that this object at an account is of, whether it counts or not.
pub(crate) fn attempt_about<'a>(
    record: &'a PaymentRecord,
    account: &ProviderId,
    id: &ProviderPaymentId,
    reference: Option<&Reference>,
) -> Option<&'a Attempt> {
    record.attempts.iter().find(|attempt| {
        let Intent::Create(create) = &attempt.intent else { return false };
        attempt.account == *account
            && (attempt.object.as_ref() == Some(id)
                || attempt.left.iter().any(|left| left.id == *id)
                || reference == Some(&create.reference))
    })
}

/// All that is known of such an object.
pub(crate) fn handle_at(
    record: &PaymentRecord,
    account: &ProviderId,
    id: &ProviderPaymentId,
    reference: Option<&Reference>,
) -> PaymentHandle {
    if let Some(attempt) = attempt_about(record, account, id, reference) {
        return watch::handle_of(record, attempt, id);
    }
    let mut handle = PaymentHandle::new(id.clone());
    handle.options = record.request.options.clone();
    handle.mandate.clone_from(&record.request.mandate);
    record.with_steps_at(handle, account)
}
