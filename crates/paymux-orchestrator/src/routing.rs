//! Which way a payment goes: rules, as data, read and checked before any payment relies on them.
//!
//! Pure: nothing here asks a provider, a store or a clock. The first rule whose conditions hold
//! takes the payment and orders its accounts. Whether an account can do the payment at all, no
//! rule can overrule: see [`Unfit`].
//!
#![doc = concat!("```toml\n", include_str!("routing/example.toml"), "```")]
//!
//! A rule's `when` can name `currency`, `country`, `method` and provider `kind` (the payment has
//! options for one of these), each one word or a list; `amount`, a range or a list of ranges with
//! `min` and `max` included; `metadata`, values by key; and `capability`, all of which the payment
//! needs: see [`Capability`]. What is not named matches everything.
//!
//! The same in JSON: the top level is an object, `rule` a list of objects, figures are texts.

use std::collections::{BTreeMap, BTreeSet};

use paymux_core::{Capabilities, Options, ProviderId};

mod check;
mod coverage;
mod document;
mod facts;
mod fault;
mod fees;
mod plan;
mod read;
mod rule;

pub use facts::{Capability, RouteFacts};
pub use fault::{RouteFault, RouteFaults};
pub use plan::{Candidate, Chosen, RefusedAccount, RoutePlan, Unfit};
pub use rule::Elsewhere;

use coverage::Left;
use fault::Faults;
use fees::Fee;
use read::Read;
use rule::Rule;

/// An account that rules can name.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// Its name.
    pub id: &'a ProviderId,
    /// What it can do.
    pub capabilities: &'a Capabilities,
}

/// Rules as they were read. They route nothing before [`Routes::check`] has found them right.
#[derive(Clone, Debug)]
pub struct Routes(Read);

impl Routes {
    /// Reads rules in TOML. What is wrong with them is said by [`Routes::check`], all at once.
    ///
    /// # Errors
    /// When the text is no TOML, so that nothing else can be said of it.
    pub fn from_toml(text: &str) -> Result<Self, RouteFaults> {
        Self::read(text, document::from_toml)
    }

    /// Reads rules in JSON. What is wrong with them is said by [`Routes::check`], all at once.
    ///
    /// # Errors
    /// When the text is no JSON, or names a member of an object twice, so that nothing else can be
    /// said of it.
    pub fn from_json(text: &str) -> Result<Self, RouteFaults> {
        Self::read(text, document::from_json)
    }

    fn read(
        text: &str,
        parse: fn(&str, &mut Faults) -> Option<document::Node>,
    ) -> Result<Self, RouteFaults> {
        let mut faults = Faults::new(text);
        let root = parse(text, &mut faults);
        faults.clone().into_result()?;
        Ok(Self(read::read(root.as_ref(), faults)))
    }

    /// Checks the rules against themselves and the accounts there are.
    ///
    /// # Errors
    /// Everything that is wrong: members that mean nothing or do not fit, accounts that are not
    /// there or cannot do what their rule is for, fees that are missing or not comparable, and
    /// rules that are never reached.
    pub fn check(&self, accounts: &[Account<'_>]) -> Result<Router, RouteFaults> {
        check::check(&self.0, accounts)
    }
}

/// Rules that were found right, ready to route: [`Router::plan`]. A dry run is a plan, printed.
#[derive(Clone, Debug)]
pub struct Router {
    rules: Vec<Rule>,
    accounts: BTreeMap<ProviderId, Capabilities>,
    fees: BTreeMap<ProviderId, Fee>,
    paused: BTreeSet<ProviderId>,
}

impl Router {
    /// The names of the rules, in order.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.name.as_str())
    }

    /// The kinds of provider, among those that an account is of, that these options are for:
    /// [`RouteFacts::kinds`].
    #[must_use]
    pub fn kinds_in(&self, options: &Options) -> BTreeSet<String> {
        let kinds = self.accounts.values().map(|account| account.kind);
        kinds.filter(|kind| options.has(kind)).map(str::to_owned).collect()
    }

    /// Is this account paused, everywhere or in this rule? A payment that was routed before keeps
    /// its way, and leaves out what was paused since.
    #[must_use]
    pub fn is_paused(&self, account: &ProviderId, rule: &str) -> bool {
        let in_rule = |known: &Rule| {
            known.name == rule && known.paused.iter().any(|paused| paused.id == *account)
        };
        self.paused.contains(account) || self.rules.iter().any(in_rule)
    }

    /// A payment that this rule takes, and none before it; `None` when there is no such rule. It
    /// has and needs no more than the rule asks for.
    ///
    /// Also `None` where the rules before it overlap in so many ways that the search was given up.
    #[must_use]
    pub fn example(&self, rule: &str) -> Option<RouteFacts> {
        let place = self.rules.iter().position(|known| known.name == rule)?;
        let earlier: Vec<_> = self.rules[..place].iter().map(|known| &known.when).collect();
        match coverage::left(&self.rules[place].when, &earlier) {
            Left::Payment(facts) => Some(*facts),
            Left::Nothing | Left::Unknown => None,
        }
    }
}
