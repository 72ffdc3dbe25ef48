//! How this MilkyPay behaves where its documents leave a choice.

use serde::{Deserialize, Serialize};

/// The body of a 409, which the specification describes but does not print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConflictBody {
    /// A message and the earlier invoice: the nearest reading of the specification.
    #[default]
    ErrorsAndData,
    /// The earlier invoice alone.
    Data,
    /// The message alone.
    Bare,
}

/// What `filter[reference_id]` answers with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ReferenceLookup {
    /// A list of one row or none.
    #[default]
    List,
    /// The invoice itself, as the specification's sample reads, or 404.
    Single,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NumberStyle {
    /// `0.1`, as in the specification's samples.
    #[default]
    Plain,
    /// `0.10000000000000001` and `1.0e-8`, as PHP prints floats at full precision.
    FloatTail,
    /// `"0.1"` and `"1597833205"`: amounts and times as text.
    Text,
}

/// What becomes of an invoice whose time ran out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Expiry {
    /// Status `process_failed` with resolution `expired`, as in the specification's sample.
    #[default]
    ProcessFailed,
    /// Status `expired`, as in the list of statuses.
    Expired,
}

/// The merchant as the payment pre-request shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// Shown name.
    pub name: String,
    /// Shown description.
    pub description: String,
    /// URL of an icon.
    pub icon: Option<String>,
    /// URL of the merchant's site.
    pub website: Option<String>,
}

impl Default for Account {
    fn default() -> Self {
        Account {
            name: "Sandbox shop".to_owned(),
            description: "A shop that sells nothing".to_owned(),
            icon: None,
            website: None,
        }
    }
}

/// Settings of the account. All can be changed while the sandbox runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MilkyPaySettings {
    /// How long an invoice without `expires` can be paid, in seconds. The specification's own
    /// expired invoice lived for about half an hour.
    pub invoice_lifetime_seconds: u32,
    /// What becomes of an invoice whose time ran out.
    pub expiry: Expiry,
    /// Declined attempts that end an invoice.
    pub max_attempts: u32,
    /// The body of a 409.
    pub conflict_body: ConflictBody,
    /// What `filter[reference_id]` answers with.
    pub reference_lookup: ReferenceLookup,
    /// Whether an absent `reference_id` is refused with 422, as newer deployments do, instead of
    /// generated, as the specification says.
    pub reference_required: bool,
    /// Empty maps are written `[]`, as PHP does.
    pub empty_maps_as_lists: bool,
    /// Slashes and letters beyond ASCII are escaped in JSON, as PHP does.
    pub php_escapes: bool,
    /// How amounts and times are written.
    pub number_style: NumberStyle,
    /// Regular expressions of service fields arrive escaped twice, as in some deployments.
    pub double_escaped_regexps: bool,
    /// The account option "Forbid creation through the Public API": creation answers 403.
    pub forbid_public_creation: bool,
    /// Invoices show the members that newer deployments added.
    pub newer_members: bool,
    /// The account's choice of callbacks at the end only.
    pub final_callbacks_only: bool,
    /// The account option "Expose internal callback data": callbacks carry `included`.
    pub internal_callback_data: bool,
    /// Whether the refund endpoint exists; the specification does not name it.
    pub refunds: bool,
    /// Virtual time after which a refund succeeds, in seconds; with 0 the answer already tells.
    pub refund_delay_seconds: u32,
    /// Whether the account has the funds for refunds.
    pub refund_funds: bool,
    /// What the platform adds to every invoice's metadata as `merchant_url`.
    pub merchant_url: Option<String>,
    /// The merchant.
    pub account: Account,
}

impl Default for MilkyPaySettings {
    fn default() -> Self {
        MilkyPaySettings {
            invoice_lifetime_seconds: 1800,
            expiry: Expiry::default(),
            max_attempts: 5,
            conflict_body: ConflictBody::default(),
            reference_lookup: ReferenceLookup::default(),
            reference_required: false,
            empty_maps_as_lists: true,
            php_escapes: true,
            number_style: NumberStyle::default(),
            double_escaped_regexps: false,
            forbid_public_creation: false,
            newer_members: false,
            final_callbacks_only: false,
            internal_callback_data: false,
            refunds: true,
            refund_delay_seconds: 0,
            refund_funds: true,
            merchant_url: Some("https://shop.example".to_owned()),
            account: Account::default(),
        }
    }
}
