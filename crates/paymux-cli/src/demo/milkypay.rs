//! How the demo plays MilkyPay: one shop that makes test invoices through the private API.

use std::sync::Arc;

use paymux::{
    CreatePayment, Payment, ProviderId, SecretString,
    milkypay::{MilkyPay, MilkyPayConfig, MilkyPayOptions, Mode},
    transport::HttpClient,
};
use paymux_sandbox::{Sandbox, milkypay::MilkyPaySandbox};

use super::{
    order::{Move, Order},
    stage::{Account, Player},
    webhooks::Endpoint,
};
use crate::Stop;

const ACCOUNT: &str = "milkypay";

/// Opens the account; see [`super::stage::Join`].
pub(super) fn join(
    sandbox: &Sandbox,
    http: &HttpClient,
    endpoint: &Endpoint,
) -> Result<Vec<Account>, Stop> {
    let milkypay = sandbox.milkypay();
    milkypay.set_callback_url(Some(endpoint.url_of(ACCOUNT)?))?;
    let config = MilkyPayConfig::new(ProviderId::new(ACCOUNT)?, milkypay.base_url(), Mode::Test)
        .private_api(milkypay.account_id(), SecretString::from(milkypay.api_key()))
        .webhook_secret(Mode::Test, SecretString::from(milkypay.secret_test()));
    let provider = Arc::new(MilkyPay::new(config, http.clone())?);
    Ok(vec![Account { provider, player: Box::new(Customer { sandbox: milkypay }) }])
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
