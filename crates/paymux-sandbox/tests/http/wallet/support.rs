//! A client of the wallet that signs its requests, written from the authentication guide.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use paymux_sandbox::{Sandbox, WalletSandbox};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Message, send};

pub(super) const PAYER: i64 = 14471;

/// What a request is signed with. The HTTP client of these tests calls every host `sandbox`.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) ts: i64,
    pub(super) nonce: String,
}

impl Signer {
    /// With the server's time and a nonce of its own.
    pub(super) async fn of(sandbox: &Sandbox) -> Self {
        let wallet = sandbox.wallet();
        let server = send(&format!("{}/server", wallet.rest_url()), "GET", &[], "").await.unwrap();
        let nonce = server.header("paysera-correlation-id").unwrap().to_owned();
        Signer {
            id: wallet.client_id().to_owned(),
            key: wallet.mac_key().to_owned(),
            ts: server.json()["time"].as_i64().unwrap(),
            nonce,
        }
    }

    pub(super) fn header(&self, method: &str, uri: &str, body: &str) -> String {
        let mut ext = String::new();
        if !body.is_empty() {
            let hash = STANDARD.encode(Sha256::digest(body));
            let hash = hash.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
            ext = format!("body_hash={hash}");
        }
        let Signer { id, key, ts, nonce } = self;
        let text = format!("{ts}\n{nonce}\n{method}\n{uri}\nsandbox\n80\n{ext}\n");
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let mac = STANDARD.encode(mac.finalize().into_bytes());
        let mut header = format!(r#"MAC id="{id}", ts="{ts}", nonce="{nonce}", mac="{mac}""#);
        if !ext.is_empty() {
            header.push_str(&format!(r#", ext="{ext}""#));
        }
        header
    }

    /// Sends a signed request; nothing when the connection closed without an answer.
    pub(super) async fn try_send(
        &self,
        sandbox: &Sandbox,
        method: &str,
        path: &str,
        body: &str,
    ) -> Option<Message> {
        let uri = format!("/wallet{path}");
        let authorization = self.header(method, &uri, body);
        let url = sandbox.url().join(&uri).unwrap();
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json;charset=utf-8"),
        ];
        send(url.as_str(), method, &headers, body).await
    }
}

/// Calls the API below `/rest/v1`; `null` sends no body.
pub(super) async fn call(sandbox: &Sandbox, method: &str, path: &str, body: Value) -> Message {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let path = format!("/rest/v1{path}");
    Signer::of(sandbox).await.try_send(sandbox, method, &path, &body).await.unwrap()
}

/// The JSON of a call that must succeed.
pub(super) async fn ok(sandbox: &Sandbox, method: &str, path: &str, body: Value) -> Value {
    let answer = call(sandbox, method, path, body).await;
    assert_eq!(answer.status(), 200, "{method} {path}: {}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("paysera-correlation-id").map(str::len), Some(36));
    answer.json()
}

#[track_caller]
pub(super) fn assert_error(answer: &Message, status: u16, code: &str) {
    let body = answer.json();
    let found = (answer.status(), body["error"].as_str());
    assert_eq!(found, (status, Some(code)), "{}", answer.body);
}

/// A new transaction with one payment of these members; returns its key and the payment's id.
pub(super) async fn create(sandbox: &Sandbox, mut payment: Value) -> (String, i64) {
    if payment.get("description").is_none() {
        payment["description"] = "Order".into();
    }
    let made = ok(sandbox, "POST", "/transaction", json!({"payments": [payment]})).await;
    let key = made["transaction_key"].as_str().unwrap().to_owned();
    (key, made["payments"][0]["id"].as_i64().unwrap())
}

/// As [`create`], accepted and confirmed.
pub(super) async fn create_confirmed(sandbox: &Sandbox, payment: Value) -> (String, i64) {
    let (key, id) = create(sandbox, payment).await;
    sandbox.wallet().accept(&key, PAYER).unwrap();
    ok(sandbox, "PUT", &format!("/transaction/{key}/confirm"), Value::Null).await;
    (key, id)
}

pub(super) fn fixture(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/wallet");
    let text = std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The word the API shows for a transaction and its first payment.
pub(super) async fn status(sandbox: &Sandbox, key: &str) -> [String; 2] {
    let shown = ok(sandbox, "GET", &format!("/transaction/{key}"), Value::Null).await;
    [&shown["status"], &shown["payments"][0]["status"]]
        .map(|word| word.as_str().unwrap().to_owned())
}

pub(super) fn balance(wallet: &WalletSandbox, of: i64) -> (i64, i64) {
    wallet.balance(of, "EUR")
}

/// A new, active allowance of the usual payer; returns its id.
pub(super) async fn allow(sandbox: &Sandbox, allowance: Value) -> i64 {
    let made = ok(sandbox, "POST", "/allowance", allowance).await;
    assert_eq!((&made["status"], &made["wallet"]), (&json!("new"), &Value::Null));
    let key = made["transaction_key"].as_str().unwrap();
    sandbox.wallet().accept(key, PAYER).unwrap();
    let done = ok(sandbox, "PUT", &format!("/transaction/{key}/confirm"), Value::Null).await;
    assert_eq!(done["wallet"], PAYER);
    done["allowance"]["data"]["id"].as_i64().unwrap()
}
