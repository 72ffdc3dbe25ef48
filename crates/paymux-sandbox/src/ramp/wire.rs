//! What answers and webhooks look like.

use jiff::Timestamp;
use serde::Serialize;
use serde::ser::Serializer;
use serde_json::value::{RawValue, to_raw_value};

use super::objects::{Invoice, Kind, Payment};
use super::settings::{AmountStyle, DateStyle, RampSettings};
use super::state::State;
use super::status::Status;
use crate::amount::Amount;

/// The members of an object in their order. Some of their names are settings.
#[derive(Debug, Default)]
pub(super) struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    pub(super) fn put(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        // Objects of this crate always serialize; a null would be seen at once.
        let value = to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned());
        self.0.push((name.to_owned(), value));
    }

    fn put_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Objects of this crate always serialize; an empty text would be seen at once.
pub(super) fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The literal of an amount: never through a float.
pub(super) fn amount(settings: &RampSettings, amount: Amount) -> Box<RawValue> {
    raw(match settings.amounts {
        AmountStyle::Number => amount.to_string(),
        AmountStyle::Padded => amount.fixed(),
        AmountStyle::Text => format!("\"{amount}\""),
    })
}

pub(super) fn date(settings: &RampSettings, at: Timestamp) -> Box<RawValue> {
    raw(match settings.dates {
        DateStyle::Milliseconds => at.as_millisecond().to_string(),
        DateStyle::Seconds => at.as_second().to_string(),
        DateStyle::FractionalSeconds => {
            format!("{}.{:09}", at.as_second(), at.subsec_nanosecond().unsigned_abs())
        }
    })
}

/// Every style is JSON; a null would be seen at once.
fn raw(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// A payment as operations 1 to 3 answer it.
pub(super) fn payment(state: &State, payment: &Payment) -> Members {
    let members = payment_members(state, payment);
    match &state.settings.envelope {
        None => members,
        Some(name) => {
            let mut envelope = Members::default();
            envelope.put(name, &members);
            envelope
        }
    }
}

/// One word can stand for what waits and for what is under way.
fn shown_status(settings: &RampSettings, payment: &Payment) -> Status {
    let settles = payment.kind == Kind::Platform && payment.status == Status::Processing;
    if settings.pending_while_settling && settles { Status::Pending } else { payment.status }
}

fn payment_members(state: &State, payment: &Payment) -> Members {
    let settings = &state.settings;
    let mut members = Members::default();
    members.put(&settings.id_member, &payment.id);
    members.put("invoiceId", &payment.invoice_id);
    if !settings.omit_status {
        members.put("status", settings.words.of(shown_status(settings, payment)));
    }
    members.put("type", payment.kind.word());
    if let (Some(session), Status::Pending) = (&payment.session, payment.status) {
        members.put("session", &state.session_object(session));
    }
    members
}

/// An invoice; with its payments where it is asked for alone.
pub(super) fn invoice(state: &State, invoice: &Invoice, with_payments: bool) -> Members {
    let settings = &state.settings;
    let payments: Vec<&Payment> =
        invoice.payments.iter().filter_map(|id| state.payments.get(id)).collect();
    let shown = payments.iter().find(|it| Some(&it.id) == invoice.paid_by.as_ref());
    let mut members = Members::default();
    members.put("externalClientId", &invoice.client_id);
    members.put("id", &invoice.id);
    if !settings.omit_invoice_amount {
        members.put("amount", &amount(settings, invoice.amount));
    }
    members.put("currency", &invoice.currency);
    members.put("paymentDate", &invoice.paid_at.map(|at| date(settings, at)));
    members.put_some("type", shown.or(payments.last()).map(|payment| payment.kind.word()));
    members.put("status", settings.words.of(invoice.status));
    if with_payments {
        let payments: Vec<Members> =
            payments.iter().map(|payment| payment_members(state, payment)).collect();
        members.put("payments", &payments);
    }
    if let Some(code) = &invoice.discount {
        members.put("discountCode", code);
        let before = amount(settings, invoice.before_discount);
        members.put(&settings.before_discount_member, &before);
    }
    members
}
