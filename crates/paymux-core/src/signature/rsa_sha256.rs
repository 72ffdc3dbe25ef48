//! RSA with SHA-256 (PKCS#1 v1.5): the provider signs with its private key, we hold the public one.

use std::{fmt, ops::RangeInclusive};

use aws_lc_rs::{
    rsa::PublicKey,
    signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaParameters},
};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{Error, Result};

/// The setting that an unusable key is reported under.
const KEY_FIELD: &str = "webhook_key";
/// One in use, one being introduced, one not yet forgotten.
const MAX_KEYS: usize = 3;
/// A key of 8192 bits fills 1,600 characters of PEM.
const MAX_PEM_BYTES: usize = 4096;
/// Shorter keys are no proof, longer ones cost whoever verifies.
const KEY_BITS: RangeInclusive<u32> = 2048..=8192;
/// What the longest key makes, in base64: 1,024 bytes.
const MAX_SIGNATURE_CHARS: usize = 1368;
const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// RSASSA-PKCS1-v1_5 with SHA-256, by one of up to three public keys.
///
/// It has no time of its own: what it proves is that the provider signed these bytes once. The
/// bytes, and where the signature stands, are the adapter's to say. Keys come from the
/// configuration and never from a delivery.
#[derive(Clone)]
pub struct RsaSha256 {
    keys: Vec<ParsedPublicKey>,
}

impl RsaSha256 {
    /// A verifier with 1 to 3 public keys, each one PEM block `PUBLIC KEY` of 2048 to 8192 bits.
    ///
    /// # Errors
    /// `Configuration` without effect, naming `webhook_key`, when there is no key, more than
    /// three, or one that is not such a block.
    pub fn new<'a>(pems: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut keys = Vec::new();
        for pem in pems {
            if keys.len() == MAX_KEYS {
                return Err(key_error(format!("must be at most {MAX_KEYS} keys")));
            }
            keys.push(read_key(pem)?);
        }
        if keys.is_empty() {
            return Err(key_error("must be at least one key"));
        }
        Ok(Self { keys })
    }

    /// Checks that one of the keys made the signature, in padded standard base64, over exactly
    /// these bytes.
    ///
    /// # Errors
    /// `InvalidSignature` without effect; the message says which rule was broken.
    pub fn verify(&self, signed: &[u8], signature: &str) -> Result<()> {
        let refuse = |why: &str| Error::invalid_signature(format!("the signature {why}"));
        if signature.is_empty() {
            return Err(refuse("is empty"));
        }
        if signature.len() > MAX_SIGNATURE_CHARS {
            return Err(refuse("is too long"));
        }
        let signature = STANDARD.decode(signature).map_err(|_| refuse("is not base64"))?;
        // Nothing here is secret, so the first key that fits ends the search.
        if self.keys.iter().any(|key| key.verify_sig(signed, &signature).is_ok()) {
            return Ok(());
        }
        Err(refuse("matches by no key"))
    }
}

/// Public keys are no secret, and a page of digits is no help either.
impl fmt::Debug for RsaSha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaSha256").field("keys", &self.keys.len()).finish()
    }
}

fn read_key(pem: &str) -> Result<ParsedPublicKey> {
    if pem.len() > MAX_PEM_BYTES {
        return Err(key_error("must be one PEM block"));
    }
    let body = pem
        .trim()
        .strip_prefix(BEGIN)
        .and_then(|rest| rest.strip_suffix(END))
        .ok_or_else(|| key_error(format!("must be one PEM block {BEGIN} … {END}")))?;
    let encoded: String = body.split_ascii_whitespace().collect();
    let der = STANDARD
        .decode(encoded)
        .map_err(|_| key_error("must hold base64 between its two lines"))?;
    let no_key = |_| key_error("must hold an RSA public key");
    let key = PublicKey::from_der(&der).map_err(no_key)?;
    let bits = RsaParameters::public_modulus_len(key.as_ref());
    if !bits.is_ok_and(|bits| KEY_BITS.contains(&bits)) {
        return Err(key_error("must be an RSA key of 2048 to 8192 bits"));
    }
    ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).map_err(no_key)
}

fn key_error(message: impl Into<String>) -> Error {
    Error::configuration(KEY_FIELD, message)
}
