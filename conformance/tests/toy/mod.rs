//! A small provider that exists nowhere, and its adapter: sound, or with one of many bugs.

mod bug;
mod capabilities;
mod map;
mod webhook;

use std::{
    fmt,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use paymux_conformance::Suite;
use paymux_core::{
    CancelMandate, CancelPayment, Capabilities, CaptureMethod, CapturePayment, ConfirmMandate,
    ConfirmPayment, CreateMandate, CreatePayment, CreateRefund, Cursor, Effect, Error, ErrorKind,
    ListPaymentMethods, ListPayments, Mandate, MandateHandle, Operation, Page, Payment,
    PaymentLookup, PaymentMethod, PaymentProvider, ProviderId, Refund, RefundLookup, Result,
    SecretString, WebhookDelivery, WebhookEvent,
    transport::{HttpClient, HttpRequest, HttpResponse, Purpose, secret_header},
};
use serde_json::{Value, json};
use url::Url;

pub(crate) use bug::Bug;
use webhook::{seal, sign};

/// What must show nowhere.
pub(crate) const API_KEY: &str = "toy_api_key_canary_1f0c";
pub(crate) const WEBHOOK_SECRET: &str = "toy_webhook_secret_canary_77aa";

/// The adapter.
pub(crate) struct Toy {
    id: ProviderId,
    capabilities: Capabilities,
    server: Url,
    http: HttpClient,
    api_key: SecretString,
    bug: Option<Bug>,
    calls: AtomicU32,
}

impl fmt::Debug for Toy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut toy = f.debug_struct("Toy");
        if self.has(Bug::LeaksSecretInDebug) {
            toy.field("api_key", &API_KEY);
        }
        toy.field("id", &self.id).finish_non_exhaustive()
    }
}

impl Toy {
    pub(crate) fn new(server: &Url, http: HttpClient, bug: Option<Bug>) -> Result<Self> {
        Ok(Self {
            id: ProviderId::new("toy-eu")?,
            capabilities: capabilities::capabilities(bug)?,
            server: server.clone(),
            http,
            api_key: API_KEY.into(),
            bug,
            calls: AtomicU32::new(0),
        })
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// An inherent method: what nobody else has.
    pub(crate) async fn fetch_balance(&self) -> Result<Value> {
        let answer = self.ask(self.get("balance")?).await.map_err(|error| self.of(error))?;
        answer.read_json().map_err(|error| self.of(error))
    }

    fn of(&self, error: Error) -> Error {
        if self.has(Bug::HidesItsName) { error } else { error.with_provider(&self.id) }
    }

    fn during(&self, operation: Operation, error: Error) -> Error {
        self.of(error.with_operation(operation))
    }

    fn unsupported<T>(&self, operation: Operation) -> Result<T> {
        Err(self.of(Error::unsupported(operation)))
    }

    fn get(&self, path: &str) -> Result<HttpRequest> {
        self.request(Purpose::Read, Method::GET, path)
    }

    fn post(&self, path: &str, key: &str, body: &Value) -> Result<HttpRequest> {
        let name = HeaderName::from_static("idempotency-key");
        if key.len() > usize::from(capabilities::LONGEST_KEY) && !self.has(Bug::SendsKeysThatAreCut)
        {
            return Err(Error::invalid_request("key", "must have at most 64 characters"));
        }
        let count = self.calls.fetch_add(1, Ordering::SeqCst);
        let mut body = body.clone();
        if self.has(Bug::ChangesARepetition) && count > 0 {
            body["try"] = json!(count);
        }
        let request = self.request(Purpose::Mutate, Method::POST, path)?.json(&body)?;
        let key = match self.bug {
            Some(Bug::DropsTheKey) => return Ok(request),
            Some(Bug::MakesItsOwnKey) => format!("own-{count}"),
            // The key of the case, and of every other call.
            Some(Bug::SendsAKeyOfAllCalls) => "key-1".to_owned(),
            _ => key.to_owned(),
        };
        let value = HeaderValue::try_from(key)
            .map_err(|_| Error::invalid_request("key", "cannot stand in a header"))?;
        Ok(request.header(name, value))
    }

    fn request(&self, purpose: Purpose, method: Method, path: &str) -> Result<HttpRequest> {
        let url = self
            .server
            .join(path)
            .map_err(|_| Error::invalid_request("id", "cannot stand in a path"))?;
        let key = secret_header("api_key", "Bearer ", &self.api_key)?;
        if self.has(Bug::SendsNoCredentials) {
            return Ok(HttpRequest::new(purpose, method, url));
        }
        Ok(HttpRequest::new(purpose, method, url).header(header::AUTHORIZATION, key))
    }

    /// One attempt; an answer that is no success is an error.
    async fn ask(&self, request: HttpRequest) -> Result<HttpResponse> {
        let again = request.clone();
        let mut answer = match self.http.send(request).await {
            Err(error) if self.has(Bug::CallsTimeoutHarmless) => {
                return Err(error.with_effect(Effect::None));
            }
            Err(_) if self.has(Bug::SendsAgainAfterALoss) => self.http.send(again.clone()).await?,
            other => other?,
        };
        if self.has(Bug::SendsAgainAfter5xx) && answer.status.is_server_error() {
            answer = self.http.send(again.clone()).await?;
        }
        if self.has(Bug::FollowsRedirects) && answer.status.is_redirection() {
            let to = answer.headers.get(header::LOCATION).and_then(|to| to.to_str().ok());
            if let Some(url) = to.and_then(|to| self.server.join(to).ok()) {
                answer = self.http.send(HttpRequest { url, ..again }).await?;
            }
        }
        let swallow = self.has(Bug::Swallows5xx) && answer.status.is_server_error();
        if answer.is_success() || swallow { Ok(answer) } else { Err(self.refusal(&answer)) }
    }

    fn refusal(&self, answer: &HttpResponse) -> Error {
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let code = body.as_ref().and_then(|body| body.pointer("/error/code")?.as_str());
        let trusting = self.has(Bug::BelievesAnyRefusal);
        let mut error = answer.refusal(code.is_some() || trusting);
        if self.has(Bug::BelievesAnyNotFound) && answer.status == StatusCode::NOT_FOUND {
            error = Error::new(ErrorKind::NotFound, error.effect(), "not found");
        }
        if self.has(Bug::CallsAConflictHarmless) && answer.status == StatusCode::CONFLICT {
            error = error.with_effect(Effect::None);
        }
        if let Some(code) = code.filter(|_| !self.has(Bug::DropsTheProvidersCode)) {
            error = error.with_code(code);
        }
        if self.has(Bug::DropsRetryAfter) {
            error = error.with_retry_after(None);
        }
        if self.has(Bug::LeaksSecretInError) {
            error = error.with_source(std::io::Error::other(format!("sent Bearer {API_KEY}")));
        }
        if self.has(Bug::KeepsAStrangersBody) {
            let text = String::from_utf8_lossy(&answer.body);
            error = error.with_source(format!("the body begins: {text}"));
        }
        error
    }

    /// Reads a success; what cannot be read may have had an effect.
    fn read(&self, answer: &HttpResponse) -> Result<Value> {
        let read: Result<Value> = answer.read_json();
        match self.bug {
            Some(Bug::ReadsDoubledMembers) => serde_json::from_slice(&answer.body)
                .map_err(|_| answer.unreadable("the answer is no JSON")),
            Some(Bug::CallsUnreadableHarmless) => {
                read.map_err(|error| error.with_effect(Effect::None))
            }
            Some(Bug::RepeatsUnreadable) => read.map_err(|error| error.with_retryable(true)),
            _ => read,
        }
    }

    async fn create(&self, request: &CreatePayment) -> Result<Payment> {
        let taken = self.capabilities.currencies.contains(request.amount.currency());
        if !taken && !self.has(Bug::TakesAnyCurrency) {
            return Err(Error::invalid_request("amount.currency", "is not taken"));
        }
        if request.capture == CaptureMethod::Manual && !self.has(Bug::IgnoresCaptureMethod) {
            return Err(Error::invalid_request("capture", "is always automatic"));
        }
        if request.mandate.is_some() {
            return Err(Error::invalid_request("mandate", "is not taken"));
        }
        let player = request.customer.as_ref().map(|customer| customer.id.as_str());
        let body = json!({
            "amount": map::minor_to_send(request.amount, self.bug),
            "currency": request.amount.currency().code(),
            "player": player,
            "order": request.reference.as_str(),
        });
        let answer = self.ask(self.post("payments", request.key.as_str(), &body)?).await?;
        if self.has(Bug::MutatesTwice) {
            self.ask(self.post("payments/p_1/open", request.key.as_str(), &json!({}))?).await?;
        }
        let body = self.read(&answer)?;
        map::payment(&self.id, &answer, &body, self.bug)
    }

    async fn fetch(&self, id: &str) -> Result<Payment> {
        let answer = self.ask(self.get(&format!("payments/{id}"))?).await?;
        map::payment(&self.id, &answer, &self.read(&answer)?, self.bug)
    }

    async fn list(&self, query: &ListPayments) -> Result<Page<Payment>> {
        let dates = query.created_from.is_some() || query.created_to.is_some();
        let unsupported = (dates && !self.has(Bug::IgnoresAListFilter)) || query.customer.is_some();
        if unsupported {
            return Err(Error::unsupported(Operation::ListPayments));
        }
        let mut request = self.get("payments")?;
        {
            let mut pairs = request.url.query_pairs_mut();
            pairs.append_pair("limit", &query.limit.to_string());
            if let Some(status) = query.status {
                pairs.append_pair("state", map::word_of(status)?);
            }
            if let Some(cursor) = &query.cursor {
                pairs.append_pair("after", cursor.as_str());
            }
        }
        let answer = self.ask(request).await?;
        let body = self.read(&answer)?;
        let rows = body["items"].as_array();
        let rows = rows.ok_or_else(|| answer.unreadable("the list has no items"))?;
        let mut items = Vec::new();
        for row in rows {
            let mut item = map::payment(&self.id, &answer, row, self.bug)?;
            if self.has(Bug::ListsOtherStatuses) {
                item.status = paymux_core::PaymentStatus::Processing;
            }
            items.push(item);
        }
        let next = body["next"].as_str().map(Cursor::new).transpose();
        let next = next.map_err(|_| answer.unreadable("the list's next page has no name"))?;
        if self.has(Bug::NamesAPageItDoesNotTake) && next.is_some() {
            return Ok(Page { items, next: Some(Cursor::new("page-2")?) });
        }
        Ok(Page { items, next })
    }

    async fn capture(&self, request: &CapturePayment) -> Result<Payment> {
        if request.amount.is_some() && !self.has(Bug::CapturesAllForAPart) {
            return Err(Error::invalid_request("amount", "only all of it can be taken"));
        }
        let path = format!("payments/{}/capture", request.payment.id);
        self.ask(self.post(&path, request.key.as_str(), &json!({}))?).await?;
        self.fetch(request.payment.id.as_str()).await.map_err(|error| {
            let harmless = self.has(Bug::CallsLaterReadHarmless);
            if harmless { error } else { error.with_effect(Effect::Possible) }
        })
    }

    async fn refund(&self, request: &CreateRefund) -> Result<Refund> {
        if request.amount.is_some() {
            return Err(Error::invalid_request("amount", "only all of it can be given back"));
        }
        let body = json!({ "payment": request.payment.id.as_str() });
        let answer = self.ask(self.post("refunds", request.key.as_str(), &body)?).await?;
        map::refund(&answer, &self.read(&answer)?, self.bug)
    }
}

#[async_trait]
impl PaymentProvider for Toy {
    fn id(&self) -> &ProviderId {
        &self.id
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn create_payment(&self, request: &CreatePayment) -> Result<Payment> {
        self.create(request).await.map_err(|e| self.during(Operation::CreatePayment, e))
    }

    async fn fetch_payment(&self, lookup: &PaymentLookup) -> Result<Payment> {
        let result = match lookup {
            PaymentLookup::Payment(handle) => self.fetch(handle.id.as_str()).await,
            PaymentLookup::Reference { reference, .. } if self.has(Bug::LooksUpByReference) => {
                self.fetch(reference.as_str()).await
            }
            PaymentLookup::Part { .. } | PaymentLookup::Reference { .. } => {
                Err(Error::unsupported(Operation::FetchPayment))
            }
        };
        result.map_err(|e| self.during(Operation::FetchPayment, e))
    }

    async fn list_payments(&self, query: &ListPayments) -> Result<Page<Payment>> {
        self.list(query).await.map_err(|e| self.during(Operation::ListPayments, e))
    }

    async fn confirm_payment(&self, request: &ConfirmPayment) -> Result<Payment> {
        if self.has(Bug::HasWhatItDenies) {
            return self.fetch(request.payment.id.as_str()).await;
        }
        self.unsupported(Operation::ConfirmPayment)
    }

    async fn capture_payment(&self, request: &CapturePayment) -> Result<Payment> {
        self.capture(request).await.map_err(|e| self.during(Operation::CapturePayment, e))
    }

    async fn cancel_payment(&self, _: &CancelPayment) -> Result<Payment> {
        self.unsupported(Operation::CancelPayment)
    }

    async fn create_refund(&self, request: &CreateRefund) -> Result<Refund> {
        self.refund(request).await.map_err(|e| self.during(Operation::CreateRefund, e))
    }

    async fn fetch_refund(&self, lookup: &RefundLookup) -> Result<Refund> {
        let fetch = async {
            let answer = self.ask(self.get(&format!("refunds/{}", lookup.id))?).await?;
            map::refund(&answer, &self.read(&answer)?, self.bug)
        };
        fetch.await.map_err(|e| self.during(Operation::FetchRefund, e))
    }

    async fn list_payment_methods(&self, _: &ListPaymentMethods) -> Result<Vec<PaymentMethod>> {
        self.unsupported(Operation::ListPaymentMethods)
    }

    async fn create_mandate(&self, _: &CreateMandate) -> Result<Mandate> {
        self.unsupported(Operation::CreateMandate)
    }

    async fn fetch_mandate(&self, _: &MandateHandle) -> Result<Mandate> {
        self.unsupported(Operation::FetchMandate)
    }

    async fn confirm_mandate(&self, _: &ConfirmMandate) -> Result<Mandate> {
        self.unsupported(Operation::ConfirmMandate)
    }

    async fn cancel_mandate(&self, _: &CancelMandate) -> Result<Mandate> {
        self.unsupported(Operation::CancelMandate)
    }

    fn verify_webhook(&self, delivery: &WebhookDelivery<'_>) -> Result<Vec<WebhookEvent>> {
        webhook::verify(&self.id, delivery, self.bug).map_err(|error| self.of(error))
    }
}

/// The suite of the toy, with a bug or without.
pub(crate) fn suite(bug: Option<Bug>) -> Suite<Toy> {
    suite_of("toy", bug)
}

/// A suite with the data of a folder beside this one.
pub(crate) fn suite_of(folder: &str, bug: Option<Bug>) -> Suite<Toy> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    Suite::new("toy", folder.join("cases"), folder.join("webhooks"))
        .account("default", move |server, http| Toy::new(server, http, bug))
        .account("enveloped", move |server, http| Toy::new(server, http, bug))
        .call("fetch_balance", |toy: &Toy, _| Box::pin(toy.fetch_balance()))
        .secret(API_KEY)
        .secret(WEBHOOK_SECRET)
        .body_signer(|account, body, at| match account {
            "enveloped" => (HeaderMap::new(), seal(body, at)),
            _ => (sign(body, at), body.to_vec()),
        })
}
