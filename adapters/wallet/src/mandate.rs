//! Mandates: allowances, and the transactions that carry them.

use paymux_core::{
    CreateMandate, Effect, Error, ErrorKind, Mandate, MandateHandle, ProviderMandateId,
    ProviderPaymentId, Result, transport::HttpResponse,
};

use crate::{
    Wallet,
    call::Call,
    map::{self, NewMandate},
    objects::{Allowance, Transaction},
    options::{AllowanceTerms, WalletOptions},
    read,
    send::{NOTHING, told, unreadable},
    status::AllowanceStatus,
    wire,
};

impl Wallet {
    pub(crate) async fn ask_allowance(&self, request: &CreateMandate) -> Result<Mandate> {
        let options = request.options.get::<WalletOptions>()?.unwrap_or_default();
        let mut terms = AllowanceTerms::new(&request.description, request.limit);
        terms.valid_until = request.valid_until;
        terms.limits.clone_from(&options.mandate_limits);
        let now = self.config.clock.now();
        match map::new_mandate(&self.config, request, &options, &terms, now)? {
            NewMandate::Inside(body) => {
                let response = self.tell(&Call::CreateCarrier, Some(body.as_ref())).await?;
                self.carried(&response, &options).await
            }
            NewMandate::Separate(body) => {
                let response = self.tell(&Call::CreateAllowance, Some(&body)).await?;
                let allowance = read::object(&response.body)
                    .and_then(read::allowance)
                    .map_err(unreadable(&response))?;
                Ok(map::mandate(&allowance, None, &self.known(None, Some(&options))))
            }
        }
    }

    /// The allowance that a new transaction carries. An answer that does not show it, or how far
    /// the transaction is, is followed by a look.
    async fn carried(&self, response: &HttpResponse, options: &WalletOptions) -> Result<Mandate> {
        let answer: wire::Transaction =
            read::object(&response.body).map_err(unreadable(response))?;
        let key = read::key(&answer).map_err(unreadable(response))?;
        let shown = told(response, &key)?.filter(|transaction| transaction.allowance.is_some());
        let transaction = match shown {
            Some(transaction) => transaction,
            None => self.get_transaction(&key).await.map_err(|error| {
                let message = "the answer does not show the allowance, nor could it be looked for";
                response.unreadable(message).with_source(error)
            })?,
        };
        let Some(allowance) = &transaction.allowance else {
            return Err(response.unreadable("the answer does not show the allowance"));
        };
        Ok(map::mandate(allowance, Some(&transaction), &self.known(None, Some(options))))
    }

    pub(crate) async fn read_mandate(&self, handle: &MandateHandle) -> Result<Mandate> {
        let options = handle.options.get::<WalletOptions>()?;
        let allowance = self.get_allowance(&handle.id).await?;
        self.with_carrier(&allowance, handle.payment.as_ref(), options.as_ref()).await
    }

    /// While it is new, an allowance is as far as its transaction.
    async fn with_carrier(
        &self,
        allowance: &Allowance,
        carrier: Option<&ProviderPaymentId>,
        options: Option<&WalletOptions>,
    ) -> Result<Mandate> {
        let known = self.known(None, options);
        let is_new = map::allowance_status(allowance, known.now) == AllowanceStatus::New;
        let carrier = allowance.transaction.as_ref().or(carrier).filter(|_| is_new);
        let transaction: Option<Transaction> = match carrier {
            Some(key) => Some(self.get_transaction(key).await?),
            None => None,
        };
        Ok(map::mandate(allowance, transaction.as_ref(), &known))
    }

    /// An allowance is confirmed by the transaction that carries it.
    pub(crate) async fn confirm_allowance(&self, handle: &MandateHandle) -> Result<Mandate> {
        let options = handle.options.get::<WalletOptions>()?;
        if options.as_ref().is_some_and(|options| !options.confirm_prices.is_empty()) {
            let message = "belong to confirm_payment";
            return Err(Error::invalid_request(map::CONFIRM_PRICES, message));
        }
        let carrier = self.carrier(handle).await?;
        let body = wire::ConfirmBody::AsItIs([]);
        let call = Call::ConfirmTransaction(carrier.as_str());
        let response = self.tell(&call, Some(&body)).await?;
        told(&response, &carrier)?;
        self.read_mandate_back(handle, Some(&carrier), options.as_ref()).await
    }

    /// The transaction that carries an allowance and nothing else. Both are read before anything
    /// is confirmed: whatever else a transaction holds is confirmed with it, and another one would
    /// be another order's money.
    async fn carrier(&self, handle: &MandateHandle) -> Result<ProviderPaymentId> {
        const FIELD: &str = "mandate.payment";
        let unclear = |message: &str| {
            Err(Error::new(ErrorKind::InvalidResponse, Effect::None, message).with_field(FIELD))
        };
        let allowance = self.get_allowance(&handle.id).await?;
        let key = match (&allowance.transaction, &handle.payment) {
            (Some(stated), Some(named)) if stated != named => {
                return Err(Error::invalid_request(FIELD, "does not carry this mandate"));
            }
            (Some(key), _) | (None, Some(key)) => key,
            (None, None) => {
                return unclear("is not known, and the provider does not name the transaction");
            }
        };
        let transaction = self.get_transaction(key).await?;
        match &transaction.allowance {
            Some(carried) if carried.id != handle.id => {
                return Err(Error::invalid_request(FIELD, "carries another mandate"));
            }
            None if allowance.transaction.is_none() => {
                return unclear("cannot be told to carry this mandate");
            }
            Some(_) | None => {}
        }
        if !transaction.lists_payments {
            return unclear("does not say whether it holds payments");
        }
        if !transaction.payments.is_empty() {
            let message = "holds payments, too: confirm_payment confirms both";
            return Err(Error::invalid_request(FIELD, message));
        }
        Ok(transaction.key)
    }

    pub(crate) async fn cancel_allowance(&self, handle: &MandateHandle) -> Result<Mandate> {
        let options = handle.options.get::<WalletOptions>()?;
        map::number("mandate", handle.id.as_str())?;
        let call = Call::DeleteAllowance(handle.id.as_str());
        let response = self.tell(&call, NOTHING).await?;
        if read::says_nothing(&response.body) {
            return self.read_mandate_back(handle, None, options.as_ref()).await;
        }
        let allowance = read::object(&response.body)
            .and_then(read::allowance)
            .map_err(unreadable(&response))?;
        response.check_same("allowance", handle.id.as_str(), allowance.id.as_str())?;
        // Without its word, times that are left out would say that it is as it was.
        if allowance.status.is_none() {
            return self.read_mandate_back(handle, None, options.as_ref()).await;
        }
        Ok(map::mandate(&allowance, None, &self.known(None, options.as_ref())))
    }

    /// What became of it. Until this is read the provider may have acted.
    async fn read_mandate_back(
        &self,
        handle: &MandateHandle,
        carrier: Option<&ProviderPaymentId>,
        options: Option<&WalletOptions>,
    ) -> Result<Mandate> {
        let carrier = carrier.or(handle.payment.as_ref());
        let read = async {
            let allowance = self.get_allowance(&handle.id).await?;
            self.with_carrier(&allowance, carrier, options).await
        };
        read.await.map_err(|error: Error| error.with_effect(Effect::Possible))
    }

    pub(crate) async fn get_allowance(&self, id: &ProviderMandateId) -> Result<Allowance> {
        map::number("mandate", id.as_str())?;
        let response = self.ask(&Call::GetAllowance(id.as_str()), &[]).await?;
        let allowance = read::object(&response.body)
            .and_then(read::allowance)
            .map_err(unreadable(&response))?;
        response.check_same("allowance", id.as_str(), allowance.id.as_str())?;
        Ok(allowance)
    }
}
