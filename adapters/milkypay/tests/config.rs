//! Settings: what is refused names the setting, and nothing shows a secret.

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::{collections::BTreeMap, time::Duration};

use paymux_core::{
    CaptureChoice, CreateEffect, Currencies, Currency, Effect, Error, ErrorKind, Operation,
    PaymentProvider, ProviderId, Replay, Result, SecretString, Trust,
    transport::{HttpClient, HttpSettings},
};
use paymux_milkypay::{Api, KIND, MilkyPay, MilkyPayConfig, Mode};
use url::Url;

const HOST: &str = "https://milkypay.example";
const KEY: &str = "api-key-canary";

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn at(host: &str, mode: Mode) -> MilkyPayConfig {
    let id = ProviderId::new("milkypay-test").expect("an id");
    MilkyPayConfig::new(id, url(host), mode)
}

fn private() -> MilkyPayConfig {
    at(HOST, Mode::Test).private_api("coma_1", secret(KEY))
}

fn public() -> MilkyPayConfig {
    at(HOST, Mode::Test).public_api("pk_test_1")
}

fn build(config: MilkyPayConfig) -> Result<MilkyPay> {
    MilkyPay::new(config, HttpClient::new(HttpSettings::default())?)
}

fn built(config: MilkyPayConfig) -> MilkyPay {
    build(config).expect("an account")
}

fn refused(config: MilkyPayConfig) -> Error {
    let error = build(config).expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(error.effect(), Effect::None);
    assert_eq!(error.provider().map(ProviderId::as_str), Some("milkypay-test"));
    error
}

#[test]
fn base_urls_are_private_and_plain() {
    for bad in [
        "http://milkypay.example",
        "http://127.0.0.1.example.com",
        "ftp://milkypay.example",
        "https://user@milkypay.example",
        "https://user:pass@milkypay.example",
        "https://milkypay.example?x=1",
        "https://milkypay.example#x",
        "https://milkypay.example/api",
        "https://milkypay.example/api/",
        "https://milkypay.example/public-api",
        "https://milkypay.example/proxy/api",
    ] {
        let error = refused(at(bad, Mode::Test).private_api("coma_1", secret(KEY)));
        assert_eq!(error.field(), Some("base_url"), "{bad}");
        assert!(!format!("{error} {error:?}").contains("pass@"), "{bad}");
    }
    for good in ["https://milkypay.example/", "http://localhost:1", "https://h.example/capi"] {
        built(at(good, Mode::Test).private_api("coma_1", secret(KEY)));
    }
}

#[test]
fn some_api_must_be_usable() {
    assert_eq!(refused(at(HOST, Mode::Test)).field(), Some("public_api"));
    assert_eq!(refused(public().create_by(Api::Private)).field(), Some("private_api"));
    assert_eq!(refused(private().create_by(Api::Public)).field(), Some("public_api"));
    assert_eq!(refused(public().refunds(true)).field(), Some("refunds"));
    built(private().public_api("pk_test_1").create_by(Api::Public).refunds(true));
}

#[test]
fn credentials_that_cannot_be_sent_are_refused() {
    for (id, key) in [
        ("", KEY),
        ("coma 1", KEY),
        ("coma:1", KEY),
        ("comä", KEY),
        ("coma_1", ""),
        ("coma_1", "with space canary"),
        ("coma_1", "line\ncanary"),
        ("coma_1", "schlüssel-canary"),
    ] {
        let error = refused(at(HOST, Mode::Test).private_api(id, secret(key)));
        assert_eq!(error.field(), Some("private_api"), "{id:?} {key:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{id:?} {key:?}");
    }
}

#[test]
fn public_keys_are_public_and_of_the_mode() {
    for (mode, key) in [
        (Mode::Test, "pk_live_1"),
        (Mode::Live, "pk_test_1"),
        (Mode::Test, "sk_test_1"),
        (Mode::Live, "sk_live_1"),
        (Mode::Test, ""),
        (Mode::Test, "pk test"),
    ] {
        let error = refused(at(HOST, mode).public_api(key));
        assert_eq!(error.field(), Some("public_api"), "{key}");
    }
    built(at(HOST, Mode::Live).public_api("pk_live_1"));
    // Another prefix may be in use; nobody says that there is none.
    built(at(HOST, Mode::Live).public_api("key_1"));
}

#[test]
fn callback_addresses_are_private() {
    assert_eq!(
        refused(private().callback_url(url("http://shop.example"))).field(),
        Some("callback_url")
    );
    built(private().callback_url(url("http://127.0.0.1:8080/callbacks")));
}

#[test]
fn a_secret_of_callbacks_is_of_one_mode() {
    const ONE: &str = "sk_callback_secret_canary";
    const OTHER: &str = "sk_callback_secret_canary_2";
    let with = |live: &[&str], test: &[&str]| {
        let live = live
            .iter()
            .fold(private(), |config, text| config.webhook_secret(Mode::Live, secret(text)));
        test.iter().fold(live, |config, text| config.webhook_secret(Mode::Test, secret(text)))
    };
    let unusable: [(&[&str], &[&str]); 6] = [
        (&[ONE], &[ONE]),
        (&[ONE, OTHER], &["sk_callback_secret_canary_3", OTHER]),
        (&["short"], &[]),
        (&[], &[""]),
        (&[], &[" sk_callback_secret_canary"]),
        (&[], &[ONE, OTHER, "sk_callback_secret_canary_3", "sk_callback_secret_canary_4"]),
    ];
    for (live, test) in unusable {
        let error = refused(with(live, test));
        assert_eq!(error.field(), Some("webhook_secret"), "{live:?} {test:?}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{live:?} {test:?}");
    }
    built(with(&[ONE], &[OTHER]));
}

#[test]
fn capabilities_are_those_of_the_credentials() {
    let client = built(private());
    let can = client.capabilities();
    assert_eq!(can.kind, KIND);
    assert!(!can.live);
    assert_eq!(can.replay(Operation::CreatePayment), Replay::Reference);
    assert!(!can.has(Operation::CreateRefund));
    assert!(can.has(Operation::ListPayments) && can.has(Operation::ListPaymentMethods));
    assert_eq!(can.reference_lookup, Some(Duration::from_secs(60)));
    assert_eq!(can.currencies, Currencies::Any);
    assert_eq!(can.create, CreateEffect::MayCharge);
    assert_eq!(can.capture, CaptureChoice::Automatic);
    assert_eq!(can.webhook_trust, Trust::Signed);
    assert!(can.reports_captured && !can.parts && !can.mandates && !can.partial_refund);
    assert!(!can.list_created && !can.list_status && !can.list_customer);

    let client = built(public());
    let can = client.capabilities();
    assert!(!can.has(Operation::ListPayments) && can.has(Operation::FetchPayment));
    assert_eq!(can.reference_lookup, None);
    assert_eq!(can.replay(Operation::CreatePayment), Replay::Reference);

    let window = Duration::from_secs(5);
    let live = at(HOST, Mode::Live).private_api("coma_1", secret(KEY));
    let client = built(live.refunds(true).reference_window(window));
    let can = client.capabilities();
    assert!(can.live && can.partial_refund);
    assert_eq!(can.replay(Operation::CreateRefund), Replay::Never);
    assert!(can.replay.contains_key(&Operation::CreateRefund));
    assert_eq!(can.reference_lookup, Some(window));
}

#[test]
fn nothing_secret_shows() {
    let config = private()
        .webhook_secret(Mode::Test, secret("sk_test_secret_canary"))
        .webhook_secret(Mode::Live, secret("sk_live_secret_canary"));
    let text = format!("{config:?} {:?}", built(config.clone()));
    assert!(text.contains("milkypay-test") && text.contains("milkypay.example"), "{text}");
    assert!(!text.contains("canary"), "{text}");
    let with_password = at("https://user:canary@milkypay.example", Mode::Test);
    assert!(!format!("{with_password:?}").contains("canary"));
}

fn from(variables: &[(&str, &str)]) -> Result<MilkyPayConfig> {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    MilkyPayConfig::from_variables(|name| variables.get(name).map(|value| (*value).to_owned()))
}

const LEAST: [(&str, &str); 4] = [
    ("MILKYPAY_BASE_URL", HOST),
    ("MILKYPAY_MODE", "test"),
    ("MILKYPAY_ACCOUNT_ID", "coma_1"),
    ("MILKYPAY_API_KEY", KEY),
];

#[test]
fn variables_make_an_account() {
    let client = built(from(&LEAST).expect("settings"));
    assert_eq!(client.id().as_str(), "milkypay");
    assert!(!client.capabilities().live && client.capabilities().has(Operation::ListPayments));

    let all = [
        ("MILKYPAY_ID", "milkypay-eu"),
        ("MILKYPAY_BASE_URL", HOST),
        ("MILKYPAY_MODE", "live"),
        ("MILKYPAY_ACCOUNT_ID", "coma_1"),
        ("MILKYPAY_API_KEY", KEY),
        ("MILKYPAY_PUBLIC_KEY", "pk_live_1"),
        ("MILKYPAY_CREATE_BY", "private"),
        ("MILKYPAY_CALLBACK_URL", "https://shop.example/callbacks"),
        ("MILKYPAY_WEBHOOK_SECRETS_LIVE", "sk_live_of_callbacks sk_live_older_one"),
        ("MILKYPAY_WEBHOOK_SECRETS_TEST", "sk_test_of_callbacks"),
        ("MILKYPAY_CURRENCIES", "USDT/6 BTC/8"),
        ("MILKYPAY_REFUNDS", "true"),
        ("MILKYPAY_PAGE_SIZE", "false"),
        ("MILKYPAY_PUBLIC_KEY_IN_QUERY", "false"),
        ("MILKYPAY_REFERENCE_WINDOW_SECONDS", "90"),
    ];
    let client = built(from(&all).expect("settings"));
    let can = client.capabilities();
    assert_eq!(client.id().as_str(), "milkypay-eu");
    assert!(can.live && can.has(Operation::CreateRefund));
    assert_eq!(can.reference_lookup, Some(Duration::from_secs(90)));
    let text = format!("{client:?}");
    assert!(text.contains("webhook_secrets_live: 2"), "{text}");
}

#[test]
fn variables_that_cannot_be_read_are_named() {
    for (name, value) in [
        ("MILKYPAY_BASE_URL", ""),
        ("MILKYPAY_BASE_URL", "milkypay"),
        ("MILKYPAY_MODE", ""),
        ("MILKYPAY_MODE", "sandbox"),
        ("MILKYPAY_ID", " "),
        ("MILKYPAY_ACCOUNT_ID", ""),
        ("MILKYPAY_API_KEY", ""),
        ("MILKYPAY_CREATE_BY", "both"),
        ("MILKYPAY_CALLBACK_URL", "here"),
        ("MILKYPAY_CURRENCIES", "DOGE"),
        ("MILKYPAY_CURRENCIES", "USD/2"),
        ("MILKYPAY_REFUNDS", "yes"),
        ("MILKYPAY_PAGE_SIZE", "20"),
        ("MILKYPAY_PUBLIC_KEY_IN_QUERY", "no"),
        ("MILKYPAY_REFERENCE_WINDOW_SECONDS", "1.5"),
    ] {
        let mut variables = LEAST.to_vec();
        variables.retain(|(known, _)| *known != name);
        variables.push((name, value));
        let error = from(&variables).expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::Configuration, "{name}={value}");
        assert_eq!(error.field(), Some(name), "{name}={value}");
    }
}

#[test]
fn currencies_are_counted_as_they_are_named() {
    let usdt = Currency::registered("USDT", 6).expect("a currency");
    built(private().currency(usdt));
}
