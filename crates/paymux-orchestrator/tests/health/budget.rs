//! What repetitions may spend, and what every refusal has in common.

use std::time::Duration;

use paymux_core::{Clock, Effect, ErrorKind, ProviderId, Timestamp};
use paymux_orchestrator::health::{
    BreakerState, HealthSettings, Permit, Purpose, RateLimit, RefusedFor, RetryBudget,
};

use crate::{
    START, at, breaker, declined, fail, first, is_refused, refused, seconds, sick, stands, with,
};

#[test]
fn repetitions_spend_a_budget_that_time_and_calls_refill() {
    let mut settings = HealthSettings::default();
    settings.retries = RetryBudget { at_once: 2, one_every: seconds(10), percent_of_calls: 50 };
    let (clock, health) = with(settings);
    let repeat = || health.admit(Purpose::Repeat).map(drop);
    assert_eq!(health.snapshot().repetitions, 2);
    repeat().unwrap();
    repeat().unwrap();
    is_refused(&health, Purpose::Repeat, RefusedFor::Budget, Some(at(10)));
    clock.advance(seconds(4));
    is_refused(&health, Purpose::Repeat, RefusedFor::Budget, Some(at(10)));
    // A call brings half a repetition, and time has brought four tenths.
    drop(first(&health));
    is_refused(&health, Purpose::Repeat, RefusedFor::Budget, Some(at(5)));
    clock.advance(seconds(1));
    repeat().unwrap();
    // Neither calls nor looks spend it, and looks bring nothing.
    drop(health.admit(Purpose::Look).unwrap());
    is_refused(&health, Purpose::Repeat, RefusedFor::Budget, Some(at(15)));
    // It never holds more than two.
    clock.advance(seconds(1_000));
    (0..100).for_each(|_| drop(first(&health)));
    assert_eq!(health.snapshot().repetitions, 2);
}

#[test]
fn a_budget_of_nothing_repeats_nothing() {
    let mut settings = HealthSettings::default();
    settings.retries = RetryBudget { at_once: 0, one_every: Duration::ZERO, percent_of_calls: 100 };
    let (clock, health) = with(settings);
    drop(first(&health));
    clock.advance(seconds(100));
    is_refused(&health, Purpose::Repeat, RefusedFor::Budget, None);
}

#[test]
fn what_is_refused_spends_nothing() {
    let mut settings = HealthSettings::default();
    settings.breaker.failures = 1;
    settings.rate = Some(RateLimit { calls: 2, per: seconds(100) });
    settings.retries = RetryBudget { at_once: 1, one_every: seconds(1_000), percent_of_calls: 100 };
    let (clock, health) = with(settings);
    first(&health).record(Err(&sick()));
    for _ in 0..5 {
        is_refused(&health, Purpose::Repeat, RefusedFor::BreakerOpen, Some(at(10)));
    }
    clock.advance(seconds(10));
    assert_eq!((health.snapshot().calls, health.snapshot().repetitions), (1, 1));
    health.admit(Purpose::Repeat).unwrap().record(Err(&declined()));
    stands(&health, BreakerState::Closed, at(10));
    // The pace is looked at first, so a repetition that has to wait for it is not spent either. Of
    // two places one is for repetitions, and free once the one before was a span ago.
    is_refused(&health, Purpose::Repeat, RefusedFor::RateLimited, Some(at(110)));
    assert_eq!(health.snapshot().repetitions, 0);
    // A refusal of the budget lets nobody be the one that finds out.
    clock.set(at(110));
    first(&health).record(Err(&sick()));
    clock.set(at(120));
    health.admit(Purpose::Repeat).unwrap().record(Ok(()));
    assert_eq!(health.snapshot().breaker, BreakerState::Closed);
}

#[test]
fn a_repetition_without_budget_does_not_take_the_place_of_the_call_that_finds_out() {
    let mut settings = HealthSettings::default();
    settings.breaker.failures = 1;
    settings.retries.at_once = 0;
    let (clock, health) = with(settings);
    first(&health).record(Err(&sick()));
    clock.advance(seconds(10));
    is_refused(&health, Purpose::Repeat, RefusedFor::Budget, None);
    first(&health).record(Ok(()));
    stands(&health, BreakerState::Closed, at(10));
}

#[test]
fn a_clock_that_is_set_back_stops_nothing() {
    let (clock, health) = breaker();
    fail(&health, 3);
    clock.advance(seconds(4));
    stands(&health, BreakerState::Open, START);
    clock.set(START);
    clock.set(Timestamp::from_seconds(1_000_000));
    // Six of ten seconds are left, by whatever the clock shows.
    let left = Timestamp::from_seconds(1_000_006);
    is_refused(&health, Purpose::First, RefusedFor::BreakerOpen, Some(left));
    clock.advance(seconds(6));
    stands(&health, BreakerState::HalfOpen, left);
    first(&health).record(Ok(()));
    stands(&health, BreakerState::Closed, clock.now());
}

#[test]
fn a_refusal_is_an_error_without_effect() {
    let account = ProviderId::new("toffee-eu").unwrap();
    let kinds = [
        (RefusedFor::BreakerOpen, ErrorKind::Unavailable),
        (RefusedFor::RateLimited, ErrorKind::RateLimited),
        (RefusedFor::Budget, ErrorKind::RateLimited),
    ];
    let (_, health) = breaker();
    fail(&health, 3);
    let mut refusal = refused(&health, Purpose::First);
    for (why, kind) in kinds {
        refusal.why = why;
        let error = refusal.to_error(&account, at(3));
        assert_eq!(
            (error.kind(), error.effect(), error.is_retryable()),
            (kind, Effect::None, true)
        );
        assert_eq!(error.retry_after(), Some(seconds(7)));
        assert_eq!(error.provider(), Some(&account));
        assert_eq!(error.offered(), Some(false), "nothing was sent");
    }
    let expected =
        "not sent again, since too much was repeated lately (until 2027-01-15T08:00:10Z)";
    assert_eq!(refusal.to_string(), expected);
}

/// The account is asked by many threads at once; nothing waits for anything.
#[test]
fn many_threads_share_one_probe_and_one_limit() {
    let mut settings = HealthSettings::default();
    settings.breaker.failures = 1;
    settings.rate = Some(RateLimit { calls: 50, per: seconds(60) });
    let (clock, health) = with(settings);
    fail(&health, 1);
    clock.advance(seconds(10));
    let admitted = |each: usize| {
        std::thread::scope(|scope| {
            let ask = || (0..each).filter_map(|_| health.admit(Purpose::First).ok()).collect();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            let permits =
                threads.into_iter().flat_map(|thread| -> Vec<_> { thread.join().unwrap() });
            permits.collect::<Vec<Permit<'_>>>()
        })
    };
    let probes = admitted(10);
    assert_eq!(probes.len(), 1);
    probes.into_iter().for_each(|probe| probe.record(Ok(())));
    // Five of the fifty are kept for looks and repetitions; one failed and one found out.
    assert_eq!(admitted(20).len(), 43);
}
