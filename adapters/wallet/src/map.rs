//! Between paymux's words and the provider's. Pure: the moment is passed in.

use paymux_core::{
    Amounts, ConfirmStep, Failure, FailureKind, Money, NextAction, Part, Payment, PaymentStatus,
    ProviderId, ProviderMandateId, Reference, Timestamp,
};
use url::Url;

use crate::{
    config::WalletConfig,
    objects::{Freeze, ProviderPayment, Transaction},
    options::{Commission, Split, WalletOptions},
    status::{ProviderPaymentStatus, TransactionStatus},
};

mod allowance;
mod list;
mod request;

pub(crate) use allowance::{mandate, status as allowance_status};
pub(crate) use list::{ListQuery, limit};
pub(crate) use request::{
    CONFIRM_PRICES, NewMandate, arrange, check_confirm_prices, check_limits, is_language,
    lower_price, new_mandate, new_price, new_transaction, number,
};

/// The pages on which payers accept transactions.
#[derive(Clone, Debug)]
pub(crate) struct Pages {
    pub(crate) root: Url,
    pub(crate) language: String,
}

impl Pages {
    /// The page of one transaction. Source: the provider's guides.
    fn confirm(&self, key: &str, language: Option<&str>) -> Option<Url> {
        let mut url = self.root.clone();
        let language = language.unwrap_or(&self.language);
        let mut segments = url.path_segments_mut().ok()?;
        segments.pop_if_empty();
        if !language.is_empty() {
            segments.push(language);
        }
        segments.extend(["wallet", "confirm", key]);
        drop(segments);
        Some(url)
    }
}

/// What is known beside the provider's object, and what it is read by.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) config: &'a WalletConfig,
    pub(crate) pages: &'a Pages,
    /// Freezes end by the clock: the earlier of ours and the provider's.
    pub(crate) now: Timestamp,
    /// The mandate that is charged under: then we act next, not the payer.
    pub(crate) mandate: Option<&'a ProviderMandateId>,
    /// Those of the create call. Without them nobody knows what was asked for, as in lists and
    /// callbacks, and an answer can leave a freeze or a fee out.
    pub(crate) options: Option<&'a WalletOptions>,
    /// That of the page, where it is not the account's.
    pub(crate) language: Option<&'a str>,
    /// Is an empty list of payments to be believed? Only where the transaction was read by itself,
    /// and nobody knows of a payment in it.
    pub(crate) may_hold_nothing: bool,
}

impl<'a> Known<'a> {
    pub(crate) fn provider(&self) -> &'a ProviderId {
        &self.config.id
    }

    pub(crate) fn redirect(&self, key: &str) -> Option<NextAction> {
        self.pages.confirm(key, self.language).map(|url| NextAction::Redirect { url })
    }
}

/// What a transaction means, given its payments and whether it is charged under a mandate.
///
/// Until it is confirmed, its own word decides; from then on, how far its payments are. The README
/// has the table and the reasons.
fn status(
    transaction: &Transaction,
    parts: &[Part],
    charged: bool,
    may_hold_nothing: bool,
) -> PaymentStatus {
    let took_money = parts.iter().any(|part| part.status == PaymentStatus::Succeeded);
    let ended = |own| if took_money { worst(parts) } else { own };
    match &transaction.status {
        TransactionStatus::New => before_acceptance(charged),
        TransactionStatus::Waiting | TransactionStatus::Reserved => {
            PaymentStatus::RequiresConfirmation
        }
        TransactionStatus::WaitingFunds | TransactionStatus::WaitingRegistration => {
            PaymentStatus::Processing
        }
        TransactionStatus::WaitingPassword => PaymentStatus::RequiresAction,
        // One that carries an allowance and nothing else is done when it is confirmed.
        TransactionStatus::Confirmed if may_hold_nothing && is_allowance_alone(transaction) => {
            PaymentStatus::Succeeded
        }
        TransactionStatus::Confirmed => worst(parts),
        TransactionStatus::Rejected | TransactionStatus::Revoked | TransactionStatus::Deleted => {
            ended(PaymentStatus::Cancelled)
        }
        TransactionStatus::Failed => ended(PaymentStatus::Failed),
        TransactionStatus::Unknown(_) => PaymentStatus::Unknown,
    }
}

/// An answer that leaves its payments out does not say that there are none.
fn is_allowance_alone(transaction: &Transaction) -> bool {
    transaction.allowance.is_some() && transaction.lists_payments && transaction.payments.is_empty()
}

/// What a payment without a word of its own means: it stands where its transaction does. In a
/// confirmed one it can be held or done, and only it knows.
fn sparse_status(transaction: &Transaction, charged: bool) -> PaymentStatus {
    if transaction.status == TransactionStatus::Confirmed {
        return PaymentStatus::Processing;
    }
    status(transaction, &[], charged, false)
}

fn before_acceptance(charged: bool) -> PaymentStatus {
    if charged { PaymentStatus::RequiresConfirmation } else { PaymentStatus::RequiresAction }
}

/// The least finished of several payments decides: what is held before what nobody understands,
/// that before what is under way, and all of it before what is done. Payments that the answer does
/// not show are under way.
fn worst(parts: &[Part]) -> PaymentStatus {
    let weight = |status: PaymentStatus| match status {
        PaymentStatus::Authorized => 0,
        PaymentStatus::Unknown => 1,
        PaymentStatus::RequiresAction => 2,
        PaymentStatus::RequiresConfirmation | PaymentStatus::PartiallyPaid => 3,
        PaymentStatus::Processing => 4,
        PaymentStatus::Succeeded => 5,
        PaymentStatus::Failed => 6,
        PaymentStatus::Cancelled | PaymentStatus::Expired => 7,
    };
    let least = parts.iter().map(|part| part.status).min_by_key(|status| weight(*status));
    least.unwrap_or(PaymentStatus::Processing)
}

/// What is known of a payment beside its word.
#[derive(Clone, Copy, Debug, Default)]
struct Stage {
    /// Its transaction is charged under a mandate.
    charged: bool,
    /// Its transaction is confirmed.
    confirmed: bool,
    /// It is held now.
    frozen: bool,
    /// It was held at some time; if it was canceled and says when, at that time.
    was_frozen: bool,
    /// Nobody says whether it was ever held.
    may_be_frozen: bool,
    /// It was confirmed at some time.
    was_confirmed: bool,
}

/// What a payment means by itself.
fn part_status(status: &ProviderPaymentStatus, stage: Stage) -> PaymentStatus {
    match status {
        ProviderPaymentStatus::New if stage.confirmed => PaymentStatus::Processing,
        ProviderPaymentStatus::New => before_acceptance(stage.charged),
        ProviderPaymentStatus::Waiting if stage.confirmed => PaymentStatus::Processing,
        ProviderPaymentStatus::Waiting => PaymentStatus::RequiresConfirmation,
        ProviderPaymentStatus::Reserved if !stage.confirmed => PaymentStatus::RequiresConfirmation,
        ProviderPaymentStatus::Reserved | ProviderPaymentStatus::Confirmed if stage.frozen => {
            PaymentStatus::Authorized
        }
        // Moved or frozen, says the specification; `done` follows.
        ProviderPaymentStatus::Reserved => PaymentStatus::Processing,
        ProviderPaymentStatus::Confirmed if !stage.confirmed => PaymentStatus::Processing,
        // Until it is `done`, what was held can be let go, also when the time for it is over.
        ProviderPaymentStatus::Confirmed if stage.was_frozen || stage.may_be_frozen => {
            PaymentStatus::Processing
        }
        ProviderPaymentStatus::Confirmed | ProviderPaymentStatus::Done => PaymentStatus::Succeeded,
        // A hold that was let go, or money that came back.
        ProviderPaymentStatus::Canceled if stage.was_confirmed && stage.may_be_frozen => {
            PaymentStatus::Processing
        }
        // It had moved, and came back: the amounts say so.
        ProviderPaymentStatus::Canceled if stage.was_confirmed && !stage.was_frozen => {
            PaymentStatus::Succeeded
        }
        ProviderPaymentStatus::Canceled
        | ProviderPaymentStatus::Rejected
        | ProviderPaymentStatus::Revoked
        | ProviderPaymentStatus::Deleted => PaymentStatus::Cancelled,
        ProviderPaymentStatus::Failed => PaymentStatus::Failed,
        ProviderPaymentStatus::WaitingFunds | ProviderPaymentStatus::WaitingRegistration => {
            PaymentStatus::Processing
        }
        ProviderPaymentStatus::WaitingPassword => PaymentStatus::RequiresAction,
        ProviderPaymentStatus::Unknown(_) => PaymentStatus::Unknown,
    }
}

/// A transaction and the payments that its answer shows.
pub(crate) fn payment(transaction: &Transaction, known: &Known<'_>) -> Payment {
    let parts: Vec<Part> =
        transaction.payments.iter().map(|payment| part(payment, transaction, known)).collect();
    let status = status(transaction, &parts, known.mandate.is_some(), known.may_hold_nothing);
    let mut payment = Payment::new(
        known.provider().clone(),
        transaction.key.clone(),
        status,
        transaction.status.as_str(),
    );
    payment.amounts = amounts(&parts);
    payment.reference = reference(&transaction.payments, known);
    payment.mandate = known.mandate.cloned();
    payment.failure = parts.iter().rev().find_map(|part| part.failure.clone());
    if status == PaymentStatus::Failed && payment.failure.is_none() {
        payment.failure = Some(Failure::new(FailureKind::Unknown));
    }
    payment.next_action = match (status, &transaction.status) {
        (PaymentStatus::RequiresConfirmation, TransactionStatus::New) => {
            Some(NextAction::Confirm { step: ConfirmStep::Authorize })
        }
        (PaymentStatus::RequiresConfirmation, _) => {
            Some(NextAction::Confirm { step: ConfirmStep::Commit })
        }
        (PaymentStatus::RequiresAction, TransactionStatus::New) => {
            known.redirect(transaction.key.as_str())
        }
        (_, _) => None,
    };
    payment.parts = parts;
    payment
}

fn part(payment: &ProviderPayment, transaction: &Transaction, known: &Known<'_>) -> Part {
    // An answer that leaves the freeze out does not lift the one that was asked for.
    let asked = known.options.and_then(|options| options.freeze_until).map(Freeze::Until);
    let freeze = payment.freeze.or(asked);
    let confirmed_at = payment.confirmed_at.or(transaction.confirmed_at);
    let is_confirmed = transaction.status == TransactionStatus::Confirmed;
    let is_canceled = payment.status == Some(ProviderPaymentStatus::Canceled);
    let canceled_at = payment.canceled_at.filter(|_| is_canceled);
    let stage = Stage {
        charged: known.mandate.is_some(),
        confirmed: is_confirmed,
        frozen: freeze.is_some_and(|freeze| freeze.lasts(confirmed_at, known.now)),
        // Canceled when the freeze was over, it had moved. Where nobody says when, it was held; so
        // it was where no freeze is shown, since the one asked for can have been made longer.
        was_frozen: match payment.freeze {
            Some(Freeze::Off) => false,
            Some(shown) => canceled_at.is_none_or(|canceled| shown.lasts(confirmed_at, canceled)),
            None => asked.is_some(),
        },
        may_be_frozen: payment.freeze.is_none() && known.options.is_none(),
        was_confirmed: confirmed_at.is_some() || is_confirmed,
    };
    let (status, word) = match &payment.status {
        Some(word) => (part_status(word, stage), word.as_str()),
        None => (sparse_status(transaction, stage.charged), transaction.status.as_str()),
    };
    let mut part = Part::new(payment.id.clone(), status, word);
    let price = price(payment, known);
    part.amounts.requested = price;
    part.amounts.payable = payable(payment, known);
    match status {
        PaymentStatus::Authorized => part.amounts.authorized = price,
        PaymentStatus::RequiresConfirmation if is_held(payment, transaction) => {
            part.amounts.authorized = price;
        }
        PaymentStatus::Succeeded => {
            part.amounts.captured = price;
            if is_canceled {
                came_back(&mut part.amounts, price);
            }
        }
        PaymentStatus::Failed => part.failure = Some(Failure::new(FailureKind::Unknown)),
        PaymentStatus::RequiresAction
        | PaymentStatus::RequiresConfirmation
        | PaymentStatus::Processing
        | PaymentStatus::PartiallyPaid
        | PaymentStatus::Cancelled
        | PaymentStatus::Expired
        | PaymentStatus::Unknown => {}
    }
    part
}

/// All of it came back. Where nobody says how much that is, an older answer may know what was taken.
fn came_back(amounts: &mut Amounts, price: Option<Money>) {
    amounts.refunded = price;
    amounts.given_back_unstated = price.is_none();
}

/// What was asked for: the price, without the payer's fee where the price holds it.
pub(crate) fn price(payment: &ProviderPayment, known: &Known<'_>) -> Option<Money> {
    if known.config.commission_in_price {
        return payment.price?.checked_sub(payers_fee(payment, known)?);
    }
    payment.price
}

/// What the payer pays: the price, with the fee where that is on top.
fn payable(payment: &ProviderPayment, known: &Known<'_>) -> Option<Money> {
    if known.config.commission_in_price {
        return payment.price;
    }
    payment.price?.checked_add(payers_fee(payment, known)?)
}

/// The payer's fee, zero where there is none; nothing where nobody knows. An answer that leaves it
/// out is about the one that was asked for; of several payments nobody could say which has it.
fn payers_fee(payment: &ProviderPayment, known: &Known<'_>) -> Option<Money> {
    let fee_of = |fees: Option<&Commission>| fees.and_then(|fees| fees.out_commission);
    let none = Money::zero(payment.price?.currency());
    let asked = || {
        let options = known.options?;
        let is_free = |line: &Split| fee_of(line.commission.as_ref()).is_none_or(Money::is_zero);
        let fee = fee_of(options.commission.as_ref()).unwrap_or(none);
        options.split.iter().all(is_free).then_some(fee)
    };
    payment.out_commission.or_else(asked)
}

/// Accepted and not confirmed; before that, under a mandate, nothing is held yet.
fn is_held(payment: &ProviderPayment, transaction: &Transaction) -> bool {
    payment.status != Some(ProviderPaymentStatus::New)
        && matches!(transaction.status, TransactionStatus::Waiting | TransactionStatus::Reserved)
}

/// Sums over the payments. One that leaves its amount out leaves the sum unknown.
fn amounts(parts: &[Part]) -> Amounts {
    let figure =
        |amount: fn(&Amounts) -> Option<Money>| sum(parts.iter().map(|part| amount(&part.amounts)));
    let figure_of = |concerned: fn(&Part) -> bool, amount: fn(&Amounts) -> Option<Money>| {
        sum(parts.iter().filter(|part| concerned(part)).map(|part| amount(&part.amounts)))
    };
    let succeeded = |part: &Part| part.status == PaymentStatus::Succeeded;
    Amounts {
        requested: figure(|amounts| amounts.requested),
        payable: figure(|amounts| amounts.payable),
        authorized: figure_of(
            |part| part.amounts.authorized.is_some(),
            |amounts| amounts.authorized,
        ),
        captured: figure_of(succeeded, |amounts| amounts.captured),
        refunded: figure_of(|part| part.amounts.refunded.is_some(), |amounts| amounts.refunded),
        charged_back: None,
        given_back_unstated: parts.iter().any(|part| part.amounts.given_back_unstated),
    }
}

fn sum(mut amounts: impl Iterator<Item = Option<Money>>) -> Option<Money> {
    let first = amounts.next()??;
    amounts.try_fold(first, |sum, amount| sum.checked_add(amount?))
}

/// Our reference, where the payments echo it.
fn reference(payments: &[ProviderPayment], known: &Known<'_>) -> Option<Reference> {
    let name = known.config.reference_parameter.as_deref()?;
    let mut echoed = payments.iter().filter_map(|payment| payment.parameters.get(name)?.as_str());
    Reference::new(echoed.next()?).ok()
}

#[cfg(test)]
#[path = "map/tests.rs"]
mod tests;
