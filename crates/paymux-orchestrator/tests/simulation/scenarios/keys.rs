//! What a key, or a reference, stands for at a provider.

use paymux_orchestrator::{
    AttemptState, ConfirmBy, NewRefund, Orchestrator, Resolution, ReviewReason,
};

use super::{Scene, order, reasons};
use crate::simulation::{
    provider::key,
    truth::{Fault, Kind},
};

const HOUR: u64 = 3_600;

/// How often the account was called with the key that was called most.
fn calls(scene: &Scene) -> u64 {
    scene.a.truth().calls.values().copied().max().unwrap_or_default()
}

/// Something of ours is there, and nobody knows what: it is not sent again, not even where a person
/// wants it tried again, and nobody else is asked.
#[tokio::test(start_paused = true)]
async fn a_key_that_stands_for_something_else_is_not_used_again() {
    for kind in [Kind::Card, Kind::Page, Kind::Hold, Kind::Invoice] {
        let scene = Scene::new(kind, Kind::Card).meeting(&[Fault::KeyUsed]);
        let record = scene.create(order()).await;
        assert_eq!(reasons(&record), [ReviewReason::Mismatch], "{kind:?}");
        for _ in 0..30 {
            scene.later(HOUR).await;
        }
        let again = Resolution::TryAgain { attempt: 1 };
        let tried = scene.orchestrator.resolve_review(&record.id, again, "ann", "try it").await;
        tried.expect("it is in doubt");
        scene.later(HOUR).await;
        let record = scene.now(&record).await;
        assert_eq!(record.attempts[0].state, AttemptState::Unknown, "{kind:?}");
        assert!(reasons(&record).contains(&ReviewReason::Mismatch), "{kind:?}: {record:#?}");
        assert_eq!(calls(&scene), 1, "{kind:?}");
        assert!(scene.a.truth().objects.is_empty() && scene.b.truth().objects.is_empty());
        // Whoever asked the provider by other means may say so.
        let nothing = Resolution::DidNothing { attempt: 1 };
        let decided =
            scene.orchestrator.resolve_review(&record.id, nothing, "ann", "they looked").await;
        assert_eq!(decided.expect("it waits for that").attempts[0].state, AttemptState::NotCharged);
    }
}

/// It is there under our reference, as it was asked for: a look finds it, and a person hears of it.
#[tokio::test(start_paused = true)]
async fn what_is_behind_a_key_is_looked_for() {
    let faults = [Fault::LostAfter, Fault::Nothing, Fault::KeyUsed];
    let scene = Scene::new(Kind::Invoice, Kind::Card).meeting(&faults);
    let record = scene.create(order()).await;
    for _ in 0..3 {
        scene.later(60).await;
    }
    let record = scene.now(&record).await;
    assert_eq!(record.attempts[0].state, AttemptState::Accepted, "{record:#?}");
    assert_eq!((calls(&scene), reasons(&record)), (2, vec![ReviewReason::Mismatch]));
    let dismissed = Resolution::Dismiss { attempt: 1, reason: ReviewReason::Mismatch };
    let decided = scene.orchestrator.resolve_review(&record.id, dismissed, "ann", "it fits").await;
    assert!(decided.expect("it fits").reviews.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_refund_whose_key_stands_for_something_else_is_not_sent_again() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order()).await;
    scene.a.truth().faults.push_back(Fault::KeyUsed);
    let all = NewRefund::default();
    let asked = scene.orchestrator.create_refund(&key("back"), &record.id, all).await;
    let (_, no) = asked.expect("it is in doubt");
    for _ in 0..10 {
        scene.later(HOUR).await;
    }
    let record = scene.now(&record).await;
    assert!(record.reviews.iter().any(|review| review.attempt == Some(no)), "{record:#?}");
    assert_eq!((calls(&scene), scene.a.truth().refunds.len()), (1, 0));
}

/// It was done all the same, and what the provider says of the payment shows it: nothing is left for
/// a person to say.
#[tokio::test(start_paused = true)]
async fn a_refund_that_shows_is_no_question_whatever_its_key_stands_for() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order()).await;
    scene.a.truth().faults.extend([Fault::LostAfter, Fault::KeyUsed]);
    let all = NewRefund::default();
    let asked = scene.orchestrator.create_refund(&key("back"), &record.id, all).await;
    let (_, no) = asked.expect("it is asked for");
    for _ in 0..10 {
        scene.later(60).await;
    }
    let record = scene.now(&record).await;
    let refund = record.attempts.iter().find(|attempt| attempt.no == no).expect("a refund");
    assert!(refund.key_used, "{record:#?}");
    assert_eq!(refund.state, AttemptState::Accepted, "{record:#?}");
    assert!(reasons(&record).is_empty(), "{record:#?}");
}

/// Somebody gave the account other settings while an attempt was in doubt: what left with that key
/// was something else, so it does not leave again until a person has put that right.
#[tokio::test(start_paused = true)]
async fn what_is_sent_again_is_what_was_sent() {
    for kind in [Kind::Card, Kind::Invoice, Kind::Page] {
        let lost = [Fault::LostBefore, Fault::LostBefore, Fault::LostBefore];
        let scene = Scene::new(kind, Kind::Card).meeting(&lost).of_one_account();
        let record = scene.create(order()).await;
        let before = calls(&scene);
        let other = Orchestrator::builder(scene.written.clone()).clock(scene.clock.clone());
        let other = other.account(scene.a.clone().with_real_money()).build().expect("an account");
        scene.a.truth().faults.clear();
        for _ in 0..3 {
            scene.clock.advance(std::time::Duration::from_secs(600));
            while !other.step().await.expect("a store that works").is_idle() {}
        }
        assert_eq!(calls(&scene), before, "{kind:?}");
        let waits = scene.now(&record).await;
        assert_eq!(reasons(&waits), [ReviewReason::Mismatch], "{kind:?}");
        assert!(waits.reviews[0].note.contains("real money"), "{}", waits.reviews[0].note);
        assert!(scene.a.truth().objects.is_empty(), "{kind:?}");
        // With the settings of then it leaves once a person wants it.
        let again = Resolution::TryAgain { attempt: 1 };
        let tried = scene.orchestrator.resolve_review(&record.id, again, "ann", "put right").await;
        tried.expect("it is in doubt");
        scene.later(60).await;
        let record = scene.now(&record).await;
        assert_eq!(scene.a.truth().objects.len(), 1, "{kind:?}: {record:#?}");
        assert!(reasons(&record).is_empty(), "{kind:?}");
    }
}

/// Where no key is remembered, a conflict is about something else, and may pass: the same call again
/// is how it is learned what became of the first. Nobody else is asked meanwhile.
#[tokio::test(start_paused = true)]
async fn a_conflict_where_no_key_is_remembered_is_tried_again() {
    for kind in [Kind::Steps, Kind::Careless] {
        let faults = [Fault::LostAfter, Fault::KeyUsed, Fault::KeyUsed, Fault::KeyUsed];
        let scene = Scene::new(kind, Kind::Card).meeting(&faults);
        let record = scene.create(order().confirm(ConfirmBy::Merchant)).await;
        for _ in 0..6 {
            scene.later(300).await;
        }
        let record = scene.now(&record).await;
        assert_eq!(record.attempts[0].state, AttemptState::Accepted, "{kind:?}: {record:#?}");
        assert!(reasons(&record).is_empty(), "{kind:?}");
        assert!(scene.b.truth().objects.is_empty(), "{kind:?}");
    }
}

/// What it said does not pass because something else went wrong after it.
#[tokio::test(start_paused = true)]
async fn a_conflict_is_not_forgotten_when_the_next_call_is_lost() {
    for kind in [Kind::Steps, Kind::Careless] {
        let faults = [Fault::LostAfter, Fault::KeyUsed, Fault::LostBefore, Fault::LostBefore];
        let scene = Scene::new(kind, Kind::Card).meeting(&faults);
        let record = scene.create(order().confirm(ConfirmBy::Merchant)).await;
        for _ in 0..6 {
            scene.later(300).await;
        }
        let record = scene.now(&record).await;
        assert!(scene.b.truth().objects.is_empty(), "{kind:?}: {record:#?}");
        assert_eq!(record.attempts[0].state, AttemptState::Accepted, "{kind:?}: {record:#?}");
    }
}
