//! MilkyPay over HTTP: requests and answers compared with the contract's fixtures.

mod callbacks;
mod checkout;
mod control;
mod faults;
mod invoices;
mod lists;
mod reads;
mod refunds;
mod refusals;
mod retries;
mod services;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paymux_sandbox::milkypay::MilkyPaySettings;
use paymux_sandbox::{Sandbox, SandboxConfig, StartTime};
use serde_json::{Value, json};

use crate::support::{Message, send};

/// Frozen at the creation of the invoice in the specification's samples.
const CREATED: i64 = 1_597_833_098;

fn config() -> SandboxConfig {
    let start = jiff::Timestamp::from_second(CREATED).unwrap();
    SandboxConfig::default().seed(42).time(StartTime::Frozen(start)).milkypay_settings(settings())
}

fn settings() -> MilkyPaySettings {
    let merchant_url = Some("https://lets.doc.it".to_owned());
    MilkyPaySettings { merchant_url, ..MilkyPaySettings::default() }
}

async fn start() -> Sandbox {
    Sandbox::start(config()).await.unwrap()
}

fn authorization(sandbox: &Sandbox) -> String {
    let milkypay = sandbox.milkypay();
    let credentials = format!("{}:{}", milkypay.account_id(), milkypay.api_key());
    format!("Basic {}", STANDARD.encode(credentials))
}

/// Calls the private API; nothing when the connection closed without an answer.
async fn try_private(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Option<Message> {
    let url = format!("{}{path}", sandbox.milkypay().private_url());
    let authorization = authorization(sandbox);
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(&url, method, &headers, &body).await
}

async fn private(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Message {
    try_private(sandbox, method, path, body).await.unwrap()
}

/// Calls the public API.
async fn public(sandbox: &Sandbox, method: &str, path: &str, body: &Value) -> Message {
    let url = format!("{}{path}", sandbox.milkypay().public_url());
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(&url, method, &[("Content-Type", "application/json")], &body).await.unwrap()
}

/// A read of the private API that must succeed.
async fn read(sandbox: &Sandbox, path: &str) -> Value {
    let answer = private(sandbox, "GET", path, &Value::Null).await;
    assert_eq!(answer.status(), 200, "{path}: {}", answer.body);
    answer.json()
}

/// The specification's request, with its expiry brought into the sandbox's time.
fn full_request() -> Value {
    let text = include_str!("../fixtures/milkypay/create_invoice.private.full.request.json");
    let mut request: Value = serde_json::from_str(text).unwrap();
    request["data"]["attributes"]["expires"] = json!("2020-08-19T12:00:00+00:00");
    request
}

/// A small request with these attributes on top.
fn request(reference: &str, more: &Value) -> Value {
    let mut attributes = json!({
        "reference_id": reference,
        "service": "payment_card_usd_hpp",
        "currency": "USD",
        "amount": 100,
        "test_mode": true,
    });
    for (name, value) in more.as_object().unwrap() {
        attributes[name] = value.clone();
    }
    json!({"data": {"type": "payment-invoices", "attributes": attributes}})
}

/// Creates an invoice over 100 USD in test mode; returns its id.
async fn invoice(sandbox: &Sandbox, reference: &str) -> String {
    invoice_with(sandbox, reference, &json!({})).await
}

async fn invoice_with(sandbox: &Sandbox, reference: &str, more: &Value) -> String {
    let answer = private(sandbox, "POST", "/payment-invoices", &request(reference, more)).await;
    assert_eq!(answer.status(), 201, "{}", answer.body);
    answer.json()["data"]["id"].as_str().unwrap().to_owned()
}

/// An invoice on which the action of this path works; returns its id.
pub(crate) async fn ready_for(sandbox: &Sandbox, path: &str) -> String {
    let milkypay = sandbox.milkypay();
    let id = invoice(sandbox, "order").await;
    match path.rsplit('/').next().unwrap() {
        "approve" => milkypay.moderate(&id).unwrap(),
        "charge-back" => milkypay.pay(&id).unwrap(),
        "settle-refund" => {
            milkypay.pay(&id).unwrap();
            let settings = MilkyPaySettings { refund_delay_seconds: 60, ..settings() };
            milkypay.set_settings(settings);
            let body = json!({"data": {
                "type": "refund", "id": id,
                "attributes": {"amount": 1, "reference_id": "refund"},
            }});
            let path = format!("/payment-invoices/{id}/refund");
            assert_eq!(private(sandbox, "POST", &path, &body).await.status(), 200);
        }
        _ => {}
    }
    id
}

async fn attributes(sandbox: &Sandbox, id: &str) -> Value {
    read(sandbox, &format!("/payment-invoices/{id}")).await["data"]["attributes"].clone()
}

fn invoices(sandbox: &Sandbox) -> usize {
    sandbox.milkypay().snapshot()["invoices"].as_array().unwrap().len()
}

/// Reads a fixture and takes over what every run makes anew. Both must have the member, and
/// members of the same kind.
#[track_caller]
fn fixture(text: &str, made: &Value, anew: &[&str]) -> Value {
    let mut expected: Value = serde_json::from_str(text).unwrap();
    for pointer in anew {
        let (Some(slot), Some(value)) = (expected.pointer_mut(pointer), made.pointer(pointer))
        else {
            panic!("{pointer} is missing: {made}");
        };
        assert_eq!(slot.is_string(), value.is_string(), "{pointer}");
        *slot = value.clone();
    }
    expected
}

/// What every invoice of the private API has for itself.
const ANEW: [&str; 8] = [
    "/data/id",
    "/data/attributes/serial_number",
    "/data/attributes/flow_data/action",
    "/data/attributes/flow_data/metadata/sid",
    "/data/attributes/flow_data/metadata/token",
    "/data/attributes/original_data/external_mid",
    "/data/relationships/customer/data/id",
    "/data/links/self",
];
