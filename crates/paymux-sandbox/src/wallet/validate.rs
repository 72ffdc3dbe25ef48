//! What a transaction and an allowance may be made with.

use jiff::Timestamp;
use serde_json::{Map, Value};
use url::Url;

use super::errors::Refusal;
use super::objects::{AllowanceTerms, Callback, Limit, PaymentTerms, Span, TransactionTerms};
use super::read::Reader;
use super::settings::WalletSettings;
use super::validate_payment;

const MONTH_SECONDS: i64 = 30 * 24 * 3600;
const HOUR_SECONDS: i64 = 3600;

/// A payment of a new transaction: a new one, or one that exists and moves over.
#[derive(Debug)]
pub(super) enum Part {
    New(Box<PaymentTerms>),
    Existing(i64),
}

/// The allowance of a new transaction.
#[derive(Debug)]
pub(super) enum NewAllowance {
    New(AllowanceTerms),
    Existing(i64),
}

/// A transaction that may be made.
#[derive(Debug)]
pub(super) struct NewTransaction {
    pub(super) terms: TransactionTerms,
    pub(super) payments: Vec<Part>,
    pub(super) allowance: Option<NewAllowance>,
}

/// Reads the body of `POST /transaction`. `location` and `project` are those of the signature's
/// `ext`, which stand behind the body's own.
pub(super) fn transaction(
    settings: &WalletSettings,
    members: &Map<String, Value>,
    ext: &[(String, String)],
    now: Timestamp,
) -> Result<NewTransaction, Refusal> {
    let mut reader = Reader::new(members, "");
    let of_ext = |name: &str| {
        ext.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.parse::<i64>().ok())
    };
    let redirect_uri = address(&mut reader, "redirect_uri");
    let callback = callback(&mut reader);
    let (allowance, allowance_optional) = allowance_member(settings, &mut reader, now);
    let terms = TransactionTerms {
        redirect_uri,
        callback,
        auto_confirm: reader.boolean("auto_confirm").unwrap_or(false),
        use_allowance: reader.boolean("use_allowance").unwrap_or(true),
        suggest_allowance: reader.boolean("suggest_allowance").unwrap_or(false),
        reserve: span(&mut reader, "reserve", Flat::Hours, now)
            .unwrap_or(Span::For(i64::from(settings.reserve_seconds))),
        charge: reader.integer("allowance_id"),
        allowance_optional,
        project_id: reader
            .integer("project_id")
            .or_else(|| of_ext("project_id"))
            .unwrap_or(settings.project_id),
        location_id: reader.integer("location_id").or_else(|| of_ext("location_id")),
        extras: reader.keep(&["user", "restrictions", "inquiries"]),
    };
    let payments = parts(settings, &mut reader, now);
    if payments.is_empty() && allowance.is_none() && reader.wrong.is_empty() {
        reader.refuse("payments", "Either payments or allowance must be provided");
    }
    if terms.charge.is_some() && allowance.is_some() {
        reader.refuse("allowance_id", "Give allowance_id or allowance, not both");
    }
    reader.finish(Some(NewTransaction { terms, payments, allowance }))
}

fn parts(settings: &WalletSettings, reader: &mut Reader<'_>, now: Timestamp) -> Vec<Part> {
    let mut parts = Vec::new();
    for (position, element) in reader.array("payments").unwrap_or_default().iter().enumerate() {
        let path = format!("payments[{position}]");
        match (element, element.as_i64()) {
            (Value::Object(members), _) => {
                let terms = validate_payment::terms(settings, members, &path, now);
                parts.extend(reader.take(terms).map(|terms| Part::New(Box::new(terms))));
            }
            (_, Some(id)) => parts.push(Part::Existing(id)),
            _ => reader.refuse(&path, "A payment is an object or an id"),
        }
    }
    parts
}

/// An absolute address that a browser may be sent to.
fn address(reader: &mut Reader<'_>, name: &str) -> Option<String> {
    let text = reader.text(name)?;
    let url = Url::parse(text).ok();
    let harmful = ["javascript", "data", "vbscript", "file", "blob", "about"];
    match url {
        Some(url) if !harmful.contains(&url.scheme()) => Some(text.to_owned()),
        Some(_) | None => {
            reader.refuse(name, format!("{name} must be an absolute URI"));
            None
        }
    }
}

fn callback(reader: &mut Reader<'_>) -> Callback {
    match reader.value("callback_uri") {
        None => Callback::Project,
        Some(Value::Bool(false)) => Callback::Off,
        Some(_) => address(reader, "callback_uri").map_or(Callback::Project, Callback::To),
    }
}

/// What the flat spelling `<name>_for` counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Flat {
    Hours,
    Seconds,
}

impl Flat {
    /// How many seconds one is.
    pub(super) fn seconds(self) -> i64 {
        match self {
            Flat::Hours => HOUR_SECONDS,
            Flat::Seconds => 1,
        }
    }
}

/// A time in any of its spellings: `{"for": seconds}`, `{"until": ts}`, `<name>_for`,
/// `<name>_until`.
pub(super) fn span(
    reader: &mut Reader<'_>,
    name: &str,
    flat: Flat,
    now: Timestamp,
) -> Option<Span> {
    if let Some(members) = reader.object(name) {
        let mut inner = Reader::new(members, reader.path_of(name));
        let span = match inner.future("until", now) {
            Some(until) => Some(Span::Until(until)),
            None => inner.at_least("for", 0).map(Span::For),
        };
        reader.wrong.append(&mut inner.wrong);
        return span;
    }
    if let Some(until) = reader.future(&format!("{name}_until"), now) {
        return Some(Span::Until(until));
    }
    let count = reader.at_least(&format!("{name}_for"), 0)?;
    Some(Span::For(count.saturating_mul(flat.seconds())))
}

/// What a flat spelling counts under these settings.
pub(super) fn flat(settings: &WalletSettings) -> Flat {
    if settings.periods_in_seconds { Flat::Seconds } else { Flat::Hours }
}

/// The member `allowance`: its fields, `{"data", "optional"}` or `{"id", "optional"}`.
fn allowance_member(
    settings: &WalletSettings,
    reader: &mut Reader<'_>,
    now: Timestamp,
) -> (Option<NewAllowance>, bool) {
    let Some(members) = reader.object("allowance") else { return (None, false) };
    let mut outer = Reader::new(members, "allowance");
    let optional = outer.boolean("optional").unwrap_or(false);
    let read = if outer.has("id") {
        outer.integer("id").map(NewAllowance::Existing)
    } else {
        let (fields, path) = match outer.object("data") {
            Some(fields) => (fields, "allowance.data"),
            None => (members, "allowance"),
        };
        reader.take(allowance(settings, fields, path, now)).map(NewAllowance::New)
    };
    reader.wrong.append(&mut outer.wrong);
    (read, optional)
}

/// Reads an allowance.
pub(super) fn allowance(
    settings: &WalletSettings,
    members: &Map<String, Value>,
    path: &str,
    now: Timestamp,
) -> Result<AllowanceTerms, Refusal> {
    let mut reader = Reader::new(members, path);
    let max_price = reader.cents("max_price", 1);
    let limits = limits(settings, &mut reader);
    if reader.wrong.is_empty() && max_price.is_none() && limits.is_empty() {
        reader.refuse("max_price", "Either max_price or limits must be provided");
    }
    let currency = reader.currency("currency");
    if currency.is_none() && !reader.has("currency") {
        reader.refuse("currency", "Currency must be 3-letter code (e.g., EUR)");
    }
    let valid = span(&mut reader, "valid", flat(settings), now).unwrap_or(Span::For(MONTH_SECONDS));
    let description = reader.filled("description");
    let terms =
        currency.map(|currency| AllowanceTerms { description, currency, max_price, limits, valid });
    reader.finish(terms)
}

fn limits(settings: &WalletSettings, reader: &mut Reader<'_>) -> Vec<Limit> {
    let unit = flat(settings).seconds();
    let mut limits = Vec::new();
    for (position, element) in reader.array("limits").unwrap_or_default().iter().enumerate() {
        let name = format!("limits[{position}]");
        let Value::Object(members) = element else {
            reader.refuse(&name, "A limit is an object");
            continue;
        };
        let mut inner = Reader::new(members, reader.path_of(&name));
        let max_price = inner.cents("max_price", 1);
        let time = inner
            .at_least("time", 1)
            .or_else(|| inner.at_least("period", 1).map(|period| period.saturating_mul(unit)));
        if inner.wrong.is_empty() && (max_price.is_none() || time.is_none()) {
            inner.refuse("time", "A limit has max_price and time");
        }
        let limit = max_price.zip(time).map(|(max_price, time)| Limit { max_price, time });
        limits.extend(reader.take(inner.finish(limit)));
    }
    limits
}
