//! What the wallet alone has: its objects with all their fields, longer freezes, passwords,
//! allowances by wallet, balances, statements, its clock and its callback key.
//!
//! Errors name the account. They name the operation of the trait that the call comes closest to,
//! if there is one.

use std::collections::BTreeMap;

use paymux_core::{
    Currency, Effect, Error, ErrorKind, Money, Operation, ProviderMandateId, ProviderPartId,
    ProviderPaymentId, Result, SecretString, Timestamp, check::filled, json::Unreadable,
};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

use crate::{
    Wallet,
    call::Call,
    map,
    objects::{
        Allowance, Balance, Balances, ListProviderPayments, ListStatements, ProviderPage,
        ProviderPayment, Transaction, WalletNumber,
    },
    payment::about,
    read,
    send::{NOTHING, unreadable},
    status::ProviderPaymentStatus,
    wire,
};

impl Wallet {
    /// Reads a transaction with all its fields (`GET transaction/{key}`).
    ///
    /// # Errors
    /// `NotFound` and the like as the provider refuses; `InvalidResponse` when the answer is of
    /// another transaction or not what is documented. Never an effect.
    pub async fn fetch_transaction(&self, key: &ProviderPaymentId) -> Result<Transaction> {
        let fetched = self.get_transaction(key).await;
        fetched.map_err(|error| self.named(error, Operation::FetchPayment))
    }

    /// Reads a payment of a transaction with all its fields (`GET payment/{id}`).
    ///
    /// # Errors
    /// As [`Self::fetch_transaction`].
    pub async fn fetch_provider_payment(&self, id: &ProviderPartId) -> Result<ProviderPayment> {
        let fetched = self.get_payment(id).await;
        fetched.map_err(|error| self.named(error, Operation::FetchPayment))
    }

    /// Lists payments across transactions (`GET payments`; known from the official client).
    ///
    /// # Errors
    /// `InvalidRequest` naming `limit` before anything is sent; else as
    /// [`Self::fetch_transaction`].
    pub async fn list_provider_payments(
        &self,
        query: &ListProviderPayments,
    ) -> Result<ProviderPage<ProviderPayment>> {
        let list = async {
            let limit = map::limit(query.limit)?;
            let mut pairs = Vec::new();
            if !query.statuses.is_empty() {
                let words = query.statuses.iter().map(ProviderPaymentStatus::as_str);
                pairs.push(("status", words.collect::<Vec<_>>().join(",")));
            }
            if let Some(wallet) = query.wallet {
                pairs.push(("wallet", wallet.to_string()));
            }
            pairs.push(("limit", limit.to_string()));
            pairs.push(("offset", query.offset.to_string()));
            let response = self.ask(&Call::ListPayments, &pairs).await?;
            let page = || {
                let page: wire::PaymentPage = read::object(&response.body)?;
                let rows = read::known("payments", page.payments)?;
                let (metadata, count) = (page.metadata.as_ref(), rows.len());
                let next = read::next_page(query.offset, limit, count, metadata)?;
                let items = rows.into_iter().map(read::payment).collect::<Result<_, _>>()?;
                Ok(ProviderPage { items, total: metadata.and_then(|page| page.total), next })
            };
            page().map_err(unreadable(&response))
        };
        list.await.map_err(|error| self.named(error, Operation::ListPayments))
    }

    /// Holds a payment until another moment (`PUT payment/{id}/freeze`; known from the provider's
    /// reference pages).
    ///
    /// Where an answer leaves the freeze out, the one in the handle's options counts: put the new
    /// moment into the `freeze_until` that you stored, too. Until then a longer hold can look as if
    /// it were over, and is Processing; it is never called taken by that.
    ///
    /// # Errors
    /// `InvalidRequest` naming `part` or `until` before anything is sent; as the provider refuses.
    /// The effect is possible when the answer is lost or cannot be read.
    pub async fn change_freeze(&self, id: &ProviderPartId, until: Timestamp) -> Result<()> {
        let change = async {
            map::number("part", id.as_str())?;
            if until.as_seconds() <= self.config.clock.now().as_seconds() {
                return Err(Error::invalid_request("until", "must be in the future"));
            }
            let body = wire::NewFreeze { freeze: wire::Until { until: until.as_seconds() } };
            let response = self.tell(&Call::FreezePayment(id.as_str()), Some(&body)).await?;
            about(&response, id)
        };
        change.await.map_err(|error: Error| error.with_provider(&self.config.id))
    }

    /// Gives the password that a payment waits for (`PUT payment/{id}/password`; known from the
    /// provider's reference pages).
    ///
    /// # Errors
    /// As [`Self::change_freeze`].
    pub async fn give_password(&self, id: &ProviderPartId, password: &SecretString) -> Result<()> {
        let give = async {
            map::number("part", id.as_str())?;
            let password = filled("password", password.expose_secret())?;
            let body = wire::Password { password };
            let response = self.tell(&Call::PaymentPassword(id.as_str()), Some(&body)).await?;
            about(&response, id)
        };
        give.await.map_err(|error: Error| error.with_provider(&self.config.id))
    }

    /// Has the password of a payment sent again (`POST payment/{id}/password/resend`).
    ///
    /// # Errors
    /// As [`Self::change_freeze`].
    pub async fn resend_password(&self, id: &ProviderPartId) -> Result<()> {
        let resend = async {
            map::number("part", id.as_str())?;
            let call = Call::ResendPaymentPassword(id.as_str());
            let response = self.tell(&call, NOTHING).await?;
            about(&response, id)
        };
        resend.await.map_err(|error: Error| error.with_provider(&self.config.id))
    }

    /// Reads in which ways a new transaction can be accepted: `page`, `sms`, `pin`, and others.
    ///
    /// # Errors
    /// As [`Self::fetch_transaction`].
    pub async fn fetch_available_types(&self, key: &ProviderPaymentId) -> Result<Vec<String>> {
        let fetch = async {
            let response = self.ask(&Call::AvailableTypes(key.as_str()), &[]).await?;
            read::object::<wire::AvailableTypes>(&response.body)
                .and_then(|answer| read::known("types", answer.types))
                .map_err(unreadable(&response))
        };
        fetch.await.map_err(|error| self.named(error, Operation::FetchPayment))
    }

    /// Reads an allowance with all its fields (`GET allowance/{id}`).
    ///
    /// # Errors
    /// As [`Self::fetch_transaction`].
    pub async fn fetch_allowance(&self, id: &ProviderMandateId) -> Result<Allowance> {
        let fetched = self.get_allowance(id).await;
        fetched.map_err(|error| self.named(error, Operation::FetchMandate))
    }

    /// Reads the active allowance of a wallet; there is at most one for each client
    /// (`GET allowance/active/{wallet}`).
    ///
    /// # Errors
    /// `NotFound` when there is none; else as [`Self::fetch_transaction`].
    pub async fn fetch_active_allowance(&self, wallet: WalletNumber) -> Result<Allowance> {
        let fetch = async {
            let wallet = wallet.text();
            let response = self.ask(&Call::GetActiveAllowance(&wallet), &[]).await?;
            read::object(&response.body).and_then(read::allowance).map_err(unreadable(&response))
        };
        fetch.await.map_err(|error| self.named(error, Operation::FetchMandate))
    }

    /// Cancels the active allowance of a wallet (`DELETE allowance/active/{wallet}`). Which one it
    /// was, the answer need not say: where its id is known, `cancel_mandate` is the better call.
    ///
    /// # Errors
    /// As the provider refuses; the effect is possible when the answer is lost.
    pub async fn cancel_active_allowance(&self, wallet: WalletNumber) -> Result<()> {
        let cancel = async {
            let wallet = wallet.text();
            let call = Call::DeleteActiveAllowance(&wallet);
            let response = self.tell(&call, NOTHING).await?;
            if read::says_nothing(&response.body) {
                return Ok(());
            }
            let cancelled = read::object(&response.body).and_then(read::allowance);
            cancelled.map(|_| ()).map_err(unreadable(&response))
        };
        cancel.await.map_err(|error| self.named(error, Operation::CancelMandate))
    }

    /// Reads how much can be reserved under a wallet's allowance at this moment: by its limits,
    /// the balance, and what the provider permits (`GET allowance/limit/{wallet}`).
    ///
    /// # Errors
    /// As [`Self::fetch_transaction`].
    pub async fn fetch_allowance_limit(
        &self,
        wallet: WalletNumber,
        currency: Currency,
    ) -> Result<Money> {
        let fetch = async {
            let (wallet, query) = (wallet.text(), [("currency", currency.code().to_owned())]);
            let response = self.ask(&Call::AllowanceLimit(&wallet), &query).await?;
            let limit = || {
                let limit: wire::Limits = read::object(&response.body)?;
                let stated = read::currency(limit.currency.as_deref())?;
                if stated != Some(currency) {
                    return Err(read::unfit("currency"));
                }
                let money = read::money((limit.amount, limit.amount_decimal.as_deref()), stated)?;
                read::known("amount", money)
            };
            limit().map_err(unreadable(&response))
        };
        fetch.await.map_err(|error| self.named(error, Operation::FetchMandate))
    }

    /// Does a wallet hold at least so much (`GET wallet/{wallet}/sufficient-amount`)? Needs the
    /// user's access token with the scope for it.
    ///
    /// # Errors
    /// `InvalidRequest` naming `amount` when it has no cents; else as [`Self::fetch_transaction`].
    pub async fn fetch_is_sufficient(&self, wallet: WalletNumber, amount: Money) -> Result<bool> {
        let fetch = async {
            let cents = read::cents(amount).ok_or_else(|| {
                Error::invalid_request("amount", "must be of a currency with cents")
            })?;
            let currency = amount.currency().code().to_owned();
            let query = [("amount", cents.to_string()), ("currency", currency)];
            let wallet = wallet.text();
            let response = self.ask(&Call::SufficientAmount(&wallet), &query).await?;
            read::object::<wire::Sufficient>(&response.body)
                .and_then(|answer| read::known("is_sufficient", answer.is_sufficient))
                .map_err(unreadable(&response))
        };
        fetch.await.map_err(|error: Error| error.with_provider(&self.config.id))
    }

    /// Reads what is in a wallet, by currency (`GET wallet/{wallet}/balance`).
    ///
    /// # Errors
    /// As [`Self::fetch_transaction`].
    pub async fn fetch_balance(&self, wallet: WalletNumber) -> Result<Balances> {
        let fetch = async {
            let wallet = wallet.text();
            let response = self.ask(&Call::Balance(&wallet), &[]).await?;
            let balances = || {
                let rows: BTreeMap<String, Value> = read::object(&response.body)?;
                // What is no ISO 4217 currency cannot be counted, and hides nothing else.
                let rows = rows.into_iter().filter_map(|(code, row)| {
                    let currency = Currency::iso(&code).ok()?;
                    Some(read::inside(row).and_then(|row| balance(&row, currency)))
                });
                rows.collect::<Result<Balances, _>>()
            };
            balances().map_err(unreadable(&response))
        };
        fetch.await.map_err(|error: Error| error.with_provider(&self.config.id))
    }

    /// Lists what moved in a wallet, the newest first (`GET wallet/{wallet}/statements`). Rows are
    /// as the provider writes them: its own pages disagree on the unit of `amount`.
    ///
    /// # Errors
    /// As [`Self::list_provider_payments`].
    pub async fn list_statements(
        &self,
        wallet: WalletNumber,
        query: &ListStatements,
    ) -> Result<ProviderPage<Map<String, Value>>> {
        let list = async {
            let limit = map::limit(query.limit)?;
            let mut pairs = Vec::new();
            if let Some(currency) = query.currency {
                pairs.push(("currency", currency.code().to_owned()));
            }
            for (name, moment) in [("from", query.from), ("to", query.to)] {
                pairs.extend(moment.map(|moment| (name, moment.as_seconds().to_string())));
            }
            pairs.push(("limit", limit.to_string()));
            pairs.push(("offset", query.offset.to_string()));
            let wallet = wallet.text();
            let response = self.ask(&Call::Statements(&wallet), &pairs).await?;
            let page = || {
                let page: wire::StatementPage = read::object(&response.body)?;
                let items = read::known("statements", page.statements)?;
                let metadata = page.metadata.as_ref();
                let next = read::next_page(query.offset, limit, items.len(), metadata)?;
                Ok(ProviderPage { items, total: metadata.and_then(|page| page.total), next })
            };
            page().map_err(unreadable(&response))
        };
        list.await.map_err(|error: Error| error.with_provider(&self.config.id))
    }

    /// Reads the provider's clock (`GET server`); needs no credentials.
    ///
    /// # Errors
    /// As [`Self::fetch_transaction`].
    pub async fn fetch_time(&self) -> Result<Timestamp> {
        self.read_clock().await.map_err(|error| error.with_provider(&self.config.id))
    }

    /// Reads the public key that signs callbacks at present, for the settings: a PEM block for
    /// [`WalletConfig::callback_key`](crate::WalletConfig::callback_key). Nothing is changed here,
    /// and no delivery ever causes it: whoever could bring a key along could sign with it.
    ///
    /// # Errors
    /// `InvalidResponse` when the answer is no usable key; else as [`Self::fetch_transaction`].
    pub async fn fetch_callback_key(&self) -> Result<String> {
        let fetch = async {
            let response = self.ask(&Call::CallbackKey, &[]).await?;
            let text = String::from_utf8(response.body.to_vec()).unwrap_or_default();
            let pem = text.trim();
            match paymux_core::signature::RsaSha256::new([pem]) {
                Ok(_) => Ok(pem.to_owned()),
                Err(unusable) => {
                    let message = format!("the answer is no callback key: {}", unusable.message());
                    Err(Error::new(ErrorKind::InvalidResponse, Effect::None, message)
                        .with_http_status(response.status.as_u16()))
                }
            }
        };
        fetch.await.map_err(|error: Error| error.with_provider(&self.config.id))
    }
}

fn balance(
    row: &wire::Balance,
    currency: Currency,
) -> std::result::Result<(Currency, Balance), Unreadable> {
    let at_disposal = (row.at_disposal, row.at_disposal_decimal.as_deref());
    let reserved = (row.reserved, row.reserved_decimal.as_deref());
    // What is below zero is no amount, and hides neither the other figure nor other currencies.
    let figure = |figures: read::Figures<'_>| {
        let (hundredths, decimal) = figures;
        let is_below = hundredths.is_some_and(i64::is_negative)
            && decimal.is_none_or(|decimal| decimal.starts_with('-'));
        if is_below { Ok(None) } else { read::money(figures, Some(currency)) }
    };
    let balance = Balance { at_disposal: figure(at_disposal)?, reserved: figure(reserved)? };
    Ok((currency, balance))
}
