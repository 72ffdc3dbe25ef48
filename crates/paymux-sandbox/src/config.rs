//! How a sandbox is started.

use std::time::Duration;

use url::Url;

use crate::SandboxError;
use crate::clock::StartTime;
use crate::toffeepay::ToffeePaySettings;
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

    /// Where webhooks go: plain http on loopback.
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

    /// Real time before a webhook is sent a second time; it doubles with every attempt.
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

    pub(crate) fn check(&self) -> Result<(), SandboxError> {
        let key = &self.toffeepay.api_key;
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(SandboxError::Configuration(
                "the API key must be visible ASCII".to_owned(),
            ));
        }
        self.toffeepay.webhook_url.as_ref().map_or(Ok(()), check_url)
    }
}
