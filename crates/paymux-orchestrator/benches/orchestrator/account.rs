//! An account at the bank: one call, made by hand or as an adapter.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, Method};
use paymux_core::{
    CancelMandate, CancelPayment, Capabilities, CapturePayment, ConfirmMandate, ConfirmPayment,
    CreateMandate, CreatePayment, CreateRefund, Currency, Error, ListPaymentMethods, ListPayments,
    Mandate, MandateHandle, Money, Operation, Page, Payment, PaymentLookup, PaymentMethod,
    PaymentProvider, PaymentStatus, ProviderId, ProviderPaymentId, Refund, RefundLookup, Replay,
    Result, Url, WebhookDelivery, WebhookEvent,
    transport::{HttpClient, HttpRequest, HttpSettings, Purpose},
};
use serde::{Deserialize, Serialize};

/// What every payment of the bench costs, in cents.
pub(crate) const PRICE: i128 = 499;
pub(crate) const DESCRIPTION: &str = "50 Gold Coins";

/// An account, with the connections of one client.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    id: ProviderId,
    capabilities: Capabilities,
    client: HttpClient,
    url: Url,
}

/// What is sent.
#[derive(Serialize)]
struct Asked<'a> {
    reference: &'a str,
    amount: i128,
    currency: &'a str,
    description: &'a str,
}

/// What is read of the answer.
#[derive(Deserialize)]
struct Answer {
    id: String,
    status: String,
    amount_received: i64,
}

impl Account {
    pub(crate) fn new(url: Url) -> Self {
        let mut capabilities = Capabilities::new("bench", false);
        let ttl = Duration::from_secs(24 * 3600);
        let key = Replay::Key { ttl, max_len: 255, replays_errors: true };
        capabilities.replay = BTreeMap::from([(Operation::CreatePayment, key)]);
        capabilities.reports_captured = true;
        let client = HttpClient::new(HttpSettings::default()).unwrap();
        Self { id: ProviderId::new("bank").unwrap(), capabilities, client, url }
    }

    /// The call, as anybody would make it: the answer as it is, once it is seen to be paid.
    pub(crate) async fn pay(&self, n: u64) -> String {
        let (reference, key) = (format!("order-{n}"), format!("key-{n}"));
        let currency = "usd";
        let asked =
            Asked { reference: &reference, amount: PRICE, currency, description: DESCRIPTION };
        let (answer, body) = self.post(&key, &asked).await.unwrap();
        assert_eq!(answer.status, "succeeded");
        body
    }

    async fn post(&self, key: &str, asked: &Asked<'_>) -> Result<(Answer, String)> {
        let name = HeaderName::from_static("idempotency-key");
        let request = HttpRequest::new(Purpose::Mutate, Method::POST, self.url.clone())
            .json(asked)?
            .header(name, HeaderValue::from_str(key).unwrap());
        let response = self.client.send(request).await?;
        assert!(response.is_success());
        Ok((response.read_json()?, String::from_utf8(response.body.to_vec()).unwrap()))
    }
}

#[async_trait]
impl PaymentProvider for Account {
    fn id(&self) -> &ProviderId {
        &self.id
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn create_payment(&self, request: &CreatePayment) -> Result<Payment> {
        let asked = Asked {
            reference: request.reference.as_str(),
            amount: request.amount.minor(),
            currency: "usd",
            description: &request.description,
        };
        let (answer, _) = self.post(request.key.as_str(), &asked).await?;
        assert_eq!(answer.status, "succeeded");
        let id = ProviderPaymentId::new(answer.id)?;
        let status = PaymentStatus::Succeeded;
        let mut payment = Payment::new(self.id.clone(), id, status, answer.status);
        let taken = Money::new(i128::from(answer.amount_received), Currency::USD)?;
        payment.amounts.requested = Some(taken);
        payment.amounts.captured = Some(taken);
        Ok(payment)
    }

    async fn fetch_payment(&self, _: &PaymentLookup) -> Result<Payment> {
        Err(Error::unsupported(Operation::FetchPayment))
    }

    async fn list_payments(&self, _: &ListPayments) -> Result<Page<Payment>> {
        Err(Error::unsupported(Operation::ListPayments))
    }

    async fn confirm_payment(&self, _: &ConfirmPayment) -> Result<Payment> {
        Err(Error::unsupported(Operation::ConfirmPayment))
    }

    async fn capture_payment(&self, _: &CapturePayment) -> Result<Payment> {
        Err(Error::unsupported(Operation::CapturePayment))
    }

    async fn cancel_payment(&self, _: &CancelPayment) -> Result<Payment> {
        Err(Error::unsupported(Operation::CancelPayment))
    }

    async fn create_refund(&self, _: &CreateRefund) -> Result<Refund> {
        Err(Error::unsupported(Operation::CreateRefund))
    }

    async fn fetch_refund(&self, _: &RefundLookup) -> Result<Refund> {
        Err(Error::unsupported(Operation::FetchRefund))
    }

    async fn list_payment_methods(&self, _: &ListPaymentMethods) -> Result<Vec<PaymentMethod>> {
        Err(Error::unsupported(Operation::ListPaymentMethods))
    }

    async fn create_mandate(&self, _: &CreateMandate) -> Result<Mandate> {
        Err(Error::unsupported(Operation::CreateMandate))
    }

    async fn fetch_mandate(&self, _: &MandateHandle) -> Result<Mandate> {
        Err(Error::unsupported(Operation::FetchMandate))
    }

    async fn confirm_mandate(&self, _: &ConfirmMandate) -> Result<Mandate> {
        Err(Error::unsupported(Operation::ConfirmMandate))
    }

    async fn cancel_mandate(&self, _: &CancelMandate) -> Result<Mandate> {
        Err(Error::unsupported(Operation::CancelMandate))
    }

    fn verify_webhook(&self, _: &WebhookDelivery<'_>) -> Result<Vec<WebhookEvent>> {
        Ok(Vec::new())
    }
}
