//! The checkout pages a session's `url` leads to.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, Query, State as Shared};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use url::Url;

use super::ToffeePay;
use super::objects::{PaymentStatus, SessionStatus};
use super::pages::{self, Choices};
use super::payer::{Decline, Method, Payer};
use super::state::State;
use super::validate::is_country;
use crate::reply::Reply;

pub(super) fn routes() -> Router<Arc<ToffeePay>> {
    Router::new()
        .route("/checkout/{id}", get(show))
        .route("/checkout/{id}/pay", post(pay))
        .route("/checkout/{id}/cancel", post(cancel))
        .route("/checkout/{id}/return", get(leave))
}

/// What the buyer entered. Everything is text: a page never fails on what it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entered {
    method: String,
    country: String,
    outcome: String,
}

impl Entered {
    fn choices(&self) -> Choices {
        Choices {
            method: Method::of_word(&self.method).unwrap_or_default(),
            country: Some(self.country.clone()).filter(|country| is_country(country)),
            outcome: self.outcome.clone(),
        }
    }
}

async fn show(
    Shared(toffeepay): Shared<Arc<ToffeePay>>,
    Path(id): Path<String>,
    Query(entered): Query<Entered>,
) -> Response {
    toffeepay.with_state(|state, _| page(state, &id, &entered.choices(), None))
}

fn page(state: &State, id: &str, choices: &Choices, notice: Option<&str>) -> Response {
    match state.sessions.get(id) {
        Some(session) => pages::session(state, session, choices, notice),
        None => pages::unknown(),
    }
}

async fn pay(
    Shared(toffeepay): Shared<Arc<ToffeePay>>,
    Path(id): Path<String>,
    Form(entered): Form<Entered>,
) -> Response {
    let choices = entered.choices();
    toffeepay.with_state(|state, moment| {
        if !state.sessions.get(&id).is_some_and(|session| session.status == SessionStatus::Pending)
        {
            return page(state, &id, &choices, None);
        }
        if choices.country.is_none() {
            return page(state, &id, &choices, Some("Choose your billing country to continue."));
        }
        let decline = match choices.outcome.as_str() {
            "decline" => Some(Decline::Declined),
            "insufficient_funds" => Some(Decline::InsufficientFunds),
            _ => None,
        };
        let country = choices.country.clone();
        let payer = Payer { method: choices.method, country, decline, bonus_amount: 0 };
        let paid = if choices.outcome == "processing" {
            state.start_payment(&id, payer, moment)
        } else {
            state.pay(&id, payer, moment)
        };
        let status = match paid.and_then(|payment| Ok(state.payment(&payment)?.status)) {
            Ok(status) => status,
            Err(refusal) => return page(state, &id, &choices, Some(&refusal.message)),
        };
        match status {
            PaymentStatus::Succeeded | PaymentStatus::Authorized => {
                see_other(&format!("{}{id}/return", state.checkout))
            }
            PaymentStatus::Processing
            | PaymentStatus::Failed
            | PaymentStatus::Cancelled
            | PaymentStatus::Refunded => see_other(&address(state, &id, &choices)),
        }
    })
}

/// The page again, with what was chosen.
fn address(state: &State, id: &str, choices: &Choices) -> String {
    let mut url = state.checkout.clone();
    url.set_path(&format!("{}{id}", state.checkout.path()));
    url.query_pairs_mut()
        .append_pair("method", choices.method.word())
        .append_pair("country", choices.country.as_deref().unwrap_or_default());
    url.into()
}

async fn cancel(Shared(toffeepay): Shared<Arc<ToffeePay>>, Path(id): Path<String>) -> Response {
    toffeepay.with_state(|state, moment| {
        // A session that is over already shows what became of it.
        let _over = state.cancel_session(&id, moment.now);
        if state.sessions.get(&id).is_none() {
            return pages::unknown();
        }
        see_other(&format!("{}{id}", state.checkout))
    })
}

/// Sends the buyer back to the merchant once money is held or taken.
async fn leave(Shared(toffeepay): Shared<Arc<ToffeePay>>, Path(id): Path<String>) -> Response {
    toffeepay.with_state(|state, _| {
        let Some(session) = state.sessions.get(&id) else { return pages::unknown() };
        let held = state.live_payment(&id).is_some_and(|p| p.status == PaymentStatus::Authorized);
        if session.status != SessionStatus::Paid && !held {
            return see_other(&session.url);
        }
        // A browser follows to another scheme only by a click, so those get a page.
        match Url::parse(&session.return_url) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {
                redirect(StatusCode::FOUND, url.as_str())
            }
            Ok(_) | Err(_) => pages::session(state, session, &Choices::default(), None),
        }
    })
}

fn see_other(location: &str) -> Response {
    redirect(StatusCode::SEE_OTHER, location)
}

fn redirect(status: StatusCode, location: &str) -> Response {
    Reply::redirect(status, location).map_or_else(pages::unknown, Reply::into_response)
}
