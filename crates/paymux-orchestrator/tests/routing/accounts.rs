//! The accounts of `accounts.toml`.

use std::{collections::BTreeMap, time::Duration};

use paymux_core::{
    AmountSource, Capabilities, CaptureChoice, Currencies, Currency, Operation, ProviderId, Replay,
    Trust,
};
use paymux_orchestrator::{PaymentId, routing::Account};
use serde::Deserialize;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Capture {
    Automatic,
    Manual,
    PerRequest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    kind: String,
    #[serde(default)]
    live: bool,
    #[serde(default = "yes")]
    opens: bool,
    currencies: Option<Vec<Currency>>,
    #[serde(default = "automatic")]
    capture: Capture,
    amount: Option<String>,
    #[serde(default)]
    operations: Vec<Operation>,
    #[serde(default)]
    mandates: bool,
    #[serde(default)]
    partial_refund: bool,
    #[serde(default)]
    reference_lookup: bool,
    webhooks: Option<Trust>,
}

fn yes() -> bool {
    true
}

fn automatic() -> Capture {
    Capture::Automatic
}

impl Stated {
    fn capabilities(self) -> Capabilities {
        let mut account = Capabilities::new(self.kind.leak(), self.live);
        if !self.opens {
            account.replay.clear();
        }
        for operation in self.operations {
            account.replay.insert(operation, Replay::LookupFirst);
        }
        if let Some(currencies) = self.currencies {
            account.currencies = Currencies::Only(currencies.into_iter().collect());
        }
        account.capture = match self.capture {
            Capture::Automatic => CaptureChoice::Automatic,
            Capture::Manual => CaptureChoice::Manual,
            Capture::PerRequest => CaptureChoice::PerRequest,
        };
        account.amount = match self.amount.as_deref() {
            None => AmountSource::Request,
            Some("provider_object") => AmountSource::ProviderObject,
            Some(other) => panic!("unknown amount source {other}"),
        };
        account.mandates = self.mandates;
        account.partial_refund = self.partial_refund;
        account.reference_lookup = self.reference_lookup.then_some(Duration::from_secs(60));
        account.webhook_trust = self.webhooks.unwrap_or(account.webhook_trust);
        account
    }
}

/// Accounts, by name.
pub(crate) struct Accounts(BTreeMap<ProviderId, Capabilities>);

impl Accounts {
    /// Those of the file.
    pub(crate) fn read() -> Self {
        let stated: BTreeMap<ProviderId, Stated> =
            toml::from_str(include_str!("accounts.toml")).unwrap();
        Self(stated.into_iter().map(|(id, stated)| (id, stated.capabilities())).collect())
    }

    /// As rules are checked against them.
    pub(crate) fn list(&self) -> Vec<Account<'_>> {
        self.0.iter().map(|(id, capabilities)| Account { id, capabilities }).collect()
    }
}

/// The id of a payment, made of a number.
pub(crate) fn payment(number: u64) -> PaymentId {
    format!("pay_{number:026}").parse().unwrap()
}
