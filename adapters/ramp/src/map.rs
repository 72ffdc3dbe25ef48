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

mod request;

pub(crate) use request::{change, confirmation, expected_price, invoice_id, look_up, new_payment};

/// Which call an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage<'a> {
    /// The one that creates the payment, with the return address it named.
    Created(Option<&'a Url>),
    /// One that reads or changes it. Does pending mean not confirmed yet, by the caller's record or
    /// else by the account's setting?
    Later {
        /// Then our consent is asked for, here, too.
        unconfirmed: bool,
    },
    /// The one that confirms it.
    Confirmed,
}

/// What a payment's word means for its type and its stage.
///
/// A payment inside the provider waits for our consent once it is created. Later, the same word can
/// stand for one that waits and for one whose debit is under way, and a second consent could debit
/// twice: so nothing but the answer to creating asks for it, unless the caller or the account knows
/// better. The README has the table.
fn status(
    meaning: StatusMeaning,
    kind: &PaymentType,
    stage: Stage<'_>,
    has_page: bool,
) -> PaymentStatus {
    match meaning {
        StatusMeaning::Pending => match (kind, stage) {
            (
                PaymentType::Platform { .. },
                Stage::Created(_) | Stage::Later { unconfirmed: true },
            ) => PaymentStatus::RequiresConfirmation,
            (PaymentType::Checkout, _) if has_page => PaymentStatus::RequiresAction,
            (
                PaymentType::Platform { .. } | PaymentType::Checkout | PaymentType::External { .. },
                _,
            ) => PaymentStatus::Processing,
        },
        StatusMeaning::RequiresAction => PaymentStatus::RequiresAction,
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

/// A payment, without amounts: answers about payments hold none.
pub(crate) fn payment(
    config: &RampConfig,
    answer: &Answer,
    kind: &PaymentType,
    stage: Stage<'_>,
) -> Payment {
    let page = page(answer, kind, stage);
    let meaning = status::meaning(&answer.word, &config.words);
    let status = status(meaning, kind, stage, page.is_some());
    let mut payment =
        Payment::new(config.id.clone(), answer.id.clone(), status, answer.word.clone());
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
pub(crate) fn failure(status: PaymentStatus) -> Option<Failure> {
    (status == PaymentStatus::Failed).then(|| Failure::new(FailureKind::Unknown))
}

/// What the payer needs to act: a page, else the gateway's session. A link by the name of our own
/// return address comes last, and only where it is another one: an echo would send the payer past
/// the checkout.
fn page(answer: &Answer, kind: &PaymentType, stage: Stage<'_>) -> Option<NextAction> {
    match kind {
        PaymentType::Checkout => {}
        PaymentType::Platform { .. } | PaymentType::External { .. } => return None,
    }
    match (&answer.link, &answer.session) {
        (Link::Fit(url), _) => return Some(NextAction::Redirect { url: url.clone() }),
        (Link::Unfit, _) => return None,
        (Link::Missing, Some(session)) => {
            return Some(NextAction::RunClient { session: Sensitive::new(session.value.clone()) });
        }
        (Link::Missing, None) => {}
    }
    match (&answer.maybe_echo, stage) {
        (Link::Fit(url), Stage::Created(sent)) if sent != Some(url) => {
            Some(NextAction::Redirect { url: url.clone() })
        }
        (
            Link::Fit(_) | Link::Unfit | Link::Missing,
            Stage::Created(_) | Stage::Later { .. } | Stage::Confirmed,
        ) => None,
    }
}

/// The amounts of one payment of an invoice: what is to be paid is the invoice's, and what was paid
/// is said by nobody but the payment itself. The invoice's own state may be another payment's doing,
/// and where its row of this payment says otherwise, nothing is said.
pub(crate) fn amounts(
    invoice: &Invoice,
    id: &ProviderPaymentId,
    word: &str,
    words: &Words,
) -> Amounts {
    let meaning = status::meaning(word, words);
    let row = invoice.payments.iter().find(|payment| payment.id == *id);
    let agrees = row.is_some_and(|row| {
        row.status.as_deref().is_none_or(|word| status::meaning(word, words) == meaning)
    });
    let paid = invoice.amount.filter(|_| agrees);
    let mut amounts = Amounts { requested: invoice.amount, ..Amounts::default() };
    match meaning {
        StatusMeaning::Succeeded => amounts.captured = paid,
        StatusMeaning::Refunded => (amounts.captured, amounts.refunded) = (paid, paid),
        // How much is left is not said.
        StatusMeaning::PartiallyRefunded
        | StatusMeaning::PartiallyPaid
        | StatusMeaning::Pending
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

/// What a webhook claims, as a status. Nobody signs it, so it never says that money came.
pub(crate) fn claimed_status(word: &str, words: &Words) -> PaymentStatus {
    match status::meaning(word, words) {
        StatusMeaning::Pending
        | StatusMeaning::Processing
        | StatusMeaning::Authorized
        | StatusMeaning::PartiallyPaid
        | StatusMeaning::Succeeded
        | StatusMeaning::Refunded
        | StatusMeaning::PartiallyRefunded => PaymentStatus::Processing,
        StatusMeaning::RequiresAction => PaymentStatus::RequiresAction,
        StatusMeaning::Failed => PaymentStatus::Failed,
        StatusMeaning::Cancelled => PaymentStatus::Cancelled,
        StatusMeaning::Expired => PaymentStatus::Expired,
        StatusMeaning::Unknown => PaymentStatus::Unknown,
    }
}
