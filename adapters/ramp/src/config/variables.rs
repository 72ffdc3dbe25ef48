//! Settings from the environment.

use std::{env, sync::Arc};

use paymux_core::{Result, SecretString, Variables};

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
        let set = Variables::new(read);
        let id = set.id("RAMP_ID", crate::KIND)?;
        let base_url = set.required_url("RAMP_BASE_URL")?;
        let environments = [("live", Environment::Live), ("sandbox", Environment::Sandbox)];
        let environment = set.required_choice("RAMP_ENVIRONMENT", &environments)?;
        let mut config = Self::new(id, base_url, environment);
        if let Some(token) = set.text("RAMP_TOKEN") {
            config = config.tokens(Arc::new(OneToken::new(SecretString::from(token))));
        }
        if let Some(prefix) = set.text("RAMP_PATH_PREFIX") {
            config = config.path_prefix(prefix);
        }
        if let Some(partner) = set.text("RAMP_PARTNER_ID") {
            config = config.header("partnerId", SecretString::from(partner));
        }
        if let Some(name) = set.text("RAMP_RETURN_FIELD") {
            config = config.return_field(name);
        }
        let units = [("major", AmountUnit::Major), ("minor", AmountUnit::Minor)];
        let unit = set.choice("RAMP_AMOUNT_UNIT", &units)?;
        config.measures.amount_unit = unit.unwrap_or(AmountUnit::Major);
        let units = [
            ("by_magnitude", DateUnit::ByMagnitude),
            ("seconds", DateUnit::Seconds),
            ("milliseconds", DateUnit::Milliseconds),
        ];
        let unit = set.choice("RAMP_PAYMENT_DATE", &units)?;
        config.measures.date_unit = unit.unwrap_or(DateUnit::ByMagnitude);
        for currency in set.currencies("RAMP_CURRENCIES")? {
            config = config.currency(currency);
        }
        config.invoice_read = set.flag("RAMP_INVOICE_READ", false)?;
        config.require_some_data = set.flag("RAMP_REQUIRE_SOME_DATA", false)?;
        match (set.text("RAMP_WEBHOOK_HEADER"), set.text("RAMP_WEBHOOK_SECRETS")) {
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
