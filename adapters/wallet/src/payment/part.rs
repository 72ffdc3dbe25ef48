//! The payments of a transaction, one by one: what is held is taken, or let go.

use paymux_core::{
    CancelPayment, CapturePayment, Effect, Error, ErrorKind, Payment, ProviderPartId,
    ProviderPaymentId, Result, transport::HttpResponse,
};

use crate::{
    Wallet,
    call::Call,
    map,
    objects::{ProviderPayment, Transaction},
    options::WalletOptions,
    read,
    send::{NOTHING, unreadable},
    wire,
};

impl Wallet {
    /// Finalizes what is frozen: all of it, or less, and then the rest is let go.
    pub(crate) async fn capture(&self, request: &CapturePayment) -> Result<Payment> {
        let handle = &request.payment;
        let options = handle.options.get::<WalletOptions>()?;
        if let Some(amount) = request.amount {
            map::new_price("amount", amount)?;
        }
        let part = match &request.part {
            Some(part) => part.clone(),
            None => self.only_part(&handle.id).await?,
        };
        let mut body = None;
        if let Some(amount) = request.amount {
            let payment = self.own_part(&handle.id, &part).await?;
            let known = self.known(handle.mandate.as_ref(), options.as_ref());
            let price = map::lower_price("amount", &payment, amount, &known)?;
            body = price.map(|price| {
                // The decimal form says nothing without its currency; the specification's needs
                // none.
                let is_decimal = price.price_decimal.is_some();
                let currency = is_decimal.then(|| amount.currency().code().to_owned());
                wire::NewPrice { price, currency }
            });
        } else if request.part.is_some() {
            self.own_part(&handle.id, &part).await?;
        }
        let call = Call::FinalizePayment(part.as_str());
        let response = self.tell(&call, body.as_ref()).await?;
        about(&response, &part)?;
        self.read_back(handle, options.as_ref(), Some(&part)).await
    }

    /// The part to take, when nobody named one: reads may go before the one call that mutates.
    async fn only_part(&self, key: &ProviderPaymentId) -> Result<ProviderPartId> {
        let transaction = self.get_transaction(key).await?;
        match transaction.payments.as_slice() {
            [only] => Ok(only.id.clone()),
            [] => Err(unlisted()),
            several => {
                let message = format!("must be named: there are {} of them", several.len());
                Err(Error::invalid_request("part", message))
            }
        }
    }

    /// A part of this payment. It is read before the call that takes or drops it: an id that is
    /// out of date would take or drop another order's money.
    async fn own_part(
        &self,
        key: &ProviderPaymentId,
        part: &ProviderPartId,
    ) -> Result<ProviderPayment> {
        let payment = self.get_payment(part).await?;
        let is_own = match &payment.transaction {
            Some(other) => other == key,
            None => holds(&self.get_transaction(key).await?, part)?,
        };
        if is_own {
            return Ok(payment);
        }
        Err(Error::invalid_request("part", "belongs to another payment"))
    }

    pub(crate) async fn cancel(&self, request: &CancelPayment) -> Result<Payment> {
        let handle = &request.payment;
        let options = handle.options.get::<WalletOptions>()?;
        let Some(part) = &request.part else {
            let call = Call::DeleteTransaction(handle.id.as_str());
            let response = self.tell(&call, NOTHING).await?;
            return self.answered(&response, handle, options.as_ref()).await;
        };
        self.own_part(&handle.id, part).await?;
        let response = self.tell(&Call::DeletePayment(part.as_str()), NOTHING).await?;
        about(&response, part)?;
        self.read_back(handle, options.as_ref(), Some(part)).await
    }
}

/// Is it a part of this payment? An answer that shows none does not say.
fn holds(transaction: &Transaction, part: &ProviderPartId) -> Result<bool> {
    if transaction.payments.is_empty() {
        return Err(unlisted());
    }
    Ok(transaction.payments.iter().any(|payment| payment.id == *part))
}

fn unlisted() -> Error {
    let message = "the answer does not say which payments there are";
    Error::new(ErrorKind::InvalidResponse, Effect::None, message)
}

/// Unless it does, a part of another payment was changed, or read, than the one named with it.
pub(super) fn must_hold(transaction: &Transaction, part: &ProviderPartId) -> Result<()> {
    if holds(transaction, part)? {
        return Ok(());
    }
    let message = "the part belongs to another payment than the one named with it";
    Err(Error::new(ErrorKind::InvalidResponse, Effect::None, message))
}

/// The answer to a change of one payment: nothing, or that payment.
pub(crate) fn about(response: &HttpResponse, part: &ProviderPartId) -> Result<()> {
    if read::says_nothing(&response.body) {
        return Ok(());
    }
    let payment =
        read::object(&response.body).and_then(read::payment).map_err(unreadable(response))?;
    response.check_same("payment", part.as_str(), payment.id.as_str())
}
