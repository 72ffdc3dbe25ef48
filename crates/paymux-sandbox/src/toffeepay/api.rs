//! The RPC endpoints: `POST /pay.v1.<Service>/<Method>` with JSON, as Connect has it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State as Shared};
use axum::response::Response;
use axum::routing::any;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::Value;

use super::ToffeePay;
use super::errors::{self, Code, Refusal};
use super::operation::Operation;
use super::state::{Moment, State};
use super::wire;
use crate::fault::{Place, Site};
use crate::reply::Reply;

/// Larger requests are refused before they are read.
const MAX_REQUEST_BYTES: usize = 8 * 1024 * 1024;

pub(super) fn routes() -> Router<Arc<ToffeePay>> {
    Router::new().route("/{service}/{method}", any(call))
}

async fn call(
    Shared(toffeepay): Shared<Arc<ToffeePay>>,
    Path((service, method)): Path<(String, String)>,
    request: Request,
) -> Response {
    let found = service.strip_prefix("pay.v1.").and_then(|name| Operation::find(name, &method));
    let Some((operation, name)) = found else {
        return Reply::text(StatusCode::NOT_FOUND, "404 page not found\n").into_response();
    };
    if request.method() != Method::POST {
        return Reply::text(StatusCode::METHOD_NOT_ALLOWED, "")
            .with_header(ALLOW, HeaderValue::from_static("POST"))
            .into_response();
    }
    if !is_json(request.headers()) {
        return Reply::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, "").into_response();
    }
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_REQUEST_BYTES).await;
    let parsed = body
        .map_err(|_| Refusal::new(Code::ResourceExhausted, "the request is too large"))
        .and_then(|body| parse(&body));
    let id = parsed.as_ref().ok().and_then(subject);
    let site = if operation.mutates() { Site::Change } else { Site::Read };
    let place = Place { site, provider: super::NAME, operation: name, id: id.as_deref() };
    let shape = toffeepay.error_shape();
    let act = || answer(&toffeepay, operation, name, &parts.headers, parsed);
    toffeepay.world.faults.answer(place, act, |status| errors::failure(status, shape)).await
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

fn parse(body: &[u8]) -> Result<Value, Refusal> {
    match serde_json::from_slice::<Value>(body) {
        Ok(value @ Value::Object(_)) => Ok(wire::snake_case(value)),
        Ok(_) => Err(Refusal::invalid("unmarshal message: a JSON object is required")),
        Err(error) => Err(Refusal::invalid(format!("unmarshal message: {error}"))),
    }
}

/// The object a request is about, for faults limited to one object.
fn subject(request: &Value) -> Option<String> {
    let id = request.get("id").or_else(|| request.get("payment_id"))?;
    id.as_str().map(str::to_owned)
}

fn answer(
    toffeepay: &ToffeePay,
    operation: Operation,
    name: &'static str,
    headers: &HeaderMap,
    request: Result<Value, Refusal>,
) -> Reply {
    let shape = toffeepay.error_shape();
    let checked = check_headers(headers, &toffeepay.api_key);
    let request = match checked.and(request) {
        Ok(request) => request,
        Err(refusal) => return refusal.reply(shape),
    };
    let key = match headers.get("idempotency-key") {
        Some(key) if operation.mutates() => Some(key.to_str().unwrap_or_default().to_owned()),
        Some(_) | None => None,
    };
    toffeepay.with_state(|state, moment| match key {
        Some(key) => once(state, operation, name, &key, request, moment),
        None => run(state, operation, request, moment),
    })
}

fn check_headers(headers: &HeaderMap, api_key: &str) -> Result<(), Refusal> {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = authorization
        .and_then(|value| value.split_once(' '))
        .and_then(|(scheme, key)| scheme.eq_ignore_ascii_case("bearer").then_some(key.trim()));
    if key != Some(api_key) {
        return Err(Refusal::unauthorized());
    }
    if headers.get("connect-protocol-version").is_some_and(|version| version != "1") {
        return Err(Refusal::invalid("connect-protocol-version must be \"1\""));
    }
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Refusal::new(Code::Unimplemented, "compressed requests are not supported"));
    }
    Ok(())
}

/// A call with an `Idempotency-Key`: carried out once, answered alike for 24 hours.
fn once(
    state: &mut State,
    operation: Operation,
    name: &'static str,
    key: &str,
    request: Value,
    moment: Moment<'_>,
) -> Reply {
    match state.memory.recall(key, name, &request) {
        Ok(Some(reply)) => reply,
        Ok(None) => {
            let reply = run(state, operation, request.clone(), moment);
            state.memory.remember(key, name, request, &reply, moment.now);
            reply
        }
        Err(refusal) => refusal.reply(state.settings.error_shape),
    }
}

fn run(state: &mut State, operation: Operation, request: Value, moment: Moment<'_>) -> Reply {
    match operation.run(state, request, moment) {
        Ok(body) => {
            let reply =
                Reply { content_type: "application/json", ..Reply::text(StatusCode::OK, body) };
            if state.settings.omit_zero_values {
                return reply.map_json(wire::omit_zero_values);
            }
            reply
        }
        Err(refusal) => refusal.reply(state.settings.error_shape),
    }
}
