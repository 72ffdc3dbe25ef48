//! A browser that returns from a checkout: what its address says, read strictly and believed not at
//! all. Pure.

use paymux_core::{Error, NextAction, Payment, Result};
use serde::Serialize;
use serde_json::Value;
use url::form_urlencoded;

const PAYMENT_SESSION: &str = "cko-payment-session-id";
const SESSION: &str = "cko-session-id";
const PAYMENT: &str = "cko-payment-id";
/// Longer values are no ids.
const MAX_VALUE: usize = 256;
/// Longer queries are no returns.
const MAX_QUERY: usize = 8192;

/// What a return must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReturnMode {
    /// All three ids, as the specification requires.
    Strict,
    /// At least one: in the field not all arrive, says the gateway's own plugin.
    Lenient,
}

/// The ids of a return. They are the gateway's, none of the provider's, and anybody can open the
/// address: they say neither who came nor how it went, whichever of the two addresses was opened.
/// Find the payment by [`CheckoutReturn::is_of`] in the payer's own session, read it, and show what
/// that says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckoutReturn {
    /// The session that the payment was created with: `cko-payment-session-id`.
    pub payment_session_id: Option<String>,
    /// The session of this visit: `cko-session-id`.
    pub session_id: Option<String>,
    /// The gateway's id of the payment: `cko-payment-id`.
    pub payment_id: Option<String>,
}

impl CheckoutReturn {
    /// Reads the query of a return, with or without its question mark. Other parameters are
    /// ignored, above all `status`.
    ///
    /// # Errors
    /// `InvalidRequest` without effect, naming the parameter, when one is missing that the mode
    /// requires, is there twice with two values, is longer than 256 characters, or holds anything
    /// but letters, digits, `_` and `-`.
    pub fn read(query: &str, mode: ReturnMode) -> Result<Self> {
        let query = query.strip_prefix('?').unwrap_or(query);
        if query.len() > MAX_QUERY {
            return Err(Error::invalid_request("query", "must be at most 8192 bytes long"));
        }
        let read = |name| parameter(query, name);
        let found = Self {
            payment_session_id: read(PAYMENT_SESSION)?,
            session_id: read(SESSION)?,
            payment_id: read(PAYMENT)?,
        };
        let named = [
            (PAYMENT_SESSION, &found.payment_session_id),
            (SESSION, &found.session_id),
            (PAYMENT, &found.payment_id),
        ];
        let missing = named.into_iter().find(|(_, value)| value.is_none());
        let none = named.into_iter().all(|(_, value)| value.is_none());
        match (mode, missing) {
            (ReturnMode::Strict, Some((name, _))) => {
                Err(Error::invalid_request(name, "must be there"))
            }
            (ReturnMode::Lenient, _) if none => {
                let message = "must be there, or cko-session-id or cko-payment-id";
                Err(Error::invalid_request(PAYMENT_SESSION, message))
            }
            (ReturnMode::Strict, None) | (ReturnMode::Lenient, _) => Ok(found),
        }
    }

    /// Is it a return from the checkout session that was stored with a payment? See
    /// [`checkout_session_id`].
    #[must_use]
    pub fn is_of(&self, stored_session_id: &str) -> bool {
        self.payment_session_id.as_deref() == Some(stored_session_id)
    }
}

fn parameter(query: &str, name: &str) -> Result<Option<String>> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let mut found: Option<String> = None;
    for (_, value) in pairs.filter(|(key, _)| key == name) {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if value.is_empty() || value.len() > MAX_VALUE || !value.bytes().all(fits) {
            let message = "must be 1 to 256 letters, digits, `_` and `-`";
            return Err(Error::invalid_request(name, message));
        }
        if found.as_ref().is_some_and(|other| *other != value) {
            return Err(Error::invalid_request(name, "must not be there with two values"));
        }
        found = Some(value.into_owned());
    }
    Ok(found)
}

/// The id of the checkout session that a payment's next action holds, to be stored beside the
/// payment: the one part of a session that may be. `None` once the payment was stored and loaded,
/// and where the next action is a page: then
/// [`Ramp::fetch_checkout_session`](crate::Ramp::fetch_checkout_session) tells it, to be asked before
/// the payer is sent there, since a session that is over may be shown no more.
#[must_use]
pub fn checkout_session_id(payment: &Payment) -> Option<&str> {
    let Some(NextAction::RunClient { session }) = &payment.next_action else { return None };
    session.expose()?.get("id").and_then(Value::as_str).filter(|id| !id.is_empty())
}
