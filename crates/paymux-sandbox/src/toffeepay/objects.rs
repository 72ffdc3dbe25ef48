//! What ToffeePay keeps: sessions, payments, top-ups, refunds. Serialized as they are, they make
//! the snapshot; the API shows them through `wire.rs`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::payer::{Decline, Method};

/// Status of a session (Payments, "Session Statuses").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SessionStatus {
    Pending,
    Paid,
    Failed,
    Cancelled,
    Expired,
}

/// Status of a payment or a top-up (Payments, "Payment Statuses"; `refunded` from the later
/// API reference).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PaymentStatus {
    Processing,
    Authorized,
    Succeeded,
    Cancelled,
    Failed,
    Refunded,
}

impl PaymentStatus {
    /// The provider or the merchant still has something to do.
    pub(super) fn is_live(self) -> bool {
        matches!(self, PaymentStatus::Processing | PaymentStatus::Authorized)
    }
}

/// Status of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefundStatus {
    Pending,
    Succeeded,
    Failed,
    Cancelled,
}

/// The one thing a session sells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Item {
    pub(super) title: String,
    /// Cents.
    pub(super) price: i32,
    pub(super) currency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) country: Option<String>,
}

/// A validated request for a session.
#[derive(Clone, Debug)]
pub(super) struct NewSession {
    pub(super) game_id: String,
    pub(super) user_id: String,
    pub(super) item: Item,
    pub(super) return_url: String,
    /// Three states: on, off, as the game has it.
    pub(super) wallet_enabled: Option<bool>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) status: SessionStatus,
    pub(super) game_id: String,
    pub(super) user_id: String,
    pub(super) item: Item,
    pub(super) return_url: String,
    pub(super) wallet_enabled: Option<bool>,
    /// Cents of tax, known once the session is paid.
    pub(super) tax: Option<i32>,
    /// The payment that paid the session.
    pub(super) payment_id: Option<String>,
    /// Every attempt, oldest first.
    pub(super) payment_ids: Vec<String>,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) paid_at: Option<Timestamp>,
    pub(super) failed_at: Option<Timestamp>,
    pub(super) cancelled_at: Option<Timestamp>,
    pub(super) expired_at: Option<Timestamp>,
}

/// Why something failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Failure {
    pub(super) code: String,
    pub(super) message: String,
}

impl From<Decline> for Failure {
    fn from(decline: Decline) -> Self {
        let (code, message) = decline.code_and_message();
        Failure { code: code.to_owned(), message: message.to_owned() }
    }
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Payment {
    pub(super) id: String,
    pub(super) session_id: String,
    pub(super) game_id: String,
    pub(super) user_id: String,
    pub(super) status: PaymentStatus,
    /// Cents, without tax: the specification's sample shows the item price.
    pub(super) amount: i32,
    pub(super) currency: String,
    pub(super) method: Method,
    pub(super) details: String,
    /// Country of the billing address.
    pub(super) country: String,
    /// The part of the amount paid with wallet bonus, in cents.
    pub(super) bonus_amount: i32,
    /// Every refund asked for, oldest first.
    pub(super) refund_ids: Vec<String>,
    pub(super) error: Option<Failure>,
    pub(super) created_at: Timestamp,
    pub(super) authorized_at: Option<Timestamp>,
    pub(super) succeeded_at: Option<Timestamp>,
    pub(super) cancelled_at: Option<Timestamp>,
    pub(super) failed_at: Option<Timestamp>,
    pub(super) refunded_at: Option<Timestamp>,
}

/// A player of a game who is linked to a wallet user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GameUser {
    /// The game.
    pub game_id: String,
    /// The merchant's id of the player.
    pub user_id: String,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Topup {
    pub(super) id: String,
    pub(super) wallet_user_id: String,
    pub(super) game_users: Vec<GameUser>,
    pub(super) status: PaymentStatus,
    /// Cents put in.
    pub(super) amount: i32,
    /// Cents of bonus on top.
    pub(super) reward: i32,
    pub(super) currency: String,
    pub(super) method: Method,
    pub(super) created_at: Timestamp,
    pub(super) authorized_at: Option<Timestamp>,
    pub(super) succeeded_at: Option<Timestamp>,
    pub(super) failed_at: Option<Timestamp>,
    pub(super) cancelled_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) payment_id: String,
    pub(super) status: RefundStatus,
    pub(super) reason: Option<String>,
    pub(super) error: Option<Failure>,
    pub(super) settles_at: Timestamp,
    pub(super) created_at: Timestamp,
    pub(super) succeeded_at: Option<Timestamp>,
    pub(super) failed_at: Option<Timestamp>,
    pub(super) cancelled_at: Option<Timestamp>,
}
