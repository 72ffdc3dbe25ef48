//! The provider's objects with all their fields, in exact types. The methods of
//! [`crate::ToffeePay`] that are not of the trait answer with these; the trait's are mapped from
//! them.

use paymux_core::{Money, ProviderPartId, ProviderPaymentId, ProviderRefundId, Timestamp};
use serde::Serialize;
use url::Url;

use crate::status::{ProviderPaymentStatus, ProviderRefundStatus, SessionStatus};

/// One item offered to one player: what paymux calls a payment. Source: the specification,
/// `GetSession`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Session {
    /// `sess_…`
    pub id: ProviderPaymentId,
    /// Its state.
    pub status: SessionStatus,
    /// The checkout page; not in every answer.
    pub url: Option<Url>,
    /// The payment that the provider names with it; deprecated there, and often missing.
    pub payment_id: Option<ProviderPartId>,
    /// The merchant's id of the player.
    pub user_id: Option<String>,
    /// The game.
    pub game_id: Option<String>,
    /// What is sold.
    pub item: Option<Item>,
    /// Tax on top of the price, once it is known.
    pub tax: Option<Money>,
    /// When it was made. These times do not order states: the provider's own samples disagree.
    pub created_at: Option<Timestamp>,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// When it failed.
    pub failed_at: Option<Timestamp>,
    /// When it expired.
    pub expired_at: Option<Timestamp>,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// The offer it came from (the schema of 2026).
    pub offer_id: Option<String>,
}

/// What is sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Item {
    /// What the buyer reads.
    pub title: Option<String>,
    /// The price before tax.
    pub price: Option<Money>,
    /// Its picture, where it is echoed.
    pub image: Option<String>,
    /// ISO 3166-1 alpha-2, where it is echoed.
    pub country: Option<String>,
}

/// A try to pay a session: what paymux calls a part. Source: the specification, `GetPayment`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProviderPayment {
    /// `pay_…`
    pub id: ProviderPartId,
    /// The session it belongs to.
    pub session_id: ProviderPaymentId,
    /// Its state.
    pub status: ProviderPaymentStatus,
    /// How much, as the provider states it: whether tax is in it is not documented.
    pub amount: Option<Money>,
    /// `card`, `apple_pay`, `toffee_wallet` and others.
    pub method: Option<String>,
    /// Free text: the item's title, or the card's last digits.
    pub details: Option<String>,
    /// When it began.
    pub created_at: Option<Timestamp>,
    /// When the money was held.
    pub authorized_at: Option<Timestamp>,
    /// When the money was taken.
    pub succeeded_at: Option<Timestamp>,
    /// When the hold was released.
    pub cancelled_at: Option<Timestamp>,
    /// When it failed.
    pub failed_at: Option<Timestamp>,
    /// When the money was given back.
    pub refunded_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<Reason>,
    /// How a wallet payment was split; only when it was asked for.
    pub wallet_split: Option<WalletSplit>,
}

/// Why a payment or a refund failed, in the provider's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The code.
    pub code: Option<String>,
    /// The words.
    pub message: Option<String>,
}

/// How much of a wallet payment was money, and how much bonus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WalletSplit {
    /// Money.
    pub real: Money,
    /// Bonus.
    pub bonus: Money,
}

/// Money that a player put into Toffee Wallet. The player starts it in the wallet's app; nothing
/// but reading is possible. Source: the wallet's specification, `GetTopup`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Topup {
    /// `wp_…`
    pub id: String,
    /// The holder of the wallet; not the merchant's id of a player.
    pub wallet_user_id: Option<String>,
    /// Every player that is linked to the wallet.
    pub game_users: Vec<GameUser>,
    /// Its state.
    pub status: ProviderPaymentStatus,
    /// How much was put in.
    pub amount: Option<Money>,
    /// Bonus on top; nothing when the provider leaves it out.
    pub reward: Option<Money>,
    /// How it was paid.
    pub method: Option<String>,
    /// Free text.
    pub details: Option<String>,
    /// When it began.
    pub created_at: Option<Timestamp>,
    /// When the money was held.
    pub authorized_at: Option<Timestamp>,
    /// When it was credited.
    pub succeeded_at: Option<Timestamp>,
    /// When the hold was released.
    pub cancelled_at: Option<Timestamp>,
    /// When it failed.
    pub failed_at: Option<Timestamp>,
    /// When the money was given back.
    pub refunded_at: Option<Timestamp>,
}

/// A player of a game.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GameUser {
    /// The game.
    pub game_id: Option<String>,
    /// The merchant's id of the player.
    pub user_id: Option<String>,
}

/// A refund; always of a whole payment, so it has no amount. Source: the provider's refunds page,
/// 2025, and its schema of 2026.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProviderRefund {
    /// `ref_…`
    pub id: ProviderRefundId,
    /// The payment that is given back.
    pub payment_id: Option<ProviderPartId>,
    /// Its state.
    pub status: ProviderRefundStatus,
    /// Why, in the merchant's words.
    pub reason: Option<String>,
    /// When it was asked for.
    pub created_at: Option<Timestamp>,
    /// When the money was given back.
    pub succeeded_at: Option<Timestamp>,
    /// When it failed.
    pub failed_at: Option<Timestamp>,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<Reason>,
}

/// A page of one of the provider's lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProviderPage<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// How many there are over all pages, by the provider's count.
    pub total: u32,
    /// Are there more? The next page begins at the offset of this one plus the items received.
    pub has_more: bool,
}

/// Asks for sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListSessions {
    /// Of this game; the account's when not said.
    pub game_id: Option<String>,
    /// Of this player.
    pub user_id: Option<String>,
    /// In this state.
    pub status: Option<SessionStatus>,
    /// At most so many: 1 to 100.
    pub limit: u32,
    /// From here on.
    pub offset: u32,
}

impl ListSessions {
    /// Asks for the first page of the account's game.
    #[must_use]
    pub const fn new(limit: u32) -> Self {
        Self { game_id: None, user_id: None, status: None, limit, offset: 0 }
    }
}

/// Asks for payments below sessions. The provider lists successful ones only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListProviderPayments {
    /// Of this game; the account's when not said.
    pub game_id: Option<String>,
    /// Of this player.
    pub user_id: Option<String>,
    /// With [`ProviderPayment::wallet_split`].
    pub with_wallet_split: bool,
    /// At most so many: 1 to 100.
    pub limit: u32,
    /// From here on.
    pub offset: u32,
}

impl ListProviderPayments {
    /// Asks for the first page of the account's game.
    #[must_use]
    pub const fn new(limit: u32) -> Self {
        Self { game_id: None, user_id: None, with_wallet_split: false, limit, offset: 0 }
    }
}

/// Asks for top-ups.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListTopups {
    /// Of this game; the account's when not said.
    pub game_id: Option<String>,
    /// Of this holder of a wallet.
    pub wallet_user_id: Option<String>,
    /// Of this player.
    pub game_user_id: Option<String>,
    /// At most so many: 1 to 100.
    pub limit: u32,
    /// From here on.
    pub offset: u32,
}

impl ListTopups {
    /// Asks for the first page of the account's game.
    #[must_use]
    pub const fn new(limit: u32) -> Self {
        Self { game_id: None, wallet_user_id: None, game_user_id: None, limit, offset: 0 }
    }
}

/// Asks for refunds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListRefunds {
    /// Of this payment.
    pub payment_id: Option<ProviderPartId>,
    /// In this state.
    pub status: Option<ProviderRefundStatus>,
    /// At most so many: 1 to 100.
    pub limit: u32,
    /// From here on.
    pub offset: u32,
}

impl ListRefunds {
    /// Asks for the first page.
    #[must_use]
    pub const fn new(limit: u32) -> Self {
        Self { payment_id: None, status: None, limit, offset: 0 }
    }
}
