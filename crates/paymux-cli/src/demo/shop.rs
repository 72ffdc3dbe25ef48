//! The shop: asks for payments, hears of them, and settles each by reading it back.

use std::time::Duration;

use paymux::{
    CancelPayment, CapturePayment, Clock, ConfirmPayment, ConfirmStep, CreatePayment, Effect,
    IdempotencyKey, NextAction, Operation, Options, OsRandom, Part, Payment, PaymentLookup,
    PaymentStatus, ProviderPartId, Subject, SystemClock, WebhookEvent,
    retry::{RetryPolicy, may_repeat},
};

use super::{
    order::{Order, Script},
    progress::Progress,
    report::{Report, Traffic},
    row::{Row, State},
    stage::{Account, Stage},
    webhooks::{Deliveries, Delivery},
};
use crate::Stop;

/// A silence that ends a burst of webhooks.
const LULL: Duration = Duration::from_millis(30);

/// How long the shop waits.
pub(super) struct Patience {
    /// For a webhook, before it reads the open payments by itself.
    pub(super) silence: Duration,
    /// Before it repeats a call that failed.
    pub(super) repeat: RetryPolicy,
}

impl Default for Patience {
    fn default() -> Self {
        Self { silence: Duration::from_secs(5), repeat: RetryPolicy::short() }
    }
}

pub(super) struct Shop<'a> {
    stage: &'a Stage,
    deliveries: Deliveries,
    progress: &'a Progress,
    patience: Patience,
    rows: Vec<Row>,
    traffic: Traffic,
}

impl<'a> Shop<'a> {
    pub(super) fn open(
        stage: &'a Stage,
        deliveries: Deliveries,
        progress: &'a Progress,
        patience: Patience,
        orders: Vec<Order>,
    ) -> Self {
        let rows = orders.into_iter().map(Row::new).collect();
        Self { stage, deliveries, progress, patience, rows, traffic: Traffic::default() }
    }

    /// Takes every order from its beginning to its end.
    pub(super) async fn serve(&mut self) -> Result<(), Stop> {
        for index in 0..self.rows.len() {
            self.ask(index).await;
            self.let_payer_act(index)?;
            if self.rows[index].order.script == Script::Cancel {
                self.close(index).await;
            }
        }
        self.hear_until_settled(|row| row.order.script == Script::LetExpire).await;
        self.stage.let_offers_expire();
        self.hear_until_settled(|_| false).await;
        Ok(())
    }

    pub(super) fn report(self) -> Report {
        Report::new(self.rows, self.traffic)
    }

    async fn ask(&mut self, index: usize) {
        let (request, account) = match prepare(self.stage, &self.rows[index].order) {
            Ok(prepared) => prepared,
            Err(error) => return self.give_up(index, &error, false),
        };
        match self.create(account, &request).await {
            Ok(payment) => {
                let row = &mut self.rows[index];
                self.progress.say(&format!("{} opened as {}", row.order.id, payment.id));
                let (provider, options) = (account.provider.clone(), request.options);
                row.state = State::Known { provider, payment: Box::new(payment), options };
                "the answer when it was opened".clone_into(&mut row.how);
                if row.is_settled() {
                    let line = format!("{} ended at once", row.order.id);
                    return self.progress.settled(&line);
                }
                self.take_next_step(index, None).await;
            }
            Err((error, may_exist)) => self.give_up(index, &error, may_exist),
        }
    }

    /// Asks for the payment. A failed call is repeated as it was, with the same key, where that
    /// cannot open a second one. The error comes with whether any of the calls may have had an
    /// effect.
    async fn create(
        &self,
        account: &Account,
        request: &CreatePayment,
    ) -> Result<Payment, (paymux::Error, bool)> {
        let replay = account.provider.capabilities().replay(Operation::CreatePayment);
        let began = SystemClock.now().as_millis();
        let mut may_exist = false;
        let mut repetition = 0;
        loop {
            let error = match account.provider.create_payment(request).await {
                Ok(payment) => return Ok(payment),
                Err(error) => error,
            };
            may_exist |= error.effect() == Effect::Possible;
            let age = u64::try_from(SystemClock.now().as_millis() - began).unwrap_or_default();
            let wait = may_repeat(&error, replay, Duration::from_millis(age))
                .then(|| self.patience.repeat.delay(repetition, &error, &OsRandom))
                .flatten();
            let Some(wait) = wait else { return Err((error, may_exist)) };
            self.progress.say(&format!("{}: {error} Repeating it.", request.reference));
            tokio::time::sleep(wait).await;
            repetition += 1;
        }
    }

    fn give_up(&mut self, index: usize, error: &paymux::Error, may_exist: bool) {
        let row = &mut self.rows[index];
        row.give_up(error, may_exist);
        let word = if may_exist { "in doubt" } else { "refused" };
        self.progress.settled(&format!("{} {word}: {error}", row.order.id));
    }

    fn let_payer_act(&self, index: usize) -> Result<(), Stop> {
        let row = &self.rows[index];
        if let (Some(payment), Some(account)) =
            (row.payment(), self.stage.account(&row.order.account))
        {
            for payer in row.order.script.moves() {
                account.player.play(payment, *payer)?;
            }
        }
        Ok(())
    }

    /// Ends an offer that the script wants to come to nothing.
    async fn close(&mut self, index: usize) {
        if matches!(self.rows[index].order.script, Script::Cancel | Script::AuthorizeAndRelease) {
            self.cancel(index, None).await;
        }
    }

    /// Hears webhooks until every row is settled, but for those that have to wait. When none
    /// comes for a while, reads the open payments unasked: a webhook is help, not a need. When
    /// that changes nothing either, it is over.
    async fn hear_until_settled(&mut self, may_wait: impl Fn(&Row) -> bool) {
        let mut asked = false;
        while self.rows.iter().any(|row| !row.is_settled() && !may_wait(row)) {
            let Some(heard) = self.hear_burst().await else {
                if asked {
                    return;
                }
                asked = true;
                for index in 0..self.rows.len() {
                    self.read(index, "read unasked").await;
                }
                continue;
            };
            asked = false;
            // Those that name a payment first: reading it also tells of its parts.
            for (account, event) in heard.iter().filter(|(_, event)| names_payment(event)) {
                self.look(account, event).await;
            }
            for (account, event) in heard.iter().filter(|(_, event)| !names_payment(event)) {
                self.look(account, event).await;
            }
        }
    }

    /// Events come in bursts: waits for one, takes what follows closely, and keeps the last of
    /// each subject, so that a payment is read once and not for each of its events. `None` is
    /// silence; a burst of refused deliveries holds no event.
    async fn hear_burst(&mut self) -> Option<Vec<(String, WebhookEvent)>> {
        let mut heard: Option<Vec<(String, WebhookEvent)>> = None;
        let mut patience = self.patience.silence;
        while let Ok(Some(delivery)) = tokio::time::timeout(patience, self.deliveries.recv()).await
        {
            patience = LULL;
            let heard = heard.get_or_insert_default();
            match delivery {
                Delivery::Refused => self.traffic.refused += 1,
                Delivery::Proved { account, events } => {
                    self.traffic.proved += 1;
                    for event in events {
                        heard.retain(|(_, earlier)| earlier.subject != event.subject);
                        heard.push((account.clone(), event));
                    }
                }
            }
        }
        heard
    }

    /// An event is a reason to look; what counts is what the provider says when asked.
    async fn look(&mut self, account: &str, event: &WebhookEvent) {
        let how = format!("read after {}", event.name);
        match &event.subject {
            Subject::Payment(id) | Subject::Part { payment: Some(id), .. } => {
                if let Some(index) = self.position(|payment| payment.id == *id) {
                    self.read(index, &how).await;
                }
            }
            Subject::Part { id, payment: None } => {
                let knows_part = |payment: &Payment| payment.parts.iter().any(|one| one.id == *id);
                match self.position(knows_part) {
                    Some(index) => self.read(index, &how).await,
                    None => self.look_up_part(account, id, &how).await,
                }
            }
            // Refunds, mandates, top-ups: not part of an order's story here.
            Subject::Refund { .. } | Subject::Mandate { .. } | Subject::Other { .. } | _ => {}
        }
    }

    async fn look_up_part(&mut self, account: &str, id: &ProviderPartId, how: &str) {
        let Some(account) = self.stage.account(account) else { return };
        let lookup = PaymentLookup::Part { id: id.clone(), options: Options::default() };
        match account.provider.fetch_payment(&lookup).await {
            Ok(payment) => {
                if let Some(index) = self.position(|known| known.id == payment.id) {
                    self.settle(index, Ok(payment), how).await;
                }
            }
            Err(error) => self.progress.say(&error.to_string()),
        }
    }

    fn position(&self, is: impl Fn(&Payment) -> bool) -> Option<usize> {
        self.rows.iter().position(|row| row.payment().is_some_and(&is))
    }

    async fn read(&mut self, index: usize, how: &str) {
        let row = &self.rows[index];
        let (State::Known { provider, .. }, Some(handle)) = (&row.state, row.handle()) else {
            return;
        };
        if row.is_settled() {
            return;
        }
        let news = provider.fetch_payment(&PaymentLookup::Payment(handle)).await;
        self.settle(index, news, how).await;
    }

    /// Takes over what was read, and does what the shop has to do next.
    async fn settle(&mut self, index: usize, news: paymux::Result<Payment>, how: &str) {
        let row = &mut self.rows[index];
        if row.is_settled() {
            return;
        }
        let before = row.status();
        match news {
            Ok(payment) => row.learn(payment, how),
            Err(error) => return self.progress.say(&format!("{}: {error}", row.order.id)),
        }
        if row.is_settled() {
            let status = row.status().map_or("", PaymentStatus::as_str);
            let line = format!("{} {status}: {}", row.order.id, row.how);
            return self.progress.settled(&line);
        }
        Box::pin(self.take_next_step(index, before)).await;
    }

    /// Does what the provider waits for. Only news asks for a step, so that it is taken once; one
    /// that failed is taken again after the payment was read and still waits for it.
    async fn take_next_step(&mut self, index: usize, before: Option<PaymentStatus>) {
        let row = &mut self.rows[index];
        let again = std::mem::take(&mut row.step_failed);
        let news = row.status() != before;
        let next = row.payment().and_then(|payment| payment.next_action.clone());
        match (row.status(), next) {
            (Some(PaymentStatus::Authorized), _) if news || again => {
                self.decide_on_hold(index).await;
            }
            // Two steps can follow each other in one status, so the step is what is compared.
            (Some(PaymentStatus::RequiresConfirmation), Some(NextAction::Confirm { step }))
                if again || row.confirmed != Some(step) =>
            {
                row.confirmed = Some(step);
                self.confirm(index, step).await;
            }
            _ if again => self.close(index).await,
            _ => {}
        }
    }

    /// Money is held: the script says whether the shop takes it or lets it go.
    async fn decide_on_hold(&mut self, index: usize) {
        let script = self.rows[index].order.script;
        let held = self.rows[index].payment().and_then(held_part).map(|part| part.id.clone());
        match script {
            Script::AuthorizeAndCapture => self.capture(index, held).await,
            Script::AuthorizeAndRelease => {
                self.cancel(index, held).await;
                // Letting the hold go can leave the offer open; the goal is that it is closed. But
                // never close it over a hold that may still be there.
                if !self.rows[index].step_failed {
                    self.cancel(index, None).await;
                }
            }
            Script::Pay
            | Script::DeclineThenPay
            | Script::Decline
            | Script::DeclineThreeTimes
            | Script::PayInTwoParts
            | Script::PayTooLittle
            | Script::ChargeUnderMandate
            | Script::Cancel
            | Script::LetExpire
            | Script::Refused => {}
        }
    }

    async fn capture(&mut self, index: usize, part: Option<ProviderPartId>) {
        let row = &self.rows[index];
        if let (State::Known { provider, .. }, Some(payment)) = (&row.state, row.handle()) {
            let key = IdempotencyKey::generate(&OsRandom);
            // A figure that cannot be read was refused when the order was prepared.
            let amount = row.order.captured().unwrap_or_default();
            let request = CapturePayment { key, payment, part, amount };
            let news = provider.capture_payment(&request).await;
            self.end_step(index, news, "captured by the shop").await;
        }
    }

    async fn cancel(&mut self, index: usize, part: Option<ProviderPartId>) {
        let row = &self.rows[index];
        if row.is_settled() {
            return;
        }
        if let (State::Known { provider, .. }, Some(payment)) = (&row.state, row.handle()) {
            let key = IdempotencyKey::generate(&OsRandom);
            let request = CancelPayment { key, payment, part };
            let news = provider.cancel_payment(&request).await;
            self.end_step(index, news, "cancelled by the shop").await;
        }
    }

    /// Consents, unless the script wants the order to come to nothing.
    async fn confirm(&mut self, index: usize, step: ConfirmStep) {
        let row = &self.rows[index];
        if matches!(row.order.script, Script::Cancel | Script::LetExpire) {
            return;
        }
        if let (State::Known { provider, .. }, Some(payment)) = (&row.state, row.handle()) {
            let key = IdempotencyKey::generate(&OsRandom);
            let news = provider.confirm_payment(&ConfirmPayment { key, payment, step }).await;
            self.end_step(index, news, "confirmed by the shop").await;
        }
    }

    async fn end_step(&mut self, index: usize, news: paymux::Result<Payment>, how: &str) {
        self.rows[index].step_failed = news.is_err();
        self.settle(index, news, how).await;
    }
}

fn prepare<'a>(stage: &'a Stage, order: &Order) -> paymux::Result<(CreatePayment, &'a Account)> {
    let account = stage.account(&order.account).ok_or_else(|| {
        paymux::Error::invalid_request("account", format!("{} is not known", order.account))
    })?;
    let request = order.to_request(stage.return_url())?;
    order.captured().map_err(|error| error.with_field("capture"))?;
    Ok((account.player.complete(request, order)?, account))
}

fn held_part(payment: &Payment) -> Option<&Part> {
    payment.parts.iter().find(|part| part.status == PaymentStatus::Authorized)
}

fn names_payment(event: &WebhookEvent) -> bool {
    matches!(event.subject, Subject::Payment(_))
}
