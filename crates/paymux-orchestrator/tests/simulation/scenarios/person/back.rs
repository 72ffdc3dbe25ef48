//! What goes back, and what goes on meanwhile.

use paymux_core::{
    CaptureMethod, ConfirmStep, Effect, ErrorKind, PaymentProvider, PaymentStatus, ProviderPartId,
    ProviderPaymentId, Timestamp,
};
use paymux_orchestrator::{
    AttemptState, DifferenceKind, Intent, NewCapture, NewRefund, PaymentRecord, Resolution,
    ReviewReason,
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

fn give_back(waiting: &Waiting) -> Resolution {
    Resolution::GiveBack { attempt: 1, object: waiting.object.clone() }
}

/// Charged at the first account after all, open at the second, and nobody knows whether the refund
/// at the first one was made.
async fn refund_in_doubt() -> Waiting {
    let waiting = scenes::late(true, false).await;
    waiting.scene.a.truth().faults.extend([Fault::Nothing, Fault::LostBefore]);
    let record = waiting.decide(give_back(&waiting)).await.expect("it waits for that");
    let refund = record.attempts.last().unwrap();
    assert_eq!((refund.state, refund.gives_back), (AttemptState::Unknown, Some(1)));
    waiting
}

/// What became of the payment itself is read as ever, and its end is reached.
#[tokio::test(start_paused = true)]
async fn a_doubt_about_what_goes_back_elsewhere_does_not_stop_the_payment() {
    let waiting = refund_in_doubt().await;
    let scene = &waiting.scene;
    scene.b.truth().cancel("b-obj1").expect("it is open");
    for _ in 0..12 {
        scene.later(600).await;
    }
    let record = scene.now(&waiting.record).await;
    assert_eq!(record.status, PaymentStatus::Cancelled, "{record:#?}");
    let waiting = refund_in_doubt().await;
    let end = waiting.scene.orchestrator.cancel_payment(&key("end"), &waiting.record.id).await;
    assert_eq!(end.expect("a wish").status, PaymentStatus::Cancelled);
    assert_eq!(waiting.scene.b.truth().objects["b-obj1"].status, PaymentStatus::Cancelled);
}

/// Nothing is written of it, and whoever decided reads so.
#[tokio::test(start_paused = true)]
async fn nothing_is_given_back_of_what_names_the_object_of_another_payment() {
    let part = || Some(ProviderPartId::new("part").unwrap());
    let waiting = scenes::late(true, false).await;
    let scene = &waiting.scene;
    let made = scene.orchestrator.create_payment(&key("other"), &order()).await.expect("a payment");
    let object = made.provider.expect("an account has it").id;
    assert!(object.as_str().starts_with("a-"), "{object}");
    bend(scene, object.as_str(), |object| object.part = part());
    scene.later(100).await;
    bend(scene, "a-obj1", |object| object.part = part());
    let before = scene.now(&waiting.record).await.version;
    let error = waiting.decide(give_back(&waiting)).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::None));
    assert_eq!(scene.now(&waiting.record).await.version, before);
    assert!(scene.a.truth().refunds.is_empty());
}

/// It waited for its account to be well, and meanwhile the payer got the money by a dispute.
#[tokio::test(start_paused = true)]
async fn what_a_dispute_took_back_is_not_given_back_as_well() {
    for (fault, times) in [(Fault::NotSent, 1), (Fault::LostBefore, 2)] {
        let scene = Scene::new(Kind::Card, Kind::Card);
        let record = scene.create(order()).await;
        scene.a.truth().faults.extend(vec![fault; times]);
        let part = NewRefund { amount: Some(money(600)), ..NewRefund::default() };
        let asked = scene.orchestrator.create_refund(&key("back"), &record.id, part).await;
        let (_, no) = asked.expect("it waits");
        bend(&scene, "a-obj1", |object| object.charged_back = 1_000);
        told_and_seen(&scene).await;
        for _ in 0..4 {
            scene.later(600).await;
        }
        let record = scene.now(&record).await;
        assert!(scene.a.truth().refunds.is_empty(), "{fault:?}: {record:#?}");
        let attempt = &record.attempts[no as usize - 1];
        let is_lost = fault == Fault::LostBefore;
        let expected = if is_lost { AttemptState::Unknown } else { AttemptState::NotSent };
        assert_eq!(attempt.state, expected, "{fault:?}");
        let told = scene.kinds_told().await.contains(&"refund.failed".to_owned());
        assert_eq!(told, !is_lost, "{fault:?}");
        scene.later(DAY).await;
        let asks = reasons(&scene.now(&record).await).contains(&ReviewReason::StillInDoubt);
        assert_eq!(asks, is_lost, "{fault:?}");
    }
}

/// The books are compared of it meanwhile, too.
#[tokio::test(start_paused = true)]
async fn what_counts_is_compared_while_something_goes_back_elsewhere() {
    let waiting = refund_in_doubt().await;
    let (from, to) = (Timestamp::from_seconds(0), Timestamp::from_seconds(4_000_000_000));
    let found = waiting.scene.orchestrator.reconcile(from, to).await.expect("it works");
    let not_compared = DifferenceKind::NotCompared;
    let left_out: Vec<_> = found.differences.iter().filter(|it| it.kind == not_compared).collect();
    assert!(left_out.is_empty() && found.compared == 1, "{found:#?}");
}

/// Each look for what is in doubt, or was given up, names a part that another payment has: it is
/// noted once, and looked for again later.
#[tokio::test(start_paused = true)]
async fn what_belongs_to_another_payment_is_not_looked_at_without_end() {
    let part = || Some(ProviderPartId::new("part").unwrap());
    let lines = async |scene: &Scene, record: &PaymentRecord| {
        scene.orchestrator.history(&record.id).await.expect("a store that works").len()
    };
    // A step in doubt.
    let scene = Scene::new(Kind::Card, Kind::Card);
    scene.create(order()).await;
    bend(&scene, "a-obj1", |object| object.part = part());
    told_and_seen(&scene).await;
    let held = order().capture(CaptureMethod::Manual);
    let held = scene.orchestrator.create_payment(&key("held"), &held).await.expect("a payment");
    scene.a.truth().faults.push_back(Fault::LostBefore);
    bend(&scene, "a-obj2", |object| object.part = part());
    let (take, all) = (key("take"), NewCapture::default());
    let taken = scene.orchestrator.capture_payment(&take, &held.id, all).await;
    taken.expect("it is in doubt");
    scene.later(1).await;
    assert!(lines(&scene, &held).await < 12, "{} changes", lines(&scene, &held).await);
    assert_eq!(reasons(&scene.now(&held).await), [ReviewReason::SharedObject]);
    // What was given up.
    let waiting = scenes::late(true, false).await;
    let scene = &waiting.scene;
    let made = scene.orchestrator.create_payment(&key("other"), &order()).await.expect("a payment");
    let object = made.provider.expect("an account has it").id;
    bend(scene, object.as_str(), |object| object.part = part());
    scene.later(100).await;
    bend(scene, "a-obj1", |object| object.part = part());
    let before = lines(scene, &waiting.record).await;
    scene.later(2 * DAY).await;
    let after = lines(scene, &waiting.record).await;
    assert!(after - before < 12, "{} changes", after - before);
}

/// What is on its way back does not count beside that.
#[tokio::test(start_paused = true)]
async fn what_is_being_given_back_does_not_count() {
    let scene = Scene::new(Kind::Invoice, Kind::Card).meeting(&[Fault::LostBefore; 3]);
    let record = scene.create(order()).await;
    scene.later(DAY + 3_600).await;
    let decide = async |resolution| {
        scene.orchestrator.resolve_review(&record.id, resolution, "ann", "they say so").await
    };
    let record = decide(Resolution::DidNothing { attempt: 1 }).await.expect("it is in doubt");
    scene.a.truth().faults.clear();
    let Intent::Create(create) = &record.attempts[0].intent else { panic!("a create") };
    scene.a.truth().create(create, record.created_at);
    scene.a.pay("a-obj1");
    scene.later(3_600).await;
    scene.later(DAY).await;
    let object = ProviderPaymentId::new("a-obj1").unwrap();
    let back = Resolution::GiveBack { attempt: 1, object: object.clone() };
    decide(back).await.expect("it waits for that");
    let counts = Resolution::ItCounts { attempt: 1, object };
    let error = decide(counts).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::None));
    assert!(!scene.now(&record).await.is_paid());
}

/// What a refund did to the amounts is read however long the provider cannot be asked.
#[tokio::test(start_paused = true)]
async fn a_final_payment_is_looked_at_also_after_a_person_was_asked() {
    let scene = Scene::new(Kind::Page, Kind::Card);
    let record = scene.create(order()).await;
    scene.a.pay("a-obj1");
    scene.later(100).await;
    let all = NewRefund::default();
    scene.orchestrator.create_refund(&key("back"), &record.id, all).await.expect("a refund");
    scene.later(5).await;
    scene.a.truth().down = true;
    scene.a.truth().finish(false);
    for _ in 0..50 {
        scene.later(DAY).await;
    }
    let asked = scene.now(&record).await;
    assert_eq!(reasons(&asked), [ReviewReason::NoEnd], "{asked:#?}");
    scene.a.truth().down = false;
    scene.later(2 * DAY).await;
    let amounts = scene.now(&record).await.provider.expect("it has it").amounts;
    assert_eq!(amounts.refunded, Some(money(1_000)));
}

/// It is a question about the attempt that left it, and ends when what it left is nobody else's.
#[tokio::test(start_paused = true)]
async fn what_was_left_and_names_the_object_of_another_payment_can_be_settled() {
    let waiting = scenes::left_what_is_shared(false).await;
    assert_eq!((waiting.attempt, waiting.reason), (1, ReviewReason::SharedObject));
    let dismissed = || Resolution::Dismiss { attempt: 1, reason: ReviewReason::SharedObject };
    let error = waiting.decide(dismissed()).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::None));
    // It is looked at again at once.
    let looks = waiting.scene.a.truth().looks;
    waiting.decide(Resolution::TryAgain { attempt: 1 }).await.expect("it waits");
    assert_eq!(waiting.scene.a.truth().looks, looks + 1);
    bend(&waiting.scene, "a-obj1", |object| object.part = None);
    let record = waiting.decide(dismissed()).await.expect("it is named no more");
    assert_eq!(reasons(&record), []);
}

/// A call that was sent twice left two objects, and both were paid: what went back of the one is no
/// answer about the other, and does not count any more.
#[tokio::test(start_paused = true)]
async fn each_object_that_was_left_is_given_back_by_itself() {
    let lost = [Fault::LostAfter, Fault::LostAfter, Fault::LostBefore, Fault::LostBefore];
    let scene = Scene::new(Kind::Careless, Kind::Card).meeting(&lost);
    scene.b.truth().faults.push_back(Fault::DeclinedHard);
    let record = scene.create(order()).await;
    scene.later(10).await;
    for id in ["a-obj1", "a-obj2"] {
        scene.a.truth().confirm(id, ConfirmStep::Commit).expect("somebody has it charged");
        told_and_seen(&scene).await;
    }
    scene.a.truth().faults.clear();
    scene.a.truth().finish(false);
    scene.later(DAY).await;
    let decide = async |resolution| {
        scene.orchestrator.resolve_review(&record.id, resolution, "ann", "they say so").await
    };
    let object = |id| ProviderPaymentId::new(id).unwrap();
    let back = |id| Resolution::GiveBack { attempt: 1, object: object(id) };
    assert_eq!(scene.now(&record).await.account(), None);
    let one = decide(back("a-obj1")).await.expect("it waits for that");
    assert_eq!(reasons(&one), [ReviewReason::LateSuccess], "the other one holds money yet");
    let counts = Resolution::ItCounts { attempt: 1, object: object("a-obj1") };
    let error = decide(counts).await.unwrap_err();
    assert!(error.message().contains("is being given back, or was"), "{error}");
    assert!(decide(back("a-obj1")).await.is_err(), "nothing is left of it");
    let both = decide(back("a-obj2")).await.expect("it waits for that");
    assert!(both.reviews.is_empty() && !both.is_paid(), "{both:#?}");
    assert_eq!(scene.a.truth().refunds.len(), 2);
}

/// Money at the account that was given up, on what another payment has; it was paid at the next
/// one.
async fn shared_and_told(is_listed: bool) -> (Scene, PaymentRecord) {
    let part = || Some(ProviderPartId::new("part").unwrap());
    let faults = [Fault::Nothing, Fault::Declined];
    let scene = Scene::new(Kind::Careless, Kind::Card).meeting(&faults);
    let record = scene.create(order()).await;
    assert!(record.is_paid() && record.account() == Some(scene.b.id()), "{record:#?}");
    scene.orchestrator.create_payment(&key("other"), &order()).await.expect("a payment");
    bend(&scene, "a-obj2", |object| object.part = part());
    told_and_seen(&scene).await;
    scene.a.truth().confirm("a-obj1", ConfirmStep::Commit).expect("it is still open there");
    scene.a.truth().finish(false);
    bend(&scene, "a-obj1", |object| object.part = part());
    if is_listed {
        let all = (Timestamp::from_seconds(0), Timestamp::from_seconds(4_000_000_000));
        scene.orchestrator.reconcile(all.0, all.1).await.expect("a store that works");
    } else {
        told_and_seen(&scene).await;
    }
    (scene, record)
}

/// However it comes to light: it is a question about the attempt that left it, and what is asked
/// for is what was left there.
#[tokio::test(start_paused = true)]
async fn what_was_left_and_is_anothers_is_no_question_about_what_counts() {
    for is_listed in [false, true] {
        let (scene, record) = shared_and_told(is_listed).await;
        let seen = scene.now(&record).await;
        assert_eq!(reasons(&seen), [ReviewReason::SharedObject], "listed: {is_listed}");
        assert_eq!(seen.reviews[0].attempt, Some(1), "listed: {is_listed}");
        let decide = async || {
            let dismissed = Resolution::Dismiss { attempt: 1, reason: ReviewReason::SharedObject };
            scene.orchestrator.resolve_review(&record.id, dismissed, "ann", "they say so").await
        };
        let error = decide().await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::None));
        bend(&scene, "a-obj1", |object| object.part = None);
        let record = decide().await.expect("it is named no more");
        assert_eq!(reasons(&record), [ReviewReason::LateSuccess], "listed: {is_listed}");
    }
}

/// Nothing of it was kept, since it is another's: then it is asked for by our reference.
#[tokio::test(start_paused = true)]
async fn what_was_left_and_never_kept_is_asked_for_all_the_same() {
    let part = || Some(ProviderPartId::new("part").unwrap());
    let scene = Scene::new(Kind::Invoice, Kind::Card).meeting(&[Fault::LostBefore; 3]);
    let record = scene.create(order()).await;
    scene.later(DAY + 3_600).await;
    let decide = async |resolution| {
        scene.orchestrator.resolve_review(&record.id, resolution, "ann", "they say so").await
    };
    decide(Resolution::DidNothing { attempt: 1 }).await.expect("it is in doubt");
    scene.a.truth().faults.clear();
    scene.orchestrator.create_payment(&key("other"), &order()).await.expect("a payment");
    bend(&scene, "a-obj1", |object| object.part = part());
    told_and_seen(&scene).await;
    let Intent::Create(create) = &record.attempts[0].intent else { panic!("a create") };
    scene.a.truth().create(create, record.created_at);
    scene.a.pay("a-obj2");
    bend(&scene, "a-obj2", |object| object.part = part());
    // A look by reference does not see it the first time.
    scene.later(DAY).await;
    scene.later(7 * DAY).await;
    let seen = scene.now(&record).await;
    assert_eq!(reasons(&seen), [ReviewReason::SharedObject], "{seen:#?}");
    assert!(seen.attempts[0].object.is_none() && seen.attempts[0].left.is_empty());
    let dismissed = || Resolution::Dismiss { attempt: 1, reason: ReviewReason::SharedObject };
    let error = decide(dismissed()).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::None));
    assert_eq!(reasons(&scene.now(&record).await), [ReviewReason::SharedObject]);
    bend(&scene, "a-obj2", |object| object.part = None);
    let record = decide(dismissed()).await.expect("it is named no more");
    assert_eq!(reasons(&record), [ReviewReason::LateSuccess]);
}
