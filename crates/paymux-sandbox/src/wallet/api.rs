//! The API over HTTP: who calls, what was called, what is answered.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State as Shared};
use axum::response::Response;
use axum::routing::{any, get, post};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::json;
use url::form_urlencoded;

use super::Wallet;
use super::access::Caller;
use super::errors::{self, Refusal};
use super::mac::Signed;
use super::operation::{CREATE_TOKEN, Call, GET_PUBLIC_KEY, Operation, REVOKE_TOKEN};
use super::run::run;
use super::state::{Moment, State};
use crate::fault::{Place, Site};
use crate::reply::Reply;

/// Larger requests are refused before they are read.
const MAX_REQUEST_BYTES: usize = 1024 * 1024;

const CORRELATION: HeaderName = HeaderName::from_static("paysera-correlation-id");

pub(super) fn routes() -> Router<Arc<Wallet>> {
    Router::new()
        .route("/publickey", get(public_key))
        .route("/rest/v1/{*path}", any(call))
        .route("/oauth/v1/token", post(token).delete(token))
        .fallback(async || Refusal::NotFound.reply(false).into_response())
}

async fn public_key(Shared(wallet): Shared<Arc<Wallet>>) -> Response {
    let place =
        Place { site: Site::Read, provider: super::NAME, operation: GET_PUBLIC_KEY, id: None };
    let act = || Reply::text(StatusCode::OK, wallet.public_key.clone());
    wallet.world.faults.answer(place, act, errors::failure).await
}

async fn call(
    Shared(wallet): Shared<Arc<Wallet>>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let Some((operation, ids)) = Operation::find(request.method(), &path) else {
        return with_correlation(&wallet, Refusal::NotFound.reply(false)).into_response();
    };
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_REQUEST_BYTES).await;
    let site = if operation.changes() { Site::Change } else { Site::Read };
    let [id, _] = ids;
    let subject = Some(id).filter(|id| !id.is_empty());
    let place = Place { site, provider: super::NAME, operation: operation.name(), id: subject };
    let act = || {
        let answer = |body: Bytes| answer(&wallet, operation, ids, &parts, &body);
        body.map_or_else(|_| errors::failure(StatusCode::PAYLOAD_TOO_LARGE), answer)
    };
    let act = || with_correlation(&wallet, act());
    wallet.world.faults.answer(place, act, errors::failure).await
}

/// Names the answer, as the provider's support asks for.
fn with_correlation(wallet: &Wallet, reply: Reply) -> Reply {
    match HeaderValue::from_str(&wallet.world.random.uuid()) {
        Ok(id) => reply.with_header(CORRELATION, id),
        Err(_) => reply,
    }
}

fn answer(
    wallet: &Wallet,
    operation: Operation,
    ids: [&str; 2],
    parts: &Parts,
    body: &[u8],
) -> Reply {
    if operation == Operation::GetServer {
        let time = wallet.world.clock.signing_time();
        let time = wallet.with_state(|state, _| state.server_time(time));
        return Reply::json(StatusCode::OK, &json!({"time": time.as_second()}));
    }
    let query = parts.uri.query().unwrap_or_default();
    let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    guarded(wallet, parts, body, |state, (caller, ext), moment| {
        if !accepts_json(&parts.headers) {
            return Err(Refusal::NotAcceptable);
        }
        let headers = &parts.headers;
        let call = Call { operation, ids, query: &query, headers, body, caller, ext };
        run(state, &call, moment)
    })
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(ACCEPT) else { return true };
    let accept = accept.to_str().unwrap_or_default();
    ["application/json", "application/*", "*/*"].iter().any(|kind| accept.contains(kind))
}

/// Acts for a caller whose signature is right.
fn guarded(
    wallet: &Wallet,
    parts: &Parts,
    body: &[u8],
    act: impl FnOnce(&mut State, (Caller, Vec<(String, String)>), Moment<'_>) -> Result<Reply, Refusal>,
) -> Reply {
    let time = wallet.world.clock.signing_time();
    let header = parts.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
    let uri = parts.uri.path_and_query().map_or("/", |uri| uri.as_str());
    // The router has taken the provider's own path away.
    let uri = format!("{}{uri}", wallet.base.path());
    let (host, port) = host_and_port(&parts.headers);
    wallet.with_state(|state, moment| {
        let port = state.settings.signed_port.unwrap_or(port);
        let signed = Signed { method: parts.method.as_str(), uri: &uri, host, port };
        let caller = state.authenticate(&wallet.config, header, signed, body, (time, moment.now));
        let answer = caller.and_then(|caller| act(state, caller, moment));
        answer.unwrap_or_else(|refusal| refusal.reply(state.settings.error_properties))
    })
}

/// What the client called this server.
fn host_and_port(headers: &HeaderMap) -> (&str, u16) {
    const HTTP: u16 = 80;
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let with_port = host.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?)));
    with_port.unwrap_or((host, HTTP))
}

/// The token endpoint takes forms, signed like everything else.
async fn token(Shared(wallet): Shared<Arc<Wallet>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_REQUEST_BYTES).await;
    let creates = parts.method == Method::POST;
    let operation = if creates { CREATE_TOKEN } else { REVOKE_TOKEN };
    let place = Place { site: Site::Change, provider: super::NAME, operation, id: None };
    let act = || {
        let Ok(body) = body else { return errors::failure(StatusCode::PAYLOAD_TOO_LARGE) };
        guarded(&wallet, &parts, &body, |state, (caller, _), moment| {
            if caller != Caller::Client {
                return Err(Refusal::Forbidden);
            }
            let pairs = |text: &[u8]| form_urlencoded::parse(text).into_owned().collect::<Vec<_>>();
            if creates {
                let token = state.issue_token(&pairs(&body), moment)?;
                return Ok(Reply::json(StatusCode::OK, &token));
            }
            let query = pairs(parts.uri.query().unwrap_or_default().as_bytes());
            let token = query.iter().find(|(name, _)| name == "access_token");
            let (_, token) = token.ok_or(Refusal::NotFound)?;
            state.revoke_token(token)?;
            Ok(Reply::json(StatusCode::OK, &json!({})))
        })
    };
    let act = || with_correlation(&wallet, act());
    wallet.world.faults.answer(place, act, errors::failure).await
}
