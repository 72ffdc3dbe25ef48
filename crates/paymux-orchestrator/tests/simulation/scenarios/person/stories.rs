//! What follows a decision, and what is refused though it looks right.

use std::sync::atomic::Ordering;

use paymux_core::{
    CaptureMethod, ConfirmStep, Effect, ErrorKind, PaymentProvider, PaymentStatus, RefundStatus,
};
use paymux_orchestrator::{
    AttemptState, ConfirmBy, NewCapture, NewRefund, Resolution, ReviewReason,
};

use super::{
    super::{order, reasons},
    Scene, Waiting, money,
    scenes::{self, DAY, bend, told_and_seen},
};
use crate::simulation::{
    provider::key,
    truth::{Fault, Kind},
};

/// The person telephoned about the first attempt. Meanwhile that one was settled, and another one
/// is in doubt: their word is not about it.
#[tokio::test(start_paused = true)]
async fn a_word_about_one_attempt_is_not_taken_for_another() {
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&[Fault::Declined]);
    scene.b.truth().faults.extend([Fault::LostAfter, Fault::LostBefore]);
    let record = scene.create(order()).await;
    assert!(record.in_doubt() && record.attempts[1].state == AttemptState::Unknown);
    scene.later(DAY + 3_600).await;
    assert_eq!(reasons(&scene.now(&record).await), [ReviewReason::StillInDoubt]);
    for resolution in [
        Resolution::DidNothing { attempt: 1 },
        Resolution::WasDone { attempt: 1 },
        Resolution::DidNothing { attempt: 3 },
    ] {
        let answer = scene.orchestrator.resolve_review(&record.id, resolution, "ann", "said so");
        let error = answer.await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::None));
    }
    assert_eq!(scene.now(&record).await.attempts[1].state, AttemptState::Unknown);
}

/// Two seconds after a time-out nobody can know more than the rules find out.
#[tokio::test(start_paused = true)]
async fn nobody_says_that_it_did_nothing_before_they_were_asked() {
    let faults = [Fault::LostAfter, Fault::LostBefore];
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&faults);
    let record = scene.create(order()).await;
    let nothing = Resolution::DidNothing { attempt: 1 };
    let answer = scene.orchestrator.resolve_review(&record.id, nothing, "ann", "I think").await;
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Conflict);
    scene.later(10).await;
    assert!(scene.now(&record).await.is_paid());
    assert!(scene.b.truth().objects.is_empty());
}

/// The store goes away between the decision and what follows from it: whoever reads an error that
/// says "nothing was written" would decide again.
#[tokio::test(start_paused = true)]
async fn an_error_after_the_decision_says_that_it_may_be_written() {
    let scene = Scene::new(Kind::Invoice, Kind::Card).meeting(&[Fault::LostBefore]);
    scene.a.truth().faults.extend([Fault::NotSent; 2]);
    let record = scene.create(order()).await;
    scene.a.truth().down = true;
    scene.later(DAY + 3_600).await;
    // The provider does not answer: nothing is written.
    let decide = async |resolution| {
        scene.orchestrator.resolve_review(&record.id, resolution, "ann", "they said so").await
    };
    let before = scene.now(&record).await.version;
    let error = decide(Resolution::DidNothing { attempt: 1 }).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::None));
    assert_eq!(scene.now(&record).await.version, before);
    // It does, slowly enough for the store to go away after the decision.
    scene.a.truth().down = false;
    scene.a.truth().faults.push_back(Fault::Slow);
    let orchestrator = scene.orchestrator.clone();
    let id = record.id.clone();
    let again = Resolution::TryAgain { attempt: 1 };
    let call = tokio::spawn(async move {
        orchestrator.resolve_review(&id, again, "ann", "they said so").await
    });
    while scene.now(&record).await.version == before {
        tokio::task::yield_now().await;
    }
    scene.weather.is_down.store(true, Ordering::SeqCst);
    let error = call.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::Possible));
}

/// What had been given up and shows money counts, once nothing else can take any.
#[tokio::test(start_paused = true)]
async fn a_late_success_counts_where_nothing_else_takes_money() {
    let waiting = scenes::late(true, false).await;
    let (scene, id) = (&waiting.scene, waiting.record.id.clone());
    let counts = || Resolution::ItCounts { attempt: 1, object: waiting.object.clone() };
    let error = waiting.decide(counts()).await.unwrap_err();
    assert!(error.message().contains("end that first"), "{error}");
    scene.orchestrator.cancel_payment(&key("end"), &id).await.expect("the other one is ended");
    let record = waiting.decide(counts()).await.expect("nothing else has it");
    assert_eq!((record.account(), reasons(&record)), (Some(scene.a.id()), vec![]));
    assert_eq!(record.attempts[0].state, AttemptState::Accepted);
    assert!(!record.cancel_wanted && !record.attempts[1].state.is_open());
    scene.a.truth().finish(false);
    scene.later(100).await;
    assert!(scene.now(&waiting.record).await.is_paid());
    assert!(scene.b.truth().objects.values().all(|object| object.charges == 0));
    // It can be given back like any other.
    let refund = scene.orchestrator.create_refund(&key("back"), &id, NewRefund::default()).await;
    refund.expect("a refund");
    assert_eq!(scene.broken.first(), None);
}

/// The same where the other one was paid meanwhile: its own word of now is what counts.
#[tokio::test(start_paused = true)]
async fn a_late_success_does_not_count_beside_money() {
    let waiting = scenes::late(true, false).await;
    let scene = &waiting.scene;
    scene.b.truth().confirm("b-obj1", ConfirmStep::Authorize).expect("a step");
    scene.b.truth().confirm("b-obj1", ConfirmStep::Commit).expect("a step");
    for object in ["a-obj1", "b-obj1", "a-obj7"] {
        let object = paymux_core::ProviderPaymentId::new(object).unwrap();
        let error = waiting.decide(Resolution::ItCounts { attempt: 1, object }).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
    }
    let dismissed = Resolution::Dismiss { attempt: 1, reason: ReviewReason::LateSuccess };
    let error = waiting.decide(dismissed).await.unwrap_err();
    assert!(error.message().contains("give it back"), "{error}");
}

/// Opened again by a person's word, it takes no step of ours: that is the merchant's to ask for.
#[tokio::test(start_paused = true)]
async fn what_a_person_opened_again_is_captured_only_by_the_merchant() {
    // It is found when it has expired: nothing was captured.
    let faults = [Fault::LostAfter, Fault::LostBefore];
    let scene = Scene::new(Kind::Hold, Kind::Card).meeting(&faults);
    let record = scene.create(order()).await;
    bend(&scene, "a-obj1", |object| object.become_(PaymentStatus::Expired));
    scene.later(10).await;
    assert_eq!(scene.now(&record).await.status, PaymentStatus::Expired);
    bend(&scene, "a-obj1", |object| {
        object.become_(PaymentStatus::Succeeded);
        object.captured = 1_000;
    });
    told_and_seen(&scene).await;
    let waits = scene.now(&record).await;
    assert_eq!(reasons(&waits), [ReviewReason::Contradiction]);
    // When the person has it read, it is held again.
    bend(&scene, "a-obj1", |object| {
        object.become_(PaymentStatus::Authorized);
        object.captured = 0;
    });
    let waiting = Waiting::new(scene, waits, "a-obj1");
    let record = waiting.decide(Resolution::ProviderIsRight { attempt: 1 }).await.expect("it is");
    assert_eq!((record.status, reasons(&record)), (PaymentStatus::Authorized, vec![]));
    let scene = &waiting.scene;
    scene.later(DAY).await;
    assert!(scene.a.truth().objects.values().all(|object| object.charges == 0), "nothing is taken");
    let taken = NewCapture::default();
    let record = scene.orchestrator.capture_payment(&key("take"), &record.id, taken).await;
    assert!(record.expect("the merchant asks for it").is_paid());
}

/// What the provider says is asked before ours is forgotten, and written down with the decision.
#[tokio::test(start_paused = true)]
async fn a_provider_is_right_only_about_what_fits() {
    let waiting = scenes::contradicted(false).await;
    let right = || Resolution::ProviderIsRight { attempt: 1 };
    let before = waiting.scene.now(&waiting.record).await;
    bend(&waiting.scene, "a-obj1", |object| object.amount = money(1_010));
    assert_eq!(waiting.decide(right()).await.unwrap_err().kind(), ErrorKind::Conflict);
    bend(&waiting.scene, "a-obj1", |object| object.amount = money(1_000));
    waiting.scene.a.truth().faults.push_back(Fault::Mumbles);
    assert_eq!(waiting.decide(right()).await.unwrap_err().kind(), ErrorKind::Conflict);
    let after = waiting.scene.now(&waiting.record).await;
    assert_eq!((after.version, after.status), (before.version, PaymentStatus::Succeeded));
    let record = waiting.decide(right()).await.expect("it is");
    assert_eq!(record.status, PaymentStatus::Failed);
    let known = record.provider.expect("it is still there");
    assert!(known.reference.is_some() && known.id.as_str() == "a-obj1");
    let page = waiting.scene.orchestrator.explain(&record.id).await.unwrap().to_string();
    assert!(
        page.contains("ann decided: its provider is right: they said so; its provider"),
        "{page}"
    );
}

/// A fee that a person let count is not asked about at every look, and only that fee.
#[tokio::test(start_paused = true)]
async fn what_was_let_count_is_not_asked_about_again() {
    let waiting = scenes::seen_with_a_fee(false).await;
    let counts = Resolution::ItCounts { attempt: 1, object: waiting.object.clone() };
    let record = waiting.decide(counts).await.expect("it counts");
    assert_eq!(reasons(&record), []);
    let scene = &waiting.scene;
    scene.later(3_600).await;
    assert_eq!(reasons(&scene.now(&record).await), []);
    scene.a.pay("a-obj1");
    scene.later(DAY).await;
    assert!(scene.now(&record).await.is_paid());

    let waiting = scenes::seen_with_a_fee(false).await;
    let counts = Resolution::ItCounts { attempt: 1, object: waiting.object.clone() };
    waiting.decide(counts).await.expect("it counts");
    bend(&waiting.scene, "a-obj1", |object| object.amount = money(2_000));
    waiting.scene.later(DAY).await;
    assert_eq!(reasons(&waiting.scene.now(&waiting.record).await), [ReviewReason::Mismatch]);
}

/// The object that another order has counts for nobody else, whoever says so.
#[tokio::test(start_paused = true)]
async fn what_belongs_to_another_payment_counts_for_nobody_else() {
    let waiting = scenes::created_with_a_fee().await;
    let scene = &waiting.scene;
    let made = scene.orchestrator.create_payment(&key("other"), &order()).await;
    let other = made.expect("a payment").provider.expect("it is there").id;
    let before = scene.now(&waiting.record).await.version;
    for resolution in [
        Resolution::ItIs { attempt: 1, object: other.clone() },
        Resolution::ItCounts { attempt: 1, object: other },
    ] {
        let error = waiting.decide(resolution).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::None));
    }
    assert_eq!(scene.now(&waiting.record).await.version, before, "nobody is frozen by a slip");
}

/// The amount that a person saw, and no other.
#[tokio::test(start_paused = true)]
async fn an_amount_counts_only_as_it_is() {
    let waiting = scenes::ended(PaymentStatus::Succeeded, 400).await;
    let accept = |minor| Resolution::AcceptAmount { attempt: 1, amount: Some(money(minor)) };
    assert_eq!(waiting.decide(accept(500)).await.unwrap_err().kind(), ErrorKind::Conflict);
    let none = Resolution::AcceptAmount { attempt: 1, amount: None };
    assert_eq!(waiting.decide(none).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert!(waiting.decide(accept(400)).await.expect("so much was taken").is_paid());

    let waiting = scenes::ended(PaymentStatus::Succeeded, 0).await;
    let none = Resolution::AcceptAmount { attempt: 1, amount: None };
    assert!(waiting.decide(none).await.expect("nobody says more").is_paid());

    // An end stays an end.
    let waiting = scenes::ended(PaymentStatus::Expired, 400).await;
    let record = waiting.decide(accept(400)).await.expect("it is a fee");
    assert_eq!((record.status, record.is_paid()), (PaymentStatus::Expired, false));
}

/// The merchant took less than was asked for and says that it is all of it.
#[tokio::test(start_paused = true)]
async fn what_the_merchant_captured_itself_can_count_as_all() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order().capture(CaptureMethod::Manual)).await;
    let some = NewCapture { amount: Some(money(600)), ..NewCapture::default() };
    let record = scene.orchestrator.capture_payment(&key("take"), &record.id, some).await;
    let record = record.expect("a capture");
    assert!(!record.is_paid() && record.reviews.is_empty());
    let all = Resolution::AcceptAmount { attempt: 1, amount: Some(money(600)) };
    let answer = scene.orchestrator.resolve_review(&record.id, all, "ann", "the rest is sold out");
    assert!(answer.await.expect("it is the merchant's to say").is_paid());
}

/// A refund without an id came to nothing: the money can be given back again.
#[tokio::test(start_paused = true)]
async fn a_refund_that_came_to_nothing_makes_room_for_another() {
    let waiting = scenes::refund_without_end().await;
    let scene = &waiting.scene;
    let again = || NewRefund { amount: Some(money(400)), ..NewRefund::default() };
    let id = &waiting.record.id;
    let error = scene.orchestrator.create_refund(&key("more"), id, again()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    scene.a.truth().finish(true);
    let record = waiting.decide(Resolution::DidNothing { attempt: 2 }).await.expect("it failed");
    let refund = record.attempts[1].refund.as_ref().map(|refund| refund.status);
    assert_eq!((refund, reasons(&record)), (Some(RefundStatus::Failed), vec![]));
    let kinds = scene.kinds_told().await;
    assert!(kinds.contains(&"refund.failed".to_owned()), "{kinds:?}");
    scene.orchestrator.create_refund(&key("more"), id, again()).await.expect("a refund");

    // One that its provider shows as done did not come to nothing.
    let waiting = scenes::refund_without_end().await;
    waiting.scene.a.truth().finish(false);
    let nothing = Resolution::DidNothing { attempt: 2 };
    assert_eq!(waiting.decide(nothing).await.unwrap_err().kind(), ErrorKind::Conflict);
    waiting.decide(Resolution::WasDone { attempt: 2 }).await.expect("it was");
}

/// What was dismissed stays so for its time, and comes back when it is still so.
#[tokio::test(start_paused = true)]
async fn what_was_dismissed_comes_back_only_when_it_lasts() {
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&[Fault::LostBefore; 2]);
    let record = scene.create(order()).await;
    scene.later(DAY + 3_600).await;
    let dismiss = Resolution::Dismiss { attempt: 1, reason: ReviewReason::StillInDoubt };
    let answer = scene.orchestrator.resolve_review(&record.id, dismiss, "ann", "they look").await;
    assert_eq!(reasons(&answer.expect("it waits for that")), []);
    for _ in 0..6 {
        scene.later(DAY).await;
        assert_eq!(reasons(&scene.now(&record).await), []);
    }
    scene.later(2 * DAY).await;
    assert_eq!(reasons(&scene.now(&record).await), [ReviewReason::StillInDoubt]);
    assert!(scene.b.truth().objects.is_empty());
}

/// A capture that did nothing is asked for again by the merchant, not by us: the order may be gone.
#[tokio::test(start_paused = true)]
async fn a_step_that_did_nothing_is_not_taken_again_by_itself() {
    let faults = [Fault::Nothing, Fault::LostBefore];
    let scene = Scene::new(Kind::Careless, Kind::Steps).meeting(&faults);
    let record = scene.create(order().confirm(ConfirmBy::Orchestrator)).await;
    scene.a.truth().down = true;
    for _ in 0..3 {
        scene.later(DAY).await;
    }
    scene.a.truth().down = false;
    let waits = scene.now(&record).await;
    assert_eq!(reasons(&waits), [ReviewReason::StillInDoubt], "{waits:#?}");
    let waiting = Waiting::new(scene, waits, "a-obj1");
    let record = waiting.decide(Resolution::DidNothing { attempt: 2 }).await.expect("it did not");
    waiting.scene.later(DAY).await;
    let record = waiting.scene.now(&record).await;
    assert_eq!((record.attempts.len(), record.attempts[1].state), (2, AttemptState::NotCharged));
    let kinds = waiting.scene.kinds_told().await;
    assert!(kinds.contains(&"payment.step_not_done".to_owned()), "{kinds:?}");
    let step = ConfirmStep::Commit;
    let orchestrator = &waiting.scene.orchestrator;
    orchestrator.confirm_payment(&key("go"), &record.id, step).await.expect("the merchant asks");
}

/// Money showed at the first account, and a consent at the second one is in doubt: "try again"
/// looks what became of it, and does not send it.
#[tokio::test(start_paused = true)]
async fn trying_again_adds_no_money_beside_money() {
    let lost = [Fault::LostAfter, Fault::LostBefore, Fault::LostBefore, Fault::LostBefore];
    let scene = Scene::new(Kind::Careless, Kind::Steps).meeting(&lost);
    let record = scene.create(order().confirm(ConfirmBy::Merchant)).await;
    scene.later(10).await;
    // It was lost on its way, and its account cannot be asked for a while.
    scene.b.truth().faults.push_back(Fault::LostBefore);
    scene.b.truth().faults.extend([Fault::NotSent; 4]);
    let step = ConfirmStep::Authorize;
    let doubt = scene.orchestrator.confirm_payment(&key("go"), &record.id, step).await;
    assert!(doubt.expect("it is in doubt").in_doubt());
    scene.a.truth().confirm("a-obj1", ConfirmStep::Commit).expect("it is charged");
    scene.a.truth().faults.clear();
    told_and_seen(&scene).await;
    scene.b.truth().faults.clear();
    let record = scene.now(&record).await;
    assert!(reasons(&record).contains(&ReviewReason::LateSuccess), "{record:#?}");
    let no = record.attempts.last().expect("the consent").no;
    let sends = record.attempts.last().map(|attempt| attempt.sends);
    for _ in 0..3 {
        let again = Resolution::TryAgain { attempt: no };
        let answer = scene.orchestrator.resolve_review(&record.id, again, "ann", "go on").await;
        if let Ok(record) = answer {
            assert_eq!(record.attempts[record.attempts.len() - 1].sends, sends.unwrap());
        }
        scene.later(100).await;
    }
    let now = scene.now(&record).await;
    assert_eq!(now.attempts.last().map(|attempt| attempt.sends), sends, "{now:#?}");
    assert!(
        scene.b.truth().objects.values().all(|object| object.step == Some(ConfirmStep::Authorize))
    );
}
