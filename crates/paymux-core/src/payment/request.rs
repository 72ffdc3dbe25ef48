use super::*;

/// The payer, as far as the merchant knows and wants to say.
///
/// `Debug` shows the merchant's id and the country only: logs are read by more people than may
/// know the payer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Customer {
    /// The merchant's id of the payer.
    pub id: String,
    /// Full name.
    #[serde(default)]
    pub name: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// Phone number, international form.
    #[serde(default)]
    pub phone: Option<String>,
    /// ISO 3166-1 alpha-2, in capitals.
    #[serde(default)]
    pub country: Option<String>,
}

impl Customer {
    /// A payer of whom only the merchant's id is said.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), name: None, email: None, phone: None, country: None }
    }
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customer")
            .field("id", &self.id)
            .field("country", &self.country)
            .finish_non_exhaustive()
    }
}

/// Asks a provider for a payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreatePayment {
    /// One per call, the same over its repetitions.
    pub key: IdempotencyKey,
    /// Ours, unique per attempt.
    pub reference: Reference,
    /// How much; where the provider fixes the amount itself, what is expected.
    pub amount: Money,
    /// When the money is taken.
    pub capture: CaptureMethod,
    /// What the payer reads.
    pub description: String,
    /// The payer.
    #[serde(default)]
    pub customer: Option<Customer>,
    /// How to pay, where the merchant chooses.
    #[serde(default)]
    pub method: Option<ProviderMethodId>,
    /// The mandate to charge under.
    #[serde(default)]
    pub mandate: Option<ProviderMandateId>,
    /// Where the payer's browser returns to; custom schemes of apps included.
    #[serde(default)]
    pub return_url: Option<Url>,
    /// After which it can no longer be paid, where the provider takes that.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// What one kind of provider needs beyond that.
    #[serde(default)]
    pub options: Options,
    /// May it have left before, and nobody knows what came of it? That is the caller's own record,
    /// said when it is sent again. Where the provider is told neither key nor reference, what is
    /// there can be ours only then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_doubt: bool,
}

impl CreatePayment {
    /// A request with what every payment needs. Captured automatically unless said otherwise.
    #[must_use]
    pub fn new(
        key: IdempotencyKey,
        reference: Reference,
        amount: Money,
        description: impl Into<String>,
    ) -> Self {
        Self {
            key,
            reference,
            amount,
            capture: CaptureMethod::Automatic,
            description: description.into(),
            customer: None,
            method: None,
            mandate: None,
            return_url: None,
            expires_at: None,
            options: Options::default(),
            in_doubt: false,
        }
    }

    /// Says that it may have left before, and that nobody knows what came of it.
    #[must_use]
    pub const fn in_doubt(mut self) -> Self {
        self.in_doubt = true;
        self
    }

    /// Sets when the money is taken.
    #[must_use]
    pub fn capture(mut self, capture: CaptureMethod) -> Self {
        self.capture = capture;
        self
    }

    /// Sets the payer.
    #[must_use]
    pub fn customer(mut self, customer: Customer) -> Self {
        self.customer = Some(customer);
        self
    }

    /// Sets how to pay.
    #[must_use]
    pub fn method(mut self, method: ProviderMethodId) -> Self {
        self.method = Some(method);
        self
    }

    /// Sets the mandate to charge under.
    #[must_use]
    pub fn mandate(mut self, mandate: ProviderMandateId) -> Self {
        self.mandate = Some(mandate);
        self
    }

    /// Sets where the payer returns to.
    #[must_use]
    pub fn return_url(mut self, url: Url) -> Self {
        self.return_url = Some(url);
        self
    }

    /// Sets after which moment it can no longer be paid.
    #[must_use]
    pub fn expires_at(mut self, moment: Timestamp) -> Self {
        self.expires_at = Some(moment);
        self
    }

    /// Adds the options of one kind of provider.
    ///
    /// # Errors
    /// As [`Options::set`].
    pub fn with<T: ProviderOptions>(mut self, options: &T) -> Result<Self> {
        self.options.set(options)?;
        Ok(self)
    }
}

/// The merchant's consent to one step of a payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfirmPayment {
    /// One per call, the same over its repetitions.
    pub key: IdempotencyKey,
    /// Which payment.
    pub payment: PaymentHandle,
    /// Which step, as `next_action` named it.
    pub step: ConfirmStep,
}

/// Takes what is held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapturePayment {
    /// One per call, the same over its repetitions.
    pub key: IdempotencyKey,
    /// Which payment.
    pub payment: PaymentHandle,
    /// Which part of it; needed where several are held.
    #[serde(default)]
    pub part: Option<ProviderPartId>,
    /// How much; all of it when not said.
    #[serde(default)]
    pub amount: Option<Money>,
}

/// Ends a payment, or one part of it, before money is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CancelPayment {
    /// One per call, the same over its repetitions.
    pub key: IdempotencyKey,
    /// Which payment.
    pub payment: PaymentHandle,
    /// Only this part of it.
    #[serde(default)]
    pub part: Option<ProviderPartId>,
}

/// Asks for a list. A filter that the provider lacks is refused, never ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ListPayments {
    /// Created at or after this.
    #[serde(default)]
    pub created_from: Option<Timestamp>,
    /// Created before this.
    #[serde(default)]
    pub created_to: Option<Timestamp>,
    /// In this status.
    #[serde(default)]
    pub status: Option<PaymentStatus>,
    /// Of this payer, by the merchant's id.
    #[serde(default)]
    pub customer: Option<String>,
    /// At most so many on a page.
    pub limit: u32,
    /// From here on, as the page before said.
    #[serde(default)]
    pub cursor: Option<Cursor>,
    /// Options that the list may need.
    #[serde(default)]
    pub options: Options,
}

impl ListPayments {
    /// Asks for the first page, at most `limit` payments.
    #[must_use]
    pub fn new(limit: u32) -> Self {
        Self {
            created_from: None,
            created_to: None,
            status: None,
            customer: None,
            limit,
            cursor: None,
            options: Options::default(),
        }
    }
}
