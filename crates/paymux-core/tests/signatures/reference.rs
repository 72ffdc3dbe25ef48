//! What is authentic, said a second time and in another way, to check the forgeries by: HMAC
//! written out over SHA-256, and the expected text of a signature compared with the given one,
//! where the library decodes and lets a crate compute and compare.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};
use paymux_core::Timestamp;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// A delivery of either scheme, easy to tamper with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) received_at: Timestamp,
}

impl Delivery {
    /// The one value of a header; `None` when it is missing or there are several.
    pub(crate) fn single(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(given, _)| *given == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }

    /// The same delivery with another value of this header.
    pub(crate) fn with(&self, name: &str, value: impl Into<String>) -> Self {
        let mut changed = self.clone();
        let header = changed.headers.iter_mut().find(|(given, _)| *given == name);
        header.unwrap().1 = value.into();
        changed
    }

    /// The same delivery with another body.
    pub(crate) fn with_body(&self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self.clone() }
    }

    pub(crate) fn header_map(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        headers
    }
}

/// HMAC-SHA256 as RFC 2104 writes it.
pub(crate) fn hmac_sha256(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text);
    let outer = Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

fn is_fresh(seconds: &str, received_at: Timestamp) -> bool {
    let digits = !seconds.is_empty() && seconds.chars().all(|digit| digit.is_ascii_digit());
    if !digits || seconds.chars().count() > 12 {
        return false;
    }
    let signed_at: i64 = seconds.parse().unwrap();
    (received_at.as_millis() - signed_at * 1000).abs() <= 300_000
}

/// Is it authentic under Standard Webhooks with these keys?
pub(crate) fn is_authentic_standard(delivery: &Delivery, keys: &[Vec<u8>]) -> bool {
    let (Some(id), Some(seconds), Some(signatures)) = (
        delivery.single("webhook-id"),
        delivery.single("webhook-timestamp"),
        delivery.single("webhook-signature"),
    ) else {
        return false;
    };
    let text = [format!("{id}.{seconds}.").as_bytes(), &delivery.body].concat();
    let signed = keys.iter().any(|key| {
        let expected = format!("v1,{}", STANDARD.encode(hmac_sha256(key, &text)));
        signatures.split(' ').any(|given| given == expected)
    });
    signed && !id.contains('.') && is_fresh(seconds, delivery.received_at)
}

/// Is it authentic under `t=,v1=` in the header `x-signature` with these keys?
pub(crate) fn is_authentic_timestamped(delivery: &Delivery, keys: &[Vec<u8>]) -> bool {
    let Some(value) = delivery.single("x-signature") else { return false };
    let parts: Vec<&str> = value.split(',').map(str::trim).collect();
    let times: Vec<&str> = parts.iter().filter_map(|part| part.strip_prefix("t=")).collect();
    let [seconds] = times[..] else { return false };
    let text = [format!("{seconds}.").as_bytes(), &delivery.body].concat();
    let signed = keys.iter().any(|key| {
        let expected = format!("v1={}", hex::encode(hmac_sha256(key, &text)));
        parts.iter().any(|part| part.starts_with("v1=") && part.eq_ignore_ascii_case(&expected))
    });
    signed && is_fresh(seconds, delivery.received_at)
}

/// Is it authentic as base64 of SHA-1 between two secrets, in the header `x-signature`?
pub(crate) fn is_authentic_sandwich(delivery: &Delivery, secrets: &[Vec<u8>]) -> bool {
    let Some(value) = delivery.single("x-signature") else { return false };
    secrets.iter().any(|secret| value.trim() == sandwich(secret, &delivery.body))
}

/// The text of a signature over the body between two secrets.
pub(crate) fn sandwich(secret: &[u8], body: &[u8]) -> String {
    STANDARD.encode(Sha1::digest([secret, body, secret].concat()))
}
