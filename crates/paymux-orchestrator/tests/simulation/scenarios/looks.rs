//! How often a provider is asked.

use std::time::Duration;

use paymux_core::{CaptureMethod, PaymentProvider};
use paymux_orchestrator::{
    AttemptState, ConfirmBy, NewCapture, PaymentRecord, Resolution, ReviewReason,
};

use super::{Scene, given_back, money, order, reasons, start};
use crate::simulation::{
    provider::key,
    truth::{Fault, Kind, SaysHeld},
};

impl Scene {
    fn looks(&self) -> u32 {
        self.a.truth().looks
    }

    /// What is looked at unasked has been, and is not again for a while.
    async fn come_to_rest(&self) {
        self.later(61).await;
        self.clock.advance(Duration::from_secs(40));
    }
}

/// Each of these is an event of its own, and anybody could have sent it.
const LIES: [&str; 3] = ["0", "0 authorized", "0 succeeded"];

#[tokio::test(start_paused = true)]
async fn what_anybody_could_have_sent_makes_us_look_once_in_half_a_minute() {
    let scene = Scene::new(Kind::Steps, Kind::Page);
    scene.create(order().confirm(ConfirmBy::Merchant)).await;
    scene.come_to_rest().await;
    let before = scene.looks();
    for lie in LIES {
        scene.deliver(&scene.a, lie).await.expect("anybody may say so");
        scene.clock.advance(Duration::from_secs(1));
        scene.orchestrator.step().await.expect("a store that works");
    }
    assert_eq!(scene.looks(), before + 1);
    scene.later(31).await;
    assert_eq!(scene.looks(), before + 2, "the later two are seen by one look");
}

/// The object of an attempt that was given up is asked for no more often.
#[tokio::test(start_paused = true)]
async fn what_was_given_up_is_looked_at_no_more_often() {
    let scene = Scene::new(Kind::Steps, Kind::Card).meeting(&[Fault::Nothing, Fault::Declined]);
    let record = scene.create(order()).await;
    assert!(record.attempts[0].object.is_some(), "its object is known");
    assert_eq!(record.account(), Some(scene.b.id()), "{record:#?}");
    scene.clock.advance(Duration::from_secs(40));
    let before = scene.looks();
    for lie in LIES {
        scene.deliver(&scene.a, lie).await.expect("anybody may say so");
    }
    scene.later(1).await;
    assert_eq!(scene.looks(), before + 1);
    scene.later(31).await;
    assert_eq!(scene.looks(), before + 1, "that look saw what the others are about");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_does_not_answer_is_asked_no_more_often() {
    let scene = Scene::new(Kind::Steps, Kind::Page);
    scene.create(order().confirm(ConfirmBy::Merchant)).await;
    scene.come_to_rest().await;
    scene.a.truth().down = true;
    let before = scene.looks();
    for lie in LIES {
        scene.deliver(&scene.a, lie).await.expect("anybody may say so");
    }
    for _ in 0..8 {
        scene.orchestrator.step().await.expect("a store that works");
        scene.clock.advance(Duration::from_secs(3));
    }
    assert_eq!(scene.looks(), before + 1);
}

/// 64 payers, or one who reloads the page.
#[tokio::test(start_paused = true)]
async fn what_is_open_is_read_again_once_in_five_seconds() {
    let scene = Scene::new(Kind::Steps, Kind::Page);
    let record = scene.create(order().confirm(ConfirmBy::Merchant)).await;
    let before = scene.looks();
    let mut seen = Vec::new();
    for _ in 0..3 {
        scene.clock.advance(Duration::from_secs(6));
        for _ in 0..4 {
            scene.orchestrator.fetch_payment(&record.id).await.expect("a payment");
        }
        seen.push(scene.looks() - before);
    }
    assert_eq!(seen, [1, 2, 3]);
}

/// A payment whose provider was away after these faults: it is in doubt, and the next rung is far.
pub(super) async fn after_an_outage(kind: Kind, faults: &[Fault]) -> (Scene, PaymentRecord) {
    let scene = Scene::new(kind, Kind::Page).meeting(faults).meeting(&[Fault::LostBefore; 1]);
    let record = scene.create(order()).await;
    scene.a.truth().down = true;
    for seconds in [8, 45, 180] {
        scene.later(seconds).await;
    }
    scene.a.truth().down = false;
    scene.a.truth().unseen.clear();
    scene.clock.advance(Duration::from_secs(6));
    let record = scene.now(&record).await;
    assert!(record.in_doubt(), "{record:#?}");
    (scene, record)
}

/// The payer comes back after an outage, and nobody has to wait for the next rung.
#[tokio::test(start_paused = true)]
async fn reading_a_payment_in_doubt_asks_for_it_once() {
    let (scene, record) = after_an_outage(Kind::Invoice, &[Fault::LostAfter]).await;
    assert!(record.provider.is_none(), "{record:#?}");
    scene.a.pay("a-obj1");
    let (before, sends) = (scene.looks(), record.attempts[0].sends);
    let readers: Vec<_> = (0..64)
        .map(|_| {
            let (orchestrator, id) = (scene.orchestrator.clone(), record.id.clone());
            tokio::spawn(async move { orchestrator.fetch_payment(&id).await })
        })
        .collect();
    for reader in readers {
        reader.await.unwrap().expect("a payment");
    }
    let record = scene.now(&record).await;
    assert!(!record.in_doubt(), "{record:#?}");
    assert_eq!((scene.looks() - before, record.attempts[0].sends), (1, sends));
}

/// A look that somebody wanted proves no absence, and moves no rung.
#[tokio::test(start_paused = true)]
async fn a_look_in_doubt_that_finds_nothing_changes_nothing() {
    let (scene, before) = after_an_outage(Kind::Invoice, &[Fault::LostBefore]).await;
    let looks = scene.looks();
    for _ in 0..3 {
        scene.clock.advance(Duration::from_secs(6));
        scene.orchestrator.fetch_payment(&before.id).await.expect("a payment");
    }
    assert_eq!(scene.looks(), looks + 3);
    assert_eq!(scene.now(&before).await.version, before.version);
}

#[tokio::test(start_paused = true)]
async fn reading_ends_the_doubt_about_a_step_that_was_taken() {
    let taken = [Fault::Nothing, Fault::LostAfter];
    let (scene, record) = after_an_outage(Kind::Hold, &taken).await;
    let record = scene.orchestrator.fetch_payment(&record.id).await.expect("a payment");
    assert!(record.is_paid(), "{record:#?}");
}

/// What a reader saw can be old when the next rung comes: nothing is sent because of it.
#[tokio::test(start_paused = true)]
async fn reading_is_no_look_that_a_step_may_be_repeated_after() {
    let lost = [Fault::Nothing, Fault::LostBefore];
    let (scene, before) = after_an_outage(Kind::Hold, &lost).await;
    let record = scene.orchestrator.fetch_payment(&before.id).await.expect("a payment");
    assert!(record.in_doubt() && record.looked_at > before.looked_at, "{record:#?}");
    let (attempt, was) = (&record.attempts[1], &before.attempts[1]);
    assert!(!attempt.seen_unchanged);
    assert_eq!((attempt.rung, attempt.next_try_at), (was.rung, was.next_try_at));
}

/// A call that is under way is nobody else's before it must have ended.
#[tokio::test(start_paused = true)]
async fn a_call_ends_before_somebody_else_thinks_it_lost() {
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&[Fault::HangsAfter]);
    let call = scene.begin_order().await;
    let others = start(&scene.written, &scene.weather, &scene.clock, [&scene.a, &scene.b]);
    let id = others.list_payments(&super::everything()).await.expect("memory")[0].id.clone();
    let state = |record: PaymentRecord| record.attempts[0].state;
    scene.clock.advance(Duration::from_secs(60));
    others.step().await.expect("a store that works");
    assert_eq!(state(others.stored_payment(&id).await.unwrap()), AttemptState::Sending);
    scene.clock.advance(Duration::from_secs(61));
    others.step().await.expect("a store that works");
    assert_ne!(state(others.stored_payment(&id).await.unwrap()), AttemptState::Sending);
    call.await.unwrap().expect("it is looked after by the other one");
}

/// A refund of what another account has is asked for there, and not at the account of the payment.
#[tokio::test(start_paused = true)]
async fn reading_asks_for_a_late_refund_in_doubt_where_it_was_made() {
    let (scene, record) = given_back::charged_twice(Kind::Careless).await;
    // The first is the look that comes before.
    scene.a.truth().faults.extend([Fault::Nothing, Fault::LostAfter]);
    scene.a.truth().faults.extend([Fault::NotSent; 3]);
    given_back::give_back(&scene.orchestrator, &record, "a-obj1").await.expect("it is in doubt");
    for seconds in [8, 45] {
        scene.later(seconds).await;
    }
    scene.clock.advance(Duration::from_secs(6));
    let before = scene.now(&record).await;
    assert!(before.in_doubt() && scene.a.truth().faults.is_empty(), "{before:#?}");
    let others = scene.b.truth().looks;
    let record = scene.orchestrator.fetch_payment(&record.id).await.expect("a payment");
    assert!(record.is_paid() && !record.in_doubt(), "{record:#?}");
    assert_eq!(scene.b.truth().looks, others);
}

/// The same where no account has the payment.
#[tokio::test(start_paused = true)]
async fn reading_asks_for_a_late_refund_in_doubt_where_no_account_has_the_payment() {
    let (scene, record) = given_back::paid_after_the_end().await;
    scene.a.truth().faults.extend([Fault::Nothing, Fault::LostAfter]);
    scene.a.truth().faults.extend([Fault::NotSent; 3]);
    given_back::give_back(&scene.orchestrator, &record, "a-obj1").await.expect("it is in doubt");
    for seconds in [8, 45] {
        scene.later(seconds).await;
    }
    scene.a.truth().finish(false);
    scene.clock.advance(Duration::from_secs(6));
    let before = scene.now(&record).await;
    assert!(before.in_doubt() && scene.a.truth().faults.is_empty(), "{before:#?}");
    let record = scene.orchestrator.fetch_payment(&record.id).await.expect("a payment");
    assert!(!record.in_doubt() && record.reviews.is_empty(), "{record:#?}");
}

/// A look that was made anyway is none that anybody sent us for.
#[tokio::test(start_paused = true)]
async fn a_look_of_our_own_puts_no_hint_off() {
    let scene = Scene::new(Kind::Steps, Kind::Page);
    let record = scene.create(order().confirm(ConfirmBy::Merchant)).await;
    scene.clock.advance(Duration::from_secs(6));
    scene.orchestrator.fetch_payment(&record.id).await.expect("a payment");
    scene.clock.advance(Duration::from_secs(6));
    let before = scene.looks();
    for (lie, looks) in [("0", 1), ("0 authorized", 1)] {
        scene.deliver(&scene.a, lie).await.expect("anybody may say so");
        scene.clock.advance(Duration::from_secs(1));
        scene.orchestrator.step().await.expect("a store that works");
        assert_eq!(scene.looks(), before + looks, "{lie}");
    }
    scene.later(31).await;
    assert_eq!(scene.looks(), before + 2);
}

/// A step in doubt was seen undone, sent again, and lost again. It may be taken again in minutes.
async fn lost_twice() -> (Scene, PaymentRecord) {
    let scene = Scene::new(Kind::Hold, Kind::Page);
    scene.a.truth().keeps_holds = Some(SaysHeld::Yes);
    let record = scene.create(order().capture(CaptureMethod::Manual)).await;
    let take = async |name: &'static str| {
        let part = NewCapture { amount: Some(money(300)), ..NewCapture::default() };
        scene.orchestrator.capture_payment(&key(name), &record.id, part).await.expect("a capture")
    };
    take("one").await;
    scene.later(100).await;
    scene.a.truth().faults.push_back(Fault::LostBefore);
    assert!(take("two").await.in_doubt());
    for seconds in [8, 45] {
        scene.later(seconds).await;
    }
    scene.a.truth().faults.extend([Fault::Nothing, Fault::LostBefore]);
    scene.later(180).await;
    let record = scene.now(&record).await;
    assert_eq!((record.attempts[2].sends, record.in_doubt()), (2, true), "{record:#?}");
    scene.later(200).await;
    (scene, record)
}

/// What is known of the object is told, and looked at because of that.
async fn told(scene: &Scene) {
    let last = scene.a.truth().tellings.len() - 1;
    scene.tell(&scene.a, last).await.expect("it is kept");
    scene.orchestrator.step().await.expect("a store that works");
}

/// An event, or a person, made us look at a step in doubt, long before it may be taken again. By
/// then somebody else has taken it: it is looked for anew.
#[tokio::test(start_paused = true)]
async fn a_look_that_was_made_for_another_reason_is_no_look_to_repeat_a_step_after() {
    for by_person in [false, true] {
        let (scene, before) = lost_twice().await;
        if by_person {
            let costs = |minor| {
                let mut object = scene.a.truth().objects["a-obj1"].clone();
                object.amount = money(minor);
                scene.a.truth().put(object);
            };
            costs(1_010);
            told(&scene).await;
            assert_eq!(reasons(&scene.now(&before).await), [ReviewReason::Mismatch]);
            costs(1_000);
            let dismissed = Resolution::Dismiss { attempt: 1, reason: ReviewReason::Mismatch };
            let decided =
                scene.orchestrator.resolve_review(&before.id, dismissed, "ann", "it fits").await;
            decided.expect("it is no more so");
        } else {
            told(&scene).await;
        }
        let seen = scene.now(&before).await;
        assert!(seen.seen_at > before.seen_at && seen.reviews.is_empty(), "{seen:#?}");
        assert!(seen.in_doubt() && !seen.attempts[2].seen_unchanged, "by a person: {by_person}");
        scene.a.truth().capture("a-obj1", Some(money(300))).expect("it is held");
        scene.later(3_600).await;
        let record = scene.now(&before).await;
        assert_eq!(scene.a.truth().objects["a-obj1"].captured, 600, "{record:#?}");
        assert_eq!(record.attempts[2].state, AttemptState::Accepted);
    }
}
