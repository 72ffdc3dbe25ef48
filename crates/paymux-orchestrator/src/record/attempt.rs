//! One operation at one account: what is sent is written down before it leaves.

use std::{fmt, ops::Not};

use paymux_core::{
    CancelPayment, CapturePayment, ConfirmPayment, ConfirmStep, CreatePayment, CreateRefund,
    IdempotencyKey, Money, Operation, Payment, ProviderId, ProviderPaymentId, Refund, RefundStatus,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Fault, SentAs, is_zero};
use crate::returns;

/// Exactly what is sent, so that it can be sent again. Printed, it shows no token of a return. A
/// member that is added to a request later is not written where it is not said: what left before
/// then reads as it did.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "operation", content = "request")]
pub enum Intent {
    /// Opens the payment.
    Create(Box<CreatePayment>),
    /// Consents to a step.
    Confirm(ConfirmPayment),
    /// Takes what is held.
    Capture(CapturePayment),
    /// Ends it.
    Cancel(CancelPayment),
    /// Gives money back.
    Refund(CreateRefund),
}

impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create(create) => {
                let mut shown = create.clone();
                shown.return_url = shown.return_url.as_ref().map(returns::without_token);
                f.debug_tuple("Create").field(&shown).finish()
            }
            Self::Confirm(confirm) => f.debug_tuple("Confirm").field(confirm).finish(),
            Self::Capture(capture) => f.debug_tuple("Capture").field(capture).finish(),
            Self::Cancel(cancel) => f.debug_tuple("Cancel").field(cancel).finish(),
            Self::Refund(refund) => f.debug_tuple("Refund").field(refund).finish(),
        }
    }
}

impl Intent {
    /// The operation.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::Create(_) => Operation::CreatePayment,
            Self::Confirm(_) => Operation::ConfirmPayment,
            Self::Capture(_) => Operation::CapturePayment,
            Self::Cancel(_) => Operation::CancelPayment,
            Self::Refund(_) => Operation::CreateRefund,
        }
    }

    /// What it is, in words: `confirm (commit)`.
    #[must_use]
    pub fn in_words(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Confirm(confirm) => match confirm.step {
                ConfirmStep::Authorize => "confirm (authorize)",
                ConfirmStep::Commit => "confirm (commit)",
            },
            Self::Capture(_) => "capture",
            Self::Cancel(_) => "cancel",
            Self::Refund(_) => "refund",
        }
    }

    /// The object at the provider that it does something to; `None` for what is to make one.
    pub(crate) fn object(&self) -> Option<&ProviderPaymentId> {
        match self {
            Self::Create(_) => None,
            Self::Confirm(request) => Some(&request.payment.id),
            Self::Capture(request) => Some(&request.payment.id),
            Self::Cancel(request) => Some(&request.payment.id),
            Self::Refund(request) => Some(&request.payment.id),
        }
    }

    /// The key it is sent with, the same over all its repetitions.
    #[must_use]
    pub fn key(&self) -> &IdempotencyKey {
        match self {
            Self::Create(request) => &request.key,
            Self::Confirm(request) => &request.key,
            Self::Capture(request) => &request.key,
            Self::Cancel(request) => &request.key,
            Self::Refund(request) => &request.key,
        }
    }
}

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// Written down, not sent.
    Intent,
    /// On its way, or lost on it.
    Sending,
    /// Nobody can prove whether it did something.
    Unknown,
    /// It provably never reached the provider.
    NotSent,
    /// The provider refused it, and nothing was done.
    Rejected,
    /// The provider has it.
    Accepted,
    /// Looked for long enough and often enough: the provider does not have it.
    NotCharged,
    /// Given up while in doubt, since what it may have opened cannot be paid by anybody.
    Abandoned,
}

impl AttemptState {
    /// Is its outcome open?
    #[must_use]
    pub const fn is_open(self) -> bool {
        match self {
            Self::Intent | Self::Sending | Self::Unknown => true,
            Self::NotSent
            | Self::Rejected
            | Self::Accepted
            | Self::NotCharged
            | Self::Abandoned => false,
        }
    }

    /// Does an attempt to create a payment hold the right to move money in this state?
    #[must_use]
    pub const fn holds_slot(self) -> bool {
        match self {
            Self::Intent | Self::Sending | Self::Unknown | Self::Accepted => true,
            Self::NotSent | Self::Rejected | Self::NotCharged | Self::Abandoned => false,
        }
    }

    /// The state in words.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Intent => "not sent yet",
            Self::Sending => "on its way",
            Self::Unknown => "in doubt",
            Self::NotSent => "never sent",
            Self::Rejected => "refused",
            Self::Accepted => "accepted",
            Self::NotCharged => "proved not to exist",
            Self::Abandoned => "given up: nobody can pay it",
        }
    }
}

/// One operation at one account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attempt {
    /// Counts the attempts of the payment, from 1.
    pub no: u32,
    /// The account it is made at.
    pub account: ProviderId,
    /// Exactly what is sent.
    pub intent: Intent,
    /// How far it has come.
    pub state: AttemptState,
    /// What the provider made of it, once it is known: for a create, the payment's id there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<ProviderPaymentId>,
    /// How often it was sent.
    pub sends: u32,
    /// A send ended without proof; a later refusal does not undo that.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub doubted: bool,
    /// When the last send left that may have done something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubtful_send_at: Option<Timestamp>,
    /// How many rungs of the ladder out of doubt were climbed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rung: u32,
    /// When the next thing is tried about it, while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<Timestamp>,
    /// A person wants it tried again, though nobody may wait for it any more. What has to be
    /// answered first comes before it all the same.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub wanted_again: bool,
    /// What it left as when it was sent first: nothing else leaves with its key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_as: Option<SentAs>,
    /// Its provider has something else behind its key or its reference: it is never sent again.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub key_used: bool,
    /// Its provider spoke of a conflict, with its key or with the state of what is paid for, that is
    /// not one of the moment: it is the same wherever else it is asked for, whatever went wrong after.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub in_conflict: bool,
    /// The object was looked at since the last send, and shows that nothing happened.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub seen_unchanged: bool,
    /// When look-ups said that the provider does not have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_found_at: Vec<Timestamp>,
    /// The last error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// The provider's last word on a refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<Refund>,
    /// A later word of the provider's that its final word on a refund forbids, until a person has
    /// said which is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_contradicted: Option<Refund>,
    /// What a refund gives back: reserved before it is sent, so that refunds together never ask for
    /// more than was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<Money>,
    /// What had been taken before a capture, or given back before a refund: where nothing else
    /// tells whether it happened, the amounts do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_before: Option<Money>,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it was sent first: how old its key is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_sent_at: Option<Timestamp>,
    /// When it was sent last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// When its outcome became known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// When it is looked at again after it was given up or proved not to exist: money may show
    /// late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch_at: Option<Timestamp>,
    /// For a refund of money that showed late: the attempt that left it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives_back: Option<u32>,
    /// What it left at its account beside what counts: the object that was given up, or one of a
    /// repeated call, as it was seen last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Payment>,
}

impl Attempt {
    pub(crate) fn new(no: u32, account: ProviderId, intent: Intent, now: Timestamp) -> Self {
        Self {
            no,
            account,
            intent,
            state: AttemptState::Intent,
            object: None,
            sends: 0,
            doubted: false,
            doubtful_send_at: None,
            rung: 0,
            next_try_at: Some(now),
            wanted_again: false,
            sent_as: None,
            key_used: false,
            in_conflict: false,
            seen_unchanged: false,
            not_found_at: Vec::new(),
            fault: None,
            refund: None,
            refund_contradicted: None,
            reserved: None,
            amount_before: None,
            created_at: now,
            first_sent_at: None,
            sent_at: None,
            settled_at: None,
            watch_at: None,
            gives_back: None,
            left: Vec::new(),
        }
    }

    /// Does it do something to this object?
    pub(crate) fn is_of(&self, payment: &Payment) -> bool {
        self.account == payment.provider && self.intent.object() == Some(&payment.id)
    }

    /// Does it open the payment?
    #[must_use]
    pub fn is_create(&self) -> bool {
        matches!(self.intent, Intent::Create(_))
    }

    /// Was it to open the payment, and does not count any more?
    pub(crate) fn was_given_up(&self) -> bool {
        self.is_create() && !self.state.holds_slot()
    }

    /// May it have done something that nobody can prove? While the call is being repeated, too.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.state == AttemptState::Unknown || (self.doubted && self.state.is_open())
    }

    /// Keeps what was seen of an object that does not count, and the first one as its own.
    pub(crate) fn leave(&mut self, mut payment: Payment) {
        // Nobody is to pay it.
        payment.next_action = None;
        if !self.state.holds_slot() {
            self.object.get_or_insert_with(|| payment.id.clone());
        }
        match self.left.iter_mut().find(|known| known.id == payment.id) {
            Some(known) => *known = payment,
            None => self.left.push(payment),
        }
    }

    /// Could it have done something?
    pub(crate) fn may_have_acted(&self) -> bool {
        match self.state {
            AttemptState::Sending | AttemptState::Unknown | AttemptState::Accepted => true,
            AttemptState::Intent => self.doubted,
            AttemptState::NotSent
            | AttemptState::Rejected
            | AttemptState::NotCharged
            | AttemptState::Abandoned => false,
        }
    }

    /// What a refund has given back or may still give back.
    pub(crate) fn reserved_refund(&self) -> Option<Money> {
        let alive = match self.state {
            AttemptState::Accepted => {
                let came_to_nothing = self.refund.as_ref().is_some_and(|refund| {
                    matches!(refund.status, RefundStatus::Failed | RefundStatus::Cancelled)
                });
                !came_to_nothing || self.is_refund_done()
            }
            AttemptState::Intent | AttemptState::Sending | AttemptState::Unknown => true,
            AttemptState::NotSent
            | AttemptState::Rejected
            | AttemptState::NotCharged
            | AttemptState::Abandoned => false,
        };
        alive.then_some(self.reserved).flatten()
    }

    /// Did the provider ever say of this refund that it was carried out?
    pub(crate) fn is_refund_done(&self) -> bool {
        let words = [&self.refund, &self.refund_contradicted];
        words.into_iter().flatten().any(|refund| refund.status == RefundStatus::Succeeded)
    }

    /// Is it a refund of what was left elsewhere, and open? The payment goes on meanwhile.
    pub(crate) fn is_open_elsewhere(&self) -> bool {
        self.state.is_open() && self.gives_back.is_some()
    }

    /// Is it a refund of this object?
    pub(crate) fn is_refund_of(&self, object: &Payment) -> bool {
        self.account == object.provider
            && matches!(&self.intent, Intent::Refund(refund) if refund.payment.id == object.id)
    }

    /// Is it a refund that the provider has and has not carried out yet?
    pub(crate) fn is_refund_under_way(&self) -> bool {
        self.state == AttemptState::Accepted
            && self.refund.as_ref().is_some_and(|refund| !refund.status.is_final())
    }
}
