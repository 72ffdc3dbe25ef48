//! Invoices: how they come to be, discounts, expiry.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::accounts::USUAL_USER;
use super::errors::Refusal;
use super::objects::{Invoice, RampDiscount, RampInvoice};
use super::state::{Due, Moment, State};
use super::status::Status;
use crate::amount::Amount;

/// Percentages may have this many digits after the point.
const PERCENT_DECIMALS: u8 = 6;

/// Digits after the point of the currencies that are known from the beginning.
pub(super) fn known_currencies() -> BTreeMap<String, u8> {
    [
        ("USD", 2),
        ("EUR", 2),
        ("GBP", 2),
        ("JPY", 0),
        ("KWD", 3),
        ("USDT", 6),
        ("USDC", 6),
        ("BTC", 8),
        ("ETH", 18),
    ]
    .into_iter()
    .map(|(code, decimals)| (code.to_owned(), decimals))
    .collect()
}

/// The code of the contract's samples.
pub(super) fn known_discounts() -> BTreeMap<String, RampDiscount> {
    BTreeMap::from([("WELCOME10".to_owned(), RampDiscount::Percent("10".to_owned()))])
}

impl State {
    pub(super) fn add_invoice(
        &mut self,
        new: RampInvoice,
        moment: Moment<'_>,
    ) -> Result<String, Refusal> {
        let amount = self.money(&new.amount, &new.currency)?;
        let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
        let user = or(new.user, USUAL_USER);
        self.user(&user)?;
        let id = moment.random.uuid();
        let expires = State::after(self.settings.invoice_lifetime_seconds, moment.now);
        let invoice = Invoice {
            id: id.clone(),
            user,
            client_id: or(new.client_id, "client-42"),
            description: or(new.description, "Your order"),
            refunded: self.amount("0", &new.currency)?,
            currency: new.currency,
            amount,
            before_discount: amount,
            discount: None,
            status: Status::Pending,
            paid_by: None,
            paid_at: None,
            created_at: moment.now,
            expires_at: expires,
            payments: Vec::new(),
        };
        self.invoices.insert(&id, invoice);
        self.due.insert((expires, Due::ExpireInvoice(id.clone())));
        Ok(id)
    }

    /// Registers a code, or changes what it takes off from now on.
    pub(super) fn add_discount(
        &mut self,
        code: &str,
        discount: RampDiscount,
    ) -> Result<(), Refusal> {
        match &discount {
            RampDiscount::Percent(percent) => {
                rate(percent).ok_or_else(|| Refusal::invalid("percent", "above 0, up to 100"))?;
            }
            RampDiscount::Fixed { amount, currency } => {
                self.money(amount, currency)?;
            }
        }
        if code.trim().is_empty() {
            return Err(Refusal::invalid("code", "is required"));
        }
        self.discounts.insert(code.to_owned(), discount);
        Ok(())
    }

    /// Applies a code to an invoice; it takes the place of an earlier one. A code that is there
    /// already changes nothing.
    pub(super) fn apply_discount(&mut self, invoice_id: &str, code: &str) -> Result<(), Refusal> {
        let invoice = self.invoice(invoice_id)?;
        if invoice.discount.as_deref() == Some(code) {
            return Ok(());
        }
        self.check_payable(invoice, None)?;
        let amount = self.discounted(invoice, code).ok_or_else(Refusal::discount)?;
        if self.settings.ignore_discounts {
            return Ok(());
        }
        let invoice = self.invoice_mut(invoice_id)?;
        invoice.amount = amount;
        invoice.discount = Some(code.to_owned());
        Ok(())
    }

    /// What is left to pay; nothing where the code is unknown, for another currency, or takes all.
    fn discounted(&self, invoice: &Invoice, code: &str) -> Option<Amount> {
        let full = invoice.before_discount;
        let off = match self.discounts.get(code)? {
            RampDiscount::Percent(percent) => full.percent(rate(percent)?),
            RampDiscount::Fixed { amount, currency } if *currency == invoice.currency => {
                self.amount(amount, currency).ok()?
            }
            RampDiscount::Fixed { .. } => return None,
        };
        Some(full.minus(off)).filter(|left| left.is_positive())
    }

    /// Whether the invoice still wants to be paid.
    pub(super) fn check_unpaid(invoice: &Invoice) -> Result<(), Refusal> {
        match invoice.status {
            Status::Pending => Ok(()),
            Status::Expired => Err(Refusal::Conflict("Invoice is expired".to_owned())),
            Status::Processing
            | Status::Authorized
            | Status::Succeeded
            | Status::Failed
            | Status::Canceled
            | Status::PartiallyRefunded
            | Status::Refunded => Err(Refusal::already_paid()),
        }
    }

    /// Whether money may be taken for the invoice, while no payment but this one takes any.
    pub(super) fn check_payable(
        &self,
        invoice: &Invoice,
        payment: Option<&str>,
    ) -> Result<(), Refusal> {
        State::check_unpaid(invoice)?;
        let mut others = invoice.payments.iter().filter(|id| Some(id.as_str()) != payment);
        let is_under_way =
            |id: &String| self.payments.get(id).is_some_and(|other| other.status.is_under_way());
        if others.any(is_under_way) {
            return Err(Refusal::Conflict("Invoice is being paid".to_owned()));
        }
        Ok(())
    }

    /// The time of an invoice is over, and with it that of its payments that nobody has begun.
    pub(super) fn expire_invoice(&mut self, id: &str, at: Timestamp) -> Result<(), Refusal> {
        let invoice = self.invoice(id)?;
        self.check_payable(invoice, None)?;
        let payments = invoice.payments.clone();
        self.invoice_mut(id)?.status = Status::Expired;
        for payment in payments {
            if self.payment(&payment)?.status == Status::Pending {
                self.change(&payment, Status::Expired, at)?;
            }
        }
        Ok(())
    }

    /// A payment under way is decided first.
    pub(super) fn expire_invoice_when_due(&mut self, id: &str, at: Timestamp) {
        // One that is paid stays so; one under way is looked at again when that is decided.
        let _not_now = self.expire_invoice(id, at);
    }
}

/// A percentage above 0, up to 100.
fn rate(percent: &str) -> Option<Amount> {
    let rate = Amount::parse(percent, PERCENT_DECIMALS).ok()?;
    let whole = Amount::parse("100", PERCENT_DECIMALS).ok()?;
    (rate.is_positive() && rate <= whole).then_some(rate)
}
