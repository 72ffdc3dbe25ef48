//! A store between a node and the truth: it fails, answers late, and can have a bug planted.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use paymux_core::Timestamp;
use paymux_orchestrator::{
    PaymentId,
    store::{
        Backlog, CallerKeyRow, Change, Claim, Committed, InboxRow, InboxSettlement, ObjectRef,
        OutboxRow, PaymentQuery, PaymentRow, Positioned, Received, Slot, Store, StoreError,
        StoreErrorKind, StoreResult, TransitionRow, memory::MemoryStore,
    },
};

use super::{
    bugs::Bug,
    dice::{Broken, Dice},
    gate::Place,
};

/// What becomes of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Written,
    /// It is lost on its way.
    Lost,
    /// It is written, and the answer is lost.
    AnswerLost,
    /// Its connection is lost, and it lands later.
    LandsLater,
}

/// One fault of the store, at a place that is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreFault {
    /// The request with this number does not reach it.
    Unreached(u32),
    /// This is what becomes of the change with this number.
    Change(u32, Fate),
}

/// How much was asked of the store, and where it fails once.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) requests: u32,
    pub(crate) changes: u32,
    pub(crate) fault: Option<StoreFault>,
}

/// What all nodes' stores share.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weather {
    /// Do stores fail at the moment?
    pub(crate) is_bad: Arc<AtomicBool>,
    /// Do they answer nothing at all?
    pub(crate) is_down: Arc<AtomicBool>,
    /// Is the server's standby gone, and does nobody wait for it? Whoever reads sees what was
    /// written, and a standby that took over would not know it.
    pub(crate) is_alone: Arc<AtomicBool>,
    /// What lists of payments were asked for.
    pub(crate) lists: Arc<Mutex<Vec<PaymentQuery>>>,
    /// Is somebody else always faster?
    pub(crate) is_overtaken: Arc<AtomicBool>,
    /// The next event that belongs to no payment is not written.
    pub(crate) loses_next_event: Arc<AtomicBool>,
    /// Changes whose sender lost the connection while they were on their way: they land later.
    pub(crate) floating: Arc<Mutex<Vec<Change>>>,
    /// The next change is lost on its way, and is found here.
    pub(crate) loses_next: Arc<AtomicBool>,
    pub(crate) adrift: Arc<Mutex<Vec<Change>>>,
    /// Where it fails by plan, and not by chance.
    pub(crate) plan: Arc<Mutex<Plan>>,
    /// Before a change is written, and after, where a story may have it wait.
    pub(crate) before_writing: Place,
    pub(crate) after_writing: Place,
}

/// One node's way to the store.
#[derive(Debug)]
pub(crate) struct Shaky {
    pub(crate) written: Arc<MemoryStore>,
    pub(crate) dice: Dice,
    pub(crate) weather: Weather,
    pub(crate) broken: Broken,
    pub(crate) bug: Option<Bug>,
    /// Changes that a planted bug holds back in the process's memory.
    pub(crate) held: Mutex<BTreeMap<PaymentId, Change>>,
}

impl Shaky {
    /// Here others go first, and here the store can fail before anything is done.
    async fn reach(&self) -> StoreResult<()> {
        self.dice.pass(2).await;
        self.land().await;
        let fails = self.weather.is_bad.load(Ordering::SeqCst) && self.dice.one_in(40);
        if fails || self.is_planned_to_fail() || self.weather.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "it cannot be reached"));
        }
        Ok(())
    }

    fn is_planned_to_fail(&self) -> bool {
        let mut plan = self.weather.plan.lock().unwrap();
        plan.requests += 1;
        plan.fault == Some(StoreFault::Unreached(plan.requests - 1))
    }

    /// By plan, or else by chance.
    fn fate(&self) -> Fate {
        let mut plan = self.weather.plan.lock().unwrap();
        plan.changes += 1;
        if let Some(StoreFault::Change(number, fate)) = plan.fault
            && number == plan.changes - 1
        {
            return fate;
        }
        let is_bad = self.weather.is_bad.load(Ordering::SeqCst);
        match self.dice.roll(if is_bad { 60 } else { u32::MAX }) {
            0 => Fate::Lost,
            1 => Fate::AnswerLost,
            2 => Fate::LandsLater,
            _ => Fate::Written,
        }
    }

    /// What was on its way when its connection was lost arrives, sooner or later.
    async fn land(&self) {
        let lands = self.dice.one_in(3);
        let change = if lands { self.weather.floating.lock().unwrap().pop() } else { None };
        if let Some(change) = change {
            // Nobody hears what came of it.
            let _ = self.write(change).await;
        }
    }

    async fn write(&self, change: Change) -> StoreResult<Committed> {
        let line = change.transition.clone();
        let committed = self.written.commit(change).await?;
        if committed == Committed::Done && line.from.is_final() && line.to != line.from {
            self.broken.note(format!("I3: {} was {}, became {}", line.payment, line.from, line.to));
        }
        Ok(committed)
    }

    /// The change, as a planted bug has it. `None`: it is said to be done, and is not.
    async fn bent(&self, mut change: Change) -> StoreResult<Option<Change>> {
        match self.bug {
            Some(Bug::DropsEvents) => change.events.clear(),
            Some(Bug::ForgetsCallersKeys) => change.caller_key = None,
            Some(Bug::HasNoFence) => {
                if let Some(row) = self.written.load(&change.payment.id).await? {
                    overtake(&mut change, row.version);
                }
            }
            Some(Bug::SendsUnwritten) => return self.hold_back(change).await,
            _ => {}
        }
        Ok(Some(change))
    }

    /// Notes a send in memory, and writes it down with what comes after.
    async fn hold_back(&self, change: Change) -> StoreResult<Option<Change>> {
        let id = change.payment.id.clone();
        let before = self.held.lock().unwrap().remove(&id);
        if let Some(before) = before {
            self.written.commit(before).await?;
        }
        if change.transition.cause == "sent" {
            self.held.lock().unwrap().insert(id, change);
            return Ok(None);
        }
        Ok(Some(change))
    }
}

/// Makes a change one of the newest version, whatever it was made from.
fn overtake(change: &mut Change, newest: u64) {
    let version = newest + 1;
    let own = format!("\"version\":{}", change.payment.version);
    let document = &change.payment.document;
    change.payment.document = document.replacen(&own, &format!("\"version\":{version}"), 1);
    change.payment.version = version;
    change.transition.version = version;
    change.from_version = newest;
    change.slot = Slot::Keep;
}

fn lost() -> StoreError {
    StoreError::new(StoreErrorKind::CommitUnknown, "the connection was lost while committing")
}

#[async_trait]
impl Store for Shaky {
    async fn commit_shared(&self, change: Arc<Change>) -> StoreResult<Committed> {
        let change = Arc::unwrap_or_clone(change);
        self.reach().await?;
        if self.weather.is_overtaken.load(Ordering::SeqCst) {
            return Ok(Committed::Lost);
        }
        if self.weather.loses_next.swap(false, Ordering::SeqCst) {
            self.weather.adrift.lock().unwrap().push(change);
            return Err(lost());
        }
        self.weather.before_writing.pass().await;
        let Some(change) = self.bent(change).await? else { return Ok(Committed::Done) };
        if self.weather.is_alone.load(Ordering::SeqCst) {
            self.write(change).await?;
            return Err(lost());
        }
        let committed = match self.fate() {
            Fate::Lost if self.bug == Some(Bug::CallsLostDone) => Ok(Committed::Done),
            Fate::Lost => Err(lost()),
            Fate::AnswerLost => match self.write(change).await? {
                Committed::Done => Err(lost()),
                refused @ (Committed::Lost
                | Committed::KeyTaken(_)
                | Committed::SlotRefused
                | Committed::ObjectTaken { .. }) => Ok(refused),
            },
            Fate::LandsLater => {
                self.weather.floating.lock().unwrap().push(change);
                Err(lost())
            }
            Fate::Written => self.write(change).await,
        };
        self.weather.after_writing.pass().await;
        self.dice.pass(2).await;
        committed
    }

    async fn flush(&self) -> StoreResult<()> {
        self.reach().await?;
        if self.weather.is_alone.load(Ordering::SeqCst) {
            return Err(lost());
        }
        self.written.flush().await
    }

    async fn load(&self, id: &PaymentId) -> StoreResult<Option<PaymentRow>> {
        self.reach().await?;
        let held = self.held.lock().unwrap().get(id).map(|change| change.payment.clone());
        match held {
            Some(row) => Ok(Some(row)),
            None => self.written.load(id).await,
        }
    }

    async fn list(&self, query: &PaymentQuery) -> StoreResult<Vec<PaymentRow>> {
        self.reach().await?;
        self.weather.lists.lock().unwrap().push(query.clone());
        self.written.list(query).await
    }

    async fn find_caller_key(&self, key: &str) -> StoreResult<Option<CallerKeyRow>> {
        self.reach().await?;
        self.written.find_caller_key(key).await
    }

    async fn find_object(&self, object: &ObjectRef) -> StoreResult<Option<PaymentId>> {
        self.reach().await?;
        self.written.find_object(object).await
    }

    async fn history(&self, id: &PaymentId) -> StoreResult<Vec<TransitionRow>> {
        self.reach().await?;
        self.written.history(id).await
    }

    async fn claim_payments(&self, claim: &Claim) -> StoreResult<Vec<PaymentId>> {
        self.reach().await?;
        self.written.claim_payments(claim).await
    }

    async fn receive(&self, events: Vec<InboxRow>) -> StoreResult<Vec<Received>> {
        self.reach().await?;
        if self.bug == Some(Bug::AcknowledgesUnkept) {
            return Ok(events.iter().map(|_| Received::New).collect());
        }
        self.written.receive(events).await
    }

    async fn claim_inbox(&self, claim: &Claim) -> StoreResult<Vec<InboxRow>> {
        self.reach().await?;
        self.written.claim_inbox(claim).await
    }

    async fn settle_inbox(&self, settlement: &InboxSettlement) -> StoreResult<bool> {
        self.reach().await?;
        self.written.settle_inbox(settlement).await
    }

    async fn add_event(&self, event: OutboxRow) -> StoreResult<()> {
        self.reach().await?;
        if self.weather.loses_next_event.swap(false, Ordering::SeqCst) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "it went away"));
        }
        self.written.add_event(event).await
    }

    async fn events(&self, after: u64, limit: u32) -> StoreResult<Vec<Positioned>> {
        self.reach().await?;
        self.written.events(after, limit).await
    }

    async fn backlog(&self, now: Timestamp) -> StoreResult<Backlog> {
        self.reach().await?;
        self.written.backlog(now).await
    }

    async fn forget(&self, keys_before: Timestamp, events_before: Timestamp) -> StoreResult<u64> {
        self.reach().await?;
        self.written.forget(keys_before, events_before).await
    }
}
