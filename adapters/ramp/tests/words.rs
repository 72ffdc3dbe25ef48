//! The table of words against the contract's own, and what no word may ever do.

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::sync::{Arc, LazyLock};

use http::HeaderMap;
use paymux_core::{
    Currency, Money, PaymentProvider, PaymentStatus, ProviderId, SecretString, Timestamp, Trust,
    WebhookDelivery, WebhookEvent,
    transport::{HttpClient, HttpSettings},
};
use paymux_ramp::{
    CheckoutReturn, Environment, OneToken, Ramp, RampConfig, ReturnMode, StatusMeaning,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

const STATUS_MAP: &str = include_str!("vectors/status_map.json");

static RAMP: LazyLock<Ramp> = LazyLock::new(|| {
    let id = ProviderId::new("ramp-test").expect("an id");
    let host = Url::parse("https://ramp.example").expect("a URL");
    let token = Arc::new(OneToken::new(SecretString::from("token")));
    let config = RampConfig::new(id, host, Environment::Sandbox).tokens(token);
    // A word that is trusted most must not make a webhook trusted more.
    let config = config.status_word("MINE", StatusMeaning::Succeeded);
    let http = HttpClient::new(HttpSettings::default()).expect("a client");
    Ramp::new(config, http).expect("an account")
});

fn event(body: &Value) -> Option<WebhookEvent> {
    let headers = HeaderMap::new();
    let body = body.to_string();
    let delivery = WebhookDelivery {
        endpoint: "platform",
        headers: &headers,
        body: body.as_bytes(),
        received_at: Timestamp::from_seconds(1_717_430_400),
    };
    RAMP.verify_webhook(&delivery).ok()?.into_iter().next()
}

fn said(word: &str) -> Value {
    json!({ "payload": {
        "paymentId": "p-1", "invoiceId": "i-1", "status": word,
        "amount": 10.5, "currency": "USD", "paymentDate": 1_717_430_400_000_i64,
    } })
}

/// The contract's table is for answers; of a webhook it says that success is not believed. What is
/// final in neither, and unknown in both, is the same.
#[test]
fn webhooks_agree_with_the_contract() {
    let map: Value = serde_json::from_str(STATUS_MAP).expect("JSON");
    let mut checked = 0;
    for row in map["cases"].as_array().expect("rows") {
        let Some(word) = row["raw"].as_str().filter(|word| !word.is_empty()) else { continue };
        let event = event(&said(word)).expect("an event");
        let payment = event.payment.expect("a claim");
        // Nobody signs it: it says at most that something goes on.
        let wanted = match row["unified"].as_str().expect("a word") {
            "Unknown" => PaymentStatus::Unknown,
            _ => PaymentStatus::Processing,
        };
        assert_eq!(payment.status, wanted, "{word}");
        assert_eq!(payment.provider_status, word);
        checked += 1;
    }
    assert!(checked > 50, "only {checked} words were found");
}

proptest! {
    /// Whatever an unsigned delivery says, it is a reason to look: never paid, held or refunded.
    #[test]
    fn no_webhook_says_that_money_came(
        word in "\\PC{1,20}|[A-Za-z _.-]{1,20}|SUCCESS|paid|MINE|REFUNDED|AUTHORIZED",
        amount in any::<u32>(),
        date in any::<i64>(),
    ) {
        let mut body = said(&word);
        body["payload"]["amount"] = json!(amount);
        body["payload"]["paymentDate"] = json!(date);
        if let Some(event) = event(&body) {
            prop_assert_eq!(event.trust, Trust::Unsigned);
            let payment = event.payment.expect("a claim");
            let money = Money::new(1, Currency::USD).expect("an amount");
            prop_assert!(!payment.is_paid(money));
            prop_assert!(matches!(
                payment.status,
                PaymentStatus::Processing | PaymentStatus::Unknown
            ));
            prop_assert!(!payment.amounts.given_back_unstated && payment.failure.is_none());
            let amounts = &payment.amounts;
            let moved = [amounts.authorized, amounts.captured, amounts.refunded, amounts.charged_back];
            prop_assert!(moved.iter().all(Option::is_none));
            prop_assert!(payment.next_action.is_none());
        }
    }

    /// What is read from a return is what a browser would have written, and of plain characters.
    #[test]
    fn returns_are_read_as_written(
        ids in prop::collection::vec("[A-Za-z0-9_-]{1,256}", 3),
        other in "\\PC{0,30}",
    ) {
        let names = ["cko-payment-session-id", "cko-session-id", "cko-payment-id"];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("status", &other);
        for (name, id) in names.iter().zip(&ids) {
            query.append_pair(name, id);
        }
        let read = CheckoutReturn::read(&query.finish(), ReturnMode::Strict).expect("a return");
        prop_assert_eq!(read.payment_session_id.as_deref(), ids.first().map(String::as_str));
        prop_assert_eq!(read.session_id.as_deref(), ids.get(1).map(String::as_str));
        prop_assert_eq!(read.payment_id.as_deref(), ids.get(2).map(String::as_str));
        prop_assert!(read.is_of(&ids[0]));
    }

    /// Any text is refused or gives plain ids, in either mode, and nothing panics.
    #[test]
    fn no_return_brings_anything_else(
        query in "(cko-payment-id=|cko-session-id=|&|=|%|%3C|[ -~]|\\PC){0,40}",
    ) {
        for mode in [ReturnMode::Strict, ReturnMode::Lenient] {
            if let Ok(read) = CheckoutReturn::read(&query, mode) {
                let ids = [read.payment_session_id, read.session_id, read.payment_id];
                prop_assert!(ids.iter().any(Option::is_some));
                for id in ids.iter().flatten() {
                    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
                    prop_assert!(!id.is_empty() && id.len() <= 256 && id.bytes().all(plain));
                }
            }
        }
    }
}
