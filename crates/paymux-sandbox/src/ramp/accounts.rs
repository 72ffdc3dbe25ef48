//! End users and the money they have inside the provider.

use serde::{Deserialize, Serialize};

use super::errors::Refusal;
use super::objects::Account;
use super::state::{Moment, State};
use crate::amount::Amount;

/// The user that everything belongs to unless another is named.
pub(super) const USUAL_USER: &str = "usr:00000000-0000-4000-8000-000000000001";

/// That user's accounts: id, currency, balance.
const USUAL_ACCOUNTS: [(&str, &str, &str); 4] = [
    ("2d4f6a80-91b3-4c5d-8e7f-a0b1c2d3e4f5", "USD", "10000"),
    ("2d4f6a80-91b3-4c5d-8e7f-a0b1c2d3e4f6", "EUR", "10000"),
    ("2d4f6a80-91b3-4c5d-8e7f-a0b1c2d3e4f7", "USDT", "10000"),
    ("2d4f6a80-91b3-4c5d-8e7f-a0b1c2d3e4f8", "ETH", "100"),
];

/// An end user, who logs in and whose token pays.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    pub(super) email: String,
    pub(super) password: String,
}

/// Registers the usual user with money in four currencies.
pub(super) fn register(state: &mut State) {
    let user = User {
        email: "payer@example.com".to_owned(),
        password: "sandbox_ramp_password".to_owned(),
    };
    state.users.insert(USUAL_USER.to_owned(), user);
    for (id, currency, balance) in USUAL_ACCOUNTS {
        if let Ok(balance) = state.amount(balance, currency) {
            state.open_account(id, USUAL_USER, currency, balance);
        }
    }
}

impl State {
    /// Registers a user, or changes the password of the one with this address; returns the id.
    pub(super) fn add_user(&mut self, user: User, moment: Moment<'_>) -> Result<String, Refusal> {
        for (name, value) in [("email", &user.email), ("password", &user.password)] {
            if value.trim().is_empty() {
                return Err(Refusal::invalid(name, "is required"));
            }
        }
        let known = self.users.iter().find(|(_, known)| known.email == user.email);
        let id = match known {
            Some((id, _)) => id.clone(),
            None => format!("usr:{}", moment.random.uuid()),
        };
        self.users.insert(id.clone(), user);
        Ok(id)
    }

    pub(super) fn add_account(
        &mut self,
        user: &str,
        currency: &str,
        balance: &str,
        moment: Moment<'_>,
    ) -> Result<String, Refusal> {
        self.user(user)?;
        let balance = self.amount(balance, currency)?;
        let id = moment.random.uuid();
        self.open_account(&id, user, currency, balance);
        Ok(id)
    }

    fn open_account(&mut self, id: &str, user: &str, currency: &str, balance: Amount) {
        let account = Account {
            id: id.to_owned(),
            user: user.to_owned(),
            currency: currency.to_owned(),
            balance,
        };
        self.accounts.insert(id, account);
    }

    /// Amounts keep their digits, so a currency keeps its own.
    pub(super) fn add_currency(&mut self, code: &str, decimals: u8) -> Result<(), Refusal> {
        const MOST_DECIMALS: u8 = 18;
        if code.trim().is_empty() || self.currencies.contains_key(code) {
            return Err(Refusal::invalid("code", "is empty or known"));
        }
        if decimals > MOST_DECIMALS {
            return Err(Refusal::invalid("decimals", "must be from 0 to 18"));
        }
        self.currencies.insert(code.to_owned(), decimals);
        Ok(())
    }

    pub(super) fn add_funds(&mut self, account: &str, amount: &str) -> Result<(), Refusal> {
        let currency = self.account(account)?.currency.clone();
        let amount = self.money(amount, &currency)?;
        self.credit(account, amount)
    }

    pub(super) fn credit(&mut self, account: &str, amount: Amount) -> Result<(), Refusal> {
        let account = self.account_mut(account)?;
        account.balance = account.balance.plus(amount);
        Ok(())
    }

    /// Takes money; false where there is not enough, and then nothing was taken.
    pub(super) fn debit(&mut self, account: &str, amount: Amount) -> Result<bool, Refusal> {
        let account = self.account_mut(account)?;
        let enough = account.balance >= amount;
        if enough {
            account.balance = account.balance.minus(amount);
        }
        Ok(enough)
    }

    /// Whether an account may pay an invoice. Rates of exchange are unpublished, so its currency
    /// must be the invoice's.
    pub(super) fn check_account(
        &self,
        user: &str,
        account: &str,
        currency: &str,
    ) -> Result<(), Refusal> {
        let account = self.account(account)?;
        if account.user != user {
            return Err(Refusal::Forbidden);
        }
        if account.currency != currency {
            let description = format!("accountId is not an account in {currency}");
            return Err(Refusal::invalid("accountId", description));
        }
        Ok(())
    }
}
