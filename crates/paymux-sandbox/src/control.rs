//! The control API: time, faults, webhooks, and what people and banks do.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::fault;
use crate::reply::Reply;
use crate::{Providers, SandboxError, milkypay, ramp, toffeepay, wallet};

/// One route of the control API as its help lists it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) about: &'static str,
    /// A body that works, or nothing.
    pub(crate) example: &'static str,
}

const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/time/advance",
        about: "Moves virtual time forward and lets happen what is due",
        example: r#"{"seconds":3600}"#,
    },
    Route {
        method: "POST",
        path: "/reset",
        about: "Forgets objects, faults, webhooks and changed settings",
        example: "",
    },
    Route {
        method: "GET",
        path: "/faults",
        about: "Faults that have not happened yet",
        example: "",
    },
    Route {
        method: "POST",
        path: "/faults",
        about: "Injects a fault: drop_reply, error_after_commit, error_before, delay_reply, \
                truncate_reply, garbage_reply, unknown_status, drop_webhook, duplicate_webhook, \
                delay_webhook, reorder_webhook, bad_signature",
        example: r#"{"kind":"drop_reply","operation":"CreateSession","times":1}"#,
    },
    Route { method: "DELETE", path: "/faults", about: "Forgets all faults", example: "" },
    Route {
        method: "GET",
        path: "/webhooks",
        about: "Deliveries with their attempts",
        example: "",
    },
    Route {
        method: "POST",
        path: "/webhooks/release",
        about: "Sends what delay_webhook and reorder_webhook hold back",
        example: "",
    },
];

/// Everything below `/control`.
pub(crate) fn routes(providers: &Arc<Providers>) -> Router {
    Router::new()
        .route("/", get(help))
        .route("/time/advance", post(advance))
        .route("/reset", post(reset))
        .route("/faults", get(list_faults).post(inject).delete(clear_faults))
        .route("/webhooks", get(list_webhooks))
        .route("/webhooks/release", post(release_webhooks))
        .with_state(Arc::clone(providers))
        .nest("/toffeepay", toffeepay::control_routes(Arc::clone(&providers.toffeepay)))
        .nest("/milkypay", milkypay::control_routes(Arc::clone(&providers.milkypay)))
        .nest("/wallet", wallet::control_routes(Arc::clone(&providers.wallet)))
        .nest("/ramp", ramp::control_routes(Arc::clone(&providers.ramp)))
        .fallback(async || failed(StatusCode::NOT_FOUND, "no such route; GET /control lists them"))
        .layer(from_fn_with_state(Arc::clone(providers), refuse_other_sites))
}

/// A page of another site must not drive the sandbox through a visitor's browser.
async fn refuse_other_sites(
    Shared(providers): Shared<Arc<Providers>>,
    request: Request,
    next: Next,
) -> Response {
    let ours = providers.root.origin().ascii_serialization();
    match request.headers().get(header::ORIGIN) {
        Some(origin) if origin != ours.as_str() => {
            failed(StatusCode::FORBIDDEN, "requests of other sites are refused")
        }
        Some(_) | None => next.run(request).await,
    }
}

async fn help(Shared(providers): Shared<Arc<Providers>>, headers: HeaderMap) -> Response {
    let root = providers.root.as_str();
    let mut lines = vec![
        "The control API of the paymux sandbox: JSON in, JSON out, no key, this machine only."
            .to_owned(),
        format!("Virtual time: {}", providers.world.clock.now()),
        format!("ToffeePay API: {root}toffeepay, key {}", providers.toffeepay.api_key()),
        format!(
            "MilkyPay: {root}milkypay, account {}, key {}, public key {}",
            providers.milkypay.config().account_id,
            providers.milkypay.config().api_key,
            providers.milkypay.config().public_key_test
        ),
        format!(
            "Wallet: {root}wallet, client {}, MAC key {}",
            providers.wallet.config().client_id,
            providers.wallet.config().mac_key
        ),
        format!("Ramp: {root}ramp, token {}", providers.ramp.config().access_token),
        String::new(),
    ];
    let mut list = Vec::new();
    let all = [
        ("", ROUTES),
        ("/toffeepay", toffeepay::ROUTES),
        ("/milkypay", milkypay::ROUTES),
        ("/wallet", wallet::ROUTES),
        ("/ramp", ramp::ROUTES),
    ];
    for (prefix, route) in
        all.iter().flat_map(|(prefix, routes)| routes.iter().map(move |route| (prefix, route)))
    {
        let curl = curl(root, prefix, route);
        lines.extend([format!("# {}", route.about), curl.clone(), String::new()]);
        list.push(json!({
            "method": route.method,
            "path": format!("/control{prefix}{}", route.path),
            "about": route.about,
            "example": curl,
        }));
    }
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if accept.is_some_and(|accept| accept.contains("application/json")) {
        return Reply::json(StatusCode::OK, &json!({"routes": list})).into_response();
    }
    Reply::text(StatusCode::OK, lines.join("\n")).into_response()
}

fn curl(root: &str, prefix: &str, route: &Route) -> String {
    let method =
        if route.method == "GET" { String::new() } else { format!("-X {} ", route.method) };
    let body = match route.example {
        "" => String::new(),
        example => format!(" -d '{example}'"),
    };
    format!("curl -s {method}{root}control{prefix}{}{body}", route.path)
}

async fn advance(Shared(providers): Shared<Arc<Providers>>, body: Bytes) -> Response {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Advance {
        seconds: u64,
    }
    with_body(&body, |advance: Advance| {
        providers.advance(Duration::from_secs(advance.seconds));
        Ok(json!({"time": providers.world.clock.now()}))
    })
}

async fn reset(Shared(providers): Shared<Arc<Providers>>) -> Response {
    providers.reset();
    done(Ok(json!({})))
}

async fn list_faults(Shared(providers): Shared<Arc<Providers>>) -> Response {
    done(Ok(json!({"faults": providers.world.faults.list()})))
}

async fn inject(Shared(providers): Shared<Arc<Providers>>, body: Bytes) -> Response {
    with_body(&body, |given: Map<String, Value>| {
        let names = [toffeepay::NAMES, milkypay::NAMES, wallet::NAMES, ramp::NAMES];
        providers.world.faults.inject(fault::read(given, &names)?);
        Ok(json!({"faults": providers.world.faults.list()}))
    })
}

async fn clear_faults(Shared(providers): Shared<Arc<Providers>>) -> Response {
    providers.world.faults.clear();
    done(Ok(json!({"faults": []})))
}

async fn list_webhooks(Shared(providers): Shared<Arc<Providers>>) -> Response {
    let mut log = providers.toffeepay.webhooks.log();
    log.extend(providers.milkypay.webhooks.log());
    log.extend(providers.wallet.webhooks.log());
    log.extend(providers.ramp.webhooks.log());
    done(Ok(json!({"deliveries": log})))
}

async fn release_webhooks(Shared(providers): Shared<Arc<Providers>>) -> Response {
    let released = providers.toffeepay.webhooks.release()
        + providers.milkypay.webhooks.release()
        + providers.wallet.webhooks.release()
        + providers.ramp.webhooks.release();
    done(Ok(json!({"released": released})))
}

/// Settings with those fields changed that are named; the others stay as they are.
pub(crate) fn changed<S: Serialize + DeserializeOwned>(
    settings: &S,
    changes: Map<String, Value>,
) -> Result<S, SandboxError> {
    let mut settings = json!(settings);
    if let Some(fields) = settings.as_object_mut() {
        fields.extend(changes);
    }
    read(settings)
}

/// Reads what was sent, or says what is wrong with it.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, SandboxError> {
    serde_json::from_value(value).map_err(|error| SandboxError::Configuration(error.to_string()))
}

/// Reads a body, whatever its content type says, so that plain `curl -d` works; an empty one
/// counts as `{}`.
pub(crate) fn with_body<B: DeserializeOwned>(
    body: &Bytes,
    act: impl FnOnce(B) -> Result<Value, SandboxError>,
) -> Response {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    match serde_json::from_slice(text) {
        Ok(body) => done(act(body)),
        Err(error) => failed(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

pub(crate) fn done(result: Result<Value, SandboxError>) -> Response {
    match result {
        Ok(value) => Reply::json(StatusCode::OK, &value).into_response(),
        Err(error) => {
            let status = match error {
                SandboxError::NotFound(_) => StatusCode::NOT_FOUND,
                SandboxError::Refused(_) => StatusCode::CONFLICT,
                SandboxError::Configuration(_)
                | SandboxError::Bind { .. }
                | SandboxError::Random(_) => StatusCode::BAD_REQUEST,
            };
            failed(status, &error.to_string())
        }
    }
}

/// The last part of the path names nothing that could be done.
pub(crate) fn no_such_action() -> Response {
    failed(StatusCode::NOT_FOUND, "no such action; GET /control lists them")
}

pub(crate) fn failed(status: StatusCode, message: &str) -> Response {
    Reply::json(status, &json!({"error": message})).into_response()
}
