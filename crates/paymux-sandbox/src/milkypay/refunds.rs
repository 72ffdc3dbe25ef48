//! Refunds: whole or in parts, until what was paid is used up.

use jiff::{SignedDuration, Timestamp};

use super::errors::Refusal;
use super::objects::{Invoice, Refund};
use super::state::{Due, State};
use super::status::Status;
use crate::amount::Amount;
use crate::clock;

/// A validated request for a refund.
#[derive(Clone, Debug)]
pub(super) struct NewRefund {
    pub(super) reference_id: String,
    pub(super) amount: Amount,
    pub(super) description: Option<String>,
}

impl State {
    pub(super) fn create_refund(
        &mut self,
        id: &str,
        new: NewRefund,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let invoice = self.invoice(id)?;
        let repeated = invoice.refunds.iter().any(|known| known.reference_id == new.reference_id);
        if repeated {
            return Err(Refusal::Duplicate(id.to_owned()));
        }
        if !invoice.status.is_refundable() {
            return Err(Refusal::invalid("status", "The invoice cannot be refunded."));
        }
        if !self.service_of(invoice).refundable {
            return Err(Refusal::invalid("service", "The service does not support refunds."));
        }
        if new.amount > refundable(invoice) {
            let message = "This value should not exceed the refundable amount.";
            return Err(Refusal::invalid("amount", message));
        }
        if !self.settings.refund_funds {
            return Err(Refusal::invalid("amount", "The account has not enough funds."));
        }
        let delay = SignedDuration::from_secs(self.settings.refund_delay_seconds.into());
        let due = Due::SettleRefund(id.to_owned(), new.reference_id.clone());
        let refund = Refund {
            reference_id: new.reference_id,
            amount: new.amount,
            description: new.description,
            state: "pending",
            created: now,
        };
        self.invoice_mut(id)?.refunds.push(refund);
        if delay.is_zero() {
            return self.settle_refund(id, true, now);
        }
        self.due.insert((clock::add(now, delay), due));
        self.turn(id, Status::RefundPending, "ok", now)
    }

    /// Ends the refund that is open.
    pub(super) fn settle_refund(
        &mut self,
        id: &str,
        succeeds: bool,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let invoice = self.invoice_mut(id)?;
        let Some(refund) = invoice.refunds.iter_mut().find(|refund| refund.state == "pending")
        else {
            return Err(Refusal::invalid("status", "No refund of the invoice is open."));
        };
        if !succeeds {
            refund.state = "failed";
            return self.turn(id, Status::RefundFailed, "declined", now);
        }
        refund.state = "succeeded";
        let amount = refund.amount;
        let returned = invoice.refunded_amount.map_or(amount, |before| before.plus(amount));
        invoice.refunded_amount = Some(returned);
        invoice.refunded = Some(now);
        let all = invoice.processed_amount.is_none_or(|paid| returned >= paid);
        let status = if all { Status::Refunded } else { Status::PartiallyRefunded };
        self.turn(id, status, "ok", now)
    }

    pub(super) fn settle_refund_when_due(&mut self, id: &str, reference: &str, at: Timestamp) {
        let open = |refund: &Refund| refund.state == "pending" && refund.reference_id == reference;
        if self.invoices.get(id).is_some_and(|invoice| invoice.refunds.iter().any(open)) {
            // What was settled by hand is not open any more.
            let _settled = self.settle_refund(id, true, at);
        }
    }
}

fn refundable(invoice: &Invoice) -> Amount {
    let paid = invoice.processed_amount.unwrap_or_default();
    invoice.refunded_amount.map_or(paid, |returned| paid.minus(returned))
}
