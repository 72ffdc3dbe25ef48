//! Reading payments.

use paymux_core::{Effect, Error, ErrorKind, Result, Timestamp, Url};

use crate::{
    Orchestrator, PaymentId,
    engine::{Engine, read_document, unavailable},
    record::PaymentRecord,
    returns,
    store::{PaymentQuery, TransitionRow},
};

impl Orchestrator {
    /// Reads a payment. One that is open is read from its provider again when what is known is
    /// some seconds old; when the provider cannot be asked, what is known is the answer.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Unavailable` when the store is.
    pub async fn fetch_payment(&self, id: &PaymentId) -> Result<PaymentRecord> {
        let (engine, id) = (self.0.clone(), id.clone());
        self.0
            .calls
            .own(async move {
                let record = engine.load(&id).await?;
                Box::pin(engine.refresh(record)).await
            })
            .await
    }

    /// Reads a payment as it is known, and asks nobody.
    ///
    /// # Errors
    /// As [`Orchestrator::fetch_payment`].
    pub async fn stored_payment(&self, id: &PaymentId) -> Result<PaymentRecord> {
        self.0.load(id).await
    }

    /// Reads payments as they are known, oldest first.
    ///
    /// # Errors
    /// `Unavailable` when the store is.
    pub async fn list_payments(&self, query: &PaymentQuery) -> Result<Vec<PaymentRecord>> {
        let rows = self.0.store.list(query).await;
        let rows = rows.map_err(|error| unavailable(error, Effect::None))?;
        rows.iter().map(|row| read_document(&row.document)).collect()
    }

    /// Everything that ever moved a payment, oldest first.
    ///
    /// # Errors
    /// `Unavailable` when the store is.
    pub async fn history(&self, id: &PaymentId) -> Result<Vec<TransitionRow>> {
        let history = self.0.store.history(id).await;
        history.map_err(|error| unavailable(error, Effect::None))
    }

    /// The payment that a payer came back from, by the URL it came back to. A return proves
    /// nothing: the payment is read from its provider, and its status is what counts.
    ///
    /// # Errors
    /// `InvalidRequest` naming `return_url` when the URL holds no token, or a wrong one.
    pub async fn read_return(&self, url: &Url) -> Result<PaymentRecord> {
        let (id, secret) = returns::read_token(url)?;
        let wrong = || Error::invalid_request("return_url", "holds no token of a payment of ours");
        let record = match self.0.load(&id).await {
            Ok(record) => record,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(wrong()),
            Err(error) => return Err(error),
        };
        if !returns::is_secret(&secret, &record.return_token) {
            return Err(wrong());
        }
        let engine = self.0.clone();
        self.0.calls.own(Box::pin(async move { Box::pin(engine.refresh(record)).await })).await
    }
}

impl Engine {
    /// Reads an open payment from its provider when what is known is old.
    pub(crate) async fn refresh(&self, record: PaymentRecord) -> Result<PaymentRecord> {
        let fresh = |looked_at: Timestamp| self.now().since(looked_at) < self.settings.stale_after;
        // What a payer needs may not have been written down: then only a look has it.
        let is_whole = !record.lacks_way_to_pay();
        let looked_lately = record.looked_at.is_some_and(fresh) && is_whole;
        let waits_for_us = record.open_attempt().is_some();
        if record.status.is_final() || record.provider.is_none() || looked_lately || waits_for_us {
            return Box::pin(self.drive(record)).await;
        }
        let record = Box::pin(self.look_up(record)).await?;
        Box::pin(self.drive(record)).await
    }
}
