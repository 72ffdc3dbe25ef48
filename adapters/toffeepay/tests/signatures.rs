//! The published and computed vectors of both signature schemes, through the adapter.

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use http::{HeaderMap, HeaderName, HeaderValue};
use paymux_core::{
    ErrorKind, PaymentProvider, ProviderId, SecretString, Timestamp, WebhookDelivery,
    transport::{HttpClient, HttpSettings},
};
use paymux_toffeepay::{ToffeePay, ToffeePayConfig};
use serde_json::Value;

fn client(setting: impl FnOnce(ToffeePayConfig) -> ToffeePayConfig) -> ToffeePay {
    let id = ProviderId::new("toffeepay-test").expect("an id");
    let config = ToffeePayConfig::new(id, SecretString::from("key"), "space_shooter");
    let http = HttpClient::new(HttpSettings::default()).expect("a client");
    ToffeePay::new(setting(config), http).expect("an account")
}

fn vectors(text: &str) -> Vec<Value> {
    let mut file: Value = serde_json::from_str(text).expect("JSON");
    serde_json::from_value(file["vectors"].take()).expect("a list")
}

fn text<'a>(vector: &'a Value, key: &str) -> &'a str {
    vector[key].as_str().expect("a text")
}

/// Whether it is accepted. A body behind a good signature need not be an event of ours: one
/// published vector signs something else.
fn accepts(client: &ToffeePay, headers: &HeaderMap, vector: &Value) -> bool {
    let now = vector["now"].as_i64().expect("a time");
    let delivery = WebhookDelivery {
        endpoint: "",
        headers,
        body: text(vector, "body").as_bytes(),
        received_at: Timestamp::from_seconds(now),
    };
    match client.verify_webhook(&delivery) {
        Ok(events) => events.len() == 1,
        Err(error) => error.kind() == ErrorKind::InvalidResponse,
    }
}

#[test]
fn vectors_of_the_2025_scheme() {
    let vectors = vectors(include_str!("vectors/signature.legacy.vectors.json"));
    assert_eq!(vectors.len(), 18);
    for vector in vectors {
        let secret = SecretString::from(text(&vector, "secret"));
        let client = client(|config| config.webhook_secret_legacy(secret));
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(text(&vector, "header")).expect("a header");
        headers.insert("X-ToffeePay-Signature", value);
        assert_eq!(accepts(&client, &headers, &vector), vector["valid"] == true, "{vector}");
    }
}

#[test]
fn vectors_of_the_2026_scheme() {
    let vectors = vectors(include_str!("vectors/signature.standard.vectors.json"));
    assert_eq!(vectors.len(), 12);
    for vector in vectors {
        let secret = SecretString::from(text(&vector, "secret"));
        let client = client(|config| config.webhook_secret_standard(secret));
        let mut headers = HeaderMap::new();
        for (name, value) in vector["headers"].as_object().expect("headers") {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            let value = HeaderValue::from_str(value.as_str().expect("a text")).expect("a header");
            headers.insert(name, value);
        }
        assert_eq!(accepts(&client, &headers, &vector), vector["valid"] == true, "{vector}");
    }
}
