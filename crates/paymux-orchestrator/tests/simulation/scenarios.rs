//! Single stories, each with the fault that it is about, and no chance.

use std::{sync::Arc, time::Duration};

use http::HeaderMap;
use paymux_core::{
    ManualClock, Money, PaymentProvider, Reference, SeededRandom, Timestamp, WebhookDelivery,
};
use paymux_orchestrator::{
    NewPayment, Orchestrator, PaymentRecord, ReviewReason,
    store::{PaymentQuery, memory::MemoryStore},
};

use tokio::task::JoinHandle;

use super::{
    dice::{Broken, Dice},
    provider::{Model, Surroundings, key},
    shaky::{Shaky, Weather},
    truth::{Fault, Kind},
    world::eur,
};

mod asking;
mod books;
mod given_back;
mod house;
mod inbox;
mod keys;
mod late;
mod looks;
mod money;
mod person;
mod rest;
mod steps;
mod telemetry;
mod told;
mod unwanted;
mod watched;
mod ways;
mod words;

struct Scene {
    clock: Arc<ManualClock>,
    written: Arc<MemoryStore>,
    weather: Weather,
    broken: Broken,
    a: Model,
    b: Model,
    orchestrator: Orchestrator,
}

impl Scene {
    fn new(a: Kind, b: Kind) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
        let (written, broken) = (Arc::new(MemoryStore::default()), Broken::default());
        let around = Surroundings {
            dice: Dice::new(7),
            clock: clock.clone(),
            written: written.clone(),
            broken: broken.clone(),
        };
        let (a, b) = (Model::new("a", a, around.clone()), Model::new("b", b, around));
        let weather = Weather::default();
        let orchestrator = start(&written, &weather, &clock, [&a, &b]);
        Self { clock, written, weather, broken, a, b, orchestrator }
    }

    /// The next calls at the first account meet these faults.
    fn meeting(self, faults: &[Fault]) -> Self {
        self.a.truth().faults.extend(faults);
        self
    }

    /// There is no second account that a payment could go to.
    fn of_one_account(mut self) -> Self {
        self.orchestrator = Orchestrator::builder(self.written.clone())
            .clock(self.clock.clone())
            .random(Arc::new(SeededRandom::new(11)))
            .account(self.a.clone())
            .build()
            .expect("an account");
        self
    }

    /// Asks for the usual order, and comes back once the first account has its object: the answer
    /// is still to come.
    async fn begin_order(&self) -> JoinHandle<paymux_core::Result<PaymentRecord>> {
        let orchestrator = self.orchestrator.clone();
        let work = async move { orchestrator.create_payment(&key("order"), &order()).await };
        let call = tokio::spawn(work);
        while self.a.truth().objects.is_empty() {
            tokio::task::yield_now().await;
        }
        call
    }

    async fn create(&self, request: NewPayment) -> PaymentRecord {
        let made = self.orchestrator.create_payment(&key("order"), &request).await;
        made.expect("a payment")
    }

    async fn tell(&self, model: &Model, telling: usize) -> paymux_core::Result<&'static str> {
        self.deliver(model, &telling.to_string()).await
    }

    async fn deliver(&self, model: &Model, body: &str) -> paymux_core::Result<&'static str> {
        let received_at = paymux_core::Clock::now(&*self.clock);
        let (headers, body) = (HeaderMap::new(), body.as_bytes());
        let delivery = WebhookDelivery { endpoint: "", headers: &headers, body, received_at };
        self.orchestrator.ingest(model.id(), &delivery).await
    }

    /// So much time passes, and what is due is done.
    async fn later(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        while !self.orchestrator.step().await.expect("a store that works").is_idle() {}
    }

    async fn now(&self, record: &PaymentRecord) -> PaymentRecord {
        self.orchestrator.stored_payment(&record.id).await.expect("it is there")
    }

    async fn kinds_told(&self) -> Vec<String> {
        let events = self.orchestrator.events(0, 1_000).await.expect("a store that works");
        events.into_iter().map(|event| event.kind).collect()
    }
}

fn start(
    written: &Arc<MemoryStore>,
    weather: &Weather,
    clock: &Arc<ManualClock>,
    models: [&Model; 2],
) -> Orchestrator {
    let store = Shaky {
        written: written.clone(),
        dice: Dice::new(3),
        weather: weather.clone(),
        broken: Broken::default(),
        bug: None,
        held: std::sync::Mutex::default(),
    };
    let mut builder = Orchestrator::builder(Arc::new(store))
        .clock(clock.clone())
        .random(Arc::new(SeededRandom::new(5)))
        .node("here");
    for model in models {
        builder = builder.account(model.clone());
    }
    builder.build().expect("accounts that fit")
}

fn order() -> NewPayment {
    NewPayment::new(Reference::new("order-1").unwrap(), money(1_000), "a thing")
}

fn money(minor: i128) -> Money {
    Money::new(minor, eur()).unwrap()
}

fn reasons(record: &PaymentRecord) -> Vec<ReviewReason> {
    record.reviews.iter().map(|review| review.reason).collect()
}

fn everything() -> PaymentQuery {
    PaymentQuery { limit: 9, ..PaymentQuery::default() }
}
