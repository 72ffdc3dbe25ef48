//! No signature: a secret that whoever delivers puts into a header.

use std::fmt;

use hmac::digest::CtOutput;
use http::{HeaderMap, HeaderName};
use secrecy::{SecretString, zeroize::Zeroizing};
use sha2::{Digest, Sha256};

use super::shared::{MAX_HEADER_BYTES, read_secrets, read_single_header, secret_error};
use crate::{Error, Result};

/// Below this a secret can be guessed.
const MIN_SECRET_BYTES: usize = 16;

/// The secret itself in a header, for providers that sign nothing and can be told to send one.
///
/// It shows that the sender was told the secret, and nothing of what was sent or when: whoever sees
/// one delivery can send any other. So it keeps strangers out and makes nothing believed: such
/// events stay [`Trust::Unsigned`](crate::Trust).
#[derive(Clone)]
pub struct SharedSecret {
    header: HeaderName,
    digests: Vec<CtOutput<Sha256>>,
}

impl SharedSecret {
    /// A verifier of this header with 1 to 3 secrets, each at least 16 visible ASCII characters, as
    /// they are to arrive: no prefix is taken off and nothing is decoded.
    ///
    /// # Errors
    /// `Configuration` without effect, naming `webhook_secret`, when there is no secret, more
    /// than three, or one that is empty, has white space around it, is too short, or cannot stand
    /// in a header.
    pub fn new(
        header: HeaderName,
        secrets: impl IntoIterator<Item = SecretString>,
    ) -> Result<Self> {
        let secrets = read_secrets(secrets, MIN_SECRET_BYTES, as_in_a_header)?;
        Ok(Self { header, digests: secrets.iter().map(|secret| digest(secret)).collect() })
    }

    /// Checks that the header is there once and brings one of the secrets. White space around its
    /// value is dropped.
    ///
    /// # Errors
    /// `InvalidSignature` without effect; the message says which rule was broken.
    pub fn verify(&self, headers: &HeaderMap) -> Result<()> {
        let value = read_single_header(headers, self.header.as_str())?;
        // Digests are compared, so that the time taken does not even tell how long a secret is.
        let given = digest(value.trim().as_bytes());
        let mut matched = false;
        for known in &self.digests {
            matched |= *known == given;
        }
        if matched { Ok(()) } else { Err(Error::invalid_signature("the secret does not match")) }
    }
}

/// Neither the secrets nor their digests are shown.
impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSecret")
            .field("header", &self.header)
            .field("secrets", &self.digests.len())
            .finish()
    }
}

fn digest(bytes: &[u8]) -> CtOutput<Sha256> {
    CtOutput::new(Sha256::digest(bytes))
}

/// What no header can bring would refuse every delivery.
fn as_in_a_header(secret: &str) -> Result<Zeroizing<Vec<u8>>> {
    if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(secret_error("must be visible ASCII without spaces"));
    }
    if secret.len() > MAX_HEADER_BYTES {
        return Err(secret_error(format!("must have at most {MAX_HEADER_BYTES} bytes")));
    }
    Ok(Zeroizing::new(secret.as_bytes().to_vec()))
}
