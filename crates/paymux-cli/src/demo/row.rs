//! What the shop knows of one order.

use std::sync::Arc;

use paymux::{ConfirmStep, Error, Options, Payment, PaymentHandle, PaymentProvider, PaymentStatus};

use super::order::{Expectation, Order};

pub(super) struct Row {
    pub(super) order: Order,
    pub(super) state: State,
    /// How the present state became known.
    pub(super) how: String,
    /// A step of the shop that failed, to be taken again when the payment has been read.
    pub(super) step_failed: bool,
    /// The step that the shop confirmed last.
    pub(super) confirmed: Option<ConfirmStep>,
}

pub(super) enum State {
    /// Not asked yet.
    New,
    /// There will be no payment.
    Refused { by: RefusedBy, field: Option<String>, sentence: String },
    /// Nobody knows whether there is a payment.
    InDoubt { sentence: String },
    /// A payment, in the status the provider last said.
    Known { provider: Arc<dyn PaymentProvider>, payment: Box<Payment>, options: Options },
}

/// Who would not open the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusedBy {
    /// We: nothing was sent.
    Us,
    /// The provider, in an answer.
    Provider,
}

impl Row {
    pub(super) fn new(order: Order) -> Self {
        Self { order, state: State::New, how: String::new(), step_failed: false, confirmed: None }
    }

    /// The payment could not be opened. `may_exist` says that this or an earlier send of the same
    /// request may have opened it all the same.
    pub(super) fn give_up(&mut self, error: &Error, may_exist: bool) {
        let sentence = error.to_string();
        let (state, how) = if may_exist {
            (State::InDoubt { sentence }, "no answer that can be relied on")
        } else {
            let by = match error.http_status() {
                Some(_) => RefusedBy::Provider,
                None => RefusedBy::Us,
            };
            let how = match by {
                RefusedBy::Provider => "refused by the provider",
                RefusedBy::Us => "nothing was sent",
            };
            let field = error.field().map(str::to_owned);
            (State::Refused { by, field, sentence }, how)
        };
        self.state = state;
        how.clone_into(&mut self.how);
    }

    pub(super) fn payment(&self) -> Option<&Payment> {
        match &self.state {
            State::Known { payment, .. } => Some(payment),
            State::New | State::Refused { .. } | State::InDoubt { .. } => None,
        }
    }

    pub(super) fn handle(&self) -> Option<PaymentHandle> {
        match &self.state {
            State::Known { payment, options, .. } => Some(payment.handle(options)),
            State::New | State::Refused { .. } | State::InDoubt { .. } => None,
        }
    }

    pub(super) fn status(&self) -> Option<PaymentStatus> {
        self.payment().map(|payment| payment.status)
    }

    /// Is there nothing more to wait for? A payment can stay short for good without ever being
    /// final; a script that ends there says so.
    pub(super) fn is_settled(&self) -> bool {
        match &self.state {
            State::New => false,
            State::Refused { .. } | State::InDoubt { .. } => true,
            State::Known { provider, payment, .. } => {
                // The answer to a step may lack the figure that a read gives.
                let figure_comes = payment.status == PaymentStatus::Succeeded
                    && payment.amounts.captured.is_none()
                    && provider.capabilities().reports_captured;
                let ended =
                    payment.status.is_final() || self.order.expect.status() == Some(payment.status);
                ended && !figure_comes
            }
        }
    }

    /// Takes over what the provider said, unless the payment cannot have come to that.
    pub(super) fn learn(&mut self, news: Payment, how: &str) {
        if let State::Known { payment, .. } = &mut self.state
            && payment.status.can_become(news.status)
        {
            let amounts = news.amounts.clone().or(&payment.amounts);
            if payment.status != news.status {
                how.clone_into(&mut self.how);
            }
            **payment = news;
            payment.amounts = amounts;
        }
    }

    /// Did the order end as its script says? A success counts only if the whole price came in.
    pub(super) fn is_as_scripted(&self) -> bool {
        match (&self.state, &self.order.expect) {
            (State::Refused { by, field, .. }, Expectation::Refused(expected)) => {
                *by == RefusedBy::Us && field.as_ref() == Some(expected)
            }
            (State::Known { payment, .. }, expected) => {
                // The whole price, or as much of it as the shop meant to take.
                let due = match self.order.captured() {
                    Ok(Some(part)) => Ok(part),
                    Ok(None) => self.order.price(),
                    Err(error) => Err(error),
                };
                let paid = due.is_ok_and(|due| payment.is_paid(due));
                expected.status() == Some(payment.status)
                    && (payment.status != PaymentStatus::Succeeded || paid)
            }
            (State::New | State::Refused { .. } | State::InDoubt { .. }, _) => false,
        }
    }
}
