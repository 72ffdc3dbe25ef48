//! Settings: what is refused names the setting, and nothing shows a secret.

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeMap;

use paymux_core::{
    CaptureChoice, CreateEffect, Currency, Effect, Error, ErrorKind, Operation, PaymentProvider,
    ProviderId, Replay, Result, SecretString, Trust,
    transport::{HttpClient, HttpSettings},
};
use paymux_wallet::{
    Beneficiary, Callbacks, Environment, KIND, Wallet, WalletConfig, WalletOptions,
};
use url::Url;

/// The key that the recorded callbacks are signed by.
const PUBLISHED_KEY: &str = include_str!("vectors/callback_key.pem");

fn config() -> WalletConfig {
    let id = ProviderId::new("wallet-test").expect("an id");
    WalletConfig::new(id, "wkVd93h2uS", SecretString::from("mac-key-canary"))
}

fn build(config: WalletConfig) -> Result<Wallet> {
    Wallet::new(config, HttpClient::new(HttpSettings::default())?)
}

fn refused(config: WalletConfig) -> Error {
    let error = build(config).expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(error.effect(), Effect::None);
    assert_eq!(error.provider().map(ProviderId::as_str), Some("wallet-test"));
    error
}

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

#[test]
fn credentials_that_cannot_be_used_are_refused() {
    let id = || ProviderId::new("wallet-test").expect("an id");
    for mac_id in ["", "with space", "quo\"te", "back\\slash", "line\nbreak", "ą"] {
        let config = WalletConfig::new(id(), mac_id, SecretString::from("mac-key-canary"));
        assert_eq!(refused(config).field(), Some("mac_id"), "{mac_id:?}");
    }
    for mac_key in ["", "  ", " padded", "padded\n"] {
        let config = WalletConfig::new(id(), "wkVd93h2uS", SecretString::from(mac_key));
        let error = refused(config);
        assert_eq!(error.field(), Some("mac_key"), "{mac_key:?}");
        let shown = format!("{error} {error:?}");
        assert!(mac_key.trim().is_empty() || !shown.contains("padded"), "{shown}");
    }
}

#[test]
fn urls_are_private_and_plain() {
    for bad in [
        "http://wallet.paysera.com",
        "http://127.0.0.1.example.com",
        "ftp://wallet.paysera.com",
        "mailto:api@paysera.com",
        "https://user:pass@wallet.paysera.com",
        "https://wallet.paysera.com?key=1",
        "https://wallet.paysera.com/#top",
    ] {
        assert_eq!(refused(config().base_url(url(bad))).field(), Some("base_url"), "{bad}");
        assert_eq!(refused(config().page_url(url(bad))).field(), Some("page_url"), "{bad}");
    }
    for good in [
        "https://proxy.example/wallet/",
        "https://proxy.example/wallet",
        "http://127.0.0.1:8080",
        "http://localhost:8080",
        "http://[::1]:8080/",
    ] {
        assert!(build(config().base_url(url(good)).page_url(url(good))).is_ok(), "{good}");
    }
}

#[test]
fn words_are_checked() {
    for language in ["EN", "e", "eng", "../", "e/"] {
        assert_eq!(refused(config().language(language)).field(), Some("language"), "{language}");
    }
    assert!(build(config().language("")).is_ok());
    let blank = config().reference_parameter(Some(" ".to_owned()));
    assert_eq!(refused(blank).field(), Some("reference_parameter"));
}

#[test]
fn callback_keys_are_named_by_their_setting() {
    for bad in ["", "key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"] {
        assert_eq!(refused(config().callback_key(bad)).field(), Some("callback_key"), "{bad:?}");
    }
    let three = (0..3).fold(config(), |config, _| config.callback_key(PUBLISHED_KEY));
    assert!(build(three.clone()).is_ok());
    assert_eq!(refused(three.callback_key(PUBLISHED_KEY)).field(), Some("callback_key"));
}

#[test]
fn nothing_shows_a_secret() {
    let config = config();
    let mut shown = format!("{config:?} {config:#?}");
    let client = build(config).expect("an account");
    shown.push_str(&format!("{client:?} {client:#?}"));
    assert!(!shown.contains("mac-key-canary"), "{shown}");
    assert!(!shown.contains("wkVd93h2uS"), "{shown}");
    assert!(shown.contains("wallet-test"));
}

/// Addresses can hold passwords and tokens, also before anybody checks them.
#[test]
fn no_address_is_shown_beyond_its_origin() {
    let address = "https://user:canary@host.example/canary?token=canary#canary";
    let config = config().base_url(url(address)).page_url(url(address));
    let config = config.callbacks(Callbacks::To(url(address)));
    let shown = format!("{config:?} {config:#?} {:?}", Callbacks::To(url(address)));
    assert!(!shown.replace("mac-key-canary", "").contains("canary"), "{shown}");
    assert!(shown.contains("https://host.example"), "{shown}");
}

#[test]
fn callbacks_go_to_private_addresses() {
    for bad in ["http://yoursite.com/callback", "ftp://yoursite.com/", "mailto:me@yoursite.com"] {
        let config = config().callbacks(Callbacks::To(url(bad)));
        assert_eq!(refused(config).field(), Some("callbacks"), "{bad}");
    }
    for good in ["https://user:pass@yoursite.com/callback?token=1", "http://127.0.0.1:8080/"] {
        assert!(build(config().callbacks(Callbacks::To(url(good)))).is_ok(), "{good}");
    }
}

#[test]
fn nothing_shows_a_person() {
    for person in [Beneficiary::email("contractor@example.com"), Beneficiary::phone("37060000000")]
    {
        let options = WalletOptions { beneficiary: Some(person), ..WalletOptions::default() };
        let shown = format!("{options:?}");
        assert!(!shown.contains("contractor") && !shown.contains("3706"), "{shown}");
    }
}

#[test]
fn capabilities_follow_the_settings() {
    let sandbox = build(config()).expect("an account").capabilities().clone();
    assert_eq!(sandbox.kind, KIND);
    assert!(!sandbox.live);
    assert_eq!(sandbox.capture, CaptureChoice::PerRequest);
    assert_eq!(sandbox.create, CreateEffect::OpensOnly);
    assert_eq!(sandbox.webhook_trust, Trust::Unsigned, "without a key nothing is proved");
    for operation in [Operation::CreatePayment, Operation::CreateMandate] {
        assert_eq!(sandbox.replay(operation), Replay::Harmless);
    }
    for operation in [
        Operation::ConfirmPayment,
        Operation::CapturePayment,
        Operation::CancelPayment,
        Operation::ConfirmMandate,
        Operation::CancelMandate,
    ] {
        assert_eq!(sandbox.replay(operation), Replay::LookupFirst);
    }
    let jpy = Currency::iso("JPY").expect("a currency");
    let kwd = Currency::iso("KWD").expect("a currency");
    assert!(sandbox.currencies.contains(Currency::EUR) && !sandbox.currencies.contains(jpy));

    let live =
        config().environment(Environment::Live).callback_key(PUBLISHED_KEY).whole_currencies(true);
    let live = build(live).expect("an account").capabilities().clone();
    assert!(live.live);
    assert_eq!(live.webhook_trust, Trust::Signed);
    assert!(live.currencies.contains(jpy) && !live.currencies.contains(kwd));
}

fn variables(changes: &[(&str, &str)]) -> Result<WalletConfig> {
    let mut variables = BTreeMap::from([
        ("WALLET_MAC_ID", "wkVd93h2uS"),
        ("WALLET_MAC_KEY", "mac-key-canary"),
        ("WALLET_ENVIRONMENT", "sandbox"),
    ]);
    variables.extend(changes.iter().copied());
    WalletConfig::from_variables(|name| variables.get(name).map(|value| (*value).to_owned()))
}

#[test]
fn variables_are_read() {
    let two_keys = format!("{PUBLISHED_KEY}\n{PUBLISHED_KEY}");
    let config = variables(&[
        ("WALLET_ID", "wallet-eu"),
        ("WALLET_ENVIRONMENT", "live"),
        ("WALLET_BASE_URL", "https://proxy.example/"),
        ("WALLET_PAGE_URL", "https://pages.example/frontend"),
        ("WALLET_LANGUAGE", "lt"),
        ("WALLET_CALLBACK_URL", "https://yoursite.com/callback"),
        ("WALLET_CALLBACK_KEYS", &two_keys),
        ("WALLET_PROJECT_ID", "1234"),
        ("WALLET_LOCATION_ID", "5"),
        ("WALLET_COMMISSION_IN_PRICE", "true"),
    ]);
    let client = build(config.expect("settings")).expect("an account");
    assert_eq!(client.id().as_str(), "wallet-eu");
    assert!(client.capabilities().live);
    assert_eq!(client.capabilities().webhook_trust, Trust::Signed);

    let client = build(variables(&[]).expect("settings")).expect("an account");
    assert_eq!(client.id().as_str(), KIND);
    assert!(!client.capabilities().live);
    assert!(variables(&[("WALLET_CALLBACK_URL", "off")]).is_ok());
}

#[test]
fn forms_are_read_from_variables() {
    let config = variables(&[
        ("WALLET_NESTED_BENEFICIARY", "true"),
        ("WALLET_WHOLE_CURRENCIES", "true"),
        ("WALLET_ALLOWANCE_FORM", "separate"),
        ("WALLET_REFERENCE_PARAMETER", "off"),
    ]);
    let shown = format!("{:?}", config.expect("settings"));
    for form in [
        "nested_beneficiary: true",
        "whole_currencies: true",
        "allowance_form: Separate",
        "reference_parameter: None",
    ] {
        assert!(shown.contains(form), "{form}: {shown}");
    }
    let named = variables(&[("WALLET_REFERENCE_PARAMETER", "order")]).expect("settings");
    assert!(format!("{named:?}").contains("reference_parameter: Some(\"order\")"));
}

#[test]
fn variables_that_are_missing_or_odd_are_named() {
    for (name, value) in [
        ("WALLET_MAC_ID", ""),
        ("WALLET_MAC_KEY", ""),
        ("WALLET_ENVIRONMENT", ""),
        ("WALLET_ENVIRONMENT", "production"),
        ("WALLET_ID", " padded "),
        ("WALLET_BASE_URL", "wallet.paysera.com"),
        ("WALLET_PAGE_URL", "pages"),
        ("WALLET_CALLBACK_URL", "on"),
        ("WALLET_PROJECT_ID", "twelve"),
        ("WALLET_LOCATION_ID", "5.0"),
        ("WALLET_COMMISSION_IN_PRICE", "yes"),
        ("WALLET_NESTED_BENEFICIARY", "1"),
        ("WALLET_WHOLE_CURRENCIES", "on"),
        ("WALLET_ALLOWANCE_FORM", "nested"),
    ] {
        let error = variables(&[(name, value)]).expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert_eq!(error.field(), Some(name));
    }
}
