//! Settings from the environment.

use std::{env, sync::Arc};

use paymux_core::{Error, ProviderId, Result, SecretString};
use url::Url;

use super::{Environment, RampConfig, must_be};
use crate::{
    decimal::{AmountUnit, DateUnit},
    tokens::OneToken,
};

impl RampConfig {
    /// Reads the account from the environment's variables; see [`Self::from_variables`].
    ///
    /// # Errors
    /// As [`Self::from_variables`].
    pub fn from_env() -> Result<Self> {
        Self::from_variables(|name| env::var(name).ok())
    }

    /// Reads the account from variables that `read` knows by name:
    ///
    /// | variable | meaning |
    /// | --- | --- |
    /// | `RAMP_BASE_URL` | the host; required |
    /// | `RAMP_ENVIRONMENT` | `live` or `sandbox`; required, since money hangs on it |
    /// | `RAMP_ID` | the account's name; `ramp` when missing |
    /// | `RAMP_TOKEN` | the token of the one end user; without it set [`Self::tokens`] |
    /// | `RAMP_PATH_PREFIX` | `/acquiring` when missing; `/` for none |
    /// | `RAMP_PARTNER_ID` | sent as the header `partnerId` |
    /// | `RAMP_RETURN_FIELD` | `redirectUrl` when missing |
    /// | `RAMP_AMOUNT_UNIT` | `major` (when missing) or `minor` |
    /// | `RAMP_PAYMENT_DATE` | `by_magnitude` (when missing), `seconds` or `milliseconds` |
    /// | `RAMP_CURRENCIES` | currencies outside ISO 4217, as `USDT/6`, separated by spaces |
    /// | `RAMP_INVOICE_READ` | `true` or `false` (when missing) |
    /// | `RAMP_REQUIRE_SOME_DATA` | `true` or `false` (when missing) |
    /// | `RAMP_WEBHOOK_HEADER` | the header of the secret; needed with secrets |
    /// | `RAMP_WEBHOOK_SECRETS` | secrets that deliveries bring, separated by spaces |
    ///
    /// An empty variable counts as missing. Paths, methods, other headers and words have setters
    /// alone.
    ///
    /// # Errors
    /// `Configuration` without effect, naming the variable, when a required one is missing or one
    /// cannot be read.
    pub fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let read = |name: &str| read(name).filter(|value| !value.is_empty());
        let require = |name: &str| {
            read(name).ok_or_else(|| Error::configuration(name, "must be set in the environment"))
        };
        let id = read("RAMP_ID").unwrap_or_else(|| crate::KIND.to_owned());
        let id = ProviderId::new(id)
            .map_err(|error| Error::configuration("RAMP_ID", error.message()))?;
        let base_url = Url::parse(&require("RAMP_BASE_URL")?)
            .map_err(|_| must_be("RAMP_BASE_URL", "a URL"))?;
        let environment = match require("RAMP_ENVIRONMENT")?.as_str() {
            "live" => Environment::Live,
            "sandbox" => Environment::Sandbox,
            _ => return Err(must_be("RAMP_ENVIRONMENT", "live or sandbox")),
        };
        let mut config = Self::new(id, base_url, environment);
        if let Some(token) = read("RAMP_TOKEN") {
            config = config.tokens(Arc::new(OneToken::new(SecretString::from(token))));
        }
        if let Some(prefix) = read("RAMP_PATH_PREFIX") {
            config = config.path_prefix(prefix);
        }
        if let Some(partner) = read("RAMP_PARTNER_ID") {
            config = config.header("partnerId", SecretString::from(partner));
        }
        if let Some(name) = read("RAMP_RETURN_FIELD") {
            config = config.return_field(name);
        }
        config.measures.amount_unit = match read("RAMP_AMOUNT_UNIT").as_deref() {
            None | Some("major") => AmountUnit::Major,
            Some("minor") => AmountUnit::Minor,
            Some(_) => return Err(must_be("RAMP_AMOUNT_UNIT", "major or minor")),
        };
        config.measures.date_unit = match read("RAMP_PAYMENT_DATE").as_deref() {
            None | Some("by_magnitude") => DateUnit::ByMagnitude,
            Some("seconds") => DateUnit::Seconds,
            Some("milliseconds") => DateUnit::Milliseconds,
            Some(_) => {
                let what = "by_magnitude, seconds or milliseconds";
                return Err(must_be("RAMP_PAYMENT_DATE", what));
            }
        };
        for code in read("RAMP_CURRENCIES").unwrap_or_default().split_whitespace() {
            let currency = code
                .parse()
                .map_err(|error: Error| Error::configuration("RAMP_CURRENCIES", error.message()))?;
            config = config.currency(currency);
        }
        let flag = |name: &str| match read(name).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(must_be(name, "true or false")),
        };
        config.invoice_read = flag("RAMP_INVOICE_READ")?;
        config.require_some_data = flag("RAMP_REQUIRE_SOME_DATA")?;
        match (read("RAMP_WEBHOOK_HEADER"), read("RAMP_WEBHOOK_SECRETS")) {
            (Some(_), Some(secrets)) if secrets.trim().is_empty() => {
                return Err(must_be("RAMP_WEBHOOK_SECRETS", "set with the header"));
            }
            (Some(header), Some(secrets)) => {
                for secret in secrets.split_whitespace() {
                    config = config.webhook_secret(header.clone(), SecretString::from(secret));
                }
            }
            (None, None) => {}
            (None, Some(_)) => return Err(must_be("RAMP_WEBHOOK_HEADER", "set with the secrets")),
            (Some(_), None) => return Err(must_be("RAMP_WEBHOOK_SECRETS", "set with the header")),
        }
        Ok(config)
    }
}
