//! What MilkyPay alone has: its objects with all their fields, pre-requests, services,
//! verifications and the checkout form. All but [`MilkyPay::create_verification`] only read.
//!
//! Errors name the account, and the operation of the trait that the call comes closest to.

use paymux_core::{
    CreatePayment, Cursor, Effect, Error, ErrorKind, Operation, ProviderPaymentId, Reference,
    Result, check::filled, transport::HttpResponse,
};

use crate::{
    MilkyPay,
    auth::Endpoint,
    config::Api,
    failure::{self, Act},
    form::CheckoutForm,
    map::{self, Flow, page_limit},
    objects::{Invoice, InvoicePage, PaymentService, PaymentServicePage, Prerequest},
    options::MilkyPayOptions,
    read, wire,
};

impl MilkyPay {
    /// Asks what can be paid with in a currency (`payment-prerequest`, public API): services,
    /// methods, what they want to be told, limits, and the merchant as the payer sees it.
    ///
    /// # Errors
    /// `Configuration` when there is no public key; `InvalidRequest` naming `currency` when it is
    /// empty; else as the provider refuses. Never an effect.
    pub async fn fetch_prerequest(&self, currency: &str) -> Result<Prerequest> {
        let fetched = self.get_prerequest(currency).await;
        fetched.map_err(|error| self.named(error, Operation::ListPaymentMethods))
    }

    /// Reads one page of the account's services (`payment-services`, private API). Pages are
    /// counted from 1.
    ///
    /// # Errors
    /// `InvalidRequest` naming `page` or `size` when it is zero; else as
    /// [`Self::fetch_payment_service`].
    pub async fn list_payment_services(&self, page: u32, size: u32) -> Result<PaymentServicePage> {
        let listed = self.service_page(page, size).await;
        listed.map_err(|error| self.named(error, Operation::ListPaymentMethods))
    }

    /// Reads one service by the id of its row, `comcps_…` (private API).
    ///
    /// # Errors
    /// `Configuration` when the account has no private API; `InvalidRequest` naming `id` when it
    /// is empty or dots alone; `NotFound` and the like as the provider refuses; `InvalidResponse` when the
    /// answer is of another service or not what is documented. Never an effect.
    pub async fn fetch_payment_service(&self, id: &str) -> Result<PaymentService> {
        let fetch = async {
            let endpoint = Endpoint::PaymentService(named("id", id)?);
            let response = self.read(endpoint, &[]).await?;
            let service =
                read::service(&response.body).map_err(|unreadable| unreadable.of(&response))?;
            response.check_same("service", id, &service.id)?;
            Ok(service)
        };
        fetch.await.map_err(|error| self.named(error, Operation::ListPaymentMethods))
    }

    /// Reads an invoice with all its fields, of either mode: through the private API, else
    /// through the public one, which says less.
    ///
    /// # Errors
    /// `NotFound` and the like as the provider refuses; `InvalidResponse` when the answer is of
    /// another invoice or not what is documented. Never an effect.
    pub async fn fetch_invoice(&self, id: &ProviderPaymentId) -> Result<Invoice> {
        let fetched = self.get_invoice(id).await;
        fetched.map_err(|error| self.named(error, Operation::FetchPayment))
    }

    /// Reads the invoice with this reference, of either mode (private API).
    ///
    /// # Errors
    /// `Unsupported` when the account has no private API; `NotFound` when the provider says that
    /// there is none; `InvalidResponse` when it names several, or others only, for then it did not
    /// look. Never an effect.
    pub async fn fetch_invoice_by_reference(&self, reference: &Reference) -> Result<Invoice> {
        let fetched = self.find_invoice(reference).await;
        fetched.map_err(|error| self.named(error, Operation::FetchPayment))
    }

    /// Reads one page of invoices with all their fields, newest first, of both modes (private
    /// API). `limit` counts for the first page alone: links to others say their own.
    ///
    /// # Errors
    /// `Configuration` when the account has no private API; `InvalidRequest` naming `limit` or
    /// `cursor`; `InvalidResponse` when a link leads elsewhere. Never an effect.
    pub async fn list_invoices(&self, limit: u32, cursor: Option<&Cursor>) -> Result<InvoicePage> {
        let list = async { self.invoice_page(page_limit("limit", limit)?, cursor).await };
        list.await.map_err(|error| self.named(error, Operation::ListPayments))
    }

    /// Makes an invoice that checks a card and charges nothing (`flow: verify`, private API). It
    /// takes what [`create_payment`](paymux_core::PaymentProvider::create_payment) takes. It is no
    /// payment: its callbacks are [`Subject::Other`](paymux_core::Subject::Other), and read as a
    /// payment it never counts as paid.
    ///
    /// # Errors
    /// As `create_payment`, with the same effects; `Configuration` when the account has no private
    /// API.
    pub async fn create_verification(&self, request: &CreatePayment) -> Result<Invoice> {
        let create = async {
            let options = request.options.get::<MilkyPayOptions>()?.unwrap_or_default();
            self.create_invoice(Api::Private, request, &options, Flow::Verify).await
        };
        create.await.map_err(|error: Error| self.named(error, Operation::CreatePayment))
    }

    /// The checkout form for a request. Nothing is sent: the payer's browser makes the invoice.
    ///
    /// # Errors
    /// `Configuration` when there is no public key; `InvalidRequest` and `Unsupported` as
    /// `create_payment` refuses, and for what has no field in the form. Never an effect.
    pub fn checkout_form(&self, request: &CreatePayment) -> Result<CheckoutForm> {
        let form = || {
            let options = request.options.get::<MilkyPayOptions>()?.unwrap_or_default();
            CheckoutForm::new(&self.signer, &self.terms(), request, &options)
        };
        form().map_err(|error: Error| self.named(error, Operation::CreatePayment))
    }

    // What the methods above and the trait's share. Their errors name nothing yet.

    /// One attempt to read; an answer that is no success is an error.
    pub(crate) async fn read(
        &self,
        endpoint: Endpoint<'_>,
        query: &[(&str, &str)],
    ) -> Result<HttpResponse> {
        let response = self.http.send(self.signer.get(endpoint, query)?).await?;
        self.success(Act::Read, response)
    }

    /// The answer, if it is a success.
    pub(crate) fn success(&self, act: Act, response: HttpResponse) -> Result<HttpResponse> {
        if response.is_success() {
            return Ok(response);
        }
        Err(failure::refusal(act, &response, self.signer.secrets()))
    }

    pub(crate) async fn get_prerequest(&self, currency: &str) -> Result<Prerequest> {
        let body = wire::Prerequest {
            public_key: self.signer.public_key()?,
            currency: filled("currency", currency)?,
        };
        let act = Act::Read;
        let request = self.signer.post(act.purpose(), Endpoint::Prerequest, &body)?;
        let response = self.success(act, self.http.send(request).await?)?;
        read::prerequest(&response.body).map_err(|unreadable| unreadable.of(&response))
    }

    pub(crate) async fn service_page(&self, page: u32, size: u32) -> Result<PaymentServicePage> {
        let page = page_limit("page", page)?.to_string();
        let size = page_limit("size", size)?.to_string();
        let query = [("page[number]", page.as_str()), ("page[size]", size.as_str())];
        let response = self.read(Endpoint::PaymentServices, &query).await?;
        read::service_page(&response.body).map_err(|unreadable| unreadable.of(&response))
    }

    pub(crate) async fn get_invoice(&self, id: &ProviderPaymentId) -> Result<Invoice> {
        let endpoint = if self.signer.has_private_api() {
            Endpoint::Invoice(id.as_str())
        } else {
            Endpoint::PublicInvoice(id.as_str())
        };
        let response = self.read(endpoint, &[]).await?;
        let invoice = read::invoice(&response.body, &self.config.currencies)
            .map_err(|unreadable| unreadable.of(&response))?;
        response.check_same("invoice", id.as_str(), invoice.id.as_str())?;
        Ok(invoice)
    }

    pub(crate) async fn find_invoice(&self, reference: &Reference) -> Result<Invoice> {
        if !self.signer.has_private_api() {
            let message = "cannot be looked up through the public API";
            let error = Error::new(ErrorKind::Unsupported, Effect::None, message);
            return Err(error.with_field("reference"));
        }
        let query = [("filter[reference_id]", reference.as_str())];
        let response = self.read(Endpoint::Invoices, &query).await?;
        let found = read::found(&response.body, &self.config.currencies)
            .map_err(|unreadable| unreadable.of(&response))?;
        if found.is_empty() {
            let message = "the provider has no invoice with this reference";
            return Err(Error::new(ErrorKind::NotFound, Effect::None, message));
        }
        let is_ours =
            |invoice: &Invoice| invoice.reference_id.as_deref() == Some(reference.as_str());
        let mut ours = found.into_iter().filter(is_ours);
        match (ours.next(), ours.next()) {
            (Some(invoice), None) => Ok(invoice),
            // A filter that is not applied gives the newest invoices, whoever's they are. That
            // proves nothing of ours.
            (None, _) => Err(response.unreadable("the answer is about other references")),
            (Some(_), Some(_)) => Err(response.unreadable("several invoices have this reference")),
        }
    }

    pub(crate) async fn invoice_page(
        &self,
        limit: u32,
        cursor: Option<&Cursor>,
    ) -> Result<InvoicePage> {
        let size = limit.to_string();
        let request = match cursor {
            Some(cursor) => self.signer.page(cursor)?,
            None if self.config.page_size => {
                self.signer.get(Endpoint::Invoices, &[("page[size]", &size)])?
            }
            None => self.signer.get(Endpoint::Invoices, &[])?,
        };
        let response = self.success(Act::Read, self.http.send(request).await?)?;
        let link = |link: &str| self.signer.cursor(link);
        read::invoice_page(&response.body, &self.config.currencies, link)
            .map_err(|unreadable| unreadable.of(&response))
    }

    pub(crate) fn terms(&self) -> map::Terms<'_> {
        map::Terms { config: &self.config, known_methods: &self.known_methods }
    }
}

/// The name of an object in a path, where dots alone would lead elsewhere.
fn named<'a>(field: &str, id: &'a str) -> Result<&'a str> {
    if matches!(id, "." | "..") {
        return Err(Error::invalid_request(field, "must not be dots alone"));
    }
    filled(field, id)
}
