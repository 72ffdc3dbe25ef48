//! ToffeePay's own words, as they travel. Nothing is decided here.
//!
//! Every field of an answer may be missing or `null` and every name may come in camel case: the
//! server speaks protobuf JSON, which leaves zeros out and accepts both spellings. Unknown fields
//! are ignored. What must be there is for [`crate::read`] to say.

use paymux_core::Currency;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};
use serde_json::value::RawValue;

// Requests.

#[derive(Serialize)]
pub(crate) struct CreateSession<'a> {
    pub(crate) game_id: &'a str,
    pub(crate) user_id: &'a str,
    pub(crate) item: NewItem<'a>,
    pub(crate) return_url: &'a str,
    /// Left out when not chosen: `false` would switch the wallet off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wallet_enabled: Option<bool>,
}

#[derive(Serialize)]
pub(crate) struct NewItem<'a> {
    pub(crate) title: &'a str,
    pub(crate) price: i32,
    pub(crate) currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<&'a str>,
}

/// The request of every call that names one object.
#[derive(Serialize)]
pub(crate) struct ById<'a> {
    pub(crate) id: &'a str,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) with_extra_data: bool,
}

impl<'a> ById<'a> {
    pub(crate) const fn new(id: &'a str) -> Self {
        Self { id, with_extra_data: false }
    }
}

#[derive(Serialize)]
pub(crate) struct CreateRefund<'a> {
    pub(crate) payment_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'a str>,
}

/// The request of every list; each list has some of these filters.
#[derive(Serialize, Default)]
pub(crate) struct List<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) game_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wallet_user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) game_user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<&'a str>,
    pub(crate) limit: u32,
    pub(crate) offset: u32,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) with_extra_data: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes the field by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

// Answers.

/// An object within an object, if there is one. A list in its place is refused: its items would be
/// taken for the fields, by position.
fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let Some(raw) = Option::<Box<RawValue>>::deserialize(deserializer)? else { return Ok(None) };
    if !raw.get().starts_with('{') {
        return Err(D::Error::custom("not an object"));
    }
    serde_json::from_str(raw.get()).map(Some).map_err(D::Error::custom)
}

/// An answer that may hold its object below the object's name (the schema of 2026) or be the
/// object itself (the specification). The parts stay as text, so that numbers are read once, by
/// the type that wants them.
#[derive(Deserialize)]
pub(crate) struct Wrapped<'a> {
    #[serde(borrow)]
    pub(crate) session: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) payment: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) topup: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) refund: Option<&'a RawValue>,
}

/// A page of any list. Zero values may be left out: an empty page can be `{}`.
#[derive(Deserialize)]
pub(crate) struct Listed<'a> {
    #[serde(borrow)]
    pub(crate) sessions: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub(crate) payments: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub(crate) topups: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    pub(crate) refunds: Option<Vec<&'a RawValue>>,
    pub(crate) total: Option<u32>,
    #[serde(alias = "hasMore")]
    pub(crate) has_more: Option<bool>,
}

/// What the schema of 2026 repeats beside the object of a create call.
#[derive(Deserialize)]
pub(crate) struct Created {
    pub(crate) id: Option<String>,
    #[serde(alias = "sessionId")]
    pub(crate) session_id: Option<String>,
    pub(crate) url: Option<String>,
    #[serde(alias = "paymentUrl")]
    pub(crate) payment_url: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Session {
    pub(crate) id: Option<String>,
    /// The name of `id` in May 2025.
    #[serde(alias = "sessionId")]
    pub(crate) session_id: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) url: Option<String>,
    /// The name of `url` in May 2025.
    #[serde(alias = "paymentUrl")]
    pub(crate) payment_url: Option<String>,
    #[serde(alias = "paymentId")]
    pub(crate) payment_id: Option<String>,
    #[serde(alias = "userId")]
    pub(crate) user_id: Option<String>,
    #[serde(alias = "gameId")]
    pub(crate) game_id: Option<String>,
    #[serde(default, deserialize_with = "object")]
    pub(crate) item: Option<Item>,
    #[serde(default, deserialize_with = "object")]
    pub(crate) tax: Option<Tax>,
    #[serde(alias = "createdAt")]
    pub(crate) created_at: Option<String>,
    #[serde(alias = "paidAt")]
    pub(crate) paid_at: Option<String>,
    #[serde(alias = "failedAt")]
    pub(crate) failed_at: Option<String>,
    #[serde(alias = "expiredAt")]
    pub(crate) expired_at: Option<String>,
    #[serde(alias = "cancelledAt")]
    pub(crate) cancelled_at: Option<String>,
    #[serde(default, deserialize_with = "object")]
    pub(crate) metadata: Option<Metadata>,
}

#[derive(Deserialize)]
pub(crate) struct Item {
    pub(crate) title: Option<String>,
    pub(crate) price: Option<i32>,
    pub(crate) currency: Option<String>,
    pub(crate) image: Option<String>,
    pub(crate) country: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Tax {
    pub(crate) amount: Option<i32>,
}

#[derive(Deserialize)]
pub(crate) struct Metadata {
    #[serde(alias = "offerId")]
    pub(crate) offer_id: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct SessionStatusAnswer {
    pub(crate) id: Option<String>,
    #[serde(alias = "sessionId")]
    pub(crate) session_id: Option<String>,
    pub(crate) status: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Payment {
    pub(crate) id: Option<String>,
    #[serde(alias = "sessionId")]
    pub(crate) session_id: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) amount: Option<i32>,
    pub(crate) currency: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) details: Option<String>,
    #[serde(alias = "createdAt")]
    pub(crate) created_at: Option<String>,
    #[serde(alias = "authorizedAt")]
    pub(crate) authorized_at: Option<String>,
    #[serde(alias = "succeededAt")]
    pub(crate) succeeded_at: Option<String>,
    #[serde(alias = "cancelledAt")]
    pub(crate) cancelled_at: Option<String>,
    #[serde(alias = "failedAt")]
    pub(crate) failed_at: Option<String>,
    #[serde(alias = "refundedAt")]
    pub(crate) refunded_at: Option<String>,
    #[serde(default, deserialize_with = "object")]
    pub(crate) error: Option<Reason>,
    #[serde(default, alias = "extraData", deserialize_with = "object")]
    pub(crate) extra_data: Option<ExtraData>,
}

/// Why a payment or a refund failed.
#[derive(Deserialize)]
pub(crate) struct Reason {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct ExtraData {
    #[serde(alias = "realAmount")]
    pub(crate) real_amount: Option<i32>,
    #[serde(alias = "bonusAmount")]
    pub(crate) bonus_amount: Option<i32>,
}

#[derive(Deserialize)]
pub(crate) struct Topup {
    pub(crate) id: Option<String>,
    #[serde(alias = "walletUserId")]
    pub(crate) wallet_user_id: Option<String>,
    #[serde(alias = "gameUsers")]
    pub(crate) game_users: Option<Vec<GameUser>>,
    pub(crate) status: Option<String>,
    pub(crate) amount: Option<i32>,
    pub(crate) reward: Option<i32>,
    pub(crate) currency: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) details: Option<String>,
    #[serde(alias = "createdAt")]
    pub(crate) created_at: Option<String>,
    #[serde(alias = "authorizedAt")]
    pub(crate) authorized_at: Option<String>,
    #[serde(alias = "succeededAt")]
    pub(crate) succeeded_at: Option<String>,
    #[serde(alias = "cancelledAt")]
    pub(crate) cancelled_at: Option<String>,
    #[serde(alias = "failedAt")]
    pub(crate) failed_at: Option<String>,
    #[serde(alias = "refundedAt")]
    pub(crate) refunded_at: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct GameUser {
    #[serde(alias = "gameId")]
    pub(crate) game_id: Option<String>,
    #[serde(alias = "userId")]
    pub(crate) user_id: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: Option<String>,
    #[serde(alias = "paymentId")]
    pub(crate) payment_id: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) reason: Option<String>,
    #[serde(alias = "createdAt")]
    pub(crate) created_at: Option<String>,
    #[serde(alias = "succeededAt")]
    pub(crate) succeeded_at: Option<String>,
    #[serde(alias = "failedAt")]
    pub(crate) failed_at: Option<String>,
    #[serde(alias = "cancelledAt")]
    pub(crate) cancelled_at: Option<String>,
    #[serde(default, deserialize_with = "object")]
    pub(crate) error: Option<Reason>,
}

/// A webhook's envelope, of either generation: `event` with an `id`, or `type` without one.
#[derive(Deserialize)]
pub(crate) struct Delivery<'a> {
    pub(crate) id: Option<String>,
    pub(crate) event: Option<String>,
    #[serde(rename = "type")]
    pub(crate) event_type: Option<String>,
    pub(crate) timestamp: Option<String>,
    #[serde(borrow)]
    pub(crate) data: Option<&'a RawValue>,
}
