//! The toy's deliveries: `toy-signature: t=<seconds>,v1=<hex>` over `t.body`, in a header or, in an
//! envelope, in the first line of the body.

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use paymux_core::{
    Effect, Error, ErrorKind, EventKey, Payment, ProviderId, ProviderPaymentId, ProviderRefundId,
    Result, Subject, Timestamp, Trust, WebhookDelivery, WebhookEvent,
};
use serde_json::Value;
use sha2::Sha256;

use super::{Bug, WEBHOOK_SECRET, map};

const TOLERANCE_S: u64 = 300;
const HEADER: &str = "toy-signature";
const ENVELOPE: &[u8] = b"toy-signature: ";

/// Signs as the toy does.
pub(crate) fn sign(body: &[u8], at: Timestamp) -> HeaderMap {
    let seconds = at.as_seconds().to_string();
    let mut headers = HeaderMap::new();
    if let Some(mac) = mac(&seconds, body) {
        let signature = hex::encode(mac.finalize().into_bytes());
        if let Ok(value) = HeaderValue::try_from(format!("t={seconds},v1={signature}")) {
            headers.insert(HEADER, value);
        }
    }
    headers
}

/// Signs within the body.
pub(crate) fn seal(body: &[u8], at: Timestamp) -> Vec<u8> {
    let headers = sign(body, at);
    let signature = headers.get(HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
    [ENVELOPE, signature, b"\n", body].concat()
}

fn mac(seconds: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).ok()?;
    mac.update(seconds.as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}

fn refused(why: &str) -> Error {
    Error::invalid_signature(why)
}

/// The signature and the body that it signs.
fn open<'a>(
    delivery: &WebhookDelivery<'a>,
    bug: Option<Bug>,
) -> Result<(Option<&'a str>, &'a [u8])> {
    let malformed = || refused("the signature is no text");
    if let Some(sealed) = delivery.body.strip_prefix(ENVELOPE) {
        let end = sealed.iter().position(|byte| *byte == b'\n').ok_or_else(malformed)?;
        let (line, body) = sealed.split_at(end);
        if bug == Some(Bug::AcceptsAnyEnvelope) {
            return Ok((None, &body[1..]));
        }
        return Ok((Some(std::str::from_utf8(line).map_err(|_| malformed())?), &body[1..]));
    }
    let headers: &'a HeaderMap = delivery.headers;
    let values: Vec<&HeaderValue> = headers.get_all(HEADER).iter().collect();
    let value = match (values.as_slice(), bug) {
        ([], Some(Bug::AcceptsUnsigned)) => return Ok((None, delivery.body)),
        ([value], _) => value,
        ([value, ..], Some(Bug::AcceptsTwoSignatures)) => value,
        _ => return Err(refused("the signature is not there once")),
    };
    Ok((Some(value.to_str().map_err(|_| malformed())?), delivery.body))
}

fn check<'a>(delivery: &WebhookDelivery<'a>, bug: Option<Bug>) -> Result<&'a [u8]> {
    let (signature, body) = open(delivery, bug)?;
    let Some(text) = signature else { return Ok(body) };
    let parts = text.strip_prefix("t=").and_then(|rest| rest.split_once(",v1="));
    let (seconds, signature) = parts.ok_or_else(|| refused("the signature is malformed"))?;
    let plain = seconds.bytes().all(|byte| byte.is_ascii_digit());
    let at: i64 =
        seconds.parse().ok().filter(|_| plain).ok_or_else(|| refused("the time is malformed"))?;
    let signature = hex::decode(signature).map_err(|_| refused("the signature is malformed"))?;
    let valid = mac(seconds, body).is_some_and(|mac| mac.verify_slice(&signature).is_ok());
    if !valid && bug != Some(Bug::AcceptsAChangedBody) {
        return Err(refused("the signature does not fit"));
    }
    let old = delivery.received_at.as_seconds().abs_diff(at) > TOLERANCE_S;
    if old && bug != Some(Bug::AcceptsOldDeliveries) {
        return Err(refused("the delivery is too old"));
    }
    Ok(body)
}

#[expect(clippy::panic, reason = "this is the bug")]
pub(super) fn verify(
    provider: &ProviderId,
    delivery: &WebhookDelivery<'_>,
    bug: Option<Bug>,
) -> Result<Vec<WebhookEvent>> {
    let body = check(delivery, bug)?;
    let unreadable =
        || Error::new(ErrorKind::InvalidResponse, Effect::None, "the delivery cannot be read");
    let body: Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
    let text = |key: &str| body[key].as_str().ok_or_else(unreadable);
    if bug == Some(Bug::PanicsOnAStrangeEvent) && body["type"].as_str().is_none() {
        panic!("no type");
    }
    let subject = match (body["payment"].as_str(), body["refund"].as_str()) {
        (Some(id), _) => Subject::Payment(ProviderPaymentId::new(id).map_err(|_| unreadable())?),
        (None, Some(id)) => {
            Subject::Refund { id: ProviderRefundId::new(id).map_err(|_| unreadable())? }
        }
        (None, None) => Subject::Other { kind: text("type")?.to_owned(), id: None },
    };
    let key = match bug {
        Some(Bug::NamesAllEventsAlike) => "event".to_owned(),
        Some(Bug::NamesEachDeliveryAnew) => delivery.received_at.as_millis().to_string(),
        _ => text("id")?.to_owned(),
    };
    let key = EventKey::new(key).map_err(|_| unreadable())?;
    let mut event = WebhookEvent::new(key, text("type")?, Trust::SignedFresh, subject);
    if let (Subject::Payment(id), Some(word)) = (&event.subject, body["state"].as_str()) {
        let status = map::status(word, bug);
        event.payment = Some(Box::new(Payment::new(provider.clone(), id.clone(), status, word)));
    }
    Ok(vec![event])
}
