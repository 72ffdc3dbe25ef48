//! Reading invoices: by id in both APIs, by reference, in every status.

use std::time::Duration;

use paymux_sandbox::milkypay::{ReferenceLookup, Status, StatusChange};
use serde_json::{Value, json};

use super::{ANEW, attributes, fixture, invoice, private, public, read, request, settings, start};
use crate::support::Receiver;

const REFERENCE: &str = "70d42236-2cc4-4e26-8f2f-987fd8fbc276";

/// The invoice of the samples: paid after 107 seconds, its callbacks delivered.
async fn paid(receiver: &Receiver) -> (paymux_sandbox::Sandbox, String) {
    let config = super::config().milkypay_callback_url(receiver.url.clone());
    let sandbox = paymux_sandbox::Sandbox::start(config).await.unwrap();
    let mut body = super::full_request();
    let sent = &mut body["data"]["attributes"];
    sent["amount"] = json!(100);
    sent["reference_id"] = json!(REFERENCE);
    sent.as_object_mut().unwrap().remove("callback_url");
    let answer = private(&sandbox, "POST", "/payment-invoices", &body).await;
    let id = answer.json()["data"]["id"].as_str().unwrap().to_owned();
    sandbox.milkypay().callbacks_settled().await;
    sandbox.advance(Duration::from_secs(107));
    sandbox.milkypay().pay(&id).unwrap();
    sandbox.milkypay().callbacks_settled().await;
    (sandbox, id)
}

/// What differs from the sample because of this run's times and card.
fn with_this_run(mut expected: Value) -> Value {
    let data = &mut expected["data"]["attributes"];
    data["processed"] = json!(1_597_833_205);
    data["updated"] = json!(1_597_833_205);
    data["callback_url"] = Value::Null;
    data["callback_logs"] = json!({
        "1597833098": {
            "status": "done", "processed": 1_597_833_098, "response_code": 200,
            "transaction_status": "process_pending",
        },
        "1597833205": {
            "status": "done", "processed": 1_597_833_205, "response_code": 200,
            "transaction_status": "processed",
        },
    });
    expected
}

fn anew() -> Vec<&'static str> {
    let mut anew = ANEW.to_vec();
    anew.extend([
        "/data/attributes/original_data/external_id",
        "/data/attributes/original_data/merchant_id",
        "/data/attributes/payload/payment_card/expiry_year",
        "/data/attributes/payload/payment_card/issuer_name",
    ]);
    anew
}

#[tokio::test]
async fn a_paid_invoice_reads_as_the_specification_shows() {
    let receiver = Receiver::start(&[]).await;
    let (sandbox, id) = paid(&receiver).await;
    let made = read(&sandbox, &format!("/payment-invoices/{id}")).await;
    let text = include_str!("../../fixtures/milkypay/get_invoice.private.response.json");
    assert_eq!(made, with_this_run(fixture(text, &made, &anew())));

    let key = sandbox.milkypay().public_key_test().to_owned();
    for query in [String::new(), format!("?public_key={key}")] {
        let path = format!("/payment-invoices/{id}{query}");
        let made = public(&sandbox, "GET", &path, &Value::Null).await.json();
        let text = include_str!("../../fixtures/milkypay/get_invoice.public.response.json");
        let anew = [
            "/data/id",
            "/data/serial_number",
            "/data/active_payment/payload/action",
            "/data/active_payment/payload/metadata/sid",
            "/data/active_payment/payload/metadata/token",
        ];
        assert_eq!(made, fixture(text, &made, &anew));
    }
}

#[tokio::test]
async fn an_invoice_is_found_by_its_reference() {
    let receiver = Receiver::start(&[]).await;
    let (sandbox, id) = paid(&receiver).await;
    invoice(&sandbox, "another").await;
    for path in [
        format!("/payment-invoices?filter[reference_id]={REFERENCE}"),
        format!("/payment-invoices?filter%5Breference_id%5D={REFERENCE}"),
    ] {
        let made = read(&sandbox, &path).await;
        let text =
            include_str!("../../fixtures/milkypay/get_invoice_by_reference.list.response.json");
        let sample: Value = serde_json::from_str(text).unwrap();
        let row = json!({"data": made["data"][0]});
        let sample = json!({"data": sample["data"][0]}).to_string();
        assert_eq!(row, with_this_run(fixture(&sample, &row, &anew())));
        assert_eq!(made["data"].as_array().unwrap().len(), 1);
        assert_eq!(made["data"][0]["id"], id);
        let cursor = json!({"count": 1, "size": 20, "before": id, "after": id});
        assert_eq!(made["meta"], cursor);
        assert_eq!(made["links"], json!({"prev": "", "next": ""}));
    }
    let none = read(&sandbox, "/payment-invoices?filter[reference_id]=nobody").await;
    let expected =
        include_str!("../../fixtures/milkypay/get_invoice_by_reference.empty.response.json");
    assert_eq!(none, serde_json::from_str::<Value>(expected).unwrap());
}

#[tokio::test]
async fn a_lookup_may_answer_with_the_invoice_itself() {
    let receiver = Receiver::start(&[]).await;
    let (sandbox, _) = paid(&receiver).await;
    let mut settings = settings();
    settings.reference_lookup = ReferenceLookup::Single;
    sandbox.milkypay().set_settings(settings);
    let path = format!("/payment-invoices?filter[reference_id]={REFERENCE}");
    let made = read(&sandbox, &path).await;
    let text =
        include_str!("../../fixtures/milkypay/get_invoice_by_reference.single.response.json");
    assert_eq!(made, with_this_run(fixture(text, &made, &anew())));
    let path = "/payment-invoices?filter[reference_id]=nobody";
    assert_eq!(private(&sandbox, "GET", path, &Value::Null).await.status(), 404);
}

#[tokio::test]
async fn a_reference_with_odd_letters_is_found() {
    let sandbox = start().await;
    let reference = "Test Order #1 & [ü]";
    let body = request(reference, &json!({}));
    private(&sandbox, "POST", "/payment-invoices", &body).await;
    let path = "/payment-invoices?filter%5Breference_id%5D=Test%20Order%20%231+%26%20%5B%C3%BC%5D";
    assert_eq!(read(&sandbox, path).await["data"][0]["attributes"]["reference_id"], reference);
}

#[tokio::test]
async fn every_status_with_every_resolution_is_shown() {
    let sandbox = start().await;
    let milkypay = sandbox.milkypay();
    let id = invoice(&sandbox, "order").await;
    let mut pairs = Vec::new();
    for status in [
        Status::Created,
        Status::ProcessPending,
        Status::Processing,
        Status::ProcessError,
        Status::Processed,
        Status::PartiallyProcessed,
        Status::ProcessFailed,
        Status::Expired,
        Status::Terminated,
        Status::Verified,
        Status::VerifyFailed,
        Status::Refunding,
        Status::RefundPending,
        Status::RefundError,
        Status::PartiallyRefunded,
        Status::Refunded,
        Status::RefundFailed,
        Status::ChargedBack,
        Status::PartiallyChargedBack,
    ] {
        for resolution in ["ok", "expired", "auth_3ds_required", "insufficient_funds"] {
            pairs.push((status, resolution));
        }
    }
    for (status, resolution) in pairs {
        let change = StatusChange::to(status).resolution(resolution);
        milkypay.set_status(&id, &change).unwrap();
        let shown = attributes(&sandbox, &id).await;
        assert_eq!(shown["status"], json!(status));
        assert_eq!(shown["resolution"], resolution);
        let path = format!("/payment-invoices/{id}");
        let flat = public(&sandbox, "GET", &path, &Value::Null).await.json();
        assert_eq!(flat["data"]["status"], json!(status));
        assert_eq!(flat["data"]["resolution"], resolution.to_uppercase());
    }
}

#[tokio::test]
async fn amounts_of_the_rarer_statuses_are_those_of_the_samples() {
    let sandbox = start().await;
    let milkypay = sandbox.milkypay();
    for (change, fixture) in [
        (
            StatusChange::to(Status::PartiallyProcessed).amount("60.5"),
            include_str!("../../fixtures/milkypay/invoice.partially_processed.response.json"),
        ),
        (
            StatusChange::to(Status::PartiallyRefunded).amount("10"),
            include_str!("../../fixtures/milkypay/invoice.partially_refunded.response.json"),
        ),
        (
            StatusChange::to(Status::PartiallyChargedBack).amount("55"),
            include_str!("../../fixtures/milkypay/invoice.partially_charged_back.response.json"),
        ),
        (
            StatusChange::to(Status::RefundFailed),
            include_str!("../../fixtures/milkypay/invoice.refund_failed.response.json"),
        ),
        (
            StatusChange::to(Status::RefundPending),
            include_str!("../../fixtures/milkypay/invoice.refund_pending.response.json"),
        ),
        (
            StatusChange::to(Status::Terminated),
            include_str!("../../fixtures/milkypay/invoice.terminated.response.json"),
        ),
        (
            StatusChange::to(Status::ProcessPending).resolution("auth_3ds_required"),
            include_str!(
                "../../fixtures/milkypay/invoice.process_pending.auth_3ds_required.response.json"
            ),
        ),
        (
            StatusChange::to(Status::ProcessFailed).resolution("insufficient_funds"),
            include_str!(
                "../../fixtures/milkypay/invoice.process_failed.insufficient_funds.response.json"
            ),
        ),
        (
            StatusChange::to(Status::ProcessFailed).resolution("expired"),
            include_str!("../../fixtures/milkypay/invoice.process_failed.expired.response.json"),
        ),
        (
            StatusChange::to(Status::Created),
            include_str!("../../fixtures/milkypay/invoice.created.response.json"),
        ),
    ] {
        let id = invoice(&sandbox, &format!("{change:?}")).await;
        milkypay.set_status(&id, &change).unwrap();
        let shown = attributes(&sandbox, &id).await;
        let expected: Value = serde_json::from_str(fixture).unwrap();
        let expected = &expected["data"]["attributes"];
        for member in [
            "status",
            "resolution",
            "amount",
            "payment_amount",
            "processed_amount",
            "processed_fee",
            "processed_deposit",
            "refunded_amount",
            "charged_back_amount",
        ] {
            assert_eq!(shown.get(member), expected.get(member), "{change:?} {member}");
        }
    }
}
