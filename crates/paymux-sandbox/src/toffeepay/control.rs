//! The control API of ToffeePay: what buyers, banks and the provider's dashboard do.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use axum::routing::{get, post, put};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::objects::Payment;
use super::payer::{Decline, Payer, RefundOutcome, Step, TopUp};
use super::settings::Game;
use super::{ToffeePay, ToffeePaySandbox};
use crate::SandboxError;
use crate::control::{Route, changed, done, no_such_action, read, with_body};
use crate::webhook::WebhookScheme;

/// The routes as the help lists them.
pub(crate) const ROUTES: &[Route] = &[
    Route { method: "GET", path: "/state", about: "All objects of ToffeePay", example: "" },
    Route {
        method: "PUT",
        path: "/webhook",
        about: "Where webhooks go (null: nowhere) and which generation: legacy or standard",
        example: r#"{"url":"http://127.0.0.1:8080/webhooks/toffeepay","scheme":"legacy"}"#,
    },
    Route { method: "GET", path: "/settings", about: "The settings", example: "" },
    Route {
        method: "PUT",
        path: "/settings",
        about: "Changes the settings that are named",
        example: r#"{"wrapped":true,"error_shape":"enveloped","merchant_balance":1000}"#,
    },
    Route {
        method: "PUT",
        path: "/games/{game_id}",
        about: "Registers or changes a game; capture is automatic or manual",
        example: r#"{"capture":"manual","wallet":true}"#,
    },
    Route {
        method: "POST",
        path: "/sessions/{id}/pay",
        about: "The buyer pays; every field may be left out",
        example: r#"{"method":"apple_pay","country":"DE"}"#,
    },
    Route {
        method: "POST",
        path: "/sessions/{id}/decline",
        about: "An attempt that is declined: declined or insufficient_funds",
        example: r#"{"reason":"insufficient_funds"}"#,
    },
    Route {
        method: "POST",
        path: "/sessions/{id}/start",
        about: "The buyer starts to pay; the payment stays in processing",
        example: r#"{"method":"card"}"#,
    },
    Route {
        method: "POST",
        path: "/sessions/{id}/authorize",
        about: "The buyer pays and the money is held",
        example: "{}",
    },
    Route {
        method: "POST",
        path: "/sessions/{id}/cancel-attempt",
        about: "The attempt under way, or a new one, is cancelled",
        example: "",
    },
    Route {
        method: "POST",
        path: "/sessions/{id}/abandon",
        about: "The buyer presses Cancel: the session is cancelled",
        example: "",
    },
    Route {
        method: "POST",
        path: "/sessions/{id}/expire",
        about: "The session's time is over",
        example: "",
    },
    Route {
        method: "POST",
        path: "/payments/{id}/{step}",
        about: "Moves a payment: authorize, succeed, fail or cancel",
        example: "",
    },
    Route {
        method: "POST",
        path: "/topups",
        about: "A wallet user starts a top-up; outcome (authorize, succeed, fail, cancel) may be left out",
        example: r#"{"amount":2499,"reward":500,"outcome":"succeed"}"#,
    },
    Route {
        method: "POST",
        path: "/topups/{id}/{step}",
        about: "Moves a top-up: authorize, succeed, fail or cancel",
        example: "",
    },
    Route {
        method: "POST",
        path: "/refunds/{id}/{outcome}",
        about: "Ends a refund: succeed, fail or cancel",
        example: "",
    },
];

type Shop = Shared<ToffeePaySandbox>;

pub(crate) fn routes(toffeepay: Arc<ToffeePay>) -> Router {
    Router::new()
        .route("/state", get(state))
        .route("/webhook", put(webhook))
        .route("/settings", get(settings).put(change_settings))
        .route("/games/{game_id}", put(game))
        .route("/sessions/{id}/{action}", post(session))
        .route("/payments/{id}/{step}", post(payment))
        .route("/topups", post(topup))
        .route("/topups/{id}/{step}", post(step_topup))
        .route("/refunds/{id}/{outcome}", post(refund))
        .with_state(ToffeePaySandbox { inner: toffeepay })
}

async fn state(Shared(shop): Shop) -> Response {
    done(Ok(shop.snapshot()))
}

async fn webhook(Shared(shop): Shop, body: Bytes) -> Response {
    with_body(&body, |changes: Map<String, Value>| {
        for name in changes.keys() {
            if name != "url" && name != "scheme" {
                return Err(SandboxError::Configuration(format!("unknown field {name:?}")));
            }
        }
        let scheme: Option<WebhookScheme> = changes.get("scheme").cloned().map(read).transpose()?;
        let url: Option<Option<Url>> = changes.get("url").cloned().map(read).transpose()?;
        if let Some(url) = url {
            shop.set_webhook_url(url)?;
        }
        if let Some(scheme) = scheme {
            shop.set_webhook_scheme(scheme);
        }
        Ok(json!({
            "url": shop.inner.webhooks.url(),
            "scheme": shop.inner.scheme(),
            "secret": shop.webhook_secret(),
        }))
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

async fn game(Shared(shop): Shop, Path(game_id): Path<String>, body: Bytes) -> Response {
    with_body(&body, |game: Game| {
        shop.set_game(game_id, game);
        Ok(json!(game))
    })
}

async fn session(
    Shared(shop): Shop,
    Path((id, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    match action.as_str() {
        "pay" => with_body(&body, |payer: Payer| show(&shop, &shop.pay(&id, payer)?)),
        "start" => with_body(&body, |payer: Payer| show(&shop, &shop.start_payment(&id, payer)?)),
        "authorize" => with_body(&body, |payer: Payer| show(&shop, &shop.authorize(&id, payer)?)),
        "decline" => with_body(&body, |declined: Declined| {
            let payer = declined.payer.declined(declined.reason);
            show(&shop, &shop.pay(&id, payer)?)
        }),
        "cancel-attempt" => {
            done(shop.cancel_attempt(&id).and_then(|payment| show(&shop, &payment)))
        }
        "abandon" => done(shop.abandon(&id).map(|()| json!({}))),
        "expire" => done(shop.expire(&id).map(|()| json!({}))),
        _ => no_such_action(),
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Declined {
    reason: Decline,
    payer: Payer,
}

/// The payment an action was about.
fn show(shop: &ToffeePaySandbox, payment_id: &str) -> Result<Value, SandboxError> {
    let payment: Option<Payment> =
        shop.inner.with_state(|state, _| state.payments.get(payment_id).cloned());
    Ok(json!({"payment": payment}))
}

async fn payment(Shared(shop): Shop, Path((id, step)): Path<(String, String)>) -> Response {
    done(read::<Step>(step.into()).and_then(|step| {
        shop.step_payment(&id, step)?;
        show(&shop, &id)
    }))
}

async fn topup(Shared(shop): Shop, body: Bytes) -> Response {
    with_body(&body, |top_up: TopUp| Ok(json!({"id": shop.top_up(top_up)?})))
}

async fn step_topup(Shared(shop): Shop, Path((id, step)): Path<(String, String)>) -> Response {
    let step = read::<Step>(step.into());
    done(step.and_then(|step| shop.step_topup(&id, step)).map(|()| json!({})))
}

async fn refund(Shared(shop): Shop, Path((id, outcome)): Path<(String, String)>) -> Response {
    let outcome = read::<RefundOutcome>(outcome.into());
    done(outcome.and_then(|outcome| shop.settle_refund(&id, outcome)).map(|()| json!({})))
}
