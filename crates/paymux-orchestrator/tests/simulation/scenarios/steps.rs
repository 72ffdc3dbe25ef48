//! What a merchant does with a payment, and what comes of it.

use paymux_core::{CaptureMethod, ConfirmStep, ErrorKind, Operation, PaymentStatus};
use paymux_orchestrator::{ConfirmBy, NewCapture, NewRefund, ReviewReason, store::PaymentQuery};

use super::{Scene, money, order, reasons, start};
use crate::simulation::{
    provider::key,
    truth::{Fault, Kind},
};

#[tokio::test(start_paused = true)]
async fn refunds_together_never_ask_for_more_than_was_taken() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order()).await;
    let refund = |name: &'static str| {
        let (orchestrator, id) = (scene.orchestrator.clone(), record.id.clone());
        let refund = NewRefund { amount: Some(money(600)), ..NewRefund::default() };
        tokio::spawn(async move { orchestrator.create_refund(&key(name), &id, refund).await })
    };
    let (first, second) = (refund("one"), refund("two"));
    let done = [first.await.unwrap(), second.await.unwrap()];
    assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1, "{done:?}");
    let late = refund("three").await.unwrap().unwrap_err();
    assert_eq!((late.kind(), late.field()), (ErrorKind::InvalidRequest, Some("amount")));
    // The same key gives the same refund again.
    let won = if done[0].is_ok() { "one" } else { "two" };
    assert!(refund(won).await.unwrap().is_ok());
    // All that is left, when nothing is said.
    let all = NewRefund::default();
    scene.orchestrator.create_refund(&key("rest"), &record.id, all.clone()).await.unwrap();
    let none = scene.orchestrator.create_refund(&key("more"), &record.id, all).await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::Conflict);
    let amounts: Vec<i128> = scene.a.truth().refunds.iter().map(|refund| refund.amount).collect();
    assert_eq!(amounts, [600, 400]);
    let record = scene.now(&record).await;
    assert!(!record.is_paid());
    assert_eq!(record.provider.unwrap().amounts.refunded, Some(money(1_000)));
}

#[tokio::test(start_paused = true)]
async fn a_refund_without_an_id_is_alone() {
    let scene = Scene::new(Kind::Invoice, Kind::Card);
    let record = scene.create(order()).await;
    scene.a.pay("a-obj1");
    scene.later(60).await;
    let part = || NewRefund { amount: Some(money(400)), ..NewRefund::default() };
    let orchestrator = &scene.orchestrator;
    orchestrator.create_refund(&key("one"), &record.id, part()).await.expect("a refund");
    let second = orchestrator.create_refund(&key("two"), &record.id, part()).await.unwrap_err();
    assert_eq!(second.kind(), ErrorKind::Conflict);
    scene.a.truth().finish(false);
    scene.later(600).await;
    orchestrator.create_refund(&key("three"), &record.id, part()).await.expect("a refund");
    let kinds = scene.kinds_told().await;
    assert!(kinds.contains(&"refund.succeeded".to_owned()), "{kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn a_capture_takes_at_most_what_is_held() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order().capture(CaptureMethod::Manual)).await;
    assert_eq!(record.status, PaymentStatus::Authorized);
    let capture = |name: &'static str, minor| {
        let (orchestrator, id) = (scene.orchestrator.clone(), record.id.clone());
        let capture = NewCapture { amount: Some(money(minor)), ..NewCapture::default() };
        async move { orchestrator.capture_payment(&key(name), &id, capture).await }
    };
    for (name, minor) in [("more", 1_001), ("nothing", 0)] {
        let error = capture(name, minor).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("amount")));
    }
    let record = capture("less", 400).await.expect("a capture");
    assert_eq!((record.status, reasons(&record)), (PaymentStatus::Succeeded, vec![]));
    assert!(!record.is_paid());
    assert_eq!(capture("again", 400).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(scene.a.truth().objects["a-obj1"].captured, 400);
}

/// The answer was lost, the end is wanted: first it is found out, then it is ended.
#[tokio::test(start_paused = true)]
async fn an_end_is_reached_through_a_doubt() {
    let faults = [Fault::LostAfter, Fault::LostBefore];
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&faults);
    let record = scene.create(order().capture(CaptureMethod::Manual)).await;
    assert!(record.in_doubt());
    let record =
        scene.orchestrator.cancel_payment(&key("end"), &record.id).await.expect("it is a wish");
    assert!(record.cancel_wanted && !record.status.is_final());
    scene.later(10).await;
    let record = scene.now(&record).await;
    assert_eq!(record.status, PaymentStatus::Cancelled);
    assert_eq!(scene.a.truth().objects["a-obj1"].status, PaymentStatus::Cancelled);
    let error = scene.orchestrator.cancel_payment(&key("again"), &record.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

/// The payer is not sent to pay what is being ended.
#[tokio::test(start_paused = true)]
async fn what_is_being_ended_is_not_shown_as_payable() {
    let scene = Scene::new(Kind::Page, Kind::Card);
    let record = scene.create(order()).await;
    assert!(record.next_action().is_some());
    scene.a.truth().faults.extend([Fault::LostBefore; 3]);
    let end = scene.orchestrator.cancel_payment(&key("end"), &record.id).await;
    let record = end.expect("it is a wish");
    assert!(record.cancel_wanted && !record.status.is_final());
    assert!(record.next_action().is_none());
}

/// An account that cannot end anything, and an object that nobody can pay.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_ended_is_left_alone() {
    let scene = Scene::new(Kind::Careless, Kind::Page).meeting(&[Fault::HangsAfter]);
    let call = scene.begin_order().await;
    let all = PaymentQuery { limit: 9, ..PaymentQuery::default() };
    let record = scene.orchestrator.list_payments(&all).await.unwrap().remove(0);
    scene.orchestrator.cancel_payment(&key("end"), &record.id).await.expect("it is a wish");
    let record = call.await.unwrap().expect("it is known how it ended");
    assert_eq!(record.status, PaymentStatus::Cancelled, "{record:#?}");
    assert!(scene.a.truth().objects.values().all(|object| object.charges == 0));
    assert!(scene.b.truth().objects.is_empty());
    // Where the account has it already, the merchant is told at once.
    let mut other = order();
    other.confirm = ConfirmBy::Merchant;
    let open = scene.orchestrator.create_payment(&key("other"), &other).await.expect("a payment");
    let error = scene.orchestrator.cancel_payment(&key("no"), &open.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn the_merchant_consents_step_by_step_where_it_wants_to() {
    let scene = Scene::new(Kind::Steps, Kind::Page);
    let record = scene.create(order().confirm(ConfirmBy::Merchant)).await;
    assert_eq!(record.status, PaymentStatus::RequiresConfirmation);
    scene.later(3_600).await;
    let orchestrator = &scene.orchestrator;
    let confirm = |name: &'static str, step| {
        let id = record.id.clone();
        async move { orchestrator.confirm_payment(&key(name), &id, step).await }
    };
    let error = confirm("early", ConfirmStep::Commit).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let record = confirm("first", ConfirmStep::Authorize).await.expect("a step");
    assert_eq!(record.status, PaymentStatus::RequiresConfirmation);
    let record = confirm("second", ConfirmStep::Commit).await.expect("a step");
    assert!(record.is_paid());
    assert!(confirm("second", ConfirmStep::Commit).await.expect("the same").is_paid());
    let reused = confirm("second", ConfirmStep::Authorize).await.unwrap_err();
    assert_eq!((reused.kind(), reused.field()), (ErrorKind::Conflict, Some("key")));
}

/// Our consent never arrived, and then the merchant wanted an end: what a look proves not to have
/// been taken is not taken any more.
#[tokio::test(start_paused = true)]
async fn an_end_is_not_overtaken_by_a_step_in_doubt() {
    let faults = [Fault::Nothing, Fault::Nothing, Fault::LostBefore];
    let scene = Scene::new(Kind::Steps, Kind::Page).meeting(&faults);
    let record = scene.create(order()).await;
    assert!(record.in_doubt() && record.attempts.len() == 3, "{record:#?}");
    scene.clock.advance(std::time::Duration::from_secs(30));
    scene.orchestrator.cancel_payment(&key("end"), &record.id).await.expect("it is a wish");
    for _ in 0..4 {
        scene.later(200).await;
    }
    let record = scene.now(&record).await;
    assert_eq!(record.status, PaymentStatus::Cancelled, "{record:#?}");
    assert_eq!(scene.a.truth().objects["a-obj1"].charges, 0);
}

/// Money is held, and the account can end nothing: the person is told what is wanted.
#[tokio::test(start_paused = true)]
async fn a_person_is_told_of_an_end_that_cannot_be_reached() {
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&[Fault::LostAfter, Fault::LostBefore]);
    let unable = scene.a.clone().without(Operation::CancelPayment);
    let orchestrator = start(&scene.written, &scene.weather, &scene.clock, [&unable, &scene.b]);
    let held = order().capture(CaptureMethod::Manual);
    let made = orchestrator.create_payment(&key("order"), &held).await;
    let record = made.expect("it is in doubt");
    orchestrator.cancel_payment(&key("end"), &record.id).await.expect("it is a wish");
    scene.clock.advance(std::time::Duration::from_secs(10));
    while !orchestrator.step().await.expect("a store that works").is_idle() {}
    let record = scene.now(&record).await;
    let [review] = &record.reviews[..] else { panic!("one review: {record:#?}") };
    assert_eq!(review.reason, ReviewReason::StepRefused);
    assert_eq!(review.note, "its end is wanted, and cannot be reached at a");
}

/// Nobody looked after the payment for days: our consent is not given by itself then.
#[tokio::test(start_paused = true)]
async fn a_person_is_told_of_a_consent_that_comes_too_late() {
    let scene = Scene::new(Kind::Steps, Kind::Page);
    let all = PaymentQuery { limit: 9, ..PaymentQuery::default() };
    let (orchestrator, mut gate) = (scene.orchestrator.clone(), scene.weather.after_writing.shut());
    let work =
        tokio::spawn(async move { orchestrator.create_payment(&key("order"), &order()).await });
    // The process ends once it is written down that our consent is awaited.
    let record = loop {
        gate.reached().await;
        let written = scene.orchestrator.list_payments(&all).await.expect("a store that works");
        match written.into_iter().next() {
            Some(record) if record.status == PaymentStatus::RequiresConfirmation => break record,
            _ => {
                let next = scene.weather.after_writing.shut();
                gate.open();
                gate = next;
            }
        }
    };
    work.abort();
    scene.clock.advance(std::time::Duration::from_secs(3 * 86_400));
    let next = start(&scene.written, &scene.weather, &scene.clock, [&scene.a, &scene.b]);
    while !next.step().await.expect("a store that works").is_idle() {}
    let record = scene.now(&record).await;
    let [review] = &record.reviews[..] else { panic!("one review: {record:#?}") };
    assert_eq!(review.reason, ReviewReason::StepRefused);
    assert!(review.note.starts_with("our consent was wanted on "), "{}", review.note);
    assert_eq!(scene.a.truth().objects["a-obj1"].charges, 0);
}

/// Its answer told nothing, and what is known still shows the step open: our consent may be there.
#[tokio::test(start_paused = true)]
async fn a_consent_is_not_given_again_before_it_was_seen_what_came_of_it() {
    let scene = Scene::new(Kind::Careless, Kind::Card);
    let record = scene.create(order().confirm(ConfirmBy::Merchant)).await;
    scene.a.truth().faults.push_back(Fault::Mumbles);
    let consent = async |name: &'static str| {
        scene.orchestrator.confirm_payment(&key(name), &record.id, ConfirmStep::Commit).await
    };
    let first = consent("one").await.expect("it is given");
    assert_eq!(first.status, PaymentStatus::RequiresConfirmation);
    assert_eq!(consent("two").await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(scene.a.truth().objects["a-obj1"].charges, 1);
    scene.later(100).await;
    assert_eq!(scene.now(&record).await.status, PaymentStatus::Processing);
}

/// What is in doubt is looked for before an operation is answered: hours before its next rung, and
/// not more often than every few seconds.
#[tokio::test(start_paused = true)]
async fn an_operation_looks_first_at_what_is_in_doubt() {
    let lost = [Fault::LostAfter, Fault::NotSent, Fault::NotSent, Fault::NotSent, Fault::NotSent];
    let held = async |faults: &[Fault]| {
        let scene = Scene::new(Kind::Invoice, Kind::Card).meeting(faults);
        let record = scene.create(order().capture(CaptureMethod::Manual)).await;
        scene.later(40).await;
        assert!(scene.now(&record).await.in_doubt(), "{:?}", scene.a.truth().faults);
        scene.a.truth().faults.clear();
        scene.a.truth().unseen.clear();
        scene.a.pay("a-obj1");
        scene.clock.advance(std::time::Duration::from_secs(6));
        (scene, record)
    };
    let (scene, record) = held(&lost).await;
    let all = NewCapture::default();
    let taken = scene.orchestrator.capture_payment(&key("take"), &record.id, all.clone()).await;
    assert!(taken.expect("a look shows that it is held").is_paid());
    let (scene, record) = held(&lost).await;
    let ended = scene.orchestrator.cancel_payment(&key("end"), &record.id).await;
    assert_eq!(ended.expect("it is held").status, PaymentStatus::Cancelled);
    // Somebody who asks again and again makes us look once.
    let (scene, record) = held(&lost).await;
    scene.a.truth().down = true;
    let looks = scene.a.truth().looks;
    for name in ["one", "two", "three"] {
        let asked = scene.orchestrator.capture_payment(&key(name), &record.id, all.clone()).await;
        assert_eq!(asked.unwrap_err().kind(), ErrorKind::Conflict);
    }
    assert_eq!(scene.a.truth().looks, looks + 1);
}

/// The look that comes before an end finds that the next step could be taken, and it is not: the
/// wish is known by then, though it is not written yet.
#[tokio::test(start_paused = true)]
async fn a_look_before_an_end_leads_to_no_step() {
    let faults = [Fault::Nothing, Fault::LostAfter, Fault::NotSent, Fault::NotSent, Fault::NotSent];
    let scene = Scene::new(Kind::Steps, Kind::Page).meeting(&faults);
    let record = scene.create(order()).await;
    for seconds in [8, 45] {
        scene.later(seconds).await;
    }
    assert!(scene.now(&record).await.in_doubt() && scene.a.truth().faults.is_empty());
    scene.clock.advance(std::time::Duration::from_secs(6));
    let ended = scene.orchestrator.cancel_payment(&key("end"), &record.id).await;
    assert_eq!(ended.expect("nobody paid").status, PaymentStatus::Cancelled);
    assert_eq!(scene.a.truth().objects["a-obj1"].charges, 0);
}
