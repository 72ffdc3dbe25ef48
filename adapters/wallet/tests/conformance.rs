//! The conformance suite: the cases of this folder's neighbors, and what is derived from them.

#![expect(clippy::expect_used, reason = "a suite that cannot be set up must stop")]

mod support;

use std::{process::ExitCode, sync::Arc};

use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use paymux_conformance::{
    Suite,
    inherent::{answer, json, number, optional, text},
};
use paymux_core::{
    Currency, Error, ManualClock, Money, ProviderId, ProviderMandateId, ProviderPartId,
    ProviderPaymentId, Result, SecretString, SeededRandom, Timestamp, transport::HttpClient,
};
use paymux_wallet::{
    AllowanceForm, Callbacks, ListProviderPayments, ListStatements, Wallet, WalletConfig,
    WalletNumber,
};
use serde_json::Value;
use support::{CallbackKey, PUBLISHED_KEY, form};
use url::Url;

const MAC_ID: &str = "wkVd93h2uS";
const MAC_KEY: &str = "wallet_mac_key_canary_51c7";
/// A little after the transactions of the samples were confirmed.
const NOW_S: i64 = 1_698_675_700;

fn main() -> ExitCode {
    let key = CallbackKey::generate();
    let pem = key.pem.clone();
    let suite = Suite::new(
        "wallet",
        concat!(env!("CARGO_MANIFEST_DIR"), "/cases"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/webhooks"),
    )
    .secret(MAC_KEY)
    .fresh_header("authorization")
    .body_signer(move |_, event, _| {
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8"),
        );
        (headers, form(event, &key.sign(event)))
    });
    inherent(accounts(suite, &pem)).run()
}

fn accounts(suite: Suite<Wallet>, pem: &str) -> Suite<Wallet> {
    type Change = fn(WalletConfig) -> WalletConfig;
    let changes: [(&str, Change); 13] = [
        ("default", |config| config),
        // As the specification's samples: without our reference among the parameters.
        ("samples", |config| config.reference_parameter(None)),
        ("wrapped", |config| config.allowance_form(AllowanceForm::Wrapped)),
        ("separate", |config| config.allowance_form(AllowanceForm::Separate)),
        ("whole_currencies", |config| config.whole_currencies(true)),
        ("commission_in_price", |config| config.commission_in_price(true)),
        ("nested", |config| config.nested_beneficiary(true).reference_parameter(None)),
        ("callbacks_to", |config| config.callbacks(callbacks_to())),
        ("separate_callbacks_to", |config| {
            config.allowance_form(AllowanceForm::Separate).callbacks(callbacks_to())
        }),
        ("separate_callbacks_off", |config| {
            config.allowance_form(AllowanceForm::Separate).callbacks(Callbacks::Off)
        }),
        ("callbacks_off", |config| config.callbacks(Callbacks::Off).reference_parameter(None)),
        ("project", |config| config.project_id(1234).location_id(5).language("lt")),
        ("no_language", |config| config.language("")),
    ];
    let with_changes = changes.into_iter().fold(suite, |suite, (name, change)| {
        let pem = pem.to_owned();
        suite.account(name, move |server, http| {
            let config = config(server)?.callback_key(&pem).callback_key(PUBLISHED_KEY);
            Wallet::new(change(config), http)
        })
    });
    with_changes
        .account("without_keys", |server, http| Wallet::new(config(server)?, http))
        .account("behind_a_path", behind_a_path)
}

fn callbacks_to() -> Callbacks {
    Callbacks::To(Url::parse("https://yoursite.com/payment-callback").expect("a URL"))
}

fn config(server: &Url) -> Result<WalletConfig> {
    let id = ProviderId::new("wallet-test")?;
    let config = WalletConfig::new(id, MAC_ID, SecretString::from(MAC_KEY))
        .base_url(server.clone())
        .clock(Arc::new(ManualClock::new(Timestamp::from_seconds(NOW_S))))
        .random(Arc::new(SeededRandom::new(1)));
    Ok(config)
}

/// A proxy below a path.
fn behind_a_path(server: &Url, http: HttpClient) -> Result<Wallet> {
    let base_url = server
        .join("wallet/")
        .map_err(|source| Error::configuration("base_url", "must be a URL").with_source(source))?;
    Wallet::new(config(server)?.base_url(base_url), http)
}

/// The methods that are not of the trait.
fn inherent(suite: Suite<Wallet>) -> Suite<Wallet> {
    let suite = payments(suite);
    let suite = allowances(suite);
    suite
        .call("fetch_balance", |client: &Wallet, input| {
            answer(async move { json(client.fetch_balance(wallet(&input)).await?) })
        })
        .call("list_statements", |client: &Wallet, input| {
            answer(async move {
                let mut query = ListStatements::new(number(&input, "limit")?);
                query.currency =
                    optional(&input, "currency").map(|code| Currency::iso(&code)).transpose()?;
                query.from = input["from"].as_i64().map(Timestamp::from_seconds);
                query.to = input["to"].as_i64().map(Timestamp::from_seconds);
                json(client.list_statements(wallet(&input), &query).await?)
            })
        })
        .call("fetch_is_sufficient", |client: &Wallet, input| {
            answer(async move {
                let amount = Money::parse(&text(&input, "amount"), currency(&input)?)?;
                json(client.fetch_is_sufficient(wallet(&input), amount).await?)
            })
        })
        .call("fetch_time", |client: &Wallet, _| {
            answer(async move { json(client.fetch_time().await?) })
        })
        .call("fetch_callback_key", |client: &Wallet, _| {
            answer(async move { json(client.fetch_callback_key().await?) })
        })
}

fn payments(suite: Suite<Wallet>) -> Suite<Wallet> {
    suite
        .call("fetch_transaction", |client: &Wallet, input| {
            answer(async move {
                let key = ProviderPaymentId::new(text(&input, "key"))?;
                json(client.fetch_transaction(&key).await?)
            })
        })
        .call("fetch_provider_payment", |client: &Wallet, input| {
            answer(async move { json(client.fetch_provider_payment(&part(&input)?).await?) })
        })
        .call("list_provider_payments", |client: &Wallet, input| {
            answer(async move {
                let mut query = ListProviderPayments::new(number(&input, "limit")?);
                let words = input["statuses"].as_array().cloned().unwrap_or_default();
                let words = words.iter().filter_map(Value::as_str);
                query.statuses = words.map(|word| word.to_owned().into()).collect();
                query.wallet = input["wallet"].as_i64();
                query.offset = u64::from(number(&input, "offset")?);
                json(client.list_provider_payments(&query).await?)
            })
        })
        .call("change_freeze", |client: &Wallet, input| {
            answer(async move {
                let until = input["until"].as_i64().unwrap_or_default();
                let until = Timestamp::from_seconds(until);
                json(client.change_freeze(&part(&input)?, until).await?)
            })
        })
        .call("give_password", |client: &Wallet, input| {
            answer(async move {
                let password = SecretString::from(text(&input, "password"));
                json(client.give_password(&part(&input)?, &password).await?)
            })
        })
        .call("resend_password", |client: &Wallet, input| {
            answer(async move { json(client.resend_password(&part(&input)?).await?) })
        })
        .call("fetch_available_types", |client: &Wallet, input| {
            answer(async move {
                let key = ProviderPaymentId::new(text(&input, "key"))?;
                json(client.fetch_available_types(&key).await?)
            })
        })
}

fn allowances(suite: Suite<Wallet>) -> Suite<Wallet> {
    suite
        .call("fetch_allowance", |client: &Wallet, input| {
            answer(async move {
                let id = ProviderMandateId::new(text(&input, "id"))?;
                json(client.fetch_allowance(&id).await?)
            })
        })
        .call("fetch_active_allowance", |client: &Wallet, input| {
            answer(async move { json(client.fetch_active_allowance(wallet(&input)).await?) })
        })
        .call("cancel_active_allowance", |client: &Wallet, input| {
            answer(async move { json(client.cancel_active_allowance(wallet(&input)).await?) })
        })
        .call("fetch_allowance_limit", |client: &Wallet, input| {
            answer(async move {
                let limit = client.fetch_allowance_limit(wallet(&input), currency(&input)?);
                json(limit.await?)
            })
        })
}

fn part(input: &Value) -> Result<ProviderPartId> {
    ProviderPartId::new(text(input, "id"))
}

fn currency(input: &Value) -> Result<Currency> {
    Currency::iso(&text(input, "currency"))
}

fn wallet(input: &Value) -> WalletNumber {
    input["wallet"].as_i64().map_or(WalletNumber::Me, WalletNumber::Number)
}
