//! Answers of the public API: flat objects, and the pre-request.

use serde::Serialize;
use serde_json::{Value, json};

use super::objects::{GateSession, Invoice};
use super::services::{Service, ServiceField, method_facts};
use super::settings::Account;
use super::state::State;
use super::status::Status;
use super::wire::{Entries, Number, Style};

#[derive(Debug, Serialize)]
pub(super) struct InvoiceView<'a> {
    id: &'a str,
    serial_number: &'a str,
    created: Number,
    test_mode: bool,
    reference_id: &'a str,
    currency: &'a str,
    amount: Number,
    payment_amount: Number,
    processed_amount: Option<Number>,
    refunded_amount: Option<Number>,
    description: Option<&'a str>,
    has_return_url: bool,
    status: Status,
    /// Upper case in this API.
    resolution: String,
    service: &'a str,
    service_method: &'a str,
    service_flow: &'a str,
    service_currency: &'a str,
    metadata: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    hpp_url: Option<String>,
    active_payment: ActivePaymentView<'a>,
}

#[derive(Debug, Serialize)]
struct ActivePaymentView<'a> {
    payload: GateView<'a>,
    status: &'a str,
    resolution: String,
}

/// Where a form, or a redirect, leads the payer.
#[derive(Debug, Serialize)]
pub(super) struct GateView<'a> {
    action: &'a str,
    method: &'a str,
    params: Value,
    metadata: GateMetadata<'a>,
}

#[derive(Debug, Serialize)]
struct GateMetadata<'a> {
    sid: &'a str,
    token: &'a str,
}

pub(super) fn gate(session: &GateSession, style: Style) -> GateView<'_> {
    GateView {
        action: &session.action,
        method: session.method,
        params: style.map(&session.params),
        metadata: GateMetadata { sid: &session.sid, token: &session.token },
    }
}

/// An invoice; `hpp_url` is shown on creation and, as in the samples, not on reads.
pub(super) fn invoice<'a>(
    state: &State,
    invoice: &'a Invoice,
    created_now: bool,
) -> InvoiceView<'a> {
    let style = Style::of(&state.settings);
    InvoiceView {
        id: &invoice.id,
        serial_number: serial_number(&invoice.id),
        created: style.time(invoice.created),
        test_mode: invoice.test_mode,
        reference_id: &invoice.reference_id,
        currency: &invoice.currency,
        amount: style.amount(invoice.amount),
        payment_amount: style.amount(invoice.payment_amount),
        processed_amount: style.optional(invoice.processed_amount),
        refunded_amount: style.optional(invoice.refunded_amount),
        description: invoice.description.as_deref(),
        has_return_url: invoice.return_url.is_some() || invoice.return_urls.is_some(),
        status: invoice.status,
        resolution: invoice.resolution.to_uppercase(),
        service: &invoice.service,
        service_method: &invoice.method,
        service_flow: &invoice.service_flow,
        service_currency: &invoice.currency,
        metadata: style.map(&invoice.metadata),
        hpp_url: created_now.then(|| state.page_url(&invoice.id)),
        active_payment: ActivePaymentView {
            payload: gate(&invoice.gate, style),
            status: invoice.active_payment.status,
            resolution: invoice.active_payment.resolution.to_uppercase(),
        },
    }
}

/// The id without its prefix.
pub(super) fn serial_number(id: &str) -> &str {
    id.strip_prefix("cpi_").unwrap_or(id)
}

#[derive(Debug, Serialize)]
struct ServiceView<'a> {
    code: &'a str,
    method: &'a str,
    flow: &'a str,
    currency: &'a str,
    fields: Vec<Value>,
    amount_min: Number,
    amount_max: Number,
}

#[derive(Debug, Serialize)]
pub(super) struct Prerequest<'a> {
    currency: &'a str,
    test_mode: bool,
    services: Entries<'a, ServiceView<'a>>,
    methods: Entries<'a, Value>,
    account: &'a Account,
}

/// What can be paid with in a currency. The test services are for test keys only.
pub(super) fn prerequest<'a>(
    state: &'a State,
    currency: &'a str,
    test_mode: bool,
) -> Prerequest<'a> {
    let style = Style::of(&state.settings);
    let offered = state.services.iter().filter(|(_, service)| {
        service.enabled
            && service.available
            && service.currency == currency
            && (test_mode || service.flow != "test")
    });
    let mut methods: Vec<(&str, Value)> = Vec::new();
    let mut services = Vec::new();
    for (code, service) in offered {
        if !methods.iter().any(|(known, _)| *known == service.method) {
            methods.push((&service.method, method(&service.method)));
        }
        services.push((code.as_str(), view(state, code, service, style)));
    }
    Prerequest {
        currency,
        test_mode,
        services: style.entries(services),
        methods: style.entries(methods),
        account: &state.settings.account,
    }
}

fn view<'a>(state: &State, code: &'a str, service: &'a Service, style: Style) -> ServiceView<'a> {
    let twice = state.settings.double_escaped_regexps;
    let fields = service.fields.iter().enumerate();
    ServiceView {
        code,
        method: &service.method,
        flow: &service.flow,
        currency: &service.currency,
        fields: fields.map(|(position, shown)| field(position, shown, twice)).collect(),
        amount_min: style.amount(service.known(&service.amount_min)),
        amount_max: style.amount(service.known(&service.amount_max)),
    }
}

fn field(position: usize, field: &ServiceField, twice: bool) -> Value {
    let regexp = if twice { field.regexp.replace('\\', r"\\") } else { field.regexp.clone() };
    let locales = |text: &str| json!({"ru": text, "en": text, "uk": text});
    json!({
        "key": field.key,
        "type": "string",
        "label": locales(&field.label),
        "example": field.example,
        "hint": locales(&format!("Enter {}", field.label)),
        "regexp": regexp,
        "required": field.required,
        "position": position,
    })
}

fn method(code: &str) -> Value {
    let (name, category) = method_facts(code);
    let image = |kind: &str| format!("https://static.example/payment_methods/{code}/{kind}.svg");
    json!({
        "code": code,
        "category": category,
        "description": "",
        "name": {"en": name, "ru": name, "uk": name},
        "logo": image("logo"),
        "icon": image("icon"),
        "metadata": null,
        "position": null,
        "hide": null,
    })
}
