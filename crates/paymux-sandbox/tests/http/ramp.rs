//! The ramp over HTTP.

mod auth;
mod calls;
mod control;
mod page;
mod samples;
mod support;
mod webhooks;

use paymux_sandbox::Sandbox;
use paymux_sandbox::ramp::{Approval, RampSettings};

/// The id of an object that is ready for a route of the control API.
pub(crate) async fn ready_for(sandbox: &Sandbox, path: &str) -> String {
    let ramp = sandbox.ramp();
    if path.contains("/accounts/") {
        return ramp.usual_account("USD").unwrap();
    }
    if path.contains("/invoices/") {
        return ramp.add_invoice("10.50", "USD").unwrap();
    }
    let kind = if path.contains("-external") { "EXTERNAL" } else { "CHECKOUT" };
    let (_, payment) = support::create(sandbox, "10.50", kind).await;
    if path.ends_with("/refund") {
        ramp.pay_checkout(&payment).unwrap();
    }
    if path.ends_with("/settle") {
        let approval = Approval::Processing;
        ramp.set_settings(RampSettings { approval, ..ramp.settings() }).unwrap();
        ramp.pay_checkout(&payment).unwrap();
    }
    payment
}
