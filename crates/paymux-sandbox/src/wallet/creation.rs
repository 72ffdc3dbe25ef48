//! How a transaction comes to be, with its payments and its allowance.

use jiff::SignedDuration;

use super::errors::Refusal;
use super::objects::{Beneficiary, Payment, Transaction};
use super::state::{Due, Moment, State};
use super::status::{AllowanceStatus, Status};
use super::validate::{NewAllowance, NewTransaction, Part};
use crate::clock;

impl State {
    pub(super) fn create_transaction(
        &mut self,
        new: NewTransaction,
        moment: Moment<'_>,
    ) -> Result<String, Refusal> {
        self.check_parts(&new)?;
        let key: String = moment.random.short_id("").chars().take(8).collect();
        let mut transaction = Transaction {
            key: key.clone(),
            created_at: moment.now,
            status: Status::New,
            kind: "page",
            wallet: None,
            held: false,
            accepted_at: None,
            confirmed_at: None,
            payments: Vec::new(),
            allowance: None,
            charged: None,
            sms_code: None,
            terms: new.terms,
        };
        for part in new.payments {
            let id = match part {
                Part::Existing(id) => self.move_payment(id, &key)?,
                Part::New(terms) => {
                    let id = self.next_payment();
                    let mut payment = Payment {
                        id,
                        transaction: key.clone(),
                        created_at: moment.now,
                        status: Status::New,
                        payer: None,
                        confirmed_at: None,
                        password_given: false,
                        passwords_sent: 0,
                        terms: *terms,
                    };
                    if let Some(password) = &mut payment.terms.password
                        && password.generated
                    {
                        password.value = moment.random.short_id("");
                    }
                    if let Some(wallet) = self.find_wallet(&payment.terms.beneficiary) {
                        payment.terms.beneficiary = Beneficiary::Id(wallet);
                    }
                    self.payments.insert(&id.to_string(), payment);
                    id
                }
            };
            transaction.payments.push(id);
        }
        transaction.allowance = match new.allowance {
            Some(NewAllowance::New(terms)) => Some(self.insert_allowance(terms, &key, moment.now)),
            Some(NewAllowance::Existing(id)) => Some(self.move_allowance(id, &key)?),
            None => None,
        };
        let lifetime = i64::from(self.settings.new_lifetime_seconds);
        let end = clock::add(moment.now, SignedDuration::from_secs(lifetime));
        self.due.insert((end, Due::DeleteNew(key.clone())));
        self.transactions.insert(&key, transaction);
        Ok(key)
    }

    /// Everything that a new transaction names must exist and be free.
    fn check_parts(&self, new: &NewTransaction) -> Result<(), Refusal> {
        let mut seen = Vec::new();
        for (position, part) in new.payments.iter().enumerate() {
            let field = format!("payments[{position}]");
            match part {
                Part::Existing(id) => {
                    let known = self.payment(*id).is_ok_and(|known| known.status == Status::New);
                    if !known || seen.contains(id) {
                        return Err(Refusal::invalid(field, "No such new payment"));
                    }
                    seen.push(*id);
                }
                Part::New(terms) => {
                    if let Beneficiary::Id(id) = &terms.beneficiary
                        && !self.users.contains_key(id)
                    {
                        let field = format!("{field}.beneficiary_id");
                        return Err(Refusal::invalid(field, "No such wallet"));
                    }
                }
            }
        }
        if let Some(NewAllowance::Existing(id)) = &new.allowance {
            let known = self.allowance(*id).is_ok_and(|it| it.status == AllowanceStatus::New);
            if !known {
                return Err(Refusal::invalid("allowance.id", "No such new allowance"));
            }
        }
        match new.terms.charge {
            Some(id) if self.allowance(id).is_err() => {
                Err(Refusal::invalid("allowance_id", "No such allowance"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A payment belongs to one transaction; the one it leaves loses it.
    fn move_payment(&mut self, id: i64, key: &str) -> Result<i64, Refusal> {
        let from = std::mem::replace(&mut self.payment_mut(id)?.transaction, key.to_owned());
        if let Some(from) = self.transactions.get_mut(&from) {
            from.payments.retain(|other| *other != id);
        }
        Ok(id)
    }

    fn move_allowance(&mut self, id: i64, key: &str) -> Result<i64, Refusal> {
        let from = std::mem::replace(&mut self.allowance_mut(id)?.transaction, key.to_owned());
        if let Some(from) = self.transactions.get_mut(&from) {
            from.allowance = None;
        }
        Ok(id)
    }
}
