//! An error as it is kept.

use std::time::Duration;

use paymux_core::{Effect, Error, ErrorKind, Failure, Operation, ProviderId};
use serde::{Deserialize, Serialize};

/// An error as it is kept: what a person or a rule needs later, and no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What kind of thing went wrong.
    pub kind: ErrorKind,
    /// May the provider have acted?
    pub effect: Effect,
    /// Could the same request succeed later?
    pub retryable: bool,
    /// What happened, as a sentence.
    pub message: String,
    /// The input that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The provider's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The provider's id of the request, for its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The status of the provider's answer, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Why the payment or refund was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// How long the provider asks to wait, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Was any byte of the request offered to the socket?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered: Option<bool>,
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            effect: error.effect(),
            retryable: error.is_retryable(),
            message: error.message().to_owned(),
            field: error.field().map(str::to_owned),
            code: error.code().map(str::to_owned),
            request_id: error.request_id().map(str::to_owned),
            http_status: error.http_status(),
            failure: error.failure().cloned(),
            retry_after_ms: error
                .retry_after()
                .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            offered: error.offered(),
        }
    }
}

impl Fault {
    /// Does the provider say that something else is behind the key or the reference? Then something
    /// of ours is there, and nobody knows what. The adapter names the one or the other as the field:
    /// a code alone may be of any conflict, or of something on the way. A key that is only in use at
    /// this moment is worth repeating.
    pub(crate) fn says_key_used(&self) -> bool {
        self.kind == ErrorKind::Conflict
            && self.effect == Effect::Possible
            && !self.retryable
            && self.field.is_some()
    }

    /// The error again, for the caller who asked.
    #[must_use]
    pub fn to_error(&self, provider: &ProviderId, operation: Operation) -> Error {
        let mut error = Error::new(self.kind, self.effect, self.message.clone())
            .with_retryable(self.retryable)
            .with_provider(provider)
            .with_operation(operation);
        if let Some(field) = &self.field {
            error = error.with_field(field.clone());
        }
        if let Some(code) = &self.code {
            error = error.with_code(code.clone());
        }
        if let Some(id) = &self.request_id {
            error = error.with_request_id(id.clone());
        }
        if let Some(status) = self.http_status {
            error = error.with_http_status(status);
        }
        if let Some(offered) = self.offered {
            error = error.with_offered(offered);
        }
        error = error.with_retry_after(self.retry_after_ms.map(Duration::from_millis));
        if let Some(failure) = &self.failure {
            error = error.with_failure(failure.clone());
        }
        error
    }
}
