//! The control API of the wallet: what payers, beneficiaries and the provider do.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use axum::routing::{get, post, put};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::users::USUAL_PAYER;
use super::{Wallet, WalletSandbox, WalletUser, wire};
use crate::SandboxError;
use crate::control::{Route, changed, done, no_such_action, with_body};

/// The routes as the help lists them.
pub(crate) const ROUTES: &[Route] = &[
    Route { method: "GET", path: "/state", about: "All objects of the wallet", example: "" },
    Route {
        method: "PUT",
        path: "/webhook",
        about: "Where callbacks go unless a transaction names its own URL (null: nowhere)",
        example: r#"{"url":"http://127.0.0.1:8080/webhooks/wallet"}"#,
    },
    Route { method: "GET", path: "/settings", about: "The settings", example: "" },
    Route {
        method: "PUT",
        path: "/settings",
        about: "Changes the settings that are named",
        example: r#"{"words":"older","clock_skew_seconds":3600,"settle_seconds":60}"#,
    },
    Route {
        method: "POST",
        path: "/users",
        about: "Registers or replaces a user with a wallet; cents by currency",
        example: r#"{"name":"Carl","email":"carl@example.com","pin":"1111","balance":{"EUR":5000}}"#,
    },
    Route {
        method: "POST",
        path: "/users/{wallet}/funds",
        about: "Puts money into a wallet, in cents",
        example: r#"{"currency":"EUR","amount":5000}"#,
    },
    Route {
        method: "POST",
        path: "/users/{wallet}/authorize",
        about: "The user lets the client act for them; answers with a code for the token endpoint",
        example: r#"{"scopes":["check_has_sufficient_balance"]}"#,
    },
    Route {
        method: "POST",
        path: "/transactions/{key}/accept",
        about: "A payer accepts; with funds_later, before the money is there",
        example: r#"{"wallet":14471,"funds_later":false}"#,
    },
    Route {
        method: "POST",
        path: "/transactions/{key}/reject",
        about: "The payer refuses",
        example: "",
    },
    Route {
        method: "POST",
        path: "/transactions/{key}/lapse",
        about: "The time to accept, or to confirm, is over",
        example: "",
    },
    Route {
        method: "POST",
        path: "/transactions/{key}/fail",
        about: "It fails for another reason",
        example: "",
    },
    Route {
        method: "POST",
        path: "/payments/{id}/password",
        about: "The beneficiary gives the password",
        example: r#"{"password":"secret"}"#,
    },
    Route {
        method: "POST",
        path: "/allowances/{id}/cancel",
        about: "The payer cancels an allowance",
        example: "",
    },
];

type Shop = Shared<WalletSandbox>;

pub(crate) fn routes(wallet: Arc<Wallet>) -> Router {
    Router::new()
        .route("/state", get(state))
        .route("/webhook", put(webhook))
        .route("/settings", get(settings).put(change_settings))
        .route("/users", post(user))
        .route("/users/{wallet}/funds", post(funds))
        .route("/users/{wallet}/authorize", post(authorize))
        .route("/transactions/{key}/{action}", post(transaction))
        .route("/payments/{id}/password", post(password))
        .route("/allowances/{id}/cancel", post(cancel_allowance))
        .with_state(WalletSandbox { inner: wallet })
}

async fn state(Shared(shop): Shop) -> Response {
    done(Ok(shop.snapshot()))
}

async fn webhook(Shared(shop): Shop, body: Bytes) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Webhook {
        url: Option<Url>,
    }
    with_body(&body, |webhook: Webhook| {
        shop.set_callback_url(webhook.url)?;
        Ok(json!({"url": shop.inner.webhooks.url(), "public_key": shop.public_key()}))
    })
}

async fn settings(Shared(shop): Shop) -> Response {
    done(Ok(json!(shop.settings())))
}

async fn change_settings(Shared(shop): Shop, body: Bytes) -> Response {
    with_body(&body, |changes: Map<String, Value>| {
        let settings = changed(&shop.settings(), changes)?;
        shop.set_settings(settings.clone());
        Ok(json!(settings))
    })
}

async fn user(Shared(shop): Shop, body: Bytes) -> Response {
    with_body(&body, |user: WalletUser| Ok(json!({"wallet": shop.set_user(user)?})))
}

async fn funds(Shared(shop): Shop, Path(wallet): Path<i64>, body: Bytes) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Funds {
        currency: String,
        amount: i64,
    }
    with_body(&body, |funds: Funds| {
        shop.add_funds(wallet, &funds.currency, funds.amount)?;
        let (at_disposal, reserved) = shop.balance(wallet, &funds.currency);
        Ok(json!({"at_disposal": at_disposal, "reserved": reserved}))
    })
}

async fn authorize(Shared(shop): Shop, Path(wallet): Path<i64>, body: Bytes) -> Response {
    #[derive(Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Authorize {
        scopes: Vec<String>,
        redirect_uri: Option<String>,
    }
    with_body(&body, |it: Authorize| {
        let scopes: Vec<&str> = it.scopes.iter().map(String::as_str).collect();
        let code = shop.authorize(wallet, &scopes, it.redirect_uri.as_deref())?;
        Ok(json!({"code": code}))
    })
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Accept {
    wallet: i64,
    funds_later: bool,
}

impl Default for Accept {
    fn default() -> Self {
        Accept { wallet: USUAL_PAYER, funds_later: false }
    }
}

async fn transaction(
    Shared(shop): Shop,
    Path((key, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let key = key.as_str();
    let shown = |acted: Result<(), SandboxError>| {
        acted?;
        Ok(shop.inner.with_state(|state, _| {
            state.transactions.get(key).map(|it| wire::transaction(state, it)).unwrap_or_default()
        }))
    };
    match action.as_str() {
        "accept" => with_body(&body, |it: Accept| {
            shown(if it.funds_later {
                shop.accept_without_funds(key, it.wallet)
            } else {
                shop.accept(key, it.wallet)
            })
        }),
        "reject" => done(shown(shop.reject(key))),
        "lapse" => done(shown(shop.lapse(key))),
        "fail" => done(shown(shop.fail(key))),
        _ => no_such_action(),
    }
}

async fn password(Shared(shop): Shop, Path(id): Path<i64>, body: Bytes) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Password {
        password: String,
    }
    with_body(&body, |it: Password| {
        shop.give_password(id, &it.password)?;
        Ok(json!({}))
    })
}

async fn cancel_allowance(Shared(shop): Shop, Path(id): Path<i64>) -> Response {
    done(shop.cancel_allowance(id).map(|()| json!({})))
}
