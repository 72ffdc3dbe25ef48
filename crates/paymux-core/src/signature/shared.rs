//! What the schemes share: the keys, the signatures a delivery brings, its headers and its age.

use std::{iter, time::Duration};

use hmac::{
    Hmac, KeyInit, Mac,
    digest::{CtOutput, Output},
};
use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use sha2::Sha256;

use crate::{Error, Result, Timestamp};

type HmacSha256 = Hmac<Sha256>;

/// A signature, decoded.
pub(super) type Digest = [u8; 32];

/// The setting that an unusable secret is reported under.
const SECRET_FIELD: &str = "webhook_secret";
/// One in use, one being introduced, one not yet forgotten.
const MAX_SECRETS: usize = 3;
/// More than a rotation ever needs; bounds the work a stranger can cause.
const MAX_SIGNATURES: usize = 8;
/// Room for eight signatures of either scheme and some of versions not known here.
pub(super) const MAX_HEADER_BYTES: usize = 4096;
const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);
const MAX_TOLERANCE: Duration = Duration::from_secs(24 * 60 * 60);

/// The secrets of one endpoint, decoded: 1 to 3, each usable. `decode` makes the bytes of a
/// secret, which must be at least `min_bytes`.
pub(super) fn read_secrets(
    secrets: impl IntoIterator<Item = SecretString>,
    min_bytes: usize,
    decode: fn(&str) -> Result<Zeroizing<Vec<u8>>>,
) -> Result<Vec<Zeroizing<Vec<u8>>>> {
    let mut read = Vec::new();
    for secret in secrets {
        let bytes = read_secret(secret.expose_secret(), min_bytes, decode)?;
        if read.len() == MAX_SECRETS {
            return Err(secret_error(format!("must be at most {MAX_SECRETS} secrets")));
        }
        read.push(bytes);
    }
    if read.is_empty() { Err(secret_error("must be at least one secret")) } else { Ok(read) }
}

/// The text of a secret as it is: no prefix is taken off and nothing is decoded.
pub(super) fn as_given(secret: &str) -> Result<Zeroizing<Vec<u8>>> {
    Ok(Zeroizing::new(secret.as_bytes().to_vec()))
}

/// The secrets of one endpoint as prepared HMAC keys, so that a delivery costs no key set-up. The
/// first one signs.
#[derive(Clone)]
pub(super) struct Keys {
    first: HmacSha256,
    others: Vec<HmacSha256>,
}

impl Keys {
    /// Prepares the secrets: see [`read_secrets`].
    pub(super) fn new(
        secrets: impl IntoIterator<Item = SecretString>,
        min_bytes: usize,
        decode: fn(&str) -> Result<Zeroizing<Vec<u8>>>,
    ) -> Result<Self> {
        let mut keys = read_secrets(secrets, min_bytes, decode)?.into_iter().map(|bytes| {
            HmacSha256::new_from_slice(&bytes).map_err(|_| secret_error("cannot be used as a key"))
        });
        let first = keys.next().ok_or_else(|| secret_error("must be at least one secret"))??;
        Ok(Self { first, others: keys.collect::<Result<_>>()? })
    }

    /// How many secrets there are.
    pub(super) fn len(&self) -> usize {
        1 + self.others.len()
    }

    /// Signs the parts, one after the other, with the first secret.
    pub(super) fn sign(&self, parts: &[&[u8]]) -> Digest {
        digest(&self.first, parts).into_bytes().into()
    }

    /// Does any signature belong to the parts, by any secret? All are compared, each in constant
    /// time, so that the time taken does not tell which one matched.
    ///
    /// # Errors
    /// `InvalidSignature` when there is no signature, none that can be read, or none that matches.
    pub(super) fn verify(&self, parts: &[&[u8]], signatures: &Signatures) -> Result<()> {
        let given = signatures.readable()?;
        let mut matched = false;
        for key in iter::once(&self.first).chain(&self.others) {
            let expected = digest(key, parts);
            for signature in given {
                matched |= expected == CtOutput::new(Output::<HmacSha256>::from(*signature));
            }
        }
        if matched { Ok(()) } else { Err(Error::invalid_signature("no v1 signature matches")) }
    }
}

fn digest(key: &HmacSha256, parts: &[&[u8]]) -> CtOutput<HmacSha256> {
    let mut mac = key.clone();
    for part in parts {
        mac.update(part);
    }
    mac.finalize()
}

fn read_secret(
    secret: &str,
    min_bytes: usize,
    decode: fn(&str) -> Result<Zeroizing<Vec<u8>>>,
) -> Result<Zeroizing<Vec<u8>>> {
    if secret.trim().is_empty() {
        return Err(secret_error("must not be empty"));
    }
    if secret.trim() != secret {
        return Err(secret_error("must not begin or end with white space"));
    }
    let key = decode(secret)?;
    if key.len() < min_bytes {
        return Err(secret_error(format!("must have at least {min_bytes} bytes")));
    }
    // HMAC fills a short key with zeros, so zeros alone sign exactly as no key does.
    if key.iter().all(|&byte| byte == 0) {
        return Err(secret_error("must not be all zeros"));
    }
    Ok(key)
}

/// The error for a secret that cannot be used. The message never holds any of it.
pub(super) fn secret_error(message: impl Into<String>) -> Error {
    Error::configuration(SECRET_FIELD, message)
}

/// The `v1` signatures of one delivery.
#[derive(Default)]
pub(super) struct Signatures {
    found: usize,
    readable: [Digest; MAX_SIGNATURES],
    readable_len: usize,
}

impl Signatures {
    /// Adds a `v1` signature; `None` is one that cannot be decoded, which never matches.
    ///
    /// # Errors
    /// `InvalidSignature` when there are more than can be honest.
    pub(super) fn add(&mut self, decoded: Option<Digest>) -> Result<()> {
        if self.found == MAX_SIGNATURES {
            return Err(Error::invalid_signature(format!(
                "there are more than {MAX_SIGNATURES} v1 signatures"
            )));
        }
        self.found += 1;
        if let Some(decoded) = decoded
            && let Some(slot) = self.readable.get_mut(self.readable_len)
        {
            *slot = decoded;
            self.readable_len += 1;
        }
        Ok(())
    }

    fn readable(&self) -> Result<&[Digest]> {
        if self.found == 0 {
            return Err(Error::invalid_signature("there is no v1 signature"));
        }
        match self.readable.get(..self.readable_len) {
            None | Some([]) => Err(Error::invalid_signature("the v1 signature is malformed")),
            Some(readable) => Ok(readable),
        }
    }
}

/// How far the time of signing may lie from the time of arrival, either way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerance(Duration);

impl Default for Tolerance {
    fn default() -> Self {
        Self(DEFAULT_TOLERANCE)
    }
}

impl Tolerance {
    /// A tolerance above zero and up to a day: neither end may stand for "do not check".
    pub(super) fn new(tolerance: Duration) -> Result<Self> {
        if tolerance.is_zero() || tolerance > MAX_TOLERANCE {
            return Err(Error::configuration(
                "webhook_tolerance",
                "must be above zero and at most 24 hours",
            ));
        }
        Ok(Self(tolerance))
    }

    /// Is the delivery fresh? Exactly the tolerance still is.
    pub(super) fn check(self, signed_at: Timestamp, received_at: Timestamp) -> Result<()> {
        // `abs_diff`, since a subtraction could overflow on the clock that was passed in.
        let apart = Duration::from_millis(received_at.as_millis().abs_diff(signed_at.as_millis()));
        if apart <= self.0 {
            Ok(())
        } else if signed_at < received_at {
            Err(Error::invalid_signature("the timestamp is too old"))
        } else {
            Err(Error::invalid_signature("the timestamp is in the future"))
        }
    }
}

/// Reads a header that must occur exactly once.
pub(super) fn read_single_header<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str> {
    let mut values = headers.get_all(name).iter();
    let refuse = |what: &str| Error::invalid_signature(format!("the header {name} {what}"));
    let value = values.next().ok_or_else(|| refuse("is missing"))?;
    if values.next().is_some() {
        return Err(refuse("occurs more than once"));
    }
    if value.is_empty() {
        return Err(refuse("is empty"));
    }
    if value.len() > MAX_HEADER_BYTES {
        return Err(refuse("is too long"));
    }
    value.to_str().map_err(|_| refuse("is not ASCII"))
}

/// Reads a time in whole seconds: 1 to 12 digits and nothing else. A leading zero is permitted,
/// because the text is signed as it stands: only the holder of the secret can put one there.
pub(super) fn read_seconds(text: &str) -> Result<Timestamp> {
    let digits = matches!(text.len(), 1..=12) && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(seconds) if digits => Ok(Timestamp::from_seconds(seconds)),
        _ => Err(Error::invalid_signature("the timestamp is not 1 to 12 digits")),
    }
}
