//! The people, and shops, with a wallet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::errors::Denial;
use super::money::Balance;
use super::objects::Beneficiary;
use super::state::State;

/// The wallet of the merchant whose credentials the client has: it gets what names no other
/// beneficiary.
pub(super) const OWN_WALLET: i64 = 10001;
/// The wallet of the usual payer, the one of the specification's samples.
pub(super) const USUAL_PAYER: i64 = 14471;

/// Somebody with a wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WalletUser {
    /// Shown name.
    pub name: String,
    /// The id of the wallet; without one, the next that is free.
    #[serde(default)]
    pub wallet: Option<i64>,
    /// Finds the wallet.
    #[serde(default)]
    pub email: Option<String>,
    /// Finds the wallet: digits with the country's code, no plus.
    #[serde(default)]
    pub phone: Option<String>,
    /// Accepts payments at the merchant's terminal and on the confirmation page. Without one, no
    /// PIN is asked on the page and none works at a terminal.
    #[serde(default)]
    pub pin: Option<String>,
    /// A code for one's own payments, as printed by a machine.
    #[serde(default)]
    pub reservation_code: Option<String>,
    /// Cents by currency.
    #[serde(default)]
    pub balance: BTreeMap<String, i64>,
    /// Whether the wallet is open.
    #[serde(default = "yes")]
    pub active: bool,
    /// With this every reservation of the wallet is refused.
    #[serde(default)]
    pub denial: Option<Denial>,
}

fn yes() -> bool {
    true
}

impl WalletUser {
    /// Somebody with an empty wallet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        WalletUser {
            name: name.into(),
            wallet: None,
            email: None,
            phone: None,
            pin: None,
            reservation_code: None,
            balance: BTreeMap::new(),
            active: true,
            denial: None,
        }
    }

    /// Chooses the wallet's id.
    #[must_use]
    pub fn wallet(mut self, wallet: i64) -> Self {
        self.wallet = Some(wallet);
        self
    }

    /// Sets the e-mail address.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// Sets the phone number.
    #[must_use]
    pub fn phone(mut self, phone: impl Into<String>) -> Self {
        self.phone = Some(phone.into());
        self
    }

    /// Sets the PIN.
    #[must_use]
    pub fn pin(mut self, pin: impl Into<String>) -> Self {
        self.pin = Some(pin.into());
        self
    }

    /// Sets the reservation code.
    #[must_use]
    pub fn reservation_code(mut self, code: impl Into<String>) -> Self {
        self.reservation_code = Some(code.into());
        self
    }

    /// Puts this many cents of a currency into the wallet.
    #[must_use]
    pub fn balance(mut self, currency: impl Into<String>, cents: i64) -> Self {
        self.balance.insert(currency.into(), cents);
        self
    }

    /// Refuses every reservation of the wallet with this.
    #[must_use]
    pub fn denial(mut self, denial: Denial) -> Self {
        self.denial = Some(denial);
        self
    }
}

/// A user with what the wallet holds now.
#[derive(Clone, Debug, Serialize)]
pub(super) struct User {
    #[serde(flatten)]
    pub(super) is: WalletUser,
    /// By currency.
    pub(super) holds: BTreeMap<String, Balance>,
}

impl User {
    pub(super) fn new(is: WalletUser) -> Self {
        let holds = is.balance.iter().map(|(currency, cents)| {
            (currency.clone(), Balance { at_disposal: *cents, reserved: 0 })
        });
        User { holds: holds.collect(), is }
    }

    pub(super) fn at_disposal(&self, currency: &str) -> i64 {
        self.holds.get(currency).map_or(0, |balance| balance.at_disposal)
    }
}

/// Those every sandbox has.
pub(super) fn registered() -> BTreeMap<i64, User> {
    let users = [
        (OWN_WALLET, WalletUser::new("Sandbox shop").email("shop@example.com")),
        (
            USUAL_PAYER,
            WalletUser::new("Anna Payer")
                .email("payer@example.com")
                .phone("37060000001")
                .pin("1234")
                .reservation_code("0155567464130298871198969060")
                .balance("EUR", 1_000_000)
                .balance("USD", 1_000_000),
        ),
        (
            14472,
            WalletUser::new("Ben Broke")
                .email("broke@example.com")
                .phone("37060000002")
                .pin("4321"),
        ),
        (11111, WalletUser::new("Seller A").email("seller.a@example.com")),
        (22222, WalletUser::new("Seller B").email("seller.b@example.com")),
        (33333, WalletUser::new("Platform").email("platform@example.com")),
    ];
    users.into_iter().map(|(id, user)| (id, User::new(user.wallet(id)))).collect()
}

impl State {
    /// The wallet that an id, an e-mail address or a phone number leads to.
    pub(super) fn find_wallet(&self, by: &Beneficiary) -> Option<i64> {
        let found = |matches: &dyn Fn(&User) -> bool| {
            self.users.iter().find(|(_, user)| matches(user)).map(|(id, _)| *id)
        };
        match by {
            Beneficiary::Id(id) => self.users.contains_key(id).then_some(*id),
            Beneficiary::Email(email) => found(&|user| user.is.email.as_ref() == Some(email)),
            Beneficiary::Phone(phone) => found(&|user| user.is.phone.as_ref() == Some(phone)),
        }
    }
}
