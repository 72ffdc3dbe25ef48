//! The person at the checkout: how they pay, from where, and whether their bank agrees.

use serde::{Deserialize, Serialize};

use super::objects::GameUser;

/// A payment method (the closed set of the API reference).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// A card typed in.
    #[default]
    Card,
    /// A card kept by the provider.
    TokenizedCard,
    /// Apple Pay.
    ApplePay,
    /// Google Pay.
    GooglePay,
    /// PayPal.
    Paypal,
    /// Pay later.
    Paylater,
    /// Venmo.
    Venmo,
    /// The balance of the Toffee Wallet.
    ToffeeWallet,
}

impl Method {
    /// What the checkout page offers, in its order, with the label shown.
    pub(super) const OFFERED: [(Method, &'static str, &'static str); 7] = [
        (Method::Card, "card", "Card"),
        (Method::ApplePay, "apple_pay", "Apple Pay"),
        (Method::GooglePay, "google_pay", "Google Pay"),
        (Method::Paypal, "paypal", "PayPal"),
        (Method::Paylater, "paylater", "Pay later"),
        (Method::Venmo, "venmo", "Venmo"),
        (Method::ToffeeWallet, "toffee_wallet", "Toffee Wallet"),
    ];

    /// The word in a form; a stored card counts as a card there.
    pub(super) fn word(self) -> &'static str {
        let offered = Method::OFFERED.into_iter().find(|(method, ..)| *method == self);
        offered.map_or("card", |(_, word, _)| word)
    }

    /// Reads the word of a form.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        let offered = Method::OFFERED.into_iter().find(|(_, known, _)| *known == word);
        offered.map(|(method, ..)| method)
    }
}

/// Why a payment is declined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Decline {
    /// The bank says no and does not say why. Shown as `card_declined`, a word of the sandbox:
    /// the provider publishes no list.
    #[default]
    Declined,
    /// There is not enough money: `insufficient_funds`.
    InsufficientFunds,
}

impl Decline {
    pub(super) fn code_and_message(self) -> (&'static str, &'static str) {
        match self {
            Decline::Declined => ("card_declined", "The payment method was declined by its issuer"),
            Decline::InsufficientFunds => ("insufficient_funds", "The payment method was declined"),
        }
    }
}

/// Who pays and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Payer {
    /// The method chosen.
    pub method: Method,
    /// Country of the billing address, ISO 3166-1 alpha-2; it decides the tax. Without one, the
    /// item's country counts, then `US`.
    pub country: Option<String>,
    /// Set when the payment is to be declined.
    pub decline: Option<Decline>,
    /// The part of a Toffee Wallet payment that is paid with bonus, in cents.
    pub bonus_amount: i32,
}

impl Payer {
    /// A payer whose payment is approved.
    #[must_use]
    pub fn new(method: Method) -> Self {
        Payer { method, ..Payer::default() }
    }

    /// Sets the country of the billing address.
    #[must_use]
    pub fn country(mut self, country: impl Into<String>) -> Self {
        self.country = Some(country.into());
        self
    }

    /// Lets the payment be declined.
    #[must_use]
    pub fn declined(mut self, reason: Decline) -> Self {
        self.decline = Some(reason);
        self
    }
}

/// A top-up that a wallet user starts in the wallet app.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TopUp {
    /// The wallet user, `user_…`; made up when absent.
    pub wallet_user_id: Option<String>,
    /// The players linked to the wallet user.
    pub game_users: Vec<GameUser>,
    /// Cents put in.
    pub amount: i32,
    /// Cents of bonus on top.
    pub reward: i32,
    /// ISO 4217.
    pub currency: String,
    /// How the wallet user pays.
    pub method: Method,
    /// What becomes of it at once; without one it stays `processing`.
    pub outcome: Option<Step>,
}

impl Default for TopUp {
    fn default() -> Self {
        TopUp {
            wallet_user_id: None,
            game_users: vec![GameUser {
                game_id: "space_shooter".to_owned(),
                user_id: "player_42".to_owned(),
            }],
            amount: 2499,
            reward: 500,
            currency: "USD".to_owned(),
            method: Method::ApplePay,
            outcome: None,
        }
    }
}

/// What happens next to a payment or a top-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// The money is held.
    Authorize,
    /// The money is taken.
    Succeed,
    /// The attempt fails.
    Fail,
    /// The hold, or the attempt, is given up.
    Cancel,
}

/// How a refund ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RefundOutcome {
    /// The buyer has the money back; the payment is refunded.
    Succeed,
    /// The money could not be returned.
    Fail,
    /// The refund was called off.
    Cancel,
}
