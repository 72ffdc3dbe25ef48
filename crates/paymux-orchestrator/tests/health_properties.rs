//! What holds for an account's health whatever happens, and in whatever order.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{sync::Arc, time::Duration};

use paymux_core::{Clock, Effect, Error, ErrorKind, ManualClock, Timestamp};
use paymux_orchestrator::health::{
    BreakerState, Health, HealthSettings, HealthSnapshot, Permit, Purpose, RateLimit, RefusedFor,
    RetryBudget,
};
use proptest::{prelude::*, sample::select, test_runner::RngSeed};

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    /// Time passes, in milliseconds.
    Pass(u64),
    /// The machine's clock is set back, in milliseconds. No time passes.
    SetBack(u64),
    /// Somebody wants to send.
    Ask(Purpose),
    /// A call that is under way ends: which, and how.
    End(usize, End),
}

#[derive(Clone, Copy, Debug)]
enum End {
    Well,
    Sick,
    Fatal,
    Ours,
    /// Asked too much, for so many milliseconds.
    Busy(u64),
    /// Down for so many milliseconds.
    Down(u64),
    Dropped,
}

fn any_step() -> impl Strategy<Value = Step> {
    let purposes = select(vec![Purpose::First, Purpose::First, Purpose::Repeat, Purpose::Look]);
    let known = [End::Well, End::Sick, End::Sick, End::Fatal, End::Ours, End::Dropped];
    let ends = prop_oneof![
        6 => select(known.to_vec()),
        1 => (0_u64..10_000).prop_map(End::Busy),
        1 => (0_u64..10_000).prop_map(End::Down),
    ];
    prop_oneof![
        3 => (0_u64..4_000).prop_map(Step::Pass),
        1 => (0_u64..100_000).prop_map(Step::SetBack),
        8 => purposes.prop_map(Step::Ask),
        6 => (any::<usize>(), ends).prop_map(|(which, end)| Step::End(which, end)),
    ]
}

fn any_settings() -> impl Strategy<Value = HealthSettings> {
    let rate = prop::option::of((1_u32..20, 1_u64..20_000));
    let retries = (0_u32..5, 1_u64..10_000, 0_u32..60);
    (1_u32..6, 1_u64..20_000, rate, retries).prop_map(|(failures, open, rate, retries)| {
        let mut settings = HealthSettings::default();
        settings.breaker.failures = failures;
        settings.breaker.open_for = Duration::from_millis(open);
        settings.breaker.open_at_most = Duration::from_millis(open * 4);
        settings.rate =
            rate.map(|(calls, per)| RateLimit { calls, per: Duration::from_millis(per) });
        let (at_once, one_every, percent_of_calls) = retries;
        let one_every = Duration::from_millis(one_every);
        settings.retries = RetryBudget { at_once, one_every, percent_of_calls };
        settings
    })
}

/// How many calls of a limit what is new may have: all but a tenth, and all but one.
fn for_new(calls: u32) -> usize {
    let kept = if calls < 2 { 0 } else { (calls / 10).max(1) };
    usize::try_from(calls - kept).unwrap()
}

/// What was sent when, in milliseconds that really passed.
struct World<'a> {
    health: &'a Health,
    rate: Option<RateLimit>,
    passed: u64,
    sent: Vec<(u64, Purpose)>,
    /// Calls under way, with whether they left as the one that finds out, or as a look while the
    /// breaker was not closed.
    calls: Vec<(Permit<'a>, Left, Purpose)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Left {
    Usual,
    Probe,
    Peek,
}

impl<'a> World<'a> {
    fn new(health: &'a Health, rate: Option<RateLimit>) -> Self {
        Self { health, rate, passed: 0, sent: Vec::new(), calls: Vec::new() }
    }

    fn ask(&mut self, purpose: Purpose, now: Timestamp) -> Result<(), TestCaseError> {
        let before = self.health.snapshot();
        let under_way = |left| self.calls.iter().filter(|call| call.1 == left).count();
        let (probes, peeks) = (under_way(Left::Probe), under_way(Left::Peek));
        match self.health.admit(purpose) {
            Ok(permit) => {
                let left = match (before.breaker, purpose) {
                    (BreakerState::Closed, _) => Left::Usual,
                    (_, Purpose::Look) => Left::Peek,
                    (BreakerState::HalfOpen, _) => Left::Probe,
                    (BreakerState::Open, _) => {
                        prop_assert!(false, "{purpose:?} passed an open breaker");
                        Left::Usual
                    }
                };
                prop_assert!(left != Left::Probe || probes == 0, "two calls find out at once");
                prop_assert!(left != Left::Peek || peeks == 0, "two looks at once");
                self.sent.push((self.passed, purpose));
                self.calls.push((permit, left, purpose));
            }
            Err(refusal) => {
                let busy = match purpose {
                    Purpose::Look => peeks > 0,
                    Purpose::First | Purpose::Repeat => {
                        before.breaker == BreakerState::Open || probes > 0
                    }
                };
                let closed = before.breaker == BreakerState::Closed;
                prop_assert_eq!(refusal.why == RefusedFor::BreakerOpen, !closed && busy);
                prop_assert!(refusal.until.is_none_or(|until| until > now));
                prop_assert!(refusal.why != RefusedFor::Budget || purpose == Purpose::Repeat);
                let held = match purpose {
                    Purpose::Look => before.looks_held_until,
                    Purpose::First | Purpose::Repeat => before.held_until,
                };
                let paced = refusal.why == RefusedFor::RateLimited;
                prop_assert!(!paced || held.is_none() || refusal.until == held);
                if let (true, None, Some(rate)) = (paced, held, self.rate) {
                    let others = self.within(rate.per, |sent| sent != Purpose::First);
                    let kept = usize::try_from(rate.calls).unwrap() - for_new(rate.calls);
                    let starved = purpose != Purpose::First && others < kept;
                    prop_assert!(!starved, "{others} of {kept} places that are kept were used");
                    let new = self.within(rate.per, |sent| sent == Purpose::First);
                    let starved = purpose == Purpose::First && new < kept;
                    prop_assert!(!starved, "{new} of {kept} places for what is new were used");
                }
                let after = self.health.snapshot();
                prop_assert_eq!(before, after, "a refusal changed something");
            }
        }
        Ok(())
    }

    /// How many calls for such a purpose left within the last span.
    fn within(&self, per: Duration, wanted: impl Fn(Purpose) -> bool) -> usize {
        let young = |sent: u64| Duration::from_millis(self.passed - sent) < per;
        self.sent.iter().filter(|(sent, purpose)| young(*sent) && wanted(*purpose)).count()
    }

    /// A call that is under way ends. Looks say nothing about charges, however they end.
    fn end(&mut self, which: usize, end: End) -> Result<(), TestCaseError> {
        if self.calls.is_empty() {
            return Ok(());
        }
        let (permit, _, purpose) = self.calls.swap_remove(which % self.calls.len());
        let before = self.health.snapshot();
        let error = |kind| Error::new(kind, Effect::None, "ended");
        let asks = |kind, status, millis| {
            let wait = Some(Duration::from_millis(millis));
            error(kind).with_http_status(status).with_retry_after(wait)
        };
        match end {
            End::Well => permit.record(Ok(())),
            End::Sick => permit.record(Err(&error(ErrorKind::Timeout))),
            End::Fatal => permit.record(Err(&error(ErrorKind::Unauthenticated))),
            End::Ours => permit.record(Err(&error(ErrorKind::InvalidRequest))),
            End::Busy(wait) => permit.record(Err(&asks(ErrorKind::RateLimited, 429, wait))),
            End::Down(wait) => permit.record(Err(&asks(ErrorKind::Unavailable, 503, wait))),
            End::Dropped => drop(permit),
        }
        let after = self.health.snapshot();
        prop_assert!(after.held_until >= before.held_until);
        prop_assert!(after.looks_held_until >= before.looks_held_until);
        prop_assert!(after.held_until >= after.looks_held_until, "looks are held alone");
        if !matches!(end, End::Busy(_)) {
            prop_assert_eq!(before.looks_held_until, after.looks_held_until);
            let down = matches!(end, End::Down(_)) && purpose != Purpose::Look;
            prop_assert!(down || before.held_until == after.held_until, "{end:?} held it");
        }
        if purpose == Purpose::Look {
            let tally =
                |seen: HealthSnapshot| (seen.breaker, seen.since, seen.opened, seen.failures);
            prop_assert_eq!(tally(before), tally(after), "a look that ended {:?} counted", end);
        }
        Ok(())
    }

    /// In no span were there more calls than the limit, nor so many new ones that none was left to
    /// find out about them, and between no two moments more repetitions than time and calls have
    /// paid for.
    fn counted(&self, settings: &HealthSettings) -> Result<(), TestCaseError> {
        if let Some(RateLimit { calls, per }) = settings.rate {
            for (index, (end, _)) in self.sent.iter().enumerate() {
                let within = |(sent, _): &&(u64, Purpose)| Duration::from_millis(end - sent) < per;
                let count = self.sent[..=index].iter().filter(within).count();
                prop_assert!(count <= usize::try_from(calls).unwrap(), "{count} calls in a span");
                let new = self.sent[..=index].iter().filter(within);
                let new = new.filter(|(_, purpose)| *purpose == Purpose::First).count();
                prop_assert!(new <= for_new(calls), "{new} new calls in a span");
            }
        }
        let price = u64::try_from(settings.retries.one_every.as_millis()).unwrap();
        let count = |from: usize, to: usize, wanted: Purpose| {
            let counted = self.sent[from..=to].iter().filter(|(_, purpose)| *purpose == wanted);
            u64::try_from(counted.count()).unwrap()
        };
        for to in 0..self.sent.len() {
            for from in 0..=to {
                let brought = u64::from(settings.retries.at_once) * price
                    + (self.sent[to].0 - self.sent[from].0)
                    + count(from, to, Purpose::First)
                        * price
                        * u64::from(settings.retries.percent_of_calls)
                        / 100;
                let spent = count(from, to, Purpose::Repeat) * price;
                prop_assert!(spent <= brought, "{spent} of {brought} were spent");
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(5),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_order_of_events_lets_too_much_through(
        settings in any_settings(),
        steps in prop::collection::vec(any_step(), 1..120),
    ) {
        let clock = Arc::new(ManualClock::new(START));
        let health = Health::new(settings, clock.clone());
        let mut world = World::new(&health, settings.rate);
        for step in steps {
            match step {
                Step::Pass(millis) => {
                    // A clock is looked at more often than it is set, so the loss is seen.
                    clock.advance(Duration::from_millis(millis));
                    world.passed += millis;
                    let _ = health.snapshot();
                }
                Step::SetBack(millis) => {
                    let millis = i64::try_from(millis).unwrap();
                    clock.set(Timestamp::from_millis(clock.now().as_millis() - millis));
                    let _ = health.snapshot();
                }
                Step::Ask(purpose) => world.ask(purpose, clock.now())?,
                Step::End(which, end) => world.end(which, end)?,
            }
        }
        world.counted(&settings)?;
    }

    /// However it went, a provider that is well again is used again: after the longest wait one
    /// call closes the breaker, and the budget is full in time.
    #[test]
    fn what_is_well_again_is_used_again(
        settings in any_settings(),
        steps in prop::collection::vec(any_step(), 1..80),
    ) {
        let clock = Arc::new(ManualClock::new(START));
        let health = Health::new(settings, clock.clone());
        let mut world = World::new(&health, settings.rate);
        for step in steps {
            match step {
                Step::Pass(millis) => clock.advance(Duration::from_millis(millis)),
                Step::SetBack(_) => {}
                Step::Ask(purpose) => {
                    let asked = health.admit(purpose);
                    world.calls.extend(asked.ok().map(|permit| (permit, Left::Usual, purpose)));
                }
                Step::End(which, end) => world.end(which, end)?,
            }
        }
        world.calls.clear();
        clock.advance(Duration::from_secs(3_600));
        let permit = health.admit(Purpose::First);
        prop_assert!(permit.is_ok(), "{permit:?}");
        permit.unwrap().record(Ok(()));
        let snapshot = health.snapshot();
        prop_assert_eq!(snapshot.breaker, BreakerState::Closed);
        prop_assert_eq!(snapshot.repetitions, u64::from(settings.retries.at_once));
    }
}
