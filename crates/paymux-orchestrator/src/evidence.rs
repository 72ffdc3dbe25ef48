//! What moved a payment: the cause that its history names, with what was seen.

use paymux_core::{EventKey, Payment, PaymentStatus, ProviderId, Refund, Trust};
use serde::{Deserialize, Serialize};

use crate::record::Fault;

/// What moved a payment. Kept in its history as it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cause")]
#[non_exhaustive]
pub enum Evidence {
    /// A merchant asked for something.
    Asked {
        /// For what.
        what: String,
    },
    /// An attempt is being sent.
    Sent {
        /// Which.
        attempt: u32,
        /// For the how manieth time.
        send: u32,
    },
    /// A provider answered a call that we made for an attempt.
    Reply {
        /// Which attempt.
        attempt: u32,
        /// What it said.
        said: Said,
    },
    /// A provider was asked for what it knows.
    Lookup {
        /// Which account.
        account: ProviderId,
        /// The attempt that is in doubt, if one is.
        attempt: Option<u32>,
        /// What it said.
        said: Said,
    },
    /// A provider told us.
    Webhook {
        /// Which account.
        account: ProviderId,
        /// The event.
        key: EventKey,
        /// Its name.
        name: String,
        /// How far it may be believed.
        trust: Trust,
        /// What the provider said when it was asked about it, or what the event itself says.
        said: Said,
    },
    /// A rule of ours decided.
    Rule {
        /// Which, in words.
        decision: String,
        /// The attempt it is about.
        attempt: Option<u32>,
    },
    /// A person decided.
    Person {
        /// Who, as they named themselves.
        who: String,
        /// What, and why.
        decision: String,
    },
}

impl Evidence {
    /// The word for the cause, as the history's column has it.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Asked { .. } => "asked",
            Self::Sent { .. } => "sent",
            Self::Reply { .. } => "reply",
            Self::Lookup { .. } => "lookup",
            Self::Webhook { .. } => "webhook",
            Self::Rule { .. } => "rule",
            Self::Person { .. } => "person",
        }
    }
}

/// What a provider said, short enough for a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum Said {
    /// A payment in this state.
    Payment {
        /// The provider's id.
        id: String,
        /// In our word.
        status: PaymentStatus,
        /// In the provider's.
        provider_status: String,
        /// What was taken, in words.
        captured: Option<String>,
        /// What was given back, in words.
        refunded: Option<String>,
    },
    /// A refund in this state.
    Refund {
        /// The provider's id, where it gives one.
        id: Option<String>,
        /// In our word.
        status: String,
        /// In the provider's.
        provider_status: String,
    },
    /// An error.
    Error {
        /// Which.
        fault: Box<Fault>,
    },
    /// That it does not know it.
    NotFound,
    /// Nothing about the payment itself.
    Nothing,
}

impl From<&Payment> for Said {
    fn from(payment: &Payment) -> Self {
        Self::Payment {
            id: payment.id.as_str().to_owned(),
            status: payment.status,
            provider_status: payment.provider_status.clone(),
            captured: payment.amounts.captured.map(|amount| amount.to_string()),
            refunded: payment.amounts.refunded.map(|amount| amount.to_string()),
        }
    }
}

impl From<&Refund> for Said {
    fn from(refund: &Refund) -> Self {
        Self::Refund {
            id: refund.id.as_ref().map(|id| id.as_str().to_owned()),
            status: refund.status.as_str().to_owned(),
            provider_status: refund.provider_status.clone(),
        }
    }
}

impl From<&Fault> for Said {
    fn from(fault: &Fault) -> Self {
        Self::Error { fault: Box::new(fault.clone()) }
    }
}
