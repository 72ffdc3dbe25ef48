//! How much an account is asked, and for how long it is left alone.

use paymux_core::{Effect, Error, ErrorKind, Timestamp};
use paymux_orchestrator::health::{BreakerState, Purpose, RefusedFor};

use crate::{START, at, breaker, first, is_refused, rate, seconds, sick, stands};

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

/// Charges that fill the limit used to leave no room to find out what became of them, and looks
/// that fill it none to charge.
#[test]
fn neither_charges_nor_looks_have_the_last_tenth_of_the_limit() {
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
        // And the other way round: looks that fill the limit leave as much to charges.
        clock.set(at(20));
        assert_eq!(sent(Purpose::Look), calls - kept, "of {calls}");
        assert_eq!(sent(Purpose::First), kept, "of {calls}");
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
