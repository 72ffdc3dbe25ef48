//! Transitions of refunds. A refund is always for the whole payment.

use jiff::{SignedDuration, Timestamp};

use super::errors::{Code, Refusal};
use super::events::Event;
use super::objects::{Failure, PaymentStatus, Refund, RefundStatus};
use super::payer::RefundOutcome;
use super::state::{Due, Moment, State};
use crate::clock;

impl State {
    /// CreateRefund.
    pub(super) fn create_refund(
        &mut self,
        payment_id: &str,
        reason: Option<String>,
        moment: Moment<'_>,
    ) -> Result<String, Refusal> {
        let amount = self.require_refundable(payment_id)?;
        if let Some(balance) = &mut self.settings.merchant_balance {
            if *balance < i64::from(amount) {
                return Err(Refusal::domain(
                    Code::FailedPrecondition,
                    "insufficient_funds",
                    "Merchant balance cannot cover the refund",
                ));
            }
            *balance -= i64::from(amount);
        }
        let id = moment.random.id("ref_");
        let delay = SignedDuration::from_secs(self.settings.refund_delay_seconds.into());
        let settles_at = clock::add(moment.now, delay);
        let refund = Refund {
            id: id.clone(),
            payment_id: payment_id.to_owned(),
            status: RefundStatus::Pending,
            reason,
            error: None,
            settles_at,
            created_at: moment.now,
            succeeded_at: None,
            failed_at: None,
            cancelled_at: None,
        };
        self.refunds.insert(&id, refund);
        self.payment_mut(payment_id)?.refund_ids.push(id.clone());
        self.due.insert((settles_at, Due::SettleRefund(id.clone())));
        self.emit_refund("refund.created", &id, moment.now);
        Ok(id)
    }

    /// The amount to give back. A payment with a refund under way counts as refunded: the
    /// documentation does not say, and money must not go back twice.
    fn require_refundable(&self, payment_id: &str) -> Result<i32, Refusal> {
        let Some(payment) = self.payments.get(payment_id) else {
            return Err(Refusal::domain(Code::NotFound, "payment_not_found", "No such payment"));
        };
        let mut refunds = payment.refund_ids.iter().filter_map(|id| self.refunds.get(id));
        let under_way = refunds.any(|refund| refund.status == RefundStatus::Pending);
        match payment.status {
            PaymentStatus::Succeeded if !under_way => {}
            PaymentStatus::Succeeded | PaymentStatus::Refunded => {
                return Err(Refusal::domain(
                    Code::AlreadyExists,
                    "already_refunded",
                    "Payment was refunded before",
                ));
            }
            PaymentStatus::Processing
            | PaymentStatus::Authorized
            | PaymentStatus::Cancelled
            | PaymentStatus::Failed => {
                return Err(Refusal::wrong_state("payment has not succeeded"));
            }
        }
        if self.settings.unrefundable_methods.contains(&payment.method) {
            return Err(Refusal::domain(
                Code::FailedPrecondition,
                "refund_not_allowed",
                "Payment method cannot be refunded",
            ));
        }
        Ok(payment.amount)
    }

    /// Ends a pending refund.
    pub(super) fn settle_refund(
        &mut self,
        id: &str,
        outcome: RefundOutcome,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.refund(id)?.status != RefundStatus::Pending {
            return Err(Refusal::wrong_state("refund is not pending"));
        }
        let Some(refund) = self.refunds.get_mut(id) else {
            return Err(Refusal::not_found("refund not found"));
        };
        let event = match outcome {
            RefundOutcome::Succeed => {
                refund.status = RefundStatus::Succeeded;
                refund.succeeded_at = Some(now);
                "refund.succeeded"
            }
            RefundOutcome::Fail => {
                refund.status = RefundStatus::Failed;
                refund.failed_at = Some(now);
                refund.error = Some(Failure {
                    code: "insufficient_funds".to_owned(),
                    message: "Merchant balance cannot cover the refund".to_owned(),
                });
                "refund.failed"
            }
            RefundOutcome::Cancel => {
                refund.status = RefundStatus::Cancelled;
                refund.cancelled_at = Some(now);
                "refund.cancelled"
            }
        };
        let payment_id = refund.payment_id.clone();
        let payment = self.payment_mut(&payment_id)?;
        let amount = i64::from(payment.amount);
        if outcome == RefundOutcome::Succeed {
            payment.status = PaymentStatus::Refunded;
            payment.refunded_at = Some(now);
        } else if let Some(balance) = &mut self.settings.merchant_balance {
            *balance = balance.saturating_add(amount);
        }
        self.emit_refund(event, id, now);
        Ok(())
    }

    pub(super) fn settle_refund_when_due(&mut self, id: &str, at: Timestamp) {
        // A refusal means that it was settled before its time.
        let _settled_before = self.settle_refund(id, RefundOutcome::Succeed, at);
    }

    fn emit_refund(&mut self, name: &'static str, id: &str, at: Timestamp) {
        if let Some(refund) = self.refunds.get(id) {
            self.events.push(Event::refund(name, refund, at));
        }
    }
}
