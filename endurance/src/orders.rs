//! What the shop is asked for: made from a seed, the same in every process.

use fastrand::Rng;
use paymux::{
    CaptureMethod, Currency, Customer, IdempotencyKey, Money, Reference, Result,
    milkypay::MilkyPayOptions,
};
use paymux_orchestrator::NewPayment;

/// The account that takes money at once, and repeats a creation under its key.
pub const GAMES: &str = "toffeepay";
/// The account that only holds; captures and cancels are looked for before they are repeated.
pub const HELD_GAMES: &str = "toffeepay-manual";
/// The account that repeats a creation under its reference, and never repeats a refund.
pub const INVOICES: &str = "milkypay";
/// The account where creating is harmless, and confirming moves the money.
pub const WALLET: &str = "wallet";

/// What becomes of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// The payer pays.
    Pay,
    /// The payer is declined once, and pays then where the provider permits that.
    PayAfterDecline,
    /// The payer pays, and the shop gives all of it back.
    Refund,
    /// The money is held, and the shop takes it.
    Capture,
    /// The money is held, and the shop lets it go.
    Release,
    /// The payer walks away.
    Leave,
}

/// One order.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// Counts from 0.
    pub number: u32,
    /// The account that is asked first.
    pub first: &'static str,
    /// What becomes of it.
    pub script: Script,
    /// How much, in cents.
    pub cents: u32,
}

/// The orders of a run.
#[must_use]
pub fn orders(seed: u64, count: u32) -> Vec<Order> {
    let mut dice = Rng::with_seed(seed);
    (0..count).map(|number| order(number, &mut dice)).collect()
}

fn order(number: u32, dice: &mut Rng) -> Order {
    let first = [GAMES, HELD_GAMES, INVOICES, WALLET][dice.usize(0..4)];
    let roll = dice.u32(0..100);
    let script = match (first, roll) {
        (_, 0..8) => Script::Leave,
        (HELD_GAMES, 8..50) => Script::Capture,
        (HELD_GAMES, 50..70) => Script::Release,
        (GAMES | INVOICES, 8..40) => Script::Refund,
        (_, 40..55) => Script::PayAfterDecline,
        _ => Script::Pay,
    };
    Order { number, first, script, cents: dice.u32(100..10_000) }
}

impl Order {
    /// The shop's word for it, which is also the key of what it asks for.
    #[must_use]
    pub fn name(&self) -> String {
        format!("order-{:05}", self.number)
    }

    /// The key under which the shop asks for something about it.
    ///
    /// # Errors
    /// Never: every name can be a key.
    pub fn key(&self) -> Result<IdempotencyKey> {
        IdempotencyKey::new(self.name())
    }

    /// The payment that the shop asks for.
    ///
    /// # Errors
    /// Never: everything in it can be asked for.
    pub fn request(&self) -> Result<NewPayment> {
        let amount = Money::new(self.cents.into(), Currency::EUR)?;
        let request = NewPayment::new(Reference::new(self.name())?, amount, "A thing of the shop")
            .customer(Customer::new(format!("payer-{}", self.number)))
            .return_url(paymux::Url::parse("https://shop.example/thanks").map_err(|source| {
                paymux::Error::invalid_request("return_url", "is none").with_source(source)
            })?)
            .metadata("first", self.first)
            .with(&MilkyPayOptions {
                service: Some("payment_card_eur_hpp".to_owned()),
                ..MilkyPayOptions::default()
            })?;
        Ok(match self.script {
            Script::Capture | Script::Release => request.capture(CaptureMethod::Manual),
            Script::Pay | Script::PayAfterDecline | Script::Refund | Script::Leave => request,
        })
    }
}
