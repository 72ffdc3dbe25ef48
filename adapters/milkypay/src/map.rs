//! Between paymux's words and the provider's. Pure.

use paymux_core::{
    Amounts, Failure, FailureKind, Money, NextAction, Payment, PaymentStatus, ProviderId,
    Reference, Refund, RefundStatus, Sensitive, transport::is_private,
};

use crate::{objects::Invoice, status::InvoiceStatus};

mod request;
mod resolution;

pub(crate) use request::{Flow, Terms, customer, invoice_list, page, page_limit, refuse_given};

/// What an invoice means: its status, its resolution and its amounts together.
///
/// Money that came in short is never success, also after part of it was given back. A state of a
/// refund or a dispute says that the money was taken first; the amounts say the rest. An unknown
/// word proves nothing. The README has the table and the reasons.
pub(crate) fn status(invoice: &Invoice) -> PaymentStatus {
    match &invoice.status {
        InvoiceStatus::Created | InvoiceStatus::ProcessPending => open(invoice),
        InvoiceStatus::Processing | InvoiceStatus::ProcessError => PaymentStatus::Processing,
        InvoiceStatus::Processed
        | InvoiceStatus::Refunding
        | InvoiceStatus::RefundPending
        | InvoiceStatus::RefundError
        | InvoiceStatus::PartiallyRefunded
        | InvoiceStatus::Refunded
        | InvoiceStatus::RefundFailed
        | InvoiceStatus::ChargedBack
        | InvoiceStatus::PartiallyChargedBack => {
            if is_short(invoice) {
                PaymentStatus::PartiallyPaid
            } else {
                PaymentStatus::Succeeded
            }
        }
        InvoiceStatus::PartiallyProcessed => PaymentStatus::PartiallyPaid,
        InvoiceStatus::ProcessFailed if resolution::ran_out_of_time(invoice) => {
            PaymentStatus::Expired
        }
        InvoiceStatus::ProcessFailed | InvoiceStatus::VerifyFailed => PaymentStatus::Failed,
        InvoiceStatus::Expired => PaymentStatus::Expired,
        InvoiceStatus::Terminated => PaymentStatus::Cancelled,
        InvoiceStatus::Verified => PaymentStatus::Succeeded,
        InvoiceStatus::Unknown(_) => PaymentStatus::Unknown,
    }
}

/// An invoice that nothing has come of yet: who moves next?
fn open(invoice: &Invoice) -> PaymentStatus {
    let held = invoice.moderation_required == Some(true);
    let payer_acted = invoice.payload.is_some()
        || invoice.active_payment.as_ref().is_some_and(|payment| {
            let word = payment.status.as_deref().map(str::to_ascii_lowercase);
            word.is_some_and(|word| word.starts_with("process"))
        });
    let has_page = matches!(link(invoice), Link::Fit(_));
    let waits_for_the_payer = resolution::asks_the_payer(invoice)
        || (resolution::is_fine(invoice) && has_page && !payer_acted);
    if waits_for_the_payer && !held {
        PaymentStatus::RequiresAction
    } else {
        PaymentStatus::Processing
    }
}

/// Did less come in than the payer had to pay?
fn is_short(invoice: &Invoice) -> bool {
    let payable = invoice.payment_amount.or(invoice.amount);
    let short = invoice.processed_amount.zip(payable).is_some_and(|(came, payable)| came < payable);
    short && !is_verification(invoice)
}

/// A check of a card, which charges nothing.
pub(crate) fn is_verification(invoice: &Invoice) -> bool {
    let is_verify = |word: &str| word.eq_ignore_ascii_case(Flow::Verify.word());
    let by_flow = invoice.payment_flow.as_deref().is_some_and(is_verify);
    match &invoice.status {
        InvoiceStatus::Verified | InvoiceStatus::VerifyFailed => true,
        InvoiceStatus::Created
        | InvoiceStatus::ProcessPending
        | InvoiceStatus::Processing
        | InvoiceStatus::ProcessError
        | InvoiceStatus::Processed
        | InvoiceStatus::PartiallyProcessed
        | InvoiceStatus::ProcessFailed
        | InvoiceStatus::Expired
        | InvoiceStatus::Terminated
        | InvoiceStatus::Refunding
        | InvoiceStatus::RefundPending
        | InvoiceStatus::RefundError
        | InvoiceStatus::PartiallyRefunded
        | InvoiceStatus::Refunded
        | InvoiceStatus::RefundFailed
        | InvoiceStatus::ChargedBack
        | InvoiceStatus::PartiallyChargedBack
        | InvoiceStatus::Unknown(_) => by_flow,
    }
}

/// Does the invoice say that it is for something else than this? The public API does not say.
pub(crate) fn is_for_another(invoice: &Invoice, flow: Flow) -> bool {
    match flow {
        Flow::Charge => is_verification(invoice),
        Flow::Verify => invoice.payment_flow.is_some() && !is_verification(invoice),
    }
}

/// An invoice as a payment.
pub(crate) fn payment(provider: &ProviderId, invoice: &Invoice) -> Payment {
    let status = status(invoice);
    let mut payment =
        Payment::new(provider.clone(), invoice.id.clone(), status, invoice.status.as_str());
    payment.reference =
        invoice.reference_id.as_deref().and_then(|reference| Reference::new(reference).ok());
    payment.amounts = amounts(invoice);
    payment.failure = failure(invoice, status);
    payment.live = Some(!invoice.mode.is_test());
    payment.updated_at = invoice.updated;
    if status == PaymentStatus::RequiresAction
        && let Link::Fit(action) = link(invoice)
    {
        payment.next_action = Some(action);
    }
    payment
}

pub(crate) fn amounts(invoice: &Invoice) -> Amounts {
    let mut amounts = Amounts {
        requested: invoice.amount,
        payable: invoice.payment_amount,
        // A rolling reserve is no money held on a card.
        authorized: None,
        captured: invoice.processed_amount,
        refunded: invoice.refunded_amount,
        charged_back: invoice.charged_back_amount,
        given_back_unstated: false,
    };
    match &invoice.status {
        // The word says that all of it went back, where the figure is missing.
        InvoiceStatus::Refunded => {
            amounts.refunded = said(amounts.refunded).or(amounts.captured);
            amounts.given_back_unstated = amounts.refunded.is_none();
        }
        InvoiceStatus::ChargedBack => {
            amounts.charged_back = said(amounts.charged_back).or(amounts.captured);
            amounts.given_back_unstated = amounts.charged_back.is_none();
        }
        // How much is left is not said, so no figure is given that could be taken for it.
        InvoiceStatus::PartiallyRefunded if said(amounts.refunded).is_none() => {
            (amounts.captured, amounts.refunded) = (None, None);
            amounts.given_back_unstated = true;
        }
        InvoiceStatus::PartiallyChargedBack if said(amounts.charged_back).is_none() => {
            (amounts.captured, amounts.charged_back) = (None, None);
            amounts.given_back_unstated = true;
        }
        InvoiceStatus::Created
        | InvoiceStatus::ProcessPending
        | InvoiceStatus::Processing
        | InvoiceStatus::ProcessError
        | InvoiceStatus::Processed
        | InvoiceStatus::PartiallyProcessed
        | InvoiceStatus::ProcessFailed
        | InvoiceStatus::Expired
        | InvoiceStatus::Terminated
        | InvoiceStatus::Verified
        | InvoiceStatus::VerifyFailed
        | InvoiceStatus::Refunding
        | InvoiceStatus::RefundPending
        | InvoiceStatus::RefundError
        | InvoiceStatus::PartiallyRefunded
        | InvoiceStatus::RefundFailed
        | InvoiceStatus::PartiallyChargedBack
        | InvoiceStatus::Unknown(_) => {}
    }
    if is_verification(invoice) {
        amounts.captured = Some(Money::zero(invoice.currency));
    }
    amounts
}

/// The last failure, as long as the payment has not been paid all the same.
fn failure(invoice: &Invoice, status: PaymentStatus) -> Option<Failure> {
    match status {
        PaymentStatus::Failed => {
            Some(resolution::failure(invoice).unwrap_or(Failure::new(FailureKind::Unknown)))
        }
        PaymentStatus::RequiresAction
        | PaymentStatus::RequiresConfirmation
        | PaymentStatus::Processing
        | PaymentStatus::Authorized
        | PaymentStatus::PartiallyPaid => resolution::failure(invoice),
        PaymentStatus::Succeeded
        | PaymentStatus::Cancelled
        | PaymentStatus::Expired
        | PaymentStatus::Unknown => None,
    }
}

/// Where the payer is sent.
#[derive(Debug)]
pub(crate) enum Link {
    /// Nowhere: the service needs no page, or the answer does not say.
    Missing,
    /// To an address that nobody should be sent to.
    Unfit,
    /// There.
    Fit(NextAction),
}

/// The page, or the form that leads to it. They are not compared with the invoice's id: in the
/// specification's own samples they name another one.
pub(crate) fn link(invoice: &Invoice) -> Link {
    if let Some(url) = &invoice.hpp_url {
        return match is_private(url) {
            true => Link::Fit(NextAction::Redirect { url: url.clone() }),
            false => Link::Unfit,
        };
    }
    let Some(form) = &invoice.form else { return Link::Missing };
    if !is_private(&form.action) {
        return Link::Unfit;
    }
    let params = form.params.expose().cloned().unwrap_or_default();
    match form.method.as_str() {
        "GET" => {
            // A browser's form would drop the query that the action has, so it is added here.
            let mut url = form.action.clone();
            if !params.is_empty() {
                url.query_pairs_mut().extend_pairs(&params);
            }
            Link::Fit(NextAction::Redirect { url })
        }
        "POST" => Link::Fit(NextAction::SubmitForm {
            url: form.action.clone(),
            method: form.method.clone(),
            fields: Sensitive::new(params),
        }),
        _ => Link::Unfit,
    }
}

/// Beside a word that says that money went back, a figure of zero says as little as none.
fn said(figure: Option<Money>) -> Option<Money> {
    figure.filter(|figure| !figure.is_zero())
}

/// The refund that was asked for, by what the invoice says after it. It has no id, and the
/// invoice's sum of refunds is the only figure: it has to have grown by what was asked. Where an
/// older refund had failed, the word alone does not tell that one from this.
pub(crate) fn refund(invoice: &Invoice, before: &Invoice, asked: Money) -> Refund {
    let due = before.refunded_amount.map_or(Some(asked), |sum| sum.checked_add(asked));
    // Not said where there is no figure.
    let arrived = said(invoice.refunded_amount).zip(due).map(|(sum, due)| sum >= due);
    let is_newer = before.updated.zip(invoice.updated).is_some_and(|(was, is)| is > was);
    let status = match &invoice.status {
        // Said anew, it needs no figure, and overrules none; said before already, it is no sign of
        // this refund.
        InvoiceStatus::Refunded
            if arrived.unwrap_or(before.status != InvoiceStatus::Refunded) =>
        {
            RefundStatus::Succeeded
        }
        InvoiceStatus::PartiallyRefunded if arrived == Some(true) => RefundStatus::Succeeded,
        InvoiceStatus::Refunded
        | InvoiceStatus::PartiallyRefunded
        | InvoiceStatus::Refunding
        | InvoiceStatus::RefundPending
        | InvoiceStatus::RefundError
        // Accepted, and not to be seen yet.
        | InvoiceStatus::Processed
        | InvoiceStatus::PartiallyProcessed => RefundStatus::Processing,
        InvoiceStatus::RefundFailed if before.status == invoice.status && !is_newer => {
            RefundStatus::Unknown
        }
        InvoiceStatus::RefundFailed => RefundStatus::Failed,
        InvoiceStatus::Created
        | InvoiceStatus::ProcessPending
        | InvoiceStatus::Processing
        | InvoiceStatus::ProcessError
        | InvoiceStatus::ProcessFailed
        | InvoiceStatus::Expired
        | InvoiceStatus::Terminated
        | InvoiceStatus::Verified
        | InvoiceStatus::VerifyFailed
        | InvoiceStatus::ChargedBack
        | InvoiceStatus::PartiallyChargedBack
        | InvoiceStatus::Unknown(_) => RefundStatus::Unknown,
    };
    let mut refund = Refund::new(status, invoice.status.as_str());
    refund.payment = Some(invoice.id.clone());
    refund.amount = Some(asked);
    if status == RefundStatus::Failed {
        let unnamed = || Failure::new(FailureKind::Unknown);
        refund.failure = Some(resolution::failure(invoice).unwrap_or_else(unnamed));
    }
    refund
}
