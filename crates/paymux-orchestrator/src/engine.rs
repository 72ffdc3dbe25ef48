//! What every verb stands on: the accounts, the store, and the one way to change a payment.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use paymux_core::{
    Capabilities, Clock, Effect, Error, ErrorKind, PaymentProvider, ProviderId, Random, Result,
    Timestamp,
};

use crate::{
    PaymentId,
    calls::Calls,
    draft::{Draft, Writer},
    evidence::Evidence,
    health::Health,
    hints::Hints,
    house::Housekeeping,
    look,
    observe::{self, Observed, Source},
    plan::{self, Move, View},
    record::{PaymentRecord, Review, ReviewReason},
    returns::ReturnHosts,
    routing::Router,
    settle::{self, Context},
    store::{CallerKeyRow, Change, Committed, InboxSettlement, Store, StoreError, StoreErrorKind},
    telemetry,
};

mod taken;

use taken::{Taken, answered, left_by};

/// How often a change is worked out anew when others keep being faster.
const MOST_RACES: u32 = 50;

/// One account as the orchestrator uses it.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) provider: Arc<dyn PaymentProvider>,
    pub(crate) health: Health,
    pub(crate) accept_unreported_amount: bool,
}

/// Times that a merchant may want to set.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) node: String,
    pub(crate) call_limit: Duration,
    pub(crate) clock_skew: Duration,
    pub(crate) stale_after: Duration,
    pub(crate) unmatched_for: Duration,
    pub(crate) keys_kept_for: Duration,
    pub(crate) events_kept_for: Duration,
    pub(crate) housekeeping: Housekeeping,
    pub(crate) return_hosts: ReturnHosts,
}

/// How long it may take to write an answer down: it is tried for ten seconds at first, and may take
/// as long again.
const WRITTEN_WITHIN: Duration = Duration::from_secs(30);

impl Settings {
    /// When somebody else may think that a call was lost: not while it can be under way, or its
    /// answer is being written, by whatever clock.
    pub(crate) fn lost_after(&self) -> Duration {
        self.call_limit + self.clock_skew + WRITTEN_WITHIN
    }
}

#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) accounts: BTreeMap<ProviderId, Account>,
    pub(crate) router: Router,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) settings: Settings,
    pub(crate) calls: Calls,
    pub(crate) hints: Hints,
    pub(crate) shown: telemetry::Shown,
}

/// What came of a change.
pub(crate) enum Changed {
    /// It is written; this is the payment now.
    Done(Box<PaymentRecord>),
    /// It was refused, since it names an object of another payment: only that is written.
    Shared(Box<PaymentRecord>),
    /// There was nothing to change.
    Untouched(Box<PaymentRecord>),
    /// The caller used the key before.
    KeyTaken(CallerKeyRow),
}

impl Changed {
    pub(crate) fn into_record(self) -> Result<PaymentRecord> {
        match self {
            Self::Done(record) | Self::Shared(record) | Self::Untouched(record) => Ok(*record),
            Self::KeyTaken(_) => Err(unexpected("a key was taken by a change without one")),
        }
    }
}

impl Engine {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn account(&self, id: &ProviderId) -> Result<&Account> {
        self.accounts.get(id).ok_or_else(|| {
            let message = format!("the account {id} is not configured any more");
            Error::new(ErrorKind::Configuration, Effect::None, message).with_provider(id)
        })
    }

    pub(crate) fn context<'a>(&'a self, account: &'a Account, now: Timestamp) -> Context<'a> {
        Context {
            now,
            asked_at: now,
            source: Source::Asked,
            is_due: false,
            call_limit: self.settings.lost_after(),
            capabilities: account.provider.capabilities(),
            accept_unreported_amount: account.accept_unreported_amount,
            random: &*self.random,
        }
    }

    pub(crate) fn next_move(&self, record: &PaymentRecord, now: Timestamp) -> Move {
        let capabilities = |id: &ProviderId| -> Option<&Capabilities> {
            self.accounts.get(id).map(|account| account.provider.capabilities())
        };
        let call_limit = self.settings.lost_after();
        plan::next_move(record, &View { now, capabilities: &capabilities, call_limit })
    }

    /// When the payment has to be looked after. What is to be done at once is being done by
    /// whoever made the change; if that process ends, another one takes over a little later.
    fn due(&self, record: &PaymentRecord, now: Timestamp) -> Option<Timestamp> {
        let next = self.next_move(record, now);
        if let Move::Wait(moment) = next {
            return Some(moment);
        }
        (next != Move::Done).then(|| now.after(self.settings.lost_after()))
    }

    pub(crate) async fn load(&self, id: &PaymentId) -> Result<PaymentRecord> {
        let row = self.store.load(id).await.map_err(|error| unavailable(error, Effect::None))?;
        let row = row.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, Effect::None, format!("there is no payment {id}"))
                .with_field("payment_id")
        })?;
        read_document(&row.document)
    }

    /// Changes a payment: `work` is done on what is stored, and again on what is stored then when
    /// somebody else was faster. It says whether there was anything to change.
    pub(crate) async fn change(
        &self,
        id: &PaymentId,
        evidence: &Evidence,
        work: impl Fn(&mut Draft<'_>, Timestamp) -> Result<bool> + Send + Sync,
    ) -> Result<Changed> {
        self.change_from(id, None, evidence, work).await
    }

    /// The same, beginning with what is known of the payment: it need not be read again where
    /// nobody was faster.
    pub(crate) async fn change_known(
        &self,
        known: &PaymentRecord,
        evidence: &Evidence,
        work: impl Fn(&mut Draft<'_>, Timestamp) -> Result<bool> + Send + Sync,
    ) -> Result<Changed> {
        self.change_from(&known.id, Some(known), evidence, work).await
    }

    async fn change_from(
        &self,
        id: &PaymentId,
        mut known: Option<&PaymentRecord>,
        evidence: &Evidence,
        work: impl Fn(&mut Draft<'_>, Timestamp) -> Result<bool> + Send + Sync,
    ) -> Result<Changed> {
        for _ in 0..MOST_RACES {
            let (record, is_read) = match known.take() {
                Some(record) => (Cow::Borrowed(record), false),
                None => (Cow::Owned(self.load(id).await?), true),
            };
            let now = self.now();
            let mut draft = Draft::of(record);
            if !work(&mut draft, now)? {
                if is_read {
                    return Ok(Changed::Untouched(Box::new(draft.record)));
                }
                // That is so by what was known; what is stored may say otherwise.
                continue;
            }
            let inbox = draft.inbox.clone();
            match Box::pin(self.write(draft, evidence, now)).await? {
                Written::Done(record) => return Ok(Changed::Done(record)),
                Written::Lost => {}
                Written::KeyTaken(row) => return Ok(Changed::KeyTaken(row)),
                Written::ObjectTaken(taken) => {
                    return Box::pin(self.share_refused(id, evidence, &taken, &inbox)).await;
                }
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            Effect::Possible,
            format!("the payment {id} is changed by others faster than it can be written"),
        ))
    }

    /// Writes a draft. What is written is worked out at once, so that the future holds no draft: it
    /// would make every future around it as large.
    pub(crate) fn write<'a>(
        &'a self,
        draft: Draft<'_>,
        evidence: &Evidence,
        now: Timestamp,
    ) -> impl Future<Output = Result<Written>> + Send + use<'a> {
        let due = self.due(&draft.record, now);
        let cleared = draft.cleared_doubts(now);
        let writer = Writer { node: &self.settings.node, now, random: &*self.random };
        let finished = draft.finish(evidence, due, &writer);
        let finished = finished.map(|(record, change)| (Box::new(record), Arc::new(change)));
        async move {
            let (record, change) = finished?;
            let written = self.commit(change).await?;
            Self::written(written, record, &cleared)
        }
    }

    /// What it means for the payment that the store answered this.
    fn written(
        committed: Committed,
        record: Box<PaymentRecord>,
        cleared: &[(ProviderId, Duration)],
    ) -> Result<Written> {
        Ok(match committed {
            Committed::Done => {
                for (account, after) in cleared {
                    telemetry::doubt_settled(account, *after);
                }
                Written::Done(record)
            }
            Committed::Lost => Written::Lost,
            Committed::KeyTaken(row) => Written::KeyTaken(row),
            Committed::SlotRefused => {
                return Err(unexpected("another attempt holds the right to move money"));
            }
            Committed::ObjectTaken { object, owner } => {
                Written::ObjectTaken(Taken::of(&record, &object, &owner))
            }
        })
    }

    /// Writes a change, and finds out whether it is there when the store cannot say.
    async fn commit(&self, change: Arc<Change>) -> Result<Committed> {
        let error = match self.store.commit_shared(Arc::clone(&change)).await {
            Ok(committed) => return Ok(committed),
            Err(error) => error,
        };
        if error.kind() != StoreErrorKind::CommitUnknown {
            return Err(unavailable(error, Effect::None));
        }
        let (id, transition) = (&change.payment.id, &change.transition.id);
        if self.is_kept(id, transition).await? {
            return Ok(Committed::Done);
        }
        // It is not there, and its version makes sure that it is not written twice.
        let committed = self.store.commit_shared(Arc::clone(&change)).await;
        let committed = committed.map_err(|error| unavailable(error, Effect::Possible))?;
        if committed == Committed::Done {
            return Ok(committed);
        }
        // It may have been on its way all the same, and have arrived between: what refuses it then,
        // a newer version or a key that is taken, is its own.
        let arrived = self.is_kept(id, transition).await?;
        Ok(if arrived { Committed::Done } else { committed })
    }

    /// Is this change there, and sure to stay? What can be read may be on one server alone: a
    /// standby that took over would not know what was sent, and send it again.
    async fn is_kept(&self, id: &PaymentId, transition: &str) -> Result<bool> {
        let unknown = |error| unavailable(error, Effect::Possible);
        let history = self.store.history(id).await.map_err(unknown)?;
        if history.iter().all(|line| line.id != transition) {
            return Ok(false);
        }
        self.store.flush().await.map_err(unknown)?;
        Ok(true)
    }

    /// Nothing was to be done about a payment that was due: says anew when it is due.
    pub(crate) async fn keep_waiting(&self, id: &PaymentId) -> Result<()> {
        let decision = "nothing is to be done now".to_owned();
        let evidence = Evidence::Rule { decision, attempt: None };
        self.change(id, &evidence, |_, _| Ok(true)).await.map(|_| ())
    }

    /// The provider named an object that belongs to another payment: nothing of its answer is
    /// taken over, and a person has to look.
    async fn share_refused(
        &self,
        id: &PaymentId,
        evidence: &Evidence,
        taken: &Taken,
        inbox: &[InboxSettlement],
    ) -> Result<Changed> {
        let evidence = evidence.clone().not_taken_over(&taken.note);
        for _ in 0..MOST_RACES {
            let record = self.load(id).await?;
            let now = self.now();
            let mut draft = Draft::of(Cow::Owned(record));
            let (reason, note) = (ReviewReason::SharedObject, taken.note.clone());
            match answered(&draft.record, &evidence) {
                Some(no) => settle::freeze(&mut draft.record, no, reason, note, now),
                None => {
                    let attempt = taken.left_by.or_else(|| left_by(&draft.record, &evidence));
                    let attempt = attempt.or(draft.record.live().map(|attempt| attempt.no));
                    draft.record.add_review(Review { reason, attempt, note, since: now });
                }
            }
            observe::schedule(&mut draft.record, Observed::Nothing, now);
            if let Evidence::Lookup { attempt: Some(no), .. } = evidence {
                look::put_off(&mut draft.record, no, now, &*self.random);
            }
            draft.inbox = inbox.to_vec();
            if let Written::Done(record) = Box::pin(self.write(draft, &evidence, now)).await? {
                return Ok(Changed::Shared(record));
            }
        }
        Err(unexpected("an object that belongs to another payment could not be noted"))
    }
}

/// What came of writing a draft.
pub(crate) enum Written {
    Done(Box<PaymentRecord>),
    Lost,
    KeyTaken(CallerKeyRow),
    ObjectTaken(Taken),
}

pub(crate) fn read_document(document: &str) -> Result<PaymentRecord> {
    serde_json::from_str(document).map_err(|source| {
        Error::new(ErrorKind::Unexpected, Effect::None, "a stored payment cannot be read")
            .with_source(source)
    })
}

/// What a caller is told when the store failed. `effect` says what had been done before.
pub(crate) fn unavailable(error: StoreError, effect: Effect) -> Error {
    let kind = match error.kind() {
        StoreErrorKind::Unavailable | StoreErrorKind::CommitUnknown => ErrorKind::Unavailable,
        StoreErrorKind::Configuration => ErrorKind::Configuration,
        StoreErrorKind::Corrupt => ErrorKind::Unexpected,
    };
    let message = match effect {
        Effect::None => format!("the store of payments failed: {error}"),
        Effect::Possible => format!(
            "the store of payments failed, and what is under way is looked after once it is back: \
             {error}"
        ),
    };
    Error::new(kind, effect, message)
        .with_retryable(kind == ErrorKind::Unavailable)
        .with_source(error)
}

/// What a caller is told when something fails after it was written down: it will be done, and must
/// not be asked for again under another key.
pub(crate) fn after_writing(error: Error) -> Error {
    error.with_effect(Effect::Possible)
}

pub(crate) fn unexpected(message: &str) -> Error {
    Error::new(ErrorKind::Unexpected, Effect::None, message)
}
