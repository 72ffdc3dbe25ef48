//! ToffeePay's words: requests as they come in, objects as they go out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::objects::{
    Failure, GameUser, Payment, PaymentStatus, Refund, RefundStatus, Session, SessionStatus, Topup,
};
use super::payer::Method;

#[derive(Debug, Deserialize)]
pub(super) struct CreateSession {
    pub(super) game_id: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) item: Option<NewItem>,
    pub(super) return_url: Option<String>,
    pub(super) wallet_enabled: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NewItem {
    pub(super) title: Option<String>,
    /// Any JSON, so that what is not a whole number gets the provider's own error.
    pub(super) price: Option<Value>,
    pub(super) currency: Option<String>,
    pub(super) image: Option<String>,
    pub(super) country: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ById {
    pub(super) id: Option<String>,
    pub(super) with_extra_data: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CreateRefund {
    pub(super) payment_id: Option<String>,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct List {
    pub(super) game_id: Option<String>,
    pub(super) user_id: Option<String>,
    pub(super) wallet_user_id: Option<String>,
    pub(super) game_user_id: Option<String>,
    pub(super) payment_id: Option<String>,
    pub(super) status: Option<String>,
    pub(super) limit: Option<i64>,
    pub(super) offset: Option<i64>,
    pub(super) with_extra_data: Option<bool>,
}

/// Renames camelCase fields, which protobuf JSON also allows, to snake_case.
pub(super) fn snake_case(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, field)| (snake_name(&name), snake_case(field)))
                .collect(),
        ),
        Value::Array(elements) => Value::Array(elements.into_iter().map(snake_case).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn snake_name(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// Leaves out what protobuf JSON may leave out.
pub(super) fn omit_zero_values(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(omit_zero_values);
            fields.retain(|_, field| !is_zero(field));
        }
        Value::Array(elements) => elements.iter_mut().for_each(omit_zero_values),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(_) => false,
    }
}

#[derive(Debug, Serialize)]
pub(super) struct SessionView<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    status: SessionStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<&'a str>,
    user_id: &'a str,
    game_id: &'a str,
    item: ItemView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax: Option<TaxView>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<Timestamp>,
}

/// Image and country are not echoed in any sample.
#[derive(Debug, Serialize)]
struct ItemView<'a> {
    title: &'a str,
    price: i32,
    currency: &'a str,
}

#[derive(Debug, Serialize)]
struct TaxView {
    amount: i32,
}

/// A session; the specification's samples have no `url`, the schema has.
pub(super) fn session(session: &Session, with_url: bool) -> SessionView<'_> {
    let item = &session.item;
    SessionView {
        id: &session.id,
        url: with_url.then_some(session.url.as_str()),
        status: session.status,
        payment_id: session.payment_id.as_deref(),
        user_id: &session.user_id,
        game_id: &session.game_id,
        item: ItemView { title: &item.title, price: item.price, currency: &item.currency },
        tax: session.tax.map(|amount| TaxView { amount }),
        created_at: session.created_at,
        paid_at: session.paid_at,
        failed_at: session.failed_at,
        expired_at: session.expired_at,
        cancelled_at: session.cancelled_at,
    }
}

#[derive(Debug, Serialize)]
pub(super) struct PaymentView<'a> {
    id: &'a str,
    session_id: &'a str,
    status: PaymentStatus,
    amount: i32,
    currency: &'a str,
    method: Method,
    details: &'a str,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorized_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    succeeded_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refunded_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_data: Option<ExtraData>,
}

#[derive(Debug, Serialize)]
struct ExtraData {
    real_amount: i32,
    bonus_amount: i32,
}

/// A payment; a wallet payment shows its split when asked.
pub(super) fn payment(payment: &Payment, with_extra_data: bool) -> PaymentView<'_> {
    let split = with_extra_data && payment.method == Method::ToffeeWallet;
    PaymentView {
        id: &payment.id,
        session_id: &payment.session_id,
        status: payment.status,
        amount: payment.amount,
        currency: &payment.currency,
        method: payment.method,
        details: &payment.details,
        created_at: payment.created_at,
        authorized_at: payment.authorized_at,
        succeeded_at: payment.succeeded_at,
        cancelled_at: payment.cancelled_at,
        failed_at: payment.failed_at,
        refunded_at: payment.refunded_at,
        error: payment.error.as_ref(),
        extra_data: split.then_some(ExtraData {
            real_amount: payment.amount - payment.bonus_amount,
            bonus_amount: payment.bonus_amount,
        }),
    }
}

#[derive(Debug, Serialize)]
pub(super) struct TopupView<'a> {
    id: &'a str,
    wallet_user_id: &'a str,
    game_users: &'a [GameUser],
    status: PaymentStatus,
    amount: i32,
    reward: i32,
    currency: &'a str,
    method: Method,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorized_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    succeeded_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<Timestamp>,
}

pub(super) fn topup(topup: &Topup) -> TopupView<'_> {
    TopupView {
        id: &topup.id,
        wallet_user_id: &topup.wallet_user_id,
        game_users: &topup.game_users,
        status: topup.status,
        amount: topup.amount,
        reward: topup.reward,
        currency: &topup.currency,
        method: topup.method,
        created_at: topup.created_at,
        authorized_at: topup.authorized_at,
        succeeded_at: topup.succeeded_at,
        failed_at: topup.failed_at,
        cancelled_at: topup.cancelled_at,
    }
}

/// The second generation's name for a top-up: other id prefixes, no players.
pub(super) fn deposit(topup: &Topup) -> Value {
    let rename = |id: &str, old: &str, new: &str| match id.strip_prefix(old) {
        Some(rest) => format!("{new}{rest}"),
        None => id.to_owned(),
    };
    let mut fields = match serde_json::to_value(self::topup(topup)) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => Map::new(),
    };
    fields.remove("game_users");
    fields.remove("wallet_user_id");
    fields.insert("id".to_owned(), rename(&topup.id, "wp_", "dep_").into());
    fields.insert("account_id".to_owned(), rename(&topup.wallet_user_id, "user_", "acc_").into());
    fields.insert("details".to_owned(), "visa *4242".into());
    Value::Object(fields)
}

#[derive(Debug, Serialize)]
pub(super) struct RefundView<'a> {
    id: &'a str,
    payment_id: &'a str,
    status: RefundStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    succeeded_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failure>,
}

pub(super) fn refund(refund: &Refund) -> RefundView<'_> {
    RefundView {
        id: &refund.id,
        payment_id: &refund.payment_id,
        status: refund.status,
        reason: refund.reason.as_deref(),
        created_at: refund.created_at,
        succeeded_at: refund.succeeded_at,
        failed_at: refund.failed_at,
        cancelled_at: refund.cancelled_at,
        error: refund.error.as_ref(),
    }
}
