//! Payments: created or found, updated, confirmed, and what becomes of them.

use jiff::Timestamp;

use super::errors::Refusal;
use super::events::Event;
use super::objects::{Invoice, Kind, Payment, Session};
use super::settings::Reuse;
use super::state::{Due, Moment, State};
use super::status::Status;

/// What a checked request says about a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) payment_id: Option<String>,
    pub(super) invoice_id: String,
    pub(super) kind: Kind,
    pub(super) account: Option<String>,
    pub(super) discount: Option<String>,
    pub(super) some_data: Option<String>,
    pub(super) redirect_url: Option<String>,
}

impl State {
    /// Finds the invoice's payment, or makes one; returns its id.
    pub(super) fn create_payment(
        &mut self,
        user: &str,
        order: &Order,
        moment: Moment<'_>,
    ) -> Result<String, Refusal> {
        let invoice = self.invoice_of(user, &order.invoice_id)?;
        self.check_order(user, order, invoice)?;
        if let Some(found) = self.reusable(invoice, order.kind) {
            let (id, status, kind) = (found.id.clone(), found.status, found.kind);
            if status == Status::Pending && kind == order.kind {
                self.rewrite(&id, order, moment)?;
            }
            return Ok(id);
        }
        self.create_fresh_payment(user, order, moment)
    }

    /// Makes a payment beside those that the invoice has.
    pub(super) fn create_fresh_payment(
        &mut self,
        user: &str,
        order: &Order,
        moment: Moment<'_>,
    ) -> Result<String, Refusal> {
        let invoice = self.invoice_of(user, &order.invoice_id)?;
        self.check_order(user, order, invoice)?;
        State::check_unpaid(invoice)?;
        if let Some(code) = &order.discount {
            self.apply_discount(&order.invoice_id, code)?;
        }
        self.insert_payment(order, moment)
    }

    pub(super) fn check_order(
        &self,
        user: &str,
        order: &Order,
        invoice: &Invoice,
    ) -> Result<(), Refusal> {
        match &order.account {
            Some(account) => self.check_account(user, account, &invoice.currency),
            None => Ok(()),
        }
    }

    /// A payment of the invoice that a creation finds instead of making another.
    fn reusable(&self, invoice: &Invoice, kind: Kind) -> Option<&Payment> {
        let reuse = self.settings.reuse;
        let fits = |payment: &&Payment| {
            let alive = !payment.status.is_final() || payment.status.is_paid();
            match reuse {
                Reuse::OfType => alive && payment.kind == kind,
                Reuse::Any => alive,
                Reuse::Never => false,
            }
        };
        invoice.payments.iter().rev().filter_map(|id| self.payments.get(id)).find(fits)
    }

    fn insert_payment(&mut self, order: &Order, moment: Moment<'_>) -> Result<String, Refusal> {
        let id = moment.random.uuid();
        let payment = Payment {
            id: id.clone(),
            invoice_id: order.invoice_id.clone(),
            kind: order.kind,
            status: Status::Pending,
            account: order.account.clone(),
            debited: None,
            some_data: order.some_data.clone(),
            external_data: None,
            session: None,
            redirect_url: order.redirect_url.clone(),
            created_at: moment.now,
            ended_at: None,
        };
        self.payments.insert(&id, payment);
        self.invoice_mut(&order.invoice_id)?.payments.push(id.clone());
        self.fit_session(&id, moment)?;
        let expires = State::after(self.settings.payment_lifetime_seconds, moment.now);
        self.due.insert((expires, Due::ExpirePayment(id.clone())));
        if self.settings.webhook_on_creation {
            self.tell(&id, moment.now)?;
        }
        Ok(id)
    }

    /// A checkout payment has a session, the others have none.
    fn fit_session(&mut self, id: &str, moment: Moment<'_>) -> Result<(), Refusal> {
        let form = self.settings.session;
        let payment = self.payment_mut(id)?;
        match (payment.kind, &payment.session) {
            (Kind::Checkout, None) => {
                let session = Session::new(form, moment.random);
                let session_id = session.id.clone();
                payment.session = Some(session);
                self.sessions.insert(session_id, id.to_owned());
            }
            (Kind::Checkout, Some(_)) => {}
            (Kind::Platform | Kind::External, _) => {
                if let Some(session) = payment.session.take() {
                    self.sessions.remove(&session.id);
                }
            }
        }
        Ok(())
    }

    /// Finds the payment of a request by its id; one of another invoice counts as unknown.
    pub(super) fn find_payment(&self, user: &str, order: &Order) -> Result<String, Refusal> {
        let invoice = self.invoice_of(user, &order.invoice_id)?;
        let id = order.payment_id.as_ref();
        let found = id.filter(|id| invoice.payments.contains(id));
        found.cloned().ok_or(Refusal::NotFound("Payment not found"))
    }

    /// Changes type, account, data or discount of a payment that nobody has begun to pay.
    pub(super) fn update_payment(
        &mut self,
        user: &str,
        order: &Order,
        moment: Moment<'_>,
    ) -> Result<String, Refusal> {
        let invoice = self.invoice_of(user, &order.invoice_id)?;
        let id = if order.payment_id.is_some() {
            self.find_payment(user, order)?
        } else {
            let open = |id: &&String| self.payments.get(id).is_some_and(|it| !it.status.is_final());
            let newest = invoice.payments.iter().rev().find(open);
            newest.cloned().ok_or(Refusal::NotFound("Payment not found"))?
        };
        self.check_order(user, order, invoice)?;
        let status = self.payment(&id)?.status;
        if status != Status::Pending {
            return Err(self.refused(status));
        }
        self.check_payable(invoice, Some(&id))?;
        self.rewrite(&id, order, moment)?;
        Ok(id)
    }

    fn rewrite(&mut self, id: &str, order: &Order, moment: Moment<'_>) -> Result<(), Refusal> {
        if let Some(code) = &order.discount {
            self.apply_discount(&order.invoice_id, code)?;
        }
        let payment = self.payment_mut(id)?;
        payment.kind = order.kind;
        let replace = |old: &mut Option<String>, new: &Option<String>| {
            if new.is_some() {
                old.clone_from(new);
            }
        };
        replace(&mut payment.account, &order.account);
        replace(&mut payment.some_data, &order.some_data);
        replace(&mut payment.redirect_url, &order.redirect_url);
        self.fit_session(id, moment)
    }

    /// Why a payment in this status cannot be worked on.
    pub(super) fn refused(&self, status: Status) -> Refusal {
        if status.is_paid() {
            return Refusal::already_paid();
        }
        Refusal::Conflict(format!("Payment is already {}", self.settings.words.of(status)))
    }

    /// Moves a payment on, and its invoice and the money with it, and tells of it.
    pub(super) fn change(&mut self, id: &str, next: Status, at: Timestamp) -> Result<(), Refusal> {
        let payment = self.payment(id)?;
        let (status, invoice_id) = (payment.status, payment.invoice_id.clone());
        if !status.may_become(next) {
            return Err(self.refused(status));
        }
        if next.is_under_way() || next == Status::Succeeded {
            self.check_payable(self.invoice(&invoice_id)?, Some(id))?;
        }
        let payment = self.payment_mut(id)?;
        payment.status = next;
        if next.is_final() && payment.ended_at.is_none() {
            payment.ended_at = Some(at);
        }
        let back = if next.is_final() && !next.is_paid() { payment.debited.take() } else { None };
        if let (Some(amount), Some(account)) = (back, payment.account.clone()) {
            self.credit(&account, amount)?;
        }
        let invoice = self.invoice_mut(&invoice_id)?;
        if next.is_paid() {
            invoice.status = next;
            invoice.paid_by = Some(id.to_owned());
            invoice.paid_at = invoice.paid_at.or(Some(at));
        }
        let overdue = invoice.status == Status::Pending && invoice.expires_at <= at;
        self.tell(id, at)?;
        if overdue && next.is_final() {
            self.expire_invoice_when_due(&invoice_id, at);
        }
        Ok(())
    }

    /// Puts a webhook about the payment as it is now into the queue.
    fn tell(&mut self, id: &str, at: Timestamp) -> Result<(), Refusal> {
        let payment = self.payment(id)?;
        let invoice = self.invoice(&payment.invoice_id)?;
        let event = Event::new(self, invoice, payment, at);
        self.events.extend(event);
        Ok(())
    }

    /// What is under way succeeds.
    pub(super) fn settle(&mut self, id: &str, at: Timestamp) -> Result<(), Refusal> {
        let status = self.payment(id)?.status;
        if !status.is_under_way() {
            return Err(Refusal::Conflict(format!(
                "Payment is {}, not under way",
                self.settings.words.of(status)
            )));
        }
        self.change(id, Status::Succeeded, at)
    }

    pub(super) fn settle_when_due(&mut self, id: &str, at: Timestamp) {
        // One that was decided by hand stays so.
        let _decided = self.settle(id, at);
    }

    /// The time of a payment that nobody has begun is over.
    pub(super) fn expire_payment_when_due(&mut self, id: &str, at: Timestamp) {
        if self.payments.get(id).is_some_and(|payment| payment.status == Status::Pending) {
            let _decided = self.change(id, Status::Expired, at);
        }
    }

    /// An outside system has settled the payment, or has not.
    pub(super) fn settle_external(
        &mut self,
        id: &str,
        outcome: Status,
        external_data: Option<String>,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let payment = self.payment(id)?;
        if payment.kind != Kind::External {
            return Err(Refusal::invalid("type", "payment is not EXTERNAL"));
        }
        let before = payment.external_data.clone();
        self.payment_mut(id)?.external_data = external_data;
        let changed = self.change(id, outcome, at);
        if changed.is_err() {
            self.payment_mut(id)?.external_data = before;
        }
        changed
    }

    /// Gives money back: this much of it, or the rest.
    pub(super) fn refund(
        &mut self,
        id: &str,
        amount: Option<&str>,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let payment = self.payment(id)?;
        let status = payment.status;
        let account = payment.account.clone().filter(|_| payment.debited.is_some());
        if !matches!(status, Status::Succeeded | Status::PartiallyRefunded) {
            return Err(Refusal::Conflict(format!(
                "Payment is {}, not paid",
                self.settings.words.of(status)
            )));
        }
        let invoice = self.invoice(&payment.invoice_id)?;
        let rest = invoice.amount.minus(invoice.refunded);
        let back = match amount {
            Some(text) => self.money(text, &invoice.currency)?,
            None => rest,
        };
        if back > rest {
            return Err(Refusal::invalid("amount", "is more than what is left"));
        }
        let invoice_id = payment.invoice_id.clone();
        let invoice = self.invoice_mut(&invoice_id)?;
        invoice.refunded = invoice.refunded.plus(back);
        if let Some(account) = account {
            self.credit(&account, back)?;
        }
        let next = if back == rest { Status::Refunded } else { Status::PartiallyRefunded };
        self.change(id, next, at)
    }
}
