//! What the calls do, and the faults that strike them.

use std::time::Duration;

use paymux_sandbox::ramp::{AmountStyle, RampInvoice, RampPaths, UnknownPayment};
use paymux_sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use super::support::{
    assert_error, assert_sample, call, create, fixture, ok, raw_call, request, set, status,
    try_call, wrong,
};
use crate::support::{control, get, start};

const PAY: &str = "/invoice/payment/pay";

#[tokio::test]
async fn a_creation_is_found_again_and_a_failed_payment_is_not() {
    let sandbox = start().await;
    let (found_by, id) = create(&sandbox, "10.50", "CHECKOUT").await;
    let invoice = found_by["invoiceId"].as_str().unwrap();
    let again = request(&sandbox, invoice, "CHECKOUT");
    let found = ok(&sandbox, "POST", "/invoice/payment", again.clone()).await;
    assert_eq!(found["id"], id.as_str());
    sandbox.ramp().decline_checkout(&id).unwrap();
    assert_eq!(status(&sandbox, &found_by).await, "FAILED");
    let fresh = ok(&sandbox, "POST", "/invoice/payment", again).await;
    assert_ne!(fresh["id"], id.as_str());
}

#[tokio::test]
async fn a_look_up_of_an_unknown_payment_is_refused_or_creates() {
    let sandbox = start().await;
    let (mut found_by, id) = create(&sandbox, "10.50", "EXTERNAL").await;
    found_by["paymentId"] = "ffffffff-0000-4000-8000-000000000001".into();
    let unknown = call(&sandbox, "POST", "/invoice/payment", found_by.clone()).await;
    assert_error(&unknown, 404, "Payment not found");
    // A payment of another invoice is as unknown.
    let (mut other, _) = create(&sandbox, "10.50", "EXTERNAL").await;
    other["paymentId"] = id.as_str().into();
    assert_eq!(call(&sandbox, "POST", "/invoice/payment", other).await.status(), 404);
    set(&sandbox, |settings| settings.unknown_payment = UnknownPayment::Created);
    let fresh = ok(&sandbox, "POST", "/invoice/payment", found_by.clone()).await;
    assert_ne!(fresh["id"], found_by["paymentId"]);
    assert_ne!(fresh["id"], id.as_str());
    let mut nowhere = found_by;
    nowhere["invoiceId"] = "nothing".into();
    let nowhere = call(&sandbox, "POST", "/invoice/payment", nowhere).await;
    assert_sample(&nowhere, 404, "error.not_found");
}

#[tokio::test]
async fn invoices_are_listed_by_status_type_and_text() {
    let sandbox = start().await;
    let ramp = sandbox.ramp();
    let (paid, _) = create(&sandbox, "1", "PLATFORM").await;
    ok(&sandbox, "POST", PAY, paid.clone()).await;
    let (open, _) = create(&sandbox, "2", "CHECKOUT").await;
    let named = RampInvoice {
        amount: "0.015678".to_owned(),
        currency: "USDT".to_owned(),
        client_id: "client-7".to_owned(),
        ..RampInvoice::default()
    };
    let named = ramp.add_invoice_with(named).unwrap();
    let [paid, open] = [paid, open].map(|it| it["invoiceId"].as_str().unwrap().to_owned());
    let all: [&str; 3] = [&named, &open, &paid];
    for (query, expected) in [
        ("", all.as_slice()),
        ("?status=SUCCESS", &[paid.as_str()]),
        ("?type=CHECKOUT", &[open.as_str()]),
        ("?search=client-7", &[named.as_str()]),
        ("?status=PENDING&type=PLATFORM", &[]),
        ("?size=2", &all[..2]),
        ("?size=2&page=1", &all[2..]),
    ] {
        let list = ok(&sandbox, "GET", &format!("/invoice{query}"), Value::Null).await;
        let ids: Vec<&str> = list["content"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["id"].as_str().unwrap())
            .collect();
        assert_eq!(ids, expected, "{query}");
    }
    let odd = call(&sandbox, "GET", "/invoice?page=first", Value::Null).await;
    assert_eq!(wrong(&odd), ["page"]);
    let page = ok(&sandbox, "GET", "/invoice?size=2", Value::Null).await;
    assert_eq!((&page["totalElements"], &page["totalPages"]), (&json!(3), &json!(2)));
    set(&sandbox, |settings| settings.bare_lists = true);
    let bare = ok(&sandbox, "GET", "/invoice", Value::Null).await;
    assert_eq!(bare.as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn amounts_are_literals_of_the_decimal() {
    let sandbox = start().await;
    let invoice = sandbox.ramp().add_invoice("0.100000000000000001", "ETH").unwrap();
    let path = format!("/invoice/{invoice}");
    for (style, literal) in [
        (AmountStyle::Number, "0.100000000000000001"),
        (AmountStyle::Padded, "0.100000000000000001"),
        (AmountStyle::Text, "\"0.100000000000000001\""),
    ] {
        set(&sandbox, |settings| settings.amounts = style);
        let read = call(&sandbox, "GET", &path, Value::Null).await;
        assert!(read.body.contains(&format!(r#""amount":{literal},"#)), "{}", read.body);
    }
    let unknown = Fault::new(FaultKind::UnknownStatus { status: "ODD".to_owned() });
    sandbox.inject(unknown.on("ramp.GetInvoice"));
    let read = call(&sandbox, "GET", &path, Value::Null).await;
    let literal = r#""amount":"0.100000000000000001","#;
    assert!(read.body.contains(literal) && read.body.contains("ODD"), "{}", read.body);
    let padded = sandbox.ramp().add_invoice("10.5", "USD").unwrap();
    set(&sandbox, |settings| settings.amounts = AmountStyle::Padded);
    let read = call(&sandbox, "GET", &format!("/invoice/{padded}"), Value::Null).await;
    assert!(read.body.contains(r#""amount":10.50,"#), "{}", read.body);
}

#[tokio::test]
async fn a_lost_answer_has_taken_the_money_once() {
    let sandbox = start().await;
    let ramp = sandbox.ramp();
    let (found_by, id) = create(&sandbox, "10.50", "PLATFORM").await;
    sandbox.inject(Fault::new(FaultKind::DropReply).on("ConfirmPayment").id(&id));
    assert!(try_call(&sandbox, "POST", PAY, &found_by).await.is_none());
    let account = ramp.usual_account("USD").unwrap();
    assert_eq!(ramp.balance(&account).as_deref(), Some("9989.5"));
    assert_eq!(status(&sandbox, &found_by).await, "SUCCESS");
    let again = call(&sandbox, "POST", PAY, found_by).await;
    assert_sample(&again, 409, "error.conflict.already_paid");
    assert_eq!(ramp.balance(&account).as_deref(), Some("9989.5"));
}

#[tokio::test]
async fn faults_have_the_providers_words() {
    let sandbox = start().await;
    let fail = |status| FaultKind::ErrorBefore { status, retry_after_seconds: Some(7) };
    let invoice = sandbox.ramp().add_invoice("10.50", "USD").unwrap();
    let body = request(&sandbox, &invoice, "CHECKOUT");
    for (status, sample) in [
        (403, "error.forbidden"),
        (404, "error.not_found"),
        (409, "error.conflict.already_paid"),
        (429, "error.too_many_requests"),
        (500, "error.internal"),
    ] {
        sandbox.inject(Fault::new(fail(status)).on("ramp.CreatePayment"));
        let answer = call(&sandbox, "POST", "/invoice/payment", body.clone()).await;
        assert_sample(&answer, status, sample);
        assert_eq!(answer.header("retry-after"), Some("7"));
    }
    set(&sandbox, |settings| settings.legacy_errors = true);
    sandbox.inject(Fault::new(fail(500)));
    let legacy = call(&sandbox, "POST", "/invoice/payment", body.clone()).await;
    assert_sample(&legacy, 500, "error.v1_legacy");
    let refused = call(&sandbox, "GET", "/invoice/nothing", Value::Null).await;
    assert_eq!(refused.json()["message"], "Invoice not found");
    assert_eq!(refused.json()["systemId"], fixture("error.v1_legacy")["systemId"]);
    sandbox.inject(Fault::new(fail(502)));
    let proxy = call(&sandbox, "POST", "/invoice/payment", body).await;
    assert!(proxy.body.starts_with("<html>"), "{}", proxy.body);
    assert_eq!(sandbox.ramp().snapshot()["payments"], json!([]));
}

#[tokio::test]
async fn a_look_up_can_show_an_unknown_word() {
    let sandbox = start().await;
    let (found_by, id) = create(&sandbox, "10.50", "CHECKOUT").await;
    let fault = json!({"kind": "unknown_status", "operation": "RetrievePayment", "id": id, "status": "UNSUCCESSFUL"});
    assert_eq!(control(&sandbox, "POST", "/faults", fault).await.status(), 200);
    assert_eq!(status(&sandbox, &found_by).await, "UNSUCCESSFUL");
    assert_eq!(status(&sandbox, &found_by).await, "PENDING");
}

#[tokio::test]
async fn only_json_at_the_right_paths_is_answered() {
    let sandbox = start().await;
    let bearer = format!("Bearer {}", sandbox.ramp().access_token());
    let json_type = ("Content-Type", "application/json; charset=utf-8");
    let plain = ("Content-Type", "text/plain");
    let create = "/acquiring/invoice/payment";
    for (method, path, kind, body, status, message) in [
        ("POST", create, plain, "{}", 415, "Content type is not supported"),
        ("POST", create, json_type, "{", 400, "Malformed JSON request"),
        ("POST", create, json_type, "[]", 400, "Malformed JSON request"),
        ("POST", create, json_type, "{}", 400, "Validation failed"),
        ("DELETE", create, json_type, "", 405, "Request method is not supported"),
        ("POST", "/invoice/payment", json_type, "{}", 404, "Not found"),
        ("GET", "/nothing", json_type, "", 404, "Not found"),
    ] {
        let headers = [("Authorization", bearer.as_str()), kind];
        let answer = raw_call(&sandbox, method, path, &headers, body).await.unwrap();
        assert_error(&answer, status, message);
        assert!(answer.header("x-request-id").is_some());
    }
    // Who calls is asked first.
    let nobody = raw_call(&sandbox, "POST", create, &[json_type], "{").await.unwrap();
    assert_eq!(nobody.status(), 401);
    let paths = RampPaths { prefix: String::new(), ..RampPaths::default() };
    set(&sandbox, |settings| settings.paths = paths);
    let headers = [("Authorization", bearer.as_str()), json_type];
    let bare = raw_call(&sandbox, "POST", "/invoice/payment", &headers, "{}").await.unwrap();
    assert_eq!(bare.status(), 400);
    let wrong = json!({"paths": {"prefix": "acquiring"}});
    assert_eq!(control(&sandbox, "PUT", "/ramp/settings", wrong).await.status(), 400);
}

#[tokio::test]
async fn time_expires_what_nobody_paid() {
    let sandbox = start().await;
    let (found_by, _) = create(&sandbox, "10.50", "CHECKOUT").await;
    sandbox.advance(Duration::from_secs(3600));
    assert_eq!(status(&sandbox, &found_by).await, "EXPIRED");
    let confirm = call(&sandbox, "POST", PAY, found_by).await;
    assert_error(&confirm, 409, "Payment is already EXPIRED");
}

#[tokio::test]
async fn two_confirmations_at_once_take_the_money_once() {
    let sandbox = start().await;
    let ramp = sandbox.ramp();
    let (found_by, _) = create(&sandbox, "10.50", "PLATFORM").await;
    let confirm = || call(&sandbox, "POST", PAY, found_by.clone());
    let (one, two, three) = tokio::join!(confirm(), confirm(), confirm());
    let mut statuses = [one, two, three].map(|answer| answer.status());
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409]);
    let account = ramp.usual_account("USD").unwrap();
    assert_eq!(ramp.balance(&account).as_deref(), Some("9989.5"));
}

#[tokio::test]
async fn an_update_changes_the_type_and_what_it_needs() {
    let sandbox = start().await;
    let (found_by, id) = create(&sandbox, "10.50", "CHECKOUT").await;
    let page = sandbox.ramp().checkout_url(&id).unwrap();
    let mut outside = found_by.clone();
    outside["type"] = "EXTERNAL".into();
    outside["someData"] = "partner-order-77812".into();
    let updated = ok(&sandbox, "PUT", "/invoice/payment", outside).await;
    assert_eq!((&updated["id"], &updated["type"]), (&json!(id), &json!("EXTERNAL")));
    assert_eq!(updated.get("session"), None);
    assert_eq!(get(&page).await.status(), 404, "its session is gone");
    let wrong_type = call(&sandbox, "POST", PAY, found_by.clone()).await;
    assert_eq!(wrong(&wrong_type), ["type"]);
    sandbox.ramp().cancel(&id).unwrap();
    let late = call(&sandbox, "PUT", "/invoice/payment", found_by).await;
    assert_error(&late, 409, "Payment is already CANCELLED");
    let (mut paid, id) = create(&sandbox, "10.50", "EXTERNAL").await;
    sandbox.ramp().settle_external(&id, None).unwrap();
    let late = call(&sandbox, "PUT", "/invoice/payment", paid.clone()).await;
    assert_sample(&late, 409, "error.conflict.already_paid");
    paid.as_object_mut().unwrap().remove("paymentId");
    let none = call(&sandbox, "PUT", "/invoice/payment", paid).await;
    assert_error(&none, 404, "Payment not found");
}
