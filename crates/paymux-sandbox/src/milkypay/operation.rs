//! The calls of both APIs, and the state behind each.

use http::{HeaderMap, Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::errors::Refusal;
use super::lists;
use super::private::{self, Shown};
use super::public;
use super::request;
use super::settings::ConflictBody;
use super::state::{Moment, State};
use super::validate::{self, Origin};
use super::wire::{Enveloped, Style};
use super::{MilkyPay, checkout};
use crate::fault::names;
use crate::reply::Reply;

/// The two APIs below the provider's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    Public,
    Private,
}

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    CreatePrerequest,
    CreatePublicInvoice,
    GetPublicInvoice,
    ProcessInvoice,
    ListPaymentServices,
    GetPaymentService,
    CreateInvoice,
    GetInvoice,
    ListInvoices,
    CreateRefund,
}

/// A call as it came in.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) operation: Operation,
    /// The id in the path.
    pub(super) id: &'a str,
    pub(super) query: &'a [(String, String)],
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    /// What a public key says; private calls name it in the body.
    pub(super) test_mode: bool,
}

impl Operation {
    /// Finds the call behind a method and a path, with the id in the path.
    pub(super) fn find<'a>(
        api: Api,
        method: &Method,
        path: &'a str,
    ) -> Result<(Operation, &'a str), Refusal> {
        let parts: Vec<&str> = path.split('/').collect();
        let (known, id): (&[(Method, Operation)], &str) = match (api, parts.as_slice()) {
            (Api::Public, ["payment-prerequest"]) => {
                (&[(Method::POST, Operation::CreatePrerequest)], "")
            }
            (Api::Public, ["payment-invoices"]) => {
                (&[(Method::POST, Operation::CreatePublicInvoice)], "")
            }
            (Api::Public, ["payment-invoices", "process"]) => {
                (&[(Method::POST, Operation::ProcessInvoice)], "")
            }
            (Api::Public, ["payment-invoices", id]) => {
                (&[(Method::GET, Operation::GetPublicInvoice)], *id)
            }
            (Api::Private, ["payment-services"]) => {
                (&[(Method::GET, Operation::ListPaymentServices)], "")
            }
            (Api::Private, ["payment-services", id]) => {
                (&[(Method::GET, Operation::GetPaymentService)], *id)
            }
            (Api::Private, ["payment-invoices"]) => (
                &[(Method::GET, Operation::ListInvoices), (Method::POST, Operation::CreateInvoice)],
                "",
            ),
            (Api::Private, ["payment-invoices", id]) => {
                (&[(Method::GET, Operation::GetInvoice)], *id)
            }
            (Api::Private, ["payment-invoices", id, "refund"]) => {
                (&[(Method::POST, Operation::CreateRefund)], *id)
            }
            _ => return Err(Refusal::NotFound),
        };
        let found = known.iter().find(|(known, _)| known == method);
        found.map(|(_, operation)| (*operation, id)).ok_or(Refusal::MethodNotAllowed)
    }

    const ALL: [(Operation, &'static str); 10] = [
        (Operation::CreatePrerequest, "CreatePrerequest"),
        (Operation::CreatePublicInvoice, "CreatePublicInvoice"),
        (Operation::GetPublicInvoice, "GetPublicInvoice"),
        (Operation::ProcessInvoice, "ProcessInvoice"),
        (Operation::ListPaymentServices, "ListPaymentServices"),
        (Operation::GetPaymentService, "GetPaymentService"),
        (Operation::CreateInvoice, "CreateInvoice"),
        (Operation::GetInvoice, "GetInvoice"),
        (Operation::ListInvoices, "ListInvoices"),
        (Operation::CreateRefund, "CreateRefund"),
    ];

    /// The names alone.
    pub(super) const NAMES: [&'static str; 10] = names(&Operation::ALL, &[]);

    /// What faults call it.
    pub(super) fn name(self) -> &'static str {
        let known = Operation::ALL.into_iter().find(|(operation, _)| *operation == self);
        known.map_or("", |(_, name)| name)
    }

    pub(super) fn changes(self) -> bool {
        matches!(
            self,
            Operation::CreatePublicInvoice
                | Operation::ProcessInvoice
                | Operation::CreateInvoice
                | Operation::CreateRefund
        )
    }
}

/// Carries a call out.
pub(super) fn run(
    milkypay: &MilkyPay,
    state: &mut State,
    call: &Call<'_>,
    moment: Moment<'_>,
) -> Result<Reply, Refusal> {
    match call.operation {
        Operation::CreatePrerequest => {
            let request = request::flat(call.headers, call.body)?;
            let currency = request.members.get("currency").and_then(Value::as_str);
            let currency = currency.filter(|currency| !currency.is_empty());
            let Some(currency) = currency else {
                return Err(Refusal::invalid("currency", "This value should not be blank."));
            };
            Ok(ok(state, public::prerequest(state, currency, call.test_mode)))
        }
        Operation::CreatePublicInvoice | Operation::ProcessInvoice => {
            create_public_invoice(state, call, moment)
        }
        Operation::GetPublicInvoice => {
            Ok(ok(state, public::invoice(state, state.invoice(call.id)?, false)))
        }
        Operation::ListPaymentServices => lists::services(state, call.query),
        Operation::GetPaymentService => lists::service(state, call.id),
        Operation::CreateInvoice => create_invoice(state, call, moment),
        Operation::GetInvoice => {
            let invoice = state.invoice(call.id)?;
            let shown = Shown::Read(milkypay.callback_logs(call.id));
            Ok(ok(state, private::invoice(state, invoice, &shown)))
        }
        Operation::ListInvoices => lists::invoices(milkypay, state, call.query),
        Operation::CreateRefund => create_refund(milkypay, state, call, moment),
    }
}

fn ok(state: &State, data: impl Serialize) -> Reply {
    reply(state, StatusCode::OK, data)
}

fn reply(state: &State, status: StatusCode, data: impl Serialize) -> Reply {
    Style::of(&state.settings).reply(status, &Enveloped { data })
}

fn create_public_invoice(
    state: &mut State,
    call: &Call<'_>,
    moment: Moment<'_>,
) -> Result<Reply, Refusal> {
    if state.settings.forbid_public_creation {
        return Err(Refusal::Forbidden);
    }
    let test_mode = call.test_mode;
    if call.operation == Operation::ProcessInvoice {
        let request = request::form(call.headers, call.body)?;
        let new = validate::new_invoice(state, &request, Origin::Form { test_mode }, moment.now)?;
        let id = checkout::open(state, new, moment)?;
        return Ok(checkout::see_other(&state.page_url(&id)));
    }
    let request = request::flat(call.headers, call.body)?;
    let new = validate::new_invoice(state, &request, Origin::Public { test_mode }, moment.now)?;
    let id = state.create_invoice(new, moment)?;
    Ok(reply(state, StatusCode::CREATED, public::invoice(state, state.invoice(&id)?, true)))
}

fn create_invoice(
    state: &mut State,
    call: &Call<'_>,
    moment: Moment<'_>,
) -> Result<Reply, Refusal> {
    let (request, _) = request::enveloped(call.headers, call.body, "payment-invoices")?;
    let new = validate::new_invoice(state, &request, Origin::Private, moment.now)?;
    let id = state.create_invoice(new, moment)?;
    let data = private::invoice(state, state.invoice(&id)?, &Shown::Created);
    Ok(reply(state, StatusCode::CREATED, data))
}

fn create_refund(
    milkypay: &MilkyPay,
    state: &mut State,
    call: &Call<'_>,
    moment: Moment<'_>,
) -> Result<Reply, Refusal> {
    if !state.settings.refunds {
        return Err(Refusal::NotFound);
    }
    state.invoice(call.id)?;
    let (request, id) = request::enveloped(call.headers, call.body, "refund")?;
    let new = validate::new_refund(state, call.id, &request, id.as_deref())?;
    state.create_refund(call.id, new, moment.now)?;
    let shown = Shown::Read(milkypay.callback_logs(call.id));
    Ok(ok(state, private::invoice(state, state.invoice(call.id)?, &shown)))
}

/// Writes a refusal; a duplicate shows the invoice that was there before, in the API's shape.
pub(super) fn refuse(state: &State, operation: Operation, refusal: &Refusal) -> Reply {
    #[derive(Serialize)]
    struct Conflict<D: Serialize> {
        #[serde(skip_serializing_if = "Option::is_none")]
        errors: Option<Value>,
        data: D,
    }
    let Refusal::Duplicate(id) = refusal else { return refusal.reply() };
    let Some(invoice) = state.invoices.get(id) else { return refusal.reply() };
    let style = Style::of(&state.settings);
    let errors = refusal.body()["errors"].take();
    let errors = match state.settings.conflict_body {
        ConflictBody::ErrorsAndData => Some(errors),
        ConflictBody::Data => None,
        ConflictBody::Bare => {
            return Reply::json(refusal.status(), &super::errors::bare(refusal.status()));
        }
    };
    let status = refusal.status();
    if matches!(operation, Operation::CreateInvoice | Operation::CreateRefund) {
        let created = operation == Operation::CreateInvoice;
        let shown = if created { Shown::Created } else { Shown::Read(Map::new()) };
        let data = private::invoice(state, invoice, &shown);
        return style.reply(status, &Conflict { errors, data });
    }
    style.reply(status, &Conflict { errors, data: public::invoice(state, invoice, true) })
}
