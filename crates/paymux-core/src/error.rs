//! The one error type. It says what went wrong, with which provider and operation, and above all
//! whether the provider may have acted.

use std::{error::Error as StdError, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Failure, Operation, ProviderId, json::JsonFault};

mod text;

pub(crate) use text::ends_line;

/// The result of every paymux call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong. Only what a program can act on has a kind of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// Our own set-up is wrong: a base URL, a secret, a missing setting.
    Configuration,
    /// The request cannot be right; [`Error::field`] names what to correct.
    InvalidRequest,
    /// This account cannot do it; nothing was sent.
    Unsupported,
    /// The provider does not accept the credentials.
    Unauthenticated,
    /// The credentials are fine and do not permit this.
    PermissionDenied,
    /// The provider does not know the object.
    NotFound,
    /// The object's state, or a key used before, does not permit this. So it is for other accounts,
    /// too: what is paid for may be paid already. With a possible effect, not retryable, and with a
    /// code or a field: something else is behind the key or the reference, which is of ours and may
    /// have moved money. A key that is in use at this moment is retryable.
    Conflict,
    /// The payment or refund was refused and the answer holds no object; see [`Error::failure`].
    Declined,
    /// Too many requests; see [`Error::retry_after`].
    RateLimited,
    /// The provider could not be reached, or said that it is not well.
    Unavailable,
    /// No whole answer came in time.
    Timeout,
    /// An answer came and is not what the provider documents.
    InvalidResponse,
    /// A webhook delivery is not authentic, or too old, or malformed before that could be known.
    InvalidSignature,
    /// Anything else.
    Unexpected,
}

/// May the provider have acted? When unsure: [`Effect::Possible`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// There is proof that this call did nothing at the provider.
    None,
    /// The provider may have acted, so money may have moved.
    Possible,
}

/// Why a call failed. One word wide.
///
/// `Display` is a sentence for the person who has to act; it holds neither the source nor a body,
/// at most the provider's own short words on why it refused. `Debug` holds no secret, and shows the
/// source, so a source must not quote bodies. It is reached through [`std::error::Error::source`].
pub struct Error(Box<Parts>);

struct Parts {
    kind: ErrorKind,
    effect: Effect,
    retryable: bool,
    message: String,
    field: Option<String>,
    provider: Option<ProviderId>,
    operation: Option<Operation>,
    code: Option<String>,
    request_id: Option<String>,
    http_status: Option<u16>,
    retry_after: Option<Duration>,
    offered: Option<bool>,
    failure: Option<Failure>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

const _: () = assert!(size_of::<Error>() == size_of::<usize>());

impl Error {
    /// An error of this kind and effect; `message` says what happened, as a clause without a full
    /// stop, and never holds a secret or a body.
    #[must_use]
    pub fn new(kind: ErrorKind, effect: Effect, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            effect,
            retryable: false,
            message: message.into(),
            field: None,
            provider: None,
            operation: None,
            code: None,
            request_id: None,
            http_status: None,
            retry_after: None,
            offered: None,
            failure: None,
            source: None,
        }))
    }

    /// Input refused before anything was sent. `field` is the path of the input as the caller
    /// wrote it, `message` says what it must be.
    #[must_use]
    pub fn invalid_request(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::InvalidRequest, Effect::None, message);
        error.0.field = Some(field.into());
        error
    }

    /// A setting refused when the client was built. `field` names the setting.
    #[must_use]
    pub fn configuration(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::Configuration, Effect::None, message);
        error.0.field = Some(field.into());
        error
    }

    /// An operation the account does not have; nothing was sent.
    #[must_use]
    pub fn unsupported(operation: Operation) -> Self {
        Self::new(ErrorKind::Unsupported, Effect::None, "the provider does not offer this")
            .with_operation(operation)
    }

    /// The call was refused and the answer holds no object: nothing was done by it. The message
    /// names the kind of failure; the provider's own words are free text, so they are kept in
    /// [`Error::failure`] and not shown.
    #[must_use]
    pub fn declined(failure: Failure) -> Self {
        let mut error = Self::new(ErrorKind::Declined, Effect::None, failure.kind.to_string());
        error.0.code = failure.code.clone();
        error.0.failure = Some(failure);
        error
    }

    /// A webhook delivery that must not be believed. The message says why, for our own log; the
    /// sender is told nothing.
    #[must_use]
    pub fn invalid_signature(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidSignature, Effect::None, message)
    }

    /// The same error, worth repeating or not.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// The same error with another effect: for a provider that proves more, or less, than HTTP,
    /// and for a call whose earlier request may have acted. [`Error::offered`] then forgets a
    /// proof that nothing was sent, since it was of one request only.
    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.0.effect = effect;
        if effect == Effect::Possible && self.0.offered == Some(false) {
            self.0.offered = None;
        }
        self
    }

    /// The same error, naming the input that caused it.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// The same error, naming the account.
    #[must_use]
    pub fn with_provider(mut self, provider: &ProviderId) -> Self {
        self.0.provider = Some(provider.clone());
        self
    }

    /// The same error, naming the operation.
    #[must_use]
    pub fn with_operation(mut self, operation: Operation) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// The same error with the provider's own code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// The same error with the id the provider gave the request, for its support.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.0.request_id = Some(id.into());
        self
    }

    /// The same error with the HTTP status of the answer.
    #[must_use]
    pub fn with_http_status(mut self, status: u16) -> Self {
        self.0.http_status = Some(status);
        self
    }

    /// The same error with the wait the provider asked for.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    /// The same error with what the transport knows of the request body.
    #[must_use]
    pub fn with_offered(mut self, offered: bool) -> Self {
        self.0.offered = Some(offered);
        self
    }

    /// The same error with the reason the provider gave for a refused payment.
    #[must_use]
    pub fn with_failure(mut self, failure: Failure) -> Self {
        self.0.failure = Some(failure);
        self
    }

    /// The same error with what caused it. Never printed by `Display`. A [`serde_json::Error`] is
    /// kept as a [`JsonFault`], since its own text quotes the body.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(match source.into().downcast::<serde_json::Error>() {
            Ok(fault) => Box::new(JsonFault::from(*fault)),
            Err(other) => other,
        });
        self
    }

    /// What kind of thing went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// May the provider have acted?
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// Can the identical request, with the same key, succeed later? This says nothing on safety:
    /// with [`Effect::Possible`] ask [`crate::retry::may_repeat`], which knows what the provider
    /// does with a repeated request.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// What happened, as a clause.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The input or setting to correct.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// The account that was asked.
    #[must_use]
    pub fn provider(&self) -> Option<&ProviderId> {
        self.0.provider.as_ref()
    }

    /// The operation that failed.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        self.0.operation
    }

    /// The provider's own code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The id the provider gave the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The HTTP status of the answer, when there was one.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// How long the provider asks to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Was any byte of the request body offered to the socket? `Some(false)` is proof that the
    /// provider cannot hold the request. `None` when no request was made, when it had no body,
    /// and when a whole answer came, for then it was.
    #[must_use]
    pub fn offered(&self) -> Option<bool> {
        self.0.offered
    }

    /// Why the payment or refund was refused.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.0.failure.as_ref()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
