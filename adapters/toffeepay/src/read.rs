//! From the provider's words to its objects: what must be there is asked for, what is there is
//! read exactly, and nothing is made up. Pure.

use paymux_core::{
    Currency, Money, ProviderPartId, ProviderPaymentId, ProviderRefundId, Result, Timestamp,
    json::{self, Unreadable},
    transport::is_private,
};
use serde::de::{Deserialize, DeserializeOwned};
use serde_json::value::RawValue;
use url::Url;

use crate::{
    objects::{
        GameUser, Item, ProviderPage, ProviderPayment, ProviderRefund, Reason, Session, Topup,
        WalletSplit,
    },
    status::{ProviderRefundStatus, SessionStatus},
    wire,
};

/// The kinds of object that an answer can hold below their name.
#[derive(Clone, Copy)]
pub(crate) enum Family {
    Session,
    Payment,
    Topup,
    Refund,
}

/// Reads JSON strictly, and only as an object: a list would pass for a struct, field by position.
pub(crate) fn json_object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Unreadable> {
    if !is_object(body) {
        return Err(Unreadable::new("the answer is not a JSON object"));
    }
    json::read(body).map_err(Unreadable::from)
}

fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{")
}

/// Reads one object: below its name when that holds an object, else the body itself.
pub(crate) fn object<T: DeserializeOwned>(body: &[u8], family: Family) -> Result<T, Unreadable> {
    let wrapped: wire::Wrapped<'_> = json_object(body)?;
    let inner = match family {
        Family::Session => wrapped.session,
        Family::Payment => wrapped.payment,
        Family::Topup => wrapped.topup,
        Family::Refund => wrapped.refund,
    };
    let inner = inner.map(|inner| inner.get().as_bytes()).filter(|inner| is_object(inner));
    json_object(inner.unwrap_or(body))
}

/// Reads a page. `limit` is how many were asked for.
pub(crate) fn page<W: DeserializeOwned, T>(
    body: &[u8],
    family: Family,
    limit: u32,
    read: impl Fn(W) -> Result<T, Unreadable>,
) -> Result<ProviderPage<T>, Unreadable> {
    let read_row = |row: &RawValue| json_object(row.get().as_bytes()).and_then(&read);
    if body.trim_ascii_start().starts_with(b"[") {
        // The style of 2026 under `/v1`: rows alone. A full page may have another behind it.
        let rows: Vec<&RawValue> = json::read(body).map_err(Unreadable::from)?;
        let items = rows.into_iter().map(read_row).collect::<Result<Vec<_>, _>>()?;
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        return Ok(ProviderPage { items, total: count, has_more: count >= limit });
    }
    let listed: wire::Listed<'_> = json_object(body)?;
    let rows = match family {
        Family::Session => listed.sessions,
        Family::Payment => listed.payments,
        Family::Topup => listed.topups,
        Family::Refund => listed.refunds,
    };
    Ok(ProviderPage {
        items: rows.unwrap_or_default().into_iter().map(read_row).collect::<Result<_, _>>()?,
        total: listed.total.unwrap_or(0),
        has_more: listed.has_more.unwrap_or(false),
    })
}

pub(crate) fn session(wire: wire::Session) -> Result<Session, Unreadable> {
    let id = optional(wire.id).or(wire.session_id);
    let currency = currency(wire.item.as_ref().and_then(|item| item.currency.as_deref()))?;
    let tax = match wire.tax {
        // A tax without figure is the zero that protobuf JSON leaves out.
        Some(tax) => money(Some(tax.amount.unwrap_or(0)), currency)?,
        None => None,
    };
    let item = match wire.item {
        Some(item) => Some(Item {
            price: money(item.price, currency)?,
            title: item.title,
            image: item.image,
            country: item.country,
        }),
        None => None,
    };
    Ok(Session {
        id: payment_id(id)?,
        status: known("status", optional(wire.status))?.into(),
        url: page_url(optional(wire.url).or(wire.payment_url))?,
        payment_id: optional(wire.payment_id).map(part_id).transpose()?,
        user_id: optional(wire.user_id),
        game_id: optional(wire.game_id),
        item,
        tax,
        created_at: moment(wire.created_at)?,
        paid_at: moment(wire.paid_at)?,
        failed_at: moment(wire.failed_at)?,
        expired_at: moment(wire.expired_at)?,
        cancelled_at: moment(wire.cancelled_at)?,
        offer_id: wire.metadata.and_then(|metadata| optional(metadata.offer_id)),
    })
}

/// The answer to `CreateSession`, in all its editions: an id and a page, the whole session, or
/// both. A session that is not shown is new, so it is `pending`.
pub(crate) fn created_session(body: &[u8]) -> Result<Session, Unreadable> {
    let outer: wire::Created = json_object(body)?;
    let mut inner: wire::Session = object(body, Family::Session)?;
    let outer_id = optional(outer.id).or(outer.session_id);
    let inner_id = optional(inner.id).or(inner.session_id.take());
    inner.id = the_one("sessions", outer_id, inner_id)?;
    inner.url = optional(inner.url)
        .or(optional(inner.payment_url.take()))
        .or(optional(outer.url))
        .or(outer.payment_url);
    inner.status =
        optional(inner.status).or_else(|| Some(SessionStatus::Pending.as_str().to_owned()));
    let session = session(inner)?;
    if session.url.is_none() {
        return Err(Unreadable::new("the answer has no checkout page"));
    }
    Ok(session)
}

pub(crate) fn payment(wire: wire::Payment) -> Result<ProviderPayment, Unreadable> {
    let currency = currency(wire.currency.as_deref())?;
    let wallet_split = match wire.extra_data {
        Some(split) => {
            let share = |figure: Option<i32>| {
                known("currency", money(Some(figure.unwrap_or(0)), currency)?)
            };
            Some(WalletSplit { real: share(split.real_amount)?, bonus: share(split.bonus_amount)? })
        }
        None => None,
    };
    Ok(ProviderPayment {
        id: part_id(known("id", optional(wire.id))?)?,
        session_id: payment_id(wire.session_id)?,
        status: known("status", optional(wire.status))?.into(),
        amount: money(wire.amount, currency)?,
        method: optional(wire.method),
        details: optional(wire.details),
        created_at: moment(wire.created_at)?,
        authorized_at: moment(wire.authorized_at)?,
        succeeded_at: moment(wire.succeeded_at)?,
        cancelled_at: moment(wire.cancelled_at)?,
        failed_at: moment(wire.failed_at)?,
        refunded_at: moment(wire.refunded_at)?,
        error: wire.error.map(reason),
        wallet_split,
    })
}

pub(crate) fn topup(wire: wire::Topup) -> Result<Topup, Unreadable> {
    let currency = currency(wire.currency.as_deref())?;
    let users = wire.game_users.unwrap_or_default();
    Ok(Topup {
        id: known("id", optional(wire.id))?,
        wallet_user_id: optional(wire.wallet_user_id),
        game_users: users
            .into_iter()
            .map(|user| GameUser {
                game_id: optional(user.game_id),
                user_id: optional(user.user_id),
            })
            .collect(),
        status: known("status", optional(wire.status))?.into(),
        amount: money(wire.amount, currency)?,
        reward: match (wire.reward, currency) {
            (None, Some(currency)) => Some(Money::zero(currency)),
            (reward, currency) => money(reward, currency)?,
        },
        method: optional(wire.method),
        details: optional(wire.details),
        created_at: moment(wire.created_at)?,
        authorized_at: moment(wire.authorized_at)?,
        succeeded_at: moment(wire.succeeded_at)?,
        cancelled_at: moment(wire.cancelled_at)?,
        failed_at: moment(wire.failed_at)?,
        refunded_at: moment(wire.refunded_at)?,
    })
}

pub(crate) fn refund(wire: wire::Refund) -> Result<ProviderRefund, Unreadable> {
    let id = known("id", optional(wire.id))?;
    Ok(ProviderRefund {
        id: ProviderRefundId::new(id).map_err(|_| unfit("id"))?,
        payment_id: optional(wire.payment_id).map(part_id).transpose()?,
        status: known("status", optional(wire.status))?.into(),
        reason: optional(wire.reason),
        created_at: moment(wire.created_at)?,
        succeeded_at: moment(wire.succeeded_at)?,
        failed_at: moment(wire.failed_at)?,
        cancelled_at: moment(wire.cancelled_at)?,
        error: wire.error.map(reason),
    })
}

/// The answer to `CreateRefund`: an id alone, the refund itself, or both. A refund whose state is
/// not shown is new, so it is `pending`; it is of the payment that was named.
pub(crate) fn created_refund(
    body: &[u8],
    payment: &ProviderPartId,
) -> Result<ProviderRefund, Unreadable> {
    let outer: wire::Created = json_object(body)?;
    let mut inner: wire::Refund = object(body, Family::Refund)?;
    inner.id = the_one("refunds", outer.id, inner.id)?;
    inner.payment_id = optional(inner.payment_id).or_else(|| Some(payment.as_str().to_owned()));
    inner.status =
        optional(inner.status).or_else(|| Some(ProviderRefundStatus::Pending.as_str().to_owned()));
    refund(inner)
}

/// The id, when it stands once or twice and is the same.
fn the_one(
    what: &str,
    outer: Option<String>,
    inner: Option<String>,
) -> Result<Option<String>, Unreadable> {
    match (optional(outer), optional(inner)) {
        (Some(outer), Some(inner)) if outer != inner => {
            Err(Unreadable::new(format!("the answer names two {what}")))
        }
        (outer, inner) => Ok(inner.or(outer)),
    }
}

fn reason(wire: wire::Reason) -> Reason {
    Reason { code: optional(wire.code), message: optional(wire.message) }
}

fn known<T>(field: &str, value: Option<T>) -> Result<T, Unreadable> {
    value.ok_or_else(|| Unreadable::new(format!("the answer has no {field}")))
}

/// Protobuf's empty text is no text.
fn optional(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn unfit(field: &str) -> Unreadable {
    Unreadable::new(format!("the answer's {field} cannot be one"))
}

fn payment_id(id: Option<String>) -> Result<ProviderPaymentId, Unreadable> {
    let id = known("session id", optional(id))?;
    ProviderPaymentId::new(id).map_err(|_| unfit("session id"))
}

fn part_id(id: String) -> Result<ProviderPartId, Unreadable> {
    ProviderPartId::new(id).map_err(|_| unfit("payment id"))
}

pub(crate) fn moment(text: Option<String>) -> Result<Option<Timestamp>, Unreadable> {
    optional(text).map(|text| Timestamp::parse(&text).map_err(|_| unfit("time"))).transpose()
}

/// The provider counts in cents, so a currency without a hundredth part cannot be told.
fn currency(code: Option<&str>) -> Result<Option<Currency>, Unreadable> {
    let Some(code) = code.filter(|code| !code.is_empty()) else { return Ok(None) };
    match Currency::iso(code) {
        Ok(currency) if currency.exponent() == 2 => Ok(Some(currency)),
        Ok(_) | Err(_) => Err(unfit("currency")),
    }
}

/// A figure without currency is not money, so it is not passed over.
fn money(cents: Option<i32>, currency: Option<Currency>) -> Result<Option<Money>, Unreadable> {
    let Some(cents) = cents else { return Ok(None) };
    let currency = known("currency", currency)?;
    Money::new(i128::from(cents), currency).map(Some).map_err(|_| unfit("amount"))
}

/// The payer is sent there, so it must be a page, and no script.
fn page_url(text: Option<String>) -> Result<Option<Url>, Unreadable> {
    let Some(text) = optional(text) else { return Ok(None) };
    match Url::parse(&text) {
        Ok(url) if is_private(&url) => Ok(Some(url)),
        Ok(_) | Err(_) => Err(unfit("checkout page")),
    }
}
