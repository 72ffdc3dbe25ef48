//! Signing schemes for webhooks. Each provider has its own; a signer is one of them with its key.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use url::form_urlencoded;

use crate::SandboxError;

/// How ToffeePay's webhooks are signed, and with it which body they carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WebhookScheme {
    /// ToffeePay, first generation: `X-ToffeePay-Signature: t=<seconds>,v1=<hex>`.
    #[default]
    Legacy,
    /// ToffeePay, second generation: Standard Webhooks headers, `v1,<base64>`.
    Standard,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    ToffeePay(WebhookScheme),
    /// `X-Signature`: base64 of SHA-1 over secret, body, secret. No time, no id, no HMAC.
    MilkyPay,
    /// A form of `event` and `sign`: RSA, PKCS#1 v1.5, SHA-256. The key is PKCS#8.
    Wallet,
    /// The wallet's newer form: the event as JSON, unsigned.
    WalletPlain,
    /// The ramp signs nothing; at most a header holds a secret that both know.
    Ramp,
}

/// A scheme with its key.
#[derive(Clone)]
pub(crate) struct Signer {
    scheme: Scheme,
    key: Vec<u8>,
    /// The name of the header, where that is a setting.
    header: Option<HeaderName>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Signer").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

impl Signer {
    /// Reads a secret of ToffeePay: the legacy scheme takes its bytes as given, the standard one
    /// is base64 after an optional `whsec_`.
    pub(crate) fn toffeepay(scheme: WebhookScheme, secret: &str) -> Result<Self, SandboxError> {
        let key = match scheme {
            WebhookScheme::Legacy => secret.as_bytes().to_vec(),
            WebhookScheme::Standard => STANDARD
                .decode(secret.strip_prefix("whsec_").unwrap_or(secret))
                .map_err(|error| {
                    SandboxError::Configuration(format!("webhook secret is not base64: {error}"))
                })?,
        };
        Signer::with_key(Scheme::ToffeePay(scheme), key)
    }

    /// Takes a secret of MilkyPay, whose bytes are the key.
    pub(crate) fn milkypay(secret: &str) -> Result<Self, SandboxError> {
        Signer::with_key(Scheme::MilkyPay, secret.as_bytes().to_vec())
    }

    /// Takes a private key of the wallet: RSA, PKCS#8, as PEM.
    pub(crate) fn wallet(pem: &str) -> Result<Self, SandboxError> {
        let signer = Signer::with_key(Scheme::Wallet, read_pem(pem)?)?;
        signer.rsa().map(|_| signer)
    }

    /// Sends the wallet's events as they are.
    pub(crate) fn wallet_plain() -> Self {
        Signer { scheme: Scheme::WalletPlain, key: Vec::new(), header: None }
    }

    /// Sends the ramp's webhooks as they are, with a shared secret in a header if there is one.
    pub(crate) fn ramp(header: &str, secret: Option<&str>) -> Result<Self, SandboxError> {
        let Some(secret) = secret else {
            return Ok(Signer { scheme: Scheme::Ramp, key: Vec::new(), header: None });
        };
        let unusable = || SandboxError::Configuration("webhook secret is no header".to_owned());
        let header = header.parse::<HeaderName>().map_err(|_| unusable())?;
        HeaderValue::from_str(secret).map_err(|_| unusable())?;
        let signer = Signer::with_key(Scheme::Ramp, secret.as_bytes().to_vec())?;
        Ok(Signer { header: Some(header), ..signer })
    }

    /// The public half of an RSA key as PEM, which receivers check with.
    pub(crate) fn public_key_pem(&self) -> Result<String, SandboxError> {
        let der = self.rsa()?.public_key().as_der().map_err(|_| unusable_key("no public half"))?;
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for (position, letter) in STANDARD.encode(der.as_ref()).chars().enumerate() {
            if position > 0 && position % 64 == 0 {
                pem.push('\n');
            }
            pem.push(letter);
        }
        pem.push_str("\n-----END PUBLIC KEY-----\n");
        Ok(pem)
    }

    fn rsa(&self) -> Result<KeyPair, SandboxError> {
        KeyPair::from_pkcs8(&self.key).map_err(|error| unusable_key(&error.to_string()))
    }

    /// The body as it is sent, with its type; the wallet's signature is a part of it. `spoiled`
    /// turns one bit of that signature.
    pub(crate) fn body(&self, event: &Bytes, spoiled: bool) -> (&'static str, Bytes) {
        match self.scheme {
            Scheme::ToffeePay(_) | Scheme::MilkyPay | Scheme::WalletPlain | Scheme::Ramp => {
                ("application/json", event.clone())
            }
            Scheme::Wallet => {
                let mut signature = self.rsa_signature(event);
                if spoiled && let Some(first) = signature.first_mut() {
                    *first ^= 1;
                }
                let form = form_urlencoded::Serializer::new(String::new())
                    .append_pair("event", &String::from_utf8_lossy(event))
                    .append_pair("sign", &STANDARD.encode(signature))
                    .finish();
                ("application/x-www-form-urlencoded", form.into())
            }
        }
    }

    /// The key was read once when the sandbox started; an empty signature would only be one that
    /// nobody accepts.
    fn rsa_signature(&self, message: &[u8]) -> Vec<u8> {
        let Ok(key) = self.rsa() else { return Vec::new() };
        let mut signature = vec![0; key.public_modulus_len()];
        match key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature) {
            Ok(()) => signature,
            Err(_) => Vec::new(),
        }
    }

    fn with_key(scheme: Scheme, key: Vec<u8>) -> Result<Self, SandboxError> {
        if key.is_empty() {
            return Err(SandboxError::Configuration("webhook secret is empty".to_owned()));
        }
        Ok(Signer { scheme, key, header: None })
    }

    /// The headers that prove a body, with `seconds` as the time of this attempt. `spoiled`
    /// turns one bit of the signature.
    pub(crate) fn headers(
        &self,
        id: &str,
        seconds: i64,
        body: &[u8],
        spoiled: bool,
    ) -> Vec<(HeaderName, HeaderValue)> {
        if let Some(name) = &self.header {
            return self
                .shared_secret(spoiled)
                .map(|secret| (name.clone(), secret))
                .into_iter()
                .collect();
        }
        let legacy_beginning = format!("{seconds}.");
        let standard_beginning = format!("{id}.{seconds}.");
        let mut digest = match self.scheme {
            Scheme::ToffeePay(WebhookScheme::Legacy) => {
                self.hmac(&[legacy_beginning.as_bytes(), body])
            }
            Scheme::ToffeePay(WebhookScheme::Standard) => {
                self.hmac(&[standard_beginning.as_bytes(), body])
            }
            Scheme::MilkyPay => self.sandwich(body),
            Scheme::Wallet | Scheme::WalletPlain | Scheme::Ramp => Vec::new(),
        };
        if spoiled && let Some(first) = digest.first_mut() {
            *first ^= 1;
        }
        let headers = match self.scheme {
            Scheme::ToffeePay(WebhookScheme::Legacy) => {
                vec![("x-toffeepay-signature", format!("t={seconds},v1={}", hex::encode(digest)))]
            }
            Scheme::ToffeePay(WebhookScheme::Standard) => vec![
                ("webhook-id", id.to_owned()),
                ("webhook-timestamp", seconds.to_string()),
                ("webhook-signature", format!("v1,{}", STANDARD.encode(digest))),
            ],
            Scheme::MilkyPay => vec![("x-signature", STANDARD.encode(digest))],
            // The wallet's signature is in the body.
            Scheme::Wallet | Scheme::Ramp => Vec::new(),
            Scheme::WalletPlain => vec![("user-agent", "Paysera-Callback/1.0".to_owned())],
        };
        headers
            .into_iter()
            .filter_map(|(name, value)| {
                Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?))
            })
            .collect()
    }

    /// The secret itself, or one that is as long and wrong. It was checked when it was taken.
    fn shared_secret(&self, spoiled: bool) -> Option<HeaderValue> {
        let mut secret = self.key.clone();
        if spoiled && let Some(first) = secret.first_mut() {
            *first = if *first == b'x' { b'y' } else { b'x' };
        }
        HeaderValue::from_bytes(&secret).ok()
    }

    fn hmac(&self, parts: &[&[u8]]) -> Vec<u8> {
        // HMAC takes a key of any length, so the error cannot occur; an empty digest would only
        // make a signature that nobody accepts.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            return Vec::new();
        };
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }

    fn sandwich(&self, body: &[u8]) -> Vec<u8> {
        let mut hash = Sha1::new();
        for part in [self.key.as_slice(), body, self.key.as_slice()] {
            hash.update(part);
        }
        hash.finalize().to_vec()
    }
}

fn unusable_key(why: &str) -> SandboxError {
    SandboxError::Configuration(format!("callback key: {why}"))
}

/// The bytes of a PEM file's private key; text around it is ignored.
fn read_pem(pem: &str) -> Result<Vec<u8>, SandboxError> {
    let inside = pem
        .split_once("-----BEGIN PRIVATE KEY-----")
        .and_then(|(_, rest)| rest.split_once("-----END PRIVATE KEY-----"));
    let (base64, _) = inside.ok_or_else(|| unusable_key("not a PKCS#8 private key in PEM"))?;
    let base64: String = base64.split_whitespace().collect();
    STANDARD.decode(base64).map_err(|error| unusable_key(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn vectors(text: &str) -> Vec<Value> {
        let file: Value = serde_json::from_str(text).unwrap();
        file["vectors"].as_array().unwrap().clone()
    }

    /// Signs what the vector holds and compares with its first signature. Vectors whose text was
    /// made wrong on purpose must not match.
    #[test]
    fn legacy_vectors() {
        let mut matched = 0;
        for vector in vectors(include_str!("../../tests/fixtures/signature.legacy.vectors.json")) {
            let header = vector["header"].as_str().unwrap();
            let name = vector["name"].as_str().unwrap();
            let seconds = header.strip_prefix("t=").and_then(|rest| rest.split(',').next());
            let Some(Ok(seconds)) = seconds.map(str::parse::<i64>) else { continue };
            let secret = vector["secret"].as_str().unwrap();
            let signer = Signer::toffeepay(WebhookScheme::Legacy, secret).unwrap();
            let body = vector["body"].as_str().unwrap().as_bytes();
            let made = signer.headers("", seconds, body, false);
            let made = made[0].1.to_str().unwrap();
            let plain = header.matches(',').count() == 1 && !header.contains(' ');
            if vector["valid"] == true && plain {
                assert_eq!(made.to_lowercase(), header.to_lowercase(), "{name}");
                matched += 1;
            }
        }
        assert!(matched >= 4, "only {matched} vectors were compared");
    }

    #[test]
    fn standard_vectors() {
        let mut matched = 0;
        for vector in vectors(include_str!("../../tests/fixtures/signature.standard.vectors.json"))
        {
            if vector["valid"] != true {
                continue;
            }
            let headers = &vector["headers"];
            let text = |name: &str| headers[name].as_str().unwrap();
            let secret = vector["secret"].as_str().unwrap();
            let signer = Signer::toffeepay(WebhookScheme::Standard, secret).unwrap();
            let seconds = text("webhook-timestamp").parse().unwrap();
            let body = vector["body"].as_str().unwrap().as_bytes();
            let made = signer.headers(text("webhook-id"), seconds, body, false);
            let made = made[2].1.to_str().unwrap();
            let known = text("webhook-signature").split(' ').any(|known| known == made);
            assert!(known, "{}", vector["name"]);
            matched += 1;
        }
        assert!(matched >= 3, "only {matched} vectors were compared");
    }

    /// Every vector of the contract, and none of the constructions that look like it.
    #[test]
    fn milkypay_vectors() {
        let text = include_str!("../../tests/fixtures/milkypay/callback.signature_vectors.json");
        let file: Value = serde_json::from_str(text).unwrap();
        let raw = include_bytes!("../../tests/fixtures/milkypay/callback.processed.raw.json");
        let sign = |secret: &str, body: &[u8]| {
            let made = Signer::milkypay(secret).unwrap().headers("", 0, body, false);
            assert_eq!(made[0].0, "x-signature");
            made[0].1.to_str().unwrap().to_owned()
        };
        let vectors = file["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), 4);
        for vector in vectors {
            let body = vector["body"].as_str().map_or(raw.as_slice(), str::as_bytes);
            let made = sign(vector["secret"].as_str().unwrap(), body);
            assert_eq!(made, vector["x_signature"].as_str().unwrap(), "{}", vector["name"]);
        }
        let tiny = sign("secret", br#"{"data":{"id":"cpi_1"}}"#);
        for wrong in file["must_fail_for_tiny"].as_array().unwrap() {
            assert_ne!(tiny, wrong["x_signature"].as_str().unwrap(), "{}", wrong["why"]);
        }
    }

    #[test]
    fn a_spoiled_signature_differs() {
        let signer = Signer::toffeepay(WebhookScheme::Legacy, "secret").unwrap();
        assert_ne!(signer.headers("", 1, b"{}", false), signer.headers("", 1, b"{}", true));
        let signer = Signer::milkypay("secret").unwrap();
        assert_ne!(signer.headers("", 1, b"{}", false), signer.headers("", 1, b"{}", true));
    }

    #[test]
    fn a_shared_secret_is_a_header_or_nothing() {
        let signer = Signer::ramp("X-Secret", Some("xyz")).unwrap();
        let header = |spoiled| signer.headers("", 1, b"{}", spoiled)[0].clone();
        assert_eq!(
            header(false),
            (HeaderName::from_static("x-secret"), HeaderValue::from_static("xyz"))
        );
        assert_eq!(header(true).1, "yyz");
        assert!(Signer::ramp("X-Secret", None).unwrap().headers("", 1, b"{}", false).is_empty());
        for (name, secret) in [("X Secret", "xyz"), ("X-Secret", "x\ny"), ("X-Secret", "")] {
            assert!(Signer::ramp(name, Some(secret)).is_err(), "{name} {secret:?}");
        }
    }

    #[test]
    fn a_secret_must_be_usable() {
        assert!(Signer::toffeepay(WebhookScheme::Legacy, "").is_err());
        assert!(Signer::toffeepay(WebhookScheme::Standard, "whsec_").is_err());
        assert!(Signer::toffeepay(WebhookScheme::Standard, "not base64").is_err());
        assert!(Signer::milkypay("").is_err());
    }
}
