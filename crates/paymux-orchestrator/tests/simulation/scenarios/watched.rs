//! Attempts that were given up, and money that shows late without any webhook.

use paymux_core::{ConfirmStep, PaymentProvider, PaymentStatus};
use paymux_orchestrator::{
    AttemptState, DifferenceKind, Intent, PaymentRecord, Resolution, ReviewReason,
};

use super::{Scene, order, reasons};
use crate::simulation::truth::{Fault, Kind};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// Declined at the first account in a way that leaves it open there, and paid at the second one.
async fn paid_elsewhere() -> (Scene, PaymentRecord) {
    let scene = Scene::new(Kind::Careless, Kind::Card).meeting(&[Fault::Nothing, Fault::Declined]);
    let record = scene.create(order()).await;
    assert_eq!(record.attempts[0].state, AttemptState::Abandoned, "{record:#?}");
    assert!(record.is_paid() && record.account() == Some(scene.b.id()), "{record:#?}");
    (scene, record)
}

/// Somebody has it charged at the first account all the same, and nobody tells us.
fn charge(scene: &Scene) {
    let mut truth = scene.a.truth();
    truth.confirm("a-obj1", ConfirmStep::Commit).expect("it is still open there");
    truth.finish(false);
}

async fn next(scene: &Scene, record: &PaymentRecord) -> String {
    scene.orchestrator.explain(&record.id).await.expect("it is there").next
}

#[tokio::test(start_paused = true)]
async fn money_that_nobody_told_of_is_found_and_goes_to_a_person() {
    let (scene, record) = paid_elsewhere().await;
    charge(&scene);
    scene.later(HOUR - 60).await;
    assert!(scene.now(&record).await.is_paid(), "nobody looked yet");
    scene.later(60).await;
    let seen = scene.now(&record).await;
    assert_eq!(reasons(&seen), [ReviewReason::LateSuccess]);
    assert_eq!((seen.status, seen.is_paid()), (PaymentStatus::Succeeded, false));
    assert_eq!(scene.kinds_told().await.last().map(String::as_str), Some("payment.review"));
    // What a person let pass is not shown again, unless it is told of something new.
    let dismissed = Resolution::Dismiss { attempt: 1, reason: ReviewReason::LateSuccess };
    let resolve = async || {
        let dismissed = dismissed.clone();
        scene.orchestrator.resolve_review(&record.id, dismissed, "me", "given back by hand").await
    };
    assert!(resolve().await.is_err(), "the money is still there");
    let mut object = scene.a.truth().objects["a-obj1"].clone();
    object.refunded = object.captured;
    scene.a.truth().put(object);
    assert!(resolve().await.expect("it waits for that").is_paid());
    for days in [1, 6, 30] {
        scene.later(days * DAY).await;
        assert!(scene.now(&record).await.is_paid(), "after {days} days");
    }
    assert_eq!(next(&scene, &record).await, "nothing: it is settled");
}

#[tokio::test(start_paused = true)]
async fn what_stays_open_is_looked_at_three_times() {
    let (scene, record) = paid_elsewhere().await;
    let lines = async || scene.orchestrator.history(&record.id).await.unwrap().len();
    let before = lines().await;
    for (wait, looks) in [(HOUR - 60, 0), (60, 1), (DAY, 2), (6 * DAY, 3), (30 * DAY, 3)] {
        scene.later(wait).await;
        assert_eq!(lines().await - before, looks, "after {wait} s more");
    }
    assert!(scene.now(&record).await.is_paid());
    assert_eq!(next(&scene, &record).await, "nothing: it is settled");
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_or_is_about_another_is_made_again() {
    for fault in [Fault::NotSent, Fault::AboutAnother] {
        let (scene, record) = paid_elsewhere().await;
        charge(&scene);
        if fault == Fault::AboutAnother {
            let Intent::Create(other) = &record.attempts[0].intent else { panic!("a create") };
            let mut other = other.clone();
            other.reference = paymux_core::Reference::new("another-1").unwrap();
            scene.a.truth().create(&other, record.created_at);
        }
        scene.a.truth().faults.push_back(fault);
        scene.later(HOUR).await;
        assert!(scene.now(&record).await.is_paid(), "{fault:?}");
        scene.later(HOUR).await;
        assert_eq!(reasons(&scene.now(&record).await), [ReviewReason::LateSuccess], "{fault:?}");
    }
}

/// A person said that it did nothing; it had done something all the same.
#[tokio::test(start_paused = true)]
async fn what_is_said_not_to_exist_is_looked_for_by_our_reference() {
    let scene = Scene::new(Kind::Invoice, Kind::Card).meeting(&[Fault::LostBefore; 3]);
    let record = scene.create(order()).await;
    assert!(record.in_doubt());
    scene.later(DAY + HOUR).await;
    let nothing = Resolution::DidNothing { attempt: 1 };
    let record = scene.orchestrator.resolve_review(&record.id, nothing, "me", "they said so").await;
    let record = record.expect("it is in doubt");
    assert_eq!(record.attempts[0].state, AttemptState::NotCharged, "{record:#?}");
    // After a day nobody waits for it any more: no other account is asked.
    assert_eq!((record.status, record.account()), (PaymentStatus::Failed, None));
    assert!(scene.b.truth().objects.is_empty());
    scene.a.truth().faults.clear();
    let Intent::Create(create) = &record.attempts[0].intent else { panic!("a create") };
    scene.a.truth().create(create, record.created_at);
    scene.a.pay("a-obj1");
    // A look by reference does not see it the first time.
    scene.later(DAY).await;
    scene.later(7 * DAY).await;
    let record = scene.now(&record).await;
    assert_eq!(reasons(&record), [ReviewReason::LateSuccess]);
    let object = record.attempts[0].object.as_ref().map(paymux_core::ProviderPaymentId::as_str);
    assert_eq!(object, Some("a-obj1"), "webhooks about it are known for ours from now on");
}

/// The watch is over; whoever compares the books looks all the same.
#[tokio::test(start_paused = true)]
async fn comparing_the_books_finds_what_was_given_up() {
    let (scene, record) = paid_elsewhere().await;
    for days in [1, 1, 6, 30] {
        scene.later(days * DAY).await;
    }
    let compare = async || {
        let from = record.created_at.before(std::time::Duration::from_secs(1));
        scene.orchestrator.reconcile(from, from.after(std::time::Duration::from_secs(60))).await
    };
    let lines = async || scene.orchestrator.history(&record.id).await.unwrap().len();
    let before = lines().await;
    assert_eq!(compare().await.expect("a store that works").differences, []);
    // One that could not be asked does not have the watch begin again.
    scene.a.truth().down = true;
    let found = compare().await.expect("a store that works").differences;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(next(&scene, &record).await, "nothing: it is settled");
    scene.a.truth().down = false;
    assert_eq!(lines().await, before, "nothing is new");
    charge(&scene);
    for _ in 0..2 {
        let found = compare().await.expect("a store that works").differences;
        let [difference] = &found[..] else { panic!("one difference, not {found:?}") };
        assert_eq!(difference.kind, DifferenceKind::TheirsOnly);
        assert_eq!(
            (&difference.account, &difference.payment),
            (scene.a.id(), &Some(record.id.clone()))
        );
        assert_eq!(reasons(&scene.now(&record).await), [ReviewReason::LateSuccess]);
        assert_eq!(lines().await, before + 1, "what was seen is written down once");
    }
}
