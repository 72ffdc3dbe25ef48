//! What the ramp alone has: changing a payment, discounts, invoices, what comes back from a
//! checkout, and webhooks with all that they claim.
//!
//! Errors name the account, and the operation of the trait that the call comes closest to.

use paymux_core::{
    Error, ErrorKind, Operation, Payment, PaymentHandle, Result, SecretString, Sensitive,
    WebhookDelivery,
    check::filled,
    json::Unreadable,
    transport::{HttpResponse, Purpose},
};
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::{
    Ramp,
    auth::Endpoint,
    checkout::{CheckoutReturn, ReturnMode},
    failure::{self, unreadable},
    map::{self, Stage},
    objects::{Answer, CheckoutSession, Invoice, Notification},
    options::{PaymentType, RampOptions, UpdatePayment},
    read::{self, Rows},
    webhook, wire,
};

impl Ramp {
    /// Changes a payment (`PUT invoice/payment`): its type, its discount, the third party's data. Its
    /// answer asks for a confirmation no more than a look-up does that is not told what was begun;
    /// see the README.
    ///
    /// # Errors
    /// `InvalidRequest` naming what is wrong, with nothing sent; else as `create_payment`, with the
    /// same effects. It can be repeated: the same change is made.
    pub async fn update_payment(&self, update: &UpdatePayment) -> Result<Payment> {
        let send = async {
            let options = &update.options;
            let body = map::change(&self.config, update)?;
            let response =
                self.call(Purpose::Mutate, Endpoint::Update, options, Some(&body)).await?;
            let answer = self.answer(&response, options)?;
            if let Some(id) = &update.id {
                same(&response, "payment", id.as_str(), answer.id.as_str())?;
            }
            Ok(map::payment(&self.config, &answer, &options.payment_type, Stage::Changed))
        };
        send.await.map_err(|error: Error| self.named(error, Operation::CreatePayment))
    }

    /// Applies the discount code of the options to their invoice
    /// (`PUT invoice/payment/discount`, known from a client alone). What its answer holds is not
    /// known, so nothing is read from it: [`Ramp::fetch_invoice`] tells the new price.
    ///
    /// # Errors
    /// `InvalidRequest` naming what is wrong, with nothing sent; else as `create_payment`, with the
    /// same effects; `InvalidResponse` with a possible effect when the answer is neither empty nor
    /// JSON.
    pub async fn apply_discount(&self, options: &RampOptions) -> Result<()> {
        const FIELD: &str = "options.ramp.discount_code";
        let send = async {
            let code = options.discount_code.as_deref();
            let code = code.ok_or_else(|| Error::invalid_request(FIELD, "must be set"))?;
            let body = wire::Discount {
                invoice_id: map::invoice_id(&options.invoice_id)?,
                discount_code: filled(FIELD, code)?,
            };
            let endpoint = Endpoint::Discount;
            let response = self.call(Purpose::Mutate, endpoint, options, Some(&body)).await?;
            let is_json =
                || paymux_core::json::read::<serde::de::IgnoredAny>(&response.body).is_ok();
            if response.body.is_empty() || is_json() {
                return Ok(());
            }
            Err(unreadable(&response)(Unreadable::new("the answer is neither empty nor JSON")))
        };
        send.await.map_err(|error: Error| self.named(error, Operation::CreatePayment))
    }

    /// Reads the invoice of the options (`GET invoice/{invoiceId}`, known from clients alone): the
    /// one call that tells amounts.
    ///
    /// # Errors
    /// `InvalidRequest` naming what is wrong, with nothing sent; `NotFound` and the like as the
    /// provider refuses; `InvalidResponse` when the answer is of another invoice, or holds an amount
    /// that cannot be read exactly. Never an effect.
    pub async fn fetch_invoice(&self, options: &RampOptions) -> Result<Invoice> {
        let fetched = self.get_invoice(options, Rows::Readable).await;
        fetched.map_err(|error| self.named(error, Operation::FetchPayment))
    }

    /// Reads a payment's checkout session again: for the payer's browser, and for the id, which ties
    /// a return to the payment. `None` when the payment has none (any more).
    ///
    /// # Errors
    /// As `fetch_payment`. Never an effect.
    pub async fn fetch_checkout_session(
        &self,
        payment: &PaymentHandle,
    ) -> Result<Option<CheckoutSession>> {
        let fetch = async {
            let options = RampOptions::of(&payment.options)?;
            let (_, answer) = self.look_up(payment, &options).await?;
            Ok(answer.session.map(|session| CheckoutSession {
                id: session.id,
                session: Sensitive::new(session.value),
            }))
        };
        fetch.await.map_err(|error: Error| self.named(error, Operation::FetchPayment))
    }

    /// Reads the query of a browser's return from a checkout, to either address. It proves nothing:
    /// see [`CheckoutReturn`]. Nothing is sent.
    ///
    /// # Errors
    /// As [`CheckoutReturn::read`].
    pub fn read_checkout_return(&self, query: &str, mode: ReturnMode) -> Result<CheckoutReturn> {
        CheckoutReturn::read(query, mode).map_err(|error| error.with_provider(&self.config.id))
    }

    /// Reads all that a webhook claims, the invoice and the third party's data included. Nothing is
    /// sent, and nothing is proved.
    ///
    /// # Errors
    /// As [`verify_webhook`](paymux_core::PaymentProvider::verify_webhook).
    pub fn read_notification(&self, delivery: &WebhookDelivery<'_>) -> Result<Notification> {
        webhook::notification(&self.config, self.webhook_secret.as_ref(), delivery)
            .map_err(|error| error.with_provider(&self.config.id))
    }

    // What the methods above and the trait's share. Their errors name nothing yet.

    /// One attempt in the name of the options' end user; an answer that is no success is an error. A
    /// token that was refused is reported to its source, and nothing is sent again.
    pub(crate) async fn call<T: Serialize + Sync>(
        &self,
        purpose: Purpose,
        endpoint: Endpoint,
        options: &RampOptions,
        body: Option<&T>,
    ) -> Result<HttpResponse> {
        let end_user = filled("options.ramp.end_user", &options.end_user)?;
        let token = self.tokens.token(end_user).await;
        let token = token.map_err(failure::of_token)?;
        let request = self.signer.request(purpose, endpoint, &options.invoice_id, &token)?;
        let request = match body {
            Some(body) => request.json(body)?,
            None => request,
        };
        let response = self.http.send(request).await?;
        if response.is_success() {
            return Ok(response);
        }
        let secrets = self.secrets(&token, options);
        let error = failure::refusal(&response, &secrets);
        if error.kind() == ErrorKind::Unauthenticated {
            self.tokens.invalidate(end_user, &token).await;
            let retryable = error.is_retryable() && self.tokens.renews();
            return Err(error.with_retryable(retryable));
        }
        Err(error)
    }

    /// What a server could quote of a request, and nobody should read in a log, in the forms in
    /// which it goes over the wire. What is very short is left: it would be found in any sentence.
    fn secrets(&self, token: &SecretString, options: &RampOptions) -> Vec<SecretString> {
        const LEAST: usize = 4;
        let of_people = [options.payment_type.account_id(), options.payment_type.some_data()];
        let mut secrets = vec![token.clone()];
        for text in of_people.into_iter().flatten() {
            let escaped = serde_json::Value::from(text).to_string();
            secrets.extend([escaped.trim_matches('"'), text].map(SecretString::from));
        }
        secrets.extend_from_slice(self.signer.secrets());
        secrets.retain(|secret| secret.expose_secret().len() >= LEAST);
        secrets
    }

    /// The payment that an answer holds, if it is of the invoice and of the type that was asked for.
    pub(crate) fn answer(&self, response: &HttpResponse, options: &RampOptions) -> Result<Answer> {
        let answer = self.any_answer(response, options)?;
        if is_of_another_type(&answer, options) {
            let message = "the answer is about a payment of another type";
            return Err(unreadable(response)(Unreadable::new(message)));
        }
        Ok(answer)
    }

    /// The payment that an answer holds, of whatever type, if it is of the invoice that was asked
    /// for.
    pub(crate) fn any_answer(
        &self,
        response: &HttpResponse,
        options: &RampOptions,
    ) -> Result<Answer> {
        let answer = read::answer(&response.body, &self.config.return_field)
            .map_err(unreadable(response))?;
        if let Some(invoice_id) = &answer.invoice_id {
            same(response, "invoice", &options.invoice_id, invoice_id)?;
        }
        Ok(answer)
    }

    /// Reads a payment: the call that creates one, naming it. An id that is not known could make it
    /// create another, so the id that comes back must be the one that was sent.
    pub(crate) async fn look_up(
        &self,
        payment: &PaymentHandle,
        options: &RampOptions,
    ) -> Result<(HttpResponse, Answer)> {
        let body = map::look_up(&payment.id, options)?;
        let response = self.call(Purpose::Read, Endpoint::Payment, options, Some(&body)).await?;
        let answer = self.answer(&response, options)?;
        same(&response, "payment", payment.id.as_str(), answer.id.as_str())?;
        Ok((response, answer))
    }

    pub(crate) async fn get_invoice(&self, options: &RampOptions, rows: Rows) -> Result<Invoice> {
        let id = map::invoice_id(&options.invoice_id)?;
        let nothing: Option<&()> = None;
        let response = self.call(Purpose::Read, Endpoint::Invoice, options, nothing).await?;
        let invoice = read::invoice(&response.body, &self.config.measures, rows)
            .map_err(unreadable(&response))?;
        same(&response, "invoice", id, &invoice.id)?;
        Ok(invoice)
    }
}

/// A type that nobody documented says nothing.
pub(crate) fn is_of_another_type(answer: &Answer, options: &RampOptions) -> bool {
    let asked = options.payment_type.as_str();
    let kind = answer.kind.as_deref();
    kind.is_some_and(|kind| is_type(kind) && !kind.trim().eq_ignore_ascii_case(asked))
}

fn is_type(word: &str) -> bool {
    let account_id = String::new();
    let kinds = [
        PaymentType::Platform { account_id },
        PaymentType::Checkout,
        PaymentType::External { some_data: None },
    ];
    kinds.iter().any(|kind| kind.as_str().eq_ignore_ascii_case(word.trim()))
}

/// An answer about another object than the one asked for is no answer.
pub(crate) fn same(response: &HttpResponse, what: &str, asked: &str, answered: &str) -> Result<()> {
    let checked = response.check_same(what, asked, answered);
    checked.map_err(|error| failure::with_ids(error, response, None))
}
