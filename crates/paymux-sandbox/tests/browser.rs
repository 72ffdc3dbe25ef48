//! The checkout pages in a real browser: headless Chromium, driven through chromedriver.
//!
//! Where one of the two is missing the tests show as ignored and say why. With
//! `PAYMUX_REQUIRE_BROWSER=1` they fail instead.

use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hmac::{Hmac, KeyInit, Mac};
use hyper_util::client::legacy::connect::HttpConnector;
use libtest_mimic::{Arguments, Failed, Trial};
use paymux_sandbox::{Sandbox, SandboxConfig, WalletSandbox};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const CHROMEDRIVER: [&str; 1] = ["chromedriver"];

type TestResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let programs = find(&CHROMIUM).zip(find(&CHROMEDRIVER));
    let required = std::env::var("PAYMUX_REQUIRE_BROWSER").is_ok_and(|value| value == "1");
    let reason = if programs.is_some() { "" } else { " (chromium or chromedriver is missing)" };
    let trial = |name: &str, test: fn(Page) -> TestFuture| {
        let programs = programs.clone();
        Trial::test(format!("{name}{reason}"), move || run(programs, test))
            .with_ignored_flag(!reason.is_empty() && !required)
    };
    let trials = vec![
        trial("a_buyer_is_declined_then_pays_and_returns", |page| Box::pin(buys(page))),
        trial("a_buyer_cancels_and_the_checkout_is_dead", |page| Box::pin(cancels(page))),
        trial("a_hostile_title_stays_text", |page| Box::pin(is_hostile(page))),
        trial("every_control_has_a_label_and_a_phone_is_wide_enough", |page| Box::pin(fits(page))),
        trial("an_app_gets_a_link_back", |page| Box::pin(links_back(page))),
        trial("a_wallets_owner_mistypes_then_accepts_and_returns", |page| Box::pin(accepts(page))),
        trial("a_wallets_owner_rejects_a_hostile_payment", |page| Box::pin(rejects(page))),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

type TestFuture = std::pin::Pin<Box<dyn Future<Output = TestResult> + Send>>;

/// A browser, the sandbox it looks at, and a shop to come back to.
#[derive(Clone)]
struct Page {
    browser: Client,
    sandbox: std::sync::Arc<Sandbox>,
    shop: String,
}

fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().find_map(|name| {
        places.iter().map(|place| place.join(name)).find(|program| program.is_file())
    })
}

fn run(programs: Option<(PathBuf, PathBuf)>, test: fn(Page) -> TestFuture) -> Result<(), Failed> {
    let (chromium, chromedriver) = programs.ok_or("chromium or chromedriver is missing")?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let (mut driver, port) = start_driver(chromedriver).await?;
        let profile = std::env::temp_dir().join(format!("paymux-browser-{port}"));
        let browser = open_browser(&chromium, port, &profile).await?;
        let sandbox = Sandbox::start(SandboxConfig::default().seed(1)).await?;
        let sandbox = std::sync::Arc::new(sandbox);
        let shop = start_shop().await?;
        // In a task, so that a panic still closes the browser.
        let page = Page { browser: browser.clone(), sandbox, shop };
        let result = tokio::spawn(test(page)).await;
        browser.close().await?;
        driver.kill().await?;
        // A profile that cannot be removed harms nothing.
        let _left = std::fs::remove_dir_all(&profile);
        match result {
            Ok(result) => result.map_err(|error| Failed::from(error.to_string())),
            Err(panic) => Err(Failed::from(panic.to_string())),
        }
    })
}

/// Starts chromedriver on a free port, which it prints.
async fn start_driver(
    chromedriver: PathBuf,
) -> Result<(Child, u16), Box<dyn std::error::Error + Send + Sync>> {
    let mut driver = Command::new(chromedriver)
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let output = driver.stdout.take().ok_or("chromedriver has no output")?;
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        let port = line
            .split_once("successfully on port ")
            .map(|(_, port)| port.trim_end_matches('.').parse());
        if let Some(Ok(port)) = port {
            // It goes on printing and must find someone who reads.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok((driver, port));
        }
    }
    Err("chromedriver ended without a port".into())
}

async fn open_browser(
    chromium: &std::path::Path,
    port: u16,
    profile: &std::path::Path,
) -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    let profile = format!("--user-data-dir={}", profile.display());
    let options = json!({
        "binary": chromium,
        "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", profile,
        ],
    });
    let capabilities = Capabilities::from_iter([("goog:chromeOptions".to_owned(), options)]);
    let mut builder = ClientBuilder::new(HttpConnector::new());
    Ok(builder.capabilities(capabilities).connect(&format!("http://127.0.0.1:{port}")).await?)
}

/// A tiny shop that thanks whoever comes back.
async fn start_shop() -> std::io::Result<String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/thanks?order=7", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok() {
                let body = "<h1 id='thanks'>Thank you</h1>";
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\
                     Content-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                // A browser that left does not want the answer.
                let _left = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    Ok(url)
}

/// Posts JSON as a merchant does.
async fn post(
    url: &str,
    authorization: &str,
    body: &Value,
) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    let request = http::Request::post(url)
        .header("authorization", authorization)
        .header("content-type", "application/json")
        .body(http_body_util::Full::new(bytes::Bytes::from(body.to_string())))?;
    let executor = hyper_util::rt::TokioExecutor::new();
    let client = hyper_util::client::legacy::Client::builder(executor).build_http();
    let answer = client.request(request).await?.into_body();
    let answer = http_body_util::BodyExt::collect(answer).await?.to_bytes();
    Ok(serde_json::from_slice(&answer)?)
}

impl Page {
    /// Creates a session as a merchant would and opens its page. Returns its address.
    async fn open(
        &self,
        title: &str,
        return_url: &str,
    ) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let toffeepay = self.sandbox.toffeepay();
        let body = json!({
            "game_id": "space_shooter",
            "user_id": "player_42",
            "item": {"title": title, "price": 499, "currency": "USD"},
            "return_url": return_url,
        });
        let url = format!("{}/pay.v1.PaymentService/CreateSession", toffeepay.base_url());
        let answer = post(&url, &format!("Bearer {}", toffeepay.api_key()), &body).await?;
        let url = answer["url"].as_str().ok_or("no url")?.to_owned();
        self.browser.goto(&url).await?;
        Ok(url)
    }

    /// Creates a transaction of the wallet as a merchant would and opens its page. Returns its
    /// key.
    async fn open_wallet(
        &self,
        description: &str,
    ) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let wallet = self.sandbox.wallet();
        let item = json!({"title": "Night", "price": 4500, "quantity": 2});
        let payment = json!({
            "description": description,
            "currency": "EUR",
            "items": [item],
            "commission": {"out_commission": 250},
        });
        let body = json!({"payments": [payment], "redirect_uri": self.shop});
        let url = format!("{}/transaction", wallet.rest_url());
        let header = authorization(&wallet, "POST", &url, &body.to_string(), self.sandbox.now())?;
        let answer = post(&url, &header, &body).await?;
        let key = answer["transaction_key"].as_str().ok_or("no key")?.to_owned();
        self.browser.goto(&wallet.confirm_url(&key)).await?;
        Ok(key)
    }

    /// The text of an element, once it is there.
    async fn text(&self, css: &str) -> Result<String, fantoccini::error::CmdError> {
        self.browser.wait().for_element(Locator::Css(css)).await?.text().await
    }

    async fn click(&self, css: &str) -> Result<(), fantoccini::error::CmdError> {
        self.browser.wait().for_element(Locator::Css(css)).await?.click().await
    }

    async fn choose(&self, css: &str, value: &str) -> Result<(), fantoccini::error::CmdError> {
        self.browser.wait().for_element(Locator::Css(css)).await?.select_by_value(value).await
    }

    fn snapshot(&self) -> Value {
        self.sandbox.toffeepay().snapshot()
    }
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

async fn buys(page: Page) -> TestResult {
    page.open("50 Gold Coins", &page.shop).await?;
    chooses_country(&page).await?;
    is_declined(&page).await?;
    page.choose("#outcome", "approve").await?;
    page.click("#pay").await?;
    assert_eq!(page.text("#thanks").await?, "Thank you");
    assert_eq!(page.browser.current_url().await?.as_str(), page.shop);
    let snapshot = page.snapshot();
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
    let url = page.open("50 Gold Coins", &page.shop).await?;
    page.click("#cancel").await?;
    assert_eq!(page.text("[data-status=cancelled] h2").await?, "Payment cancelled");
    assert_eq!(page.snapshot()["sessions"][0]["status"], "cancelled");
    page.browser.goto(&url).await?;
    page.text("[data-status=cancelled] h2").await?;
    assert!(page.browser.find_all(Locator::Css("form")).await?.is_empty());
    page.click("#return").await?;
    assert_eq!(page.text("#thanks").await?, "Thank you");
    Ok(())
}

async fn is_hostile(page: Page) -> TestResult {
    let title = "<script>document.title='pwned'</script><b id=pwned onclick=\"x\">'&amp;";
    page.open(title, &page.shop).await?;
    assert_eq!(page.text("h1#item").await?, title);
    assert!(page.browser.find_all(Locator::Id("pwned")).await?.is_empty());
    assert_eq!(page.browser.title().await?, "Checkout – ToffeePay sandbox");
    Ok(())
}

async fn fits(page: Page) -> TestResult {
    let long = "AnUnbreakablyLongTitle".repeat(12);
    page.browser.set_window_size(500, 900).await?;
    page.open(&long, &page.shop).await?;
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
    page.open("50 Gold Coins", "mygame://payment-complete").await?;
    page.choose("#country", "US").await?;
    page.text("option[value=US][selected]").await?;
    page.click("#pay").await?;
    assert_eq!(page.text("[data-status=paid] h2").await?, "Payment successful");
    let link = page.browser.find(Locator::Id("return")).await?.attr("href").await?;
    assert_eq!(link.as_deref(), Some("mygame://payment-complete"));
    Ok(())
}

async fn accepts(page: Page) -> TestResult {
    let key = page.open_wallet("Two nights").await?;
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
    page.open_wallet(hostile).await?;
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
