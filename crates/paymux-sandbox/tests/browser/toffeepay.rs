//! The checkout of ToffeePay.

use fantoccini::Locator;
use serde_json::json;

use crate::{Page, Test, TestResult};

pub(crate) const TESTS: [(&str, Test); 5] = [
    ("a_buyer_is_declined_then_pays_and_returns", |page| Box::pin(buys(page))),
    ("a_buyer_cancels_and_the_checkout_is_dead", |page| Box::pin(cancels(page))),
    ("a_hostile_title_stays_text", |page| Box::pin(is_hostile(page))),
    ("every_control_has_a_label_and_a_phone_is_wide_enough", |page| Box::pin(fits(page))),
    ("an_app_gets_a_link_back", |page| Box::pin(links_back(page))),
];

/// Creates a session as a merchant would and opens its page. Returns its address.
async fn open(
    page: &Page,
    title: &str,
    return_url: &str,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let toffeepay = page.sandbox.toffeepay();
    let body = json!({
        "game_id": "space_shooter",
        "user_id": "player_42",
        "item": {"title": title, "price": 499, "currency": "USD"},
        "return_url": return_url,
    });
    let url = format!("{}/pay.v1.PaymentService/CreateSession", toffeepay.base_url());
    let bearer = format!("Bearer {}", toffeepay.api_key());
    let answer = page.call(url, bearer, body).await?;
    let url = answer["url"].as_str().ok_or("no url")?.to_owned();
    page.browser.goto(&url).await?;
    Ok(url)
}

async fn buys(page: Page) -> TestResult {
    open(&page, "50 Gold Coins", &page.shop).await?;
    chooses_country(&page).await?;
    is_declined(&page).await?;
    page.choose("#outcome", "approve").await?;
    page.click("#pay").await?;
    assert_eq!(page.text("#thanks").await?, "Thank you");
    assert_eq!(page.browser.current_url().await?.as_str(), page.shop);
    let snapshot = page.sandbox.toffeepay().snapshot();
    assert_eq!(snapshot["sessions"][0]["status"], "paid");
    assert_eq!(snapshot["sessions"][0]["tax"], 95);
    assert_eq!(snapshot["payments"][0]["error"]["code"], "insufficient_funds");
    assert_eq!(snapshot["payments"][1]["method"], "paypal");
    Ok(())
}

/// Choosing a country loads the page again, with its tax.
async fn chooses_country(page: &Page) -> TestResult {
    assert_eq!(page.text("h1#item").await?, "50 Gold Coins");
    assert_eq!(page.text("#price").await?, "$4.99");
    assert_eq!(page.text("#tax").await?, "Depends on your country");
    page.choose("#country", "DE").await?;
    page.text("option[value=DE][selected]").await?;
    assert_eq!(page.text("#tax").await?, "$0.95");
    assert_eq!(page.text("#pay").await?, "Pay $5.94");
    Ok(())
}

async fn is_declined(page: &Page) -> TestResult {
    page.click("input[value=paypal]").await?;
    page.choose("#outcome", "insufficient_funds").await?;
    page.click("#pay").await?;
    let notice = page.text("#notice").await?;
    assert!(notice.contains("Your payment was declined"), "{notice}");
    assert!(notice.contains("2 attempts are left"), "{notice}");
    let method = page.browser.find(Locator::Css("input[value=paypal]")).await?;
    assert!(method.is_selected().await?, "the choice is kept");
    Ok(())
}

async fn cancels(page: Page) -> TestResult {
    let url = open(&page, "50 Gold Coins", &page.shop).await?;
    page.click("#cancel").await?;
    assert_eq!(page.text("[data-status=cancelled] h2").await?, "Payment cancelled");
    assert_eq!(page.sandbox.toffeepay().snapshot()["sessions"][0]["status"], "cancelled");
    page.browser.goto(&url).await?;
    page.text("[data-status=cancelled] h2").await?;
    assert!(page.browser.find_all(Locator::Css("form")).await?.is_empty());
    page.click("#return").await?;
    assert_eq!(page.text("#thanks").await?, "Thank you");
    Ok(())
}

async fn is_hostile(page: Page) -> TestResult {
    let title = "<script>document.title='pwned'</script><b id=pwned onclick=\"x\">'&amp;";
    open(&page, title, &page.shop).await?;
    assert_eq!(page.text("h1#item").await?, title);
    assert!(page.browser.find_all(Locator::Id("pwned")).await?.is_empty());
    assert_eq!(page.browser.title().await?, "Checkout – ToffeePay sandbox");
    Ok(())
}

async fn fits(page: Page) -> TestResult {
    let long = "AnUnbreakablyLongTitle".repeat(12);
    page.browser.set_window_size(500, 900).await?;
    open(&page, &long, &page.shop).await?;
    page.text("#pay").await?;
    let unlabeled = "return [...document.querySelectorAll('input, select')]\
                     .filter(control => control.labels.length === 0).length";
    assert_eq!(page.browser.execute(unlabeled, Vec::new()).await?, json!(0));
    let overflow = "return document.documentElement.scrollWidth - window.innerWidth";
    let overflow = page.browser.execute(overflow, Vec::new()).await?;
    assert!(overflow.as_i64().is_some_and(|pixels| pixels <= 0), "{overflow} px too wide");
    Ok(())
}

async fn links_back(page: Page) -> TestResult {
    open(&page, "50 Gold Coins", "mygame://payment-complete").await?;
    page.choose("#country", "US").await?;
    page.text("option[value=US][selected]").await?;
    page.click("#pay").await?;
    assert_eq!(page.text("[data-status=paid] h2").await?, "Payment successful");
    let link = page.browser.find(Locator::Id("return")).await?.attr("href").await?;
    assert_eq!(link.as_deref(), Some("mygame://payment-complete"));
    Ok(())
}
