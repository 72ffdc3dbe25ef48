//! How payments come to wait for a person.

use paymux_core::{CaptureMethod, ConfirmStep, PaymentStatus, RefundStatus, Timestamp};
use paymux_orchestrator::{ConfirmBy, NewCapture, NewRefund, PaymentRecord, ReviewReason};

use super::{
    super::{order, reasons},
    Scene, Waiting, money,
};
use crate::simulation::{
    provider::key,
    truth::{Fault, Kind, Object, Telling},
};

mod sent;
mod shared;

pub(super) use sent::{key_of_a_refund_used, key_used, not_what_was_sent};
pub(super) use shared::{left_what_is_shared, shares_a_part};

pub(super) const DAY: u64 = 24 * 3600;

/// The object as it is at the provider from now on; its webhooks tell of it.
pub(super) fn bend(scene: &Scene, id: &str, work: impl FnOnce(&mut Object)) {
    let mut truth = scene.a.truth();
    let mut object = truth.objects[id].clone();
    work(&mut object);
    truth.put(object);
}

pub(super) async fn told_and_seen(scene: &Scene) {
    let last = scene.a.truth().tellings.len() - 1;
    scene.tell(&scene.a, last).await.expect("it is kept");
    scene.later(1).await;
}

pub(super) async fn waiting(scene: Scene, record: &PaymentRecord, object: &str) -> Waiting {
    let record = scene.now(record).await;
    Waiting::new(scene, record, object)
}

/// A create whose answer was lost, at an account that was away for a day after.
pub(super) async fn doubted(faults: &[Fault]) -> Waiting {
    let lost = if faults.is_empty() { &[Fault::LostBefore] } else { faults };
    let scene = Scene::new(Kind::Invoice, Kind::Card).meeting(lost);
    scene.a.truth().faults.extend([Fault::NotSent; 2]);
    let record = scene.create(order()).await;
    scene.a.truth().down = true;
    scene.later(DAY + 3_600).await;
    scene.a.truth().down = false;
    scene.a.truth().unseen.clear();
    scene.a.truth().faults.clear();
    waiting(scene, &record, "a-obj1").await
}

/// The same at an account that cannot be asked by our reference, which has nothing.
pub(super) async fn unasked() -> Waiting {
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&[Fault::LostBefore; 2]);
    let record = scene.create(order()).await;
    scene.later(DAY + 3_600).await;
    waiting(scene, &record, "a-obj1").await
}

/// Paid at an account whose refunds have no id and are never sent twice.
pub(super) async fn paid_by_invoice(scene: &Scene) -> PaymentRecord {
    let record = scene.create(order()).await;
    scene.a.pay("a-obj1");
    scene.later(60).await;
    scene.now(&record).await
}

pub(super) async fn refund_in_doubt() -> Waiting {
    let scene = Scene::new(Kind::Invoice, Kind::Card);
    let record = paid_by_invoice(&scene).await;
    scene.a.truth().faults.push_back(Fault::LostBefore);
    let refund = NewRefund { amount: Some(money(400)), ..NewRefund::default() };
    let made = scene.orchestrator.create_refund(&key("back"), &record.id, refund).await;
    made.expect("it is in doubt");
    scene.later(DAY + 3_600).await;
    waiting(scene, &record, "a-obj1").await
}

pub(super) async fn refund_without_end() -> Waiting {
    let scene = Scene::new(Kind::Invoice, Kind::Card);
    let record = paid_by_invoice(&scene).await;
    let refund = NewRefund { amount: Some(money(400)), ..NewRefund::default() };
    let made = scene.orchestrator.create_refund(&key("back"), &record.id, refund).await;
    made.expect("it is under way");
    for _ in 0..45 {
        scene.later(DAY).await;
    }
    waiting(scene, &record, "a-obj1").await
}

/// Paid by its page, and all of it is to be given back.
pub(super) async fn given_back(scene: &Scene) -> PaymentRecord {
    let record = paid_by_invoice(scene).await;
    let all = NewRefund::default();
    let made = scene.orchestrator.create_refund(&key("back"), &record.id, all).await;
    made.expect("it is asked for");
    record
}

/// The answer names another payment.
pub(super) async fn refund_in_doubt_of_another() -> Waiting {
    let scene = Scene::new(Kind::Page, Kind::Card);
    scene.a.truth().refunds_name = Some("a-obj2".to_owned());
    let record = given_back(&scene).await;
    waiting(scene, &record, "a-obj1").await
}

/// The same, when it is looked at once more.
pub(super) async fn refund_of_another(fits_again: bool) -> Waiting {
    let scene = Scene::new(Kind::Page, Kind::Card);
    let record = given_back(&scene).await;
    {
        let mut truth = scene.a.truth();
        truth.refunds[0].status = RefundStatus::Succeeded;
        truth.refunds[0].names = "a-obj2".to_owned();
    }
    scene.later(DAY).await;
    assert_eq!(reasons(&scene.now(&record).await), [ReviewReason::Mismatch]);
    if fits_again {
        scene.a.truth().refunds[0].names = "a-obj1".to_owned();
    }
    waiting(scene, &record, "a-obj1").await
}

/// The answer was lost; when it is found, it says more than was asked for.
pub(super) async fn created_with_a_fee() -> Waiting {
    let faults = [Fault::LostAfter, Fault::NotSent, Fault::NotSent];
    let scene = Scene::new(Kind::Invoice, Kind::Card).meeting(&faults);
    let record = scene.create(order()).await;
    bend(&scene, "a-obj1", |object| object.amount = money(1_010));
    scene.a.truth().unseen.clear();
    scene.later(10).await;
    scene.later(60).await;
    waiting(scene, &record, "a-obj1").await
}

/// Two orders, and the answer to the second one is about the first.
pub(super) async fn about_another(kind: Kind) -> Waiting {
    let scene = Scene::new(kind, Kind::Card);
    let _first = scene.create(order()).await;
    scene.a.truth().faults.push_back(Fault::AboutAnother);
    let made = scene.orchestrator.create_payment(&key("other"), &order()).await;
    let record = made.expect("it is kept, and waits for a person");
    waiting(scene, &record, "a-obj2").await
}

pub(super) async fn captured_with_a_fee() -> Waiting {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order().capture(CaptureMethod::Manual)).await;
    scene.a.truth().objects.get_mut("a-obj1").expect("it is held").amount = money(1_010);
    let all = NewCapture::default();
    let made = scene.orchestrator.capture_payment(&key("take"), &record.id, all).await;
    waiting(scene, &made.expect("it is frozen"), "a-obj1").await
}

pub(super) async fn seen_with_a_fee(fits_again: bool) -> Waiting {
    let scene = Scene::new(Kind::Page, Kind::Card);
    let record = scene.create(order()).await;
    bend(&scene, "a-obj1", |object| object.amount = money(1_010));
    scene.later(100).await;
    if fits_again {
        bend(&scene, "a-obj1", |object| object.amount = money(1_000));
    }
    waiting(scene, &record, "a-obj1").await
}

pub(super) async fn contradicted(no_more: bool) -> Waiting {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order()).await;
    bend(&scene, "a-obj1", |object| object.become_(PaymentStatus::Failed));
    told_and_seen(&scene).await;
    if no_more {
        bend(&scene, "a-obj1", |object| object.become_(PaymentStatus::Succeeded));
    }
    waiting(scene, &record, "a-obj1").await
}

/// A comparison of the books finds that the provider has nothing of what was paid.
pub(super) async fn forgotten() -> Waiting {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order()).await;
    scene.a.truth().objects.remove("a-obj1");
    let all = (Timestamp::from_seconds(0), Timestamp::from_seconds(4_000_000_000));
    scene.orchestrator.reconcile(all.0, all.1).await.expect("a store that works");
    waiting(scene, &record, "a-obj1").await
}

/// The bank sent a refund back that had been done.
pub(super) async fn refund_turned_round(no_more: bool) -> Waiting {
    let scene = Scene::new(Kind::Card, Kind::Page);
    let record = scene.create(order()).await;
    let all = NewRefund::default();
    let made = scene.orchestrator.create_refund(&key("back"), &record.id, all).await;
    made.expect("a refund");
    scene.a.truth().refunds[0].status = RefundStatus::Failed;
    scene.a.truth().tellings.push(Telling::Refund("a-ref1".to_owned()));
    told_and_seen(&scene).await;
    if no_more {
        scene.a.truth().refunds[0].status = RefundStatus::Succeeded;
    }
    waiting(scene, &record, "a-obj1").await
}

/// Given up at the first account, where it is charged all the same. The second one waits for a
/// consent, or refused.
pub(super) async fn late(beside_another: bool, went_back: bool) -> Waiting {
    let lost = [Fault::LostAfter, Fault::LostBefore, Fault::LostBefore, Fault::LostBefore];
    let scene = Scene::new(Kind::Careless, Kind::Steps).meeting(&lost);
    if !beside_another {
        scene.b.truth().faults.push_back(Fault::DeclinedHard);
    }
    let record = scene.create(order().confirm(ConfirmBy::Merchant)).await;
    scene.later(10).await;
    scene.a.truth().confirm("a-obj1", ConfirmStep::Commit).expect("somebody has it charged");
    scene.a.truth().faults.clear();
    told_and_seen(&scene).await;
    if went_back {
        bend(&scene, "a-obj1", |object| {
            object.become_(PaymentStatus::Succeeded);
            object.refunded = object.captured;
        });
    }
    waiting(scene, &record, "a-obj1").await
}

/// It ended by the payer's page, with so much.
pub(super) async fn ended(status: PaymentStatus, minor: i128) -> Waiting {
    let scene = Scene::new(Kind::Page, Kind::Card);
    let record = scene.create(order()).await;
    bend(&scene, "a-obj1", |object| {
        object.become_(status);
        object.captured = minor;
    });
    told_and_seen(&scene).await;
    scene.later(1).await;
    let amount = (minor > 0).then(|| money(minor));
    Waiting { amount, ..waiting(scene, &record, "a-obj1").await }
}

pub(super) async fn unpaid() -> Waiting {
    let scene = Scene::new(Kind::Page, Kind::Card);
    let record = scene.create(order()).await;
    for _ in 0..45 {
        scene.later(DAY).await;
    }
    waiting(scene, &record, "a-obj1").await
}

pub(super) async fn step_refused() -> Waiting {
    let faults = [Fault::Nothing, Fault::Declined];
    let scene = Scene::new(Kind::Hold, Kind::Card).meeting(&faults);
    let record = scene.create(order()).await;
    waiting(scene, &record, "a-obj1").await
}
