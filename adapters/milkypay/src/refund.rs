//! Refunds: known from documents of the platform behind the provider, not from its specification,
//! and so behind [`crate::MilkyPayConfig::refunds`].

use paymux_core::{CreateRefund, Effect, Error, ErrorKind, Money, Refund, Result};

use crate::{
    MilkyPay, auth::Endpoint, decimal, failure::Act, map, objects::Invoice, read,
    status::InvoiceStatus, wire,
};

impl MilkyPay {
    /// The invoice is read before: it says how much can be given back, and what its sum of refunds
    /// has to grow from.
    pub(crate) async fn refund(&self, request: &CreateRefund) -> Result<Refund> {
        if request.part.is_some() {
            let message = "cannot be sent: an invoice has no parts";
            let error = Error::new(ErrorKind::Unsupported, Effect::None, message);
            return Err(error.with_field("part"));
        }
        let before = self.get_invoice(&request.payment.id).await?;
        let amount = self.refundable(&before, request)?;
        let id = request.payment.id.as_str();
        let mut body = wire::Envelope::new(
            "refund",
            wire::Refund {
                invoice_id: id,
                amount: decimal::literal(amount)?,
                reference_id: request.reference.as_str(),
                description: request.reason.as_deref(),
            },
        );
        body.data.id = Some(id.to_owned());
        let act = Act::Refund;
        let call = self.signer.post(act.purpose(), Endpoint::Refund(id), &body)?;
        let response = self.success(act, self.http.send(call).await?)?;
        let invoice = read::invoice(&response.body, &self.config.currencies)
            .map_err(|unreadable| unreadable.of(&response))?;
        response.check_same("invoice", id, invoice.id.as_str())?;
        Ok(map::refund(&invoice, &before, amount))
    }

    /// How much to give back: what was asked, or all that is left.
    fn refundable(&self, invoice: &Invoice, request: &CreateRefund) -> Result<Money> {
        let refuse = |field: &str, message: &str| {
            let error = Error::new(ErrorKind::Conflict, Effect::None, message);
            Err(error.with_field(field))
        };
        if invoice.mode != self.config.mode {
            return refuse("payment", "is of the other mode, live or test");
        }
        let Some(left) = left(invoice)? else {
            return refuse("payment", "has no money to give back");
        };
        match request.amount {
            None => Ok(left),
            Some(amount) if amount.currency() != left.currency() => {
                Err(Error::invalid_request("amount", "must be in the currency of the payment"))
            }
            Some(amount) if amount.is_zero() => {
                Err(Error::invalid_request("amount", "must be more than zero"))
            }
            Some(amount) if amount > left => refuse("amount", "is more than is left to give back"),
            Some(amount) => Ok(amount),
        }
    }
}

/// How much of what was taken is still there, if anything is and the invoice says so.
fn left(invoice: &Invoice) -> Result<Option<Money>> {
    let refuse = |message: &str| {
        let error = Error::new(ErrorKind::Conflict, Effect::None, message);
        Err(error.with_field("payment"))
    };
    match &invoice.status {
        InvoiceStatus::Processed
        | InvoiceStatus::PartiallyProcessed
        | InvoiceStatus::PartiallyRefunded
        | InvoiceStatus::Refunded
        | InvoiceStatus::RefundFailed
        | InvoiceStatus::ChargedBack
        | InvoiceStatus::PartiallyChargedBack => {}
        // Its sum of refunds cannot be told from ours while another one is open.
        InvoiceStatus::Refunding | InvoiceStatus::RefundPending | InvoiceStatus::RefundError => {
            return refuse("has a refund under way; one follows the other");
        }
        InvoiceStatus::Created
        | InvoiceStatus::ProcessPending
        | InvoiceStatus::Processing
        | InvoiceStatus::ProcessError
        | InvoiceStatus::ProcessFailed
        | InvoiceStatus::Expired
        | InvoiceStatus::Terminated
        | InvoiceStatus::Verified
        | InvoiceStatus::VerifyFailed => return Ok(None),
        InvoiceStatus::Unknown(_) => return refuse("is in a state that nobody documented"),
    }
    // As a payment, it says what went back even where a word stands for the figure.
    let amounts = map::amounts(invoice);
    let Some(taken) = amounts.captured else {
        return refuse("does not say how much there is to give back");
    };
    let gone = [amounts.refunded, amounts.charged_back].into_iter().flatten();
    let left = gone.into_iter().try_fold(taken, Money::checked_sub);
    Ok(left.filter(|left| !left.is_zero()))
}
