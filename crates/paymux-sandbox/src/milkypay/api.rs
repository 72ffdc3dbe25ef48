//! Both APIs over HTTP: who may call, what was called, what is answered.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State as Shared};
use axum::response::Response;
use axum::routing::any;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use url::form_urlencoded;

use super::errors::{self, Refusal};
use super::operation::{Api, Call, Operation, refuse, run};
use super::request;
use super::{MilkyPay, checkout};
use crate::fault::{Place, Site};
use crate::reply::Reply;

/// Larger requests are refused before they are read.
const MAX_REQUEST_BYTES: usize = 1024 * 1024;

pub(super) fn routes() -> Router<Arc<MilkyPay>> {
    Router::new()
        .route("/public-api/{*path}", any(public))
        .route("/api/{*path}", any(private))
        .fallback(async || Refusal::NotFound.reply().into_response())
}

async fn public(milkypay: Shared<Arc<MilkyPay>>, path: Path<String>, request: Request) -> Response {
    call(milkypay, Api::Public, path, request).await
}

async fn private(
    milkypay: Shared<Arc<MilkyPay>>,
    path: Path<String>,
    request: Request,
) -> Response {
    call(milkypay, Api::Private, path, request).await
}

async fn call(
    Shared(milkypay): Shared<Arc<MilkyPay>>,
    api: Api,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    let (operation, id) = match Operation::find(api, request.method(), &path) {
        Ok(found) => found,
        Err(refusal) => return refusal.reply().into_response(),
    };
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, MAX_REQUEST_BYTES).await;
    let query = parts.uri.query().unwrap_or_default();
    let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let site = if operation.changes() { Site::Change } else { Site::Read };
    let subject = Some(id).filter(|id| !id.is_empty());
    let place = Place { site, provider: super::NAME, operation: operation.name(), id: subject };
    let act = || match body {
        Ok(body) => answer(&milkypay, operation, id, &query, &parts.headers, &body),
        Err(_) => {
            Reply::json(StatusCode::PAYLOAD_TOO_LARGE, &errors::bare(StatusCode::PAYLOAD_TOO_LARGE))
        }
    };
    milkypay.world.faults.answer(place, act, errors::failure).await
}

fn answer(
    milkypay: &MilkyPay,
    operation: Operation,
    id: &str,
    query: &[(String, String)],
    headers: &HeaderMap,
    body: &Bytes,
) -> Reply {
    let test_mode = match check_credentials(milkypay, operation, query, headers, body) {
        Ok(test_mode) => test_mode,
        Err(refusal) if operation == Operation::ProcessInvoice => {
            return checkout::refuse_form(&refusal);
        }
        Err(refusal) => return refusal.reply(),
    };
    let call = Call { operation, id, query, headers, body, test_mode };
    milkypay.with_state(|state, moment| {
        let result = run(milkypay, state, &call, moment);
        result.unwrap_or_else(|refusal| {
            if operation == Operation::ProcessInvoice {
                return checkout::refuse_form(&refusal);
            }
            refuse(state, operation, &refusal)
        })
    })
}

/// Checks the keys of a call. Returns whether a public key is one for tests.
fn check_credentials(
    milkypay: &MilkyPay,
    operation: Operation,
    query: &[(String, String)],
    headers: &HeaderMap,
    body: &[u8],
) -> Result<bool, Refusal> {
    let key = match operation {
        Operation::CreatePrerequest | Operation::CreatePublicInvoice => {
            let request = request::flat(headers, body)?;
            request.members.get("public_key").and_then(|key| key.as_str()).map(str::to_owned)
        }
        Operation::ProcessInvoice => {
            let request = request::form(headers, body)?;
            request.members.get("public_key").and_then(|key| key.as_str()).map(str::to_owned)
        }
        Operation::GetPublicInvoice => {
            let key = query.iter().find(|(name, _)| name == "public_key");
            let Some((_, key)) = key else {
                // The platform's own client sends no key with this call.
                return Ok(true);
            };
            Some(key.clone())
        }
        Operation::ListPaymentServices
        | Operation::GetPaymentService
        | Operation::CreateInvoice
        | Operation::GetInvoice
        | Operation::ListInvoices
        | Operation::CreateRefund => {
            return basic(milkypay, headers).map(|()| false).ok_or(Refusal::Unauthorized);
        }
    };
    let (test, live) = (&milkypay.config.public_key_test, &milkypay.config.public_key_live);
    match key {
        Some(key) if key == *test => Ok(true),
        Some(key) if key == *live => Ok(false),
        Some(_) | None => Err(Refusal::Unauthorized),
    }
}

/// `Authorization: Basic base64(<account id>:<API key>)`.
fn basic(milkypay: &MilkyPay, headers: &HeaderMap) -> Option<()> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    let credentials = STANDARD.decode(credentials.trim()).ok()?;
    let expected = format!("{}:{}", milkypay.config.account_id, milkypay.config.api_key);
    (scheme.eq_ignore_ascii_case("basic") && credentials == expected.as_bytes()).then_some(())
}
