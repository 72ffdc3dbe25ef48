//! Single stories, each with the fault that it is about, and no chance.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use http::HeaderMap;
use paymux_core::{
    CaptureMethod, ConfirmStep, Effect, ErrorKind, ManualClock, Money, PaymentProvider,
    PaymentStatus, Reference, SeededRandom, Timestamp, WebhookDelivery,
};
use paymux_orchestrator::{
    AttemptState, ConfirmBy, Event, NewCapture, NewPayment, NewRefund, Orchestrator, PaymentRecord,
    ReviewReason,
    routing::{Capability, Routes},
    store::{PaymentQuery, memory::MemoryStore},
};

use super::{
    dice::{Broken, Dice},
    provider::{Model, Surroundings, key},
    shaky::{Shaky, Weather},
    truth::{Fault, Kind, Telling},
    world::eur,
};

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

#[tokio::test(start_paused = true)]
async fn one_key_is_one_payment_however_often_it_is_asked_for() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let orchestrator = scene.orchestrator.clone();
            tokio::spawn(async move { orchestrator.create_payment(&key("order"), &order()).await })
        })
        .collect();
    let mut ids = std::collections::BTreeSet::new();
    for call in calls {
        ids.insert(call.await.unwrap().expect("a payment").id);
    }
    assert_eq!(ids.len(), 1);
    assert_eq!(scene.a.truth().objects.len() + scene.b.truth().objects.len(), 1);
    let mut other = order();
    other.amount = money(999);
    let error = scene.orchestrator.create_payment(&key("order"), &other).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Conflict, Some("key")));
    assert_eq!(scene.broken.first(), None);
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_does_not_stop_the_payment() {
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&[Fault::Slow]);
    let request = order();
    let key = key("order");
    {
        let mut call = Box::pin(scene.orchestrator.create_payment(&key, &request));
        let soon = async {
            while scene.a.truth().objects.is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            _ = &mut call => panic!("it was to be slow"),
            () = soon => {}
        }
    }
    assert_eq!(scene.orchestrator.shutdown(Duration::from_secs(5)).await, 0);
    let next = start(&scene.written, &scene.weather, &scene.clock, [&scene.a, &scene.b]);
    let record = next.create_payment(&key, &request).await.expect("a payment");
    assert!(record.is_paid());
    assert_eq!(record.attempts.iter().map(|attempt| attempt.sends).sum::<u32>(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_only_so_long_and_takes_no_more() {
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&[Fault::HangsAfter]);
    let orchestrator = scene.orchestrator.clone();
    let call =
        tokio::spawn(async move { orchestrator.create_payment(&key("order"), &order()).await });
    while scene.a.truth().objects.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(scene.orchestrator.shutdown(Duration::from_secs(1)).await, 1);
    let refused = scene.orchestrator.create_payment(&key("another"), &order()).await.unwrap_err();
    assert_eq!((refused.kind(), refused.effect()), (ErrorKind::Unavailable, Effect::None));
    // What was under way is written down: who comes next finds it.
    call.await.unwrap().expect("the call ran into its limit, and is in doubt");
    let next = start(&scene.written, &scene.weather, &scene.clock, [&scene.a, &scene.b]);
    let record = next.create_payment(&key("order"), &order()).await.expect("a payment");
    assert!(record.is_paid(), "{record:#?}");
    assert_eq!(scene.a.truth().objects.len(), 1);
}

/// Who asked must not ask again under another key.
#[tokio::test(start_paused = true)]
async fn a_store_that_fails_after_the_call_leaves_a_possible_effect() {
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&[Fault::Slow]);
    let orchestrator = scene.orchestrator.clone();
    let call =
        tokio::spawn(async move { orchestrator.create_payment(&key("order"), &order()).await });
    while scene.a.truth().objects.is_empty() {
        tokio::task::yield_now().await;
    }
    scene.weather.is_down.store(true, Ordering::SeqCst);
    let error = call.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::Possible));
    // Before anything is written down, nothing is.
    let error = scene.orchestrator.create_payment(&key("other"), &order()).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::None));
    scene.weather.is_down.store(false, Ordering::SeqCst);
    scene.later(100).await;
    scene.later(100).await;
    assert!(scene.create(order()).await.is_paid());
    assert_eq!(scene.a.truth().objects.len() + scene.b.truth().objects.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_moment_after_the_call_loses_no_answer() {
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&[Fault::Slow]);
    let orchestrator = scene.orchestrator.clone();
    let call =
        tokio::spawn(async move { orchestrator.create_payment(&key("order"), &order()).await });
    while scene.a.truth().objects.is_empty() {
        tokio::task::yield_now().await;
    }
    scene.weather.is_down.store(true, Ordering::SeqCst);
    let back = scene.weather.is_down.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        back.store(false, Ordering::SeqCst);
    });
    let record = call.await.unwrap().expect("the answer is written once the store is back");
    assert!(record.is_paid(), "{record:#?}");
    assert_eq!(record.attempts[0].sends, 1);
}

#[tokio::test(start_paused = true)]
async fn refunds_together_never_ask_for_more_than_was_taken() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order()).await;
    let refund = |name: &'static str| {
        let (orchestrator, id) = (scene.orchestrator.clone(), record.id.clone());
        let refund = NewRefund { amount: Some(money(600)), ..NewRefund::default() };
        tokio::spawn(async move { orchestrator.create_refund(&key(name), &id, refund).await })
    };
    let (first, second) = (refund("one"), refund("two"));
    let done = [first.await.unwrap(), second.await.unwrap()];
    assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1, "{done:?}");
    let late = refund("three").await.unwrap().unwrap_err();
    assert_eq!((late.kind(), late.field()), (ErrorKind::InvalidRequest, Some("amount")));
    // The same key gives the same refund again.
    let won = if done[0].is_ok() { "one" } else { "two" };
    assert!(refund(won).await.unwrap().is_ok());
    // All that is left, when nothing is said.
    let all = NewRefund::default();
    scene.orchestrator.create_refund(&key("rest"), &record.id, all.clone()).await.unwrap();
    let none = scene.orchestrator.create_refund(&key("more"), &record.id, all).await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::Conflict);
    let amounts: Vec<i128> = scene.a.truth().refunds.iter().map(|refund| refund.amount).collect();
    assert_eq!(amounts, [600, 400]);
    let record = scene.now(&record).await;
    assert!(!record.is_paid());
    assert_eq!(record.provider.unwrap().amounts.refunded, Some(money(1_000)));
}

#[tokio::test(start_paused = true)]
async fn a_refund_without_an_id_is_alone() {
    let scene = Scene::new(Kind::Invoice, Kind::Card);
    let record = scene.create(order()).await;
    scene.a.pay("a-obj1");
    scene.later(60).await;
    let part = || NewRefund { amount: Some(money(400)), ..NewRefund::default() };
    let orchestrator = &scene.orchestrator;
    orchestrator.create_refund(&key("one"), &record.id, part()).await.expect("a refund");
    let second = orchestrator.create_refund(&key("two"), &record.id, part()).await.unwrap_err();
    assert_eq!(second.kind(), ErrorKind::Conflict);
    scene.a.truth().finish(false);
    scene.later(600).await;
    orchestrator.create_refund(&key("three"), &record.id, part()).await.expect("a refund");
    let kinds = scene.kinds_told().await;
    assert!(kinds.contains(&"refund.succeeded".to_owned()), "{kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn a_capture_takes_at_most_what_is_held() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order().capture(CaptureMethod::Manual)).await;
    assert_eq!(record.status, PaymentStatus::Authorized);
    let capture = |name: &'static str, minor| {
        let (orchestrator, id) = (scene.orchestrator.clone(), record.id.clone());
        let capture = NewCapture { amount: Some(money(minor)), ..NewCapture::default() };
        async move { orchestrator.capture_payment(&key(name), &id, capture).await }
    };
    for (name, minor) in [("more", 1_001), ("nothing", 0)] {
        let error = capture(name, minor).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("amount")));
    }
    let record = capture("less", 400).await.expect("a capture");
    assert_eq!((record.status, reasons(&record)), (PaymentStatus::Succeeded, vec![]));
    assert!(!record.is_paid());
    assert_eq!(capture("again", 400).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(scene.a.truth().objects["a-obj1"].captured, 400);
}

/// The answer was lost, the end is wanted: first it is found out, then it is ended.
#[tokio::test(start_paused = true)]
async fn an_end_is_reached_through_a_doubt() {
    let faults = [Fault::LostAfter, Fault::LostBefore];
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&faults);
    let record = scene.create(order().capture(CaptureMethod::Manual)).await;
    assert!(record.in_doubt());
    let record =
        scene.orchestrator.cancel_payment(&key("end"), &record.id).await.expect("it is a wish");
    assert!(record.cancel_wanted && !record.status.is_final());
    scene.later(10).await;
    let record = scene.now(&record).await;
    assert_eq!(record.status, PaymentStatus::Cancelled);
    assert_eq!(scene.a.truth().objects["a-obj1"].status, PaymentStatus::Cancelled);
    let error = scene.orchestrator.cancel_payment(&key("again"), &record.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

/// An account that cannot end anything, and an object that nobody can pay.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_ended_is_left_alone() {
    let scene = Scene::new(Kind::Careless, Kind::Page).meeting(&[Fault::HangsAfter]);
    let orchestrator = scene.orchestrator.clone();
    let call =
        tokio::spawn(async move { orchestrator.create_payment(&key("order"), &order()).await });
    while scene.a.truth().objects.is_empty() {
        tokio::task::yield_now().await;
    }
    let all = PaymentQuery { limit: 9, ..PaymentQuery::default() };
    let record = scene.orchestrator.list_payments(&all).await.unwrap().remove(0);
    scene.orchestrator.cancel_payment(&key("end"), &record.id).await.expect("it is a wish");
    let record = call.await.unwrap().expect("it is known how it ended");
    assert_eq!(record.status, PaymentStatus::Cancelled, "{record:#?}");
    assert!(scene.a.truth().objects.values().all(|object| object.charges == 0));
    assert!(scene.b.truth().objects.is_empty());
    // Where the account has it already, the merchant is told at once.
    let mut other = order();
    other.confirm = ConfirmBy::Merchant;
    let open = scene.orchestrator.create_payment(&key("other"), &other).await.expect("a payment");
    let error = scene.orchestrator.cancel_payment(&key("no"), &open.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn the_merchant_consents_step_by_step_where_it_wants_to() {
    let scene = Scene::new(Kind::Steps, Kind::Page);
    let record = scene.create(order().confirm(ConfirmBy::Merchant)).await;
    assert_eq!(record.status, PaymentStatus::RequiresConfirmation);
    scene.later(3_600).await;
    let orchestrator = &scene.orchestrator;
    let confirm = |name: &'static str, step| {
        let id = record.id.clone();
        async move { orchestrator.confirm_payment(&key(name), &id, step).await }
    };
    let error = confirm("early", ConfirmStep::Commit).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let record = confirm("first", ConfirmStep::Authorize).await.expect("a step");
    assert_eq!(record.status, PaymentStatus::RequiresConfirmation);
    let record = confirm("second", ConfirmStep::Commit).await.expect("a step");
    assert!(record.is_paid());
    assert!(confirm("second", ConfirmStep::Commit).await.expect("the same").is_paid());
    let reused = confirm("second", ConfirmStep::Authorize).await.unwrap_err();
    assert_eq!((reused.kind(), reused.field()), (ErrorKind::Conflict, Some("key")));
}

#[tokio::test(start_paused = true)]
async fn a_decline_leads_elsewhere_only_where_it_may() {
    let soft = Fault::Declined;
    let hard = Fault::DeclinedHard;
    let fine = Fault::Nothing;
    // Where, which, and whether the second account has it in the end.
    let table: [(Kind, &[Fault], bool); 6] = [
        (Kind::Card, &[soft], true),
        (Kind::Card, &[hard], false),
        (Kind::Steps, &[fine, soft], true),
        (Kind::Steps, &[fine, hard], false),
        (Kind::Careless, &[fine, soft], true),
        (Kind::Hold, &[fine, soft], false),
    ];
    for (kind, faults, elsewhere) in table {
        let scene = Scene::new(kind, Kind::Card).meeting(faults);
        let record = scene.create(order()).await;
        assert_eq!(record.is_paid(), elsewhere, "{kind:?} {faults:?}");
        assert_eq!(scene.b.truth().objects.len(), usize::from(elsewhere), "{kind:?} {faults:?}");
        let failed = record.status == PaymentStatus::Failed;
        let asks = reasons(&record) == [ReviewReason::StepRefused];
        assert!(elsewhere || failed || asks, "{kind:?} {faults:?}: {record:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_another_payment_is_not_believed() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let first = scene.create(order()).await;
    scene.a.truth().faults.push_back(Fault::AboutAnother);
    let mut other = order();
    other.amount = money(2_000);
    let made = scene.orchestrator.create_payment(&key("other"), &other).await;
    let second = made.expect("it is kept, and waits for a person");
    assert_eq!(reasons(&second), [ReviewReason::Mismatch]);
    assert!(!second.is_paid() && second.in_doubt() && second.provider.is_none());
    assert!(scene.b.truth().objects.is_empty(), "nobody else is asked");
    // The one that it was about is as it was.
    assert!(scene.now(&first).await.is_paid());
}

/// Two payments of one amount at a provider that does not echo references.
#[tokio::test(start_paused = true)]
async fn an_object_belongs_to_one_payment() {
    let scene = Scene::new(Kind::Page, Kind::Page);
    let first = scene.create(order()).await;
    scene.a.truth().faults.push_back(Fault::AboutAnother);
    let made = scene.orchestrator.create_payment(&key("other"), &order()).await;
    let second = made.expect("it is kept, and waits for a person");
    assert_eq!(reasons(&second), [ReviewReason::SharedObject]);
    assert!(second.provider.is_none());
    assert_eq!(scene.now(&first).await.status, PaymentStatus::RequiresAction);
}

#[tokio::test(start_paused = true)]
async fn money_that_shows_late_goes_to_a_person_and_stops_the_rest() {
    let lost = [Fault::LostAfter, Fault::LostBefore, Fault::LostBefore, Fault::LostBefore];
    let scene = Scene::new(Kind::Careless, Kind::Steps).meeting(&lost);
    let record = scene.create(order().confirm(ConfirmBy::Merchant)).await;
    scene.later(10).await;
    let record = scene.now(&record).await;
    assert_eq!(record.attempts[0].state, AttemptState::Abandoned, "{record:#?}");
    assert_eq!(record.account(), Some(scene.b.id()));
    // Somebody has it charged there all the same.
    let paid = scene.a.truth().confirm("a-obj1", ConfirmStep::Commit);
    assert!(paid.is_some());
    let last = scene.a.truth().tellings.len() - 1;
    scene.tell(&scene.a, last).await.expect("it is kept");
    scene.later(5).await;
    let record = scene.now(&record).await;
    assert_eq!(reasons(&record), [ReviewReason::LateSuccess]);
    let step = ConfirmStep::Authorize;
    let error =
        scene.orchestrator.confirm_payment(&key("step"), &record.id, step).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(scene.b.truth().objects.values().all(|object| object.charges == 0));
}

/// An event that is about an object nobody wrote down yet waits until somebody has.
#[tokio::test(start_paused = true)]
async fn an_event_that_comes_first_waits() {
    let faults = [Fault::HangsAfter];
    let scene = Scene::new(Kind::Page, Kind::Page).meeting(&faults);
    let orchestrator = scene.orchestrator.clone();
    let call =
        tokio::spawn(async move { orchestrator.create_payment(&key("order"), &order()).await });
    while scene.a.truth().objects.is_empty() {
        tokio::task::yield_now().await;
    }
    scene.tell(&scene.a, 0).await.expect("it is kept");
    assert_eq!(scene.orchestrator.step().await.unwrap().events, 1);
    assert_eq!(scene.orchestrator.backlog().await.unwrap().inbox, 1, "it waits");
    let record = call.await.unwrap().expect("a payment");
    scene.later(100).await;
    assert_eq!(scene.orchestrator.backlog().await.unwrap().inbox, 0);
    assert_eq!(scene.now(&record).await.status, PaymentStatus::RequiresAction);
    let kinds = scene.kinds_told().await;
    assert!(!kinds.contains(&"webhook.unmatched".to_owned()), "{kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_forged_leaves_no_trace_and_what_is_unsigned_no_more_than_a_look() {
    let scene = Scene::new(Kind::Page, Kind::Steps);
    scene.create(order()).await;
    for lie in ["0 authorized", "0 succeeded", "99", "nonsense"] {
        let error = scene.deliver(&scene.a, lie).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSignature, "{lie}");
    }
    assert_eq!(scene.orchestrator.backlog().await.unwrap().inbox, 0);

    let scene = Scene::new(Kind::Steps, Kind::Page);
    let record = scene.create(order().confirm(ConfirmBy::Merchant)).await;
    scene.clock.advance(Duration::from_secs(40));
    scene.deliver(&scene.a, "0 succeeded").await.expect("anybody may say so");
    scene.later(1).await;
    let record = scene.now(&record).await;
    assert_eq!(record.status, PaymentStatus::RequiresConfirmation);
    assert!(record.looked_at > Some(record.created_at), "it was a reason to look");
}

#[tokio::test(start_paused = true)]
async fn what_was_told_is_told_again_by_the_next_process() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    scene.a.truth().tellings.push(Telling::Payout);
    for _ in 0..3 {
        scene.tell(&scene.a, 0).await.expect("it is kept");
    }
    scene.create(order()).await;
    scene.later(1).await;
    let next = start(&scene.written, &scene.weather, &scene.clock, [&scene.a, &scene.b]);
    let texts = |events: Vec<Event>| -> Vec<String> {
        events.iter().map(|event| serde_json::to_string(event).unwrap()).collect()
    };
    let here = texts(scene.orchestrator.events(0, 100).await.unwrap());
    let there = next.events(0, 100).await.unwrap();
    let others = there.iter().filter(|event| event.kind == "webhook.other").count();
    assert_eq!(others, 1, "told three times, and one thing happened");
    let positions: Vec<u64> = there.iter().map(|event| event.position).collect();
    assert!(positions.is_sorted_by(|one, next| one < next));
    let middle = positions[positions.len() / 2];
    let rest = texts(next.events(middle, 100).await.unwrap());
    let there = texts(there);
    assert_eq!(here, there);
    assert_eq!(rest, there[there.len() - rest.len()..]);
}

fn routed(scene: &Scene, routes: &str) -> Orchestrator {
    Orchestrator::builder(scene.written.clone())
        .clock(scene.clock.clone())
        .random(Arc::new(SeededRandom::new(11)))
        .account(scene.a.clone())
        .account(scene.b.clone())
        .routes(Routes::from_toml(routes).expect("routes"))
        .build()
        .expect("routes that fit")
}

#[tokio::test(start_paused = true)]
async fn a_payment_goes_where_its_needs_are_met() {
    let scene = Scene::new(Kind::Page, Kind::Card);
    let orchestrator = routed(
        &scene,
        r#"
        [[rule]]
        name = "given back in part"
        when = { capability = ["partial_refund"] }
        use = ["b"]
        [[rule]]
        name = "the rest"
        use = ["a"]
        "#,
    );
    let rule = |request: &NewPayment| orchestrator.route(request).expect("a plan").rule;
    assert_eq!(rule(&order()).as_deref(), Some("the rest"));
    let needy = order().needs(Capability::PartialRefund);
    assert_eq!(rule(&needy).as_deref(), Some("given back in part"));
}

#[tokio::test(start_paused = true)]
async fn what_is_paused_after_a_payment_was_routed_is_left_out() {
    let lost = [Fault::LostBefore, Fault::LostBefore, Fault::Declined];
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&lost);
    const ROUTES: &str = "[[rule]]\nname = \"all\"\nuse = [\"a\", \"b\"]\n";
    let first = routed(&scene, ROUTES);
    let record = first.create_payment(&key("order"), &order()).await.expect("a payment");
    assert!(record.in_doubt(), "{record:?}");
    let paused = routed(&scene, &format!("pause = [\"b\"]\n{ROUTES}"));
    scene.clock.advance(Duration::from_secs(10));
    while !paused.step().await.expect("a store that works").is_idle() {}
    let record = paused.stored_payment(&record.id).await.expect("it is there");
    assert_eq!(record.status, PaymentStatus::Failed, "{record:#?}");
    assert!(scene.b.truth().objects.is_empty(), "nothing was sent to what is paused");
}

#[tokio::test(start_paused = true)]
async fn a_payment_that_goes_well_is_two_changes() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order()).await;
    assert!(record.is_paid());
    let history = scene.orchestrator.history(&record.id).await.expect("a store that works");
    let causes: Vec<&str> = history.iter().map(|line| line.cause.as_str()).collect();
    assert_eq!(causes, ["asked", "reply"], "what is sent, and what came of it");
}
