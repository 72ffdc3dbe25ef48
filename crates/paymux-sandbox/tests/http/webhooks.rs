//! Events: what is sent, how it is signed, and what happens when nobody takes it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use paymux_sandbox::toffeepay::{Decline, Method, Payer, RefundOutcome, Step, TopUp};
use paymux_sandbox::{Fault, FaultKind, Sandbox, WebhookScheme};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{
    Message, Receiver, config, control, ok, session, session_of, session_request,
};

async fn start_with(receiver: &Receiver, scheme: WebhookScheme) -> Sandbox {
    let config = config().webhook_url(receiver.url.clone()).webhook_scheme(scheme);
    // Short, so that retries need no waiting.
    Sandbox::start(config.webhook_retry(Duration::from_millis(1))).await.unwrap()
}

async fn start() -> (Sandbox, Receiver) {
    let receiver = Receiver::start(&[]).await;
    (start_with(&receiver, WebhookScheme::Legacy).await, receiver)
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Checks a first-generation signature as a merchant would, except for the time.
fn legacy_is_valid(sandbox: &Sandbox, delivery: &Message) -> bool {
    let header = delivery.header("x-toffeepay-signature").unwrap();
    let (t, v1) = header.split_once(',').unwrap();
    let (t, v1) = (t.strip_prefix("t=").unwrap(), v1.strip_prefix("v1=").unwrap());
    let key = sandbox.toffeepay().webhook_secret();
    hex::encode(hmac(key.as_bytes(), &format!("{t}.{}", delivery.body))) == v1
}

/// Everything that has arrived once nothing is pending: name and id of the object.
async fn events(sandbox: &Sandbox, receiver: &mut Receiver) -> Vec<String> {
    sandbox.toffeepay().webhooks_settled().await;
    let names = receiver.arrived().into_iter().map(|delivery| {
        let body = delivery.json();
        body["event"].as_str().or_else(|| body["type"].as_str()).unwrap().to_owned()
    });
    names.collect()
}

#[tokio::test]
async fn a_purchase_sends_its_events_in_order() {
    let (sandbox, mut receiver) = start().await;
    let toffeepay = sandbox.toffeepay();
    let id = session(&sandbox).await;
    toffeepay.decline(&id, Decline::Declined).unwrap();
    toffeepay.pay(&id, Payer::new(Method::Card)).unwrap();
    let expected = [
        "session.created",
        "payment.created",
        "payment.failed",
        "session.failed",
        "payment.created",
        "payment.succeeded",
        "session.paid",
    ];
    assert_eq!(events(&sandbox, &mut receiver).await, expected);
}

#[tokio::test]
async fn every_other_event_is_sent() {
    let (sandbox, mut receiver) = start().await;
    let toffeepay = sandbox.toffeepay();

    let held = session_of(&sandbox, "space_shooter_manual").await;
    let payment = toffeepay.pay(&held, Payer::default()).unwrap();
    ok(&sandbox, "CancelPayment", json!({"id": payment})).await;
    let expected =
        ["session.created", "payment.created", "payment.authorized", "payment.cancelled"];
    assert_eq!(events(&sandbox, &mut receiver).await, expected);

    // A hold that is open when its session is cancelled is released first.
    toffeepay.pay(&held, Payer::default()).unwrap();
    ok(&sandbox, "CancelSession", json!({"id": held})).await;
    let expected =
        ["payment.created", "payment.authorized", "payment.cancelled", "session.cancelled"];
    assert_eq!(events(&sandbox, &mut receiver).await, expected);

    session(&sandbox).await;
    sandbox.advance(Duration::from_secs(1800));
    assert_eq!(events(&sandbox, &mut receiver).await, ["session.created", "session.expired"]);

    let paid = session(&sandbox).await;
    let payment = toffeepay.pay(&paid, Payer::default()).unwrap();
    events(&sandbox, &mut receiver).await;
    let mut expected = Vec::new();
    for (outcome, event) in [
        (RefundOutcome::Cancel, "refund.cancelled"),
        (RefundOutcome::Fail, "refund.failed"),
        (RefundOutcome::Succeed, "refund.succeeded"),
    ] {
        let refund = ok(&sandbox, "CreateRefund", json!({"payment_id": payment})).await;
        toffeepay.settle_refund(refund["id"].as_str().unwrap(), outcome).unwrap();
        expected.extend(["refund.created", event]);
    }
    assert_eq!(events(&sandbox, &mut receiver).await, expected);

    for step in [Step::Succeed, Step::Fail, Step::Cancel, Step::Authorize] {
        toffeepay.top_up(TopUp { outcome: Some(step), ..TopUp::default() }).unwrap();
    }
    assert_eq!(events(&sandbox, &mut receiver).await, ["topup.succeeded", "topup.failed"]);
}

#[tokio::test]
async fn a_first_generation_body_has_an_id_and_a_valid_signature() {
    let (sandbox, mut receiver) = start().await;
    let id = session(&sandbox).await;
    let delivery = receiver.next().await;
    assert_eq!(delivery.line, "POST /webhooks?account=1 HTTP/1.1");
    assert_eq!(delivery.header("content-type"), Some("application/json"));
    assert!(legacy_is_valid(&sandbox, &delivery));
    let body = delivery.json();
    let sample: Value =
        serde_json::from_str(include_str!("../fixtures/webhook.session.created.json")).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&body), names(&sample));
    assert_eq!(body["event"], "session.created");
    assert_eq!(body["timestamp"], "2023-06-01T12:00:00Z");
    assert_eq!(body["data"], json!({"session_id": id}));
    assert_eq!(body["id"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn a_second_generation_body_carries_the_object() {
    let mut receiver = Receiver::start(&[]).await;
    let sandbox = start_with(&receiver, WebhookScheme::Standard).await;
    let toffeepay = sandbox.toffeepay();
    let id = session(&sandbox).await;
    sandbox.advance(Duration::from_secs(300));
    let payment = toffeepay.pay(&id, Payer::new(Method::ApplePay)).unwrap();
    toffeepay.webhooks_settled().await;
    let deliveries = receiver.arrived();
    assert_eq!(deliveries.len(), 4);
    let delivery = &deliveries[2];

    let text = |name: &str| delivery.header(name).unwrap();
    let message = format!("{}.{}.{}", text("webhook-id"), text("webhook-timestamp"), delivery.body);
    let secret = toffeepay.webhook_secret();
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let expected = format!("v1,{}", STANDARD.encode(hmac(&key, &message)));
    assert_eq!(text("webhook-signature"), expected);

    let sample = include_str!("../fixtures/webhook.standard.payment.succeeded.json")
        .replace("sess_abc123", &id)
        .replace("pay_xyz789", &payment)
        .replace("12:05:30", "12:05:00");
    assert_eq!(delivery.json(), serde_json::from_str::<Value>(&sample).unwrap());
    assert_eq!(deliveries[3].json()["data"]["tax"], json!({"amount": 50}));
}

#[tokio::test]
async fn the_second_generation_has_deposits_and_no_cancelled_refunds() {
    let mut receiver = Receiver::start(&[]).await;
    let sandbox = start_with(&receiver, WebhookScheme::Standard).await;
    let toffeepay = sandbox.toffeepay();
    let id = toffeepay.top_up(TopUp { outcome: Some(Step::Succeed), ..TopUp::default() }).unwrap();
    let body = receiver.next().await.json();
    assert_eq!(body["type"], "deposit.succeeded");
    assert_eq!(body["data"]["id"], id.replace("wp_", "dep_"));
    assert!(body["data"]["account_id"].as_str().unwrap().starts_with("acc_"));
    assert_eq!(body["data"].get("game_users"), None);

    let paid = session(&sandbox).await;
    let payment = toffeepay.pay(&paid, Payer::default()).unwrap();
    let refund = ok(&sandbox, "CreateRefund", json!({"payment_id": payment})).await;
    events(&sandbox, &mut receiver).await;
    toffeepay.settle_refund(refund["id"].as_str().unwrap(), RefundOutcome::Cancel).unwrap();
    assert!(events(&sandbox, &mut receiver).await.is_empty());
}

#[tokio::test]
async fn a_refused_webhook_is_sent_again_with_the_same_id() {
    let mut receiver = Receiver::start(&[500, 400, 204]).await;
    let sandbox = start_with(&receiver, WebhookScheme::Legacy).await;
    session(&sandbox).await;
    sandbox.toffeepay().webhooks_settled().await;
    let attempts = receiver.arrived();
    assert_eq!(attempts.len(), 4, "only 200 is an acknowledgement");
    assert!(attempts.iter().all(|attempt| attempt.body == attempts[0].body));
    assert!(attempts.iter().all(|attempt| legacy_is_valid(&sandbox, attempt)));
    let log = sandbox.toffeepay().webhooks();
    assert_eq!(log[0]["state"], "delivered");
    let statuses: Vec<_> = (0..4).map(|i| log[0]["attempts"][i]["status"].clone()).collect();
    assert_eq!(statuses, [500, 400, 204, 200]);
}

#[tokio::test]
async fn a_retry_does_not_hold_up_the_others() {
    let mut receiver = Receiver::start(&[500]).await;
    let slow = config().webhook_url(receiver.url.clone()).webhook_retry(Duration::from_secs(3600));
    let sandbox = Sandbox::start(slow).await.unwrap();
    let first = session(&sandbox).await;
    let second = session(&sandbox).await;
    let ids = [receiver.next().await, receiver.next().await].map(|delivery| delivery.json());
    assert_eq!(ids[0]["data"]["session_id"], first);
    assert_eq!(ids[1]["data"]["session_id"], second);
    // The retry is an hour away, or one step of virtual time.
    sandbox.advance(Duration::from_secs(1));
    let again = receiver.next().await.json();
    assert_eq!(again, ids[0]);
    sandbox.toffeepay().webhooks_settled().await;
}

#[tokio::test]
async fn a_receiver_that_moved_gets_what_is_under_way() {
    let mut moved = Receiver::start(&[]).await;
    let gone = Receiver::start(&[500]).await;
    let slow = config().webhook_url(gone.url.clone()).webhook_retry(Duration::from_secs(3600));
    let sandbox = Sandbox::start(slow).await.unwrap();
    let toffeepay = sandbox.toffeepay();
    session(&sandbox).await;
    let mut gone = gone;
    let refused = gone.next().await;
    toffeepay.set_webhook_url(Some(moved.url.clone())).unwrap();
    sandbox.advance(Duration::from_secs(1));
    assert_eq!(moved.next().await.body, refused.body);
    assert!(toffeepay.set_webhook_url(Some("https://example.com/".parse().unwrap())).is_err());
}

#[tokio::test]
async fn signatures_carry_real_time_unless_configured_otherwise() {
    let seconds = |delivery: &Message| {
        let header = delivery.header("x-toffeepay-signature").unwrap();
        let t = header.split(',').next().unwrap().strip_prefix("t=").unwrap();
        t.parse::<i64>().unwrap()
    };
    let virtual_now = "2023-06-01T12:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
    let mut receiver = Receiver::start(&[]).await;
    let real = start_with(&receiver, WebhookScheme::Legacy).await;
    session(&real).await;
    assert!(seconds(&receiver.next().await) > virtual_now + 1_000_000);

    let config = config().webhook_url(receiver.url.clone()).sign_in_virtual_time(true);
    let in_virtual_time = Sandbox::start(config).await.unwrap();
    session(&in_virtual_time).await;
    assert_eq!(seconds(&receiver.next().await), virtual_now);
}

#[tokio::test]
async fn webhooks_go_wrong_on_request() {
    let (sandbox, mut receiver) = start().await;
    let toffeepay = sandbox.toffeepay();
    let pay = async || {
        let id = session(&sandbox).await;
        toffeepay.pay(&id, Payer::default()).unwrap();
    };
    let usual = ["session.created", "payment.created", "payment.succeeded", "session.paid"];
    let cases: [(FaultKind, &[&str], &[&str]); 4] = [
        (FaultKind::DropWebhook, &["session.created", "payment.created", "session.paid"], &[]),
        (
            FaultKind::DuplicateWebhook,
            &[
                "session.created",
                "payment.created",
                "payment.succeeded",
                "payment.succeeded",
                "session.paid",
            ],
            &[],
        ),
        (
            FaultKind::DelayWebhook,
            &["session.created", "payment.created", "session.paid"],
            &["payment.succeeded"],
        ),
        (
            FaultKind::ReorderWebhook,
            &["session.created", "payment.created", "session.paid", "payment.succeeded"],
            &[],
        ),
    ];
    for (kind, at_once, released) in cases {
        sandbox.inject(Fault::new(kind.clone()).on("payment.succeeded"));
        pay().await;
        assert_eq!(events(&sandbox, &mut receiver).await, at_once, "{kind:?}");
        let answer = control(&sandbox, "POST", "/webhooks/release", Value::Null).await;
        assert_eq!(answer.json()["released"], released.len());
        assert_eq!(events(&sandbox, &mut receiver).await, released, "{kind:?}");
    }
    pay().await;
    assert_eq!(events(&sandbox, &mut receiver).await, usual);
}

#[tokio::test]
async fn a_bad_signature_is_bad_once() {
    let mut receiver = Receiver::start(&[401]).await;
    let sandbox = start_with(&receiver, WebhookScheme::Legacy).await;
    sandbox.inject(Fault::new(FaultKind::BadSignature).on("session.*"));
    session(&sandbox).await;
    sandbox.toffeepay().webhooks_settled().await;
    let attempts = receiver.arrived();
    assert_eq!(attempts.len(), 2);
    assert!(!legacy_is_valid(&sandbox, &attempts[0]));
    assert!(legacy_is_valid(&sandbox, &attempts[1]));
    assert_eq!(sandbox.toffeepay().webhooks()[0]["attempts"][0]["bad_signature"], true);
}

#[tokio::test]
async fn an_event_can_show_an_unknown_status() {
    let mut receiver = Receiver::start(&[]).await;
    let sandbox = start_with(&receiver, WebhookScheme::Standard).await;
    let kind = FaultKind::UnknownStatus { status: "under_review".to_owned() };
    sandbox.inject(Fault::new(kind).on("session.created"));
    let answer = ok(&sandbox, "CreateSession", session_request("space_shooter")).await;
    assert_eq!(receiver.next().await.json()["data"]["status"], "under_review");
    let read = ok(&sandbox, "GetSession", json!({"id": answer["id"]})).await;
    assert_eq!(read["status"], "pending", "the object is as it was");
}

#[tokio::test]
async fn without_a_url_events_are_only_logged() {
    let sandbox = Sandbox::start(config()).await.unwrap();
    session(&sandbox).await;
    let log = control(&sandbox, "GET", "/webhooks", Value::Null).await.json();
    assert_eq!(log["deliveries"][0]["state"], "no_url");
    assert_eq!(log["deliveries"][0]["event"], "session.created");
}
