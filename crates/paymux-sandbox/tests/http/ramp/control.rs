//! The control API of the ramp, and starting over.

use std::time::Duration;

use paymux_sandbox::{Sandbox, SandboxError};
use serde_json::{Value, json};

use super::support::{call, create, ok, raw_call, set};
use crate::support::{config, control, start};

/// The answer of a control route that must succeed.
async fn done(sandbox: &Sandbox, path: &str, body: Value) -> Value {
    let answer = control(sandbox, "POST", &format!("/ramp{path}"), body).await;
    assert_eq!(answer.status(), 200, "{path}: {}", answer.body);
    answer.json()
}

#[tokio::test]
async fn a_new_user_pays_in_a_new_currency_with_a_new_code() {
    let sandbox = start().await;
    let user = json!({"email": "carl@example.com", "password": "secret"});
    let user = done(&sandbox, "/users", user).await["id"].clone();
    let token = done(&sandbox, "/tokens", json!({"user": user})).await["access_token"].clone();
    done(&sandbox, "/currencies", json!({"code": "XAU", "decimals": 4})).await;
    let account = json!({"user": user, "currency": "XAU", "balance": "0.5"});
    let account = done(&sandbox, "/accounts", account).await["id"].clone();
    let path = format!("/accounts/{}/funds", account.as_str().unwrap());
    let funds = done(&sandbox, &path, json!({"amount": "0.0001"})).await;
    assert_eq!(funds, json!({"balance": "0.5001"}));
    let fixed = json!({"fixed": {"amount": "0.0499", "currency": "XAU"}});
    done(&sandbox, "/discounts", json!({"code": "GOLD", "discount": fixed})).await;
    let invoice = json!({"user": user, "currency": "XAU", "amount": "0.55"});
    let invoice = done(&sandbox, "/invoices", invoice).await["id"].clone();

    let bearer = format!("Bearer {}", token.as_str().unwrap());
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let mut body = json!({"invoiceId": invoice, "type": "PLATFORM", "accountId": account, "discountCode": "GOLD"});
    let create = "/acquiring/invoice/payment";
    let made = raw_call(&sandbox, "POST", create, &headers, &body.to_string()).await.unwrap();
    body["paymentId"] = made.json()["id"].clone();
    let pay = "/acquiring/invoice/payment/pay";
    let paid = raw_call(&sandbox, "POST", pay, &headers, &body.to_string()).await.unwrap();
    assert_eq!(paid.json()["status"], "SUCCESS", "{}", paid.body);
    let left = sandbox.ramp().balance(account.as_str().unwrap());
    assert_eq!(left.as_deref(), Some("0"));
}

#[tokio::test]
async fn what_cannot_be_done_says_why() {
    let sandbox = start().await;
    let (_, id) = create(&sandbox, "10.50", "CHECKOUT").await;
    for (path, body, status, words) in [
        ("/payments/nothing/pay".to_owned(), Value::Null, 404, "Payment not found"),
        (format!("/payments/{id}/nothing"), Value::Null, 404, "no such action"),
        (format!("/payments/{id}/settle"), Value::Null, 409, "Payment is PENDING, not under way"),
        (format!("/payments/{id}/refund"), json!({}), 409, "Payment is PENDING, not paid"),
        (format!("/payments/{id}/settle-external"), json!({}), 409, "payment is not EXTERNAL"),
        ("/invoices".to_owned(), json!({"amount": "1", "currency": "XYZ"}), 409, "currency: "),
        ("/invoices".to_owned(), json!({"amount": 1, "currency": "USD"}), 400, "expected a string"),
        ("/accounts".to_owned(), json!({"currency": "USD", "balance": "-1"}), 409, "amount: "),
        ("/currencies".to_owned(), json!({"code": "USD", "decimals": 3}), 409, "code: "),
        ("/users".to_owned(), json!({"email": "", "password": "x"}), 409, "email: "),
        ("/tokens".to_owned(), json!({"user": "usr:nobody"}), 404, "User not found"),
    ] {
        let answer = control(&sandbox, "POST", &format!("/ramp{path}"), body).await;
        assert_eq!(answer.status(), status, "{path}: {}", answer.body);
        assert!(answer.body.contains(words), "{path}: {}", answer.body);
    }
    let unsafe_url = json!({"success": "javascript:alert(1)"});
    assert_eq!(control(&sandbox, "PUT", "/ramp/returns", unsafe_url).await.status(), 400);
}

#[tokio::test]
async fn a_reset_brings_the_start_back_but_not_its_time() {
    let sandbox = start().await;
    let ramp = sandbox.ramp();
    let (found_by, _) = create(&sandbox, "10.50", "PLATFORM").await;
    ok(&sandbox, "POST", "/invoice/payment/pay", found_by).await;
    set(&sandbox, |settings| settings.legacy_errors = true);
    sandbox.advance(Duration::from_secs(24 * 3600));
    assert_eq!(call(&sandbox, "GET", "/invoice", Value::Null).await.status(), 401);
    sandbox.reset();
    let list = ok(&sandbox, "GET", "/invoice", Value::Null).await;
    assert_eq!(list["content"], json!([]));
    assert_eq!(ramp.balance(&ramp.usual_account("USD").unwrap()).as_deref(), Some("10000"));
    assert!(!ramp.settings().legacy_errors);
    assert_eq!(ramp.snapshot()["time"], "2023-06-02T12:00:00Z");
}

#[tokio::test]
async fn a_configuration_that_cannot_be_played_does_not_start() {
    let mut settings = start().await.ramp().settings();
    settings.webhook_secret = Some(String::new());
    for config in [
        config().ramp_settings(settings),
        config().ramp_tokens("two words", "refresh"),
        config().ramp_webhook_url("https://example.com/".parse().unwrap()),
    ] {
        let refused = Sandbox::start(config).await;
        assert!(matches!(refused, Err(SandboxError::Configuration(_))));
    }
}
