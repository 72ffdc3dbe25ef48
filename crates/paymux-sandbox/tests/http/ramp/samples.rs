//! Every sample of the contract that a server reads or writes.

use paymux_sandbox::ramp::{ConfirmUnpaid, RampSettings, SessionForm};
use paymux_sandbox::{Sandbox, StartTime};
use serde_json::{Value, json};

use super::support::{assert_sample, call, create, fixture, ok, request, set, wrong};
use crate::support::{config, start};

/// The sample with these ids instead of its own.
fn sample(name: &str, payment: &str, invoice: &str) -> Value {
    let mut sample = fixture(name);
    let id = if sample.get("id").is_some() { "id" } else { "paymentId" };
    sample[id] = payment.into();
    sample["invoiceId"] = invoice.into();
    sample
}

/// The invoice and payment of an answer, and the answer as far as samples can be like it.
fn comparable(made: &Value, sample: &Value) -> Value {
    let mut made = made.clone();
    if let (Some(session), Some(of_sample)) = (made.get("session"), sample.get("session")) {
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(session), names(of_sample));
        assert_eq!(names(&session["_links"]), names(&of_sample["_links"]));
        made["session"] = of_sample.clone();
    }
    made
}

#[tokio::test]
async fn every_creation_is_understood_and_answered_as_in_its_sample() {
    let flow = SessionForm::Flow;
    for (request, response, form) in [
        ("platform", "platform", flow),
        ("platform.with_discount", "platform", flow),
        ("platform.with_client_extras", "platform", flow),
        ("checkout", "checkout", flow),
        ("checkout", "checkout.hosted_page", SessionForm::HostedPage),
        ("checkout.with_redirect_link", "checkout", flow),
        ("external", "external", flow),
        ("external.with_some_data", "external", flow),
    ] {
        let sandbox = start().await;
        set(&sandbox, |settings| settings.session = form);
        let invoice = sandbox.ramp().add_invoice("11.67", "USD").unwrap();
        let mut body = fixture(&format!("create_payment.{request}.request"));
        body["invoiceId"] = invoice.as_str().into();
        let made = ok(&sandbox, "POST", "/invoice/payment", body).await;
        let payment = made["id"].as_str().unwrap();
        let sample = sample(&format!("create_payment.{response}.response"), payment, &invoice);
        assert_eq!(comparable(&made, &sample), sample, "{request}");
    }
}

#[tokio::test]
async fn odd_answers_are_settings() {
    type Change = fn(&mut RampSettings);
    let changes: [(&str, Change); 3] = [
        ("payment_id_alias", |settings| settings.id_member = "paymentId".to_owned()),
        ("missing_status", |settings| settings.omit_status = true),
        ("unknown_status", |settings| settings.words.pending = "SOMETHING_NEW".to_owned()),
    ];
    for (name, change) in changes {
        let sandbox = start().await;
        set(&sandbox, change);
        let invoice = sandbox.ramp().add_invoice("11.67", "USD").unwrap();
        let body = request(&sandbox, &invoice, "PLATFORM");
        let made = ok(&sandbox, "POST", "/invoice/payment", body).await;
        let payment = made.get("id").or(made.get("paymentId")).unwrap().as_str().unwrap();
        let sample = sample(&format!("create_payment.{name}.response"), payment, &invoice);
        assert_eq!(made, sample);
    }
    let sandbox = start().await;
    set(&sandbox, |settings| settings.envelope = Some("payload".to_owned()));
    let invoice = sandbox.ramp().add_invoice("11.67", "USD").unwrap();
    let body = request(&sandbox, &invoice, "EXTERNAL");
    let made = ok(&sandbox, "POST", "/invoice/payment", body).await;
    assert_eq!(made["payload"]["invoiceId"], invoice.as_str());
}

#[tokio::test]
async fn every_look_up_update_and_confirmation_is_understood() {
    for (name, kind, path, method) in [
        ("retrieve_payment.platform", "PLATFORM", "/invoice/payment", "POST"),
        ("retrieve_payment.checkout", "CHECKOUT", "/invoice/payment", "POST"),
        ("retrieve_payment.external", "EXTERNAL", "/invoice/payment", "POST"),
        ("update_payment.platform", "PLATFORM", "/invoice/payment", "PUT"),
        ("update_payment.checkout", "CHECKOUT", "/invoice/payment", "PUT"),
        ("update_payment.external", "EXTERNAL", "/invoice/payment", "PUT"),
        ("update_payment.minimal", "EXTERNAL", "/invoice/payment", "PUT"),
        ("confirm_payment.platform", "PLATFORM", "/invoice/payment/pay", "POST"),
        ("confirm_payment.platform.with_discount", "PLATFORM", "/invoice/payment/pay", "POST"),
        ("confirm_payment.checkout", "CHECKOUT", "/invoice/payment/pay", "POST"),
        ("confirm_payment.external", "EXTERNAL", "/invoice/payment/pay", "POST"),
    ] {
        let sandbox = start().await;
        set(&sandbox, |settings| settings.confirm_unpaid = ConfirmUnpaid::Believed);
        let (found_by, payment) = create(&sandbox, "11.67", kind).await;
        let mut body = fixture(&format!("{name}.request"));
        body["invoiceId"] = found_by["invoiceId"].clone();
        if body.get("paymentId").is_some() {
            body["paymentId"] = payment.as_str().into();
        }
        let made = ok(&sandbox, method, path, body).await;
        assert_eq!((&made["id"], &made["type"]), (&json!(payment), &json!(kind)), "{name}");
        let confirmed = name.starts_with("confirm");
        assert_eq!(made["status"], if confirmed { "SUCCESS" } else { "PENDING" }, "{name}");
    }
}

#[tokio::test]
async fn confirmations_and_look_ups_are_answered_as_in_their_samples() {
    let sandbox = start().await;
    let ramp = sandbox.ramp();
    let compare = async |path: &str, name: &str, found_by: &Value| {
        let made = ok(&sandbox, "POST", path, found_by.clone()).await;
        let text = |name: &str| found_by[name].as_str().unwrap().to_owned();
        assert_eq!(made, sample(name, &text("paymentId"), &text("invoiceId")), "{name}");
    };
    let pay = "/invoice/payment/pay";
    let look = "/invoice/payment";
    let (platform, _) = create(&sandbox, "10.50", "PLATFORM").await;
    compare(pay, "confirm_payment.platform.succeeded.response", &platform).await;
    compare(look, "retrieve_payment.platform.succeeded.response", &platform).await;
    let (mut poor, _) = create(&sandbox, "10.50", "PLATFORM").await;
    poor["accountId"] = ramp.add_account(ramp.usual_user(), "USD", "10").unwrap().into();
    compare(pay, "confirm_payment.platform.failed.response", &poor).await;
    set(&sandbox, |settings| settings.settle_seconds = 60);
    let (slow, _) = create(&sandbox, "10.50", "PLATFORM").await;
    compare(pay, "confirm_payment.platform.processing.response", &slow).await;
    let (paid, id) = create(&sandbox, "10.50", "CHECKOUT").await;
    ramp.pay_checkout(&id).unwrap();
    compare(pay, "confirm_payment.checkout.response", &paid).await;
    compare(look, "retrieve_payment.checkout.succeeded.response", &paid).await;
    let (declined, id) = create(&sandbox, "10.50", "CHECKOUT").await;
    ramp.decline_checkout(&id).unwrap();
    compare(look, "retrieve_payment.checkout.failed.response", &declined).await;
    let (outside, id) = create(&sandbox, "10.50", "EXTERNAL").await;
    compare_update(&sandbox, &outside).await;
    ramp.settle_external(&id, None).unwrap();
    compare(pay, "confirm_payment.external.response", &outside).await;
}

async fn compare_update(sandbox: &Sandbox, found_by: &Value) {
    let made = ok(sandbox, "PUT", "/invoice/payment", found_by.clone()).await;
    let text = |name: &str| found_by[name].as_str().unwrap().to_owned();
    let expected = sample("update_payment.response", &text("paymentId"), &text("invoiceId"));
    assert_eq!(made, expected);
}

#[tokio::test]
async fn an_invoice_looks_as_in_its_samples() {
    // The time of payment in the samples.
    let start = StartTime::Frozen("2024-06-03T16:00:00Z".parse().unwrap());
    let sandbox = Sandbox::start(config().time(start)).await.unwrap();
    let ramp = sandbox.ramp();
    let (mut first, first_id) = create(&sandbox, "11.67", "PLATFORM").await;
    let invoice = first["invoiceId"].as_str().unwrap().to_owned();
    let mut apply = fixture("apply_discount.request");
    apply["invoiceId"] = invoice.as_str().into();
    let applied = ok(&sandbox, "PUT", "/invoice/payment/discount", apply).await;
    let path = format!("/invoice/{invoice}");
    let read = call(&sandbox, "GET", &path, Value::Null).await;
    assert_eq!(read.json(), applied);
    assert!(read.body.contains(r#""amount":10.5,"#), "{}", read.body);
    let mut open = fixture("get_invoice.response");
    open["id"] = invoice.as_str().into();
    // Nothing was paid yet, and the sandbox says so.
    open["paymentDate"] = Value::Null;
    open["payments"][0]["id"] = first_id.as_str().into();
    open["payments"][0]["invoiceId"] = invoice.as_str().into();
    assert_eq!(applied, open);

    first["accountId"] = ramp.add_account(ramp.usual_user(), "USD", "1").unwrap().into();
    ok(&sandbox, "POST", "/invoice/payment/pay", first).await;
    let again = request(&sandbox, &invoice, "PLATFORM");
    let second = ok(&sandbox, "POST", "/invoice/payment", again.clone()).await;
    let mut confirm = again;
    confirm["paymentId"] = second["id"].clone();
    ok(&sandbox, "POST", "/invoice/payment/pay", confirm).await;
    let mut paid = fixture("get_invoice.paid_by_other_payment.response");
    paid["id"] = invoice.as_str().into();
    for (position, id) in [json!(first_id), second["id"].clone()].into_iter().enumerate() {
        paid["payments"][position]["id"] = id;
        paid["payments"][position]["invoiceId"] = invoice.as_str().into();
    }
    assert_eq!(ok(&sandbox, "GET", &path, Value::Null).await, paid);
}

#[tokio::test]
async fn every_refusal_looks_as_in_its_sample() {
    let sandbox = start().await;
    let ramp = sandbox.ramp();
    let invoice = ramp.add_invoice("11.67", "USD").unwrap();
    for (name, confirms, key) in [
        ("create_payment.missing_invoice_id", false, "invoiceId"),
        ("create_payment.missing_type", false, "type"),
        ("create_payment.platform.missing_account_id", false, "accountId"),
        ("confirm_payment.missing_payment_id", true, "paymentId"),
        ("confirm_payment.platform.missing_account_id", true, "accountId"),
    ] {
        let body = fixture(&format!("invalid.{name}.request"));
        let path = if confirms { "/invoice/payment/pay" } else { "/invoice/payment" };
        let answer = call(&sandbox, "POST", path, body).await;
        assert_eq!(wrong(&answer), [key], "{name}");
        if key == "accountId" {
            assert_sample(&answer, 400, "error.bad_request.missing_account_id");
        }
    }
    let mut body = request(&sandbox, &invoice, "CHECKOUT");
    body["discountCode"] = "NOBODY".into();
    let answer = call(&sandbox, "POST", "/invoice/payment", body).await;
    assert_sample(&answer, 400, "error.bad_request.invalid_discount_code");
    let unknown = call(&sandbox, "GET", "/invoice/nothing", Value::Null).await;
    assert_sample(&unknown, 404, "error.not_found");
    let (paid, _) = create(&sandbox, "10.50", "PLATFORM").await;
    ok(&sandbox, "POST", "/invoice/payment/pay", paid.clone()).await;
    let again = call(&sandbox, "POST", "/invoice/payment/pay", paid).await;
    assert_sample(&again, 409, "error.conflict.already_paid");
}
