//! How the shop knows what it knows, and what went wrong on the way: read from the history that
//! the orchestrator keeps.

use paymux::orchestrator::{
    Attempt, AttemptState, Evidence, Explanation, Intent, PaymentRecord, Said, store::TransitionRow,
};
use serde::Serialize;

/// Lines of the history that are shown around a trouble.
const BEFORE: usize = 1;
const AFTER: usize = 3;

/// Trouble on the way of an order that did not keep it from its end.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Trouble {
    order: String,
    /// What happened, and why nobody was charged twice.
    what: String,
    /// The lines of the history that tell of it.
    history: Vec<String>,
}

impl Trouble {
    /// What went wrong with this order and was put right, if anything.
    pub(super) fn of(order: &str, explanation: &Explanation) -> Option<Self> {
        let record = &explanation.record;
        let what = lost_reply(record).or_else(|| not_reached(record))?;
        let history: Vec<(Evidence, &TransitionRow)> =
            explanation.history.iter().filter_map(|line| Some((evidence(line)?, line))).collect();
        let went_wrong = |(evidence, _): &(Evidence, &TransitionRow)| {
            matches!(evidence, Evidence::Reply { said: Said::Error { .. }, .. })
        };
        let at = history.iter().position(went_wrong)?;
        let shown = history.iter().skip(at.saturating_sub(BEFORE)).take(BEFORE + 1 + AFTER);
        let history = shown.map(|(evidence, line)| format!("{}  {evidence}", line.at)).collect();
        Some(Self { order: order.to_owned(), what, history })
    }

    pub(super) fn order(&self) -> &str {
        &self.order
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = format!("{}: {}", self.order, self.what);
        for line in &self.history {
            text.push_str("\n  ");
            text.push_str(line);
        }
        text
    }
}

/// A call whose answer never came, and which had been carried out all the same.
fn lost_reply(record: &PaymentRecord) -> Option<String> {
    let done = |attempt: &&Attempt| attempt.doubted && attempt.state == AttemptState::Accepted;
    let Attempt { account, intent, sends, .. } = record.attempts.iter().find(done)?;
    let call = intent.operation();
    let again = match sends {
        1 => "the provider was asked what it knows, and had done it: it was sent once".to_owned(),
        sends => format!("it was sent {sends} times with one key, which is carried out once"),
    };
    Some(format!("no answer to {call} came from {account}, which may have moved money; {again}."))
}

/// An account that could not be reached, which proves that nothing was sent.
fn not_reached(record: &PaymentRecord) -> Option<String> {
    let unsent = |attempt: &&Attempt| attempt.is_create() && attempt.state == AttemptState::NotSent;
    let missed = &record.attempts.iter().find(unsent)?.account;
    let taken = record.account()?;
    Some(format!(
        "{missed} could not be reached, which proves that nothing was sent there; {taken}, the \
         next account of the rule, took it."
    ))
}

/// What moved the payment to where it is, in a few words.
pub(super) fn known_by(record: &PaymentRecord, history: &[TransitionRow]) -> String {
    let moved = history.iter().rev().find(|line| line.from != line.to);
    match moved.and_then(evidence) {
        Some(evidence) => in_short(record, &evidence),
        None => "asked for".to_owned(),
    }
}

fn in_short(record: &PaymentRecord, evidence: &Evidence) -> String {
    match evidence {
        Evidence::Reply { attempt, .. } => {
            let about = record.attempts.iter().find(|one| one.no == *attempt);
            match about.map(|attempt| &attempt.intent) {
                Some(Intent::Create(_)) | None => "the answer when it was opened",
                Some(Intent::Confirm(_)) => "confirmed by the shop",
                Some(Intent::Capture(_)) => "captured by the shop",
                Some(Intent::Cancel(_)) => "cancelled by the shop",
                Some(Intent::Refund(_)) => "given back by the shop",
            }
            .to_owned()
        }
        Evidence::Webhook { name, .. } => format!("read after {name}"),
        Evidence::Lookup { attempt: Some(_), .. } => "looked up when in doubt".to_owned(),
        Evidence::Lookup { attempt: None, .. } => "read unasked".to_owned(),
        Evidence::Person { who, .. } => format!("decided by {who}"),
        Evidence::Asked { .. } | Evidence::Sent { .. } | Evidence::Rule { .. } | _ => {
            evidence.to_string()
        }
    }
}

fn evidence(line: &TransitionRow) -> Option<Evidence> {
    serde_json::from_str(&line.evidence).ok()
}
