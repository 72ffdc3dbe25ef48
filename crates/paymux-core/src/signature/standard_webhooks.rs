//! The Standard Webhooks scheme with shared secrets (`v1`).

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderMap;
use secrecy::{SecretString, zeroize::Zeroizing};

use super::shared::{
    Digest, Keys, Signatures, Tolerance, read_seconds, read_single_header, secret_error,
};
use crate::{Error, Result, Timestamp};

const ID_HEADER: &str = "webhook-id";
const TIMESTAMP_HEADER: &str = "webhook-timestamp";
const SIGNATURE_HEADER: &str = "webhook-signature";
const MAX_ID_CHARS: usize = 256;
/// The least that the Standard Webhooks specification permits.
const MIN_SECRET_BYTES: usize = 24;

/// Standard Webhooks, version `v1`: HMAC-SHA256 of `id.seconds.body`, in base64.
///
/// The headers are `webhook-id`, `webhook-timestamp` and `webhook-signature`; the last is a list
/// separated by spaces, such as `v1,<base64> v1,<base64>`. At most eight `v1` signatures are
/// accepted; other versions, the asymmetric `v1a` among them, are passed over and never match.
/// Source: the Standard Webhooks specification, version 1.
#[derive(Clone)]
pub struct StandardWebhooks {
    keys: Keys,
    tolerance: Tolerance,
}

/// What a verified delivery says outside its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedMessage {
    /// The sender's id of the message, the same each time it is sent again: what to recognize a
    /// replay by. 1 to 256 visible ASCII characters without `.`.
    pub id: String,
    /// When this attempt was signed, in whole seconds.
    pub signed_at: Timestamp,
}

impl StandardWebhooks {
    /// A verifier with 1 to 3 secrets and a tolerance of 300 seconds; [`Self::sign`] uses the
    /// first secret.
    ///
    /// A secret is `whsec_` and standard base64, padded, of 24 bytes or more; the prefix may be
    /// missing.
    ///
    /// # Errors
    /// `Configuration` without effect, naming `webhook_secret`, when there is no secret, more
    /// than three, or one that is empty, has white space around it, is no such base64, is too
    /// short, or is zeros only.
    pub fn new(secrets: impl IntoIterator<Item = SecretString>) -> Result<Self> {
        let keys = Keys::new(secrets, MIN_SECRET_BYTES, decode_secret)?;
        Ok(Self { keys, tolerance: Tolerance::default() })
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
    /// the time it was received. The body is any bytes; exactly the tolerance still passes.
    ///
    /// # Errors
    /// `InvalidSignature` without effect; the message says which rule was broken.
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        received_at: Timestamp,
    ) -> Result<SignedMessage> {
        let id = read_single_header(headers, ID_HEADER)?;
        if !is_valid_id(id) {
            return Err(Error::invalid_signature(format!("the header {ID_HEADER} {ID_RULE}")));
        }
        let seconds = read_single_header(headers, TIMESTAMP_HEADER)?;
        let signed_at = read_seconds(seconds)?;
        let signatures = read_signatures(read_single_header(headers, SIGNATURE_HEADER)?)?;
        // The text of the header is signed, not the number it stands for.
        self.keys.verify(&signed_parts(id, seconds, body), &signatures)?;
        self.tolerance.check(signed_at, received_at)?;
        Ok(SignedMessage { id: id.to_owned(), signed_at })
    }

    /// Signs as a sender does, with the first secret: the value of `webhook-signature`. The
    /// timestamp header is `timestamp` in whole seconds. For senders and for tests.
    ///
    /// # Errors
    /// `InvalidRequest` without effect, naming `id` or `timestamp`, when [`Self::verify`] would
    /// refuse such an id or such a time on sight.
    pub fn sign(&self, id: &str, timestamp: Timestamp, body: &[u8]) -> Result<String> {
        if !is_valid_id(id) {
            return Err(Error::invalid_request("id", ID_RULE));
        }
        let seconds = timestamp.as_seconds().to_string();
        if read_seconds(&seconds).is_err() {
            return Err(Error::invalid_request("timestamp", "must be 1 to 12 digits in seconds"));
        }
        let digest = self.keys.sign(&signed_parts(id, &seconds, body));
        Ok(format!("v1,{}", STANDARD.encode(digest)))
    }
}

/// The secrets are not shown.
impl fmt::Debug for StandardWebhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandardWebhooks")
            .field("secrets", &self.keys.len())
            .field("tolerance", &self.tolerance)
            .finish()
    }
}

fn signed_parts<'a>(id: &'a str, seconds: &'a str, body: &'a [u8]) -> [&'a [u8]; 5] {
    [id.as_bytes(), b".", seconds.as_bytes(), b".", body]
}

const ID_RULE: &str = "must be 1 to 256 visible ASCII characters without '.'";

/// A dot in an id would let its end pass for the timestamp, and the timestamp for the beginning
/// of the body, under the same signature.
fn is_valid_id(id: &str) -> bool {
    (1..=MAX_ID_CHARS).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.')
}

fn read_signatures(list: &str) -> Result<Signatures> {
    let mut signatures = Signatures::default();
    for entry in list.split(' ') {
        if let Some(("v1", encoded)) = entry.split_once(',') {
            signatures.add(decode_signature(encoded))?;
        }
    }
    Ok(signatures)
}

/// Exactly 32 bytes in the standard alphabet, padded, without stray bits at the end: one text for
/// each signature.
fn decode_signature(encoded: &str) -> Option<Digest> {
    let mut digest = Digest::default();
    let length = STANDARD.decode_slice(encoded, &mut digest).ok()?;
    (length == digest.len()).then_some(digest)
}

fn decode_secret(secret: &str) -> Result<Zeroizing<Vec<u8>>> {
    let encoded = secret.strip_prefix("whsec_").unwrap_or(secret);
    // The decoder's own error is dropped: it quotes a character of the secret.
    STANDARD
        .decode(encoded)
        .map(Zeroizing::new)
        .map_err(|_| secret_error("must be whsec_ and standard base64 with its padding"))
}
