//! One attempt at a call, the two reads that most of them need, and what reading an answer needs.

use http::{HeaderValue, header};
use paymux_core::{
    Error, ProviderPartId, ProviderPaymentId, Result, Timestamp,
    json::Unreadable,
    transport::{HttpRequest, HttpResponse},
};
use serde::Serialize;

use crate::{
    Wallet,
    call::Call,
    failure, map,
    objects::{ProviderPayment, Transaction},
    read, wire,
};

/// No body.
pub(crate) const NOTHING: Option<&()> = None;

impl Wallet {
    /// One attempt to read.
    pub(crate) async fn ask(
        &self,
        call: &Call<'_>,
        query: &[(&str, String)],
    ) -> Result<HttpResponse> {
        self.attempt(call, self.signer.address(call, query)?).await
    }

    /// One attempt to change something. The provider knows no idempotency key, so none is sent.
    pub(crate) async fn tell<T: Serialize + Sync>(
        &self,
        call: &Call<'_>,
        body: Option<&T>,
    ) -> Result<HttpResponse> {
        let request = self.signer.address(call, &[])?;
        let request = match body {
            Some(body) => request.json(body)?,
            None => request,
        };
        self.attempt(call, request).await
    }

    /// One attempt; an answer that is no success is an error.
    async fn attempt(&self, call: &Call<'_>, request: HttpRequest) -> Result<HttpResponse> {
        let request = if call.is_public() { request } else { self.signer.sign(request)? };
        let response = self.http.send(request).await?;
        if response.is_success() {
            return Ok(response);
        }
        let error = failure::refusal(call, &response, &self.config.mac_key);
        // The next call is stamped right; whether there is one, the caller decides. A clock that
        // cannot be read leaves the refusal as it is, and one that is not followed makes it last.
        if failure::is_clock(&error)
            && let Ok(time) = self.read_clock().await
            && !self.signer.set_time(time)
        {
            return Err(failure::clock_out_of_bounds(error));
        }
        Err(error)
    }

    /// The provider's clock, which it tells without a signature.
    pub(crate) async fn read_clock(&self) -> Result<Timestamp> {
        let call = Call::ServerTime;
        // A time that was kept on the way is none.
        let request = self
            .signer
            .address(&call, &[])?
            .header(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let response = self.http.send(request).await?;
        if !response.is_success() {
            return Err(failure::refusal(&call, &response, &self.config.mac_key));
        }
        let time = read::object::<wire::ServerTime>(&response.body)
            .and_then(|answer| read::known("time", answer.time))
            .map_err(|unreadable| unreadable.of(&response))?;
        Ok(Timestamp::from_seconds(time))
    }

    pub(crate) async fn get_transaction(&self, key: &ProviderPaymentId) -> Result<Transaction> {
        let (response, answer) = self.look_up(key).await?;
        read::transaction(answer).map_err(unreadable(&response))
    }

    /// A transaction as it travels: the one asked for.
    pub(crate) async fn look_up(
        &self,
        key: &ProviderPaymentId,
    ) -> Result<(HttpResponse, wire::Transaction)> {
        let response = self.ask(&Call::GetTransaction(key.as_str()), &[]).await?;
        let answer: wire::Transaction =
            read::object(&response.body).map_err(unreadable(&response))?;
        let named = read::key(&answer).map_err(unreadable(&response))?;
        response.check_same("transaction", key.as_str(), named.as_str())?;
        Ok((response, answer))
    }

    pub(crate) async fn get_payment(&self, id: &ProviderPartId) -> Result<ProviderPayment> {
        map::number("part", id.as_str())?;
        let response = self.ask(&Call::GetPayment(id.as_str()), &[]).await?;
        let payment =
            read::object(&response.body).and_then(read::payment).map_err(unreadable(&response))?;
        response.check_same("payment", id.as_str(), payment.id.as_str())?;
        if payment.status.is_none() {
            return Err(response.unreadable("the answer has no status"));
        }
        Ok(payment)
    }
}

/// What the answer to a change shows of its transaction; nothing, where it does not say how far
/// that is.
pub(crate) fn told(
    response: &HttpResponse,
    key: &ProviderPaymentId,
) -> Result<Option<Transaction>> {
    if read::says_nothing(&response.body) {
        return Ok(None);
    }
    let answer: wire::Transaction = read::object(&response.body).map_err(unreadable(response))?;
    let named = read::key(&answer).map_err(unreadable(response))?;
    response.check_same("transaction", key.as_str(), named.as_str())?;
    if !read::shows_status(&answer) {
        return Ok(None);
    }
    read::transaction(answer).map(Some).map_err(unreadable(response))
}

/// The error for an answer that cannot be read.
pub(crate) fn unreadable(response: &HttpResponse) -> impl Fn(Unreadable) -> Error + '_ {
    move |unreadable| unreadable.of(response)
}
