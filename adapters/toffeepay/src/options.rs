//! What a create call can say to ToffeePay alone.

use paymux_core::ProviderOptions;
use serde::{Deserialize, Serialize};

/// Options of a payment at ToffeePay. All may be left out. A list takes `game_id` and leaves the
/// others aside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToffeePayOptions {
    /// The game, when it is not the account's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub game_id: Option<String>,
    /// What the buyer reads, when it is not the payment's description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_title: Option<String>,
    /// A picture of the item: an `http(s)` URL, or `data:image/<png, jpeg, jpg or webp>;base64,…`.
    /// The provider advises at most 300 KB; more is not refused here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_image: Option<String>,
    /// ISO 3166-1 alpha-2 in capitals. Not in the specification; known from the provider's schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_country: Option<String>,
    /// Whether Toffee Wallet is offered for this payment. `None` leaves it to the game's setting,
    /// which is "on" once the wallet is configured; it is not the same as `Some(false)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wallet_enabled: Option<bool>,
}

impl ProviderOptions for ToffeePayOptions {
    const KIND: &'static str = crate::KIND;
}
