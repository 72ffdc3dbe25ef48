//! The scheme with time and signature in one header: `t=<seconds>,v1=<hex>`.

use std::{fmt, time::Duration};

use http::{HeaderMap, HeaderName};
use secrecy::SecretString;

use super::shared::{
    Digest, Keys, Signatures, Tolerance, as_given, read_seconds, read_single_header,
};
use crate::{Error, Result, Timestamp};

/// Below this a secret can be guessed from one delivery that somebody has seen.
const MIN_SECRET_BYTES: usize = 16;

/// HMAC-SHA256 of `seconds.body` in hex, in one header with the time: `t=<seconds>,v1=<hex>`.
///
/// The parts stand in any order; space around them is dropped; parts with other names are passed
/// over. `t` must occur once, `v1` one to eight times; hex may be upper-case. The message carries
/// no id outside the body, so a replay is recognized by what the body says.
#[derive(Clone)]
pub struct TimestampedHmac {
    header: HeaderName,
    keys: Keys,
    tolerance: Tolerance,
}

impl TimestampedHmac {
    /// A verifier of this header with 1 to 3 secrets and a tolerance of 300 seconds;
    /// [`Self::sign`] uses the first secret.
    ///
    /// The key is the text of the secret as given, at least 16 bytes: no prefix is taken off and
    /// nothing is decoded, even where it looks like base64.
    ///
    /// # Errors
    /// `Configuration` without effect, naming `webhook_secret`, when there is no secret, more
    /// than three, or one that is empty, has white space around it, is too short, or is zeros
    /// only.
    pub fn new(
        header: HeaderName,
        secrets: impl IntoIterator<Item = SecretString>,
    ) -> Result<Self> {
        let keys = Keys::new(secrets, MIN_SECRET_BYTES, as_given)?;
        Ok(Self { header, keys, tolerance: Tolerance::default() })
    }

    /// The same verifier with another tolerance, which counts both ways: into the past and into
    /// the future.
    ///
    /// # Errors
    /// `Configuration` without effect, naming `webhook_tolerance`, when it is zero or above 24
    /// hours: the check cannot be turned off.
    pub fn with_tolerance(mut self, tolerance: Duration) -> Result<Self> {
        self.tolerance = Tolerance::new(tolerance)?;
        Ok(self)
    }

    /// Checks that the delivery is signed with one of the secrets, and that it was signed around
    /// the time it was received; gives the time it was signed, in whole seconds. The body is any
    /// bytes; exactly the tolerance still passes.
    ///
    /// # Errors
    /// `InvalidSignature` without effect; the message says which rule was broken.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        received_at: Timestamp,
    ) -> Result<Timestamp> {
        let value = read_single_header(headers, self.header.as_str())?;
        let (seconds, signatures) = read_parts(value)?;
        let signed_at = read_seconds(seconds)?;
        // The text of the header is signed, not the number it stands for.
        self.keys.verify(&signed_parts(seconds, body), &signatures)?;
        self.tolerance.check(signed_at, received_at)?;
        Ok(signed_at)
    }

    /// Signs as a sender does, with the first secret: the value of the header. For senders and
    /// for tests. A time before 1970 is written as it is, and [`Self::verify`] refuses it.
    #[must_use]
    pub fn sign(&self, timestamp: Timestamp, body: &[u8]) -> String {
        let seconds = timestamp.as_seconds().to_string();
        let digest = self.keys.sign(&signed_parts(&seconds, body));
        format!("t={seconds},v1={}", hex::encode(digest))
    }
}

/// The secrets are not shown.
impl fmt::Debug for TimestampedHmac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimestampedHmac")
            .field("header", &self.header)
            .field("secrets", &self.keys.len())
            .field("tolerance", &self.tolerance)
            .finish()
    }
}

fn signed_parts<'a>(seconds: &'a str, body: &'a [u8]) -> [&'a [u8]; 3] {
    [seconds.as_bytes(), b".", body]
}

/// Reads the text of `t`, and every `v1`.
fn read_parts(value: &str) -> Result<(&str, Signatures)> {
    let mut seconds = None;
    let mut signatures = Signatures::default();
    for part in value.split(',') {
        match part.trim().split_once('=') {
            Some(("t", _)) if seconds.is_some() => {
                return Err(Error::invalid_signature("t occurs more than once"));
            }
            Some(("t", text)) => seconds = Some(text),
            Some(("v1", encoded)) => signatures.add(decode_signature(encoded))?,
            Some(_) | None => {}
        }
    }
    let seconds = seconds.ok_or_else(|| Error::invalid_signature("t is missing"))?;
    Ok((seconds, signatures))
}

/// Hex of exactly 32 bytes, in either case.
fn decode_signature(encoded: &str) -> Option<Digest> {
    let mut digest = Digest::default();
    hex::decode_to_slice(encoded, &mut digest).ok()?;
    Some(digest)
}
