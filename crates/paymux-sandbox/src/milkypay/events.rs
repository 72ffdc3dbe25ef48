//! Callbacks: the private resource, sent on creation and whenever the status changes.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::objects::Invoice;
use super::private::{self, Shown};
use super::state::State;
use super::wire::Style;

/// What faults call the callbacks: one for each status.
pub(super) const NAMES: [&str; 19] = [
    "callback.created",
    "callback.process_pending",
    "callback.processing",
    "callback.process_error",
    "callback.processed",
    "callback.partially_processed",
    "callback.process_failed",
    "callback.expired",
    "callback.terminated",
    "callback.verified",
    "callback.verify_failed",
    "callback.refunding",
    "callback.refund_pending",
    "callback.refund_error",
    "callback.partially_refunded",
    "callback.refunded",
    "callback.refund_failed",
    "callback.charged_back",
    "callback.partially_charged_back",
];

/// An invoice has changed, and the merchant is told.
#[derive(Debug)]
pub(super) struct Event {
    /// What faults call it: `callback.` and the status.
    pub(super) name: String,
    pub(super) invoice_id: String,
    pub(super) test_mode: bool,
    pub(super) at: Timestamp,
    /// The invoice's own URL; without one the account's counts.
    pub(super) url: Option<Url>,
    body: Vec<u8>,
    style: Style,
}

impl Event {
    pub(super) fn new(state: &State, invoice: &Invoice, at: Timestamp) -> Self {
        #[derive(Serialize)]
        struct Body<D: Serialize, I: Serialize> {
            data: D,
            #[serde(skip_serializing_if = "Option::is_none")]
            included: Option<I>,
        }
        let style = Style::of(&state.settings);
        let included =
            state.settings.internal_callback_data.then(|| private::included(invoice, style));
        let data = private::invoice(state, invoice, &Shown::Callback);
        Event {
            name: format!("callback.{}", invoice.status.word()),
            invoice_id: invoice.id.clone(),
            test_mode: invoice.test_mode,
            at,
            url: invoice.callback_url.as_deref().and_then(|url| Url::parse(url).ok()),
            body: style.write(&Body { data, included }),
            style,
        }
    }

    /// The body, with another status if a fault wants one.
    pub(super) fn body(self, unknown_status: Option<&str>) -> Vec<u8> {
        match (unknown_status, serde_json::from_slice::<Value>(&self.body)) {
            (Some(word), Ok(mut body)) => {
                body["data"]["attributes"]["status"] = word.into();
                self.style.write(&body)
            }
            _ => self.body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::NAMES;

    #[test]
    fn every_status_has_its_callback() {
        assert_eq!(NAMES.to_vec(), Status::ALL.map(|(_, word)| format!("callback.{word}")));
    }
}
