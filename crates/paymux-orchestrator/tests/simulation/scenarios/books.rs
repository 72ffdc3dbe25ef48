//! Our books beside the providers': what a comparison finds, and what comes of it.

use std::{sync::atomic::Ordering, time::Duration};

use paymux_core::{
    Clock, ConfirmStep, Effect, Error, ErrorKind, PaymentStatus, Reference, Timestamp,
};
use paymux_orchestrator::{
    AttemptState, ConfirmBy, Difference, DifferenceKind, PaymentRecord, Reconciliation, Resolution,
    ReviewReason,
};

use super::{Scene, given_back, order, reasons};
use crate::simulation::truth::{Fault, Kind};

impl Scene {
    async fn compare(&self) -> Reconciliation {
        let (from, to) = (Timestamp::from_seconds(0), self.clock.now().after(FAR));
        self.orchestrator.reconcile(from, to).await.expect("a store that works")
    }
}

const FAR: Duration = Duration::from_secs(1_000_000);

fn kinds(found: &Reconciliation) -> Vec<DifferenceKind> {
    found.differences.iter().map(|difference| difference.kind).collect()
}

fn only(found: Reconciliation) -> Difference {
    let [difference] = <[Difference; 1]>::try_from(found.differences).expect("one difference");
    difference
}

/// Given up at the first account, which has it charged all the same, and tells nobody.
async fn charged_after_all(scene: &Scene, object: &str) -> PaymentRecord {
    let record = scene.create(order().confirm(ConfirmBy::Merchant)).await;
    scene.later(10).await;
    let record = scene.now(&record).await;
    assert_eq!(record.attempts[0].state, AttemptState::Abandoned, "{record:#?}");
    scene.a.truth().faults.clear();
    for step in [ConfirmStep::Authorize, ConfirmStep::Commit] {
        assert!(scene.a.truth().confirm(object, step).is_some());
    }
    record
}

#[tokio::test(start_paused = true)]
async fn books_that_agree_show_no_difference() {
    let scene = Scene::new(Kind::Steps, Kind::Card);
    assert!(scene.create(order()).await.is_paid());
    let found = scene.compare().await;
    assert_eq!((found.compared, found.listed, kinds(&found)), (1, 1, vec![]));
    assert_eq!(found.not_listed.len(), 1, "the other one has no list");
}

#[tokio::test(start_paused = true)]
async fn what_is_listed_and_none_of_ours_is_found() {
    let scene = Scene::new(Kind::Steps, Kind::Card);
    scene.create(order()).await;
    {
        let mut truth = scene.a.truth();
        let mut stranger = truth.objects["a-obj1"].clone();
        stranger.id = paymux_core::ProviderPaymentId::new("a-obj9").unwrap();
        stranger.reference = Reference::new("somebody-else").unwrap();
        truth.put(stranger);
    }
    let found = only(scene.compare().await);
    assert_eq!((found.kind, found.payment), (DifferenceKind::TheirsOnly, None));
    assert!(found.theirs.contains("a-obj9 is succeeded"), "{}", found.theirs);
}

/// Nobody wrote the object down, since its answer was lost: our reference tells whose it is.
#[tokio::test(start_paused = true)]
async fn listed_money_on_what_was_given_up_goes_to_a_person() {
    let lost = [Fault::LostAfter, Fault::LostBefore, Fault::LostBefore, Fault::LostBefore];
    let scene = Scene::new(Kind::Steps, Kind::Careless).meeting(&lost);
    let record = charged_after_all(&scene, "a-obj1").await;
    let found = scene.compare().await;
    let late = found.differences.iter().find(|one| one.kind == DifferenceKind::TheirsOnly);
    assert_eq!(late.and_then(|late| late.payment.as_ref()), Some(&record.id), "{found:#?}");
    let record = scene.now(&record).await;
    assert_eq!(reasons(&record), [ReviewReason::LateSuccess]);
    assert_eq!(record.account(), Some(paymux_core::PaymentProvider::id(&scene.b)));
}

#[tokio::test(start_paused = true)]
async fn what_is_listed_by_our_reference_ends_a_doubt() {
    let lost = [Fault::LostAfter, Fault::LostBefore];
    let scene = Scene::new(Kind::Steps, Kind::Card).meeting(&lost).of_one_account();
    let record = scene.create(order().confirm(ConfirmBy::Merchant)).await;
    assert!(record.in_doubt(), "{record:#?}");
    let found = scene.compare().await;
    assert_eq!(kinds(&found), [DifferenceKind::NotCompared], "it was in doubt");
    let record = scene.now(&record).await;
    assert_eq!(record.attempts[0].state, AttemptState::Accepted, "{record:#?}");
    assert_eq!(record.status, PaymentStatus::RequiresConfirmation, "nothing was confirmed");
    assert_eq!(record.attempts[0].object.as_ref().map(ToString::to_string).unwrap(), "a-obj1");
    assert_eq!(scene.a.truth().objects.len(), 1, "nothing was sent");
    assert_eq!(kinds(&scene.compare().await), []);
}

#[tokio::test(start_paused = true)]
async fn what_the_provider_says_otherwise_is_taken_in_with_all_figures_shown() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order()).await;
    assert!(record.is_paid());
    // Given back at the provider's own page.
    scene.a.truth().objects.get_mut("a-obj1").unwrap().refunded = 400;
    let found = only(scene.compare().await);
    assert_eq!(found.kind, DifferenceKind::Differs);
    assert_eq!(found.ours, "succeeded, 10.00 EUR taken");
    assert_eq!(found.theirs, "succeeded (\"succeeded\"), 10.00 EUR taken, 4.00 EUR given back");
    assert!(!scene.now(&record).await.is_paid());
    assert_eq!(kinds(&scene.compare().await), [], "it was taken in");
}

#[tokio::test(start_paused = true)]
async fn money_that_the_provider_does_not_know_goes_to_a_person_once() {
    let scene = Scene::new(Kind::Card, Kind::Page);
    let record = scene.create(order()).await;
    let object = scene.a.truth().objects.remove("a-obj1");
    assert!(object.is_some());
    for _ in 0..2 {
        assert_eq!(kinds(&scene.compare().await), [DifferenceKind::OursOnly]);
        let now = scene.now(&record).await;
        assert_eq!(reasons(&now), [ReviewReason::Contradiction]);
        assert!(!now.is_paid());
    }
    let reason = ReviewReason::Contradiction;
    let pass = Resolution::Dismiss { attempt: 1, reason };
    let passed = scene.orchestrator.resolve_review(&record.id, pass, "ann", "archived there").await;
    assert!(passed.expect("it is dismissed").is_paid());
    assert_eq!(kinds(&scene.compare().await), [DifferenceKind::OursOnly]);
    assert_eq!(reasons(&scene.now(&record).await), [], "a person has let it pass");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_has_paid_is_no_reason_to_ask_a_person() {
    let scene = Scene::new(Kind::Page, Kind::Page);
    let record = scene.create(order()).await;
    scene.a.truth().objects.clear();
    assert_eq!(kinds(&scene.compare().await), [DifferenceKind::OursOnly]);
    assert_eq!(reasons(&scene.now(&record).await), []);
}

#[tokio::test(start_paused = true)]
async fn money_that_the_provider_shows_no_more_goes_to_a_person() {
    let scene = Scene::new(Kind::Card, Kind::Page);
    let record = scene.create(order()).await;
    {
        let mut truth = scene.a.truth();
        let object = truth.objects.get_mut("a-obj1").unwrap();
        (object.status, object.captured) = (PaymentStatus::RequiresAction, 0);
    }
    let found = only(scene.compare().await);
    assert_eq!(found.kind, DifferenceKind::Differs);
    let record = scene.now(&record).await;
    assert_eq!(record.status, PaymentStatus::Succeeded, "what is final stays so");
    assert_eq!(reasons(&record), [ReviewReason::Contradiction]);
}

#[tokio::test(start_paused = true)]
async fn what_is_in_doubt_is_named_as_not_compared() {
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&[Fault::LostAfter, Fault::LostBefore]);
    let record = scene.create(order()).await;
    assert!(record.in_doubt() && record.account().is_none());
    let found = only(scene.compare().await);
    assert_eq!((found.kind, &found.payment), (DifferenceKind::NotCompared, &Some(record.id)));
    assert_eq!(found.account.as_str(), "a");
}

/// One payment that others change all the time does not end the comparison of the rest.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_taken_in_is_named_as_not_compared() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    scene.create(order()).await;
    scene.a.truth().objects.get_mut("a-obj1").unwrap().refunded = 400;
    scene.weather.is_overtaken.store(true, Ordering::SeqCst);
    let found = scene.compare().await;
    let expected = [DifferenceKind::Differs, DifferenceKind::NotCompared];
    assert_eq!(kinds(&found), expected, "{found:#?}");
    scene.weather.is_down.store(true, Ordering::SeqCst);
    let (from, to) = (Timestamp::from_seconds(0), scene.clock.now().after(FAR));
    let error: Error = scene.orchestrator.reconcile(from, to).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::None));
}

/// A look that came later knows better than what the comparison heard.
#[tokio::test(start_paused = true)]
async fn what_a_comparison_heard_before_a_newer_look_asks_nobody() {
    for newer in [false, true] {
        let scene = Scene::new(Kind::Card, Kind::Page);
        let record = scene.create(order()).await;
        let shows = |status, captured| {
            let mut truth = scene.a.truth();
            let mut object = truth.objects["a-obj1"].clone();
            (object.status, object.captured) = (status, captured);
            truth.put(object);
        };
        shows(PaymentStatus::RequiresAction, 0);
        scene.a.truth().faults.push_back(Fault::Slow);
        let looks = scene.a.truth().looks;
        let orchestrator = scene.orchestrator.clone();
        let (from, to) = (Timestamp::from_seconds(0), scene.clock.now().after(FAR));
        let compared = tokio::spawn(async move { orchestrator.reconcile(from, to).await });
        while scene.a.truth().looks == looks || !scene.a.truth().faults.is_empty() {
            tokio::task::yield_now().await;
        }
        shows(PaymentStatus::Succeeded, 1_000);
        scene.clock.advance(Duration::from_secs(1));
        if newer {
            let last = scene.a.truth().tellings.len() - 1;
            scene.tell(&scene.a, last).await.expect("it is kept");
            scene.orchestrator.step().await.expect("a store that works");
            assert!(!compared.is_finished(), "the newer look was first");
        }
        let found = compared.await.unwrap().expect("a store that works");
        assert_eq!(kinds(&found), [DifferenceKind::Differs]);
        assert_eq!(scene.now(&record).await.is_paid(), newer);
    }
}

/// Where an account can list, and where it cannot.
#[tokio::test(start_paused = true)]
async fn late_money_that_is_gone_is_no_difference_any_more() {
    for kind in [Kind::Careless, Kind::Steps] {
        let (scene, record) = given_back::charged_twice(kind).await;
        assert_eq!(kinds(&scene.compare().await), [DifferenceKind::TheirsOnly], "{kind:?}");
        given_back::give_back(&scene.orchestrator, &record, "a-obj1").await.expect("it waits");
        scene.later(60).await;
        assert_eq!(kinds(&scene.compare().await), [], "{kind:?}: it was given back");

        let (scene, record) = given_back::charged_twice(kind).await;
        scene.a.truth().objects.get_mut("a-obj1").expect("it is there").charged_back = 1_000;
        assert_eq!(kinds(&scene.compare().await), [], "{kind:?}: it was charged back");
        let reason = ReviewReason::LateSuccess;
        let gone = Resolution::Dismiss { attempt: 1, reason };
        let gone = scene.orchestrator.resolve_review(&record.id, gone, "ann", "charged back").await;
        assert!(gone.expect("it is gone").is_paid(), "{kind:?}");
    }
}

/// The payment goes on while money goes back elsewhere, and so does its comparison.
#[tokio::test(start_paused = true)]
async fn a_payment_is_compared_while_money_goes_back_elsewhere() {
    let (scene, record) = given_back::charged_twice(Kind::Careless).await;
    scene.a.truth().faults.extend([Fault::Nothing, Fault::LostBefore]);
    let waits = given_back::give_back(&scene.orchestrator, &record, "a-obj1").await;
    assert!(waits.expect("it waits").in_doubt());
    {
        let mut truth = scene.b.truth();
        let object = truth.objects.get_mut("b-obj1").unwrap();
        (object.status, object.captured) = (PaymentStatus::RequiresAction, 0);
    }
    let found = scene.compare().await;
    let expected = [DifferenceKind::TheirsOnly, DifferenceKind::Differs];
    assert_eq!(kinds(&found), expected, "{found:#?}");
    let reasons = reasons(&scene.now(&record).await);
    assert!(reasons.contains(&ReviewReason::Contradiction), "{reasons:?}");
}

/// No account has the payment: what is open is all there is to say.
#[tokio::test(start_paused = true)]
async fn money_that_goes_back_without_a_payment_is_named_as_not_compared() {
    let (scene, record) = given_back::paid_after_the_end().await;
    scene.a.truth().faults.extend([Fault::Nothing, Fault::LostBefore]);
    let waits = given_back::give_back(&scene.orchestrator, &record, "a-obj1").await;
    assert!(waits.expect("it waits").in_doubt());
    let found = scene.compare().await;
    assert!(kinds(&found).contains(&DifferenceKind::NotCompared), "{found:#?}");
}
