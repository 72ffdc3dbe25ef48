//! Payments that are not sent again, since their key stands for something else.

use std::time::Duration;

use paymux_orchestrator::{NewRefund, Orchestrator};

use super::waiting;
use crate::simulation::{
    provider::key,
    scenarios::{Scene, order, person::Waiting},
    truth::{Fault, Kind},
};

/// It was made, and its provider says that its key was used for something else.
pub(in super::super) async fn key_used() -> Waiting {
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&[Fault::LostAfter, Fault::KeyUsed]);
    let record = scene.create(order()).await;
    waiting(scene, &record, "a-obj1").await
}

/// The same of a refund, of which nothing was made.
pub(in super::super) async fn key_of_a_refund_used() -> Waiting {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order()).await;
    scene.a.truth().faults.push_back(Fault::KeyUsed);
    let all = NewRefund::default();
    let made = scene.orchestrator.create_refund(&key("back"), &record.id, all).await;
    made.expect("it is in doubt");
    waiting(scene, &record, "a-obj1").await
}

/// It was made, and somebody gave its account other settings before it was sent again.
pub(in super::super) async fn not_what_was_sent() -> Waiting {
    let lost = [Fault::LostAfter, Fault::LostBefore];
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&lost);
    let record = scene.create(order()).await;
    let other = Orchestrator::builder(scene.written.clone()).clock(scene.clock.clone());
    let other = other.account(scene.a.clone().with_real_money()).build().expect("an account");
    scene.clock.advance(Duration::from_secs(60));
    while !other.step().await.expect("a store that works").is_idle() {}
    waiting(scene, &record, "a-obj1").await
}
