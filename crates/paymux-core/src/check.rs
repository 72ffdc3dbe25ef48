//! What adapters check of what they are given, before anything is sent.

use url::Url;

use crate::{Error, Result, transport::is_private};

/// The text, unless it is empty or white space: in a path or a body that would ask for something
/// else.
///
/// # Errors
/// `InvalidRequest` without effect, naming `field`.
pub fn filled<'a>(field: &str, text: &'a str) -> Result<&'a str> {
    if text.trim().is_empty() {
        return Err(Error::invalid_request(field, "must not be empty"));
    }
    Ok(text)
}

/// Can calls be made below this address? Nothing is sent in clear text, except to this machine, and
/// what an address can hold besides a place is not for a setting that is printed and extended.
///
/// # Errors
/// `Configuration` without effect, naming `setting`, when it is neither `https` nor `http` to this
/// machine, or has a user, a password, a query or a fragment. The address is not quoted.
pub fn base_url(setting: &str, url: &Url) -> Result<()> {
    let must_be = |what: &str| Err(Error::configuration(setting, format!("must be {what}")));
    if !is_private(url) {
        return must_be("https, or http to this machine");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return must_be("without user and password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return must_be("without query and fragment");
    }
    Ok(())
}
