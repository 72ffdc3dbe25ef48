//! What a provider lists and we do not know, or do not count any more.

use std::{collections::BTreeSet, pin::pin};

use futures_util::StreamExt;
use paymux_core::{
    Effect, ListPayments, Payment, PaymentLookup, ProviderId, Result, Timestamp, list_all_payments,
};

use super::{Difference, DifferenceKind, Reconciliation, is_of_the_store, read_in_words};
use crate::{
    PaymentId,
    apply::{attempt_about, handle_at, take_in},
    engine::{Account, Engine, read_document, unavailable},
    evidence::{Evidence, Said},
    look::read_over_time,
    observe,
    record::{AttemptState, PaymentRecord},
    settle::Context,
    store::{ObjectKind, ObjectRef},
};

/// How many payments a provider is asked for at once.
const PROVIDER_PAGE: u32 = 100;

/// What a listed payment is to us.
enum Ours {
    /// Nothing.
    Nothing,
    /// What pays a payment of ours, or what nobody paid: nothing is to be done.
    Known,
    /// What an attempt in doubt may have opened.
    InDoubt(Box<PaymentRecord>),
    /// Money on what does not count any more.
    Late(Box<PaymentRecord>),
}

impl Engine {
    /// Goes through what a provider lists.
    pub(super) async fn search(
        &self,
        id: &ProviderId,
        account: &Account,
        (from, to): (Timestamp, Timestamp),
        found: &mut Reconciliation,
    ) -> Result<()> {
        let mut query = ListPayments::new(PROVIDER_PAGE);
        query.created_from = Some(from);
        query.created_to = Some(to);
        let difference = |kind, payment, ours: &str, theirs| Difference {
            kind,
            account: id.clone(),
            payment,
            ours: ours.to_owned(),
            theirs,
        };
        let listed = match self.list(account, query).await {
            Ok(listed) => listed,
            Err(error) => {
                let kind = DifferenceKind::NotCompared;
                found.differences.push(difference(kind, None, "", error.to_string()));
                return Ok(());
            }
        };
        found.listed += listed.len();
        let mut seen = BTreeSet::new();
        for payment in listed {
            if !seen.insert(payment.id.as_str().to_owned()) {
                continue;
            }
            let theirs = format!("{} is {}", payment.id, read_in_words(&payment));
            let (kind, mut record) = (DifferenceKind::TheirsOnly, None);
            match self.ours(id, &payment).await? {
                Ours::Known => {}
                Ours::Nothing => {
                    found.differences.push(difference(kind, None, "nothing", theirs));
                }
                Ours::Late(late) => {
                    let ours = "an attempt that does not count any more";
                    found.differences.push(difference(kind, Some(late.id.clone()), ours, theirs));
                    record = Some(late);
                }
                Ours::InDoubt(doubted) => record = Some(doubted),
            }
            let Some(record) = record else { continue };
            match self.take_in_listed(account, &record, &payment).await {
                Err(error) if !is_of_the_store(&error) => {
                    let (kind, words) = (DifferenceKind::NotCompared, error.to_string());
                    let ours = record.status.as_str();
                    found.differences.push(difference(kind, Some(record.id), ours, words));
                }
                other => other?,
            }
        }
        Ok(())
    }

    async fn ours(&self, id: &ProviderId, listed: &Payment) -> Result<Ours> {
        let object = ObjectRef {
            account: id.clone(),
            kind: ObjectKind::Payment,
            id: listed.id.as_str().to_owned(),
        };
        let owner = self.store.find_object(&object).await;
        let owner = owner.map_err(|error| unavailable(error, Effect::None))?;
        let owner = match owner {
            Some(owner) => owner,
            // The answer that named it was lost: our own reference says whose it is.
            None => match listed.reference.as_ref().and_then(PaymentId::of_reference) {
                Some(owner) => owner,
                None => return Ok(Ours::Nothing),
            },
        };
        let row = self.store.load(&owner).await;
        let row = row.map_err(|error| unavailable(error, Effect::None))?;
        let Some(row) = row else { return Ok(Ours::Nothing) };
        let record = read_document(&row.document)?;
        let counts = |known: &Payment| known.provider == *id && known.id == listed.id;
        if record.provider.as_ref().is_some_and(counts) {
            return Ok(Ours::Known);
        }
        let of = attempt_about(&record, id, &listed.id, listed.reference.as_ref());
        let left = of.and_then(|attempt| attempt.left.iter().find(|left| left.id == listed.id));
        let has_money = observe::shows_money(listed.status)
            && !observe::went_back(&observe::merge(left.cloned(), listed.clone()));
        Ok(match of.map(|attempt| attempt.state) {
            Some(AttemptState::Intent | AttemptState::Sending) => Ours::Known,
            Some(AttemptState::Unknown) => Ours::InDoubt(Box::new(record)),
            Some(_) if has_money => Ours::Late(Box::new(record)),
            Some(_) => Ours::Known,
            None => Ours::Nothing,
        })
    }

    /// Reads what was listed by its id, since a list is no proof, and takes that in by the usual
    /// rules: it ends a doubt, or goes to a person.
    async fn take_in_listed(
        &self,
        account: &Account,
        record: &PaymentRecord,
        listed: &Payment,
    ) -> Result<()> {
        let (id, told) = (account.provider.id(), listed.reference.as_ref());
        let handle = handle_at(record, id, &listed.id, told);
        let asked_at = self.now();
        let mut read = self.ask(account, &PaymentLookup::Payment(handle)).await?;
        if read.id == listed.id {
            read.reference = read.reference.or_else(|| listed.reference.clone());
        }
        let attempt = attempt_about(record, id, &listed.id, told).map(|attempt| attempt.no);
        let said = Said::from(&read);
        let evidence = Evidence::Lookup { account: account.provider.id().clone(), attempt, said };
        let taken_in = self.change_known(record, &evidence, |draft, now| {
            if draft.record.has_acted_since(record) {
                return Ok(false);
            }
            let context = Context { asked_at, ..self.context(account, now) };
            let fits = take_in(&mut draft.record, &read, &context);
            // What was seen before is not written down again and again.
            let new = draft.record.reviews != record.reviews
                || draft.record.has_acted_since(record)
                || draft.record.status != record.status;
            Ok(fits && new)
        });
        taken_in.await.map(|_| ())
    }

    /// Every page of a list, each within its time.
    async fn list(&self, account: &Account, query: ListPayments) -> Result<Vec<Payment>> {
        let mut pages = pin!(list_all_payments(&*account.provider, query));
        let mut listed = Vec::new();
        loop {
            let next = tokio::time::timeout(self.settings.call_limit, pages.next()).await;
            let next = next.map_err(|_| read_over_time(account.provider.id()))?;
            match next.transpose()? {
                Some(payment) => listed.push(payment),
                None => return Ok(listed),
            }
        }
    }
}
