//! Everything the wallet knows, without HTTP. The transitions are in `transactions.rs`,
//! `payments.rs` and `allowances.rs`; each either happens whole or is refused.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::access::Access;
use super::errors::Refusal;
use super::events::Event;
use super::objects::{Allowance, Payment, Statement, Transaction};
use super::settings::WalletSettings;
use super::users::{self, User};
use crate::clock;
use crate::table::next_due;
pub(super) use crate::table::{Moment, Table};

/// The state of the wallet provider.
#[derive(Debug)]
pub(super) struct State {
    /// The provider's own URL; ends with a slash.
    pub(super) base: Url,
    pub(super) settings: WalletSettings,
    /// By wallet.
    pub(super) users: BTreeMap<i64, User>,
    pub(super) transactions: Table<Transaction>,
    pub(super) payments: Table<Payment>,
    pub(super) allowances: Table<Allowance>,
    /// Oldest first.
    pub(super) statements: Vec<Statement>,
    /// Commissions collected for the client, in cents by currency.
    pub(super) fees: BTreeMap<String, i64>,
    pub(super) access: Access,
    pub(super) events: Vec<Event>,
    /// What happens by itself, in the order of time.
    pub(super) due: BTreeSet<(Timestamp, Due)>,
    last_payment: i64,
    last_allowance: i64,
    last_wallet: i64,
}

/// Something that time brings about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// Nobody accepted it for a month.
    DeleteNew(String),
    /// The client did not confirm in time.
    Lapse(String),
    /// A freeze, or the time of a transfer, ends.
    Transfer(i64),
    ExpireAllowance(i64),
}

impl State {
    pub(super) fn new(base: Url, settings: WalletSettings) -> Self {
        State {
            base,
            settings,
            users: users::registered(),
            transactions: Table::new(),
            payments: Table::new(),
            allowances: Table::new(),
            statements: Vec::new(),
            fees: BTreeMap::new(),
            access: Access::default(),
            events: Vec::new(),
            due: BTreeSet::new(),
            last_payment: 2987,
            last_allowance: 12344,
            last_wallet: 20000,
        }
    }

    /// Lets everything happen that was due until now, each at its own time.
    pub(super) fn settle_due(&mut self, now: Timestamp) {
        while let Some((at, due)) = next_due(&mut self.due, now) {
            match due {
                Due::DeleteNew(key) => self.delete_when_due(&key),
                Due::Lapse(key) => self.lapse_when_due(&key, at),
                Due::Transfer(id) => self.transfer_when_due(id, at),
                Due::ExpireAllowance(id) => self.expire_allowance_when_due(id, at),
            }
        }
    }

    /// The time of the clock that signatures are compared with.
    pub(super) fn server_time(&self, clock: Timestamp) -> Timestamp {
        let skew = SignedDuration::from_secs(i64::from(self.settings.clock_skew_seconds));
        clock::add(clock, skew)
    }

    pub(super) fn transaction(&self, key: &str) -> Result<&Transaction, Refusal> {
        self.transactions.get(key).ok_or(Refusal::NotFound)
    }

    pub(super) fn transaction_mut(&mut self, key: &str) -> Result<&mut Transaction, Refusal> {
        self.transactions.get_mut(key).ok_or(Refusal::NotFound)
    }

    pub(super) fn payment(&self, id: i64) -> Result<&Payment, Refusal> {
        self.payments.get(&id.to_string()).ok_or(Refusal::NotFound)
    }

    pub(super) fn payment_mut(&mut self, id: i64) -> Result<&mut Payment, Refusal> {
        self.payments.get_mut(&id.to_string()).ok_or(Refusal::NotFound)
    }

    pub(super) fn allowance(&self, id: i64) -> Result<&Allowance, Refusal> {
        self.allowances.get(&id.to_string()).ok_or(Refusal::NotFound)
    }

    pub(super) fn allowance_mut(&mut self, id: i64) -> Result<&mut Allowance, Refusal> {
        self.allowances.get_mut(&id.to_string()).ok_or(Refusal::NotFound)
    }

    /// The payments of a transaction, in its order.
    pub(super) fn payments_of<'a>(
        &'a self,
        transaction: &'a Transaction,
    ) -> impl Iterator<Item = &'a Payment> {
        transaction.payments.iter().filter_map(|id| self.payment(*id).ok())
    }

    pub(super) fn next_payment(&mut self) -> i64 {
        self.last_payment += 1;
        self.last_payment
    }

    pub(super) fn next_allowance(&mut self) -> i64 {
        self.last_allowance += 1;
        self.last_allowance
    }

    pub(super) fn next_wallet(&mut self) -> i64 {
        loop {
            self.last_wallet += 1;
            if !self.users.contains_key(&self.last_wallet) {
                return self.last_wallet;
            }
        }
    }

    /// The page where a payer accepts or rejects.
    pub(super) fn page_url(&self, key: &str) -> String {
        format!("{}frontend/en/wallet/confirm/{key}", self.base)
    }
}
