//! Comparing our books with the providers', for a span of time. What differs is seen as a look-up
//! is: it goes through the same rules, nothing is put right in silence, and every difference is
//! reported.

use std::{collections::BTreeSet, fmt, pin::pin};

use futures_util::StreamExt;
use paymux_core::{
    ListPayments, Operation, Payment, ProviderId, Result, Timestamp, list_all_payments,
};
use serde::Serialize;

use crate::{
    Orchestrator, PaymentId,
    engine::{Account, Engine, unavailable},
    look::read_over_time,
    observe,
    outbox::Moved,
    record::PaymentRecord,
    store::{ObjectKind, ObjectRef, PaymentQuery},
};

/// How many of our payments are read at once.
const PAGE: u32 = 200;
/// How many payments a provider is asked for at once.
const PROVIDER_PAGE: u32 = 100;

/// What a comparison found.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Reconciliation {
    /// How many of our payments were read from their providers.
    pub compared: usize,
    /// How many payments the providers listed.
    pub listed: usize,
    /// The accounts that cannot list by time: there, only what we know of was compared.
    pub not_listed: Vec<ProviderId>,
    /// What differed, and what could not be compared.
    pub differences: Vec<Difference>,
}

/// One difference between the books.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// What kind.
    pub kind: DifferenceKind,
    /// The account.
    pub account: ProviderId,
    /// Our payment, if there is one.
    pub payment: Option<PaymentId>,
    /// What our books said, in words.
    pub ours: String,
    /// What the provider's say.
    pub theirs: String,
}

/// What kind of difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DifferenceKind {
    /// The provider has a payment that is none of ours.
    TheirsOnly,
    /// The provider does not have a payment of ours.
    OursOnly,
    /// Status or amounts were not the same. What the provider says was taken in by the usual
    /// rules.
    Differs,
    /// The provider could not be asked, or something is under way: run it again.
    NotCompared,
}

/// A line for a person: which payment, and what each side says.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.account)?;
        if let Some(payment) = &self.payment {
            write!(f, ", {payment}")?;
        }
        let Self { ours, theirs, .. } = self;
        match (self.kind, &self.payment) {
            (DifferenceKind::NotCompared, Some(_)) => {
                write!(f, ": could not be asked, ours says {ours}: {theirs}")
            }
            (DifferenceKind::NotCompared, None) => {
                write!(f, ": could not be asked for its list: {theirs}")
            }
            _ => write!(f, ": ours says {ours}, theirs says {theirs}"),
        }
    }
}

impl Orchestrator {
    /// Compares the payments that were asked for in this span with what their providers say.
    /// What was given up on the way is looked at again as well.
    /// Where an account can list by time, what it lists is searched for payments that are none of
    /// ours; leave the last minutes out of the span, since what is under way differs for a moment.
    ///
    /// # Errors
    /// `Unavailable` when the store is. That a provider cannot be asked is a finding, no error.
    pub async fn reconcile(&self, from: Timestamp, to: Timestamp) -> Result<Reconciliation> {
        let engine = self.0.clone();
        self.0.calls.own(Box::pin(async move { engine.reconcile(from, to).await })).await
    }
}

impl Engine {
    async fn reconcile(&self, from: Timestamp, to: Timestamp) -> Result<Reconciliation> {
        let mut found = Reconciliation::default();
        let mut after = None;
        loop {
            let query = PaymentQuery {
                created_from: Some(from),
                created_to: Some(to),
                after: after.clone(),
                limit: PAGE,
                ..PaymentQuery::default()
            };
            let rows = self.store.list(&query).await;
            let rows = rows.map_err(|error| unavailable(error, paymux_core::Effect::None))?;
            let Some(last) = rows.last() else { break };
            after = Some(last.id.clone());
            for row in &rows {
                let record = crate::engine::read_document(&row.document)?;
                let record = self.compare_left(record, &mut found).await?;
                self.compare(record, &mut found).await?;
            }
        }
        for (id, account) in &self.accounts {
            if can_list(account) {
                self.search(id, account, (from, to), &mut found).await?;
            } else {
                found.not_listed.push(id.clone());
            }
        }
        Ok(found)
    }

    /// Looks again at what was given up, and says where money is on it.
    async fn compare_left(
        &self,
        record: PaymentRecord,
        found: &mut Reconciliation,
    ) -> Result<PaymentRecord> {
        let (record, not_asked) = self.watch_all(record).await?;
        let difference = |kind, account: &ProviderId, theirs: String| Difference {
            kind,
            account: account.clone(),
            payment: Some(record.id.clone()),
            ours: "an attempt that does not count any more".to_owned(),
            theirs,
        };
        let not_asked = not_asked.into_iter().map(|(account, fault)| {
            difference(DifferenceKind::NotCompared, &account, fault.message)
        });
        found.differences.extend(not_asked);
        for left in record.attempts.iter().flat_map(|attempt| &attempt.left) {
            let amounts = &left.amounts;
            let is_back = amounts.captured.is_some() && amounts.captured == amounts.refunded;
            let is_listed = self.accounts.get(&left.provider).is_some_and(can_list);
            if observe::shows_money(left.status) && !is_back && !is_listed {
                let theirs = format!("{} is {}", left.id, left.status);
                let difference = difference(DifferenceKind::TheirsOnly, &left.provider, theirs);
                found.differences.push(difference);
            }
        }
        Ok(record)
    }

    /// Reads one payment of ours from its provider and takes in what it says.
    async fn compare(&self, record: PaymentRecord, found: &mut Reconciliation) -> Result<()> {
        let Some(account) = record.account().cloned() else { return Ok(()) };
        if let Some(attempt) = record.open_attempt() {
            found.differences.push(Difference {
                kind: DifferenceKind::NotCompared,
                account,
                payment: Some(record.id.clone()),
                ours: format!("attempt {} is {}", attempt.no, attempt.state.in_words()),
                theirs: "not asked while it is".to_owned(),
            });
            return Ok(());
        }
        let (id, ours) = (record.id.clone(), in_words(&record));
        let difference = |kind, theirs| Difference {
            kind,
            account: account.clone(),
            payment: Some(id.clone()),
            ours: ours.clone(),
            theirs,
        };
        let asked_at = self.now();
        let read = match self.read_again(&record).await {
            Ok(payment) => payment,
            Err(error) if error.kind() == paymux_core::ErrorKind::NotFound => {
                found.compared += 1;
                let theirs = "it does not know it".to_owned();
                found.differences.push(difference(DifferenceKind::OursOnly, theirs));
                return Ok(());
            }
            Err(error) => {
                found.differences.push(difference(DifferenceKind::NotCompared, error.to_string()));
                return Ok(());
            }
        };
        found.compared += 1;
        let differs = record.status != read.status
            || record.provider.as_ref().is_some_and(|known| {
                let amounts = read.amounts.clone().or(&known.amounts);
                Moved::of(&amounts) != Moved::of(&known.amounts)
            });
        if differs {
            let theirs = format!("{} ({})", read.status, read.provider_status);
            found.differences.push(difference(DifferenceKind::Differs, theirs));
            self.take_in_read(record, read, asked_at).await?;
        }
        Ok(())
    }

    /// What a provider lists and we do not know.
    async fn search(
        &self,
        id: &ProviderId,
        account: &Account,
        (from, to): (Timestamp, Timestamp),
        found: &mut Reconciliation,
    ) -> Result<()> {
        let mut query = ListPayments::new(PROVIDER_PAGE);
        query.created_from = Some(from);
        query.created_to = Some(to);
        let listed = match self.list(account, query).await {
            Ok(listed) => listed,
            Err(error) => {
                found.differences.push(Difference {
                    kind: DifferenceKind::NotCompared,
                    account: id.clone(),
                    payment: None,
                    ours: String::new(),
                    theirs: error.to_string(),
                });
                return Ok(());
            }
        };
        found.listed += listed.len();
        let mut seen = BTreeSet::new();
        for payment in listed {
            let object = ObjectRef {
                account: id.clone(),
                kind: ObjectKind::Payment,
                id: payment.id.as_str().to_owned(),
            };
            let owner = self.store.find_object(&object).await;
            let owner = owner.map_err(|error| unavailable(error, paymux_core::Effect::None))?;
            if !seen.insert(object.id) {
                continue;
            }
            let ours = match &owner {
                None => "nothing",
                Some(owner) if !self.counts(owner, &payment).await? => {
                    "an attempt that does not count any more"
                }
                Some(_) => continue,
            };
            found.differences.push(Difference {
                kind: DifferenceKind::TheirsOnly,
                account: id.clone(),
                payment: owner,
                ours: ours.to_owned(),
                theirs: format!("{} is {}", payment.id, payment.status),
            });
        }
        Ok(())
    }
}

impl Engine {
    /// Is this the object by which a payment of ours is paid? One that was given up and shows
    /// money is not.
    async fn counts(&self, owner: &PaymentId, listed: &Payment) -> Result<bool> {
        let record = self.load(owner).await?;
        let counts = record.provider.as_ref().is_some_and(|known| known.id == listed.id);
        Ok(counts || !observe::shows_money(listed.status))
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

/// Can what it has be searched by time?
fn can_list(account: &Account) -> bool {
    let capabilities = account.provider.capabilities();
    capabilities.has(Operation::ListPayments) && capabilities.list_created
}

fn in_words(record: &PaymentRecord) -> String {
    let captured = record.provider.as_ref().and_then(|payment| payment.amounts.captured);
    match captured {
        Some(captured) => format!("{}, {captured} taken", record.status),
        None => record.status.to_string(),
    }
}
