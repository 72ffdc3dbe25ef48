//! The checkout pages without a browser: forms, redirects, states.

use std::time::Duration;

use paymux_sandbox::Sandbox;
use paymux_sandbox::toffeepay::{Decline, Payer};
use serde_json::json;

use crate::support::{get, ok, post_form, session, session_of, session_request, start};

fn page_url(sandbox: &Sandbox, session: &str) -> String {
    format!("{}toffeepay/checkout/{session}", sandbox.url())
}

#[tokio::test]
async fn the_page_shows_item_price_tax_and_methods() {
    let sandbox = start().await;
    let url = page_url(&sandbox, &session(&sandbox).await);
    let page = get(&url).await;
    assert_eq!(page.status(), 200);
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    for text in ["50 Gold Coins", "$4.99", "Space Shooter", "Depends on your country"] {
        assert!(page.body.contains(text), "{text}");
    }
    for method in
        ["card", "apple_pay", "google_pay", "paypal", "paylater", "venmo", "toffee_wallet"]
    {
        assert!(page.body.contains(&format!("value=\"{method}\"")), "{method}");
    }
    let page = get(&format!("{url}?country=DE&method=paypal")).await;
    assert!(page.body.contains("$0.95") && page.body.contains("Pay $5.94"), "{}", page.body);
    assert!(page.body.contains("value=\"paypal\" checked"), "{}", page.body);
}

#[tokio::test]
async fn the_wallet_is_offered_as_session_and_game_say() {
    let sandbox = start().await;
    sandbox.toffeepay().set_game(
        "no_wallet",
        paymux_sandbox::toffeepay::Game { wallet: false, ..Default::default() },
    );
    for (game, enabled, offered) in [
        ("space_shooter", None, true),
        ("space_shooter", Some(true), true),
        ("space_shooter", Some(false), false),
        ("no_wallet", None, false),
        ("no_wallet", Some(true), false),
    ] {
        let mut request = session_request(game);
        if let Some(enabled) = enabled {
            request["wallet_enabled"] = json!(enabled);
        }
        let session = ok(&sandbox, "CreateSession", request).await;
        let page = get(session["url"].as_str().unwrap()).await;
        assert_eq!(page.body.contains("toffee_wallet"), offered, "{game} {enabled:?}");
    }
}

#[tokio::test]
async fn a_buyer_is_declined_then_pays_and_is_sent_back() {
    let sandbox = start().await;
    let mut request = session_request("space_shooter");
    request["return_url"] = json!("http://127.0.0.1:9/thanks?order=7");
    let session = ok(&sandbox, "CreateSession", request).await;
    let url = session["url"].as_str().unwrap();

    let declined =
        post_form(&format!("{url}/pay"), "method=card&country=US&outcome=insufficient_funds").await;
    assert_eq!(declined.status(), 303);
    let again = get(declined.header("location").unwrap()).await;
    assert!(again.body.contains("Your payment was declined"), "{}", again.body);
    assert!(again.body.contains("2 attempts are left"), "{}", again.body);

    let paid = post_form(&format!("{url}/pay"), "method=paypal&country=US&outcome=approve").await;
    let result = get(paid.header("location").unwrap()).await;
    assert_eq!(result.status(), 302);
    assert_eq!(result.header("location"), Some("http://127.0.0.1:9/thanks?order=7"));
    let read = ok(&sandbox, "GetSession", json!({"id": session["id"]})).await;
    assert_eq!((&read["status"], &read["tax"]["amount"]), (&json!("paid"), &json!(50)));
    let page = get(url).await;
    assert!(page.body.contains("Payment successful") && !page.body.contains("<form"));
}

#[tokio::test]
async fn an_app_gets_a_link_instead_of_a_redirect() {
    let sandbox = start().await;
    for game in ["space_shooter", "space_shooter_manual"] {
        let url = page_url(&sandbox, &session_of(&sandbox, game).await);
        let paid = post_form(&format!("{url}/pay"), "method=card&country=US").await;
        let result = get(paid.header("location").unwrap()).await;
        assert_eq!(result.status(), 200);
        assert!(result.body.contains("href=\"mygame://payment-complete\""), "{}", result.body);
    }
}

#[tokio::test]
async fn nobody_pays_without_a_country_or_with_a_method_not_offered() {
    let sandbox = start().await;
    let mut request = session_request("space_shooter");
    request["wallet_enabled"] = json!(false);
    let session = ok(&sandbox, "CreateSession", request).await;
    let pay = format!("{}/pay", session["url"].as_str().unwrap());
    for body in ["method=card&country=", "country=xx", "", "method=toffee_wallet&country=US"] {
        let page = post_form(&pay, body).await;
        assert_eq!(page.status(), 200, "{body}");
        assert!(page.body.contains("role=\"alert\""), "{body}");
    }
    let early = get(&format!("{}/return", session["url"].as_str().unwrap())).await;
    assert_eq!(early.header("location"), session["url"].as_str());
    assert_eq!(sandbox.toffeepay().snapshot()["payments"], json!([]));
}

#[tokio::test]
async fn a_checkout_that_is_over_is_dead() {
    let sandbox = start().await;
    let toffeepay = sandbox.toffeepay();
    let expired = session(&sandbox).await;
    sandbox.advance(Duration::from_secs(1800));
    let failed = session(&sandbox).await;
    for _ in 0..3 {
        toffeepay.decline(&failed, Decline::Declined).unwrap();
    }
    let cancelled = session(&sandbox).await;
    let answer = post_form(&format!("{}/cancel", page_url(&sandbox, &cancelled)), "").await;
    assert_eq!(answer.status(), 303);
    for (id, heading) in [
        (&expired, "This checkout has expired"),
        (&failed, "Payment failed"),
        (&cancelled, "Payment cancelled"),
    ] {
        let url = page_url(&sandbox, id);
        let page = get(&url).await;
        assert_eq!(page.status(), 410);
        assert!(page.body.contains(heading) && !page.body.contains("<form"), "{heading}");
        let late = post_form(&format!("{url}/pay"), "method=card&country=US").await;
        assert_eq!(late.status(), 410);
    }
    assert_eq!(get(&page_url(&sandbox, "sess_nobody")).await.status(), 404);
}

#[tokio::test]
async fn a_payment_under_way_shows_no_form() {
    let sandbox = start().await;
    let id = session(&sandbox).await;
    let url = page_url(&sandbox, &id);
    let started =
        post_form(&format!("{url}/pay"), "method=card&country=US&outcome=processing").await;
    let page = get(started.header("location").unwrap()).await;
    assert!(page.body.contains("Processing your payment") && !page.body.contains("<form"));
    let payment = sandbox.toffeepay().pay(&id, Payer::default()).unwrap();
    assert_eq!(sandbox.toffeepay().snapshot()["payments"][0]["id"], payment, "it goes on");
}

#[tokio::test]
async fn hostile_text_stays_text() {
    let sandbox = start().await;
    let mut request = session_request("space_shooter");
    request["item"]["title"] = json!("<script>alert(1)</script>\"'{{main}}");
    request["item"]["image"] = json!("https://example.com/\"onerror=\"alert(1)");
    request["return_url"] = json!("mygame:\"><script>alert(2)</script>");
    let session = ok(&sandbox, "CreateSession", request).await;
    let url = session["url"].as_str().unwrap();
    let paid = post_form(&format!("{url}/pay"), "method=card&country=US").await;
    for page in [get(url).await, get(paid.header("location").unwrap()).await] {
        assert!(page.body.contains("&lt;script&gt;alert(1)"), "{}", page.body);
        assert!(!page.body.contains("<script>alert"), "{}", page.body);
        assert!(!page.body.contains("\"onerror="), "{}", page.body);
    }
}
