//! Everything MilkyPay knows, without HTTP. The transitions are in `invoices.rs`, `operator.rs`
//! and `refunds.rs`; each either happens whole or is refused.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use url::Url;

use super::errors::Refusal;
use super::events::Event;
use super::objects::Invoice;
use super::services::{self, Service};
use super::settings::MilkyPaySettings;
use crate::table::next_due;
pub(super) use crate::table::{Moment, Table};

/// The state of one account.
#[derive(Debug)]
pub(super) struct State {
    /// The provider's own URL; ends with a slash.
    pub(super) base: Url,
    pub(super) settings: MilkyPaySettings,
    /// By code.
    pub(super) services: BTreeMap<String, Service>,
    pub(super) invoices: Table<Invoice>,
    /// Invoices by the merchant's reference, which is unique per account.
    pub(super) references: HashMap<String, String>,
    /// Invoices by the session of the page behind `flow_data`.
    pub(super) gates: HashMap<String, String>,
    /// Customer ids by the merchant's reference.
    pub(super) customers: HashMap<String, String>,
    pub(super) events: Vec<Event>,
    /// What happens by itself, in the order of time.
    pub(super) due: BTreeSet<(Timestamp, Due)>,
}

/// Something that time brings about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    ExpireInvoice(String),
    /// The invoice, and the reference of its refund.
    SettleRefund(String, String),
}

impl State {
    pub(super) fn new(base: Url, settings: MilkyPaySettings) -> Self {
        State {
            base,
            settings,
            services: services::registered(),
            invoices: Table::new(),
            references: HashMap::new(),
            gates: HashMap::new(),
            customers: HashMap::new(),
            events: Vec::new(),
            due: BTreeSet::new(),
        }
    }

    /// Lets everything happen that was due until now, each at its own time.
    pub(super) fn settle_due(&mut self, now: Timestamp) {
        while let Some((at, due)) = next_due(&mut self.due, now) {
            match due {
                Due::ExpireInvoice(id) => self.expire_when_due(&id, at),
                Due::SettleRefund(id, reference) => {
                    self.settle_refund_when_due(&id, &reference, at);
                }
            }
        }
    }

    pub(super) fn invoice(&self, id: &str) -> Result<&Invoice, Refusal> {
        self.invoices.get(id).ok_or(Refusal::NotFound)
    }

    pub(super) fn invoice_mut(&mut self, id: &str) -> Result<&mut Invoice, Refusal> {
        self.invoices.get_mut(id).ok_or(Refusal::NotFound)
    }

    /// The service of an invoice, or one without fees if it was taken away since.
    pub(super) fn service_of(&self, invoice: &Invoice) -> Service {
        self.services.get(&invoice.service).cloned().unwrap_or_default()
    }

    /// The invoice's page, which payers are sent to.
    pub(super) fn page_url(&self, id: &str) -> String {
        format!("{}hpp/?cpi={id}", self.base)
    }
}
