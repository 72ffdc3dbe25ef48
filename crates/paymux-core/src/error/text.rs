//! What an error says to people.

use std::fmt;

use super::{Effect, Error, ErrorKind};
use crate::{FailureKind, Operation};

impl Error {
    /// Of this call alone: what an earlier one did, an error cannot know.
    fn effect_sentence(&self) -> &'static str {
        match self.0.effect {
            Effect::None => "This call moved no money.",
            Effect::Possible => "Money may have moved.",
        }
    }

    fn advice(&self) -> &'static str {
        match (self.0.kind, self.0.effect) {
            (ErrorKind::Configuration, Effect::None) => "Correct the configuration.",
            (ErrorKind::InvalidRequest, Effect::None) => "Correct the request and send it anew.",
            (ErrorKind::Unsupported, Effect::None) => "See what this account is capable of.",
            (ErrorKind::Unauthenticated, Effect::None) => {
                "Check the credentials, and that they belong to this environment."
            }
            (ErrorKind::PermissionDenied, Effect::None) => {
                "Ask the provider to permit this for the account."
            }
            (ErrorKind::NotFound, Effect::None) => "Check the id, and that it is this account's.",
            (ErrorKind::Conflict, Effect::None) => "Read the object and decide anew.",
            (ErrorKind::Declined, Effect::None) => self.advice_when_declined(),
            (ErrorKind::RateLimited, Effect::None) => "Wait, then repeat.",
            (ErrorKind::Unavailable | ErrorKind::Timeout, Effect::None) => "It may be repeated.",
            (ErrorKind::InvalidSignature, _) => "Do not act on the delivery.",
            (_, Effect::None) => "Look into it before repeating.",
            (_, Effect::Possible) if self.0.retryable => {
                "Look it up, or repeat it with the same key where the provider honors that."
            }
            (_, Effect::Possible) => "Look it up; do not repeat it.",
        }
    }

    fn advice_when_declined(&self) -> &'static str {
        let kind = self.0.failure.as_ref().map(|failure| failure.kind);
        if kind == Some(FailureKind::MerchantBalance) {
            "Fill the balance at the provider first."
        } else if self.0.operation == Some(Operation::CreateRefund) {
            "Look into it before repeating."
        } else {
            "Another payment method may succeed."
        }
    }
}

/// Text that may come from the wire, kept from breaking a line of a log.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = self.0.split(ends_line);
        f.write_str(shown.next().unwrap_or_default())?;
        shown.try_for_each(|rest| write!(f, " {rest}"))
    }
}

/// Can this character end a line, or steer a terminal?
pub(crate) fn ends_line(sign: char) -> bool {
    sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}')
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &self.0;
        if let Some(provider) = &parts.provider {
            write!(f, "{provider}: ")?;
        }
        if let Some(operation) = parts.operation {
            write!(f, "{operation}: ")?;
        }
        if let Some(field) = &parts.field {
            write!(f, "`{}` ", OneLine(field))?;
        }
        write!(f, "{}", OneLine(parts.message.trim_end_matches('.')))?;
        match (parts.code.as_deref().map(OneLine), parts.http_status) {
            (Some(code), Some(status)) => write!(f, " (code {code}, HTTP {status})")?,
            (Some(code), None) => write!(f, " (code {code})")?,
            (None, Some(status)) => write!(f, " (HTTP {status})")?,
            (None, None) => {}
        }
        if parts.kind != ErrorKind::InvalidSignature {
            write!(f, ". {}", self.effect_sentence())?;
        } else {
            f.write_str(".")?;
        }
        if let Some(wait) = parts.retry_after {
            write!(f, " The provider asks to wait {} s.", wait.as_secs())?;
        }
        write!(f, " {}", self.advice())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &self.0;
        f.debug_struct("Error")
            .field("kind", &parts.kind)
            .field("effect", &parts.effect)
            .field("retryable", &parts.retryable)
            .field("message", &parts.message)
            .field("field", &parts.field)
            .field("provider", &parts.provider)
            .field("operation", &parts.operation)
            .field("code", &parts.code)
            .field("request_id", &parts.request_id)
            .field("http_status", &parts.http_status)
            .field("retry_after", &parts.retry_after)
            .field("offered", &parts.offered)
            .field("failure", &parts.failure)
            .field("source", &parts.source)
            .finish()
    }
}
