//! What the merchant is told: two shapes, no signature.

use std::time::Duration;

use paymux_sandbox::ramp::{AmountStyle, DateStyle};
use paymux_sandbox::{Fault, FaultKind, Sandbox, StartTime};
use serde_json::{Value, json};

use super::support::{create, fixture, ok, set};
use crate::support::{Message, Receiver, config, control};

/// The time of payment in the contract's samples.
const AT: &str = "2024-06-03T16:00:00Z";

async fn start(statuses: &[u16]) -> (Sandbox, Receiver) {
    let receiver = Receiver::start(statuses).await;
    let config = config().time(StartTime::Frozen(AT.parse().unwrap()));
    let config = config.ramp_webhook_url(receiver.url.clone());
    let sandbox = Sandbox::start(config.webhook_retry(Duration::from_millis(1))).await.unwrap();
    (sandbox, receiver)
}

/// The sample about this payment.
fn sample(name: &str, found_by: &Value) -> Value {
    let mut sample = fixture(name);
    for member in ["paymentId", "invoiceId"] {
        sample["payload"][member] = found_by[member].clone();
    }
    sample
}

async fn pay(sandbox: &Sandbox, amount: &str) -> Value {
    let (found_by, _) = create(sandbox, amount, "PLATFORM").await;
    ok(sandbox, "POST", "/invoice/payment/pay", found_by.clone()).await;
    found_by
}

fn words(deliveries: &[Message]) -> Vec<String> {
    let word =
        |delivery: &Message| delivery.json()["payload"]["status"].as_str().unwrap().to_owned();
    deliveries.iter().map(word).collect()
}

#[tokio::test]
async fn webhooks_go_where_they_went_when_one_address_is_refused() {
    let (sandbox, mut receiver) = start(&[]).await;
    let other = Receiver::start(&[]).await;
    let urls = json!({"url": "https://example.com/", "platform": other.url});
    assert_eq!(control(&sandbox, "PUT", "/ramp/webhook", urls).await.status(), 400);
    let paid = pay(&sandbox, "10.50").await;
    assert_eq!(receiver.next().await.json(), sample("webhook.platform", &paid));
}

#[tokio::test]
async fn a_platform_payment_is_told_as_in_the_samples() {
    let (sandbox, mut receiver) = start(&[]).await;
    let paid = pay(&sandbox, "10.50").await;
    let delivery = receiver.next().await;
    assert_eq!(delivery.json(), sample("webhook.platform", &paid));
    assert_eq!(delivery.header("content-type"), Some("application/json"));
    assert!(delivery.body.contains(r#""amount":10.5,"#), "{}", delivery.body);
    for (dates, name) in [
        (DateStyle::Seconds, "webhook.platform.date_seconds"),
        (DateStyle::Milliseconds, "webhook.platform"),
    ] {
        set(&sandbox, |settings| settings.dates = dates);
        let paid = pay(&sandbox, "10.50").await;
        assert_eq!(receiver.next().await.json(), sample(name, &paid));
    }
    set(&sandbox, |settings| settings.dates = DateStyle::FractionalSeconds);
    pay(&sandbox, "10.50").await;
    let body = receiver.next().await.body;
    assert!(body.contains(r#""paymentDate":1717430400.000000000"#), "{body}");
    set(&sandbox, |settings| settings.amounts = AmountStyle::Text);
    pay(&sandbox, "10.50").await;
    assert_eq!(receiver.next().await.json()["payload"]["amount"], "10.5");
    set(&sandbox, |settings| settings.webhook_on_creation = true);
    create(&sandbox, "10.50", "PLATFORM").await;
    let pending = receiver.next().await.json();
    assert_eq!(
        (&pending["payload"]["status"], &pending["payload"]["paymentDate"]),
        (&json!("PENDING"), &Value::Null)
    );
}

#[tokio::test]
async fn an_external_payment_is_told_as_in_the_samples() {
    let (sandbox, mut receiver) = start(&[]).await;
    let ramp = sandbox.ramp();
    let invoice = async || {
        let invoice = ramp.add_invoice("49.99", "EUR").unwrap();
        let body = json!({"invoiceId": invoice, "type": "EXTERNAL"});
        let made = ok(&sandbox, "POST", "/invoice/payment", body.clone()).await;
        let mut found_by = body;
        found_by["paymentId"] = made["id"].clone();
        found_by
    };
    let reference = fixture("webhook.external")["payload"]["externalData"].clone();
    for (name, data) in [
        ("webhook.external", reference.as_str()),
        ("webhook.external.no_external_data", None),
        ("webhook.external.failed", Some("declined by partner")),
    ] {
        let found_by = invoice().await;
        let id = found_by["paymentId"].as_str().unwrap();
        let failed = name.ends_with("failed");
        let told =
            if failed { ramp.fail_external(id, data) } else { ramp.settle_external(id, data) };
        told.unwrap();
        assert_eq!(receiver.next().await.json(), sample(name, &found_by), "{name}");
    }
    let found_by = invoice().await;
    let id = found_by["paymentId"].as_str().unwrap();
    ramp.settle_external(id, reference.as_str()).unwrap();
    receiver.next().await;
    ramp.refund(id, None).unwrap();
    assert_eq!(receiver.next().await.json(), sample("webhook.external.refunded", &found_by));
}

#[tokio::test]
async fn each_shape_can_have_its_own_endpoint() {
    let (sandbox, mut both) = start(&[]).await;
    let mut external = Receiver::start(&[]).await;
    sandbox.ramp().set_webhook_urls(None, Some(external.url.clone())).unwrap();
    pay(&sandbox, "10.50").await;
    let (_, id) = create(&sandbox, "10.50", "EXTERNAL").await;
    sandbox.ramp().settle_external(&id, None).unwrap();
    sandbox.ramp().webhooks_settled().await;
    assert_eq!((both.arrived().len(), external.arrived().len()), (1, 1));
    let outward = json!({"platform": "http://example.com/"});
    assert_eq!(control(&sandbox, "PUT", "/ramp/webhook", outward).await.status(), 400);
}

#[tokio::test]
async fn a_shared_secret_is_a_header_and_can_be_wrong() {
    let (sandbox, mut receiver) = start(&[]).await;
    pay(&sandbox, "1").await;
    assert_eq!(receiver.next().await.header("x-webhook-secret"), None);
    set(&sandbox, |settings| settings.webhook_secret = Some("open sesame".to_owned()));
    pay(&sandbox, "1").await;
    assert_eq!(receiver.next().await.header("x-webhook-secret"), Some("open sesame"));
    sandbox.inject(Fault::new(FaultKind::BadSignature).on("platform.*"));
    set(&sandbox, |settings| settings.webhook_secret_header = "X-Shared".to_owned());
    pay(&sandbox, "1").await;
    assert_eq!(receiver.next().await.header("x-shared"), Some("xpen sesame"));
}

#[tokio::test]
async fn webhooks_come_in_order_again_twice_late_or_never() {
    let (sandbox, mut receiver) = start(&[500, 404]).await;
    set(&sandbox, |settings| settings.settle_seconds = 60);
    pay(&sandbox, "10.50").await;
    let first = receiver.next().await.body;
    assert_eq!([receiver.next().await.body, receiver.next().await.body], [first.clone(), first]);
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(words(&[receiver.next().await]), ["SUCCESS"]);

    for (kind, expected) in [
        (FaultKind::DropWebhook, vec!["SUCCESS"]),
        (FaultKind::DuplicateWebhook, vec!["PROCESSING", "PROCESSING", "SUCCESS"]),
        (FaultKind::ReorderWebhook, vec!["SUCCESS", "PROCESSING"]),
        (FaultKind::UnknownStatus { status: "NOT_PAID".to_owned() }, vec!["NOT_PAID", "SUCCESS"]),
    ] {
        sandbox.inject(Fault::new(kind.clone()).on("platform.processing"));
        pay(&sandbox, "10.50").await;
        sandbox.advance(Duration::from_secs(60));
        sandbox.ramp().webhooks_settled().await;
        assert_eq!(words(&receiver.arrived()), expected, "{kind:?}");
    }
    sandbox.inject(Fault::new(FaultKind::DelayWebhook).on("ramp.platform.processing"));
    pay(&sandbox, "10.50").await;
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(sandbox.ramp().release_webhooks(), 1);
    sandbox.ramp().webhooks_settled().await;
    assert_eq!(words(&receiver.arrived()), ["SUCCESS", "PROCESSING"]);
}
