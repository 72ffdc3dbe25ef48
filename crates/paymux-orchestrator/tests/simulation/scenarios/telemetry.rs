//! What can be measured and read from outside, and what must not be found there.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use paymux_core::{Clock, Customer, PaymentProvider, Timestamp, Url};
use tracing::{Event, Subscriber, field::Visit, span};

use super::{Scene, looks::after_an_outage, order};
use crate::simulation::{
    provider::{WORDS, key},
    truth::{Fault, Kind},
};

/// Everything that was measured: the values by name and labels.
#[derive(Clone, Default)]
struct Measured(Arc<Mutex<BTreeMap<String, Vec<f64>>>>);

struct One {
    name: String,
    all: Measured,
}

impl One {
    fn add(&self, value: f64) {
        self.all.0.lock().unwrap().entry(self.name.clone()).or_default().push(value);
    }
}

impl CounterFn for One {
    fn increment(&self, value: u64) {
        self.add(u32::try_from(value).unwrap().into());
    }

    fn absolute(&self, value: u64) {
        CounterFn::increment(self, value);
    }
}

impl GaugeFn for One {
    // Ours are set, and never moved.
    fn increment(&self, _: f64) {}
    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        self.add(value);
    }
}

impl HistogramFn for One {
    fn record(&self, value: f64) {
        self.add(value);
    }
}

impl Measured {
    fn one(&self, key: &Key) -> Arc<One> {
        let labels = key.labels().map(|label| format!("{}={}", label.key(), label.value()));
        let name = std::iter::once(key.name().to_owned()).chain(labels);
        Arc::new(One { name: name.collect::<Vec<_>>().join(" "), all: self.clone() })
    }

    fn values(&self, name: &str) -> Vec<f64> {
        self.0.lock().unwrap().get(name).cloned().unwrap_or_default()
    }

    fn last(&self, name: &str) -> Option<f64> {
        self.values(name).last().copied()
    }
}

impl Recorder for Measured {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.one(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.one(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.one(key))
    }
}

/// Everything that was said: spans and events with all their fields.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<String>>, Arc<AtomicU64>);

impl Visit for Said {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        write!(self.0.lock().unwrap(), " {field}={value:?}").unwrap();
    }
}

impl Said {
    fn begin(&self, what: &str) {
        write!(self.0.lock().unwrap(), "\n{what}").unwrap();
    }
}

impl Subscriber for Said {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("paymux")
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        self.begin(attributes.metadata().name());
        attributes.record(&mut self.clone());
        span::Id::from_u64(self.1.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        self.begin(event.metadata().level().as_str());
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Plays a scene, and gives what was measured and said meanwhile.
fn listening(scene: impl Future<Output = ()>) -> (Measured, String) {
    let (measured, said) = (Measured::default(), Said::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    tracing::subscriber::with_default(said.clone(), || {
        // What another test's thread says first, at the moment at which this one begins to listen,
        // would be taken for something nobody listens to.
        let mut scene = pin!(scene);
        let scene = std::future::poll_fn(|context| {
            tracing::callsite::rebuild_interest_cache();
            scene.as_mut().poll(context)
        });
        metrics::with_local_recorder(&measured, || runtime.block_on(scene));
    });
    let text = said.0.lock().unwrap().clone();
    (measured, text)
}

#[test]
fn every_outcome_of_a_call_is_counted() {
    let (measured, said) = listening(async {
        let scene = Scene::new(Kind::Card, Kind::Card);
        let faults: [&[Fault]; 4] =
            [&[Fault::Nothing], &[Fault::Declined], &[Fault::NotSent], &[Fault::LostAfter]];
        for (no, faults) in faults.iter().enumerate() {
            scene.a.truth().faults.extend(*faults);
            let made = scene.orchestrator.create_payment(&key(&format!("{no}")), &order()).await;
            assert!(made.expect("a payment").is_paid());
        }
    });
    let count = |account: &str, outcome: &str| {
        let labels = format!("account={account} operation=create_payment outcome={outcome}");
        measured.values(&format!("paymux_attempts_total {labels}")).len()
    };
    let counts = ["answered", "declined", "not_sent", "in_doubt"].map(|word| count("a", word));
    assert_eq!(counts, [2, 1, 1, 1], "the last one is answered when it is sent again");
    assert_eq!(count("b", "answered"), 2);
    let span = "paymux.call account=a payment=pay_";
    assert!(said.contains(span) && said.contains(" attempt=1 send=2"), "{said}");
}

#[test]
fn a_doubt_is_measured_from_the_first_send_to_its_end() {
    let (measured, _) = listening(async {
        let (scene, record) = after_an_outage(Kind::Invoice, &[Fault::LostAfter]).await;
        let record = scene.orchestrator.fetch_payment(&record.id).await.expect("a payment");
        assert!(!record.in_doubt());
    });
    // 8 s, 45 s and 180 s of the outage, and 6 s after it.
    assert_eq!(measured.values("paymux_doubt_seconds account=a"), [239.0]);
}

#[test]
fn what_the_breaker_keeps_back_is_counted_and_the_breaker_shown() {
    let (measured, _) = listening(async {
        let scene = Scene::new(Kind::Card, Kind::Card).with_a_touchy_breaker();
        scene.a.truth().down = true;
        for no in ["1", "2"] {
            let made = scene.orchestrator.create_payment(&key(no), &order()).await;
            assert!(made.expect("a payment").is_paid());
        }
        scene.orchestrator.step().await.expect("a store that works");
    });
    let counted = "paymux_attempts_total account=a operation=create_payment outcome=not_sent";
    assert_eq!(measured.values(counted).len(), 2);
    assert_eq!(measured.last("paymux_breaker_open account=a"), Some(1.0));
    assert_eq!(measured.last("paymux_breaker_open account=b"), Some(0.0));
}

#[test]
fn what_comes_in_is_counted_by_what_became_of_it() {
    let (measured, _) = listening(async {
        let scene = Scene::new(Kind::Page, Kind::Card);
        scene.create(order()).await;
        for body in ["0", "0", "00"] {
            scene.deliver(&scene.a, body).await.expect("it is kept");
        }
        assert!(scene.deliver(&scene.a, "nonsense").await.is_err());
        assert!(scene.deliver(&scene.a, &"0".repeat(300_000)).await.is_err());
        scene.later(2).await;
    });
    let count = |name: &str| measured.values(name).len();
    assert_eq!(count("paymux_events_received_total account=a received=new"), 1);
    assert_eq!(count("paymux_events_received_total account=a received=duplicate"), 1);
    assert_eq!(count("paymux_events_received_total account=a received=contradiction"), 1);
    assert_eq!(count("paymux_deliveries_refused_total account=a why=forged"), 1);
    assert_eq!(count("paymux_deliveries_refused_total account=a why=too_large"), 1);
    let lag = |outcome| measured.values(&format!("paymux_inbox_lag_seconds account=a {outcome}"));
    let lags = [lag("outcome=applied"), lag("outcome=stale")].concat();
    assert_eq!(lags, [2.0, 2.0]);
}

/// An alarm that reads the last quiet moment is silent when it matters.
#[test]
fn what_waits_is_shown_while_there_is_always_something_to_do() {
    let (measured, _) = listening(async {
        let lost = [Fault::LostAfter, Fault::LostBefore];
        let scene = Scene::new(Kind::Card, Kind::Page).meeting(&lost);
        scene.create(order()).await;
        scene.a.truth().down = true;
        for no in 0..30 {
            scene.clock.advance(Duration::from_secs(2));
            scene.deliver(&scene.a, "0").await.expect("it is kept");
            let made = scene.orchestrator.create_payment(&key(&format!("{no}")), &order()).await;
            assert!(made.is_ok());
            scene.b.truth().tellings.push(crate::simulation::truth::Telling::Payout);
            let last = scene.b.truth().tellings.len() - 1;
            scene.tell(&scene.b, last).await.expect("it is kept");
            assert!(!scene.orchestrator.step().await.expect("a store that works").is_idle());
        }
    });
    assert_eq!(measured.last("paymux_payments_in_doubt"), Some(1.0));
    let shown = measured.values("paymux_payments_in_doubt").len();
    assert!((4..=5).contains(&shown), "every 15 s of a minute, and was {shown}");
    for name in ["paymux_payments_in_review", "paymux_payments_due", "paymux_inbox_waiting"] {
        assert_eq!(measured.values(name).len(), shown, "{name}");
    }
    assert!(measured.last("paymux_inbox_oldest_seconds").is_some());
}

#[test]
fn differences_are_counted() {
    let (measured, said) = listening(async {
        let scene = Scene::new(Kind::Card, Kind::Card);
        let record = scene.create(order()).await;
        scene.a.truth().objects.clear();
        let orchestrator = scene.orchestrator.clone();
        let run = tokio::spawn(async move { orchestrator.run(std::future::pending()).await });
        tokio::time::sleep(Duration::from_secs(3)).await;
        scene.clock.advance(Duration::from_secs(1_200));
        tokio::time::sleep(Duration::from_secs(3)).await;
        run.abort();
        assert!(!scene.now(&record).await.is_paid());
    });
    let counted = "paymux_differences_total account=a kind=ours_only";
    assert_eq!(measured.values(counted), [1.0]);
    assert!(said.contains("the books differ"), "{said}");
}

/// Nothing of a person, no key, no token and no words of a provider's about a payer.
#[test]
fn nothing_secret_is_measured_or_said() {
    let mut secrets = vec!["canary".to_owned(), "Canary".to_owned(), WORDS.to_owned()];
    let (measured, said) = listening(async {
        let scene = Scene::new(Kind::Page, Kind::Steps);
        let mut request = order();
        request.description = "a canary in a cage".to_owned();
        request.return_url = Some(Url::parse("https://shop.example/canary").unwrap());
        let options = serde_json::json!({ "model": { "token": "canary-option" } });
        request.options = serde_json::from_value(options).unwrap();
        request.metadata.insert("note".to_owned(), "canary-metadata".to_owned());
        let mut customer = Customer::new("canary-1");
        customer.email = Some("canary@example.com".to_owned());
        request.customer = Some(customer);
        let caller = key("canary-key");
        scene.a.truth().faults.extend([Fault::LostAfter, Fault::Nothing, Fault::LostBefore]);
        let record = scene.orchestrator.create_payment(&caller, &request).await.unwrap();
        let written = serde_json::to_value(&record).unwrap();
        let token = written["return_token"].as_str().unwrap().to_owned();
        let back =
            Url::parse(&format!("https://shop.example/canary?paymux_return={}.{token}", record.id));
        scene.clock.advance(Duration::from_secs(10));
        scene.orchestrator.read_return(&back.unwrap()).await.expect("its own");
        // A decline with the provider's words, and events whose reads fail with them.
        scene.a.truth().faults.extend([Fault::Declined]);
        scene.orchestrator.create_payment(&key("canary-2"), &request).await.unwrap();
        scene.a.pay("a-obj1");
        scene.a.truth().down = true;
        let last = scene.a.truth().tellings.len() - 1;
        scene.tell(&scene.a, last).await.expect("it is kept");
        scene.later(3).await;
        scene.tell(&scene.a, 0).await.expect("it is kept");
        scene.later(100).await;
        let (from, to) = (Timestamp::from_seconds(0), scene.clock.now());
        scene.orchestrator.reconcile(from, to).await.expect("a store that works");
        let key = written["attempts"][0]["intent"]["request"]["key"].as_str().unwrap();
        assert_eq!(key.len(), 32);
        SECRETS.lock().unwrap().extend([token, key.to_owned()]);
    });
    secrets.append(&mut SECRETS.lock().unwrap());
    assert_eq!(secrets.len(), 5);
    let names: Vec<String> = measured.0.lock().unwrap().keys().cloned().collect();
    let all = format!("{said}\n{}", names.join("\n"));
    assert!(all.contains("an event waits") && all.contains("paymux.look"), "{all}");
    for secret in secrets {
        assert!(!all.contains(&secret), "{secret} is said: {all}");
    }
}

/// What one scene hands out of itself.
static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[test]
fn the_models_have_words_to_leak() {
    let (_, _) = listening(async {
        let scene = Scene::new(Kind::Card, Kind::Card).meeting(&[Fault::Declined]);
        let record = scene.create(order()).await;
        let said = serde_json::to_string(&scene.now(&record).await).unwrap();
        assert!(said.contains(WORDS), "the record keeps them");
        assert_eq!(scene.b.id(), record.account().expect("it was taken elsewhere"));
    });
}
