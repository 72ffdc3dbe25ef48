//! The toy's words in ours.

use paymux_core::{
    ConfirmStep, Currency, Error, Failure, FailureKind, Money, NextAction, Payment, PaymentStatus,
    ProviderId, ProviderPaymentId, ProviderRefundId, Refund, RefundStatus, Result,
    transport::HttpResponse,
};
use serde_json::{Value, json};
use url::Url;

use super::Bug;

const FIELDS: [&str; 9] =
    ["id", "state", "amount", "currency", "captured", "url", "reason", "note", "created_at"];

pub(super) fn minor_to_send(amount: Money, bug: Option<Bug>) -> Value {
    match bug {
        Some(Bug::CountsInFloats) => through_a_float(amount),
        Some(Bug::SendsMajorUnits) => json!(amount.to_decimal()),
        Some(Bug::CountsAllInHundredths) if amount.currency().exponent() == 0 => {
            json!(i64::try_from(amount.minor() * 100).unwrap_or_default())
        }
        _ => i64::try_from(amount.minor()).map_or(Value::Null, |minor| json!(minor)),
    }
}

#[expect(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    reason = "this is the bug: the figure goes through a float"
)]
fn through_a_float(amount: Money) -> Value {
    let major: f64 = amount.to_decimal().parse().unwrap_or_default();
    json!((major * 10_f64.powi(i32::from(amount.currency().exponent()))) as i64)
}

pub(super) fn status(word: &str, bug: Option<Bug>) -> PaymentStatus {
    match word {
        "open" => PaymentStatus::RequiresAction,
        "held" => PaymentStatus::Authorized,
        "paid" => PaymentStatus::Succeeded,
        "void" if bug == Some(Bug::MapsAStatusWrongly) => PaymentStatus::Failed,
        "void" => PaymentStatus::Cancelled,
        "dead" => PaymentStatus::Failed,
        _ if bug == Some(Bug::UnknownIsSuccess) => PaymentStatus::Succeeded,
        _ if bug == Some(Bug::UnknownIsFailure) => PaymentStatus::Failed,
        _ => PaymentStatus::Unknown,
    }
}

pub(super) fn word_of(status: PaymentStatus) -> Result<&'static str> {
    match status {
        PaymentStatus::RequiresAction => Ok("open"),
        PaymentStatus::Authorized => Ok("held"),
        PaymentStatus::Succeeded => Ok("paid"),
        PaymentStatus::Cancelled => Ok("void"),
        PaymentStatus::Failed => Ok("dead"),
        PaymentStatus::RequiresConfirmation
        | PaymentStatus::Processing
        | PaymentStatus::PartiallyPaid
        | PaymentStatus::Expired
        | PaymentStatus::Unknown => {
            Err(Error::unsupported(paymux_core::Operation::ListPayments).with_field("status"))
        }
    }
}

fn text<'a>(answer: &HttpResponse, body: &'a Value, key: &str) -> Result<&'a str> {
    body[key].as_str().ok_or_else(|| answer.unreadable(format!("the answer has no `{key}`")))
}

fn money(answer: &HttpResponse, body: &Value, key: &str) -> Result<Option<Money>> {
    let wrong = |_| answer.unreadable(format!("`{key}` is no amount"));
    let figure = &body[key];
    if figure.is_null() {
        return Ok(None);
    }
    let minor = figure
        .as_i64()
        .ok_or_else(|| answer.unreadable(format!("`{key}` is not in whole minor units")))?;
    let currency = Currency::iso(text(answer, body, "currency")?).map_err(wrong)?;
    Money::new(minor.into(), currency).map(Some).map_err(wrong)
}

#[expect(clippy::panic, reason = "this is the bug")]
pub(super) fn payment(
    provider: &ProviderId,
    answer: &HttpResponse,
    body: &Value,
    bug: Option<Bug>,
) -> Result<Payment> {
    if bug == Some(Bug::Swallows5xx) && answer.status.is_server_error() {
        let id = ProviderPaymentId::new("p_1")?;
        return Ok(Payment::new(provider.clone(), id, PaymentStatus::Processing, "open"));
    }
    if bug == Some(Bug::PanicsOnGarbage) && body["id"].as_str().is_none() {
        panic!("no id");
    }
    let keys = body.as_object().map(|map| map.keys().map(String::as_str));
    if bug == Some(Bug::RefusesNewFields)
        && keys.is_some_and(|mut keys| keys.any(|key| !FIELDS.contains(&key)))
    {
        return Err(answer.unreadable("a field is not known"));
    }
    if bug == Some(Bug::RefusesNulls) && body.get("note") == Some(&Value::Null) {
        return Err(answer.unreadable("`note` is no text"));
    }
    let id = ProviderPaymentId::new(text(answer, body, "id")?)
        .map_err(|_| answer.unreadable("the id is none"))?;
    let word = text(answer, body, "state")?;
    let status = match bug {
        Some(Bug::ChargesAtOnce) => PaymentStatus::Succeeded,
        _ => status(word, bug),
    };
    let shown = if bug == Some(Bug::DropsTheProvidersWord) { status.as_str() } else { word };
    let mut payment = Payment::new(provider.clone(), id, status, shown);
    payment.amounts.requested = money(answer, body, "amount")?;
    if bug != Some(Bug::ReportsNoFigure) {
        payment.amounts.captured = money(answer, body, "captured")?;
    }
    if status == PaymentStatus::RequiresAction
        && let Some(url) = body["url"].as_str()
    {
        let url = Url::parse(url).map_err(|_| answer.unreadable("`url` is none"))?;
        payment.next_action = Some(NextAction::Redirect { url });
    }
    if bug == Some(Bug::AsksForAStepItLacks) {
        payment.next_action = Some(NextAction::Confirm { step: ConfirmStep::Commit });
    }
    if status == PaymentStatus::Failed && bug != Some(Bug::LosesTheFailure) {
        let mut failure = Failure::new(FailureKind::Declined);
        failure.code = body["reason"].as_str().map(str::to_owned);
        payment.failure = Some(failure);
    }
    Ok(payment)
}

pub(super) fn refund(answer: &HttpResponse, body: &Value, bug: Option<Bug>) -> Result<Refund> {
    if bug == Some(Bug::Swallows5xx) && answer.status.is_server_error() {
        return Ok(Refund::new(RefundStatus::Processing, "sent"));
    }
    let word = text(answer, body, "state")?;
    let status = match word {
        "sent" => RefundStatus::Processing,
        "done" => RefundStatus::Succeeded,
        "dead" => RefundStatus::Failed,
        _ => RefundStatus::Unknown,
    };
    let mut refund = Refund::new(status, word);
    let id = ProviderRefundId::new(text(answer, body, "id")?);
    refund.id = Some(id.map_err(|_| answer.unreadable("the id is none"))?);
    Ok(refund)
}
