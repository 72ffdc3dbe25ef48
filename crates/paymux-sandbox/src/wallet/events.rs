//! Callbacks: a transaction has changed, and not by the client.

use jiff::Timestamp;
use serde_json::{Value, json};
use url::Url;

use super::objects::{Callback, Transaction};
use super::settings::CallbackForm;
use super::state::State;
use super::wire;
use crate::fault::replace_status;

/// The callbacks that are sent.
pub(super) const NAMES: [&str; 7] = [
    "callback.rejected",
    "callback.failed",
    "callback.reserved",
    "callback.confirmed",
    "callback.waiting_funds",
    "callback.waiting_registration",
    "callback.waiting_password",
];

/// A callback that is to be sent.
#[derive(Debug)]
pub(super) struct Event {
    /// What faults call it: `callback.` and the type.
    pub(super) name: String,
    pub(super) transaction_key: String,
    pub(super) at: Timestamp,
    /// The transaction's own URL; without one the project's counts.
    pub(super) url: Option<Url>,
    pub(super) form: CallbackForm,
    kind: &'static str,
    transaction: Value,
}

impl Event {
    /// Nothing for a transaction that wants no callbacks, or whose status has none.
    pub(super) fn new(state: &State, transaction: &Transaction, at: Timestamp) -> Option<Self> {
        let kind = transaction.status.callback()?;
        let url = match &transaction.terms.callback {
            Callback::Off => return None,
            Callback::Project => None,
            Callback::To(url) => Url::parse(url).ok(),
        };
        Some(Event {
            name: format!("callback.{kind}"),
            transaction_key: transaction.key.clone(),
            at,
            url,
            form: state.settings.callback_form,
            kind,
            transaction: wire::transaction(state, transaction),
        })
    }

    /// The bytes that are signed, or the body itself in the plain form; with another status if a
    /// fault wants one.
    pub(super) fn text(mut self, unknown_status: Option<&str>) -> String {
        if let Some(word) = unknown_status {
            let changed = replace_status(&self.transaction.to_string(), word);
            self.transaction = serde_json::from_str(&changed).unwrap_or_default();
            self.kind = "";
        }
        match self.form {
            CallbackForm::Plain => self.transaction.to_string(),
            CallbackForm::Signed => {
                let kind = unknown_status.unwrap_or(self.kind);
                let event =
                    json!({"type": kind, "object": "transaction", "data": self.transaction});
                // As PHP writes JSON; a slash occurs in strings only.
                event.to_string().replace('/', "\\/")
            }
        }
    }
}
