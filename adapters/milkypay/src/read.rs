//! From the provider's words to its objects: what must be there is asked for, figures are read
//! exactly, and nothing is made up. What money does not hang on is left out where it cannot be
//! read, so that an odd log line does not hide a payment. Pure.

use std::collections::BTreeMap;

use paymux_core::{Currency, Cursor, ProviderPaymentId, Result, Sensitive, json::Unreadable};
use serde_json::value::RawValue;
use url::Url;

use crate::{
    config::Mode,
    objects::{
        ActivePayment, CallbackLog, Invoice, InvoicePage, OriginalIds, Payload, PaymentCard,
        PaymentForm,
    },
    php::{self, Members},
};

mod services;

pub(crate) use services::{prerequest, service, service_page};

/// The kind of resource that an invoice is.
pub(crate) const INVOICES: &str = "payment-invoices";

/// The currencies whose decimals are known: those of ISO 4217, and those the account names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known(pub(crate) Vec<Currency>);

impl Known {
    pub(crate) fn currency(&self, code: &str) -> Option<Currency> {
        let named = self.0.iter().find(|currency| currency.code() == code);
        named.copied().or_else(|| Currency::iso(code).ok())
    }
}

/// The object below `data`.
pub(crate) fn data<'a>(body: &Members<'a>) -> Result<Members<'a>, Unreadable> {
    body.get("data")
        .and_then(Members::of_object)
        .ok_or_else(|| Unreadable::new("the answer has no data"))
}

/// The one invoice of an answer, of either API.
pub(crate) fn invoice(body: &[u8], known: &Known) -> Result<Invoice, Unreadable> {
    invoice_of(&data(&Members::of_body(body)?)?, known)
}

/// The invoices that a look-up by reference found: the specification prints one below `data`,
/// where a filtered list stands.
pub(crate) fn found(body: &[u8], known: &Known) -> Result<Vec<Invoice>, Unreadable> {
    let body = Members::of_body(body)?;
    match data(&body) {
        Ok(one) => Ok(vec![invoice_of(&one, known)?]),
        Err(_) => rows(&body, known),
    }
}

/// A page of the list. Its links are checked by `cursor`.
pub(crate) fn invoice_page(
    body: &[u8],
    known: &Known,
    cursor: impl Fn(&str) -> Result<Cursor, Unreadable>,
) -> Result<InvoicePage, Unreadable> {
    let body = Members::of_body(body)?;
    let items = rows(&body, known)?;
    let meta = body.members("meta");
    let links = body.members("links");
    let link = |name| links.filled(name).as_deref().map(&cursor).transpose();
    Ok(InvoicePage {
        count: meta.count("count"),
        size: meta.count("size"),
        before: meta.filled("before"),
        after: meta.filled("after"),
        prev: link("prev")?,
        // A page without rows has none behind it, whatever it says.
        next: if items.is_empty() { None } else { link("next")? },
        items,
    })
}

fn rows(body: &Members<'_>, known: &Known) -> Result<Vec<Invoice>, Unreadable> {
    let list = body.get("data").filter(|data| data.get().starts_with('['));
    let rows = list.and_then(|_| body.rows("data"));
    let rows = rows.ok_or_else(|| Unreadable::new("the answer has no list of data"))?;
    let row = |row: &RawValue| match Members::of_object(row) {
        Some(row) => invoice_of(&row, known),
        None => Err(Unreadable::new("a row of the list is no object")),
    };
    rows.into_iter().map(row).collect()
}

/// An invoice in the form of either API: with `attributes`, or flat.
pub(crate) fn invoice_of(data: &Members<'_>, known: &Known) -> Result<Invoice, Unreadable> {
    if data.filled("type").is_some_and(|kind| kind != INVOICES) {
        return Err(Unreadable::new("the answer is about something else than an invoice"));
    }
    let attributes = data.get("attributes").map(|_| data.members("attributes"));
    let own = attributes.as_ref().unwrap_or(data);
    let currency = own.currency("currency", known)?;
    let active = own.get("active_payment").and_then(Members::of_object);
    let form = match &active {
        Some(active) => active.members("payload"),
        None => own.members("flow_data"),
    };
    let mode = own.flag("test_mode").map(Mode::of_test_mode);
    let id = ProviderPaymentId::new(data.required("id")?);
    Ok(Invoice {
        id: id.map_err(|_| Unreadable::new("the answer's id cannot be one"))?,
        serial_number: own.filled("serial_number"),
        status: own.required("status")?.into(),
        resolution: own.filled("resolution"),
        moderation_required: own.flag("moderation_required"),
        mode: mode.ok_or_else(|| Unreadable::new("the answer has no test_mode"))?,
        reference_id: own.filled("reference_id"),
        currency,
        service_currency: own.filled("service_currency"),
        amount: own.money("amount", currency)?,
        payment_amount: own.money("payment_amount", currency)?,
        processed_amount: own.money("processed_amount", currency)?,
        refunded_amount: own.money("refunded_amount", currency)?,
        charged_back_amount: own.money("charged_back_amount", currency)?,
        service_amount: own.figure("service_amount"),
        payment_service_amount: own.figure("payment_service_amount"),
        exchange_rate: own.figure("exchange_rate"),
        fee: own.figure("fee"),
        deposit: own.figure("deposit"),
        processed_fee: own.figure("processed_fee"),
        processed_deposit: own.figure("processed_deposit"),
        refunded_fee: own.figure("refunded_fee"),
        reserved_amount: own.figure("reserved_amount"),
        reserve_expires: own.moment("reserve_expires"),
        unreserved: own.get("unreserved").and_then(|value| serde_json::from_str(value.get()).ok()),
        payment_flow: own.filled("payment_flow"),
        service: own.filled("service").or_else(|| related(data, "payment-service")),
        service_method: own.filled("service_method").or_else(|| related(data, "payment-method")),
        service_flow: own.filled("service_flow").or_else(|| own.filled("flow")),
        hpp_url: own.filled("hpp_url").and_then(|url| Url::parse(&url).ok()),
        form: payment_form(&form),
        active_payment: active.map(|active| ActivePayment {
            status: active.filled("status"),
            resolution: active.filled("resolution"),
        }),
        payload: payload(&own.members("payload")),
        description: own.text("description"),
        descriptor: own.text("descriptor"),
        callback_url: own.filled("callback_url"),
        return_url: own.filled("return_url"),
        return_urls: own.values("return_urls"),
        has_return_url: own.flag("has_return_url"),
        metadata: own.values("metadata"),
        original: original(&own.members("original_data")),
        rrn: own.filled("rrn"),
        approval_code: own.filled("approval_code"),
        source: own.filled("source"),
        callback_logs: callback_logs(&own.members("callback_logs")),
        customer: related(data, "customer"),
        link: data.members("links").filled("self"),
        created: own.moment("created"),
        updated: own.moment("updated"),
        processed: own.moment("processed"),
        refunded: own.moment("refunded"),
        failed: own.moment("failed"),
    })
}

/// The id of what a resource of the private API is related to.
fn related(data: &Members<'_>, name: &str) -> Option<String> {
    data.members("relationships").members(name).members("data").filled("id")
}

fn payment_form(form: &Members<'_>) -> Option<PaymentForm> {
    let mut params = Vec::new();
    flatten("", &form.members("params"), &mut params);
    Some(PaymentForm {
        action: Url::parse(&form.filled("action")?).ok()?,
        method: form.filled("method").unwrap_or_else(|| "GET".to_owned()).to_ascii_uppercase(),
        params: Sensitive::new(params),
        metadata: Sensitive::new(form.values("metadata")),
    })
}

/// The fields of a form; those of a map below it are named as PHP does, `map[field]`.
fn flatten(prefix: &str, members: &Members<'_>, fields: &mut Vec<(String, String)>) {
    for (name, value) in members.iter() {
        let name = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}[{name}]") };
        match (Members::of_any(value), php::text(value)) {
            (Some(inner), _) => flatten(&name, &inner, fields),
            (None, text) => fields.push((name, text.unwrap_or_default())),
        }
    }
}

fn payload(payload: &Members<'_>) -> Option<Payload> {
    if payload.is_empty() {
        return None;
    }
    let card = payload.get("payment_card").and_then(Members::of_object);
    Some(Payload {
        token: Sensitive::new(payload.filled("token").unwrap_or_default()),
        client_ip: payload.text("client_ip"),
        auth_type: payload.filled("auth_type"),
        payment_card: card.map(|card| PaymentCard {
            first: card.filled("first"),
            last: card.filled("last"),
            mask: card.filled("mask"),
            brand: card.filled("brand"),
            network: card.filled("network"),
            holder: card.filled("holder"),
            expiry_month: card.filled("expiry_month"),
            expiry_year: card.filled("expiry_year"),
            issuer_name: card.filled("issuer_name"),
            issuer_country: card.filled("issuer_country"),
        }),
    })
}

fn original(ids: &Members<'_>) -> Option<OriginalIds> {
    if ids.is_empty() {
        return None;
    }
    Some(OriginalIds {
        external_id: ids.filled("external_id"),
        merchant_id: ids.filled("merchant_id"),
        provider_id: ids.filled("provider_id"),
        external_mid: ids.filled("external_mid"),
        provider_code: ids.filled("provider_code"),
    })
}

/// Named by their time; as a list they have none.
fn callback_logs(logs: &Members<'_>) -> Vec<CallbackLog> {
    const SMALLEST_TIME: i64 = 1_000_000_000;
    let logs = logs.iter().filter_map(|(name, log)| {
        let log = Members::of_object(log)?;
        let at = php::seconds(name).filter(|at| at.as_seconds() >= SMALLEST_TIME);
        Some(CallbackLog {
            at,
            status: log.filled("status"),
            processed: log.moment("processed"),
            response_code: log.filled("response_code"),
            transaction_status: log.filled("transaction_status"),
        })
    });
    logs.collect()
}

/// Texts by locale; one text alone stands under the empty locale.
fn by_locale(members: &Members<'_>, name: &str) -> BTreeMap<String, String> {
    match members.text(name) {
        Some(text) => BTreeMap::from([(String::new(), text)]),
        None => {
            let texts = members.members(name);
            let texts = texts.iter();
            texts.filter_map(|(at, text)| Some((at.to_owned(), php::text(text)?))).collect()
        }
    }
}
