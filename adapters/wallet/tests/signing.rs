//! Requests as they arrive: each is signed over exactly what was sent, with a nonce of its own,
//! and the provider's clock is followed.

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use paymux_core::{
    CancelPayment, CapturePayment, CreatePayment, Currency, ErrorKind, IdempotencyKey,
    ListPayments, MandateHandle, MandateStatus, ManualClock, Money, PaymentHandle, PaymentLookup,
    PaymentProvider, PaymentStatus, ProviderId, ProviderMandateId, ProviderPartId,
    ProviderPaymentId, Reference, SecretString, SeededRandom, Timestamp,
    transport::{HttpClient, HttpSettings},
};
use paymux_wallet::{Wallet, WalletConfig};
use serde_json::json;
use sha2::{Digest, Sha256};
use url::form_urlencoded;
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{any, method, path},
};

const MAC_KEY: &str = "IrdTc8uQodU7PRpLzzLTW6wqZAO6tAMU";
const NOW_S: i64 = 1_698_675_700;

fn wallet(server: &MockServer, change: fn(WalletConfig) -> WalletConfig) -> Wallet {
    let id = ProviderId::new("wallet-test").expect("an id");
    let config = WalletConfig::new(id, "wkVd93h2uS", SecretString::from(MAC_KEY))
        .base_url(server.uri().parse().expect("a URL"))
        .clock(Arc::new(ManualClock::new(Timestamp::from_seconds(NOW_S))))
        .random(Arc::new(SeededRandom::new(1)));
    let http = HttpClient::new(HttpSettings::default()).expect("a client");
    Wallet::new(change(config), http).expect("an account")
}

fn transaction() -> serde_json::Value {
    json!({
        "transaction_key": "pDAlAZ3z", "status": "new",
        "payments": [{ "id": 2988, "price": 2999, "currency": "EUR", "status": "new" }],
    })
}

fn handle() -> PaymentHandle {
    PaymentHandle::new(ProviderPaymentId::new("pDAlAZ3z").expect("an id"))
}

fn key() -> IdempotencyKey {
    IdempotencyKey::new("key-1").expect("a key")
}

/// The values of the header, each in quotes.
fn fields(request: &Request) -> BTreeMap<String, String> {
    let values: Vec<_> = request.headers.get_all("authorization").iter().collect();
    assert_eq!(values.len(), 1);
    let text = values[0].to_str().expect("ASCII").strip_prefix("MAC ").expect("the scheme");
    let field = |pair: &str| {
        let (name, value) = pair.split_once('=').expect("a pair");
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        (name.to_owned(), value.expect("quotes").to_owned())
    };
    text.split(", ").map(field).collect()
}

/// Computes the signature anew from what arrived, line by line as the documents have it.
fn check(request: &Request, extra: &str) -> BTreeMap<String, String> {
    let fields = fields(request);
    let mut ext = String::new();
    if !request.body.is_empty() {
        let hash = STANDARD.encode(Sha256::digest(&request.body));
        let encoded: String = form_urlencoded::byte_serialize(hash.as_bytes()).collect();
        ext = format!("body_hash={encoded}");
    }
    if !extra.is_empty() {
        ext = if ext.is_empty() { extra.to_owned() } else { format!("{ext}&{extra}") };
    }
    assert_eq!(fields.get("ext").cloned().unwrap_or_default(), ext);
    assert_eq!(fields["id"], "wkVd93h2uS");
    let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let host = request.headers["host"].to_str().expect("ASCII");
    let (host, port) = host.split_once(':').expect("a port");
    let lines = [
        &fields["ts"],
        &fields["nonce"],
        request.method.as_str(),
        &format!("{}{query}", request.url.path()),
        host,
        port,
        &ext,
    ];
    let mut mac = Hmac::<Sha256>::new_from_slice(MAC_KEY.as_bytes()).expect("a key");
    mac.update(format!("{}\n", lines.join("\n")).as_bytes());
    assert_eq!(fields["mac"], STANDARD.encode(mac.finalize().into_bytes()), "{lines:?}");
    fields
}

#[tokio::test]
async fn every_kind_of_request_is_signed_over_what_was_sent() {
    let server = MockServer::start().await;
    let list = json!({ "transactions": [], "_metadata": { "total": 0, "offset": 0 } });
    Mock::given(path("/rest/v1/transactions"))
        .respond_with(ResponseTemplate::new(200).set_body_json(list))
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_json(transaction()))
        .mount(&server)
        .await;
    let wallet = wallet(&server, |config| config);
    let amount = Money::new(2999, Currency::EUR).expect("money");
    let reference = Reference::new("užsakymas + 1").expect("a reference");
    let create = CreatePayment::new(key(), reference, amount, "Užsakymas „1“");
    wallet.create_payment(&create).await.expect("a payment");
    wallet.fetch_payment(&PaymentLookup::Payment(handle())).await.expect("a payment");
    let mut query = ListPayments::new(50);
    query.status = Some(PaymentStatus::RequiresConfirmation);
    wallet.list_payments(&query).await.expect("a page");
    let cancel = CancelPayment { key: key(), payment: handle(), part: None };
    wallet.cancel_payment(&cancel).await.expect("a payment");
    let part = ProviderPartId::new("2988").expect("an id");
    let held = json!({ "id": 2988, "transaction_key": "pDAlAZ3z", "status": "reserved" });
    Mock::given(path("/rest/v1/payment/2988"))
        .respond_with(ResponseTemplate::new(200).set_body_json(held))
        .with_priority(1)
        .mount(&server)
        .await;
    // The answer is no payment, which is no matter here.
    let capture = CapturePayment { key: key(), payment: handle(), part: Some(part), amount: None };
    wallet.capture_payment(&capture).await.expect_err("no payment");
    let requests = server.received_requests().await.expect("requests");
    let methods: Vec<&str> = requests.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, ["POST", "GET", "GET", "DELETE", "GET", "PUT"]);
    let mut nonces = Vec::new();
    for request in &requests {
        let fields = check(request, "");
        assert_eq!(fields["ts"], NOW_S.to_string());
        assert!(!nonces.contains(&fields["nonce"]));
        nonces.push(fields["nonce"].clone());
    }
}

#[tokio::test]
async fn whom_we_act_for_is_signed_too() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_json(transaction()))
        .mount(&server)
        .await;
    let wallet = wallet(&server, |config| config.project_id(1234).location_id(5));
    wallet.fetch_payment(&PaymentLookup::Payment(handle())).await.expect("a payment");
    let requests = server.received_requests().await.expect("requests");
    check(&requests[0], "project_id=1234&location_id=5");
}

/// A wrong clock costs one refused call: the next is stamped by the provider's.
#[tokio::test]
async fn the_providers_clock_is_kept_for_the_next_call() {
    const THEIRS_S: i64 = NOW_S + 7200;
    let server = MockServer::start().await;
    let refused = json!({ "error": "invalid_timestamp" });
    Mock::given(path("/rest/v1/transaction/pDAlAZ3z"))
        .respond_with(ResponseTemplate::new(401).set_body_json(refused))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(path("/rest/v1/server"))
        .and(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "time": THEIRS_S })))
        .mount(&server)
        .await;
    Mock::given(path("/rest/v1/transaction/pDAlAZ3z"))
        .respond_with(ResponseTemplate::new(200).set_body_json(transaction()))
        .mount(&server)
        .await;
    let wallet = wallet(&server, |config| config);
    let lookup = PaymentLookup::Payment(handle());
    let error = wallet.fetch_payment(&lookup).await.expect_err("a wrong clock");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.is_retryable());
    assert_eq!(server.received_requests().await.expect("requests").len(), 2, "no loop");
    wallet.fetch_payment(&lookup).await.expect("a payment");
    let requests = server.received_requests().await.expect("requests");
    assert_eq!(requests.len(), 3);
    assert_eq!(check(&requests[0], "")["ts"], NOW_S.to_string());
    assert!(!requests[1].headers.contains_key("authorization"));
    assert_eq!(requests[1].headers["cache-control"], "no-cache");
    assert_eq!(check(&requests[2], "")["ts"], THEIRS_S.to_string());
}

/// A server that quotes the request must not bring the password into a log.
#[tokio::test]
async fn a_password_that_is_quoted_back_is_not_shown() {
    let server = MockServer::start().await;
    let quoting = json!({
        "error": "invalid_parameters",
        "error_description": "password-canary is wrong",
        "error_properties": { "password": ["password-canary"] },
    });
    Mock::given(any())
        .respond_with(ResponseTemplate::new(400).set_body_json(quoting))
        .mount(&server)
        .await;
    let wallet = wallet(&server, |config| config);
    let part = ProviderPartId::new("2988").expect("an id");
    let password = SecretString::from("password-canary");
    let error = wallet.give_password(&part, &password).await.expect_err("a refusal");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("canary"), "{shown}");
    assert_eq!((error.code(), error.field()), (Some("invalid_parameters"), Some("password")));
}

/// Ours is ahead: what is over by it is not over by the provider's, which decides.
#[tokio::test]
async fn what_is_over_by_our_clock_alone_is_not_over() {
    const THEIRS_S: i64 = NOW_S - 7200;
    let server = MockServer::start().await;
    let held = json!({
        "transaction_key": "pDAlAZ3z", "status": "confirmed",
        "payments": [{
            "id": 2988, "price": 2999, "currency": "EUR", "status": "reserved",
            "confirmed_at": NOW_S - 9000, "freeze_until": NOW_S - 3600,
        }],
    });
    Mock::given(path("/rest/v1/transaction/pDAlAZ3z"))
        .respond_with(ResponseTemplate::new(200).set_body_json(held))
        .mount(&server)
        .await;
    let allowance = json!({ "id": 5478, "status": "active", "valid_until": NOW_S - 3600 });
    Mock::given(path("/rest/v1/allowance/5478"))
        .respond_with(ResponseTemplate::new(200).set_body_json(allowance))
        .mount(&server)
        .await;
    Mock::given(path("/rest/v1/allowance/1"))
        .respond_with(
            ResponseTemplate::new(401).set_body_json(json!({ "error": "invalid_timestamp" })),
        )
        .mount(&server)
        .await;
    Mock::given(path("/rest/v1/server"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "time": THEIRS_S })))
        .mount(&server)
        .await;
    let wallet = wallet(&server, |config| config);
    let lookup = PaymentLookup::Payment(handle());
    let mandate = |id: &str| MandateHandle::new(ProviderMandateId::new(id).expect("an id"));
    let payment = wallet.fetch_payment(&lookup).await.expect("a payment");
    assert_eq!(payment.status, PaymentStatus::Processing);
    let active = wallet.fetch_mandate(&mandate("5478")).await.expect("a mandate");
    assert_eq!(active.status, MandateStatus::Ended);
    wallet.fetch_mandate(&mandate("1")).await.expect_err("a wrong clock");
    let payment = wallet.fetch_payment(&lookup).await.expect("a payment");
    assert_eq!(payment.status, PaymentStatus::Authorized);
    let active = wallet.fetch_mandate(&mandate("5478")).await.expect("a mandate");
    assert_eq!(active.status, MandateStatus::Active);
}
