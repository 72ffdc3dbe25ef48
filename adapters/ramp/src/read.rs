//! From the provider's words to its objects. Nobody documents its answers, so they are read by
//! name: what is missing is left out, what is of another kind is an error, nothing is made up. Pure.

use std::collections::BTreeMap;

use paymux_core::{
    Currency, ProviderPaymentId, SecretString, Sensitive,
    json::{self, Unreadable},
    transport::is_private,
};
use serde_json::{Value, value::RawValue};
use url::Url;

use crate::{
    decimal::{self, AmountUnit, DateUnit},
    objects::{Answer, Invoice, InvoicePayment, Link, Notification, NotificationKind, Session},
};

/// Names under which a page for the payer may stand. One is known from a sibling call; all are
/// assumed here.
pub(crate) const LINKS: [&str; 3] = ["redirectUrl", "payUrl", "checkoutUrl"];

/// What amounts and dates are read by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measures {
    pub(crate) currencies: Vec<Currency>,
    pub(crate) amount_unit: AmountUnit,
    pub(crate) date_unit: DateUnit,
}

impl Measures {
    /// The currency of a code, among those of ISO 4217 and those that the account names.
    fn currency(&self, code: &str) -> Option<Currency> {
        let named = self.currencies.iter().find(|currency| currency.code() == code);
        named.copied().or_else(|| Currency::iso(code).ok())
    }
}

/// An object's members, with their literal text.
struct Members(BTreeMap<String, Box<RawValue>>);

impl Members {
    fn of_body(body: &[u8]) -> Result<Self, Unreadable> {
        json::read(body).map(Self).map_err(|source| {
            Unreadable::new("the body is no object that can be read").with_source(source)
        })
    }

    fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.get(name).map(|value| &**value).filter(|value| value.get() != "null")
    }

    /// A text; an empty one is none.
    fn text(&self, name: &str) -> Result<Option<String>, Unreadable> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let text: String = serde_json::from_str(value.get())
            .map_err(|_| Unreadable::new(format!("`{name}` is no text")))?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    fn required(&self, name: &str) -> Result<String, Unreadable> {
        self.text(name)?.ok_or_else(|| Unreadable::new(format!("`{name}` is missing")))
    }

    /// The members of an object below, if there is one.
    fn inner(&self, name: &str) -> Option<Self> {
        serde_json::from_str(self.get(name)?.get()).ok().map(Self)
    }

    /// The text of a number.
    fn figure(&self, name: &str) -> Result<Option<String>, Unreadable> {
        let Some(value) = self.get(name) else { return Ok(None) };
        decimal::text(value).map_err(|()| Unreadable::new(format!("`{name}` is no number")))
    }
}

/// The object itself, or what the answer wraps it in.
fn unwrapped(body: Members) -> Members {
    if body.get("id").is_some() || body.get("paymentId").is_some() {
        return body;
    }
    body.inner("payload").or_else(|| body.inner("data")).unwrap_or(body)
}

/// The id, by either of its names. Two that differ name two payments.
fn payment_id(members: &Members) -> Result<ProviderPaymentId, Unreadable> {
    let id = match (members.text("id")?, members.text("paymentId")?) {
        (Some(id), Some(other)) if id != other => {
            return Err(Unreadable::new("the answer names two payments"));
        }
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => return Err(Unreadable::new("the answer has no id of a payment")),
    };
    ProviderPaymentId::new(id).map_err(|_| Unreadable::new("the answer's id cannot be one"))
}

/// A payment, from the answer to creating, reading, updating or confirming one. `return_field` is
/// the name by which we send the payer's return address.
pub(crate) fn answer(body: &[u8], return_field: &str) -> Result<Answer, Unreadable> {
    let members = unwrapped(Members::of_body(body)?);
    let session = members.get("session").and_then(session);
    let of_session = |link: fn(&Value, &str) -> Link| {
        session.as_ref().map_or(Link::Missing, |session| link(&session.value, return_field))
    };
    let in_session = of_session(session_link);
    let named = |name: &str| members.text(name).ok().flatten();
    let own = LINKS.iter().filter(|name| **name != return_field).find_map(|name| named(name));
    Ok(Answer {
        id: payment_id(&members)?,
        invoice_id: members.text("invoiceId")?,
        word: members.text("status")?.unwrap_or_default(),
        kind: members.text("type")?,
        link: if in_session == Link::Missing { link(own.as_deref()) } else { in_session },
        maybe_echo: link(named(return_field).as_deref()),
        maybe_echo_in_session: of_session(session_echo),
        session,
    })
}

/// A session that says something.
fn session(value: &RawValue) -> Option<Session> {
    let value: Value = serde_json::from_str(value.get()).ok()?;
    let members = value.as_object().filter(|members| !members.is_empty())?;
    let id = members.get("id").and_then(Value::as_str).map(str::to_owned);
    Some(Session { id: id.filter(|id| !id.is_empty()), value })
}

fn session_link(session: &Value, return_field: &str) -> Link {
    let hosted = session.pointer("/_links/redirect/href").and_then(Value::as_str);
    let mut names = LINKS.iter().filter(|name| **name != return_field);
    let named = || names.find_map(|name| session.get(name)?.as_str());
    link(hosted.or_else(named))
}

fn session_echo(session: &Value, return_field: &str) -> Link {
    link(session.get(return_field).and_then(Value::as_str))
}

fn link(text: Option<&str>) -> Link {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Link::Missing };
    match Url::parse(text) {
        Ok(url) if is_private(&url) => Link::Fit(url),
        Ok(_) | Err(_) => Link::Unfit,
    }
}

/// What becomes of an invoice's rows that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// The invoice cannot be read: where money is about to move, each row counts.
    All,
    /// They are left out.
    Readable,
}

/// An invoice. An amount that cannot be read exactly is an error, since money hangs on it; the price
/// before a discount is for people to see.
pub(crate) fn invoice(body: &[u8], measures: &Measures, rows: Rows) -> Result<Invoice, Unreadable> {
    let body = Members::of_body(body)?;
    let members = match body.get("id") {
        Some(_) => body,
        None => body.inner("payload").or_else(|| body.inner("data")).unwrap_or(body),
    };
    let code = members.text("currency")?;
    let currency = code.as_deref().and_then(|code| measures.currency(code));
    let amount = |name: &str| {
        let Some(text) = members.figure(name)? else { return Ok(None) };
        let currency = currency.ok_or_else(|| {
            let message =
                "the invoice's currency is not known: name it with the setting `currency`";
            Unreadable::new(message)
        })?;
        decimal::money(&text, measures.amount_unit, currency)
            .map(Some)
            .map_err(|_| Unreadable::new(format!("`{name}` is no amount of {currency}")))
    };
    let before = |name: &str| amount(name).ok().flatten();
    Ok(Invoice {
        id: members.required("id")?,
        status: members.text("status")?,
        kind: members.text("type")?,
        amount: amount("amount")?,
        amount_before_discount: before("AmountBeforeDiscount")
            .or_else(|| before("amountBeforeDiscount")),
        currency,
        payment_date: members
            .figure("paymentDate")?
            .and_then(|text| decimal::moment(&text, measures.date_unit)),
        discount_code: members.text("discountCode")?,
        external_client_id: members.text("externalClientId")?,
        payments: payments(&members, rows)?,
    })
}

fn payments(members: &Members, rows: Rows) -> Result<Vec<InvoicePayment>, Unreadable> {
    let Some(list) = members.get("payments") else { return Ok(Vec::new()) };
    let list: Result<Vec<Box<RawValue>>, _> = serde_json::from_str(list.get());
    let read = list.map_err(|_| Unreadable::new("`payments` is no list")).and_then(|list| {
        let read = list.iter().map(|text| row(text));
        match rows {
            Rows::All => read.collect(),
            Rows::Readable => Ok(read.filter_map(Result::ok).collect()),
        }
    });
    match rows {
        Rows::All => read,
        Rows::Readable => Ok(read.unwrap_or_default()),
    }
}

fn row(text: &RawValue) -> Result<InvoicePayment, Unreadable> {
    let row = serde_json::from_str(text.get()).map(Members);
    let row = row.map_err(|_| Unreadable::new("a row of `payments` is no object"))?;
    Ok(InvoicePayment {
        id: payment_id(&row)?,
        status: row.text("status")?,
        kind: row.text("type")?,
    })
}

/// A webhook's body. What a reason to look does not need may be missing or odd.
pub(crate) fn notification(
    kind: NotificationKind,
    body: &[u8],
    measures: &Measures,
) -> Result<Notification, Unreadable> {
    let body = Members::of_body(body)?;
    let payload =
        body.inner("payload").ok_or_else(|| Unreadable::new("the body has no `payload`"))?;
    let payment_id = ProviderPaymentId::new(payload.required("paymentId")?)
        .map_err(|_| Unreadable::new("`paymentId` cannot be an id"))?;
    let code = payload.text("currency").ok().flatten();
    let currency = code.as_deref().and_then(|code| measures.currency(code));
    let figure = |name| payload.figure(name).ok().flatten();
    let amount = figure("amount")
        .zip(currency)
        .and_then(|(text, currency)| decimal::money(&text, measures.amount_unit, currency).ok());
    Ok(Notification {
        kind,
        payment_id,
        invoice_id: payload.required("invoiceId")?,
        status: payload.required("status")?,
        amount,
        currency: code,
        payment_date: figure("paymentDate")
            .and_then(|text| decimal::moment(&text, measures.date_unit)),
        external_data: payload.text("externalData").ok().flatten().map(Sensitive::new),
    })
}

/// A token, as the provider gives it.
pub(crate) struct Token {
    pub(crate) access: SecretString,
    pub(crate) refresh: Option<SecretString>,
    /// In seconds.
    pub(crate) expires_in: Option<i64>,
}

/// The answer to a refresh.
pub(crate) fn token(body: &[u8]) -> Result<Token, Unreadable> {
    let members = Members::of_body(body)?;
    let access = members.required("access_token")?;
    if !access.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Unreadable::new("`access_token` cannot stand in a header"));
    }
    Ok(Token {
        access: access.into(),
        refresh: members.text("refresh_token")?.map(SecretString::from),
        // The token is there, and the one before may be worth nothing: its life is no condition.
        expires_in: members.figure("expires_in").ok().flatten().and_then(|text| text.parse().ok()),
    })
}
