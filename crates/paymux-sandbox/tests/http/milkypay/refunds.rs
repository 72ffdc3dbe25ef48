//! The refund endpoint.

use std::time::Duration;

use paymux_sandbox::Sandbox;
use serde_json::{Value, json};

use super::{attributes, invoice, private, settings, start};
use crate::support::Message;

async fn paid(sandbox: &Sandbox) -> String {
    let id = invoice(sandbox, "order").await;
    sandbox.milkypay().pay(&id).unwrap();
    id
}

fn body(id: &str, reference: &str, amount: &Value) -> Value {
    json!({"data": {
        "type": "refund", "id": id,
        "attributes": {"invoiceId": id, "amount": amount, "reference_id": reference},
    }})
}

async fn refund(sandbox: &Sandbox, id: &str, body: &Value) -> Message {
    private(sandbox, "POST", &format!("/payment-invoices/{id}/refund"), body).await
}

#[tokio::test]
async fn both_bodies_of_the_documents_are_taken() {
    let sandbox = start().await;
    let id = paid(&sandbox).await;
    for (sample, left) in [
        (include_str!("../../fixtures/milkypay/refund.request.json"), 10),
        (include_str!("../../fixtures/milkypay/refund.new_model.request.json"), 20),
    ] {
        let mut body: Value = serde_json::from_str(sample).unwrap();
        if body["data"].get("id").is_some() {
            body["data"]["id"] = json!(id);
        } else {
            body["data"]["attributes"]["invoiceId"] = json!(id);
        }
        body["data"]["attributes"]["reference_id"] = json!(format!("refund {left}"));
        let answer = refund(&sandbox, &id, &body).await;
        assert_eq!(answer.status(), 200, "{}", answer.body);
        let shown = &answer.json()["data"]["attributes"];
        assert_eq!(shown["status"], "partially_refunded");
        assert_eq!(shown["refunded_amount"], left);
    }
    let answer = refund(&sandbox, &id, &body(&id, "the rest", &json!(80))).await;
    assert_eq!(answer.json()["data"]["attributes"]["status"], "refunded");
}

#[tokio::test]
async fn a_whole_refund_has_the_members_of_the_sample() {
    let sandbox = start().await;
    let mut settings = settings();
    settings.newer_members = true;
    sandbox.milkypay().set_settings(settings);
    let id = paid(&sandbox).await;
    sandbox.advance(Duration::from_secs(60));
    let answer = refund(&sandbox, &id, &body(&id, "all", &json!(100))).await;
    let made = answer.json();
    let sample = include_str!("../../fixtures/milkypay/refund.response.json");
    let sample: Value = serde_json::from_str(sample).unwrap();
    let (made, sample) = (&made["data"]["attributes"], &sample["data"]["attributes"]);
    for (name, value) in sample.as_object().unwrap() {
        assert!(made.get(name).is_some(), "{name} is missing");
        let same = ["status", "resolution", "amount", "processed_amount", "refunded_amount"];
        if same.contains(&name.as_str()) || name == "refunded_fee" {
            assert_eq!(&made[name], value, "{name}");
        }
    }
    assert_eq!(made["refunded"], super::CREATED + 60);
}

#[tokio::test]
async fn what_is_wrong_is_told_and_changes_nothing() {
    let sandbox = start().await;
    let id = paid(&sandbox).await;
    let blank = "This value should not be blank.";
    for (change, field, message) in [
        (json!({"/data/type": "payment-invoices"}), "type", "This value should be refund."),
        (json!({"/data/id": "cpi_other"}), "id", "This value is not valid."),
        (json!({"/data/attributes/invoiceId": "x"}), "invoiceId", "This value is not valid."),
        (json!({"/data/id": null, "/data/attributes/invoiceId": null}), "invoiceId", blank),
        (json!({"/data/attributes/reference_id": ""}), "reference_id", blank),
        (json!({"/data/attributes/amount": null}), "amount", blank),
        (json!({"/data/attributes/amount": 0.001}), "amount", "This value is not valid."),
        (json!({"/data/attributes/amount": 0}), "amount", "This value should be greater than 0."),
        (
            json!({"/data/attributes/amount": 100.01}),
            "amount",
            "This value should not exceed the refundable amount.",
        ),
    ] {
        let mut body = body(&id, "one", &json!(10));
        for (pointer, value) in change.as_object().unwrap() {
            *body.pointer_mut(pointer).unwrap() = value.clone();
        }
        let answer = refund(&sandbox, &id, &body).await;
        let expected = json!({"errors": {field: message}});
        assert_eq!((answer.status(), answer.json()), (422, expected), "{change}");
    }
    assert_eq!(attributes(&sandbox, &id).await["status"], "processed");
    let nobody = refund(&sandbox, "cpi_nobody", &body("cpi_nobody", "one", &json!(1))).await;
    assert_eq!(nobody.status(), 404);
}

#[tokio::test]
async fn a_repeated_refund_is_a_conflict() {
    let sandbox = start().await;
    let id = paid(&sandbox).await;
    let body = body(&id, "one", &json!(10));
    assert_eq!(refund(&sandbox, &id, &body).await.status(), 200);
    let again = refund(&sandbox, &id, &body).await;
    assert_eq!(again.status(), 409);
    assert_eq!(again.json()["data"]["attributes"]["refunded_amount"], 10);
}

#[tokio::test]
async fn a_refund_takes_its_time_or_does_not_exist() {
    let sandbox = start().await;
    let id = paid(&sandbox).await;
    let mut settings = settings();
    settings.refund_delay_seconds = 3600;
    sandbox.milkypay().set_settings(settings.clone());
    let answer = refund(&sandbox, &id, &body(&id, "one", &json!(100))).await;
    assert_eq!(answer.json()["data"]["attributes"]["status"], "refund_pending");
    assert_eq!(answer.json()["data"]["attributes"]["refunded_amount"], Value::Null);
    sandbox.advance(Duration::from_secs(3600));
    let shown = attributes(&sandbox, &id).await;
    assert_eq!((&shown["status"], &shown["refunded_amount"]), (&json!("refunded"), &json!(100)));
    settings.refunds = false;
    sandbox.milkypay().set_settings(settings);
    assert_eq!(refund(&sandbox, &id, &body(&id, "two", &json!(1))).await.status(), 404);
}
