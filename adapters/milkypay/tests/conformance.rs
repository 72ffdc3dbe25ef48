//! The conformance suite: the cases of this folder's neighbors, and what is derived from them.

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::{process::ExitCode, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue};
use paymux_conformance::{
    Suite,
    inherent::{answer, json, number, text},
};
use paymux_core::{
    CreatePayment, Currency, Cursor, Error, ManualClock, Money, PaymentMethod, PaymentProvider,
    ProviderId, ProviderMethodId, ProviderPaymentId, Reference, Result, SecretString, Timestamp,
    signature::Sha1Sandwich, transport::HttpClient,
};
use paymux_milkypay::{Api, MilkyPay, MilkyPayConfig, Mode};
use serde_json::{Value, json};
use url::Url;

const ACCOUNT_ID: &str = "coma_conformance";
const API_KEY: &str = "milky_api_key_canary";
/// What goes over the wire of both.
const BASIC: &str = "Y29tYV9jb25mb3JtYW5jZTptaWxreV9hcGlfa2V5X2NhbmFyeQ==";
const PUBLIC_KEY: &str = "pk_test_ClSQHi2T9WXuFa76WcwwBB6rspRpg6ANM69cS9zNOJy";
const TEST_SECRET: &str = "sk_test_callback_secret_canary";
const LIVE_SECRET: &str = "sk_live_callback_secret_canary";
/// The secret of the vectors that were made of a whole callback.
const VECTOR_SECRET: &str = "vector-signing-secret-not-real-1";
/// 2020-12-13T15:00:00Z: 52 minutes before the expiry in the specification's sample.
const NOW: Timestamp = Timestamp::from_seconds(1_607_871_600);

fn main() -> ExitCode {
    let suite = Suite::new(
        "milkypay",
        concat!(env!("CARGO_MANIFEST_DIR"), "/cases"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/webhooks"),
    )
    .secret(API_KEY)
    .secret(BASIC)
    .secret(TEST_SECRET)
    .secret(LIVE_SECRET)
    .secret(VECTOR_SECRET)
    .signer(sign);
    inherent(accounts(suite)).run()
}

fn accounts(suite: Suite<MilkyPay>) -> Suite<MilkyPay> {
    suite
        .account("default", |server, http| MilkyPay::new(secrets(private(server)?), http))
        .account("public", |server, http| {
            MilkyPay::new(secrets(config(server, Mode::Test)?).public_api(PUBLIC_KEY), http)
        })
        .account("both", |server, http| {
            MilkyPay::new(secrets(private(server)?).public_api(PUBLIC_KEY), http)
        })
        .account("create_by_public", |server, http| {
            let config = secrets(private(server)?).public_api(PUBLIC_KEY);
            MilkyPay::new(config.create_by(Api::Public), http)
        })
        .account("callbacks", |server, http| {
            let url = Url::parse("https://example.com").expect("a URL");
            MilkyPay::new(secrets(private(server)?).callback_url(url), http)
        })
        .account("refunds", |server, http| {
            MilkyPay::new(secrets(private(server)?).refunds(true), http)
        })
        .account("live", |server, http| {
            let key = SecretString::from(API_KEY);
            let config = config(server, Mode::Live)?.private_api(ACCOUNT_ID, key);
            MilkyPay::new(secrets(config), http)
        })
        .account("tokens", |server, http| {
            let config = secrets(private(server)?);
            let config = config.currency(Currency::registered("BTC", 8)?);
            MilkyPay::new(config.currency(Currency::registered("USDT", 6)?), http)
        })
        .account("known_services", known_services)
        .account("behind_a_path", behind_a_path)
        .account("without_page_size", |server, http| {
            MilkyPay::new(secrets(private(server)?).page_size(false), http)
        })
        .account("without_key_in_query", |server, http| {
            let config = config(server, Mode::Test)?.public_api(PUBLIC_KEY);
            MilkyPay::new(config.public_key_in_query(false), http)
        })
        .account("without_secrets", |server, http| MilkyPay::new(private(server)?, http))
        .account("live_secret_alone", |server, http| {
            let secret = SecretString::from(LIVE_SECRET);
            MilkyPay::new(private(server)?.webhook_secret(Mode::Live, secret), http)
        })
        .account("vector", |server, http| {
            let secret = SecretString::from(VECTOR_SECRET);
            MilkyPay::new(private(server)?.webhook_secret(Mode::Test, secret), http)
        })
}

fn config(server: &Url, mode: Mode) -> Result<MilkyPayConfig> {
    let id = ProviderId::new("milkypay-test")?;
    let clock = Arc::new(ManualClock::new(NOW));
    Ok(MilkyPayConfig::new(id, server.clone(), mode).clock(clock))
}

fn private(server: &Url) -> Result<MilkyPayConfig> {
    Ok(config(server, Mode::Test)?.private_api(ACCOUNT_ID, SecretString::from(API_KEY)))
}

fn secrets(config: MilkyPayConfig) -> MilkyPayConfig {
    config
        .webhook_secret(Mode::Test, SecretString::from(TEST_SECRET))
        .webhook_secret(Mode::Live, SecretString::from(LIVE_SECRET))
}

/// The services of the specification's pre-request, as the list of methods gives them.
fn known_services(server: &Url, http: HttpClient) -> Result<MilkyPay> {
    let method = |code: &str, currency, min: Option<&str>, max: Option<&str>| {
        let mut method = PaymentMethod::new(ProviderMethodId::new(code)?, code, currency);
        method.min = min.map(|min| Money::parse(min, currency)).transpose()?;
        method.max = max.map(|max| Money::parse(max, currency)).transpose()?;
        Ok(method)
    };
    let methods: Result<Vec<PaymentMethod>> = [
        method("payment_card_usd_hpp", Currency::USD, Some("1.00"), Some("1000000")),
        method("test_usd_test", Currency::USD, None, None),
        method("payment_card_eur_hpp", Currency::EUR, Some("0.01"), None),
    ]
    .into_iter()
    .collect();
    Ok(MilkyPay::new(secrets(private(server)?), http)?.with_known_methods(methods?))
}

/// A proxy below a path.
fn behind_a_path(server: &Url, http: HttpClient) -> Result<MilkyPay> {
    let base_url = server
        .join("proxy/milkypay/")
        .map_err(|source| Error::configuration("base_url", "must be a URL").with_source(source))?;
    MilkyPay::new(secrets(private(&base_url)?), http)
}

/// Signs as the provider does: with the secret of the body's mode, and nothing of the moment.
fn sign(account: &str, body: &[u8], _: Timestamp) -> HeaderMap {
    let body_is_test = serde_json::from_slice(body).ok().and_then(|body: Value| {
        let flag = body.pointer("/data/attributes/test_mode")?.clone();
        flag.as_bool().or(flag.as_u64().map(|flag| flag == 1))
    });
    let secret = match (account, body_is_test) {
        ("vector", _) => VECTOR_SECRET,
        (_, Some(true)) => TEST_SECRET,
        (_, Some(false)) => LIVE_SECRET,
        ("live" | "live_secret_alone", None) => LIVE_SECRET,
        (_, None) => TEST_SECRET,
    };
    let header = HeaderName::from_static("x-signature");
    let keys = Sha1Sandwich::new(header.clone(), [SecretString::from(secret)]).expect("a secret");
    let value = HeaderValue::try_from(keys.sign(body)).expect("a header");
    HeaderMap::from_iter([(header, value)])
}

/// The methods that are not of the trait.
fn inherent(suite: Suite<MilkyPay>) -> Suite<MilkyPay> {
    suite
        .call("fetch_prerequest", |client: &MilkyPay, input| {
            answer(async move { json(client.fetch_prerequest(&text(&input, "currency")).await?) })
        })
        .call("list_payment_services", |client: &MilkyPay, input| {
            answer(async move {
                let (page, size) = (number(&input, "page")?, number(&input, "size")?);
                json(client.list_payment_services(page, size).await?)
            })
        })
        .call("fetch_payment_service", |client: &MilkyPay, input| {
            answer(async move { json(client.fetch_payment_service(&text(&input, "id")).await?) })
        })
        .call("fetch_invoice", |client: &MilkyPay, input| {
            answer(async move {
                let id = ProviderPaymentId::new(text(&input, "id"))?;
                json(client.fetch_invoice(&id).await?)
            })
        })
        .call("fetch_invoice_by_reference", |client: &MilkyPay, input| {
            answer(async move {
                let reference = Reference::new(text(&input, "reference"))?;
                json(client.fetch_invoice_by_reference(&reference).await?)
            })
        })
        .call("list_invoices", |client: &MilkyPay, input| {
            answer(async move {
                let cursor = input.get("cursor").and_then(Value::as_str);
                let cursor = cursor.map(Cursor::new).transpose()?;
                json(client.list_invoices(number(&input, "limit")?, cursor.as_ref()).await?)
            })
        })
        .call("create_verification", |client: &MilkyPay, input| {
            answer(async move { json(client.create_verification(&request(input)?).await?) })
        })
        .call("checkout_form", |client: &MilkyPay, mut input| {
            answer(async move {
                let locale = input["locale"].take();
                let mut form = client.checkout_form(&request(input["request"].take())?)?;
                if let Some(locale) = locale.as_str() {
                    form = form.locale(locale).map_err(|error| error.with_provider(client.id()))?;
                }
                Ok(json!({
                    "action": form.action,
                    "fields": form.fields,
                    "html": form.to_html(),
                }))
            })
        })
}

fn request(input: Value) -> Result<CreatePayment> {
    serde_json::from_value(input).map_err(|source| {
        Error::invalid_request("request", "must be a CreatePayment").with_source(source)
    })
}
