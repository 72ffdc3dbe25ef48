//! Allowances: what a payer lets the client take later without asking again.

use jiff::{SignedDuration, Timestamp};

use super::errors::{Denial, Refusal};
use super::objects::{Allowance, AllowanceTerms, Transaction};
use super::state::{Due, State};
use super::status::{AllowanceStatus, Status};
use super::transactions::Acceptance;

impl State {
    pub(super) fn insert_allowance(
        &mut self,
        terms: AllowanceTerms,
        key: &str,
        now: Timestamp,
    ) -> i64 {
        let id = self.next_allowance();
        let allowance = Allowance {
            id,
            transaction: key.to_owned(),
            created_at: now,
            status: AllowanceStatus::New,
            wallet: None,
            confirmed_at: None,
            canceled_at: None,
            terms,
        };
        self.allowances.insert(&id.to_string(), allowance);
        id
    }

    /// The transaction that carries it was confirmed. A wallet has one active allowance, so the
    /// one before it ends.
    pub(super) fn activate_allowance(
        &mut self,
        id: i64,
        key: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let wallet = self.transaction(key)?.wallet;
        if let Some(before) = wallet.and_then(|wallet| self.active_allowance(wallet)) {
            let before = before.id;
            self.allowance_mut(before)?.status = AllowanceStatus::Inactive;
        }
        let allowance = self.allowance_mut(id)?;
        allowance.status = AllowanceStatus::Active;
        allowance.wallet = wallet;
        allowance.confirmed_at = Some(now);
        if let Some(until) = allowance.valid_until() {
            self.due.insert((until, Due::ExpireAllowance(id)));
        }
        Ok(())
    }

    pub(super) fn expire_allowance_when_due(&mut self, id: i64, at: Timestamp) {
        if let Ok(allowance) = self.allowance_mut(id)
            && allowance.status == AllowanceStatus::Active
            && allowance.valid_until().is_some_and(|until| until <= at)
        {
            allowance.status = AllowanceStatus::Inactive;
        }
    }

    /// Either side ends it.
    pub(super) fn cancel_allowance(&mut self, id: i64, now: Timestamp) -> Result<(), Refusal> {
        let allowance = self.allowance_mut(id)?;
        if allowance.status != AllowanceStatus::Active {
            return Err(Refusal::InvalidState);
        }
        allowance.status = AllowanceStatus::Inactive;
        allowance.canceled_at = Some(now);
        Ok(())
    }

    pub(super) fn active_allowance(&self, wallet: i64) -> Option<&Allowance> {
        self.allowances
            .newest_first()
            .find(|it| it.wallet == Some(wallet) && it.status == AllowanceStatus::Active)
    }

    /// Accepts under the wallet's active allowance, without the payer.
    pub(super) fn reserve_under_allowance(
        &mut self,
        key: &str,
        wallet: i64,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let transaction = self.transaction(key)?;
        if transaction.status != Status::New {
            return Err(Refusal::InvalidState);
        }
        if !self.users.contains_key(&wallet) {
            return Err(Refusal::NotFound);
        }
        let usable = transaction.terms.use_allowance || transaction.terms.charge.is_some();
        let allowance = self.active_allowance(wallet).filter(|_| usable);
        // A transaction that brings a new allowance needs its payer's consent.
        let Some(allowance) = allowance.filter(|_| transaction.allowance.is_none()) else {
            return Err(Refusal::Denied(Denial::NoRights));
        };
        if transaction.terms.charge.is_some_and(|id| id != allowance.id) {
            return Err(Refusal::Denied(Denial::NoRights));
        }
        let totals = self.payer_totals(transaction);
        let left = self.allowance_left(allowance, now);
        let covered = totals
            .iter()
            .all(|(currency, total)| *currency == allowance.terms.currency && *total <= left);
        if !covered {
            return Err(Refusal::Denied(Denial::LimitsExceeded));
        }
        let under = Some(allowance.id);
        let acceptance = Acceptance { under, ..Acceptance::by_client(wallet, "automatic") };
        self.accept(key, acceptance, now)
    }

    /// What was charged under an allowance, with the time of each charge; what was given back
    /// does not count.
    fn charges(&self, id: i64) -> impl Iterator<Item = (Timestamp, i64)> {
        let charged = move |transaction: &&Transaction| transaction.charged == Some(id);
        self.transactions.rows().iter().filter(charged).filter_map(|transaction| {
            let counts = |status: Status| {
                status.is_open_acceptance() || matches!(status, Status::Confirmed | Status::Done)
            };
            let amounts = self
                .payments_of(transaction)
                .filter(|payment| counts(payment.status))
                .map(|payment| payment.payer_amount(&self.settings));
            Some((transaction.accepted_at?, amounts.fold(0, i64::saturating_add)))
        })
    }

    /// What may still be taken under an allowance, in cents.
    fn allowance_left(&self, allowance: &Allowance, now: Timestamp) -> i64 {
        let since = |from: Timestamp| {
            let charges = self.charges(allowance.id).filter(|(at, _)| *at > from);
            charges.map(|(_, amount)| amount).fold(0, i64::saturating_add)
        };
        let whole = allowance.terms.max_price.map(|max| max - since(Timestamp::MIN));
        let sliding = allowance.terms.limits.iter().map(|limit| {
            let from = now.checked_sub(SignedDuration::from_secs(limit.time));
            let from = from.unwrap_or(Timestamp::MIN);
            limit.max_price - since(from)
        });
        whole.into_iter().chain(sliding).min().unwrap_or_default().max(0)
    }

    /// The most that can be reserved right now: allowance and balance together.
    pub(super) fn allowance_limit(
        &self,
        wallet: i64,
        currency: &str,
        now: Timestamp,
    ) -> Result<i64, Refusal> {
        let allowance = self.active_allowance(wallet).ok_or(Refusal::NotFound)?;
        let user = self.users.get(&wallet).ok_or(Refusal::NotFound)?;
        let blocked = !user.is.active || user.is.denial.is_some();
        if blocked || allowance.terms.currency != currency {
            return Ok(0);
        }
        Ok(self.allowance_left(allowance, now).min(user.at_disposal(currency)).max(0))
    }

    /// An allowance of which nothing is left, ever, is over.
    pub(super) fn use_up_allowance(&mut self, id: i64) -> Result<(), Refusal> {
        let used: i64 = self.charges(id).map(|(_, amount)| amount).fold(0, i64::saturating_add);
        let allowance = self.allowance_mut(id)?;
        let over = allowance.terms.max_price.is_some_and(|max| used >= max);
        if over && allowance.status == AllowanceStatus::Active {
            allowance.status = AllowanceStatus::Inactive;
        }
        Ok(())
    }
}
