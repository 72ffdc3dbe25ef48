//! Payments after the payer accepted, and the money they move.

use jiff::{SignedDuration, Timestamp};

use super::errors::Refusal;
use super::objects::{Beneficiary, Span, Statement};
use super::state::{Due, State};
use super::status::Status;
use super::transactions::By;
use crate::clock;

impl State {
    /// Sets money of a wallet aside.
    pub(super) fn reserve(&mut self, wallet: i64, currency: &str, cents: i64) {
        if let Some(user) = self.users.get_mut(&wallet) {
            let balance = user.holds.entry(currency.to_owned()).or_default();
            balance.at_disposal -= cents;
            balance.reserved += cents;
        }
    }

    /// Gives back what was set aside.
    pub(super) fn release(&mut self, wallet: i64, currency: &str, cents: i64) {
        self.reserve(wallet, currency, -cents);
    }

    /// Changes a reserved payment's price to a lower one; the difference is the payer's again.
    pub(super) fn lower_price(&mut self, id: i64, price: i64) -> Result<(), Refusal> {
        let payment = self.payment(id)?;
        let before = payment.payer_amount(&self.settings);
        let (payer, currency) = (payment.payer, payment.terms.currency.clone());
        self.payment_mut(id)?.terms.price = price;
        let after = self.payment(id)?.payer_amount(&self.settings);
        if let Some(payer) = payer {
            self.release(payer, &currency, before - after);
        }
        Ok(())
    }

    /// Refuses a price that a payment cannot be lowered to.
    pub(super) fn check_lower_price(
        &self,
        id: i64,
        price: i64,
        field: &str,
    ) -> Result<(), Refusal> {
        let terms = &self.payment(id)?.terms;
        let commission = terms.commission.unwrap_or_default();
        if price < 1 || price > terms.price {
            return Err(Refusal::invalid(field, "Price can only be reduced"));
        }
        if !commission.fits(price, &self.settings) {
            return Err(Refusal::invalid(field, "Price is less than the commission"));
        }
        Ok(())
    }

    pub(super) fn confirm_payment(&mut self, id: i64, now: Timestamp) -> Result<(), Refusal> {
        let settle = SignedDuration::from_secs(i64::from(self.settings.settle_seconds));
        let payment = self.payment_mut(id)?;
        payment.status = Status::Confirmed;
        payment.confirmed_at = Some(now);
        match payment.frozen_until() {
            Some(until) if until > now => {
                self.due.insert((until, Due::Transfer(id)));
                Ok(())
            }
            Some(_) | None if settle.is_zero() => self.transfer(id, now),
            Some(_) | None => {
                self.due.insert((clock::add(now, settle), Due::Transfer(id)));
                Ok(())
            }
        }
    }

    pub(super) fn transfer_when_due(&mut self, id: i64, at: Timestamp) {
        // A freeze may have been lengthened meanwhile, and then there is another entry.
        let ready =
            self.payment(id).is_ok_and(|it| it.status == Status::Confirmed && !it.is_frozen(at));
        if ready {
            // Only an unknown payment can refuse.
            let _moved = self.transfer(id, at);
        }
    }

    /// Moves the money: the payment is done.
    fn transfer(&mut self, id: i64, now: Timestamp) -> Result<(), Refusal> {
        let payment = self.payment(id)?;
        let leaves = payment.payer_amount(&self.settings);
        let arrives = payment.beneficiary_amount(&self.settings);
        let (fees, currency) = (payment.fees(), payment.terms.currency.clone());
        let details = payment.terms.description.clone().unwrap_or_default();
        let beneficiary = match payment.terms.beneficiary {
            Beneficiary::Id(wallet) => Some(wallet),
            Beneficiary::Email(_) | Beneficiary::Phone(_) => None,
        };
        let payer = payment.payer;
        if let Some(user) = payer.and_then(|wallet| self.users.get_mut(&wallet)) {
            user.holds.entry(currency.clone()).or_default().reserved -= leaves;
        }
        *self.fees.entry(currency.clone()).or_default() += fees;
        let line = |wallet: i64, amount: i64, incoming: bool, other: Option<i64>| Statement {
            id: 0,
            wallet,
            amount,
            currency: currency.clone(),
            incoming,
            at: now,
            details: details.clone(),
            payment: Some(id),
            other,
        };
        let lines = [
            payer.map(|wallet| line(wallet, leaves, false, beneficiary)),
            beneficiary.map(|wallet| line(wallet, arrives, true, payer)),
        ];
        if let Some(wallet) = beneficiary {
            self.credit(wallet, &currency, arrives);
        }
        for line in lines.into_iter().flatten() {
            self.write_statement(line);
        }
        self.payment_mut(id)?.status = Status::Done;
        Ok(())
    }

    fn credit(&mut self, wallet: i64, currency: &str, cents: i64) {
        if let Some(user) = self.users.get_mut(&wallet) {
            let balance = user.holds.entry(currency.to_owned()).or_default();
            balance.at_disposal = balance.at_disposal.saturating_add(cents);
        }
    }

    pub(super) fn write_statement(&mut self, mut line: Statement) {
        let last = self.statements.last().map_or(59_417, |line| line.id);
        line.id = last + 1;
        self.statements.push(line);
    }

    /// Somebody puts money into a wallet; transactions that waited for it go on.
    pub(super) fn add_funds(
        &mut self,
        wallet: i64,
        currency: &str,
        cents: i64,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if !self.users.contains_key(&wallet) {
            return Err(Refusal::NotFound);
        }
        if !super::money::is_currency(currency) || cents < 1 {
            return Err(Refusal::invalid("amount", "An amount has cents and a currency"));
        }
        self.credit(wallet, currency, cents);
        self.write_statement(Statement {
            id: 0,
            wallet,
            amount: cents,
            currency: currency.to_owned(),
            incoming: true,
            at: now,
            details: "Top-up".to_owned(),
            payment: None,
            other: None,
        });
        self.proceed_all(now)
    }

    /// The client takes a confirmed payment, for less if a price is given.
    pub(super) fn finalize(
        &mut self,
        id: i64,
        price: Option<i64>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.require_confirmed(id)?;
        if let Some(price) = price {
            self.check_lower_price(id, price, "price")?;
            self.lower_price(id, price)?;
        }
        self.payment_mut(id)?.terms.freeze = None;
        self.transfer(id, now)
    }

    /// The client gives a confirmed payment back.
    pub(super) fn cancel_payment(&mut self, id: i64) -> Result<(), Refusal> {
        self.require_confirmed(id)?;
        let payment = self.payment(id)?;
        let amount = payment.payer_amount(&self.settings);
        let (payer, currency) = (payment.payer, payment.terms.currency.clone());
        if let Some(payer) = payer {
            self.release(payer, &currency, amount);
        }
        self.payment_mut(id)?.status = Status::Canceled;
        Ok(())
    }

    fn require_confirmed(&self, id: i64) -> Result<(), Refusal> {
        if self.payment(id)?.status == Status::Confirmed {
            Ok(())
        } else {
            Err(Refusal::InvalidState)
        }
    }

    /// Freezes a payment for longer or shorter, or, with nothing, no longer.
    pub(super) fn change_freeze(
        &mut self,
        id: i64,
        freeze: Option<Span>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let payment = self.payment_mut(id)?;
        let open = payment.status == Status::New || payment.status.is_open_acceptance();
        if payment.status != Status::Confirmed && !open {
            return Err(Refusal::InvalidState);
        }
        payment.terms.freeze = freeze;
        if open {
            return Ok(());
        }
        match payment.frozen_until() {
            Some(until) if until > now => {
                self.due.insert((until, Due::Transfer(id)));
                Ok(())
            }
            Some(_) | None => self.transfer(id, now),
        }
    }

    /// Somebody gives the password that a payment waits for.
    pub(super) fn give_password(
        &mut self,
        id: i64,
        password: &str,
        by: By,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let payment = self.payment_mut(id)?;
        if payment.status != Status::WaitingPassword || !payment.needs_password() {
            return Err(Refusal::InvalidState);
        }
        if payment.terms.password.as_ref().is_none_or(|own| own.value != password) {
            return Err(Refusal::invalid("password", "Password is not right"));
        }
        payment.password_given = true;
        let key = payment.transaction.clone();
        self.proceed(&key, by, now)
    }

    /// Sends the password once more.
    pub(super) fn resend_password(&mut self, id: i64) -> Result<(), Refusal> {
        let payment = self.payment_mut(id)?;
        if payment.status != Status::WaitingPassword || !payment.needs_password() {
            return Err(Refusal::InvalidState);
        }
        payment.passwords_sent += 1;
        Ok(())
    }
}
