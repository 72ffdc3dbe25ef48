//! Confirming: the call that takes money from an account, and looks into the other payments.

use jiff::Timestamp;

use super::errors::Refusal;
use super::objects::{Invoice, Kind, Payment};
use super::payments::Order;
use super::settings::{ConfirmAgain, ConfirmUnpaid};
use super::state::{Due, State};
use super::status::Status;

impl State {
    /// Confirms: a platform payment takes the money, the others are looked into.
    pub(super) fn confirm_payment(
        &mut self,
        user: &str,
        order: &Order,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        let id = self.find_payment(user, order)?;
        let invoice = self.invoice_of(user, &order.invoice_id)?;
        let payment = self.payment(&id)?;
        if payment.kind != order.kind {
            let description = format!("type is {} for this payment", payment.kind.word());
            return Err(Refusal::invalid("type", description));
        }
        self.check_order(user, order, invoice)?;
        let status = payment.status;
        match (order.kind, &order.account) {
            (Kind::Platform, None) => {
                let words = "accountId is required for PLATFORM payments";
                return Err(Refusal::invalid("accountId", words));
            }
            (Kind::Platform, Some(account)) if self.debits_again(status) => {
                let amount = invoice.amount;
                self.debit(account, amount)?;
                return Ok(id);
            }
            (Kind::Platform, Some(_)) if status != Status::Pending => {
                return Err(self.refused(status));
            }
            (Kind::Platform, Some(_)) => self.check_payable(invoice, Some(&id))?,
            (Kind::Checkout | Kind::External, _) => self.check_confirmable(payment, invoice)?,
        }
        if let (Some(code), false) = (&order.discount, status.is_paid()) {
            self.apply_discount(&order.invoice_id, code)?;
        }
        if order.some_data.is_some() {
            self.payment_mut(&id)?.some_data.clone_from(&order.some_data);
        }
        match (order.kind, &order.account) {
            (Kind::Platform, Some(account)) => self.take_money(&id, account, now)?,
            (_, _) => self.confirm_outside(&id, now)?,
        }
        Ok(id)
    }

    /// The mistake that a second confirmation must never be sent to find out.
    fn debits_again(&self, status: Status) -> bool {
        self.settings.confirm_again == ConfirmAgain::Debits
            && (status.is_under_way() || status == Status::Succeeded)
    }

    /// Debits the account; without enough in it, the payment fails and nothing is taken.
    fn take_money(&mut self, id: &str, account: &str, now: Timestamp) -> Result<(), Refusal> {
        let amount = self.invoice(&self.payment(id)?.invoice_id)?.amount;
        let enough = self.debit(account, amount)?;
        let settle_seconds = self.settings.settle_seconds;
        let payment = self.payment_mut(id)?;
        payment.account = Some(account.to_owned());
        payment.debited = enough.then_some(amount);
        if !enough {
            return self.change(id, Status::Failed, now);
        }
        if settle_seconds == 0 {
            return self.change(id, Status::Succeeded, now);
        }
        self.due.insert((State::after(settle_seconds, now), Due::Settle(id.to_owned())));
        self.change(id, Status::Processing, now)
    }

    /// Whether confirming a payment of the outside may do anything.
    fn check_confirmable(&self, payment: &Payment, invoice: &Invoice) -> Result<(), Refusal> {
        match payment.status {
            Status::Succeeded => Ok(()),
            Status::Processing | Status::Authorized => {
                self.check_payable(invoice, Some(&payment.id))
            }
            Status::Pending => {
                self.check_payable(invoice, Some(&payment.id))?;
                match self.settings.confirm_unpaid {
                    ConfirmUnpaid::Processing | ConfirmUnpaid::Believed => Ok(()),
                    ConfirmUnpaid::Refused => {
                        Err(Refusal::Conflict("Payment has not been made".to_owned()))
                    }
                }
            }
            Status::Failed
            | Status::Canceled
            | Status::Expired
            | Status::PartiallyRefunded
            | Status::Refunded => Err(self.refused(payment.status)),
        }
    }

    /// Confirming what is paid already only acknowledges it.
    fn confirm_outside(&mut self, id: &str, now: Timestamp) -> Result<(), Refusal> {
        match (self.payment(id)?.status, self.settings.confirm_unpaid) {
            (Status::Succeeded, _) => Ok(()),
            (Status::Pending, ConfirmUnpaid::Processing) => {
                self.change(id, Status::Processing, now)
            }
            (_, _) => self.change(id, Status::Succeeded, now),
        }
    }
}
