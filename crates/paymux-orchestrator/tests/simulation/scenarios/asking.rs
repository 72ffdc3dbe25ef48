//! Asking for a payment: once, whoever stops waiting, and whatever the store does meanwhile.

use std::{sync::atomic::Ordering, time::Duration};

use paymux_core::{Effect, ErrorKind, NextAction, PaymentStatus};
use paymux_orchestrator::Orchestrator;

use super::{Scene, money, order, start};
use crate::simulation::{
    provider::key,
    truth::{Fault, Kind},
};

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

/// The change can be read, and is not on the standby: one that took over would ask again.
#[tokio::test(start_paused = true)]
async fn what_no_standby_has_is_not_sent() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    scene.weather.is_alone.store(true, Ordering::SeqCst);
    let made = scene.orchestrator.create_payment(&key("order"), &order()).await;
    let error = made.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::Possible));
    assert!(scene.a.truth().objects.is_empty() && scene.b.truth().objects.is_empty());
    // It is there, so it is made once the standby is back.
    scene.weather.is_alone.store(false, Ordering::SeqCst);
    scene.later(300).await;
    let record = scene.create(order()).await;
    assert!(record.is_paid(), "{record:#?}");
    assert_eq!(scene.a.truth().objects.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_only_so_long_and_takes_no_more() {
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&[Fault::HangsAfter]);
    let call = scene.begin_order().await;
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
    let call = scene.begin_order().await;
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
async fn a_store_that_is_away_after_the_call_loses_no_answer() {
    // A moment, and as long as another server takes to take over.
    for seconds in [1, 60] {
        let scene = Scene::new(Kind::Card, Kind::Card).meeting(&[Fault::Slow]);
        let call = scene.begin_order().await;
        scene.weather.is_down.store(true, Ordering::SeqCst);
        let back = scene.weather.is_down.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            back.store(false, Ordering::SeqCst);
        });
        let record = call.await.unwrap().expect("the answer is written once the store is back");
        assert!(record.is_paid(), "{record:#?}");
        assert_eq!(record.attempts[0].sends, 1);
    }
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

/// What a payer needs that is not written down is asked for again, however fresh the rest is.
#[tokio::test(start_paused = true)]
async fn the_way_to_pay_is_whole_whenever_it_is_asked_for() {
    let scene = Scene::new(Kind::Page, Kind::Page);
    let record = scene.create(order()).await;
    let again = scene.create(order()).await;
    let read = scene.orchestrator.fetch_payment(&record.id).await.expect("it is there");
    for record in [record, again, read] {
        let Some(NextAction::SubmitForm { fields, .. }) = record.next_action() else {
            panic!("a form, not {:?}", record.next_action());
        };
        let token = ("token".to_owned(), "a-obj1".to_owned());
        assert_eq!(fields.expose(), Some(&vec![token]));
    }
}

/// The merchant asked too late: nobody is to pay it any more, wherever it would have gone.
#[tokio::test(start_paused = true)]
async fn what_has_expired_already_is_not_sent() {
    for kind in Kind::ALL {
        let scene = Scene::new(kind, Kind::Card);
        let now = paymux_core::Clock::now(&*scene.clock);
        for (name, moment) in [("now", now), ("before", now.before(Duration::from_secs(60)))] {
            let request = order().expires_at(moment);
            let made = scene.orchestrator.create_payment(&key(name), &request).await;
            let record = made.expect("it is answered as what it is");
            assert_eq!(record.status, PaymentStatus::Expired, "{kind:?}, {name}");
            assert!(record.attempts.is_empty(), "{kind:?}, {name}: {record:#?}");
        }
        assert!(scene.a.truth().objects.is_empty() && scene.b.truth().objects.is_empty());
    }
}

/// Others change the payment again and again while its answer is written down: nowhere else is what
/// its provider said.
#[tokio::test(start_paused = true)]
async fn an_answer_is_written_down_however_often_others_are_faster() {
    let scene = Scene::new(Kind::Careless, Kind::Card);
    let call = scene.begin_order().await;
    scene.weather.is_overtaken.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(50)).await;
    scene.weather.is_overtaken.store(false, Ordering::SeqCst);
    let record = call.await.unwrap().expect("a payment");
    let object = record.attempts[0].object.as_ref().map(|object| object.as_str().to_owned());
    assert_eq!(object.as_deref(), Some("a-obj1"), "{record:#?}");
    assert_eq!(record.attempts[0].sends, 1);
}

/// Whoever can have a payment asked for must not send payers anywhere.
#[tokio::test(start_paused = true)]
async fn a_payer_is_sent_back_only_where_the_merchant_said() {
    let scene = Scene::new(Kind::Page, Kind::Card);
    let built = |hosts: &[&str]| {
        let builder = Orchestrator::builder(scene.written.clone()).account(scene.a.clone());
        builder.clock(scene.clock.clone()).return_hosts(hosts.iter().copied()).build()
    };
    let error = built(&["https://shop.example"]).unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Configuration, Some("return_hosts")));
    let orchestrator = built(&["shop.example"]).expect("an account");
    let at = |url: &str| order().return_url(url.parse().unwrap());
    let elsewhere = at("https://other.example/done");
    let error = orchestrator.create_payment(&key("other"), &elsewhere).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("return_url")));
    assert!(orchestrator.route(&elsewhere).is_err() && scene.a.truth().objects.is_empty());
    let here = at("https://shop.example/done");
    orchestrator.create_payment(&key("here"), &here).await.expect("a payment");
}

/// Its answer was lost, and then the merchant said where payers may return to: that it is refused
/// now would read as if nothing had happened, and the order would be made anew under another key.
#[tokio::test(start_paused = true)]
async fn a_key_gives_its_payment_whatever_hosts_are_set_by_now() {
    let scene = Scene::new(Kind::Card, Kind::Card);
    let at = |url: &str| order().return_url(url.parse().unwrap());
    let before = at("https://before.example/done");
    let made = scene.create(before.clone()).await;
    let builder = Orchestrator::builder(scene.written.clone()).account(scene.a.clone());
    let shop = builder.clock(scene.clock.clone()).return_hosts(["now.example"]).build();
    let shop = shop.expect("an account");
    let again = shop.create_payment(&key("order"), &before).await.expect("the same payment");
    assert_eq!((&again.id, again.is_paid()), (&made.id, true));
    let other = at("https://other.example/done");
    let table = [("order", other, ErrorKind::Conflict), ("new", before, ErrorKind::InvalidRequest)];
    for (name, request, kind) in table {
        let error = shop.create_payment(&key(name), &request).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (kind, Effect::None), "{name}");
    }
    assert_eq!(scene.a.truth().objects.len(), 1);
}
