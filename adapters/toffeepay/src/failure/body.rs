//! The bodies of refusals, in all their shapes. Pure.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use paymux_core::{ErrorKind, json};
use serde_json::{Map, Value};

/// A refusal, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Refused {
    /// The provider's own code: `invalid_price`.
    pub(super) domain: Option<String>,
    /// The transport's class, one of sixteen.
    pub(super) connect: Option<Connect>,
    pub(super) message: Option<String>,
}

/// The codes of the Connect protocol. Source: connectrpc.com, protocol reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connect {
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

    pub(super) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, code)| *code == self).map_or("unknown", |(word, _)| word)
    }

    /// Does it say that the request was not carried out, and never will be?
    pub(super) const fn is_definite(self) -> bool {
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
    pub(super) const fn kind(self) -> (ErrorKind, bool) {
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
pub(super) fn read(body: &[u8]) -> Option<Refused> {
    let Ok(Value::Object(body)) = json::read(body) else { return None };
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

    /// Two parsers could read it differently, so it proves nothing.
    #[test]
    fn a_code_that_comes_twice_is_none() {
        for body in [
            r#"{"code":"unavailable","code":"invalid_price"}"#,
            r#"{"error":{"code":"unavailable","code":"invalid_price"}}"#,
        ] {
            assert_eq!(read(body.as_bytes()), None);
        }
    }

    #[test]
    fn a_class_that_is_definite_is_not_worth_repeating() {
        for (word, code) in Connect::ALL {
            let (_, retryable) = code.kind();
            assert!(!(code.is_definite() && retryable), "{word}");
        }
    }
}
