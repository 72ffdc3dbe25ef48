//! What the shop is asked for: made from a seed, the same in every process.

use fastrand::Rng;
use paymux::{
    CaptureMethod, Currency, Customer, IdempotencyKey, Money, Reference, Result,
    milkypay::MilkyPayOptions,
    ramp::{PaymentType, RampOptions},
};
use paymux_orchestrator::NewPayment;
use serde::{Deserialize, Serialize};

/// The account that takes money at once, and repeats a creation under its key.
pub const GAMES: &str = "toffeepay";
/// The account that only holds; captures and cancels are looked for before they are repeated.
pub const HELD_GAMES: &str = "toffeepay-manual";
/// The account that repeats a creation under its reference, and never repeats a refund.
pub const INVOICES: &str = "milkypay";
/// The account where creating is harmless, and confirming moves the money.
pub const WALLET: &str = "wallet";
/// The account where creating finds what is there, confirming is never repeated, and nobody signs
/// what it tells.
pub const BILLS: &str = "ramp";

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

/// What an order at [`BILLS`] pays, which comes about there and not in the shop.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bill {
    /// The provider's invoice.
    pub invoice: String,
    /// Whose it is.
    pub user: String,
    /// That user's account, from which it is paid unless a page is to be shown.
    pub account: String,
}

/// The orders of a run.
#[must_use]
pub fn orders(seed: u64, count: u32) -> Vec<Order> {
    let mut dice = Rng::with_seed(seed);
    (0..count).map(|number| order(number, &mut dice)).collect()
}

fn order(number: u32, dice: &mut Rng) -> Order {
    let first = [GAMES, HELD_GAMES, INVOICES, WALLET, BILLS][dice.usize(0..5)];
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

    /// Is it a bill that is paid from the payer's account, without a page?
    fn is_debited(&self) -> bool {
        self.first == BILLS && self.script == Script::Pay && self.number.is_multiple_of(2)
    }

    /// The payment that the shop asks for.
    ///
    /// # Errors
    /// An order at [`BILLS`] without its bill. Everything else in it can be asked for.
    pub fn request(&self, bill: Option<&Bill>) -> Result<NewPayment> {
        let amount = Money::new(self.cents.into(), Currency::EUR)?;
        let mut request =
            NewPayment::new(Reference::new(self.name())?, amount, "A thing of the shop")
                .customer(Customer::new(format!("payer-{}", self.number)))
                .metadata("first", self.first);
        if !self.is_debited() {
            let back = paymux::Url::parse("https://shop.example/thanks").map_err(|source| {
                paymux::Error::invalid_request("return_url", "is none").with_source(source)
            })?;
            request = request.return_url(back);
        }
        let request = if self.first == BILLS {
            request.with(&self.bill_options(bill, amount)?)?
        } else {
            request.with(&MilkyPayOptions {
                service: Some("payment_card_eur_hpp".to_owned()),
                ..MilkyPayOptions::default()
            })?
        };
        Ok(match self.script {
            Script::Capture | Script::Release => request.capture(CaptureMethod::Manual),
            Script::Pay | Script::PayAfterDecline | Script::Refund | Script::Leave => request,
        })
    }

    fn bill_options(&self, bill: Option<&Bill>, price: Money) -> Result<RampOptions> {
        let bill = bill.ok_or_else(|| paymux::Error::invalid_request("bill", "is missing"))?;
        let way = if self.is_debited() {
            PaymentType::Platform { account_id: bill.account.clone() }
        } else {
            PaymentType::Checkout
        };
        let mut options = RampOptions::new(&*bill.user, &*bill.invoice, way);
        // Compared once more right before the debit.
        options.price = Some(price);
        Ok(options)
    }
}
