//! What anybody can send, what comes under a key that was used before, and what is nobody's.

use std::{sync::Arc, time::Duration};

use http::HeaderMap;
use paymux_core::{
    Clock, ErrorKind, EventKey, PaymentProvider, PaymentStatus, SeededRandom, Trust,
};
use paymux_orchestrator::{
    Orchestrator,
    store::{InboxRow, Store},
};

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
    scene.clock.advance(Duration::from_secs(100));
    assert_eq!(scene.orchestrator.step().await.unwrap().events, 1);
    assert_eq!((scene.inbox().await, scene.a.truth().looks), (0, looks));
    scene.later(25 * 3_600).await;
    assert_eq!(scene.kinds_told().await, told);
}

/// An unsigned event can come before the answer that names its object, too.
#[tokio::test(start_paused = true)]
async fn an_unsigned_event_that_comes_first_waits_for_the_answer() {
    let scene = Scene::new(Kind::Steps, Kind::Page).meeting(&[Fault::Slow]);
    let orchestrator = scene.orchestrator.clone();
    let call =
        tokio::spawn(async move { orchestrator.create_payment(&key("order"), &order()).await });
    while scene.a.truth().objects.is_empty() {
        tokio::task::yield_now().await;
    }
    scene.tell(&scene.a, 0).await.expect("it is kept");
    let record = call.await.unwrap().expect("a payment");
    let looks = scene.a.truth().looks;
    scene.later(100).await;
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
