//! What rules can ask of a payment.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use paymux_core::{Capabilities, CaptureChoice, CaptureMethod, Money, Operation, Trust};
use serde::{Deserialize, Serialize};

/// Something that a payment can need and an account can lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Capability {
    /// The money can be held first and taken later.
    ManualCapture,
    /// It can be charged under a mandate.
    Mandate,
    /// Less than what is held can be taken.
    PartialCapture,
    /// It can be ended before money is taken.
    Cancel,
    /// It can be given back.
    Refund,
    /// Less than what was taken can be given back.
    PartialRefund,
    /// It can be found by our reference, so that a lost answer is found again.
    ReferenceLookup,
    /// Success comes with a figure, so that it proves that enough was paid.
    ReportsCaptured,
    /// Webhooks are signed.
    SignedWebhooks,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Self; 9] = [
        Self::ManualCapture,
        Self::Mandate,
        Self::PartialCapture,
        Self::Cancel,
        Self::Refund,
        Self::PartialRefund,
        Self::ReferenceLookup,
        Self::ReportsCaptured,
        Self::SignedWebhooks,
    ];

    /// The word in a rule: `partial_refund`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ManualCapture => "manual_capture",
            Self::Mandate => "mandate",
            Self::PartialCapture => "partial_capture",
            Self::Cancel => "cancel",
            Self::Refund => "refund",
            Self::PartialRefund => "partial_refund",
            Self::ReferenceLookup => "reference_lookup",
            Self::ReportsCaptured => "reports_captured",
            Self::SignedWebhooks => "signed_webhooks",
        }
    }

    /// Does an account that can do this have it?
    #[must_use]
    pub fn is_in(self, account: &Capabilities) -> bool {
        let captures = account.has(Operation::CapturePayment);
        let refunds = account.has(Operation::CreateRefund);
        match self {
            Self::ManualCapture => captures && account.capture != CaptureChoice::Automatic,
            Self::Mandate => account.mandates,
            Self::PartialCapture => captures && account.partial_capture,
            Self::Cancel => account.has(Operation::CancelPayment),
            Self::Refund => refunds,
            Self::PartialRefund => refunds && account.partial_refund,
            Self::ReferenceLookup => account.reference_lookup.is_some(),
            Self::ReportsCaptured => account.reports_captured,
            Self::SignedWebhooks => match account.webhook_trust {
                Trust::Unsigned => false,
                Trust::Signed | Trust::SignedFresh => true,
            },
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is known of a payment when its way is chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RouteFacts {
    /// How much, and in which currency.
    pub amount: Money,
    /// When the money is taken.
    pub capture: CaptureMethod,
    /// The payer's country: ISO 3166-1 alpha-2, in capitals.
    #[serde(default)]
    pub country: Option<String>,
    /// The way to pay, where the merchant chose one.
    #[serde(default)]
    pub method: Option<String>,
    /// Is it charged under a mandate?
    #[serde(default)]
    pub has_mandate: bool,
    /// The kinds of provider that it has options for: [`super::Router::kinds_in`].
    #[serde(default)]
    pub kinds: BTreeSet<String>,
    /// What else it needs. A mandate and a manual capture need not be said here again.
    #[serde(default)]
    pub needs: BTreeSet<Capability>,
    /// The merchant's own facts.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// May the amount be fixed by an object at the provider, with ours an expectation?
    #[serde(default)]
    pub accepts_provider_amount: bool,
}

impl RouteFacts {
    /// A payment of so much, captured automatically, that needs nothing else.
    #[must_use]
    pub fn new(amount: Money) -> Self {
        Self {
            amount,
            capture: CaptureMethod::Automatic,
            country: None,
            method: None,
            has_mandate: false,
            kinds: BTreeSet::new(),
            needs: BTreeSet::new(),
            metadata: BTreeMap::new(),
            accepts_provider_amount: false,
        }
    }

    /// Does the payment need this of an account?
    #[must_use]
    pub fn needs(&self, capability: Capability) -> bool {
        self.needs.contains(&capability)
            || match capability {
                Capability::ManualCapture => self.capture == CaptureMethod::Manual,
                Capability::Mandate => self.has_mandate,
                Capability::PartialCapture
                | Capability::Cancel
                | Capability::Refund
                | Capability::PartialRefund
                | Capability::ReferenceLookup
                | Capability::ReportsCaptured
                | Capability::SignedWebhooks => false,
            }
    }
}
