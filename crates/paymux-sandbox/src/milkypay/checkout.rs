//! The pages payers see: `hpp_url`, the page behind `flow_data`, and the form's way there.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, Query, State as Shared};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use url::Url;

use super::MilkyPay;
use super::errors::{self, Refusal};
use super::objects::{Flow, NewInvoice};
use super::pages;
use super::state::{Moment, State};
use crate::reply::Reply;

pub(super) fn routes() -> Router<Arc<MilkyPay>> {
    Router::new()
        .route("/hpp", get(show))
        .route("/hpp/", get(show))
        .route("/hpp/{id}/pay", post(pay))
        .route("/hpp/{id}/cancel", post(cancel))
        .route("/hpp/{id}/return", get(leave))
        .route("/cardgate/hpp/{sid}", get(enter_by_link).post(enter_by_form))
}

/// What the payer entered. Everything is text: a page never fails on what it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entered {
    outcome: String,
    amount: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    cpi: String,
}

async fn show(Shared(milkypay): Shared<Arc<MilkyPay>>, Query(asked): Query<Asked>) -> Response {
    milkypay.with_state(|state, _| page(state, &asked.cpi, None).into_response())
}

fn page(state: &State, id: &str, notice: Option<&str>) -> Reply {
    match state.invoices.get(id) {
        Some(invoice) => pages::invoice(state, invoice, notice),
        None => pages::unknown(),
    }
}

async fn pay(
    Shared(milkypay): Shared<Arc<MilkyPay>>,
    Path(id): Path<String>,
    Form(entered): Form<Entered>,
) -> Response {
    let reply = milkypay.with_state(|state, moment| {
        if state.require_payable(&id).is_err() {
            return page(state, &id, None);
        }
        match act(state, &id, &entered, moment) {
            Ok(()) => see_other(&way_on(state, &id)),
            Err(Refusal::Invalid(wrong)) => {
                let notice = wrong.values().find_map(|message| message.as_str());
                page(state, &id, Some(notice.unwrap_or("This cannot be paid.")))
            }
            Err(_) => page(state, &id, None),
        }
    });
    reply.into_response()
}

fn act(state: &mut State, id: &str, entered: &Entered, moment: Moment<'_>) -> Result<(), Refusal> {
    match entered.outcome.as_str() {
        "" | "approve" => {
            let verifies = state.invoice(id)?.flow == Flow::Verify;
            let amount = Some(entered.amount.trim()).filter(|text| !text.is_empty() && !verifies);
            let amount = amount.map(|text| state.amount_for(id, text)).transpose()?;
            state.pay(id, amount, moment.now)
        }
        "processing" => state.start_payment(id, moment.now),
        resolution if pages::declines().any(|known| known == resolution) => {
            state.decline(id, resolution, moment.now)
        }
        _ => Err(Refusal::invalid("outcome", "Choose what your bank answers.")),
    }
}

/// Back to the merchant once it is over, otherwise the page again.
fn way_on(state: &State, id: &str) -> String {
    let over = state.invoices.get(id).is_some_and(|invoice| !invoice.is_payable());
    if over { format!("{}hpp/{id}/return", state.base) } else { state.page_url(id) }
}

async fn cancel(Shared(milkypay): Shared<Arc<MilkyPay>>, Path(id): Path<String>) -> Response {
    let reply = milkypay.with_state(|state, moment| {
        // An invoice that is over already shows what became of it.
        let _over = state.terminate(&id, moment.now);
        match state.invoices.get(&id) {
            Some(_) => see_other(&state.page_url(&id)),
            None => pages::unknown(),
        }
    });
    reply.into_response()
}

/// Sends the payer back to the merchant. A payer may also leave without having paid.
async fn leave(Shared(milkypay): Shared<Arc<MilkyPay>>, Path(id): Path<String>) -> Response {
    let reply = milkypay.with_state(|state, _| {
        let Some(invoice) = state.invoices.get(&id) else { return pages::unknown() };
        // A browser follows to another scheme only by a click, so those get a page.
        match invoice.return_address().map(Url::parse) {
            Some(Ok(url)) if matches!(url.scheme(), "http" | "https") => {
                redirect(StatusCode::FOUND, url.as_str())
            }
            Some(_) | None => see_other(&state.page_url(&id)),
        }
    });
    reply.into_response()
}

async fn enter_by_link(
    shared: Shared<Arc<MilkyPay>>,
    Path(sid): Path<String>,
    Query(params): Query<HashMap<String, String>>,
) -> Response {
    enter(&shared.0, &sid, "GET", &params)
}

async fn enter_by_form(
    shared: Shared<Arc<MilkyPay>>,
    Path(sid): Path<String>,
    Form(params): Form<HashMap<String, String>>,
) -> Response {
    enter(&shared.0, &sid, "POST", &params)
}

/// `flow_data` was followed. Method and parameters must be those it named.
fn enter(
    milkypay: &MilkyPay,
    sid: &str,
    method: &str,
    params: &HashMap<String, String>,
) -> Response {
    let reply = milkypay.with_state(|state, _| {
        let id = state.gates.get(sid);
        let Some(invoice) = id.and_then(|id| state.invoices.get(id)) else {
            return pages::unknown();
        };
        let expected = &invoice.gate.params;
        let same = expected.iter().all(|(name, value)| {
            let given = params.get(name).map(String::as_str);
            given == value.as_str() || given == Some(value.to_string().as_str())
        });
        if invoice.gate.method != method || !same {
            return pages::broken();
        }
        see_other(&state.page_url(&invoice.id))
    });
    reply.into_response()
}

/// The invoice of a form. A payer who sends the same form again comes to the same invoice.
pub(super) fn open(
    state: &mut State,
    new: NewInvoice,
    moment: Moment<'_>,
) -> Result<String, Refusal> {
    let (service, amount) = (new.service.clone(), new.amount);
    match state.create_invoice(new, moment) {
        Err(Refusal::Duplicate(id)) => {
            let earlier = state.invoice(&id)?;
            let same = earlier.service == service && earlier.amount == amount;
            if same { Ok(id) } else { Err(Refusal::Duplicate(id)) }
        }
        other => other,
    }
}

/// A form that was refused, as its sender, a person, sees it.
pub(super) fn refuse_form(refusal: &Refusal) -> Reply {
    let words = match refusal {
        Refusal::Invalid(_) => errors::words(&refusal.body()["errors"]),
        Refusal::Unauthorized => vec!["public_key: unknown key.".to_owned()],
        Refusal::Forbidden => vec!["This account takes no public invoices.".to_owned()],
        Refusal::Duplicate(_) => vec!["reference_id: used for another payment.".to_owned()],
        Refusal::BadRequest | Refusal::NotFound | Refusal::MethodNotAllowed => {
            vec!["The form could not be read.".to_owned()]
        }
    };
    pages::refused(refusal.status(), &words)
}

pub(super) fn see_other(location: &str) -> Reply {
    redirect(StatusCode::SEE_OTHER, location)
}

fn redirect(status: StatusCode, location: &str) -> Reply {
    Reply::redirect(status, location).unwrap_or_else(pages::unknown)
}
