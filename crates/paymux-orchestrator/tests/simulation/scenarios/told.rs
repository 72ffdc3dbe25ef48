//! What providers say, asked or not: what is believed, and what goes to a person.

use std::time::Duration;

use paymux_core::{ConfirmStep, ErrorKind, PaymentProvider, PaymentStatus};
use paymux_orchestrator::{AttemptState, ConfirmBy, Event, NewRefund, ReviewReason};

use super::{Scene, money, order, reasons, start};
use crate::simulation::{
    provider::key,
    truth::{Fault, Kind, Telling},
};

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
    let call = scene.begin_order().await;
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

/// A look at the payment names an object of another one: what happens to be waiting has nothing to
/// do with it.
#[tokio::test(start_paused = true)]
async fn a_foreign_object_that_a_look_names_leaves_what_is_under_way_alone() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    scene.create(order()).await;
    let made = scene.orchestrator.create_payment(&key("other"), &order()).await;
    let record = made.expect("a payment");
    let part = paymux_core::ProviderPartId::new("part-1").unwrap();
    // The first look says that it is a part of one payment, the second that it is of the other.
    for place in 0..2 {
        if place == 1 {
            scene.a.truth().faults.push_back(Fault::NotSent);
            let refund = NewRefund::default();
            let asked = scene.orchestrator.create_refund(&key("back"), &record.id, refund).await;
            assert_eq!(asked.expect("it waits").0.attempts[1].state, AttemptState::Intent);
        }
        let mut object = scene.a.truth().objects[&format!("a-obj{}", place + 1)].clone();
        object.part = Some(part.clone());
        scene.a.truth().put(object);
        let last = scene.a.truth().tellings.len() - 1;
        scene.clock.advance(Duration::from_millis(1));
        scene.tell(&scene.a, last).await.expect("it is kept");
        scene.orchestrator.step().await.expect("a store that works");
    }
    let record = scene.now(&record).await;
    assert_eq!(reasons(&record), [ReviewReason::SharedObject]);
    assert!(!record.attempts[1].doubted, "{record:#?}");
    assert_eq!(record.attempts[1].state, AttemptState::Intent);
}

/// Of a great many payments those of a day are read, and not the years before and after.
#[tokio::test(start_paused = true)]
async fn a_comparison_reads_the_payments_of_its_span() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let mut made = Vec::new();
    let mut days = Vec::new();
    for day in ["before", "first", "last", "after"] {
        days.push(paymux_core::Clock::now(&*scene.clock));
        let record = scene.orchestrator.create_payment(&key(day), &order()).await;
        made.push(record.expect("a payment").id);
        scene.later(24 * 3600).await;
    }
    let found = scene.orchestrator.reconcile(days[1], days[3]).await.expect("a comparison");
    assert_eq!(found.compared, 2, "{found:?}");
    let lists = scene.weather.lists.lock().unwrap().clone();
    let first = lists[0].after.clone().expect("not from the beginning");
    assert!(made[0] < first && first < made[1], "{first}");
    assert_eq!(lists.len(), 1, "what follows is not read: {lists:?}");
}
