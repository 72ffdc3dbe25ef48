//! How this wallet behaves where its documents leave a choice or are silent.

use serde::{Deserialize, Serialize};

/// Which generation of the documents the status words come from. The states are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Words {
    /// An accepted payment is `waiting`, a confirmed one `reserved`; an accepted transaction is
    /// `reserved`.
    #[default]
    Specification,
    /// As the specification, and an accepted transaction is `waiting` too.
    Guide,
    /// An accepted payment is `reserved`, a confirmed one `confirmed`.
    Older,
}

/// How callbacks are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CallbackForm {
    /// A form of `event` and `sign`.
    #[default]
    Signed,
    /// The transaction as JSON, unsigned.
    Plain,
}

/// What becomes of a transaction whose reserve time ran out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Lapse {
    /// It is revoked, without a callback.
    #[default]
    Revoked,
    /// It fails, with a callback.
    Failed,
}

/// Requests that a client may make within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// How many requests.
    pub requests: u32,
    /// Within how many seconds of virtual time.
    pub seconds: u32,
}

/// Settings of the wallet. All can be changed while the sandbox runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WalletSettings {
    /// The words of statuses.
    pub words: Words,
    /// How callbacks are sent.
    pub callback_form: CallbackForm,
    /// What becomes of a transaction whose reserve time ran out.
    pub lapse: Lapse,
    /// Objects show only what the specification's short samples show.
    pub sparse_answers: bool,
    /// Calls that change a transaction or payment answer `{}`.
    pub empty_answers: bool,
    /// Errors name the fields in `error_properties`.
    pub error_properties: bool,
    /// A payer without enough money is refused with `not_enough_funds`, the older spelling.
    pub not_enough_funds: bool,
    /// The outgoing commission is a part of the price, as older pages have it, instead of coming
    /// on top.
    pub out_commission_included: bool,
    /// A flat `freeze_for` and a limit's `period` count seconds instead of hours.
    pub periods_in_seconds: bool,
    /// `POST /payment` makes a payment with a transaction of its own; the specification forbids it.
    pub standalone_payments: bool,
    /// Virtual time between confirming a payment that is not frozen and `done`, in seconds.
    pub settle_seconds: u32,
    /// Virtual time after which what nobody accepted is deleted, in seconds.
    pub new_lifetime_seconds: u32,
    /// How long accepted money waits for the client when nobody says, in seconds.
    pub reserve_seconds: u32,
    /// How far the time of a signature may be from the server's, in seconds. Unpublished.
    pub timestamp_window_seconds: u32,
    /// What the server's clock is ahead of the sandbox's; negative: behind.
    pub clock_skew_seconds: i32,
    /// The port that signatures must name; without one, the request's own.
    pub signed_port: Option<u16>,
    /// Unlimited without one. Unpublished.
    pub rate_limit: Option<RateLimit>,
    /// How long an access token lives, in seconds.
    pub token_seconds: u32,
    /// The project that transactions belong to unless a request names another.
    pub project_id: i64,
}

impl Default for WalletSettings {
    fn default() -> Self {
        const MONTH: u32 = 30 * 24 * 3600;
        WalletSettings {
            words: Words::default(),
            callback_form: CallbackForm::default(),
            lapse: Lapse::default(),
            sparse_answers: false,
            empty_answers: false,
            error_properties: false,
            not_enough_funds: false,
            out_commission_included: false,
            periods_in_seconds: false,
            standalone_payments: false,
            settle_seconds: 0,
            new_lifetime_seconds: MONTH,
            reserve_seconds: MONTH,
            timestamp_window_seconds: 300,
            clock_skew_seconds: 0,
            signed_port: None,
            rate_limit: None,
            token_seconds: 3600,
            project_id: 1234,
        }
    }
}
