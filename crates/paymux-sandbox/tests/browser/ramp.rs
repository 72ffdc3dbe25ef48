//! The checkout page of the ramp's gateway.

use paymux_sandbox::ramp::{RampInvoice, RampSettings};
use serde_json::json;
use url::Url;

use crate::{Page, Test, TestResult};

pub(crate) const TESTS: [(&str, Test); 3] = [
    ("a_ramps_payer_leaves_comes_back_and_approves", |page| Box::pin(approves(page))),
    ("a_ramps_payer_is_declined_on_a_hostile_page", |page| Box::pin(is_declined(page))),
    ("a_ramps_long_amounts_are_shown_whole_on_a_phone", |page| Box::pin(is_whole(page))),
];

/// Creates a checkout payment as a merchant would and opens its page. Returns its id.
async fn open(
    page: &Page,
    invoice: RampInvoice,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let ramp = page.sandbox.ramp();
    ramp.set_return_urls(Some(Url::parse(&page.shop)?), Some(Url::parse(&page.shop)?))?;
    let invoice = ramp.add_invoice_with(invoice)?;
    let body = json!({"invoiceId": invoice, "type": "CHECKOUT", "discountCode": "WELCOME10"});
    let url = format!("{}/acquiring/invoice/payment", ramp.base_url());
    let made = page.call(url, format!("Bearer {}", ramp.access_token()), body).await?;
    let id = made["id"].as_str().ok_or("no id")?.to_owned();
    page.browser.goto(&ramp.checkout_url(&id).ok_or("no page")?).await?;
    Ok(id)
}

fn invoice(amount: &str, currency: &str, description: &str) -> RampInvoice {
    RampInvoice {
        amount: amount.to_owned(),
        currency: currency.to_owned(),
        description: description.to_owned(),
        ..RampInvoice::default()
    }
}

/// The names of the parameters that the payer came back to the shop with.
async fn parameters(page: &Page) -> Result<Vec<String>, fantoccini::error::CmdError> {
    let url = page.browser.current_url().await?;
    Ok(url.query_pairs().map(|(name, _)| name.into_owned()).collect())
}

async fn approves(page: Page) -> TestResult {
    let id = open(&page, invoice("11.67", "USD", "Metal card")).await?;
    assert_eq!(page.text("h1#item").await?, "Metal card");
    assert_eq!(page.text("#total").await?, "$10.50");
    assert!(page.text("#lines").await?.contains("Discount WELCOME10"));
    let unlabeled = "return [...document.querySelectorAll('input, select')]\
                     .filter(control => control.labels.length === 0).length";
    assert_eq!(page.browser.execute(unlabeled, Vec::new()).await?, json!(0));
    page.click("#leave").await?;
    assert_eq!(page.text("#thanks").await?, "Thank you");
    assert_eq!(parameters(&page).await?, ["order", "cko-payment-session-id"]);
    assert_eq!(page.sandbox.ramp().snapshot()["payments"][0]["status"], "pending");
    page.browser.back().await?;
    comes_back(&page, &id).await
}

async fn comes_back(page: &Page, id: &str) -> TestResult {
    let ramp = page.sandbox.ramp();
    page.click("#pay").await?;
    assert_eq!(page.text("#thanks").await?, "Thank you");
    let expected = ["order", "cko-payment-session-id", "cko-session-id", "cko-payment-id"];
    assert_eq!(parameters(page).await?, expected);
    assert_eq!(ramp.snapshot()["payments"][0]["status"], "succeeded");
    page.browser.goto(&ramp.checkout_url(id).ok_or("no page")?).await?;
    assert_eq!(page.text("[data-status=succeeded] h2").await?, "Payment successful");
    assert!(!page.has("form").await?);
    Ok(())
}

async fn is_declined(page: Page) -> TestResult {
    let hostile = "<script>document.title='pwned'</script><b id=pwned>'&amp;";
    let ramp = page.sandbox.ramp();
    ramp.set_settings(RampSettings { final_declines: false, ..ramp.settings() })?;
    page.browser.set_window_size(500, 900).await?;
    let long = "12345678901.123456789012345678";
    let id = open(&page, invoice(long, "ETH", hostile)).await?;
    assert_eq!(page.text("h1#item").await?, hostile);
    assert!(!page.has("#pwned").await?);
    let overflow = "return document.documentElement.scrollWidth - window.innerWidth";
    let overflow = page.browser.execute(overflow, Vec::new()).await?;
    assert!(overflow.as_i64().is_some_and(|pixels| pixels <= 0), "{overflow} px too wide");
    page.choose("#outcome", "decline").await?;
    page.click("#pay").await?;
    assert_eq!(page.text("#thanks").await?, "Thank you");
    page.browser.goto(&ramp.checkout_url(&id).ok_or("no page")?).await?;
    assert!(page.text("#notice").await?.contains("Your payment was declined"));
    ramp.decline_checkout(&id)?;
    ramp.fail(&id)?;
    page.browser.refresh().await?;
    assert_eq!(page.text("[data-status=failed] h2").await?, "Payment failed");
    page.click("#return").await?;
    assert_eq!(page.text("#thanks").await?, "Thank you");
    Ok(())
}

/// What is wider than its place is cut off, which a page that is no wider than the phone hides.
async fn is_whole(page: Page) -> TestResult {
    page.browser.set_window_size(500, 900).await?;
    open(&page, invoice("12345678901.123456789012345678", "ETH", "Metal card")).await?;
    let cut = "return [...document.querySelectorAll('body *')]\
               .filter(it => it.clientWidth > 0 && it.scrollWidth > it.clientWidth)\
               .map(it => `${it.tagName} ${it.id}`)";
    assert_eq!(page.browser.execute(cut, Vec::new()).await?, json!([]));
    Ok(())
}
