//! Faults of both APIs: what was done, and what was said about it.

use paymux_sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use super::{attributes, invoice, invoices, private, read, request, start, try_private};

#[tokio::test]
async fn a_lost_answer_is_found_by_its_reference() {
    let sandbox = start().await;
    for (number, kind) in [
        FaultKind::DropReply,
        FaultKind::ErrorAfterCommit { status: 500 },
        FaultKind::ErrorAfterCommit { status: 400 },
        FaultKind::TruncateReply,
        FaultKind::GarbageReply,
    ]
    .into_iter()
    .enumerate()
    {
        let reference = format!("order {number}");
        sandbox.inject(Fault::new(kind.clone()).on("milkypay.CreateInvoice"));
        let body = request(&reference, &json!({}));
        let answer = try_private(&sandbox, "POST", "/payment-invoices", &body).await;
        assert_eq!(answer.is_none(), kind == FaultKind::DropReply);
        assert_eq!(invoices(&sandbox), number + 1);
        let path = format!("/payment-invoices?filter[reference_id]=order%20{number}");
        let found = read(&sandbox, &path).await;
        assert_eq!(found["data"][0]["attributes"]["reference_id"], reference);
        let again = private(&sandbox, "POST", "/payment-invoices", &body).await;
        assert_eq!(again.status(), 409, "the reference protects the retry");
        assert_eq!(again.json()["data"]["id"], found["data"][0]["id"]);
    }
}

#[tokio::test]
async fn an_error_before_has_no_effect_and_the_platforms_body() {
    let sandbox = start().await;
    for (status, text) in [
        (401, include_str!("../../fixtures/milkypay/error.401.json")),
        (429, include_str!("../../fixtures/milkypay/error.429.json")),
        (500, include_str!("../../fixtures/milkypay/error.500.json")),
        (503, include_str!("../../fixtures/milkypay/error.503.json")),
    ] {
        let kind = FaultKind::ErrorBefore { status, retry_after_seconds: Some(7) };
        sandbox.inject(Fault::new(kind).on("CreateInvoice"));
        let body = request("order", &json!({}));
        let answer = private(&sandbox, "POST", "/payment-invoices", &body).await;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!((answer.status(), answer.json()), (status, expected));
        assert_eq!(answer.header("retry-after"), Some("7"));
    }
    let table = include_str!("../../fixtures/milkypay/http_directives.json");
    let table: Value = serde_json::from_str(table).unwrap();
    let codes = table["table"].as_array().unwrap().iter();
    for status in codes.filter_map(|row| row["code"].as_u64()).filter(|code| *code >= 400) {
        let status = u16::try_from(status).unwrap();
        let kind = FaultKind::ErrorBefore { status, retry_after_seconds: None };
        sandbox.inject(Fault::new(kind).on("CreateInvoice"));
        let body = request("order", &json!({}));
        let answer = private(&sandbox, "POST", "/payment-invoices", &body).await;
        assert_eq!(answer.status(), status);
    }
    for status in [502, 504] {
        let kind = FaultKind::ErrorBefore { status, retry_after_seconds: None };
        sandbox.inject(Fault::new(kind).on("CreateInvoice"));
        let body = request("order", &json!({}));
        let answer = private(&sandbox, "POST", "/payment-invoices", &body).await;
        assert_eq!(answer.status(), status);
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    }
    assert_eq!(invoices(&sandbox), 0);
}

#[tokio::test]
async fn reads_show_an_unknown_status_and_errors_do_not() {
    let sandbox = start().await;
    let id = invoice(&sandbox, "order").await;
    let sample = include_str!("../../fixtures/milkypay/invoice.unknown_status.response.json");
    let sample: Value = serde_json::from_str(sample).unwrap();
    let word = sample["data"]["attributes"]["status"].as_str().unwrap();
    let unknown = || FaultKind::UnknownStatus { status: word.to_owned() };
    sandbox.inject(Fault::new(unknown()).on("GetInvoice").id(&id));
    assert_eq!(attributes(&sandbox, &id).await["status"], word);
    assert_eq!(attributes(&sandbox, &id).await["status"], "process_pending");
    sandbox.inject(Fault::new(unknown()).on("ListInvoices"));
    let list = read(&sandbox, "/payment-invoices").await;
    assert_eq!(list["data"][0]["attributes"]["status"], word);
    sandbox.inject(Fault::new(unknown()).on("GetInvoice"));
    let missing = private(&sandbox, "GET", "/payment-invoices/cpi_x", &Value::Null).await;
    let expected = include_str!("../../fixtures/milkypay/error.404.json");
    assert_eq!(missing.json(), serde_json::from_str::<Value>(expected).unwrap());
}

#[tokio::test]
async fn a_fault_of_one_provider_leaves_the_other_alone() {
    let sandbox = start().await;
    sandbox.inject(Fault::new(FaultKind::DropReply).on("toffeepay.*"));
    invoice(&sandbox, "order").await;
    assert_eq!(sandbox.faults().len(), 1, "it waits for ToffeePay");
    sandbox.reset();
    sandbox.inject(Fault::new(FaultKind::GarbageReply).on("milkypay.*"));
    crate::support::session(&sandbox).await;
    assert_eq!(sandbox.faults().len(), 1, "it waits for MilkyPay");
}
