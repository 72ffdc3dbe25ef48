//! What moved a payment: the cause that its history names, with what was seen.

use std::{fmt, ops::Not};

use paymux_core::{Effect, ErrorKind, EventKey, Payment, PaymentStatus, ProviderId, Refund, Trust};
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
    /// An attempt was kept back: nothing of it left us.
    NotSent {
        /// Which.
        attempt: u32,
        /// Why.
        why: Box<Fault>,
    },
    /// A provider answered a call that we made for an attempt, or nothing came back.
    Reply {
        /// Which attempt.
        attempt: u32,
        /// What it said.
        said: Said,
    },
    /// A provider was asked for what it knows, or could not be.
    Lookup {
        /// Which account.
        account: ProviderId,
        /// The attempt that it was to tell of, if it was to tell of one: one in doubt, one that was
        /// given up, a refund.
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
        /// Was the provider asked about it?
        #[serde(default)]
        asked: bool,
        /// What the provider said when it was asked, or else what the event itself says.
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
        /// What the provider said when it was asked about it, where it could be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<Said>,
    },
}

impl Evidence {
    /// The word for the cause, as the history's column has it.
    #[must_use]
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Asked { .. } => "asked",
            Self::Sent { .. } => "sent",
            Self::NotSent { .. } => "not_sent",
            Self::Reply { .. } => "reply",
            Self::Lookup { .. } => "lookup",
            Self::Webhook { .. } => "webhook",
            Self::Rule { .. } => "rule",
            Self::Person { .. } => "person",
        }
    }

    /// The same, of a change that was refused: what a person decided then is not so.
    pub(crate) fn not_taken_over(mut self, why: &str) -> Self {
        if let Self::Person { decision, .. } = &mut self {
            decision.push_str("; that was not taken over, since ");
            decision.push_str(why);
        }
        self
    }
}

/// A sentence without its end, for a person on call: `attempt 2 was sent`.
impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked { what } => write!(f, "the merchant asked for {what}"),
            Self::Sent { attempt, send: 1 } => write!(f, "attempt {attempt} was sent"),
            Self::Sent { attempt, send } => write!(
                f,
                "attempt {attempt} was sent again, for the {send}. time, with the same key"
            ),
            Self::NotSent { attempt, why } => {
                write!(f, "attempt {attempt} did not leave: {}", why.message)
            }
            Self::Reply { attempt, said } if said.is_silence() => {
                write!(f, "no answer to attempt {attempt}: {said}")
            }
            Self::Reply { attempt, said } => write!(f, "the answer to attempt {attempt}: {said}"),
            Self::Lookup { account, said, .. } if said.is_unasked() => {
                write!(f, "{account} could not be asked: {said}")
            }
            Self::Lookup { account, said, .. } => write!(f, "{account} was asked: {said}"),
            Self::Webhook { account, name, trust, asked, said, .. } => {
                let asked = if *asked { ", and when asked" } else { "" };
                write!(f, "{account} told us \"{name}\" ({trust}){asked}: {said}")
            }
            Self::Rule { decision, attempt: Some(no) } => write!(f, "attempt {no}: {decision}"),
            Self::Rule { decision, attempt: None } => write!(f, "{decision}"),
            Self::Person { who, decision, said: None } => write!(f, "{who} decided: {decision}"),
            Self::Person { who, decision, said: Some(said) } => {
                write!(f, "{who} decided: {decision}; its provider was asked: {said}")
            }
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
        #[serde(default, skip_serializing_if = "Option::is_none")]
        captured: Option<String>,
        /// What was given back, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refunded: Option<String>,
        /// What disputes took back, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        charged_back: Option<String>,
        /// Some went back, and it does not say how much.
        #[serde(default, skip_serializing_if = "Not::not")]
        given_back_unstated: bool,
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

impl Said {
    /// Did nothing come back that a provider said?
    fn is_silence(&self) -> bool {
        let Self::Error { fault } = self else { return false };
        fault.http_status.is_none()
            && matches!(fault.kind, ErrorKind::Timeout | ErrorKind::Unavailable)
    }

    /// Did the question not leave?
    fn is_unasked(&self) -> bool {
        matches!(self, Self::Error { fault } if fault.offered == Some(false))
    }
}

/// In words, for a person on call.
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payment {
                id,
                status,
                provider_status,
                captured,
                refunded,
                charged_back,
                given_back_unstated,
            } => {
                write!(f, "{id} is {status} (\"{provider_status}\")")?;
                let figures =
                    [(captured, "taken"), (refunded, "given back"), (charged_back, "charged back")];
                for (figure, what) in figures {
                    if let Some(figure) = figure {
                        write!(f, ", {figure} {what}")?;
                    }
                }
                if *given_back_unstated {
                    write!(f, ", some went back, and it does not say how much")?;
                }
                Ok(())
            }
            Self::Refund { status, provider_status, .. } => {
                write!(f, "the refund is {status} (\"{provider_status}\")")
            }
            Self::Error { fault } => {
                let effect = match fault.effect {
                    Effect::None => "nothing was done by it",
                    Effect::Possible => "it may have been done all the same",
                };
                write!(f, "{}; {effect}", fault.message)
            }
            Self::NotFound => write!(f, "it does not know it"),
            Self::Nothing => write!(f, "nothing new"),
        }
    }
}

impl From<&Payment> for Said {
    fn from(payment: &Payment) -> Self {
        Self::Payment {
            id: payment.id.as_str().to_owned(),
            status: payment.status,
            provider_status: payment.provider_status.clone(),
            captured: payment.amounts.captured.map(|amount| amount.to_string()),
            refunded: payment.amounts.refunded.map(|amount| amount.to_string()),
            charged_back: payment.amounts.charged_back.map(|amount| amount.to_string()),
            given_back_unstated: payment.amounts.given_back_unstated,
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

#[cfg(test)]
mod tests;
