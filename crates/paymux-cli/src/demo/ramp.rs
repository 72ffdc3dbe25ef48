//! How the demo plays the ramp: one shop whose orders are invoices there, paid in each of the
//! three ways.

use paymux::{
    NextAction, Payment, ProviderId,
    orchestrator::NewPayment,
    ramp::{PaymentType, RampOptions},
    transport::HttpClient,
};
use paymux_sandbox::{Sandbox, ramp::RampSandbox};
use serde::Deserialize;
use serde_json::Value;

use super::{
    order::{Move, Order},
    stage::{Account, Joined, Player},
    webhooks::Endpoint,
};
use crate::{Stop, accounts::SandboxAccount};

const ACCOUNT: &str = "ramp";

/// Opens the account; see [`super::stage::Join`].
pub(super) fn join<'a>(
    sandbox: &'a Sandbox,
    http: &'a HttpClient,
    endpoint: &'a Endpoint,
) -> Joined<'a> {
    Box::pin(async move {
        let sandbox = sandbox.ramp();
        sandbox.set_webhook_urls(
            Some(endpoint.labelled_url_of(ACCOUNT, "platform")?),
            Some(endpoint.labelled_url_of(ACCOUNT, "external")?),
        )?;
        let account = SandboxAccount::Ramp {
            name: ProviderId::new(ACCOUNT)?,
            base_url: sandbox.base_url(),
            access_token: sandbox.access_token().to_owned(),
        };
        let provider = account.open(http)?;
        let player = Box::new(EndUser { sandbox });
        Ok(vec![Account { provider, player, account: Some(account) }])
    })
}

/// How an order is paid, as the shop has it on file.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
enum Way {
    Platform,
    Checkout,
    External,
}

/// Somebody who is known to the provider.
struct EndUser {
    sandbox: RampSandbox,
}

impl EndUser {
    fn payment_type(&self, way: Way, order: &Order) -> paymux::Result<PaymentType> {
        Ok(match way {
            Way::Platform => {
                let account = self.sandbox.usual_account(&order.currency);
                let account_id = account.ok_or_else(|| {
                    paymux::Error::invalid_request("currency", "the payer has no account in it")
                })?;
                PaymentType::Platform { account_id }
            }
            Way::Checkout => PaymentType::Checkout,
            Way::External => PaymentType::External { some_data: Some(order.id.clone()) },
        })
    }
}

impl Player for EndUser {
    /// Invoices come about elsewhere at this provider, by ordering a card for instance. Here the
    /// order itself is what makes one.
    fn complete(&self, request: NewPayment, order: &Order) -> paymux::Result<NewPayment> {
        let refuse = |field: &str, message: &str, source: Stop| {
            paymux::Error::invalid_request(field, message).with_source(source.to_string())
        };
        let way: Way = serde_json::from_value(Value::from(order.options.clone()))
            .map_err(|source| refuse("options", "do not say how it is paid", source.into()))?;
        let invoice = self
            .sandbox
            .add_invoice(&order.amount, &order.currency)
            .map_err(|source| refuse("amount", "cannot be invoiced", source.into()))?;
        let payment_type = self.payment_type(way, order)?;
        let mut request = request;
        // Nobody is sent anywhere but by a checkout.
        if !matches!(way, Way::Checkout) {
            request.return_url = None;
        }
        let mut options = RampOptions::new(self.sandbox.usual_user(), invoice, payment_type);
        // Compared once more right before a debit.
        options.price = Some(request.amount);
        request.with(&options)
    }

    fn play(&self, payment: &Payment, payer: Move) -> Result<(), Stop> {
        let id = payment.id.as_str();
        let in_browser = matches!(
            payment.next_action,
            Some(NextAction::Redirect { .. } | NextAction::RunClient { .. })
        );
        match (payer, in_browser) {
            (Move::Pay, true) => drop(self.sandbox.pay_checkout(id)?),
            (Move::Pay, false) => self.sandbox.settle_external(id, None)?,
            (Move::BeDeclined, true) => drop(self.sandbox.decline_checkout(id)?),
            (Move::BeDeclined, false) => self.sandbox.fail_external(id, None)?,
            (Move::PayTooLittle, _) => return Err("an invoice is paid whole".into()),
        }
        Ok(())
    }
}
