//! Carries calls out: reads the request, changes the state, shows the result.

use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::errors::Refusal;
use super::objects::Invoice;
use super::operation::Operation;
use super::payments::Order;
use super::settings::UnknownPayment;
use super::state::{Moment, State};
use super::{validate, wire};
use crate::reply::Reply;

/// Rows of a page unless the request says how many.
const PAGE_SIZE: usize = 20;

/// A call as it came in.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) operation: Operation,
    /// What the path names.
    pub(super) id: Option<&'a str>,
    pub(super) query: &'a [(String, String)],
    pub(super) headers: &'a HeaderMap,
    pub(super) body: Result<Map<String, Value>, Refusal>,
}

/// Carries a call out.
pub(super) fn run(state: &mut State, call: Call<'_>, moment: Moment<'_>) -> Result<Reply, Refusal> {
    let operation = call.operation;
    if operation == Operation::CreateToken {
        let issued = state.token(call.headers, &call.body?, moment)?;
        return Ok(shown(&issued));
    }
    let user = state.authenticate(call.headers, moment.now)?;
    let id = call.id.unwrap_or_default();
    match operation {
        // Answered above, before anybody is asked who they are.
        Operation::CreateToken => Err(Refusal::NotFound("Not found")),
        Operation::GetInvoice => {
            let invoice = state.invoice_of(&user, id)?;
            Ok(shown(&wire::invoice(state, invoice, true)))
        }
        Operation::ListInvoices => list(state, &user, call.query),
        Operation::ApplyDiscount => {
            let body = call.body?;
            let (invoice, code) = validate::discount(&body)?;
            state.invoice_of(&user, invoice)?;
            state.apply_discount(invoice, code)?;
            Ok(shown(&wire::invoice(state, state.invoice(invoice)?, true)))
        }
        Operation::CreatePayment => {
            let order = order(state, call)?;
            let id = state.create_payment(&user, &order, moment)?;
            shown_payment(state, &id)
        }
        Operation::RetrievePayment => {
            let order = order(state, call)?;
            let id = retrieve(state, &user, order, moment)?;
            shown_payment(state, &id)
        }
        Operation::UpdatePayment => {
            let order = order(state, call)?;
            let id = state.update_payment(&user, &order, moment)?;
            shown_payment(state, &id)
        }
        Operation::ConfirmPayment => {
            let order = order(state, call)?;
            let id = state.confirm_payment(&user, &order, moment.now)?;
            shown_payment(state, &id)
        }
    }
}

fn order(state: &State, call: Call<'_>) -> Result<Order, Refusal> {
    validate::order(&state.settings, call.operation, &call.body?)
}

/// Operation 1 with a payment's id. It is "or create", which for an unknown id may be meant.
fn retrieve(
    state: &mut State,
    user: &str,
    order: Order,
    moment: Moment<'_>,
) -> Result<String, Refusal> {
    state.invoice_of(user, &order.invoice_id)?;
    match state.find_payment(user, &order) {
        Err(_) if state.settings.unknown_payment == UnknownPayment::Created => {
            let fresh = Order { payment_id: None, ..order };
            state.create_fresh_payment(user, &fresh, moment)
        }
        found => found,
    }
}

fn shown_payment(state: &State, id: &str) -> Result<Reply, Refusal> {
    Ok(shown(&wire::payment(state, state.payment(id)?)))
}

fn shown(body: &impl Serialize) -> Reply {
    Reply::json(StatusCode::OK, body)
}

/// The user's invoices, newest first. The envelope of a page is a guess in Spring's style.
fn list(state: &State, user: &str, query: &[(String, String)]) -> Result<Reply, Refusal> {
    let wanted = |name: &str| {
        let found = query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    let number = |name: &str, default: usize| match wanted(name).map(str::parse::<usize>) {
        None => Ok(default),
        Some(Ok(number)) => Ok(number),
        Some(Err(_)) => Err(Refusal::invalid(name, format!("{name} must be a number"))),
    };
    let (page, size) = (number("page", 0)?, number("size", PAGE_SIZE)?.clamp(1, 100));
    let fits = |invoice: &&Invoice| {
        let status = state.settings.words.of(invoice.status);
        let kinds = invoice.payments.iter().filter_map(|id| state.payments.get(id));
        invoice.user == user
            && wanted("status").is_none_or(|word| word == status)
            && wanted("type").is_none_or(|word| kinds.clone().any(|it| it.kind.word() == word))
            && wanted("search").is_none_or(|text| {
                [&invoice.id, &invoice.client_id, &invoice.description]
                    .iter()
                    .any(|field| field.contains(text))
            })
    };
    let all: Vec<&Invoice> = state.invoices.newest_first().filter(fits).collect();
    let rows: Vec<wire::Members> = all
        .iter()
        .skip(page.saturating_mul(size))
        .take(size)
        .map(|invoice| wire::invoice(state, invoice, false))
        .collect();
    if state.settings.bare_lists {
        return Ok(shown(&rows));
    }
    let mut list = wire::Members::default();
    list.put("content", &rows);
    list.put("totalElements", &all.len());
    list.put("totalPages", &all.len().div_ceil(size));
    list.put("number", &page);
    list.put("size", &size);
    Ok(shown(&list))
}
