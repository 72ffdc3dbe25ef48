//! What comes from outside and is about nothing that waits: payers who return, events that nobody
//! can place, and what is old.

use paymux_core::{ErrorKind, PaymentStatus, Reference, Url};
use paymux_orchestrator::Intent;

use super::{Scene, order};
use crate::simulation::{
    provider::key,
    truth::{Fault, Kind},
};

const DAY: u64 = 24 * 3600;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// A return proves nothing: the payment is read, and that is what counts.
#[tokio::test(start_paused = true)]
async fn a_payer_who_returns_finds_the_payment_as_its_provider_has_it() {
    let scene = Scene::new(Kind::Page, Kind::Card);
    let record = scene.create(order().return_url(url("https://shop.example/done?order=1"))).await;
    let Intent::Create(create) = &record.attempts[0].intent else { panic!("a create") };
    let back = create.return_url.clone().expect("it leads back");
    scene.clock.advance(std::time::Duration::from_secs(10));
    let seen = scene.orchestrator.read_return(&back).await.expect("it is ours");
    assert_eq!((&seen.id, seen.is_paid()), (&record.id, false));
    scene.a.pay("a-obj1");
    scene.clock.advance(std::time::Duration::from_secs(10));
    let seen = scene.orchestrator.read_return(&back).await.expect("it is ours");
    assert!(seen.is_paid(), "{seen:#?}");
    // Where the provider does not answer, what is known is the answer.
    scene.a.truth().faults.push_back(Fault::LostBefore);
    assert!(scene.orchestrator.read_return(&back).await.expect("it is ours").is_paid());

    let made = scene.orchestrator.create_payment(&key("other"), &order()).await;
    let other = made.expect("a payment").id;
    let token = |id: &str, secret: &str| {
        url(&format!("https://shop.example/done?paymux_return={id}.{secret}"))
    };
    let stolen = token(other.as_str(), record.return_token.expose());
    let guessed = token(record.id.as_str(), &"0".repeat(40));
    for wrong in [stolen, guessed, url("https://shop.example/done?order=1")] {
        let error = scene.orchestrator.read_return(&wrong).await.unwrap_err();
        let expected = (ErrorKind::InvalidRequest, Some("return_url"));
        assert_eq!((error.kind(), error.field()), expected, "{wrong}");
    }
}

/// An event about an object that nobody wrote down waits for a day; then the merchant is told.
#[tokio::test(start_paused = true)]
async fn an_event_about_nothing_of_ours_is_told_after_a_day() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order()).await;
    let Intent::Create(create) = &record.attempts[0].intent else { panic!("a create") };
    let mut strange = create.clone();
    strange.reference = Reference::new("another-shop-1").unwrap();
    strange.key = key("another");
    scene.a.truth().create(&strange, record.created_at);
    let last = scene.a.truth().tellings.len() - 1;
    scene.tell(&scene.a, last).await.expect("it is kept");
    scene.later(DAY - 3_600).await;
    let unmatched = async || {
        let kinds = scene.kinds_told().await;
        kinds.iter().filter(|kind| *kind == "webhook.unmatched").count()
    };
    assert_eq!((unmatched().await, scene.orchestrator.backlog().await.unwrap().inbox), (0, 1));
    scene.later(2 * 3_600).await;
    assert_eq!((unmatched().await, scene.orchestrator.backlog().await.unwrap().inbox), (1, 0));
    scene.later(3 * DAY).await;
    assert_eq!(unmatched().await, 1);
}

/// An event whose payment cannot be read for a day is told as one that was not applied; what it was
/// about is found by looking, once that works again.
#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_applied_is_told_after_a_day() {
    let scene = Scene::new(Kind::Page, Kind::Card);
    let record = scene.create(order()).await;
    scene.a.pay("a-obj1");
    scene.a.truth().down = true;
    let last = scene.a.truth().tellings.len() - 1;
    scene.tell(&scene.a, last).await.expect("it is kept");
    for _ in 0..30 {
        scene.later(3_600).await;
    }
    let kinds = scene.kinds_told().await;
    let told = kinds.iter().filter(|kind| *kind == "webhook.not_applied").count();
    assert_eq!((told, scene.orchestrator.backlog().await.unwrap().inbox), (1, 0), "{kinds:?}");
    assert_eq!(scene.now(&record).await.status, PaymentStatus::RequiresAction);
    scene.a.truth().down = false;
    scene.later(2 * DAY).await;
    assert!(scene.now(&record).await.is_paid());
}

/// Keys are kept for 30 days, and so is what was settled.
#[tokio::test(start_paused = true)]
async fn what_is_old_is_forgotten_and_nothing_else() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let record = scene.create(order()).await;
    scene.tell(&scene.a, 0).await.expect("it is kept");
    scene.later(29 * DAY).await;
    assert_eq!(scene.orchestrator.forget().await.unwrap(), 0);
    assert_eq!(scene.create(order()).await.id, record.id);
    scene.later(2 * DAY).await;
    assert_eq!(scene.orchestrator.forget().await.unwrap(), 2, "a key and an event");
    assert_eq!(scene.orchestrator.forget().await.unwrap(), 0);
    assert!(scene.now(&record).await.is_paid(), "payments stay");
}
