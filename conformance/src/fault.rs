//! The ways for an exchange to go wrong, and the one right answer to each.
//!
//! The answers follow from what HTTP and TCP prove, whoever the provider is. Where a provider
//! proves more, or less, its adapter says so in `cases/faults.json`.

use paymux_core::{Effect, ErrorKind};
use serde_json::json;

use crate::{
    errors::RecognizedReply,
    serve::{Answer, STRANGER, Step},
};

/// Where an exchange stands to the one that changes something at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing was changed yet, or the call only reads.
    Before,
    /// This one changes it.
    At,
    /// It was changed by an exchange before.
    After,
}

impl Phase {
    pub(crate) fn of(position: usize, mutating_at: Option<usize>) -> Self {
        match mutating_at {
            None => Self::Before,
            Some(at) if position < at => Self::Before,
            Some(at) if position == at => Self::At,
            Some(_) => Self::After,
        }
    }

    /// The effect of a failure here. `proves_nothing_done` says that it is proof of itself.
    pub(crate) fn effect(self, proves_nothing_done: bool) -> Effect {
        match self {
            Self::Before => Effect::None,
            Self::At if proves_nothing_done => Effect::None,
            Self::At | Self::After => Effect::Possible,
        }
    }
}

/// A way for an exchange to go wrong.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// A refusal that is not in the provider's format: a proxy, a gateway, a changed address.
    Foreign(u16),
    /// The same as a page, which is not even JSON.
    ForeignPage(u16),
    /// A refusal in the provider's own format.
    Recognized { name: String, reply: RecognizedReply },
    /// Another address is named, and must not be followed.
    Redirect(u16),
    /// A success that is a page.
    Html,
    /// A success without body.
    Empty,
    /// A success that says nothing.
    EmptyObject,
    /// The connection ends in the middle of a success.
    Truncated,
    /// No answer in time.
    Late,
    /// Nobody listens.
    Refused,
    /// The connection is reset once the request is there.
    Reset,
}

/// What a fault must lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExpectedFailure {
    pub(crate) kind: ErrorKind,
    pub(crate) effect: Effect,
    pub(crate) retryable: bool,
    pub(crate) retry_after_s: Option<u64>,
    pub(crate) code: Option<String>,
}

/// The wait that a 429 asks for.
const RETRY_AFTER_S: u64 = 7;

/// Every fault that needs no data of the adapter.
pub(crate) fn all() -> Vec<Fault> {
    let statuses = [400, 401, 402, 403, 404, 405, 408, 409, 410, 415, 422, 429];
    let server_side = [500, 501, 502, 503, 504];
    let mut faults: Vec<Fault> =
        statuses.into_iter().chain(server_side).map(Fault::Foreign).collect();
    faults.extend([403, 404].map(Fault::ForeignPage));
    faults.extend([301, 302, 307, 308].map(Fault::Redirect));
    faults.extend([
        Fault::Html,
        Fault::Empty,
        Fault::EmptyObject,
        Fault::Truncated,
        Fault::Late,
        Fault::Refused,
        Fault::Reset,
    ]);
    faults
}

impl Fault {
    /// The last word of the trial's name.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Foreign(status) | Self::Redirect(status) => status.to_string(),
            Self::ForeignPage(status) => format!("{status}_html"),
            Self::Recognized { name, .. } => name.clone(),
            Self::Html => "html".to_owned(),
            Self::Empty => "empty".to_owned(),
            Self::EmptyObject => "empty_object".to_owned(),
            Self::Truncated => "truncated".to_owned(),
            Self::Late => "late".to_owned(),
            Self::Refused => "refused".to_owned(),
            Self::Reset => "reset".to_owned(),
        }
    }

    /// What happens instead of `golden`; `None` where that would be nothing else, or cannot be.
    pub(crate) fn step(&self, golden: &Answer) -> Option<Step> {
        let success = if (200..300).contains(&golden.status) { golden.status } else { 200 };
        let answer = match self {
            Self::Foreign(status @ (429 | 503)) => {
                Answer::html(*status).header("retry-after", RETRY_AFTER_S.to_string())
            }
            Self::Foreign(status @ 400..=499) => Answer::json(*status, &foreign_json()),
            Self::Foreign(status) | Self::ForeignPage(status) => Answer::html(*status),
            Self::Recognized { reply, .. } => reply.answer(),
            Self::Redirect(status) => Answer::html(*status).header("location", "/elsewhere"),
            Self::Html => Answer::html(success),
            Self::Empty => Answer { status: success, headers: Vec::new(), body: Vec::new() },
            Self::EmptyObject => Answer::json(success, &json!({})),
            Self::Truncated if golden.body.len() < 2 => return None,
            Self::Truncated => return Some(Step::Truncate(golden.clone())),
            Self::Late => return Some(Step::Silence),
            Self::Refused => return Some(Step::Refuse),
            Self::Reset => return Some(Step::Reset),
        };
        (answer != *golden).then_some(Step::Answer(answer))
    }

    /// Is it tried in this case?
    pub(crate) fn applies_to(&self, case: &str) -> bool {
        if let Self::Recognized { reply, .. } = self { reply.applies_to(case) } else { true }
    }

    /// How many requests arrive when the exchange at `position` fails so.
    pub(crate) fn requests(&self, position: usize) -> usize {
        if matches!(self, Self::Refused) { position } else { position + 1 }
    }

    /// What it must lead to.
    pub(crate) fn expected(&self, phase: Phase) -> ExpectedFailure {
        let failure = |kind, retryable, proves_nothing_done| ExpectedFailure {
            kind,
            effect: phase.effect(proves_nothing_done),
            retryable,
            retry_after_s: None,
            code: None,
        };
        match self {
            // Only the provider itself can prove by a refusal that it did nothing, or say that a
            // payment is not there or was declined.
            Self::Foreign(status) | Self::ForeignPage(status) => {
                let (kind, retryable, _) = refusal(*status);
                let kind = match status {
                    402 => ErrorKind::Unexpected,
                    404 | 410 => ErrorKind::Configuration,
                    _ => kind,
                };
                let wait = matches!(status, 429 | 503).then_some(RETRY_AFTER_S);
                ExpectedFailure { retry_after_s: wait, ..failure(kind, retryable, false) }
            }
            Self::Recognized { reply, .. } => {
                let (kind, retryable, definite) = refusal(reply.status);
                reply.expect.over(failure(kind, retryable, definite), phase)
            }
            Self::Redirect(_) => failure(ErrorKind::Unexpected, false, false),
            // The most dangerous answers: it was done, and nobody knows what.
            Self::Html | Self::Empty | Self::EmptyObject => {
                failure(ErrorKind::InvalidResponse, false, false)
            }
            Self::Truncated | Self::Reset => failure(ErrorKind::Unavailable, true, false),
            Self::Late => failure(ErrorKind::Timeout, true, false),
            Self::Refused => failure(ErrorKind::Unavailable, true, true),
        }
    }
}

/// JSON that looks like an error and is in nobody's format.
fn foreign_json() -> serde_json::Value {
    json!({ "paymux_gateway": { "reason": STRANGER } })
}

/// What a refusal's status says: the kind, whether a repetition can help, and whether it is
/// definite, given that it really is the provider's.
fn refusal(status: u16) -> (ErrorKind, bool, bool) {
    match status {
        400 | 422 => (ErrorKind::InvalidRequest, false, true),
        401 => (ErrorKind::Unauthenticated, false, true),
        402 => (ErrorKind::Declined, false, true),
        403 => (ErrorKind::PermissionDenied, false, true),
        404 | 410 => (ErrorKind::NotFound, false, true),
        405 | 415 => (ErrorKind::Configuration, false, true),
        501 | 505 => (ErrorKind::Configuration, false, true),
        408 => (ErrorKind::Timeout, true, false),
        409 => (ErrorKind::Conflict, false, false),
        429 => (ErrorKind::RateLimited, true, false),
        500..=599 => (ErrorKind::Unavailable, true, false),
        _ => (ErrorKind::Unexpected, false, false),
    }
}
