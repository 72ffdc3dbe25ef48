//! Settings from the environment.

use std::{env, time::Duration};

use paymux_core::{Error, ProviderId, Result, SecretString};
use url::Url;

use super::{Api, MilkyPayConfig, Mode, must_be};

impl MilkyPayConfig {
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
    /// | `MILKYPAY_BASE_URL` | the host; required |
    /// | `MILKYPAY_MODE` | `live` or `test`; required, since money hangs on it |
    /// | `MILKYPAY_ID` | the account's name; `milkypay` when missing |
    /// | `MILKYPAY_ACCOUNT_ID`, `MILKYPAY_API_KEY` | for the private API; both or none |
    /// | `MILKYPAY_PUBLIC_KEY` | for the public API |
    /// | `MILKYPAY_CREATE_BY` | `private` or `public` |
    /// | `MILKYPAY_CALLBACK_URL` | where callbacks go to |
    /// | `MILKYPAY_WEBHOOK_SECRETS_LIVE` | secrets of callbacks, separated by spaces |
    /// | `MILKYPAY_WEBHOOK_SECRETS_TEST` | secrets of test callbacks, separated by spaces |
    /// | `MILKYPAY_CURRENCIES` | currencies outside ISO 4217, as `USDT/6`, separated by spaces |
    /// | `MILKYPAY_REFUNDS` | `true` or `false` (when missing) |
    /// | `MILKYPAY_PAGE_SIZE` | `true` (when missing) or `false` |
    /// | `MILKYPAY_PUBLIC_KEY_IN_QUERY` | `true` (when missing) or `false` |
    /// | `MILKYPAY_REFERENCE_WINDOW_SECONDS` | 60 when missing |
    ///
    /// An empty variable counts as missing.
    ///
    /// # Errors
    /// `Configuration` without effect, naming the variable, when a required one is missing or one
    /// cannot be read.
    pub fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let read = |name: &str| read(name).filter(|value| !value.is_empty());
        let require = |name: &str| {
            read(name).ok_or_else(|| Error::configuration(name, "must be set in the environment"))
        };
        let url = |name: &str, text: &str| Url::parse(text).map_err(|_| must_be(name, "a URL"));
        let id = read("MILKYPAY_ID").unwrap_or_else(|| crate::KIND.to_owned());
        let id = ProviderId::new(id)
            .map_err(|error| Error::configuration("MILKYPAY_ID", error.message()))?;
        let base_url = url("MILKYPAY_BASE_URL", &require("MILKYPAY_BASE_URL")?)?;
        let mode = match require("MILKYPAY_MODE")?.as_str() {
            "live" => Mode::Live,
            "test" => Mode::Test,
            _ => return Err(must_be("MILKYPAY_MODE", "live or test")),
        };
        let mut config = Self::new(id, base_url, mode);
        config.private = match (read("MILKYPAY_ACCOUNT_ID"), read("MILKYPAY_API_KEY")) {
            (Some(account), Some(key)) => Some((account, SecretString::from(key))),
            (None, None) => None,
            (None, Some(_)) => return Err(must_be("MILKYPAY_ACCOUNT_ID", "set with the key")),
            (Some(_), None) => return Err(must_be("MILKYPAY_API_KEY", "set with the account")),
        };
        config.public_key = read("MILKYPAY_PUBLIC_KEY");
        config.create_by = match read("MILKYPAY_CREATE_BY").as_deref() {
            None => None,
            Some("private") => Some(Api::Private),
            Some("public") => Some(Api::Public),
            Some(_) => return Err(must_be("MILKYPAY_CREATE_BY", "private or public")),
        };
        if let Some(text) = read("MILKYPAY_CALLBACK_URL") {
            config.callback_url = Some(url("MILKYPAY_CALLBACK_URL", &text)?);
        }
        let secrets = |name: &str| {
            let list = read(name).unwrap_or_default();
            list.split_whitespace().map(SecretString::from).collect::<Vec<_>>()
        };
        config.webhook_secrets_live = secrets("MILKYPAY_WEBHOOK_SECRETS_LIVE");
        config.webhook_secrets_test = secrets("MILKYPAY_WEBHOOK_SECRETS_TEST");
        for code in read("MILKYPAY_CURRENCIES").unwrap_or_default().split_whitespace() {
            let currency = code.parse().map_err(|error: Error| {
                Error::configuration("MILKYPAY_CURRENCIES", error.message())
            })?;
            config.currencies.0.push(currency);
        }
        let flag = |name: &str, missing: bool| match read(name).as_deref() {
            None => Ok(missing),
            Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(must_be(name, "true or false")),
        };
        config.refunds = flag("MILKYPAY_REFUNDS", false)?;
        config.page_size = flag("MILKYPAY_PAGE_SIZE", true)?;
        config.public_key_in_query = flag("MILKYPAY_PUBLIC_KEY_IN_QUERY", true)?;
        if let Some(text) = read("MILKYPAY_REFERENCE_WINDOW_SECONDS") {
            let seconds = text
                .parse()
                .map_err(|_| must_be("MILKYPAY_REFERENCE_WINDOW_SECONDS", "whole seconds"))?;
            config.reference_window = Duration::from_secs(seconds);
        }
        Ok(config)
    }
}
