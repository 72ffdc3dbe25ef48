//! Requests that change nothing, and how they are refused.

use paymux_sandbox::milkypay::ConflictBody;
use paymux_sandbox::{Sandbox, SandboxConfig, SandboxError};
use serde_json::{Value, json};

use super::{
    ANEW, authorization, fixture, invoice, invoices, private, public, request, settings, start,
};
use crate::support::{Message, send};

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Sends one request with these headers to a path below the provider's URL.
async fn bare(
    sandbox: &Sandbox,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Message {
    let url = format!("{}{path}", sandbox.milkypay().base_url());
    send(&url, method, headers, body).await.unwrap()
}

#[tokio::test]
async fn wrong_credentials_are_refused() {
    let sandbox = start().await;
    let expected = body(include_str!("../../fixtures/milkypay/error.401.json"));
    let wrong = ["", "Bearer x", "Basic", "Basic !", "Basic eDp5"];
    for authorization in wrong {
        for (method, path) in [
            ("GET", "/api/payment-services"),
            ("GET", "/api/payment-services/comcps_1"),
            ("GET", "/api/payment-invoices"),
            ("POST", "/api/payment-invoices"),
            ("GET", "/api/payment-invoices/cpi_1"),
            ("POST", "/api/payment-invoices/cpi_1/refund"),
        ] {
            let headers = [("Authorization", authorization), ("Content-Type", "application/json")];
            let text = request("order", &json!({})).to_string();
            let answer = bare(&sandbox, method, path, &headers, &text).await;
            assert_eq!((answer.status(), answer.json()), (401, expected.clone()), "{path}");
        }
    }
    let public_invoice = json!({
        "public_key": "pk_test_other", "reference_id": "a", "service": "payment_card_usd_hpp",
        "currency": "USD", "amount": 1,
    });
    for (method, path, sent) in [
        ("POST", "/payment-prerequest", json!({"currency": "USD"})),
        ("POST", "/payment-prerequest", json!({"public_key": 7, "currency": "USD"})),
        ("POST", "/payment-invoices", public_invoice),
        ("GET", "/payment-invoices/cpi_1?public_key=wrong", Value::Null),
    ] {
        let answer = public(&sandbox, method, path, &sent).await;
        assert_eq!((answer.status(), answer.json()), (401, expected.clone()), "{path}");
    }
    assert_eq!(invoices(&sandbox), 0);
}

#[tokio::test]
async fn unknown_paths_methods_and_objects_are_told_apart() {
    let sandbox = start().await;
    let authorization = authorization(&sandbox);
    let headers = [("Authorization", authorization.as_str())];
    for (method, path, status) in [
        ("GET", "/api/nothing", 404),
        ("GET", "/api/payment-invoices/cpi_nobody", 404),
        ("GET", "/api/payment-services/comcps_nobody", 404),
        ("GET", "/public-api/payment-invoices/cpi_nobody", 404),
        ("GET", "/somewhere/else", 404),
        ("PUT", "/api/payment-invoices", 405),
        ("DELETE", "/api/payment-invoices/cpi_1", 405),
        ("GET", "/api/payment-invoices/cpi_1/refund", 405),
        ("GET", "/public-api/payment-prerequest", 405),
        ("GET", "/public-api/payment-invoices/process", 405),
    ] {
        let answer = bare(&sandbox, method, path, &headers, "").await;
        let text = match status {
            404 => include_str!("../../fixtures/milkypay/error.404.json"),
            _ => include_str!("../../fixtures/milkypay/error.405.json"),
        };
        assert_eq!((answer.status(), answer.json()), (status, body(text)), "{method} {path}");
    }
}

#[tokio::test]
async fn what_is_no_json_is_a_bad_request() {
    let sandbox = start().await;
    let authorization = authorization(&sandbox);
    let expected = body(include_str!("../../fixtures/milkypay/error.400.json"));
    for (kind, text) in [
        ("application/json", "{\"data\":"),
        ("application/json", "[]"),
        ("application/x-www-form-urlencoded", "amount=1"),
    ] {
        for path in ["/api/payment-invoices", "/public-api/payment-invoices"] {
            let headers = [("Authorization", authorization.as_str()), ("Content-Type", kind)];
            let answer = bare(&sandbox, "POST", path, &headers, text).await;
            assert_eq!((answer.status(), answer.json()), (400, expected.clone()), "{path} {text}");
        }
    }
}

#[tokio::test]
async fn every_rule_names_its_field() {
    let sandbox = start().await;
    let blank = json!("This value should not be blank.");
    let invalid = json!("This value is not valid.");
    let url = json!("This value is not a valid URL.");
    let long = "2020-08-21T10:31:39+00:00";
    let cases = [
        ("service", json!(""), blank.clone()),
        ("service", json!("nothing"), invalid.clone()),
        ("service", json!("paypal_eur_hpp"), invalid.clone()),
        ("service", json!("crypto_usdt_hpp"), invalid.clone()),
        ("service", json!({"a": 1}), json!("This value should be of type string.")),
        ("currency", Value::Null, blank.clone()),
        ("currency", json!("EUR"), json!("This value is not the currency of the service.")),
        ("amount", Value::Null, invalid.clone()),
        ("amount", json!(0), json!("This value should be greater than 0.")),
        ("amount", json!(-5), json!("This value should be greater than 0.")),
        ("amount", json!(0.001), invalid.clone()),
        ("amount", json!("many"), invalid.clone()),
        ("amount", json!(1_000_000.01), json!("This value should be between 0.01 and 1000000.")),
        ("flow", json!("delayed_charge"), json!("The value you selected is not a valid choice.")),
        ("test_mode", json!("yes"), json!("This value should be of type bool.")),
        ("metadata", json!("text"), json!("This value should be of type array.")),
        ("customer", json!({}), json!({"reference_id": blank})),
        ("customer", json!([]), json!({"reference_id": blank})),
        (
            "customer",
            json!({"reference_id": "1", "date_of_birth": "31.01.1980"}),
            json!({"date_of_birth": "This value is not a valid date."}),
        ),
        (
            "customer",
            json!({"reference_id": "1", "address": {"city": ["x"]}}),
            json!({"address": {"city": "This value should be of type string."}}),
        ),
        ("return_url", json!("example.com"), url.clone()),
        ("return_url", json!("https://example.com/\n"), url.clone()),
        ("callback_url", json!("/callback"), url.clone()),
        ("return_urls", json!({"success": "https://x"}), json!(["pending is required"])),
        ("return_urls", json!({"pending": "x"}), json!({"pending": url})),
        ("expires", json!("soon"), json!("This value is not a valid datetime.")),
        ("expires", json!("2020-08-19T12:00:00"), json!("This value is not a valid datetime.")),
        (
            "expires",
            json!(long),
            json!("This value should be between 14 minutes and 2 days from now."),
        ),
    ];
    for (field, value, message) in cases {
        let sent = request("order", &json!({field: value}));
        let answer = private(&sandbox, "POST", "/payment-invoices", &sent).await;
        assert_eq!(answer.status(), 422, "{field} = {value}: {}", answer.body);
        assert_eq!(answer.json(), json!({"errors": {field: message}}), "{field} = {value}");
    }
    assert_eq!(invoices(&sandbox), 0);
}

#[tokio::test]
async fn an_expiry_may_be_from_14_minutes_to_2_days_away() {
    let sandbox = start().await;
    // Created at 10:31:38.
    for (expires, status) in [
        ("2020-08-19T10:45:37+00:00", 422),
        ("2020-08-19T10:45:38+00:00", 201),
        ("2020-08-19T12:45:38+02:00", 201),
        ("2020-08-21T10:31:38+00:00", 201),
        ("2020-08-21T10:31:39+00:00", 422),
    ] {
        let sent = request(expires, &json!({"expires": expires}));
        let answer = private(&sandbox, "POST", "/payment-invoices", &sent).await;
        assert_eq!(answer.status(), status, "{expires}: {}", answer.body);
    }
}

#[tokio::test]
async fn every_error_is_told_at_once() {
    let sandbox = start().await;
    let wrong = json!({
        "amount": 0, "customer": {"name": "John Wick"},
        "return_urls": {"success": "https://example.com/1"},
    });
    let answer = private(&sandbox, "POST", "/payment-invoices", &request("order", &wrong)).await;
    let expected = include_str!("../../fixtures/milkypay/error.422.fields_nested.json");
    assert_eq!((answer.status(), answer.json()), (422, body(expected)));
    for (sent, field) in [
        (json!({}), "data"),
        (json!({"data": {"type": "invoices", "attributes": {}}}), "type"),
        (json!({"data": {"type": "payment-invoices"}}), "attributes"),
    ] {
        let answer = private(&sandbox, "POST", "/payment-invoices", &sent).await;
        assert_eq!(answer.status(), 422);
        assert!(answer.json()["errors"].get(field).is_some(), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_used_reference_shows_the_earlier_invoice() {
    let sandbox = start().await;
    let text = include_str!("../../fixtures/milkypay/create_invoice.private.full.request.json");
    let mut sent = body(text);
    sent["data"]["attributes"]["reference_id"] = json!("70d42236-2cc4-4e26-8f2f-987fd8fbc276");
    sent["data"]["attributes"]["expires"] = json!("2020-08-19T12:00:00+00:00");
    sent["data"]["attributes"]["amount"] = json!(100);
    let first = private(&sandbox, "POST", "/payment-invoices", &sent).await;
    assert_eq!(first.status(), 201, "{}", first.body);
    let mut anew = ANEW.to_vec();
    anew.push("/data/attributes/hpp_url");
    for (conflict_body, expected) in [
        (
            ConflictBody::ErrorsAndData,
            include_str!("../../fixtures/milkypay/error.409.errors_and_data.json"),
        ),
        (ConflictBody::Data, include_str!("../../fixtures/milkypay/error.409.data.json")),
        (ConflictBody::Bare, include_str!("../../fixtures/milkypay/error.409.bare.json")),
    ] {
        let mut settings = settings();
        settings.conflict_body = conflict_body;
        sandbox.milkypay().set_settings(settings);
        // Whatever else it says, the reference counts.
        sent["data"]["attributes"]["amount"] = json!(7);
        let answer = private(&sandbox, "POST", "/payment-invoices", &sent).await;
        assert_eq!(answer.status(), 409);
        let made = answer.json();
        let anew = if conflict_body == ConflictBody::Bare { &[] } else { anew.as_slice() };
        assert_eq!(made, fixture(expected, &made, anew), "{conflict_body:?}");
        if conflict_body != ConflictBody::Bare {
            assert_eq!(made["data"]["id"], first.json()["data"]["id"]);
        }
    }
    assert_eq!(invoices(&sandbox), 1);
}

#[tokio::test]
async fn a_used_reference_is_shown_flat_in_the_public_api() {
    let sandbox = start().await;
    let id = invoice(&sandbox, "order").await;
    let sent = json!({
        "public_key": sandbox.milkypay().public_key_test(), "reference_id": "order",
        "service": "payment_card_usd_hpp", "currency": "USD", "amount": 100,
    });
    let answer = public(&sandbox, "POST", "/payment-invoices", &sent).await;
    assert_eq!(answer.status(), 409);
    assert_eq!(answer.json()["data"]["id"], id);
    assert_eq!(answer.json()["data"]["status"], "process_pending");
    assert_eq!(answer.json()["errors"][0]["code"], "409");
}

#[tokio::test]
async fn an_account_may_forbid_public_creation() {
    let sandbox = start().await;
    let mut settings = settings();
    settings.forbid_public_creation = true;
    sandbox.milkypay().set_settings(settings);
    let sent = json!({
        "public_key": sandbox.milkypay().public_key_test(), "reference_id": "order",
        "service": "payment_card_usd_hpp", "currency": "USD", "amount": 100,
    });
    let answer = public(&sandbox, "POST", "/payment-invoices", &sent).await;
    let expected = body(include_str!("../../fixtures/milkypay/error.403.json"));
    assert_eq!((answer.status(), answer.json()), (403, expected));
    assert_eq!(invoices(&sandbox), 0);
}

#[tokio::test]
async fn keys_that_cannot_be_told_apart_are_refused_at_the_start() {
    for config in [
        SandboxConfig::default().milkypay_public_keys("same", "same"),
        SandboxConfig::default().milkypay_callback_secrets("same", "same"),
        SandboxConfig::default().milkypay_callback_secrets("", "live"),
        SandboxConfig::default().milkypay_credentials("", "key"),
        SandboxConfig::default().milkypay_callback_url("https://example.com/".parse().unwrap()),
    ] {
        let started = Sandbox::start(config).await;
        assert!(matches!(started, Err(SandboxError::Configuration(_))));
    }
}
