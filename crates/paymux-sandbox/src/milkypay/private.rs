//! Answers of the private API, and with them the bodies of callbacks: JSON:API resources.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::objects::{Flow, Invoice, Source};
use super::public::{GateView, gate, serial_number};
use super::services::{self, Service};
use super::state::State;
use super::status::Status;
use super::wire::{Number, Style};

/// A row, or the one object of an answer.
#[derive(Debug, Serialize)]
pub(super) struct Resource<A> {
    r#type: &'static str,
    id: String,
    attributes: A,
    relationships: Value,
    links: Value,
}

#[derive(Debug, Serialize)]
pub(super) struct InvoiceAttributes<'a> {
    serial_number: &'a str,
    status: Status,
    resolution: &'a str,
    moderation_required: bool,
    amount: Number,
    payment_amount: Number,
    currency: &'a str,
    service_currency: &'a str,
    reference_id: &'a str,
    test_mode: bool,
    fee: Number,
    deposit: Number,
    processed: Option<Number>,
    processed_amount: Option<Number>,
    refunded_amount: Option<Number>,
    processed_fee: Option<Number>,
    processed_deposit: Option<Number>,
    metadata: Value,
    flow_data: FlowData<'a>,
    flow: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hpp_url: Option<String>,
    payment_flow: Flow,
    created: Number,
    updated: Number,
    payload: Value,
    description: Option<&'a str>,
    descriptor: Option<&'a str>,
    callback_url: Option<&'a str>,
    return_url: Option<&'a str>,
    original_data: Value,
    rrn: Option<&'a str>,
    approval_code: Option<&'a str>,
    reserved_amount: Option<Number>,
    reserve_expires: Option<Number>,
    unreserved: Option<Number>,
    source: Source,
    callback_logs: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    charged_back_amount: Option<Number>,
    #[serde(flatten)]
    newer: Option<NewerMembers>,
}

/// Where the payer goes, or an empty map where there is no page to go to.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum FlowData<'a> {
    Gate(GateView<'a>),
    Empty(Value),
}

fn flow_data(invoice: &Invoice, style: Style) -> FlowData<'_> {
    if matches!(invoice.status, Status::Created | Status::Verified | Status::VerifyFailed) {
        return FlowData::Empty(style.map(&Map::new()));
    }
    FlowData::Gate(gate(&invoice.gate, style))
}

/// Members that later deployments added.
#[derive(Debug, Serialize)]
struct NewerMembers {
    return_urls: Value,
    service_amount: Option<Number>,
    payment_service_amount: Option<Number>,
    exchange_rate: Option<Number>,
    refunded: Option<Number>,
    refunded_fee: Option<i64>,
    failed: Option<Number>,
}

/// Where an answer shows an invoice.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shown {
    /// On creation, with `hpp_url`.
    Created,
    /// In a read, with the log of callbacks.
    Read(Map<String, Value>),
    /// In a callback, whose log is empty in every sample.
    Callback,
}

pub(super) fn invoice<'a>(
    state: &State,
    invoice: &'a Invoice,
    shown: &Shown,
) -> Resource<InvoiceAttributes<'a>> {
    let style = Style::of(&state.settings);
    let empty = Map::new();
    let logs = if let Shown::Read(logs) = shown { logs } else { &empty };
    let attributes = InvoiceAttributes {
        serial_number: serial_number(&invoice.id),
        status: invoice.status,
        resolution: &invoice.resolution,
        moderation_required: invoice.moderation_required,
        amount: style.amount(invoice.amount),
        payment_amount: style.amount(invoice.payment_amount),
        currency: &invoice.currency,
        service_currency: &invoice.currency,
        reference_id: &invoice.reference_id,
        test_mode: invoice.test_mode,
        fee: style.amount(invoice.fee),
        deposit: style.amount(invoice.deposit),
        processed: style.optional_time(invoice.processed),
        processed_amount: style.optional(invoice.processed_amount),
        refunded_amount: style.optional(invoice.refunded_amount),
        processed_fee: style.optional(invoice.processed_fee),
        processed_deposit: style.optional(invoice.processed_deposit),
        metadata: style.map(&invoice.metadata),
        flow_data: flow_data(invoice, style),
        flow: &invoice.service_flow,
        hpp_url: (*shown == Shown::Created).then(|| state.page_url(&invoice.id)),
        payment_flow: invoice.flow,
        created: style.time(invoice.created),
        updated: style.time(invoice.updated),
        payload: payload(invoice, shown, style),
        description: invoice.description.as_deref(),
        descriptor: None,
        callback_url: invoice.callback_url.as_deref(),
        return_url: invoice.return_url.as_deref(),
        original_data: original_data(invoice),
        rrn: None,
        approval_code: None,
        reserved_amount: style.optional(invoice.reserved_amount),
        reserve_expires: style.optional_time(invoice.reserve_expires),
        unreserved: None,
        source: invoice.source,
        callback_logs: style.map(logs),
        charged_back_amount: style.optional(invoice.charged_back_amount),
        newer: state.settings.newer_members.then(|| newer(invoice, style)),
    };
    let mut relationships = json!({
        "payment-service": {"data": {"type": "payment-services", "id": invoice.service}},
        "payment-method": {"data": {"type": "payment-methods", "id": invoice.method}},
    });
    if let Some(id) = &invoice.customer_id {
        relationships["customer"] = json!({"data": {"type": "customers", "id": id}});
    }
    Resource {
        r#type: "payment-invoices",
        id: invoice.id.clone(),
        attributes,
        relationships,
        links: json!({"self": format!("{}/{}", path(state, "payment-invoices"), invoice.id)}),
    }
}

/// The path of a collection as links name it: absolute on this host.
pub(super) fn path(state: &State, collection: &str) -> String {
    format!("{}api/{collection}", state.base.path())
}

fn newer(invoice: &Invoice, style: Style) -> NewerMembers {
    let urls = match &invoice.return_urls {
        Some(urls) => json!(urls),
        None => style.map(&Map::new()),
    };
    NewerMembers {
        return_urls: urls,
        service_amount: None,
        payment_service_amount: None,
        exchange_rate: None,
        refunded: style.optional_time(invoice.refunded),
        refunded_fee: invoice.refunded.map(|_| 0),
        failed: style.optional_time(invoice.failed),
    }
}

/// Who paid, once the payer has shown up. The card is the platform's test card, masked.
fn payload(invoice: &Invoice, shown: &Shown, style: Style) -> Value {
    if !invoice.has_payer {
        // The samples have null in reads and an empty map in callbacks.
        let callback = *shown == Shown::Callback;
        return if callback { style.map(&Map::new()) } else { Value::Null };
    }
    let mut payload = json!({"token": null, "client_ip": ""});
    if invoice.method == "payment_card" || invoice.method == "applepay" {
        payload["payment_card"] = json!({
            "last": "0000",
            "mask": "512381******0000",
            "brand": "mastercard",
            "first": "512381",
            "holder": null,
            "network": "mastercard",
            "expiry_year": "30",
            "issuer_name": "SANDBOX BANK",
            "expiry_month": "12",
            "issuer_country": "US",
        });
    }
    payload
}

fn original_data(invoice: &Invoice) -> Value {
    let known = invoice.has_payer;
    json!({
        "external_id": known.then_some(&invoice.gate.sid),
        "merchant_id": known.then_some("sandboxMerchant"),
        "provider_id": null,
        "external_mid": "org_sandboxMerchant1",
        "provider_code": known.then_some("test"),
    })
}

#[derive(Debug, Serialize)]
pub(super) struct ServiceAttributes<'a> {
    service: &'a str,
    service_method: &'a str,
    service_currency: &'a str,
    available: bool,
    active: bool,
    enabled: bool,
    amount_min: Number,
    amount_max: Number,
    fee_min: i64,
    fee_max: i64,
    fee_rate: Number,
    fee_fix: Number,
    reserve_lifetime: Option<u32>,
    reserve_rate: Option<Number>,
    currency: &'a str,
    test_mode: bool,
}

pub(super) fn service<'a>(
    state: &State,
    code: &'a str,
    service: &'a Service,
) -> Resource<ServiceAttributes<'a>> {
    let style = Style::of(&state.settings);
    let id = services::row_id(code);
    let attributes = ServiceAttributes {
        service: code,
        service_method: &service.method,
        service_currency: &service.currency,
        available: service.available,
        active: service.active,
        enabled: service.enabled,
        amount_min: style.amount(service.known(&service.amount_min)),
        amount_max: style.amount(service.known(&service.amount_max)),
        fee_min: 0,
        fee_max: 0,
        fee_rate: style.amount(Service::rate(&service.fee_rate)),
        fee_fix: style.amount(service.known(&service.fee_fix)),
        reserve_lifetime: Some(service.reserve_lifetime),
        reserve_rate: Some(style.amount(Service::rate(&service.reserve_rate))),
        currency: "GBP",
        test_mode: true,
    };
    Resource {
        r#type: "payment-services",
        attributes,
        relationships: json!({
            "payment-method": {"data": {"type": "payment-methods", "id": service.method}},
            "payment-service": {"data": {"type": "payment-services", "id": code}},
        }),
        links: json!({"self": format!("{}/{id}", path(state, "payment-services"))}),
        id,
    }
}

/// What the account option "Expose internal callback data" adds to a callback.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Included<'a> {
    Request(Box<Resource<RequestAttributes<'a>>>),
    Customer(Resource<&'a Map<String, Value>>),
}

#[derive(Debug, Serialize)]
pub(super) struct RequestAttributes<'a> {
    amount: Number,
    paid_amount: Option<Number>,
    currency: &'a str,
    reference_id: &'a str,
    /// Upper case in this resource.
    status: String,
    resolution: String,
    description: Option<&'a str>,
    test_mode: bool,
    expires: Number,
    created: Number,
    processed: Option<Number>,
    fields: Value,
}

pub(super) fn included(invoice: &Invoice, style: Style) -> Vec<Included<'_>> {
    let empty = || style.map(&Map::new());
    let attributes = RequestAttributes {
        amount: style.amount(invoice.payment_amount),
        paid_amount: style.optional(invoice.processed_amount),
        currency: &invoice.currency,
        reference_id: &invoice.id,
        status: invoice.status.word().to_uppercase(),
        resolution: invoice.resolution.to_uppercase(),
        description: invoice.description.as_deref(),
        test_mode: invoice.test_mode,
        expires: style.time(invoice.expires),
        created: style.time(invoice.created),
        processed: style.optional_time(invoice.processed),
        fields: style.map(&invoice.service_fields),
    };
    let request = Included::Request(Box::new(Resource {
        r#type: "payment-requests",
        id: format!("prq_{}", serial_number(&invoice.id)),
        attributes,
        relationships: empty(),
        links: empty(),
    }));
    let customer = invoice.customer.as_ref().zip(invoice.customer_id.as_ref());
    let customer = customer.map(|(attributes, id)| {
        Included::Customer(Resource {
            r#type: "customers",
            id: id.clone(),
            attributes,
            relationships: empty(),
            links: empty(),
        })
    });
    std::iter::once(request).chain(customer).collect()
}
