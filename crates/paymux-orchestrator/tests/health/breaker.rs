//! The breaker: what opens it, what passes it, and what closes it.

use paymux_core::{Effect, Error, ErrorKind};
use paymux_orchestrator::health::{BreakerState, HealthSettings, Purpose, RefusedFor};

use crate::{
    START, at, breaker, declined, fail, first, is_refused, seconds, sick, stands, unauthenticated,
    with,
};

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

/// As many are remembered as it takes.
#[test]
fn many_failures_can_be_asked_for() {
    let mut settings = HealthSettings::default();
    settings.breaker.failures = 150;
    let (_, health) = with(settings);
    for _ in 0..150 {
        first(&health).record(Ok(()));
    }
    fail(&health, 149);
    stands(&health, BreakerState::Closed, START);
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
