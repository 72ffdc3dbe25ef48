//! How an account's breaker, pace and budget behave, moment by moment.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::{sync::Arc, time::Duration};

use paymux_core::{Clock, Effect, Error, ErrorKind, ManualClock, ProviderId, Timestamp};
use paymux_orchestrator::health::{
    BreakerSettings, BreakerState, Health, HealthSettings, Permit, Purpose, RateLimit, Refusal,
    RefusedFor, RetryBudget,
};

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

#[test]
fn enough_bad_outcomes_open_the_breaker_and_nothing_is_sent() {
    let (_, health) = breaker();
    fail(&health, 2);
    assert_eq!(health.snapshot().failures, 2);
    stands(&health, BreakerState::Closed, START);
    fail(&health, 1);
    stands(&health, BreakerState::Open, START);
    is_refused(&health, Purpose::First, RefusedFor::BreakerOpen, Some(at(10)));
    is_refused(&health, Purpose::Repeat, RefusedFor::BreakerOpen, Some(at(10)));
    assert_eq!(health.snapshot().opened, 1);
}

#[test]
fn bad_outcomes_that_are_few_among_good_ones_open_nothing() {
    let (_, health) = breaker();
    for _ in 0..4 {
        first(&health).record(Ok(()));
    }
    fail(&health, 3);
    stands(&health, BreakerState::Closed, START);
    // Four bad of eight are half.
    fail(&health, 1);
    stands(&health, BreakerState::Open, START);
}

#[test]
fn old_outcomes_do_not_count() {
    let (clock, health) = breaker();
    fail(&health, 2);
    clock.advance(seconds(30));
    fail(&health, 2);
    assert_eq!(health.snapshot().failures, 2);
    stands(&health, BreakerState::Closed, START);
}

#[test]
fn declines_never_open_it() {
    let (_, health) = breaker();
    for _ in 0..200 {
        first(&health).record(Err(&declined()));
    }
    stands(&health, BreakerState::Closed, START);
    assert_eq!(health.snapshot().failures, 0);
}

#[test]
fn wrong_credentials_open_it_at_once() {
    let (_, health) = breaker();
    for _ in 0..50 {
        first(&health).record(Ok(()));
    }
    first(&health).record(Err(&unauthenticated()));
    stands(&health, BreakerState::Open, START);
}

#[test]
fn after_a_while_one_call_finds_out() {
    let (clock, health) = breaker();
    fail(&health, 3);
    clock.advance(seconds(10));
    stands(&health, BreakerState::HalfOpen, at(10));
    let probe = first(&health);
    is_refused(&health, Purpose::First, RefusedFor::BreakerOpen, None);
    is_refused(&health, Purpose::Repeat, RefusedFor::BreakerOpen, None);
    clock.advance(seconds(1));
    // A decline is an answer: the provider is well.
    probe.record(Err(&declined()));
    stands(&health, BreakerState::Closed, at(11));
    // What was bad before is forgotten.
    fail(&health, 2);
    stands(&health, BreakerState::Closed, at(11));
}

#[test]
fn it_opens_for_twice_as_long_each_time_up_to_a_limit() {
    let (clock, health) = breaker();
    fail(&health, 3);
    let mut opened = 0;
    for span in [10, 20, 40, 60, 60] {
        stands(&health, BreakerState::Open, at(opened));
        is_refused(&health, Purpose::First, RefusedFor::BreakerOpen, Some(at(opened + span)));
        clock.set(at(opened + span));
        fail(&health, 1);
        opened += span;
    }
    // Once it was well, it starts anew.
    clock.advance(seconds(60));
    first(&health).record(Ok(()));
    fail(&health, 3);
    is_refused(&health, Purpose::First, RefusedFor::BreakerOpen, Some(at(opened + 70)));
    assert_eq!(health.snapshot().opened, 7);
}

#[test]
fn a_call_that_finds_nothing_out_lets_the_next_one_try() {
    let (clock, health) = breaker();
    fail(&health, 3);
    clock.advance(seconds(10));
    drop(first(&health));
    stands(&health, BreakerState::HalfOpen, at(10));
    let ours = Error::invalid_request("amount", "must be less");
    first(&health).record(Err(&ours));
    stands(&health, BreakerState::HalfOpen, at(10));
    first(&health).record(Ok(()));
    stands(&health, BreakerState::Closed, at(10));
}

#[test]
fn calls_that_left_before_it_opened_change_nothing_after() {
    let (clock, health) = breaker();
    let (good, bad) = (first(&health), first(&health));
    let late = [(); 3].map(|()| first(&health));
    fail(&health, 3);
    good.record(Ok(()));
    stands(&health, BreakerState::Open, START);
    clock.advance(seconds(10));
    let probe = first(&health);
    bad.record(Err(&sick()));
    stands(&health, BreakerState::HalfOpen, at(10));
    probe.record(Ok(()));
    late.into_iter().for_each(|call| call.record(Err(&sick())));
    stands(&health, BreakerState::Closed, at(10));
    assert_eq!(health.snapshot().failures, 0);
}

#[test]
fn looks_pass_an_open_breaker_one_at_a_time_and_leave_it_as_it_is() {
    let (clock, health) = breaker();
    fail(&health, 3);
    let look = health.admit(Purpose::Look).unwrap();
    is_refused(&health, Purpose::Look, RefusedFor::BreakerOpen, None);
    look.record(Ok(()));
    stands(&health, BreakerState::Open, START);
    health.admit(Purpose::Look).unwrap().record(Err(&unauthenticated()));
    is_refused(&health, Purpose::First, RefusedFor::BreakerOpen, Some(at(10)));

    clock.advance(seconds(10));
    // Beside the call that finds out, and without taking its place.
    let look = health.admit(Purpose::Look).unwrap();
    let probe = first(&health);
    look.record(Ok(()));
    stands(&health, BreakerState::HalfOpen, at(10));
    drop(health.admit(Purpose::Look).unwrap());
    probe.record(Ok(()));
    stands(&health, BreakerState::Closed, at(10));
    let many = [(); 5].map(|()| health.admit(Purpose::Look).unwrap());
    many.into_iter().for_each(|look| look.record(Ok(())));
}

/// Looks used to count while the breaker is closed. But there are several of them for each charge in
/// doubt, and a provider can read well and charge badly, or the other way around: the looks spoke
/// for the charges.
#[test]
fn looks_that_fail_do_not_open_it() {
    let (_, health) = breaker();
    let ends = [sick(), unauthenticated(), declined()];
    for error in ends.iter().cycle().take(30) {
        health.admit(Purpose::Look).unwrap().record(Err(error));
    }
    stands(&health, BreakerState::Closed, START);
    assert_eq!((health.snapshot().failures, health.snapshot().opened), (0, 0));
    // Of charges, wrong credentials are learned by a charge.
    first(&health).record(Err(&unauthenticated()));
    stands(&health, BreakerState::Open, START);
}

#[test]
fn looks_that_go_well_do_not_hide_charges_that_fail() {
    let (clock, health) = breaker();
    let not_found = Error::new(ErrorKind::NotFound, Effect::None, "no such payment");
    for charge in 1..=3 {
        stands(&health, BreakerState::Closed, START);
        fail(&health, 1);
        // A doubt is looked into at once, and again after 5 s.
        health.admit(Purpose::Look).unwrap().record(Err(&not_found));
        clock.advance(seconds(5));
        health.admit(Purpose::Look).unwrap().record(Ok(()));
        assert_eq!(health.snapshot().opened, u64::from(charge == 3));
    }
    stands(&health, BreakerState::Open, at(10));
}

#[test]
fn a_look_after_the_call_that_found_out_does_not_open_it_again() {
    let (clock, health) = breaker();
    fail(&health, 3);
    clock.advance(seconds(10));
    let look = health.admit(Purpose::Look).unwrap();
    first(&health).record(Ok(()));
    look.record(Err(&unauthenticated()));
    health.admit(Purpose::Look).unwrap().record(Err(&unauthenticated()));
    stands(&health, BreakerState::Closed, at(10));
}

#[test]
fn never_more_than_the_limit_in_a_span() {
    let (clock, health) = rate(3, seconds(10));
    drop(first(&health));
    clock.advance(seconds(4));
    drop(first(&health));
    drop(health.admit(Purpose::Look).unwrap());
    assert_eq!(health.snapshot().calls, 3);
    is_refused(&health, Purpose::First, RefusedFor::RateLimited, Some(at(10)));
    is_refused(&health, Purpose::Repeat, RefusedFor::RateLimited, Some(at(10)));
    is_refused(&health, Purpose::Look, RefusedFor::RateLimited, Some(at(10)));
    clock.set(at(10));
    drop(first(&health));
    is_refused(&health, Purpose::First, RefusedFor::RateLimited, Some(at(14)));
    clock.set(at(14));
    drop(first(&health));
    // The third place is kept for looks and repetitions.
    is_refused(&health, Purpose::First, RefusedFor::RateLimited, Some(at(20)));
    drop(health.admit(Purpose::Repeat).unwrap());
    is_refused(&health, Purpose::First, RefusedFor::RateLimited, Some(at(20)));
    is_refused(&health, Purpose::Look, RefusedFor::RateLimited, Some(at(20)));
}

/// Charges that fill the limit used to leave no room to find out what became of them.
#[test]
fn charges_leave_a_tenth_of_the_limit_to_looks_and_repetitions() {
    // The limit, and how much of it is kept.
    for (calls, kept) in [(100, 10), (29, 2), (20, 2), (19, 1), (10, 1), (2, 1), (1, 0)] {
        let (clock, health) = rate(calls, seconds(10));
        let ask = |purpose| health.admit(purpose).map(drop).is_ok();
        let sent = |purpose| (0..calls).map(|_| u32::from(ask(purpose))).sum::<u32>();
        for (step, purpose) in [(0, Purpose::Look), (1, Purpose::Repeat)] {
            clock.set(at(step * 10));
            assert_eq!(sent(Purpose::First), calls - kept, "of {calls}");
            assert_eq!(sent(purpose), kept, "of {calls}");
            let again = Some(at(step * 10 + 10));
            is_refused(&health, Purpose::First, RefusedFor::RateLimited, again);
            is_refused(&health, purpose, RefusedFor::RateLimited, again);
        }
        // Looks and repetitions may have all of it: what charges do not use is theirs.
        clock.set(at(20));
        assert_eq!(sent(Purpose::Look), calls);
    }
}

#[test]
fn a_limit_of_nothing_sends_nothing() {
    let (_, health) = rate(0, seconds(1));
    is_refused(&health, Purpose::First, RefusedFor::RateLimited, None);
    is_refused(&health, Purpose::Look, RefusedFor::RateLimited, None);
}

#[test]
fn a_provider_that_asks_to_wait_is_waited_for() {
    let (clock, health) = breaker();
    let slow = Error::new(ErrorKind::RateLimited, Effect::Possible, "too many requests");
    let asks = |wait| slow_down(&slow, wait);
    first(&health).record(Err(&asks(5)));
    assert_eq!(health.snapshot().held_until, Some(at(5)));
    for purpose in [Purpose::First, Purpose::Repeat, Purpose::Look] {
        is_refused(&health, purpose, RefusedFor::RateLimited, Some(at(5)));
    }
    clock.advance(seconds(5));
    let (long, short) = (first(&health), first(&health));
    // Not for a day: at most for as long as the breaker may be open. A shorter wish that comes
    // later does not undo it.
    long.record(Err(&asks(86_400)));
    short.record(Err(&asks(1)));
    is_refused(&health, Purpose::First, RefusedFor::RateLimited, Some(at(65)));
    stands(&health, BreakerState::Closed, START);
    // Too much, and not for how long: a moment.
    clock.set(at(65));
    first(&health).record(Err(&slow));
    is_refused(&health, Purpose::First, RefusedFor::RateLimited, Some(at(66)));
}

/// What is asked of one call delays that call alone, by the ladder; what is asked of all, all.
#[test]
fn only_a_provider_that_is_asked_too_much_or_is_down_holds_the_account() {
    let rows = [
        // Too many requests, by whatever status it says so, is said of all calls, looks included.
        (ErrorKind::RateLimited, Some(429), Purpose::First, Some(at(5)), Some(at(5))),
        (ErrorKind::RateLimited, Some(429), Purpose::Look, Some(at(5)), Some(at(5))),
        (ErrorKind::RateLimited, None, Purpose::Repeat, Some(at(5)), Some(at(5))),
        // Down is said of all charges, by a charge. Doubts are cleared up nevertheless.
        (ErrorKind::Unavailable, Some(503), Purpose::First, Some(at(5)), None),
        (ErrorKind::Unavailable, Some(503), Purpose::Repeat, Some(at(5)), None),
        (ErrorKind::Unavailable, Some(503), Purpose::Look, None, None),
        // The rest is about this request: another is under way, this is not ready yet.
        (ErrorKind::Conflict, Some(409), Purpose::First, None, None),
        (ErrorKind::NotFound, Some(404), Purpose::Look, None, None),
        (ErrorKind::InvalidRequest, Some(422), Purpose::First, None, None),
        (ErrorKind::Unavailable, Some(500), Purpose::First, None, None),
        (ErrorKind::Unavailable, None, Purpose::First, None, None),
        (ErrorKind::Timeout, Some(408), Purpose::Look, None, None),
        // What the adapter knows to be something else.
        (ErrorKind::Conflict, Some(429), Purpose::First, None, None),
        (ErrorKind::Declined, Some(503), Purpose::First, None, None),
    ];
    for (kind, status, purpose, charges, looks) in rows {
        let (_, health) = breaker();
        let mut error = Error::new(kind, Effect::None, "wait").with_retry_after(Some(seconds(5)));
        if let Some(status) = status {
            error = error.with_http_status(status);
        }
        health.admit(purpose).unwrap().record(Err(&error));
        let until = |purpose| {
            let refusal = health.admit(purpose).map(drop).err();
            refusal.map(|refusal| (refusal.why, refusal.until))
        };
        let held = |until: Option<Timestamp>| until.map(|_| (RefusedFor::RateLimited, until));
        let said = format!("{kind:?} {status:?} of {purpose:?}");
        assert_eq!(until(Purpose::First), held(charges), "{said}");
        assert_eq!(until(Purpose::Repeat), held(charges), "{said}");
        assert_eq!(until(Purpose::Look), held(looks), "{said}");
        let snapshot = health.snapshot();
        assert_eq!((snapshot.held_until, snapshot.looks_held_until), (charges, looks), "{said}");
    }
}

#[test]
fn a_provider_that_is_down_and_does_not_say_for_how_long_is_the_breakers_matter() {
    let (_, health) = breaker();
    first(&health).record(Err(&sick()));
    assert_eq!(health.snapshot().held_until, None);
    drop(first(&health));
}

#[test]
fn holding_charges_does_not_shorten_or_lengthen_how_long_looks_are_held() {
    let (clock, health) = breaker();
    let busy = Error::new(ErrorKind::RateLimited, Effect::None, "too many requests");
    let (one, other) = (first(&health), first(&health));
    one.record(Err(&slow_down(&busy, 5)));
    other.record(Err(&sick().with_retry_after(Some(seconds(20)))));
    is_refused(&health, Purpose::First, RefusedFor::RateLimited, Some(at(20)));
    is_refused(&health, Purpose::Look, RefusedFor::RateLimited, Some(at(5)));
    clock.set(at(5));
    drop(health.admit(Purpose::Look).unwrap());
    is_refused(&health, Purpose::Repeat, RefusedFor::RateLimited, Some(at(20)));
    clock.set(at(20));
    drop(first(&health));
}

fn slow_down(error: &Error, wait: u64) -> Error {
    Error::new(error.kind(), error.effect(), error.message()).with_retry_after(Some(seconds(wait)))
}

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
    // The pace is looked at first, so a repetition that has to wait for it is not spent either.
    is_refused(&health, Purpose::Repeat, RefusedFor::RateLimited, Some(at(100)));
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
