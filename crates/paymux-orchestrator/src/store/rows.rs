//! What a store keeps, row by row. Times are handed in, money and documents are text: nothing is
//! read back as a number that could be rounded.

use std::time::Duration;

use paymux_core::{EventKey, PaymentStatus, ProviderId, Timestamp, Trust};
use serde::{Deserialize, Serialize};

use crate::ids::PaymentId;

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
#[derive(Clone, Debug)]
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
    /// At most so many: 100 when not set.
    pub limit: u32,
}

impl Default for PaymentQuery {
    fn default() -> Self {
        Self {
            reference: None,
            statuses: Vec::new(),
            in_doubt: None,
            review: None,
            created_from: None,
            created_to: None,
            after: None,
            limit: 100,
        }
    }
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
    /// Which try it is the outcome of: [`InboxRow::tries`] as it was claimed, 0 where nobody
    /// claimed it. When somebody else has claimed it since, it is left to them.
    pub tries: u32,
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
