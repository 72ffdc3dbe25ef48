//! The API over HTTP: what was called, who calls, what is answered.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::Ramp;
use super::errors::{self, Refusal};
use super::operation::Operation;
use super::run::{Call, run};
use crate::fault::{Place, Site};
use crate::reply::Reply;

/// Larger requests are refused before they are read.
const MAX_REQUEST_BYTES: usize = 1024 * 1024;

/// Paths are settings, so everything that is no page comes here.
pub(super) fn routes() -> Router<Arc<Ramp>> {
    Router::new().fallback(call)
}

async fn call(Shared(ramp): Shared<Arc<Ramp>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let random = &ramp.world.random;
    let (paths, legacy) =
        ramp.with_state(|state, _| (state.settings.paths.clone(), state.settings.legacy_errors));
    let failure = |status: StatusCode| {
        errors::with_request_id(errors::failure(status, legacy, random), random)
    };
    let (operation, id) = match Operation::find(&paths, &parts.method, parts.uri.path()) {
        Ok(found) => found,
        Err(refusal) => {
            let reply = refusal.reply(legacy, random);
            return errors::with_request_id(reply, random).into_response();
        }
    };
    let Ok(body) = axum::body::to_bytes(body, MAX_REQUEST_BYTES).await else {
        return failure(StatusCode::PAYLOAD_TOO_LARGE).into_response();
    };
    let body = read(operation, &parts.headers, &body);
    let member = |name: &str| body.as_ref().ok()?.get(name)?.as_str().map(str::to_owned);
    let payment_id = member("paymentId");
    let retrieves = operation == Operation::CreatePayment && payment_id.is_some();
    let operation = if retrieves { Operation::RetrievePayment } else { operation };
    let subject = id.map(str::to_owned).or(payment_id).or_else(|| member("invoiceId"));
    let site = if operation.changes() { Site::Change } else { Site::Read };
    let place =
        Place { site, provider: super::NAME, operation: operation.name(), id: subject.as_deref() };
    let act = || errors::with_request_id(answer(&ramp, operation, id, &parts, body), random);
    ramp.world.faults.answer(place, act, failure).await
}

/// The body of a request that has one.
fn read(
    operation: Operation,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Map<String, Value>, Refusal> {
    if matches!(operation, Operation::GetInvoice | Operation::ListInvoices) {
        return Ok(Map::new());
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::NotJson);
    }
    serde_json::from_slice(body).map_err(|_| Refusal::Unreadable)
}

fn answer(
    ramp: &Ramp,
    operation: Operation,
    id: Option<&str>,
    parts: &Parts,
    body: Result<Map<String, Value>, Refusal>,
) -> Reply {
    let query = parts.uri.query().unwrap_or_default();
    let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let call = Call { operation, id, query: &query, headers: &parts.headers, body };
    ramp.with_state(|state, moment| {
        let answer = run(state, call, moment);
        answer.unwrap_or_else(|refusal| refusal.reply(state.settings.legacy_errors, moment.random))
    })
}
