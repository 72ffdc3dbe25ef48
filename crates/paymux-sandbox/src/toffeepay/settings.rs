//! How this ToffeePay behaves where its documentation leaves a choice.

use serde::{Deserialize, Serialize};

use super::payer::Method;

/// The body of an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorShape {
    /// A Connect error; the domain code is in a `pay.v1.Error` detail.
    #[default]
    Connect,
    /// `{"error":{"code","message"}}`, as printed for idempotency conflicts.
    Enveloped,
    /// `{"code","message"}` with the domain code on top.
    Flat,
    /// `{"code":5,"message","details":[]}` with a numeric google.rpc code, as a REST gateway.
    Numeric,
}

/// Settings of the account. All can be changed while the sandbox runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToffeePaySettings {
    /// Answers wrap their object (`{"session":{…}}`), as in the schema of the vendor's SDKs.
    pub wrapped: bool,
    /// Answers leave out `0`, `false`, `""` and `[]`, as protobuf JSON may.
    pub omit_zero_values: bool,
    /// The body of errors.
    pub error_shape: ErrorShape,
    /// How long a session can be paid, in seconds. The lifetime is unpublished; 30 minutes is
    /// assumed.
    pub session_lifetime_seconds: u32,
    /// Virtual time after which a pending refund succeeds, in seconds: two days. The
    /// documentation says "several business days".
    pub refund_delay_seconds: u32,
    /// Cents the merchant's account holds for refunds; without a number, always enough.
    pub merchant_balance: Option<i64>,
    /// Methods whose payments cannot be refunded. Which they are is unpublished; pay later is
    /// assumed.
    pub unrefundable_methods: Vec<Method>,
    /// Accepted currencies: the closed set of the schema.
    pub currencies: Vec<String>,
    /// Longest accepted `item.image`, in bytes of text. The documentation only recommends 300 KB;
    /// a hard limit of 2 MiB is assumed.
    pub max_image_bytes: usize,
    /// Largest accepted `limit` of a list. Sources disagree on 100 and 250; the stricter one.
    pub max_limit: u32,
}

impl Default for ToffeePaySettings {
    fn default() -> Self {
        ToffeePaySettings {
            wrapped: false,
            omit_zero_values: false,
            error_shape: ErrorShape::Connect,
            session_lifetime_seconds: 1800,
            refund_delay_seconds: 2 * 24 * 3600,
            merchant_balance: None,
            unrefundable_methods: vec![Method::Paylater],
            currencies: ["USD", "GBP", "EUR"].map(str::to_owned).to_vec(),
            max_image_bytes: 2 * 1024 * 1024,
            max_limit: 100,
        }
    }
}

/// What happens when a payment is authorized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Capture {
    /// The money is taken at once.
    #[default]
    Automatic,
    /// The money is held until CompletePayment or CancelPayment.
    Manual,
}

/// A game, as the provider registered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Game {
    /// When its payments are captured.
    pub capture: Capture,
    /// Whether the Toffee Wallet is configured for it.
    pub wallet: bool,
}

impl Default for Game {
    fn default() -> Self {
        Game { capture: Capture::Automatic, wallet: true }
    }
}
