//! The hosted page of MilkyPay.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::Locator;
use serde_json::{Value, json};

use crate::{Page, Test, TestResult};

pub(crate) const TESTS: [(&str, Test); 5] = [
    ("a_payer_is_declined_then_pays_and_returns", |page| Box::pin(pays(page))),
    ("a_payer_pays_a_part_and_the_rest", |page| Box::pin(pays_in_parts(page))),
    ("a_payer_leaves_and_cancels", |page| Box::pin(leaves(page))),
    ("a_merchants_form_leads_to_the_page", |page| Box::pin(comes_by_form(page))),
    ("a_hostile_invoice_stays_text_and_fits_a_phone", |page| Box::pin(is_hostile(page))),
];

/// Creates an invoice over 100 USD as a merchant would and opens its page. Returns its id.
async fn open(
    page: &Page,
    description: &str,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let milkypay = page.sandbox.milkypay();
    let body = json!({"data": {"type": "payment-invoices", "attributes": {
        "reference_id": "order-7",
        "service": "payment_card_usd_hpp",
        "currency": "USD",
        "amount": 100,
        "test_mode": true,
        "description": description,
        "return_urls": {"pending": format!("{}&pending", page.shop), "success": page.shop},
    }}});
    let credentials = format!("{}:{}", milkypay.account_id(), milkypay.api_key());
    let authorization = format!("Basic {}", STANDARD.encode(credentials));
    let url = format!("{}/payment-invoices", milkypay.private_url());
    let answer = page.call(url, authorization, body).await?;
    let data = &answer["data"];
    let url = data["attributes"]["hpp_url"].as_str().ok_or("no hpp_url")?;
    page.browser.goto(url).await?;
    Ok(data["id"].as_str().ok_or("no id")?.to_owned())
}

fn invoice(page: &Page) -> Value {
    page.sandbox.milkypay().snapshot()["invoices"][0].clone()
}

async fn pays(page: Page) -> TestResult {
    open(&page, "Two coffees").await?;
    assert_eq!(page.text("h1#item").await?, "Two coffees");
    assert_eq!(page.text("#total").await?, "$100.00");
    page.choose("#outcome", "insufficient_funds").await?;
    page.click("#pay").await?;
    let notice = page.text("#notice").await?;
    assert!(notice.contains("4 attempts are left"), "{notice}");
    page.choose("#outcome", "approve").await?;
    page.click("#pay").await?;
    assert_eq!(page.text("#thanks").await?, "Thank you");
    assert_eq!(page.browser.current_url().await?.as_str(), page.shop);
    assert_eq!(invoice(&page)["status"], "processed");
    assert_eq!(invoice(&page)["processed_amount"], "100");
    Ok(())
}

async fn pays_in_parts(page: Page) -> TestResult {
    open(&page, "Two coffees").await?;
    let amount = page.browser.find(Locator::Id("amount")).await?;
    amount.clear().await?;
    amount.send_keys("60.50").await?;
    page.click("#pay").await?;
    let notice = page.text("#notice").await?;
    assert!(notice.contains("$39.50 is still open"), "{notice}");
    assert_eq!(page.text("#pay").await?, "Pay $39.50");
    assert_eq!(invoice(&page)["status"], "partially_processed");
    page.click("#pay").await?;
    assert_eq!(page.text("#thanks").await?, "Thank you");
    assert_eq!(invoice(&page)["status"], "processed");
    Ok(())
}

async fn leaves(page: Page) -> TestResult {
    let id = open(&page, "Two coffees").await?;
    page.click("#leave").await?;
    assert_eq!(page.text("#thanks").await?, "Thank you");
    assert!(page.browser.current_url().await?.as_str().ends_with("&pending"));
    assert_eq!(invoice(&page)["status"], "process_pending");
    let url = format!("{}/hpp/?cpi={id}", page.sandbox.milkypay().base_url());
    page.browser.goto(&url).await?;
    page.click("#cancel").await?;
    assert_eq!(page.text("[data-status=terminated] h2").await?, "Payment cancelled");
    assert!(!page.has("form").await?);
    assert_eq!(invoice(&page)["status"], "terminated");
    Ok(())
}

/// A page of the merchant's holds the form of the specification; a click sends it.
async fn comes_by_form(page: Page) -> TestResult {
    let milkypay = page.sandbox.milkypay();
    page.browser.goto(&page.shop).await?;
    let fields = json!([
        ["public_key", milkypay.public_key_test()],
        ["reference_id", "order \"7\" <&>"],
        ["currency", "USD"],
        ["amount", "100"],
        ["service", "paypal_usd_hpp"],
        ["customer[reference_id]", "customer-1"],
        ["customer[name]", "Test Customer"],
        ["customer[address][full_address]", "Test Address"],
    ]);
    let action = format!("{}/payment-invoices/process", milkypay.public_url());
    let write = "const [action, fields] = arguments; const form = document.createElement('form');\
                 form.method = 'post'; form.action = action;\
                 for (const [name, value] of fields) {\
                   const input = document.createElement('input');\
                   input.type = 'hidden'; input.name = name; input.value = value;\
                   form.append(input); }\
                 const button = document.createElement('button'); button.id = 'go';\
                 button.textContent = 'Pay'; form.append(button); document.body.append(form);";
    page.browser.execute(write, vec![json!(action), fields]).await?;
    page.click("#go").await?;
    assert_eq!(page.text("#reference").await?, "order \"7\" <&>");
    page.click("#pay").await?;
    assert_eq!(page.text("[data-status=processed] h2").await?, "Payment successful");
    assert_eq!(invoice(&page)["customer"]["address"]["full_address"], "Test Address");
    Ok(())
}

async fn is_hostile(page: Page) -> TestResult {
    let title = "<script>document.title='pwned'</script><b id=pwned onclick=\"x\">'&amp;";
    let long = format!("{title}{}", "AnUnbreakablyLongTitle".repeat(12));
    page.browser.set_window_size(500, 900).await?;
    open(&page, &long).await?;
    assert_eq!(page.text("h1#item").await?, long);
    assert!(!page.has("#pwned").await?);
    assert_eq!(page.browser.title().await?, "Payment – MilkyPay sandbox");
    let unlabeled = "return [...document.querySelectorAll('input, select')]\
                     .filter(control => control.labels.length === 0).length";
    assert_eq!(page.browser.execute(unlabeled, Vec::new()).await?, json!(0));
    let overflow = "return document.documentElement.scrollWidth - window.innerWidth";
    let overflow = page.browser.execute(overflow, Vec::new()).await?;
    assert!(overflow.as_i64().is_some_and(|pixels| pixels <= 0), "{overflow} px too wide");
    Ok(())
}
