//! The vocabulary of paymux: what a merchant says to a payment provider and hears from it.
//!
//! This crate knows no provider and no database. An adapter implements [`PaymentProvider`] with
//! these words; everything above it, from a ten-line script to an orchestrator, speaks only them.
//!
//! Four things to know before money moves:
//!
//! - Every [`Error`] says whether the provider may have acted: [`Effect`].
//! - Every mutating request carries an [`IdempotencyKey`] that the caller made and stored.
//! - [`PaymentStatus::Unknown`] is neither success nor failure.
//! - Ask [`Payment::is_paid`] before shipping.

pub mod check;
pub mod clock;
mod error;
mod ids;
pub mod json;
mod mandate;
mod method;
mod money;
mod options;
mod page;
mod payment;
mod provider;
mod random;
mod refund;
pub mod retry;
pub mod signature;
pub mod transport;
mod variables;
mod webhook;

pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use error::{Effect, Error, ErrorKind, Result};
pub use ids::{
    Cursor, EventKey, IdempotencyKey, ProviderId, ProviderMandateId, ProviderMethodId,
    ProviderPartId, ProviderPaymentId, ProviderRefundId, Reference,
};
pub use mandate::{
    CancelMandate, ConfirmMandate, CreateMandate, Mandate, MandateHandle, MandateStatus,
};
pub use method::{ListPaymentMethods, MethodField, PaymentMethod};
pub use money::{Currency, Money};
pub use options::{Options, ProviderOptions, Sensitive};
pub use page::{Page, list_all_payments};
pub use payment::{
    Amounts, CancelPayment, CaptureMethod, CapturePayment, ConfirmPayment, ConfirmStep,
    CreatePayment, Customer, Failure, FailureKind, ListPayments, NextAction, Part, Payment,
    PaymentHandle, PaymentLookup, PaymentStatus,
};
pub use provider::{
    AmountSource, Capabilities, CaptureChoice, CreateEffect, Currencies, Operation,
    PaymentProvider, Replay,
};
pub use random::{OsRandom, Random, SeededRandom};
pub use refund::{CreateRefund, Refund, RefundLookup, RefundStatus};
pub use secrecy::SecretString;
pub use url::Url;
pub use variables::Variables;
pub use webhook::{Subject, Trust, WebhookDelivery, WebhookEvent};
