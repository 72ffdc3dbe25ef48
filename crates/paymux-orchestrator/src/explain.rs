//! Why a payment is in its state, for a person on call.

use std::fmt;

use paymux_core::{CaptureMethod, PaymentStatus, Result, Timestamp};

use crate::{
    ConfirmBy, Evidence, Orchestrator, PaymentId,
    draft::digest,
    plan::Move,
    record::{Attempt, PaymentRecord},
    store::TransitionRow,
};

/// Why a payment is in its state: what was asked, what was done and seen, in order, and what
/// happens next. Printed, it is a page of sentences.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// The payment.
    pub record: PaymentRecord,
    /// Everything that moved it, oldest first.
    pub history: Vec<TransitionRow>,
    /// What happens next, in words.
    pub next: String,
    /// Does every line of the history follow from the one before, and is the last one there? If
    /// not, somebody changed it.
    pub history_is_whole: bool,
}

impl Orchestrator {
    /// Says why a payment is in its state.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Unavailable` when the store is.
    pub async fn explain(&self, id: &PaymentId) -> Result<Explanation> {
        // In this order: a change that is written in between is one more line, and no sign of
        // anything.
        let record = self.0.load(id).await?;
        let history = self.history(id).await?;
        let next = in_words(&self.0.next_move(&record, self.0.now()), &record);
        let history_is_whole = is_whole(&history, &record);
        Ok(Explanation { record, history, next, history_is_whole })
    }
}

fn is_whole(history: &[TransitionRow], record: &PaymentRecord) -> bool {
    let mut previous = "";
    for line in history {
        if line.previous_digest != previous || line.digest != digest(line) {
            return false;
        }
        previous = &line.digest;
    }
    // Without its own line the record was read after somebody cut the end off.
    let own = history.iter().find(|line| line.version == record.version);
    own.is_some_and(|line| line.digest == record.last_digest)
}

/// What happens next, and whom it waits for.
fn in_words(next: &Move, record: &PaymentRecord) -> String {
    let reviews: Vec<String> =
        record.reviews.iter().map(|review| review.reason.to_string()).collect();
    let reviews = reviews.join(", ");
    if *next == Move::Done && !reviews.is_empty() {
        return format!("nothing, until a person has looked at it: {reviews}");
    }
    let words = move_in_words(next, record);
    if !matches!(next, Move::Wait(_)) {
        return words;
    }
    if !reviews.is_empty() {
        return format!("{words}; a person has to look at it: {reviews}");
    }
    match waits_for(record) {
        Some(whom) => format!("{words}; it waits for {whom}"),
        None => words,
    }
}

/// Who has to do something before it goes on by itself.
fn waits_for(record: &PaymentRecord) -> Option<&'static str> {
    let (status, request) = (record.status, &record.request);
    let by_hand = record.steps_by_hand;
    let by_merchant = by_hand || request.confirm == ConfirmBy::Merchant;
    let held = by_hand || request.capture == CaptureMethod::Manual;
    if record.open_step().is_some() || record.cancel_wanted {
        None
    } else if status == PaymentStatus::RequiresAction {
        Some("the payer")
    } else if status == PaymentStatus::RequiresConfirmation && by_merchant {
        Some("the merchant to confirm it")
    } else if status == PaymentStatus::Authorized && held {
        Some("the merchant to capture it")
    } else {
        None
    }
}

/// Why a payment that succeeded does not count as paid.
fn why_not_paid(record: &PaymentRecord) -> Option<String> {
    let payment = record.provider.as_ref()?;
    if record.status != PaymentStatus::Succeeded || record.is_paid() {
        return None;
    }
    let amounts = &payment.amounts;
    let gone = [amounts.refunded, amounts.charged_back].into_iter().flatten();
    let gone = gone.filter(|amount| !amount.is_zero()).map(|amount| amount.to_string());
    let gone: Vec<String> = gone.collect();
    let wanted = record.accepted_amount.unwrap_or(record.request.amount);
    Some(match amounts.captured {
        _ if !record.reviews.is_empty() => "a person has to look at it first".to_owned(),
        _ if amounts.given_back_unstated => {
            "some of it went back, and nobody says how much".to_owned()
        }
        _ if !gone.is_empty() => format!("{} went back", gone.join(" and ")),
        None => "nobody says how much was taken".to_owned(),
        Some(captured) => format!("{captured} was taken, {wanted} was to be"),
    })
}

/// The open refund of what was left elsewhere that is due at this moment.
fn going_back(record: &PaymentRecord, moment: Timestamp) -> Option<&Attempt> {
    let mut open = record.attempts.iter().filter(|attempt| attempt.is_open_elsewhere());
    open.find(|attempt| attempt.next_try_at == Some(moment))
}

fn move_in_words(next: &Move, record: &PaymentRecord) -> String {
    match next {
        Move::Wait(moment) => match record.open_step().or_else(|| going_back(record, *moment)) {
            Some(attempt) if attempt.gives_back.is_some() => format!(
                "attempt {}, which gives back what was left, is looked after at {moment}",
                attempt.no
            ),
            Some(attempt) => format!(
                "attempt {} is looked after again at {moment}; nobody else is charged before",
                attempt.no
            ),
            None if record.attempts.iter().any(|attempt| attempt.watch_at == Some(*moment)) => {
                format!("what was given up is looked at again at {moment}")
            }
            None => format!("it is read from its provider again at {moment}"),
        },
        Move::Done if record.open_attempt().is_some() => {
            "nothing, until a person has looked at it".to_owned()
        }
        Move::Done => "nothing: it is settled".to_owned(),
        Move::Send(no) => format!("attempt {no} is sent"),
        Move::Doubt(no) => format!("attempt {no} has had no answer for too long: in doubt"),
        Move::LookUp | Move::LookUpReference(_) => "its provider is asked what it knows".to_owned(),
        Move::LookUpRefund(_) | Move::LookUpLeft(_) => {
            "its provider is asked for the refund".to_owned()
        }
        Move::Watch(no) => format!("attempt {no}, which was given up, is looked at again"),
        Move::NotCharged(no) => format!("attempt {no} is proved not to exist"),
        Move::Abandon(no) => format!("attempt {no} is given up: nobody can pay it"),
        Move::Park(..) => "a person is asked to look at it".to_owned(),
        Move::Withdraw(no) => format!("attempt {no} is not sent: it is not wanted any more"),
        Move::Climb(no) => format!("attempt {no} is looked after again later"),
        Move::Create(account) => format!("{account} is tried"),
        Move::Confirm(_) => "our consent is given".to_owned(),
        Move::Capture(_) => "what is held is taken".to_owned(),
        Move::Cancel(_) => "what is open is ended".to_owned(),
        Move::EndHere => "it ends: no account has it".to_owned(),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = &self.record;
        let request = &record.request;
        writeln!(f, "{} · {} · {}", record.id, request.reference, request.amount)?;
        let paid = if record.is_paid() { "paid" } else { "not paid" };
        writeln!(f, "{}, {paid}, since {}", record.status, record.updated_at)?;
        if let Some(why) = why_not_paid(record) {
            writeln!(f, "it does not count as paid, since {why}")?;
        }
        if let Some(payment) = &record.provider {
            writeln!(
                f,
                "at {} it is {}, in its own word \"{}\"",
                payment.provider, payment.id, payment.provider_status
            )?;
        }
        if let Some(word) = &record.undocumented_status {
            writeln!(f, "its provider said \"{word}\", which nobody documented; it moved nothing")?;
        }
        for review in &record.reviews {
            writeln!(f, "A PERSON HAS TO LOOK: {}: {}", review.reason, review.note)?;
        }
        writeln!(f, "\nThe way it was routed")?;
        for step in &record.route {
            writeln!(f, "  {} by rule \"{}\": {}", step.account, step.rule, step.why)?;
        }
        writeln!(f, "\nWhat was tried")?;
        for attempt in &record.attempts {
            write_attempt(f, attempt)?;
        }
        writeln!(f, "\nWhat happened, and the evidence")?;
        let mut status = None;
        for line in &self.history {
            write_line(f, line, status)?;
            status = Some(line.to);
        }
        if !self.history_is_whole {
            writeln!(
                f,
                "THE HISTORY WAS CHANGED: its lines do not follow from one another, or are not all there"
            )?;
        }
        write!(f, "\nNext: {}", self.next)
    }
}

fn write_attempt(f: &mut fmt::Formatter<'_>, attempt: &Attempt) -> fmt::Result {
    write!(
        f,
        "  {}. {} at {}: {}",
        attempt.no,
        attempt.intent.in_words(),
        attempt.account,
        attempt.state.in_words()
    )?;
    if let Some(of) = attempt.gives_back {
        write!(f, ", of what attempt {of} left there")?;
    }
    match attempt.sends {
        0 | 1 => {}
        sends => write!(f, ", sent {sends} times with one key")?,
    }
    if let Some(refund) = &attempt.refund {
        write!(f, ", {} ({})", refund.status, refund.provider_status)?;
    }
    if let Some(fault) = &attempt.fault {
        write!(f, "; last trouble: {}", fault.message)?;
    }
    writeln!(f)
}

fn write_line(
    f: &mut fmt::Formatter<'_>,
    line: &TransitionRow,
    before: Option<PaymentStatus>,
) -> fmt::Result {
    write!(f, "  {}  ", line.at)?;
    match serde_json::from_str::<Evidence>(&line.evidence) {
        Ok(evidence) => write!(f, "{evidence}")?,
        Err(_) => write!(f, "{}", line.cause)?,
    }
    if before != Some(line.to) {
        write!(f, " → {}", line.to)?;
    }
    writeln!(f)
}

#[cfg(test)]
mod tests;
