//! The confirmation page: a payer accepts, rejects or walks away.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, State as Shared};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use serde::Deserialize;
use url::Url;

use super::Wallet;
use super::errors::Refusal;
use super::pages;
use super::state::{Moment, State};
use super::status::Status;
use super::transactions::Acceptance;
use crate::reply::Reply;

/// The page is at several documented paths; forms and links use the first.
pub(super) fn routes() -> Router<Arc<Wallet>> {
    Router::new()
        .route("/frontend/{lang}/wallet/confirm/{key}", get(show_in))
        .route("/frontend/wallet/confirm/{key}", get(show))
        .route("/wallet/confirm/{key}", get(show))
        .route("/frontend/{lang}/wallet/confirm/{key}/accept", post(accept))
        .route("/frontend/{lang}/wallet/confirm/{key}/reject", post(reject))
        .route("/frontend/{lang}/wallet/confirm/{key}/return", get(leave))
}

/// What the payer entered. Everything is text: a page never fails on what it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Entered {
    pub(super) wallet: String,
    pub(super) method: String,
    pin: String,
    /// Present when the allowance is wanted.
    allowance: Option<String>,
}

async fn show_in(
    wallet: Shared<Arc<Wallet>>,
    Path((_lang, key)): Path<(String, String)>,
) -> Response {
    show(wallet, Path(key)).await
}

async fn show(Shared(wallet): Shared<Arc<Wallet>>, Path(key): Path<String>) -> Response {
    wallet.with_state(|state, _| page(state, &key, None).into_response())
}

fn page(state: &State, key: &str, notice: Option<(&str, &Entered)>) -> Reply {
    match state.transactions.get(key) {
        Some(transaction) => pages::transaction(state, transaction, notice),
        None => pages::unknown(),
    }
}

async fn accept(
    Shared(wallet): Shared<Arc<Wallet>>,
    Path((_lang, key)): Path<(String, String)>,
    Form(entered): Form<Entered>,
) -> Response {
    let reply = wallet.with_state(|state, moment| {
        if state.transaction(&key).is_ok_and(|it| it.status != Status::New) {
            return page(state, &key, None);
        }
        match act(state, &key, &entered, moment) {
            Ok(()) => see_other(&format!("{}/return", state.page_url(&key))),
            Err(refusal) => {
                let (code, words) = refusal.code_and_words();
                page(state, &key, Some((words.unwrap_or(code), &entered)))
            }
        }
    });
    reply.into_response()
}

fn act(state: &mut State, key: &str, entered: &Entered, moment: Moment<'_>) -> Result<(), Refusal> {
    let wallet: Option<i64> = entered.wallet.parse().ok();
    let user = wallet.and_then(|wallet| state.users.get(&wallet).zip(Some(wallet)));
    let (user, wallet) = user.ok_or_else(|| Refusal::invalid("wallet", "Choose who pays"))?;
    if user.is.pin.as_ref().is_some_and(|pin| *pin != entered.pin.trim()) {
        return Err(Refusal::invalid("pin", "The PIN is not right"));
    }
    let acceptance = Acceptance {
        funds_later: entered.method == "bank",
        without_allowance: entered.allowance.is_none(),
        ..Acceptance::on_page(wallet)
    };
    state.accept(key, acceptance, moment.now)
}

async fn reject(
    Shared(wallet): Shared<Arc<Wallet>>,
    Path((_lang, key)): Path<(String, String)>,
) -> Response {
    let reply = wallet.with_state(|state, moment| {
        // A transaction that is over already shows what became of it.
        let _over = state.reject(&key, moment.now);
        match state.transactions.get(&key) {
            Some(_) => see_other(&state.page_url(&key)),
            None => pages::unknown(),
        }
    });
    reply.into_response()
}

/// Sends the payer back to the merchant, whatever has happened. Nothing is added to the address:
/// no document says that anything is.
async fn leave(
    Shared(wallet): Shared<Arc<Wallet>>,
    Path((_lang, key)): Path<(String, String)>,
) -> Response {
    let reply = wallet.with_state(|state, _| {
        let Some(transaction) = state.transactions.get(&key) else { return pages::unknown() };
        // A browser follows to another scheme only by a click, so those get a page.
        match transaction.terms.redirect_uri.as_deref().map(Url::parse) {
            Some(Ok(url)) if matches!(url.scheme(), "http" | "https") => see_other(url.as_str()),
            Some(_) | None => see_other(&state.page_url(&key)),
        }
    });
    reply.into_response()
}

pub(super) fn see_other(location: &str) -> Reply {
    Reply::redirect(StatusCode::SEE_OTHER, location).unwrap_or_else(pages::unknown)
}
