//! Settings: what is refused names the setting, and nothing shows a secret.

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::{collections::BTreeMap, time::Duration};

use paymux_core::{
    CaptureChoice, CaptureMethod, Currencies, Currency, Effect, Error, ErrorKind, Operation,
    PaymentProvider, ProviderId, Replay, Result, SecretString, Trust,
    transport::{HttpClient, HttpSettings},
};
use paymux_toffeepay::{Environment, KIND, ToffeePay, ToffeePayConfig};
use url::Url;

fn config() -> ToffeePayConfig {
    let id = ProviderId::new("toffeepay-test").expect("an id");
    ToffeePayConfig::new(id, SecretString::from("api-key-canary"), "space_shooter")
}

fn build(config: ToffeePayConfig) -> Result<ToffeePay> {
    ToffeePay::new(config, HttpClient::new(HttpSettings::default())?)
}

fn refused(config: ToffeePayConfig) -> Error {
    let error = build(config).expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(error.effect(), Effect::None);
    assert_eq!(error.provider().map(ProviderId::as_str), Some("toffeepay-test"));
    error
}

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

#[test]
fn keys_that_cannot_stand_in_a_header_are_refused() {
    for key in ["", "  ", "with space", "line\nbreak", "tab\t", "schlüssel", "nul\0"] {
        let id = ProviderId::new("toffeepay-test").expect("an id");
        let error = refused(ToffeePayConfig::new(id, SecretString::from(key), "space_shooter"));
        assert_eq!(error.field(), Some("api_key"), "{key:?}");
        assert!(key.trim().is_empty() || !format!("{error} {error:?}").contains(key), "{key:?}");
    }
}

#[test]
fn a_game_must_be_named() {
    for game in ["", "  "] {
        let id = ProviderId::new("toffeepay-test").expect("an id");
        let error = refused(ToffeePayConfig::new(id, SecretString::from("key"), game));
        assert_eq!(error.field(), Some("game_id"));
    }
}

#[test]
fn base_urls_are_private_and_plain() {
    for bad in [
        "http://api.toffeepay.com",
        "http://127.0.0.1.example.com",
        "ftp://api.toffeepay.com",
        "mailto:api@toffeepay.com",
        "https://user:pass@api.toffeepay.com",
        "https://api.toffeepay.com?key=1",
        "https://api.toffeepay.com/#top",
    ] {
        assert_eq!(refused(config().base_url(url(bad))).field(), Some("base_url"), "{bad}");
    }
    for good in [
        "https://proxy.example/toffeepay/",
        "https://proxy.example/toffeepay",
        "http://127.0.0.1:8080",
        "http://localhost:8080",
        "http://[::1]:8080/",
    ] {
        assert!(build(config().base_url(url(good))).is_ok(), "{good}");
    }
}

/// Play money believed to be real ships goods for nothing; the reverse charges testers.
#[test]
fn a_host_of_the_other_environment_is_refused() {
    for (environment, other) in [
        (Environment::Live, "https://api.sandbox.toffeepay.com/"),
        (Environment::Live, "https://API.sandbox.toffeepay.com:443/proxy"),
        (Environment::Sandbox, "https://api.toffeepay.com/"),
    ] {
        let mixed = config().environment(environment).base_url(url(other));
        assert_eq!(refused(mixed).field(), Some("base_url"), "{other}");
    }
    for environment in [Environment::Live, Environment::Sandbox] {
        let own = config().environment(environment).base_url(url(environment.base_url()));
        assert!(build(own).is_ok(), "{environment:?}");
    }
}

#[test]
fn settings_show_no_secret() {
    let config = config()
        .base_url(url("https://user:canary@api.sandbox.toffeepay.com"))
        .webhook_secret_legacy(SecretString::from("canary-canary-canary"));
    let shown = format!("{config:?}");
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains("api.sandbox.toffeepay.com"), "{shown}");
}

#[test]
fn webhook_secrets_are_named_by_their_setting() {
    for bad in ["", "short", " padded-with-space-of-length "] {
        let error = refused(config().webhook_secret_legacy(SecretString::from(bad)));
        assert_eq!(error.field(), Some("webhook_secret_legacy"), "{bad:?}");
    }
    for bad in ["", "whsec_", "whsec_AAEC", "not base64 at all, though long enough"] {
        let error = refused(config().webhook_secret_standard(SecretString::from(bad)));
        assert_eq!(error.field(), Some("webhook_secret_standard"), "{bad:?}");
    }
    let with_secret = || config().webhook_secret_legacy(SecretString::from("x".repeat(16)));
    let error = refused(with_secret().webhook_tolerance(Duration::ZERO));
    assert_eq!(error.field(), Some("webhook_tolerance"));
    assert!(build(with_secret()).is_ok());
}

#[test]
fn nothing_shows_a_secret() {
    let legacy = "legacy-secret-canary";
    let standard = "whsec_c3RhbmRhcmQtc2VjcmV0LWNhbmFyeS1vZi0zMi1ieXRlcw==";
    let config = config()
        .webhook_secret_legacy(SecretString::from(legacy))
        .webhook_secret_standard(SecretString::from(standard));
    let mut shown = format!("{config:?} {config:#?}");
    let client = build(config).expect("an account");
    shown.push_str(&format!("{client:?} {client:#?}"));
    for secret in ["api-key-canary", legacy, standard] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("toffeepay-test"));
}

#[test]
fn capabilities_follow_the_settings() {
    let sandbox = build(config()).expect("an account").capabilities().clone();
    assert_eq!(sandbox.kind, KIND);
    assert!(!sandbox.live);
    assert_eq!(sandbox.capture, CaptureChoice::Automatic);
    assert_eq!(sandbox.webhook_trust, Trust::SignedFresh);
    assert!(!sandbox.currencies.contains(Currency::iso("CHF").expect("a currency")));
    assert_eq!(sandbox.replay(Operation::CapturePayment), Replay::LookupFirst);
    let day = Duration::from_secs(86_400);
    let key = Replay::Key { ttl: day, max_len: 255, replays_errors: true };
    assert_eq!(sandbox.replay(Operation::CreatePayment), key);
    assert_eq!(sandbox.replay(Operation::CreateRefund), key);

    let live =
        config().environment(Environment::Live).capture(CaptureMethod::Manual).any_currency(true);
    let live = build(live).expect("an account").capabilities().clone();
    assert!(live.live);
    assert_eq!(live.capture, CaptureChoice::Manual);
    assert!(live.currencies.contains(Currency::iso("CHF").expect("a currency")));
    assert!(!live.currencies.contains(Currency::iso("JPY").expect("a currency")));
    assert_ne!(live.currencies, Currencies::Any);
}

fn variables(changes: &[(&str, &str)]) -> Result<ToffeePayConfig> {
    let mut variables = BTreeMap::from([
        ("TOFFEEPAY_API_KEY", "api-key-canary"),
        ("TOFFEEPAY_GAME_ID", "space_shooter"),
        ("TOFFEEPAY_ENVIRONMENT", "sandbox"),
    ]);
    variables.extend(changes.iter().copied());
    ToffeePayConfig::from_variables(|name| variables.get(name).map(|value| (*value).to_owned()))
}

#[test]
fn variables_are_read() {
    let config = variables(&[
        ("TOFFEEPAY_ID", "toffeepay-eu"),
        ("TOFFEEPAY_ENVIRONMENT", "live"),
        ("TOFFEEPAY_BASE_URL", "https://proxy.example/"),
        ("TOFFEEPAY_CAPTURE", "manual"),
        ("TOFFEEPAY_WEBHOOK_SECRETS_LEGACY", "new-secret-of-2025 old-secret-of-2025"),
        (
            "TOFFEEPAY_WEBHOOK_SECRETS_STANDARD",
            "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
        ("TOFFEEPAY_WEBHOOK_TOLERANCE_SECONDS", "60"),
        ("TOFFEEPAY_ANY_CURRENCY", "true"),
        ("TOFFEEPAY_CONNECT_PROTOCOL_VERSION", "true"),
    ]);
    let client = build(config.expect("settings")).expect("an account");
    assert_eq!(client.id().as_str(), "toffeepay-eu");
    assert!(client.capabilities().live);
    assert_eq!(client.capabilities().capture, CaptureChoice::Manual);

    let client = build(variables(&[]).expect("settings")).expect("an account");
    assert_eq!(client.id().as_str(), KIND);
    assert!(!client.capabilities().live);
}

#[test]
fn variables_that_are_missing_or_odd_are_named() {
    for (name, value) in [
        ("TOFFEEPAY_API_KEY", ""),
        ("TOFFEEPAY_GAME_ID", ""),
        ("TOFFEEPAY_ENVIRONMENT", ""),
        ("TOFFEEPAY_ENVIRONMENT", "production"),
        ("TOFFEEPAY_ID", " padded "),
        ("TOFFEEPAY_BASE_URL", "api.toffeepay.com"),
        ("TOFFEEPAY_CAPTURE", "later"),
        ("TOFFEEPAY_WEBHOOK_TOLERANCE_SECONDS", "five minutes"),
        ("TOFFEEPAY_ANY_CURRENCY", "yes"),
        ("TOFFEEPAY_CONNECT_PROTOCOL_VERSION", "1"),
    ] {
        let error = variables(&[(name, value)]).expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert_eq!(error.field(), Some(name));
    }
}
