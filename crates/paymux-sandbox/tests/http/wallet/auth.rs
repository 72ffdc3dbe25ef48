//! Who may call.

use std::time::Duration;

use paymux_sandbox::wallet::{RateLimit, WalletSettings};
use paymux_sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

use super::support::{Signer, assert_error, call, fixture, ok};
use crate::support::{send, start};

const SERVER: &str = "/rest/v1/payments";

#[tokio::test]
async fn every_vector_is_accepted_from_the_wire() {
    // The vectors carry their own times, hosts and ports; each gets the server it was made for.
    let vectors = fixture("mac_vectors");
    let mut calls = 0;
    for vector in vectors["vectors"].as_array().unwrap() {
        let text = |name: &str| vector[name].as_str().unwrap();
        let Some(uri) = text("uri").strip_prefix("/wallet") else { continue };
        let at = jiff::Timestamp::from_second(text("ts").parse().unwrap()).unwrap();
        let settings = WalletSettings {
            signed_port: Some(vector["port"].as_u64().unwrap().try_into().unwrap()),
            ..WalletSettings::default()
        };
        let config = SandboxConfig::default()
            .time(paymux_sandbox::StartTime::Frozen(at))
            .sign_in_virtual_time(true)
            .wallet_settings(settings)
            .wallet_credentials(text("id"), text("key"));
        let sandbox = Sandbox::start(config).await.unwrap();
        let url = format!("{}wallet{uri}", sandbox.url());
        let headers = [("Authorization", text("authorization")), ("Host", text("host"))];
        let answer = send(&url, text("method"), &headers, text("body_utf8")).await.unwrap();
        // The object does not exist, or the path is none; the signature was never the reason.
        assert_ne!(answer.status(), 401, "{}: {}", text("name"), answer.body);
        calls += 1;
    }
    assert!(calls > 0);
}

#[tokio::test]
async fn a_wrong_signature_is_refused_and_does_nothing() {
    let sandbox = start().await;
    let good = Signer::of(&sandbox).await;
    let body = r#"{"payments":[{"description":"x","price":1,"currency":"EUR"}]}"#;
    let key = Signer { key: "wrong".to_owned(), ..good.clone() };
    let id = Signer { id: "nobody".to_owned(), ..good.clone() };
    for signer in [key, id] {
        let answer = signer.try_send(&sandbox, "POST", "/rest/v1/transaction", body).await.unwrap();
        assert_error(&answer, 401, "unauthorized");
        assert_eq!(answer.json(), fixture("error.unauthorized"));
    }
    // Signed for another method, path or body, or not at all.
    let url = format!("{}/transaction", sandbox.wallet().rest_url());
    for (header, sent) in [
        (good.header("PUT", "/wallet/rest/v1/transaction", body), body),
        (good.header("POST", "/rest/v1/transaction", body), body),
        (good.header("POST", "/wallet/rest/v1/transaction", body), "{}"),
        (good.header("POST", "/wallet/rest/v1/transaction", ""), body),
        ("MAC".to_owned(), body),
        (String::new(), body),
    ] {
        let headers = [("Authorization", header.as_str())];
        let answer = send(&url, "POST", &headers, sent).await.unwrap();
        assert_error(&answer, 401, "unauthorized");
    }
    assert_eq!(sandbox.wallet().snapshot()["transactions"], json!([]));
}

#[tokio::test]
async fn a_request_works_once() {
    let sandbox = start().await;
    let signer = Signer::of(&sandbox).await;
    let first = signer.try_send(&sandbox, "GET", SERVER, "").await.unwrap();
    assert_eq!(first.status(), 200);
    let replay = signer.try_send(&sandbox, "GET", SERVER, "").await.unwrap();
    assert_error(&replay, 401, "unauthorized");
    let later = Signer { ts: signer.ts + 1, ..signer };
    assert_eq!(later.try_send(&sandbox, "GET", SERVER, "").await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_wrong_clock_is_told_and_the_servers_time_helps() {
    let sandbox = start().await;
    let signer = Signer::of(&sandbox).await;
    let settings = WalletSettings { clock_skew_seconds: 3600, ..WalletSettings::default() };
    sandbox.wallet().set_settings(settings);
    let late = signer.try_send(&sandbox, "GET", SERVER, "").await.unwrap();
    assert_eq!((late.status(), late.json()), (401, fixture("error.invalid_timestamp")));
    let early = Signer { ts: signer.ts + 2 * 3600, ..signer.clone() };
    let early = early.try_send(&sandbox, "GET", SERVER, "").await.unwrap();
    assert_eq!(early.json()["error_description"], "Timestamp is in future");
    let right = Signer::of(&sandbox).await;
    assert!((3590..3610).contains(&(right.ts - signer.ts)));
    assert_eq!(right.try_send(&sandbox, "GET", SERVER, "").await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_rate_is_limited_when_configured() {
    let sandbox = start().await;
    let rate_limit = Some(RateLimit { requests: 2, seconds: 60 });
    sandbox.wallet().set_settings(WalletSettings { rate_limit, ..WalletSettings::default() });
    for _ in 0..2 {
        ok(&sandbox, "GET", "/payments", Value::Null).await;
    }
    let refused = call(&sandbox, "GET", "/payments", Value::Null).await;
    assert_eq!((refused.status(), refused.json()), (429, fixture("error.rate_limit_exceeded")));
    sandbox.advance(Duration::from_secs(60));
    ok(&sandbox, "GET", "/payments", Value::Null).await;
}

async fn token(sandbox: &Sandbox, form: &str) -> crate::support::Message {
    let client = Signer::of(sandbox).await;
    client.try_send(sandbox, "POST", "/oauth/v1/token", form).await.unwrap()
}

#[tokio::test]
async fn a_token_acts_for_its_user_until_it_expires() {
    let sandbox = start().await;
    let wallet = sandbox.wallet();
    let scopes = ["check_has_sufficient_balance"];
    let code = wallet.authorize(14471, &scopes, Some("https://shop.example/back")).unwrap();
    let form = format!("grant_type=authorization_code&code={code}");
    assert_error(&token(&sandbox, &form).await, 400, "invalid_grant");
    let code = wallet.authorize(14471, &scopes, None).unwrap();
    let answer =
        token(&sandbox, &format!("grant_type=authorization_code&code={code}")).await.json();
    let sample = fixture("oauth_token.response");
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&answer), names(&sample));
    let user = |answer: &Value, nonce: &str, ts: i64| Signer {
        id: answer["access_token"].as_str().unwrap().to_owned(),
        key: answer["mac_key"].as_str().unwrap().to_owned(),
        nonce: nonce.to_owned(),
        ts,
    };
    let ts = Signer::of(&sandbox).await.ts;
    let ask = "/rest/v1/wallet/me/sufficient-amount?amount=100000&currency=EUR";
    let enough = user(&answer, "a", ts).try_send(&sandbox, "GET", ask, "").await.unwrap();
    assert_eq!(enough.json(), fixture("sufficient_amount.response"));
    let other = "/rest/v1/wallet/14472/balance";
    let forbidden = user(&answer, "b", ts).try_send(&sandbox, "GET", other, "").await.unwrap();
    assert_eq!((forbidden.status(), forbidden.json()), (403, fixture("error.forbidden")));

    sandbox.advance(Duration::from_secs(3600));
    let expired = user(&answer, "c", ts).try_send(&sandbox, "GET", ask, "").await.unwrap();
    assert_eq!((expired.status(), expired.json()), (400, fixture("error.invalid_grant_expired")));
    let refresh = answer["refresh_token"].as_str().unwrap();
    let refresh = format!("grant_type=refresh_token&refresh_token={refresh}");
    let renewed = token(&sandbox, &refresh).await.json();
    let again = user(&renewed, "d", ts).try_send(&sandbox, "GET", ask, "").await.unwrap();
    assert_eq!(again.status(), 200);
    assert_error(&token(&sandbox, &refresh).await, 400, "invalid_grant");

    let revoke =
        format!("/oauth/v1/token?access_token={}", renewed["access_token"].as_str().unwrap());
    let client = Signer::of(&sandbox).await;
    assert_eq!(client.try_send(&sandbox, "DELETE", &revoke, "").await.unwrap().status(), 200);
    let gone = user(&renewed, "e", ts).try_send(&sandbox, "GET", ask, "").await.unwrap();
    assert_error(&gone, 401, "unauthorized");
}
