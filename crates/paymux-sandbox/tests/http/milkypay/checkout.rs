//! The hosted page without a browser: links, forms, redirects, states.

use std::time::Duration;

use paymux_sandbox::Sandbox;
use paymux_sandbox::milkypay::{Status, StatusChange};
use serde_json::{Value, json};

use super::{attributes, invoice, invoice_with, invoices, private, request, settings, start};
use crate::support::{Message, get, post_form};

fn page_url(sandbox: &Sandbox, id: &str) -> String {
    format!("{}/hpp/?cpi={id}", sandbox.milkypay().base_url())
}

async fn submit(sandbox: &Sandbox, id: &str, action: &str, body: &str) -> Message {
    post_form(&format!("{}/hpp/{id}/{action}", sandbox.milkypay().base_url()), body).await
}

/// Follows redirects within the sandbox; returns the page, or the redirect that leaves.
async fn follow(sandbox: &Sandbox, mut answer: Message) -> Message {
    while let Some(location) = answer.header("location").map(str::to_owned) {
        if !location.starts_with(sandbox.url().as_str()) {
            break;
        }
        answer = get(&location).await;
    }
    answer
}

fn urls() -> Value {
    json!({"return_urls": {
        "success": "https://example.com/1",
        "pending": "https://example.com/2",
        "fail": "https://example.com/3",
    }, "return_url": "https://example.com/common"})
}

#[tokio::test]
async fn the_page_shows_what_is_asked_for() {
    let sandbox = start().await;
    let more = json!({"description": "Two coffees", "amount": 12.5});
    let id = invoice_with(&sandbox, "order-7", &more).await;
    let page = get(&page_url(&sandbox, &id)).await;
    assert_eq!(page.status(), 200);
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    for text in ["Two coffees", "$12.50", "order-7", "Sandbox shop", "Test mode", "value=\"12.5\""]
    {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    assert_eq!(get(&page_url(&sandbox, "cpi_nobody")).await.status(), 404);
    for (service, currency, amount, shown) in [
        ("payment_card_jpy_hpp", "JPY", json!(500), "JPY 500<"),
        ("payment_card_kwd_hpp", "KWD", json!(1.5), "KWD 1.500<"),
        ("payment_card_gbp_hpp", "GBP", json!(100), "£103.00<"),
    ] {
        let more = json!({"service": service, "currency": currency, "amount": amount});
        let id = invoice_with(&sandbox, currency, &more).await;
        let page = get(&page_url(&sandbox, &id)).await;
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
}

#[tokio::test]
async fn a_payer_pays_a_part_the_rest_or_too_much() {
    let sandbox = start().await;
    let id = invoice_with(&sandbox, "order", &urls()).await;
    let answer = submit(&sandbox, &id, "pay", "outcome=approve&amount=60.50").await;
    assert_eq!(answer.status(), 303);
    let page = follow(&sandbox, answer).await;
    assert!(page.body.contains("$39.50 is still open"), "{}", page.body);
    assert!(!page.body.contains("id=\"cancel\""), "money was paid already");
    assert_eq!(attributes(&sandbox, &id).await["status"], "partially_processed");
    let answer = submit(&sandbox, &id, "pay", "outcome=approve&amount=50").await;
    let left = follow(&sandbox, answer).await;
    assert_eq!(left.header("location"), Some("https://example.com/1"));
    assert_eq!(attributes(&sandbox, &id).await["processed_amount"], 110.5);
    let page = get(&page_url(&sandbox, &id)).await;
    assert!(page.body.contains("Payment successful") && !page.body.contains("<form"));
}

#[tokio::test]
async fn a_payer_is_declined_until_it_is_over() {
    let sandbox = start().await;
    let id = invoice_with(&sandbox, "order", &urls()).await;
    let answer = submit(&sandbox, &id, "pay", "outcome=insufficient_funds").await;
    let page = follow(&sandbox, answer).await;
    assert!(page.body.contains("Your payment was declined"), "{}", page.body);
    assert!(page.body.contains("4 attempts are left"), "{}", page.body);
    assert_eq!(attributes(&sandbox, &id).await["status"], "process_pending");
    for _ in 0..3 {
        submit(&sandbox, &id, "pay", "outcome=declined").await;
    }
    let last = submit(&sandbox, &id, "pay", "outcome=antifraud_error").await;
    let left = follow(&sandbox, last).await;
    assert_eq!(left.header("location"), Some("https://example.com/3"));
    let shown = attributes(&sandbox, &id).await;
    assert_eq!(
        (&shown["status"], &shown["resolution"]),
        (&json!("process_failed"), &json!("antifraud_error"))
    );
    let page = get(&page_url(&sandbox, &id)).await;
    assert_eq!(page.status(), 410);
    let late = submit(&sandbox, &id, "pay", "outcome=approve").await;
    assert_eq!(late.status(), 410, "a page that is over is dead");
}

#[tokio::test]
async fn a_payer_leaves_or_cancels() {
    let sandbox = start().await;
    let id = invoice_with(&sandbox, "order", &urls()).await;
    let page = get(&page_url(&sandbox, &id)).await;
    assert!(page.body.contains("without paying"));
    let leave = format!("{}/hpp/{id}/return", sandbox.milkypay().base_url());
    assert_eq!(get(&leave).await.header("location"), Some("https://example.com/2"));
    assert_eq!(attributes(&sandbox, &id).await["status"], "process_pending");
    let cancelled = submit(&sandbox, &id, "cancel", "").await;
    let page = follow(&sandbox, cancelled).await;
    assert!(page.status() == 410 && page.body.contains("Payment cancelled"), "{}", page.body);
    assert!(page.body.contains("href=\"https://example.com/3\""));
    assert_eq!(attributes(&sandbox, &id).await["status"], "terminated");
    // Without any URL of the merchant the payer stays.
    let id = invoice(&sandbox, "nowhere").await;
    let paid = submit(&sandbox, &id, "pay", "").await;
    let page = follow(&sandbox, paid).await;
    assert!(page.body.contains("Payment successful") && !page.body.contains("id=\"return\""));
}

#[tokio::test]
async fn what_waits_shows_no_form() {
    let sandbox = start().await;
    let id = invoice(&sandbox, "started").await;
    let answer = submit(&sandbox, &id, "pay", "outcome=processing").await;
    let page = follow(&sandbox, answer).await;
    assert!(page.body.contains("Processing your payment") && !page.body.contains("<form"));
    let id = invoice(&sandbox, "moderated").await;
    sandbox.milkypay().moderate(&id).unwrap();
    let page = get(&page_url(&sandbox, &id)).await;
    assert!(page.body.contains("Processing your payment") && !page.body.contains("<form"));
    let id = invoice(&sandbox, "part").await;
    sandbox.milkypay().pay_amount(&id, "1").unwrap();
    sandbox.advance(Duration::from_secs(1800));
    let page = get(&page_url(&sandbox, &id)).await;
    assert!(page.body.contains("Partly paid") && !page.body.contains("<form"));
}

#[tokio::test]
async fn every_status_has_a_page() {
    let sandbox = start().await;
    let id = invoice(&sandbox, "order").await;
    for (status, heading) in [
        (Status::Verified, "Card verified"),
        (Status::VerifyFailed, "Payment failed"),
        (Status::Expired, "This payment has expired"),
        (Status::RefundPending, "Refund under way"),
        (Status::PartiallyRefunded, "Partially refunded"),
        (Status::Refunded, "Refunded"),
        (Status::RefundFailed, "Refund failed"),
        (Status::ChargedBack, "Charged back"),
    ] {
        sandbox.milkypay().set_status(&id, &StatusChange::to(status)).unwrap();
        let page = get(&page_url(&sandbox, &id)).await;
        assert!(page.body.contains(&format!("<h2>{heading}</h2>")), "{heading}: {}", page.body);
    }
}

#[tokio::test]
async fn a_verification_asks_for_no_money() {
    let sandbox = start().await;
    let id = invoice_with(&sandbox, "order", &json!({"flow": "verify", "amount": 1})).await;
    let page = get(&page_url(&sandbox, &id)).await;
    assert!(page.body.contains("Verify the card") && !page.body.contains("name=\"amount\""));
    submit(&sandbox, &id, "pay", "outcome=approve&amount=5").await;
    let shown = attributes(&sandbox, &id).await;
    assert_eq!((&shown["status"], &shown["processed_amount"]), (&json!("verified"), &Value::Null));
}

#[tokio::test]
async fn nonsense_pays_nothing() {
    let sandbox = start().await;
    let id = invoice(&sandbox, "order").await;
    for body in ["amount=x", "amount=0", "amount=-1", "amount=0.001", "outcome=nonsense"] {
        let page = submit(&sandbox, &id, "pay", body).await;
        assert_eq!(page.status(), 200, "{body}");
        assert!(page.body.contains("role=\"alert\""), "{body}");
    }
    assert_eq!(attributes(&sandbox, &id).await["processed_amount"], Value::Null);
}

#[tokio::test]
async fn flow_data_leads_to_the_same_page() {
    let sandbox = start().await;
    let fields = json!({"account_number": "UA213223130000026007233566001"});
    for (service, method, count) in [
        ("payment_card_usd_hpp", "GET", 0),
        ("applepay_usd_hpp", "GET", 2),
        ("paypal_usd_hpp", "POST", 2),
        ("bank_transfer_usd_hpp", "POST", 3),
    ] {
        let more = json!({"service": service, "service_fields": fields});
        let body = request(service, &more);
        let answer = private(&sandbox, "POST", "/payment-invoices", &body).await;
        let answer = answer.json();
        let flow = &answer["data"]["attributes"]["flow_data"];
        assert_eq!(flow["method"], method, "{service}");
        let action = flow["action"].as_str().unwrap();
        let given = flow["params"].as_object().into_iter().flatten();
        let params: Vec<_> =
            given.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        assert_eq!(flow["params"] == json!([]), params.is_empty(), "{service}");
        assert_eq!(params.len(), count, "{service}");
        let query =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&params).finish();
        let entered = match method {
            "GET" => get(&format!("{action}?{query}")).await,
            _ => post_form(action, &query).await,
        };
        let page = page_url(&sandbox, answer["data"]["id"].as_str().unwrap());
        assert_eq!(entered.header("location"), Some(page.as_str()), "{service}");
        if count > 0 {
            let lost = match method {
                "GET" => get(action).await,
                _ => post_form(action, "").await,
            };
            assert!(lost.status() == 400 && lost.body.contains("This link is broken"));
        }
    }
}

/// The form of the specification, with this run's key.
fn form(sandbox: &Sandbox, changes: &[(&str, &str)]) -> String {
    let sample = include_str!("../../fixtures/milkypay/checkout_form.fields.json");
    let sample: Value = serde_json::from_str(sample).unwrap();
    let milkypay = sandbox.milkypay();
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for pair in sample["fields"].as_array().unwrap() {
        let (name, value) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
        let changed = changes.iter().find(|(changed, _)| *changed == name);
        let value = match (name, changed) {
            (_, Some((_, value))) => value,
            ("public_key", None) => milkypay.public_key_test(),
            (_, None) => value,
        };
        form.append_pair(name, value);
    }
    for (name, value) in changes {
        if !sample["fields"].to_string().contains(&format!("\"{name}\"")) {
            form.append_pair(name, value);
        }
    }
    form.finish()
}

fn process_url(sandbox: &Sandbox) -> String {
    format!("{}/payment-invoices/process", sandbox.milkypay().public_url())
}

#[tokio::test]
async fn a_form_opens_the_page_of_a_new_invoice() {
    let sandbox = start().await;
    let changes = [
        ("reference_id", "order-7"),
        ("expires", "1597834898"),
        ("return_url", "https://example.com/back"),
        ("metadata[key]", "value"),
    ];
    let sent = form(&sandbox, &changes);
    let answer = post_form(&process_url(&sandbox), &sent).await;
    assert_eq!(answer.status(), 303, "{}", answer.body);
    let page = follow(&sandbox, answer).await;
    assert!(page.body.contains("$100.00") && page.body.contains("order-7"), "{}", page.body);
    let snapshot = sandbox.milkypay().snapshot();
    let kept = &snapshot["invoices"][0];
    assert_eq!(kept["service"], "paypal_usd_hpp");
    assert_eq!(kept["customer"]["address"]["full_address"], "Test Address");
    assert_eq!(kept["expires"], "2020-08-19T11:01:38Z");
    assert_eq!(kept["return_url"], "https://example.com/back");
    assert_eq!(kept["metadata"]["key"], "value");
    assert_eq!(
        (&kept["source"], &kept["test_mode"]),
        (&json!("platform_public_api"), &json!(true))
    );
    // Who sends the form again comes to the same invoice.
    let again = post_form(&process_url(&sandbox), &sent).await;
    let page = page_url(&sandbox, kept["id"].as_str().unwrap());
    assert_eq!(again.header("location"), Some(page.as_str()));
    let other = form(&sandbox, &[("reference_id", "order-7"), ("amount", "7")]);
    let other = post_form(&process_url(&sandbox), &other).await;
    assert!(other.status() == 409 && other.body.contains("used for another payment"));
    assert_eq!(invoices(&sandbox), 1);
}

#[tokio::test]
async fn a_form_that_is_wrong_says_so_to_a_person() {
    let sandbox = start().await;
    for (changes, status, words) in [
        (vec![("public_key", "pk_test_other")], 401, "unknown key"),
        (vec![("amount", "0")], 422, "amount: This value should be greater than 0."),
        (vec![("customer[reference_id]", "")], 422, "reference_id: This value should not be blank"),
        (vec![("service", "<b>nothing</b>")], 422, "service: This value is not valid."),
        (vec![("expires", "soon")], 422, "expires: This value is not a valid datetime."),
    ] {
        let answer = post_form(&process_url(&sandbox), &form(&sandbox, &changes)).await;
        assert_eq!(answer.status(), status, "{changes:?}");
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(answer.body.contains(words), "{changes:?}: {}", answer.body);
    }
    assert_eq!(invoices(&sandbox), 0);
}

#[tokio::test]
async fn hostile_text_stays_text() {
    let sandbox = start().await;
    let mut settings = settings();
    settings.account.name = "<b id=pwned>".to_owned();
    sandbox.milkypay().set_settings(settings);
    let reference = "\"><script>alert(3)</script>";
    let more = json!({
        "description": "<script>alert(1)</script>\"'{{main}}",
        "return_url": "mygame:\"><script>alert(2)</script>",
    });
    let id = invoice_with(&sandbox, reference, &more).await;
    let url = page_url(&sandbox, &id);
    let open = get(&url).await;
    let paid = submit(&sandbox, &id, "pay", "").await;
    let over = follow(&sandbox, paid).await;
    assert!(over.body.contains("Payment successful"));
    for page in [open, over] {
        assert!(page.body.contains("&lt;script&gt;alert(1)"), "{}", page.body);
        assert!(page.body.contains("&lt;script&gt;alert(3)"), "{}", page.body);
        assert!(!page.body.contains("<script>alert"), "{}", page.body);
        assert!(!page.body.contains("<b id=pwned>"), "{}", page.body);
    }
}

#[tokio::test]
async fn a_return_address_that_would_run_something_is_no_link() {
    let sandbox = start().await;
    for url in ["javascript:alert(1)", "data:text/html,<script>alert(1)</script>"] {
        let body = request(url, &json!({"return_url": url}));
        let answer = private(&sandbox, "POST", "/payment-invoices", &body).await;
        let expected = json!({"errors": {"return_url": "This value is not a valid URL."}});
        assert_eq!((answer.status(), answer.json()), (422, expected), "{url}");
    }
}
