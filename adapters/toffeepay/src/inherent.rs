//! What ToffeePay alone has: its objects with all their fields, statuses without objects,
//! top-ups, and its lists with all their filters. Every call here only reads.
//!
//! Errors name the account. They name the operation of the trait that the call comes closest to;
//! those about top-ups name none, since no payment is meant.

use paymux_core::{
    Error, Operation, ProviderPartId, ProviderPaymentId, ProviderRefundId, Result, check::filled,
};

use crate::{
    ToffeePay,
    auth::Rpc,
    map,
    objects::{
        ListProviderPayments, ListRefunds, ListSessions, ListTopups, ProviderPage, ProviderPayment,
        ProviderRefund, Session, Topup,
    },
    read::{self, Family},
    status::{ProviderRefundStatus, SessionStatus},
    wire,
};

impl ToffeePay {
    /// Reads a session with all its fields (`GetSession`).
    ///
    /// # Errors
    /// `NotFound` and the like as the provider refuses; `InvalidResponse` when the answer is of
    /// another session or not what is documented. Never an effect.
    pub async fn fetch_session(&self, id: &ProviderPaymentId) -> Result<Session> {
        self.get_session(id).await.map_err(|error| self.named(error, Operation::FetchPayment))
    }

    /// Reads a session's state and nothing else (`GetSessionStatus`): less to send than
    /// [`Self::fetch_session`], and enough for a waiting screen.
    ///
    /// # Errors
    /// As [`Self::fetch_session`].
    pub async fn fetch_session_status(&self, id: &ProviderPaymentId) -> Result<SessionStatus> {
        let read = async {
            let call = wire::ById::new(id.as_str());
            let response = self.call(Rpc::GetSessionStatus, &call, None).await?;
            let answer = read::object::<wire::SessionStatusAnswer>(&response.body, Family::Session)
                .map_err(|unreadable| unreadable.of(&response))?;
            if let Some(answered) = answer.id.or(answer.session_id).filter(|id| !id.is_empty()) {
                response.check_same("session", id.as_str(), &answered)?;
            }
            match answer.status.filter(|status| !status.is_empty()) {
                Some(status) => Ok(status.into()),
                None => Err(response.unreadable("the answer has no status")),
            }
        };
        read.await.map_err(|error| self.named(error, Operation::FetchPayment))
    }

    /// Lists sessions with all their fields (`ListSessions`).
    ///
    /// # Errors
    /// `InvalidRequest` naming `limit`, `offset` or an empty filter before anything is sent; else
    /// as [`Self::fetch_session`].
    pub async fn list_sessions(&self, query: &ListSessions) -> Result<ProviderPage<Session>> {
        let list = async {
            let request = wire::List {
                game_id: Some(self.game_or("game_id", query.game_id.as_deref())?),
                user_id: filter("user_id", query.user_id.as_deref())?,
                status: filter("status", query.status.as_ref().map(SessionStatus::as_str))?,
                limit: map::limit(query.limit)?,
                offset: offset(query.offset)?,
                ..wire::List::default()
            };
            self.session_page(&request).await
        };
        list.await.map_err(|error| self.named(error, Operation::ListPayments))
    }

    /// Reads a payment below a session (`GetPayment`), with its wallet split when that is asked
    /// for (the schema of 2026).
    ///
    /// # Errors
    /// As [`Self::fetch_session`].
    pub async fn fetch_provider_payment(
        &self,
        id: &ProviderPartId,
        with_wallet_split: bool,
    ) -> Result<ProviderPayment> {
        self.get_payment(id, with_wallet_split)
            .await
            .map_err(|error| self.named(error, Operation::FetchPayment))
    }

    /// Lists payments below sessions (`ListPayments`): successful ones, by the provider's rule.
    ///
    /// # Errors
    /// As [`Self::list_sessions`].
    pub async fn list_provider_payments(
        &self,
        query: &ListProviderPayments,
    ) -> Result<ProviderPage<ProviderPayment>> {
        let list = async {
            let request = wire::List {
                game_id: Some(self.game_or("game_id", query.game_id.as_deref())?),
                user_id: filter("user_id", query.user_id.as_deref())?,
                limit: map::limit(query.limit)?,
                offset: offset(query.offset)?,
                with_extra_data: query.with_wallet_split,
                ..wire::List::default()
            };
            self.payment_page(&request).await
        };
        list.await.map_err(|error| self.named(error, Operation::ListPayments))
    }

    /// Reads a top-up of a wallet (`GetTopup`).
    ///
    /// # Errors
    /// `InvalidRequest` naming `id` when it is empty; else as [`Self::fetch_session`].
    pub async fn fetch_topup(&self, id: &str) -> Result<Topup> {
        let fetch = async {
            let call = wire::ById::new(filled("id", id)?);
            let response = self.call(Rpc::GetTopup, &call, None).await?;
            let topup = read::object(&response.body, Family::Topup)
                .and_then(read::topup)
                .map_err(|unreadable| unreadable.of(&response))?;
            response.check_same("top-up", id, &topup.id)?;
            Ok(topup)
        };
        fetch.await.map_err(|error: Error| error.with_provider(&self.config.id))
    }

    /// Lists top-ups of wallets (`ListTopups`).
    ///
    /// # Errors
    /// As [`Self::list_sessions`].
    pub async fn list_topups(&self, query: &ListTopups) -> Result<ProviderPage<Topup>> {
        let list = async {
            let request = wire::List {
                game_id: Some(self.game_or("game_id", query.game_id.as_deref())?),
                wallet_user_id: filter("wallet_user_id", query.wallet_user_id.as_deref())?,
                game_user_id: filter("game_user_id", query.game_user_id.as_deref())?,
                limit: map::limit(query.limit)?,
                offset: offset(query.offset)?,
                ..wire::List::default()
            };
            let response = self.call(Rpc::ListTopups, &request, None).await?;
            read::page(&response.body, Family::Topup, request.limit, read::topup)
                .map_err(|unreadable| unreadable.of(&response))
        };
        list.await.map_err(|error: Error| error.with_provider(&self.config.id))
    }

    /// Reads a refund with all its fields (`GetRefund`).
    ///
    /// # Errors
    /// As [`Self::fetch_session`].
    pub async fn fetch_provider_refund(&self, id: &ProviderRefundId) -> Result<ProviderRefund> {
        self.get_refund(id).await.map_err(|error| self.named(error, Operation::FetchRefund))
    }

    /// Lists refunds (`ListRefunds`).
    ///
    /// # Errors
    /// As [`Self::list_sessions`].
    pub async fn list_refunds(&self, query: &ListRefunds) -> Result<ProviderPage<ProviderRefund>> {
        let list = async {
            let request = wire::List {
                payment_id: query.payment_id.as_ref().map(ProviderPartId::as_str),
                status: filter("status", query.status.as_ref().map(ProviderRefundStatus::as_str))?,
                limit: map::limit(query.limit)?,
                offset: offset(query.offset)?,
                ..wire::List::default()
            };
            let response = self.call(Rpc::ListRefunds, &request, None).await?;
            read::page(&response.body, Family::Refund, request.limit, read::refund)
                .map_err(|unreadable| unreadable.of(&response))
        };
        list.await.map_err(|error| self.named(error, Operation::FetchRefund))
    }

    // What the methods above and the trait's share. Their errors name nothing yet.

    pub(crate) async fn get_session(&self, id: &ProviderPaymentId) -> Result<Session> {
        let response = self.call(Rpc::GetSession, &wire::ById::new(id.as_str()), None).await?;
        let session = read::object(&response.body, Family::Session)
            .and_then(read::session)
            .map_err(|unreadable| unreadable.of(&response))?;
        response.check_same("session", id.as_str(), session.id.as_str())?;
        Ok(session)
    }

    pub(crate) async fn get_payment(
        &self,
        id: &ProviderPartId,
        with_extra_data: bool,
    ) -> Result<ProviderPayment> {
        let call = wire::ById { id: id.as_str(), with_extra_data };
        let response = self.call(Rpc::GetPayment, &call, None).await?;
        let payment = read::object(&response.body, Family::Payment)
            .and_then(read::payment)
            .map_err(|unreadable| unreadable.of(&response))?;
        response.check_same("payment", id.as_str(), payment.id.as_str())?;
        Ok(payment)
    }

    pub(crate) async fn get_refund(&self, id: &ProviderRefundId) -> Result<ProviderRefund> {
        let response = self.call(Rpc::GetRefund, &wire::ById::new(id.as_str()), None).await?;
        let refund = read::object(&response.body, Family::Refund)
            .and_then(read::refund)
            .map_err(|unreadable| unreadable.of(&response))?;
        response.check_same("refund", id.as_str(), refund.id.as_str())?;
        Ok(refund)
    }

    pub(crate) async fn session_page(
        &self,
        request: &wire::List<'_>,
    ) -> Result<ProviderPage<Session>> {
        let response = self.call(Rpc::ListSessions, request, None).await?;
        read::page(&response.body, Family::Session, request.limit, read::session)
            .map_err(|unreadable| unreadable.of(&response))
    }

    pub(crate) async fn payment_page(
        &self,
        request: &wire::List<'_>,
    ) -> Result<ProviderPage<ProviderPayment>> {
        let response = self.call(Rpc::ListPayments, request, None).await?;
        read::page(&response.body, Family::Payment, request.limit, read::payment)
            .map_err(|unreadable| unreadable.of(&response))
    }

    fn game_or<'a>(&'a self, field: &str, game: Option<&'a str>) -> Result<&'a str> {
        game.map_or(Ok(self.config.game_id.as_str()), |game| filled(field, game))
    }
}

fn filter<'a>(field: &str, value: Option<&'a str>) -> Result<Option<&'a str>> {
    value.map(|value| filled(field, value)).transpose()
}

/// `int32` in the provider's schema.
fn offset(offset: u32) -> Result<u32> {
    if i32::try_from(offset).is_err() {
        let message = format!("must be at most {}", i32::MAX);
        return Err(Error::invalid_request("offset", message));
    }
    Ok(offset)
}
