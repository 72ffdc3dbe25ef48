//! What people at the platform do: moderate, stop, correct, and what banks demand back.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::errors::Refusal;
use super::objects::Invoice;
use super::state::State;
use super::status::Status;
use crate::amount::Amount;
use crate::clock;

/// A correction by hand: any documented status, with what goes with it. No status is a lock:
/// operators do move paid invoices to failed and failed ones to paid.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusChange {
    /// The new status.
    pub status: Status,
    /// `ok` or the code of a failure; without one, the usual one of the status.
    #[serde(default)]
    pub resolution: Option<String>,
    /// Decimal text: what was paid, returned or charged back, whichever the status is about.
    /// Without one, all of it, or half for the partial statuses.
    #[serde(default)]
    pub amount: Option<String>,
    /// Whether a person has to decide first.
    #[serde(default)]
    pub moderation_required: bool,
}

impl StatusChange {
    /// A change to a status with everything that usually goes with it.
    #[must_use]
    pub fn to(status: Status) -> Self {
        StatusChange { status, resolution: None, amount: None, moderation_required: false }
    }

    /// Sets the resolution.
    #[must_use]
    pub fn resolution(mut self, resolution: impl Into<String>) -> Self {
        self.resolution = Some(resolution.into());
        self
    }

    /// Sets the amount, as decimal text.
    #[must_use]
    pub fn amount(mut self, amount: impl Into<String>) -> Self {
        self.amount = Some(amount.into());
        self
    }

    /// Lets a person decide first.
    #[must_use]
    pub fn moderation_required(mut self) -> Self {
        self.moderation_required = true;
        self
    }
}

impl State {
    /// Reads an amount in an invoice's currency.
    pub(super) fn amount_for(&self, id: &str, text: &str) -> Result<Amount, Refusal> {
        let service = self.service_of(self.invoice(id)?);
        let amount = service.amount(text);
        amount.map_err(|_| Refusal::invalid("amount", "This value is not valid."))
    }

    /// Puts an invoice into any status, with amounts that fit it.
    pub(super) fn set_status(
        &mut self,
        id: &str,
        change: &StatusChange,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let amount = change.amount.as_deref().map(|text| self.amount_for(id, text)).transpose()?;
        let status = change.status;
        let invoice = self.invoice(id)?;
        let payable = invoice.payment_amount;
        let taken = if status == Status::Processed {
            Some(amount.unwrap_or(payable))
        } else if status == Status::PartiallyProcessed {
            Some(amount.unwrap_or_else(|| payable.half()))
        } else if status.has_taken() {
            Some(invoice.processed_amount.unwrap_or(payable))
        } else {
            None
        };
        match taken {
            Some(taken) if invoice.processed_amount == Some(taken) => {}
            Some(taken) => self.take(id, taken, now)?,
            None => self.untake(id)?,
        }
        let invoice = self.invoice_mut(id)?;
        let taken = taken.unwrap_or(payable);
        write_back(invoice, status, amount, taken, now);
        invoice.failed = status.is_failed().then_some(now);
        let usual = status.usual_resolution();
        let resolution = change.resolution.as_deref().unwrap_or(usual);
        self.turn_with(id, status, resolution, change.moderation_required, now)
    }

    fn untake(&mut self, id: &str) -> Result<(), Refusal> {
        let invoice = self.invoice_mut(id)?;
        invoice.processed = None;
        invoice.processed_amount = None;
        invoice.processed_fee = None;
        invoice.processed_deposit = None;
        invoice.reserved_amount = None;
        invoice.reserve_expires = None;
        Ok(())
    }

    /// The payer has paid and a person has to look at it first.
    pub(super) fn moderate(&mut self, id: &str, now: Timestamp) -> Result<(), Refusal> {
        self.require_payable(id)?;
        let invoice = self.invoice_mut(id)?;
        invoice.has_payer = true;
        self.turn_with(id, Status::ProcessPending, "ok", true, now)
    }

    /// The moderator agrees: the invoice is paid.
    pub(super) fn approve(&mut self, id: &str, now: Timestamp) -> Result<(), Refusal> {
        let invoice = self.invoice_mut(id)?;
        if !invoice.moderation_required {
            return Err(Refusal::invalid("status", "The invoice waits for no moderator."));
        }
        invoice.moderation_required = false;
        self.pay(id, None, now)
    }

    /// A person, or the payer, stops an unpaid invoice.
    pub(super) fn terminate(&mut self, id: &str, now: Timestamp) -> Result<(), Refusal> {
        let status = self.invoice(id)?.status;
        if !status.is_payable() || status == Status::PartiallyProcessed {
            return Err(Refusal::invalid("status", "Only an unpaid invoice can be stopped."));
        }
        self.turn(id, Status::Terminated, "ok", now)
    }

    /// The payer's bank takes back this much, or all.
    pub(super) fn charge_back(
        &mut self,
        id: &str,
        amount: Option<Amount>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let invoice = self.invoice_mut(id)?;
        let taken = invoice.processed_amount.filter(|_| invoice.status.has_taken());
        let Some(taken) = taken else {
            return Err(Refusal::invalid("status", "Nothing was paid."));
        };
        let amount = amount.unwrap_or(taken);
        if !amount.is_positive() || amount > taken {
            return Err(Refusal::invalid("amount", "This value is not valid."));
        }
        invoice.charged_back_amount = Some(amount);
        let whole = amount == taken;
        let status = if whole { Status::ChargedBack } else { Status::PartiallyChargedBack };
        self.turn(id, status, "ok", now)
    }

    /// The platform withholds a part of the proceeds for some minutes: a rolling reserve, not
    /// an authorization.
    pub(super) fn reserve(
        &mut self,
        id: &str,
        amount: Amount,
        minutes: u32,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let invoice = self.invoice_mut(id)?;
        invoice.reserved_amount = Some(amount);
        let until = clock::add(now, SignedDuration::from_mins(minutes.into()));
        invoice.reserve_expires = Some(until);
        invoice.updated = now;
        Ok(())
    }
}

/// What was returned or charged back in a status, given what was taken.
fn write_back(
    invoice: &mut Invoice,
    status: Status,
    amount: Option<Amount>,
    taken: Amount,
    now: Timestamp,
) {
    let whole = matches!(status, Status::Refunded | Status::ChargedBack);
    let partial = matches!(status, Status::PartiallyRefunded | Status::PartiallyChargedBack);
    let usual = if partial { taken.half() } else { taken };
    let back = (whole || partial).then(|| amount.unwrap_or(usual));
    let charged_back = matches!(status, Status::ChargedBack | Status::PartiallyChargedBack);
    let refunding = matches!(
        status,
        Status::Refunding | Status::RefundPending | Status::RefundError | Status::RefundFailed
    );
    invoice.charged_back_amount = back.filter(|_| charged_back);
    if !refunding {
        invoice.refunded_amount = back.filter(|_| !charged_back);
        invoice.refunded = invoice.refunded_amount.map(|_| now);
    }
}
