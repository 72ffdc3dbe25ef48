//! Between paymux's words and the provider's. Pure.

use paymux_core::{
    Amounts, ConfirmStep, Failure, FailureKind, NextAction, Payment, PaymentStatus,
    ProviderPaymentId, Sensitive,
};
use url::Url;

use crate::{
    config::RampConfig,
    objects::{Answer, Invoice, Link},
    options::PaymentType,
    status::{self, StatusMeaning, Words},
};

mod bill;
mod request;

pub(crate) use bill::{Before, check_payable, expected_price, there_already};
pub(crate) use request::{change, confirmation, invoice_id, look_up, new_payment};

/// Which call an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage<'a> {
    /// The one that creates the payment, with the return address it named.
    Created {
        /// The address.
        sent: Option<&'a Url>,
        /// Was the payment there before? Then its confirmation may have been sent.
        found: bool,
    },
    /// One that reads it. Does the caller's record say that no confirmation was begun?
    Later {
        /// Then our consent is asked for, here, too.
        unconfirmed: bool,
    },
    /// One that changes it.
    Changed,
    /// The one that confirms it.
    Confirmed,
}

impl Stage<'_> {
    /// Was something to happen by the call? Then a word can be about that, and only a look says how
    /// the payment stands.
    const fn acts(self) -> bool {
        match self {
            Self::Created { .. } | Self::Changed | Self::Confirmed => true,
            Self::Later { .. } => false,
        }
    }
}

/// What a payment's word means for its type and its stage.
///
/// A payment inside the provider waits for our consent once it is created. Later, the same word can
/// stand for one that waits and for one whose debit is under way, and a second consent could debit
/// twice: so nothing but the answer to creating asks for it, unless the caller knows better. The
/// README has the table.
fn status(
    meaning: StatusMeaning,
    kind: &PaymentType,
    stage: Stage<'_>,
    has_page: bool,
) -> PaymentStatus {
    let asks =
        matches!(stage, Stage::Created { found: false, .. } | Stage::Later { unconfirmed: true });
    match meaning {
        StatusMeaning::Pending if asks && kind.account_id().is_some() => {
            PaymentStatus::RequiresConfirmation
        }
        StatusMeaning::Pending | StatusMeaning::Waiting
            if *kind == PaymentType::Checkout && has_page =>
        {
            PaymentStatus::RequiresAction
        }
        // Only a checkout has anything for the payer to do.
        StatusMeaning::RequiresAction if *kind == PaymentType::Checkout => {
            PaymentStatus::RequiresAction
        }
        StatusMeaning::Pending | StatusMeaning::Waiting | StatusMeaning::RequiresAction => {
            PaymentStatus::Processing
        }
        StatusMeaning::Processing => PaymentStatus::Processing,
        StatusMeaning::Authorized => PaymentStatus::Authorized,
        StatusMeaning::PartiallyPaid => PaymentStatus::PartiallyPaid,
        // What was given back was paid; the amounts say the rest, as far as they are known.
        StatusMeaning::Succeeded | StatusMeaning::Refunded | StatusMeaning::PartiallyRefunded => {
            PaymentStatus::Succeeded
        }
        StatusMeaning::Failed => PaymentStatus::Failed,
        StatusMeaning::Cancelled => PaymentStatus::Cancelled,
        StatusMeaning::Expired => PaymentStatus::Expired,
        StatusMeaning::Unknown => PaymentStatus::Unknown,
    }
}

/// A payment, without amounts: answers about payments hold none, and at most say that some was given
/// back.
pub(crate) fn payment(
    config: &RampConfig,
    answer: &Answer,
    kind: &PaymentType,
    stage: Stage<'_>,
) -> Payment {
    let page = page(answer, kind, stage);
    let meaning = if stage.acts() {
        status::believed(&answer.word, &config.words)
    } else {
        status::meaning(&answer.word, &config.words)
    };
    let status = status(meaning, kind, stage, page.is_some());
    let mut payment =
        Payment::new(config.id.clone(), answer.id.clone(), status, answer.word.clone());
    payment.amounts.given_back_unstated = gave_back(meaning);
    payment.failure = failure(status);
    payment.next_action = match status {
        PaymentStatus::RequiresConfirmation => {
            Some(NextAction::Confirm { step: ConfirmStep::Commit })
        }
        PaymentStatus::RequiresAction => page,
        PaymentStatus::Processing
        | PaymentStatus::Authorized
        | PaymentStatus::PartiallyPaid
        | PaymentStatus::Succeeded
        | PaymentStatus::Cancelled
        | PaymentStatus::Expired
        | PaymentStatus::Failed
        | PaymentStatus::Unknown => None,
    };
    payment
}

/// The provider gives no reason.
fn failure(status: PaymentStatus) -> Option<Failure> {
    (status == PaymentStatus::Failed).then(|| Failure::new(FailureKind::Unknown))
}

/// What the payer needs to act: a page, else the gateway's session. A link by the name of our own
/// return address comes last. None may be the address that we sent: an echo would send the payer
/// past the checkout.
fn page(answer: &Answer, kind: &PaymentType, stage: Stage<'_>) -> Option<NextAction> {
    match kind {
        PaymentType::Checkout => {}
        PaymentType::Platform { .. } | PaymentType::External { .. } => return None,
    }
    let sent = match stage {
        Stage::Created { sent, .. } => sent,
        Stage::Later { .. } | Stage::Changed | Stage::Confirmed => None,
    };
    if let (Link::Fit(url), Stage::Created { .. }) = (&answer.maybe_echo_in_session, stage)
        && answer.link == Link::Missing
        && sent != Some(url)
    {
        return Some(NextAction::Redirect { url: url.clone() });
    }
    match (&answer.link, &answer.session) {
        (Link::Fit(url), _) if sent != Some(url) => {
            return Some(NextAction::Redirect { url: url.clone() });
        }
        (Link::Unfit, _) => return None,
        (Link::Fit(_) | Link::Missing, Some(session)) => {
            return Some(NextAction::RunClient { session: Sensitive::new(session.value.clone()) });
        }
        (Link::Fit(_) | Link::Missing, None) => {}
    }
    match (&answer.maybe_echo, stage) {
        (Link::Fit(url), Stage::Created { .. }) if sent != Some(url) => {
            Some(NextAction::Redirect { url: url.clone() })
        }
        (
            Link::Fit(_) | Link::Unfit | Link::Missing,
            Stage::Created { .. } | Stage::Later { .. } | Stage::Changed | Stage::Confirmed,
        ) => None,
    }
}

/// Does the word say that some was given back?
fn gave_back(meaning: StatusMeaning) -> bool {
    matches!(meaning, StatusMeaning::Refunded | StatusMeaning::PartiallyRefunded)
}

/// Adds what the invoice says of the payment's amounts.
pub(crate) fn add_invoice(payment: &mut Payment, invoice: &Invoice, words: &Words) {
    payment.amounts = amounts(invoice, &payment.id, &payment.provider_status, words);
}

/// The word that the invoice has for one of its payments.
fn row<'a>(invoice: &'a Invoice, id: &ProviderPaymentId) -> Option<&'a str> {
    invoice.payments.iter().find(|payment| payment.id == *id)?.status.as_deref()
}

/// What the invoice says of one of its payments.
fn meaning_in_row(invoice: &Invoice, id: &ProviderPaymentId, words: &Words) -> StatusMeaning {
    status::meaning_of(row(invoice, id), words)
}

/// The amounts of one payment of an invoice: what is to be paid is the invoice's, and what was paid
/// is said by nobody but the payment itself, where its row says so, too, and the invoice's own word
/// does not contradict: that may be another payment's doing. That something was given back is
/// believed of whoever says it.
fn amounts(invoice: &Invoice, id: &ProviderPaymentId, word: &str, words: &Words) -> Amounts {
    let row = meaning_in_row(invoice, id, words);
    let whole = status::meaning_of(invoice.status.as_deref(), words);
    let mut amounts = Amounts { requested: invoice.amount, ..Amounts::default() };
    match status::meaning(word, words) {
        StatusMeaning::Refunded => {
            // Of whatever was taken, nothing is left.
            (amounts.captured, amounts.refunded) = (invoice.amount, invoice.amount);
            amounts.given_back_unstated = invoice.amount.is_none();
        }
        // How much is left is not said.
        StatusMeaning::PartiallyRefunded => amounts.given_back_unstated = true,
        StatusMeaning::Succeeded if gave_back(row) || gave_back(whole) => {
            amounts.given_back_unstated = true;
        }
        StatusMeaning::Succeeded
            if row == StatusMeaning::Succeeded
                && matches!(whole, StatusMeaning::Succeeded | StatusMeaning::Unknown) =>
        {
            amounts.captured = invoice.amount;
        }
        StatusMeaning::Succeeded
        | StatusMeaning::PartiallyPaid
        | StatusMeaning::Pending
        | StatusMeaning::Waiting
        | StatusMeaning::RequiresAction
        | StatusMeaning::Processing
        | StatusMeaning::Authorized
        | StatusMeaning::Failed
        | StatusMeaning::Cancelled
        | StatusMeaning::Expired
        | StatusMeaning::Unknown => {}
    }
    amounts
}

/// What a webhook claims, as a status. Nobody signs it, so it never says that money came, nor that
/// anything is over.
pub(crate) fn claimed_status(word: &str, words: &Words) -> PaymentStatus {
    match status::meaning(word, words) {
        StatusMeaning::Unknown => PaymentStatus::Unknown,
        StatusMeaning::Pending
        | StatusMeaning::Waiting
        | StatusMeaning::RequiresAction
        | StatusMeaning::Processing
        | StatusMeaning::Authorized
        | StatusMeaning::PartiallyPaid
        | StatusMeaning::Succeeded
        | StatusMeaning::Failed
        | StatusMeaning::Cancelled
        | StatusMeaning::Expired
        | StatusMeaning::Refunded
        | StatusMeaning::PartiallyRefunded => PaymentStatus::Processing,
    }
}
