//! Decisions that the provider's word disproves, or proves.

use paymux_core::{Effect, ErrorKind, PaymentStatus};
use paymux_orchestrator::{AttemptState, PaymentRecord, Resolution, ReviewReason};

use super::{
    super::{order, reasons},
    Scene, Waiting, money,
    scenes::{self, DAY, bend, told_and_seen},
};
use crate::simulation::{
    provider::key,
    truth::{Fault, Kind},
};

/// It is refused, and nothing is written.
async fn is_refused(waiting: &Waiting, resolution: Resolution) {
    let before = waiting.scene.now(&waiting.record).await.version;
    let error = waiting.decide(resolution).await.expect_err("the provider disproves it");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::None), "{error}");
    assert_eq!(waiting.scene.now(&waiting.record).await.version, before);
}

/// The end of an open payment is in doubt for longer than a day.
async fn end_in_doubt() -> Waiting {
    let scene = Scene::new(Kind::Page, Kind::Card);
    let record = scene.create(order()).await;
    scene.a.truth().faults.push_back(Fault::LostBefore);
    scene.a.truth().faults.extend([Fault::NotSent; 2]);
    let ended = scene.orchestrator.cancel_payment(&key("end"), &record.id).await;
    assert!(ended.expect("it is in doubt").in_doubt());
    scene.a.truth().down = true;
    scene.later(DAY + 3_600).await;
    scene.a.truth().down = false;
    scene.a.truth().faults.clear();
    let record = scene.now(&record).await;
    assert_eq!(reasons(&record), [ReviewReason::StillInDoubt]);
    Waiting::new(scene, record, "a-obj1")
}

/// It was paid before it could be ended: whoever says that the end was done is wrong, and whoever
/// says that it did nothing is right.
#[tokio::test(start_paused = true)]
async fn an_end_was_not_done_where_the_money_was_taken() {
    let waiting = end_in_doubt().await;
    waiting.scene.a.pay("a-obj1");
    is_refused(&waiting, Resolution::WasDone { attempt: 2 }).await;
    let nothing = Resolution::DidNothing { attempt: 2 };
    let record = waiting.decide(nothing).await.expect("its provider shows it");
    assert_eq!((record.attempts[1].state, reasons(&record)), (AttemptState::NotCharged, vec![]));
    assert!(record.is_paid(), "{record:#?}");
    let kinds = waiting.scene.kinds_told().await;
    assert!(kinds.contains(&"payment.step_not_done".to_owned()), "{kinds:?}");
}

/// And the other way round.
#[tokio::test(start_paused = true)]
async fn an_end_did_not_do_nothing_where_it_is_over() {
    let waiting = end_in_doubt().await;
    bend(&waiting.scene, "a-obj1", |object| object.become_(PaymentStatus::Cancelled));
    is_refused(&waiting, Resolution::DidNothing { attempt: 2 }).await;
    let done = Resolution::WasDone { attempt: 2 };
    let record = waiting.decide(done).await.expect("its provider shows it");
    assert_eq!(record.attempts[1].state, AttemptState::Accepted);
    assert_eq!((record.status, reasons(&record)), (PaymentStatus::Cancelled, vec![]));
}

/// Too little was taken, and a part of it is another payment's: both wait for a person.
async fn short_and_shared() -> Waiting {
    let part = paymux_core::ProviderPartId::new("part").unwrap();
    let scene = Scene::new(Kind::Page, Kind::Card);
    let _first = scene.create(order()).await;
    bend(&scene, "a-obj1", |object| object.part = Some(part.clone()));
    scene.later(100).await;
    let made = scene.orchestrator.create_payment(&key("other"), &order()).await;
    let record = made.expect("a payment");
    bend(&scene, "a-obj2", |object| {
        object.become_(PaymentStatus::Succeeded);
        object.captured = 400;
    });
    told_and_seen(&scene).await;
    bend(&scene, "a-obj2", |object| object.part = Some(part));
    scene.clock.advance(std::time::Duration::from_secs(1));
    told_and_seen(&scene).await;
    let record = scene.now(&record).await;
    let both = [ReviewReason::ShortAmount, ReviewReason::SharedObject];
    assert_eq!(reasons(&record), both, "{record:#?}");
    Waiting { amount: Some(money(400)), ..Waiting::new(scene, record, "a-obj2") }
}

/// The store refuses what was decided, since the answer names what is another payment's: nobody is
/// told that the decision was taken, the history least of all.
#[tokio::test(start_paused = true)]
async fn what_the_store_refused_was_not_decided() {
    let waiting = short_and_shared().await;
    let accept = Resolution::AcceptAmount { attempt: 1, amount: waiting.amount };
    let error = waiting.decide(accept).await.expect_err("it is not written");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::Possible), "{error}");
    let record: PaymentRecord = waiting.scene.now(&waiting.record).await;
    assert_eq!((record.accepted_amount, record.reviews.len()), (None, 2));
    let (decision, said) = waiting.written().await.expect("who wanted it is written");
    assert!(decision.contains("not taken over"), "{decision}");
    assert!(said.is_some());
}

/// A refund that is done, and whose answer speaks of another payment by now.
#[tokio::test(start_paused = true)]
async fn a_refund_of_another_payment_was_not_this_one() {
    let waiting = scenes::refund_of_another(false).await;
    is_refused(&waiting, Resolution::WasDone { attempt: 2 }).await;
    waiting.scene.a.truth().refunds[0].names = "a-obj1".to_owned();
    let record = waiting.decide(Resolution::WasDone { attempt: 2 }).await.expect("it is this one");
    assert_eq!(reasons(&record), []);
}

/// What the answer says is not taken over, and so nothing is known of the amount by it.
#[tokio::test(start_paused = true)]
async fn an_amount_is_not_accepted_by_an_answer_that_does_not_fit() {
    let waiting = scenes::ended(PaymentStatus::Succeeded, 400).await;
    let accept = || Resolution::AcceptAmount { attempt: 1, amount: Some(money(400)) };
    bend(&waiting.scene, "a-obj1", |object| (object.amount, object.captured) = (money(900), 300));
    is_refused(&waiting, accept()).await;
    // Nor by one that says that there was no success.
    bend(&waiting.scene, "a-obj1", |object| {
        (object.amount, object.captured) = (money(1_000), 400);
        object.become_(PaymentStatus::Failed);
    });
    is_refused(&waiting, accept()).await;
    bend(&waiting.scene, "a-obj1", |object| object.become_(PaymentStatus::Succeeded));
    assert!(waiting.decide(accept()).await.expect("so it is").is_paid());
}
