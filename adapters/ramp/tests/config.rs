//! Settings: what is refused names the setting, and nothing shows a secret.

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use http::Method;
use paymux_core::{
    AmountSource, CaptureChoice, CreateEffect, Currency, Effect, Error, ErrorKind, Operation,
    Options, PaymentProvider, ProviderId, Replay, Result, SecretString, Trust,
    transport::{HttpClient, HttpSettings},
};
use paymux_ramp::{
    Endpoint, Environment, KIND, OneToken, PaymentType, Ramp, RampConfig, RampOptions,
    StatusMeaning,
};
use serde_json::json;
use url::Url;

const HOST: &str = "https://ramp.example";

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn at(host: &str) -> RampConfig {
    let id = ProviderId::new("ramp-test").expect("an id");
    let host = Url::parse(host).expect("a URL");
    let token = OneToken::new(secret("token-canary"));
    RampConfig::new(id, host, Environment::Sandbox).tokens(Arc::new(token))
}

fn config() -> RampConfig {
    at(HOST)
}

fn build(config: RampConfig) -> Result<Ramp> {
    Ramp::new(config, HttpClient::new(HttpSettings::default())?)
}

fn refused(config: RampConfig) -> Error {
    let error = build(config).expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(error.effect(), Effect::None);
    assert_eq!(error.provider().map(ProviderId::as_str), Some("ramp-test"));
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    error
}

#[test]
fn base_urls_are_private_and_plain() {
    for bad in [
        "http://ramp.example",
        "http://127.0.0.1.example.com",
        "ftp://ramp.example",
        "https://user@ramp.example",
        "https://user:canary@ramp.example",
        "https://ramp.example?x=1",
        "https://ramp.example#x",
    ] {
        assert_eq!(refused(at(bad)).field(), Some("base_url"), "{bad}");
    }
    for good in ["https://ramp.example", "https://ramp.example/below/", "http://127.0.0.1:8080"] {
        assert!(build(at(good)).is_ok(), "{good}");
    }
}

#[test]
fn tokens_must_come_from_somewhere() {
    let id = ProviderId::new("ramp-test").expect("an id");
    let host = Url::parse(HOST).expect("a URL");
    let config = RampConfig::new(id, host, Environment::Sandbox);
    assert_eq!(refused(config).field(), Some("tokens"));
}

#[test]
fn paths_are_plain() {
    for bad in ["acquiring", "//", "/a//b", "/a/../b", "/.", "/a b", "/a?b", "/a#b", "/a%2Fb", "/ą"]
    {
        assert_eq!(refused(config().path_prefix(bad)).field(), Some("path_prefix"), "{bad}");
        let error = refused(config().path(Endpoint::Confirm, bad));
        assert_eq!(error.field(), Some("path.confirm"), "{bad}");
    }
    for good in ["", "/", "/acquiring", "/acquiring/", "/acquiring/v1"] {
        assert!(build(config().path_prefix(good)).is_ok(), "{good}");
    }
    assert_eq!(refused(config().path(Endpoint::Payment, "")).field(), Some("path.payment"));
    for bad in ["/invoice", "/invoice/x{invoiceId}", "/{invoiceId}/{invoiceId}", "/{id}"] {
        let error = refused(config().path(Endpoint::Invoice, bad));
        assert_eq!(error.field(), Some("path.invoice"), "{bad}");
    }
    assert!(build(config().path(Endpoint::Invoice, "/v1/{invoiceId}/read")).is_ok());
    let error = refused(config().path(Endpoint::Discount, "/invoice/{invoiceId}"));
    assert_eq!(error.field(), Some("path.discount"));
    for (endpoint, method) in [
        (Endpoint::Payment, Method::GET),
        (Endpoint::Update, Method::DELETE),
        (Endpoint::Invoice, Method::POST),
    ] {
        assert_eq!(refused(config().method(endpoint, method)).field(), Some("method"));
    }
    assert!(build(config().method(Endpoint::Update, Method::PATCH)).is_ok());
}

/// A look-up that went where a confirmation goes would move money.
#[test]
fn confirming_goes_where_nothing_else_does() {
    let payment = "/invoice/payment";
    for same in [
        config().path(Endpoint::Confirm, payment),
        config().path(Endpoint::Payment, "/invoice/payment/pay/"),
        config().path(Endpoint::Confirm, payment).method(Endpoint::Confirm, Method::PUT),
        config()
            .path(Endpoint::Confirm, "/invoice/payment/discount")
            .method(Endpoint::Discount, Method::POST),
    ] {
        assert_eq!(refused(same).field(), Some("path.confirm"));
    }
    let by_method = config().path(Endpoint::Confirm, payment);
    assert!(build(by_method.method(Endpoint::Confirm, Method::PATCH)).is_ok());
}

#[test]
fn headers_cannot_break_a_message() {
    for (name, value) in [
        ("authorization", "Bearer canary"),
        ("Authorization", "Bearer canary"),
        ("content-type", "canary"),
        ("Host", "canary"),
        ("transfer-encoding", "canary"),
        ("", "canary"),
        ("partner id", "canary"),
        ("partner\r\nid", "canary"),
        ("partnerId", ""),
        ("partnerId", " canary"),
        ("partnerId", "canary\r\nx-other: 1"),
        ("partnerId", "canary\0"),
        ("partnerId", "canarą"),
    ] {
        let error = refused(config().header(name, secret(value)));
        assert_eq!(error.field(), Some("header"), "{name:?} {value:?}");
    }
    let twice = config().header("partnerId", secret("1")).header("PARTNERID", secret("2"));
    assert_eq!(refused(twice).field(), Some("header"));
    assert!(build(config().header("partnerId", secret("a b 1"))).is_ok());
}

#[test]
fn words_mean_one_thing() {
    for bad in ["", "  ", "paid!", "ąpaid", "a/b"] {
        let error = refused(config().status_word(bad, StatusMeaning::Succeeded));
        assert_eq!(error.field(), Some("status_word"), "{bad:?}");
    }
    let twice = config()
        .status_word("paid out", StatusMeaning::Succeeded)
        .status_word("PAID_OUT", StatusMeaning::Failed);
    assert_eq!(refused(twice).field(), Some("status_word"));
    let same = config()
        .status_word("paid out", StatusMeaning::Succeeded)
        .status_word("PAID-OUT", StatusMeaning::Succeeded);
    assert!(build(same).is_ok());
}

#[test]
fn the_return_address_has_a_name_of_its_own() {
    for bad in ["", "redirect url", "paymentId", "INVOICEID", "type"] {
        assert_eq!(refused(config().return_field(bad)).field(), Some("return_field"), "{bad:?}");
    }
    assert!(build(config().return_field("success_url")).is_ok());
}

#[test]
fn currencies_are_named_once() {
    let usdt = |decimals| Currency::registered("USDT", decimals).expect("a currency");
    let twice = config().currency(usdt(6)).currency(usdt(18));
    assert_eq!(refused(twice).field(), Some("currency"));
    assert!(build(config().currency(usdt(6))).is_ok());
}

#[test]
fn webhook_secrets_can_be_used() {
    for (header, value) in [
        ("", "webhook-secret-canary"),
        ("a b", "webhook-secret-canary"),
        ("x-secret", ""),
        ("x-secret", "canary"),
        ("x-secret", "a-secret canary with spaces"),
    ] {
        let error = refused(config().webhook_secret(header, secret(value)));
        assert_eq!(error.field(), Some("webhook_secret"), "{header:?} {value:?}");
    }
    let several = |count| {
        (0..count).fold(config(), |config, at| {
            config.webhook_secret("x-secret", secret(&format!("webhook-secret-{at}")))
        })
    };
    assert!(build(several(3)).is_ok());
    let first = config().webhook_secret("x-secret", secret("webhook-secret-one"));
    let two = first.clone().webhook_secret("x-other", secret("webhook-secret-two"));
    assert_eq!(refused(two).field(), Some("webhook_secret"), "two headers");
    assert!(build(first.webhook_secret("X-Secret", secret("webhook-secret-two"))).is_ok());
    assert_eq!(refused(several(4)).field(), Some("webhook_secret"));
}

#[test]
fn settings_show_no_secret() {
    let config = config()
        .header("partnerId", secret("partner-canary"))
        .webhook_secret("x-secret", secret("webhook-secret-canary"));
    let mut shown = format!("{config:?}");
    shown.push_str(&format!("{:?}", build(config).expect("an account")));
    shown.push_str(&format!("{:?}", at("https://user:canary@ramp.example")));
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains("ramp-test") && shown.contains("Sandbox"), "{shown}");
}

#[test]
fn capabilities_follow_the_settings() {
    let ramp = build(config()).expect("an account");
    let can = ramp.capabilities();
    assert_eq!((can.kind, can.live), (KIND, false));
    let replay = BTreeMap::from([
        (Operation::CreatePayment, Replay::Harmless),
        (Operation::ConfirmPayment, Replay::Never),
    ]);
    assert_eq!(can.replay, replay);
    assert_eq!(can.reads, BTreeSet::from([Operation::FetchPayment]));
    assert_eq!(can.create, CreateEffect::MayCharge);
    assert_eq!(can.amount, AmountSource::ProviderObject);
    assert_eq!(can.capture, CaptureChoice::Automatic);
    assert_eq!(can.webhook_trust, Trust::Unsigned);
    assert_eq!(can.reference_lookup, None);
    assert!(!can.parts && !can.mandates && !can.reports_captured);
    let secret = secret("webhook-secret-canary");
    let more = config().invoice_read(true).webhook_secret("x-secret", secret);
    let ramp = build(more).expect("an account");
    assert!(ramp.capabilities().reports_captured);
    assert_eq!(ramp.capabilities().webhook_trust, Trust::Unsigned);
    let id = ProviderId::new("ramp-live").expect("an id");
    let live = RampConfig::new(id, Url::parse(HOST).expect("a URL"), Environment::Live);
    let live = live.tokens(Arc::new(OneToken::new(SecretString::from("token"))));
    assert!(build(live).expect("an account").capabilities().live);
}

const LEAST: [(&str, &str); 3] =
    [("RAMP_BASE_URL", HOST), ("RAMP_ENVIRONMENT", "sandbox"), ("RAMP_TOKEN", "token-canary")];

fn from(variables: &[(&str, &str)]) -> Result<RampConfig> {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    RampConfig::from_variables(|name| variables.get(name).map(|value| (*value).to_owned()))
}

#[test]
fn the_environment_can_say_it_all() {
    let client = build(from(&LEAST).expect("settings")).expect("an account");
    assert_eq!(client.id().as_str(), "ramp");
    let all = [
        ("RAMP_BASE_URL", HOST),
        ("RAMP_ENVIRONMENT", "live"),
        ("RAMP_ID", "ramp-eu"),
        ("RAMP_TOKEN", "token-canary"),
        ("RAMP_PATH_PREFIX", "/"),
        ("RAMP_PARTNER_ID", "partner-canary"),
        ("RAMP_RETURN_FIELD", "successUrl"),
        ("RAMP_AMOUNT_UNIT", "minor"),
        ("RAMP_PAYMENT_DATE", "milliseconds"),
        ("RAMP_CURRENCIES", "USDT/6 ETH/18"),
        ("RAMP_INVOICE_READ", "true"),
        ("RAMP_REQUIRE_SOME_DATA", "true"),
        ("RAMP_WEBHOOK_HEADER", "x-secret"),
        ("RAMP_WEBHOOK_SECRETS", "webhook-secret-canary-1 webhook-secret-canary-2"),
    ];
    let config = from(&all).expect("settings");
    assert!(!format!("{config:?}").contains("canary"));
    let client = build(config).expect("an account");
    assert_eq!(client.id().as_str(), "ramp-eu");
    assert!(client.capabilities().live && client.capabilities().reports_captured);
    let without_token = from(&LEAST[..2]).expect("settings");
    let error = build(without_token.clone()).expect_err("a refusal");
    assert_eq!(error.field(), Some("tokens"));
    let token = OneToken::new(secret("token"));
    assert!(build(without_token.tokens(Arc::new(token))).is_ok());
}

#[test]
fn variables_that_cannot_be_read_are_named() {
    for missing in ["RAMP_BASE_URL", "RAMP_ENVIRONMENT"] {
        let rest: Vec<_> = LEAST.into_iter().filter(|(name, _)| *name != missing).collect();
        assert_eq!(from(&rest).expect_err("a refusal").field(), Some(missing));
    }
    for (name, bad) in [
        ("RAMP_BASE_URL", "ramp"),
        ("RAMP_ENVIRONMENT", "production"),
        ("RAMP_ID", " padded"),
        ("RAMP_AMOUNT_UNIT", "cents"),
        ("RAMP_PAYMENT_DATE", "minutes"),
        ("RAMP_CURRENCIES", "USDT"),
        ("RAMP_INVOICE_READ", "yes"),
        ("RAMP_REQUIRE_SOME_DATA", "1"),
    ] {
        let with: Vec<_> = LEAST.into_iter().chain([(name, bad)]).collect();
        let error = from(&with).expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::Configuration, "{name}");
        assert_eq!(error.field(), Some(name));
    }
    for (given, missing, value) in [
        ("RAMP_WEBHOOK_HEADER", "RAMP_WEBHOOK_SECRETS", "x-secret"),
        ("RAMP_WEBHOOK_SECRETS", "RAMP_WEBHOOK_HEADER", "webhook-secret-canary"),
    ] {
        let with: Vec<_> = LEAST.into_iter().chain([(given, value)]).collect();
        assert_eq!(from(&with).expect_err("a refusal").field(), Some(missing));
    }
    let pair = [("RAMP_WEBHOOK_HEADER", "x-secret"), ("RAMP_WEBHOOK_SECRETS", " ")];
    let blank: Vec<_> = LEAST.into_iter().chain(pair).collect();
    assert_eq!(from(&blank).expect_err("a refusal").field(), Some("RAMP_WEBHOOK_SECRETS"));
}

#[test]
fn options_travel_and_show_nothing_of_people() {
    let types = [
        (
            PaymentType::Platform { account_id: "account-canary".to_owned() },
            json!({ "platform": { "account_id": "account-canary" } }),
        ),
        (PaymentType::Checkout, json!("checkout")),
        (
            PaymentType::External { some_data: Some("data-canary".to_owned()) },
            json!({ "external": { "some_data": "data-canary" } }),
        ),
        (PaymentType::External { some_data: None }, json!({ "external": {} })),
    ];
    for (payment_type, written) in types {
        let mut options = RampOptions::new("user-canary", "i-1", payment_type);
        options.discount_code = Some("code-canary".to_owned());
        options.extra.insert("partner".to_owned(), json!("extra-canary"));
        let mut stored = Options::default();
        stored.set(&options).expect("options");
        let text = serde_json::to_value(&stored).expect("JSON");
        assert_eq!(text["ramp"]["payment_type"], written);
        let read: Options = serde_json::from_value(text).expect("options");
        assert_eq!(read.get::<RampOptions>().expect("options").as_ref(), Some(&options));
        let shown = format!("{options:?} {stored:?}");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains(options.payment_type.as_str()) && shown.contains("i-1"), "{shown}");
    }
}
