//! The page where a user lets the client act for them, which leads back with a code.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Query, State as Shared};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use serde::Deserialize;
use url::Url;

use super::Wallet;
use super::checkout::see_other;
use super::pages;
use super::state::{Moment, State};
use crate::html::Html;
use crate::page::alert;
use crate::reply::Reply;

const FORM: &str = include_str!("../assets/wallet_consent.html");

pub(super) fn routes() -> Router<Arc<Wallet>> {
    let page = || get(show).post(decide);
    Router::new().route("/frontend/oauth", page()).route("/frontend/{lang}/oauth", page())
}

/// What the client asks, and what the user entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    response_type: String,
    client_id: String,
    scope: String,
    redirect_uri: String,
    state: String,
    wallet: String,
    pin: String,
    decision: String,
}

impl Asked {
    /// Where to go back to; nothing when the request is not one of this client.
    fn back(&self, wallet: &Wallet) -> Option<Url> {
        let url = Url::parse(&self.redirect_uri).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        url.filter(|_| self.client_id == wallet.config.client_id)
    }

    fn scopes(&self) -> Vec<String> {
        self.scope.split_whitespace().map(str::to_owned).collect()
    }
}

async fn show(Shared(wallet): Shared<Arc<Wallet>>, Query(asked): Query<Asked>) -> Response {
    let known = asked.response_type == "code" && asked.back(&wallet).is_some();
    let reply =
        wallet.with_state(|state, _| if known { page(state, &asked, "") } else { pages::broken() });
    reply.into_response()
}

fn page(state: &State, asked: &Asked, notice: &str) -> Reply {
    let notice = if notice.is_empty() { Html::default() } else { alert("Not accepted.", notice) };
    let values = [
        ("client", Html::text(&asked.client_id)),
        ("scope", Html::text(&asked.scope)),
        ("redirect_uri", Html::text(&asked.redirect_uri)),
        ("state", Html::text(&asked.state)),
        ("path", Html::text(format!("{}frontend/oauth", state.base.path()))),
        ("payer", pages::payer_fields(state, &asked.wallet)),
        ("notice", notice),
    ];
    pages::single("Consent", Html::fill(FORM, &values), StatusCode::OK)
}

async fn decide(Shared(wallet): Shared<Arc<Wallet>>, Form(asked): Form<Asked>) -> Response {
    let Some(mut back) = asked.back(&wallet) else { return pages::broken().into_response() };
    let reply = wallet.with_state(|state, moment| {
        if asked.decision == "deny" {
            back.query_pairs_mut().append_pair("error", "access_denied");
        } else {
            let Some(code) = agree(state, &asked, moment) else {
                return page(state, &asked, "The PIN is not right.");
            };
            back.query_pairs_mut().append_pair("code", &code);
        }
        if !asked.state.is_empty() {
            back.query_pairs_mut().append_pair("state", &asked.state);
        }
        see_other(back.as_str())
    });
    reply.into_response()
}

/// The code, if the user is who they say.
fn agree(state: &mut State, asked: &Asked, moment: Moment<'_>) -> Option<String> {
    let wallet: i64 = asked.wallet.parse().ok()?;
    let pin = state.users.get(&wallet)?.is.pin.as_deref();
    if pin.is_some_and(|pin| pin != asked.pin.trim()) {
        return None;
    }
    state.authorize(wallet, &asked.scopes(), Some(&asked.redirect_uri), moment).ok()
}
