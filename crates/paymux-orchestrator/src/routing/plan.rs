//! The way of one payment.

use std::{cmp::Reverse, fmt};

use paymux_core::{AmountSource, Capabilities, CaptureChoice, Currency, Operation, ProviderId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Router,
    facts::{Capability, RouteFacts},
    rule::{Elsewhere, Named, Rule, Selection},
};
use crate::ids::PaymentId;

/// Which accounts to try for a payment, in order, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoutePlan {
    /// The rule that took the payment; none when no rule did.
    pub rule: Option<String>,
    /// The accounts to try, the first first. None is left when the payment cannot be made: nothing
    /// was sent then.
    pub candidates: Vec<Candidate>,
    /// The accounts of the rule that cannot be tried.
    pub refused: Vec<RefusedAccount>,
    /// May a decline be tried at the next account?
    pub elsewhere: Elsewhere,
}

/// An account to try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Candidate {
    /// Which.
    pub account: ProviderId,
    /// The rule that named it.
    pub rule: String,
    /// Why it stands where it stands.
    pub why: Chosen,
}

/// Why an account stands where it stands among the candidates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Chosen {
    /// The rule lists it in this place, from 1.
    Listed(usize),
    /// It was drawn, with so many shares.
    Drawn {
        /// Its own shares.
        weight: u32,
        /// Those of all accounts of the rule.
        of: u64,
    },
    /// It charges so much, exactly: `0.425 EUR`.
    Costs(String),
}

/// An account that cannot be tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RefusedAccount {
    /// Which.
    pub account: ProviderId,
    /// Why not.
    pub why: Unfit,
}

/// Why an account cannot be tried for a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unfit {
    /// It is paused.
    Paused,
    /// It opens no payments.
    OpensNone,
    /// It does not take the currency.
    Currency(Currency),
    /// It lacks something that the payment needs.
    Lacks(Capability),
    /// It only holds money, and cannot take it afterwards.
    OnlyHolds,
    /// An object at the provider fixes the amount, and the payment names none.
    NoOptions(String),
    /// An object at the provider fixes the amount, and the payment's must not change.
    FixesAmount,
    /// What it charges for this amount is beyond what can be held.
    CostUnknown,
}

impl Router {
    /// Which way a payment goes. The same facts and the same payment always go the same way, on
    /// every node and after every restart.
    #[must_use]
    pub fn plan(&self, facts: &RouteFacts, payment: &PaymentId) -> RoutePlan {
        let Some(rule) = self.rules.iter().find(|rule| rule.when.match_facts(facts)) else {
            return RoutePlan {
                rule: None,
                candidates: Vec::new(),
                refused: Vec::new(),
                elsewhere: Elsewhere::Never,
            };
        };
        let (mut candidates, mut refused) = (Vec::new(), Vec::new());
        let ordered = match &rule.selection {
            Selection::Listed(accounts) => listed(accounts),
            Selection::Shared(accounts) => drawn(accounts, payment, &rule.name),
            Selection::Cheapest(accounts) => self.by_cost(accounts, facts),
        };
        for (named, why) in ordered {
            let account = named.id.clone();
            match (self.unfit(rule, &named.id, facts), why) {
                (Some(why), _) => refused.push(RefusedAccount { account, why }),
                (None, Some(why)) => {
                    candidates.push(Candidate { account, rule: rule.name.clone(), why });
                }
                (None, None) => {
                    refused.push(RefusedAccount { account, why: Unfit::CostUnknown });
                }
            }
        }
        RoutePlan { rule: Some(rule.name.clone()), candidates, refused, elsewhere: rule.elsewhere }
    }

    /// Accounts with what they charge, the least first; in the order of the rule where costs are
    /// the same. One whose cost cannot be computed comes with none.
    fn by_cost<'a>(
        &self,
        accounts: &'a [Named],
        facts: &RouteFacts,
    ) -> Vec<(&'a Named, Option<Chosen>)> {
        let priced = accounts.iter().map(|named| {
            let cost = self.fees.get(&named.id).and_then(|fee| fee.cost(facts.amount));
            (named, cost)
        });
        let mut priced: Vec<_> = priced.collect();
        priced.sort_by_key(|(_, cost)| cost.map_or((true, 0), |cost| (false, cost.parts())));
        let why = |(named, cost): (&'a Named, Option<super::fees::Cost>)| {
            (named, cost.map(|cost| Chosen::Costs(cost.to_string())))
        };
        priced.into_iter().map(why).collect()
    }

    fn unfit(&self, rule: &Rule, id: &ProviderId, facts: &RouteFacts) -> Option<Unfit> {
        if self.paused.contains(id) || rule.paused.iter().any(|paused| paused.id == *id) {
            return Some(Unfit::Paused);
        }
        // Every account of a rule was there when the rules were checked.
        self.accounts.get(id).map_or(Some(Unfit::OpensNone), |account| unfit(account, facts))
    }
}

/// What rules cannot overrule: can the account do this payment at all?
fn unfit(account: &Capabilities, facts: &RouteFacts) -> Option<Unfit> {
    let currency = facts.amount.currency();
    if !account.has(Operation::CreatePayment) {
        return Some(Unfit::OpensNone);
    }
    if !account.currencies.contains(currency) {
        return Some(Unfit::Currency(currency));
    }
    let mut needed = Capability::ALL.into_iter().filter(|capability| facts.needs(*capability));
    if let Some(lacked) = needed.find(|capability| !capability.is_in(account)) {
        return Some(Unfit::Lacks(lacked));
    }
    // Where the account holds first and the merchant wants the money at once, the orchestrator
    // captures; it has to be able to.
    if account.capture == CaptureChoice::Manual && !account.has(Operation::CapturePayment) {
        return Some(Unfit::OnlyHolds);
    }
    match account.amount {
        AmountSource::Request => None,
        AmountSource::ProviderObject if !facts.kinds.contains(account.kind) => {
            Some(Unfit::NoOptions(account.kind.to_owned()))
        }
        AmountSource::ProviderObject if !facts.accepts_provider_amount => Some(Unfit::FixesAmount),
        AmountSource::ProviderObject => None,
    }
}

fn listed(accounts: &[Named]) -> Vec<(&Named, Option<Chosen>)> {
    let places = accounts.iter().enumerate();
    places.map(|(index, named)| (named, Some(Chosen::Listed(index + 1)))).collect()
}

/// Draws all accounts, one after the other, by weight. Drawing goes on to the last, so that the
/// traffic of an account that is paused or down is shared among the others by their weights, and
/// every payment that another account would have got anyway stays there. Accounts of weight 0 come
/// last, in the order of their ids.
fn drawn<'a>(
    accounts: &'a [(Named, u32)],
    payment: &PaymentId,
    rule: &str,
) -> Vec<(&'a Named, Option<Chosen>)> {
    let of: u64 = accounts.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let mut left: Vec<&(Named, u32)> = accounts.iter().collect();
    // The order of the file must not matter to which account a payment draws.
    left.sort_by_key(|(named, weight)| (Reverse(*weight), named.id.clone()));
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let index = draw(&left, payment, rule, order.len());
        let (named, weight) = left.remove(index);
        order.push((named, Some(Chosen::Drawn { weight: *weight, of })));
    }
    order
}

/// The place of the account that a payment draws in this round.
fn draw(left: &[&(Named, u32)], payment: &PaymentId, rule: &str, round: usize) -> usize {
    let total: u64 = left.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let mut digest = Sha256::new();
    digest.update(payment.as_str());
    digest.update([0]);
    digest.update(rule);
    digest.update([0]);
    digest.update(round.to_string());
    let ticket = digest.finalize().iter().take(8).fold(0, |sum, byte| sum << 8 | u128::from(*byte));
    // The ticket is 64 bits wide; this scales it to the weights evenly.
    let mut ticket = (ticket * u128::from(total)) >> 64;
    for (index, (_, weight)) in left.iter().enumerate() {
        let weight = u128::from(*weight);
        if ticket < weight {
            return index;
        }
        ticket -= weight;
    }
    // All weights are 0.
    0
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed(place) => write!(f, "number {place} of the list"),
            Self::Drawn { weight, of } => write!(f, "drawn with {weight} of {of} shares"),
            Self::Costs(cost) => write!(f, "costs {cost}"),
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused => f.write_str("is paused"),
            Self::OpensNone => f.write_str("opens no payments"),
            Self::Currency(currency) => write!(f, "does not take {currency}"),
            Self::Lacks(Capability::ManualCapture) => f.write_str("cannot hold money first"),
            Self::Lacks(Capability::Mandate) => f.write_str("takes no mandates"),
            Self::Lacks(capability) => write!(f, "lacks {capability}"),
            Self::OnlyHolds => f.write_str("holds money and cannot take it afterwards"),
            Self::NoOptions(kind) => {
                write!(f, "fixes the amount itself, and the payment has no {kind} options")
            }
            Self::FixesAmount => f.write_str("fixes the amount itself, and this one is ours"),
            Self::CostUnknown => f.write_str("charges more than can be computed"),
        }
    }
}

/// A few lines for a person: the rule, who is tried in which order and why, who is not and why,
/// and what happens after a decline.
impl fmt::Display for RoutePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(rule) = &self.rule else {
            return f.write_str("no rule takes this payment, so it goes nowhere");
        };
        match self.candidates.first() {
            Some(first) => write!(f, "rule `{rule}`: goes to {}", first.account)?,
            None => write!(f, "rule `{rule}`: goes nowhere, since no account can take it")?,
        }
        for (index, Candidate { account, why, .. }) in self.candidates.iter().enumerate() {
            write!(f, "\n  {}. {account}: {why}", index + 1)?;
        }
        for RefusedAccount { account, why } in &self.refused {
            write!(f, "\n  not {account}: {why}")?;
        }
        match (self.candidates.len(), self.elsewhere) {
            (0 | 1, _) => Ok(()),
            (_, Elsewhere::SoftDeclines) => {
                f.write_str("\n  after a soft decline the next account is tried")
            }
            (_, Elsewhere::Never) => f.write_str("\n  a decline ends the payment"),
        }
    }
}
