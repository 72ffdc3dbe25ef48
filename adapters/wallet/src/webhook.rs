//! Callbacks: proved first, read then. Pure.
//!
//! Two forms are about. The signed one is a form whose `event` is signed by `sign`. The plain one
//! is the transaction as JSON and proves nothing, so only its key is taken: a reason to look.

use http::header;
use paymux_core::{
    Error, EventKey, Payment, ProviderPaymentId, Result, Subject, Trust, WebhookDelivery,
    WebhookEvent, json::Unreadable,
};
use percent_encoding::percent_decode;
use serde_json::Value;

use crate::{
    Wallet,
    map::{self, Known},
    objects::Transaction,
    read, wire,
};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
/// Longer names are no words of the provider's.
const MAX_NAME: usize = 64;

/// The events of a delivery: one.
pub(crate) fn verify(wallet: &Wallet, delivery: &WebhookDelivery<'_>) -> Result<Vec<WebhookEvent>> {
    match content_type(delivery)?.as_str() {
        FORM => signed(wallet, delivery),
        JSON => plain(delivery),
        _ => Err(Error::invalid_signature("the content is neither a form nor JSON")),
    }
    .map(|event| vec![event])
}

/// The media type, without what may follow it. It chooses how far a delivery is believed, so it
/// must be there once.
fn content_type(delivery: &WebhookDelivery<'_>) -> Result<String> {
    let mut values = delivery.headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Error::invalid_signature("the content type is not there once"));
    };
    let value = value.to_str().unwrap_or_default();
    let kind = value.split_once(';').map_or(value, |(kind, _)| kind);
    Ok(kind.trim().to_ascii_lowercase())
}

fn signed(wallet: &Wallet, delivery: &WebhookDelivery<'_>) -> Result<WebhookEvent> {
    let Some(keys) = &wallet.callback_keys else {
        return Err(Error::configuration("callback_key", "must be set first"));
    };
    let event = parameter(delivery.body, "event")?;
    let signature = parameter(delivery.body, "sign")?;
    // What is no text is no base64, either.
    keys.verify(&event, std::str::from_utf8(&signature).unwrap_or("?"))?;
    let known = Known {
        config: &wallet.config,
        pages: &wallet.pages,
        now: delivery.received_at,
        mandate: None,
        options: None,
        language: None,
        may_hold_nothing: false,
    };
    read_event(&known, &event)
        .map_err(|unreadable| unreadable.of_delivery("the delivery is authentic and unreadable"))
}

/// A parameter of the form, byte by byte: a decoder of text would put other bytes in place of what
/// is no UTF-8, and those were not signed. One that is there twice could be read in two ways.
fn parameter(body: &[u8], name: &str) -> Result<Vec<u8>> {
    let pairs = body.split(|byte| *byte == b'&').map(|pair| {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let half = halves.next().unwrap_or_default();
        (decoded(half), halves.next().unwrap_or_default())
    });
    let mut values = pairs.filter(|(key, _)| key == name.as_bytes());
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Ok(decoded(value)),
        _ => Err(Error::invalid_signature(format!("the parameter {name} is not there once"))),
    }
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> =
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).collect()
}

fn read_event(known: &Known<'_>, body: &[u8]) -> Result<WebhookEvent, Unreadable> {
    let event: wire::Event = read::object(body)?;
    let name = read::known("type", event.name.filter(|name| !name.is_empty()))?;
    let object = read::known("object", event.object.filter(|object| !object.is_empty()))?;
    let data = event.data.unwrap_or_default();
    let mut payment = None;
    let subject = match object.as_str() {
        "transaction" => {
            let transaction = read::transaction(read::inside(data)?)?;
            payment = Some(Box::new(as_far_as_proved(&transaction, known)));
            Subject::Payment(transaction.key)
        }
        "payment" => {
            let part = read::payment(read::inside(data)?)?;
            Subject::Part { id: part.id, payment: part.transaction }
        }
        "allowance" => Subject::Mandate { id: read::allowance(read::inside(data)?)?.id },
        _ => Subject::Other { kind: cut(&object), id: other_id(&data) },
    };
    let mut event =
        WebhookEvent::new(event_key("signed", body), cut(&name), Trust::Signed, subject);
    event.payment = payment;
    Ok(event)
}

/// What a callback proves. One key signs those of all the provider's clients, so that the one thing
/// that ties it to us is the transaction's key: a reference could be anybody's.
fn as_far_as_proved(transaction: &Transaction, known: &Known<'_>) -> Payment {
    let mut payment = map::payment(transaction, known);
    payment.reference = None;
    payment
}

fn other_id(data: &Value) -> Option<String> {
    match data.get("id")? {
        Value::Number(id) => Some(id.to_string()),
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

fn cut(word: &str) -> String {
    word.chars().filter(|char| !char.is_control()).take(MAX_NAME).collect()
}

/// Deliveries have no id: one is known again by what it says, byte by byte. The form is part of
/// it, so that nobody can take a signed event's key with an unsigned delivery.
fn event_key(form: &str, body: &[u8]) -> EventKey {
    EventKey::digest(&[form.as_bytes(), b" ", body].concat())
}

/// Anybody could have sent it. What it says of a payment's state is not even read.
fn plain(delivery: &WebhookDelivery<'_>) -> Result<WebhookEvent> {
    let read = || {
        let transaction: wire::PlainCallback = read::object(delivery.body)?;
        let key = read::known("transaction_key", transaction.transaction_key)?;
        let subject = ProviderPaymentId::new(key).map_err(|_| read::unfit("transaction_key"))?;
        let key = event_key("plain", delivery.body);
        Ok(WebhookEvent::new(key, "transaction", Trust::Unsigned, Subject::Payment(subject)))
    };
    read().map_err(|unreadable: Unreadable| {
        Error::invalid_signature(format!("it is not signed, and: {unreadable}"))
    })
}
