//! Events of webhooks.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Row;

use super::{
    PostgresStore, check,
    fault::{Phase, Stop},
    patience::Patience,
    pipeline::{Begun, Pipeline},
    rows, sql,
    values::{inbox_values, millis},
};
use crate::store::{InboxRow, MERGES_FOR, Received, StoreResult, words};

const DOING: &str = "keep events of a webhook";

impl PostgresStore {
    /// Keeps events in one transaction. Two of one batch are never merged: one delivery can hold
    /// several events, and they share its digest.
    pub(super) async fn keep_events(&self, events: &[InboxRow]) -> StoreResult<Vec<Received>> {
        let mut again = 0;
        loop {
            let client = self.client(DOING, Phase::Committing).await?;
            match try_keep(&client, &self.patience, &self.tenant, events).await {
                Ok(answers) => {
                    // Where nothing was written, nothing was waited for: what was there before may
                    // not be on the standby.
                    if !events.is_empty() && answers.iter().all(|one| one.inserted.is_empty()) {
                        drop(client);
                        self.write_nothing().await?;
                    }
                    return read(events, &answers);
                }
                Err(stop) => client.again(DOING, stop, &mut again)?,
            }
        }
    }
}

/// What the statements of one event found.
struct Answer {
    merged: bool,
    inserted: Vec<Row>,
    digest: Vec<Row>,
}

async fn try_keep(
    client: &ClientWrapper,
    patience: &Patience,
    tenant: &str,
    events: &[InboxRow],
) -> Result<Vec<Answer>, Stop> {
    let before = Stop::before;
    let still_safe = patience.prepare(DOING, client, check::STILL_SAFE).await?;
    let find_same = patience.prepare(DOING, client, sql::FIND_SAME_CONTENT).await?;
    let insert = patience.prepare(DOING, client, sql::INSERT_INBOX).await?;
    let find_digest = patience.prepare(DOING, client, sql::FIND_INBOX_DIGEST).await?;
    let begun = Begun::on(client);
    let mut looks = Pipeline::new(client);
    looks.control("BEGIN");
    looks.add(&still_safe, []);
    for event in events {
        let account = event.account.as_str().into();
        let since = millis(event.received_at.before(MERGES_FOR));
        looks.add(&find_same, [tenant.into(), account, (&event.digest).into(), since]);
    }
    // What waits now, and nobody has taken, is looked at after now, so also after these arrived.
    let mut looked = patience.answer(DOING, looks.run()).await?.into_iter();
    looked.next().transpose().map_err(before)?;
    if looked.next().transpose().map_err(before)?.is_none_or(|rows| rows.is_empty()) {
        return Err(check::unsafe_now().into());
    }
    let mut merged = Vec::with_capacity(events.len());
    for answer in looked {
        merged.push(!answer.map_err(before)?.is_empty());
    }
    let mut writes = Pipeline::new(client);
    for (event, merged) in events.iter().zip(&merged) {
        let outcome = merged.then_some(words::MERGED);
        writes.add(&insert, inbox_values(tenant, event, outcome));
        let key = [tenant.into(), event.account.as_str().into(), event.key.as_str().into()];
        writes.add(&find_digest, key);
    }
    let mut answers = begun.commit(DOING, patience, writes).await?.into_iter();
    let found = merged.into_iter().map(|merged| {
        let (inserted, digest) = (answers.next(), answers.next());
        let [inserted, digest] = [inserted, digest].map(Option::unwrap_or_default);
        Answer { merged, inserted, digest }
    });
    Ok(found.collect())
}

fn read(events: &[InboxRow], answers: &[Answer]) -> StoreResult<Vec<Received>> {
    let one = |(event, answer): (&InboxRow, &Answer)| {
        if !answer.inserted.is_empty() {
            return Ok(if answer.merged { Received::Merged } else { Received::New });
        }
        let kept = answer.digest.first().map(|row| rows::get::<&str>(row, "digest")).transpose()?;
        Ok(match kept {
            Some(digest) if digest != event.digest => Received::Contradiction,
            // Forgotten in between: it was there, and settled.
            Some(_) | None => Received::Duplicate,
        })
    };
    events.iter().zip(answers).map(one).collect()
}
