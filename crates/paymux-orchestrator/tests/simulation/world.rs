//! A world: a merchant, two providers, a payer, forgers, a network and a store that err, and one to
//! four processes on that store that die, sleep and overtake each other.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use paymux_core::{
    Clock, Currency, ManualClock, PaymentProvider, ProviderId, Timestamp, WebhookDelivery,
};
use paymux_orchestrator::{
    PaymentId, PaymentRecord,
    store::{PaymentQuery, Store, memory::MemoryStore},
};

use super::{
    bugs::Bug,
    dice::{Broken, Dice},
    node::{Node, Parts},
    provider::{Model, Surroundings},
    shaky::{Shaky, Weather},
    truth::{FAULTS, Kind, Telling},
};

const TICKS: u32 = 70;

/// What the merchant was told, by order.
type Told = Arc<Mutex<BTreeMap<u32, PaymentId>>>;

/// What a world is like beside its providers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// How many processes there are.
    pub(crate) nodes: u32,
    /// Does the store fail, or never?
    pub(crate) store_fails: bool,
    /// Do others go first as often everywhere?
    pub(crate) is_steady: bool,
}

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) dice: Dice,
    clock: Arc<ManualClock>,
    pub(crate) written: Arc<MemoryStore>,
    pub(crate) weather: Weather,
    pub(crate) broken: Broken,
    pub(crate) models: Vec<Model>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) told: Told,
    bug: Option<Bug>,
    deaths: u32,
    trace: bool,
}

impl World {
    pub(crate) fn new(seed: u64, kinds: [Kind; 2], size: Size, bug: Option<Bug>) -> Self {
        let dice = if size.is_steady { Dice::steady(seed) } else { Dice::new(seed) };
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_800_000_000)));
        let written = Arc::new(MemoryStore::default());
        let broken = Broken::default();
        let around = Surroundings {
            dice: dice.clone(),
            clock: clock.clone(),
            written: written.clone(),
            broken: broken.clone(),
        };
        let models =
            vec![Model::new("a", kinds[0], around.clone()), Model::new("b", kinds[1], around)];
        let is_bad = Arc::new(AtomicBool::new(size.store_fails));
        let mut world = Self {
            seed,
            dice,
            clock,
            written,
            weather: Weather { is_bad, ..Weather::default() },
            broken,
            models,
            nodes: Vec::new(),
            told: Arc::default(),
            bug,
            deaths: 0,
            trace: std::env::var("PAYMUX_SEED").is_ok(),
        };
        world.nodes = (0..size.nodes).map(|place| world.start(place)).collect();
        world
    }

    fn start(&self, place: u32) -> Node {
        let store = Shaky {
            written: self.written.clone(),
            dice: self.dice.clone(),
            weather: self.weather.clone(),
            broken: self.broken.clone(),
            bug: self.bug,
            held: Mutex::default(),
        };
        Node::start(Parts {
            name: format!("node-{place}-{}", self.deaths),
            store,
            models: &self.models,
            clock: self.clock.clone(),
            seed: self.seed ^ (u64::from(place) << 32) ^ (u64::from(self.deaths) << 40),
        })
    }

    pub(crate) fn say(&self, words: impl Fn() -> String) {
        if self.trace {
            println!("[seed {}] {} {}", self.seed, self.clock.now(), words());
        }
    }

    /// Somewhere: one of the nodes, asleep or not.
    pub(crate) fn somewhere(&self) -> usize {
        self.dice.index(self.nodes.len())
    }

    /// The busy time: everything happens, and everything goes wrong.
    pub(crate) fn run(&mut self) {
        for _ in 0..TICKS {
            self.maybe_fault();
            match self.dice.roll(18) {
                0..=3 => self.order(),
                4 | 5 => self.payer(),
                6 | 7 => self.webhook(),
                8..=10 => self.step(),
                11 | 12 => self.operate(),
                13 => self.advance(),
                14 => self.provider_goes_on(),
                15 => self.die(),
                16 => self.sleep_or_wake(),
                _ => self.forge(),
            }
            for _ in 0..self.dice.roll(6) {
                let node = &self.nodes[self.somewhere()];
                if !node.sleeps {
                    node.run(1 + self.dice.roll(25));
                }
            }
            self.never_twice();
            if self.broken.first().is_some() {
                return;
            }
        }
    }

    fn maybe_fault(&self) {
        if !self.dice.one_in(3) {
            return;
        }
        let model = &self.models[self.dice.index(2)];
        let fault = self.dice.pick(&FAULTS);
        self.say(|| format!("the next call at {:?} meets {fault:?}", model.kind));
        let mut truth = model.truth();
        truth.faults.push_back(fault);
        if self.dice.one_in(15) {
            truth.down = !truth.down;
        }
    }

    /// A payer pays what the merchant was told to show.
    fn payer(&self) {
        for record in self.records() {
            let (Some(payment), true) = (&record.provider, record.next_action().is_some()) else {
                continue;
            };
            if self.dice.one_in(3) {
                let model = self.models.iter().find(|model| *model.id() == payment.provider);
                self.say(|| format!("the payer pays {}", payment.id));
                model.expect("a model").pay(payment.id.as_str());
            }
        }
    }

    /// A provider tells something: the newest, or something old, for the first time or again.
    fn webhook(&mut self) {
        let model = self.models[self.dice.index(2)].clone();
        let count = model.truth().tellings.len();
        if count > 0 {
            let back = self.dice.index(count.min(4));
            let old = self.dice.one_in(4);
            let place = if old { self.dice.index(count) } else { count - 1 - back };
            self.tell(&model, place);
        }
    }

    fn tell(&mut self, model: &Model, telling: usize) {
        self.say(|| format!("{:?} tells {:?}", model.kind, model.truth().tellings[telling]));
        let place = self.somewhere();
        self.tell_to(place, model, telling);
    }

    pub(crate) fn tell_to(&mut self, place: usize, model: &Model, telling: usize) {
        self.deliver(place, model, telling.to_string(), {
            let model = model.clone();
            move |result: paymux_core::Result<&'static str>| {
                if result.is_ok() {
                    model.truth().told.insert(telling);
                }
                true
            }
        });
    }

    /// Somebody else tells something: it must not be believed.
    fn forge(&mut self) {
        let model = self.models[self.dice.index(2)].clone();
        let count = model.truth().tellings.len();
        if count == 0 {
            return;
        }
        let lie = self.dice.pick(&["authorized", "succeeded"]);
        let body = format!("{} {lie}", self.dice.index(count));
        let place = self.somewhere();
        let signed = model.capabilities().webhook_trust > paymux_core::Trust::Unsigned;
        self.say(|| format!("somebody tells lies to {:?}: {body}", model.kind));
        self.deliver(place, &model, body, move |result| !signed || result.is_err());
    }

    fn deliver(
        &mut self,
        place: usize,
        model: &Model,
        body: String,
        is_right: impl FnOnce(paymux_core::Result<&'static str>) -> bool + Send + 'static,
    ) {
        let (account, received_at) = (model.id().clone(), self.clock.now());
        let orchestrator = self.nodes[place].orchestrator.clone();
        let broken = self.broken.clone();
        self.nodes[place].begin(async move {
            let headers = http::HeaderMap::new();
            let body = body.as_bytes();
            let delivery = WebhookDelivery { endpoint: "", headers: &headers, body, received_at };
            let result = orchestrator.ingest(&account, &delivery).await;
            if !is_right(result) {
                broken.note("a forged delivery was accepted".to_owned());
            }
        });
    }

    fn step(&mut self) {
        let place = self.somewhere();
        self.step_at(place);
    }

    pub(crate) fn step_at(&mut self, place: usize) {
        let orchestrator = self.nodes[place].orchestrator.clone();
        self.nodes[place].begin(async move {
            // A store that fails is no news here.
            let _ = orchestrator.step().await;
        });
    }

    fn advance(&self) {
        let seconds = self.dice.pick(&[1, 7, 40, 200, 2_000, 90_000, 90_000]);
        self.pass(Duration::from_secs(seconds));
    }

    pub(crate) fn pass(&self, span: Duration) {
        self.say(|| format!("{} s pass", span.as_secs()));
        self.clock.advance(span);
        for node in self.nodes.iter().filter(|node| !node.sleeps) {
            node.advance(span);
        }
    }

    /// What was on its way at a provider arrives, and now and then something else happens there.
    fn provider_goes_on(&self) {
        let model = &self.models[self.dice.index(2)];
        let fails = self.dice.one_in(4);
        self.say(|| format!("{:?} goes on", model.kind));
        let mut truth = model.truth();
        truth.finish(fails);
        if self.dice.one_in(3) {
            truth.tellings.push(Telling::Payout);
        }
    }

    fn die(&mut self) {
        let place = self.somewhere();
        self.kill(place);
    }

    /// A process dies in the middle of whatever it is doing, and another one starts.
    pub(crate) fn kill(&mut self, place: usize) {
        self.say(|| format!("node {place} dies"));
        self.deaths += 1;
        self.nodes[place] = self.start(u32::try_from(place).expect("few"));
    }

    fn sleep_or_wake(&mut self) {
        let place = self.somewhere();
        self.nodes[place].sleeps = !self.nodes[place].sleeps;
        self.say(|| format!("node {place} sleeps: {}", self.nodes[place].sleeps));
    }

    /// The faults stop, and time passes.
    pub(crate) fn settle(&mut self) {
        self.say(|| "the faults stop".to_owned());
        self.weather.is_bad.store(false, Ordering::SeqCst);
        for model in &self.models {
            let mut truth = model.truth();
            truth.faults.clear();
            truth.down = false;
        }
        for node in &mut self.nodes {
            node.sleeps = false;
            node.come_to_rest();
        }
        for round in 0..60 {
            if round < 3 {
                self.provider_goes_on();
                self.webhook();
                self.webhook();
            }
            for model in &self.models {
                model.truth().finish(false);
            }
            for node in &mut self.nodes {
                node.come_to_rest();
                let stepped = node.finish(node.orchestrator.step());
                if let Err(error) = stepped {
                    self.broken.note(format!("a step failed with a store that works: {error}"));
                }
            }
            self.never_twice();
            if self.broken.first().is_some() || (round > 6 && self.is_quiet()) {
                return;
            }
            let span = [3, 20, 90, 400, 2_000, 9_000, 100_000][(round / 3).min(6)];
            self.pass(Duration::from_secs(span));
        }
    }

    /// The payer's money: at no time is it taken twice for one order, or given back twice.
    fn never_twice(&self) {
        let mut charges: BTreeMap<String, u32> = BTreeMap::new();
        for model in &self.models {
            let truth = model.truth();
            for object in truth.objects.values() {
                let (payment, _) = object.reference.as_str().rsplit_once('-').expect("ours");
                let sum = charges.entry(payment.to_owned()).or_default();
                *sum += object.charges;
                if *sum > 1 {
                    self.broken.note(format!("I1: {payment} was charged twice: {object:?}"));
                }
            }
            for (place, refund) in truth.refunds.iter().enumerate() {
                if truth.refunds[..place].iter().any(|other| other.reference == refund.reference) {
                    self.broken.note(format!("I1: given back twice: {refund:?}"));
                }
            }
        }
    }

    pub(crate) fn records(&self) -> Vec<PaymentRecord> {
        let query = PaymentQuery { limit: 100, ..PaymentQuery::default() };
        let rows = self.nodes[0].finish(self.written.list(&query)).expect("memory");
        let read = |document: &str| serde_json::from_str(document).expect("a record");
        rows.iter().map(|row| read(&row.document)).collect()
    }

    pub(crate) fn model(&self, id: &ProviderId) -> &Model {
        self.models.iter().find(|model| model.id() == id).expect("a model")
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn deaths(&self) -> u32 {
        self.deaths
    }
}

pub(crate) fn eur() -> Currency {
    Currency::iso("EUR").unwrap()
}
