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

use std::{fmt, time::Duration};

use async_trait::async_trait;
use paymux_core::{EventKey, PaymentStatus, ProviderId, Timestamp, Trust};
use serde::{Deserialize, Serialize};

use crate::ids::PaymentId;

mod change;
mod error;
pub mod memory;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod migration;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod words;

pub use error::{StoreError, StoreErrorKind, StoreResult};

/// A place where payments are kept.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Writes one change, all of it or nothing.
    ///
    /// The checks are made in this order: the caller's key, the version, the slot, the provider's
    /// objects. The first that fails is the answer.
    ///
    /// # Errors
    /// [`StoreErrorKind::CommitUnknown`] when the connection was lost while committing: read the
    /// payment again and look for the transition's id before doing anything.
    async fn commit(&self, change: Change) -> StoreResult<Committed>;

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
    /// [`Store::commit`] for the payment, whoever makes it.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn claim_payments(&self, claim: &Claim) -> StoreResult<Vec<PaymentId>>;

    /// Keeps events of webhooks, all or none, and says of each, in order, whether it is new. Once
    /// this returns, the deliveries may be acknowledged.
    ///
    /// An event whose content (`digest`) is the same as of one that still waits is merged into it:
    /// applying that one looks later than this one arrived. One that somebody has claimed is not
    /// waiting in this sense, since that look may be over; nor are two events of one call merged,
    /// since one delivery can hold several. What was merged counts as received and settled.
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

    /// Says what became of an event; one that is settled stays so. `false` when there is no such
    /// event.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn settle_inbox(&self, settlement: &InboxSettlement) -> StoreResult<bool>;

    /// Adds an event of the outbox that belongs to no payment. Adding one twice is no error.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn add_event(&self, event: OutboxRow) -> StoreResult<()>;

    /// The outbox after this position, in order. Positions only grow, none appears later below
    /// one that was already read, and the events of one payment keep their order.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    async fn events(&self, after: u64, limit: u32) -> StoreResult<Vec<Positioned>>;

    /// How much waits, for metrics and for a person on call.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn backlog(&self, now: Timestamp) -> StoreResult<Backlog>;

    /// Forgets callers' keys and settled inbox events that are older than this. Returns how many
    /// rows went.
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

/// A payment as it is kept: the engine's document, and what rows are found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRow {
    /// Ours.
    pub id: PaymentId,
    /// Counts the changes, from 1.
    pub version: u64,
    /// The merchant's word for it. Not unique: an order can be paid in two tries.
    pub reference: String,
    /// Its status.
    pub status: PaymentStatus,
    /// May money have moved without our knowing?
    pub in_doubt: bool,
    /// Does a person have to look at it?
    pub review: bool,
    /// When it has to be looked after next.
    pub due_at: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// Everything else, as JSON.
    pub document: String,
}

/// Which payments to list. Everything that is said must hold.
#[derive(Clone, Debug, Default)]
pub struct PaymentQuery {
    /// With this word of the merchant's.
    pub reference: Option<String>,
    /// In one of these statuses; any, when empty.
    pub statuses: Vec<PaymentStatus>,
    /// In doubt, or not.
    pub in_doubt: Option<bool>,
    /// Waiting for a person, or not.
    pub review: Option<bool>,
    /// Asked for at or after this.
    pub created_from: Option<Timestamp>,
    /// Asked for before this.
    pub created_to: Option<Timestamp>,
    /// After this one, in the order of ids, which is that of creation.
    pub after: Option<PaymentId>,
    /// At most so many.
    pub limit: u32,
}

/// What a caller asked for under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerKeyRow {
    /// The operation and the caller's key: unique together.
    pub key: String,
    /// The digest of what was asked.
    pub request_digest: String,
    /// The payment it made or changed.
    pub payment: PaymentId,
    /// The attempt it made on that payment, if it asked for one.
    pub attempt: Option<u32>,
    /// When it was asked.
    pub created_at: Timestamp,
}

/// What kind of object at a provider an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// The payment as a whole.
    Payment,
    /// A part of it.
    Part,
    /// A refund of it.
    Refund,
}

impl ObjectKind {
    /// The word as it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Part => "part",
            Self::Refund => "refund",
        }
    }
}

/// An object at a provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// The account.
    pub account: ProviderId,
    /// What it is.
    pub kind: ObjectKind,
    /// Its id there.
    pub id: String,
}

/// One line of the audit: never changed, never deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransitionRow {
    /// Whose.
    pub payment: PaymentId,
    /// The version it led to.
    pub version: u64,
    /// Its own id, by which a lost commit is found again.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Which process made it.
    pub node: String,
    /// What happened, in a word: `reply`, `lookup`, `webhook`.
    pub cause: String,
    /// The evidence, as JSON.
    pub evidence: String,
    /// The status before.
    pub from: PaymentStatus,
    /// The status after.
    pub to: PaymentStatus,
    /// The digest of the line before; empty at the first.
    pub previous_digest: String,
    /// The digest over this line and the one before.
    pub digest: String,
}

/// One thing the merchant is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Unique, and the same when the change is written again.
    pub id: String,
    /// The payment it is about, if it is about one.
    pub payment: Option<PaymentId>,
    /// The version that led to it; 0 without a payment.
    pub version: u64,
    /// What happened, in a word.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// The rest, as JSON.
    pub document: String,
}

/// An event of the outbox with its place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Positioned {
    /// Its place: 1 and up.
    pub position: u64,
    /// The event.
    pub event: OutboxRow,
}

/// An event that a verified delivery held, as it waits to be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxRow {
    /// The account it came for.
    pub account: ProviderId,
    /// The same for every delivery of this event.
    pub key: EventKey,
    /// How far it may be believed.
    pub trust: Trust,
    /// The verified event, as JSON.
    pub event: String,
    /// The digest of the delivery's body.
    pub digest: String,
    /// When it arrived.
    pub received_at: Timestamp,
    /// How often it was tried to apply.
    pub tries: u32,
    /// When to apply it next.
    pub due_at: Timestamp,
}

/// Whether a received event is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is, and waits to be applied.
    New,
    /// It was received before.
    Duplicate,
    /// One with the same content waits already.
    Merged,
    /// One with this key and another content was received before. Somebody reuses keys.
    Contradiction,
}

/// What becomes of an event in the inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxSettlement {
    /// The account it came for.
    pub account: ProviderId,
    /// Its key.
    pub key: EventKey,
    /// What becomes of it.
    pub outcome: InboxOutcome,
}

/// What becomes of an event in the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InboxOutcome {
    /// It changed a payment, or made us look at it.
    Applied,
    /// It said nothing new.
    Stale,
    /// It is about nothing of ours, for good.
    Unmatched,
    /// It is about no payment, and was handed on.
    HandedOn,
    /// Try again at this time.
    Later(Timestamp),
}

/// Takes what is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who takes it.
    pub owner: String,
    /// The present moment. A store that several nodes share asks its own clock for leases.
    pub now: Timestamp,
    /// For how long it is the owner's.
    pub lease: Duration,
    /// At most so many.
    pub limit: u32,
}

/// How much waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Payments in doubt.
    pub in_doubt: u64,
    /// Payments that wait for a person.
    pub review: u64,
    /// Payments that are due.
    pub due: u64,
    /// Events that wait to be applied.
    pub inbox: u64,
    /// When the oldest of those arrived.
    pub oldest_event: Option<Timestamp>,
}
