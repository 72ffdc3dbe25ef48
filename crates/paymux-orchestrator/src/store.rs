//! Where payments are written down. A store keeps rows and decides nothing about money: the
//! engine says what one change writes, the store writes all of it or none.
//!
//! Three promises carry everything else, and one contract suite proves them for every store:
//!
//! - **A change is one transaction**, and is on disk when [`Store::commit`] says
//!   [`Committed::Done`].
//! - **The version is the fence.** A change names the version it was made from; when the payment
//!   has moved on, nothing is written and the answer is [`Committed::Lost`]. Whoever slept through
//!   its lease finds out here.
//! - **The right to move money is a row.** [`Slot::Take`] writes it, and a second one for the same
//!   payment is refused.
//!
//! Times are handed in, money and documents are text. Nothing here is read back as a number that
//! could be rounded.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use paymux_core::Timestamp;

use crate::ids::PaymentId;

mod change;
mod error;
pub mod memory;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod migration;
#[cfg(feature = "postgres")]
pub mod postgres;
mod rows;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod words;

pub use error::{StoreError, StoreErrorKind, StoreResult};
pub use rows::{
    Backlog, CallerKeyRow, Claim, InboxOutcome, InboxRow, InboxSettlement, ObjectKind, ObjectRef,
    OutboxRow, PaymentQuery, PaymentRow, Positioned, Received, TransitionRow,
};

/// How many rows are forgotten in one transaction.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
const PORTION: u32 = 1000;

/// Refuses a reader who has read further than there is anything.
fn check_reader(after: u64, last: u64) -> StoreResult<()> {
    if after <= last {
        return Ok(());
    }
    let message = format!(
        "events were read up to position {after}, and the store has none beyond {last}: it is \
         another one, or an older state of it; read again from an earlier position"
    );
    Err(StoreError::new(StoreErrorKind::Configuration, message))
}

/// For how long others are merged into an event that waits.
const MERGES_FOR: Duration = Duration::from_secs(3600);

/// A place where payments are kept.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Writes one change, all of it or nothing.
    ///
    /// The checks are made in this order: the caller's key, the version, the slot, the provider's
    /// objects. The first that fails is the answer.
    ///
    /// # Errors
    /// [`StoreErrorKind::CommitUnknown`] when the answer to the commit was lost or is not to be
    /// believed. Look for the transition's id in [`Store::history`]: if it is there, it is done
    /// once [`Store::flush`] says so; if not, it may still arrive, so make the same change again,
    /// which is [`Committed::Lost`] when it did.
    async fn commit(&self, change: Change) -> StoreResult<Committed> {
        self.commit_shared(Arc::new(change)).await
    }

    /// The same, of a change that stays the caller's too, so that it can be made again.
    ///
    /// # Errors
    /// As [`Store::commit`].
    async fn commit_shared(&self, change: Arc<Change>) -> StoreResult<Committed>;

    /// Writes something that means nothing, and waits for it as for any change: whatever could be
    /// read before this was called will then be there after a failover, too. What another program
    /// can read on one server may not be on its standby yet.
    ///
    /// # Errors
    /// When that could not be done, or is not known to be.
    async fn flush(&self) -> StoreResult<()>;

    /// Reads one payment.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn load(&self, id: &PaymentId) -> StoreResult<Option<PaymentRow>>;

    /// Reads payments, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn list(&self, query: &PaymentQuery) -> StoreResult<Vec<PaymentRow>>;

    /// What was asked under this key of the caller's.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn find_caller_key(&self, key: &str) -> StoreResult<Option<CallerKeyRow>>;

    /// Whose payment an object at a provider belongs to.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn find_object(&self, object: &ObjectRef) -> StoreResult<Option<PaymentId>>;

    /// The transitions of one payment, in order.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn history(&self, id: &PaymentId) -> StoreResult<Vec<TransitionRow>>;

    /// Takes payments whose `due_at` has come, the longest waiting first, and leases them. Nobody
    /// else gets them before the lease ends. A lease ends by its time or by the next
    /// [`Store::commit`] for the payment, whoever makes it; one that has longer to run than two that
    /// begin now was made while a clock was wrong, and holds nothing.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn claim_payments(&self, claim: &Claim) -> StoreResult<Vec<PaymentId>>;

    /// Keeps events of webhooks, all or none, and says of each, in order, whether it is new. Once
    /// this returns, the deliveries may be acknowledged.
    ///
    /// An event whose content (`digest`) is the same as of one that still waits is merged into it:
    /// applying that one looks later than this one arrived. One that somebody has claimed is not
    /// waiting in this sense, since that look may be over; nor is one that arrived an hour or more
    /// before, since it is given up before this one should be; nor are two events of one call
    /// merged, since one delivery can hold several. What was merged counts as received and settled.
    ///
    /// # Errors
    /// When the store cannot be written: the sender must be told to try again.
    async fn receive(&self, events: Vec<InboxRow>) -> StoreResult<Vec<Received>>;

    /// Takes events that wait to be applied, as [`Store::claim_payments`] does payments. Taking one
    /// counts as a try.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn claim_inbox(&self, claim: &Claim) -> StoreResult<Vec<InboxRow>>;

    /// Says what became of an event; one that is settled stays so, and one that was claimed again
    /// since is left to whoever claimed it last: whether another event may be merged into it is
    /// told by their look, not by an earlier one. `false` when there is no such event.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn settle_inbox(&self, settlement: &InboxSettlement) -> StoreResult<bool>;

    /// Adds an event of the outbox that belongs to no payment. Adding one twice is no error.
    ///
    /// # Errors
    /// `Corrupt` for an event of a payment; else when the store cannot be written.
    async fn add_event(&self, event: OutboxRow) -> StoreResult<()>;

    /// The outbox after this position, in order. Positions only grow, none appears later below
    /// one that was already read, and the events of one payment keep their order.
    ///
    /// # Errors
    /// `Configuration` when there is nothing as far as this: the reader has read another store, or
    /// this one before a backup of it was put in its place, and what came in between would never be
    /// told. Read again from an earlier position, such as 0: events have ids, and one that is known
    /// is passed over. Else when the store cannot be read or written.
    async fn events(&self, after: u64, limit: u32) -> StoreResult<Vec<Positioned>>;

    /// How much waits, for metrics and for a person on call.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn backlog(&self, now: Timestamp) -> StoreResult<Backlog>;

    /// Forgets callers' keys and settled inbox events that are older than this. Returns how many
    /// rows went. A store can do it in portions: what went before an error stays gone.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn forget(&self, keys_before: Timestamp, events_before: Timestamp) -> StoreResult<u64>;
}

/// All that one change of one payment writes.
#[derive(Clone, Debug)]
pub struct Change {
    /// The payment as it is after the change. Its `version` is one more than `from_version`.
    pub payment: PaymentRow,
    /// The version the change was made from; 0 for a payment that is new.
    pub from_version: u64,
    /// The caller's key that a new payment, or a new operation on one, is bound to.
    pub caller_key: Option<CallerKeyRow>,
    /// What happens to the right to move money.
    pub slot: Slot,
    /// Objects at providers that are known to be this payment's now. Naming one again is no error.
    pub objects: Vec<ObjectRef>,
    /// What the audit remembers of the change.
    pub transition: TransitionRow,
    /// What the merchant is told.
    pub events: Vec<OutboxRow>,
    /// Events of the inbox that this change settles.
    pub inbox: Vec<InboxSettlement>,
}

/// What a change does with the right to move money for its payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// Nothing.
    Keep,
    /// This attempt takes it; nobody may hold it.
    Take(u32),
    /// This attempt, which holds it, gives it up.
    Release(u32),
    /// One attempt gives it up and the next takes it: the failover.
    Move {
        /// The attempt that holds it.
        from: u32,
        /// The attempt that takes it.
        to: u32,
    },
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// It is on disk.
    Done,
    /// The payment has moved on since `from_version`; nothing was written.
    Lost,
    /// The caller used this key before; nothing was written.
    KeyTaken(CallerKeyRow),
    /// Another attempt holds the right to move money, or this one does not hold it; nothing was
    /// written.
    SlotRefused,
    /// An object belongs to another payment; nothing was written.
    ObjectTaken {
        /// Which object.
        object: ObjectRef,
        /// Whose it is.
        owner: PaymentId,
    },
}
