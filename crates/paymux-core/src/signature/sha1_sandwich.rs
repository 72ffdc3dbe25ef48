//! The scheme with the secret on both sides of the body, hashed with SHA-1.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::digest::{CtOutput, Output};
use http::{HeaderMap, HeaderName};
use secrecy::{SecretString, zeroize::Zeroizing};
use sha1::{Digest, Sha1};

use super::shared::{as_given, read_secrets, read_single_header};
use crate::{Error, Result};

/// Below this a secret can be guessed from one delivery that somebody has seen.
const MIN_SECRET_BYTES: usize = 16;
const SIGNATURE_BYTES: usize = 20;

/// Base64 of SHA-1 over the secret, the body and the secret again, in one header. No HMAC.
///
/// Neither a time nor an id is signed, so a delivery that somebody has seen can be sent again for
/// ever: believe it as [`Trust::Signed`](crate::Trust), and look before anything final. The one
/// thing it proves is that the holder of the secret wrote the body once. SHA-1 is weak where an
/// attacker chooses both of two texts that are to collide; nobody without the secret can.
#[derive(Clone)]
pub struct Sha1Sandwich {
    header: HeaderName,
    secrets: Vec<Zeroizing<Vec<u8>>>,
}

impl Sha1Sandwich {
    /// A verifier of this header with 1 to 3 secrets; [`Self::sign`] uses the first.
    ///
    /// The text of a secret counts as given, at least 16 bytes: no prefix is taken off and nothing
    /// is decoded.
    ///
    /// # Errors
    /// `Configuration` without effect, naming `webhook_secret`, when there is no secret, more
    /// than three, or one that is empty, has white space around it, is too short, or is zeros
    /// only.
    pub fn new(
        header: HeaderName,
        secrets: impl IntoIterator<Item = SecretString>,
    ) -> Result<Self> {
        Ok(Self { header, secrets: read_secrets(secrets, MIN_SECRET_BYTES, as_given)? })
    }

    /// Checks that the delivery is signed with one of the secrets. The body is any bytes; white
    /// space around the header's value is dropped.
    ///
    /// # Errors
    /// `InvalidSignature` without effect; the message says which rule was broken.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<()> {
        let value = read_single_header(headers, self.header.as_str())?;
        let given = decode_signature(value.trim())
            .ok_or_else(|| Error::invalid_signature("the signature is malformed"))?;
        let given = CtOutput::<Sha1>::new(given);
        let mut matched = false;
        // All are compared, so that the time taken does not tell which one matched.
        for secret in &self.secrets {
            matched |= CtOutput::new(sandwich(secret, body)) == given;
        }
        if matched { Ok(()) } else { Err(Error::invalid_signature("the signature does not match")) }
    }

    /// Signs as a sender does, with the first secret: the value of the header. For senders and
    /// for tests.
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> String {
        let secret = self.secrets.first().map_or(&[][..], |secret| secret.as_slice());
        STANDARD.encode(sandwich(secret, body))
    }
}

/// The secrets are not shown.
impl fmt::Debug for Sha1Sandwich {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sha1Sandwich")
            .field("header", &self.header)
            .field("secrets", &self.secrets.len())
            .finish()
    }
}

fn sandwich(secret: &[u8], body: &[u8]) -> Output<Sha1> {
    Sha1::new().chain_update(secret).chain_update(body).chain_update(secret).finalize()
}

/// Exactly 20 bytes in the standard alphabet, padded, without stray bits at the end: one text for
/// each signature.
fn decode_signature(encoded: &str) -> Option<Output<Sha1>> {
    let mut digest = [0; SIGNATURE_BYTES];
    let length = STANDARD.decode_slice(encoded, &mut digest).ok()?;
    (length == SIGNATURE_BYTES).then(|| digest.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contract's vectors whose secrets are too short to be configured.
    #[test]
    fn short_secrets_hash_as_the_contract_says() {
        let vectors: [(&str, &str, &str); 3] = [
            ("secret", r#"{"data":{"id":"cpi_1"}}"#, "1wKUdJuSrApvlS3wKNEpeywfSCg="),
            ("secret", "{}", "2JnEdrDo5Gb2mPUpzkHZejWbYFw="),
            (
                "vector-secret-2",
                r#"{"data":{"id":"cpi_1","attributes":{"description":"Оплата №7","return_url":"https:\/\/example.com\/1"}}}"#,
                "w8JJoBi+O1bkegYmVdzibkbY8dQ=",
            ),
        ];
        for (secret, body, signature) in vectors {
            let hash = sandwich(secret.as_bytes(), body.as_bytes());
            assert_eq!(STANDARD.encode(hash), signature);
            assert_eq!(decode_signature(signature), Some(hash));
        }
    }

    /// What other schemes make of the same secret and body, by the contract.
    #[test]
    fn look_alikes_are_others() {
        let hash = sandwich(b"secret", br#"{"data":{"id":"cpi_1"}}"#);
        let look_alikes = [
            "pYEmUs/qAOO72TVmmRIY10LSSJs=",
            "ZDcwMjk0NzQ5YjkyYWMwYTZmOTUyZGYwMjhkMTI5N2IyYzFmNDgyOA==",
            "jwm0n/GTUwRkxz2mFoMelvkprL0=",
            "ZyCyrh7d468GbOCXt6UIJDhx7/U=",
        ];
        for other in look_alikes {
            assert_ne!(decode_signature(other), Some(hash), "{other}");
        }
    }
}
