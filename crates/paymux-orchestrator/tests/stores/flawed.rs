//! A memory store with a bug planted on purpose: what a store written in a hurry could do.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use paymux_core::{EventKey, PaymentStatus, Timestamp};
use paymux_orchestrator::{
    PaymentId,
    store::{
        Backlog, CallerKeyRow, Change, Claim, Committed, InboxOutcome, InboxRow, InboxSettlement,
        ObjectRef, OutboxRow, PaymentQuery, PaymentRow, Positioned, Received, Slot, Store,
        StoreError, StoreErrorKind, StoreResult, TransitionRow, memory::MemoryStore,
    },
};

/// Which bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    IgnoresTheVersion,
    ComparesBeforeItWrites,
    LetsASecondSlot,
    LetsAnybodyRelease,
    ForgetsTheSlot,
    SharesKeys,
    SharesKeysOfOnePayment,
    ChecksTheKeyLate,
    SharesObjects,
    RefusesKnownObjects,
    DropsObjects,
    DropsEvents,
    TellsOfRefusedChanges,
    SettlesForRefusedChanges,
    DropsSettlements,
    DropsDigests,
    TurnsHistoryRound,
    CallsUnknownProcessing,
    CutsText,
    CutsAtNul,
    FoldsCase,
    ForgetsLeases,
    LeasesForGood,
    LeasesPastACommit,
    FreesWhatItRefused,
    ClaimsTheLatestFirst,
    ClaimsWithoutLimit,
    ClaimsEarly,
    CallsAllNew,
    SeesNoContradiction,
    KeepsHalfABatch,
    SettlesForGood,
    HearsLateWords,
    FindsAnyEvent,
    PagesFromTheStart,
    IgnoresFilters,
    NumbersWhatItShows,
    PublishesLate,
    AddsTwice,
    CountsTheFuture,
    ForgetsTooMuch,
    ForgetsWhatWaits,
}

/// The store with the bug.
#[derive(Debug)]
pub(crate) struct Flawed {
    flaw: Flaw,
    inner: MemoryStore,
    noted: Mutex<Noted>,
}

/// What some bugs have to remember.
#[derive(Debug, Default)]
struct Noted {
    /// How many calls were made, to tell one from the next.
    calls: u64,
    /// Payments that were claimed.
    claimed: BTreeSet<PaymentId>,
    /// How often an event was claimed.
    tries: BTreeMap<EventKey, u32>,
}

impl Flawed {
    /// A fresh one.
    pub(crate) fn new(flaw: Flaw) -> Self {
        Self { flaw, inner: MemoryStore::new(), noted: Mutex::default() }
    }

    fn is(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    fn count(&self) -> u64 {
        let mut noted = self.noted.lock().unwrap();
        noted.calls += 1;
        noted.calls
    }

    /// The change as the bug writes it.
    async fn bent(&self, mut change: Change) -> StoreResult<Change> {
        match self.flaw {
            Flaw::IgnoresTheVersion | Flaw::ComparesBeforeItWrites => {
                let kept = self.inner.load(&change.payment.id).await?.map_or(0, |row| row.version);
                let sound = kept == change.from_version;
                if self.flaw == Flaw::ComparesBeforeItWrites {
                    tokio::task::yield_now().await;
                }
                if sound || self.flaw == Flaw::IgnoresTheVersion {
                    let kept = self.inner.load(&change.payment.id).await?;
                    change.from_version = kept.map_or(0, |row| row.version);
                    change.payment.version = change.from_version + 1;
                    change.transition.version = change.payment.version;
                }
            }
            Flaw::ForgetsTheSlot => change.slot = Slot::Keep,
            Flaw::DropsObjects => change.objects.clear(),
            Flaw::DropsEvents => change.events.clear(),
            Flaw::DropsSettlements => change.inbox.clear(),
            Flaw::DropsDigests => change.transition.digest.clear(),
            Flaw::CallsUnknownProcessing if change.payment.status == PaymentStatus::Unknown => {
                change.payment.status = PaymentStatus::Processing;
            }
            Flaw::CutsText if change.payment.document.len() > 65_536 => {
                change.payment.document = change.payment.document.chars().take(65_536).collect();
            }
            Flaw::CutsAtNul => {
                let document = change.payment.document.split('\0').next().unwrap_or_default();
                change.payment.document = document.to_owned();
            }
            Flaw::FoldsCase => {
                if let Some(key) = &mut change.caller_key {
                    key.key = key.key.to_lowercase();
                }
            }
            _ => {}
        }
        Ok(change)
    }

    /// What the bug makes of an answer that was a refusal.
    async fn refused(&self, mut change: Change, answer: Committed) -> StoreResult<Committed> {
        match (self.flaw, &answer) {
            (Flaw::LetsASecondSlot, Committed::SlotRefused)
                if matches!(change.slot, Slot::Take(_)) =>
            {
                change.slot = Slot::Keep;
                self.inner.commit(change).await
            }
            (Flaw::LetsAnybodyRelease, Committed::SlotRefused)
                if matches!(change.slot, Slot::Release(_)) =>
            {
                change.slot = Slot::Keep;
                self.inner.commit(change).await
            }
            (Flaw::SharesKeys, Committed::KeyTaken(_)) => {
                change.caller_key = None;
                self.inner.commit(change).await
            }
            (Flaw::SharesKeysOfOnePayment, Committed::KeyTaken(row))
                if row.payment == change.payment.id =>
            {
                change.caller_key = None;
                self.inner.commit(change).await
            }
            (Flaw::ChecksTheKeyLate, Committed::KeyTaken(_)) => {
                change.caller_key = None;
                let version =
                    self.inner.load(&change.payment.id).await?.map_or(0, |row| row.version);
                Ok(if version == change.from_version { answer } else { Committed::Lost })
            }
            (Flaw::SharesObjects, Committed::ObjectTaken { .. }) => {
                change.objects.clear();
                self.inner.commit(change).await
            }
            (Flaw::TellsOfRefusedChanges, _) => {
                for event in change.events {
                    let alone = OutboxRow { payment: None, version: 0, ..event };
                    self.inner.add_event(alone).await?;
                }
                Ok(answer)
            }
            (Flaw::SettlesForRefusedChanges, _) => {
                for settlement in &change.inbox {
                    self.inner.settle_inbox(settlement).await?;
                }
                Ok(answer)
            }
            (Flaw::FreesWhatItRefused, _) => {
                self.noted.lock().unwrap().claimed.insert(change.payment.id);
                Ok(answer)
            }
            _ => Ok(answer),
        }
    }

    fn bent_claim(&self, claim: &Claim) -> Claim {
        let mut claim = claim.clone();
        match self.flaw {
            Flaw::ForgetsLeases => claim.lease = Duration::ZERO,
            Flaw::LeasesForGood => claim.lease *= 1000,
            Flaw::ClaimsWithoutLimit => claim.limit = u32::MAX,
            Flaw::ClaimsEarly => claim.now = claim.now.after(Duration::from_secs(1)),
            _ => {}
        }
        claim
    }
}

#[async_trait]
impl Store for Flawed {
    async fn commit_shared(&self, change: Arc<Change>) -> StoreResult<Committed> {
        let change = Arc::unwrap_or_clone(change);
        if self.is(Flaw::RefusesKnownObjects)
            && let Some(object) = change.objects.first()
            && let Some(owner) = self.inner.find_object(object).await?
        {
            return Ok(Committed::ObjectTaken { object: object.clone(), owner });
        }
        let change = self.bent(change).await?;
        let id = change.payment.id.clone();
        let answer = self.inner.commit(change.clone()).await?;
        let was_claimed = self.noted.lock().unwrap().claimed.remove(&id);
        if answer != Committed::Done {
            return self.refused(change, answer).await;
        }
        if self.is(Flaw::LeasesPastACommit) && was_claimed {
            let due = change.payment.due_at.unwrap_or(change.payment.updated_at);
            let lease = Duration::from_secs(3600);
            let again = Claim { owner: String::new(), now: due, lease, limit: u32::MAX };
            self.inner.claim_payments(&again).await?;
        }
        Ok(answer)
    }

    async fn flush(&self) -> StoreResult<()> {
        self.inner.flush().await
    }

    async fn load(&self, id: &PaymentId) -> StoreResult<Option<PaymentRow>> {
        self.inner.load(id).await
    }

    async fn list(&self, query: &PaymentQuery) -> StoreResult<Vec<PaymentRow>> {
        let mut query = query.clone();
        match self.flaw {
            // Gives up after some pages, so that the trial that follows them ends.
            Flaw::PagesFromTheStart if self.count() < 9 => query.after = None,
            Flaw::IgnoresFilters => query.review = None,
            _ => {}
        }
        self.inner.list(&query).await
    }

    async fn find_caller_key(&self, key: &str) -> StoreResult<Option<CallerKeyRow>> {
        self.inner.find_caller_key(key).await
    }

    async fn find_object(&self, object: &ObjectRef) -> StoreResult<Option<PaymentId>> {
        self.inner.find_object(object).await
    }

    async fn history(&self, id: &PaymentId) -> StoreResult<Vec<TransitionRow>> {
        let mut lines = self.inner.history(id).await?;
        if self.is(Flaw::TurnsHistoryRound) {
            lines.reverse();
        }
        Ok(lines)
    }

    async fn claim_payments(&self, claim: &Claim) -> StoreResult<Vec<PaymentId>> {
        if self.is(Flaw::FreesWhatItRefused) {
            let freed = std::mem::take(&mut self.noted.lock().unwrap().claimed);
            if !freed.is_empty() {
                return Ok(freed.into_iter().collect());
            }
        }
        let mut ids = self.inner.claim_payments(&self.bent_claim(claim)).await?;
        if self.is(Flaw::ClaimsTheLatestFirst) {
            ids.reverse();
        }
        if self.is(Flaw::LeasesPastACommit) {
            self.noted.lock().unwrap().claimed.extend(ids.iter().cloned());
        }
        Ok(ids)
    }

    async fn receive(&self, events: Vec<InboxRow>) -> StoreResult<Vec<Received>> {
        if self.is(Flaw::KeepsHalfABatch)
            && let Some(bad) = events.iter().position(|event| event.event.contains('\0'))
        {
            self.inner.receive(events[..bad].to_vec()).await?;
            return Err(StoreError::new(StoreErrorKind::Unavailable, "no such text can be kept"));
        }
        let mut answers = self.inner.receive(events).await?;
        for answer in &mut answers {
            match self.flaw {
                Flaw::CallsAllNew => *answer = Received::New,
                Flaw::SeesNoContradiction if *answer == Received::Contradiction => {
                    *answer = Received::Duplicate;
                }
                _ => {}
            }
        }
        Ok(answers)
    }

    async fn claim_inbox(&self, claim: &Claim) -> StoreResult<Vec<InboxRow>> {
        let rows = self.inner.claim_inbox(&self.bent_claim(claim)).await?;
        let mut noted = self.noted.lock().unwrap();
        noted.tries.extend(rows.iter().map(|row| (row.key.clone(), row.tries)));
        drop(noted);
        Ok(rows)
    }

    async fn settle_inbox(&self, settlement: &InboxSettlement) -> StoreResult<bool> {
        let mut settlement = settlement.clone();
        if self.is(Flaw::SettlesForGood) {
            settlement.outcome = InboxOutcome::Stale;
        }
        if self.is(Flaw::HearsLateWords)
            && let Some(tries) = self.noted.lock().unwrap().tries.get(&settlement.key)
        {
            settlement.tries = *tries;
        }
        Ok(self.inner.settle_inbox(&settlement).await? || self.is(Flaw::FindsAnyEvent))
    }

    async fn add_event(&self, mut event: OutboxRow) -> StoreResult<()> {
        if self.is(Flaw::AddsTwice) {
            event.id = format!("{}#{}", event.id, self.count());
        }
        self.inner.add_event(event).await
    }

    async fn events(&self, after: u64, limit: u32) -> StoreResult<Vec<Positioned>> {
        let mut events = self.inner.events(after, limit).await?;
        // As a sequence does, when the transaction that took a lower number ends later.
        if self.is(Flaw::PublishesLate) && events.len() > 1 && self.count() == 3 {
            events.remove(0);
        }
        if self.is(Flaw::NumbersWhatItShows) {
            for (position, line) in (1..).zip(&mut events) {
                line.position = position;
            }
        }
        Ok(events)
    }

    async fn backlog(&self, now: Timestamp) -> StoreResult<Backlog> {
        let later =
            if self.is(Flaw::CountsTheFuture) { Duration::from_secs(1) } else { Duration::ZERO };
        self.inner.backlog(now.after(later)).await
    }

    async fn forget(&self, keys_before: Timestamp, events_before: Timestamp) -> StoreResult<u64> {
        let later = Duration::from_millis(u64::from(self.is(Flaw::ForgetsTooMuch)));
        if self.is(Flaw::ForgetsWhatWaits) {
            let claim = Claim {
                owner: String::new(),
                now: events_before,
                lease: Duration::ZERO,
                limit: u32::MAX,
            };
            for row in self.inner.claim_inbox(&claim).await? {
                let InboxRow { account, key, tries, .. } = row;
                let settlement =
                    InboxSettlement { account, key, tries, outcome: InboxOutcome::Stale };
                self.inner.settle_inbox(&settlement).await?;
            }
        }
        self.inner.forget(keys_before.after(later), events_before).await
    }
}
