//! What the shop knows of one order.

use std::sync::Arc;

use paymux::{Error, Options, Payment, PaymentHandle, PaymentProvider, PaymentStatus};

use super::order::{Expectation, Order};

pub(super) struct Row {
    pub(super) order: Order,
    pub(super) state: State,
    /// How the present state became known.
    pub(super) how: String,
}

pub(super) enum State {
    /// Not asked yet.
    New,
    /// Refused before anything was sent, or by the provider without effect.
    Refused { field: Option<String>, sentence: String },
    /// A payment, in the status the provider last said.
    Known { provider: Arc<dyn PaymentProvider>, payment: Box<Payment>, options: Options },
}

impl Row {
    pub(super) fn new(order: Order) -> Self {
        Self { order, state: State::New, how: String::new() }
    }

    pub(super) fn refuse(&mut self, error: &Error) {
        let field = error.field().map(str::to_owned);
        self.state = State::Refused { field, sentence: error.to_string() };
        "refused before anything was sent".clone_into(&mut self.how);
    }

    pub(super) fn payment(&self) -> Option<&Payment> {
        match &self.state {
            State::Known { payment, .. } => Some(payment),
            State::New | State::Refused { .. } => None,
        }
    }

    pub(super) fn handle(&self) -> Option<PaymentHandle> {
        match &self.state {
            State::Known { payment, options, .. } => Some(payment.handle(options)),
            State::New | State::Refused { .. } => None,
        }
    }

    pub(super) fn status(&self) -> Option<PaymentStatus> {
        self.payment().map(|payment| payment.status)
    }

    /// Is there nothing more to wait for?
    pub(super) fn is_settled(&self) -> bool {
        match &self.state {
            State::New => false,
            State::Refused { .. } => true,
            State::Known { payment, .. } => payment.status.is_final(),
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
            (State::Refused { field, .. }, Expectation::Refused(expected)) => {
                field.as_ref() == Some(expected)
            }
            (State::Known { payment, .. }, expected) => {
                let paid = match self.order.price() {
                    Ok(price) => payment.is_paid(price),
                    Err(_) => false,
                };
                expected.status() == Some(payment.status)
                    && (payment.status != PaymentStatus::Succeeded || paid)
            }
            (State::New | State::Refused { .. }, _) => false,
        }
    }
}
