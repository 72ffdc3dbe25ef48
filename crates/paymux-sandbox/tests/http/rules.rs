//! What every call keeps to: errors, checks before reading, idempotency keys.

use std::time::Duration;

use paymux_sandbox::Sandbox;
use paymux_sandbox::toffeepay::{ErrorShape, Payer, ToffeePaySettings};
use serde_json::{Value, json};

use crate::support::{
    assert_error, call, config, ok, raw_call, send, session_of, session_request, start, try_call,
};

#[tokio::test]
async fn errors_have_the_bytes_of_the_contract() {
    let sandbox = start().await;
    let cases = [
        ("/item/price", json!(0), include_str!("../fixtures/error.invalid_price.json")),
        ("/item/currency", json!("XXX"), include_str!("../fixtures/error.invalid_currency.json")),
        ("/item/image", json!("x"), include_str!("../fixtures/error.invalid_image.json")),
        ("/game_id", json!("nobody"), include_str!("../fixtures/error.invalid_game_id.json")),
    ];
    for (field, value, expected) in cases {
        let mut request = session_request("space_shooter");
        request["item"]["image"] = json!("https://example.com/coins.png");
        *request.pointer_mut(field).unwrap() = value;
        let answer = call(&sandbox, "CreateSession", request).await;
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.json(), serde_json::from_str::<Value>(expected).unwrap());
    }
    for method in [
        "GetSession",
        "GetSessionStatus",
        "CancelSession",
        "GetPayment",
        "CompletePayment",
        "CancelPayment",
        "GetTopup",
        "GetRefund",
    ] {
        assert_error(&call(&sandbox, method, json!({"id": "nobody"})).await, 404, "not_found");
        assert_error(&call(&sandbox, method, json!({})).await, 400, "invalid_argument");
    }
    let unknown = call(&sandbox, "GetSession", json!({"id": "nobody"})).await;
    let expected = include_str!("../fixtures/error.connect.not_found.json");
    assert_eq!(unknown.json(), serde_json::from_str::<Value>(expected).unwrap());
}

#[tokio::test]
async fn the_shape_of_errors_can_be_changed() {
    let sandbox = start().await;
    let mut bad = session_request("space_shooter");
    bad["item"]["price"] = json!(0);
    let message = "Price must be a positive integer number of cents";
    for (shape, expected) in [
        (ErrorShape::Enveloped, json!({"error": {"code": "invalid_price", "message": message}})),
        (ErrorShape::Flat, json!({"code": "invalid_price", "message": message})),
        (ErrorShape::Numeric, json!({"code": 3, "message": message, "details": []})),
    ] {
        let settings = ToffeePaySettings { error_shape: shape, ..ToffeePaySettings::default() };
        sandbox.toffeepay().set_settings(settings);
        assert_eq!(call(&sandbox, "CreateSession", bad.clone()).await.json(), expected);
    }
}

#[tokio::test]
async fn zero_values_are_left_out_on_request() {
    let settings = ToffeePaySettings { omit_zero_values: true, ..ToffeePaySettings::default() };
    let sandbox = Sandbox::start(config().toffeepay_settings(settings)).await.unwrap();
    let list = ok(&sandbox, "ListSessions", json!({"game_id": "space_shooter"})).await;
    assert_eq!(list, json!({}));
}

#[tokio::test]
async fn requests_are_checked_before_they_are_read() {
    let sandbox = start().await;
    let key = format!("Bearer {}", sandbox.toffeepay().api_key());
    let json_type = ("Content-Type", "application/json; charset=utf-8");
    let body = session_request("space_shooter").to_string();
    let unauthorized = include_str!("../fixtures/error.unauthorized.json");
    for authorization in ["", "Bearer", "Bearer wrong", "Basic sandbox_toffeepay_key"] {
        let headers = [("Authorization", authorization), json_type];
        let answer = raw_call(&sandbox, "CreateSession", &headers, &body).await.unwrap();
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.json(), serde_json::from_str::<Value>(unauthorized).unwrap());
    }
    let auth = ("Authorization", key.as_str());
    for kind in ["application/proto", "text/plain"] {
        let headers = [auth, ("Content-Type", kind)];
        let answer = raw_call(&sandbox, "CreateSession", &headers, &body).await.unwrap();
        assert_eq!(answer.status(), 415);
    }
    for (version, status) in [("1", 200), ("2", 400)] {
        let headers = [auth, json_type, ("Connect-Protocol-Version", version)];
        let answer = raw_call(&sandbox, "CreateSession", &headers, &body).await.unwrap();
        assert_eq!(answer.status(), status);
    }
    let compressed = [auth, json_type, ("Content-Encoding", "gzip")];
    let answer = raw_call(&sandbox, "CreateSession", &compressed, &body).await.unwrap();
    assert_error(&answer, 501, "unimplemented");
    for text in ["", "[]", "{", "{\"user_id\": 7}"] {
        let answer = raw_call(&sandbox, "CreateSession", &[auth, json_type], text).await.unwrap();
        assert_error(&answer, 400, "invalid_argument");
    }
    let base = sandbox.toffeepay().base_url();
    let read = send(&format!("{base}/pay.v1.PaymentService/GetSession"), "GET", &[], "").await;
    let read = read.unwrap();
    assert_eq!((read.status(), read.header("allow")), (405, Some("POST")));
    for path in ["pay.v1.PaymentService/Nothing", "pay.v2.PaymentService/GetSession", "v1/sessions"]
    {
        let answer = send(&format!("{base}/{path}"), "POST", &[auth, json_type], "{}").await;
        assert_eq!(answer.unwrap().status(), 404, "{path}");
    }
    assert_eq!(sandbox.toffeepay().snapshot()["sessions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_makes_a_call_happen_once() {
    let sandbox = start().await;
    let request = session_request("space_shooter");
    let first = try_call(&sandbox, "CreateSession", Some("key-1"), &request).await.unwrap();
    // Another spelling of the same request is the same request.
    let mut camel = request.clone();
    camel["gameId"] = camel.as_object_mut().unwrap().remove("game_id").unwrap();
    for again in [&request, &camel] {
        let again = try_call(&sandbox, "CreateSession", Some("key-1"), again).await.unwrap();
        assert_eq!((again.status(), &again.body), (200, &first.body));
    }
    let mut other = request.clone();
    other["user_id"] = json!("player_43");
    let conflict = try_call(&sandbox, "CreateSession", Some("key-1"), &other).await.unwrap();
    assert_eq!(conflict.status(), 409);
    let expected = include_str!("../fixtures/error.idempotency_conflict.json");
    assert_eq!(conflict.json(), serde_json::from_str::<Value>(expected).unwrap());
    let id = json!({"id": first.json()["id"]});
    let reused = try_call(&sandbox, "CancelSession", Some("key-1"), &id).await.unwrap();
    assert_eq!(reused.status(), 409, "one key, one operation");

    sandbox.advance(Duration::from_secs(24 * 3600 - 1));
    let replayed = try_call(&sandbox, "CreateSession", Some("key-1"), &request).await.unwrap();
    assert_eq!(replayed.body, first.body);
    sandbox.advance(Duration::from_secs(1));
    let forgotten = try_call(&sandbox, "CreateSession", Some("key-1"), &request).await.unwrap();
    assert_ne!(forgotten.body, first.body, "after 24 hours the key makes a new session");
}

#[tokio::test]
async fn a_key_keeps_refusals_and_protects_every_mutation() {
    let sandbox = start().await;
    let toffeepay = sandbox.toffeepay();
    let session = session_of(&sandbox, "space_shooter_manual").await;
    let id = json!({"id": session});
    let refused = try_call(&sandbox, "CompletePayment", Some("k1"), &id).await.unwrap();
    assert_eq!(refused.status(), 404, "a session is not a payment");
    // A refusal is kept under its key even when the call would now succeed.
    let payment = json!({"id": toffeepay.start_payment(&session, Payer::default()).unwrap()});
    let early = try_call(&sandbox, "CompletePayment", Some("early"), &payment).await.unwrap();
    assert_error(&early, 400, "failed_precondition");
    toffeepay.pay(&session, Payer::default()).unwrap();
    let again = try_call(&sandbox, "CompletePayment", Some("early"), &payment).await.unwrap();
    assert_eq!((again.status(), &again.body), (400, &early.body));
    for _ in 0..2 {
        let done = try_call(&sandbox, "CompletePayment", Some("k2"), &payment).await.unwrap();
        assert_eq!((done.status(), done.body.as_str()), (200, "{}"));
    }
    let again = try_call(&sandbox, "CompletePayment", Some("k3"), &payment).await.unwrap();
    assert_error(&again, 400, "failed_precondition");
    let request = json!({"payment_id": payment["id"]});
    let first = try_call(&sandbox, "CreateRefund", Some("k4"), &request).await.unwrap();
    let second = try_call(&sandbox, "CreateRefund", Some("k4"), &request).await.unwrap();
    assert_eq!((first.status(), &first.body), (200, &second.body));
    for bad in [" ", "with space", &"k".repeat(256), "naïve"] {
        let refused = try_call(&sandbox, "CreateRefund", Some(bad), &request).await.unwrap();
        assert_error(&refused, 400, "invalid_argument");
    }
    // Reads take no notice of a key.
    for id in [&id, &json!({"id": session_of(&sandbox, "space_shooter").await})] {
        assert_eq!(try_call(&sandbox, "GetSession", Some("k5"), id).await.unwrap().status(), 200);
    }
}
