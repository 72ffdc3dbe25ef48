//! Transitions of invoices: made, paid, declined, over.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::errors::Refusal;
use super::events::Event;
use super::objects::{ActivePayment, Flow, GateSession, Invoice, NewInvoice};
use super::services::{Form, Service};
use super::settings::Expiry;
use super::state::{Due, Moment, State};
use super::status::Status;
use crate::amount::Amount;
use crate::clock;
use crate::random::Random;

/// In every sample of the specification the page's token lives this long.
const TOKEN_SECONDS: i64 = 1800;

impl State {
    /// Makes an invoice. The platform starts it at once, so it is first seen in
    /// `process_pending`.
    pub(super) fn create_invoice(
        &mut self,
        new: NewInvoice,
        moment: Moment<'_>,
    ) -> Result<String, Refusal> {
        let reference_id = new.reference_id.clone().unwrap_or_else(|| moment.random.uuid());
        if let Some(earlier) = self.references.get(&reference_id) {
            return Err(Refusal::Duplicate(earlier.clone()));
        }
        let service = self.services.get(&new.service).cloned();
        let Some(service) = service else {
            return Err(Refusal::invalid("service", "This value is not valid."));
        };
        let id = moment.random.short_id("cpi_");
        let lifetime = SignedDuration::from_secs(self.settings.invoice_lifetime_seconds.into());
        let expires = new.expires.unwrap_or_else(|| clock::add(moment.now, lifetime));
        let gate = gate(&self.base.join("cardgate/hpp/"), &service, &new, moment);
        let customer_id = self.customer_id(new.customer.as_ref(), moment.random);
        let named = new.service_fields.get("status").and_then(Value::as_str);
        let named = named.filter(|_| service.flow == "test").and_then(Status::of_word);
        let invoice = write(
            new,
            service,
            Made { id: &id, reference_id, gate, customer_id, now: moment.now, expires },
            self.settings.merchant_url.as_deref(),
        );
        self.references.insert(invoice.reference_id.clone(), id.clone());
        self.gates.insert(invoice.gate.sid.clone(), id.clone());
        self.invoices.insert(&id, invoice);
        self.due.insert((expires, Due::ExpireInvoice(id.clone())));
        self.emit(&id, moment.now);
        if let Some(status) = named {
            // The test service ends as its field says.
            self.set_status(&id, &super::StatusChange::to(status), moment.now)?;
        }
        Ok(id)
    }

    /// One id for one customer of the merchant.
    fn customer_id(
        &mut self,
        customer: Option<&Map<String, Value>>,
        random: &Random,
    ) -> Option<String> {
        let reference = customer?.get("reference_id")?.as_str()?.to_owned();
        let id = self.customers.entry(reference).or_insert_with(|| random.short_id("cus_"));
        Some(id.clone())
    }

    pub(super) fn require_payable(&self, id: &str) -> Result<&Invoice, Refusal> {
        let invoice = self.invoice(id)?;
        if !invoice.is_payable() {
            return Err(Refusal::invalid("status", "The invoice can no longer be paid."));
        }
        if invoice.moderation_required {
            return Err(Refusal::invalid("status", "The invoice waits for a moderator."));
        }
        Ok(invoice)
    }

    /// The payer pays this much, or what is open. Less than open leaves the invoice partially
    /// processed, and the rest can follow; a verification takes nothing.
    pub(super) fn pay(
        &mut self,
        id: &str,
        amount: Option<Amount>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let invoice = self.require_payable(id)?;
        if invoice.flow == Flow::Verify {
            if amount.is_some() {
                return Err(Refusal::invalid("amount", "A verification takes no money."));
            }
            return self.turn(id, Status::Verified, "ok", now);
        }
        let amount = amount.unwrap_or_else(|| invoice.open_amount());
        if !amount.is_positive() {
            return Err(Refusal::invalid("amount", "This value should be greater than 0."));
        }
        let paid = invoice.processed_amount.map_or(amount, |before| before.plus(amount));
        let status = if paid < invoice.payment_amount {
            Status::PartiallyProcessed
        } else {
            Status::Processed
        };
        self.take(id, paid, now)?;
        self.turn(id, status, "ok", now)
    }

    /// Writes down what was taken, with the merchant's share and the platform's reserve.
    pub(super) fn take(&mut self, id: &str, paid: Amount, now: Timestamp) -> Result<(), Refusal> {
        let invoice = self.invoice(id)?;
        let service = self.service_of(invoice);
        let fee = match (service.external_fee, paid == invoice.payment_amount) {
            (_, true) => invoice.fee,
            (true, false) if paid < invoice.fee => paid,
            (true, false) => invoice.fee,
            (false, false) => service.fee(paid).min(paid),
        };
        let deposit = paid.minus(fee);
        let reserve = deposit.percent(Service::rate(&service.reserve_rate));
        let reserved = reserve.is_positive().then_some(reserve);
        let lifetime = SignedDuration::from_mins(service.reserve_lifetime.into());
        let invoice = self.invoice_mut(id)?;
        invoice.processed = Some(now);
        invoice.processed_amount = Some(paid);
        invoice.processed_fee = Some(fee);
        invoice.processed_deposit = Some(deposit);
        if reserved.is_some() {
            invoice.reserved_amount = reserved;
            invoice.reserve_expires = Some(clock::add(now, lifetime));
        }
        Ok(())
    }

    /// An attempt of the payer is declined. The invoice stays open until too many were.
    pub(super) fn decline(
        &mut self,
        id: &str,
        resolution: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.require_payable(id)?;
        let most = self.settings.max_attempts;
        let invoice = self.invoice_mut(id)?;
        invoice.declined += 1;
        invoice.has_payer = false;
        if invoice.declined >= most && invoice.status != Status::PartiallyProcessed {
            return self.fail(id, resolution, now);
        }
        if invoice.status != Status::PartiallyProcessed {
            invoice.status = Status::ProcessPending;
        }
        invoice.updated = now;
        invoice.active_payment =
            ActivePayment { status: "process_failed", resolution: resolution.to_owned() };
        if invoice.expires <= now {
            // Its time passed while the attempt was open.
            self.due.insert((now, Due::ExpireInvoice(id.to_owned())));
        }
        Ok(())
    }

    /// The invoice fails for good.
    pub(super) fn fail(
        &mut self,
        id: &str,
        resolution: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let flow = self.require_payable(id)?.flow;
        let invoice = self.invoice_mut(id)?;
        invoice.has_payer = true;
        invoice.failed = Some(now);
        match flow {
            Flow::Charge => self.turn(id, Status::ProcessFailed, resolution, now),
            Flow::Verify => self.turn(id, Status::VerifyFailed, resolution, now),
        }
    }

    /// The payer has given everything and the bank takes its time. The invoice shows the payer
    /// and stays in `process_pending`.
    pub(super) fn start_payment(&mut self, id: &str, now: Timestamp) -> Result<(), Refusal> {
        self.require_payable(id)?;
        let invoice = self.invoice_mut(id)?;
        invoice.has_payer = true;
        invoice.updated = now;
        invoice.active_payment =
            ActivePayment { status: "process_pending", resolution: "ok".to_owned() };
        Ok(())
    }

    /// The time of an unpaid invoice is over.
    pub(super) fn expire(&mut self, id: &str, now: Timestamp) -> Result<(), Refusal> {
        let invoice = self.invoice(id)?;
        if !matches!(invoice.status, Status::Created | Status::ProcessPending) {
            return Err(Refusal::invalid("status", "Only an invoice that waits can expire."));
        }
        let status = match self.settings.expiry {
            Expiry::ProcessFailed => Status::ProcessFailed,
            Expiry::Expired => Status::Expired,
        };
        self.turn(id, status, "expired", now)
    }

    /// An attempt that is under way, or a moderator, decides first.
    pub(super) fn expire_when_due(&mut self, id: &str, at: Timestamp) {
        let Some(invoice) = self.invoices.get_mut(id) else { return };
        if invoice.status == Status::PartiallyProcessed {
            invoice.closed = true;
        }
        if invoice.moderation_required || invoice.active_payment.status == "process_pending" {
            return;
        }
        // A refusal means that the invoice is paid or over.
        let _over = self.expire(id, at);
    }

    /// Changes the status and tells of it.
    pub(super) fn turn(
        &mut self,
        id: &str,
        status: Status,
        resolution: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.turn_with(id, status, resolution, false, now)
    }

    pub(super) fn turn_with(
        &mut self,
        id: &str,
        status: Status,
        resolution: &str,
        moderation_required: bool,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let invoice = self.invoice_mut(id)?;
        invoice.status = status;
        invoice.resolution = resolution.to_owned();
        invoice.moderation_required = moderation_required;
        invoice.updated = now;
        invoice.has_payer |= status.has_taken() || status == Status::Verified;
        invoice.active_payment =
            ActivePayment { status: status.of_payment(), resolution: resolution.to_owned() };
        self.emit(id, now);
        Ok(())
    }

    pub(super) fn emit(&mut self, id: &str, at: Timestamp) {
        let Some(invoice) = self.invoices.get(id) else { return };
        if self.settings.final_callbacks_only && !invoice.status.is_final() {
            return;
        }
        self.events.push(Event::new(self, invoice, at));
    }
}

/// What the platform adds to a request.
struct Made<'a> {
    id: &'a str,
    reference_id: String,
    gate: GateSession,
    customer_id: Option<String>,
    now: Timestamp,
    expires: Timestamp,
}

fn write(new: NewInvoice, service: Service, made: Made<'_>, merchant_url: Option<&str>) -> Invoice {
    let fee = service.fee(new.amount);
    let (payment_amount, deposit) = if service.external_fee {
        (new.amount.plus(fee), new.amount)
    } else {
        (new.amount, new.amount.minus(fee))
    };
    let mut metadata = new.metadata;
    if let Some(url) = merchant_url {
        metadata.insert("merchant_url".to_owned(), url.into());
    }
    Invoice {
        id: made.id.to_owned(),
        reference_id: made.reference_id,
        status: Status::ProcessPending,
        resolution: "ok".to_owned(),
        moderation_required: false,
        test_mode: new.test_mode,
        flow: new.flow,
        source: new.source,
        service: new.service,
        method: service.method,
        service_flow: service.flow,
        currency: service.currency,
        amount: new.amount,
        payment_amount,
        fee,
        deposit,
        processed: None,
        processed_amount: None,
        processed_fee: None,
        processed_deposit: None,
        refunded: None,
        refunded_amount: None,
        charged_back_amount: None,
        failed: None,
        reserved_amount: None,
        reserve_expires: None,
        description: new.description,
        metadata,
        service_fields: new.service_fields,
        gateway_options: new.gateway_options,
        customer: new.customer,
        customer_id: made.customer_id,
        return_url: new.return_url,
        return_urls: new.return_urls,
        callback_url: new.callback_url,
        gate: made.gate,
        active_payment: ActivePayment { status: "invoked", resolution: "ok".to_owned() },
        has_payer: false,
        closed: false,
        declined: 0,
        refunds: Vec::new(),
        created: made.now,
        updated: made.now,
        expires: made.expires,
    }
}

/// Opens the page behind `flow_data`. The token looks like the JWT of the samples and proves
/// nothing.
fn gate(
    pages: &Result<url::Url, url::ParseError>,
    service: &Service,
    new: &NewInvoice,
    moment: Moment<'_>,
) -> GateSession {
    let sid = moment.random.short_id("cgi_");
    let until = moment.now.as_second().saturating_add(TOKEN_SECONDS);
    let claims = json!({"sid": sid, "exp": until}).to_string();
    let token = format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"RS512"}"#),
        URL_SAFE_NO_PAD.encode(claims),
        moment.random.short_id("sandbox")
    );
    let mut params = Map::new();
    if service.form != Form::Get {
        params.insert("sid".to_owned(), sid.as_str().into());
        params.insert("token".to_owned(), token.as_str().into());
        for field in &service.fields {
            if let Some(value) = new.service_fields.get(&field.key) {
                params.insert(field.key.clone(), value.clone());
            }
        }
    }
    let method = if service.form == Form::Post { "POST" } else { "GET" };
    let action = pages.as_ref().map(|pages| format!("{pages}{sid}")).unwrap_or_default();
    GateSession { sid, token, action, method, params }
}
