//! The control API of MilkyPay: what payers, banks, operators and the dashboard do.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State as Shared};
use axum::response::Response;
use axum::routing::{get, post, put};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::services::Service;
use super::{MilkyPay, MilkyPaySandbox, StatusChange};
use crate::SandboxError;
use crate::control::{Route, changed, done, no_such_action, with_body};

/// The routes as the help lists them.
pub(crate) const ROUTES: &[Route] = &[
    Route { method: "GET", path: "/state", about: "All objects of MilkyPay", example: "" },
    Route {
        method: "PUT",
        path: "/webhook",
        about: "Where callbacks go unless an invoice names its own URL (null: nowhere)",
        example: r#"{"url":"http://127.0.0.1:8080/webhooks/milkypay"}"#,
    },
    Route { method: "GET", path: "/settings", about: "The settings", example: "" },
    Route {
        method: "PUT",
        path: "/settings",
        about: "Changes the settings that are named",
        example: r#"{"number_style":"float_tail","conflict_body":"bare","refund_delay_seconds":60}"#,
    },
    Route {
        method: "PUT",
        path: "/services/{code}",
        about: "Registers or changes a service",
        example: r#"{"method":"payment_card","currency":"SEK","decimals":2,"amount_max":"5000"}"#,
    },
    Route {
        method: "POST",
        path: "/invoices/{id}/pay",
        about: "The payer pays; without an amount, what is open",
        example: r#"{"amount":"60.50"}"#,
    },
    Route {
        method: "POST",
        path: "/invoices/{id}/decline",
        about: "An attempt that is declined; too many of them end the invoice",
        example: r#"{"resolution":"insufficient_funds"}"#,
    },
    Route {
        method: "POST",
        path: "/invoices/{id}/fail",
        about: "The invoice fails for good",
        example: r#"{"resolution":"antifraud_error"}"#,
    },
    Route {
        method: "POST",
        path: "/invoices/{id}/start",
        about: "The payer has entered everything and the outcome is open",
        example: "",
    },
    Route {
        method: "POST",
        path: "/invoices/{id}/expire",
        about: "The invoice's time is over",
        example: "",
    },
    Route {
        method: "POST",
        path: "/invoices/{id}/terminate",
        about: "A person stops the invoice",
        example: "",
    },
    Route {
        method: "POST",
        path: "/invoices/{id}/moderate",
        about: "The payer has paid and a moderator has to agree",
        example: "",
    },
    Route {
        method: "POST",
        path: "/invoices/{id}/approve",
        about: "The moderator agrees",
        example: "",
    },
    Route {
        method: "POST",
        path: "/invoices/{id}/status",
        about: "Puts the invoice into any status by hand; amount: paid, returned or charged back",
        example: r#"{"status":"process_pending","resolution":"auth_3ds_required"}"#,
    },
    Route {
        method: "POST",
        path: "/invoices/{id}/charge-back",
        about: "The payer's bank takes money back; without an amount, all",
        example: r#"{"amount":"55"}"#,
    },
    Route {
        method: "POST",
        path: "/invoices/{id}/reserve",
        about: "The platform withholds a part of the proceeds for some minutes",
        example: r#"{"amount":"10","minutes":1440}"#,
    },
    Route {
        method: "POST",
        path: "/invoices/{id}/settle-refund",
        about: "Ends the refund that is open",
        example: r#"{"succeeds":false}"#,
    },
];

type Shop = Shared<MilkyPaySandbox>;

pub(crate) fn routes(milkypay: Arc<MilkyPay>) -> Router {
    Router::new()
        .route("/state", get(state))
        .route("/webhook", put(webhook))
        .route("/settings", get(settings).put(change_settings))
        .route("/services/{code}", put(service))
        .route("/invoices/{id}/{action}", post(invoice))
        .with_state(MilkyPaySandbox { inner: milkypay })
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
        Ok(json!({
            "url": shop.inner.webhooks.url(),
            "secret_test": shop.secret_test(),
            "secret_live": shop.secret_live(),
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

async fn service(Shared(shop): Shop, Path(code): Path<String>, body: Bytes) -> Response {
    with_body(&body, |service: Service| {
        shop.set_service(code, service.clone())?;
        Ok(json!(service))
    })
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Money {
    amount: Option<String>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Failure {
    resolution: String,
}

impl Default for Failure {
    fn default() -> Self {
        Failure { resolution: "declined".to_owned() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reserve {
    amount: String,
    minutes: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcome {
    succeeds: bool,
}

async fn invoice(
    Shared(shop): Shop,
    Path((id, action)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let id = id.as_str();
    let shown = |acted: Result<(), SandboxError>| acted.map(|()| show(&shop, id));
    match action.as_str() {
        "pay" => with_body(&body, |money: Money| {
            shown(match &money.amount {
                Some(amount) => shop.pay_amount(id, amount),
                None => shop.pay(id),
            })
        }),
        "decline" => with_body(&body, |it: Failure| shown(shop.decline(id, &it.resolution))),
        "fail" => with_body(&body, |it: Failure| shown(shop.fail(id, &it.resolution))),
        "start" => done(shown(shop.start_payment(id))),
        "expire" => done(shown(shop.expire(id))),
        "terminate" => done(shown(shop.terminate(id))),
        "moderate" => done(shown(shop.moderate(id))),
        "approve" => done(shown(shop.approve(id))),
        "status" => with_body(&body, |change: StatusChange| shown(shop.set_status(id, &change))),
        "charge-back" => {
            with_body(&body, |money: Money| shown(shop.charge_back(id, money.amount.as_deref())))
        }
        "reserve" => {
            with_body(&body, |it: Reserve| shown(shop.reserve(id, &it.amount, it.minutes)))
        }
        "settle-refund" => {
            with_body(&body, |it: Outcome| shown(shop.settle_refund(id, it.succeeds)))
        }
        _ => no_such_action(),
    }
}

/// The invoice an action was about.
fn show(shop: &MilkyPaySandbox, id: &str) -> Value {
    shop.inner.with_state(|state, _| json!({"invoice": state.invoices.get(id)}))
}
