//! The gateway's checkout page: a payer approves, declines or walks away.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, State as Shared};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;

use super::Ramp;
use super::gateway::Act;
use super::objects::Payment;
use super::pages;
use super::state::State;
use super::status::Status;
use crate::reply::Reply;

pub(super) fn routes() -> Router<Arc<Ramp>> {
    Router::new()
        .route("/checkout/{session}", get(show))
        .route("/checkout/{session}/pay", post(pay))
        .route("/checkout/{session}/leave", get(leave))
}

/// What the payer entered. Everything is text: a page never fails on what it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entered {
    outcome: String,
}

/// The payment of a session, unless its type was changed since.
fn payment<'a>(state: &'a State, session: &str) -> Option<&'a Payment> {
    state.payments.get(state.sessions.get(session)?)
}

async fn show(Shared(ramp): Shared<Arc<Ramp>>, Path(session): Path<String>) -> Response {
    ramp.with_state(|state, _| page(state, &session, None)).into_response()
}

fn page(state: &State, session: &str, notice: Option<&str>) -> Reply {
    match payment(state, session) {
        Some(payment) => pages::payment(state, payment, notice),
        None => pages::unknown(),
    }
}

async fn pay(
    Shared(ramp): Shared<Arc<Ramp>>,
    Path(session): Path<String>,
    Form(entered): Form<Entered>,
) -> Response {
    let reply = ramp.with_state(|state, moment| {
        let Some(payment) = payment(state, &session) else { return pages::unknown() };
        if payment.status != Status::Pending {
            return page(state, &session, None);
        }
        let id = payment.id.clone();
        let act = if entered.outcome == "decline" { Act::Decline } else { Act::Approve };
        match state.check_out(&id, act, moment) {
            Ok(location) => go(state, &session, location),
            Err(refusal) => page(state, &session, Some(refusal.message())),
        }
    });
    reply.into_response()
}

/// The payer leaves with nothing decided.
async fn leave(Shared(ramp): Shared<Arc<Ramp>>, Path(session): Path<String>) -> Response {
    let reply = ramp.with_state(|state, _| {
        let Some(payment) = payment(state, &session) else { return pages::unknown() };
        go(state, &session, state.return_url(payment))
    });
    reply.into_response()
}

/// Sends the browser to the merchant, or back to the page where there is no way that a browser
/// follows without a click.
fn go(state: &State, session: &str, location: Option<String>) -> Reply {
    let web = location.filter(|url| url.starts_with("http://") || url.starts_with("https://"));
    let location = web.unwrap_or_else(|| format!("{}checkout/{session}", state.base));
    Reply::redirect(StatusCode::SEE_OTHER, &location).unwrap_or_else(pages::unknown)
}
