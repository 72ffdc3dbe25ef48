//! Webhooks: proved, kept, acknowledged; applied later, in any order, with the same end.

use paymux_core::{
    Effect, Error, EventKey, ProviderId, Result, Subject, Timestamp, Trust, WebhookDelivery,
    WebhookEvent,
};
use sha2::{Digest, Sha256};

use crate::{
    Orchestrator,
    engine::{Engine, unavailable},
    store::{InboxRow, ObjectKind, Received},
    telemetry,
};

/// The largest body that is read. No provider's webhook comes near it.
const LARGEST_BODY: usize = 256 * 1024;

impl Orchestrator {
    /// Takes a delivery of a webhook for an account. It is proved authentic and kept; what it says
    /// is applied by [`Orchestrator::step`]. Answer 200 with the text that this returns.
    ///
    /// # Errors
    /// `InvalidSignature` when it must not be believed: answer 401 and say nothing more.
    /// `InvalidResponse` when it is authentic and cannot be read: answer 400. `InvalidRequest`
    /// naming `body` when that is larger than 256 KiB: answer 413. `Unavailable` when
    /// it could not be kept: answer 503, and the provider sends it again.
    pub async fn ingest(
        &self,
        account: &ProviderId,
        delivery: &WebhookDelivery<'_>,
    ) -> Result<&'static str> {
        let known = self.0.account(account)?;
        if delivery.body.len() > LARGEST_BODY {
            telemetry::delivery_too_large(account);
            let message = format!("is larger than {LARGEST_BODY} bytes");
            return Err(Error::invalid_request("body", message).with_provider(account));
        }
        let events = known.provider.verify_webhook(delivery).inspect_err(|error| {
            telemetry::delivery_refused(account, error.kind());
        })?;
        let digest = hex::encode(Sha256::digest(delivery.body));
        let mut told = Vec::new();
        let mut rows = Vec::new();
        for event in &events {
            let row = inbox_row(account, event, &digest, delivery.received_at)?;
            if let Some(row) = self.0.unless_too_many(row, event).await? {
                rows.push(row);
                told.push(event);
            }
        }
        let kept = self.0.keep(rows).await?;
        for (received, event) in kept.iter().zip(told) {
            telemetry::event_received(account, *received);
            if *received == Received::Contradiction {
                telemetry::event_contradicts(account, &event.key);
                let row = inbox_row(account, event, &digest, delivery.received_at)?;
                self.0.keep_contradiction(row, event).await?;
            }
        }
        Ok(known.provider.capabilities().webhook_ack)
    }
}

impl Engine {
    /// What anybody could have sent about nothing that is known to be ours: it is tried once, when
    /// whatever was under way has ended, and only so many are kept at all. `None`: it is not kept.
    /// A payment of ours is looked at all the same, by its own times.
    async fn unless_too_many(
        &self,
        mut row: InboxRow,
        event: &WebhookEvent,
    ) -> Result<Option<Arriving>> {
        let is_strange = row.trust == Trust::Unsigned && !self.is_ours(&row, event).await?;
        let now = self.now();
        if is_strange && !self.hints.keeps_strangers(&row.account, now) {
            telemetry::event_not_kept(&row.account);
            return Ok(None);
        }
        if is_strange {
            row.due_at = now.after(self.settings.lost_after());
        }
        Ok(Some(Arriving { row, is_strange }))
    }

    /// Keeps them, and counts what is strange and was not there before.
    async fn keep(&self, arriving: Vec<Arriving>) -> Result<Vec<Received>> {
        let strange: Vec<Option<ProviderId>> =
            arriving.iter().map(|one| one.is_strange.then(|| one.row.account.clone())).collect();
        let rows = arriving.into_iter().map(|one| one.row).collect();
        let kept = self.store.receive(rows).await;
        let kept = kept.map_err(|error| unavailable(error, Effect::None))?;
        for (account, received) in strange.iter().zip(&kept) {
            if let (Some(account), Received::New) = (account, received) {
                self.hints.kept_stranger(account, self.now());
            }
        }
        Ok(kept)
    }

    /// An event came again under its key, and says something else: it is kept under a key of its
    /// own, as no more than a reason to look, and the merchant is told. Whoever reuses keys may be
    /// wrong about more.
    async fn keep_contradiction(&self, mut row: InboxRow, event: &WebhookEvent) -> Result<()> {
        let mut event = event.clone();
        let known = event.key.clone();
        event.key = EventKey::digest(format!("{known} {}", row.digest).as_bytes());
        event.trust = event.trust.min(Trust::Signed);
        (row.key, row.trust) = (event.key.clone(), event.trust);
        // It is not of the delivery that it came with: another event of that waits for another look.
        row.digest = event.key.as_str().to_owned();
        row.event = crate::draft::to_json(&event)?;
        let (account, is_told) = (row.account.clone(), row.trust != Trust::Unsigned);
        let Some(row) = self.unless_too_many(row, &event).await? else { return Ok(()) };
        self.keep(vec![row]).await?;
        // Once for each id, however often: nobody knows whether it was told when it was kept.
        if is_told {
            let id = format!("{account}:{}:contradiction", event.key);
            let document = serde_json::json!({
                "account": account,
                "key": known,
                "name": event.name,
                "subject": event.subject,
                "trust": event.trust,
            });
            self.tell_of_event(id, "webhook.contradiction", &document).await?;
        }
        Ok(())
    }

    async fn is_ours(&self, row: &InboxRow, event: &WebhookEvent) -> Result<bool> {
        let (kind, id) = match &event.subject {
            Subject::Payment(id) | Subject::Part { payment: Some(id), .. } => {
                (ObjectKind::Payment, id.as_str())
            }
            Subject::Part { id, payment: None } => (ObjectKind::Part, id.as_str()),
            Subject::Refund { id } => (ObjectKind::Refund, id.as_str()),
            Subject::Mandate { .. } | Subject::Other { .. } | _ => return Ok(false),
        };
        Ok(self.owner(row, kind, id).await?.is_some())
    }
}

/// An event on its way into the inbox.
struct Arriving {
    row: InboxRow,
    /// Anybody could have sent it, and it is about nothing that is known to be ours.
    is_strange: bool,
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
