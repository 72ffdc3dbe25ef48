//! The demo when something goes wrong, and with a provider of another kind.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use paymux::PaymentStatus;
use paymux_sandbox::{Fault, FaultKind};

use super::{
    order::{self, Order},
    progress::Progress,
    report::Report,
    shop::{Patience, Shop},
    stage::{Setting, Stage},
};
use crate::accounts::TIMEOUT;

mod doubt;
mod stranger;

/// A store of its own for each test; its files go with it.
pub(super) struct OwnStore(PathBuf);

impl OwnStore {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let store = format!("paymux-test-{}-{number}.sqlite", process::id());
        let store = Self(env::temp_dir().join(store));
        store.remove();
        store
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    fn remove(&self) {
        for end in ["", "-wal", "-shm", ".lock", ".accounts.json"] {
            let mut name = self.0.clone().into_os_string();
            name.push(end);
            // Most of them are not there.
            drop(fs::remove_file(name));
        }
    }
}

impl Drop for OwnStore {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Four silences in a row end the demo; in each, the shop's clock moves on, so that nobody has to
/// wait for a call to be repeated. Webhooks are believed for five minutes.
fn patience() -> Patience {
    let (silence, leap) = (Duration::from_millis(300), Duration::from_secs(40));
    Patience { silence, silences: 4, leap }
}

/// Takes the orders on this stage, and closes it.
async fn take(setting: &Setting<'_>, orders: Vec<Order>, faults: Vec<Fault>) -> Report {
    let progress = Progress::new(orders.len(), true);
    let (stage, deliveries) = Box::pin(Stage::open(setting)).await.expect("the stage opens");
    for fault in faults {
        stage.sandbox().inject(fault);
    }
    let mut shop = Shop::open(&stage, deliveries, &progress, patience(), orders);
    Box::pin(shop.serve()).await.expect("the payers can act");
    let report = Box::pin(shop.report()).await.expect("the books can be read");
    stage.close().await;
    report
}

async fn play(orders: Vec<Order>, timeout: Duration, faults: Vec<Fault>) -> Report {
    let store = OwnStore::new();
    let setting = Setting { timeout, ..Setting::usual(store.path()) };
    take(&setting, orders, faults).await
}

fn orders() -> Vec<Order> {
    order::load(None).expect("the orders of the project can be read")
}

fn json(report: &Report) -> serde_json::Value {
    let mut out = Vec::new();
    report.write_json(&mut out).expect("a report can be written");
    serde_json::from_slice(&out).expect("a report is JSON")
}

async fn settles_in_spite_of(faults: Vec<Fault>) -> serde_json::Value {
    let report = play(orders(), TIMEOUT, faults).await;
    let shown = json(&report);
    assert!(report.is_good(), "{shown:#}");
    shown
}

/// The words by which the orders became known.
fn words(report: &serde_json::Value) -> Vec<&str> {
    let orders = report["orders"].as_array().expect("the report lists orders");
    orders.iter().filter_map(|order| order["how"].as_str()).collect()
}

/// A webhook is help, not a need, with one exception that is ToffeePay's own: a hold can be seen
/// by nobody who was not told of it. Such an order stays open, and the demo says that it failed.
#[tokio::test]
async fn every_order_but_a_hold_settles_when_no_webhook_comes() {
    let faults = vec![Fault::new(FaultKind::DropWebhook).times(1_000)];
    let report = play(orders(), TIMEOUT, faults).await;
    let shown = json(&report);
    assert_eq!(shown["webhooks"]["proved"], 0);
    assert!(words(&shown).contains(&"read unasked"), "{shown:#}");
    for order in shown["orders"].as_array().expect("the report lists orders") {
        let is_held = order["account"] == "toffeepay-manual";
        assert_eq!(order["as_scripted"], !is_held, "{order:#}");
        assert_eq!(order["status"] == "requires_action", is_held, "{order:#}");
    }
    assert!(!report.is_as_scripted());
}

#[tokio::test]
async fn webhooks_that_cannot_be_proved_are_refused_and_come_again() {
    let faults = vec![Fault::new(FaultKind::BadSignature).times(40)];
    let report = settles_in_spite_of(faults).await;
    assert_eq!(report["webhooks"]["refused"], 40);
}

#[tokio::test]
async fn webhooks_that_come_twice_late_or_in_another_order_do_no_harm() {
    settles_in_spite_of(vec![
        Fault::new(FaultKind::DuplicateWebhook).times(20),
        Fault::new(FaultKind::ReorderWebhook).times(20),
        Fault::new(FaultKind::DelayWebhook).on("session.*").times(10),
    ])
    .await;
}

/// The session is there and the answer is not: the same request with the same key finds it, so
/// there are as many sessions as orders that reach the provider.
#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_key() {
    let store = OwnStore::new();
    let setting = Setting::usual(store.path());
    let (stage, deliveries) = Box::pin(Stage::open(&setting)).await.expect("the stage opens");
    for kind in [
        FaultKind::DropReply,
        FaultKind::ErrorAfterCommit { status: 503 },
        FaultKind::TruncateReply,
        FaultKind::ErrorBefore { status: 503, retry_after_seconds: None },
    ] {
        stage.sandbox().inject(Fault::new(kind).on("CreateSession"));
    }
    let progress = Progress::new(20, true);
    let mut shop = Shop::open(&stage, deliveries, &progress, patience(), orders());
    Box::pin(shop.serve()).await.expect("the payers can act");
    let report = Box::pin(shop.report()).await.expect("the books can be read");
    assert!(report.is_good(), "{:#}", json(&report));
    let state = stage.sandbox().toffeepay().snapshot();
    assert_eq!(state["sessions"].as_array().map(Vec::len), Some(19), "{state:#}");
    stage.close().await;
}

/// Taking, letting go and cancelling are not protected by a key: they are looked up, and repeated
/// only if the payment still waits for them.
#[tokio::test]
async fn a_step_that_failed_is_taken_again_after_a_look() {
    for operation in ["CompletePayment", "CancelPayment", "CancelSession"] {
        for kind in [
            FaultKind::DropReply,
            FaultKind::ErrorBefore { status: 503, retry_after_seconds: None },
        ] {
            settles_in_spite_of(vec![Fault::new(kind).on(operation)]).await;
        }
    }
}

/// Whatever a broken provider does, the demo ends, and does not call the orders done.
#[tokio::test]
async fn a_broken_provider_ends_the_demo_and_not_well() {
    let cases = [
        (FaultKind::DropReply, "in doubt"),
        (FaultKind::GarbageReply, "in doubt"),
        (FaultKind::ErrorAfterCommit { status: 500 }, "in doubt"),
        (FaultKind::DelayReply { delay_ms: 3_600_000 }, "in doubt"),
        (FaultKind::ErrorBefore { status: 400, retry_after_seconds: None }, "refused"),
    ];
    for (kind, status) in cases {
        let one = orders().into_iter().take(1).collect();
        let is_late = matches!(kind, FaultKind::DelayReply { .. });
        let timeout = if is_late { Duration::from_secs(1) } else { TIMEOUT };
        let report = play(one, timeout, vec![Fault::new(kind.clone()).times(1_000)]).await;
        let shown = json(&report);
        assert!(!report.is_as_scripted(), "{kind:?}: {shown:#}");
        assert_eq!(shown["orders"][0]["status"], status, "{kind:?}: {shown:#}");
        let sentence = shown["orders"][0]["error"].as_str().expect("the error is told");
        if is_late {
            let readme = include_str!("../../../../README.md");
            assert!(readme.contains(sentence), "the README shows another sentence: {sentence}");
        }
    }
}

/// A refusal by the provider is not a refusal before anything was sent.
#[tokio::test]
async fn a_provider_that_refuses_does_not_pass_for_a_check_of_ours() {
    let refused = orders().into_iter().filter(|order| order.id == "A-1001");
    let orders = refused
        .map(|order| Order {
            script: order::Script::Refused,
            expect: order::Expectation::Refused("currency".to_owned()),
            ..order
        })
        .collect();
    let kind = FaultKind::ErrorBefore { status: 400, retry_after_seconds: None };
    let report = play(orders, TIMEOUT, vec![Fault::new(kind).times(9)]).await;
    assert!(!report.is_as_scripted());
    assert_eq!(json(&report)["orders"][0]["how"], "refused by the provider");
}

/// A word that nobody documented is not an end, and is not taken for one.
#[tokio::test]
async fn an_unknown_status_is_not_taken_for_an_end() {
    let kind = FaultKind::UnknownStatus { status: "under_review".to_owned() };
    let one = orders().into_iter().take(1).collect();
    let report = play(one, TIMEOUT, vec![Fault::new(kind).times(1_000)]).await;
    assert!(!report.is_as_scripted());
    let status = json(&report)["orders"][0]["status"].clone();
    assert_eq!(status, PaymentStatus::RequiresAction.as_str());
}
