//! The trait that every adapter implements, and what an account says it can do.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    CancelMandate, CancelPayment, CapturePayment, ConfirmMandate, ConfirmPayment, CreateMandate,
    CreatePayment, CreateRefund, Currency, ListPaymentMethods, ListPayments, Mandate,
    MandateHandle, Page, Payment, PaymentLookup, PaymentMethod, ProviderId, Refund, RefundLookup,
    Result, Trust, WebhookDelivery, WebhookEvent,
};

/// One configured account at a payment provider.
///
/// A call sends **at most one mutating request**. Reads may go before it (their failure is
/// [`Effect::None`](crate::Effect)) or once after it, when its answer holds no object (their
/// failure is [`Effect::Possible`](crate::Effect)). A call never repeats itself, never sleeps,
/// never makes a key, and reads no clock but one that its configuration was given.
///
/// `Ok` holds the provider's object as it is, a final `Failed` included.
/// [`ErrorKind::Declined`](crate::ErrorKind::Declined) is a call that was refused and left no
/// object.
///
/// No method has a default body: an account that cannot do something says so, both here (with
/// [`Error::unsupported`](crate::Error::unsupported)) and in its [`Capabilities`], and the
/// conformance suite checks that the two agree.
#[async_trait]
pub trait PaymentProvider: fmt::Debug + Send + Sync + 'static {
    /// The account's name.
    fn id(&self) -> &ProviderId;

    /// What the account can do.
    fn capabilities(&self) -> &Capabilities;

    /// Opens a payment.
    async fn create_payment(&self, request: &CreatePayment) -> Result<Payment>;

    /// Reads a payment.
    async fn fetch_payment(&self, lookup: &PaymentLookup) -> Result<Payment>;

    /// Reads one page of payments. Rows may hold less than `fetch_payment` does.
    async fn list_payments(&self, query: &ListPayments) -> Result<Page<Payment>>;

    /// Gives the merchant's consent to the named step.
    async fn confirm_payment(&self, request: &ConfirmPayment) -> Result<Payment>;

    /// Takes what is held.
    async fn capture_payment(&self, request: &CapturePayment) -> Result<Payment>;

    /// Ends a payment, or a part of it, before money is taken.
    async fn cancel_payment(&self, request: &CancelPayment) -> Result<Payment>;

    /// Gives money back.
    async fn create_refund(&self, request: &CreateRefund) -> Result<Refund>;

    /// Reads a refund.
    async fn fetch_refund(&self, lookup: &RefundLookup) -> Result<Refund>;

    /// Reads the ways to pay.
    async fn list_payment_methods(&self, query: &ListPaymentMethods) -> Result<Vec<PaymentMethod>>;

    /// Asks a payer for standing consent.
    async fn create_mandate(&self, request: &CreateMandate) -> Result<Mandate>;

    /// Reads a mandate.
    async fn fetch_mandate(&self, mandate: &MandateHandle) -> Result<Mandate>;

    /// Gives the merchant's consent to a mandate.
    async fn confirm_mandate(&self, request: &ConfirmMandate) -> Result<Mandate>;

    /// Ends a mandate.
    async fn cancel_mandate(&self, request: &CancelMandate) -> Result<Mandate>;

    /// Proves a delivery authentic and reads its events. Pure: no I/O and no clock; keys come
    /// from the configuration.
    ///
    /// # Errors
    /// `InvalidSignature` without effect when the delivery must not be believed,
    /// `InvalidResponse` without effect when it is authentic and cannot be read.
    fn verify_webhook(&self, delivery: &WebhookDelivery<'_>) -> Result<Vec<WebhookEvent>>;
}

/// A call of [`PaymentProvider`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Operation {
    /// [`PaymentProvider::create_payment`]
    CreatePayment,
    /// [`PaymentProvider::fetch_payment`]
    FetchPayment,
    /// [`PaymentProvider::list_payments`]
    ListPayments,
    /// [`PaymentProvider::confirm_payment`]
    ConfirmPayment,
    /// [`PaymentProvider::capture_payment`]
    CapturePayment,
    /// [`PaymentProvider::cancel_payment`]
    CancelPayment,
    /// [`PaymentProvider::create_refund`]
    CreateRefund,
    /// [`PaymentProvider::fetch_refund`]
    FetchRefund,
    /// [`PaymentProvider::list_payment_methods`]
    ListPaymentMethods,
    /// [`PaymentProvider::create_mandate`]
    CreateMandate,
    /// [`PaymentProvider::fetch_mandate`]
    FetchMandate,
    /// [`PaymentProvider::confirm_mandate`]
    ConfirmMandate,
    /// [`PaymentProvider::cancel_mandate`]
    CancelMandate,
}

impl Operation {
    /// Every operation, in the order of the trait.
    pub const ALL: [Self; 13] = [
        Self::CreatePayment,
        Self::FetchPayment,
        Self::ListPayments,
        Self::ConfirmPayment,
        Self::CapturePayment,
        Self::CancelPayment,
        Self::CreateRefund,
        Self::FetchRefund,
        Self::ListPaymentMethods,
        Self::CreateMandate,
        Self::FetchMandate,
        Self::ConfirmMandate,
        Self::CancelMandate,
    ];

    /// Can it change something at the provider?
    #[must_use]
    pub const fn is_mutating(self) -> bool {
        match self {
            Self::CreatePayment
            | Self::ConfirmPayment
            | Self::CapturePayment
            | Self::CancelPayment
            | Self::CreateRefund
            | Self::CreateMandate
            | Self::ConfirmMandate
            | Self::CancelMandate => true,
            Self::FetchPayment
            | Self::ListPayments
            | Self::FetchRefund
            | Self::ListPaymentMethods
            | Self::FetchMandate => false,
        }
    }

    /// The method's name: `create_payment`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreatePayment => "create_payment",
            Self::FetchPayment => "fetch_payment",
            Self::ListPayments => "list_payments",
            Self::ConfirmPayment => "confirm_payment",
            Self::CapturePayment => "capture_payment",
            Self::CancelPayment => "cancel_payment",
            Self::CreateRefund => "create_refund",
            Self::FetchRefund => "fetch_refund",
            Self::ListPaymentMethods => "list_payment_methods",
            Self::CreateMandate => "create_mandate",
            Self::FetchMandate => "fetch_mandate",
            Self::ConfirmMandate => "confirm_mandate",
            Self::CancelMandate => "cancel_mandate",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a second, identical send of a mutating call does. Closed on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The provider remembers the key and gives the first answer again.
    Key {
        /// For how long it remembers.
        ttl: Duration,
        /// The longest key it takes, in bytes.
        max_len: u16,
        /// Does it give a stored error again, too?
        replays_errors: bool,
    },
    /// The provider refuses a second object with our reference, and tells which is the first.
    Reference,
    /// A second one cannot move more money: it gets the first, or leaves an orphan that nobody
    /// can pay.
    Harmless,
    /// The object's own state lets it happen only once: look it up, and send again only if the
    /// state shows that nothing happened.
    LookupFirst,
    /// It may act twice: look it up, else ask a person. Never send it again.
    Never,
}

/// Who decides when the money is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureChoice {
    /// The account is fixed to take it at once.
    Automatic,
    /// The account is fixed to hold it first.
    Manual,
    /// Each request says.
    PerRequest,
}

/// Who decides how much is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountSource {
    /// The request.
    Request,
    /// An object at the provider; ours is an expectation.
    ProviderObject,
}

/// What creating a payment can do at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateEffect {
    /// Nothing moves until the payer, or `confirm_payment`, acts.
    OpensOnly,
    /// It may charge.
    MayCharge,
}

/// Which currencies an account takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Currencies {
    /// The provider decides.
    Any,
    /// These.
    Only(BTreeSet<Currency>),
}

impl Currencies {
    /// Is this one of them?
    #[must_use]
    pub fn contains(&self, currency: Currency) -> bool {
        match self {
            Self::Any => true,
            Self::Only(set) => set.contains(&currency),
        }
    }
}

/// What one configured account can do. Proved by the conformance suite.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The kind of provider, as in [`crate::ProviderOptions::KIND`].
    pub kind: &'static str,
    /// Real money?
    pub live: bool,
    /// The mutating operations it has, and what repeating each does.
    pub replay: BTreeMap<Operation, Replay>,
    /// The reading operations it has.
    pub reads: BTreeSet<Operation>,
    /// The currencies it takes.
    pub currencies: Currencies,
    /// What creating a payment can do at once.
    pub create: CreateEffect,
    /// Who decides how much is paid.
    pub amount: AmountSource,
    /// Does success come with a figure? If not, [`Payment::is_paid`] is never true by itself.
    pub reports_captured: bool,
    /// Who decides when the money is taken.
    pub capture: CaptureChoice,
    /// Can less than what is held be taken?
    pub partial_capture: bool,
    /// Do payments have parts?
    pub parts: bool,
    /// Does `create_payment` take a mandate?
    pub mandates: bool,
    /// Can less than what was taken be given back?
    pub partial_refund: bool,
    /// Can a payment be looked up by our reference, and after how long does "not found" count?
    pub reference_lookup: Option<Duration>,
    /// Can lists be limited to a span of time?
    pub list_created: bool,
    /// Can lists be limited to a status?
    pub list_status: bool,
    /// Can lists be limited to a payer?
    pub list_customer: bool,
    /// The most that a webhook of this account can be believed.
    pub webhook_trust: Trust,
    /// The body with which a delivery is acknowledged.
    pub webhook_ack: &'static str,
}

impl Capabilities {
    /// The least an account can be: it opens payments and is asked for them, and nothing protects
    /// against a repeated request. An adapter states from there what is better.
    #[must_use]
    pub fn new(kind: &'static str, live: bool) -> Self {
        Self {
            kind,
            live,
            replay: BTreeMap::from([(Operation::CreatePayment, Replay::Never)]),
            reads: BTreeSet::from([Operation::FetchPayment]),
            currencies: Currencies::Any,
            create: CreateEffect::MayCharge,
            amount: AmountSource::Request,
            reports_captured: false,
            capture: CaptureChoice::Automatic,
            partial_capture: false,
            parts: false,
            mandates: false,
            partial_refund: false,
            reference_lookup: None,
            list_created: false,
            list_status: false,
            list_customer: false,
            webhook_trust: Trust::Unsigned,
            webhook_ack: "",
        }
    }

    /// Does the account have this operation?
    #[must_use]
    pub fn has(&self, operation: Operation) -> bool {
        self.replay.contains_key(&operation) || self.reads.contains(&operation)
    }

    /// What repeating this operation does; [`Replay::Never`] where nothing better is stated.
    #[must_use]
    pub fn replay(&self, operation: Operation) -> Replay {
        self.replay.get(&operation).copied().unwrap_or(Replay::Never)
    }
}
