//! What a model says: of its objects, in the words of the core, and by webhooks.

use paymux_core::{
    Effect, Error, ErrorKind, EventKey, Money, NextAction, Part, Payment, PaymentHandle,
    PaymentStatus, ProviderPartId, ProviderPaymentId, ProviderRefundId, Refund, Result, Sensitive,
    Subject, Trust, Url, WebhookEvent,
};

use super::Model;
use crate::simulation::{
    kinds,
    truth::{Fault, Kind, Object, RefundRow, Telling},
};

impl Model {
    pub(super) fn bend(&self, mut payment: Payment, fault: Fault) -> Payment {
        if fault == Fault::Mumbles {
            payment.status = PaymentStatus::Unknown;
            payment.provider_status = "brewing".to_owned();
        }
        if fault == Fault::AboutAnother {
            let truth = self.truth();
            let other = truth.objects.values().find(|object| object.id != payment.id);
            return other.map_or(payment, |other| self.show(other));
        }
        payment
    }

    pub(super) fn show(&self, object: &Object) -> Payment {
        let status = object.status;
        let mut payment = Payment::new(self.id.clone(), object.id.clone(), status, status.as_str());
        let money = |minor| Money::new(minor, object.amount.currency()).unwrap();
        if self.kind != Kind::Page {
            payment.reference = Some(object.reference.clone());
        }
        payment.amounts.requested = Some(object.amount);
        payment.amounts.captured = (object.captured > 0).then(|| money(object.captured));
        let says_refunded = object.refunded > 0 || object.says_refunded;
        payment.amounts.refunded = says_refunded.then(|| money(object.refunded));
        payment.amounts.charged_back =
            (object.charged_back > 0).then(|| money(object.charged_back));
        payment.amounts.given_back_unstated = object.given_back_unstated;
        let held = || money(object.amount.minor() - object.captured);
        payment.amounts.authorized =
            (status == PaymentStatus::Authorized && object.says_held).then(held);
        let part = |id: &ProviderPartId| Part::new(id.clone(), status, status.as_str());
        payment.parts.extend(object.part.as_ref().map(part));
        payment.next_action = match (status, object.step) {
            (PaymentStatus::RequiresConfirmation, Some(step)) => Some(NextAction::Confirm { step }),
            (PaymentStatus::RequiresAction, _) => Some(NextAction::SubmitForm {
                url: Url::parse(&format!("https://pay.example/{}", object.id)).unwrap(),
                method: "POST".to_owned(),
                // What is not written down.
                fields: Sensitive::new(vec![("token".to_owned(), object.id.to_string())]),
            }),
            _ => None,
        };
        payment
    }

    /// Without a word about the confirmations that were begun, nobody can tell what waits for one
    /// from what has it.
    pub(super) fn show_to(&self, object: &Object, handle: &PaymentHandle) -> Payment {
        let mut payment = self.show(object);
        if handle.confirmed.is_none() && payment.status == PaymentStatus::RequiresConfirmation {
            payment.status = PaymentStatus::Processing;
            payment.next_action = None;
        }
        payment
    }

    pub(super) fn show_refund(&self, row: &RefundRow) -> Refund {
        let mut refund = Refund::new(row.status, row.status.as_str());
        if self.kind != Kind::Invoice {
            refund.id = Some(ProviderRefundId::new(row.id.clone()).unwrap());
            refund.payment = Some(ProviderPaymentId::new(row.names.clone()).unwrap());
        }
        refund
    }

    pub(super) fn not_found(&self) -> Error {
        Error::new(ErrorKind::NotFound, Effect::None, "there is no such payment")
            .with_provider(&self.id)
    }

    pub(super) fn shown(&self, object: Option<Object>) -> Result<Payment> {
        let refused = || {
            Error::new(ErrorKind::Conflict, Effect::None, "not in this state")
                .with_provider(&self.id)
        };
        object.map(|object| self.show(&object)).ok_or_else(refused)
    }

    pub(super) fn event(&self, place: usize, telling: &Telling) -> Result<WebhookEvent> {
        let (name, subject, payment) = match telling {
            Telling::Object(object) => {
                let subject = Subject::Payment(object.id.clone());
                let mut payment = self.show(object);
                if self.truth().names_in_events {
                    payment.reference = Some(object.reference.clone());
                }
                ("payment.changed", subject, Some(Box::new(payment)))
            }
            Telling::Refund(id) => {
                ("refund.changed", Subject::Refund { id: ProviderRefundId::new(id.clone())? }, None)
            }
            Telling::Payout => {
                ("payout.paid", Subject::Other { kind: "payout".to_owned(), id: None }, None)
            }
        };
        let key = EventKey::new(format!("evt{place}"))?;
        let mut event = WebhookEvent::new(key, name, kinds::trust(self.kind), subject);
        event.payment = payment;
        Ok(event)
    }

    /// What anybody could send: a lie about an object, under a key of its own.
    pub(super) fn forged(&self, place: usize, status: PaymentStatus) -> Result<Vec<WebhookEvent>> {
        let truth = self.truth();
        let forged = || Error::invalid_signature("nobody of ours signed it");
        let Some(Telling::Object(object)) = truth.tellings.get(place) else { return Err(forged()) };
        if kinds::trust(self.kind) != Trust::Unsigned {
            return Err(forged());
        }
        let mut lie = object.clone();
        lie.status = status;
        let key = EventKey::new(format!("lie{place}{}", status.as_str()))?;
        let subject = Subject::Payment(lie.id.clone());
        let mut event = WebhookEvent::new(key, "payment.changed", Trust::Unsigned, subject);
        event.payment = Some(Box::new(self.show(&lie)));
        Ok(vec![event])
    }
}
