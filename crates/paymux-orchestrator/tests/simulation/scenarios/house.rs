//! What a process does by itself, beside what is due.

use std::{sync::Arc, time::Duration};

use paymux_core::SeededRandom;
use paymux_orchestrator::{Housekeeping, Orchestrator, PaymentRecord, ReviewReason, store::Store};
use tokio::sync::oneshot;

use super::{Scene, order, reasons};
use crate::simulation::truth::Kind;

const HOUR: u64 = 3_600;

/// A payment that its provider has lost, and somebody who runs on its store.
async fn lost(housekeeping: Housekeeping) -> (Scene, PaymentRecord, Running) {
    let scene = Scene::new(Kind::Card, Kind::Page);
    let record = scene.create(order()).await;
    scene.a.truth().objects.clear();
    let orchestrator = Orchestrator::builder(scene.written.clone())
        .clock(scene.clock.clone())
        .random(Arc::new(SeededRandom::new(11)))
        .account(scene.a.clone())
        .account(scene.b.clone())
        .housekeeping(housekeeping)
        .build()
        .expect("accounts that fit");
    let (stop, stopped) = oneshot::channel::<()>();
    let run = tokio::spawn(async move {
        orchestrator
            .run(async move {
                // Whoever drops the other end stops it, too.
                let _ = stopped.await;
            })
            .await;
    });
    (scene, record, Running { stop, run })
}

struct Running {
    stop: oneshot::Sender<()>,
    run: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn stop(self) {
        self.stop.send(()).expect("it runs");
        self.run.await.expect("it ends");
    }
}

impl Scene {
    /// So much time passes while somebody else runs.
    async fn pass(&self, seconds: u64) {
        // It has begun, and has looked at the clock.
        tokio::time::sleep(Duration::from_secs(3)).await;
        self.clock.advance(Duration::from_secs(seconds));
        tokio::time::sleep(Duration::from_secs(10)).await;
    }

    async fn remembers_the_key(&self) -> bool {
        self.written.find_caller_key("create:order").await.expect("memory").is_some()
    }
}

#[tokio::test(start_paused = true)]
async fn the_books_are_compared_and_what_is_old_is_forgotten() {
    let (scene, record, running) = lost(Housekeeping::default()).await;
    scene.pass(600).await;
    assert_eq!(reasons(&scene.now(&record).await), [], "nothing is due yet");
    scene.pass(600).await;
    assert_eq!(reasons(&scene.now(&record).await), [ReviewReason::Contradiction]);
    assert!(scene.remembers_the_key().await);
    scene.pass(31 * 24 * HOUR).await;
    assert!(!scene.remembers_the_key().await);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn once_a_day_the_books_of_a_longer_time_are_compared() {
    let mut rarely = Housekeeping::none();
    rarely.compare_longer = Housekeeping::default().compare_longer;
    let (scene, record, running) = lost(rarely).await;
    scene.pass(4 * HOUR).await;
    assert_eq!(reasons(&scene.now(&record).await), [], "nothing is due yet");
    scene.pass(24 * HOUR).await;
    assert_eq!(reasons(&scene.now(&record).await), [ReviewReason::Contradiction]);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn none_of_it_is_done_where_it_is_switched_off() {
    let (scene, record, running) = lost(Housekeeping::none()).await;
    for _ in 0..3 {
        scene.pass(20 * 24 * HOUR).await;
    }
    assert_eq!(reasons(&scene.now(&record).await), []);
    assert!(scene.remembers_the_key().await);
    running.stop().await;
}
