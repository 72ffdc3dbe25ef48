//! Webhooks: an envelope with one member, in two shapes that only the endpoint tells apart.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use super::objects::{Invoice, Kind, Payment};
use super::settings::CheckoutWebhooks;
use super::state::State;
use super::wire::{self, Members};
use crate::fault::replace_status;

/// What faults call the webhooks: one for each shape and status.
pub(super) const NAMES: [&str; 18] = [
    "platform.pending",
    "platform.processing",
    "platform.authorized",
    "platform.succeeded",
    "platform.failed",
    "platform.canceled",
    "platform.expired",
    "platform.partially_refunded",
    "platform.refunded",
    "external.pending",
    "external.processing",
    "external.authorized",
    "external.succeeded",
    "external.failed",
    "external.canceled",
    "external.expired",
    "external.partially_refunded",
    "external.refunded",
];

/// Endpoints of their own for the two shapes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WebhookUrls {
    pub(super) platform: Option<Url>,
    pub(super) external: Option<Url>,
}

/// A payment has changed, and the merchant is told.
#[derive(Debug)]
pub(super) struct Event {
    /// What faults call it: the shape and the status.
    pub(super) name: String,
    pub(super) payment_id: String,
    pub(super) at: Timestamp,
    /// The endpoint of its shape; without one, that of all counts.
    pub(super) url: Option<Url>,
    body: String,
}

impl Event {
    /// Nothing for a payment that no webhook is for.
    pub(super) fn new(
        state: &State,
        invoice: &Invoice,
        payment: &Payment,
        at: Timestamp,
    ) -> Option<Self> {
        let external = match (payment.kind, state.settings.checkout_webhooks) {
            (Kind::Platform, _) | (Kind::Checkout, CheckoutWebhooks::Platform) => false,
            (Kind::External, _) | (Kind::Checkout, CheckoutWebhooks::External) => true,
            (Kind::Checkout, CheckoutWebhooks::Off) => return None,
        };
        let settings = &state.settings;
        let mut payload = Members::default();
        payload.put("paymentId", &payment.id);
        payload.put("invoiceId", &invoice.id);
        payload.put("status", settings.words.of(payment.status));
        payload.put("amount", &wire::amount(settings, invoice.amount));
        payload.put("currency", &invoice.currency);
        payload.put("paymentDate", &payment.ended_at.map(|at| wire::date(settings, at)));
        if let (true, Some(text)) = (external, &payment.external_data) {
            payload.put("externalData", text);
        }
        let mut body = Members::default();
        body.put("payload", &payload);
        let (shape, url) = if external {
            ("external", &state.webhook_urls.external)
        } else {
            ("platform", &state.webhook_urls.platform)
        };
        Some(Event {
            name: format!("{shape}.{}", payment.status.name()),
            payment_id: payment.id.clone(),
            at,
            url: url.clone(),
            body: wire::text(&body),
        })
    }

    /// The body, with another status if a fault wants one.
    pub(super) fn body(&self, unknown_status: Option<&str>) -> String {
        match unknown_status {
            Some(word) => replace_status(&self.body, word),
            None => self.body.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::status::Status;
    use super::NAMES;

    #[test]
    fn every_shape_and_status_has_its_webhook() {
        let names = ["platform", "external"]
            .iter()
            .flat_map(|shape| Status::ALL.map(|(_, name)| format!("{shape}.{name}")));
        assert_eq!(NAMES.to_vec(), names.collect::<Vec<_>>());
    }
}
