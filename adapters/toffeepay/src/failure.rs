//! What a refusal of the provider proves.
//!
//! The specification names codes and shows no body. Three shapes are read, in this order: the
//! printed envelope `{"error":{…}}`, Connect's error whose detail holds the domain code, and a
//! code at the top. The domain code decides what happened, never the HTTP status that it is
//! assumed to come with; the status decides what is proved.

use std::slice;

use paymux_core::{
    Effect, Error, ErrorKind, Failure, FailureKind, SecretString,
    transport::{HttpResponse, Purpose, fit_words},
};

use crate::auth::Rpc;

mod body;

use body::{Connect, Refused, read};

/// The error for a refusal.
pub(crate) fn refusal(rpc: Rpc, response: &HttpResponse, api_key: &SecretString) -> Error {
    let secrets = slice::from_ref(api_key);
    let Some(refused) = read(&response.body) else {
        return response.unrecognized(secrets);
    };
    let fit = |words: String| fit_words(&words, secrets);
    let refused = Refused {
        domain: refused.domain.map(fit),
        message: refused.message.map(fit),
        connect: refused.connect,
    };
    let general = response.refusal(true);
    let by_domain = refused.domain.as_deref().and_then(domain_kind);
    let (kind, retryable) = match (by_domain, refused.connect) {
        (Some(kind), _) => (kind, false),
        // What is only being made has no state. What is meant must be the account's, or the game's
        // ("closed"), which says nothing against another account.
        (None, Some(Connect::FailedPrecondition)) if rpc == Rpc::CreateSession => {
            (ErrorKind::Unexpected, false)
        }
        (None, Some(connect)) => connect.kind(),
        // A code that nobody documented may be of something on the way: hosts answer in this shape,
        // too. It is not believed that a payment is not found, or declined.
        (None, None) => (response.refusal(false).kind(), general.is_retryable()),
    };
    let effect = effect(&refused, by_domain.is_some(), &general, response);
    let failure = failure(rpc, &refused);
    let message = match &failure {
        // Why a payer was declined is for few to read: the words are in the failure.
        Some(failure) => failure.kind.to_string(),
        None => words(kind, &refused, &general),
    };
    let mut error = Error::new(kind, effect, message)
        .with_http_status(response.status.as_u16())
        .with_retryable(retryable)
        .with_retry_after(general.retry_after());
    if let Some(field) = field(&refused) {
        error = error.with_field(field);
    }
    if let Some(failure) = failure {
        error = error.with_failure(failure);
    }
    match refused.domain.as_deref().or(refused.connect.map(Connect::word)) {
        Some(code) => error.with_code(code),
        None => error,
    }
}

/// What a documented code means. `insufficient_funds` is the buyer's in payments and the
/// merchant's in refunds, and declines both. `refund_not_allowed` is about how this one payment
/// was paid, so it declines the refund too: nothing that an account "cannot do" is ever sent.
fn domain_kind(code: &str) -> Option<ErrorKind> {
    Some(match code {
        "invalid_game_id" | "invalid_currency" | "invalid_price" | "invalid_image" => {
            ErrorKind::InvalidRequest
        }
        "session_expired" | "already_refunded" | "idempotency_conflict" => ErrorKind::Conflict,
        "insufficient_funds" | "refund_not_allowed" => ErrorKind::Declined,
        "unauthorized" => ErrorKind::Unauthenticated,
        "payment_not_found" => ErrorKind::NotFound,
        _ => return None,
    })
}

/// The input to correct, as the caller knows it. That the key is named says that something else is
/// behind it, and nobody else's conflict does.
fn field(refused: &Refused) -> Option<&'static str> {
    let Some(code) = refused.domain.as_deref() else {
        return matches!(refused.connect, Some(Connect::AlreadyExists)).then_some("key");
    };
    match code {
        "idempotency_conflict" => Some("key"),
        "invalid_game_id" => Some("game_id"),
        "invalid_currency" => Some("currency"),
        "invalid_price" => Some("amount"),
        "invalid_image" => Some("options.toffeepay.item_image"),
        _ => None,
    }
}

fn failure(rpc: Rpc, refused: &Refused) -> Option<Failure> {
    let kind = match refused.domain.as_deref()? {
        "insufficient_funds" if rpc.is_refund() => FailureKind::MerchantBalance,
        "insufficient_funds" => FailureKind::InsufficientFunds,
        "refund_not_allowed" => FailureKind::InvalidMethod,
        _ => return None,
    };
    Some(Failure { kind, code: refused.domain.clone(), message: refused.message.clone() })
}

/// What is proved. Core's reading of the status stands, with three exceptions. A key used with
/// other parameters means that some request of ours was accepted before. A second refund was
/// refused because of the first, whatever client error that comes with. And a transport class
/// that does not rule out that the request was carried out proves nothing, even beside a status
/// that would.
fn effect(refused: &Refused, documented: bool, general: &Error, response: &HttpResponse) -> Effect {
    let worst = match response.purpose {
        Purpose::Read => Effect::None,
        Purpose::Mutate => Effect::Possible,
    };
    match refused.domain.as_deref() {
        Some("idempotency_conflict") => worst,
        Some("already_refunded") if response.status.is_client_error() => Effect::None,
        Some(_) if documented => general.effect(),
        Some(_) | None => match refused.connect {
            Some(connect) if !connect.is_definite() => worst,
            Some(_) | None => general.effect(),
        },
    }
}

fn words(kind: ErrorKind, refused: &Refused, general: &Error) -> String {
    // `Display` sets the field before the message, so the two must make one sentence.
    let field = field(refused);
    let message = refused.message.as_deref().filter(|message| !message.is_empty());
    let mut words = match (field, message) {
        (Some(_), Some(message)) => format!("was refused by the provider: {message}"),
        (Some(_), None) => "was refused by the provider".to_owned(),
        (None, Some(message)) => format!("the provider refused: {message}"),
        (None, None) => general.message().to_owned(),
    };
    if kind == ErrorKind::Unauthenticated {
        words.push_str("; a key of the other environment, sandbox or live, is refused like this");
    }
    words
}
