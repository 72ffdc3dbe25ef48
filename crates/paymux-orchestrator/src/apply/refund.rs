//! Events about refunds.

use paymux_core::{
    ErrorKind, Operation, Payment, PaymentLookup, ProviderPartId, ProviderRefundId, Refund,
    RefundLookup, Result, Trust, WebhookEvent,
};

use super::{Applied, handle_at};
use crate::{
    PaymentId,
    engine::{Account, Engine},
    evidence::{Evidence, Said},
    store::{InboxOutcome, InboxRow, ObjectKind},
};

impl Engine {
    /// A refund of ours is read, and so is the payment after it. One that we do not know was made
    /// at the provider's own page: what it did shows in its payment.
    pub(super) async fn about_refund(
        &self,
        row: &InboxRow,
        event: &WebhookEvent,
        account: &Account,
        id: &ProviderRefundId,
    ) -> Result<Applied> {
        if let Some((at, owner)) = self.owner(row, ObjectKind::Refund, id.as_str()).await? {
            return self.look_at_refund(row, event, at, &owner, id).await;
        }
        let can_ask = account.provider.capabilities().has(Operation::FetchRefund);
        if row.trust == Trust::Unsigned || !can_ask {
            return self.unmatched(row, event).await;
        }
        let lookup = RefundLookup { id: id.clone(), payment: None };
        let refund = match self.ask_for_refund(account, &lookup).await {
            Ok(refund) => refund,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return self.unmatched(row, event).await;
            }
            Err(error) => return Err(error),
        };
        let of = match (&refund.payment, &refund.part) {
            (Some(payment), _) => self.owner(row, ObjectKind::Payment, payment.as_str()).await?,
            (None, Some(part)) => self.owner(row, ObjectKind::Part, part.as_str()).await?,
            (None, None) => None,
        };
        match of {
            Some((at, owner)) => {
                let seen = self.read_left(at, &owner, &refund).await?;
                self.look_because(row, event, at, &owner, seen).await
            }
            None => self.unmatched(row, event).await,
        }
    }

    /// What the refund gives back, where that is not what counts: nothing else names it.
    async fn read_left(
        &self,
        account: &Account,
        owner: &PaymentId,
        refund: &Refund,
    ) -> Result<Option<Payment>> {
        let record = self.load(owner).await?;
        let here = |known: &&Payment| known.provider == *account.provider.id();
        let is_it = |known: &Payment| {
            let of_part = |id: &ProviderPartId| known.parts.iter().any(|part| part.id == *id);
            refund.payment.as_ref() == Some(&known.id) || refund.part.as_ref().is_some_and(of_part)
        };
        if record.provider.as_ref().filter(here).is_some_and(is_it) {
            return Ok(None);
        }
        let left = record.attempts.iter().flat_map(|attempt| &attempt.left).filter(here);
        let left = left.into_iter().find(|left| is_it(left)).map(|left| &left.id);
        let Some(id) = refund.payment.as_ref().or(left) else { return Ok(None) };
        let handle = handle_at(&record, account.provider.id(), id, None);
        self.ask(account, &PaymentLookup::Payment(handle)).await.map(Some)
    }

    pub(super) async fn look_at_refund(
        &self,
        row: &InboxRow,
        event: &WebhookEvent,
        account: &Account,
        owner: &PaymentId,
        id: &ProviderRefundId,
    ) -> Result<Applied> {
        let record = self.load(owner).await?;
        if let Some(later) = self.heed(row, owner, id.as_str()) {
            return Ok(later);
        }
        let attempt = record.attempts.iter().find(|attempt| {
            attempt.refund.as_ref().is_some_and(|refund| refund.id.as_ref() == Some(id))
        });
        let Some(attempt) = attempt else {
            return Ok(Applied::As(InboxOutcome::Stale));
        };
        let (no, payment) = (attempt.no, record.handle_of_refund(attempt));
        let lookup = RefundLookup { id: id.clone(), payment };
        let refund = self.ask_for_refund(account, &lookup).await?;
        self.hints.was_answered(owner, id.as_str());
        let evidence = Evidence::Webhook {
            account: account.provider.id().clone(),
            key: row.key.clone(),
            name: event.name.clone(),
            trust: event.trust,
            asked: true,
            said: Said::from(&refund),
        };
        let record = self.take_in_refund_because(record, no, &refund, &evidence).await?;
        self.go_on(record).await;
        Ok(Applied::As(InboxOutcome::Applied))
    }
}
