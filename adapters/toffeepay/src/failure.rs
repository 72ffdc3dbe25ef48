//! What a refusal of the provider proves.
//!
//! The specification names codes and shows no body. Three shapes are read, in this order: the
//! printed envelope `{"error":{…}}`, Connect's error whose detail holds the domain code, and a
//! code at the top. The domain code decides what happened, never the HTTP status that it is
//! assumed to come with; the status decides what is proved.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use paymux_core::{
    Effect, Error, ErrorKind, Failure, FailureKind, SecretString,
    transport::{HttpResponse, Purpose},
};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use crate::auth::Rpc;

/// How much of the provider's words is kept, in characters.
const MAX_WORDS: usize = 300;
/// How much is kept of a body that is in no shape of the provider's.
const MAX_DIAGNOSTICS: usize = 1024;

/// A refusal, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The provider's own code: `invalid_price`.
    pub(crate) domain: Option<String>,
    /// The transport's class, one of sixteen.
    pub(crate) connect: Option<Connect>,
    pub(crate) message: Option<String>,
}

/// The codes of the Connect protocol. Source: connectrpc.com, protocol reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connect {
    Canceled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

impl Connect {
    /// In the order of the numbers of `google.rpc.Code`, from 1.
    const ALL: [(&'static str, Self); 16] = [
        ("canceled", Self::Canceled),
        ("unknown", Self::Unknown),
        ("invalid_argument", Self::InvalidArgument),
        ("deadline_exceeded", Self::DeadlineExceeded),
        ("not_found", Self::NotFound),
        ("already_exists", Self::AlreadyExists),
        ("permission_denied", Self::PermissionDenied),
        ("resource_exhausted", Self::ResourceExhausted),
        ("failed_precondition", Self::FailedPrecondition),
        ("aborted", Self::Aborted),
        ("out_of_range", Self::OutOfRange),
        ("unimplemented", Self::Unimplemented),
        ("internal", Self::Internal),
        ("unavailable", Self::Unavailable),
        ("data_loss", Self::DataLoss),
        ("unauthenticated", Self::Unauthenticated),
    ];

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, code)| *code)
    }

    fn from_number(number: u64) -> Option<Self> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        Self::ALL.get(index).map(|(_, code)| *code)
    }

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, code)| *code == self).map_or("unknown", |(word, _)| word)
    }

    /// Does it say that the request was not carried out, and never will be?
    const fn is_definite(self) -> bool {
        match self {
            Self::InvalidArgument
            | Self::NotFound
            | Self::PermissionDenied
            | Self::FailedPrecondition
            | Self::OutOfRange
            | Self::Unimplemented
            | Self::Unauthenticated => true,
            Self::Canceled
            | Self::Unknown
            | Self::DeadlineExceeded
            | Self::AlreadyExists
            | Self::ResourceExhausted
            | Self::Aborted
            | Self::Internal
            | Self::Unavailable
            | Self::DataLoss => false,
        }
    }

    /// What kind of refusal it is, and whether the same request can succeed later.
    const fn kind(self) -> (ErrorKind, bool) {
        match self {
            Self::InvalidArgument | Self::OutOfRange => (ErrorKind::InvalidRequest, false),
            Self::Unauthenticated => (ErrorKind::Unauthenticated, false),
            Self::PermissionDenied => (ErrorKind::PermissionDenied, false),
            Self::NotFound => (ErrorKind::NotFound, false),
            Self::AlreadyExists | Self::FailedPrecondition => (ErrorKind::Conflict, false),
            Self::Aborted => (ErrorKind::Conflict, true),
            Self::ResourceExhausted => (ErrorKind::RateLimited, true),
            Self::DeadlineExceeded => (ErrorKind::Timeout, true),
            Self::Unknown | Self::Internal | Self::Unavailable => (ErrorKind::Unavailable, true),
            Self::Unimplemented => (ErrorKind::Configuration, false),
            Self::Canceled | Self::DataLoss => (ErrorKind::Unexpected, false),
        }
    }
}

/// Reads a refusal's body. `None` when it is not in any shape of the provider's.
pub(crate) fn read(body: &[u8]) -> Option<Refused> {
    let Ok(Value::Object(body)) = serde_json::from_slice(body) else { return None };
    if let Some(Value::Object(error)) = body.get("error") {
        return top_level(error);
    }
    let outer = top_level(&body)?;
    let details = body.get("details").and_then(Value::as_array);
    let inner = details.and_then(|details| details.iter().find_map(detail));
    Some(match inner {
        Some((domain, message)) => Refused {
            domain: Some(domain),
            connect: outer.connect,
            message: message.or(outer.message),
        },
        None => outer,
    })
}

fn top_level(error: &Map<String, Value>) -> Option<Refused> {
    let message = error.get("message").and_then(Value::as_str).map(str::to_owned);
    let (domain, connect) = match error.get("code")? {
        Value::String(code) if code.is_empty() => return None,
        Value::String(code) => match Connect::from_word(code) {
            Some(connect) => (None, Some(connect)),
            None => (Some(code.clone()), None),
        },
        Value::Number(code) => (None, Some(Connect::from_number(code.as_u64()?)?)),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(Refused { domain, connect, message })
}

/// The domain code and message of a detail `pay.v1.Error`. The readable `debug` beside it is
/// not to be relied on, says the protocol.
fn detail(detail: &Value) -> Option<(String, Option<String>)> {
    let kind = detail.get("type")?.as_str()?;
    if kind.strip_prefix("type.googleapis.com/").unwrap_or(kind) != "pay.v1.Error" {
        return None;
    }
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes =
        GeneralPurpose::new(&STANDARD, config).decode(detail.get("value")?.as_str()?).ok()?;
    let (mut code, mut message) = (None, None);
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let (field, text, after) = protobuf_text(rest)?;
        match field {
            1 => code = Some(text.to_owned()),
            2 => message = Some(text.to_owned()),
            _ => {}
        }
        rest = after;
    }
    Some((code.filter(|code| !code.is_empty())?, message))
}

/// The first field of a protobuf message that holds only texts: its number, the text, and what
/// follows. One message of two texts needs no library.
fn protobuf_text(bytes: &[u8]) -> Option<(u64, &str, &[u8])> {
    const LENGTH_DELIMITED: u64 = 2;
    let (tag, bytes) = varint(bytes)?;
    if tag & 7 != LENGTH_DELIMITED {
        return None;
    }
    let (length, bytes) = varint(bytes)?;
    let (text, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    Some((tag >> 3, std::str::from_utf8(text).ok()?, rest))
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow. Four bytes are
/// more than any answer we read can need.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(4) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

/// The provider's words, fit for a log line: no control characters, and not too many.
pub(crate) fn clean(words: &str) -> String {
    clean_to(words, MAX_WORDS)
}

fn clean_to(words: &str, max: usize) -> String {
    let printable = words.chars().map(|char| if char.is_control() { ' ' } else { char });
    printable.take(max).collect::<String>().trim().to_owned()
}

/// The error for a refusal.
pub(crate) fn refusal(rpc: Rpc, response: &HttpResponse, api_key: &SecretString) -> Error {
    let Some(refused) = read(&response.body) else {
        return unrecognized(response, api_key);
    };
    // A server that quotes our request back must not bring the key into a log, nor a part of it:
    // it is taken out before anything is cut.
    let fit = |words: String| clean(&without(&words, api_key));
    let refused = Refused {
        domain: refused.domain.map(fit),
        message: refused.message.map(fit),
        connect: refused.connect,
    };
    let general = response.refusal(true);
    let by_domain = refused.domain.as_deref().and_then(domain_kind);
    let (kind, retryable) = match (by_domain, refused.connect) {
        (Some(kind), _) => (kind, false),
        (None, Some(connect)) => connect.kind(),
        (None, None) => (general.kind(), general.is_retryable()),
    };
    let effect = effect(&refused, by_domain.is_some(), &general, response);
    let mut error = Error::new(kind, effect, words(kind, &refused, &general))
        .with_http_status(response.status.as_u16())
        .with_retryable(retryable)
        .with_retry_after(general.retry_after());
    if let Some(field) = refused.domain.as_deref().and_then(field) {
        error = error.with_field(field);
    }
    if let Some(failure) = failure(rpc, &refused) {
        error = error.with_failure(failure);
    }
    match refused.domain.as_deref().or(refused.connect.map(Connect::word)) {
        Some(code) => error.with_code(code),
        None => error,
    }
}

/// Something on the way answered, perhaps: the status alone says little. What it wrote is kept as
/// the source, which is never printed with the error.
fn unrecognized(response: &HttpResponse, api_key: &SecretString) -> Error {
    let error = response.refusal(false);
    let text = String::from_utf8_lossy(&response.body);
    match clean_to(&without(&text, api_key), MAX_DIAGNOSTICS) {
        text if text.is_empty() => error,
        text => error.with_source(format!("the body begins: {text}")),
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

/// The input to correct, as the caller knows it.
fn field(code: &str) -> Option<&'static str> {
    match code {
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
    let mut words = match &refused.message {
        Some(message) if !message.is_empty() => format!("the provider refused: {message}"),
        Some(_) | None => general.message().to_owned(),
    };
    if kind == ErrorKind::Unauthenticated {
        words.push_str("; a key of the other environment, sandbox or live, is refused like this");
    }
    words
}

fn without(text: &str, secret: &SecretString) -> String {
    text.replace(secret.expose_secret(), "[redacted]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_detail(kind: &str, value: &str) -> Option<Refused> {
        let body = serde_json::json!({
            "code": "invalid_argument",
            "message": "outer",
            "details": [{ "type": kind, "value": value }],
        });
        read(body.to_string().as_bytes())
    }

    fn domain(refused: Option<Refused>) -> Option<String> {
        refused.and_then(|refused| refused.domain)
    }

    #[test]
    fn details_are_decoded_with_and_without_padding() {
        // Field 1 `ab`, field 2 `c`.
        for value in ["CgJhYhIBYw==", "CgJhYhIBYw"] {
            for kind in ["pay.v1.Error", "type.googleapis.com/pay.v1.Error"] {
                let refused = with_detail(kind, value).expect("a refusal");
                assert_eq!(refused.domain.as_deref(), Some("ab"));
                assert_eq!(refused.message.as_deref(), Some("c"));
                assert_eq!(refused.connect, Some(Connect::InvalidArgument));
            }
        }
    }

    #[test]
    fn details_that_are_no_error_leave_the_outer_code() {
        let not_ours = [
            ("buf.validate.Violations", "CgJhYhIBYw"),
            ("xpay.v1.Error", "CgJhYhIBYw"),
            // Cut short, too long, another wire type, no text, an endless length, empty.
            ("pay.v1.Error", "CgJh"),
            ("pay.v1.Error", "CgVhYg"),
            ("pay.v1.Error", "CAE"),
            ("pay.v1.Error", "CgL//w"),
            ("pay.v1.Error", "Cv//////AQ"),
            ("pay.v1.Error", ""),
            ("pay.v1.Error", "not base64"),
        ];
        for (kind, value) in not_ours {
            let refused = with_detail(kind, value).expect("a refusal");
            assert_eq!(refused.domain, None, "{kind} {value}");
            assert_eq!(refused.message.as_deref(), Some("outer"), "{kind} {value}");
        }
    }

    #[test]
    fn texts_of_other_fields_are_passed_over() {
        // Field 3 `zz` before field 1 `ab`.
        assert_eq!(domain(with_detail("pay.v1.Error", "GgJ6egoCYWI")).as_deref(), Some("ab"));
    }

    #[test]
    fn numbers_are_those_of_google_rpc() {
        for (index, (word, code)) in Connect::ALL.iter().enumerate() {
            let body = serde_json::json!({ "code": index + 1 });
            let refused = read(body.to_string().as_bytes()).expect("a refusal");
            assert_eq!(refused.connect, Some(*code));
            assert_eq!(code.word(), *word);
        }
        for number in ["0", "17", "-1", "5.0", "99999999999999999999"] {
            assert_eq!(read(format!("{{\"code\":{number}}}").as_bytes()), None);
        }
    }

    #[test]
    fn a_class_that_is_definite_is_not_worth_repeating() {
        for (word, code) in Connect::ALL {
            let (_, retryable) = code.kind();
            assert!(!(code.is_definite() && retryable), "{word}");
        }
    }

    #[test]
    fn words_fit_a_log_line() {
        assert_eq!(clean("a\r\nb\u{7f}c\u{1b}[31m"), "a  b c [31m");
        assert_eq!(clean(&"é".repeat(1000)).chars().count(), MAX_WORDS);
    }

    #[test]
    fn a_key_is_taken_out_before_words_are_cut() {
        let key = SecretString::from("secret-key");
        let words = format!("{}secret-key", "x".repeat(MAX_WORDS - 3));
        assert!(!clean(&without(&words, &key)).contains("sec"));
    }
}
