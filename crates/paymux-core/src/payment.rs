//! Payments: what a merchant asks for, what a provider answers, and how it is found again.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use url::Url;

use crate::{
    Cursor, IdempotencyKey, Money, Options, ProviderId, ProviderMandateId, ProviderMethodId,
    ProviderOptions, ProviderPartId, ProviderPaymentId, Reference, Result, Sensitive, Timestamp,
};

mod request;
mod status;

pub use request::{
    CancelPayment, CapturePayment, ConfirmPayment, CreatePayment, Customer, ListPayments,
};
pub use status::PaymentStatus;

/// Amounts of a payment as the provider states them. `None` means that it did not say, never zero;
/// [`Amounts::or`] merges two answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// What was asked for.
    pub requested: Option<Money>,
    /// What the payer is asked to pay: with tax and fees.
    pub payable: Option<Money>,
    /// Held now, and not taken yet.
    pub authorized: Option<Money>,
    /// Taken so far; may be below or above what was requested.
    pub captured: Option<Money>,
    /// Given back so far.
    pub refunded: Option<Money>,
    /// Taken back by disputes; may fall again when one is won.
    pub charged_back: Option<Money>,
    /// Some was given or taken back, and nobody says how much: more than the figures show, so the
    /// payment [is not paid](Payment::is_paid).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_back_unstated: bool,
}

impl Amounts {
    /// These amounts, completed by those that an older answer knew.
    ///
    /// All but `authorized`: the others grow or stay and what is not said again still holds, while
    /// a hold ends by being taken, released or forgotten. Of what is held now, only the newer
    /// answer can speak; a stale hold would be money that nobody can capture.
    ///
    /// That something was given back unstated holds until an answer says how much. A figure of zero
    /// is none: it may be what the provider always writes.
    #[must_use]
    pub fn or(self, older: &Self) -> Self {
        let mut figures = [self.refunded, self.charged_back].into_iter().flatten();
        let is_stated = figures.any(|figure| !figure.is_zero());
        Self {
            requested: self.requested.or(older.requested),
            payable: self.payable.or(older.payable),
            authorized: self.authorized,
            captured: self.captured.or(older.captured),
            refunded: self.refunded.or(older.refunded),
            charged_back: self.charged_back.or(older.charged_back),
            given_back_unstated: self.given_back_unstated
                || (older.given_back_unstated && !is_stated),
        }
    }
}

/// A step by which the merchant consents. The provider's adapter names the step, whoever drives
/// the payment writes it down and hands it back: one step is one mutating request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmStep {
    /// Reserve the money under a mandate.
    Authorize,
    /// Say yes: from here on money may move.
    Commit,
}

/// What has to happen next for the payment to go on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
#[non_exhaustive]
pub enum NextAction {
    /// Send the payer to this page.
    Redirect {
        /// The provider's page.
        url: Url,
    },
    /// Have the payer's browser submit a form.
    SubmitForm {
        /// Where to.
        url: Url,
        /// `GET` or `POST`.
        method: String,
        /// The fields, in order.
        fields: Sensitive<Vec<(String, String)>>,
    },
    /// Hand this to the provider's own code in the payer's browser.
    RunClient {
        /// Opaque.
        session: Sensitive<Value>,
    },
    /// Call `confirm_payment` with this step.
    Confirm {
        /// The step.
        step: ConfirmStep,
    },
}

/// Why a payment, a try or a refund did not work out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure.
    pub kind: FailureKind,
    /// The provider's code.
    pub code: Option<String>,
    /// The provider's words.
    pub message: Option<String>,
}

impl Failure {
    /// A failure of this kind, without the provider's words.
    #[must_use]
    pub const fn new(kind: FailureKind) -> Self {
        Self { kind, code: None, message: None }
    }
}

/// What kind of failure; decides whether another try or another provider makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureKind {
    /// Refused, without it being said for good.
    Declined,
    /// Refused for good: stolen, closed, never to be tried again.
    DeclinedHard,
    /// The payer has not enough money.
    InsufficientFunds,
    /// Refused as fraud.
    Fraud,
    /// The payer was not authenticated.
    Authentication,
    /// The way to pay cannot be used.
    InvalidMethod,
    /// A limit was exceeded.
    LimitExceeded,
    /// The merchant's own balance is short.
    MerchantBalance,
    /// Something failed at the provider.
    ProviderFault,
    /// The provider's code is not known to the adapter.
    Unknown,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Declined => "declined",
            Self::DeclinedHard => "declined for good",
            Self::InsufficientFunds => "insufficient funds",
            Self::Fraud => "suspected fraud",
            Self::Authentication => "the payer was not authenticated",
            Self::InvalidMethod => "the payment method cannot be used",
            Self::LimitExceeded => "a limit was exceeded",
            Self::MerchantBalance => "the merchant's balance is too low",
            Self::ProviderFault => "a fault at the provider",
            Self::Unknown => "refused for a reason the provider did not name",
        })
    }
}

/// A try, or a split, below a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Part {
    /// The provider's id of it.
    pub id: ProviderPartId,
    /// Its status in our words.
    pub status: PaymentStatus,
    /// Its status in the provider's word.
    pub provider_status: String,
    /// Its amounts.
    pub amounts: Amounts,
    /// Why it failed.
    pub failure: Option<Failure>,
}

impl Part {
    /// A part without amounts and failure.
    #[must_use]
    pub fn new(
        id: ProviderPartId,
        status: PaymentStatus,
        provider_status: impl Into<String>,
    ) -> Self {
        Self {
            id,
            status,
            provider_status: provider_status.into(),
            amounts: Amounts::default(),
            failure: None,
        }
    }
}

/// A payment as its provider stated it in one answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Payment {
    /// The account it is at.
    pub provider: ProviderId,
    /// The provider's id of it.
    pub id: ProviderPaymentId,
    /// Ours, only where the provider echoes it.
    pub reference: Option<Reference>,
    /// Its status in our words.
    pub status: PaymentStatus,
    /// Its status in the provider's word.
    pub provider_status: String,
    /// Its amounts.
    pub amounts: Amounts,
    /// Tries or splits below it, oldest first, as far as this answer shows them.
    pub parts: Vec<Part>,
    /// What has to happen next.
    pub next_action: Option<NextAction>,
    /// The last failure; also beside a status that is not final.
    pub failure: Option<Failure>,
    /// The mandate it is charged under.
    pub mandate: Option<ProviderMandateId>,
    /// Real money or test, where the provider says so; must agree with the account.
    pub live: Option<bool>,
    /// The provider's time of the last change, only where newer means newer.
    pub updated_at: Option<Timestamp>,
}

impl Payment {
    /// A payment of which no more is known than this.
    #[must_use]
    pub fn new(
        provider: ProviderId,
        id: ProviderPaymentId,
        status: PaymentStatus,
        provider_status: impl Into<String>,
    ) -> Self {
        Self {
            provider,
            id,
            reference: None,
            status,
            provider_status: provider_status.into(),
            amounts: Amounts::default(),
            parts: Vec::new(),
            next_action: None,
            failure: None,
            mandate: None,
            live: None,
            updated_at: None,
        }
    }

    /// The question to ask before shipping: it succeeded, and by the provider's word at least
    /// `expected` was taken and is still there, refunds and disputes deducted. A provider that
    /// reports no figure is never believed by this alone, neither of what was taken nor of what was
    /// given back, and one that took nothing, as when a card is only verified, is never paid, not
    /// even for an expected zero.
    #[must_use]
    pub fn is_paid(&self, expected: Money) -> bool {
        let kept = self.amounts.captured.and_then(|captured| {
            let given_back = [self.amounts.refunded, self.amounts.charged_back];
            given_back.into_iter().flatten().try_fold(captured, Money::checked_sub)
        });
        self.status == PaymentStatus::Succeeded
            && !self.amounts.given_back_unstated
            && kept.is_some_and(|kept| kept >= expected && !kept.is_zero())
    }

    /// What is needed to find this payment again, with the options it was created with. Of the
    /// steps that the caller began it says nothing: that is for whoever wrote them down to add.
    #[must_use]
    pub fn handle(&self, options: &Options) -> PaymentHandle {
        PaymentHandle {
            id: self.id.clone(),
            parts: self.parts.iter().map(|part| part.id.clone()).collect(),
            reference: self.reference.clone(),
            mandate: self.mandate.clone(),
            options: options.clone(),
            confirmed: None,
        }
    }
}

/// All that an adapter needs to find a payment again. It can be stored: a bot may keep it in a
/// file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PaymentHandle {
    /// The provider's id.
    pub id: ProviderPaymentId,
    /// Parts known so far, oldest first.
    #[serde(default)]
    pub parts: Vec<ProviderPartId>,
    /// Ours.
    #[serde(default)]
    pub reference: Option<Reference>,
    /// The mandate it is charged under.
    #[serde(default)]
    pub mandate: Option<ProviderMandateId>,
    /// The options of the create call.
    #[serde(default)]
    pub options: Options,
    /// The steps whose confirmation the caller began, whatever came of it: a lost one counts, one
    /// that failed without effect does not. `None`: the caller does not say. Empty: none was begun.
    ///
    /// Some providers use one word for a payment that waits for our consent and for one whose
    /// debit is under way. Only the caller's record tells which; without it, their adapters do not
    /// ask for the step. Say it from the record, at the moment of the call: an empty list that was
    /// stored in the handle and outlived a confirmation would ask for a second one.
    #[serde(default)]
    pub confirmed: Option<Vec<ConfirmStep>>,
}

impl PaymentHandle {
    /// A handle that holds the id alone; enough for providers that need no more.
    #[must_use]
    pub fn new(id: ProviderPaymentId) -> Self {
        Self {
            id,
            parts: Vec::new(),
            reference: None,
            mandate: None,
            options: Options::default(),
            confirmed: None,
        }
    }

    /// The same, knowing of one more part. A part known already is not added again.
    #[must_use]
    pub fn with_part(mut self, part: ProviderPartId) -> Self {
        if !self.parts.contains(&part) {
            self.parts.push(part);
        }
        self
    }

    /// The same, saying that the confirmation of this step was begun.
    #[must_use]
    pub fn with_confirmed(mut self, step: ConfirmStep) -> Self {
        let steps = self.confirmed.get_or_insert_default();
        if !steps.contains(&step) {
            steps.push(step);
        }
        self
    }

    /// The same, saying that no step was begun. Steps that it names already are not forgotten.
    #[must_use]
    pub fn with_nothing_confirmed(mut self) -> Self {
        self.confirmed.get_or_insert_default();
        self
    }
}

/// By what a payment is looked up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentLookup {
    /// By its handle.
    Payment(PaymentHandle),
    /// By a part of it, as some webhooks name nothing else.
    Part {
        /// The provider's id of the part.
        id: ProviderPartId,
        /// Options that the look-up may need.
        #[serde(default)]
        options: Options,
    },
    /// By our own reference, where the provider can.
    Reference {
        /// Ours.
        reference: Reference,
        /// Options that the look-up may need.
        #[serde(default)]
        options: Options,
    },
}

/// When the money is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMethod {
    /// At once, when the payer pays.
    Automatic,
    /// It is only held; `capture_payment` takes it.
    Manual,
}
