//! Refusals and how they look on the wire.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::SandboxError;
use crate::reply::Reply;

/// Why a payer's wallet, or a payment, is refused: the codes of a reservation, all with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Denial {
    /// Not enough money; the newer spelling.
    InsufficientFunds,
    /// Not enough money; the older spelling.
    NotEnoughFunds,
    /// A limit of the payer or of the allowance.
    LimitsExceeded,
    /// A limit that a restriction sets.
    RestrictionLimitsExceeded,
    /// The client may not take money there.
    NoRights,
    /// Payer and beneficiary are one.
    PaymentToSameAccount,
    /// A restriction forbids it.
    RestrictionViolation,
    /// The payer is not identified.
    ClientNotVerified,
    /// The beneficiary's wallet is closed.
    BeneficiaryAccountInactive,
    /// The payer's wallet is closed.
    PayerAccountInactive,
    /// The payer is restricted.
    ClientRestricted,
}

impl Denial {
    fn code_and_words(self) -> (&'static str, &'static str) {
        match self {
            Denial::InsufficientFunds => {
                ("insufficient_funds", "Wallet balance is insufficient for this payment")
            }
            Denial::NotEnoughFunds => ("not_enough_funds", "Not enough money in the payer account"),
            Denial::LimitsExceeded => ("limits_exceeded", "Payer limit exceeded"),
            Denial::RestrictionLimitsExceeded => {
                ("restriction_limits_exceeded", "Limit of a restriction exceeded")
            }
            Denial::NoRights => ("no_rights", "No right to take money from this wallet"),
            Denial::PaymentToSameAccount => {
                ("payment_to_same_account", "Payer and beneficiary account are the same")
            }
            Denial::RestrictionViolation => ("restriction_violation", "A restriction forbids this"),
            Denial::ClientNotVerified => ("client_not_verified", "Payer has to be verified first"),
            Denial::BeneficiaryAccountInactive => {
                ("beneficiary_account_inactive", "Beneficiary account is not active")
            }
            Denial::PayerAccountInactive => {
                ("payer_account_inactive", "Payer account is not active")
            }
            Denial::ClientRestricted => ("client_restricted", "Payer is restricted"),
        }
    }
}

/// One parameter and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Such as `payments[0].currency`.
    pub(super) field: String,
    pub(super) message: String,
}

/// A call that was refused and changed nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The body could not be read: 400.
    InvalidRequest,
    /// Parameters are wrong, at least one: 400.
    Invalid(Vec<Wrong>),
    /// The money cannot be had: 400.
    Denied(Denial),
    /// A token or code is used up, expired or unknown: 400.
    InvalidGrant(&'static str),
    /// Who calls could not be proved: 401.
    Unauthorized(&'static str),
    /// The clocks differ too much: 401.
    InvalidTimestamp(&'static str),
    /// Known, and not allowed: 403.
    Forbidden,
    /// No such path or object: 404.
    NotFound,
    /// Only JSON is spoken: 406.
    NotAcceptable,
    /// The status forbids it: 409.
    InvalidState,
    /// Too many requests: 429.
    RateLimited,
}

impl Refusal {
    pub(super) fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Refusal::Invalid(vec![Wrong { field: field.into(), message: message.into() }])
    }

    pub(super) fn status(&self) -> StatusCode {
        match self {
            Refusal::InvalidRequest
            | Refusal::Invalid(_)
            | Refusal::Denied(_)
            | Refusal::InvalidGrant(_) => StatusCode::BAD_REQUEST,
            Refusal::Unauthorized(_) | Refusal::InvalidTimestamp(_) => StatusCode::UNAUTHORIZED,
            Refusal::Forbidden => StatusCode::FORBIDDEN,
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Refusal::InvalidState => StatusCode::CONFLICT,
            Refusal::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// The code, and a description unless the provider sends none.
    pub(super) fn code_and_words(&self) -> (&'static str, Option<&str>) {
        match self {
            Refusal::InvalidRequest => ("invalid_request", Some("Body could not be parsed")),
            Refusal::Invalid(wrong) => {
                ("invalid_parameters", wrong.first().map(|wrong| wrong.message.as_str()))
            }
            Refusal::Denied(denial) => {
                let (code, words) = denial.code_and_words();
                (code, Some(words))
            }
            Refusal::InvalidGrant(words) => ("invalid_grant", Some(words)),
            Refusal::Unauthorized(words) => ("unauthorized", Some(words)),
            Refusal::InvalidTimestamp(words) => ("invalid_timestamp", Some(words)),
            Refusal::Forbidden => ("forbidden", Some("Client may not read this resource")),
            Refusal::NotFound => ("not_found", Some("No such resource")),
            Refusal::NotAcceptable => ("not_acceptable", Some("Format not supported")),
            Refusal::InvalidState => ("invalid_state", Some("Action not possible in this state")),
            Refusal::RateLimited => ("rate_limit_exceeded", None),
        }
    }

    pub(super) fn body(&self, with_properties: bool) -> Value {
        let (code, words) = self.code_and_words();
        let mut body = body(code, words);
        if let (true, Refusal::Invalid(wrong)) = (with_properties, self) {
            let mut fields: Map<String, Value> = Map::new();
            for Wrong { field, message } in wrong {
                let messages = fields.entry(field.as_str()).or_insert_with(|| json!([]));
                if let Value::Array(messages) = messages {
                    messages.push(message.as_str().into());
                }
            }
            body["error_properties"] = fields.into();
        }
        body
    }

    pub(super) fn reply(&self, with_properties: bool) -> Reply {
        Reply::json(self.status(), &self.body(with_properties))
    }
}

fn body(code: &str, words: Option<&str>) -> Value {
    match words {
        Some(words) => json!({"error": code, "error_description": words}),
        None => json!({"error": code}),
    }
}

/// The error of a fault: the code that goes with an HTTP status, a page for what a proxy in front
/// of the provider says.
pub(super) fn failure(status: StatusCode) -> Reply {
    let known = [
        Refusal::InvalidRequest,
        Refusal::Unauthorized("Credentials missing or wrong"),
        Refusal::Forbidden,
        Refusal::NotFound,
        Refusal::NotAcceptable,
        Refusal::InvalidState,
        Refusal::RateLimited,
    ];
    if let Some(refusal) = known.iter().find(|refusal| refusal.status() == status) {
        return refusal.reply(false);
    }
    match status {
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
            let reason = status.canonical_reason().unwrap_or_default();
            let code = status.as_str();
            Reply::html(
                status,
                format!(
                    "<html><head><title>{code} {reason}</title></head>\
                     <body>{code} {reason}</body></html>"
                ),
            )
        }
        _ => Reply::json(status, &body("internal_server_error", Some("Internal error"))),
    }
}

/// The refusal of an action of a person, in words.
impl From<Refusal> for SandboxError {
    fn from(refusal: Refusal) -> Self {
        let (code, words) = refusal.code_and_words();
        let text = words.unwrap_or(code).to_owned();
        match refusal {
            Refusal::NotFound => SandboxError::NotFound(text),
            Refusal::InvalidRequest
            | Refusal::Invalid(_)
            | Refusal::Denied(_)
            | Refusal::InvalidGrant(_)
            | Refusal::Unauthorized(_)
            | Refusal::InvalidTimestamp(_)
            | Refusal::Forbidden
            | Refusal::NotAcceptable
            | Refusal::InvalidState
            | Refusal::RateLimited => SandboxError::Refused(format!("{code}: {text}")),
        }
    }
}
