//! The checkout page without a browser.

use paymux_sandbox::ramp::{Approval, RampInvoice};
use serde_json::{Value, json};
use url::Url;

use super::support::{call, create, fixture, ok, set, status};
use crate::support::{control, get, post_form, start};

fn urls() -> [Option<Url>; 2] {
    ["http://shop.example/paid?a=1", "http://shop.example/unpaid"].map(|url| Url::parse(url).ok())
}

/// The names of the parameters of a sample.
fn of_sample(name: &str) -> Vec<String> {
    fixture(name).as_object().unwrap().keys().cloned().collect()
}

/// The names of the parameters of a redirect, those of the merchant left out.
fn parameters(location: &str) -> Vec<String> {
    let url = Url::parse(location).unwrap();
    let names = url.query_pairs().map(|(name, _)| name.into_owned());
    let mut names: Vec<String> = names.filter(|name| name != "a").collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn approving_leads_to_success_with_three_parameters() {
    let sandbox = start().await;
    let ramp = sandbox.ramp();
    let [success, failure] = urls();
    ramp.set_return_urls(success, failure).unwrap();
    let (found_by, id) = create(&sandbox, "10.50", "CHECKOUT").await;
    let page = ramp.checkout_url(&id).unwrap();
    let shown = get(&page).await;
    assert_eq!(shown.status(), 200);
    assert!(shown.body.contains("Pay $10.50"), "{}", shown.body);
    assert!(shown.header("content-security-policy").is_some());
    let paid = post_form(&format!("{page}/pay"), "outcome=approve").await;
    assert_eq!(paid.status(), 303);
    let location = paid.header("location").unwrap();
    assert!(location.starts_with("http://shop.example/paid?a=1&"), "{location}");
    assert_eq!(parameters(location), of_sample("redirect.success"));
    assert_eq!(status(&sandbox, &found_by).await, "SUCCESS");
    let end = get(&page).await;
    assert!(end.body.contains("Payment successful"), "{}", end.body);
    // A page that was open in another window does nothing more.
    let again = post_form(&format!("{page}/pay"), "outcome=decline").await;
    assert!(again.body.contains("Payment successful"), "{}", again.body);
    let left = send_away(&page).await;
    assert!(left.starts_with("http://shop.example/paid"), "{left}");
}

async fn send_away(page: &str) -> String {
    get(&format!("{page}/leave")).await.header("location").unwrap().to_owned()
}

#[tokio::test]
async fn declining_and_leaving_lead_to_failure() {
    let sandbox = start().await;
    let ramp = sandbox.ramp();
    let [success, failure] = urls();
    ramp.set_return_urls(success, failure).unwrap();
    let (found_by, id) = create(&sandbox, "10.50", "CHECKOUT").await;
    let page = ramp.checkout_url(&id).unwrap();
    let left = send_away(&page).await;
    assert_eq!(parameters(&left), ["cko-payment-session-id"]);
    assert_eq!(status(&sandbox, &found_by).await, "PENDING");
    let declined = post_form(&format!("{page}/pay"), "outcome=decline").await;
    let location = declined.header("location").unwrap();
    assert!(location.starts_with("http://shop.example/unpaid?"), "{location}");
    assert_eq!(parameters(location), of_sample("redirect.success"));
    assert_eq!(status(&sandbox, &found_by).await, "FAILED");
    assert_eq!(get(&page).await.status(), 410);
    assert_eq!(get(&format!("{page}x")).await.status(), 404);
    assert_eq!(post_form(&format!("{page}x/pay"), "outcome=approve").await.status(), 404);
    assert_eq!(get(&format!("{page}x/leave")).await.status(), 404);
}

#[tokio::test]
async fn parameters_are_left_out_or_added_on_demand() {
    let sandbox = start().await;
    let ramp = sandbox.ramp();
    let [success, failure] = urls();
    ramp.set_return_urls(success, failure).unwrap();
    let (_, id) = create(&sandbox, "10.50", "CHECKOUT").await;
    ramp.pay_checkout(&id).unwrap();
    let page = ramp.checkout_url(&id).unwrap();
    set(&sandbox, |settings| settings.redirect_status = true);
    let away = send_away(&page).await;
    assert_eq!(parameters(&away), of_sample("redirect.success.extra_status"));
    assert!(away.ends_with("&status=succeeded"), "{away}");
    set(&sandbox, |settings| {
        settings.redirect_status = false;
        let omitted = ["cko-payment-session-id", "cko-session-id"];
        settings.omitted_parameters = omitted.map(str::to_owned).to_vec();
    });
    let away = send_away(&page).await;
    assert_eq!(parameters(&away), of_sample("redirect.success.only_payment_id"));
}

#[tokio::test]
async fn a_request_can_name_its_own_link() {
    let sandbox = start().await;
    let invoice = sandbox.ramp().add_invoice("10.50", "USD").unwrap();
    let link = "https://shop.example.test/return?ref=ord-1001";
    let body = json!({"invoiceId": invoice, "type": "CHECKOUT", "redirectUrl": link});
    let made = ok(&sandbox, "POST", "/invoice/payment", body).await;
    let id = made["id"].as_str().unwrap();
    let driven = control(&sandbox, "POST", &format!("/ramp/payments/{id}/pay"), Value::Null).await;
    let location = driven.json()["location"].as_str().unwrap().to_owned();
    assert!(location.starts_with(&format!("{link}&cko-payment-session-id=ps_")), "{location}");
    assert_eq!(driven.json()["payment"]["status"], "SUCCESS");
}

#[tokio::test]
async fn what_a_page_shows_is_escaped_and_says_what_is_wrong() {
    let sandbox = start().await;
    let ramp = sandbox.ramp();
    let hostile = "<script>alert(1)</script>";
    let invoice = RampInvoice {
        amount: "0.000000000000000001".to_owned(),
        currency: "ETH".to_owned(),
        client_id: hostile.to_owned(),
        description: hostile.to_owned(),
        ..RampInvoice::default()
    };
    let invoice = ramp.add_invoice_with(invoice).unwrap();
    let body = json!({"invoiceId": invoice, "type": "CHECKOUT"});
    let made = ok(&sandbox, "POST", "/invoice/payment", body).await;
    let page = ramp.checkout_url(made["id"].as_str().unwrap()).unwrap();
    let shown = get(&page).await;
    assert!(!shown.body.contains("<script>"), "{}", shown.body);
    assert!(shown.body.contains("0.000000000000000001 ETH"), "{}", shown.body);
    let no_way_back = post_form(&format!("{page}/pay"), "outcome=approve").await;
    assert_eq!(no_way_back.header("location"), Some(page.as_str()));

    set(&sandbox, |settings| settings.approval = Approval::Processing);
    let (first, id) = create(&sandbox, "10.50", "CHECKOUT").await;
    let mut other = json!({"type": "PLATFORM"});
    other["invoiceId"] = first["invoiceId"].clone();
    other["accountId"] = ramp.usual_account("USD").unwrap().into();
    let made = ok(&sandbox, "POST", "/invoice/payment", other.clone()).await;
    other["paymentId"] = made["id"].clone();
    ok(&sandbox, "POST", "/invoice/payment/pay", other).await;
    let page = ramp.checkout_url(&id).unwrap();
    let refused = post_form(&format!("{page}/pay"), "outcome=approve").await;
    assert!(refused.body.contains("Invoice is already paid"), "{}", refused.body);
    let path = format!("/invoice/{}", first["invoiceId"].as_str().unwrap());
    assert_eq!(call(&sandbox, "GET", &path, Value::Null).await.json()["status"], "SUCCESS");
}
