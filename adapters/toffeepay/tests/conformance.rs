//! The conformance suite: the cases of this folder's neighbors, and what is derived from them.

#![expect(clippy::expect_used, reason = "a suite that cannot be set up must stop")]

use std::process::ExitCode;

use http::{HeaderMap, HeaderName, HeaderValue};
use paymux_conformance::{
    Suite,
    inherent::{answer, json, number, optional, text},
};
use paymux_core::{
    CaptureMethod, Error, ProviderId, ProviderPartId, ProviderPaymentId, ProviderRefundId, Result,
    SecretString, Timestamp,
    signature::{StandardWebhooks, TimestampedHmac},
    transport::HttpClient,
};
use paymux_toffeepay::{
    ListProviderPayments, ListRefunds, ListSessions, ListTopups, ToffeePay, ToffeePayConfig,
};
use serde_json::Value;
use url::Url;

const API_KEY: &str = "toffee_api_key_canary";
const LEGACY_SECRET: &str = "toffee_test_webhook_secret";
const STANDARD_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const LEGACY_HEADER: HeaderName = HeaderName::from_static("x-toffeepay-signature");

fn main() -> ExitCode {
    let suite = Suite::new(
        "toffeepay",
        concat!(env!("CARGO_MANIFEST_DIR"), "/cases"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/webhooks"),
    )
    .account("default", |server, http| ToffeePay::new(both(config(server)?), http))
    .account("legacy", |server, http| ToffeePay::new(legacy(config(server)?), http))
    .account("standard", |server, http| ToffeePay::new(standard(config(server)?), http))
    .account("without_secrets", |server, http| ToffeePay::new(config(server)?, http))
    .account("manual", |server, http| {
        ToffeePay::new(both(config(server)?).capture(CaptureMethod::Manual), http)
    })
    .account("any_currency", |server, http| {
        ToffeePay::new(both(config(server)?).any_currency(true), http)
    })
    .account("behind_a_path", behind_a_path)
    .secret(API_KEY)
    .secret(LEGACY_SECRET)
    .secret(STANDARD_SECRET)
    .signer(sign);
    inherent(suite).run()
}

fn config(server: &Url) -> Result<ToffeePayConfig> {
    let id = ProviderId::new("toffeepay-test")?;
    let config = ToffeePayConfig::new(id, SecretString::from(API_KEY), "space_shooter");
    Ok(config.base_url(server.clone()))
}

fn legacy(config: ToffeePayConfig) -> ToffeePayConfig {
    config.webhook_secret_legacy(SecretString::from(LEGACY_SECRET))
}

fn standard(config: ToffeePayConfig) -> ToffeePayConfig {
    config.webhook_secret_standard(SecretString::from(STANDARD_SECRET))
}

fn both(config: ToffeePayConfig) -> ToffeePayConfig {
    standard(legacy(config))
}

/// A proxy below a path, and a server that insists on the protocol's version.
fn behind_a_path(server: &Url, http: HttpClient) -> Result<ToffeePay> {
    let base_url = server
        .join("proxy/toffeepay/")
        .map_err(|source| Error::configuration("base_url", "must be a URL").with_source(source))?;
    let config = both(config(server)?).base_url(base_url).connect_protocol_version(true);
    ToffeePay::new(config, http)
}

/// Signs as the provider does: the 2025 way for the account `legacy`, else the 2026 way.
fn sign(account: &str, body: &[u8], at: Timestamp) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let header = |value: String| HeaderValue::try_from(value).expect("a header");
    if account == "legacy" {
        let keys = TimestampedHmac::new(LEGACY_HEADER, [SecretString::from(LEGACY_SECRET)])
            .expect("a secret");
        headers.insert(LEGACY_HEADER, header(keys.sign(at, body)));
        return headers;
    }
    let keys = StandardWebhooks::new([SecretString::from(STANDARD_SECRET)]).expect("a secret");
    let signature = keys.sign("msg_conformance", at, body).expect("an id and a time");
    headers.insert("webhook-id", HeaderValue::from_static("msg_conformance"));
    headers.insert("webhook-timestamp", header(at.as_seconds().to_string()));
    headers.insert("webhook-signature", header(signature));
    headers
}

/// The methods that are not of the trait.
fn inherent(suite: Suite<ToffeePay>) -> Suite<ToffeePay> {
    suite
        .call("fetch_session", |client: &ToffeePay, input| {
            answer(async move {
                let id = ProviderPaymentId::new(text(&input, "id"))?;
                json(client.fetch_session(&id).await?)
            })
        })
        .call("fetch_session_status", |client: &ToffeePay, input| {
            answer(async move {
                let id = ProviderPaymentId::new(text(&input, "id"))?;
                json(client.fetch_session_status(&id).await?)
            })
        })
        .call("list_sessions", |client: &ToffeePay, input| {
            answer(async move {
                let mut query = ListSessions::new(number(&input, "limit")?);
                query.game_id = optional(&input, "game_id");
                query.user_id = optional(&input, "user_id");
                query.status = optional(&input, "status").map(Into::into);
                query.offset = number(&input, "offset")?;
                json(client.list_sessions(&query).await?)
            })
        })
        .call("fetch_provider_payment", |client: &ToffeePay, input| {
            answer(async move {
                let id = ProviderPartId::new(text(&input, "id"))?;
                let split = input.get("with_wallet_split") == Some(&Value::Bool(true));
                json(client.fetch_provider_payment(&id, split).await?)
            })
        })
        .call("list_provider_payments", |client: &ToffeePay, input| {
            answer(async move {
                let mut query = ListProviderPayments::new(number(&input, "limit")?);
                query.game_id = optional(&input, "game_id");
                query.user_id = optional(&input, "user_id");
                query.with_wallet_split =
                    input.get("with_wallet_split") == Some(&Value::Bool(true));
                query.offset = number(&input, "offset")?;
                json(client.list_provider_payments(&query).await?)
            })
        })
        .call("fetch_topup", |client: &ToffeePay, input| {
            answer(async move { json(client.fetch_topup(&text(&input, "id")).await?) })
        })
        .call("list_topups", |client: &ToffeePay, input| {
            answer(async move {
                let mut query = ListTopups::new(number(&input, "limit")?);
                query.game_id = optional(&input, "game_id");
                query.wallet_user_id = optional(&input, "wallet_user_id");
                query.game_user_id = optional(&input, "game_user_id");
                query.offset = number(&input, "offset")?;
                json(client.list_topups(&query).await?)
            })
        })
        .call("fetch_provider_refund", |client: &ToffeePay, input| {
            answer(async move {
                let id = ProviderRefundId::new(text(&input, "id"))?;
                json(client.fetch_provider_refund(&id).await?)
            })
        })
        .call("list_refunds", |client: &ToffeePay, input| {
            answer(async move {
                let mut query = ListRefunds::new(number(&input, "limit")?);
                query.payment_id =
                    optional(&input, "payment_id").map(ProviderPartId::new).transpose()?;
                query.status = optional(&input, "status").map(Into::into);
                query.offset = number(&input, "offset")?;
                json(client.list_refunds(&query).await?)
            })
        })
}
