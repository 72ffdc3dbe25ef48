//! Money that is refused, comes back, or is told of in an order of its own.

use paymux_core::{
    CaptureMethod, ConfirmStep, ErrorKind, PaymentStatus, RefundStatus, Result, Timestamp,
};
use paymux_orchestrator::{
    ConfirmBy, DifferenceKind, NewCapture, NewRefund, PaymentId, Resolution, ReviewReason,
};

use super::{Scene, money, order, reasons};
use crate::simulation::{
    provider::key,
    truth::{Fault, Kind, SaysHeld, Telling},
};

/// What is done with a payment under the key `step`.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Confirm,
    Capture,
    Refund,
}

async fn ask(scene: &Scene, verb: Verb, id: &PaymentId) -> Result<()> {
    let (orchestrator, key) = (&scene.orchestrator, key("step"));
    match verb {
        Verb::Confirm => {
            orchestrator.confirm_payment(&key, id, ConfirmStep::Authorize).await.map(drop)
        }
        Verb::Capture => {
            orchestrator.capture_payment(&key, id, NewCapture::default()).await.map(drop)
        }
        Verb::Refund => orchestrator.create_refund(&key, id, NewRefund::default()).await.map(drop),
    }
}

/// The answer was lost, and the merchant asks again: it must not read as done.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_the_answer_however_often_it_is_asked_for() {
    let manual = || order().capture(CaptureMethod::Manual);
    let table = [
        (Verb::Confirm, Kind::Steps, order().confirm(ConfirmBy::Merchant)),
        (Verb::Capture, Kind::Card, manual()),
        (Verb::Refund, Kind::Card, order()),
    ];
    for (verb, kind, request) in table {
        let scene = Scene::new(kind, Kind::Page);
        let record = scene.create(request).await;
        scene.a.truth().faults.push_back(Fault::DeclinedHard);
        let calls = scene.now(&record).await.attempts.len() + 1;
        for time in 1..=3 {
            let error = ask(&scene, verb, &record.id).await.expect_err("it was refused");
            assert_eq!(error.kind(), ErrorKind::Declined, "{verb:?}, for the {time}. time");
        }
        assert_eq!(scene.now(&record).await.attempts.len(), calls, "{verb:?} was asked for once");
    }
}

/// The webhook was lost, and the provider names no figure: the comparison finds it all the same.
#[tokio::test(start_paused = true)]
async fn what_went_back_without_a_figure_is_found_and_told() {
    let scene = Scene::new(Kind::Card, Kind::Page);
    let record = scene.create(order()).await;
    assert!(record.is_paid());
    if let Some(object) = scene.a.truth().objects.get_mut("a-obj1") {
        object.given_back_unstated = true;
    }
    let (from, to) = (Timestamp::from_seconds(0), Timestamp::from_seconds(4_000_000_000));
    let found = scene.orchestrator.reconcile(from, to).await.expect("a store that works");
    let kinds: Vec<DifferenceKind> = found.differences.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [DifferenceKind::Differs]);
    assert!(!scene.now(&record).await.is_paid());
    assert_eq!(scene.kinds_told().await.last().unwrap(), "payment.amounts_changed");
    let page = scene.orchestrator.explain(&record.id).await.expect("a page").to_string();
    assert!(page.contains("it does not say how much"), "{page}");
    // It is known now.
    let found = scene.orchestrator.reconcile(from, to).await.expect("a store that works");
    assert_eq!(found.differences, []);
}

/// The bank sends a refund back that the merchant was told of as done.
#[tokio::test(start_paused = true)]
async fn a_refund_that_comes_back_is_told_and_can_be_made_again() {
    let scene = Scene::new(Kind::Card, Kind::Page);
    let record = scene.create(order()).await;
    let (orchestrator, all) = (&scene.orchestrator, NewRefund::default());
    let made = orchestrator.create_refund(&key("one"), &record.id, all.clone()).await;
    let (_, no) = made.expect("a refund");
    let status = |record: &paymux_orchestrator::PaymentRecord| {
        let attempt = record.attempts.iter().find(|attempt| attempt.no == no);
        attempt.and_then(|attempt| attempt.refund.as_ref()).map(|refund| refund.status)
    };
    scene.later(100).await;
    assert_eq!(status(&scene.now(&record).await), Some(RefundStatus::Succeeded));
    let last = {
        let mut truth = scene.a.truth();
        truth.refunds[0].status = RefundStatus::Failed;
        let mut object = truth.objects["a-obj1"].clone();
        (object.refunded, object.says_refunded) = (0, true);
        truth.put(object);
        truth.tellings.push(Telling::Refund("a-ref1".to_owned()));
        truth.tellings.len() - 1
    };
    scene.tell(&scene.a, last).await.expect("it is kept");
    scene.later(100).await;
    let now = scene.now(&record).await;
    assert_eq!(
        (reasons(&now), status(&now)),
        (vec![ReviewReason::Contradiction], Some(RefundStatus::Succeeded))
    );
    assert!(scene.kinds_told().await.contains(&"payment.review".to_owned()));
    let early = orchestrator.create_refund(&key("two"), &record.id, all.clone()).await;
    assert_eq!(early.unwrap_err().kind(), ErrorKind::Conflict);
    let right = Resolution::ProviderIsRight { attempt: no };
    let settled = orchestrator.resolve_review(&record.id, right, "somebody", "asked them").await;
    assert_eq!(status(&settled.expect("it is settled")), Some(RefundStatus::Failed));
    assert!(scene.kinds_told().await.contains(&"refund.failed".to_owned()));
    orchestrator.create_refund(&key("two"), &record.id, all).await.expect("it can be made again");
}

/// What was taken of a hold is not held any more, whether its provider says so or not.
#[tokio::test(start_paused = true)]
async fn captures_together_never_ask_for_more_than_was_held() {
    for says in [SaysHeld::Yes, SaysHeld::No] {
        let scene = Scene::new(Kind::Card, Kind::Page);
        scene.a.truth().keeps_holds = Some(says);
        let record = scene.create(order().capture(CaptureMethod::Manual)).await;
        let capture = |name: &'static str, minor| {
            let (orchestrator, id) = (&scene.orchestrator, &record.id);
            let capture = NewCapture { amount: Some(money(minor)), ..NewCapture::default() };
            async move { orchestrator.capture_payment(&key(name), id, capture).await }
        };
        let first = capture("one", 400).await.expect("a capture");
        assert_eq!(first.status, PaymentStatus::Authorized);
        // What is left has to be seen first.
        assert_eq!(capture("soon", 600).await.unwrap_err().kind(), ErrorKind::Conflict);
        scene.later(100).await;
        let error = capture("more", 601).await.unwrap_err();
        let why = (error.kind(), error.field());
        assert_eq!(why, (ErrorKind::InvalidRequest, Some("amount")), "{says:?}");
        let record = capture("rest", 600).await.expect("a capture");
        assert_eq!(record.status, PaymentStatus::Succeeded, "{says:?}");
        assert_eq!(scene.a.truth().objects["a-obj1"].captured, 1_000, "{says:?}");
        assert_eq!(record.provider.and_then(|it| it.amounts.captured), Some(money(1_000)));
    }
}
