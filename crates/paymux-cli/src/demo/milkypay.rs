//! How the demo plays MilkyPay: one shop that makes test invoices through the private API.

use std::sync::Arc;

use paymux::{
    CreatePayment, Currency, ListPaymentMethods, Payment, PaymentProvider, ProviderId,
    SecretString,
    milkypay::{MilkyPay, MilkyPayConfig, MilkyPayOptions, Mode},
    transport::HttpClient,
};
use paymux_sandbox::{Sandbox, milkypay::MilkyPaySandbox};

use super::{
    order::{Move, Order},
    stage::{Account, Joined, Player},
    webhooks::Endpoint,
};
use crate::Stop;

const ACCOUNT: &str = "milkypay";

/// The currencies that the shop sells in through this provider.
const CURRENCIES: [&str; 5] = ["USD", "EUR", "GBP", "JPY", "KWD"];

/// Opens the account, and asks for its ways to pay: what they do not take is then refused before
/// anything is sent. See [`super::stage::Join`].
pub(super) fn join<'a>(
    sandbox: &'a Sandbox,
    http: &'a HttpClient,
    endpoint: &'a Endpoint,
) -> Joined<'a> {
    Box::pin(async move {
        let milkypay = sandbox.milkypay();
        milkypay.set_callback_url(Some(endpoint.url_of(ACCOUNT)?))?;
        let id = ProviderId::new(ACCOUNT)?;
        let config = MilkyPayConfig::new(id, milkypay.base_url(), Mode::Test)
            .private_api(milkypay.account_id(), SecretString::from(milkypay.api_key()))
            .webhook_secret(Mode::Test, SecretString::from(milkypay.secret_test()));
        let provider = MilkyPay::new(config, http.clone())?;
        let mut methods = Vec::new();
        for currency in CURRENCIES {
            let query = ListPaymentMethods::new(Currency::iso(currency)?);
            methods.extend(provider.list_payment_methods(&query).await?);
        }
        let provider = Arc::new(provider.with_known_methods(methods));
        Ok(vec![Account { provider, player: Box::new(Customer { sandbox: milkypay }) }])
    })
}

struct Customer {
    sandbox: MilkyPaySandbox,
}

impl Player for Customer {
    /// The service says how the customer pays; the order names it.
    fn complete(&self, request: CreatePayment, order: &Order) -> paymux::Result<CreatePayment> {
        let options =
            MilkyPayOptions { service: order.service.clone(), ..MilkyPayOptions::default() };
        request.with(&options)
    }

    fn play(&self, payment: &Payment, payer: Move) -> Result<(), Stop> {
        let invoice = payment.id.as_str();
        match payer {
            Move::Pay => self.sandbox.pay(invoice)?,
            Move::PayTooLittle => self.sandbox.pay_amount(invoice, "1")?,
            Move::BeDeclined => self.sandbox.decline(invoice, "insufficient_funds")?,
        }
        Ok(())
    }
}
