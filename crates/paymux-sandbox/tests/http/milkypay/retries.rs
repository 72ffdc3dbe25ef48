//! The linear retry and the log of callbacks.

use std::time::Duration;

use paymux_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

use super::{CREATED, attributes, config, invoice};
use crate::support::{Message, Receiver};

/// A sandbox whose minutes of the schedule last longer than any test, so that only virtual time
/// brings retries.
fn slow(receiver: &Receiver) -> SandboxConfig {
    let config = config().webhook_retry(Duration::from_secs(3600));
    config.milkypay_callback_url(receiver.url.clone())
}

fn header(delivery: &Message, name: &str) -> i64 {
    delivery.header(name).unwrap().parse().unwrap()
}

/// Waits until the log shows this many attempts of the first delivery.
async fn attempts(sandbox: &Sandbox, wanted: usize) {
    loop {
        let log = sandbox.milkypay().callbacks();
        if log[0]["attempts"].as_array().unwrap().len() >= wanted {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_nth_retry_comes_n_minutes_after_the_one_before() {
    let mut receiver = Receiver::start(&[500, 302, 204]).await;
    let sandbox = Sandbox::start(slow(&receiver)).await.unwrap();
    invoice(&sandbox, "order").await;
    let first = receiver.next().await;
    attempts(&sandbox, 1).await;
    assert_eq!(header(&first, "retry-count"), 1);
    assert_eq!(header(&first, "next-retry"), CREATED + 60);
    assert_eq!(first.header("user-agent"), Some("Webhook-Client"));
    let mut now = CREATED;
    for retry in 1..=3_u32 {
        let minutes = i64::from(retry);
        // A second too early, and whatever could go on has its turn: nothing happens.
        sandbox.advance(Duration::from_secs(u64::from(retry) * 60 - 1));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(receiver.arrived().is_empty());
        sandbox.advance(Duration::from_secs(1));
        now += minutes * 60;
        let delivery = receiver.next().await;
        attempts(&sandbox, usize::try_from(retry).unwrap() + 1).await;
        assert_eq!(header(&delivery, "retry-count"), minutes + 1);
        assert_eq!(header(&delivery, "next-retry"), now + (minutes + 1) * 60);
        assert_eq!(delivery.body, first.body);
        assert_eq!(delivery.header("x-signature"), first.header("x-signature"));
    }
    sandbox.milkypay().callbacks_settled().await;
    let log = sandbox.milkypay().callbacks();
    let times: Vec<&Value> = (0..4).map(|i| &log[0]["attempts"][i]["at"]).collect();
    let expected = [
        "2020-08-19T10:31:38Z",
        "2020-08-19T10:32:38Z",
        "2020-08-19T10:34:38Z",
        "2020-08-19T10:37:38Z",
    ];
    assert_eq!(times, expected);
    assert_eq!(log[0]["state"], "delivered", "only 200 is an acknowledgement");
}

#[tokio::test]
async fn the_log_shows_what_is_queued_and_what_is_done() {
    let mut receiver = Receiver::start(&[500]).await;
    let sandbox = Sandbox::start(slow(&receiver)).await.unwrap();
    let id = invoice(&sandbox, "order").await;
    receiver.next().await;
    attempts(&sandbox, 1).await;
    let key = CREATED.to_string();
    let queued = json!({
        "status": "queued", "processed": CREATED, "response_code": 500,
        "transaction_status": "process_pending",
    });
    assert_eq!(attributes(&sandbox, &id).await["callback_logs"], json!({key.clone(): queued}));
    sandbox.advance(Duration::from_secs(60));
    sandbox.milkypay().callbacks_settled().await;
    let done = json!({
        "status": "done", "processed": CREATED + 60, "response_code": 200,
        "transaction_status": "process_pending",
    });
    assert_eq!(attributes(&sandbox, &id).await["callback_logs"], json!({key: done}));
}

#[tokio::test]
async fn a_hundred_attempts_are_enough() {
    let mut receiver = Receiver::start(&[500; 100]).await;
    let quick = config().webhook_retry(Duration::ZERO);
    let sandbox = Sandbox::start(quick.milkypay_callback_url(receiver.url.clone())).await.unwrap();
    let id = invoice(&sandbox, "order").await;
    sandbox.milkypay().callbacks_settled().await;
    assert_eq!(receiver.arrived().len(), 100);
    assert_eq!(sandbox.milkypay().callbacks()[0]["state"], "gave_up");
    let logs = &attributes(&sandbox, &id).await["callback_logs"];
    assert_eq!(logs[CREATED.to_string()]["status"], "failed");
}
