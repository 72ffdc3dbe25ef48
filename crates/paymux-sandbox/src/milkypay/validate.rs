//! What a request must be before it may change anything. Every error of a request is told at
//! once, each at its field.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use url::Url;

use super::errors::Refusal;
use super::objects::{Flow, NewInvoice, ReturnUrls, Source};
use super::refunds::NewRefund;
use super::request::Members;
use super::services::Service;
use super::state::State;
use crate::amount::Amount;
use crate::html::is_safe_link;

const BLANK: &str = "This value should not be blank.";
const INVALID: &str = "This value is not valid.";

/// The invoice can expire no sooner and no later than this after its creation.
const EXPIRES_WITHIN: (SignedDuration, SignedDuration) =
    (SignedDuration::from_mins(14), SignedDuration::from_hours(48));

/// Which members a request may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// JSON of the public API.
    Public { test_mode: bool },
    /// A form of the public API.
    Form { test_mode: bool },
    /// JSON of the private API.
    Private,
}

/// Members under inspection, and what is wrong with them.
struct Inspection<'a> {
    members: &'a Map<String, Value>,
    errors: Map<String, Value>,
}

impl Inspection<'_> {
    fn refuse(&mut self, field: &str, message: impl Into<Value>) {
        self.errors.entry(field).or_insert_with(|| message.into());
    }

    /// A text, or nothing for an absent or empty one.
    fn text(&mut self, field: &str) -> Option<String> {
        match self.members.get(field) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()).filter(|text| !text.is_empty()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                self.refuse(field, "This value should be of type string.");
                None
            }
        }
    }

    fn required(&mut self, field: &str) -> String {
        let text = self.text(field);
        text.unwrap_or_else(|| {
            self.refuse(field, BLANK);
            String::new()
        })
    }

    fn url(&mut self, field: &str) -> Option<String> {
        let text = self.text(field)?;
        // Parsers of browsers repair what holds these, and would go elsewhere.
        let repaired = text.chars().any(|sign| sign.is_control() || sign.is_whitespace());
        if !repaired && Url::parse(&text).is_ok_and(|url| is_safe_link(&url)) {
            return Some(text);
        }
        self.refuse(field, "This value is not a valid URL.");
        None
    }

    /// A map; an empty list is an empty map here too.
    fn map(&mut self, field: &str) -> Option<Map<String, Value>> {
        match self.members.get(field) {
            None | Some(Value::Null) => None,
            Some(Value::Object(map)) => Some(map.clone()),
            Some(Value::Array(list)) if list.is_empty() => Some(Map::new()),
            Some(_) => {
                self.refuse(field, "This value should be of type array.");
                None
            }
        }
    }
}

/// Checks a request for an invoice.
pub(super) fn new_invoice(
    state: &State,
    request: &Members,
    origin: Origin,
    now: Timestamp,
) -> Result<NewInvoice, Refusal> {
    let mut it = Inspection { members: &request.members, errors: Map::new() };
    let reference_id = it.text("reference_id");
    if reference_id.is_none() && state.settings.reference_required {
        it.refuse("reference_id", BLANK);
    }
    let code = it.required("service");
    let currency = it.required("currency");
    let service = state.services.get(&code).filter(|known| known.enabled && known.available);
    if service.is_none() {
        it.refuse("service", INVALID);
    }
    let amount = amount(&mut it, request.amount.as_deref(), service, &currency);
    let service_fields = service_fields(&mut it, service, origin);
    let private = origin == Origin::Private;
    let test_mode = match (origin, request.members.get("test_mode")) {
        (Origin::Public { test_mode } | Origin::Form { test_mode }, _) => test_mode,
        // The platform's default: live.
        (Origin::Private, None | Some(Value::Null)) => false,
        (Origin::Private, Some(Value::Bool(test_mode))) => *test_mode,
        (Origin::Private, Some(_)) => {
            it.refuse("test_mode", "This value should be of type bool.");
            false
        }
    };
    let flow = if private { flow(&mut it) } else { Flow::Charge };
    let urls = origin != Origin::Public { test_mode };
    let new = NewInvoice {
        reference_id,
        service: code,
        amount,
        flow,
        source: if private { Source::MerchantApi } else { Source::PlatformPublicApi },
        test_mode,
        description: it.text("description"),
        metadata: it.map("metadata").unwrap_or_default(),
        service_fields,
        gateway_options: it.map("gateway_options").filter(|_| private).unwrap_or_default(),
        customer: customer(&mut it),
        return_url: if urls { it.url("return_url") } else { None },
        return_urls: if private { return_urls(&mut it) } else { None },
        callback_url: if private { it.url("callback_url") } else { None },
        expires: expires(&mut it, origin, now),
    };
    if it.errors.is_empty() { Ok(new) } else { Err(Refusal::Invalid(it.errors)) }
}

fn amount(
    it: &mut Inspection<'_>,
    literal: Option<&str>,
    service: Option<&Service>,
    currency: &str,
) -> Amount {
    let Some(literal) = literal else {
        let message = if it.members.contains_key("amount") { INVALID } else { BLANK };
        it.refuse("amount", message);
        return Amount::default();
    };
    let Some(service) = service else {
        // Without the service nobody knows the currency's digits, but a sign can be judged.
        if Amount::parse(literal, 18).is_ok_and(|amount| !amount.is_positive()) {
            it.refuse("amount", "This value should be greater than 0.");
        }
        return Amount::default();
    };
    if !currency.is_empty() && service.currency != currency {
        it.refuse("currency", "This value is not the currency of the service.");
    }
    let Ok(amount) = service.amount(literal) else {
        it.refuse("amount", INVALID);
        return Amount::default();
    };
    let (least, most) = (service.known(&service.amount_min), service.known(&service.amount_max));
    if !amount.is_positive() {
        it.refuse("amount", "This value should be greater than 0.");
    } else if amount < least || amount > most {
        it.refuse("amount", format!("This value should be between {least} and {most}."));
    }
    amount
}

/// The service's own fields; the public API's client calls them `fields`.
fn service_fields(
    it: &mut Inspection<'_>,
    service: Option<&Service>,
    origin: Origin,
) -> Map<String, Value> {
    let given = it.map("service_fields");
    let given = match origin {
        Origin::Public { .. } | Origin::Form { .. } => given.or_else(|| it.map("fields")),
        Origin::Private => given,
    };
    let given = given.unwrap_or_default();
    let errors = service.map(|service| service.refuse_fields(&given)).unwrap_or_default();
    if !errors.is_empty() {
        it.refuse("service_fields", errors);
    }
    given
}

fn flow(it: &mut Inspection<'_>) -> Flow {
    match it.text("flow").as_deref() {
        None | Some("charge") => Flow::Charge,
        Some("verify") => Flow::Verify,
        Some(_) => {
            it.refuse("flow", "The value you selected is not a valid choice.");
            Flow::Charge
        }
    }
}

fn customer(it: &mut Inspection<'_>) -> Option<Map<String, Value>> {
    let customer = it.map("customer")?;
    let mut inner = Inspection { members: &customer, errors: Map::new() };
    inner.required("reference_id");
    for field in ["name", "email", "phone", "individual_tax_id"] {
        inner.text(field);
    }
    let born = inner.text("date_of_birth");
    if born.is_some_and(|born| born.parse::<jiff::civil::Date>().is_err()) {
        inner.refuse("date_of_birth", "This value is not a valid date.");
    }
    inner.map("metadata");
    if let Some(address) = inner.map("address") {
        let mut lines = Inspection { members: &address, errors: Map::new() };
        for field in ["country", "region", "city", "street", "full_address", "post_code"] {
            lines.text(field);
        }
        if !lines.errors.is_empty() {
            inner.refuse("address", lines.errors);
        }
    }
    if !inner.errors.is_empty() {
        it.refuse("customer", inner.errors);
    }
    Some(customer)
}

fn return_urls(it: &mut Inspection<'_>) -> Option<ReturnUrls> {
    let urls = it.map("return_urls")?;
    let mut inner = Inspection { members: &urls, errors: Map::new() };
    let made = ReturnUrls {
        success: inner.url("success"),
        pending: inner.url("pending").unwrap_or_default(),
        fail: inner.url("fail"),
    };
    if urls.get("pending").is_none_or(Value::is_null) {
        // Messages come as a list here, as the platform's forms also do.
        it.refuse("return_urls", vec!["pending is required"]);
    }
    if !inner.errors.is_empty() {
        it.refuse("return_urls", inner.errors);
    }
    Some(made)
}

/// A date and time with offset; in a form, Unix seconds.
fn expires(it: &mut Inspection<'_>, origin: Origin, now: Timestamp) -> Option<Timestamp> {
    let text = match origin {
        Origin::Public { .. } => None,
        Origin::Form { .. } | Origin::Private => it.text("expires"),
    }?;
    let at = match origin {
        Origin::Form { .. } => {
            text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok())
        }
        Origin::Public { .. } | Origin::Private => text.parse::<Timestamp>().ok(),
    };
    let Some(at) = at else {
        it.refuse("expires", "This value is not a valid datetime.");
        return None;
    };
    let (least, most) = EXPIRES_WITHIN;
    let within = at.duration_since(now);
    if within < least || within > most {
        it.refuse("expires", "This value should be between 14 minutes and 2 days from now.");
    }
    Some(at)
}

/// Checks a request to refund an invoice. Two bodies are known: one names the invoice as the
/// resource's id, the other as an attribute. One of them must, and both must agree.
pub(super) fn new_refund(
    state: &State,
    invoice_id: &str,
    request: &Members,
    id: Option<&str>,
) -> Result<NewRefund, Refusal> {
    let mut it = Inspection { members: &request.members, errors: Map::new() };
    let attribute = it.text("invoiceId");
    match (id, attribute.as_deref()) {
        (None, None) => it.refuse("invoiceId", BLANK),
        (id, attribute) => {
            if id.is_some_and(|id| id != invoice_id) {
                it.refuse("id", INVALID);
            }
            if attribute.is_some_and(|attribute| attribute != invoice_id) {
                it.refuse("invoiceId", INVALID);
            }
        }
    }
    let service = state.service_of(state.invoice(invoice_id)?);
    let amount = match request.amount.as_deref().map(|text| service.amount(text)) {
        Some(Ok(amount)) if amount.is_positive() => amount,
        other => {
            let message = match other {
                None => BLANK,
                Some(Ok(_)) => "This value should be greater than 0.",
                Some(Err(_)) => INVALID,
            };
            it.refuse("amount", message);
            Amount::default()
        }
    };
    let reference_id = it.required("reference_id");
    let description = it.text("description");
    if it.errors.is_empty() {
        return Ok(NewRefund { reference_id, amount, description });
    }
    Err(Refusal::Invalid(it.errors))
}
