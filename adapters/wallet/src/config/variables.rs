//! An account's settings from the environment.

use std::env;

use paymux_core::{Result, SecretString, Variables};
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
        let set = Variables::new(read);
        let id = set.id("WALLET_ID", crate::KIND)?;
        let mac_key = SecretString::from(set.required("WALLET_MAC_KEY")?);
        let mut config = Self::new(id, set.required("WALLET_MAC_ID")?, mac_key);
        let environments = [("live", Environment::Live), ("sandbox", Environment::Sandbox)];
        config.environment = set.required_choice("WALLET_ENVIRONMENT", &environments)?;
        config.base_url = set.url("WALLET_BASE_URL")?;
        config.page_url = set.url("WALLET_PAGE_URL")?;
        config.language = set.text("WALLET_LANGUAGE").unwrap_or(config.language);
        config.callbacks = match set.text("WALLET_CALLBACK_URL").as_deref() {
            None => Callbacks::Project,
            Some("off") => Callbacks::Off,
            Some(text) => Callbacks::To(
                Url::parse(text).map_err(|_| must_be("WALLET_CALLBACK_URL", "a URL or off"))?,
            ),
        };
        let keys = set.text("WALLET_CALLBACK_KEYS").unwrap_or_default();
        let blocks = keys.split_inclusive(END_OF_KEY).map(str::trim);
        config.callback_keys =
            blocks.filter(|block| !block.is_empty()).map(str::to_owned).collect();
        config.project_id = set.parsed("WALLET_PROJECT_ID", "a whole number")?;
        config.location_id = set.parsed("WALLET_LOCATION_ID", "a whole number")?;
        config.read_forms(&set)?;
        Ok(config)
    }

    /// Which of the provider's contradicting forms are used.
    fn read_forms<F: Fn(&str) -> Option<String>>(&mut self, set: &Variables<F>) -> Result<()> {
        self.commission_in_price = set.flag("WALLET_COMMISSION_IN_PRICE", false)?;
        self.nested_beneficiary = set.flag("WALLET_NESTED_BENEFICIARY", false)?;
        self.whole_currencies = set.flag("WALLET_WHOLE_CURRENCIES", false)?;
        let forms = [
            ("inline", AllowanceForm::Inline),
            ("wrapped", AllowanceForm::Wrapped),
            ("separate", AllowanceForm::Separate),
        ];
        let form = set.choice("WALLET_ALLOWANCE_FORM", &forms)?;
        self.allowance_form = form.unwrap_or(AllowanceForm::Inline);
        match set.text("WALLET_REFERENCE_PARAMETER") {
            None => {}
            Some(off) if off == "off" => self.reference_parameter = None,
            name @ Some(_) => self.reference_parameter = name,
        }
        Ok(())
    }
}
