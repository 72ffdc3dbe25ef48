//! Everything the provider knows, without HTTP. The transitions are in `payments.rs`,
//! `invoices.rs`, `gateway.rs` and `accounts.rs`; each either happens whole or is refused.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::access::Access;
use super::accounts::{self, User};
use super::errors::Refusal;
use super::events::{Event, WebhookUrls};
use super::gateway::ReturnUrls;
use super::invoices;
use super::objects::{Account, Invoice, Payment, RampDiscount};
use super::settings::RampSettings;
use crate::amount::Amount;
use crate::clock;
use crate::table::next_due;
pub(super) use crate::table::{Moment, Table};

/// The state of the provider.
#[derive(Debug)]
pub(super) struct State {
    /// The provider's own URL; ends with a slash.
    pub(super) base: Url,
    pub(super) settings: RampSettings,
    pub(super) return_urls: ReturnUrls,
    pub(super) webhook_urls: WebhookUrls,
    /// Digits after the point, by code.
    pub(super) currencies: BTreeMap<String, u8>,
    /// By id.
    pub(super) users: BTreeMap<String, User>,
    pub(super) accounts: Table<Account>,
    /// By code.
    pub(super) discounts: BTreeMap<String, RampDiscount>,
    pub(super) invoices: Table<Invoice>,
    pub(super) payments: Table<Payment>,
    /// The payment of each session.
    pub(super) sessions: BTreeMap<String, String>,
    pub(super) access: Access,
    pub(super) events: Vec<Event>,
    /// What happens by itself, in the order of time.
    pub(super) due: BTreeSet<(Timestamp, Due)>,
}

/// Something that time brings about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A confirmed payment is done.
    Settle(String),
    ExpirePayment(String),
    ExpireInvoice(String),
}

impl State {
    pub(super) fn new(base: Url, settings: RampSettings) -> Self {
        let mut state = State {
            base,
            settings,
            return_urls: ReturnUrls::default(),
            webhook_urls: WebhookUrls::default(),
            currencies: invoices::known_currencies(),
            users: BTreeMap::new(),
            accounts: Table::new(),
            discounts: invoices::known_discounts(),
            invoices: Table::new(),
            payments: Table::new(),
            sessions: BTreeMap::new(),
            access: Access::default(),
            events: Vec::new(),
            due: BTreeSet::new(),
        };
        accounts::register(&mut state);
        state
    }

    /// Lets everything happen that was due until now, each at its own time.
    pub(super) fn settle_due(&mut self, now: Timestamp) {
        while let Some((at, due)) = next_due(&mut self.due, now) {
            match due {
                Due::Settle(id) => self.settle_when_due(&id, at),
                Due::ExpirePayment(id) => self.expire_payment_when_due(&id, at),
                Due::ExpireInvoice(id) => self.expire_invoice_when_due(&id, at),
            }
        }
    }

    pub(super) fn after(seconds: u32, at: Timestamp) -> Timestamp {
        clock::add(at, SignedDuration::from_secs(i64::from(seconds)))
    }

    pub(super) fn invoice(&self, id: &str) -> Result<&Invoice, Refusal> {
        self.invoices.get(id).ok_or(Refusal::NotFound("Invoice not found"))
    }

    pub(super) fn invoice_mut(&mut self, id: &str) -> Result<&mut Invoice, Refusal> {
        self.invoices.get_mut(id).ok_or(Refusal::NotFound("Invoice not found"))
    }

    /// The invoice, if this user may touch it.
    pub(super) fn invoice_of(&self, user: &str, id: &str) -> Result<&Invoice, Refusal> {
        let invoice = self.invoice(id)?;
        if invoice.user == user { Ok(invoice) } else { Err(Refusal::Forbidden) }
    }

    pub(super) fn payment(&self, id: &str) -> Result<&Payment, Refusal> {
        self.payments.get(id).ok_or(Refusal::NotFound("Payment not found"))
    }

    pub(super) fn payment_mut(&mut self, id: &str) -> Result<&mut Payment, Refusal> {
        self.payments.get_mut(id).ok_or(Refusal::NotFound("Payment not found"))
    }

    pub(super) fn account(&self, id: &str) -> Result<&Account, Refusal> {
        self.accounts.get(id).ok_or(Refusal::NotFound("Account not found"))
    }

    pub(super) fn account_mut(&mut self, id: &str) -> Result<&mut Account, Refusal> {
        self.accounts.get_mut(id).ok_or(Refusal::NotFound("Account not found"))
    }

    pub(super) fn user(&self, id: &str) -> Result<&User, Refusal> {
        self.users.get(id).ok_or(Refusal::NotFound("User not found"))
    }

    /// Reads an amount of money: above nothing, and not more than any sum could be of.
    pub(super) fn money(&self, text: &str, currency: &str) -> Result<Amount, Refusal> {
        let amount = self.amount(text, currency)?;
        if amount.is_positive() {
            return Ok(amount);
        }
        Err(Refusal::invalid("amount", "must be above zero"))
    }

    /// Reads an amount that may be nothing.
    pub(super) fn amount(&self, text: &str, currency: &str) -> Result<Amount, Refusal> {
        /// Percentages of more could not be counted exactly.
        const MOST_DIGITS: usize = 30;
        let decimals = self.currencies.get(currency).copied();
        let decimals =
            decimals.ok_or_else(|| Refusal::invalid("currency", "is not a known currency"))?;
        let refused = || Refusal::invalid("amount", format!("is not an amount of {currency}"));
        let amount = Amount::parse(text, decimals).map_err(|_| refused())?;
        let digits = amount.fixed().bytes().filter(u8::is_ascii_digit).count();
        if amount < Amount::zero(decimals) || digits > MOST_DIGITS {
            return Err(refused());
        }
        Ok(amount)
    }
}
