//! What the merchant is told, read by cursor.

use paymux_core::{Effect, Result, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::{Orchestrator, PaymentId, engine::unavailable};

/// Something that happened, as the merchant reads it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// Where it stands: read on from here.
    pub position: u64,
    /// Unique: the same when it is read twice.
    pub id: String,
    /// What happened: `payment.succeeded`, `refund.failed`, `payment.review`.
    pub kind: String,
    /// The payment it is about; none for a webhook that is about no payment.
    pub payment: Option<PaymentId>,
    /// The version of the payment that led to it, by which its evidence is found in the history.
    pub version: u64,
    /// When.
    pub at: Timestamp,
    /// The rest: status, whether it is paid, the account, amounts in words, and under `evidence`
    /// what was seen or done that led to it.
    pub data: Value,
}

impl Orchestrator {
    /// What happened after this position, 0 for everything: at least once, and in order for each
    /// payment. Keep the position of the last event that was dealt with.
    ///
    /// # Errors
    /// `Unavailable` when the store is.
    pub async fn events(&self, after: u64, limit: u32) -> Result<Vec<Event>> {
        let rows = self.0.store.events(after, limit).await;
        let rows = rows.map_err(|error| unavailable(error, Effect::None))?;
        let read = |row: crate::store::Positioned| Event {
            position: row.position,
            id: row.event.id,
            kind: row.event.kind,
            payment: row.event.payment,
            version: row.event.version,
            at: row.event.at,
            data: serde_json::from_str(&row.event.document).unwrap_or(Value::Null),
        };
        Ok(rows.into_iter().map(read).collect())
    }
}
