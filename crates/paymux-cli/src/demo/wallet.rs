//! How the demo plays the wallet: one shop that asks wallet users to accept transactions. One of
//! them has given an allowance to charge under; another accepts before the money is there.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use paymux::{
    CaptureMethod, Clock, ConfirmMandate, CreateMandate, Currency, IdempotencyKey, Mandate,
    MandateHandle, MandateStatus, Money, Options, OsRandom, Payment, PaymentLookup,
    PaymentProvider, PaymentStatus, ProviderId, ProviderMandateId, ProviderPaymentId, Reference,
    SystemClock, orchestrator::NewPayment, transport::HttpClient, wallet::WalletOptions,
};
use paymux_sandbox::{
    Sandbox,
    wallet::{WalletSandbox, WalletUser},
};
use serde_json::Value;

use super::{
    order::{Move, Order, Script},
    stage::{Account, Joined, Player},
    webhooks::Endpoint,
};
use crate::{Stop, accounts::SandboxAccount};

#[cfg(test)]
mod tests;

const ACCOUNT: &str = "wallet";
/// What the payer has, in cents.
const FUNDS: i64 = 1_000_000;
/// For how long a deposit is held.
const HOLD: Duration = Duration::from_secs(7 * 24 * 3600);

/// Opens the account and agrees on an allowance; see [`super::stage::Join`].
pub(super) fn join<'a>(
    sandbox: &'a Sandbox,
    http: &'a HttpClient,
    endpoint: &'a Endpoint,
) -> Joined<'a> {
    Box::pin(async move {
        let sandbox = sandbox.wallet();
        let account = SandboxAccount::Wallet {
            name: ProviderId::new(ACCOUNT)?,
            base_url: sandbox.base_url(),
            page_url: format!("{}/frontend", sandbox.base_url()).parse()?,
            client_id: sandbox.client_id().to_owned(),
            mac_key: sandbox.mac_key().to_owned(),
            callback_key: sandbox.public_key().to_owned(),
        };
        let wallet = account.open(http)?;
        let payer = sandbox.usual_payer();
        sandbox.add_funds(payer, "EUR", FUNDS)?;
        // Somebody whom the marketplace pays; an order names the address.
        sandbox.set_user(WalletUser::new("Artist").email("artist@example.com"))?;
        let late_payer = sandbox.set_user(WalletUser::new("Late payer"))?;
        let mandate = agree(&*wallet, &sandbox, payer).await?;
        // From here on: what was agreed before is no order's.
        sandbox.set_callback_url(Some(endpoint.url_of(ACCOUNT)?))?;
        let accepted = Mutex::default();
        let player =
            Owner { sandbox, payer, late_payer, mandate, wallet: wallet.clone(), accepted };
        let player = Box::new(player);
        Ok(vec![Account { provider: wallet, player, account: Some(account) }])
    })
}

/// The payer permits charges up to a limit: asked for, accepted, and confirmed.
async fn agree(
    wallet: &dyn PaymentProvider,
    sandbox: &WalletSandbox,
    payer: i64,
) -> Result<ProviderMandateId, Stop> {
    let limit = Money::parse("100.00", Currency::EUR)?;
    let key = IdempotencyKey::generate(&OsRandom);
    let reference = Reference::new("membership")?;
    let asked = CreateMandate::new(key, reference, "Monthly membership", limit);
    let asked = wallet.create_mandate(&asked).await?;
    let transaction = asked.payment.as_ref().ok_or("the allowance has no transaction")?;
    sandbox.accept(transaction.as_str(), payer)?;
    let mut mandate = MandateHandle::new(asked.id.clone());
    mandate.payment = asked.payment.clone();
    let key = IdempotencyKey::generate(&OsRandom);
    let Mandate { id, status, .. } =
        wallet.confirm_mandate(&ConfirmMandate { key, mandate }).await?;
    match status {
        MandateStatus::Active => Ok(id),
        MandateStatus::RequiresAction
        | MandateStatus::RequiresConfirmation
        | MandateStatus::Ended
        | MandateStatus::Unknown => Err(format!("the allowance is {status}").into()),
    }
}

/// The owners of wallets.
struct Owner {
    sandbox: WalletSandbox,
    payer: i64,
    /// Somebody without money.
    late_payer: i64,
    mandate: ProviderMandateId,
    /// As the shop sees it.
    wallet: Arc<dyn PaymentProvider>,
    /// What was accepted before the money was there.
    accepted: Mutex<BTreeSet<ProviderPaymentId>>,
}

impl Owner {
    fn accepted(&self, change: impl FnOnce(&mut BTreeSet<ProviderPaymentId>) -> bool) -> bool {
        change(&mut self.accepted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The late payer finds the money when somebody has seen that the payment waits for it; else
    /// the order would not show that it ever did. Without that look it is never paid.
    fn bring_money(&self, payment: &Payment) -> Result<(), Stop> {
        let due = payment.amounts.payable.ok_or("the payment has no price")?;
        let cents = i64::try_from(due.minor())?;
        let lookup = PaymentLookup::Payment(payment.handle(&Options::default()));
        let (wallet, sandbox, payer) = (self.wallet.clone(), self.sandbox.clone(), self.late_payer);
        tokio::spawn(async move {
            let seen = wallet.fetch_payment(&lookup).await;
            if seen.is_ok_and(|payment| payment.status == PaymentStatus::Processing) {
                // A sandbox that has stopped takes no money, and the order stays unpaid.
                drop(sandbox.add_funds(payer, due.currency().code(), cents));
            }
        });
        Ok(())
    }
}

impl Player for Owner {
    fn complete(&self, request: NewPayment, order: &Order) -> paymux::Result<NewPayment> {
        let mut request = request;
        let mut options: WalletOptions = serde_json::from_value(Value::from(order.options.clone()))
            .map_err(|source| {
                paymux::Error::invalid_request("options", "are not the wallet's")
                    .with_source(source)
            })?;
        match order.script {
            Script::AuthorizeAndCapture | Script::AuthorizeAndRelease => {
                options.freeze_until = Some(SystemClock.now().after(HOLD));
                request = request.capture(CaptureMethod::Manual);
            }
            Script::ChargeUnderMandate => request = request.mandate(self.mandate.clone()),
            Script::Pay
            | Script::DeclineThenPay
            | Script::Decline
            | Script::DeclineThreeTimes
            | Script::PayInTwoParts
            | Script::PayTooLittle
            | Script::Cancel
            | Script::LetExpire
            | Script::Refused => {}
        }
        request.with(&options)
    }

    fn play(&self, payment: &Payment, payer: Move) -> Result<(), Stop> {
        let transaction = payment.id.as_str();
        match payer {
            Move::Pay if self.accepted(|accepted| accepted.remove(&payment.id)) => {
                self.bring_money(payment)?;
            }
            Move::Pay => self.sandbox.accept(transaction, self.payer)?,
            // A transaction is paid whole or not at all: too little is nothing yet.
            Move::PayTooLittle => {
                self.sandbox.accept_without_funds(transaction, self.late_payer)?;
                self.accepted(|accepted| accepted.insert(payment.id.clone()));
            }
            Move::BeDeclined => self.sandbox.reject(transaction)?,
        }
        Ok(())
    }
}
