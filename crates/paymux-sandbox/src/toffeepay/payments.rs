//! Transitions of payments.

use jiff::Timestamp;

use super::errors::Refusal;
use super::events::Event;
use super::objects::{Failure, Payment, PaymentStatus};
use super::payer::{Decline, Method, Payer, Step};
use super::settings::Capture;
use super::state::{Moment, State};

impl State {
    /// The buyer starts to pay: a payment in `processing`.
    pub(super) fn start_payment(
        &mut self,
        session_id: &str,
        payer: Payer,
        moment: Moment<'_>,
    ) -> Result<String, Refusal> {
        let session = self.require_pending(session_id)?;
        if self.live_payment(session_id).is_some() {
            return Err(Refusal::wrong_state("a payment of the session is in progress"));
        }
        if payer.method == Method::ToffeeWallet && !self.offers_wallet(session) {
            return Err(Refusal::wrong_state("the wallet is not enabled for this session"));
        }
        let price = session.item.price;
        let wallet = payer.method == Method::ToffeeWallet;
        if payer.bonus_amount < 0 || payer.bonus_amount > if wallet { price } else { 0 } {
            return Err(Refusal::invalid("bonus_amount: only a wallet payment has a bonus part"));
        }
        let country = payer.country.or_else(|| session.item.country.clone());
        let id = moment.random.id("pay_");
        let payment = Payment {
            id: id.clone(),
            session_id: session_id.to_owned(),
            game_id: session.game_id.clone(),
            user_id: session.user_id.clone(),
            status: PaymentStatus::Processing,
            amount: price,
            currency: session.item.currency.clone(),
            method: payer.method,
            details: session.item.title.clone(),
            country: country.unwrap_or_else(|| "US".to_owned()),
            bonus_amount: payer.bonus_amount,
            refund_ids: Vec::new(),
            error: None,
            created_at: moment.now,
            authorized_at: None,
            succeeded_at: None,
            cancelled_at: None,
            failed_at: None,
            refunded_at: None,
        };
        self.payments.insert(&id, payment);
        self.session_mut(session_id)?.payment_ids.push(id.clone());
        self.emit_payment("payment.created", &id, moment.now);
        Ok(id)
    }

    /// The payment in `processing`, or a new one.
    pub(super) fn continue_payment(
        &mut self,
        session_id: &str,
        payer: Payer,
        moment: Moment<'_>,
    ) -> Result<String, Refusal> {
        match self.live_payment(session_id) {
            Some(payment) if payment.status == PaymentStatus::Processing => Ok(payment.id.clone()),
            Some(_) | None => self.start_payment(session_id, payer, moment),
        }
    }

    /// The whole way of a buyer: start, then be declined, held or charged as payer and game have
    /// it.
    pub(super) fn pay(
        &mut self,
        session_id: &str,
        payer: Payer,
        moment: Moment<'_>,
    ) -> Result<String, Refusal> {
        let decline = payer.decline;
        let id = self.continue_payment(session_id, payer, moment)?;
        let game_id = &self.payment(&id)?.game_id;
        let capture = self.games.get(game_id).copied().unwrap_or_default().capture;
        match (decline, capture) {
            (Some(decline), _) => self.fail_payment(&id, decline, moment.now)?,
            (None, Capture::Automatic) => self.step_payment(&id, Step::Succeed, moment.now)?,
            (None, Capture::Manual) => self.step_payment(&id, Step::Authorize, moment.now)?,
        }
        Ok(id)
    }

    /// Moves a payment one step, as the provider would; a step the states do not allow is
    /// refused.
    pub(super) fn step_payment(
        &mut self,
        id: &str,
        step: Step,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let status = self.payment(id)?.status;
        match (status, step) {
            (PaymentStatus::Processing, Step::Authorize) => {
                let payment = self.payment_mut(id)?;
                payment.status = PaymentStatus::Authorized;
                payment.authorized_at = Some(now);
                self.emit_payment("payment.authorized", id, now);
                Ok(())
            }
            (PaymentStatus::Processing | PaymentStatus::Authorized, Step::Succeed) => {
                self.succeed_payment(id, now)
            }
            (PaymentStatus::Processing | PaymentStatus::Authorized, Step::Fail) => {
                self.fail_payment(id, Decline::Declined, now)
            }
            (PaymentStatus::Processing | PaymentStatus::Authorized, Step::Cancel) => {
                let session_id = self.close_payment(id, PaymentStatus::Cancelled, now)?;
                self.count_attempt(&session_id, PaymentStatus::Cancelled, now)
            }
            (PaymentStatus::Authorized, Step::Authorize)
            | (
                PaymentStatus::Succeeded
                | PaymentStatus::Cancelled
                | PaymentStatus::Failed
                | PaymentStatus::Refunded,
                _,
            ) => Err(Refusal::wrong_state("the payment's status does not allow this")),
        }
    }

    /// CompletePayment.
    pub(super) fn complete_payment(&mut self, id: &str, now: Timestamp) -> Result<(), Refusal> {
        self.require_authorized(id)?;
        self.step_payment(id, Step::Succeed, now)
    }

    /// CancelPayment.
    pub(super) fn cancel_payment(&mut self, id: &str, now: Timestamp) -> Result<(), Refusal> {
        self.require_authorized(id)?;
        self.step_payment(id, Step::Cancel, now)
    }

    fn require_authorized(&self, id: &str) -> Result<(), Refusal> {
        if self.payment(id)?.status == PaymentStatus::Authorized {
            return Ok(());
        }
        Err(Refusal::wrong_state("payment is not authorized"))
    }

    fn succeed_payment(&mut self, id: &str, now: Timestamp) -> Result<(), Refusal> {
        let payment = self.payment_mut(id)?;
        payment.status = PaymentStatus::Succeeded;
        payment.succeeded_at = Some(now);
        let session_id = payment.session_id.clone();
        let amount = payment.amount;
        if let Some(balance) = &mut self.settings.merchant_balance {
            *balance = balance.saturating_add(amount.into());
        }
        self.emit_payment("payment.succeeded", id, now);
        self.pay_session(&session_id, id, now)
    }

    pub(super) fn fail_payment(
        &mut self,
        id: &str,
        decline: Decline,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let payment = self.payment_mut(id)?;
        if !payment.status.is_live() {
            return Err(Refusal::wrong_state("the payment's status does not allow this"));
        }
        payment.error = Some(Failure::from(decline));
        let session_id = self.close_payment(id, PaymentStatus::Failed, now)?;
        self.count_attempt(&session_id, PaymentStatus::Failed, now)
    }

    /// Ends a payment without success and tells of it; returns its session.
    pub(super) fn close_payment(
        &mut self,
        id: &str,
        status: PaymentStatus,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        let payment = self.payment_mut(id)?;
        payment.status = status;
        let session_id = payment.session_id.clone();
        let event = if status == PaymentStatus::Failed {
            payment.failed_at = Some(now);
            "payment.failed"
        } else {
            payment.cancelled_at = Some(now);
            "payment.cancelled"
        };
        self.emit_payment(event, id, now);
        Ok(session_id)
    }

    fn emit_payment(&mut self, name: &'static str, id: &str, at: Timestamp) {
        if let Some(payment) = self.payments.get(id) {
            self.events.push(Event::payment(name, payment, at));
        }
    }
}
