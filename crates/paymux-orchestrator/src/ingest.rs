//! Webhooks: proved, kept, acknowledged; applied later, in any order, with the same end.

use paymux_core::{Effect, ProviderId, Result, Timestamp, WebhookDelivery, WebhookEvent};
use sha2::{Digest, Sha256};

use crate::{
    Orchestrator,
    engine::unavailable,
    store::{InboxRow, Received},
    telemetry,
};

impl Orchestrator {
    /// Takes a delivery of a webhook for an account. It is proved authentic and kept; what it says
    /// is applied by [`Orchestrator::step`]. Answer 200 with the text that this returns.
    ///
    /// # Errors
    /// `InvalidSignature` when it must not be believed: answer 401 and say nothing more.
    /// `InvalidResponse` when it is authentic and cannot be read: answer 400. `Unavailable` when
    /// it could not be kept: answer 503, and the provider sends it again.
    pub async fn ingest(
        &self,
        account: &ProviderId,
        delivery: &WebhookDelivery<'_>,
    ) -> Result<&'static str> {
        let known = self.0.account(account)?;
        let events = known.provider.verify_webhook(delivery).inspect_err(|error| {
            telemetry::delivery_refused(account, error.kind());
        })?;
        let digest = hex::encode(Sha256::digest(delivery.body));
        let rows = events
            .iter()
            .map(|event| inbox_row(account, event, &digest, delivery.received_at))
            .collect::<Result<Vec<_>>>()?;
        let kept = self.0.store.receive(rows).await;
        let kept = kept.map_err(|error| unavailable(error, Effect::None))?;
        for (received, event) in kept.iter().zip(&events) {
            telemetry::event_received(account, *received);
            if *received == Received::Contradiction {
                telemetry::event_contradicts(account, &event.key);
            }
        }
        Ok(known.provider.capabilities().webhook_ack)
    }
}

fn inbox_row(
    account: &ProviderId,
    event: &WebhookEvent,
    digest: &str,
    received_at: Timestamp,
) -> Result<InboxRow> {
    Ok(InboxRow {
        account: account.clone(),
        key: event.key.clone(),
        trust: event.trust,
        event: crate::draft::to_json(event)?,
        digest: digest.to_owned(),
        received_at,
        tries: 0,
        due_at: received_at,
    })
}
