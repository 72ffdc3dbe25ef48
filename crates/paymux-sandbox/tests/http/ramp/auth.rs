//! Who may call: tokens of end users, the partner's header, whose objects are whose.

use std::time::Duration;

use paymux_sandbox::Sandbox;
use paymux_sandbox::ramp::RampInvoice;
use serde_json::{Value, json};

use super::support::{assert_error, assert_sample, call, fixture, raw_call, request, set, wrong};
use crate::support::{Message, config, start};

const JSON: (&str, &str) = ("Content-Type", "application/json");

async fn token(sandbox: &Sandbox, headers: &[(&str, &str)], body: &Value) -> Message {
    let headers: Vec<_> = headers.iter().copied().chain([JSON]).collect();
    raw_call(sandbox, "POST", "/reg/auth/token", &headers, &body.to_string()).await.unwrap()
}

/// Asks for the invoices with this access token.
async fn list(sandbox: &Sandbox, token: &str) -> Message {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    raw_call(sandbox, "GET", "/acquiring/invoice", &headers, "").await.unwrap()
}

#[tokio::test]
async fn a_token_is_needed_and_lives_for_a_day() {
    let sandbox = start().await;
    let ramp = sandbox.ramp();
    assert_eq!(list(&sandbox, ramp.access_token()).await.status(), 200);
    for header in [vec![], vec![("Authorization", "Basic x")], vec![("Authorization", "Bearer")]] {
        let answer = raw_call(&sandbox, "GET", "/acquiring/invoice", &header, "").await.unwrap();
        assert_error(&answer, 401, "Full authentication is required");
    }
    assert_error(&list(&sandbox, "nonsense").await, 401, "Token is not valid");
    sandbox.advance(Duration::from_secs(24 * 3600 - 1));
    assert_eq!(list(&sandbox, ramp.access_token()).await.status(), 200);
    sandbox.advance(Duration::from_secs(1));
    let late = list(&sandbox, ramp.access_token()).await;
    assert_error(&late, 401, "Token expired at 2023-06-02T12:00:00.000Z");
    let fresh = ramp.sign_in(ramp.usual_user()).unwrap();
    assert_eq!(list(&sandbox, &fresh).await.status(), 200);
    ramp.expire_tokens();
    assert_eq!(list(&sandbox, &fresh).await.status(), 401);
}

#[tokio::test]
async fn an_expired_token_has_the_error_of_the_sample() {
    let config =
        config().time(paymux_sandbox::StartTime::Frozen("2024-12-31T00:00:00Z".parse().unwrap()));
    let sandbox = Sandbox::start(config).await.unwrap();
    sandbox.advance(Duration::from_secs(24 * 3600));
    let late = list(&sandbox, sandbox.ramp().access_token()).await;
    assert_sample(&late, 401, "error.unauthorized");
}

#[tokio::test]
async fn a_refresh_token_works_once() {
    let sandbox = start().await;
    let mut body = fixture("auth.refresh.request");
    body["refresh_token"] = sandbox.ramp().refresh_token().into();
    let issued = token(&sandbox, &[], &body).await;
    assert_eq!(issued.status(), 200, "{}", issued.body);
    let (issued, sample) = (issued.json(), fixture("auth.token.response"));
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&issued), names(&sample));
    for name in ["token_type", "scope", "expires_in", "user_id"] {
        assert_eq!(issued[name], sample[name]);
    }
    let access = issued["access_token"].as_str().unwrap();
    assert_eq!(list(&sandbox, access).await.status(), 200);
    assert_error(&token(&sandbox, &[], &body).await, 401, "Refresh token is not valid");
    body["refresh_token"] = issued["refresh_token"].clone();
    assert_eq!(token(&sandbox, &[], &body).await.status(), 200);
}

#[tokio::test]
async fn a_user_logs_in_with_address_and_password() {
    let sandbox = start().await;
    let carl = sandbox.ramp().add_user("carl@example.com", "secret").unwrap();
    let right = json!({"email": "carl@example.com", "password": "secret"});
    for (headers, body) in [
        (vec![], right.clone()),
        (vec![("grantType", "password_email")], right.clone()),
        (
            vec![],
            json!({"grant_type": "password", "username": "carl@example.com", "password": "secret"}),
        ),
    ] {
        let issued = token(&sandbox, &headers, &body).await;
        assert_eq!((issued.status(), &issued.json()["user_id"]), (200, &json!(carl)));
    }
    let wrong_password = json!({"email": "carl@example.com", "password": "guess"});
    assert_error(&token(&sandbox, &[], &wrong_password).await, 401, "Bad credentials");
    let half = token(&sandbox, &[], &json!({"email": "carl@example.com"})).await;
    assert_eq!(wrong(&half), ["password"]);
    let other = token(&sandbox, &[], &json!({"grant_type": "magic"})).await;
    assert_eq!(wrong(&other), ["grant_type"]);
    let form = raw_call(&sandbox, "POST", "/reg/auth/token", &[], "email=carl").await.unwrap();
    assert_error(&form, 415, "Content type is not supported");
}

#[tokio::test]
async fn the_partners_header_is_right_where_it_is_sent() {
    let sandbox = start().await;
    let bearer = format!("Bearer {}", sandbox.ramp().access_token());
    let with = async |partner: Option<&str>| {
        let mut headers = vec![("Authorization", bearer.as_str())];
        headers.extend(partner.map(|partner| ("partnerId", partner)));
        raw_call(&sandbox, "GET", "/acquiring/invoice", &headers, "").await.unwrap()
    };
    assert_eq!(with(None).await.status(), 200);
    assert_eq!(with(Some("sandbox_ramp_partner")).await.status(), 200);
    assert_sample(&with(Some("7")).await, 403, "error.forbidden");
    set(&sandbox, |settings| settings.partner_id_required = true);
    assert_sample(&with(None).await, 403, "error.forbidden");
    let login = json!({"email": "payer@example.com", "password": "sandbox_ramp_password"});
    assert_eq!(token(&sandbox, &[], &login).await.status(), 403);
    set(&sandbox, |settings| settings.partner_id = "7".to_owned());
    assert_eq!(with(Some("7")).await.status(), 200);
}

#[tokio::test]
async fn what_belongs_to_others_is_not_touched() {
    let sandbox = start().await;
    let ramp = sandbox.ramp();
    let carl = ramp.add_user("carl@example.com", "secret").unwrap();
    let account = ramp.add_account(&carl, "USD", "50").unwrap();
    let invoice = RampInvoice {
        amount: "10.50".to_owned(),
        currency: "USD".to_owned(),
        user: carl,
        ..RampInvoice::default()
    };
    let theirs = ramp.add_invoice_with(invoice).unwrap();
    let mine = ramp.add_invoice("10.50", "USD").unwrap();
    let mut from_their_account = request(&sandbox, &mine, "PLATFORM");
    from_their_account["accountId"] = account.as_str().into();
    let discount = json!({"invoiceId": theirs, "discountCode": "WELCOME10"});
    for (method, path, body) in [
        ("GET", format!("/invoice/{theirs}"), Value::Null),
        ("POST", "/invoice/payment".to_owned(), request(&sandbox, &theirs, "CHECKOUT")),
        ("POST", "/invoice/payment".to_owned(), from_their_account),
        ("PUT", "/invoice/payment".to_owned(), request(&sandbox, &theirs, "CHECKOUT")),
        ("PUT", "/invoice/payment/discount".to_owned(), discount),
    ] {
        assert_sample(&call(&sandbox, method, &path, body).await, 403, "error.forbidden");
    }
    let listed = list(&sandbox, ramp.access_token()).await.json();
    assert_eq!((&listed["totalElements"], &listed["content"][0]["id"]), (&json!(1), &json!(mine)));
}
