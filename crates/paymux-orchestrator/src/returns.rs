//! The payer comes back. A return proves nothing: it says which payment to look at.

use paymux_core::{Error, Random, Result, Url};
use sha2::{Digest, Sha256};

use crate::PaymentId;

/// The name of the token in the query of a return URL.
pub(crate) const NAME: &str = "paymux_return";

/// The secret half of a token: 160 random bits.
pub(crate) fn secret(random: &dyn Random) -> String {
    let mut bytes = [0_u8; 20];
    random.fill(&mut bytes);
    hex::encode(bytes)
}

/// The merchant's return URL with the token of this payment in its query.
pub(crate) fn add_token(url: &Url, id: &PaymentId, secret: &str) -> Url {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair(NAME, &format!("{id}.{secret}"));
    url
}

/// Which payment a return is about, and the secret that proves that it is.
pub(crate) fn read_token(url: &Url) -> Result<(PaymentId, String)> {
    let missing = || Error::invalid_request("return_url", format!("must hold {NAME} in its query"));
    let mut tokens = url.query_pairs().filter(|(name, _)| name == NAME);
    let (_, token) = tokens.next().ok_or_else(missing)?;
    if tokens.next().is_some() {
        return Err(Error::invalid_request("return_url", format!("must hold {NAME} once")));
    }
    let (id, secret) = token.split_once('.').ok_or_else(missing)?;
    Ok((id.parse()?, secret.to_owned()))
}

/// Compared by digest, so that the time it takes tells nothing about the secret.
pub(crate) fn is_secret(given: &str, stored: &str) -> bool {
    Sha256::digest(given.as_bytes()) == Sha256::digest(stored.as_bytes())
}
