//! How an account's breaker, pace and budget behave, moment by moment.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::{sync::Arc, time::Duration};

use paymux_core::{Effect, Error, ErrorKind, ManualClock, Timestamp};
use paymux_orchestrator::health::{
    BreakerSettings, BreakerState, Health, HealthSettings, Permit, Purpose, RateLimit, Refusal,
    RefusedFor,
};

mod health {
    mod breaker;
    mod budget;
    mod pace;
}

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn at(count: u64) -> Timestamp {
    START.after(seconds(count))
}

fn sick() -> Error {
    Error::new(ErrorKind::Unavailable, Effect::Possible, "down").with_http_status(503)
}

fn declined() -> Error {
    Error::new(ErrorKind::Declined, Effect::None, "declined")
}

fn unauthenticated() -> Error {
    Error::new(ErrorKind::Unauthenticated, Effect::None, "who are you")
}

fn with(settings: HealthSettings) -> (Arc<ManualClock>, Health) {
    let clock = Arc::new(ManualClock::new(START));
    (clock.clone(), Health::new(settings, clock))
}

/// Opens after three bad outcomes within 30 s, for 10 s and up to 60 s.
fn breaker() -> (Arc<ManualClock>, Health) {
    let mut settings = HealthSettings::default();
    settings.breaker =
        BreakerSettings { failures: 3, open_at_most: seconds(60), ..BreakerSettings::default() };
    with(settings)
}

fn rate(calls: u32, per: Duration) -> (Arc<ManualClock>, Health) {
    let mut settings = HealthSettings::default();
    settings.rate = Some(RateLimit { calls, per });
    with(settings)
}

fn first(health: &Health) -> Permit<'_> {
    health.admit(Purpose::First).unwrap_or_else(|refusal| panic!("{refusal}"))
}

fn fail(health: &Health, times: u32) {
    for _ in 0..times {
        first(health).record(Err(&sick()));
    }
}

fn refused(health: &Health, purpose: Purpose) -> Refusal {
    health.admit(purpose).map(drop).unwrap_err()
}

#[track_caller]
fn is_refused(health: &Health, purpose: Purpose, why: RefusedFor, until: Option<Timestamp>) {
    let refusal = refused(health, purpose);
    assert_eq!((refusal.why, refusal.until), (why, until));
}

#[track_caller]
fn stands(health: &Health, state: BreakerState, since: Timestamp) {
    let snapshot = health.snapshot();
    assert_eq!((snapshot.breaker, snapshot.since), (state, since));
}
