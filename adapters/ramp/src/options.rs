//! What a call can say to the ramp alone.

use std::fmt;

use paymux_core::{Error, Money, Options, ProviderOptions, ProviderPaymentId, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Options of a payment at the ramp. They are needed by every call, since the provider finds a
/// payment by nothing less; the [`PaymentHandle`](paymux_core::PaymentHandle) carries them along.
///
/// `Debug` shows the invoice and the type alone: the rest is about people and their accounts.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RampOptions {
    /// Whose token the calls are made with, by the name that the
    /// [`TokenSource`](crate::TokenSource) knows.
    pub end_user: String,
    /// The provider's invoice that is paid. It fixes the amount.
    pub invoice_id: String,
    /// How it is paid.
    pub payment_type: PaymentType,
    /// A discount code, sent when the payment is created, updated and confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount_code: Option<String>,
    /// What the invoice must be about right before the confirmation: the amount that creating is asked
    /// for. Where invoices are read it has to be set for [`PaymentType::Platform`], which the
    /// confirmation debits, so that a bill that was changed since is not, and with a discount code,
    /// since what that makes of the price is not known when the payment is created; elsewhere it is
    /// compared if it is set. Where they are not read, nothing is compared. Never sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// Further members of the request that creates the payment, as real clients send them. None may
    /// be one of the specification's, in any spelling, or name a page; `anyCurrency` and `currency`
    /// belong to [`PaymentType::Platform`].
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

impl RampOptions {
    /// A payment of this invoice, made with the token of this end user.
    #[must_use]
    pub fn new(
        end_user: impl Into<String>,
        invoice_id: impl Into<String>,
        payment_type: PaymentType,
    ) -> Self {
        Self {
            end_user: end_user.into(),
            invoice_id: invoice_id.into(),
            payment_type,
            discount_code: None,
            price: None,
            extra: Map::new(),
        }
    }

    /// The options that a request or a handle brings.
    pub(crate) fn of(options: &Options) -> Result<Self> {
        options.get::<Self>()?.ok_or_else(|| {
            let message = "must be set: the provider finds a payment by its invoice and its type";
            Error::invalid_request("options.ramp", message)
        })
    }
}

impl ProviderOptions for RampOptions {
    const KIND: &'static str = crate::KIND;
}

impl fmt::Debug for RampOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RampOptions")
            .field("invoice_id", &self.invoice_id)
            .field("payment_type", &self.payment_type)
            .finish_non_exhaustive()
    }
}

/// How an invoice is paid, with what the specification asks for each way and nothing more.
///
/// `Debug` shows neither the account nor the data.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PaymentType {
    /// Inside the provider, from an internal account.
    Platform {
        /// The account that is debited.
        account_id: String,
    },
    /// On an external checkout page.
    Checkout,
    /// By a third party.
    External {
        /// What the third party may need; sent as it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        some_data: Option<String>,
    },
}

impl PaymentType {
    /// The provider's word: `PLATFORM`, `CHECKOUT` or `EXTERNAL`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Platform { .. } => "PLATFORM",
            Self::Checkout => "CHECKOUT",
            Self::External { .. } => "EXTERNAL",
        }
    }

    pub(crate) fn account_id(&self) -> Option<&str> {
        match self {
            Self::Platform { account_id } => Some(account_id),
            Self::Checkout | Self::External { .. } => None,
        }
    }

    pub(crate) fn some_data(&self) -> Option<&str> {
        match self {
            Self::External { some_data } => some_data.as_deref(),
            Self::Platform { .. } | Self::Checkout => None,
        }
    }
}

impl fmt::Debug for PaymentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Changes of a payment that is there: its type, its discount, the third party's data. The
/// specification also speaks of its status, and has no member for it.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct UpdatePayment {
    pub(crate) id: Option<ProviderPaymentId>,
    pub(crate) options: RampOptions,
    pub(crate) with_account: bool,
}

impl UpdatePayment {
    /// Changes this payment to what the options say. Later handles of it need the same options.
    pub const fn new(id: ProviderPaymentId, options: RampOptions) -> Self {
        Self { id: Some(id), options, with_account: false }
    }

    /// Changes the payment of the invoice without naming it, as the specification permits. Which
    /// one that is, where there are several, nobody says.
    pub const fn of_invoice(options: RampOptions) -> Self {
        Self { id: None, options, with_account: false }
    }

    /// Sends the account, too, with [`PaymentType::Platform`]. The specification has it for creating
    /// and confirming alone; clients send it here as well.
    pub const fn with_account(mut self) -> Self {
        self.with_account = true;
        self
    }
}
