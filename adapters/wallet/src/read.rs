//! From the provider's words to its objects: what must be there is asked for, what is there is
//! read exactly, and nothing is made up. Pure.

use std::time::Duration;

use paymux_core::{
    ProviderMandateId, ProviderPartId, ProviderPaymentId, Result, Timestamp,
    json::{self, JsonFault, Unreadable},
};
use serde::de::Deserialize;
use serde_json::{Map, Value};

use crate::{
    objects::{Allowance, AllowanceLimit, Freeze, ProviderPayment, Transaction},
    options::Beneficiary,
    wire,
};

mod money;

pub(crate) use money::{Figures, cents, currency, is_foreign, money};

/// Reads JSON that must be an object: a list would pass for a struct, field by position.
pub(crate) fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Unreadable> {
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Unreadable::new("the answer is not a JSON object"));
    }
    json::read(body).map_err(Unreadable::from)
}

/// Several of the provider's pages show `{}` as the answer to a change: it names no object, and
/// what became of it has to be read. The official client would see a fault in it.
pub(crate) fn says_nothing(body: &[u8]) -> bool {
    let names =
        |members: &Map<String, Value>, name| members.get(name).is_some_and(|id| !id.is_null());
    body.trim_ascii().is_empty()
        || object::<Map<String, Value>>(body).is_ok_and(|members| {
            !["transaction_key", "id", "status"].into_iter().any(|name| names(&members, name))
        })
}

/// Reads a part of an answer that must be an object.
pub(crate) fn inside<T: for<'a> Deserialize<'a>>(value: Value) -> Result<T, Unreadable> {
    if !value.is_object() {
        return Err(Unreadable::new("a part of the answer is not a JSON object"));
    }
    serde_json::from_value(value).map_err(|fault| Unreadable::from(JsonFault::from(fault)))
}

/// The key of a transaction, which every answer about one has.
pub(crate) fn key(wire: &wire::Transaction) -> Result<ProviderPaymentId, Unreadable> {
    payment_id(known("transaction_key", optional(wire.transaction_key.clone()))?)
}

/// Does it say how far it is? Several of the provider's pages show answers to a change that do
/// not, and then it has to be read.
pub(crate) const fn shows_status(wire: &wire::Transaction) -> bool {
    wire.status.is_some()
}

pub(crate) fn transaction(wire: wire::Transaction) -> Result<Transaction, Unreadable> {
    let key = key(&wire)?;
    let lists_payments = wire.payments.is_some();
    let payments = wire.payments.unwrap_or_default();
    let payments = payments.into_iter().map(payment).collect::<Result<Vec<_>, _>>()?;
    for (nth, payment) in payments.iter().enumerate() {
        if payment.transaction.as_ref().is_some_and(|other| *other != key) {
            return Err(Unreadable::new("the answer holds a payment of another transaction"));
        }
        if payments.iter().take(nth).any(|other| other.id == payment.id) {
            return Err(Unreadable::new("the answer names a payment twice"));
        }
    }
    Ok(Transaction {
        key,
        status: known("status", optional(wire.status))?.into(),
        kind: optional(wire.kind),
        wallet: wire.wallet,
        project_id: wire.project_id,
        created_at: moment(wire.created_at),
        confirmed_at: moment(wire.confirmed_at),
        payments,
        lists_payments,
        allowance: wire.allowance.map(allowance_inside).transpose()?.flatten(),
        redirect_uri: optional(wire.redirect_uri),
    })
}

pub(crate) fn payment(wire: wire::Payment) -> Result<ProviderPayment, Unreadable> {
    let currency = currency(wire.currency.as_deref())?;
    let commission = wire.commission;
    let fee = |read: fn(&wire::Commission) -> Figures<'_>| match &commission {
        Some(commission) => money(read(commission), currency),
        None => Ok(None),
    };
    Ok(ProviderPayment {
        id: part_id(known("payment id", wire.id)?)?,
        transaction: optional(wire.transaction_key).map(payment_id).transpose()?,
        status: wire.status.map(Into::into),
        kind: optional(wire.kind).map(Into::into),
        description: optional(wire.description),
        price: money((wire.price, wire.price_decimal.as_deref()), currency)?,
        in_commission: fee(|fees| (fees.in_commission, fees.in_commission_decimal.as_deref()))?,
        out_commission: fee(|fees| (fees.out_commission, fees.out_commission_decimal.as_deref()))?,
        payer: wire.payer.or(wire.wallet),
        beneficiary: wire.beneficiary.map(beneficiary).transpose()?.flatten(),
        parameters: parameters(wire.parameters),
        created_at: moment(wire.created_at),
        confirmed_at: moment(wire.confirmed_at),
        canceled_at: moment(wire.canceled_at),
        freeze: freeze(wire.freeze_until, wire.freeze, wire.freeze_for)?,
    })
}

/// The three spellings of a freeze. A moment says more than a span, and both say more than zero,
/// by which an answer says that there is none. One that says nothing leaves it open.
fn freeze(
    flat_until: Option<i64>,
    nested: Option<wire::Freeze>,
    hours: Option<i64>,
) -> Result<Option<Freeze>, Unreadable> {
    let above_zero = |figure: &i64| *figure != 0;
    let (until, seconds) = match nested {
        Some(nested) => (nested.until, nested.seconds),
        None => (None, None),
    };
    let is_said = flat_until.or(until).or(seconds).or(hours).is_some();
    let until = flat_until.filter(above_zero).or(until.filter(above_zero));
    let seconds = seconds.filter(above_zero);
    let hours = hours.filter(above_zero).map(|hours| hours.saturating_mul(3600));
    if let Some(until) = until {
        return Ok(Some(Freeze::Until(Timestamp::from_seconds(until))));
    }
    let span = |seconds: i64| {
        let seconds = u64::try_from(seconds).map_err(|_| unfit("freeze"))?;
        Ok::<_, Unreadable>(Freeze::For(Duration::from_secs(seconds)))
    };
    let span = seconds.or(hours).map(span).transpose()?;
    Ok(span.or(is_said.then_some(Freeze::Off)))
}

/// A number in the specification, an object on other pages.
fn beneficiary(value: Value) -> Result<Option<Beneficiary>, Unreadable> {
    match value {
        Value::Null => Ok(None),
        Value::Number(number) => number
            .as_i64()
            .map(|number| Some(Beneficiary::wallet(number)))
            .ok_or_else(|| Unreadable::new("the answer's beneficiary cannot be one")),
        object @ (Value::Object(_) | Value::Bool(_) | Value::String(_) | Value::Array(_)) => {
            let wire: wire::Beneficiary = inside(object)?;
            let found = Beneficiary { wallet: wire.id, email: wire.email, phone: wire.phone };
            Ok((found != Beneficiary::default()).then_some(found))
        }
    }
}

/// A server in PHP writes an empty map as an empty list.
fn parameters(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(map)) => map,
        Some(_) | None => Map::new(),
    }
}

/// An allowance within a transaction: below `data`, or its fields at once. One without an id
/// cannot be told from others and is passed over.
fn allowance_inside(value: Value) -> Result<Option<Allowance>, Unreadable> {
    let Value::Object(mut fields) = value else { return Ok(None) };
    let inner = match fields.remove("data") {
        Some(Value::Object(inner)) => inner,
        Some(_) | None => fields,
    };
    if inner.get("id").is_none_or(Value::is_null) {
        return Ok(None);
    }
    inside(Value::Object(inner)).and_then(allowance).map(Some)
}

pub(crate) fn allowance(wire: wire::Allowance) -> Result<Allowance, Unreadable> {
    let currency = currency(wire.currency.as_deref())?;
    let confirmed_at = moment(wire.confirmed_at);
    let (until, seconds) = match wire.valid {
        Some(valid) => (valid.until, valid.seconds),
        None => (None, None),
    };
    // A span counts from confirming; before that nobody knows its end.
    let span_end = || {
        let span = Duration::from_secs(u64::try_from(seconds?).ok()?);
        Some(confirmed_at?.after(span))
    };
    let limits = wire.limits.unwrap_or_default().into_iter().map(|limit| {
        let figures = (limit.max_price, limit.max_price_decimal.as_deref());
        let limit_of = money(figures, currency)?;
        Ok(AllowanceLimit { limit: limit_of, seconds: limit.time, period: limit.period })
    });
    let id = known("allowance id", wire.id)?;
    if id <= 0 {
        return Err(unfit("allowance id"));
    }
    Ok(Allowance {
        id: ProviderMandateId::new(id.to_string()).map_err(|_| unfit("allowance id"))?,
        transaction: optional(wire.transaction_key).map(payment_id).transpose()?,
        status: wire.status.map(Into::into),
        description: optional(wire.description),
        limit: money((wire.max_price, wire.max_price_decimal.as_deref()), currency)?,
        limits: limits.collect::<Result<_, Unreadable>>()?,
        wallet: wire.wallet,
        created_at: moment(wire.created_at),
        confirmed_at,
        canceled_at: moment(wire.canceled_at),
        valid_until: moment(until.or(wire.valid_until)).or_else(span_end),
    })
}

pub(crate) fn known<T>(field: &str, value: Option<T>) -> Result<T, Unreadable> {
    value.ok_or_else(|| Unreadable::new(format!("the answer has no {field}")))
}

fn optional(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

pub(crate) fn unfit(field: &str) -> Unreadable {
    Unreadable::new(format!("the answer's {field} cannot be one"))
}

fn payment_id(key: String) -> Result<ProviderPaymentId, Unreadable> {
    ProviderPaymentId::new(key).map_err(|_| unfit("transaction_key"))
}

fn part_id(id: i64) -> Result<ProviderPartId, Unreadable> {
    if id <= 0 {
        return Err(unfit("payment id"));
    }
    ProviderPartId::new(id.to_string()).map_err(|_| unfit("payment id"))
}

fn moment(seconds: Option<i64>) -> Option<Timestamp> {
    seconds.map(Timestamp::from_seconds)
}

/// Where the next page begins, if there is one. `limit` is how many were asked for.
pub(crate) fn next_page(
    offset: u64,
    limit: u32,
    rows: usize,
    metadata: Option<&wire::Metadata>,
) -> Result<Option<u64>, Unreadable> {
    let rows = u64::try_from(rows).map_err(|_| unfit("page"))?;
    let total = metadata.and_then(|metadata| metadata.total);
    if metadata.and_then(|metadata| metadata.offset).is_some_and(|answered| answered != offset) {
        return Err(Unreadable::new("the answer is another page than the one asked for"));
    }
    let next = offset.checked_add(rows).ok_or_else(|| unfit("page"))?;
    let more = match total {
        Some(total) => next < total,
        // Where nobody counts, a full page may have another behind it.
        None => rows >= u64::from(limit),
    };
    Ok((more && rows > 0).then_some(next))
}
