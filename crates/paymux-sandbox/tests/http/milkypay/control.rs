//! The control API: everything a person, a bank or an operator does.

use serde_json::{Value, json};

use super::{attributes, invoice, start};
use crate::support::control;

#[tokio::test]
async fn an_invoice_can_be_driven_with_curl() {
    let sandbox = start().await;
    for (number, (steps, status, resolution)) in [
        (vec![("pay", json!({}))], "processed", "ok"),
        (vec![("pay", json!({"amount": "60.50"}))], "partially_processed", "ok"),
        (
            vec![("pay", json!({"amount": "60.50"})), ("pay", json!({"amount": "50"}))],
            "processed",
            "ok",
        ),
        (vec![("decline", json!({"resolution": "declined"}))], "process_pending", "ok"),
        (
            vec![("fail", json!({"resolution": "antifraud_error"}))],
            "process_failed",
            "antifraud_error",
        ),
        (vec![("start", Value::Null)], "process_pending", "ok"),
        (vec![("expire", Value::Null)], "process_failed", "expired"),
        (vec![("terminate", Value::Null)], "terminated", "ok"),
        (vec![("moderate", Value::Null)], "process_pending", "ok"),
        (vec![("moderate", Value::Null), ("approve", Value::Null)], "processed", "ok"),
        (vec![("status", json!({"status": "process_error"}))], "process_error", "error"),
        (
            vec![("pay", json!({})), ("charge-back", json!({"amount": "55"}))],
            "partially_charged_back",
            "ok",
        ),
        (vec![("pay", json!({})), ("charge-back", json!({}))], "charged_back", "ok"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = invoice(&sandbox, &format!("order {number}")).await;
        for (action, body) in &steps {
            let path = format!("/milkypay/invoices/{id}/{action}");
            let answer = control(&sandbox, "POST", &path, body.clone()).await;
            assert_eq!(answer.status(), 200, "{action}: {}", answer.body);
            assert_eq!(answer.json()["invoice"]["id"], id);
        }
        let shown = attributes(&sandbox, &id).await;
        assert_eq!(shown["status"], status, "{steps:?}");
        assert_eq!(shown["resolution"], resolution, "{steps:?}");
    }
}

#[tokio::test]
async fn too_much_money_a_reserve_and_a_moderator_show() {
    let sandbox = start().await;
    let id = invoice(&sandbox, "order").await;
    let act = async |action: &str, body: Value| {
        control(&sandbox, "POST", &format!("/milkypay/invoices/{id}/{action}"), body).await
    };
    act("moderate", Value::Null).await;
    let shown = attributes(&sandbox, &id).await;
    assert_eq!(shown["moderation_required"], true);
    assert_eq!(shown["payload"]["payment_card"]["last"], "0000");
    assert_eq!(act("pay", json!({})).await.status(), 409, "the moderator decides");
    act("status", json!({"status": "process_pending"})).await;
    act("pay", json!({"amount": "150"})).await;
    act("reserve", json!({"amount": "10", "minutes": 1440})).await;
    let shown = attributes(&sandbox, &id).await;
    assert_eq!((&shown["payment_amount"], &shown["processed_amount"]), (&json!(100), &json!(150)));
    assert_eq!(shown["reserved_amount"], 10);
    assert_eq!(shown["reserve_expires"], super::CREATED + 86400);
    assert_eq!(shown["status"], "processed", "a reserve authorizes nothing");
}

#[tokio::test]
async fn what_cannot_be_done_says_why() {
    let sandbox = start().await;
    let id = invoice(&sandbox, "order").await;
    sandbox.milkypay().pay(&id).unwrap();
    for (action, body, status) in [
        ("pay", json!({}), 409),
        ("approve", Value::Null, 409),
        ("expire", Value::Null, 409),
        ("settle-refund", json!({"succeeds": true}), 409),
        ("charge-back", json!({"amount": "100.01"}), 409),
        ("status", json!({"status": "some_future_status"}), 400),
        ("status", json!({"status": "processed", "amount": "x"}), 409),
        ("dance", Value::Null, 404),
    ] {
        let path = format!("/milkypay/invoices/{id}/{action}");
        let answer = control(&sandbox, "POST", &path, body).await;
        assert_eq!(answer.status(), status, "{action}: {}", answer.body);
        assert!(answer.json()["error"].as_str().is_some_and(|words| !words.is_empty()));
    }
    let path = "/milkypay/invoices/cpi_nobody/pay";
    assert_eq!(control(&sandbox, "POST", path, json!({})).await.status(), 404);
}

#[tokio::test]
async fn settings_and_the_callback_url_are_changed_and_reset() {
    let sandbox = start().await;
    let changes = json!({"number_style": "text", "max_attempts": 1});
    let settings = control(&sandbox, "PUT", "/milkypay/settings", changes).await.json();
    assert_eq!((&settings["number_style"], &settings["refunds"]), (&json!("text"), &json!(true)));
    let wrong = control(&sandbox, "PUT", "/milkypay/settings", json!({"refund": true})).await;
    assert_eq!(wrong.status(), 400);
    let id = invoice(&sandbox, "order").await;
    sandbox.milkypay().decline(&id, "declined").unwrap();
    let shown = attributes(&sandbox, &id).await;
    assert_eq!((&shown["status"], &shown["amount"]), (&json!("process_failed"), &json!("100")));
    assert_eq!(shown["updated"], json!(super::CREATED.to_string()));

    let set = json!({"url": "http://127.0.0.1:9/hook"});
    let answer = control(&sandbox, "PUT", "/milkypay/webhook", set).await.json();
    assert_eq!(answer["secret_test"], sandbox.milkypay().secret_test());
    assert_eq!(answer["secret_live"], sandbox.milkypay().secret_live());
    let outward = json!({"url": "https://example.com/"});
    assert_eq!(control(&sandbox, "PUT", "/milkypay/webhook", outward).await.status(), 400);

    control(&sandbox, "POST", "/reset", Value::Null).await;
    let snapshot = sandbox.milkypay().snapshot();
    assert_eq!(snapshot["invoices"], json!([]));
    assert_eq!(snapshot["settings"]["number_style"], "plain");
    let state = control(&sandbox, "GET", "/milkypay/state", Value::Null).await.json();
    assert_eq!(state, snapshot);
}
