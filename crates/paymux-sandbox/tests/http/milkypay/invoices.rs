//! Creating invoices: both APIs, every documented member.

use paymux_sandbox::milkypay::{MilkyPaySettings, NumberStyle};
use serde_json::{Value, json};

use super::{
    ANEW, attributes, fixture, full_request, invoice_with, private, public, request, settings,
    start,
};

#[tokio::test]
async fn a_private_invoice_answers_as_the_specification_shows() {
    let sandbox = start().await;
    let mut sent: Value = serde_json::from_str(include_str!(
        "../../fixtures/milkypay/create_invoice.private.request.json"
    ))
    .unwrap();
    sent["data"]["attributes"]["expires"] = json!("2020-08-19T12:00:00+00:00");
    sent["data"]["attributes"]["reference_id"] = json!("70d42236-2cc4-4e26-8f2f-987fd8fbc276");
    let answer = private(&sandbox, "POST", "/payment-invoices", &sent).await;
    assert_eq!(answer.status(), 201, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let made = answer.json();
    let mut anew = ANEW.to_vec();
    anew.push("/data/attributes/hpp_url");
    let expected = include_str!("../../fixtures/milkypay/create_invoice.private.response.json");
    assert_eq!(made, fixture(expected, &made, &anew));

    let id = made["data"]["id"].as_str().unwrap();
    let serial = id.strip_prefix("cpi_").unwrap();
    assert_eq!(serial.len(), 16);
    let data = &made["data"]["attributes"];
    assert_eq!(data["serial_number"], serial);
    let page = format!("{}/hpp/?cpi={id}", sandbox.milkypay().base_url());
    assert_eq!(data["hpp_url"], page);
    assert_eq!(made["data"]["links"]["self"], format!("/milkypay/api/payment-invoices/{id}"));
    let sid = data["flow_data"]["metadata"]["sid"].as_str().unwrap();
    assert!(sid.starts_with("cgi_"), "{sid}");
    assert!(data["flow_data"]["action"].as_str().unwrap().ends_with(sid));
}

#[tokio::test]
async fn the_members_stand_in_the_order_of_the_samples() {
    let sandbox = start().await;
    let answer = private(&sandbox, "POST", "/payment-invoices", &full_request()).await;
    let sample = include_str!("../../fixtures/milkypay/create_invoice.private.response.json");
    let (sample, _) = sample.split_once("\"relationships\"").unwrap();
    let mut places = Vec::new();
    for line in sample.lines().filter(|line| line.starts_with("      \"")) {
        let name = line.trim().split(':').next().unwrap();
        places.push((answer.body.find(&format!("{name}:")), name.to_owned()));
    }
    assert!(places.len() > 20);
    assert!(places.is_sorted() && places[0].0.is_some(), "{places:?}");
}

#[tokio::test]
async fn a_public_invoice_answers_as_the_specification_shows() {
    let sandbox = start().await;
    let mut sent: Value = serde_json::from_str(include_str!(
        "../../fixtures/milkypay/create_invoice.public.request.json"
    ))
    .unwrap();
    sent["public_key"] = json!(sandbox.milkypay().public_key_test());
    let answer = public(&sandbox, "POST", "/payment-invoices", &sent).await;
    assert_eq!(answer.status(), 201, "{}", answer.body);
    let made = answer.json();
    let expected = include_str!("../../fixtures/milkypay/create_invoice.public.response.json");
    let anew = [
        "/data/id",
        "/data/serial_number",
        "/data/created",
        "/data/hpp_url",
        "/data/active_payment/payload/action",
        "/data/active_payment/payload/metadata/sid",
        "/data/active_payment/payload/metadata/token",
    ];
    assert_eq!(made, fixture(expected, &made, &anew));
}

#[tokio::test]
async fn the_smallest_request_is_enough() {
    let sandbox = start().await;
    let sample =
        include_str!("../../fixtures/milkypay/create_invoice.private.minimal.request.json");
    let sent = serde_json::from_str(sample).unwrap();
    let answer = private(&sandbox, "POST", "/payment-invoices", &sent).await;
    assert_eq!(answer.status(), 201, "{}", answer.body);
    let made = &answer.json()["data"]["attributes"];
    assert_eq!((&made["amount"], &made["payment_flow"]), (&json!(100.55), &json!("charge")));
    assert_eq!(made["description"], Value::Null);
}

#[tokio::test]
async fn every_documented_member_is_kept() {
    let sandbox = start().await;
    let answer = private(&sandbox, "POST", "/payment-invoices", &full_request()).await;
    assert_eq!(answer.status(), 201, "{}", answer.body);
    let snapshot = sandbox.milkypay().snapshot();
    let kept = &snapshot["invoices"][0];
    let sent = &full_request()["data"]["attributes"];
    for member in ["reference_id", "currency", "service", "flow", "test_mode", "description"] {
        assert_eq!(kept[member], sent[member], "{member}");
    }
    for member in ["gateway_options", "customer", "return_url", "return_urls", "callback_url"] {
        assert_eq!(kept[member], sent[member], "{member}");
    }
    assert_eq!(kept["amount"], "100.55");
    assert_eq!(kept["expires"], "2020-08-19T12:00:00Z");
    assert_eq!(kept["metadata"], json!({"key": "value", "merchant_url": "https://lets.doc.it"}));
}

#[tokio::test]
async fn a_live_invoice_is_the_default_of_the_private_api() {
    let sandbox = start().await;
    for (sent, expected) in [(json!(true), true), (json!(false), false), (Value::Null, false)] {
        let reference = format!("order {sent}");
        let id = invoice_with(&sandbox, &reference, &json!({"test_mode": sent})).await;
        assert_eq!(attributes(&sandbox, &id).await["test_mode"], expected, "{sent}");
    }
    let milkypay = sandbox.milkypay();
    for (key, expected) in [(milkypay.public_key_test(), true), (milkypay.public_key_live(), false)]
    {
        let body = json!({
            "public_key": key, "reference_id": key, "service": "payment_card_usd_hpp",
            "currency": "USD", "amount": 1, "test_mode": !expected,
        });
        let answer = public(&sandbox, "POST", "/payment-invoices", &body).await;
        assert_eq!(answer.json()["data"]["test_mode"], expected, "the key decides");
    }
}

#[tokio::test]
async fn amounts_of_every_currency_come_back_as_they_were() {
    let sandbox = start().await;
    for (service, currency, literal, shown) in [
        ("payment_card_usd_hpp", "USD", "123.45", "123.45"),
        ("payment_card_usd_hpp", "USD", "0.1", "0.1"),
        ("payment_card_usd_hpp", "USD", "0.10", "0.1"),
        ("payment_card_usd_hpp", "USD", "\"100.55\"", "100.55"),
        ("payment_card_usd_hpp", "USD", "1e2", "100"),
        ("payment_card_jpy_hpp", "JPY", "500", "500"),
        ("payment_card_kwd_hpp", "KWD", "12.345", "12.345"),
        ("test_usd_test", "USD", "9999999", "9999999"),
    ] {
        let fields = json!({"status": "process_pending"});
        let more = json!({"service": service, "currency": currency, "service_fields": fields});
        let body = request(&format!("{service} {literal}"), &more).to_string();
        let body = body.replace("\"amount\":100", &format!("\"amount\":{literal}"));
        let url = format!("{}/payment-invoices", sandbox.milkypay().private_url());
        let authorization = super::authorization(&sandbox);
        let headers =
            [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
        let answer = crate::support::send(&url, "POST", &headers, &body).await.unwrap();
        assert_eq!(answer.status(), 201, "{literal}: {}", answer.body);
        let amount = format!("\"amount\":{shown},\"payment_amount\":{shown},");
        assert!(answer.body.contains(&amount), "{literal}: {}", answer.body);
    }
}

#[tokio::test]
async fn amounts_are_written_as_the_settings_say() {
    let sandbox = start().await;
    let more = json!({"amount": 0.1});
    let id = invoice_with(&sandbox, "order", &more).await;
    for (number_style, shown) in [
        (NumberStyle::Plain, "\"amount\":0.1,"),
        (NumberStyle::FloatTail, "\"amount\":0.10000000000000001,"),
        (NumberStyle::Text, "\"amount\":\"0.1\","),
    ] {
        let mut settings = settings();
        settings.number_style = number_style;
        sandbox.milkypay().set_settings(settings);
        let path = format!("/payment-invoices/{id}");
        let answer = private(&sandbox, "GET", &path, &Value::Null).await;
        assert!(answer.body.contains(shown), "{shown}: {}", answer.body);
    }
}

#[tokio::test]
async fn empty_maps_are_lists_unless_told_otherwise() {
    let sandbox = start().await;
    let mut settings = settings();
    settings.merchant_url = None;
    sandbox.milkypay().set_settings(settings.clone());
    let id = invoice_with(&sandbox, "order", &json!({})).await;
    let empty = |shown: &Value| {
        [&shown["metadata"], &shown["flow_data"]["params"], &shown["callback_logs"]]
            .map(Value::to_string)
    };
    assert_eq!(empty(&attributes(&sandbox, &id).await), ["[]", "[]", "[]"]);
    settings.empty_maps_as_lists = false;
    sandbox.milkypay().set_settings(settings);
    assert_eq!(empty(&attributes(&sandbox, &id).await), ["{}", "{}", "{}"]);
}

#[tokio::test]
async fn slashes_are_escaped_unless_told_otherwise() {
    let sandbox = start().await;
    let request = request("order", &json!({"description": "Оплата №7"}));
    let answer = private(&sandbox, "POST", "/payment-invoices", &request).await;
    assert!(answer.body.contains(r"https:\/\/lets.doc.it"), "{}", answer.body);
    assert!(answer.body.contains(r"\u041e\u043f"), "{}", answer.body);
    let id = answer.json()["data"]["id"].as_str().unwrap().to_owned();
    let mut settings: MilkyPaySettings = settings();
    settings.php_escapes = false;
    sandbox.milkypay().set_settings(settings);
    let path = format!("/payment-invoices/{id}");
    let answer = private(&sandbox, "GET", &path, &Value::Null).await;
    assert!(answer.body.contains("https://lets.doc.it") && answer.body.contains("Оплата №7"));
}

#[tokio::test]
async fn a_missing_reference_is_made_unless_it_is_required() {
    let sandbox = start().await;
    let mut body = request("", &json!({}));
    body["data"]["attributes"].as_object_mut().unwrap().remove("reference_id");
    let answer = private(&sandbox, "POST", "/payment-invoices", &body).await;
    let reference = answer.json()["data"]["attributes"]["reference_id"].clone();
    assert_eq!((answer.status(), reference.as_str().unwrap().len()), (201, 36));
    let mut settings = settings();
    settings.reference_required = true;
    sandbox.milkypay().set_settings(settings);
    let answer = private(&sandbox, "POST", "/payment-invoices", &body).await;
    assert_eq!(answer.status(), 422);
    let expected = json!({"errors": {"reference_id": "This value should not be blank."}});
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn one_customer_keeps_one_id() {
    let sandbox = start().await;
    let mut ids = Vec::new();
    for (reference, customer) in [("a", "1"), ("b", "1"), ("c", "2")] {
        let more = json!({"customer": {"reference_id": customer}});
        let answer =
            private(&sandbox, "POST", "/payment-invoices", &request(reference, &more)).await;
        let id = answer.json()["data"]["relationships"]["customer"]["data"]["id"].clone();
        assert!(id.as_str().unwrap().starts_with("cus_"));
        ids.push(id);
    }
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    let answer = private(&sandbox, "POST", "/payment-invoices", &request("d", &json!({}))).await;
    assert_eq!(answer.json()["data"]["relationships"].get("customer"), None);
}

#[tokio::test]
async fn newer_members_are_shown_on_request() {
    let sandbox = start().await;
    let mut settings = settings();
    settings.newer_members = true;
    sandbox.milkypay().set_settings(settings);
    let urls = json!({"pending": "https://example.com/2", "success": "https://example.com/1"});
    let id = invoice_with(&sandbox, "order", &json!({"return_urls": urls})).await;
    let shown = attributes(&sandbox, &id).await;
    let expected = json!({
        "success": "https://example.com/1", "pending": "https://example.com/2", "fail": null,
    });
    assert_eq!(shown["return_urls"], expected);
    for member in ["service_amount", "exchange_rate", "refunded", "refunded_fee", "failed"] {
        assert_eq!(shown.get(member), Some(&Value::Null), "{member}");
    }
}
