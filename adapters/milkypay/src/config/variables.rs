//! Settings from the environment.

use std::env;

use paymux_core::{Result, SecretString, Variables};

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
        let set = Variables::new(read);
        let id = set.id("MILKYPAY_ID", crate::KIND)?;
        let base_url = set.required_url("MILKYPAY_BASE_URL")?;
        let modes = [("live", Mode::Live), ("test", Mode::Test)];
        let mode = set.required_choice("MILKYPAY_MODE", &modes)?;
        let mut config = Self::new(id, base_url, mode);
        config.private = match (set.text("MILKYPAY_ACCOUNT_ID"), set.text("MILKYPAY_API_KEY")) {
            (Some(account), Some(key)) => Some((account, SecretString::from(key))),
            (None, None) => None,
            (None, Some(_)) => return Err(must_be("MILKYPAY_ACCOUNT_ID", "set with the key")),
            (Some(_), None) => return Err(must_be("MILKYPAY_API_KEY", "set with the account")),
        };
        config.public_key = set.text("MILKYPAY_PUBLIC_KEY");
        let apis = [("private", Api::Private), ("public", Api::Public)];
        config.create_by = set.choice("MILKYPAY_CREATE_BY", &apis)?;
        config.callback_url = set.url("MILKYPAY_CALLBACK_URL")?;
        config.webhook_secrets_live = set.secrets("MILKYPAY_WEBHOOK_SECRETS_LIVE");
        config.webhook_secrets_test = set.secrets("MILKYPAY_WEBHOOK_SECRETS_TEST");
        config.currencies.0.extend(set.currencies("MILKYPAY_CURRENCIES")?);
        config.refunds = set.flag("MILKYPAY_REFUNDS", false)?;
        config.page_size = set.flag("MILKYPAY_PAGE_SIZE", true)?;
        config.public_key_in_query = set.flag("MILKYPAY_PUBLIC_KEY_IN_QUERY", true)?;
        if let Some(window) = set.seconds("MILKYPAY_REFERENCE_WINDOW_SECONDS")? {
            config.reference_window = window;
        }
        Ok(config)
    }
}
