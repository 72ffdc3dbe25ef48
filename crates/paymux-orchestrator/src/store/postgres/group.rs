//! Several changes in one transaction: one trip to look and one to write and commit, and one wait
//! for the disk for all of them.
//!
//! READ COMMITTED is enough. Every change of a payment first locks its row (or makes it), and a
//! statement that waited for the lock sees what the one before it committed: the version that is
//! compared, and the slot that is read after it, are the latest there are. What no row can be
//! locked for because there is none yet (a key, a new payment, an object) has a primary key; the
//! second one to write it either does nothing and is counted, or fails with 23505, and then the
//! transaction is run again and reads what the first one wrote.
//!
//! What the first trip writes is sent behind `BEGIN` without waiting for it: were that refused, each
//! statement would be kept on its own. They ask for a setting that is local to the transaction, and
//! fail without it.
//!
//! `COMMIT` is sent together with the writes. That is safe: when one of them fails, PostgreSQL
//! turns the commit into a rollback.

use std::collections::BTreeSet;

use deadpool_postgres::ClientWrapper;
use tokio_postgres::{Error, Row, error::SqlState};

use super::{
    check,
    fault::{Fault, Phase, Stop, is_lost_race, is_stale},
    patience::Patience,
    pipeline::{Begun, Pipeline, Value, run, sent_with_commit},
    prepared::Prepared,
    rows,
    values::{
        event_values, key_values, payment_values, settlement_values, transition_values,
        update_values,
    },
};
use crate::{
    ids::PaymentId,
    store::{
        CallerKeyRow, Change, Committed, ObjectRef, Slot, StoreError, StoreErrorKind, StoreResult,
    },
};

const DOING: &str = "commit a change";

/// How long a row or a table is waited for that somebody else holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locks {
    /// As long as one change may take.
    Long,
    /// So long that others need not wait for it.
    Brief,
}

impl Locks {
    fn begin(self) -> &'static str {
        match self {
            Self::Long => "BEGIN; SET LOCAL paymux.begun = 0",
            Self::Brief => "BEGIN; SET LOCAL paymux.begun = 0; SET LOCAL lock_timeout = '250ms'",
        }
    }
}

/// Why a group was not committed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Somebody else was faster, and nothing was written: worth another run.
    Race,
    /// This connection is not right any more, and nothing was written: worth another run on
    /// another one.
    Stale(Fault),
    /// A lock that somebody else holds was waited for in vain.
    Blocked(Fault),
    /// Something went wrong.
    Fault(Fault),
}

impl Failure {
    /// What the callers are told.
    pub(super) fn into_fault(self) -> Fault {
        match self {
            Self::Race => {
                let message = "could not commit a change: others were faster each time";
                Fault::new(StoreErrorKind::Unavailable, message)
            }
            Self::Stale(fault) | Self::Blocked(fault) | Self::Fault(fault) => fault,
        }
    }

    /// Is it likely that one change of the group is the cause, and the others are good?
    pub(super) fn is_of_one(&self) -> bool {
        match self {
            Self::Race | Self::Blocked(_) => true,
            Self::Stale(_) => false,
            Self::Fault(fault) => fault.kind == StoreErrorKind::Corrupt,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Fault(Fault::new(error.kind(), error.to_string()))
    }
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Met(phase, error) => failed(phase, &error),
            Stop::Fault(fault) => Self::Fault(fault),
        }
    }
}

fn failed(phase: Phase, error: &Error) -> Failure {
    let fault = || Fault::of(DOING, phase, error);
    if is_lost_race(error) {
        Failure::Race
    } else if is_stale(error) {
        Failure::Stale(fault())
    } else if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) {
        Failure::Blocked(fault())
    } else {
        Failure::Fault(fault())
    }
}

/// What was found out about one change.
#[derive(Default)]
struct Found<'a> {
    key_taken: bool,
    version_holds: bool,
    holder: Option<i64>,
    owners: Vec<(&'a ObjectRef, Option<PaymentId>)>,
    /// Did looking write anything that must not stay if the change is refused?
    wrote: bool,
    /// Is the payment's row written already?
    payment_written: bool,
}

/// What one statement of the first trip asks.
enum Question<'a> {
    Key,
    Write,
    Version(u64),
    Slot,
    Owner(&'a ObjectRef),
}

/// Commits changes of different payments, keys and objects in one transaction. Gives for each, in
/// order, what became of it, or nothing where it is to be tried again because another one of the
/// group was refused after something of it was written.
pub(super) async fn commit(
    client: &ClientWrapper,
    patience: &Patience,
    tenant: &str,
    changes: &[&Change],
    locks: Locks,
) -> Result<Vec<Option<Committed>>, Failure> {
    let prepared = patience.answer(DOING, Prepared::on(client)).await?;
    let begun = Begun::on(client);
    let mut pipeline = Pipeline::new(client);
    pipeline.control(locks.begin());
    let found = look(pipeline, patience, &prepared, tenant, changes).await?;
    let mut answers = Vec::with_capacity(changes.len());
    for (change, found) in changes.iter().zip(&found) {
        answers.push(match (&change.caller_key, found.key_taken) {
            (Some(key), true) => Some(key_taken(client, patience, &prepared, tenant, key).await?),
            _ => refusal(change, found),
        });
    }
    let stands = |place: usize| answers.get(place).is_some_and(Option::is_none);
    let spoiled = found.iter().enumerate().any(|(place, found)| found.wrote && !stands(place));
    if spoiled || answers.iter().all(Option::is_some) {
        return Ok(answers);
    }
    let mut writes = Pipeline::new(client);
    for (place, change) in changes.iter().enumerate() {
        if stands(place)
            && let Some(found) = found.get(place)
        {
            write(&mut writes, &prepared, tenant, change, found)?;
        }
    }
    finish(client, patience, writes).await?;
    begun.over();
    Ok(answers.into_iter().map(|refused| Some(refused.unwrap_or(Committed::Done))).collect())
}

/// The rest of the first trip, which begins the transaction: claims what is unique, and locks what
/// is there.
async fn look<'a>(
    mut pipeline: Pipeline<'_>,
    patience: &Patience,
    prepared: &Prepared,
    tenant: &str,
    changes: &[&'a Change],
) -> Result<Vec<Found<'a>>, Failure> {
    let mut questions = Vec::new();
    pipeline.add(&prepared.still_safe, []);
    // Keys before payments, and both in the order of their text: two nodes that take the same ones
    // then wait for each other in one direction only.
    let mut keys: Vec<(usize, &CallerKeyRow)> = changes
        .iter()
        .enumerate()
        .filter_map(|(place, change)| Some((place, change.caller_key.as_ref()?)))
        .collect();
    keys.sort_by_key(|(_, key)| &key.key);
    for (place, key) in keys {
        pipeline.add(&prepared.claim_key, key_values(tenant, key));
        questions.push((place, Question::Key));
    }
    let mut order: Vec<(usize, &'a Change)> = changes.iter().copied().enumerate().collect();
    order.sort_by_key(|(_, change)| &change.payment.id);
    for (place, change) in order {
        ask(&mut pipeline, &mut questions, prepared, tenant, place, change)?;
    }
    let mut found: Vec<Found<'a>> = changes.iter().map(|_| Found::default()).collect();
    let before = |error| failed(Phase::BeforeCommit, &error);
    let mut answers = patience.answer(DOING, pipeline.run()).await?.into_iter();
    // The first two answers have no question.
    answers.next().transpose().map_err(before)?;
    if answers.next().transpose().map_err(before)?.is_none_or(|rows| rows.is_empty()) {
        return Err(Failure::Fault(check::unsafe_now()));
    }
    for ((place, question), answer) in questions.into_iter().zip(answers) {
        let rows = answer.map_err(before)?;
        if let Some(found) = found.get_mut(place) {
            note(found, &question, &rows)?;
        }
    }
    Ok(found)
}

/// Asks for all that can refuse one change.
fn ask<'a, 'b: 'a>(
    pipeline: &mut Pipeline<'a>,
    questions: &mut Vec<(usize, Question<'b>)>,
    prepared: &'a Prepared,
    tenant: &'a str,
    place: usize,
    change: &'b Change,
) -> StoreResult<()> {
    let id = change.payment.id.as_str();
    let guarded = change.slot != Slot::Keep || !change.objects.is_empty();
    if change.from_version == 0 {
        pipeline.add(&prepared.insert_payment, payment_values(tenant, change)?);
        questions.push((place, Question::Write));
    } else if guarded {
        pipeline.add(&prepared.lock_payment, [tenant.into(), id.into()]);
        questions.push((place, Question::Version(change.from_version)));
    } else {
        // Nothing after the version can refuse it: one statement compares and sets.
        pipeline.add(&prepared.update_payment, update_values(tenant, change)?);
        questions.push((place, Question::Write));
    }
    if change.slot != Slot::Keep {
        pipeline.add(&prepared.read_slot, [tenant.into(), id.into()]);
        questions.push((place, Question::Slot));
    }
    for object in change.objects.iter().collect::<BTreeSet<_>>() {
        let ObjectRef { account, kind, id } = object;
        let values =
            [tenant.into(), account.as_str().into(), kind.as_str().into(), id.as_str().into()];
        pipeline.add(&prepared.find_object, values);
        questions.push((place, Question::Owner(object)));
    }
    Ok(())
}

/// Notes the answer to one question.
fn note<'a>(found: &mut Found<'a>, question: &Question<'a>, rows: &[Row]) -> StoreResult<()> {
    let first = rows.first();
    match question {
        Question::Key => {
            found.key_taken = first.is_none();
            found.wrote |= first.is_some();
        }
        Question::Write => {
            found.version_holds = first.is_some();
            found.payment_written = first.is_some();
            found.wrote |= first.is_some();
        }
        Question::Version(wanted) => {
            let kept = first.map(|row| rows::get::<i64>(row, "version")).transpose()?;
            found.version_holds = kept == Some(rows::number(*wanted)?);
        }
        Question::Slot => {
            found.holder = first.map(|row| rows::get(row, "attempt")).transpose()?;
        }
        Question::Owner(object) => {
            let owner = first.map(|row| rows::payment_id(row, "payment_id")).transpose()?;
            found.owners.push((object, owner));
        }
    }
    Ok(())
}

/// The first check after the caller's key that fails.
fn refusal(change: &Change, found: &Found<'_>) -> Option<Committed> {
    if !found.version_holds {
        return Some(Committed::Lost);
    }
    let slot_holds = match change.slot {
        Slot::Keep => true,
        Slot::Take(_) => found.holder.is_none(),
        Slot::Release(attempt) | Slot::Move { from: attempt, .. } => {
            found.holder == Some(attempt.into())
        }
    };
    if !slot_holds {
        return Some(Committed::SlotRefused);
    }
    // In the order in which the change names them.
    change.objects.iter().find_map(|object| {
        let (_, owner) = found.owners.iter().find(|(named, _)| *named == object)?;
        let owner = owner.clone().filter(|owner| *owner != change.payment.id)?;
        Some(Committed::ObjectTaken { object: object.clone(), owner })
    })
}

/// What was asked under the key before.
async fn key_taken(
    client: &ClientWrapper,
    patience: &Patience,
    prepared: &Prepared,
    tenant: &str,
    key: &CallerKeyRow,
) -> Result<Committed, Failure> {
    let find = run(client, &prepared.find_key, [tenant.into(), (&key.key).into()]);
    let rows = patience.answer(DOING, find).await?;
    match rows.first() {
        Some(row) => Ok(Committed::KeyTaken(rows::caller_key(row)?)),
        // It was forgotten between the two statements.
        None => Err(Failure::Race),
    }
}

/// Adds what is left to write of a change that stands.
fn write<'a>(
    pipeline: &mut Pipeline<'a>,
    prepared: &'a Prepared,
    tenant: &'a str,
    change: &'a Change,
    found: &Found<'a>,
) -> StoreResult<()> {
    let id: Value<'a> = change.payment.id.as_str().into();
    if !found.payment_written {
        pipeline.add(&prepared.update_payment, update_values(tenant, change)?);
    }
    let slot = |attempt: u32| [tenant.into(), id, i64::from(attempt).into()];
    match change.slot {
        Slot::Keep => {}
        Slot::Take(attempt) => pipeline.add(&prepared.take_slot, slot(attempt)),
        Slot::Release(attempt) => pipeline.add(&prepared.release_slot, slot(attempt)),
        Slot::Move { from, to } => {
            let values = [tenant.into(), id, i64::from(from).into(), i64::from(to).into()];
            pipeline.add(&prepared.move_slot, values);
        }
    }
    for (object, _) in found.owners.iter().filter(|(_, owner)| owner.is_none()) {
        let ObjectRef { account, kind, id: object } = *object;
        let object: Value<'a> = object.as_str().into();
        let values = [tenant.into(), account.as_str().into(), kind.as_str().into(), object, id];
        pipeline.add(&prepared.insert_object, values);
    }
    pipeline.add(&prepared.insert_transition, transition_values(tenant, &change.transition)?);
    for (place, event) in (0_i64..).zip(&change.events) {
        pipeline.add(&prepared.insert_event, event_values(tenant, event, place)?);
    }
    for settlement in &change.inbox {
        pipeline.add(&prepared.settle_inbox, settlement_values(tenant, settlement));
    }
    Ok(())
}

/// The second trip: writes and commits.
async fn finish(
    client: &ClientWrapper,
    patience: &Patience,
    mut writes: Pipeline<'_>,
) -> Result<(), Failure> {
    writes.control("COMMIT");
    let sent = patience.commit(DOING, client, writes.run()).await.map_err(Failure::Fault)?;
    let mut answers = sent.map_err(|error| failed(Phase::BeforeCommit, &error))?;
    let committed = answers.pop().unwrap_or(Ok(Vec::new()));
    for answer in answers {
        answer.map_err(|error| failed(sent_with_commit(&error), &error))?;
    }
    committed.map_err(|error| failed(Phase::Committing, &error))?;
    Ok(())
}
