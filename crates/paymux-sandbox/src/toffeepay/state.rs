//! Everything ToffeePay knows, without HTTP. The transitions are in `sessions.rs`,
//! `payments.rs`, `topups.rs` and `refunds.rs`; each either happens whole or is refused.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use url::Url;

use super::errors::Refusal;
use super::events::Event;
use super::idempotency::Memory;
use super::objects::{Payment, Refund, Session, Topup};
use super::settings::{Capture, Game, ToffeePaySettings};
use crate::table::next_due;
pub(super) use crate::table::{Moment, Table};

/// The state of one account.
#[derive(Debug)]
pub(super) struct State {
    /// Where checkout pages live; ends with a slash.
    pub(super) checkout: Url,
    pub(super) settings: ToffeePaySettings,
    pub(super) games: BTreeMap<String, Game>,
    pub(super) sessions: Table<Session>,
    pub(super) payments: Table<Payment>,
    pub(super) topups: Table<Topup>,
    pub(super) refunds: Table<Refund>,
    pub(super) memory: Memory,
    pub(super) events: Vec<Event>,
    /// What happens by itself, in the order of time.
    pub(super) due: BTreeSet<(Timestamp, Due)>,
}

/// Something that time brings about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    ExpireSession(String),
    SettleRefund(String),
}

impl State {
    pub(super) fn new(checkout: Url, settings: ToffeePaySettings) -> Self {
        let manual = Game { capture: Capture::Manual, ..Game::default() };
        State {
            checkout,
            settings,
            games: BTreeMap::from([
                ("space_shooter".to_owned(), Game::default()),
                ("space_shooter_manual".to_owned(), manual),
            ]),
            sessions: Table::new(),
            payments: Table::new(),
            topups: Table::new(),
            refunds: Table::new(),
            memory: Memory::default(),
            events: Vec::new(),
            due: BTreeSet::new(),
        }
    }

    /// Lets everything happen that was due until now, each at its own time.
    pub(super) fn settle_due(&mut self, now: Timestamp) {
        while let Some((at, due)) = next_due(&mut self.due, now) {
            match due {
                Due::ExpireSession(id) => self.expire_when_due(&id, at),
                Due::SettleRefund(id) => self.settle_refund_when_due(&id, at),
            }
        }
        self.memory.forget(now);
    }

    pub(super) fn session(&self, id: &str) -> Result<&Session, Refusal> {
        self.sessions.get(id).ok_or_else(|| Refusal::not_found("session not found"))
    }

    pub(super) fn session_mut(&mut self, id: &str) -> Result<&mut Session, Refusal> {
        self.sessions.get_mut(id).ok_or_else(|| Refusal::not_found("session not found"))
    }

    pub(super) fn payment(&self, id: &str) -> Result<&Payment, Refusal> {
        self.payments.get(id).ok_or_else(|| Refusal::not_found("payment not found"))
    }

    pub(super) fn payment_mut(&mut self, id: &str) -> Result<&mut Payment, Refusal> {
        self.payments.get_mut(id).ok_or_else(|| Refusal::not_found("payment not found"))
    }

    pub(super) fn topup(&self, id: &str) -> Result<&Topup, Refusal> {
        self.topups.get(id).ok_or_else(|| Refusal::not_found("topup not found"))
    }

    pub(super) fn refund(&self, id: &str) -> Result<&Refund, Refusal> {
        self.refunds.get(id).ok_or_else(|| Refusal::not_found("refund not found"))
    }

    /// Whether the session's checkout page offers the Toffee Wallet: the session's own word, else
    /// the game's, and never where the game has no wallet.
    pub(super) fn offers_wallet(&self, session: &Session) -> bool {
        let game = self.games.get(&session.game_id).copied().unwrap_or_default();
        game.wallet && session.wallet_enabled.unwrap_or(true)
    }
}
