//! The provider's objects with all their fields. The methods of [`crate::MilkyPay`] that are not of
//! the trait answer with these; the trait's are mapped from them.

use std::fmt;

use paymux_core::{Currency, Cursor, Money, ProviderPaymentId, Sensitive, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};
use url::Url;

use crate::{config::Mode, decimal::Decimal, status::InvoiceStatus};

mod services;

pub use services::{
    MerchantCard, PaymentService, PaymentServicePage, Prerequest, PrerequestMethod,
    PrerequestService, ServiceField,
};

/// What paymux calls a payment, as either API states it. Fields of one API alone are missing in
/// the other's answers, and what the provider adds later is left out. Sources: the specification;
/// the fields marked *docs* are of other pages of the platform.
///
/// `Debug` shows neither people nor tokens.
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct Invoice {
    /// `cpi_…`
    pub id: ProviderPaymentId,
    /// The id without its prefix.
    pub serial_number: Option<String>,
    /// Its state.
    pub status: InvoiceStatus,
    /// Why: `ok`, `expired`, a decline. In capitals from the public API; compared without case.
    pub resolution: Option<String>,
    /// Does a person have to decide first? Private API.
    pub moderation_required: Option<bool>,
    /// Real money or test.
    pub mode: Mode,
    /// The merchant's reference.
    pub reference_id: Option<String>,
    /// Of all amounts below that are no [`Decimal`].
    pub currency: Currency,
    /// The currency of the service, which the payer may see instead.
    pub service_currency: Option<String>,
    /// What was asked for.
    pub amount: Option<Money>,
    /// What the payer must pay: with the fee, where the payer bears it.
    pub payment_amount: Option<Money>,
    /// What came in.
    pub processed_amount: Option<Money>,
    /// What was given back.
    pub refunded_amount: Option<Money>,
    /// What a dispute took back (docs).
    pub charged_back_amount: Option<Money>,
    /// The amount in the currency of the service (docs).
    pub service_amount: Option<Decimal>,
    /// What the payer must pay in the currency of the service (docs).
    pub payment_service_amount: Option<Decimal>,
    /// Between the two currencies (docs).
    pub exchange_rate: Option<Decimal>,
    /// The platform's fee, as expected; a share of the amount, so it can be finer than the
    /// currency. Private API, as all figures down to the reserve.
    pub fee: Option<Decimal>,
    /// What the account is to get.
    pub deposit: Option<Decimal>,
    /// The fee that was taken.
    pub processed_fee: Option<Decimal>,
    /// What the account got.
    pub processed_deposit: Option<Decimal>,
    /// The fee that was given back (docs).
    pub refunded_fee: Option<Decimal>,
    /// How much of the account's share the platform keeps for a time: a rolling reserve, and
    /// never money held on a card.
    pub reserved_amount: Option<Decimal>,
    /// Until when it is kept.
    pub reserve_expires: Option<Timestamp>,
    /// Whether or when it was let go; no sample shows more than `null`.
    pub unreserved: Option<Value>,
    /// `charge` or `verify`: the request's `flow`. Private API.
    pub payment_flow: Option<String>,
    /// The code of the service.
    pub service: Option<String>,
    /// The code of the method.
    pub service_method: Option<String>,
    /// How the service works: `hpp`.
    pub service_flow: Option<String>,
    /// The page to send the payer to; in answers to creating.
    pub hpp_url: Option<Url>,
    /// The form that leads to the same page.
    pub form: Option<PaymentForm>,
    /// The state of the payment below it; a hint. Public API.
    pub active_payment: Option<ActivePayment>,
    /// How it was paid. Private API.
    pub payload: Option<Payload>,
    /// What the payer reads.
    pub description: Option<String>,
    /// What stands on the payer's statement.
    pub descriptor: Option<String>,
    /// Where callbacks go to.
    pub callback_url: Option<String>,
    /// Where the payer returns to.
    pub return_url: Option<String>,
    /// Where the payer returns to, by how it ended (docs).
    pub return_urls: Map<String, Value>,
    /// Is there a return address? Public API.
    pub has_return_url: Option<bool>,
    /// The merchant's, and what the platform adds to it.
    pub metadata: Map<String, Value>,
    /// Whose words are behind it.
    pub original: Option<OriginalIds>,
    /// The network's number of the transaction.
    pub rrn: Option<String>,
    /// The issuer's number of its consent.
    pub approval_code: Option<String>,
    /// Who made it: `merchant_api`, `platform_public_api`.
    pub source: Option<String>,
    /// The callbacks so far, oldest first.
    pub callback_logs: Vec<CallbackLog>,
    /// `cus_…`
    pub customer: Option<String>,
    /// Its address below the private API.
    pub link: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it last changed: newer means newer. Private API.
    pub updated: Option<Timestamp>,
    /// When it was paid: a time, not a flag.
    pub processed: Option<Timestamp>,
    /// When it was given back (docs).
    pub refunded: Option<Timestamp>,
    /// When it failed (docs).
    pub failed: Option<Timestamp>,
}

impl fmt::Debug for Invoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invoice")
            .field("id", &self.id)
            .field("status", &self.status)
            .field("resolution", &self.resolution)
            .field("mode", &self.mode)
            .field("reference_id", &self.reference_id)
            .field("amount", &self.amount)
            .field("processed_amount", &self.processed_amount)
            .field("updated", &self.updated)
            .finish_non_exhaustive()
    }
}

/// A form that the payer's browser submits.
#[derive(Clone, Debug, Serialize)]
pub struct PaymentForm {
    /// Where to.
    pub action: Url,
    /// `GET` or `POST`.
    pub method: String,
    /// Hidden fields, in order.
    pub params: Sensitive<Vec<(String, String)>>,
    /// `sid` and a token that opens the page: a secret.
    pub metadata: Sensitive<Map<String, Value>>,
}

/// The payment below an invoice, of which a failed one does not end the invoice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActivePayment {
    /// `invoked` while the payer has not acted, then `process_…`, `processed`.
    pub status: Option<String>,
    /// Why.
    pub resolution: Option<String>,
}

/// How an invoice was paid. `Debug` shows nothing of the payer.
#[derive(Clone, Serialize)]
pub struct Payload {
    /// Stands for the card in later payments: a secret.
    pub token: Sensitive<String>,
    /// The payer's address on the net.
    pub client_ip: Option<String>,
    /// What kind of thing was used (docs).
    pub auth_type: Option<String>,
    /// The card.
    pub payment_card: Option<PaymentCard>,
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").field("payment_card", &self.payment_card).finish_non_exhaustive()
    }
}

/// A card, masked by the provider. `Debug` shows brand and last digits.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct PaymentCard {
    /// The first digits.
    pub first: Option<String>,
    /// The last digits.
    pub last: Option<String>,
    /// The number with its middle masked.
    pub mask: Option<String>,
    /// `mastercard`
    pub brand: Option<String>,
    /// `mastercard`
    pub network: Option<String>,
    /// The name on it.
    pub holder: Option<String>,
    /// Two digits.
    pub expiry_month: Option<String>,
    /// Two digits.
    pub expiry_year: Option<String>,
    /// The bank.
    pub issuer_name: Option<String>,
    /// The bank's country.
    pub issuer_country: Option<String>,
}

impl fmt::Debug for PaymentCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentCard")
            .field("brand", &self.brand)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

/// The ids of an invoice behind the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OriginalIds {
    /// At the provider behind.
    pub external_id: Option<String>,
    /// The merchant there.
    pub merchant_id: Option<String>,
    /// The provider.
    pub provider_id: Option<String>,
    /// `org_…`, `ma_…`
    pub external_mid: Option<String>,
    /// The provider's code.
    pub provider_code: Option<String>,
}

/// A callback that was to be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallbackLog {
    /// When it was queued.
    pub at: Option<Timestamp>,
    /// `queued`, `done` or `failed`.
    pub status: Option<String>,
    /// When it was delivered.
    pub processed: Option<Timestamp>,
    /// The HTTP status that was answered.
    pub response_code: Option<String>,
    /// The invoice's status that it was about.
    pub transaction_status: Option<String>,
}

/// A page of invoices, newest first, of both modes.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct InvoicePage {
    /// What is on it.
    pub items: Vec<Invoice>,
    /// Probably how many rows there are on this page; the provider does not say.
    pub count: Option<u64>,
    /// How many rows a page has at most.
    pub size: Option<u64>,
    /// A position that the provider names.
    pub before: Option<String>,
    /// Another.
    pub after: Option<String>,
    /// The page before.
    pub prev: Option<Cursor>,
    /// The page after.
    pub next: Option<Cursor>,
}
