//! The services of the account: ways to pay, one currency each.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha1::{Digest, Sha1};

use crate::SandboxError;
use crate::amount::{Amount, NotAnAmount};

/// Fee and reserve rates have this many decimals at most.
const RATE_DECIMALS: u8 = 6;

/// How a payer is sent to a service's page with `flow_data`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Form {
    /// GET without parameters, as in the specification's samples.
    #[default]
    Get,
    /// GET, with parameters that belong into the query.
    GetWithParams,
    /// POST with hidden fields.
    Post,
}

/// Something a service wants to know before it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceField {
    /// The key in `service_fields`.
    pub key: String,
    /// English name; other locales show the same.
    pub label: String,
    /// A value that fits.
    #[serde(default)]
    pub example: Option<String>,
    /// What fits.
    pub regexp: String,
    /// Whether the service starts without it.
    #[serde(default)]
    pub required: bool,
}

impl ServiceField {
    fn new(key: &str, label: &str, regexp: &str, example: Option<&str>) -> Self {
        ServiceField {
            key: key.to_owned(),
            label: label.to_owned(),
            example: example.map(str::to_owned),
            regexp: regexp.to_owned(),
            required: true,
        }
    }

    fn accepts(&self, value: &Value) -> bool {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return false,
        };
        Regex::new(&self.regexp).is_ok_and(|regexp| regexp.is_match(&text))
    }
}

/// One service. Amounts and rates are decimal text, in the service's currency or in percent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// Code of the payment method.
    pub method: String,
    /// `hpp` or `test`.
    pub flow: String,
    /// ISO 4217, or a code of the platform.
    pub currency: String,
    /// Digits after the point in this currency.
    pub decimals: u8,
    /// Whether the provider behind it is there.
    pub available: bool,
    /// `false` in every sample, and without effect.
    pub active: bool,
    /// Whether the account may use it.
    pub enabled: bool,
    /// Smallest amount.
    pub amount_min: String,
    /// Largest amount.
    pub amount_max: String,
    /// Percentage of the amount.
    pub fee_rate: String,
    /// Added to the percentage.
    pub fee_fix: String,
    /// Whether the payer pays the fee on top, instead of the merchant out of the amount.
    pub external_fee: bool,
    /// Percentage of the proceeds that the platform withholds for a while.
    pub reserve_rate: String,
    /// For how long, in minutes.
    pub reserve_lifetime: u32,
    /// Whether its payments can be returned.
    pub refundable: bool,
    /// How `flow_data` leads to it.
    pub form: Form,
    /// What it wants to know.
    pub fields: Vec<ServiceField>,
}

impl Default for Service {
    fn default() -> Self {
        Service {
            method: "payment_card".to_owned(),
            flow: "hpp".to_owned(),
            currency: "USD".to_owned(),
            decimals: 2,
            available: true,
            active: false,
            enabled: true,
            amount_min: "0.01".to_owned(),
            amount_max: "1000000".to_owned(),
            fee_rate: "0".to_owned(),
            fee_fix: "0".to_owned(),
            external_fee: false,
            reserve_rate: "0".to_owned(),
            reserve_lifetime: 0,
            refundable: true,
            form: Form::Get,
            fields: Vec::new(),
        }
    }
}

impl Service {
    fn of(method: &str, currency: &str) -> Self {
        Service { method: method.to_owned(), currency: currency.to_owned(), ..Service::default() }
    }

    fn limits(mut self, least: &str, most: &str) -> Self {
        self.amount_min = least.to_owned();
        self.amount_max = most.to_owned();
        self
    }

    /// Refuses a service whose amounts or expressions cannot be read.
    pub(super) fn check(&self) -> Result<(), SandboxError> {
        let wrong = |what: &str| Err(SandboxError::Configuration(format!("{what} is not usable")));
        if self.decimals > 18 {
            return wrong("decimals");
        }
        for (name, text) in [
            ("amount_min", &self.amount_min),
            ("amount_max", &self.amount_max),
            ("fee_fix", &self.fee_fix),
        ] {
            if Amount::parse(text, self.decimals).is_err() {
                return wrong(name);
            }
        }
        for (name, text) in [("fee_rate", &self.fee_rate), ("reserve_rate", &self.reserve_rate)] {
            if Amount::parse(text, RATE_DECIMALS).is_err() {
                return wrong(name);
            }
        }
        match self.fields.iter().find(|field| Regex::new(&field.regexp).is_err()) {
            Some(field) => wrong(&format!("the regexp of {}", field.key)),
            None => Ok(()),
        }
    }

    pub(super) fn amount(&self, text: &str) -> Result<Amount, NotAnAmount> {
        Amount::parse(text, self.decimals)
    }

    /// A configured amount, which was checked when the service was set.
    pub(super) fn known(&self, text: &str) -> Amount {
        self.amount(text).unwrap_or(Amount::zero(self.decimals))
    }

    pub(super) fn rate(text: &str) -> Amount {
        Amount::parse(text, RATE_DECIMALS).unwrap_or_default()
    }

    /// The fee for an amount; a percentage and a fixed part.
    pub(super) fn fee(&self, amount: Amount) -> Amount {
        amount.percent(Service::rate(&self.fee_rate)).plus(self.known(&self.fee_fix))
    }

    /// What is wrong with the service fields of a request, by their keys.
    pub(super) fn refuse_fields(&self, given: &Map<String, Value>) -> Map<String, Value> {
        let mut errors = Map::new();
        for field in &self.fields {
            let message = match given.get(&field.key) {
                None | Some(Value::Null) if field.required => "This value should not be blank.",
                None | Some(Value::Null) => continue,
                Some(value) if field.accepts(value) => continue,
                Some(_) => "This value is not valid.",
            };
            errors.insert(field.key.clone(), message.into());
        }
        errors
    }
}

/// The id of a service's row, the same in every run: only invoices get random ids.
pub(super) fn row_id(code: &str) -> String {
    format!("comcps_{}", &hex::encode(Sha1::digest(code))[..16])
}

/// English name and category of a method.
pub(super) fn method_facts(code: &str) -> (&str, &'static str) {
    match code {
        "payment_card" => ("Payment card", "payment_card"),
        "applepay" => ("Apple Pay", "ewallet"),
        "paypal" => ("PayPal", "ewallet"),
        "bank_transfer" => ("Bank transfer", "bank_transfer"),
        "crypto" => ("Cryptocurrency", "crypto"),
        "test" => ("Test", "alternative"),
        other => (other, "alternative"),
    }
}

/// The services of a new account.
pub(super) fn registered() -> BTreeMap<String, Service> {
    let card = |currency| Service::of("payment_card", currency);
    let status = ServiceField::new("status", "Status", "^[a-zA-Z_]*$", None);
    let test = |currency| Service {
        flow: "test".to_owned(),
        fields: vec![status.clone()],
        ..Service::of("test", currency).limits("0.01", "9999999")
    };
    let account = ServiceField::new(
        "account_number",
        "Account number",
        r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$",
        Some("UA213223130000026007233566001"),
    );
    let text = str::to_owned;
    let services = [
        ("payment_card_usd_hpp", card("USD")),
        ("payment_card_uah_hpp", card("UAH")),
        (
            "payment_card_eur_hpp",
            Service {
                fee_rate: text("2.5"),
                fee_fix: text("0.25"),
                ..card("EUR").limits("1", "5000")
            },
        ),
        (
            "payment_card_gbp_hpp",
            Service { fee_rate: text("3"), external_fee: true, ..card("GBP").limits("5", "500") },
        ),
        (
            "payment_card_cad_hpp",
            Service { reserve_rate: text("10"), reserve_lifetime: 7 * 24 * 60, ..card("CAD") },
        ),
        ("payment_card_jpy_hpp", Service { decimals: 0, ..card("JPY").limits("50", "1000000") }),
        ("payment_card_kwd_hpp", Service { decimals: 3, ..card("KWD").limits("0.1", "10000") }),
        (
            "applepay_usd_hpp",
            Service { form: Form::GetWithParams, ..Service::of("applepay", "USD") },
        ),
        ("paypal_usd_hpp", Service { form: Form::Post, ..Service::of("paypal", "USD") }),
        (
            "bank_transfer_usd_hpp",
            Service {
                form: Form::Post,
                refundable: false,
                fields: vec![account],
                ..Service::of("bank_transfer", "USD")
            },
        ),
        ("paypal_eur_hpp", Service { enabled: false, ..Service::of("paypal", "EUR") }),
        (
            "crypto_usdt_hpp",
            Service { decimals: 6, available: false, ..Service::of("crypto", "USDT") },
        ),
        ("test_usd_test", test("USD")),
        ("test_xts_test", test("XTS")),
    ];
    services.into_iter().map(|(code, service)| (code.to_owned(), service)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_registered_service_is_usable() {
        for (code, service) in registered() {
            service.check().unwrap();
            assert!(code.starts_with(&service.method), "{code}");
        }
        for broken in [
            Service { amount_min: "x".to_owned(), ..Service::default() },
            Service { fee_rate: "x".to_owned(), ..Service::default() },
            Service { decimals: 40, ..Service::default() },
            Service { fields: vec![ServiceField::new("a", "A", "(", None)], ..Service::default() },
        ] {
            assert!(broken.check().is_err(), "{broken:?}");
        }
    }

    #[test]
    fn fields_are_checked_by_their_expressions() {
        let services = registered();
        let bank = &services["bank_transfer_usd_hpp"];
        for (given, error) in [
            (json!({"account_number": "UA213223130000026007233566001"}), None),
            (json!({"account_number": "213223"}), Some("This value is not valid.")),
            (json!({"account_number": ["UA"]}), Some("This value is not valid.")),
            (json!({}), Some("This value should not be blank.")),
        ] {
            let errors = bank.refuse_fields(given.as_object().unwrap());
            let found = errors.get("account_number").and_then(Value::as_str);
            assert_eq!(found, error, "{given}");
        }
    }

    #[test]
    fn a_row_id_does_not_change() {
        assert_eq!(row_id("payment_card_usd_hpp"), row_id("payment_card_usd_hpp"));
        assert_eq!(row_id("payment_card_usd_hpp").len(), "comcps_".len() + 16);
    }
}
