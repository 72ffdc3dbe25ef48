//! Services and pre-requests.

use std::collections::BTreeMap;

use paymux_core::json::Unreadable;
use serde_json::value::RawValue;

use super::{by_locale, data, related};
use crate::{
    config::Mode,
    objects::{
        MerchantCard, PaymentService, PaymentServicePage, Prerequest, PrerequestMethod,
        PrerequestService, ServiceField,
    },
    php::Members,
};

const SERVICES: &str = "payment-services";

/// The one service of an answer.
pub(crate) fn service(body: &[u8]) -> Result<PaymentService, Unreadable> {
    service_of(&data(&Members::of_body(body)?)?)
}

/// A page of the list.
pub(crate) fn service_page(body: &[u8]) -> Result<PaymentServicePage, Unreadable> {
    let body = Members::of_body(body)?;
    let rows =
        body.rows("data").ok_or_else(|| Unreadable::new("the answer has no list of data"))?;
    let row = |row: &RawValue| match Members::of_object(row) {
        Some(row) => service_of(&row),
        None => Err(Unreadable::new("a row of the list is no object")),
    };
    let items: Vec<PaymentService> = rows.into_iter().map(row).collect::<Result<_, _>>()?;
    let meta = body.members("meta");
    let (pages, page) = (meta.count("pages"), meta.count("page"));
    let next = body.members("links").filled("next").is_some();
    let last = pages.zip(page).is_some_and(|(pages, page)| page >= pages);
    let has_more = next && !last && !items.is_empty();
    Ok(PaymentServicePage { items, total: meta.count("total"), pages, page, has_more })
}

fn service_of(data: &Members<'_>) -> Result<PaymentService, Unreadable> {
    if data.filled("type").is_some_and(|kind| kind != SERVICES) {
        return Err(Unreadable::new("the answer is about something else than a service"));
    }
    let own = data.members("attributes");
    Ok(PaymentService {
        id: data.required("id")?,
        service: own.required("service")?,
        service_method: own.filled("service_method"),
        service_currency: own.filled("service_currency"),
        available: own.flag("available"),
        active: own.flag("active"),
        enabled: own.flag("enabled"),
        amount_min: own.decimal("amount_min")?,
        amount_max: own.decimal("amount_max")?,
        fee_min: own.figure("fee_min"),
        fee_max: own.figure("fee_max"),
        fee_rate: own.figure("fee_rate"),
        fee_fix: own.figure("fee_fix"),
        reserve_lifetime: own.figure("reserve_lifetime"),
        reserve_rate: own.figure("reserve_rate"),
        currency: own.filled("currency"),
        mode: own.flag("test_mode").map(Mode::of_test_mode),
        method_id: related(data, "payment-method"),
        service_id: related(data, "payment-service"),
        link: data.members("links").filled("self"),
    })
}

/// What can be paid with.
pub(crate) fn prerequest<'a>(body: &'a [u8]) -> Result<Prerequest, Unreadable> {
    let data = data(&Members::of_body(body)?)?;
    let (services, methods) = (data.members("services"), data.members("methods"));
    let account = data.get("account").and_then(Members::of_object);
    // Maps by code; an entry that does not say its code is none of them.
    let entries = |map: &Members<'a>| {
        let entries = map.iter().filter_map(|(_, value)| Members::of_object(value));
        let coded = entries.filter_map(|entry| Some((entry.filled("code")?, entry)));
        coded.collect::<Vec<_>>()
    };
    let mut by_code = BTreeMap::new();
    for (code, own) in entries(&services) {
        by_code.insert(code.clone(), prerequest_service(code, &own)?);
    }
    let methods = entries(&methods).into_iter();
    Ok(Prerequest {
        currency: data.required("currency")?,
        mode: data.flag("test_mode").map(Mode::of_test_mode),
        services: by_code,
        methods: methods.map(|(code, own)| (code.clone(), prerequest_method(code, &own))).collect(),
        account: account.map(|account| MerchantCard {
            name: account.filled("name"),
            description: account.text("description"),
            icon: account.filled("icon"),
            website: account.filled("website"),
        }),
    })
}

fn object(value: &RawValue) -> Result<Members<'_>, Unreadable> {
    Members::of_object(value).ok_or_else(|| Unreadable::new("an entry of the answer is no object"))
}

fn prerequest_service(code: String, own: &Members<'_>) -> Result<PrerequestService, Unreadable> {
    let fields = own.rows("fields").unwrap_or_default();
    Ok(PrerequestService {
        code,
        method: own.filled("method"),
        flow: own.filled("flow"),
        currency: own.required("currency")?,
        fields: fields.into_iter().map(field).collect::<Result<_, _>>()?,
        amount_min: own.decimal("amount_min")?,
        amount_max: own.decimal("amount_max")?,
    })
}

fn field(value: &RawValue) -> Result<ServiceField, Unreadable> {
    let own = object(value)?;
    Ok(ServiceField {
        key: own.required("key")?,
        kind: own.filled("type"),
        label: by_locale(&own, "label"),
        example: own.text("example"),
        hint: by_locale(&own, "hint"),
        regexp: own.filled("regexp"),
        required: own.flag("required").unwrap_or(false),
        // Older editions call it `weight`.
        position: own.count("position").or_else(|| own.count("weight")),
    })
}

fn prerequest_method(code: String, own: &Members<'_>) -> PrerequestMethod {
    PrerequestMethod {
        code,
        category: own.filled("category"),
        description: own.text("description"),
        name: by_locale(own, "name"),
        logo: own.filled("logo"),
        icon: own.filled("icon"),
        metadata: own.get("metadata").and_then(|value| serde_json::from_str(value.get()).ok()),
        position: own.count("position"),
        hide: own.flag("hide"),
    }
}
