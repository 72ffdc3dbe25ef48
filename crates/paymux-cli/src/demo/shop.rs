//! The shop: asks for payments, and does what only a merchant can decide. What was asked is written
//! down, sent, looked up, repeated and taken elsewhere by the orchestrator.

use std::time::Duration;

use paymux::{
    Clock, PaymentStatus, ProviderPartId, Timestamp,
    orchestrator::{NewCapture, Orchestrator, PaymentId, PaymentRecord},
};

use super::{
    order::{Order, Script},
    progress::Progress,
    report::{Books, Line, Report, Traffic},
    row::{Row, State},
    stage::Stage,
    story::{Trouble, known_by},
    webhooks::Deliveries,
};
use crate::Stop;

/// A silence that ends a burst of webhooks.
const LULL: Duration = Duration::from_millis(30);

/// How long the shop waits.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// For a webhook, before it reads the open payments by itself.
    pub(super) silence: Duration,
    /// So many silences in a row without news, and it is over.
    pub(super) silences: u32,
    /// By how much the shop's clock moves on in each while something is to be sent or asked again
    /// later, for who cannot wait that long.
    pub(super) leap: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { silence: Duration::from_millis(300), silences: 50, leap: Duration::ZERO }
    }
}

pub(super) struct Shop<'a> {
    stage: &'a Stage,
    orchestrator: &'a Orchestrator,
    deliveries: Deliveries,
    progress: &'a Progress,
    patience: Patience,
    rows: Vec<Row>,
    traffic: Traffic,
    opened_at: Timestamp,
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
        // Providers round to seconds.
        let opened_at = stage.clock().now().before(Duration::from_secs(1));
        let (orchestrator, traffic) = (stage.orchestrator(), Traffic::default());
        Self { stage, orchestrator, deliveries, progress, patience, rows, traffic, opened_at }
    }

    /// Takes every order from its beginning to its end.
    pub(super) async fn serve(&mut self) -> Result<(), Stop> {
        for index in 0..self.rows.len() {
            self.ask(index).await?;
        }
        self.hear_until_settled(|row| row.order.script == Script::LetExpire).await?;
        self.stage.let_offers_expire();
        self.hear_until_settled(|_| false).await
    }

    /// How it ended, by the orchestrator's books; and whether the providers' say the same.
    pub(super) async fn report(mut self) -> Result<Report, Stop> {
        // Those, too, that came while the orchestrator was at work.
        while let Ok(delivery) = self.deliveries.try_recv() {
            self.traffic.count(&delivery);
        }
        let (mut lines, mut troubles) = (Vec::new(), Vec::new());
        for row in self.rows {
            let how = match &row.state {
                State::New => String::new(),
                State::Refused { by, .. } => by.in_words().to_owned(),
                State::Known { record } => {
                    let explanation = self.orchestrator.explain(&record.id).await?;
                    troubles.extend(Trouble::of(&row.order.id, &explanation));
                    known_by(record, &explanation.history)
                }
            };
            lines.push(Line::new(row, how));
        }
        let now = self.stage.clock().now();
        let books = Books::from(self.orchestrator.reconcile(self.opened_at, now).await?);
        let store = self.stage.store_file().to_owned();
        Ok(Report::new(store, lines, troubles, self.traffic, books))
    }

    async fn ask(&mut self, index: usize) -> Result<(), Stop> {
        let order = &self.rows[index].order;
        let asked = match (order.key("create"), self.stage.request_for(order)) {
            (Ok(key), Ok(request)) => self.orchestrator.create_payment(&key, &request).await,
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        match asked {
            Ok(record) => {
                self.progress.say(&format!("{} opened as {}", order.id, record.id));
                Box::pin(self.learn(index, record)).await
            }
            Err(error) => {
                self.progress.settled(&format!("{} refused: {error}", order.id));
                self.rows[index].refuse(&error);
                Ok(())
            }
        }
    }

    /// Takes over what the orchestrator knows, and does what is the shop's or the payer's to do.
    async fn learn(&mut self, index: usize, record: PaymentRecord) -> Result<(), Stop> {
        let row = &mut self.rows[index];
        if row.is_settled() {
            return Ok(());
        }
        row.learn(record);
        if row.is_settled() {
            return self.announce(index).await;
        }
        match row.status() {
            Some(PaymentStatus::Authorized) if !row.is_decided => self.decide_on_hold(index).await,
            _ if !row.is_played => self.play(index).await,
            _ => Ok(()),
        }
    }

    /// One more order has come to its end.
    async fn announce(&self, index: usize) -> Result<(), Stop> {
        let row = &self.rows[index];
        let how = match &row.state {
            State::Known { record } => {
                known_by(record, &self.orchestrator.history(&record.id).await?)
            }
            State::New | State::Refused { .. } => row.sentence().unwrap_or_default(),
        };
        self.progress.settled(&format!("{} {}: {how}", row.order.id, row.word()));
        Ok(())
    }

    /// The payer acts as soon as a provider has the payment; or the shop ends it first.
    async fn play(&mut self, index: usize) -> Result<(), Stop> {
        let row = &mut self.rows[index];
        let Some(record) = row.record() else { return Ok(()) };
        let (id, Some(payment)) = (record.id.clone(), record.provider.clone()) else {
            return Ok(());
        };
        row.is_played = true;
        let order = &row.order;
        if let Some(call) = &order.lost_reply {
            self.stage.lose_reply(call, &payment);
        }
        let account = self.stage.account(&payment.provider);
        let player = &account.ok_or("a payment is at an account that nobody plays")?.player;
        for payer in order.script.moves() {
            player.play(&payment, *payer)?;
        }
        if order.script == Script::Cancel { self.cancel(index, &id).await } else { Ok(()) }
    }

    /// Money is held: the script says whether the shop takes it or lets it go.
    async fn decide_on_hold(&mut self, index: usize) -> Result<(), Stop> {
        let row = &mut self.rows[index];
        let Some(record) = row.record() else { return Ok(()) };
        let (id, part) = (record.id.clone(), held_part(record));
        row.is_decided = true;
        match row.order.script {
            Script::AuthorizeAndCapture => self.capture(index, &id, part).await,
            Script::AuthorizeAndRelease => self.cancel(index, &id).await,
            Script::Pay
            | Script::DeclineThenPay
            | Script::Decline
            | Script::DeclineThreeTimes
            | Script::PayInTwoParts
            | Script::PayTooLittle
            | Script::ChargeUnderMandate
            | Script::Cancel
            | Script::LetExpire
            | Script::Refused => Ok(()),
        }
    }

    async fn capture(
        &mut self,
        index: usize,
        id: &PaymentId,
        part: Option<ProviderPartId>,
    ) -> Result<(), Stop> {
        let order = &self.rows[index].order;
        let capture = NewCapture { part, amount: order.captured()? };
        let key = order.key("capture")?;
        let news = self.orchestrator.capture_payment(&key, id, capture).await;
        self.end_step(index, news).await
    }

    async fn cancel(&mut self, index: usize, id: &PaymentId) -> Result<(), Stop> {
        let key = self.rows[index].order.key("cancel")?;
        let news = self.orchestrator.cancel_payment(&key, id).await;
        self.end_step(index, news).await
    }

    /// A step that was refused leaves the payment as it was: what the provider says of it next
    /// counts.
    async fn end_step(
        &mut self,
        index: usize,
        news: paymux::Result<PaymentRecord>,
    ) -> Result<(), Stop> {
        match news {
            Ok(record) => Box::pin(self.learn(index, record)).await,
            Err(error) => {
                self.progress.say(&format!("{}: {error}", self.rows[index].order.id));
                Ok(())
            }
        }
    }

    /// Hears webhooks until every row is settled, but for those that have to wait. When none
    /// comes for a while, has the open payments read unasked: a webhook is help, not a need. When
    /// that changes nothing for long enough, it is over.
    async fn hear_until_settled(&mut self, may_wait: impl Fn(&Row) -> bool) -> Result<(), Stop> {
        let mut silences = 0;
        while self.rows.iter().any(|row| !row.is_settled() && !may_wait(row)) {
            if self.catch_up().await? || self.hear_burst().await {
                silences = 0;
                continue;
            }
            if silences >= self.patience.silences {
                return Ok(());
            }
            silences += 1;
            if self.rows.iter().any(Row::is_under_way) {
                self.stage.clock().advance(self.patience.leap);
            }
            self.read_open().await?;
        }
        Ok(())
    }

    /// Lets the orchestrator do all that is due, and takes over what came of it. Says whether any
    /// order moved.
    async fn catch_up(&mut self) -> Result<bool, Stop> {
        while !self.orchestrator.step().await?.is_idle() {}
        let mut moved = false;
        for (index, id) in self.unsettled() {
            let before = self.rows[index].status();
            let record = self.orchestrator.stored_payment(&id).await?;
            self.learn(index, record).await?;
            moved |= self.rows[index].status() != before;
        }
        Ok(moved)
    }

    /// Has every open payment read from its provider.
    async fn read_open(&mut self) -> Result<(), Stop> {
        for (index, id) in self.unsettled() {
            let record = Box::pin(self.orchestrator.fetch_payment(&id)).await?;
            self.learn(index, record).await?;
        }
        Ok(())
    }

    fn unsettled(&self) -> Vec<(usize, PaymentId)> {
        let open = self.rows.iter().enumerate().filter(|(_, row)| !row.is_settled());
        open.filter_map(|(index, row)| Some((index, row.record()?.id.clone()))).collect()
    }

    /// Webhooks come in bursts: waits for one, and for what follows closely, so that a payment is
    /// read once and not for each of them. Says whether one came at all.
    async fn hear_burst(&mut self) -> bool {
        let mut heard = false;
        let mut patience = self.patience.silence;
        while let Ok(Some(delivery)) = tokio::time::timeout(patience, self.deliveries.recv()).await
        {
            (patience, heard) = (LULL, true);
            self.traffic.count(&delivery);
        }
        heard
    }
}

/// The part of a payment that is held.
fn held_part(record: &PaymentRecord) -> Option<ProviderPartId> {
    let parts = &record.provider.as_ref()?.parts;
    let held = parts.iter().find(|part| part.status == PaymentStatus::Authorized);
    held.map(|part| part.id.clone())
}
