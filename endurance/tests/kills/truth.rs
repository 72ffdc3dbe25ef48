//! Our books beside the providers' truth.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use crate::{
    counter::Counter,
    settle::Node,
    theirs::{self, Theirs},
};
use paymux::{PaymentStatus, Timestamp};
use paymux_orchestrator::{
    Attempt, AttemptState, DifferenceKind, Orchestrator, PaymentId, PaymentRecord, ReviewReason,
    store::PaymentQuery,
};
use serde_json::Value;

/// How many rows are read at once.
const PAGE: u32 = 200;
/// How many payments are explained when something is wrong.
const EXPLAINED: usize = 4;

/// What a comparison found.
#[derive(Default)]
pub(crate) struct Found {
    statuses: BTreeMap<String, usize>,
    twice: usize,
    lost: usize,
    parked: usize,
    orphans: usize,
    over_one_account: usize,
    unsent: usize,
    doubted: usize,
    unheard: usize,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} payments:", self.statuses.values().sum::<usize>())?;
        self.statuses.iter().try_for_each(|(status, count)| write!(f, " {count} {status}"))?;
        write!(f, "; {} charged twice, {} lost, ", self.twice, self.lost)?;
        write!(f, "{} parked for a person; {} were in doubt", self.parked, self.doubted)?;
        write!(f, ", {} went to a second account, ", self.over_one_account)?;
        write!(f, "{} attempts ended unsent, ", self.unsent)?;
        write!(f, "{} objects at providers that do not count, ", self.orphans)?;
        write!(f, "{} holds of which every word was lost", self.unheard)
    }
}

/// Compares, and adds everything that must not be to `wrong`.
pub(crate) async fn compare(node: &Node, counter: &Arc<Counter>, wrong: &mut Vec<String>) -> Found {
    let books = read_books(&node.orchestrator).await;
    let theirs = theirs::read(&books, counter, wrong);
    let mut found = Found::default();
    for record in books.values() {
        *found.statuses.entry(record.status.to_string()).or_default() += 1;
        found.doubted += usize::from(record.attempts.iter().any(|attempt| attempt.doubted));
        let accounts: BTreeSet<_> =
            record.attempts.iter().map(|attempt| attempt.account.as_str()).collect();
        found.over_one_account += usize::from(accounts.len() > 1);
        let unsent = |attempt: &&Attempt| attempt.state == AttemptState::NotSent;
        found.unsent += record.attempts.iter().filter(unsent).count();
    }
    orders_are_there(&books, counter, &mut found, wrong);
    money_is_booked(&books, &theirs, &mut found, wrong);
    payers_were_debited_once(counter, &theirs, &mut found, wrong);
    for record in books.values() {
        let unheard = theirs.iter().any(|their| their.unheard && their.payment == record.id);
        is_settled(record, unheard, &mut found, wrong);
    }
    let backlog = node.orchestrator.backlog().await.expect("the store can be read");
    if backlog.inbox > 0 {
        wrong.push(format!("events wait that nobody applies: {backlog:?}"));
    }
    adapters_agree(node, &books, &theirs, wrong).await;
    events_tell_all(&node.orchestrator, &books, wrong).await;
    histories_are_whole(&node.orchestrator, &books, wrong).await;
    explain(&node.orchestrator, &books, wrong).await;
    found
}

/// Says how the first payments with which something is wrong came to be so.
async fn explain(orchestrator: &Orchestrator, books: &Books, wrong: &mut Vec<String>) {
    let named = |id: &&PaymentId| wrong.iter().any(|one| one.contains(id.as_str()));
    let suspects: Vec<&PaymentId> = books.keys().filter(named).take(EXPLAINED).collect();
    for id in suspects {
        let explanation = orchestrator.explain(id).await.expect("it can be explained");
        wrong.push(explanation.to_string());
    }
}

pub(crate) type Books = BTreeMap<PaymentId, PaymentRecord>;

async fn read_books(orchestrator: &Orchestrator) -> Books {
    let mut books = Books::new();
    loop {
        let after = books.keys().next_back().cloned();
        let query = PaymentQuery { after, limit: PAGE, ..PaymentQuery::default() };
        let page = orchestrator.list_payments(&query).await.expect("the store can be read");
        if page.is_empty() {
            return books;
        }
        books.extend(page.into_iter().map(|record| (record.id.clone(), record)));
    }
}

/// Each order has one payment, and it is the one that the shop was given.
fn orders_are_there(books: &Books, counter: &Counter, found: &mut Found, wrong: &mut Vec<String>) {
    let mut by_name: BTreeMap<&str, Vec<&PaymentId>> = BTreeMap::new();
    for record in books.values() {
        by_name.entry(record.request.reference.as_str()).or_default().push(&record.id);
    }
    let taken = counter.taken();
    for order in counter.orders() {
        let name = order.name();
        let ids = by_name.get(&*name).map_or(&[][..], Vec::as_slice);
        let given = taken.get(&order.number);
        if given.is_none() || ids != [given.unwrap()] {
            found.lost += usize::from(ids.is_empty());
            wrong.push(format!("{name}: the shop was given {given:?}, and there are {ids:?}"));
        }
    }
}

/// What the providers moved is in the books, once and to the cent, and nothing else is.
fn money_is_booked(books: &Books, theirs: &[Theirs], found: &mut Found, wrong: &mut Vec<String>) {
    let mut moved: BTreeMap<&PaymentId, &Theirs> = BTreeMap::new();
    for their in theirs {
        let Some(record) = books.get(&their.payment) else {
            found.lost += 1;
            wrong.push(format!("lost: {their:?}"));
            continue;
        };
        let known = record.provider.as_ref().is_some_and(|payment| {
            payment.provider.as_str() == their.account && payment.id.as_str() == their.id
        });
        found.orphans += usize::from(!known);
        found.unheard += usize::from(their.unheard);
        if !their.moved_money() || their.unheard {
            continue;
        }
        if let Some(other) = moved.insert(&their.payment, their) {
            found.twice += 1;
            wrong.push(format!("charged twice: {other:?} and {their:?}"));
        }
        if !known {
            found.lost += 1;
            wrong.push(format!("not the object that counts: {their:?}, {}", words(record)));
        }
    }
    for record in books.values() {
        let amounts = record.provider.as_ref().map(|payment| payment.amounts.clone());
        let amounts = amounts.unwrap_or_default();
        let cents = |amount: Option<paymux::Money>| amount.map_or(0, paymux::Money::minor);
        let ours = (cents(amounts.captured), cents(amounts.refunded));
        let is = moved.get(&record.id).map_or((0, 0), |their| (their.taken, their.given_back));
        let held = moved.get(&record.id).is_some_and(|their| their.held > 0);
        let succeeded = record.status == PaymentStatus::Succeeded;
        if ours != is || succeeded != (is.0 > 0) || held != (cents(amounts.authorized) > 0) {
            let their = moved.get(&record.id);
            wrong.push(format!("the books are wrong: {their:?}, {}", words(record)));
        }
        if moved.get(&record.id).is_some_and(|their| their.refunds > 1) {
            found.twice += 1;
            wrong.push(format!("given back twice: {}", words(record)));
        }
    }
}

/// Payers who have an account at a provider have less there by what was taken, and not by more: one
/// that debits twice may go on calling it one payment.
fn payers_were_debited_once(
    counter: &Counter,
    theirs: &[Theirs],
    found: &mut Found,
    wrong: &mut Vec<String>,
) {
    for (account, gone) in counter.gone() {
        let of_account = theirs.iter().filter(|their| their.account == account);
        let taken: i128 = of_account.map(|their| their.debited).sum();
        if gone != taken {
            found.twice += usize::from(gone > taken);
            wrong.push(format!("payers at {account} lack {gone} cents, and {taken} were taken"));
        }
    }
}

/// Nothing is in doubt without a person being asked, and nothing else waits for anybody.
fn is_settled(record: &PaymentRecord, unheard: bool, found: &mut Found, wrong: &mut Vec<String>) {
    let parked = is_parked(record);
    found.parked += usize::from(parked);
    let others = record.reviews.iter().any(|review| review.reason != ReviewReason::StillInDoubt);
    let open = !record.status.is_final() || record.open_attempt().is_some();
    if others || (open && !parked && !unheard) {
        wrong.push(format!("not settled: {}", words(record)));
    }
}

fn is_parked(record: &PaymentRecord) -> bool {
    record.reviews.iter().any(|review| review.reason == ReviewReason::StillInDoubt)
}

/// Read through the adapters, the providers say of every payment what the books say. What they
/// have beyond that moved nothing.
async fn adapters_agree(node: &Node, books: &Books, theirs: &[Theirs], wrong: &mut Vec<String>) {
    let always = (Timestamp::from_seconds(0), Timestamp::from_seconds(9_999_999_999));
    let compared = node.orchestrator.reconcile(always.0, always.1).await.expect("it compares");
    for difference in compared.differences {
        let id = difference.theirs.split(' ').next().unwrap_or_default();
        let parked =
            difference.payment.as_ref().and_then(|id| books.get(id)).is_some_and(is_parked);
        let expected = match difference.kind {
            DifferenceKind::TheirsOnly => {
                theirs.iter().any(|their| their.id == id && !their.moved_money())
            }
            // What is in doubt is not asked for again; it waits for a person.
            DifferenceKind::NotCompared => parked,
            DifferenceKind::OursOnly | DifferenceKind::Differs | _ => false,
        };
        if !expected {
            wrong.push(format!("{difference:?}"));
        }
    }
}

/// The events tell of each payment's status in order, and of its success once.
async fn events_tell_all(orchestrator: &Orchestrator, books: &Books, wrong: &mut Vec<String>) {
    let mut told: BTreeMap<PaymentId, (u64, Vec<String>)> = BTreeMap::new();
    let mut position = 0;
    loop {
        let page = orchestrator.events(position, PAGE).await.expect("the events can be read");
        let Some(last) = page.last() else { break };
        position = last.position;
        for event in page {
            let Some(payment) = event.payment else { continue };
            let (version, kinds) = told.entry(payment).or_default();
            if event.version < *version {
                wrong.push(format!("{} comes after version {version}", event.id));
            }
            *version = event.version;
            kinds.push(event.kind);
        }
    }
    for record in books.values() {
        let kinds = told.get(&record.id).map_or(&[][..], |(_, kinds)| kinds);
        let status = |kind: &&String| {
            let word = kind.strip_prefix("payment.").unwrap_or_default();
            serde_json::from_value::<PaymentStatus>(Value::from(word)).is_ok()
        };
        let last = kinds.iter().rfind(status);
        let succeeded = kinds.iter().filter(|kind| *kind == "payment.succeeded").count();
        let expected = usize::from(record.status == PaymentStatus::Succeeded);
        if last != Some(&format!("payment.{}", record.status)) || succeeded != expected {
            wrong.push(format!("the events say {kinds:?}: {}", words(record)));
        }
    }
}

/// Every version has its line, and no line is missing or there twice.
async fn histories_are_whole(orchestrator: &Orchestrator, books: &Books, wrong: &mut Vec<String>) {
    for record in books.values() {
        let lines = orchestrator.history(&record.id).await.expect("the history can be read");
        let versions: Vec<u64> = lines.iter().map(|line| line.version).collect();
        if versions != (1..=record.version).collect::<Vec<_>>() {
            wrong.push(format!("the history has {versions:?}: {}", words(record)));
        }
    }
}

fn words(record: &PaymentRecord) -> String {
    let attempts: Vec<String> = record
        .attempts
        .iter()
        .map(|attempt| {
            let (what, state) = (attempt.intent.in_words(), attempt.state.in_words());
            format!("{what} at {} {state}", attempt.account)
        })
        .collect();
    let name = record.request.reference.as_str();
    let reviews: Vec<String> = record.reviews.iter().map(|one| one.note.clone()).collect();
    format!("{name} {} is {} {attempts:?} {reviews:?}", record.id, record.status)
}
