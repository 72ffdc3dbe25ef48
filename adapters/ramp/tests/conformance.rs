//! The conformance suite: the cases of this folder's neighbors, and what is derived from them.

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::{process::ExitCode, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use paymux_conformance::{
    Suite,
    inherent::{answer, json, text},
};
use paymux_core::{
    Currency, ManualClock, PaymentHandle, ProviderId, ProviderPaymentId, Result, SecretString,
    Timestamp, WebhookDelivery, transport::HttpClient,
};
use paymux_ramp::{
    AmountUnit, DateUnit, Endpoint, Environment, Grant, OneToken, Ramp, RampConfig, RampOptions,
    RefreshingTokens, ReturnMode, StatusMeaning, TokenMap, UpdatePayment,
};
use serde_json::Value;
use url::Url;

const TOKEN: &str = "TEST_ACCESS_TOKEN";
const REFRESH_TOKEN: &str = "TEST_REFRESH_TOKEN";
const WEBHOOK_SECRET: &str = "ramp-webhook-secret-canary";
const PARTNER: &str = "partner-id-canary";
const REFRESHED: &str = "the second call has the token that the first one asked for";
const NOW: Timestamp = Timestamp::from_seconds(1_717_430_400);

fn main() -> ExitCode {
    let suite = Suite::new(
        "ramp",
        concat!(env!("CARGO_MANIFEST_DIR"), "/cases"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/webhooks"),
    )
    .secret(TOKEN)
    .secret(REFRESH_TOKEN)
    .secret(WEBHOOK_SECRET)
    .secret(PARTNER)
    // What sessions hold beside their ids, accounts, and what is for third parties.
    .secret("pss_TEST_NOT_A_SECRET")
    .secret("TEST_TOKEN_NOT_A_SECRET")
    .secret("2d4f6a80-91b3-4c5d-8e7f-a0b1c2d3e4f5")
    .secret("partner-order-77812")
    .secret("BANK-2024-000123")
    .signer(sign)
    .except("rule::same_bytes::create::after_a_refresh", REFRESHED)
    .except("rule::same_bytes::confirm::after_a_refresh", REFRESHED);
    inherent(accounts(suite)).run()
}

fn accounts(suite: Suite<Ramp>) -> Suite<Ramp> {
    let suite = suite
        .account("default", |server, http| Ramp::new(config(server)?, http))
        .account("invoices", |server, http| Ramp::new(config(server)?.invoice_read(true), http))
        .account("refreshing", refreshing)
        .account("one_token", |server, http| {
            let token = OneToken::new(SecretString::from(TOKEN));
            Ramp::new(config(server)?.tokens(Arc::new(token)), http)
        })
        .account("secret", |server, http| {
            let older = SecretString::from("an-older-webhook-secret");
            let config = config(server)?.webhook_secret("x-ramp-secret", older);
            let secret = SecretString::from(WEBHOOK_SECRET);
            Ramp::new(config.webhook_secret("x-ramp-secret", secret), http)
        })
        .account("strict", |server, http| Ramp::new(config(server)?.require_some_data(true), http));
    suite
        .account("tokens", |server, http| {
            let config = config(server)?.currency(Currency::registered("USDT", 6)?);
            let config = config.currency(Currency::registered("ETH", 18)?);
            Ramp::new(config.invoice_read(true), http)
        })
        .account("minor_units", |server, http| {
            let config = config(server)?.amount_unit(AmountUnit::Minor);
            Ramp::new(config.payment_date(DateUnit::Seconds), http)
        })
        .account("own_words", |server, http| {
            let config = config(server)?.status_word("Paid-Out", StatusMeaning::Succeeded);
            Ramp::new(config.status_word("OVERDUE", StatusMeaning::Pending), http)
        })
        .account("elsewhere", |server, http| {
            let config = config(server)?
                .path_prefix("")
                .path(Endpoint::Payment, "/acquiring/v1/invoice/payment")
                .path(Endpoint::Confirm, "/acquiring/v1/invoice/payment/pay")
                .path(Endpoint::Update, "/acquiring/v1/invoice/payment")
                .method(Endpoint::Update, Method::POST)
                .return_field("successUrl")
                .header("partnerId", SecretString::from(PARTNER));
            Ramp::new(config, http)
        })
}

fn config(server: &Url) -> Result<RampConfig> {
    let id = ProviderId::new("ramp-test")?;
    let tokens = TokenMap::new();
    tokens.set("user-1", SecretString::from(TOKEN));
    Ok(RampConfig::new(id, server.clone(), Environment::Sandbox).tokens(Arc::new(tokens)))
}

/// A user whose token has run out.
fn refreshing(server: &Url, http: HttpClient) -> Result<Ramp> {
    let tokens = RefreshingTokens::new(server, http.clone())?
        .clock(Arc::new(ManualClock::new(NOW)))
        .margin(Duration::from_secs(60));
    let old = SecretString::from("a-token-of-yesterday");
    let grant = Grant::new(SecretString::from(REFRESH_TOKEN)).access(old, Some(NOW));
    tokens.set("user-1", grant);
    Ramp::new(config(server)?.tokens(Arc::new(tokens)), http)
}

/// Nobody signs; some deliveries bring a secret.
fn sign(account: &str, _: &[u8], _: Timestamp) -> HeaderMap {
    if account != "secret" {
        return HeaderMap::new();
    }
    let header = HeaderName::from_static("x-ramp-secret");
    HeaderMap::from_iter([(header, HeaderValue::from_static(WEBHOOK_SECRET))])
}

/// The methods that are not of the trait.
fn inherent(suite: Suite<Ramp>) -> Suite<Ramp> {
    suite
        .call("update_payment", |client: &Ramp, input| {
            answer(async move {
                let options: RampOptions = typed(input.get("options"))?;
                let update = match input.get("id").and_then(Value::as_str) {
                    Some(id) => UpdatePayment::new(ProviderPaymentId::new(id)?, options),
                    None => UpdatePayment::of_invoice(options),
                };
                let with_account = input.get("with_account") == Some(&Value::Bool(true));
                let update = if with_account { update.with_account() } else { update };
                json(client.update_payment(&update).await?)
            })
        })
        .call("apply_discount", |client: &Ramp, input| {
            answer(async move { json(client.apply_discount(&typed(Some(&input))?).await?) })
        })
        .call("fetch_invoice", |client: &Ramp, input| {
            answer(async move { json(client.fetch_invoice(&typed(Some(&input))?).await?) })
        })
        .call("fetch_checkout_session", |client: &Ramp, input| {
            answer(async move {
                let handle: PaymentHandle = typed(Some(&input))?;
                json(client.fetch_checkout_session(&handle).await?)
            })
        })
        .call("read_checkout_return", |client: &Ramp, input| {
            answer(async move {
                let mode = match text(&input, "mode").as_str() {
                    "lenient" => ReturnMode::Lenient,
                    _ => ReturnMode::Strict,
                };
                json(client.read_checkout_return(&text(&input, "query"), mode)?)
            })
        })
        .call("read_notification", |client: &Ramp, input| {
            answer(async move {
                let (headers, body) = (HeaderMap::new(), text(&input, "body_text"));
                let delivery = WebhookDelivery {
                    endpoint: &text(&input, "endpoint"),
                    headers: &headers,
                    body: body.as_bytes(),
                    received_at: NOW,
                };
                json(client.read_notification(&delivery)?)
            })
        })
}

fn typed<T: serde::de::DeserializeOwned>(input: Option<&Value>) -> Result<T> {
    let input = input.cloned().unwrap_or_default();
    Ok(serde_json::from_value(input).expect("an input that can be read"))
}
