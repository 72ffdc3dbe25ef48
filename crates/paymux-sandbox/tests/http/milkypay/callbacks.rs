//! Callbacks: what is sent, where to, and with which secret it is signed.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paymux_sandbox::milkypay::{MilkyPaySettings, Status, StatusChange};
use paymux_sandbox::{Fault, FaultKind, Sandbox};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::{attributes, config, fixture, invoice, invoice_with, private, settings};
use crate::support::{Message, Receiver, control};

async fn start_with(receiver: &Receiver, settings: MilkyPaySettings) -> Sandbox {
    let config = config().milkypay_settings(settings).webhook_retry(Duration::from_millis(1));
    Sandbox::start(config.milkypay_callback_url(receiver.url.clone())).await.unwrap()
}

async fn start() -> (Sandbox, Receiver) {
    let receiver = Receiver::start(&[]).await;
    (start_with(&receiver, settings()).await, receiver)
}

/// Checks a signature as a merchant would.
fn is_signed_with(delivery: &Message, secret: &str) -> bool {
    let sandwich = format!("{secret}{}{secret}", delivery.body);
    let signature = STANDARD.encode(Sha1::digest(sandwich));
    assert_eq!(signature.len(), 28);
    delivery.header("x-signature") == Some(&signature)
}

/// The statuses of everything that has arrived once nothing is pending.
async fn statuses(sandbox: &Sandbox, receiver: &mut Receiver) -> Vec<String> {
    sandbox.milkypay().callbacks_settled().await;
    let status = |delivery: Message| {
        delivery.json()["data"]["attributes"]["status"].as_str().unwrap().to_owned()
    };
    receiver.arrived().into_iter().map(status).collect()
}

#[tokio::test]
async fn creation_and_every_change_are_told() {
    let (sandbox, mut receiver) = start().await;
    let milkypay = sandbox.milkypay();
    let id = invoice(&sandbox, "order").await;
    milkypay.decline(&id, "declined").unwrap();
    milkypay.pay_amount(&id, "60").unwrap();
    milkypay.pay(&id).unwrap();
    milkypay.charge_back(&id, None).unwrap();
    let expected = ["process_pending", "partially_processed", "processed", "charged_back"];
    assert_eq!(statuses(&sandbox, &mut receiver).await, expected);
    invoice(&sandbox, "another").await;
    sandbox.advance(Duration::from_secs(1800));
    let expected = ["process_pending", "process_failed"];
    assert_eq!(statuses(&sandbox, &mut receiver).await, expected);
}

#[tokio::test]
async fn the_body_is_the_private_resource() {
    let (sandbox, mut receiver) = start().await;
    let more = json!({
        "reference_id": "da1b0b9d-c249-4f6e-9949-2a2f2d4b1758", "amount": 22,
        "description": "Invoice Example", "return_url": "https://example.com",
    });
    let id = invoice_with(&sandbox, "order", &more).await;
    sandbox.advance(Duration::from_secs(29));
    sandbox.milkypay().pay(&id).unwrap();
    for sample in [
        include_str!("../../fixtures/milkypay/callback.process_pending.json"),
        include_str!("../../fixtures/milkypay/callback.processed.json"),
    ] {
        let delivery = receiver.next().await;
        assert_eq!(delivery.line, "POST /webhooks?account=1 HTTP/1.1");
        assert_eq!(delivery.header("content-type"), Some("application/json"));
        assert!(is_signed_with(&delivery, sandbox.milkypay().secret_test()));
        let mut made = delivery.json();
        let paid = made["data"]["attributes"]["status"] == "processed";
        let mut anew = vec![
            "/data/id",
            "/data/attributes/serial_number",
            "/data/attributes/flow_data/action",
            "/data/attributes/flow_data/metadata/sid",
            "/data/attributes/flow_data/metadata/token",
            "/data/attributes/metadata/merchant_url",
            "/data/attributes/created",
            "/data/attributes/updated",
            "/data/links/self",
        ];
        if paid {
            anew.push("/data/attributes/processed");
            anew.push("/data/attributes/payload/payment_card/expiry_year");
            anew.push("/data/attributes/payload/payment_card/issuer_name");
        }
        let mut expected = fixture(sample, &made, &anew);
        // The account's URL is used, and the payer is known only when there was one.
        for body in [&mut made, &mut expected] {
            body["data"]["attributes"]["callback_url"] = Value::Null;
            body["data"]["attributes"]["original_data"] = Value::Null;
        }
        assert_eq!(made, expected);
    }
}

#[tokio::test]
async fn an_expired_invoice_is_told_as_in_the_sample() {
    let (sandbox, mut receiver) = start().await;
    invoice_with(&sandbox, "order", &json!({"amount": 22})).await;
    receiver.next().await;
    sandbox.advance(Duration::from_secs(1800));
    let body = receiver.next().await.json();
    let sample = include_str!("../../fixtures/milkypay/callback.process_failed.expired.json");
    let sample: Value = serde_json::from_str(sample).unwrap();
    let (made, sample) = (&body["data"]["attributes"], &sample["data"]["attributes"]);
    for member in ["status", "resolution", "amount", "processed", "processed_amount", "fee"] {
        assert_eq!(made[member], sample[member], "{member}");
    }
    let lived =
        |data: &Value| data["updated"].as_i64().unwrap() - data["created"].as_i64().unwrap();
    assert_eq!(lived(made), lived(sample));
}

#[tokio::test]
async fn test_and_live_have_their_own_secrets() {
    let (sandbox, mut receiver) = start().await;
    let milkypay = sandbox.milkypay();
    let (test, live) = (milkypay.secret_test().to_owned(), milkypay.secret_live().to_owned());
    for (test_mode, right, wrong) in [(true, &test, &live), (false, &live, &test)] {
        let reference = format!("order {test_mode}");
        invoice_with(&sandbox, &reference, &json!({"test_mode": test_mode})).await;
        let delivery = receiver.next().await;
        assert_eq!(delivery.json()["data"]["attributes"]["test_mode"], test_mode);
        assert!(is_signed_with(&delivery, right), "{test_mode}");
        assert!(!is_signed_with(&delivery, wrong), "{test_mode}");
    }
}

#[tokio::test]
async fn the_bytes_are_escaped_and_signed_as_they_are() {
    let (sandbox, mut receiver) = start().await;
    let more = json!({"description": "Оплата №7", "return_url": "https://example.com/1"});
    invoice_with(&sandbox, "order", &more).await;
    let delivery = receiver.next().await;
    assert!(delivery.body.contains(r#""return_url":"https:\/\/example.com\/1""#));
    assert!(delivery.body.contains(r"\u041e\u043f\u043b\u0430\u0442\u0430 \u21167"));
    assert!(is_signed_with(&delivery, sandbox.milkypay().secret_test()));
}

#[tokio::test]
async fn an_invoice_may_name_its_own_url() {
    let (sandbox, mut usual) = start().await;
    let mut own = Receiver::start(&[]).await;
    let id = invoice_with(&sandbox, "own", &json!({"callback_url": own.url.as_str()})).await;
    assert_eq!(own.next().await.json()["data"]["id"], id);
    // Nothing leaves this machine.
    let outward = json!({"callback_url": "https://example.com/callback"});
    let id = invoice_with(&sandbox, "outward", &outward).await;
    sandbox.milkypay().callbacks_settled().await;
    assert!(usual.arrived().is_empty() && own.arrived().is_empty());
    let log = control(&sandbox, "GET", "/webhooks", Value::Null).await.json();
    let delivery = &log["deliveries"][1];
    assert_eq!((&delivery["entity_id"], &delivery["state"]), (&json!(id), &json!("not_local")));
    assert_eq!(delivery["url"], "https://example.com/callback");
    assert_eq!(attributes(&sandbox, &id).await["callback_logs"], json!([]));
}

#[tokio::test]
async fn an_account_may_want_the_end_only() {
    let receiver = &mut Receiver::start(&[]).await;
    let settings = MilkyPaySettings { final_callbacks_only: true, ..settings() };
    let sandbox = start_with(receiver, settings).await;
    let id = invoice(&sandbox, "order").await;
    sandbox.milkypay().pay(&id).unwrap();
    assert_eq!(statuses(&sandbox, receiver).await, ["processed"]);
}

#[tokio::test]
async fn internal_data_is_included_on_request() {
    let mut receiver = Receiver::start(&[]).await;
    let settings = MilkyPaySettings { internal_callback_data: true, ..settings() };
    let sandbox = start_with(&receiver, settings).await;
    let customer = json!({"reference_id": "1203515", "name": "John Wick"});
    let id = invoice_with(&sandbox, "order", &json!({"customer": customer})).await;
    receiver.next().await;
    sandbox.milkypay().set_status(&id, &StatusChange::to(Status::ChargedBack)).unwrap();
    let body = receiver.next().await.json();
    let included = &body["included"];
    assert_eq!(included[0]["type"], "payment-requests");
    assert_eq!(included[0]["attributes"]["status"], "CHARGED_BACK");
    assert_eq!(included[0]["attributes"]["reference_id"], id);
    assert_eq!(included[0]["relationships"], json!([]));
    assert_eq!(included[1]["type"], "customers");
    assert_eq!(included[1]["attributes"], customer);
    let sample = include_str!("../../fixtures/milkypay/callback.charged_back.php_arrays.json");
    let sample: Value = serde_json::from_str(sample).unwrap();
    let (made, sample) = (&body["data"]["attributes"], &sample["data"]["attributes"]);
    assert_eq!(made["status"], sample["status"]);
    assert_eq!(made["charged_back_amount"], 100);
}

#[tokio::test]
async fn a_passed_verification_is_told_without_money() {
    let (sandbox, mut receiver) = start().await;
    let sample = include_str!("../../fixtures/milkypay/create_invoice.private.verify.request.json");
    let request = serde_json::from_str(sample).unwrap();
    let answer = private(&sandbox, "POST", "/payment-invoices", &request).await;
    assert_eq!(answer.status(), 201, "{}", answer.body);
    assert_eq!(answer.json()["data"]["attributes"]["payment_flow"], "verify");
    sandbox.milkypay().pay(answer.json()["data"]["id"].as_str().unwrap()).unwrap();
    receiver.next().await;
    let body = receiver.next().await.json();
    let sample = include_str!("../../fixtures/milkypay/callback.verified.json");
    let sample: Value = serde_json::from_str(sample).unwrap();
    let (made, sample) = (&body["data"]["attributes"], &sample["data"]["attributes"]);
    for member in [
        "status",
        "resolution",
        "payment_flow",
        "flow",
        "flow_data",
        "processed",
        "processed_amount",
        "processed_fee",
        "processed_deposit",
    ] {
        assert_eq!(made[member], sample[member], "{member}");
    }
}

#[tokio::test]
async fn callbacks_go_wrong_on_request() {
    let (sandbox, mut receiver) = start().await;
    let milkypay = sandbox.milkypay();
    let cases: [(FaultKind, &[&str], &[&str]); 4] = [
        (FaultKind::DropWebhook, &["process_pending", "charged_back"], &[]),
        (
            FaultKind::DuplicateWebhook,
            &["process_pending", "processed", "processed", "charged_back"],
            &[],
        ),
        (FaultKind::DelayWebhook, &["process_pending", "charged_back"], &["processed"]),
        (FaultKind::ReorderWebhook, &["process_pending", "charged_back", "processed"], &[]),
    ];
    for (kind, at_once, released) in cases {
        sandbox.inject(Fault::new(kind.clone()).on("callback.processed"));
        let id = invoice(&sandbox, &format!("{kind:?}")).await;
        milkypay.pay(&id).unwrap();
        milkypay.charge_back(&id, None).unwrap();
        assert_eq!(statuses(&sandbox, &mut receiver).await, at_once, "{kind:?}");
        assert_eq!(milkypay.release_callbacks(), released.len(), "{kind:?}");
        assert_eq!(statuses(&sandbox, &mut receiver).await, released, "{kind:?}");
    }
}

#[tokio::test]
async fn a_callback_can_show_an_unknown_status_or_a_bad_signature() {
    let (sandbox, mut receiver) = start().await;
    let milkypay = sandbox.milkypay();
    let unknown = FaultKind::UnknownStatus { status: "some_future_status".to_owned() };
    sandbox.inject(Fault::new(unknown).on("callback.*"));
    let id = invoice(&sandbox, "order").await;
    let delivery = receiver.next().await;
    assert_eq!(delivery.json()["data"]["attributes"]["status"], "some_future_status");
    assert!(is_signed_with(&delivery, milkypay.secret_test()));
    assert_eq!(attributes(&sandbox, &id).await["status"], "process_pending");
    sandbox.inject(Fault::new(FaultKind::BadSignature).on("callback.processed").id(&id));
    milkypay.pay(&id).unwrap();
    let delivery = receiver.next().await;
    assert!(!is_signed_with(&delivery, milkypay.secret_test()));
    assert!(!is_signed_with(&delivery, milkypay.secret_live()));
}
