//! A world: a merchant, two providers, a payer, a network that errs, and processes that die.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use paymux_core::{
    CaptureMethod, Currency, ManualClock, Money, PaymentStatus, ProviderId, Random, Reference,
    SeededRandom, Timestamp, WebhookDelivery,
};
use paymux_orchestrator::{
    AttemptState, NewCapture, NewPayment, NewRefund, Orchestrator, PaymentId, PaymentRecord,
    store::{PaymentQuery, Store, memory::MemoryStore},
};

use super::provider::{Fault, Kind, Model, key};

const TICKS: u32 = 40;
const ORDERS: u32 = 4;

pub(crate) struct World {
    seed: u64,
    dice: SeededRandom,
    clock: Arc<ManualClock>,
    random: Arc<dyn Random>,
    store: Arc<dyn Store>,
    models: Vec<Model>,
    orders: BTreeMap<u32, PaymentId>,
    tellings: u32,
    restarts: u32,
    runtime: tokio::runtime::Runtime,
    orchestrator: Orchestrator,
    trace: bool,
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
}

impl World {
    pub(crate) fn new(seed: u64, kinds: [Kind; 2]) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(seed ^ 0x5eed));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let models = vec![Model::new("a", kinds[0]), Model::new("b", kinds[1])];
        let orchestrator = start(&store, &models, &clock, &random);
        Self {
            seed,
            dice: SeededRandom::new(seed),
            clock,
            random,
            store,
            models,
            orders: BTreeMap::new(),
            tellings: 0,
            restarts: 0,
            runtime: runtime(),
            orchestrator,
            trace: std::env::var("PAYMUX_SEED").is_ok(),
        }
    }

    fn roll(&self, sides: u32) -> u32 {
        let mut bytes = [0_u8; 4];
        self.dice.fill(&mut bytes);
        u32::from_le_bytes(bytes) % sides
    }

    fn say(&self, words: impl Fn() -> String) {
        if self.trace {
            println!("[seed {}] {}", self.seed, words());
        }
    }

    /// The busy time: everything happens, and everything goes wrong.
    pub(crate) fn run(&mut self) {
        for _ in 0..TICKS {
            self.maybe_fault();
            match self.roll(12) {
                0..=3 => self.order(),
                4 | 5 => self.payer(),
                6 => self.webhooks(),
                7 | 8 => self.step(),
                9 => self.operate(),
                10 => self.advance(),
                _ => self.maybe_restart(),
            }
            self.never_twice();
        }
    }

    fn maybe_fault(&self) {
        if self.roll(2) == 0 {
            return;
        }
        const FAULTS: [Fault; 7] = [
            Fault::NotSent,
            Fault::LostBefore,
            Fault::LostAfter,
            Fault::ActsLater,
            Fault::Declined,
            Fault::DeclinedHard,
            Fault::HangsAfter,
        ];
        let model = &self.models[self.roll(2) as usize];
        let fault = FAULTS[self.roll(7) as usize];
        self.say(|| format!("the next call at {:?} meets {fault:?}", model.kind));
        let mut truth = model.truth();
        truth.faults.push(fault);
        if self.roll(15) == 0 {
            truth.down = !truth.down;
        }
    }

    fn order(&mut self) {
        let no = self.roll(ORDERS);
        let amount = Money::new(1_000 + i128::from(no), eur()).unwrap();
        let reference = Reference::new(format!("order-{no}")).unwrap();
        let mut request = NewPayment::new(reference, amount, "a thing");
        if no == 3 {
            request.capture = CaptureMethod::Manual;
        }
        let key = key(&format!("key-{no}"));
        let orchestrator = self.orchestrator.clone();
        let made =
            self.runtime.block_on(async move { orchestrator.create_payment(&key, &request).await });
        self.say(|| match &made {
            Ok(record) => format!("order {no} is {} {}", record.id, record.status),
            Err(error) => format!("order {no}: {error}"),
        });
        if let Ok(record) = made {
            let known = self.orders.entry(no).or_insert_with(|| record.id.clone());
            assert_eq!(*known, record.id, "seed {}: one key made two payments", self.seed);
        }
    }

    /// A payer pays what the merchant was told to show.
    fn payer(&self) {
        for record in self.records() {
            let (Some(payment), true) = (&record.provider, record.next_action().is_some()) else {
                continue;
            };
            if self.roll(3) == 0 {
                let model = self.models.iter().find(|model| is(model, &payment.provider));
                self.say(|| format!("the payer pays {}", payment.id));
                model.expect("a model").pay(payment.id.as_str());
            }
        }
    }

    /// The providers tell us what is new: some of it twice, some of it not at all.
    fn webhooks(&mut self) {
        for model in self.models.clone() {
            let news = std::mem::take(&mut model.truth().news);
            for object in news {
                let times = match self.roll(4) {
                    0 => 0,
                    1 => 2,
                    _ => 1,
                };
                self.tellings += 1;
                let endpoint = self.tellings.to_string();
                for _ in 0..times {
                    let delivery = WebhookDelivery {
                        endpoint: &endpoint,
                        headers: &http::HeaderMap::new(),
                        body: object.as_bytes(),
                        received_at: self.now(),
                    };
                    let id = paymux_core::PaymentProvider::id(&model);
                    let told = self.runtime.block_on(self.orchestrator.ingest(id, &delivery));
                    assert!(told.is_ok(), "seed {}: {told:?}", self.seed);
                }
            }
        }
    }

    fn step(&self) {
        let stepped = self.runtime.block_on(self.orchestrator.step());
        self.say(|| format!("stepped: {stepped:?}"));
        stepped.expect("a store that works");
    }

    /// The merchant does something with one of its payments.
    fn operate(&self) {
        let records = self.records();
        if records.is_empty() {
            return;
        }
        let record = &records[self.roll(u32::try_from(records.len()).unwrap()) as usize];
        let key = key(&format!("operation-{}", self.roll(6)));
        let orchestrator = &self.orchestrator;
        let (what, result) = self.runtime.block_on(async {
            match (record.status, self.roll(3)) {
                (PaymentStatus::Authorized, 0 | 1) => {
                    let all = NewCapture::default();
                    ("capture", orchestrator.capture_payment(&key, &record.id, all).await)
                }
                (PaymentStatus::Succeeded, 0 | 1) => {
                    let amount = Some(Money::new(400, eur()).unwrap());
                    let refund = NewRefund { amount, ..NewRefund::default() };
                    let done = orchestrator.create_refund(&key, &record.id, refund).await;
                    ("refund", done.map(|(record, _)| record))
                }
                (_, 2) => ("cancel", orchestrator.cancel_payment(&key, &record.id).await),
                _ => ("fetch", orchestrator.fetch_payment(&record.id).await),
            }
        });
        self.say(|| {
            format!("{what} {}: {:?}", record.id, result.as_ref().map(|record| record.status))
        });
    }

    fn advance(&self) {
        let seconds = [1, 7, 40, 200, 2_000][self.roll(5) as usize];
        self.say(|| format!("{seconds} s pass"));
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The process dies in the middle of whatever it is doing, and another one starts.
    fn maybe_restart(&mut self) {
        if self.roll(2) == 0 {
            return;
        }
        let no = self.roll(ORDERS);
        self.say(|| format!("the process dies while it makes order {no}"));
        let amount = Money::new(1_000 + i128::from(no), eur()).unwrap();
        let reference = Reference::new(format!("order-{no}")).unwrap();
        let mut request = NewPayment::new(reference, amount, "a thing");
        if no == 3 {
            request.capture = CaptureMethod::Manual;
        }
        let key = key(&format!("key-{no}"));
        let orchestrator = self.orchestrator.clone();
        let turns = self.roll(8);
        self.runtime.block_on(async move {
            let _task = tokio::spawn(async move {
                let _ = orchestrator.create_payment(&key, &request).await;
            });
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
        });
        self.restarts += 1;
        self.runtime = runtime();
        self.orchestrator = start(&self.store, &self.models, &self.clock, &self.random);
        for record in self.records() {
            let no = record.request.reference.as_str().trim_start_matches("order-").parse();
            self.orders.entry(no.expect("our reference")).or_insert(record.id);
        }
    }

    /// The faults stop, and time passes.
    pub(crate) fn settle(&mut self) {
        for model in &self.models {
            let mut truth = model.truth();
            truth.faults.clear();
            truth.down = false;
        }
        self.say(|| "the faults stop".to_owned());
        for round in 0..60 {
            self.webhooks();
            self.step();
            if round > 6 && self.is_quiet() {
                return;
            }
            let span = [3, 20, 90, 400, 2_000, 9_000, 40_000][(round / 3).min(6)];
            self.clock.advance(Duration::from_secs(span));
            self.never_twice();
        }
    }

    /// Is everything settled, or with a person?
    fn is_quiet(&self) -> bool {
        let news = self.models.iter().any(|model| !model.truth().news.is_empty());
        let is_settled = |record: &PaymentRecord| {
            let waits = record.open_attempt().is_some() || record.cancel_wanted;
            record.status.is_final() && record.open_attempt().is_none()
                || !record.reviews.is_empty()
                || (!waits
                    && record.status == PaymentStatus::RequiresAction
                    && self.objects_of(record).iter().all(|object| object.captured == 0))
        };
        !news && self.records().iter().all(is_settled)
    }

    /// The payer's money: at no time is it taken twice for one order.
    fn never_twice(&self) {
        let mut charges: BTreeMap<String, u32> = BTreeMap::new();
        for model in &self.models {
            for object in model.truth().objects.values() {
                let (payment, _) = object.reference.as_str().rsplit_once('-').expect("ours");
                let sum = charges.entry(payment.to_owned()).or_default();
                *sum += object.charges;
                assert!(*sum <= 1, "seed {}: {payment} was charged twice: {object:#?}", self.seed);
                assert!(
                    object.refunded <= object.captured,
                    "seed {}: more given back than taken: {object:#?}",
                    self.seed
                );
            }
        }
    }

    fn objects_of(&self, record: &PaymentRecord) -> Vec<super::provider::Object> {
        let mut objects = Vec::new();
        for model in &self.models {
            let truth = model.truth();
            objects.extend(
                truth
                    .objects
                    .values()
                    .filter(|object| object.reference.as_str().starts_with(record.id.as_str()))
                    .cloned(),
            );
        }
        objects
    }

    /// What is ours is what is true. Returns what this run has met.
    pub(crate) fn check(&self) -> Vec<String> {
        let mut met = Vec::new();
        let records = self.records();
        assert_eq!(records.len(), self.orders.len(), "seed {}: payments were lost", self.seed);
        for record in &records {
            let objects = self.objects_of(record);
            let captured: i128 = objects.iter().map(|object| object.captured).sum();
            let refunded: i128 = objects.iter().map(|object| object.refunded).sum();
            let amounts = record.provider.as_ref().map(|payment| payment.amounts.clone());
            let ours = amounts.clone().and_then(|amounts| amounts.captured).map_or(0, Money::minor);
            let back = amounts.and_then(|amounts| amounts.refunded).map_or(0, Money::minor);
            let looked_at = !record.reviews.is_empty();
            let same = ours == captured && back == refunded;
            assert!(
                same || looked_at,
                "seed {}: {} took {captured} and gave {refunded} back, ours says {ours} and {back}\n{}",
                self.seed,
                record.id,
                self.explain(record)
            );
            let paid = captured >= record.request.amount.minor();
            assert!(
                looked_at || paid == (record.status == PaymentStatus::Succeeded),
                "seed {}: paid is {paid}\n{}",
                self.seed,
                self.explain(record)
            );
            let open = record.open_attempt();
            assert!(
                open.is_none() || looked_at,
                "seed {}: still open\n{}",
                self.seed,
                self.explain(record)
            );
            met.push(record.status.as_str().to_owned());
            let creates = record.attempts.iter().filter(|attempt| attempt.is_create()).count();
            met.extend((creates > 1).then(|| "failed over".to_owned()));
            let again = record.attempts.iter().any(|attempt| attempt.sends > 1);
            met.extend(again.then(|| "repeated".to_owned()));
            met.extend(looked_at.then(|| "review".to_owned()));
            met.extend((back > 0).then(|| "refunded".to_owned()));
            for attempt in &record.attempts {
                if attempt.state == AttemptState::Abandoned {
                    met.push("abandoned".to_owned());
                }
            }
            for review in &record.reviews {
                met.push(format!("review: {}", review.reason));
            }
        }
        met.extend((self.restarts > 0).then(|| "restarted".to_owned()));
        met
    }

    fn explain(&self, record: &PaymentRecord) -> String {
        let explanation = self.runtime.block_on(self.orchestrator.explain(&record.id));
        explanation.map_or_else(|error| error.to_string(), |page| page.to_string())
    }

    fn records(&self) -> Vec<PaymentRecord> {
        let query = PaymentQuery { limit: 100, ..PaymentQuery::default() };
        self.runtime.block_on(self.orchestrator.list_payments(&query)).expect("a store that works")
    }

    fn now(&self) -> Timestamp {
        paymux_core::Clock::now(&*self.clock)
    }
}

fn is(model: &Model, id: &ProviderId) -> bool {
    paymux_core::PaymentProvider::id(model) == id
}

fn start(
    store: &Arc<dyn Store>,
    models: &[Model],
    clock: &Arc<ManualClock>,
    random: &Arc<dyn Random>,
) -> Orchestrator {
    let mut builder = Orchestrator::builder(store.clone())
        .clock(clock.clone())
        .random(random.clone())
        .node("simulation");
    for model in models {
        builder = builder.account(model.clone());
    }
    builder.build().expect("accounts that fit")
}

fn eur() -> Currency {
    Currency::iso("EUR").unwrap()
}
