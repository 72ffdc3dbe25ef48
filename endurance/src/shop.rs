//! The shop: asks for what each order needs, again and again under the same keys, until it is
//! given. It keeps nothing: the list of orders and the orchestrator's store are all it needs.

use std::{
    collections::BTreeMap,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use futures_util::StreamExt;
use paymux::{Error, ErrorKind, NextAction, PaymentStatus, Result};
use paymux_orchestrator::{
    AttemptState, NewCapture, NewRefund, Orchestrator, PaymentId, PaymentRecord,
};

use crate::{Bill, Order, Script, Told};

/// How many orders are worked on at once.
const AT_ONCE: usize = 8;
/// Every so many orders, the shop asks for the provider's present word instead of the stored one.
const ASKS: u32 = 3;

/// The shop of one process.
#[derive(Debug)]
pub struct Shop {
    orchestrator: Orchestrator,
    orders: Vec<Job>,
}

/// An order, and how far this process has come with it.
#[derive(Debug)]
struct Job {
    order: Order,
    bill: Option<Bill>,
    payment: OnceLock<PaymentId>,
    /// The attempt whose way to pay was shown last; 0 before that.
    shown: AtomicU32,
    finished: OnceLock<()>,
}

/// What is to be asked for next about an order.
enum Next {
    /// Nothing any more.
    Nothing,
    /// It has to be waited for.
    Wait,
}

impl Shop {
    /// A shop that works on these orders, some of which pay a bill.
    #[must_use]
    pub fn new(
        orchestrator: Orchestrator,
        orders: Vec<Order>,
        bills: &BTreeMap<u32, Bill>,
    ) -> Self {
        let job = |order: Order| Job {
            order,
            bill: bills.get(&order.number).cloned(),
            payment: OnceLock::new(),
            shown: AtomicU32::new(0),
            finished: OnceLock::new(),
        };
        Self { orchestrator, orders: orders.into_iter().map(job).collect() }
    }

    /// Works once on each of the orders that have come in and are not finished, and gives how many
    /// that was.
    pub async fn work(&self, come: u32, tell: &(impl Fn(&Told) + Sync)) -> usize {
        let open: Vec<&Job> = self
            .orders
            .iter()
            .filter(|job| job.order.number < come && job.finished.get().is_none())
            .collect();
        let count = open.len();
        futures_util::stream::iter(open)
            .for_each_concurrent(AT_ONCE, |job| async move {
                match Box::pin(self.advance(job, tell)).await {
                    Ok(Next::Nothing) => {
                        let _ = job.finished.set(());
                        tell(&Told::Finished(job.order.number));
                    }
                    Ok(Next::Wait) => {}
                    Err(error) if may_come_right(&error) => {}
                    Err(error) => tell(&Told::Wrong(format!("{}: {error:?}", job.order.name()))),
                }
            })
            .await;
        count
    }

    async fn advance(&self, job: &Job, tell: &(impl Fn(&Told) + Sync)) -> Result<Next> {
        let order = &job.order;
        let record = match job.payment.get() {
            Some(id) if order.number.is_multiple_of(ASKS) => {
                Box::pin(self.orchestrator.fetch_payment(id)).await?
            }
            Some(id) => self.orchestrator.stored_payment(id).await?,
            None => {
                let (key, request) = (order.key()?, order.request(job.bill.as_ref())?);
                let record = self.orchestrator.create_payment(&key, &request).await?;
                tell(&Told::Taken { order: order.number, payment: record.id.clone() });
                job.payment.get_or_init(|| record.id.clone());
                record
            }
        };
        show(job, &record, tell);
        let id = &record.id;
        match (order.script, record.status) {
            (Script::Capture, PaymentStatus::Authorized) => {
                let key = order.key()?;
                settle(self.orchestrator.capture_payment(&key, id, NewCapture::default()).await)
            }
            (Script::Release, PaymentStatus::Authorized) => {
                settle(self.orchestrator.cancel_payment(&order.key()?, id).await)
            }
            (Script::Refund, PaymentStatus::Succeeded) => {
                let key = order.key()?;
                let refund = self.orchestrator.create_refund(&key, id, NewRefund::default()).await;
                settle(refund.map(|(record, _)| record))
            }
            (Script::Leave, _) => Ok(Next::Nothing),
            (_, status) if status.is_final() => Ok(Next::Nothing),
            _ => Ok(Next::Wait),
        }
    }
}

/// Shows the payer the way to pay, if there is one that this process did not show yet.
fn show(job: &Job, record: &PaymentRecord, tell: &impl Fn(&Told)) {
    let Some(action) = record.next_action() else { return };
    let Some(payment) = &record.provider else { return };
    if matches!(action, NextAction::Confirm { .. }) {
        return;
    }
    let attempt = record
        .attempts
        .iter()
        .rev()
        .find(|attempt| attempt.is_create() && attempt.state == AttemptState::Accepted)
        .map_or(0, |attempt| attempt.no);
    if job.shown.swap(attempt, Ordering::SeqCst) == attempt {
        return;
    }
    tell(&Told::Shown {
        order: job.order.number,
        account: payment.provider.as_str().to_owned(),
        id: payment.id.as_str().to_owned(),
    });
}

/// What the shop asked for was written down, and the orchestrator sees to it; or the account
/// refused it for good.
fn settle(asked: Result<PaymentRecord>) -> Result<Next> {
    match asked {
        Ok(_) => Ok(Next::Nothing),
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(Next::Nothing),
        Err(error) => Err(error),
    }
}

/// Is this something that happens while processes are killed and providers are unwell? What the
/// shop asks for is right, so nothing may be refused as wrong.
fn may_come_right(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::InvalidRequest
        | ErrorKind::Configuration
        | ErrorKind::PermissionDenied
        | ErrorKind::Unexpected
        | ErrorKind::NotFound => false,
        ErrorKind::Conflict => !error.message().contains("this key was used"),
        ErrorKind::Unsupported
        | ErrorKind::Unauthenticated
        | ErrorKind::Declined
        | ErrorKind::RateLimited
        | ErrorKind::Unavailable
        | ErrorKind::Timeout
        | ErrorKind::InvalidResponse
        | ErrorKind::InvalidSignature
        | _ => true,
    }
}
