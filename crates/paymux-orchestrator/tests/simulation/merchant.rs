//! What the merchant does: it orders, asks twice, changes its mind, and uses keys wrongly.

use paymux_core::{
    CaptureMethod, ErrorKind, IdempotencyKey, Money, PaymentStatus, Reference, Result,
};
use paymux_orchestrator::{NewCapture, NewPayment, NewRefund, Orchestrator, PaymentRecord};

use super::{
    provider::key,
    world::{World, eur},
};

const ORDERS: u32 = 4;
/// The order of which the money is held first.
pub(crate) const HELD: u32 = 3;

impl World {
    pub(crate) fn order(&mut self) {
        let no = self.dice.roll(ORDERS);
        // Now and then the merchant uses a key for something else.
        let other = self.dice.one_in(12);
        let place = self.somewhere();
        self.say(|| format!("order {no} at node {place}, another: {other}"));
        self.ask_for(no, other, place);
    }

    /// Asks for this order; the one with number 3 is to be held first.
    pub(crate) fn ask_for(&mut self, no: u32, other: bool, place: usize) {
        let amount = Money::new(1_000 + i128::from(no) + if other { 50 } else { 0 }, eur());
        let reference = Reference::new(format!("order-{no}")).unwrap();
        let mut request = NewPayment::new(reference, amount.unwrap(), "a thing");
        if no == HELD {
            request.capture = CaptureMethod::Manual;
        }
        let key = key(&format!("key-{no}"));
        let (told, broken) = (self.told.clone(), self.broken.clone());
        let orchestrator = self.nodes[place].orchestrator.clone();
        self.nodes[place].begin(async move {
            let made = orchestrator.create_payment(&key, &request).await;
            let Ok(record) = made else { return };
            if record.request.amount != request.amount {
                broken.note(format!("a key that was used led to {}", record.id));
            }
            let mut told = told.lock().unwrap();
            let known = told.entry(no).or_insert_with(|| record.id.clone());
            if *known != record.id {
                broken.note(format!("one key made {known} and {}", record.id));
            }
        });
    }

    /// The merchant does something with one of its payments.
    pub(crate) fn operate(&mut self) {
        let records = self.records();
        if records.is_empty() {
            return;
        }
        let record = records[self.dice.index(records.len())].clone();
        let key = key(&format!("operation-{}", self.dice.roll(8)));
        let (place, what) = (self.somewhere(), self.dice.roll(4));
        let part = self.dice.one_in(2).then(|| Money::new(400, eur()).unwrap());
        self.say(|| format!("operation {what} of {} at node {place}", record.id));
        self.begin_operation(record, key, what, part, place);
    }

    pub(crate) fn begin_operation(
        &mut self,
        record: PaymentRecord,
        key: IdempotencyKey,
        what: u32,
        part: Option<Money>,
        place: usize,
    ) {
        let orchestrator = self.nodes[place].orchestrator.clone();
        let broken = self.broken.clone();
        self.nodes[place].begin(async move {
            let done = operation(&orchestrator, &record, &key, what, part).await;
            let Err(error) = done else { return };
            if error.kind() == ErrorKind::Unexpected {
                broken.note(format!("operation {what} of {}: {error}", record.id));
            }
        });
    }
}

async fn operation(
    orchestrator: &Orchestrator,
    record: &PaymentRecord,
    key: &IdempotencyKey,
    what: u32,
    amount: Option<Money>,
) -> Result<()> {
    let id = &record.id;
    match (record.status, what) {
        (PaymentStatus::Authorized, 0 | 1) => {
            let capture = NewCapture { amount, ..NewCapture::default() };
            orchestrator.capture_payment(key, id, capture).await.map(drop)
        }
        (PaymentStatus::Succeeded, 0..=2) => {
            let refund = NewRefund { amount, ..NewRefund::default() };
            orchestrator.create_refund(key, id, refund).await.map(drop)
        }
        (_, 3) => orchestrator.cancel_payment(key, id).await.map(drop),
        _ => orchestrator.fetch_payment(id).await.map(drop),
    }
}
