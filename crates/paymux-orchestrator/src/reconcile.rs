//! Comparing our books with the providers', for a span of time. What differs is seen as a look-up
//! is: it goes through the same rules, nothing is put right in silence, and every difference is
//! reported.

use std::fmt;

use paymux_core::{
    Amounts, Effect, Error, ErrorKind, Operation, Payment, PaymentStatus, ProviderId, Result,
    Timestamp,
};
use serde::Serialize;

use crate::{
    Orchestrator, PaymentId,
    draft::to_json,
    engine::{Account, Engine, read_document, unavailable},
    evidence::Evidence,
    observe,
    outbox::Moved,
    record::{PaymentRecord, Review, ReviewReason},
    store::PaymentQuery,
};

mod search;

/// How many of our payments are read at once.
const PAGE: u32 = 200;

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
    /// The provider has a payment that is none of ours, or money on what was given up: that one is
    /// read, and a person has to look.
    TheirsOnly,
    /// The provider does not have a payment of ours. Where that one took money, a person has to
    /// look.
    OursOnly,
    /// Status or amounts were not the same. What the provider says was taken in by the usual
    /// rules; where they forbid that and money is concerned, a person has to look.
    Differs,
    /// The provider could not be asked, or something is under way: run it again.
    NotCompared,
}

impl DifferenceKind {
    /// The word for it, as in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TheirsOnly => "theirs_only",
            Self::OursOnly => "ours_only",
            Self::Differs => "differs",
            Self::NotCompared => "not_compared",
        }
    }
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
                write!(f, ": could not be compared, ours says {ours}: {theirs}")
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
        self.0.calls.own(Box::pin(async move { Box::pin(engine.reconcile(from, to)).await })).await
    }
}

impl Engine {
    pub(crate) async fn reconcile(&self, from: Timestamp, to: Timestamp) -> Result<Reconciliation> {
        let mut found = Reconciliation::default();
        // An id begins with the moment at which the payment was made, and payments are read in the
        // order of their ids: what is older or newer need not be looked through.
        let (mut after, end) = (PaymentId::lowest(from), PaymentId::lowest(to));
        // A comparison takes long: at shutdown it ends where it is.
        while after < end && !self.calls.is_closed() {
            let after_this = Some(after.clone());
            let query = PaymentQuery { after: after_this, limit: PAGE, ..PaymentQuery::default() };
            let rows = self.store.list(&query).await;
            let rows = rows.map_err(|error| unavailable(error, Effect::None))?;
            let Some(last) = rows.last() else { break };
            after = last.id.clone();
            let inside = rows.iter().filter(|row| row.created_at >= from && row.created_at < to);
            for row in inside.take_while(|_| !self.calls.is_closed()) {
                let record = read_document(&row.document)?;
                let record = Box::pin(self.compare_left(record, &mut found)).await?;
                Box::pin(self.compare(record, &mut found)).await?;
            }
        }
        for (id, account) in &self.accounts {
            if can_list(account) {
                Box::pin(self.search(id, account, (from, to), &mut found)).await?;
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
        let (record, not_asked) = match self.watch_all(record.clone()).await {
            Ok(watched) => watched,
            // What hinders one payment is no reason to leave the others.
            Err(error) if !is_of_the_store(&error) => {
                let first = record.attempts.first().map(|attempt| attempt.account.clone());
                found.differences.extend(first.map(|account| Difference {
                    kind: DifferenceKind::NotCompared,
                    account,
                    payment: Some(record.id.clone()),
                    ours: in_words(&record),
                    theirs: error.to_string(),
                }));
                return Ok(record);
            }
            Err(error) => return Err(error),
        };
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
            let is_listed = self.accounts.get(&left.provider).is_some_and(can_list);
            if observe::shows_money(left.status) && !observe::went_back(left) && !is_listed {
                let theirs = format!("{} is {}", left.id, left.status);
                let difference = difference(DifferenceKind::TheirsOnly, &left.provider, theirs);
                found.differences.push(difference);
            }
        }
        Ok(record)
    }

    /// Reads one payment of ours from its provider and takes in what it says.
    async fn compare(&self, record: PaymentRecord, found: &mut Reconciliation) -> Result<()> {
        let open = record.open_step();
        let Some(account) = open.map(|open| &open.account).or(record.account()).cloned() else {
            return Ok(());
        };
        let (id, ours) = (record.id.clone(), in_words(&record));
        let difference = |kind, theirs| Difference {
            kind,
            account: account.clone(),
            payment: Some(id.clone()),
            ours: ours.clone(),
            theirs,
        };
        if let Some(attempt) = open {
            let ours = format!("attempt {} is {}", attempt.no, attempt.state.in_words());
            let not_asked = "not asked while it is".to_owned();
            let not_compared = difference(DifferenceKind::NotCompared, not_asked);
            found.differences.push(Difference { ours, ..not_compared });
            return Ok(());
        }
        let asked_at = self.now();
        let taken_in = match self.read_again(&record).await {
            Ok(read) => {
                found.compared += 1;
                if !differs(&record, &read) {
                    return Ok(());
                }
                let theirs = read_in_words(&read);
                found.differences.push(difference(DifferenceKind::Differs, theirs));
                self.take_in_difference(record, read, asked_at).await
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                found.compared += 1;
                let theirs = "it does not know it".to_owned();
                found.differences.push(difference(DifferenceKind::OursOnly, theirs.clone()));
                self.show_once(&record, &theirs, has_taken(record.status)).await
            }
            Err(error) => {
                found.differences.push(difference(DifferenceKind::NotCompared, error.to_string()));
                Ok(())
            }
        };
        match taken_in {
            // What hinders one payment is no reason to leave the others.
            Err(error) if !is_of_the_store(&error) => {
                found.differences.push(difference(DifferenceKind::NotCompared, error.to_string()));
                Ok(())
            }
            other => other,
        }
    }

    async fn take_in_difference(
        &self,
        record: PaymentRecord,
        read: Payment,
        asked_at: Timestamp,
    ) -> Result<()> {
        let theirs = read_in_words(&read);
        let now = self.take_in_read(record, read.clone(), asked_at).await?;
        // What the usual rules leave as it was, though it took money by our books.
        let newest = now.looked_at == Some(asked_at) && now.open_step().is_none();
        let less = now.status.is_final() || !observe::shows_money(read.status);
        let hides = read.status != now.status && read.status != PaymentStatus::Unknown;
        self.show_once(&now, &theirs, newest && less && hides && has_taken(now.status)).await
    }

    /// Has a person look at a payment whose money the provider does not show, once for each thing
    /// that it says instead: what a person has let pass is not shown again.
    async fn show_once(&self, record: &PaymentRecord, theirs: &str, matters: bool) -> Result<()> {
        let Some(account) = record.account().filter(|_| matters) else { return Ok(()) };
        let note = format!("it is {}, and compared with {account}: {theirs}", in_words(record));
        let evidence = Evidence::Rule { decision: note.clone(), attempt: None };
        let line = to_json(&evidence)?;
        let history = self.store.history(&record.id).await;
        let history = history.map_err(|error| unavailable(error, Effect::None))?;
        if history.iter().any(|known| known.evidence == line) {
            return Ok(());
        }
        let reason = ReviewReason::Contradiction;
        let shown = self.change_known(record, &evidence, |draft, now| {
            let known = draft.record.is_under_review(reason);
            let same = draft.record.status == record.status
                && draft.record.account() == Some(account)
                && !draft.record.has_acted_since(record);
            if known || !same {
                return Ok(false);
            }
            let attempt = draft.record.live().map(|live| live.no);
            let note = note.clone();
            draft.record.add_review(Review { reason, attempt, note, since: now });
            Ok(true)
        });
        shown.await.map(|_| ())
    }
}

fn differs(record: &PaymentRecord, read: &Payment) -> bool {
    record.status != read.status
        || record.provider.as_ref().is_some_and(|known| {
            Moved::of(&read.amounts.clone().or(&known.amounts)) != Moved::of(&known.amounts)
        })
}

/// Is money taken or held in this status?
const fn has_taken(status: PaymentStatus) -> bool {
    observe::shows_money(status) && !matches!(status, PaymentStatus::Processing)
}

/// Nothing can be compared without the store; everything else is about one payment.
fn is_of_the_store(error: &Error) -> bool {
    error.kind() == ErrorKind::Unavailable && error.provider().is_none()
}

/// Can what it has be searched by time?
fn can_list(account: &Account) -> bool {
    let capabilities = account.provider.capabilities();
    capabilities.has(Operation::ListPayments) && capabilities.list_created
}

fn in_words(record: &PaymentRecord) -> String {
    let figures = record.provider.as_ref().map(|payment| figures(&payment.amounts));
    format!("{}{}", record.status, figures.unwrap_or_default())
}

fn read_in_words(read: &Payment) -> String {
    format!("{} (\"{}\"){}", read.status, read.provider_status, figures(&read.amounts))
}

/// All that moved, as far as it is said.
fn figures(amounts: &Amounts) -> String {
    let mut words = String::new();
    for (amount, what) in [
        (amounts.captured, "taken"),
        (amounts.refunded, "given back"),
        (amounts.charged_back, "charged back"),
    ] {
        if let Some(amount) = amount {
            words.push_str(&format!(", {amount} {what}"));
        }
    }
    if amounts.given_back_unstated {
        words.push_str(", some of it gone back");
    }
    words
}
