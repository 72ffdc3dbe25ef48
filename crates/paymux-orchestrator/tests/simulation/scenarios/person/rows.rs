//! The rows of the table: payments that wait for a person, each for its reason.

use std::pin::Pin;

use paymux_core::{CaptureMethod, ConfirmStep, PaymentStatus, RefundStatus, Timestamp};
use paymux_orchestrator::{ConfirmBy, NewCapture, NewRefund, PaymentRecord, ReviewReason};

use super::{super::order, Scene, Waiting, money};
use crate::simulation::{
    provider::key,
    truth::{Fault, Kind, Object, Telling},
};

pub(super) const DAY: u64 = 24 * 3600;

mod shared;

pub(super) use shared::left_what_is_shared;
use shared::shares_a_part;

type Set = fn() -> Pin<Box<dyn Future<Output = Waiting>>>;

pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) reason: ReviewReason,
    /// What is possible, and what is so after the provider was asked.
    possible: &'static [&'static str],
    asked: &'static [&'static str],
    set: Set,
}

impl Row {
    pub(super) async fn set(&self) -> Waiting {
        (self.set)().await
    }

    pub(super) fn allows(&self, word: &str) -> bool {
        self.possible.contains(&word) || self.asks(word)
    }

    pub(super) fn asks(&self, word: &str) -> bool {
        self.asked.contains(&word)
    }
}

const fn row(
    name: &'static str,
    reason: ReviewReason,
    possible: &'static [&'static str],
    asked: &'static [&'static str],
    set: Set,
) -> Row {
    Row { name, reason, possible, asked, set }
}

use ReviewReason::{
    Contradiction, EndedWithMoney, LateSuccess, Mismatch, NoEnd, SharedObject, ShortAmount,
    StepRefused, StillInDoubt, UnreportedAmount,
};

pub(super) const ALL: &[Row] = &[
    row(
        "still in doubt: a create, its provider has nothing",
        StillInDoubt,
        &["dismiss", "try again"],
        &["did nothing"],
        || Box::pin(doubted(&[])),
    ),
    row(
        "still in doubt: a create, its provider has it",
        StillInDoubt,
        &["dismiss", "try again"],
        &["it is"],
        || Box::pin(doubted(&[Fault::LostAfter])),
    ),
    row(
        "still in doubt: a create, its provider cannot be asked",
        StillInDoubt,
        &["did nothing", "dismiss", "try again"],
        &[],
        || Box::pin(unasked()),
    ),
    row(
        "still in doubt: a refund",
        StillInDoubt,
        &["dismiss", "try again"],
        &["did nothing", "was done"],
        || Box::pin(refund_in_doubt()),
    ),
    row(
        "mismatch: a create in doubt, with another amount",
        Mismatch,
        &["try again"],
        &["it counts"],
        || Box::pin(created_with_a_fee()),
    ),
    row(
        "mismatch: a create in doubt, about another payment",
        Mismatch,
        &["did nothing", "try again"],
        &["it is", "it counts"],
        || Box::pin(about_another(Kind::Card)),
    ),
    row("mismatch: a step in doubt", Mismatch, &["try again"], &["it counts"], || {
        Box::pin(captured_with_a_fee())
    }),
    row("mismatch: what its account has", Mismatch, &["try again"], &["it counts"], || {
        Box::pin(seen_with_a_fee(false))
    }),
    row(
        "mismatch: what its account has, and it fits again",
        Mismatch,
        &["try again"],
        &["it counts", "dismiss"],
        || Box::pin(seen_with_a_fee(true)),
    ),
    row("contradiction", Contradiction, &["try again"], &["provider is right"], || {
        Box::pin(contradicted(false))
    }),
    row(
        "contradiction, and its provider says the old again",
        Contradiction,
        &["try again"],
        &["provider is right", "dismiss"],
        || Box::pin(contradicted(true)),
    ),
    row(
        "contradiction, and its provider does not know it any more",
        Contradiction,
        &["try again"],
        &["dismiss"],
        || Box::pin(forgotten()),
    ),
    row("contradiction: a refund", Contradiction, &[], &["provider is right"], || {
        Box::pin(refund_turned_round(false))
    }),
    row(
        "contradiction: a refund, and its provider says the old again",
        Contradiction,
        &[],
        &["provider is right", "dismiss"],
        || Box::pin(refund_turned_round(true)),
    ),
    row("late success", LateSuccess, &[], &["it counts", "give back"], || {
        Box::pin(late(false, false))
    }),
    row(
        "late success, and the money went back",
        LateSuccess,
        &[],
        &["it counts", "dismiss"],
        || Box::pin(late(false, true)),
    ),
    row("late success beside one that can take money", LateSuccess, &[], &["give back"], || {
        Box::pin(late(true, false))
    }),
    row(
        "late success beside one that can take money, and the money went back",
        LateSuccess,
        &[],
        &["dismiss"],
        || Box::pin(late(true, true)),
    ),
    row("unreported amount", UnreportedAmount, &["try again"], &["accept amount"], || {
        Box::pin(ended(PaymentStatus::Succeeded, 0))
    }),
    row("short amount", ShortAmount, &["try again"], &["accept amount"], || {
        Box::pin(ended(PaymentStatus::Succeeded, 400))
    }),
    row("ended with money", EndedWithMoney, &["try again"], &["accept amount"], || {
        Box::pin(ended(PaymentStatus::Expired, 400))
    }),
    row(
        "shared object: a create in doubt",
        SharedObject,
        &["did nothing", "try again"],
        &["it is"],
        || Box::pin(about_another(Kind::Page)),
    ),
    row("shared object: what its account has", SharedObject, &["try again"], &[], || {
        Box::pin(shares_a_part(false))
    }),
    row(
        "shared object: what its account has, and it is named no more",
        SharedObject,
        &["try again"],
        &["dismiss"],
        || Box::pin(shares_a_part(true)),
    ),
    row("shared object: what was given up", SharedObject, &["try again"], &[], || {
        Box::pin(left_what_is_shared(false))
    }),
    row(
        "shared object: what was given up, and it is named no more",
        SharedObject,
        &["try again"],
        &["dismiss"],
        || Box::pin(left_what_is_shared(true)),
    ),
    row("no end", NoEnd, &["dismiss", "try again"], &[], || Box::pin(unpaid())),
    row(
        "no end: a refund under way",
        NoEnd,
        &["dismiss", "try again"],
        &["did nothing", "was done"],
        || Box::pin(refund_without_end()),
    ),
    row("step refused", StepRefused, &["dismiss"], &[], || Box::pin(step_refused())),
];

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

async fn waiting(scene: Scene, record: &PaymentRecord, object: &str) -> Waiting {
    let record = scene.now(record).await;
    Waiting::new(scene, record, object)
}

/// A create whose answer was lost, at an account that was away for a day after.
async fn doubted(faults: &[Fault]) -> Waiting {
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
async fn unasked() -> Waiting {
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&[Fault::LostBefore; 2]);
    let record = scene.create(order()).await;
    scene.later(DAY + 3_600).await;
    waiting(scene, &record, "a-obj1").await
}

/// Paid at an account whose refunds have no id and are never sent twice.
async fn paid_by_invoice(scene: &Scene) -> PaymentRecord {
    let record = scene.create(order()).await;
    scene.a.pay("a-obj1");
    scene.later(60).await;
    scene.now(&record).await
}

async fn refund_in_doubt() -> Waiting {
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
async fn about_another(kind: Kind) -> Waiting {
    let scene = Scene::new(kind, Kind::Card);
    let _first = scene.create(order()).await;
    scene.a.truth().faults.push_back(Fault::AboutAnother);
    let made = scene.orchestrator.create_payment(&key("other"), &order()).await;
    let record = made.expect("it is kept, and waits for a person");
    waiting(scene, &record, "a-obj2").await
}

async fn captured_with_a_fee() -> Waiting {
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
async fn forgotten() -> Waiting {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order()).await;
    scene.a.truth().objects.remove("a-obj1");
    let all = (Timestamp::from_seconds(0), Timestamp::from_seconds(4_000_000_000));
    scene.orchestrator.reconcile(all.0, all.1).await.expect("a store that works");
    waiting(scene, &record, "a-obj1").await
}

/// The bank sent a refund back that had been done.
async fn refund_turned_round(no_more: bool) -> Waiting {
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

async fn unpaid() -> Waiting {
    let scene = Scene::new(Kind::Page, Kind::Card);
    let record = scene.create(order()).await;
    for _ in 0..45 {
        scene.later(DAY).await;
    }
    waiting(scene, &record, "a-obj1").await
}

async fn step_refused() -> Waiting {
    let faults = [Fault::Nothing, Fault::Declined];
    let scene = Scene::new(Kind::Hold, Kind::Card).meeting(&faults);
    let record = scene.create(order()).await;
    waiting(scene, &record, "a-obj1").await
}
