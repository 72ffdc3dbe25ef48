//! The confirmation page of the wallet.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::Locator;
use hmac::{Hmac, KeyInit, Mac};
use paymux_sandbox::WalletSandbox;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{Page, Test, TestResult};

pub(crate) const TESTS: [(&str, Test); 2] = [
    ("a_wallets_owner_mistypes_then_accepts_and_returns", |page| Box::pin(accepts(page))),
    ("a_wallets_owner_rejects_a_hostile_payment", |page| Box::pin(rejects(page))),
];

/// Creates a transaction as a merchant would and opens its page. Returns its key.
async fn open(
    page: &Page,
    description: &str,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let wallet = page.sandbox.wallet();
    let item = json!({"title": "Night", "price": 4500, "quantity": 2});
    let payment = json!({
        "description": description,
        "currency": "EUR",
        "items": [item],
        "commission": {"out_commission": 250},
    });
    let body = json!({"payments": [payment], "redirect_uri": page.shop});
    let url = format!("{}/transaction", wallet.rest_url());
    let header = authorization(&wallet, "POST", &url, &body.to_string(), page.sandbox.now())?;
    let answer = page.call(url, header, body).await?;
    let key = answer["transaction_key"].as_str().ok_or("no key")?.to_owned();
    page.browser.goto(&wallet.confirm_url(&key)).await?;
    Ok(key)
}

/// Signs a request to the wallet with its body.
fn authorization(
    wallet: &WalletSandbox,
    method: &str,
    url: &str,
    body: &str,
    now: jiff::Timestamp,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let url = url::Url::parse(url)?;
    let (host, port) = (url.host_str().ok_or("no host")?, url.port().ok_or("no port")?);
    let (path, ts, nonce) = (url.path(), now.as_second(), "n");
    let hash = STANDARD.encode(Sha256::digest(body));
    let ext = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("body_hash", &hash)
        .finish();
    let text = format!("{ts}\n{nonce}\n{method}\n{path}\n{host}\n{port}\n{ext}\n");
    let mut mac = Hmac::<Sha256>::new_from_slice(wallet.mac_key().as_bytes())?;
    mac.update(text.as_bytes());
    let (id, mac) = (wallet.client_id(), STANDARD.encode(mac.finalize().into_bytes()));
    Ok(format!(r#"MAC id="{id}", ts="{ts}", nonce="{nonce}", mac="{mac}", ext="{ext}""#))
}

async fn accepts(page: Page) -> TestResult {
    let key = open(&page, "Two nights").await?;
    assert_eq!(page.text("h1#item").await?, "Two nights");
    assert_eq!(page.text("#total").await?, "€92.50");
    assert!(page.text("#lines").await?.contains("2 × Night"));
    let unlabeled = "return [...document.querySelectorAll('input, select')]\
                     .filter(control => control.labels.length === 0).length";
    assert_eq!(page.browser.execute(unlabeled, Vec::new()).await?, json!(0));
    enters_pin(&page, "1111").await?;
    assert!(page.text("#notice").await?.contains("The PIN is not right"));
    enters_pin(&page, "1234").await?;
    assert_eq!(page.text("#thanks").await?, "Thank you");
    assert_eq!(page.browser.current_url().await?.as_str(), page.shop);
    let wallet = page.sandbox.wallet();
    assert_eq!(wallet.snapshot()["transactions"][0]["status"], "accepted");
    assert_eq!(wallet.balance(14471, "EUR"), (990_750, 9_250));
    page.browser.goto(&wallet.confirm_url(&key)).await?;
    assert_eq!(page.text("[data-status=reserved] h2").await?, "Payment accepted");
    Ok(())
}

async fn enters_pin(page: &Page, pin: &str) -> TestResult {
    page.choose("#wallet", "14471").await?;
    page.browser.find(Locator::Id("pin")).await?.send_keys(pin).await?;
    page.click("#accept").await?;
    Ok(())
}

async fn rejects(page: Page) -> TestResult {
    let hostile = "<script>document.title='pwned'</script><b id=pwned>'&amp;";
    page.browser.set_window_size(500, 900).await?;
    open(&page, hostile).await?;
    assert_eq!(page.text("h1#item").await?, hostile);
    assert!(page.browser.find_all(Locator::Id("pwned")).await?.is_empty());
    let overflow = "return document.documentElement.scrollWidth - window.innerWidth";
    let overflow = page.browser.execute(overflow, Vec::new()).await?;
    assert!(overflow.as_i64().is_some_and(|pixels| pixels <= 0), "{overflow} px too wide");
    page.click("#reject").await?;
    assert_eq!(page.text("[data-status=rejected] h2").await?, "Payment rejected");
    assert!(page.browser.find_all(Locator::Css("form")).await?.is_empty());
    page.click("#return").await?;
    assert_eq!(page.text("#thanks").await?, "Thank you");
    Ok(())
}
