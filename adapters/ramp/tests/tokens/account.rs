//! What an account does with its tokens.

use std::sync::Arc;

use async_trait::async_trait;
use paymux_core::{
    ConfirmPayment, ConfirmStep, Effect, Error, ErrorKind, IdempotencyKey, PaymentHandle,
    PaymentLookup, PaymentProvider, PaymentStatus, ProviderId, ProviderPaymentId, Result,
    SecretString,
};
use paymux_ramp::{
    Environment, OneToken, PaymentType, Ramp, RampConfig, RampOptions, TokenMap, TokenSource,
};
use serde_json::json;
use url::Url;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::method};

use crate::{USER, http, secret};

fn account(url: &Url, source: Arc<dyn TokenSource>) -> Ramp {
    let id = ProviderId::new("ramp-test").expect("an id");
    let config = RampConfig::new(id, url.clone(), Environment::Sandbox).tokens(source);
    Ramp::new(config, http()).expect("an account")
}

fn handle() -> PaymentHandle {
    let mut handle = PaymentHandle::new(ProviderPaymentId::new("p-1").expect("an id"));
    let options = RampOptions::new(USER, "i-1", PaymentType::External { some_data: None });
    handle.options.set(&options).expect("options");
    handle
}

/// Refuses every token but one, or each with 403.
async fn guarded(good: &'static str, status: u16) -> MockServer {
    let server = MockServer::start().await;
    let answer = move |request: &Request| {
        let token = request.headers.get("authorization").and_then(|value| value.to_str().ok());
        if token == Some(&format!("Bearer {good}")) {
            let payment = json!({ "id": "p-1", "status": "SUCCESS" });
            return ResponseTemplate::new(200).set_body_json(payment);
        }
        let refusal =
            json!({ "status": "UNAUTHORIZED", "message": "m", "traceId": "t", "errors": [] });
        ResponseTemplate::new(status).set_body_json(refusal)
    };
    Mock::given(method("POST")).respond_with(answer).mount(&server).await;
    server
}

async fn sent(server: &MockServer) -> usize {
    server.received_requests().await.unwrap_or_default().len()
}

#[tokio::test]
async fn a_refused_token_is_reported_and_nothing_is_sent_again() {
    let server = guarded("access-1", 401).await;
    let url = Url::parse(&server.uri()).expect("a URL");
    let tokens = Arc::new(TokenMap::new());
    tokens.set(USER, secret("access-0"));
    tokens.set("user-2", secret("access-0"));
    let ramp = account(&url, tokens.clone());
    let key = IdempotencyKey::new("key-1").expect("a key");
    let confirm = ConfirmPayment { key, payment: handle(), step: ConfirmStep::Commit };
    let error = ramp.confirm_payment(&confirm).await.expect_err("a refusal");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unauthenticated, Effect::None));
    assert!(error.is_retryable());
    assert_eq!(sent(&server).await, 1);
    // Forgotten for this end user, and for nobody else.
    assert!(tokens.token(USER).await.is_err());
    assert!(tokens.token("user-2").await.is_ok());
    // Nothing is wrong with the account: this end user has to log in.
    let error = ramp.confirm_payment(&confirm).await.expect_err("a refusal");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::InvalidRequest, Effect::None));
    assert_eq!((error.field(), error.is_retryable()), (Some("options.ramp.end_user"), false));
    assert_eq!(sent(&server).await, 1);
    // The same request, once there is another token.
    tokens.set(USER, secret("access-1"));
    let payment = ramp.confirm_payment(&confirm).await.expect("a payment");
    assert_eq!(payment.status, PaymentStatus::Succeeded);
    assert_eq!(sent(&server).await, 2);
}

/// There is no other token to come, so the same call would be refused alike.
#[tokio::test]
async fn where_there_is_one_token_its_refusal_is_not_worth_repeating() {
    let server = guarded("access-1", 401).await;
    let url = Url::parse(&server.uri()).expect("a URL");
    let ramp = account(&url, Arc::new(OneToken::new(secret("access-0"))));
    let error = ramp.fetch_payment(&PaymentLookup::Payment(handle())).await;
    let error = error.expect_err("a refusal");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unauthenticated, Effect::None));
    assert!(!error.is_retryable(), "{error}");
}

#[tokio::test]
async fn a_token_that_may_not_do_a_thing_is_kept() {
    let server = guarded("access-1", 403).await;
    let url = Url::parse(&server.uri()).expect("a URL");
    let tokens = Arc::new(TokenMap::new());
    tokens.set(USER, secret("access-0"));
    let ramp = account(&url, tokens.clone());
    let error = ramp.fetch_payment(&PaymentLookup::Payment(handle())).await;
    assert_eq!(error.expect_err("a refusal").kind(), ErrorKind::PermissionDenied);
    assert!(tokens.token(USER).await.is_ok());
}

/// Fails as if the provider had acted, or gives what cannot be sent.
#[derive(Debug)]
struct Careless(Option<&'static str>);

#[async_trait]
impl TokenSource for Careless {
    async fn token(&self, _: &str) -> Result<SecretString> {
        let message = "the vault is locked";
        let error = || Error::new(ErrorKind::Unavailable, Effect::Possible, message);
        self.0.map(SecretString::from).ok_or_else(error)
    }

    async fn invalidate(&self, _: &str, _: &SecretString) {}
}

#[tokio::test]
async fn a_source_that_fails_sends_nothing() {
    let server = MockServer::start().await;
    let url = Url::parse(&server.uri()).expect("a URL");
    for (source, kind) in [
        (Careless(None), ErrorKind::Unavailable),
        (Careless(Some("two words")), ErrorKind::Configuration),
        (Careless(Some("")), ErrorKind::Configuration),
    ] {
        let ramp = account(&url, Arc::new(source));
        let error = ramp.fetch_payment(&PaymentLookup::Payment(handle())).await;
        let error = error.expect_err("a refusal");
        assert_eq!((error.kind(), error.effect()), (kind, Effect::None));
        assert!(!format!("{error} {error:?}").contains("two words"));
    }
    assert!(server.received_requests().await.unwrap_or_default().is_empty());
}
