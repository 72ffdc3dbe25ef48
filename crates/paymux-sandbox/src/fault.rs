//! Faults: what goes wrong on request, for every provider alike.

mod check;
mod status;
mod waiting;

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::reply::{CutConnection, Reply};

pub(crate) use check::{Names, names, read};
pub(crate) use status::replace_status;
pub(crate) use waiting::Faults;

/// One fault: what happens, at which operation, how many times.
///
/// ```
/// use paymux_sandbox::{Fault, FaultKind};
///
/// // The next CreateSession acts, and its answer is lost.
/// let fault = Fault::new(FaultKind::DropReply).on("CreateSession");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What happens.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// The operation or event it happens to: a name (`CreateSession`, `payment.succeeded`), a
    /// name with its provider (`toffeepay.CreateSession`), the beginning of a name and `*`
    /// (`List*`), or `*` alone for every one.
    #[serde(default = "any")]
    pub operation: String,
    /// Only for requests or events about the object with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How many times it still happens.
    #[serde(default = "once")]
    pub times: u32,
    /// In how many of a hundred places that it applies to it happens. The shares of several faults
    /// add up, since one thing goes wrong at a time.
    #[serde(default = "always", skip_serializing_if = "is_always")]
    pub percent: u8,
}

/// What can go wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// The request is carried out; the connection closes without an answer.
    DropReply,
    /// The request is carried out; the answer says it failed.
    ErrorAfterCommit {
        /// HTTP status of the answer; anything but an error counts as 503.
        #[serde(default = "service_unavailable")]
        status: u16,
    },
    /// Nothing is carried out; the answer is this status.
    ErrorBefore {
        /// HTTP status of the answer; anything but an error counts as 503.
        #[serde(default = "service_unavailable")]
        status: u16,
        /// Value of the `Retry-After` header, in seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_seconds: Option<u32>,
    },
    /// The request is carried out; the answer comes late.
    DelayReply {
        /// Real time by which the answer is late, in milliseconds.
        delay_ms: u64,
    },
    /// The request is carried out; half of the answer's body arrives.
    TruncateReply,
    /// The request is carried out; the answer is 200 with a page of HTML.
    GarbageReply,
    /// Reads, and event bodies that carry whole objects, show a status nobody documented. The
    /// object itself does not change.
    UnknownStatus {
        /// The word shown.
        #[serde(default = "undocumented")]
        status: String,
    },
    /// The webhook is never sent.
    DropWebhook,
    /// The webhook is sent twice with one id.
    DuplicateWebhook,
    /// The webhook is held until webhooks are released.
    DelayWebhook,
    /// The webhook is sent after the one that follows it.
    ReorderWebhook,
    /// One attempt to deliver carries a wrong signature.
    BadSignature,
}

impl FaultKind {
    /// The word for it, as in JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            FaultKind::DropReply => "drop_reply",
            FaultKind::ErrorAfterCommit { .. } => "error_after_commit",
            FaultKind::ErrorBefore { .. } => "error_before",
            FaultKind::DelayReply { .. } => "delay_reply",
            FaultKind::TruncateReply => "truncate_reply",
            FaultKind::GarbageReply => "garbage_reply",
            FaultKind::UnknownStatus { .. } => "unknown_status",
            FaultKind::DropWebhook => "drop_webhook",
            FaultKind::DuplicateWebhook => "duplicate_webhook",
            FaultKind::DelayWebhook => "delay_webhook",
            FaultKind::ReorderWebhook => "reorder_webhook",
            FaultKind::BadSignature => "bad_signature",
        }
    }
}

fn any() -> String {
    "*".to_owned()
}
fn once() -> u32 {
    1
}
fn always() -> u8 {
    100
}
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_always(percent: &u8) -> bool {
    *percent == always()
}
fn service_unavailable() -> u16 {
    503
}
fn undocumented() -> String {
    "under_review".to_owned()
}

impl Fault {
    /// A fault that happens once, at any operation it applies to.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Fault { kind, operation: any(), id: None, times: once(), percent: always() }
    }

    /// Limits the fault to an operation or event; see [`Fault::operation`].
    #[must_use]
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.operation = operation.into();
        self
    }

    /// Limits the fault to one object.
    #[must_use]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Lets the fault happen this many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Lets the fault happen in this share of the places it applies to, by dice.
    #[must_use]
    pub fn percent(mut self, percent: u8) -> Self {
        self.percent = percent;
        self
    }

    fn matches(&self, place: &Place<'_>) -> bool {
        let applies = match self.kind {
            FaultKind::DropReply
            | FaultKind::ErrorAfterCommit { .. }
            | FaultKind::ErrorBefore { .. }
            | FaultKind::DelayReply { .. }
            | FaultKind::TruncateReply
            | FaultKind::GarbageReply => matches!(place.site, Site::Change | Site::Read),
            FaultKind::UnknownStatus { .. } => matches!(place.site, Site::Read | Site::EventBody),
            FaultKind::DropWebhook
            | FaultKind::DuplicateWebhook
            | FaultKind::DelayWebhook
            | FaultKind::ReorderWebhook => place.site == Site::Queue,
            FaultKind::BadSignature => place.site == Site::Attempt,
        };
        let named = self.names(place.provider, place.operation);
        applies && named && (self.id.is_none() || self.id.as_deref() == place.id)
    }

    /// Does the fault's pattern fit this operation or event?
    fn names(&self, provider: &str, operation: &str) -> bool {
        let name = self.operation.as_str();
        let bare = name.strip_prefix(provider).and_then(|rest| rest.strip_prefix('.'));
        let wanted = bare.unwrap_or(name);
        match wanted.strip_suffix('*') {
            Some(beginning) => operation.starts_with(beginning),
            None => operation == wanted,
        }
    }
}

/// Where in the sandbox a fault may strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// A request that changes something at a provider.
    Change,
    /// A request that only reads.
    Read,
    /// The body of an event is being written.
    EventBody,
    /// An event is put into the delivery queue.
    Queue,
    /// One attempt to deliver is made.
    Attempt,
}

/// One request or event that a fault may match.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) site: Site,
    pub(crate) provider: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) id: Option<&'a str>,
}

impl Faults {
    /// Carries out one request under the first fault that applies to it. `act` does the work,
    /// `failure` writes an error of the provider with this HTTP status.
    pub(crate) async fn answer(
        &self,
        place: Place<'_>,
        act: impl FnOnce() -> Reply,
        failure: impl Fn(StatusCode) -> Reply,
    ) -> Response {
        // A status that is no error would make the fault something else.
        let status = |code: u16| match StatusCode::from_u16(code) {
            Ok(status) if status.is_client_error() || status.is_server_error() => status,
            Ok(_) | Err(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        match self.take(&place) {
            Some(FaultKind::ErrorBefore { status: code, retry_after_seconds }) => {
                let reply = failure(status(code));
                match retry_after_seconds {
                    Some(seconds) => reply.with_header(http::header::RETRY_AFTER, seconds.into()),
                    None => reply,
                }
                .into_response()
            }
            Some(FaultKind::DropReply) => {
                act();
                CutConnection::response()
            }
            Some(FaultKind::ErrorAfterCommit { status: code }) => {
                act();
                failure(status(code)).into_response()
            }
            Some(FaultKind::DelayReply { delay_ms }) => {
                let reply = act();
                tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                reply.into_response()
            }
            Some(FaultKind::TruncateReply) => act().into_truncated_response(),
            Some(FaultKind::GarbageReply) => {
                act();
                Reply::html(StatusCode::OK, GARBAGE).into_response()
            }
            Some(FaultKind::UnknownStatus { status }) => {
                let reply = act();
                if !reply.status.is_success() {
                    // An error's own "status" is no status of an object.
                    return reply.into_response();
                }
                reply.map_text(|body| replace_status(body, &status)).into_response()
            }
            None
            | Some(
                FaultKind::DropWebhook
                | FaultKind::DuplicateWebhook
                | FaultKind::DelayWebhook
                | FaultKind::ReorderWebhook
                | FaultKind::BadSignature,
            ) => act().into_response(),
        }
    }

    /// The status that a fault wants the body of this event to show.
    pub(crate) fn unknown_status(&self, provider: &str, event: &str, id: &str) -> Option<String> {
        let place = Place { site: Site::EventBody, provider, operation: event, id: Some(id) };
        match self.take(&place) {
            Some(FaultKind::UnknownStatus { status }) => Some(status),
            _ => None,
        }
    }
}

const GARBAGE: &str =
    "<!doctype html><title>Welcome</title><p>This proxy has been misconfigured on request.</p>";

#[cfg(test)]
mod tests {
    use super::*;

    fn reply<'a>(operation: &'a str, id: Option<&'a str>) -> Place<'a> {
        Place { site: Site::Read, provider: "toffeepay", operation, id }
    }

    #[test]
    fn a_fault_matches_by_name_prefix_provider_and_id() {
        let cases = [
            ("*", None, "GetSession", None, true),
            ("GetSession", None, "GetSession", Some("s"), true),
            ("GetSession", None, "GetSessionStatus", None, false),
            ("Get*", None, "GetSessionStatus", None, true),
            ("toffeepay.Get*", None, "GetPayment", None, true),
            ("toffeepay.*", None, "GetPayment", None, true),
            ("milkypay.*", None, "GetPayment", None, false),
            ("*", Some("s"), "GetSession", Some("s"), true),
            ("*", Some("s"), "GetSession", Some("t"), false),
            ("*", Some("s"), "ListSessions", None, false),
        ];
        for (pattern, id, operation, about, expected) in cases {
            let mut fault = Fault::new(FaultKind::DropReply).on(pattern);
            fault.id = id.map(str::to_owned);
            assert_eq!(fault.matches(&reply(operation, about)), expected, "{pattern} {operation}");
        }
    }

    #[test]
    fn an_unknown_status_waits_for_a_read() {
        let fault = Fault::new(FaultKind::UnknownStatus { status: undocumented() });
        assert!(fault.matches(&reply("GetSession", None)));
        assert!(!fault.matches(&Place { site: Site::Change, ..reply("CreateSession", None) }));
        assert!(!fault.matches(&Place { site: Site::Queue, ..reply("session.paid", None) }));
    }

    #[test]
    fn a_fault_is_read_from_json_with_defaults() {
        let fault: Fault = serde_json::from_str(r#"{"kind":"error_before"}"#).unwrap();
        let kind = FaultKind::ErrorBefore { status: 503, retry_after_seconds: None };
        assert_eq!(fault, Fault::new(kind));
        let text = r#"{"kind":"delay_reply","delay_ms":5,"operation":"List*","times":3,"id":"x"}"#;
        let fault: Fault = serde_json::from_str(text).unwrap();
        let kind = FaultKind::DelayReply { delay_ms: 5 };
        assert_eq!(fault, Fault::new(kind).on("List*").times(3).id("x"));
        let fault: Fault = serde_json::from_str(r#"{"kind":"drop_reply","percent":5}"#).unwrap();
        assert_eq!(fault, Fault::new(FaultKind::DropReply).percent(5));
        let kind = serde_json::to_value(&fault).unwrap();
        assert_eq!(kind["kind"], fault.kind.word());
    }
}
