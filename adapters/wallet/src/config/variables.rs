//! An account's settings from the environment.

use std::env;

use paymux_core::{Error, ProviderId, Result, SecretString};
use url::Url;

use super::{AllowanceForm, Callbacks, Environment, WalletConfig, must_be};

const END_OF_KEY: &str = "-----END PUBLIC KEY-----";

impl WalletConfig {
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
    /// | `WALLET_MAC_ID` | the client's id; required |
    /// | `WALLET_MAC_KEY` | its key; required |
    /// | `WALLET_ENVIRONMENT` | `live` or `sandbox`; required, since money hangs on it |
    /// | `WALLET_ID` | the account's name; `wallet` when missing |
    /// | `WALLET_BASE_URL` | another root of the API |
    /// | `WALLET_PAGE_URL` | another root of the payer's pages |
    /// | `WALLET_LANGUAGE` | of the payer's pages; `en` when missing |
    /// | `WALLET_CALLBACK_URL` | where callbacks go, or `off`; the project's when missing |
    /// | `WALLET_CALLBACK_KEYS` | public keys as PEM blocks, one after the other |
    /// | `WALLET_PROJECT_ID`, `WALLET_LOCATION_ID` | whom we act for |
    /// | `WALLET_COMMISSION_IN_PRICE` | `true` or `false` (when missing) |
    /// | `WALLET_NESTED_BENEFICIARY` | `true` or `false` (when missing) |
    /// | `WALLET_WHOLE_CURRENCIES` | `true` or `false` (when missing) |
    /// | `WALLET_ALLOWANCE_FORM` | `inline` (when missing), `wrapped` or `separate` |
    /// | `WALLET_REFERENCE_PARAMETER` | its name, or `off`; `reference` when missing |
    ///
    /// An empty variable counts as missing. The other settings are for code to make.
    ///
    /// # Errors
    /// `Configuration` without effect, naming the variable, when a required one is missing or one
    /// cannot be read.
    pub fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let read = |name: &str| read(name).filter(|value| !value.is_empty());
        let require = |name: &str| {
            read(name).ok_or_else(|| Error::configuration(name, "must be set in the environment"))
        };
        let url = |name: &str| {
            let parse = |text: String| Url::parse(&text).map_err(|_| must_be(name, "a URL"));
            read(name).map(parse).transpose()
        };
        let number = |name: &str| {
            let parse = |text: String| text.parse().map_err(|_| must_be(name, "a whole number"));
            read(name).map(parse).transpose()
        };
        let id = read("WALLET_ID").unwrap_or_else(|| crate::KIND.to_owned());
        let id = ProviderId::new(id)
            .map_err(|error| Error::configuration("WALLET_ID", error.message()))?;
        let mac_key = SecretString::from(require("WALLET_MAC_KEY")?);
        let mut config = Self::new(id, require("WALLET_MAC_ID")?, mac_key);
        config.environment = match require("WALLET_ENVIRONMENT")?.as_str() {
            "live" => Environment::Live,
            "sandbox" => Environment::Sandbox,
            _ => return Err(must_be("WALLET_ENVIRONMENT", "live or sandbox")),
        };
        config.base_url = url("WALLET_BASE_URL")?;
        config.page_url = url("WALLET_PAGE_URL")?;
        config.language = read("WALLET_LANGUAGE").unwrap_or(config.language);
        config.callbacks = match read("WALLET_CALLBACK_URL").as_deref() {
            None => Callbacks::Project,
            Some("off") => Callbacks::Off,
            Some(text) => Callbacks::To(
                Url::parse(text).map_err(|_| must_be("WALLET_CALLBACK_URL", "a URL or off"))?,
            ),
        };
        let keys = read("WALLET_CALLBACK_KEYS").unwrap_or_default();
        let blocks = keys.split_inclusive(END_OF_KEY).map(str::trim);
        config.callback_keys =
            blocks.filter(|block| !block.is_empty()).map(str::to_owned).collect();
        config.project_id = number("WALLET_PROJECT_ID")?;
        config.location_id = number("WALLET_LOCATION_ID")?;
        config.read_forms(read)?;
        Ok(config)
    }

    /// Which of the provider's contradicting forms are used.
    fn read_forms(&mut self, read: impl Fn(&str) -> Option<String>) -> Result<()> {
        let flag = |name: &str| match read(name).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(must_be(name, "true or false")),
        };
        self.commission_in_price = flag("WALLET_COMMISSION_IN_PRICE")?;
        self.nested_beneficiary = flag("WALLET_NESTED_BENEFICIARY")?;
        self.whole_currencies = flag("WALLET_WHOLE_CURRENCIES")?;
        self.allowance_form = match read("WALLET_ALLOWANCE_FORM").as_deref() {
            None | Some("inline") => AllowanceForm::Inline,
            Some("wrapped") => AllowanceForm::Wrapped,
            Some("separate") => AllowanceForm::Separate,
            Some(_) => {
                return Err(must_be("WALLET_ALLOWANCE_FORM", "inline, wrapped or separate"));
            }
        };
        match read("WALLET_REFERENCE_PARAMETER") {
            None => {}
            Some(off) if off == "off" => self.reference_parameter = None,
            name @ Some(_) => self.reference_parameter = name,
        }
        Ok(())
    }
}
