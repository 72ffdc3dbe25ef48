//! Payments whose provider names the object of another one.

use paymux_core::ProviderPartId;
use paymux_orchestrator::{Resolution, ReviewReason};

use super::{DAY, bend, late, waiting};
use crate::simulation::{
    provider::key,
    scenarios::{Scene, order, person::Waiting},
    truth::Kind,
};

pub(in super::super) async fn shares_a_part(no_more: bool) -> Waiting {
    let scene = Scene::new(Kind::Page, Kind::Card);
    let _first = scene.create(order()).await;
    bend(&scene, "a-obj1", |object| object.part = Some(ProviderPartId::new("part").unwrap()));
    scene.later(100).await;
    let made = scene.orchestrator.create_payment(&key("other"), &order()).await;
    let record = made.expect("a payment");
    bend(&scene, "a-obj2", |object| object.part = Some(ProviderPartId::new("part").unwrap()));
    scene.later(100).await;
    if no_more {
        bend(&scene, "a-obj2", |object| object.part = None);
    }
    waiting(scene, &record, "a-obj2").await
}

/// What was given up names a part that another payment has: a look finds it a day later.
pub(in super::super) async fn left_what_is_shared(no_more: bool) -> Waiting {
    let part = || Some(ProviderPartId::new("part").unwrap());
    let waits = late(true, true).await;
    let nothing = Resolution::Dismiss { attempt: 1, reason: ReviewReason::LateSuccess };
    waits.decide(nothing).await.expect("it went back");
    let Waiting { scene, record, .. } = waits;
    let made = scene.orchestrator.create_payment(&key("other"), &order()).await;
    let object = made.expect("a payment").provider.expect("an account has it").id;
    bend(&scene, object.as_str(), |object| object.part = part());
    scene.later(100).await;
    bend(&scene, "a-obj1", |object| object.part = part());
    scene.later(2 * DAY).await;
    if no_more {
        bend(&scene, "a-obj1", |object| object.part = None);
    }
    waiting(scene, &record, "a-obj1").await
}
