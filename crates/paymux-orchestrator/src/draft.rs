//! One change of one payment, worked out in memory before any of it is written.
//!
//! What goes with a change follows from the record before and after it, so that nobody can forget
//! it: who holds the right to move money, which objects are ours, what the merchant is told.

use std::{borrow::Cow, time::Duration};

use paymux_core::{Effect, Error, ErrorKind, ProviderId, Random, Result, Timestamp};
use sha2::{Digest, Sha256};

use crate::{
    evidence::Evidence,
    outbox,
    record::{Attempt, PaymentRecord},
    store::{
        CallerKeyRow, Change, InboxSettlement, ObjectKind, ObjectRef, PaymentRow, Slot,
        TransitionRow,
    },
};

/// A change in the making.
pub(crate) struct Draft<'a> {
    /// The payment as it will be.
    pub(crate) record: PaymentRecord,
    before: Option<Cow<'a, PaymentRecord>>,
    /// The caller's key that the change is bound to.
    pub(crate) caller_key: Option<CallerKeyRow>,
    /// Events of the inbox that the change settles.
    pub(crate) inbox: Vec<InboxSettlement>,
}

/// Who writes, and when.
pub(crate) struct Writer<'a> {
    pub(crate) node: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) random: &'a dyn Random,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(record: PaymentRecord) -> Self {
        Self { record, before: None, caller_key: None, inbox: Vec::new() }
    }

    pub(crate) fn of(before: Cow<'a, PaymentRecord>) -> Self {
        let record = PaymentRecord::clone(&before);
        Self { record, before: Some(before), caller_key: None, inbox: Vec::new() }
    }

    /// The attempts whose doubt this change clears up, and how long it lasted.
    pub(crate) fn cleared_doubts(&self, now: Timestamp) -> Vec<(ProviderId, Duration)> {
        let was = |no| self.before.as_ref().and_then(|before| before.attempt(no));
        let cleared = self.record.attempts.iter().filter(|attempt| {
            was(attempt.no).is_some_and(Attempt::is_in_doubt) && !attempt.is_in_doubt()
        });
        let since = |attempt: &Attempt| attempt.first_sent_at.unwrap_or(attempt.created_at);
        cleared.map(|attempt| (attempt.account.clone(), now.since(since(attempt)))).collect()
    }

    /// All that is written.
    pub(crate) fn finish(
        mut self,
        evidence: &Evidence,
        due_at: Option<Timestamp>,
        writer: &Writer<'_>,
    ) -> Result<(PaymentRecord, Change)> {
        let before = self.before.as_deref();
        let from_version = before.map_or(0, |before| before.version);
        let from = before.map_or(self.record.status, |before| before.status);
        let record = &mut self.record;
        record.version = from_version + 1;
        record.updated_at = writer.now;
        let mut transition = TransitionRow {
            payment: record.id.clone(),
            version: record.version,
            id: transition_id(writer.random),
            at: writer.now,
            node: writer.node.to_owned(),
            cause: evidence.cause().to_owned(),
            evidence: to_json(evidence)?,
            from,
            to: record.status,
            previous_digest: record.last_digest.clone(),
            digest: String::new(),
        };
        transition.digest = digest(&transition);
        record.last_digest.clone_from(&transition.digest);
        let change = Change {
            payment: PaymentRow {
                id: record.id.clone(),
                version: record.version,
                reference: record.request.reference.as_str().to_owned(),
                status: record.status,
                in_doubt: record.in_doubt(),
                review: !record.reviews.is_empty(),
                due_at,
                created_at: record.created_at,
                updated_at: record.updated_at,
                document: to_json(record)?,
            },
            from_version,
            caller_key: self.caller_key,
            slot: slot(before, record),
            objects: objects(before, record),
            transition,
            events: outbox::between(before, record, evidence, writer.now)?,
            inbox: self.inbox,
        };
        Ok((self.record, change))
    }
}

/// What happens to the right to move money: whoever holds it before and after says it all.
fn slot(before: Option<&PaymentRecord>, after: &PaymentRecord) -> Slot {
    let held = before.and_then(PaymentRecord::live).map(|attempt| attempt.no);
    let holds = after.live().map(|attempt| attempt.no);
    match (held, holds) {
        (None, None) => Slot::Keep,
        (Some(from), Some(to)) if from == to => Slot::Keep,
        (Some(from), Some(to)) => Slot::Move { from, to },
        (Some(from), None) => Slot::Release(from),
        (None, Some(to)) => Slot::Take(to),
    }
}

/// The objects that are known to be the payment's now and were not before.
fn objects(before: Option<&PaymentRecord>, after: &PaymentRecord) -> Vec<ObjectRef> {
    let known = before.map(all_objects).unwrap_or_default();
    let mut new = all_objects(after);
    new.retain(|object| !known.contains(object));
    new
}

fn all_objects(record: &PaymentRecord) -> Vec<ObjectRef> {
    let mut objects = Vec::new();
    if let Some(payment) = &record.provider {
        let account = &payment.provider;
        let of = |kind, id: &str| ObjectRef { account: account.clone(), kind, id: id.to_owned() };
        objects.push(of(ObjectKind::Payment, payment.id.as_str()));
        objects.extend(payment.parts.iter().map(|part| of(ObjectKind::Part, part.id.as_str())));
    }
    for attempt in &record.attempts {
        if let Some(id) = &attempt.object {
            let id = id.as_str().to_owned();
            let object =
                ObjectRef { account: attempt.account.clone(), kind: ObjectKind::Payment, id };
            if !objects.contains(&object) {
                objects.push(object);
            }
        }
        for left in &attempt.left {
            let account = &attempt.account;
            let of =
                |kind, id: &str| ObjectRef { account: account.clone(), kind, id: id.to_owned() };
            let payment = of(ObjectKind::Payment, left.id.as_str());
            let parts = left.parts.iter().map(|part| of(ObjectKind::Part, part.id.as_str()));
            let new = std::iter::once(payment).chain(parts).filter(|one| !objects.contains(one));
            let new: Vec<ObjectRef> = new.collect();
            objects.extend(new);
        }
        if let Some(id) = attempt.refund.as_ref().and_then(|refund| refund.id.as_ref()) {
            objects.push(ObjectRef {
                account: attempt.account.clone(),
                kind: ObjectKind::Refund,
                id: id.as_str().to_owned(),
            });
        }
    }
    objects
}

fn transition_id(random: &dyn Random) -> String {
    let mut bytes = [0_u8; 12];
    random.fill(&mut bytes);
    hex::encode(bytes)
}

/// The digest over a line of the history and, through it, over all lines before.
pub(crate) fn digest(line: &TransitionRow) -> String {
    let mut hasher = Sha256::new();
    let version = line.version.to_string();
    let at = line.at.as_millis().to_string();
    for field in [
        line.previous_digest.as_str(),
        line.payment.as_str(),
        &version,
        &line.id,
        &at,
        &line.node,
        &line.cause,
        &line.evidence,
        line.from.as_str(),
        line.to.as_str(),
    ] {
        // The length before each field keeps two lines from having one digest.
        hasher.update(field.len().to_le_bytes());
        hasher.update(field.as_bytes());
    }
    hex::encode(hasher.finalize())
}

/// So many bytes hold most of what is written, so that the text seldom has to move as it grows.
const USUAL_JSON: usize = 1024;

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    let mut json = Vec::with_capacity(USUAL_JSON);
    serde_json::to_writer(&mut json, value).map_err(no_json)?;
    String::from_utf8(json).map_err(no_json)
}

fn no_json(source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Unexpected, Effect::None, "the payment cannot be written as JSON")
        .with_source(source)
}

#[cfg(test)]
mod tests;
