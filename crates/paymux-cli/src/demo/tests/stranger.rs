//! A provider unlike the others: the shop consents in two steps, no webhook is ever sent, and
//! there is nothing to redirect to. The shop takes its orders without a change.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use paymux::{
    CancelMandate, CancelPayment, Capabilities, CapturePayment, ConfirmMandate, ConfirmPayment,
    ConfirmStep, CreateMandate, CreatePayment, CreateRefund, Error, ListPaymentMethods,
    ListPayments, Mandate, MandateHandle, Money, NextAction, Operation, Page, Payment,
    PaymentLookup, PaymentMethod, PaymentProvider, PaymentStatus, ProviderId, ProviderPaymentId,
    Refund, RefundLookup, Replay, Result, WebhookDelivery, WebhookEvent, orchestrator::NewPayment,
    transport::HttpClient,
};
use paymux_sandbox::Sandbox;

use super::{OwnStore, json, take};
use crate::{
    Stop,
    demo::{
        order::{Move, Order},
        stage::{Account, CAST, Join, Joined, Player, ROUTES, Setting},
        webhooks::Endpoint,
    },
};

#[derive(Debug)]
struct Stranger {
    id: ProviderId,
    capabilities: Capabilities,
    amounts: Mutex<Vec<(Money, PaymentStatus)>>,
    /// Asks for the first step again and again.
    is_stuck: bool,
}

impl Stranger {
    fn new(name: &str, is_stuck: bool) -> Result<Self> {
        let mut capabilities = Capabilities::new("stranger", false);
        for operation in [Operation::ConfirmPayment, Operation::CancelPayment] {
            capabilities.replay.insert(operation, Replay::LookupFirst);
        }
        let id = ProviderId::new(name)?;
        Ok(Self { id, capabilities, amounts: Mutex::default(), is_stuck })
    }

    fn payment(&self, number: usize, move_to: Option<PaymentStatus>) -> Result<Payment> {
        let mut all = self.amounts.lock().unwrap_or_else(PoisonError::into_inner);
        let (amount, status) = all.get_mut(number).expect("the payment is known");
        *status = move_to.unwrap_or(*status);
        let id = ProviderPaymentId::new(number.to_string())?;
        let mut payment = Payment::new(self.id.clone(), id, *status, "a word");
        if *status == PaymentStatus::RequiresConfirmation {
            payment.next_action = Some(NextAction::Confirm { step: ConfirmStep::Authorize });
        }
        if *status == PaymentStatus::Authorized {
            payment.status = PaymentStatus::RequiresConfirmation;
            payment.next_action = Some(NextAction::Confirm { step: ConfirmStep::Commit });
        }
        let paid = *status == PaymentStatus::Succeeded;
        payment.amounts.captured = paid.then_some(*amount);
        Ok(payment)
    }
}

fn number(id: &ProviderPaymentId) -> usize {
    id.as_str().parse().expect("ids are numbers")
}

#[async_trait]
impl PaymentProvider for Stranger {
    fn id(&self) -> &ProviderId {
        &self.id
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn create_payment(&self, request: &CreatePayment) -> Result<Payment> {
        let number = {
            let mut all = self.amounts.lock().unwrap_or_else(PoisonError::into_inner);
            all.push((request.amount, PaymentStatus::RequiresConfirmation));
            all.len() - 1
        };
        self.payment(number, None)
    }

    async fn fetch_payment(&self, lookup: &PaymentLookup) -> Result<Payment> {
        let PaymentLookup::Payment(handle) = lookup else {
            return Err(Error::invalid_request("lookup", "must be a handle"));
        };
        let number = number(&handle.id);
        let is_processing = self.payment(number, None)?.status == PaymentStatus::Processing;
        self.payment(number, is_processing.then_some(PaymentStatus::Succeeded))
    }

    async fn confirm_payment(&self, request: &ConfirmPayment) -> Result<Payment> {
        let next = match request.step {
            ConfirmStep::Authorize if self.is_stuck => None,
            ConfirmStep::Authorize => Some(PaymentStatus::Authorized),
            ConfirmStep::Commit => Some(PaymentStatus::Processing),
        };
        self.payment(number(&request.payment.id), next)
    }

    async fn cancel_payment(&self, request: &CancelPayment) -> Result<Payment> {
        self.payment(number(&request.payment.id), Some(PaymentStatus::Cancelled))
    }

    async fn list_payments(&self, _: &ListPayments) -> Result<Page<Payment>> {
        Err(Error::unsupported(Operation::ListPayments))
    }

    async fn capture_payment(&self, _: &CapturePayment) -> Result<Payment> {
        Err(Error::unsupported(Operation::CapturePayment))
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
        Err(Error::invalid_signature("this provider sends none"))
    }
}

/// There is no page, so the payer has nothing to do.
struct Nobody;

impl Player for Nobody {
    fn complete(&self, request: NewPayment, _: &Order) -> Result<NewPayment> {
        Ok(request)
    }

    fn play(&self, _: &Payment, _: Move) -> Result<(), Stop> {
        Ok(())
    }
}

fn join<'a>(_: &'a Sandbox, _: &'a HttpClient, _: &'a Endpoint) -> Joined<'a> {
    Box::pin(async {
        let accounts = [("stranger", false), ("stuck", true)].map(|(name, is_stuck)| {
            let provider = Arc::new(Stranger::new(name, is_stuck)?);
            Ok(Account { provider, player: Box::new(Nobody), account: None })
        });
        accounts.into_iter().collect()
    })
}

fn order(id: &str, account: &str, script: &str, expect: &str) -> Order {
    let order = serde_json::json!({
        "id": id, "account": account, "player": "p", "title": "t", "amount": "1200",
        "currency": "JPY", "script": script, "expect": expect,
    });
    serde_json::from_value(order).expect("the order can be read")
}

/// The rules by which both accounts get their orders.
const RULES: &str = r#"
[[rule]]
name = "the stranger's"
when = { metadata = { lane = "stranger" } }
use = "stranger"

[[rule]]
name = "the stuck one's"
when = { metadata = { lane = "stuck" } }
use = "stuck"
"#;

#[tokio::test]
async fn another_kind_of_provider_joins_without_a_change_to_the_shop() {
    let mut orders = super::orders();
    orders.push(order("S-1", "stranger", "pay", "succeeded"));
    orders.push(order("S-2", "stranger", "cancel", "cancelled"));
    let cast: Vec<Join> = CAST.iter().copied().chain([join as Join]).collect();
    let (store, routes) = (OwnStore::new(), format!("{ROUTES}{RULES}"));
    let setting = Setting { cast: &cast, routes: &routes, ..Setting::usual(store.path()) };
    let report = take(&setting, orders, Vec::new()).await;
    assert!(report.is_good(), "{:#}", json(&report));
}

/// A provider that goes on asking for the step it was given must not hold the shop up.
#[tokio::test]
async fn a_step_that_leads_nowhere_ends_the_demo() {
    let store = OwnStore::new();
    let setting = Setting { cast: &[join], routes: RULES, ..Setting::usual(store.path()) };
    let orders = vec![order("S-1", "stuck", "pay", "succeeded")];
    assert!(!take(&setting, orders, Vec::new()).await.is_as_scripted());
}
