//! How objects look on the wire.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::money::decimal;
use super::objects::{
    Allowance, Beneficiary, Callback, Commission, Item, Limit, Payment, Span, Transaction,
};
use super::state::State;
use super::status::{AllowanceStatus, Status};
use super::validate::{self, Flat};

fn seconds(at: Timestamp) -> i64 {
    at.as_second()
}

#[derive(Debug, Serialize)]
struct TransactionView<'a> {
    transaction_key: &'a str,
    created_at: i64,
    status: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    wallet: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<i64>,
    project_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    location_id: Option<i64>,
    reserve: Value,
    use_allowance: bool,
    suggest_allowance: bool,
    auto_confirm: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_uri: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowance_id: Option<i64>,
    payments: Vec<PaymentView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowance: Option<Value>,
    #[serde(flatten)]
    extras: &'a Map<String, Value>,
}

/// A transaction with all its payments.
pub(super) fn transaction(state: &State, it: &Transaction) -> Value {
    let status = it.status.of_transaction(state.settings.words);
    if state.settings.sparse_answers {
        let payments = state.payments_of(it);
        let payments: Vec<Value> = payments
            .map(|payment| json!({"id": payment.id, "price": payment.terms.price}))
            .collect();
        return json!({"transaction_key": it.key, "status": status, "payments": payments});
    }
    let allowance = it.allowance.and_then(|id| state.allowance(id).ok()).map(|allowance| {
        json!({"data": self::allowance(state, allowance), "optional": it.terms.allowance_optional})
    });
    json!(TransactionView {
        transaction_key: &it.key,
        created_at: seconds(it.created_at),
        status,
        kind: it.kind,
        wallet: it.wallet,
        confirmed_at: it.confirmed_at.map(seconds),
        project_id: it.terms.project_id,
        location_id: it.terms.location_id,
        reserve: span(it.terms.reserve),
        use_allowance: it.terms.use_allowance,
        suggest_allowance: it.terms.suggest_allowance,
        auto_confirm: it.terms.auto_confirm,
        redirect_uri: it.terms.redirect_uri.as_deref(),
        callback_uri: match &it.terms.callback {
            Callback::Project => None,
            Callback::Off => Some(false.into()),
            Callback::To(uri) => Some(uri.as_str().into()),
        },
        allowance_id: it.terms.charge,
        payments: state.payments_of(it).map(|payment| view(state, payment)).collect(),
        allowance,
        extras: &it.terms.extras,
    })
}

fn span(span: Span) -> Value {
    match span {
        Span::For(seconds) => json!({"for": seconds}),
        Span::Until(at) => json!({"until": seconds(at)}),
    }
}

/// The older spelling of a time that still runs from an event to come; only where it is exact.
fn flat_for(span: Span, flat: Flat) -> Option<i64> {
    let unit = flat.seconds();
    match span {
        Span::For(seconds) if seconds % unit == 0 => Some(seconds / unit),
        Span::For(_) | Span::Until(_) => None,
    }
}

#[derive(Debug, Serialize)]
struct PaymentView<'a> {
    id: i64,
    transaction_key: &'a str,
    created_at: i64,
    status: &'static str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wallet: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    freeze_until: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    freeze: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    freeze_for: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    price: i64,
    price_decimal: String,
    currency: &'a str,
    beneficiary: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commission: Option<CommissionView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    items: Vec<ItemView<'a>>,
    cancelable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<Value>,
    #[serde(flatten)]
    extras: &'a Map<String, Value>,
}

#[derive(Debug, Serialize)]
struct CommissionView {
    #[serde(flatten)]
    commission: Commission,
    in_commission_decimal: String,
    out_commission_decimal: String,
}

/// An item with what older clients look for.
#[derive(Debug, Serialize)]
struct ItemView<'a> {
    #[serde(flatten)]
    item: &'a Item,
    price_decimal: String,
    currency: &'a str,
    total_price: i64,
    total_price_decimal: String,
}

fn item_view<'a>(item: &'a Item, currency: &'a str) -> ItemView<'a> {
    let total_price = item.price.saturating_mul(item.quantity);
    ItemView {
        item,
        price_decimal: decimal(item.price),
        currency,
        total_price,
        total_price_decimal: decimal(total_price),
    }
}

/// A payment.
pub(super) fn payment(state: &State, it: &Payment) -> Value {
    if state.settings.sparse_answers {
        return json!({
            "id": it.id,
            "status": payment_status(state, it),
            "description": it.terms.description,
            "price": it.terms.price,
            "currency": it.terms.currency,
            "created_at": seconds(it.created_at),
            "confirmed_at": it.confirmed_at.map(seconds),
        });
    }
    json!(view(state, it))
}

/// The word for where a payment stands.
pub(super) fn payment_status(state: &State, it: &Payment) -> &'static str {
    it.status.of_payment(state.settings.words, it.payer.is_some())
}

fn view<'a>(state: &State, it: &'a Payment) -> PaymentView<'a> {
    let done = it.status == Status::Done;
    PaymentView {
        id: it.id,
        transaction_key: &it.transaction,
        created_at: seconds(it.created_at),
        status: payment_status(state, it),
        kind: &it.terms.kind,
        wallet: it.payer,
        confirmed_at: it.confirmed_at.map(seconds),
        freeze_until: it.frozen_until().filter(|_| !done).map(seconds),
        freeze: it.terms.freeze.filter(|_| !done).map(span),
        // The published client forgets `freeze_until` when it reads both.
        freeze_for: it
            .terms
            .freeze
            .filter(|_| it.frozen_until().is_none())
            .and_then(|freeze| flat_for(freeze, validate::flat(&state.settings))),
        description: it.terms.description.as_deref(),
        price: it.terms.price,
        price_decimal: decimal(it.terms.price),
        currency: &it.terms.currency,
        beneficiary: match &it.terms.beneficiary {
            Beneficiary::Id(id) => (*id).into(),
            other @ (Beneficiary::Email(_) | Beneficiary::Phone(_)) => json!(other),
        },
        payer: it.payer,
        commission: it.terms.commission.map(|commission| CommissionView {
            in_commission_decimal: decimal(commission.in_commission),
            out_commission_decimal: decimal(commission.out_commission),
            commission,
        }),
        parameters: it.terms.parameters.as_ref(),
        items: it.terms.items.iter().map(|item| item_view(item, &it.terms.currency)).collect(),
        cancelable: it.status == Status::Confirmed,
        password: it.terms.password.as_ref().map(|password| {
            let kind = if password.generated { "generated" } else { "provided" };
            let status = if it.password_given { "unlocked" } else { "pending" };
            json!({"type": kind, "status": status})
        }),
        extras: &it.terms.extras,
    }
}

#[derive(Debug, Serialize)]
struct AllowanceView<'a> {
    id: i64,
    transaction_key: &'a str,
    created_at: i64,
    status: AllowanceStatus,
    currency: &'a str,
    wallet: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_price: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_price_decimal: Option<String>,
    #[serde(skip_serializing_if = "<[Limit]>::is_empty")]
    limits: &'a [Limit],
    valid: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_for: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canceled_at: Option<i64>,
}

/// An allowance, with its validity in the older spelling too.
pub(super) fn allowance(state: &State, it: &Allowance) -> Value {
    let until = it.valid_until();
    let mut valid = span(it.terms.valid);
    if let (Some(from), Some(until)) = (it.confirmed_at, until) {
        valid["from"] = seconds(from).into();
        valid["until"] = seconds(until).into();
    }
    json!(AllowanceView {
        id: it.id,
        transaction_key: &it.transaction,
        created_at: seconds(it.created_at),
        status: it.status,
        currency: &it.terms.currency,
        wallet: it.wallet,
        description: it.terms.description.as_deref(),
        max_price: it.terms.max_price,
        max_price_decimal: it.terms.max_price.map(decimal),
        limits: &it.terms.limits,
        valid,
        valid_for: match until {
            None => flat_for(it.terms.valid, validate::flat(&state.settings)),
            Some(_) => None,
        },
        valid_until: until.map(seconds),
        confirmed_at: it.confirmed_at.map(seconds),
        canceled_at: it.canceled_at.map(seconds),
    })
}
