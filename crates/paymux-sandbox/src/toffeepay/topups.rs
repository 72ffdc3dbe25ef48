//! Transitions of top-ups. Only the wallet user acts on them; the merchant's API reads.

use jiff::Timestamp;

use super::errors::Refusal;
use super::events::Event;
use super::objects::{PaymentStatus, Topup};
use super::payer::{Step, TopUp};
use super::state::{Moment, State};

impl State {
    /// The wallet user starts a top-up.
    pub(super) fn create_topup(
        &mut self,
        request: TopUp,
        moment: Moment<'_>,
    ) -> Result<String, Refusal> {
        if request.amount <= 0 || request.reward < 0 {
            return Err(Refusal::invalid("amount must be positive, reward not negative"));
        }
        let id = moment.random.id("wp_");
        let wallet_user_id = request.wallet_user_id.unwrap_or_else(|| moment.random.id("user_"));
        let topup = Topup {
            id: id.clone(),
            wallet_user_id,
            game_users: request.game_users,
            status: PaymentStatus::Processing,
            amount: request.amount,
            reward: request.reward,
            currency: request.currency,
            method: request.method,
            created_at: moment.now,
            authorized_at: None,
            succeeded_at: None,
            failed_at: None,
            cancelled_at: None,
        };
        self.topups.insert(&id, topup);
        if let Some(step) = request.outcome {
            self.step_topup(&id, step, moment.now)?;
        }
        Ok(id)
    }

    /// Moves a top-up one step. Only success and failure have an event.
    pub(super) fn step_topup(
        &mut self,
        id: &str,
        step: Step,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let status = self.topup(id)?.status;
        if !status.is_live() || (status == PaymentStatus::Authorized && step == Step::Authorize) {
            return Err(Refusal::wrong_state("the top-up's status does not allow this"));
        }
        let Some(topup) = self.topups.get_mut(id) else {
            return Err(Refusal::not_found("topup not found"));
        };
        match step {
            Step::Authorize => {
                topup.status = PaymentStatus::Authorized;
                topup.authorized_at = Some(now);
            }
            Step::Succeed => {
                topup.status = PaymentStatus::Succeeded;
                topup.succeeded_at = Some(now);
                self.events.push(Event::topup("topup.succeeded", "deposit.succeeded", topup, now));
            }
            Step::Fail => {
                topup.status = PaymentStatus::Failed;
                topup.failed_at = Some(now);
                self.events.push(Event::topup("topup.failed", "deposit.failed", topup, now));
            }
            Step::Cancel => {
                topup.status = PaymentStatus::Cancelled;
                topup.cancelled_at = Some(now);
            }
        }
        Ok(())
    }
}
