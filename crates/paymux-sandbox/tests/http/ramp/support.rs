//! A client of the ramp.

use paymux_sandbox::Sandbox;
use paymux_sandbox::ramp::RampSettings;
use serde_json::{Value, json};

use crate::support::{Message, send};

/// Calls the API with these headers only; nothing when the connection closed without an answer.
pub(super) async fn raw_call(
    sandbox: &Sandbox,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Message> {
    send(&format!("{}{path}", sandbox.ramp().base_url()), method, headers, body).await
}

/// Calls the API below the prefix as the usual user; `null` sends no body.
pub(super) async fn try_call(
    sandbox: &Sandbox,
    method: &str,
    path: &str,
    body: &Value,
) -> Option<Message> {
    let bearer = format!("Bearer {}", sandbox.ramp().access_token());
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    raw_call(sandbox, method, &format!("/acquiring{path}"), &headers, &body).await
}

pub(super) async fn call(sandbox: &Sandbox, method: &str, path: &str, body: Value) -> Message {
    try_call(sandbox, method, path, &body).await.unwrap()
}

/// The JSON of a call that must succeed.
pub(super) async fn ok(sandbox: &Sandbox, method: &str, path: &str, body: Value) -> Value {
    let answer = call(sandbox, method, path, body).await;
    assert_eq!(answer.status(), 200, "{method} {path}: {}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-request-id").map(str::len), Some(36));
    answer.json()
}

pub(super) fn fixture(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/ramp");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Asserts an error that is this sample of the contract, but for the name of its trace.
#[track_caller]
pub(super) fn assert_sample(answer: &Message, status: u16, name: &str) {
    let (mut made, sample) = (answer.json(), fixture(name));
    if sample["traceId"] == "a1b2c3d4e5f60718" {
        let trace = made["traceId"].as_str().unwrap();
        assert!(trace.len() == 16 && trace.bytes().all(|it| it.is_ascii_hexdigit()), "{trace}");
        made["traceId"] = sample["traceId"].clone();
    }
    assert_eq!((answer.status(), made), (status, sample));
    assert_eq!(answer.header("x-request-id").map(str::len), Some(36));
}

/// Asserts an error by its status and its message.
#[track_caller]
pub(super) fn assert_error(answer: &Message, status: u16, message: &str) {
    let body = answer.json();
    let found = (answer.status(), body["message"].as_str());
    assert_eq!(found, (status, Some(message)), "{}", answer.body);
}

/// The members that a refused request has wrong.
#[track_caller]
pub(super) fn wrong(answer: &Message) -> Vec<String> {
    assert_error(answer, 400, "Validation failed");
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    errors.iter().map(|error| error["key"].as_str().unwrap().to_owned()).collect()
}

/// A request for an invoice with what its type requires.
pub(super) fn request(sandbox: &Sandbox, invoice: &str, kind: &str) -> Value {
    let mut body = json!({"invoiceId": invoice, "type": kind});
    if kind == "PLATFORM" {
        body["accountId"] = sandbox.ramp().usual_account("USD").unwrap().into();
    }
    body
}

/// A new payment of a new invoice over this much USD. Returns what finds it again, and its id.
pub(super) async fn create(sandbox: &Sandbox, amount: &str, kind: &str) -> (Value, String) {
    let invoice = sandbox.ramp().add_invoice(amount, "USD").unwrap();
    let mut body = request(sandbox, &invoice, kind);
    let made = ok(sandbox, "POST", "/invoice/payment", body.clone()).await;
    let id = made["id"].as_str().unwrap().to_owned();
    body["paymentId"] = id.as_str().into();
    (body, id)
}

/// The word that a look-up shows.
pub(super) async fn status(sandbox: &Sandbox, found_by: &Value) -> String {
    let shown = ok(sandbox, "POST", "/invoice/payment", found_by.clone()).await;
    assert_eq!(shown["id"], found_by["paymentId"]);
    shown["status"].as_str().unwrap().to_owned()
}

/// Changes some settings.
pub(super) fn set(sandbox: &Sandbox, change: impl FnOnce(&mut RampSettings)) {
    let mut settings = sandbox.ramp().settings();
    change(&mut settings);
    sandbox.ramp().set_settings(settings).unwrap();
}
