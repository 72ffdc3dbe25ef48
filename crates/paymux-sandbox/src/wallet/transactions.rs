//! The life of a transaction: accepted or rejected, confirmed, revoked, forgotten.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::errors::{Denial, Refusal};
use super::events::Event;
use super::objects::{Beneficiary, Payment, Transaction};
use super::settings::Lapse;
use super::state::{Due, State};
use super::status::{AllowanceStatus, Status};

/// Who acts: the client is told only of what others do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Client,
    Others,
}

/// How a payer accepts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acceptance {
    pub(super) wallet: i64,
    /// The transaction's type from then on.
    pub(super) kind: &'static str,
    pub(super) by: By,
    /// The payer may bring the money later.
    pub(super) funds_later: bool,
    /// Under which allowance.
    pub(super) under: Option<i64>,
    /// The payer declines the allowance that is optional.
    pub(super) without_allowance: bool,
}

impl Acceptance {
    /// A person on the page.
    pub(super) fn on_page(wallet: i64) -> Self {
        let (under, funds_later, without_allowance) = (None, false, false);
        Acceptance { wallet, kind: "page", by: By::Others, funds_later, under, without_allowance }
    }

    /// The client, with something of the payer's.
    pub(super) fn by_client(wallet: i64, kind: &'static str) -> Self {
        Acceptance { kind, by: By::Client, ..Acceptance::on_page(wallet) }
    }
}

impl State {
    /// The payer accepts, and the money is reserved or awaited.
    pub(super) fn accept(
        &mut self,
        key: &str,
        acceptance: Acceptance,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let transaction = self.transaction(key)?;
        if transaction.status != Status::New {
            return Err(Refusal::InvalidState);
        }
        self.check_payer(transaction, acceptance.wallet)?;
        let enough = self.has_funds(transaction, acceptance.wallet);
        if !enough && !acceptance.funds_later {
            return Err(self.no_funds());
        }
        let drop_allowance = acceptance.without_allowance && transaction.terms.allowance_optional;
        let end = transaction.terms.reserve.end(now);
        let transaction = self.transaction_mut(key)?;
        transaction.wallet = Some(acceptance.wallet);
        transaction.kind = acceptance.kind;
        transaction.accepted_at = Some(now);
        transaction.charged = acceptance.under;
        let dropped = if drop_allowance { transaction.allowance.take() } else { None };
        if let Some(id) = dropped {
            self.allowance_mut(id)?.status = AllowanceStatus::Deleted;
        }
        for id in self.transaction(key)?.payments.clone() {
            self.payment_mut(id)?.payer = Some(acceptance.wallet);
        }
        self.due.insert((end, Due::Lapse(key.to_owned())));
        self.proceed(key, acceptance.by, now)
    }

    fn no_funds(&self) -> Refusal {
        Refusal::Denied(if self.settings.not_enough_funds {
            Denial::NotEnoughFunds
        } else {
            Denial::InsufficientFunds
        })
    }

    fn check_payer(&self, transaction: &Transaction, wallet: i64) -> Result<(), Refusal> {
        let user = self.users.get(&wallet).ok_or(Refusal::NotFound)?;
        if !user.is.active {
            return Err(Refusal::Denied(Denial::PayerAccountInactive));
        }
        if let Some(denial) = user.is.denial {
            return Err(Refusal::Denied(denial));
        }
        for payment in self.payments_of(transaction) {
            let Beneficiary::Id(beneficiary) = payment.terms.beneficiary else { continue };
            if beneficiary == wallet {
                return Err(Refusal::Denied(Denial::PaymentToSameAccount));
            }
            if self.users.get(&beneficiary).is_some_and(|user| !user.is.active) {
                return Err(Refusal::Denied(Denial::BeneficiaryAccountInactive));
            }
        }
        Ok(())
    }

    /// What a transaction takes from its payer, in cents by currency.
    pub(super) fn payer_totals(&self, transaction: &Transaction) -> BTreeMap<String, i64> {
        let mut totals: BTreeMap<String, i64> = BTreeMap::new();
        for payment in self.payments_of(transaction) {
            let total = totals.entry(payment.terms.currency.clone()).or_default();
            *total = total.saturating_add(payment.payer_amount(&self.settings));
        }
        totals
    }

    fn has_funds(&self, transaction: &Transaction, wallet: i64) -> bool {
        let totals = self.payer_totals(transaction);
        let user = self.users.get(&wallet);
        totals
            .iter()
            .all(|(currency, total)| user.is_some_and(|user| user.at_disposal(currency) >= *total))
    }

    /// Goes on to the next state that an accepted transaction can reach, and tells about it.
    pub(super) fn proceed(&mut self, key: &str, by: By, now: Timestamp) -> Result<(), Refusal> {
        let transaction = self.transaction(key)?;
        let before = transaction.status;
        let Some(wallet) = transaction.wallet else { return Ok(()) };
        if !transaction.held && self.has_funds(transaction, wallet) {
            for (currency, total) in self.payer_totals(transaction) {
                self.reserve(wallet, &currency, total);
            }
            self.transaction_mut(key)?.held = true;
        }
        let transaction = self.transaction(key)?;
        let status = if !transaction.held {
            Status::WaitingFunds
        } else if self.payments_of(transaction).any(Payment::needs_password) {
            Status::WaitingPassword
        } else if self.payments_of(transaction).any(Payment::needs_registration) {
            Status::WaitingRegistration
        } else {
            Status::Accepted
        };
        if status == before {
            return Ok(());
        }
        self.turn(key, status)?;
        if status == Status::Accepted && self.transaction(key)?.terms.auto_confirm {
            self.confirm(key, &[], now)?;
        }
        if by == By::Others {
            self.tell(key, now);
        }
        Ok(())
    }

    /// Puts a transaction that is not confirmed, and its payments, into a status.
    pub(super) fn turn(&mut self, key: &str, status: Status) -> Result<(), Refusal> {
        let transaction = self.transaction_mut(key)?;
        transaction.status = status;
        for id in transaction.payments.clone() {
            self.payment_mut(id)?.status = status;
        }
        Ok(())
    }

    /// Queues the callback about where a transaction stands now.
    pub(super) fn tell(&mut self, key: &str, now: Timestamp) {
        if let Some(transaction) = self.transactions.get(key) {
            let event = Event::new(self, transaction, now);
            self.events.extend(event);
        }
    }

    /// The client confirms, with lower prices for some payments; all payments or none.
    pub(super) fn confirm(
        &mut self,
        key: &str,
        prices: &[(i64, i64)],
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if self.transaction(key)?.status != Status::Accepted {
            return Err(Refusal::InvalidState);
        }
        for (id, price) in prices {
            self.lower_price(*id, *price)?;
        }
        let transaction = self.transaction_mut(key)?;
        transaction.status = Status::Confirmed;
        transaction.confirmed_at = Some(now);
        let (payments, allowance) = (transaction.payments.clone(), transaction.allowance);
        let charged = transaction.charged;
        for id in payments {
            self.confirm_payment(id, now)?;
        }
        if let Some(id) = allowance {
            self.activate_allowance(id, key, now)?;
        }
        charged.map_or(Ok(()), |id| self.use_up_allowance(id))
    }

    /// The client takes it back. Before anybody accepted it is deleted, after that revoked.
    pub(super) fn revoke(&mut self, key: &str) -> Result<(), Refusal> {
        let status = self.transaction(key)?.status;
        if status == Status::New {
            return self.end(key, Status::Deleted);
        }
        if !status.is_open_acceptance() {
            return Err(Refusal::InvalidState);
        }
        self.end(key, Status::Revoked)
    }

    /// The payer refuses.
    pub(super) fn reject(&mut self, key: &str, now: Timestamp) -> Result<(), Refusal> {
        self.end_by_others(key, Status::Rejected, now)
    }

    /// Something else went wrong before the client confirmed.
    pub(super) fn fail(&mut self, key: &str, now: Timestamp) -> Result<(), Refusal> {
        self.end_by_others(key, Status::Failed, now)
    }

    fn end_by_others(&mut self, key: &str, status: Status, now: Timestamp) -> Result<(), Refusal> {
        let before = self.transaction(key)?.status;
        if before != Status::New && !before.is_open_acceptance() {
            return Err(Refusal::InvalidState);
        }
        self.end(key, status)?;
        self.tell(key, now);
        Ok(())
    }

    /// Ends a transaction that is not confirmed; what was reserved is free again.
    fn end(&mut self, key: &str, status: Status) -> Result<(), Refusal> {
        let transaction = self.transaction(key)?;
        if let (true, Some(wallet)) = (transaction.held, transaction.wallet) {
            for (currency, total) in self.payer_totals(transaction) {
                self.release(wallet, &currency, total);
            }
        }
        let transaction = self.transaction_mut(key)?;
        transaction.held = false;
        let allowance = transaction.allowance;
        if let Some(id) = allowance {
            self.allowance_mut(id)?.status = AllowanceStatus::Deleted;
        }
        self.turn(key, status)
    }

    /// The time to accept, or for the client to confirm, is over now.
    pub(super) fn lapse(&mut self, key: &str, now: Timestamp) -> Result<(), Refusal> {
        let status = self.transaction(key)?.status;
        if status == Status::New {
            return self.end(key, Status::Deleted);
        }
        if !status.is_open_acceptance() {
            return Err(Refusal::InvalidState);
        }
        match self.settings.lapse {
            Lapse::Revoked => self.end(key, Status::Revoked),
            Lapse::Failed => self.fail(key, now),
        }
    }

    pub(super) fn lapse_when_due(&mut self, key: &str, at: Timestamp) {
        // One that was confirmed or ended meanwhile has nothing left to lapse.
        let _over = self.lapse(key, at);
    }

    pub(super) fn delete_when_due(&mut self, key: &str) {
        if self.transactions.get(key).is_some_and(|it| it.status == Status::New) {
            // The transaction exists, so that it ends.
            let _gone = self.end(key, Status::Deleted);
        }
    }

    /// Lets accepted transactions go on that waited for money, or for a beneficiary to register.
    pub(super) fn proceed_all(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let waiting = self.transactions.rows().iter();
        let waiting = waiting.filter(|it| it.status.is_open_acceptance());
        let keys: Vec<String> = waiting.map(|it| it.key.clone()).collect();
        keys.iter().try_for_each(|key| self.proceed(key, By::Others, now))
    }
}
