//! The shop: asks for payments, hears of them, and settles each by reading it back.

use std::time::Duration;

use paymux::{
    CancelPayment, CapturePayment, CreatePayment, IdempotencyKey, Options, OsRandom, Part, Payment,
    PaymentLookup, PaymentStatus, ProviderPartId, Subject, WebhookEvent,
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

/// How long the shop waits for a webhook before it reads the open payments by itself.
const PATIENCE: Duration = Duration::from_secs(5);
/// A silence that ends a burst of webhooks.
const LULL: Duration = Duration::from_millis(30);

pub(super) struct Shop<'a> {
    stage: &'a Stage,
    deliveries: Deliveries,
    progress: &'a Progress,
    rows: Vec<Row>,
    traffic: Traffic,
}

impl<'a> Shop<'a> {
    pub(super) fn open(
        stage: &'a Stage,
        deliveries: Deliveries,
        progress: &'a Progress,
        orders: Vec<Order>,
    ) -> Self {
        let rows = orders.into_iter().map(Row::new).collect();
        Self { stage, deliveries, progress, rows, traffic: Traffic::default() }
    }

    /// Takes every order from its beginning to its end.
    pub(super) async fn serve(&mut self) -> Result<(), Stop> {
        for index in 0..self.rows.len() {
            self.ask(index).await;
            self.let_payer_act(index)?;
            self.cancel_if_scripted(index).await;
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
        let row = &mut self.rows[index];
        let (request, account) = match prepare(self.stage, &row.order) {
            Ok(prepared) => prepared,
            Err(error) => return refuse(row, &error, self.progress),
        };
        match account.provider.create_payment(&request).await {
            Ok(payment) => {
                self.progress.say(&format!("{} opened as {}", row.order.id, payment.id));
                let (provider, options) = (account.provider.clone(), request.options);
                row.state = State::Known { provider, payment: Box::new(payment), options };
            }
            Err(error) => refuse(row, &error, self.progress),
        }
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

    async fn cancel_if_scripted(&mut self, index: usize) {
        if self.rows[index].order.script == Script::Cancel {
            self.cancel(index, None).await;
        }
    }

    /// Hears webhooks until every row is settled, but for those that have to wait. When none
    /// comes for a while, reads the open payments unasked: a webhook is help, not a need.
    async fn hear_until_settled(&mut self, may_wait: impl Fn(&Row) -> bool) {
        let mut asked = false;
        while self.rows.iter().any(|row| !row.is_settled() && !may_wait(row)) {
            let heard = self.hear_burst().await;
            if heard.is_empty() && asked {
                return;
            }
            if heard.is_empty() {
                asked = true;
                for index in 0..self.rows.len() {
                    self.read(index, "read unasked, no webhook came").await;
                }
            }
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
    /// each subject, so that a payment is read once and not for each of its events.
    async fn hear_burst(&mut self) -> Vec<(String, WebhookEvent)> {
        let mut heard: Vec<(String, WebhookEvent)> = Vec::new();
        let mut patience = PATIENCE;
        while let Ok(Some(delivery)) = tokio::time::timeout(patience, self.deliveries.recv()).await
        {
            patience = LULL;
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
        let how = format!("webhook {}, then read", event.name);
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
        // Only news of a hold asks for a decision, so that it is taken once.
        let held = Some(PaymentStatus::Authorized);
        if row.status() == held && before != held {
            Box::pin(self.decide_on_hold(index)).await;
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
                // Letting the hold go can leave the offer open; the goal is that it is closed.
                if !self.rows[index].is_settled() {
                    self.cancel(index, None).await;
                }
            }
            Script::Pay
            | Script::DeclineThenPay
            | Script::DeclineThreeTimes
            | Script::Cancel
            | Script::LetExpire
            | Script::Refused => {}
        }
    }

    async fn capture(&mut self, index: usize, part: Option<ProviderPartId>) {
        let row = &self.rows[index];
        if let (State::Known { provider, .. }, Some(payment)) = (&row.state, row.handle()) {
            let key = IdempotencyKey::generate(&OsRandom);
            let request = CapturePayment { key, payment, part, amount: None };
            let news = provider.capture_payment(&request).await;
            self.settle(index, news, "captured by the shop, and read").await;
        }
    }

    async fn cancel(&mut self, index: usize, part: Option<ProviderPartId>) {
        let row = &self.rows[index];
        if let (State::Known { provider, .. }, Some(payment)) = (&row.state, row.handle()) {
            let key = IdempotencyKey::generate(&OsRandom);
            let request = CancelPayment { key, payment, part };
            let news = provider.cancel_payment(&request).await;
            self.settle(index, news, "cancelled by the shop, and read").await;
        }
    }
}

fn prepare<'a>(stage: &'a Stage, order: &Order) -> paymux::Result<(CreatePayment, &'a Account)> {
    let account = stage.account(&order.account).ok_or_else(|| {
        paymux::Error::invalid_request("account", format!("{} is not known", order.account))
    })?;
    let request = order.to_request(stage.return_url())?;
    Ok((account.player.complete(request, order)?, account))
}

fn refuse(row: &mut Row, error: &paymux::Error, progress: &Progress) {
    row.refuse(error);
    progress.settled(&format!("{} refused: {error}", row.order.id));
}

fn held_part(payment: &Payment) -> Option<&Part> {
    payment.parts.iter().find(|part| part.status == PaymentStatus::Authorized)
}

fn names_payment(event: &WebhookEvent) -> bool {
    matches!(event.subject, Subject::Payment(_))
}
