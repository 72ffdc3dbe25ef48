//! What the shop knows of one order.

use paymux::{
    Error, PaymentStatus,
    orchestrator::{AttemptState, PaymentRecord},
};

use super::order::{Expectation, Order};

pub(super) struct Row {
    pub(super) order: Order,
    pub(super) state: State,
    /// The payer, or the shop before the payer could act, has done what the script says.
    pub(super) is_played: bool,
    /// The shop has decided on money that is held.
    pub(super) is_decided: bool,
}

pub(super) enum State {
    /// Not asked yet.
    New,
    /// There is no payment.
    Refused { by: RefusedBy, field: Option<String>, sentence: String },
    /// A payment, as the orchestrator last knew it.
    Known { record: Box<PaymentRecord> },
}

/// Who would not open the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusedBy {
    /// We: nothing was sent.
    Us,
    /// The provider, in an answer.
    Provider,
}

impl RefusedBy {
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Provider => "refused by the provider",
            Self::Us => "nothing was sent",
        }
    }
}

impl Row {
    pub(super) fn new(order: Order) -> Self {
        Self { order, state: State::New, is_played: false, is_decided: false }
    }

    /// There will be no payment.
    pub(super) fn refuse(&mut self, error: &Error) {
        let by = match error.http_status() {
            Some(_) => RefusedBy::Provider,
            None => RefusedBy::Us,
        };
        let field = error.field().map(str::to_owned);
        self.state = State::Refused { by, field, sentence: error.to_string() };
    }

    /// Takes over what the orchestrator knows. A payment that no provider has, and none will, was
    /// refused.
    pub(super) fn learn(&mut self, record: PaymentRecord) {
        let refused = record.status == PaymentStatus::Failed && record.provider.is_none();
        match last_trouble(&record) {
            Some(error) if refused => self.refuse(&error),
            _ => self.state = State::Known { record: Box::new(record) },
        }
    }

    pub(super) fn record(&self) -> Option<&PaymentRecord> {
        match &self.state {
            State::Known { record } => Some(record),
            State::New | State::Refused { .. } => None,
        }
    }

    pub(super) fn status(&self) -> Option<PaymentStatus> {
        self.record().map(|record| record.status)
    }

    /// The payment's status in a word; `in doubt` where nobody knows whether there is one.
    pub(super) fn word(&self) -> &'static str {
        match &self.state {
            State::New => "not asked",
            State::Refused { .. } => "refused",
            State::Known { record } if record.provider.is_none() && record.in_doubt() => "in doubt",
            State::Known { record } => record.status.as_str(),
        }
    }

    /// What went wrong, where the order came to nothing by it.
    pub(super) fn sentence(&self) -> Option<String> {
        match &self.state {
            State::New => None,
            State::Refused { sentence, .. } => Some(sentence.clone()),
            State::Known { record } => {
                let trouble = last_trouble(record).filter(|_| record.in_doubt());
                trouble.map(|error| error.to_string())
            }
        }
    }

    /// Is there nothing more to wait for? A payment can stay short for good without ever being
    /// final; a script that ends there says so.
    pub(super) fn is_settled(&self) -> bool {
        match &self.state {
            State::New => false,
            State::Refused { .. } => true,
            State::Known { record } => {
                let ended =
                    record.status.is_final() || self.order.expect.status() == Some(record.status);
                ended && !record.figure_looked_for && record.open_attempt().is_none()
            }
        }
    }

    /// Is there a call whose outcome is open?
    pub(super) fn is_under_way(&self) -> bool {
        self.record().is_some_and(|record| record.open_attempt().is_some())
    }

    /// Did the order end as its script says? A success counts only if the whole price came in.
    pub(super) fn is_as_scripted(&self) -> bool {
        match (&self.state, &self.order.expect) {
            (State::Refused { by, field, .. }, Expectation::Refused(expected)) => {
                *by == RefusedBy::Us && field.as_ref() == Some(expected)
            }
            (State::Known { record }, expected) => {
                // The whole price, or as much of it as the shop meant to take.
                let due = match self.order.captured() {
                    Ok(Some(part)) => Ok(part),
                    Ok(None) => self.order.price(),
                    Err(error) => Err(error),
                };
                let payment = record.provider.as_ref();
                let paid = due.is_ok_and(|due| payment.is_some_and(|known| known.is_paid(due)));
                expected.status() == Some(record.status)
                    && record.reviews.is_empty()
                    && (record.status != PaymentStatus::Succeeded || paid)
            }
            (State::New | State::Refused { .. }, _) => false,
        }
    }
}

/// The last error of an attempt that did not end well, as the caller of that attempt would see it.
fn last_trouble(record: &PaymentRecord) -> Option<Error> {
    let troubled = record
        .attempts
        .iter()
        .rev()
        .find(|attempt| attempt.state != AttemptState::Accepted && attempt.fault.is_some())?;
    let fault = troubled.fault.as_ref()?;
    Some(fault.to_error(&troubled.account, troubled.intent.operation()))
}
