//! How a sandbox is started.

use std::time::Duration;

use url::Url;

use crate::SandboxError;
use crate::clock::StartTime;
use crate::milkypay::MilkyPaySettings;
use crate::ramp::RampSettings;
use crate::toffeepay::ToffeePaySettings;
use crate::wallet::{SANDBOX_CALLBACK_KEY, WalletSettings};
use crate::webhook::{WebhookScheme, check_url};

/// How to start a sandbox. The default listens on any free port of loopback, makes random ids,
/// uses the machine's time and sends no webhooks.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    pub(crate) seed: Option<u64>,
    pub(crate) port: u16,
    pub(crate) time: StartTime,
    pub(crate) sign_in_virtual_time: bool,
    pub(crate) webhook_retry: Duration,
    pub(crate) toffeepay: ToffeePayConfig,
    pub(crate) milkypay: MilkyPayConfig,
    pub(crate) wallet: WalletConfig,
    pub(crate) ramp: RampConfig,
}

/// The ToffeePay account.
#[derive(Clone, Debug)]
pub(crate) struct ToffeePayConfig {
    pub(crate) api_key: String,
    pub(crate) legacy_secret: String,
    pub(crate) standard_secret: String,
    pub(crate) webhook_url: Option<Url>,
    pub(crate) webhook_scheme: WebhookScheme,
    pub(crate) settings: ToffeePaySettings,
}

/// The MilkyPay account: its five secrets, and where its callbacks go.
#[derive(Clone, Debug)]
pub(crate) struct MilkyPayConfig {
    /// User of the private API.
    pub(crate) account_id: String,
    /// Password of the private API.
    pub(crate) api_key: String,
    pub(crate) public_key_test: String,
    pub(crate) public_key_live: String,
    /// Signs the callbacks of test invoices.
    pub(crate) secret_test: String,
    /// Signs the callbacks of live invoices.
    pub(crate) secret_live: String,
    pub(crate) callback_url: Option<Url>,
    pub(crate) settings: MilkyPaySettings,
}

impl Default for MilkyPayConfig {
    fn default() -> Self {
        MilkyPayConfig {
            account_id: "coma_sandboxMilkyPay1".to_owned(),
            api_key: "sandbox_milkypay_key".to_owned(),
            public_key_test: "pk_test_sandboxMilkyPay".to_owned(),
            public_key_live: "pk_live_sandboxMilkyPay".to_owned(),
            secret_test: "sk_test_sandboxMilkyPay".to_owned(),
            secret_live: "sk_live_sandboxMilkyPay".to_owned(),
            callback_url: None,
            settings: MilkyPaySettings::default(),
        }
    }
}

/// The client of the wallet, and where its callbacks go.
#[derive(Clone, Debug)]
pub(crate) struct WalletConfig {
    pub(crate) client_id: String,
    pub(crate) mac_key: String,
    /// Signs callbacks: RSA, PKCS#8, PEM.
    pub(crate) callback_key: String,
    pub(crate) callback_url: Option<Url>,
    pub(crate) settings: WalletSettings,
}

impl Default for WalletConfig {
    fn default() -> Self {
        WalletConfig {
            client_id: "sandbox_wallet_client".to_owned(),
            mac_key: "sandbox_wallet_mac_key".to_owned(),
            callback_key: SANDBOX_CALLBACK_KEY.to_owned(),
            callback_url: None,
            settings: WalletSettings::default(),
        }
    }
}

/// The tokens of the ramp's usual user, and where its webhooks go.
#[derive(Clone, Debug)]
pub(crate) struct RampConfig {
    pub(crate) access_token: String,
    pub(crate) refresh_token: String,
    pub(crate) webhook_url: Option<Url>,
    pub(crate) settings: RampSettings,
}

impl Default for RampConfig {
    fn default() -> Self {
        RampConfig {
            access_token: "sandbox_ramp_token".to_owned(),
            refresh_token: "sandbox_ramp_refresh_token".to_owned(),
            webhook_url: None,
            settings: RampSettings::default(),
        }
    }
}

impl Default for SandboxConfig {
    fn default() -> Self {
        SandboxConfig {
            seed: None,
            port: 0,
            time: StartTime::Now,
            sign_in_virtual_time: false,
            webhook_retry: Duration::from_millis(50),
            toffeepay: ToffeePayConfig {
                api_key: "sandbox_toffeepay_key".to_owned(),
                legacy_secret: "sandbox_toffeepay_webhook_secret".to_owned(),
                // The key reads "sandbox toffeepay standard key 1".
                standard_secret: "whsec_c2FuZGJveCB0b2ZmZWVwYXkgc3RhbmRhcmQga2V5IDE=".to_owned(),
                webhook_url: None,
                webhook_scheme: WebhookScheme::Legacy,
                settings: ToffeePaySettings::default(),
            },
            milkypay: MilkyPayConfig::default(),
            wallet: WalletConfig::default(),
            ramp: RampConfig::default(),
        }
    }
}

impl SandboxConfig {
    /// Makes ids repeatable: the same calls give the same ids.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The port on loopback; 0, the default, takes any that is free.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Where virtual time begins.
    #[must_use]
    pub fn time(mut self, time: StartTime) -> Self {
        self.time = time;
        self
    }

    /// Where ToffeePay's webhooks go: plain http on loopback.
    #[must_use]
    pub fn webhook_url(mut self, url: Url) -> Self {
        self.toffeepay.webhook_url = Some(url);
        self
    }

    /// The generation of ToffeePay's webhooks.
    #[must_use]
    pub fn webhook_scheme(mut self, scheme: WebhookScheme) -> Self {
        self.toffeepay.webhook_scheme = scheme;
        self
    }

    /// Signs webhooks with virtual instead of real time. Receivers compare the signed time with
    /// their own clock, so this suits only those that follow the sandbox's.
    #[must_use]
    pub fn sign_in_virtual_time(mut self, yes: bool) -> Self {
        self.sign_in_virtual_time = yes;
        self
    }

    /// Real time before a webhook is sent a second time. ToffeePay's waits then double; this is
    /// also how long one minute of MilkyPay's schedule lasts, where the n-th wait is n minutes.
    #[must_use]
    pub fn webhook_retry(mut self, first_wait: Duration) -> Self {
        self.webhook_retry = first_wait;
        self
    }

    /// Wraps ToffeePay's answers as the schema of the vendor's SDKs has them.
    #[must_use]
    pub fn wrapped(mut self, yes: bool) -> Self {
        self.toffeepay.settings.wrapped = yes;
        self
    }

    /// ToffeePay's settings; `wrapped` is one of them.
    #[must_use]
    pub fn toffeepay_settings(mut self, settings: ToffeePaySettings) -> Self {
        self.toffeepay.settings = settings;
        self
    }

    /// The API key of the ToffeePay account.
    #[must_use]
    pub fn toffeepay_key(mut self, key: impl Into<String>) -> Self {
        self.toffeepay.api_key = key.into();
        self
    }

    /// The secrets of ToffeePay's webhooks: the legacy one, used as it is, and the standard one,
    /// `whsec_` and base64.
    #[must_use]
    pub fn toffeepay_webhook_secrets(
        mut self,
        legacy: impl Into<String>,
        standard: impl Into<String>,
    ) -> Self {
        self.toffeepay.legacy_secret = legacy.into();
        self.toffeepay.standard_secret = standard.into();
        self
    }

    /// MilkyPay's settings.
    #[must_use]
    pub fn milkypay_settings(mut self, settings: MilkyPaySettings) -> Self {
        self.milkypay.settings = settings;
        self
    }

    /// Where MilkyPay's callbacks go unless an invoice names its own URL: plain http on loopback.
    #[must_use]
    pub fn milkypay_callback_url(mut self, url: Url) -> Self {
        self.milkypay.callback_url = Some(url);
        self
    }

    /// The account id and the API key of MilkyPay's private API.
    #[must_use]
    pub fn milkypay_credentials(
        mut self,
        account_id: impl Into<String>,
        api_key: impl Into<String>,
    ) -> Self {
        self.milkypay.account_id = account_id.into();
        self.milkypay.api_key = api_key.into();
        self
    }

    /// The keys of MilkyPay's public API: for tests and live.
    #[must_use]
    pub fn milkypay_public_keys(
        mut self,
        test: impl Into<String>,
        live: impl Into<String>,
    ) -> Self {
        self.milkypay.public_key_test = test.into();
        self.milkypay.public_key_live = live.into();
        self
    }

    /// The secrets that sign MilkyPay's callbacks: for test and live invoices.
    #[must_use]
    pub fn milkypay_callback_secrets(
        mut self,
        test: impl Into<String>,
        live: impl Into<String>,
    ) -> Self {
        self.milkypay.secret_test = test.into();
        self.milkypay.secret_live = live.into();
        self
    }

    /// The wallet's settings.
    #[must_use]
    pub fn wallet_settings(mut self, settings: WalletSettings) -> Self {
        self.wallet.settings = settings;
        self
    }

    /// Where the wallet's callbacks go unless a transaction names its own URL: plain http on
    /// loopback.
    #[must_use]
    pub fn wallet_callback_url(mut self, url: Url) -> Self {
        self.wallet.callback_url = Some(url);
        self
    }

    /// The id and the secret of the wallet's client.
    #[must_use]
    pub fn wallet_credentials(
        mut self,
        client_id: impl Into<String>,
        mac_key: impl Into<String>,
    ) -> Self {
        self.wallet.client_id = client_id.into();
        self.wallet.mac_key = mac_key.into();
        self
    }

    /// The private key that signs the wallet's callbacks: RSA, PKCS#8, PEM.
    #[must_use]
    pub fn wallet_callback_key(mut self, pem: impl Into<String>) -> Self {
        self.wallet.callback_key = pem.into();
        self
    }

    /// The ramp's settings.
    #[must_use]
    pub fn ramp_settings(mut self, settings: RampSettings) -> Self {
        self.ramp.settings = settings;
        self
    }

    /// Where the ramp's webhooks go, both shapes of them: plain http on loopback.
    #[must_use]
    pub fn ramp_webhook_url(mut self, url: Url) -> Self {
        self.ramp.webhook_url = Some(url);
        self
    }

    /// The tokens that the ramp's usual user has at the start: one for access, good for a day,
    /// and one to refresh it with.
    #[must_use]
    pub fn ramp_tokens(mut self, access: impl Into<String>, refresh: impl Into<String>) -> Self {
        self.ramp.access_token = access.into();
        self.ramp.refresh_token = refresh.into();
        self
    }

    pub(crate) fn check(&self) -> Result<(), SandboxError> {
        let milkypay = &self.milkypay;
        for key in [
            &self.toffeepay.api_key,
            &milkypay.account_id,
            &milkypay.api_key,
            &milkypay.public_key_test,
            &milkypay.public_key_live,
            &self.wallet.client_id,
            &self.wallet.mac_key,
            &self.ramp.access_token,
            &self.ramp.refresh_token,
        ] {
            if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                let message = "keys and account ids must be visible ASCII".to_owned();
                return Err(SandboxError::Configuration(message));
            }
        }
        for (one, other) in [
            (&milkypay.public_key_test, &milkypay.public_key_live),
            (&milkypay.secret_test, &milkypay.secret_live),
        ] {
            if one == other {
                let message = "test and live keys must differ".to_owned();
                return Err(SandboxError::Configuration(message));
            }
        }
        self.ramp.settings.check()?;
        let urls = [
            &self.toffeepay.webhook_url,
            &milkypay.callback_url,
            &self.wallet.callback_url,
            &self.ramp.webhook_url,
        ];
        urls.into_iter().flatten().try_for_each(check_url)
    }
}
