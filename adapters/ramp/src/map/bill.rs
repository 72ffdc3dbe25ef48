//! Whether money may be taken for an invoice: read before a payment of it is created or confirmed.

use paymux_core::{
    Effect, Error, ErrorKind, Money, ProviderPaymentId, Result, transport::fit_words,
};

use super::request::INVOICE_ID;
use crate::{
    objects::{Invoice, InvoicePayment},
    options::PaymentType,
    status::{self, StatusMeaning, Words},
};

/// What an invoice is read before.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Before<'a> {
    /// A payment of this type is created.
    Creating(&'a PaymentType),
    /// This payment, of this type, is confirmed.
    Confirming(&'a PaymentType, &'a ProviderPaymentId),
}

impl Before<'_> {
    /// Is it our own payment that may be under way? Those of the outside are when they are confirmed,
    /// while a platform payment that is under way is being debited already.
    fn may_be_under_way(self, id: Option<&ProviderPaymentId>) -> bool {
        match self {
            Self::Creating(_) => false,
            Self::Confirming(kind, own) => {
                kind.account_id().is_none() && id.is_none_or(|id| id == own)
            }
        }
    }

    /// Is it worth a refusal that nobody knows how this payment stands? Not where the call only opens
    /// something, be it a page on which the payer may pay a second time; what is external may be
    /// collected at once. Of our own, only a platform payment's word is minded: it can be that of a
    /// debit. That there is none is no sign of one.
    fn minds_the_unknown(self, row: &InvoicePayment) -> bool {
        match self {
            Self::Creating(PaymentType::External { .. }) => true,
            Self::Creating(PaymentType::Platform { .. } | PaymentType::Checkout) => false,
            Self::Confirming(kind, own) => {
                row.id != *own || (kind.account_id().is_some() && row.status.is_some())
            }
        }
    }
}

fn conflict(field: &str, message: String) -> Error {
    Error::new(ErrorKind::Conflict, Effect::None, message).with_field(field)
}

/// The price that the invoice has, if it is the one that the merchant expects. A discount that may
/// not be applied yet can only lower it.
pub(crate) fn expected_price(
    invoice: &Invoice,
    expected: Money,
    discount_to_come: bool,
) -> Result<Option<Money>> {
    let Some(price) = invoice.amount else {
        let message = "cannot be compared: the invoice states none".to_owned();
        return Err(conflict("amount", message));
    };
    if price.currency() != expected.currency() {
        let message = format!("must be of {}, as the invoice is", price.currency());
        return Err(conflict("currency", message));
    }
    if discount_to_come && expected <= price {
        // What it will be is known when it is read again.
        return Ok(None);
    }
    if expected == price {
        return Ok(Some(price));
    }
    Err(conflict("amount", format!("must be what the invoice is about: {price}")))
}

/// Is the invoice still to be paid, and by nothing else?
pub(crate) fn check_payable(invoice: &Invoice, before: Before<'_>, words: &Words) -> Result<()> {
    let refuse = |message: String| Err(conflict(INVOICE_ID, message));
    match status::meaning_of(invoice.status.as_deref(), words) {
        StatusMeaning::Succeeded
        | StatusMeaning::PartiallyPaid
        | StatusMeaning::Refunded
        | StatusMeaning::PartiallyRefunded
        | StatusMeaning::Failed
        | StatusMeaning::Cancelled
        | StatusMeaning::Expired => {
            let word = invoice.status.as_deref().unwrap_or_default();
            let word = fit_words(word, &[]);
            return refuse(format!("must name an invoice to be paid: it is {word}"));
        }
        // Of which payment that is, its rows need not say.
        StatusMeaning::Processing | StatusMeaning::Authorized if !before.may_be_under_way(None) => {
            return refuse(
                "must name an invoice that no payment pays: one is under way".to_owned(),
            );
        }
        StatusMeaning::Processing
        | StatusMeaning::Authorized
        | StatusMeaning::Pending
        | StatusMeaning::Waiting
        | StatusMeaning::RequiresAction
        | StatusMeaning::Unknown => {}
    }
    if in_the_way(invoice, before, words).next().is_some() {
        let message = "must name an invoice that no payment pays: one is paid or may be under way";
        return refuse(message.to_owned());
    }
    Ok(())
}

/// The payments that pay the invoice, or may.
fn in_the_way<'a>(
    invoice: &'a Invoice,
    before: Before<'a>,
    words: &'a Words,
) -> impl Iterator<Item = &'a InvoicePayment> {
    invoice.payments.iter().filter(move |row| {
        match status::meaning_of(row.status.as_deref(), words) {
            StatusMeaning::Succeeded
            | StatusMeaning::PartiallyPaid
            | StatusMeaning::PartiallyRefunded
            | StatusMeaning::Processing
            | StatusMeaning::Authorized => !before.may_be_under_way(Some(&row.id)),
            StatusMeaning::Unknown => before.minds_the_unknown(row),
            StatusMeaning::Pending
            | StatusMeaning::Waiting
            | StatusMeaning::RequiresAction
            | StatusMeaning::Failed
            | StatusMeaning::Cancelled
            | StatusMeaning::Expired
            | StatusMeaning::Refunded => false,
        }
    })
}

/// The one payment in the way of another that is of the type asked for, where nothing is debited by
/// us: creating gives the payment that is there, and after a lost answer that one is ours.
pub(crate) fn there_already<'a>(
    invoice: &'a Invoice,
    kind: &'a PaymentType,
    words: &'a Words,
) -> Option<&'a ProviderPaymentId> {
    if kind.account_id().is_some() {
        return None;
    }
    let mut found = in_the_way(invoice, Before::Creating(kind), words);
    let (one, another) = (found.next()?, found.next());
    let is_of_type = |word: &str| word.trim().eq_ignore_ascii_case(kind.as_str());
    (another.is_none() && one.kind.as_deref().is_some_and(is_of_type)).then_some(&one.id)
}
