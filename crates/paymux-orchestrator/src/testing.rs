//! What the tests of the pure parts are made of: a payment of 10.00 EUR that may go to the
//! accounts `a` and `b`.

use std::{collections::BTreeMap, time::Duration};

use paymux_core::{
    AmountSource, CancelPayment, Capabilities, CaptureChoice, CapturePayment, ConfirmPayment,
    ConfirmStep, CreateEffect, CreatePayment, CreateRefund, Currencies, Currency, Effect, Error,
    ErrorKind, IdempotencyKey, Money, NextAction, Operation, Payment, PaymentHandle, PaymentStatus,
    ProviderId, ProviderPaymentId, Reference, Replay, SeededRandom, Timestamp, Url,
};

use crate::{
    NewPayment, PaymentId,
    observe::Source,
    record::{Attempt, AttemptState, Fault, Intent, PaymentRecord, RouteStep},
    returns::ReturnToken,
    routing::Elsewhere,
    settle::{Context, Outcome},
};

pub(crate) const KEY_TTL: Duration = Duration::from_secs(1_000);

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

pub(crate) fn eur(minor: i128) -> Money {
    Money::new(minor, Currency::iso("EUR").unwrap()).unwrap()
}

pub(crate) fn account(name: &str) -> ProviderId {
    ProviderId::new(name).unwrap()
}

pub(crate) fn key() -> IdempotencyKey {
    IdempotencyKey::new("key").unwrap()
}

/// Asked for, and nothing tried yet.
pub(crate) fn record() -> PaymentRecord {
    let step = |name| RouteStep { account: account(name), rule: String::new(), why: String::new() };
    PaymentRecord {
        id: format!("pay_{:026}", 1).parse::<PaymentId>().unwrap(),
        version: 1,
        request: NewPayment::new(Reference::new("order-1").unwrap(), eur(1_000), "a thing"),
        status: PaymentStatus::Processing,
        failure: None,
        route: vec![step("a"), step("b")],
        after_decline: Elsewhere::SoftDeclines,
        attempts: Vec::new(),
        provider: None,
        reviews: Vec::new(),
        cancel_wanted: false,
        link_shown: false,
        unreported_amount_accepted: false,
        accepted_amount: None,
        let_pass: Vec::new(),
        steps_by_hand: false,
        consent_wanted_at: None,
        figure_looked_for: false,
        return_token: ReturnToken::generate(&SeededRandom::new(1)),
        looked_at: None,
        seen_at: None,
        next_look_at: None,
        looks: 0,
        looks_kept_back: 0,
        undocumented_status: None,
        created_at: at(0),
        updated_at: at(0),
        last_digest: String::new(),
    }
}

/// With a create attempt at `a`, sent once at the start.
pub(crate) fn tried(state: AttemptState) -> PaymentRecord {
    let mut record = record();
    let intent = create(&record, 1);
    push(&mut record, intent, state);
    record
}

/// At `a`, in this status.
pub(crate) fn accepted(status: PaymentStatus) -> PaymentRecord {
    let mut record = tried(AttemptState::Accepted);
    record.attempts[0].object = Some(object("obj1"));
    record.status = status;
    record.provider = Some(seen(status));
    (record.looked_at, record.seen_at) = (Some(at(0)), Some(at(0)));
    record.next_look_at = Some(at(60));
    record
}

/// Adds an attempt at the account that has the payment, or `a`.
pub(crate) fn push(record: &mut PaymentRecord, intent: Intent, state: AttemptState) -> u32 {
    let account = record.account().cloned().unwrap_or_else(|| account("a"));
    let no = record.next_attempt_no();
    let mut attempt = Attempt::new(no, account, intent, at(0));
    attempt.state = state;
    if state != AttemptState::Intent {
        attempt.sends = 1;
        attempt.first_sent_at = Some(at(0));
        attempt.sent_at = Some(at(0));
    }
    attempt.doubted = state == AttemptState::Unknown;
    attempt.doubtful_send_at = attempt.doubted.then(|| at(0));
    attempt.next_try_at = state.is_open().then(|| at(0));
    attempt.settled_at = (!state.is_open()).then(|| at(0));
    record.attempts.push(attempt);
    no
}

pub(crate) fn create(record: &PaymentRecord, no: u32) -> Intent {
    let reference = Reference::new(format!("{}-{no}", record.id)).unwrap();
    Intent::Create(Box::new(CreatePayment::new(key(), reference, eur(1_000), "a thing")))
}

pub(crate) fn confirm(step: ConfirmStep) -> Intent {
    Intent::Confirm(ConfirmPayment { key: key(), payment: handle(), step })
}

pub(crate) fn capture() -> Intent {
    let (part, amount) = (None, None);
    Intent::Capture(CapturePayment { key: key(), payment: handle(), part, amount })
}

pub(crate) fn cancel() -> Intent {
    Intent::Cancel(CancelPayment { key: key(), payment: handle(), part: None })
}

pub(crate) fn refund() -> Intent {
    let reference = Reference::new("refund-1").unwrap();
    Intent::Refund(CreateRefund::new(key(), reference, handle()))
}

fn handle() -> PaymentHandle {
    PaymentHandle::new(object("obj1"))
}

pub(crate) fn object(id: &str) -> ProviderPaymentId {
    ProviderPaymentId::new(id).unwrap()
}

/// What `a` shows of the payment.
pub(crate) fn seen(status: PaymentStatus) -> Payment {
    let mut payment = Payment::new(account("a"), object("obj1"), status, status.as_str());
    payment.reference = Some(Reference::new(format!("{}-1", record().id)).unwrap());
    payment.amounts.requested = Some(eur(1_000));
    match status {
        PaymentStatus::Authorized => payment.amounts.authorized = Some(eur(1_000)),
        PaymentStatus::Succeeded => payment.amounts.captured = Some(eur(1_000)),
        PaymentStatus::RequiresAction => {
            let url = Url::parse("https://pay.example/1").unwrap();
            payment.next_action = Some(NextAction::Redirect { url });
        }
        PaymentStatus::RequiresConfirmation => {
            payment.next_action = Some(NextAction::Confirm { step: ConfirmStep::Commit });
        }
        PaymentStatus::Processing
        | PaymentStatus::PartiallyPaid
        | PaymentStatus::Cancelled
        | PaymentStatus::Expired
        | PaymentStatus::Failed
        | PaymentStatus::Unknown => {}
    }
    payment
}

/// An account where creating and the steps after may be repeated like this.
pub(crate) fn capabilities(effect: CreateEffect, create: Replay, later: Replay) -> Capabilities {
    let mut capabilities = Capabilities::new("test", false);
    capabilities.currencies = Currencies::Any;
    capabilities.amount = AmountSource::Request;
    capabilities.reports_captured = true;
    capabilities.capture = CaptureChoice::PerRequest;
    capabilities.create = effect;
    capabilities.replay = BTreeMap::from([
        (Operation::CreatePayment, create),
        (Operation::ConfirmPayment, later),
        (Operation::CapturePayment, later),
        (Operation::CancelPayment, later),
        (Operation::CreateRefund, later),
    ]);
    capabilities
}

pub(crate) fn key_replay() -> Replay {
    Replay::Key { ttl: KEY_TTL, max_len: 255, replays_errors: false }
}

pub(crate) fn context<'a>(
    capabilities: &'a Capabilities,
    random: &'a SeededRandom,
    now: Timestamp,
) -> Context<'a> {
    Context {
        now,
        asked_at: now,
        source: Source::Asked,
        is_due: true,
        call_limit: Duration::from_secs(70),
        capabilities,
        accept_unreported_amount: false,
        random,
    }
}

pub(crate) fn fault(kind: ErrorKind, effect: Effect, retryable: bool) -> Outcome {
    let error = Error::new(kind, effect, "trouble").with_retryable(retryable);
    Outcome::Fault(Box::new(Fault::from(&error)))
}
