//! What was right when it began, and is not any more when it ends.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use paymux_core::{Clock, ConfirmStep, ManualClock, NextAction, PaymentProvider, PaymentStatus};
use paymux_orchestrator::{
    AttemptState, ConfirmBy, PaymentRecord, ReviewReason,
    store::{PaymentQuery, Store},
};

use super::{Scene, order, reasons, start};
use crate::simulation::{
    gate::Gate,
    provider::key,
    truth::{Fault, Kind},
};

/// Does something in a task of its own, until it waits at the gate.
async fn begin<T: Send + 'static>(
    gate: &Gate,
    work: impl Future<Output = T> + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    let task = tokio::spawn(work);
    gate.reached().await;
    task
}

/// Two steps are taken while the answer to a look is under way, and the second one is in doubt: by
/// that answer the first step is still to be taken, and so the second would seem to be done.
#[tokio::test(start_paused = true)]
async fn a_look_that_began_before_a_step_settles_nothing_of_it() {
    for is_told in [false, true] {
        let scene = Scene::new(Kind::Steps, Kind::Page);
        let record = scene.create(order().confirm(ConfirmBy::Merchant)).await;
        scene.clock.advance(Duration::from_secs(40));
        let gate = scene.a.after_looking.shut();
        let (orchestrator, id) = (scene.orchestrator.clone(), record.id.clone());
        let look = if is_told {
            scene.tell(&scene.a, 0).await.expect("it is kept");
            begin(&gate, async move { orchestrator.step().await.map(drop) }).await
        } else {
            begin(&gate, async move { orchestrator.fetch_payment(&id).await.map(drop) }).await
        };
        let confirm = |name: &'static str, step| {
            let (orchestrator, id) = (scene.orchestrator.clone(), record.id.clone());
            async move { orchestrator.confirm_payment(&key(name), &id, step).await }
        };
        confirm("first", ConfirmStep::Authorize).await.expect("it is taken");
        scene.a.truth().faults.push_back(Fault::LostBefore);
        let doubted = confirm("second", ConfirmStep::Commit).await.expect("it is in doubt");
        assert!(doubted.in_doubt());
        gate.open();
        look.await.unwrap().expect("a store that works");
        let record = scene.now(&record).await;
        assert_eq!(record.attempts[2].state, AttemptState::Unknown, "told: {is_told}");
        let is_next =
            matches!(record.next_action(), Some(NextAction::Confirm { step: ConfirmStep::Commit }));
        assert!(is_next, "told: {is_told}");
        scene.later(100).await;
        scene.later(100).await;
        assert!(scene.now(&record).await.is_paid(), "told: {is_told}");
        assert_eq!(scene.a.truth().objects["a-obj1"].charges, 1, "told: {is_told}");
    }
}

/// In doubt, with a key that is good for a second send, and about to be sent again.
async fn about_to_be_sent_again(scene: &Scene) -> PaymentRecord {
    let record = scene.create(order()).await;
    assert!(record.in_doubt(), "{record:#?}");
    scene.clock.advance(Duration::from_secs(10));
    record
}

const LOST: [Fault; 2] = [Fault::LostAfter, Fault::LostBefore];

/// Somebody else was faster, and by then the key was too old to rely on.
#[tokio::test(start_paused = true)]
async fn what_is_sent_is_planned_anew_when_others_were_faster() {
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&LOST);
    let record = about_to_be_sent_again(&scene).await;
    let gate = scene.weather.before_writing.shut();
    let orchestrator = scene.orchestrator.clone();
    let step = begin(&gate, async move { orchestrator.step().await }).await;
    scene.clock.advance(Duration::from_secs(25 * 3_600));
    let other = start(&scene.written, &scene.weather, &scene.clock, [&scene.a, &scene.b]);
    other.cancel_payment(&key("end"), &record.id).await.expect("it is a wish");
    gate.open();
    step.await.unwrap().expect("a store that works");
    let record = scene.now(&record).await;
    assert_eq!((record.attempts[0].sends, record.in_doubt()), (2, true), "{record:#?}");
    assert_eq!(scene.a.truth().objects.len(), 1, "a key that was forgotten charges again");
}

/// By a clock that is half a minute ahead a call is long over; by its own it has just ended, and
/// its answer may not be written down yet.
#[tokio::test(start_paused = true)]
async fn clocks_may_be_half_a_minute_apart() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let gate = scene.weather.after_writing.shut();
    let orchestrator = scene.orchestrator.clone();
    let work = async move { orchestrator.create_payment(&key("order"), &order()).await };
    let call = begin(&gate, work).await;
    let ahead = Arc::new(ManualClock::new(scene.clock.now().after(Duration::from_secs(30))));
    let other = start(&scene.written, &scene.weather, &ahead, [&scene.a, &scene.b]);
    let all = PaymentQuery { limit: 9, ..PaymentQuery::default() };
    // The longest call, and the time in which its answer is written again.
    for (seconds, expected) in [(72, AttemptState::Sending), (20, AttemptState::Accepted)] {
        ahead.advance(Duration::from_secs(seconds));
        while !other.step().await.expect("a store that works").is_idle() {}
        let record = other.list_payments(&all).await.expect("a store that works").remove(0);
        assert_eq!(record.attempts[0].state, expected, "{record:#?}");
    }
    gate.open();
    call.await.unwrap().expect("it is known how it ended");
    assert_eq!(scene.a.truth().objects.len(), 1);
}

/// What was written down as sent, and slept: somebody else may have taken over by now.
#[tokio::test(start_paused = true)]
async fn a_process_that_slept_sends_nothing() {
    // The first send, together with the payment.
    let scene = Scene::new(Kind::Card, Kind::Card);
    let gate = scene.weather.after_writing.shut();
    let orchestrator = scene.orchestrator.clone();
    let work = async move { orchestrator.create_payment(&key("order"), &order()).await };
    let call = begin(&gate, work).await;
    scene.clock.advance(Duration::from_secs(61));
    gate.open();
    let record = call.await.unwrap().expect("a payment");
    assert_eq!(record.attempts[0].state, AttemptState::NotSent);
    assert!(scene.a.truth().objects.is_empty(), "nothing was sent");
    assert!(record.is_paid() && record.account() == Some(scene.b.id()), "{record:#?}");

    // A repetition, with a key that is forgotten before it would leave.
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&LOST);
    let record = about_to_be_sent_again(&scene).await;
    let gate = scene.weather.after_writing.shut();
    let orchestrator = scene.orchestrator.clone();
    let step = begin(&gate, async move { orchestrator.step().await }).await;
    scene.clock.advance(Duration::from_secs(25 * 3_600));
    gate.open();
    step.await.unwrap().expect("a store that works");
    assert!(scene.now(&record).await.in_doubt());
    assert_eq!(scene.a.truth().objects.len(), 1, "a key that was forgotten charges again");
}

/// The connection was lost while the payment was being written down, and the change arrived when it
/// was written again: the key that is taken then is our own.
#[tokio::test(start_paused = true)]
async fn a_change_that_arrives_late_is_not_taken_for_anothers() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    scene.weather.loses_next.store(true, Ordering::SeqCst);
    let gate = scene.weather.before_writing.shut();
    let orchestrator = scene.orchestrator.clone();
    let work = async move { orchestrator.create_payment(&key("order"), &order()).await };
    let call = begin(&gate, work).await;
    let change = scene.weather.adrift.lock().unwrap().remove(0);
    scene.written.commit(change).await.expect("memory");
    gate.open();
    let record = call.await.unwrap().expect("a payment");
    assert!(record.is_paid(), "{record:#?}");
}

/// A person was asked meanwhile; that it never left answers for all.
#[tokio::test(start_paused = true)]
async fn what_never_left_is_settled_however_late_that_is_known() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let gate = scene.weather.after_writing.shut();
    let orchestrator = scene.orchestrator.clone();
    let work = async move { orchestrator.create_payment(&key("order"), &order()).await };
    let call = begin(&gate, work).await;
    scene.clock.advance(Duration::from_secs(25 * 3_600));
    let other = start(&scene.written, &scene.weather, &scene.clock, [&scene.a, &scene.b]);
    while !other.step().await.expect("a store that works").is_idle() {}
    let all = PaymentQuery { limit: 9, ..PaymentQuery::default() };
    let asked = other.list_payments(&all).await.expect("a store that works").remove(0);
    assert_eq!(reasons(&asked), [ReviewReason::StillInDoubt]);
    gate.open();
    let record = call.await.unwrap().expect("a payment");
    assert_eq!((record.status, reasons(&record)), (PaymentStatus::Failed, vec![]));
    assert_eq!(record.next_look_at, None, "there is nothing to look at");
    assert!(scene.a.truth().objects.is_empty() && scene.b.truth().objects.is_empty());
}

/// What an event led to is written, and so is that it was applied. That what follows cannot be done
/// at once is nothing that the event waits for.
#[tokio::test(start_paused = true)]
async fn an_event_is_applied_though_what_follows_has_to_wait() {
    let scene = Scene::new(Kind::Hold, Kind::Card).meeting(&LOST);
    let record = scene.create(order()).await;
    assert!(record.in_doubt(), "{record:#?}");
    scene.tell(&scene.a, 0).await.expect("it is kept");
    let gate = scene.weather.after_writing.shut();
    let orchestrator = scene.orchestrator.clone();
    let step = begin(&gate, async move { orchestrator.step().await }).await;
    scene.weather.is_down.store(true, Ordering::SeqCst);
    gate.open();
    let stepped = step.await.unwrap().expect("what was due was claimed before");
    assert_eq!((stepped.events, stepped.failed), (1, 0), "{stepped:?}");
    scene.weather.is_down.store(false, Ordering::SeqCst);
    assert_eq!(scene.orchestrator.backlog().await.unwrap().inbox, 0);
    assert_eq!(scene.now(&record).await.status, PaymentStatus::Authorized);
    scene.later(200).await;
    assert!(scene.now(&record).await.is_paid());
}
