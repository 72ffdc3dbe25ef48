//! How the demo plays MilkyPay: one shop that makes test invoices through the private API.

use paymux::{
    Currency, ListPaymentMethods, Payment, ProviderId, milkypay::MilkyPayOptions,
    orchestrator::NewPayment, transport::HttpClient,
};
use paymux_sandbox::{Sandbox, milkypay::MilkyPaySandbox};

use super::{
    order::{Move, Order},
    stage::{Account, Joined, Player},
    webhooks::Endpoint,
};
use crate::{Stop, accounts::SandboxAccount};

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
        let account = |methods| {
            Ok::<_, Stop>(SandboxAccount::Milkypay {
                name: ProviderId::new(ACCOUNT)?,
                base_url: milkypay.base_url(),
                account_id: milkypay.account_id().to_owned(),
                api_key: milkypay.api_key().to_owned(),
                webhook_secret: milkypay.secret_test().to_owned(),
                methods,
            })
        };
        let asking = account(Vec::new())?.open(http)?;
        let mut methods = Vec::new();
        for currency in CURRENCIES {
            let query = ListPaymentMethods::new(Currency::iso(currency)?);
            methods.extend(asking.list_payment_methods(&query).await?);
        }
        let account = account(methods)?;
        let provider = account.open(http)?;
        let player = Box::new(Customer { sandbox: milkypay });
        Ok(vec![Account { provider, player, account: Some(account) }])
    })
}

struct Customer {
    sandbox: MilkyPaySandbox,
}

impl Player for Customer {
    /// The service says how the customer pays; the order names it.
    fn complete(&self, request: NewPayment, order: &Order) -> paymux::Result<NewPayment> {
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
