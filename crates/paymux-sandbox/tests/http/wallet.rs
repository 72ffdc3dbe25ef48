//! The wallet over HTTP.

mod auth;
mod callbacks;
mod calls;
mod page;
mod samples;
mod statuses;
mod support;

use paymux_sandbox::Sandbox;
use serde_json::json;

/// The id of an object that is ready for a route of the control API.
pub(crate) async fn ready_for(sandbox: &Sandbox, path: &str) -> String {
    let payment = json!({"price": 100, "password": "secret"});
    if path.contains("/transactions/") {
        support::create(sandbox, payment).await.0
    } else if path.contains("/payments/") {
        let (key, id) = support::create(sandbox, payment).await;
        sandbox.wallet().accept(&key, support::PAYER).unwrap();
        id.to_string()
    } else if path.contains("/allowances/") {
        support::allow(sandbox, support::fixture("create_allowance.request")).await.to_string()
    } else {
        support::PAYER.to_string()
    }
}
