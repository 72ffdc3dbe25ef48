//! Payments: the calls behind each method of the trait. Each sends at most one request that
//! changes something.

use std::collections::BTreeMap;

use paymux_core::{
    CreatePayment, Cursor, Effect, Error, ErrorKind, ListPayments, Money, Options, Page, Payment,
    PaymentHandle, ProviderMandateId, ProviderPartId, Result, transport::HttpResponse,
};

use crate::{
    Wallet,
    call::Call,
    map::{self, Known, ListQuery},
    objects::{Allowance, ProviderPayment, Transaction},
    options::WalletOptions,
    read,
    send::{NOTHING, told, unreadable},
    status::{AllowanceStatus, TransactionStatus},
    wire,
};

mod part;

pub(crate) use part::about;
use part::must_hold;

impl Wallet {
    /// What an object is read by.
    pub(crate) fn known<'a>(
        &'a self,
        mandate: Option<&'a ProviderMandateId>,
        options: Option<&'a WalletOptions>,
    ) -> Known<'a> {
        let now = self.signer.earliest();
        let (config, pages) = (&self.config, &self.pages);
        let language = options.and_then(|options| options.language.as_deref());
        Known { config, pages, now, mandate, options, language, may_hold_nothing: false }
    }

    /// What a payment is read by that was looked up by its handle. Nothing was paid for by a
    /// transaction without payments, but one that carries a mandate alone can be looked up, too.
    fn known_by<'a>(
        &'a self,
        handle: &'a PaymentHandle,
        options: Option<&'a WalletOptions>,
    ) -> Known<'a> {
        let has_payment = !handle.parts.is_empty()
            || handle.mandate.is_some()
            || options.is_some_and(|options| options.allowance.is_some());
        Known { may_hold_nothing: !has_payment, ..self.known(handle.mandate.as_ref(), options) }
    }

    pub(crate) async fn create(&self, request: &CreatePayment) -> Result<Payment> {
        let options = request.options.get::<WalletOptions>()?.unwrap_or_default();
        if !options.mandate_limits.is_empty() {
            let message = "belong to create_mandate";
            return Err(Error::invalid_request("options.wallet.mandate_limits", message));
        }
        let body = map::new_transaction(&self.config, request, &options, self.config.clock.now())?;
        let call = Call::CreateTransaction { is_split: !options.split.is_empty() };
        let response = self.tell(&call, Some(&body)).await?;
        let mut answer = self.created(&response).await?;
        // Sparse payments leave their currency out: there is one, and we named it.
        for payment in answer.payments.iter_mut().flatten() {
            let stated = payment.currency.take();
            if stated.as_deref().is_some_and(read::is_foreign) {
                return Err(response.unreadable("the provider made it in a currency unknown to us"));
            }
            payment.currency = stated.or(Some(request.amount.currency().code().to_owned()));
        }
        let mut transaction = read::transaction(answer).map_err(unreadable(&response))?;
        // The provider computes totals from items. What it did not understand as we meant it must
        // not reach a payer; nobody has the key of this transaction, and it lapses.
        if let Some(message) = map::arrange(&mut transaction, &self.config, request, &options)? {
            return Err(response.unreadable(message));
        }
        let known = self.known(request.mandate.as_ref(), Some(&options));
        let mut payment = map::payment(&transaction, &known);
        // An answer of key and status alone is about what was asked for.
        payment.amounts.requested = Some(request.amount);
        Ok(payment)
    }

    /// What was made, as the answer shows it. One that shows the key and not how far it is, is
    /// followed by a look.
    async fn created(&self, response: &HttpResponse) -> Result<wire::Transaction> {
        let answer: wire::Transaction =
            read::object(&response.body).map_err(unreadable(response))?;
        if read::shows_status(&answer) {
            return Ok(answer);
        }
        let key = read::key(&answer).map_err(unreadable(response))?;
        let found = self.look_up(&key).await;
        found.map(|(_, answer)| answer).map_err(|error| error.with_effect(Effect::Possible))
    }

    pub(crate) async fn fetch(&self, handle: &PaymentHandle) -> Result<Payment> {
        let options = handle.options.get::<WalletOptions>()?;
        let transaction = self.complete(self.get_transaction(&handle.id).await?).await?;
        Ok(map::payment(&transaction, &self.known_by(handle, options.as_ref())))
    }

    pub(crate) async fn fetch_by_part(
        &self,
        id: &ProviderPartId,
        options: &Options,
    ) -> Result<Payment> {
        let options = options.get::<WalletOptions>()?;
        let part = self.get_payment(id).await?;
        let Some(key) = &part.transaction else {
            let message = "the answer does not name the payment's transaction";
            return Err(Error::new(ErrorKind::InvalidResponse, Effect::None, message));
        };
        let mut transaction = self.complete(self.get_transaction(key).await?).await?;
        must_hold(&transaction, id)?;
        // Its payments are held alike, and a list of them can leave that out.
        for payment in &mut transaction.payments {
            payment.freeze = payment.freeze.or(part.freeze);
        }
        Ok(map::payment(&transaction, &self.known(None, options.as_ref())))
    }

    /// The transaction with what its payments say of themselves, where its answer left that out:
    /// confirmed, they can be frozen or done, and only they know.
    async fn complete(&self, mut transaction: Transaction) -> Result<Transaction> {
        if transaction.status != TransactionStatus::Confirmed {
            return Ok(transaction);
        }
        for payment in &mut transaction.payments {
            if payment.is_sparse() {
                let mut whole = self.get_payment(&payment.id).await?;
                if whole.transaction.as_ref().is_some_and(|key| *key != transaction.key) {
                    let message = "the answer is about a payment of another transaction";
                    return Err(Error::new(ErrorKind::InvalidResponse, Effect::None, message));
                }
                whole.freeze = whole.freeze.or(payment.freeze);
                *payment = whole;
            }
        }
        Ok(transaction)
    }

    pub(crate) async fn list(&self, query: &ListPayments) -> Result<Page<Payment>> {
        let options = query.options.get::<WalletOptions>()?;
        let query = ListQuery::new(query)?;
        let response = self.ask(&Call::ListTransactions, &query.pairs).await?;
        let page: wire::TransactionPage =
            read::object(&response.body).map_err(unreadable(&response))?;
        let rows = read::known("transactions", page.transactions);
        let rows = rows.map_err(unreadable(&response))?;
        let next = read::next_page(query.offset, query.limit, rows.len(), page.metadata.as_ref())
            .map_err(unreadable(&response))?;
        // What one payment was asked for with is not what all rows were.
        let language = options.as_ref().and_then(|options| options.language.as_deref());
        let known = Known { language, ..self.known(None, None) };
        let mut items = Vec::new();
        for row in rows {
            let transaction = read::transaction(row).map_err(unreadable(&response))?;
            let payment = map::payment(&transaction, &known);
            if query.means(&transaction, &payment) {
                items.push(payment);
            }
        }
        let next = next.map(|offset| Cursor::new(offset.to_string())).transpose()?;
        Ok(Page { items, next })
    }

    /// Reserves the payer's money under an allowance. The provider takes the active allowance of a
    /// wallet, so the one that was named has to be that.
    pub(crate) async fn reserve(&self, handle: &PaymentHandle) -> Result<Payment> {
        let options = handle.options.get::<WalletOptions>()?;
        let Some(mandate) = &handle.mandate else {
            let message = "must be known to reserve under it";
            return Err(Error::invalid_request("mandate", message));
        };
        let allowance = self.get_allowance(mandate).await?;
        if map::allowance_status(&allowance, self.signer.earliest()) != AllowanceStatus::Active {
            let message = "is not active";
            let error = Error::new(ErrorKind::Conflict, Effect::None, message);
            return Err(error.with_field("mandate"));
        }
        self.check_limits(&allowance, handle, options.as_ref()).await?;
        let wallet = match (allowance.wallet, &allowance.transaction) {
            (Some(wallet), _) => Some(wallet),
            (None, Some(carrier)) => self.get_transaction(carrier).await?.wallet,
            (None, None) => None,
        };
        let Some(wallet) = wallet else {
            let message = "the answer does not say whose wallet the mandate is of";
            return Err(Error::new(ErrorKind::InvalidResponse, Effect::None, message));
        };
        let wallet = wallet.to_string();
        let call = Call::ReserveTransaction { key: handle.id.as_str(), wallet: &wallet };
        let response = self.tell(&call, NOTHING).await?;
        self.answered(&response, handle, options.as_ref()).await
    }

    /// What no charge under the mandate can be is not sent. Where the allowance shows a limit, what
    /// is charged is read, too.
    async fn check_limits(
        &self,
        allowance: &Allowance,
        handle: &PaymentHandle,
        options: Option<&WalletOptions>,
    ) -> Result<()> {
        let spans = allowance.limits.iter().filter_map(|span| span.limit);
        let limits: Vec<Money> = allowance.limit.into_iter().chain(spans).collect();
        if limits.is_empty() {
            return Ok(());
        }
        let transaction = self.get_transaction(&handle.id).await?;
        let amounts = map::payment(&transaction, &self.known_by(handle, options)).amounts;
        match amounts.payable.or(amounts.requested) {
            Some(charge) => map::check_limits(charge, &limits),
            None => Ok(()),
        }
    }

    /// Confirms what was accepted. The body, even an empty one, tells whether a request that
    /// failed was sent at all.
    pub(crate) async fn commit(&self, handle: &PaymentHandle) -> Result<Payment> {
        let options = handle.options.get::<WalletOptions>()?;
        let body = self.confirm_body(handle, options.as_ref()).await?;
        let call = Call::ConfirmTransaction(handle.id.as_str());
        let response = self.tell(&call, Some(&body)).await?;
        self.answered(&response, handle, options.as_ref()).await
    }

    /// The lower prices to confirm with, if there are any. The transaction is read first, so that
    /// no price goes to a payment that it does not hold.
    async fn confirm_body<'a>(
        &self,
        handle: &PaymentHandle,
        options: Option<&'a WalletOptions>,
    ) -> Result<wire::ConfirmBody<'a>> {
        let as_it_is = wire::ConfirmBody::AsItIs([]);
        let Some(options) = options.filter(|options| !options.confirm_prices.is_empty()) else {
            return Ok(as_it_is);
        };
        map::check_confirm_prices(&options.confirm_prices)?;
        let transaction = self.get_transaction(&handle.id).await?;
        let known = self.known(handle.mandate.as_ref(), Some(options));
        let mut prices = BTreeMap::new();
        for (id, amount) in &options.confirm_prices {
            let Some(listed) = transaction.payments.iter().find(|payment| payment.id == *id) else {
                let message = format!("names {id}, which is no part of this payment");
                return Err(Error::invalid_request(map::CONFIRM_PRICES, message));
            };
            // A sparse list leaves the currency out, and so has no price, or a fee in it.
            let whole = match map::price(listed, &known) {
                Some(_) => listed.clone(),
                None => self.get_payment(id).await?,
            };
            if let Some(price) = map::lower_price(map::CONFIRM_PRICES, &whole, *amount, &known)? {
                let currency = Some(amount.currency().code().to_owned());
                prices.insert(id.as_str(), wire::NewPrice { price, currency });
            }
        }
        Ok(if prices.is_empty() { as_it_is } else { wire::ConfirmBody::Prices(prices) })
    }

    /// What a call made of the transaction: its answer, or, where that does not say how far it is,
    /// what is read.
    async fn answered(
        &self,
        response: &HttpResponse,
        handle: &PaymentHandle,
        options: Option<&WalletOptions>,
    ) -> Result<Payment> {
        let Some(transaction) = told(response, &handle.id)? else {
            return self.read_back(handle, options, None).await;
        };
        // Confirmed, only the payments know how far they are.
        let is_sparse = transaction.payments.is_empty()
            || transaction.payments.iter().any(ProviderPayment::is_sparse);
        if transaction.status == TransactionStatus::Confirmed && is_sparse {
            return self.read_back(handle, options, None).await;
        }
        Ok(map::payment(&transaction, &self.known_by(handle, options)))
    }

    /// What became of it. Until this is read the provider may have acted.
    async fn read_back(
        &self,
        handle: &PaymentHandle,
        options: Option<&WalletOptions>,
        part: Option<&ProviderPartId>,
    ) -> Result<Payment> {
        let read = async {
            let transaction = self.complete(self.get_transaction(&handle.id).await?).await?;
            if let Some(part) = part {
                must_hold(&transaction, part)?;
            }
            Ok(map::payment(&transaction, &self.known_by(handle, options)))
        };
        read.await.map_err(|error: Error| error.with_effect(Effect::Possible))
    }
}
