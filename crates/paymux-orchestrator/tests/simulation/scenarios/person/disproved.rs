//! Decisions that the provider's word disproves, or proves.

use paymux_core::{Effect, ErrorKind, PaymentStatus};
use paymux_orchestrator::{AttemptState, Resolution, ReviewReason};

use super::{
    super::{order, reasons},
    Scene, Waiting,
    rows::{DAY, bend},
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
