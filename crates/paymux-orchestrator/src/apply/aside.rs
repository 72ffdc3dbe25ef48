//! What is not applied: it waits, is left, or the merchant is told of it.

use paymux_core::{Effect, Error, Result, Trust, WebhookEvent};

use super::{Applied, read_event, wait};
use crate::{
    PaymentId,
    engine::{Engine, unavailable},
    hints::Heed,
    store::{InboxOutcome, InboxRow, OutboxRow},
    telemetry,
};

impl Engine {
    /// It waits, for a day at most: then the merchant is told of it, and it rests.
    pub(super) async fn not_applied(&self, row: &InboxRow, error: &Error) -> Result<InboxOutcome> {
        telemetry::event_waits(&row.account, &row.key, error);
        let now = self.now();
        if now.since(row.received_at) < self.settings.unmatched_for {
            return Ok(InboxOutcome::Later(now.after(wait(row.tries))));
        }
        match read_event(row) {
            Ok(event) => {
                self.hand_on(row, &event, "webhook.not_applied").await?;
            }
            // Written by another version: what it says is lost, and that is told.
            Err(_) => {
                let id = format!("{}:{}", row.account, row.key);
                let document = serde_json::json!({
                    "account": row.account, "key": row.key, "trust": row.trust,
                });
                self.tell_of_event(id, "webhook.not_applied", &document).await?;
            }
        }
        Ok(InboxOutcome::Unmatched)
    }

    /// What anybody could have sent makes us look only now and then, whatever of the payment it is
    /// about. `None`: now.
    pub(super) fn heed(&self, row: &InboxRow, owner: &PaymentId, about: &str) -> Option<Applied> {
        if row.trust != Trust::Unsigned {
            return None;
        }
        match self.hints.heed(owner, about, row.received_at, self.now()) {
            Heed::Look => None,
            Heed::Seen => Some(Applied::As(InboxOutcome::Stale)),
            Heed::Later(moment) => Some(Applied::As(InboxOutcome::Later(moment))),
        }
    }

    /// Nothing of ours, as far as is known yet: what it is about may be written down any moment.
    pub(super) async fn unmatched(&self, row: &InboxRow, event: &WebhookEvent) -> Result<Applied> {
        // It was put off until whatever was under way had ended, and nobody can be told who said it.
        if row.trust == Trust::Unsigned {
            return Ok(Applied::As(InboxOutcome::Unmatched));
        }
        let now = self.now();
        if now.since(row.received_at) < self.settings.unmatched_for {
            return Ok(Applied::As(InboxOutcome::Later(now.after(wait(row.tries)))));
        }
        self.hand_on(row, event, "webhook.unmatched").await?;
        Ok(Applied::As(InboxOutcome::Unmatched))
    }

    /// The merchant is told of an event that is about no payment.
    pub(super) async fn hand_on(
        &self,
        row: &InboxRow,
        event: &WebhookEvent,
        kind: &str,
    ) -> Result<Applied> {
        let document = serde_json::json!({
            "account": row.account,
            "name": event.name,
            "subject": event.subject,
            "trust": event.trust,
        });
        self.tell_of_event(format!("{}:{}", row.account, row.key), kind, &document).await?;
        Ok(Applied::As(InboxOutcome::HandedOn))
    }

    /// Tells the merchant of an event that belongs to no change of a payment.
    pub(crate) async fn tell_of_event(
        &self,
        id: String,
        kind: &str,
        document: &serde_json::Value,
    ) -> Result<()> {
        let outbox = OutboxRow {
            id,
            payment: None,
            version: 0,
            kind: kind.to_owned(),
            at: self.now(),
            document: document.to_string(),
        };
        let added = self.store.add_event(outbox).await;
        added.map_err(|error| unavailable(error, Effect::None))
    }
}
