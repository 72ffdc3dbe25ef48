//! What anybody can send, what comes under a key that was used before, and what is nobody's.

use std::{sync::atomic::Ordering, time::Duration};

use http::HeaderMap;
use paymux_core::{Clock, ErrorKind, EventKey, PaymentProvider, PaymentStatus, Trust};
use paymux_orchestrator::store::{InboxRow, Store};

use super::{Scene, money, order, reasons};
use crate::simulation::{
    provider::{Model, key},
    truth::{Fault, Kind},
};

impl Scene {
    async fn inbox(&self) -> u64 {
        self.orchestrator.backlog().await.expect("a store that works").inbox
    }

    /// Objects that are none of ours, and that the provider tells of.
    fn strangers(&self, count: usize) {
        let mut truth = self.a.truth();
        let like = truth.objects.values().next().expect("one of ours").clone();
        for no in 0..count {
            let mut stranger = like.clone();
            stranger.id = paymux_core::ProviderPaymentId::new(format!("strange{no}")).unwrap();
            stranger.reference = paymux_core::Reference::new(format!("strange{no}")).unwrap();
            truth.put(stranger);
        }
    }
}

/// The same key, and another body: what it says is not lost, and the merchant hears of it.
#[tokio::test(start_paused = true)]
async fn an_event_that_comes_again_with_another_content_is_looked_at_and_told() {
    let scene = Scene::new(Kind::Invoice, Kind::Page);
    let record = scene.create(order()).await;
    scene.deliver(&scene.a, "0").await.expect("it is kept");
    scene.later(1).await;
    scene.a.pay("a-obj1");
    scene.clock.advance(Duration::from_secs(1));
    for _ in 0..2 {
        scene.deliver(&scene.a, "00").await.expect("it is kept");
    }
    scene.later(1).await;
    assert_eq!(scene.now(&record).await.status, PaymentStatus::Succeeded);
    let kinds = scene.kinds_told().await;
    let told = kinds.iter().filter(|kind| *kind == "webhook.contradiction").count();
    assert_eq!(told, 1, "{kinds:?}");
}

/// What is signed and fresh is believed without asking; what reuses a key is not.
#[tokio::test(start_paused = true)]
async fn an_event_under_a_used_key_is_no_more_than_a_look() {
    let scene = Scene::new(Kind::Page, Kind::Page);
    scene.create(order()).await;
    scene.deliver(&scene.a, "0").await.expect("it is kept");
    scene.later(1).await;
    scene.later(61).await;
    let looks = scene.a.truth().looks;
    scene.clock.advance(Duration::from_secs(40));
    scene.deliver(&scene.a, "00").await.expect("it is kept");
    scene.later(1).await;
    assert_eq!(scene.a.truth().looks, looks + 1);
}

/// The provider names our reference in what it tells, and not in what it answers.
#[tokio::test(start_paused = true)]
async fn an_event_that_names_our_reference_ends_the_doubt() {
    let lost = [Fault::LostAfter, Fault::LostBefore];
    let scene = Scene::new(Kind::Page, Kind::Page).meeting(&lost).of_one_account();
    scene.a.truth().names_in_events = true;
    let record = scene.create(order()).await;
    assert!(record.in_doubt(), "{record:#?}");
    // What ends a payment is asked for, and not only believed.
    scene.a.pay("a-obj1");
    scene.tell(&scene.a, 1).await.expect("it is kept");
    assert_eq!(scene.orchestrator.step().await.unwrap().events, 1);
    let record = scene.now(&record).await;
    assert!(!record.in_doubt(), "{record:#?}");
    assert_eq!(record.status, PaymentStatus::Succeeded);
    assert_eq!(record.attempts[0].sends, 2, "the event did it, and no repetition");
}

/// Two accounts of one kind whose ids count from 1 each.
#[tokio::test(start_paused = true)]
async fn an_event_is_not_taken_for_a_siblings_object_of_the_same_id() {
    // One echoes references; of the other the amounts tell.
    for kind in [Kind::Card, Kind::Page] {
        let scene = Scene::new(kind, kind);
        scene.create(order()).await;
        scene.a.truth().faults.push_back(Fault::Declined);
        {
            let mut truth = scene.b.truth();
            truth.name = "a".to_owned();
            truth.faults.push_back(Fault::HangsAfter);
        }
        let mut other = order();
        other.amount = money(2_000);
        let orchestrator = scene.orchestrator.clone();
        let call =
            tokio::spawn(async move { orchestrator.create_payment(&key("other"), &other).await });
        while scene.b.truth().objects.is_empty() {
            tokio::task::yield_now().await;
        }
        scene.tell(&scene.b, 0).await.expect("it is kept");
        assert_eq!(scene.orchestrator.step().await.unwrap().events, 1);
        assert_eq!(scene.inbox().await, 1, "{kind:?}: it waits for its own payment");
        let record = call.await.unwrap().expect("a payment");
        scene.later(100).await;
        assert_eq!(scene.inbox().await, 0, "{kind:?}");
        assert_eq!(scene.now(&record).await.account(), Some(scene.b.id()), "{kind:?}");
        assert_eq!(reasons(&scene.now(&record).await), [], "{kind:?}");
    }
}

/// Written down by another version, say.
#[tokio::test(start_paused = true)]
async fn a_stored_event_that_cannot_be_read_is_told_after_a_day() {
    let scene = Scene::new(Kind::Page, Kind::Page);
    let now = scene.clock.now();
    let row = InboxRow {
        account: scene.a.id().clone(),
        key: EventKey::new("old").unwrap(),
        trust: Trust::Signed,
        event: "{\"version\":0}".to_owned(),
        digest: "digest".to_owned(),
        received_at: now,
        tries: 0,
        due_at: now,
    };
    scene.written.receive(vec![row]).await.expect("memory");
    scene.later(1).await;
    assert_eq!(scene.inbox().await, 1);
    scene.later(25 * 3_600).await;
    assert_eq!(scene.inbox().await, 0);
    assert_eq!(scene.kinds_told().await, ["webhook.not_applied"]);
}

#[tokio::test(start_paused = true)]
async fn what_anybody_can_send_about_nothing_of_ours_is_tried_once_and_not_told() {
    let scene = Scene::new(Kind::Steps, Kind::Page);
    scene.create(order()).await;
    scene.strangers(1);
    let last = scene.a.truth().tellings.len() - 1;
    scene.tell(&scene.a, last).await.expect("it is kept");
    let told = scene.kinds_told().await;
    let looks = scene.a.truth().looks;
    assert_eq!(scene.orchestrator.step().await.unwrap().events, 0, "real ones come first");
    scene.clock.advance(Duration::from_secs(200));
    assert_eq!(scene.orchestrator.step().await.unwrap().events, 1);
    assert_eq!((scene.inbox().await, scene.a.truth().looks), (0, looks));
    scene.later(25 * 3_600).await;
    assert_eq!(scene.kinds_told().await, told);
}

/// An unsigned event can come before the answer that names its object, too.
#[tokio::test(start_paused = true)]
async fn an_unsigned_event_that_comes_first_waits_for_the_answer() {
    let scene = Scene::new(Kind::Steps, Kind::Page).meeting(&[Fault::Slow]);
    let call = scene.begin_order().await;
    scene.tell(&scene.a, 0).await.expect("it is kept");
    let record = call.await.unwrap().expect("a payment");
    let looks = scene.a.truth().looks;
    scene.later(200).await;
    assert_eq!(scene.inbox().await, 0);
    assert!(scene.a.truth().looks > looks, "it was a reason to look: {record:#?}");
}

#[tokio::test(start_paused = true)]
async fn only_so_many_are_kept_of_what_anybody_can_send() {
    let scene = Scene::new(Kind::Steps, Kind::Page);
    scene.create(order()).await;
    scene.strangers(1_000);
    let first = scene.a.truth().tellings.len() - 1_000;
    for no in 0..900 {
        scene.tell(&scene.a, first + no).await.expect("it is acknowledged all the same");
    }
    assert_eq!(scene.inbox().await, 600);
    // What is about ours is kept whatever else was sent.
    scene.tell(&scene.a, 0).await.expect("it is kept");
    assert_eq!(scene.inbox().await, 601);
    scene.later(601).await;
    assert_eq!(scene.inbox().await, 0);
    scene.tell(&scene.a, first + 900).await.expect("it is kept");
    assert_eq!(scene.inbox().await, 1);
}

async fn deliver_large(scene: &Scene, model: &Model, length: usize) -> ErrorKind {
    let (headers, body) = (HeaderMap::new(), vec![b'0'; length]);
    let received_at = scene.clock.now();
    let delivery =
        paymux_core::WebhookDelivery { endpoint: "", headers: &headers, body: &body, received_at };
    scene.orchestrator.ingest(model.id(), &delivery).await.unwrap_err().kind()
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_too_large_is_refused_unread() {
    let scene = Scene::new(Kind::Steps, Kind::Page);
    assert_eq!(deliver_large(&scene, &scene.a, 256 * 1024).await, ErrorKind::InvalidSignature);
    assert_eq!(deliver_large(&scene, &scene.a, 256 * 1024 + 1).await, ErrorKind::InvalidRequest);
}

/// The store went away, or the process, between the event and what tells of it.
#[tokio::test(start_paused = true)]
async fn a_contradiction_that_was_not_told_is_told_when_it_comes_again() {
    let scene = Scene::new(Kind::Invoice, Kind::Page);
    scene.create(order()).await;
    scene.deliver(&scene.a, "0").await.expect("it is kept");
    scene.later(1).await;
    scene.weather.loses_next_event.store(true, Ordering::SeqCst);
    let error = scene.deliver(&scene.a, "00").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "so that it is sent again");
    for _ in 0..2 {
        scene.deliver(&scene.a, "00").await.expect("it is kept");
    }
    let kinds = scene.kinds_told().await;
    let told = kinds.iter().filter(|kind| *kind == "webhook.contradiction").count();
    assert_eq!(told, 1, "{kinds:?}");
}

/// One delivery of two events: what the one contradicts is about another payment than the other.
#[tokio::test(start_paused = true)]
async fn a_contradiction_is_looked_at_beside_what_came_with_it() {
    let scene = Scene::new(Kind::Page, Kind::Page);
    let first = scene.create(order()).await;
    scene.deliver(&scene.a, "0").await.expect("it is kept");
    scene.later(1).await;
    let other = scene.orchestrator.create_payment(&key("other"), &order()).await;
    let other = other.expect("a payment");
    scene.a.pay("a-obj1");
    scene.a.pay("a-obj2");
    scene.clock.advance(Duration::from_secs(1));
    scene.deliver(&scene.a, "0+3").await.expect("it is kept");
    scene.later(1).await;
    for record in [first, other] {
        assert!(scene.now(&record).await.is_paid(), "{record:#?}");
    }
}

/// What waited for a consent when it was given up waits for it still, and shows no money.
#[tokio::test(start_paused = true)]
async fn an_event_about_what_was_given_up_has_it_read_with_all_that_is_known_of_it() {
    let scene = Scene::new(Kind::Careless, Kind::Card).meeting(&[Fault::Nothing, Fault::Declined]);
    let record = scene.create(order()).await;
    assert!(record.is_paid() && record.account() == Some(scene.b.id()), "{record:#?}");
    scene.clock.advance(Duration::from_secs(1));
    let looks = scene.a.truth().looks;
    // What is signed and fresh is believed; what reuses a key is asked for.
    for body in ["0", "00"] {
        scene.deliver(&scene.a, body).await.expect("it is kept");
        scene.later(1).await;
    }
    assert_eq!(scene.a.truth().looks, looks + 1);
    let record = scene.now(&record).await;
    assert_eq!(reasons(&record), [], "{record:#?}");
}

/// Whoever sends one event again and again has one kept, and others have their room.
#[tokio::test(start_paused = true)]
async fn what_comes_again_takes_no_room_from_others() {
    let scene = Scene::new(Kind::Steps, Kind::Page);
    scene.create(order()).await;
    scene.strangers(2);
    let first = scene.a.truth().tellings.len() - 2;
    for _ in 0..700 {
        scene.tell(&scene.a, first).await.expect("it is acknowledged");
    }
    assert_eq!(scene.inbox().await, 1);
    scene.tell(&scene.a, first + 1).await.expect("it is kept");
    assert_eq!(scene.inbox().await, 2);
}
