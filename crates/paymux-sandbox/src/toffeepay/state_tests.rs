//! The state machines as tables, without HTTP.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::errors::Refusal;
use super::objects::{Item, NewSession, PaymentStatus, RefundStatus, SessionStatus};
use super::payer::{Decline, Payer, RefundOutcome, Step, TopUp};
use super::settings::ToffeePaySettings;
use super::state::{Moment, State};
use crate::random::Random;

use PaymentStatus::{Authorized, Cancelled, Failed, Processing, Refunded, Succeeded};

const STATUSES: [PaymentStatus; 6] =
    [Processing, Authorized, Succeeded, Cancelled, Failed, Refunded];
const STEPS: [Step; 4] = [Step::Authorize, Step::Succeed, Step::Fail, Step::Cancel];

/// A state, its time and its ids.
struct Bench {
    state: State,
    now: Timestamp,
    random: Random,
}

impl Bench {
    fn new() -> Self {
        let checkout = Url::parse("http://127.0.0.1/checkout/").unwrap();
        Bench {
            state: State::new(checkout, ToffeePaySettings::default()),
            now: "2023-06-01T12:00:00Z".parse().unwrap(),
            random: Random::new(Some(1)).unwrap(),
        }
    }

    fn act<T>(&mut self, act: impl FnOnce(&mut State, Moment<'_>) -> T) -> T {
        self.state.settle_due(self.now);
        act(&mut self.state, Moment { now: self.now, random: &self.random })
    }

    fn session(&mut self) -> String {
        let item = Item {
            title: "50 Gold Coins".to_owned(),
            price: 499,
            currency: "USD".to_owned(),
            image: None,
            country: None,
        };
        let new = NewSession {
            game_id: "space_shooter".to_owned(),
            user_id: "player_42".to_owned(),
            item,
            return_url: "mygame://payment-complete".to_owned(),
            wallet_enabled: None,
        };
        self.act(|state, moment| state.create_session(new, moment))
    }

    fn start(&mut self, session: &str) -> String {
        self.act(|state, moment| state.start_payment(session, Payer::default(), moment)).unwrap()
    }

    fn step(&mut self, payment: &str, step: Step) -> Result<(), Refusal> {
        self.act(|state, moment| state.step_payment(payment, step, moment.now))
    }

    /// A payment in this status, in a session of its own.
    fn payment_in(&mut self, status: PaymentStatus) -> String {
        let session = self.session();
        let payment = self.start(&session);
        let steps: &[Step] = match status {
            Processing => &[],
            Authorized => &[Step::Authorize],
            Succeeded | Refunded => &[Step::Succeed],
            Cancelled => &[Step::Cancel],
            Failed => &[Step::Fail],
        };
        for step in steps {
            self.step(&payment, *step).unwrap();
        }
        if status == Refunded {
            self.act(|state, moment| {
                let refund = state.create_refund(&payment, None, moment).unwrap();
                state.settle_refund(&refund, RefundOutcome::Succeed, moment.now).unwrap();
            });
        }
        assert_eq!(self.state.payment(&payment).unwrap().status, status);
        payment
    }

    fn session_status(&self, id: &str) -> SessionStatus {
        self.state.session(id).unwrap().status
    }

    fn advance(&mut self, seconds: u64) {
        self.now = self.now.checked_add(Duration::from_secs(seconds)).unwrap();
        self.act(|_, _| ());
    }
}

/// What the tables of the contract allow; everything else is refused.
fn allowed(from: PaymentStatus, step: Step) -> Option<PaymentStatus> {
    match (from, step) {
        (Processing, Step::Authorize) => Some(Authorized),
        (Processing | Authorized, Step::Succeed) => Some(Succeeded),
        (Processing | Authorized, Step::Fail) => Some(Failed),
        (Processing | Authorized, Step::Cancel) => Some(Cancelled),
        _ => None,
    }
}

#[test]
fn payments_move_only_along_the_arrows() {
    for from in STATUSES {
        for step in STEPS {
            let mut bench = Bench::new();
            let payment = bench.payment_in(from);
            let before = bench.state.events.len();
            let result = bench.step(&payment, step);
            let expected = allowed(from, step);
            assert_eq!(result.is_ok(), expected.is_some(), "{from:?} {step:?}");
            let now = bench.state.payment(&payment).unwrap().status;
            assert_eq!(now, expected.unwrap_or(from), "{from:?} {step:?}");
            assert_eq!(bench.state.events.len() > before, expected.is_some(), "{from:?} {step:?}");
        }
    }
}

#[test]
fn topups_move_only_along_the_arrows() {
    for first in STEPS.map(Some).into_iter().chain([None]) {
        for step in STEPS {
            let mut bench = Bench::new();
            let request = TopUp { outcome: first, ..TopUp::default() };
            let id = bench.act(|state, moment| state.create_topup(request, moment)).unwrap();
            let from = bench.state.topup(&id).unwrap().status;
            let result = bench.act(|state, moment| state.step_topup(&id, step, moment.now));
            let expected = allowed(from, step);
            assert_eq!(result.is_ok(), expected.is_some(), "{from:?} {step:?}");
            assert_eq!(bench.state.topup(&id).unwrap().status, expected.unwrap_or(from));
        }
    }
}

#[test]
fn only_a_held_payment_is_completed_or_cancelled_by_the_merchant() {
    for from in STATUSES {
        let mut bench = Bench::new();
        let (one, two) = (bench.payment_in(from), bench.payment_in(from));
        let completed = bench.act(|state, moment| state.complete_payment(&one, moment.now));
        let cancelled = bench.act(|state, moment| state.cancel_payment(&two, moment.now));
        assert_eq!(completed.is_ok(), from == Authorized, "{from:?}");
        assert_eq!(cancelled.is_ok(), from == Authorized, "{from:?}");
    }
}

#[test]
fn only_a_payment_that_succeeded_is_refunded() {
    for from in STATUSES {
        let mut bench = Bench::new();
        let payment = bench.payment_in(from);
        let refund = bench.act(|state, moment| state.create_refund(&payment, None, moment));
        assert_eq!(refund.is_ok(), from == Succeeded, "{from:?}");
    }
}

#[test]
fn a_refund_ends_once() {
    for (outcome, status, payment_after) in [
        (RefundOutcome::Succeed, RefundStatus::Succeeded, Refunded),
        (RefundOutcome::Fail, RefundStatus::Failed, Succeeded),
        (RefundOutcome::Cancel, RefundStatus::Cancelled, Succeeded),
    ] {
        let mut bench = Bench::new();
        bench.state.settings.merchant_balance = Some(0);
        let payment = bench.payment_in(Succeeded);
        let id = bench.act(|state, moment| state.create_refund(&payment, None, moment)).unwrap();
        assert_eq!(bench.state.settings.merchant_balance, Some(0), "the payment filled it");
        bench.act(|state, moment| state.settle_refund(&id, outcome, moment.now)).unwrap();
        assert_eq!(bench.state.refund(&id).unwrap().status, status);
        assert_eq!(bench.state.payment(&payment).unwrap().status, payment_after);
        let returned = if outcome == RefundOutcome::Succeed { 0 } else { 499 };
        assert_eq!(bench.state.settings.merchant_balance, Some(returned));
        for again in [RefundOutcome::Succeed, RefundOutcome::Fail, RefundOutcome::Cancel] {
            assert!(
                bench.act(|state, moment| state.settle_refund(&id, again, moment.now)).is_err()
            );
        }
        bench.advance(30 * 24 * 3600);
        assert_eq!(bench.state.refund(&id).unwrap().status, status, "time changes nothing");
    }
}

#[test]
fn failed_and_cancelled_attempts_are_counted_apart() {
    let mut bench = Bench::new();
    let session = bench.session();
    for step in [Step::Fail, Step::Cancel, Step::Fail, Step::Cancel] {
        let payment = bench.start(&session);
        bench.step(&payment, step).unwrap();
        assert_eq!(bench.session_status(&session), SessionStatus::Pending);
    }
    let payment = bench.start(&session);
    bench.step(&payment, Step::Fail).unwrap();
    assert_eq!(bench.session_status(&session), SessionStatus::Failed);
}

#[test]
fn a_session_has_one_attempt_at_a_time() {
    let mut bench = Bench::new();
    let session = bench.session();
    let payment = bench.start(&session);
    let second = bench.act(|state, moment| state.start_payment(&session, Payer::default(), moment));
    assert!(second.is_err());
    bench.step(&payment, Step::Authorize).unwrap();
    let third = bench.act(|state, moment| state.pay(&session, Payer::default(), moment));
    assert!(third.is_err(), "money is held already");
    let expired = bench.act(|state, moment| state.expire_session(&session, moment.now));
    assert!(expired.is_err());
}

#[test]
fn a_session_with_an_open_attempt_expires_only_after_it() {
    for (step, status) in [
        (Step::Fail, SessionStatus::Expired),
        (Step::Cancel, SessionStatus::Expired),
        (Step::Succeed, SessionStatus::Paid),
    ] {
        let mut bench = Bench::new();
        let session = bench.session();
        let payment = bench.start(&session);
        bench.advance(2 * 3600);
        assert_eq!(bench.session_status(&session), SessionStatus::Pending);
        bench.step(&payment, step).unwrap();
        bench.advance(0);
        assert_eq!(bench.session_status(&session), status, "{step:?}");
    }
}

#[test]
fn what_is_due_happens_in_the_order_of_time() {
    let mut bench = Bench::new();
    let first = bench.session();
    bench.advance(60);
    let second = bench.session();
    bench.advance(24 * 3600);
    for (id, at) in [(&first, "2023-06-01T12:30:00Z"), (&second, "2023-06-01T12:31:00Z")] {
        let session = bench.state.session(id).unwrap();
        assert_eq!(session.status, SessionStatus::Expired);
        assert_eq!(session.expired_at.unwrap().to_string(), at);
    }
}

#[test]
fn a_session_that_is_over_stays_so() {
    for end in [
        SessionStatus::Paid,
        SessionStatus::Failed,
        SessionStatus::Cancelled,
        SessionStatus::Expired,
    ] {
        let mut bench = Bench::new();
        let id = bench.session();
        bench.act(|state, moment| match end {
            SessionStatus::Failed => (0..3).for_each(|_| {
                let payer = Payer::default().declined(Decline::Declined);
                state.pay(&id, payer, moment).unwrap();
            }),
            SessionStatus::Cancelled => state.cancel_session(&id, moment.now).unwrap(),
            SessionStatus::Expired => state.expire_session(&id, moment.now).unwrap(),
            SessionStatus::Paid | SessionStatus::Pending => {
                state.pay(&id, Payer::default(), moment).unwrap();
            }
        });
        let events = bench.state.events.len();
        bench.act(|state, moment| {
            assert!(state.pay(&id, Payer::default(), moment).is_err());
            assert!(state.cancel_session(&id, moment.now).is_err());
            assert!(state.expire_session(&id, moment.now).is_err());
        });
        bench.advance(48 * 3600);
        assert_eq!(bench.session_status(&id), end);
        assert_eq!(bench.state.events.len(), events, "{end:?}");
    }
}
