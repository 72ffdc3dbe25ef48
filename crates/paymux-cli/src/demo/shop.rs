//! The shop: asks for payments, hears of them, and settles each by reading it back.

use std::time::Duration;

use paymux::{
    CancelPayment, CapturePayment, CreatePayment, IdempotencyKey, OsRandom, Part, Payment,
    PaymentLookup, PaymentStatus, Subject, WebhookEvent,
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
            match tokio::time::timeout(PATIENCE, self.deliveries.recv()).await {
                Ok(Some(Delivery::Proved { account, events })) => {
                    self.traffic.proved += 1;
                    for event in events {
                        self.hear(&account, &event).await;
                    }
                }
                Ok(Some(Delivery::Refused)) => self.traffic.refused += 1,
                Ok(None) | Err(_) if asked => return,
                Ok(None) | Err(_) => {
                    asked = true;
                    for index in 0..self.rows.len() {
                        if !self.rows[index].is_settled() {
                            self.read(index, "read unasked, no webhook came").await;
                        }
                    }
                }
            }
        }
    }

    /// An event is a reason to look; what counts is what the provider says when asked.
    async fn hear(&mut self, account: &str, event: &WebhookEvent) {
        let Some(provider) = self.stage.account(account).map(|account| &account.provider) else {
            return;
        };
        let id = match &event.subject {
            Subject::Payment(id) | Subject::Part { payment: Some(id), .. } => id.clone(),
            Subject::Part { id, payment: None } => {
                let lookup =
                    PaymentLookup::Part { id: id.clone(), options: paymux::Options::default() };
                match provider.fetch_payment(&lookup).await {
                    Ok(payment) => {
                        let known = self.position(&payment);
                        return self.settle(known, Ok(payment), &heard(event)).await;
                    }
                    Err(error) => return self.progress.say(&error.to_string()),
                }
            }
            _ => return,
        };
        let known = self.rows.iter().position(|row| row.payment().is_some_and(|one| one.id == id));
        if let Some(index) = known {
            self.read(index, &heard(event)).await;
        }
    }

    fn position(&self, payment: &Payment) -> Option<usize> {
        self.rows.iter().position(|row| row.payment().is_some_and(|one| one.id == payment.id))
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
        self.settle(Some(index), news, how).await;
    }

    /// Takes over what was read, and does what the shop has to do next.
    async fn settle(&mut self, index: Option<usize>, news: paymux::Result<Payment>, how: &str) {
        let Some(index) = index else { return };
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

    async fn capture(&mut self, index: usize, part: Option<paymux::ProviderPartId>) {
        let row = &self.rows[index];
        if let (State::Known { provider, .. }, Some(payment)) = (&row.state, row.handle()) {
            let key = IdempotencyKey::generate(&OsRandom);
            let request = CapturePayment { key, payment, part, amount: None };
            let news = provider.capture_payment(&request).await;
            self.settle(Some(index), news, "captured by the shop, and read").await;
        }
    }

    async fn cancel(&mut self, index: usize, part: Option<paymux::ProviderPartId>) {
        let row = &self.rows[index];
        if let (State::Known { provider, .. }, Some(payment)) = (&row.state, row.handle()) {
            let key = IdempotencyKey::generate(&OsRandom);
            let request = CancelPayment { key, payment, part };
            let news = provider.cancel_payment(&request).await;
            self.settle(Some(index), news, "cancelled by the shop, and read").await;
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

fn heard(event: &WebhookEvent) -> String {
    format!("webhook {} ({}), then read", event.name, event.trust)
}
