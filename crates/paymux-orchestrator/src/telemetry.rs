//! What can be measured from outside: `tracing` for what happens, `metrics` for how often.
//!
//! No field holds a secret, a body or a person: accounts, operations, kinds of errors and our own
//! ids only. The names are a promise; README.md lists them.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use paymux_core::{Effect, Error, ErrorKind, EventKey, Operation, ProviderId, Result, Timestamp};
use tracing::Span;

use crate::{
    PaymentId,
    health::{BreakerState, HealthSnapshot},
    reconcile::Reconciliation,
    record::Attempt,
    store::{Backlog, InboxOutcome, Received},
};

/// How often it is counted how much waits.
const SHOWN_EVERY_MS: i64 = 15_000;

/// Around a call that may move money.
pub(crate) fn call_span(account: &ProviderId, payment: &PaymentId, attempt: &Attempt) -> Span {
    let operation = attempt.intent.operation().as_str();
    let (attempt, send) = (attempt.no, attempt.sends);
    tracing::info_span!("paymux.call", %account, %payment, operation, attempt, send)
}

/// Around a look.
pub(crate) fn look_span(account: &ProviderId, operation: Operation) -> Span {
    tracing::debug_span!("paymux.look", %account, operation = operation.as_str())
}

/// A call that may move money came back.
pub(crate) fn attempt(account: &ProviderId, attempt: &Attempt, result: Result<(), &Error>) {
    let outcome = match result {
        Ok(()) => "answered",
        Err(error) if error.effect() == Effect::Possible => "in_doubt",
        Err(error) if error.kind() == ErrorKind::Declined => "declined",
        Err(error) if error.offered() == Some(false) => "not_sent",
        Err(_) => "refused",
    };
    attempt_came_to(account, attempt, outcome);
}

/// A call that may move money was not made: the account is not well, paused, or not there.
pub(crate) fn kept_back(account: &ProviderId, attempt: &Attempt) {
    attempt_came_to(account, attempt, "not_sent");
}

fn attempt_came_to(account: &ProviderId, attempt: &Attempt, outcome: &'static str) {
    let operation = attempt.intent.operation().as_str();
    metrics::counter!(
        "paymux_attempts_total",
        "account" => account.as_str().to_owned(),
        "operation" => operation,
        "outcome" => outcome
    )
    .increment(1);
    tracing::info!(%account, operation, attempt = attempt.no, send = attempt.sends, outcome);
}

/// An attempt that was in doubt is settled after this long.
pub(crate) fn doubt_settled(account: &ProviderId, after: Duration) {
    metrics::histogram!("paymux_doubt_seconds", "account" => account.as_str().to_owned())
        .record(after.as_secs_f64());
}

/// A delivery was not believed or could not be read.
pub(crate) fn delivery_refused(account: &ProviderId, kind: ErrorKind) {
    let forged = kind == ErrorKind::InvalidSignature;
    refused(account, if forged { "forged" } else { "unreadable" });
}

/// A delivery was larger than any that is read.
pub(crate) fn delivery_too_large(account: &ProviderId) {
    refused(account, "too_large");
}

fn refused(account: &ProviderId, why: &'static str) {
    metrics::counter!(
        "paymux_deliveries_refused_total",
        "account" => account.as_str().to_owned(),
        "why" => why
    )
    .increment(1);
    tracing::warn!(%account, why, "a webhook delivery was refused");
}

/// An event was received.
pub(crate) fn event_received(account: &ProviderId, received: Received) {
    let received = match received {
        Received::New => "new",
        Received::Duplicate => "duplicate",
        Received::Merged => "merged",
        Received::Contradiction => "contradiction",
    };
    metrics::counter!(
        "paymux_events_received_total",
        "account" => account.as_str().to_owned(),
        "received" => received
    )
    .increment(1);
}

/// An event that anybody could have sent was not kept, since there were too many.
pub(crate) fn event_not_kept(account: &ProviderId) {
    metrics::counter!(
        "paymux_events_received_total",
        "account" => account.as_str().to_owned(),
        "received" => "not_kept"
    )
    .increment(1);
}

/// Two events with one key say different things.
pub(crate) fn event_contradicts(account: &ProviderId, key: &EventKey) {
    tracing::error!(%account, %key, "an event came again with another content");
}

/// An event of the inbox was looked after, this long after it arrived.
pub(crate) fn event_settled(account: &ProviderId, outcome: InboxOutcome, after: Duration) {
    let outcome = match outcome {
        InboxOutcome::Applied => "applied",
        InboxOutcome::Stale => "stale",
        InboxOutcome::Unmatched => "unmatched",
        InboxOutcome::HandedOn => "handed_on",
        InboxOutcome::Later(_) => return,
    };
    metrics::histogram!(
        "paymux_inbox_lag_seconds",
        "account" => account.as_str().to_owned(),
        "outcome" => outcome
    )
    .record(after.as_secs_f64());
}

/// The books were compared with the providers'.
pub(crate) fn compared(found: &Reconciliation) {
    for difference in &found.differences {
        let (account, kind) = (&difference.account, difference.kind.as_str());
        let payment = difference.payment.as_ref().map(PaymentId::as_str);
        metrics::counter!(
            "paymux_differences_total",
            "account" => account.as_str().to_owned(),
            "kind" => kind
        )
        .increment(1);
        tracing::warn!(%account, payment, kind, "the books differ");
    }
    tracing::info!(compared = found.compared, listed = found.listed, "the books were compared");
}

/// Something that is done again and again could not be done.
pub(crate) fn not_done(what: &'static str, error: &Error) {
    let (kind, code, status) = (error.kind(), error.code(), error.http_status());
    tracing::warn!(what, ?kind, code, status, why = ours(error), "it could not be done yet");
}

/// An event cannot be applied yet.
pub(crate) fn event_waits(account: &ProviderId, key: &EventKey, error: &Error) {
    let (kind, code, status) = (error.kind(), error.code(), error.http_status());
    tracing::warn!(%account, %key, ?kind, code, status, why = ours(error), "an event waits");
}

/// Our own words on an error. What a provider says can be about a person.
fn ours(error: &Error) -> Option<&str> {
    error.provider().is_none().then(|| error.message())
}

/// When how much waits was shown last.
#[derive(Debug, Default)]
pub(crate) struct Shown(AtomicI64);

impl Shown {
    /// Is it to be shown again? Counting costs more than looking whether something is due.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let (now, last) = (now.as_millis(), self.0.load(Ordering::Relaxed));
        let is_due = now < last || now.saturating_sub(last) >= SHOWN_EVERY_MS;
        let order = Ordering::Relaxed;
        is_due && self.0.compare_exchange(last, now, order, order).is_ok()
    }
}

/// How an account stands.
pub(crate) fn health(account: &ProviderId, health: &HealthSnapshot) {
    let open = match health.breaker {
        BreakerState::Closed => 0,
        BreakerState::Open | BreakerState::HalfOpen => 1,
    };
    metrics::gauge!("paymux_breaker_open", "account" => account.as_str().to_owned()).set(open);
}

/// How much waits.
pub(crate) fn backlog(backlog: &Backlog, now: Timestamp) {
    let lag = backlog.oldest_event.map_or(Duration::ZERO, |oldest| now.since(oldest));
    for (name, count) in [
        ("paymux_payments_in_doubt", backlog.in_doubt),
        ("paymux_payments_in_review", backlog.review),
        ("paymux_payments_due", backlog.due),
        ("paymux_inbox_waiting", backlog.inbox),
    ] {
        // A gauge is a float by the facade's design; this counts rows, not money.
        metrics::gauge!(name).set(u32::try_from(count).unwrap_or(u32::MAX));
    }
    metrics::gauge!("paymux_inbox_oldest_seconds").set(lag.as_secs_f64());
}
